// Package walk: temporary.
package walk

import (
	"context"
	"slices"

	"faultline/graph"
)

// Follow temporary.
func Follow(ctx context.Context, g graph.Reader, start graph.ID, p graph.Path, at graph.AsOf) ([]graph.ID, error) {
	e, err := g.Entity(ctx, start, at)
	if err != nil {
		return nil, nil
	}
	if !p.Start.Match(e.Kind, e.Role) {
		return nil, nil
	}
	cur := []graph.ID{start}
	for _, s := range p.Steps {
		var next []graph.ID
		for _, id := range cur {
			d := graph.In
			if s.Forward {
				d = graph.Out
			}
			for r, err := range g.Relations(ctx, id, graph.Filter{Dir: d, Types: []graph.RelationType{s.Type}, AsOf: at}) {
				if err != nil {
					return nil, err
				}
				o := r.From
				if s.Forward {
					o = r.To
				}
				t, err := g.Entity(ctx, o, at)
				if err != nil {
					return nil, err
				}
				if s.To.Match(t.Kind, t.Role) {
					next = append(next, o)
				}
			}
		}
		slices.Sort(next)
		cur = slices.Compact(next)
	}
	if len(p.Steps) > 0 {
		cur = slices.DeleteFunc(cur, func(id graph.ID) bool { return id == start })
	}
	return cur, nil
}
