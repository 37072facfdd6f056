// Package graph is the vocabulary of the one graph that everything in Faultline
// lives in: entities and relations of the resource, knowledge and instance
// layers, the ledger of contributions that keeps them alive, and the contract
// of a Store.
//
// An element (entity or relation) exists while at least one contribution to it
// lives. Every contribution carries what its source said, so an element is
// always the merge of what the living sources say: deleting a source leaves the
// graph as if that source had never been read.
//
// Two clocks run. Valid time says when something was true in the network;
// recorded time says when the graph learned it. Neither is ever taken from the
// wall clock below cmd: callers pass both in.
//
// Values that cross this package's interfaces are copies; neither side may
// change the other's maps afterwards.
package graph

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"time"
)

// ID names an entity. It is the operator's own identifier, never derived by
// similarity: "cell-101" and "cell-102" are two things.
type ID string

// Kind is the class of an entity, for example "RRU" or "AlarmType". See Schema
// for the kinds of the resource layer.
type Kind string

// RelationType is the class of a relation, for example "POWERS".
type RelationType string

// Relation types of the resource layer. The comment gives the direction.
const (
	Contains     RelationType = "CONTAINS"     // whole -> part
	Connects     RelationType = "CONNECTS"     // link -> termination point
	Powers       RelationType = "POWERS"       // source -> load
	Hosts        RelationType = "HOSTS"        // host -> guest
	Carries      RelationType = "CARRIES"      // server layer -> client layer
	DependsOn    RelationType = "DEPENDS_ON"   // dependent -> what it needs
	Protects     RelationType = "PROTECTS"     // protection group -> protected member
	Synchronises RelationType = "SYNCHRONISES" // clock source -> clock sink
	LaidIn       RelationType = "LAID_IN"      // cable -> trench
	Serves       RelationType = "SERVES"       // provider -> served
)

// Relation types of the knowledge and instance layers.
const (
	Causes     RelationType = "CAUSES"      // alarm type or fault mode -> alarm type
	Indicates  RelationType = "INDICATES"   // alarm type -> fault mode
	RepairedBy RelationType = "REPAIRED_BY" // fault mode -> procedure
	Defines    RelationType = "DEFINES"     // passage -> what it defines
	Mentions   RelationType = "MENTIONS"    // passage -> what it mentions
	RaisedOn   RelationType = "RAISED_ON"   // alarm -> resource
	PartOf     RelationType = "PART_OF"     // alarm -> incident, passage -> document
	ResolvedBy RelationType = "RESOLVED_BY" // incident -> work order
	Affects    RelationType = "AFFECTS"     // incident, change or work order -> resource
)

// Kinds of the knowledge and instance layers.
const (
	KindAlarmType   Kind = "AlarmType"
	KindFaultMode   Kind = "FaultMode"
	KindProcedure   Kind = "Procedure"
	KindDocument    Kind = "Document"
	KindPassage     Kind = "Passage"
	KindAlarm       Kind = "Alarm"
	KindIncident    Kind = "Incident"
	KindWorkOrder   Kind = "WorkOrder"
	KindMaintenance Kind = "MaintenanceWindow"
	KindCase        Kind = "Case"
)

// Interval is a half-open span of time [From, To). A zero From is the beginning
// of time, a zero To its end.
type Interval struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
}

// Contains reports whether t lies in the interval.
func (i Interval) Contains(t time.Time) bool {
	return (i.From.IsZero() || !t.Before(i.From)) && (i.To.IsZero() || t.Before(i.To))
}

// Entity is a thing: a resource, a piece of knowledge or an instance.
type Entity struct {
	ID     ID                `json:"id"`
	Kind   Kind              `json:"kind"`
	Role   string            `json:"role,omitempty"`   // subclass within the kind, for example "fronthaul" of a Port
	Name   string            `json:"name,omitempty"`   // for people; not an identifier
	Domain string            `json:"domain,omitempty"` // power_env, wireless, transport, home_broadband, ip, cloud, core
	Attrs  map[string]string `json:"attrs,omitempty"`
	Valid  Interval          `json:"valid,omitzero"`
}

