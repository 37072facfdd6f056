// Every node and every relationship of a graph carries the tenant whose graph it is,
// so that one database can hold several. Keys are kept by uniqueness constraints alone:
// Community servers have no others, and the program never writes a key that is null.

// One per tenant: the number of its last batch and of its last statement. A writer
// holds this node locked while it works.
CREATE CONSTRAINT tenant_name IF NOT EXISTS FOR (t:Tenant) REQUIRE t.name IS UNIQUE;

// One per tenant: the batch up to which readers look. It stands apart, because the
// tenant is locked for as long as a batch takes.
CREATE CONSTRAINT published_tenant IF NOT EXISTS FOR (p:Published) REQUIRE p.tenant IS UNIQUE;

// One per tenant: a batch that takes several transactions, while it is under way, and a
// number that says which writer may go on with it.
CREATE CONSTRAINT draft_tenant IF NOT EXISTS FOR (d:Draft) REQUIRE d.tenant IS UNIQUE;

// Every id that an entity has or that a relation names.
CREATE CONSTRAINT entity_id IF NOT EXISTS FOR (e:Entity) REQUIRE (e.tenant, e.id) IS UNIQUE;

// What sources said of entities: (:Entity)-[:SAID]->(:Statement). What they said of
// relations is (:Entity)-[:RELATION]->(:Entity), one for each time it was said.
// "living" is the source, for as long as the statement lives; "since" and "until" are the
// batches with which it began and ended.
CREATE INDEX statement_kind IF NOT EXISTS FOR (s:Statement) ON (s.tenant, s.kind, s.id);
CREATE INDEX statement_living IF NOT EXISTS FOR (s:Statement) ON (s.tenant, s.living, s.since);
CREATE INDEX statement_until IF NOT EXISTS FOR (s:Statement) ON (s.tenant, s.until);
CREATE INDEX relation_living IF NOT EXISTS FOR ()-[r:RELATION]-() ON (r.tenant, r.living, r.since);
CREATE INDEX relation_until IF NOT EXISTS FOR ()-[r:RELATION]-() ON (r.tenant, r.until);

// Identifiers of the changes that were applied.
CREATE CONSTRAINT change_id IF NOT EXISTS FOR (c:Change) REQUIRE (c.tenant, c.id) IS UNIQUE;

// The journal.
CREATE CONSTRAINT record_id IF NOT EXISTS FOR (r:Record) REQUIRE (r.tenant, r.stream, r.id) IS UNIQUE;
CREATE INDEX record_at IF NOT EXISTS FOR (r:Record) ON (r.tenant, r.stream, r.at, r.id);
CREATE INDEX record_source IF NOT EXISTS FOR (r:Record) ON (r.tenant, r.source);
