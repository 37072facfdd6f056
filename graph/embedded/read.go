package embedded

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"faultline/graph"
)

// View implements graph.Viewer for every state that is known now.
func (s *Store) View(at graph.AsOf) graph.View {
	v := s.current.Load()
	if v == nil || !at.Recorded.IsZero() {
		return nil
	}
	return boundView{v, at.Valid}
}

// Entity implements graph.Reader.
func (s *Store) Entity(ctx context.Context, id graph.ID, at graph.AsOf) (graph.Entity, error) {
	v, err := s.state(ctx)
	if err != nil {
		return graph.Entity{}, fmt.Errorf("read entity %s: %w", id, err)
	}
	if !at.Recorded.IsZero() {
		return s.pastEntity(ctx, id, at)
	}
	n, ok := boundView{v, at.Valid}.Number(id)
	if !ok {
		return graph.Entity{}, fmt.Errorf("entity %s: %w", id, graph.ErrNotFound)
	}
	return boundView{v, at.Valid}.Entity(n), nil
}

// Relations implements graph.Reader.
func (s *Store) Relations(ctx context.Context, id graph.ID, f graph.Filter) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		v, err := s.state(ctx)
		if err != nil {
			yield(graph.Relation{}, fmt.Errorf("read relations of %s: %w", id, err))
			return
		}
		if !f.AsOf.Recorded.IsZero() {
			rs, err := s.pastRelations(ctx, id, f)
			for _, r := range rs {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(graph.Relation{}, fmt.Errorf("read relations of %s: %w", id, err))
			}
			return
		}
		n, ok := boundView{v, f.AsOf.Valid}.Number(id)
		if !ok {
			return
		}
		x := v.nodes.at(int32(n))
		for dir, list := range [][]half{graph.Out: x.out, graph.In: x.in} {
			if f.Dir != graph.Both && int(f.Dir) != dir {
				continue
			}
			for i, h := range list {
				if i%1024 == 1023 && ctx.Err() != nil {
					yield(graph.Relation{}, fmt.Errorf("read relations of %s: %w", id, ctx.Err()))
					return
				}
				if f.Types != nil && !slices.Contains(f.Types, graph.RelationType(v.words[h.typ])) ||
					f.Dir == graph.Both && dir == int(graph.In) && h.far == int32(n) || !v.visible(v.nodes.at(h.far), f.AsOf.Valid) {
					continue
				}
				e := v.edges.at(h.edge)
				if v.holds(e, f.AsOf.Valid) && !yield(mergedRelation(e.live, v.key(e), v.words), nil) {
					return
				}
			}
		}
	}
}

// Find implements graph.Reader.
func (s *Store) Find(ctx context.Context, q graph.Query) iter.Seq2[graph.Entity, error] {
	return func(yield func(graph.Entity, error) bool) {
		v, err := s.state(ctx)
		if err == nil && !q.AsOf.Recorded.IsZero() {
			var found []graph.Entity
			if found, err = s.pastFind(ctx, q); err == nil {
				for _, e := range found {
					if !yield(e, nil) {
						return
					}
				}
				return
			}
		}
		if err != nil {
			yield(graph.Entity{}, fmt.Errorf("find entities: %w", err))
			return
		}
		among := v.all
		if q.Kind != "" {
			w, _ := v.dict.lookup(string(q.Kind))
			among = v.kinds[w]
		}
		q.Text = strings.ToLower(q.Text)
		key, skip := graph.ID(q.Prefix), false
		if q.After >= key && q.After != "" {
			key, skip = q.After, true
		}
		left, seen := q.Limit, 0
		among.from(key, skip, v.idOf, func(n int32) bool {
			if seen++; seen%1024 == 0 && ctx.Err() != nil {
				return yield(graph.Entity{}, fmt.Errorf("find entities: %w", ctx.Err())) && false
			}
			x := v.nodes.at(n)
			if !strings.HasPrefix(string(x.id), q.Prefix) {
				return false // they stand together
			}
			if q.Role != "" && v.words[x.role] != q.Role || q.Domain != "" && v.words[x.domain] != q.Domain || !v.visible(x, q.AsOf.Valid) {
				return true
			}
			e := mergedEntity(x.live, x.id, v.words)
			if !mentions(e, q.Text) {
				return true
			}
			if !yield(e, nil) {
				return false
			}
			left--
			return left != 0
		})
	}
}

// mentions reports whether the id or name of e contains a lower-case text.
func mentions(e graph.Entity, text string) bool {
	return text == "" || strings.Contains(strings.ToLower(string(e.ID)), text) || strings.Contains(strings.ToLower(e.Name), text)
}

// Sources implements graph.Ledger; the list is sorted by name.
func (s *Store) Sources(ctx context.Context) ([]graph.SourceCount, error) {
	v, err := s.state(ctx)
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	s.countsMu.Lock()
	var out []graph.SourceCount
	for w, t := range s.counts {
		if int(w) >= len(v.words) {
			v = s.current.Load() // a batch came between; its words are there before its counts
		}
		out = append(out, graph.SourceCount{Source: v.words[w], Entities: t.entities, Relations: t.relations})
	}
	s.countsMu.Unlock()
	slices.SortFunc(out, func(a, b graph.SourceCount) int { return cmp.Compare(a.Source, b.Source) })
	return out, nil
}
