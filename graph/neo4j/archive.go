package neo4j

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"faultline/graph"
)

// Contributions implements graph.Archive. It reads pages; all of them show the state of
// the first.
func (s *Store) Contributions(ctx context.Context) iter.Seq2[graph.Contribution, error] {
	return func(yield func(graph.Contribution, error) bool) {
		m := s.moment(ctx, graph.AsOf{})
		m.all = true
		fail := func(err error) { yield(graph.Contribution{}, fmt.Errorf("read contributions: %w", err)) }
		for after := ""; ; {
			got, err := m.rows(readIDs, map[string]any{"after": after, "page": page})
			if err != nil {
				fail(err)
				return
			}
			ids, err := column(got, "id")
			if err != nil {
				fail(err)
				return
			}
			cs, err := m.everything(ids)
			if err != nil {
				fail(err)
				return
			}
			for _, c := range cs {
				if !yield(c, nil) {
					return
				}
			}
			if len(ids) < page {
				return
			}
			after = ids[len(ids)-1]
		}
	}
}

// everything returns what was said of some entities and of the relations that leave
// them, in order.
func (m *moment) everything(ids []string) ([]graph.Contribution, error) {
	got, err := m.read(readStatements, map[string]any{"ids": ids})
	if err != nil {
		return nil, err
	}
	leaving, err := m.read(readLeaving, map[string]any{"ids": ids, "types": nil, "among": nil})
	if err != nil {
		return nil, err
	}
	order := make([]graph.RelationKey, 0, len(got)+len(leaving))
	for k := range got {
		order = append(order, k)
	}
	for k, all := range leaving {
		order = append(order, k)
		got[k] = all
	}
	slices.SortFunc(order, compareKeys) // an entity has no type and comes first
	var out []graph.Contribution
	for _, k := range order {
		out = append(out, ledger(got[k])...)
	}
	return out, nil
}

func compareKeys(a, b graph.RelationKey) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Type, b.Type), cmp.Compare(a.To, b.To), cmp.Compare(a.Qualifier, b.Qualifier))
}

func column(r rows, name string) ([]string, error) {
	out := make([]string, len(r))
	for i := range r {
		f := &fields{m: r[i]}
		if out[i] = field[string](f, name, true); f.err != nil {
			return nil, f.err
		}
	}
	return out, nil
}

// ChangeIDs implements graph.Archive.
func (s *Store) ChangeIDs(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		m := s.moment(ctx, graph.AsOf{})
		for after := ""; ; {
			got, err := m.rows(readChanges, map[string]any{"after": after, "page": page})
			var ids []string
			if err == nil {
				ids, err = column(got, "id")
			}
			if err != nil {
				yield("", fmt.Errorf("read change ids: %w", err))
				return
			}
			for _, id := range ids {
				if !yield(id, nil) {
					return
				}
			}
			if len(ids) < page {
				return
			}
			after = ids[len(ids)-1]
		}
	}
}

// Streams implements graph.Archive.
func (s *Store) Streams(ctx context.Context) ([]string, error) {
	got, err := s.read(ctx, readStreams, map[string]any{})
	var names []string
	if err == nil {
		names, err = column(got, "stream")
	}
	if err != nil {
		return nil, fmt.Errorf("read streams: %w", err)
	}
	slices.Sort(names)
	return names, nil
}