// Clone returns a copy that shares no memory with e.
func (e Entity) Clone() Entity { e.Attrs = maps.Clone(e.Attrs); return e }

// Relation is a directed, typed connection between two entities. From, Type, To
// and Qualifier together identify it.
type Relation struct {
	From      ID                `json:"from"`
	Type      RelationType      `json:"type"`
	To        ID                `json:"to"`
	Qualifier string            `json:"qualifier,omitempty"` // tells two relations of one type between one pair apart
	Attrs     map[string]string `json:"attrs,omitempty"`
	Valid     Interval          `json:"valid,omitzero"`
}

// Clone returns a copy that shares no memory with r.
func (r Relation) Clone() Relation { r.Attrs = maps.Clone(r.Attrs); return r }

// Key identifies the relation within a store.
func (r Relation) Key() RelationKey { return RelationKey{r.From, r.Type, r.To, r.Qualifier} }

// RelationKey identifies a relation.
type RelationKey struct {
	From      ID
	Type      RelationType
	To        ID
	Qualifier string
}

// String formats the key as "from -TYPE-> to" with the qualifier in brackets.
func (k RelationKey) String() string {
	s := fmt.Sprintf("%s -%s-> %s", k.From, k.Type, k.To)
	if k.Qualifier != "" {
		s += " [" + k.Qualifier + "]"
	}
	return s
}

// Provenance says who stated something, by which rule, and where it stands.
type Provenance struct {
	Source     string  `json:"source"`               // what is deleted as one: a file, a document, a feed. Required
	Version    string  `json:"version,omitempty"`    // of the source
	Rule       string  `json:"rule,omitempty"`       // rule or extractor that read it
	Span       string  `json:"span,omitempty"`       // line, row, page or anchor in the source
	Confidence float64 `json:"confidence,omitempty"` // 0..1; 0 means not stated
}

// Contribution is one source's statement of an element, as kept in the ledger.
// Exactly one of Entity and Relation is set.
type Contribution struct {
	Provenance
	Recorded  time.Time `json:"recorded"`
	Retracted time.Time `json:"retracted,omitzero"` // zero while it lives
	Entity    *Entity   `json:"entity,omitempty"`
	Relation  *Relation `json:"relation,omitempty"`
}

// Op is what a Change does.
type Op string

// The operations of a Change.
const (
	OpPut        Op = "put"         // state an entity or a relation; replaces the same source's earlier statement of it
	OpRetract    Op = "retract"     // withdraw Source's statement of one entity or relation
	OpDropSource Op = "drop-source" // withdraw everything that Source stated
)

// Change is the only way into a Store. Applying a change with an ID that was
// applied before does nothing; an empty ID is never remembered.
type Change struct {
	ID       string
	Op       Op
	At       time.Time // recorded time; required
	By       Provenance
	Entity   *Entity   // for OpPut and OpRetract; exactly one of Entity
	Relation *Relation // and Relation
}

// Validate reports the first fault of the change, wrapped in ErrInvalid and
// naming the field.
func (c Change) Validate() error {
	bad := func(field, why string) error {
		return fmt.Errorf("change %q: %s: %s: %w", c.ID, field, why, ErrInvalid)
	}
	if c.By.Source == "" {
		return bad("source", "missing")
	}
	if c.At.IsZero() {
		return bad("at", "missing recorded time")
	}
	switch c.Op {
	case OpDropSource:
		if c.Entity != nil || c.Relation != nil {
			return bad("op", "drop-source takes no element")
		}
		return nil
	case OpPut, OpRetract:
	default:
		return bad("op", fmt.Sprintf("unknown operation %q", c.Op))
	}
	if (c.Entity == nil) == (c.Relation == nil) {
		return bad("element", "exactly one of entity and relation must be set")
	}
	if e := c.Entity; e != nil {
		if strings.TrimSpace(string(e.ID)) == "" {
			return bad("entity.id", "missing")
		}
		if c.Op == OpPut && e.Kind == "" {
			return bad("entity.kind", "missing on "+string(e.ID))
		}
	}
	if r := c.Relation; r != nil {
		if r.From == "" || r.To == "" {
			return bad("relation", "missing end on "+r.Key().String())
		}
		if r.Type == "" {
			return bad("relation.type", "missing on "+r.Key().String())
		}
	}
	return nil
}

