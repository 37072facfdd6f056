package neo4j

// cypher is the text of a statement. All of them are the constants below: data travels
// in parameters alone, and types and kinds of the graph are properties, so that no text
// is ever put together from what somebody said.
type cypher string

// x is a statement on an entity or a relation. It can be seen in batch number "at" when
// it was there and had not been ended, or, for a reader of the recorded past, had been
// recorded and was retracted later. $all shows what was ended, too.
const visible = ` x.since <= at AND ($all OR
	(x.until IS NULL OR x.until > at OR x.retracted > $recorded) AND ($recorded IS NULL OR x.recorded <= $recorded)) `

// begin fixes the batch that a reader sees: $at, or the last one that is published.
const begin = `MATCH (p:Published {tenant: $tenant}) WITH coalesce($at, p.seq) AS at `

// Reading.
const (
	readStatements cypher = begin + `UNWIND $ids AS id
		MATCH (:Entity {tenant: $tenant, id: id})-[:SAID]->(x:Statement) WHERE` + visible + `
		RETURN at, id AS origin, properties(x) AS x`

	follow = ` WHERE` + visible + `AND ($types IS NULL OR x.type IN $types) AND ($among IS NULL OR f.id IN $among)
		RETURN at, startNode(x).id AS origin, endNode(x).id AS target, properties(x) AS x`
	readLeaving cypher = begin + `UNWIND $ids AS id
		MATCH (:Entity {tenant: $tenant, id: id})-[x:RELATION]->(f:Entity)` + follow
	readEntering cypher = begin + `UNWIND $ids AS id
		MATCH (:Entity {tenant: $tenant, id: id})<-[x:RELATION]-(f:Entity)` + follow

	// Both ends are found before the relations between them, so that the server begins at
	// the one with fewer: an element may have as many as it ever had alarms.
	readRelation cypher = begin + `
		MATCH (a:Entity {tenant: $tenant, id: $origin}) MATCH (b:Entity {tenant: $tenant, id: $target}) WITH at, a, b
		MATCH (a)-[x:RELATION {type: $type, qualifier: $qualifier}]->(b) WHERE` + visible + `RETURN at, $origin AS origin, $target AS target, properties(x) AS x`

	// The next entities around some, by id, with the relations that lead there.
	readAround cypher = begin + `UNWIND $ids AS id
		MATCH (:Entity {tenant: $tenant, id: id})-[x:RELATION]-(f:Entity)
		WHERE f.id > $after AND NOT f.id IN $seen AND ($types IS NULL OR x.type IN $types) AND` + visible + `
		WITH at, f, collect(x) AS xs ORDER BY f.id LIMIT $page
		UNWIND xs AS x
		RETURN at, f.id AS far, startNode(x).id AS origin, endNode(x).id AS target, properties(x) AS x ORDER BY far`

	// The next entities of which something is said that a query asks for, by id, with
	// all that is said of them. Its parts may be said by different sources, so one part
	// chooses the candidates and the rest is for the caller.
	candidates = visible + `WITH DISTINCT at, x.id AS id ORDER BY id LIMIT $page
		MATCH (:Entity {tenant: $tenant, id: id})-[:SAID]->(x:Statement) WHERE` + visible + `
		RETURN at, id AS origin, properties(x) AS x`
	findAny cypher = begin + `MATCH (e:Entity) WHERE e.tenant = $tenant AND e.id >= $from AND e.id <> $after
		MATCH (e)-[:SAID]->(x:Statement) WHERE ($text IS NULL OR x.text CONTAINS $text) AND ($role IS NULL OR x.role = $role)
			AND ($domain IS NULL OR x.domain = $domain) AND` + candidates
	findKind cypher = begin + `MATCH (x:Statement) USING INDEX x:Statement(tenant, kind, id)
		WHERE x.tenant = $tenant AND x.kind = $kind AND x.id >= $from AND x.id <> $after AND` + candidates

	// What lives, from the index alone, and what lived in the batch that is seen.
	readSources cypher = begin + `CALL {
			WITH at MATCH (x:Statement) WHERE x.tenant = $tenant AND x.living IS NOT NULL AND x.since <= at
			RETURN x.living AS source, count(*) AS entities, 0 AS relations
			UNION ALL
			WITH at MATCH (x:Statement) WHERE x.tenant = $tenant AND x.until > at AND x.since <= at
			RETURN x.source AS source, count(*) AS entities, 0 AS relations
			UNION ALL
			WITH at MATCH ()-[x:RELATION]->() WHERE x.tenant = $tenant AND x.living IS NOT NULL AND x.since <= at
			RETURN x.living AS source, 0 AS entities, count(*) AS relations
			UNION ALL
			WITH at MATCH ()-[x:RELATION]->() WHERE x.tenant = $tenant AND x.until > at AND x.since <= at
			RETURN x.source AS source, 0 AS entities, count(*) AS relations
		}
		RETURN at, source, sum(entities) AS entities, sum(relations) AS relations ORDER BY source`
)

