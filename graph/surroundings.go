package graph

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Bounds of Surroundings.
const (
	MaxHops         = 16
	MaxSurroundings = 100_000
)

// Surroundings asks for what lies around some entities.
type Surroundings struct {
	Of    []ID           // where to start
	Hops  int            // how far, along relations in both directions; 0 to MaxHops
	Limit int            // of entities; 1 to MaxSurroundings
	Types []RelationType // of the relations to follow; nil means all
	AsOf  AsOf
}

// Validate names the first field that is out of bounds, wrapped in ErrInvalid.
func (q Surroundings) Validate() error {
	switch {
	case q.Hops < 0 || q.Hops > MaxHops:
		return fmt.Errorf("surroundings: hops: %d is not between 0 and %d: %w", q.Hops, MaxHops, ErrInvalid)
	case q.Limit < 1 || q.Limit > MaxSurroundings:
		return fmt.Errorf("surroundings: limit: %d is not between 1 and %d: %w", q.Limit, MaxSurroundings, ErrInvalid)
	}
	return nil
}

// Subgraph is a part of a graph. Entities are in order of id, relations in order of
// (from, type, to, qualifier); each stands there once.
type Subgraph struct {
	Entities  []Entity
	Relations []Relation // between these entities
	Truncated bool       // there was more within the hops than the limit allows
}

// Index returns the place of an entity in Entities.
func (g Subgraph) Index(id ID) (int, bool) {
	return slices.BinarySearchFunc(g.Entities, id, func(e Entity, id ID) int { return cmp.Compare(e.ID, id) })
}

// Surveyor is an ability of a Reader that can read surroundings at once, where reading
// them one entity at a time would take a round trip to a server for each.
type Surveyor interface {
	// Surroundings returns the entities that are within the hops, nearest first until
	// the limit is reached and by id among those equally near, and the relations among
	// them. A start that is not there is left out.
	Surroundings(ctx context.Context, q Surroundings) (Subgraph, error)
}
