package walk

import (
	"context"
	"errors"

	"faultline/graph"
)

// state is the graph.View that a walk runs on. Stores that hold one in memory give it;
// for others it is read piece by piece, and err keeps the first error of a read.
type state struct {
	graph.View
	ctx    context.Context
	reader *reading // nil when the view is the store's own
	steps  int
}

func open(ctx context.Context, g graph.Reader, at graph.AsOf) (*state, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if vs, ok := g.(graph.Viewer); ok {
		if v := vs.View(at); v != nil {
			return &state{View: v, ctx: ctx}, nil
		}
	}
	r := &reading{ctx: ctx, g: g, at: at, numbers: map[graph.ID]int{}}
	return &state{View: r, ctx: ctx, reader: r}, nil
}

// failed is called once per entity that a walk visits; it looks at the context now and
// then.
func (s *state) failed() error {
	if s.reader != nil && s.reader.err != nil {
		return s.reader.err
	}
	if s.steps++; s.steps%256 == 0 {
		return s.ctx.Err()
	}
	return nil
}

// start is the number of the entity where a walk begins. Asking a view that is closed
// or a reader that fails must not look like an unknown entity.
func (s *state) start(id graph.ID) (int, bool, error) {
	n, ok := s.Number(id)
	if s.reader != nil && s.reader.err != nil {
		return 0, false, s.reader.err
	}
	return n, ok, nil
}

// reading is a graph.View over a Reader, which numbers entities as it meets them. One
// walk uses it; after an error it shows nothing more.
type reading struct {
	ctx     context.Context
	g       graph.Reader
	at      graph.AsOf
	numbers map[graph.ID]int
	met     []met
	err     error
}

type met struct {
	id     graph.ID
	read   bool
	there  bool
	entity graph.Entity
}

func (r *reading) number(id graph.ID) int {
	n, ok := r.numbers[id]
	if !ok {
		n = len(r.met)
		r.numbers[id] = n
		r.met = append(r.met, met{id: id})
	}
	return n
}

func (r *reading) load(n int) *met {
	m := &r.met[n]
	if m.read || r.err != nil {
		return m
	}
	e, err := r.g.Entity(r.ctx, m.id, r.at)
	switch {
	case err == nil:
		m.entity, m.there = e, true
	case !errors.Is(err, graph.ErrNotFound):
		r.err = err
		return m
	}
	m.read = true
	return m
}

func (r *reading) Len() int { return len(r.met) }

func (r *reading) Number(id graph.ID) (int, bool) {
	n := r.number(id)
	return n, r.load(n).there
}

func (r *reading) Head(n int) (graph.Head, bool) {
	m := r.load(n)
	return graph.Head{ID: m.id, Kind: m.entity.Kind, Role: m.entity.Role, Domain: m.entity.Domain}, m.there
}

func (r *reading) Entity(n int) graph.Entity { return r.load(n).entity.Clone() }

func (r *reading) Neighbours(n int, dir graph.Direction, t graph.RelationType, yield func(int, graph.RelationType) bool) {
	if r.err != nil {
		return
	}
	f := graph.Filter{Dir: dir, AsOf: r.at}
	if t != "" {
		f.Types = []graph.RelationType{t}
	}
	for rel, err := range r.g.Relations(r.ctx, r.met[n].id, f) {
		if err != nil {
			r.err = err
			return
		}
		far := rel.To
		if dir == graph.In {
			far = rel.From
		}
		if !yield(r.number(far), rel.Type) {
			return
		}
	}
}

// each calls yield with every far end of an entity, out before in.
func each(v graph.View, n int, yield func(far int, t graph.RelationType, forward bool) bool) {
	more := true
	v.Neighbours(n, graph.Out, "", func(far int, t graph.RelationType) bool {
		more = yield(far, t, true)
		return more
	})
	if more {
		v.Neighbours(n, graph.In, "", func(far int, t graph.RelationType) bool { return yield(far, t, false) })
	}
}