// Writing.
const (
	// A write before the read takes the lock that keeps others out. The number of a batch
	// that was left unfinished is not used again.
	beginBatch cypher = `
		MATCH (t:Tenant {name: $tenant}) SET t.locked = true
		WITH t MATCH (d:Draft {tenant: $tenant})
		WITH t, d.seq AS unfinished, t.statements AS first, CASE WHEN d.seq > t.seq THEN d.seq + 1 ELSE t.seq + 1 END AS seq
		SET t.seq = seq, t.statements = first + $n
		RETURN seq, first, unfinished`
	publishBatch cypher = `
		MATCH (p:Published {tenant: $tenant}) SET p.locked = true
		WITH p WHERE p.seq < $seq SET p.seq = $seq`
	knownChanges cypher = `UNWIND $ids AS id MATCH (c:Change {tenant: $tenant, id: id}) RETURN c.id AS id`
	keepChanges  cypher = `UNWIND $rows AS id MERGE (c:Change {tenant: $tenant, id: id}) SET c.seq = $seq`

	end                  = ` SET x.until = $seq, x.retracted = row.at REMOVE x.living`
	endOfEntities cypher = `UNWIND $rows AS row
		MATCH (:Entity {tenant: $tenant, id: row.id})-[:SAID]->(x:Statement) WHERE x.living = row.source` + end
	endOfRelations cypher = `UNWIND $rows AS row
		MATCH (a:Entity {tenant: $tenant, id: row.from}) MATCH (b:Entity {tenant: $tenant, id: row.to}) WITH row, a, b
		MATCH (a)-[x:RELATION {type: row.type, qualifier: row.qualifier, living: row.source}]->(b)` + end
	drop                = ` WITH x LIMIT $page SET x.until = $seq, x.retracted = $at REMOVE x.living RETURN count(*) AS n`
	dropEntities cypher = `
		MATCH (x:Statement) USING INDEX x:Statement(tenant, living, since)
		WHERE x.tenant = $tenant AND x.living = $source AND x.since <= $seq` + drop
	dropRelations cypher = `
		MATCH ()-[x:RELATION]->() USING INDEX x:RELATION(tenant, living, since)
		WHERE x.tenant = $tenant AND x.living = $source AND x.since <= $seq` + drop

	sayOfEntities cypher = `UNWIND $rows AS row
		MERGE (e:Entity {tenant: $tenant, id: row.id})
		CREATE (e)-[:SAID]->(x:Statement) SET x = row.said`
	sayOfRelations cypher = `UNWIND $rows AS row
		MERGE (a:Entity {tenant: $tenant, id: row.from})
		MERGE (b:Entity {tenant: $tenant, id: row.to})
		CREATE (a)-[x:RELATION]->(b) SET x = row.said`
)