// Sentinel errors of every Store.
var (
	ErrNotFound = errors.New("not found")       // no living element of that id at that time
	ErrInvalid  = errors.New("invalid")         // the caller's input is at fault
	ErrClosed   = errors.New("store is closed") // any call after Close
)

// AsOf selects a state of the graph. Zero Recorded means what is known now; zero
// Valid means whatever the validity, that is, no filter on valid time.
type AsOf struct {
	Valid    time.Time
	Recorded time.Time
}

// Direction selects relations by which end is given.
type Direction int

// Directions of Reader.Relations.
const (
	Out  Direction = iota // relations that leave the entity
	In                    // relations that enter it
	Both                  // out first, then in
)

// Filter narrows Reader.Relations.
type Filter struct {
	Dir   Direction
	Types []RelationType // nil means all
	AsOf  AsOf
}

// Query narrows Reader.Find. Zero fields do not filter.
type Query struct {
	Kind   Kind
	Role   string
	Domain string
	Text   string // case-insensitive substring of id or name
	Prefix string // of the id
	After  ID     // only ids greater than this, for paging
	Limit  int    // 0 means no limit
	AsOf   AsOf
}

// Reader reads a graph. A relation is visible only while both its ends are.
// Every sequence comes in a fixed order: entities by id; relations by
// (type, far end, qualifier) within a direction. A sequence stops at its first
// error.
type Reader interface {
	// Entity returns one entity, or ErrNotFound.
	Entity(ctx context.Context, id ID, at AsOf) (Entity, error)
	// Relations yields the relations of one entity. An unknown entity has none.
	Relations(ctx context.Context, id ID, f Filter) iter.Seq2[Relation, error]
	// Find yields entities by id.
	Find(ctx context.Context, q Query) iter.Seq2[Entity, error]
}

// Writer changes a graph.
type Writer interface {
	// Apply makes all changes or none. When it returns nil they are durable.
	// A change that fails Validate fails the batch with ErrInvalid.
	Apply(ctx context.Context, changes []Change) error
}

// Ledger shows why elements exist.
type Ledger interface {
	// EntityContributions returns the ledger of an entity, by (recorded, source),
	// retracted ones included; ErrNotFound when there never was one.
	EntityContributions(ctx context.Context, id ID) ([]Contribution, error)
	// RelationContributions is the same for a relation.
	RelationContributions(ctx context.Context, k RelationKey) ([]Contribution, error)
	// Sources returns every source with living contributions and their number.
	Sources(ctx context.Context) ([]SourceCount, error)
}

// SourceCount is one source and how much it states.
type SourceCount struct {
	Source    string `json:"source"`
	Entities  int    `json:"entities"`
	Relations int    `json:"relations"`
}

// Store is a graph that can be read, changed and explained.
type Store interface {
	Reader
	Writer
	Ledger
	Close() error
}

// Merge folds the living contributions of one element into what a reader sees:
// in order of (recorded, source), later statements win field by field, and
// attributes accumulate. The result does not depend on the order of the slice.
// ok is false when no contribution lives at the given recorded time (zero: now).
func Merge(cs []Contribution, recorded time.Time) (e Entity, r Relation, ok bool) {
	live := make([]Contribution, 0, len(cs))
	for _, c := range cs {
		if !recorded.IsZero() && c.Recorded.After(recorded) {
			continue
		}
		if !c.Retracted.IsZero() && (recorded.IsZero() || !c.Retracted.After(recorded)) {
			continue
		}
		live = append(live, c)
	}
	if len(live) == 0 {
		return e, r, false
	}
	sortContributions(live)
	for _, c := range live {
		switch {
		case c.Entity != nil:
			mergeEntity(&e, *c.Entity)
		case c.Relation != nil:
			mergeRelation(&r, *c.Relation)
		}
	}
	return e, r, true
}
