package embedded

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"faultline/graph"
)

// moment is one state of memory and file together: the living contributions are in
// the view, the retracted ones in the transaction.
type moment struct {
	*view
	tx *sql.Tx
}

// moment holds one of the few connections: the caller calls tx.Rollback soon, and
// hands nothing to callbacks before.
func (s *Store) moment(ctx context.Context) (moment, error) {
	s.pin.RLock()
	defer s.pin.RUnlock()
	v, err := s.state(ctx)
	if err != nil {
		return moment{}, err
	}
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return moment{}, err
	}
	var one int // the first read is what fixes the state of the file
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM word LIMIT 1)").Scan(&one); err != nil {
		return moment{}, errors.Join(err, tx.Rollback())
	}
	return moment{v, tx}, nil
}

// ended reads rows of past and decodes them; where narrows them.
func (m moment) ended(ctx context.Context, where string, f func(graph.RelationKey, graph.Contribution) error, args ...any) error {
	return each(ctx, m.tx, "SELECT id, type, far, qualifier, retracted, said FROM past WHERE "+where, func(rows *sql.Rows) error {
		var k graph.RelationKey
		var typ uint32
		var retracted int64
		var said string
		if err := rows.Scan(&k.From, &typ, &k.To, &k.Qualifier, &retracted, &said); err != nil {
			return err
		}
		framed := frame(said)
		if err := checked(framed, typ == 0, len(m.words)); err != nil || int(typ) >= len(m.words) {
			return fmt.Errorf("retracted statement on %s: %w", k.From, errCorrupt)
		}
		var cs []graph.Contribution
		if k.Type = graph.RelationType(m.words[typ]); typ == 0 {
			cs = entityContributions(framed, k.From, m.words)
		} else {
			cs = relationContributions(framed, k, m.words)
		}
		cs[0].Retracted = time.Unix(0, retracted).UTC()
		return f(k, cs[0])
	}, args...)
}

// during is the part of a query that keeps what was known at a recorded time.
const during = "recorded <= ? AND retracted > ?"

func nanos(t time.Time) int64 {
	switch {
	case t.Before(firstTime):
		return firstTime.UnixNano()
	case t.After(lastTime):
		return lastTime.UnixNano()
	}
	return t.UnixNano()
}

// entity merges what was known of an entity at a recorded time.
func (m moment) entity(ctx context.Context, id graph.ID, at graph.AsOf) (graph.Entity, bool, error) {
	cs, err := m.entityLedger(ctx, id, during, nanos(at.Recorded), nanos(at.Recorded))
	if err != nil {
		return graph.Entity{}, false, err
	}
	e, _, ok := graph.Merge(cs, at.Recorded)
	return e, ok && (at.Valid.IsZero() || e.Valid.Contains(at.Valid)), nil
}

func (m moment) entityLedger(ctx context.Context, id graph.ID, where string, args ...any) ([]graph.Contribution, error) {
	var cs []graph.Contribution
	err := m.ended(ctx, "id = ? AND type = 0 AND "+where+" ORDER BY n", func(_ graph.RelationKey, c graph.Contribution) error {
		cs = append(cs, c)
		return nil
	}, append([]any{string(id)}, args...)...)
	if n, ok := m.number(id); ok {
		cs = append(cs, entityContributions(m.nodes.at(n).live, id, m.words)...)
	}
	return cs, err
}

func (s *Store) pastEntity(ctx context.Context, id graph.ID, at graph.AsOf) (graph.Entity, error) {
	m, err := s.moment(ctx)
	if err != nil {
		return graph.Entity{}, fmt.Errorf("read entity %s: %w", id, err)
	}
	defer m.tx.Rollback()
	e, ok, err := m.entity(ctx, id, at)
	if err != nil {
		return graph.Entity{}, fmt.Errorf("read entity %s: %w", id, err)
	}
	if !ok {
		return graph.Entity{}, fmt.Errorf("entity %s: %w", id, graph.ErrNotFound)
	}
	return e, nil
}

func (s *Store) pastRelations(ctx context.Context, id graph.ID, f graph.Filter) ([]graph.Relation, error) {
	m, err := s.moment(ctx)
	if err != nil {
		return nil, err
	}
	defer m.tx.Rollback()
	seen := map[graph.ID]bool{}
	visible := func(id graph.ID) (bool, error) {
		ok, known := seen[id]
		if known {
			return ok, nil
		}
		_, ok, err := m.entity(ctx, id, f.AsOf)
		seen[id] = ok
		return ok, err
	}
	if ok, err := visible(id); !ok {
		return nil, err
	}
	var out []graph.Relation
	for _, dir := range []graph.Direction{graph.Out, graph.In} {
		if f.Dir != graph.Both && f.Dir != dir {
			continue
		}
		ledger, err := m.relationsOf(ctx, id, dir, nanos(f.AsOf.Recorded))
		if err != nil {
			return nil, err
		}
		var found []graph.Relation
		for k, cs := range ledger {
			_, r, ok := graph.Merge(cs, f.AsOf.Recorded)
			if !ok || f.Types != nil && !slices.Contains(f.Types, k.Type) || f.Dir == graph.Both && dir == graph.In && k.From == k.To ||
				!f.AsOf.Valid.IsZero() && !r.Valid.Contains(f.AsOf.Valid) {
				continue
			}
			if ok, err := visible(far(r, dir)); err != nil {
				return nil, err
			} else if ok {
				found = append(found, r)
			}
		}
		slices.SortFunc(found, func(a, b graph.Relation) int {
			return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(far(a, dir), far(b, dir)), cmp.Compare(a.Qualifier, b.Qualifier))
		})
		out = append(out, found...)
	}
	return out, nil
}

