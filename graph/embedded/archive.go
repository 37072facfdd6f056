package embedded

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"maps"
	"slices"

	"faultline/graph"
)

// Contributions implements graph.Archive. It holds one of the few connections to the
// file until the sequence ends, so that all of it shows one state.
func (s *Store) Contributions(ctx context.Context) iter.Seq2[graph.Contribution, error] {
	return func(yield func(graph.Contribution, error) bool) {
		if err := s.archive(ctx, func(c graph.Contribution) bool { return yield(c, nil) }); err != nil {
			yield(graph.Contribution{}, fmt.Errorf("read contributions: %w", err))
		}
	}
}

func (s *Store) archive(ctx context.Context, yield func(graph.Contribution) bool) error {
	m, err := s.moment(ctx)
	if err != nil {
		return err
	}
	defer m.tx.Rollback()
	ids, err := m.everyID(ctx)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, page) {
		found := map[graph.RelationKey][]graph.Contribution{}
		if err := m.ended(ctx, "id >= ? AND id <= ? ORDER BY n", func(k graph.RelationKey, c graph.Contribution) error {
			found[k] = append(found[k], c)
			return nil
		}, string(part[0]), string(part[len(part)-1])); err != nil {
			return err
		}
		for _, id := range part {
			n, ok := m.number(id)
			if !ok {
				continue
			}
			x := m.nodes.at(n)
			if k := (graph.RelationKey{From: id}); x.live != "" {
				found[k] = append(found[k], entityContributions(x.live, id, m.words)...)
			}
			for _, h := range x.out {
				e := m.edges.at(h.edge)
				k := m.key(e)
				found[k] = append(found[k], relationContributions(e.live, k, m.words)...)
			}
		}
		for _, k := range slices.SortedFunc(maps.Keys(found), func(a, b graph.RelationKey) int { // an entity has no type and comes first
			return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Type, b.Type), cmp.Compare(a.To, b.To), cmp.Compare(a.Qualifier, b.Qualifier))
		}) {
			cs, _ := ledger("", found[k], nil)
			for _, c := range cs {
				if !yield(c) {
					return nil
				}
			}
		}
	}
	return nil
}

// everyID returns, sorted, each id of which anything was ever said.
func (m moment) everyID(ctx context.Context) ([]graph.ID, error) {
	var ids []graph.ID
	for n := range int32(m.nodes.n) {
		if x := m.nodes.at(n); x.live != "" || len(x.out) > 0 {
			ids = append(ids, x.id)
		}
	}
	err := each(ctx, m.tx, "SELECT DISTINCT id FROM past", func(rows *sql.Rows) error {
		var id graph.ID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	slices.Sort(ids)
	return slices.Compact(ids), err
}

// ChangeIDs implements graph.Archive.
func (s *Store) ChangeIDs(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for after := ""; ; {
			_, err := s.state(ctx)
			var ids []string
			if err == nil {
				ids, err = s.texts(ctx, "SELECT id FROM change WHERE id > ? ORDER BY id LIMIT ?", after, page)
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
	_, err := s.state(ctx)
	var names []string
	if err == nil {
		names, err = s.texts(ctx, "SELECT s FROM word WHERE n IN (SELECT DISTINCT stream FROM record)")
	}
	if err != nil {
		return nil, fmt.Errorf("read streams: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

func (s *Store) texts(ctx context.Context, query string, args ...any) (out []string, err error) {
	err = each(ctx, s.readers, query, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		out = append(out, text)
		return err
	}, args...)
	return out, err
}