// Batches that take several transactions.
const (
	fenceDraft cypher = `MATCH (d:Draft {tenant: $tenant}) SET d.locked = true WITH d SET d.claim = d.claim + 1 RETURN d.claim AS claim`
	holdDraft  cypher = `MATCH (d:Draft {tenant: $tenant}) SET d.locked = true WITH d WHERE d.claim = $claim RETURN d.claim AS claim`
	openDraft  cypher = `MATCH (d:Draft {tenant: $tenant}) SET d.seq = $seq`
	closeDraft cypher = `MATCH (d:Draft {tenant: $tenant}) SET d.seq = 0`

	pieces                = ` IN TRANSACTIONS OF 5000 ROWS`
	undoStatements cypher = `MATCH (x:Statement) WHERE x.tenant = $tenant AND x.since = $seq CALL { WITH x DETACH DELETE x }` + pieces
	undoRelations  cypher = `MATCH (:Entity {tenant: $tenant})-[x:RELATION]->() WHERE x.since = $seq CALL { WITH x DELETE x }` + pieces
	undoChanges    cypher = `MATCH (c:Change) WHERE c.tenant = $tenant AND c.seq = $seq CALL { WITH c DELETE c }` + pieces
	undoEnds       cypher = `MATCH (x:Statement) WHERE x.tenant = $tenant AND x.until = $seq
		CALL { WITH x SET x.living = x.source REMOVE x.until, x.retracted }` + pieces
	undoEndsOfRelations cypher = `MATCH ()-[x:RELATION]->() WHERE x.tenant = $tenant AND x.until = $seq
		CALL { WITH x SET x.living = x.source REMOVE x.until, x.retracted }` + pieces
)

// The journal.
const (
	putRecords cypher = `UNWIND $rows AS row
		MERGE (r:Record {tenant: $tenant, stream: row.stream, id: row.id})
		SET r.source = row.source, r.at = row.at, r.data = row.data`
	readRecords cypher = `
		MATCH (r:Record) USING INDEX r:Record(tenant, stream, at, id)
		WHERE r.tenant = $tenant AND r.stream = $stream AND r.at >= $from AND r.at <= $to AND (r.at > $from OR r.id > $after)
		RETURN r.id AS id, r.source AS source, r.at AS at, r.data AS data ORDER BY r.at, r.id LIMIT $page`
	dropRecords cypher = `MATCH (r:Record {tenant: $tenant, source: $source}) DELETE r RETURN count(*) AS n`
)

// The archive.
const (
	readIDs cypher = begin + `MATCH (e:Entity) WHERE e.tenant = $tenant AND e.id > $after
		RETURN at, e.id AS id ORDER BY e.id LIMIT $page`
	readChanges cypher = begin + `MATCH (c:Change) WHERE c.tenant = $tenant AND c.id > $after AND c.seq <= at RETURN at, c.id AS id ORDER BY c.id LIMIT $page`
	readStreams cypher = `MATCH (r:Record {tenant: $tenant}) RETURN DISTINCT r.stream AS stream`
)

// Opening.
const (
	constrainVersion cypher = `CREATE CONSTRAINT schema_version IF NOT EXISTS FOR (v:SchemaVersion) REQUIRE v.name IS UNIQUE`
	readVersion      cypher = `MATCH (v:SchemaVersion {name: $name}) RETURN v.version AS version`
	writeVersion     cypher = `MERGE (v:SchemaVersion {name: $name}) SET v.version = $version`
	awaitIndexes     cypher = `CALL db.awaitIndexes(300)`
	makeTenant       cypher = `
		MERGE (t:Tenant {name: $tenant}) ON CREATE SET t.seq = 0, t.statements = 0
		MERGE (p:Published {tenant: $tenant}) ON CREATE SET p.seq = 0
		MERGE (d:Draft {tenant: $tenant}) ON CREATE SET d.seq = 0, d.claim = 0
		SET t.locked = true WITH t RETURN t.seq AS seq`
)