func far(r graph.Relation, dir graph.Direction) graph.ID {
	if dir == graph.Out {
		return r.To
	}
	return r.From
}

// relationsOf returns what was stated of the relations at an entity, visible or not.
func (m moment) relationsOf(ctx context.Context, id graph.ID, dir graph.Direction, at int64) (map[graph.RelationKey][]graph.Contribution, error) {
	ledger := map[graph.RelationKey][]graph.Contribution{}
	column := "id"
	if dir == graph.In {
		column = "far"
	}
	err := m.ended(ctx, column+" = ? AND type <> 0 AND "+during+" ORDER BY n", func(k graph.RelationKey, c graph.Contribution) error {
		ledger[k] = append(ledger[k], c)
		return nil
	}, string(id), at, at)
	if n, ok := m.number(id); ok {
		list := m.nodes.at(n).out
		if dir == graph.In {
			list = m.nodes.at(n).in
		}
		for _, h := range list {
			e := m.edges.at(h.edge)
			k := m.key(e)
			ledger[k] = append(ledger[k], relationContributions(e.live, k, m.words)...)
		}
	}
	return ledger, err
}

// pastFind reads all that was retracted since the recorded time, so its cost grows with
// the changes in between.
func (s *Store) pastFind(ctx context.Context, q graph.Query) ([]graph.Entity, error) {
	m, err := s.moment(ctx)
	if err != nil {
		return nil, err
	}
	defer m.tx.Rollback()
	ended := map[graph.ID][]graph.Contribution{}
	at := nanos(q.AsOf.Recorded)
	if err := m.ended(ctx, "type = 0 AND id > ? AND "+during+" ORDER BY n", func(k graph.RelationKey, c graph.Contribution) error {
		ended[k.From] = append(ended[k.From], c)
		return nil
	}, string(q.After), at, at); err != nil {
		return nil, err
	}
	ids := slices.Collect(maps.Keys(ended))
	m.all.from(q.After, q.After != "", m.idOf, func(n int32) bool {
		if _, both := ended[m.idOf(n)]; !both {
			ids = append(ids, m.idOf(n))
		}
		return true
	})
	slices.Sort(ids)
	var out []graph.Entity
	text := strings.ToLower(q.Text)
	for i, id := range ids {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		cs := ended[id]
		if n, ok := m.number(id); ok {
			cs = append(cs, entityContributions(m.nodes.at(n).live, id, m.words)...)
		}
		e, _, ok := graph.Merge(cs, q.AsOf.Recorded)
		if !ok || !strings.HasPrefix(string(id), q.Prefix) || q.Kind != "" && e.Kind != q.Kind || q.Role != "" && e.Role != q.Role ||
			q.Domain != "" && e.Domain != q.Domain || !mentions(e, text) || !q.AsOf.Valid.IsZero() && !e.Valid.Contains(q.AsOf.Valid) {
			continue
		}
		if out = append(out, e); len(out) == q.Limit {
			break
		}
	}
	return out, nil
}

// EntityContributions implements graph.Ledger.
func (s *Store) EntityContributions(ctx context.Context, id graph.ID) ([]graph.Contribution, error) {
	m, err := s.moment(ctx)
	if err != nil {
		return nil, fmt.Errorf("read contributions to %s: %w", id, err)
	}
	defer m.tx.Rollback()
	cs, err := m.entityLedger(ctx, id, "true")
	return ledger(string(id), cs, err)
}

// RelationContributions implements graph.Ledger.
func (s *Store) RelationContributions(ctx context.Context, k graph.RelationKey) ([]graph.Contribution, error) {
	m, err := s.moment(ctx)
	if err != nil {
		return nil, fmt.Errorf("read contributions to %s: %w", k, err)
	}
	defer m.tx.Rollback()
	typ, ok := m.dict.lookup(string(k.Type))
	if !ok {
		return ledger(k.String(), nil, nil)
	}
	var cs []graph.Contribution
	err = m.ended(ctx, "id = ? AND type = ? AND far = ? AND qualifier = ? ORDER BY n", func(_ graph.RelationKey, c graph.Contribution) error {
		cs = append(cs, c)
		return nil
	}, string(k.From), typ, string(k.To), k.Qualifier)
	from, ok1 := m.number(k.From)
	to, ok2 := m.number(k.To)
	if ok1 && ok2 {
		if e, ok := m.find(from, to, typ, k.Qualifier); ok {
			cs = append(cs, relationContributions(m.edges.at(e).live, k, m.words)...)
		}
	}
	return ledger(k.String(), cs, err)
}

func ledger(of string, cs []graph.Contribution, err error) ([]graph.Contribution, error) {
	if err != nil {
		return nil, fmt.Errorf("read contributions to %s: %w", of, err)
	}
	if len(cs) == 0 {
		return nil, fmt.Errorf("contributions to %s: %w", of, graph.ErrNotFound)
	}
	slices.SortStableFunc(cs, func(a, b graph.Contribution) int {
		return cmp.Or(a.Recorded.Compare(b.Recorded), cmp.Compare(a.Source, b.Source))
	})
	return cs, nil
}
