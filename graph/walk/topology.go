package walk

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"faultline/graph"
)

// Topology answers path questions over one state of a graph and remembers the
// answers. It is safe for concurrent use. It does not notice later changes of the
// graph: make a new one after an inventory change.
type Topology struct {
	g  graph.Reader
	at graph.AsOf

	mu       sync.RWMutex
	entities map[graph.ID]graph.Entity
	answers  map[question][]graph.ID
}

type question struct {
	start graph.ID
	path  *graph.Path
}

// NewTopology returns a Topology over g as of at.
func NewTopology(g graph.Reader, at graph.AsOf) *Topology {
	return &Topology{g: g, at: at, entities: map[graph.ID]graph.Entity{}, answers: map[question][]graph.ID{}}
}

// Entity returns a resource, or graph.ErrNotFound.
func (t *Topology) Entity(ctx context.Context, id graph.ID) (graph.Entity, error) {
	t.mu.RLock()
	e, ok := t.entities[id]
	t.mu.RUnlock()
	if ok {
		return e, nil
	}
	e, err := t.g.Entity(ctx, id, t.at)
	if err != nil {
		return e, err
	}
	t.mu.Lock()
	t.entities[id] = e
	t.mu.Unlock()
	return e, nil
}

// Follow returns the resources at the end of a path from start; see the function
// Follow. Answers are remembered by the path's address, so callers pass the same
// pointer for the same path and do not change the returned slice.
func (t *Topology) Follow(ctx context.Context, start graph.ID, p *graph.Path) ([]graph.ID, error) {
	q := question{start, p}
	t.mu.RLock()
	ids, ok := t.answers[q]
	t.mu.RUnlock()
	if ok {
		return ids, nil
	}
	ids, err := Follow(ctx, t.g, start, *p, t.at)
	if err != nil {
		return nil, fmt.Errorf("follow %q from %s: %w", p, start, err)
	}
	ids = slices.Clip(ids)
	t.mu.Lock()
	t.answers[q] = ids
	t.mu.Unlock()
	return ids, nil
}
