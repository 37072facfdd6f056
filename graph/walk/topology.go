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
	g    graph.Reader
	at   graph.AsOf
	view graph.View // nil when the graph has none

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
	t := &Topology{g: g, at: at, entities: map[graph.ID]graph.Entity{}, answers: map[question][]graph.ID{}}
	if vs, ok := g.(graph.Viewer); ok {
		t.view = vs.View(at)
	}
	return t
}

// Entity returns a resource, or graph.ErrNotFound. The caller must not change its
// attributes.
func (t *Topology) Entity(ctx context.Context, id graph.ID) (graph.Entity, error) {
	t.mu.RLock()
	e, ok := t.entities[id]
	t.mu.RUnlock()
	if ok {
		return e, nil
	}
	if t.view != nil {
		n, ok := t.view.Number(id)
		if !ok {
			return e, fmt.Errorf("entity %s: %w", id, graph.ErrNotFound)
		}
		e = t.view.Entity(n)
	} else {
		var err error
		if e, err = t.g.Entity(ctx, id, t.at); err != nil {
			return e, err
		}
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
	s, err := t.open(ctx)
	if err == nil {
		ids, err = follow(s, start, p)
	}
	if err != nil {
		return nil, fmt.Errorf("follow %q from %s: %w", p, start, err)
	}
	ids = slices.Clip(ids)
	t.mu.Lock()
	t.answers[q] = ids
	t.mu.Unlock()
	return ids, nil
}

func (t *Topology) open(ctx context.Context) (*state, error) {
	if t.view == nil {
		return open(ctx, t.g, t.at)
	}
	return &state{View: t.view, ctx: ctx}, ctx.Err()
}
