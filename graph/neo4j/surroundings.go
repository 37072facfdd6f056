package neo4j

import (
	"context"
	"fmt"
	"slices"

	"faultline/graph"
)

// Surroundings implements graph.Surveyor. Each hop takes one statement or more, none of
// which returns more than the limit needs: patterns of variable length would list every
// path, and their bounds cannot be parameters.
func (s *Store) Surroundings(ctx context.Context, q graph.Surroundings) (graph.Subgraph, error) {
	if err := q.Validate(); err != nil {
		return graph.Subgraph{}, err
	}
	sub, err := s.moment(ctx, q.AsOf).surroundings(q)
	if err != nil {
		return graph.Subgraph{}, fmt.Errorf("read surroundings: %w", err)
	}
	return sub, nil
}

func (m *moment) surroundings(q graph.Surroundings) (graph.Subgraph, error) {
	starts, err := m.entities(slices.Compact(slices.Sorted(slices.Values(q.Of))))
	if err != nil {
		return graph.Subgraph{}, err
	}
	level := keys(starts)
	truncated := len(level) > q.Limit
	level = level[:min(len(level), q.Limit)]
	seen := map[graph.ID]graph.Entity{}
	for _, id := range level {
		seen[id] = starts[id]
	}
	for hop := 0; hop < q.Hops && len(level) > 0 && !truncated; hop++ {
		if level, truncated, err = m.around(level, seen, q); err != nil {
			return graph.Subgraph{}, err
		}
	}
	sub := graph.Subgraph{Truncated: truncated}
	for _, id := range keys(seen) {
		sub.Entities = append(sub.Entities, seen[id])
	}
	ids := texts(keys(seen))
	for part := range slices.Chunk(ids, chunk) {
		got, err := m.read(readLeaving, map[string]any{"ids": part, "types": typesOf(q.Types), "among": ids})
		if err != nil {
			return graph.Subgraph{}, err
		}
		sub.Relations = append(sub.Relations, m.relations(got)...)
	}
	slices.SortFunc(sub.Relations, func(a, b graph.Relation) int { return compareKeys(a.Key(), b.Key()) })
	return sub, nil
}

// typesOf is the parameter that narrows relations by type: null for all.
func typesOf(types []graph.RelationType) any {
	if types == nil {
		return nil
	}
	return texts(types)
}

// around adds to seen what is one hop from a level, and returns that as the next level.
func (m *moment) around(level []graph.ID, seen map[graph.ID]graph.Entity, q graph.Surroundings) (next []graph.ID, truncated bool, err error) {
	before := texts(keys(seen))
	size := min(page, q.Limit-len(seen)+1)
	for after := ""; ; {
		got, err := m.rows(readAround, map[string]any{
			"ids": texts(level), "seen": before, "after": after, "types": typesOf(q.Types), "page": size,
		})
		if err != nil {
			return nil, false, err
		}
		ways := map[graph.ID]map[graph.RelationKey][]said{}
		for _, r := range got {
			f := &fields{m: r}
			far := graph.ID(field[string](f, "far", true))
			if f.err != nil {
				return nil, false, f.err
			}
			if ways[far] == nil {
				ways[far] = map[graph.RelationKey][]said{}
			}
			if err := m.gather(ways[far], r); err != nil {
				return nil, false, err
			}
		}
		there, err := m.entities(keys(ways))
		if err != nil {
			return nil, false, err
		}
		for _, id := range keys(there) {
			if len(m.relations(ways[id])) == 0 {
				continue // no way there was valid at that time
			}
			if len(seen) == q.Limit {
				return next, true, nil
			}
			seen[id] = there[id]
			next = append(next, id)
		}
		if len(ways) < size {
			return next, false, nil
		}
		after = string(slices.Max(keys(ways)))
	}
}
