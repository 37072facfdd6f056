package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"faultline/graph"
)

// Recorded times are kept as nanoseconds in 64 bits.
var (
	firstTime = time.Unix(0, math.MinInt64)
	lastTime  = time.Unix(0, math.MaxInt64)
)

func checkTime(t time.Time) error {
	if t.Before(firstTime) || t.After(lastTime) {
		return fmt.Errorf("at: %s is not between the years 1678 and 2262: %w", t.UTC().Format(time.RFC3339), graph.ErrInvalid)
	}
	return nil
}

// Apply implements graph.Writer. One Apply runs at a time; others wait, and give up
// when their context ends. When it returns the context's error nothing was applied.
func (s *Store) Apply(ctx context.Context, changes []graph.Change) error {
	for i := range changes {
		err := changes[i].Validate()
		if err == nil {
			err = checkTime(changes[i].At)
		}
		if err != nil {
			return fmt.Errorf("apply change %d of %d: %w", i+1, len(changes), err)
		}
	}
	return s.write(ctx, "apply", func(b *batch) error {
		for i := range changes {
			if i%256 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if id := changes[i].ID; id != "" {
				if fresh, err := s.file.remember(id); err != nil {
					return fmt.Errorf("remember change %q: %w", id, err)
				} else if !fresh {
					continue
				}
			}
			b.apply(&changes[i])
		}
		return nil
	})
}

// write runs f on a new batch inside a transaction, writes what f changed, and
// publishes it. An error means that nothing happened.
func (s *Store) write(ctx context.Context, verb string, f func(*batch) error) error {
	v, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	defer s.end()
	b := newBatch(s, v)
	var after *view
	err = s.file.transaction(func() error {
		if err := f(b); err != nil {
			return err
		}
		after = b.next()
		return s.file.flush(ctx, b)
	})
	if err == nil {
		after.nodes, after.edges = b.nodes.paged, b.edges.paged
		err = s.publish(b, after)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}

// publish commits the transaction and shows its result to readers.
func (s *Store) publish(b *batch, after *view) error {
	after.ids.merge(b.newIDs)
	after.dict.merge(b.newWords)
	s.pin.Lock()
	err := s.file.commit()
	if err == nil {
		s.current.Store(after)
	}
	s.pin.Unlock()
	if err != nil {
		s.broken = fmt.Errorf("an earlier commit failed (%w): open the store again", err)
		return fmt.Errorf("commit: %w", err)
	}

	s.countsMu.Lock()
	for w, d := range b.tallies {
		t := tally{s.counts[w].entities + d.entities, s.counts[w].relations + d.relations}
		if s.counts[w] = t; t == (tally{}) {
			delete(s.counts, w)
		}
	}
	s.countsMu.Unlock()

	s.free.nodes, s.free.edges = b.freeNodes, append(b.freeEdges, b.dropped...)
	for _, n := range b.reborn {
		delete(s.dead, n)
	}
	for _, n := range b.buried {
		s.dead[n] = struct{}{}
	}
	s.loose += b.loose
	s.compact(after)
	return nil
}

// compact packs relations side by side again and forgets ids that are gone, once
// either waste has outgrown what is in use.
func (s *Store) compact(v *view) {
	if s.loose < s.slack+2*v.edges.n && len(s.dead) < s.slack+v.nodes.n/2 {
		return
	}
	ids := &numbering[graph.ID, int32]{m: make(map[graph.ID]int32, v.nodes.n-len(s.dead))}
	var nodes edit[node]
	var ranked []int32
	for n := range int32(v.nodes.n) {
		nodes.grow(n)
		if x := nodes.change(n); v.idOf(n) != "" {
			*x = *v.nodes.at(n)
			x.out, x.in = nil, nil
			ids.m[x.id] = n
			ranked = append(ranked, n)
		}
	}
	packed := *v
	packed.ids, packed.nodes = ids, nodes.paged
	slices.SortFunc(ranked, func(a, b int32) int { return strings.Compare(string(packed.idOf(a)), string(packed.idOf(b))) })
	link(&packed, ranked)
	s.current.Store(&packed)
	for n := range s.dead {
		s.free.nodes = append(s.free.nodes, n)
	}
	slices.Sort(s.free.nodes)
	clear(s.dead)
	s.loose = 0
}

// writer is the one connection that changes the file.
type writer struct {
	db   *sql.DB
	conn *sql.Conn

	insChange, insWord            *sql.Stmt
	insNode, setNode, delNode     *sql.Stmt
	insEdge, setEdge, delEdge     *sql.Stmt
	insPast, putRecord, delSource *sql.Stmt
}

func (w *writer) prepare(ctx context.Context) (err error) {
	if w.conn, err = w.db.Conn(ctx); err != nil {
		return err
	}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&w.insChange, "INSERT INTO change (id) VALUES (?) ON CONFLICT DO NOTHING"},
		{&w.insWord, "INSERT INTO word (n, s) VALUES (?, ?)"},
		{&w.insNode, "INSERT INTO node (n, id, live) VALUES (?, ?, ?)"},
		{&w.setNode, "UPDATE node SET live = ? WHERE n = ?"},
		{&w.delNode, "DELETE FROM node WHERE n = ?"},
		{&w.insEdge, "INSERT INTO edge (n, origin, type, target, qualifier, live) VALUES (?, ?, ?, ?, ?, ?)"},
		{&w.setEdge, "UPDATE edge SET live = ? WHERE n = ?"},
		{&w.delEdge, "DELETE FROM edge WHERE n = ?"},
		{&w.insPast, "INSERT INTO past (id, type, far, qualifier, recorded, retracted, said) VALUES (?, ?, ?, ?, ?, ?, ?)"},
		{&w.putRecord, `INSERT INTO record (stream, id, source, at, data) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (stream, id) DO UPDATE SET source = excluded.source, at = excluded.at, data = excluded.data`},
		{&w.delSource, "DELETE FROM record WHERE source = ?"},
	} {
		if *p.stmt, err = w.conn.PrepareContext(ctx, p.text); err != nil {
			return fmt.Errorf("prepare %q: %w", p.text, err)
		}
	}
	return nil
}

func (w *writer) close() error {
	var errs []error
	if w.conn != nil {
		errs = append(errs, w.conn.Close())
	}
	return errors.Join(append(errs, w.db.Close())...)
}

// transaction runs f in a transaction, which it leaves open for commit when f returns
// nil and rolls back otherwise. It takes no context: a cancelled statement would leave
// in doubt what was written.
func (w *writer) transaction(f func() error) error {
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(); err != nil {
		return errors.Join(err, w.exec("ROLLBACK"))
	}
	return nil
}

func (w *writer) commit() error {
	err := w.exec("COMMIT")
	if err != nil {
		_ = w.exec("ROLLBACK") // the commit's error says it all
	}
	return err
}

func (w *writer) exec(text string) error {
	_, err := w.conn.ExecContext(context.Background(), text)
	return err
}

// remember keeps the id of a change and reports whether it is new.
func (w *writer) remember(id string) (fresh bool, err error) {
	res, err := w.insChange.Exec(id)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// flush writes what a batch changed and clears its marks.
func (w *writer) flush(ctx context.Context, b *batch) error {
	done := 0
	run := func(stmt *sql.Stmt, args ...any) error {
		if done++; done%256 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		_, err := stmt.Exec(args...)
		return err
	}
	for i := len(b.base.words); i < len(b.words); i++ {
		if err := run(w.insWord, i, b.words[i]); err != nil {
			return fmt.Errorf("write word %q: %w", b.words[i], err)
		}
	}
	for _, n := range b.dirtyNodes {
		x := b.nodes.change(n)
		var live any // NULL when empty
		if x.live != "" {
			live = []byte(x.live)
		}
		var err error
		unused := x.live == "" && len(x.out)+len(x.in) == 0
		switch had := x.flags&filed != 0; {
		case unused && had:
			err = run(w.delNode, n)
		case unused:
		case had:
			err = run(w.setNode, live, n)
		default:
			err = run(w.insNode, n, string(x.id), live)
		}
		if err != nil {
			return fmt.Errorf("write entity %s: %w", x.id, err)
		}
		if x.flags = x.flags&^dirty | filed; unused {
			*x = node{}
			b.buried = append(b.buried, n)
		}
	}
	for _, e := range b.dirtyEdges {
		x := b.edges.change(e)
		var err error
		switch had := x.flags&filed != 0; {
		case x.live == "" && had:
			err = run(w.delEdge, e)
		case x.live == "":
		case had:
			err = run(w.setEdge, []byte(x.live), e)
		default:
			err = run(w.insEdge, e, x.from, x.typ, x.to, x.qualifier, []byte(x.live))
		}
		if err != nil {
			return fmt.Errorf("write relation %d: %w", e, err)
		}
		if x.flags = x.flags&^dirty | filed; x.live == "" {
			*x = edge{}
		}
	}
	for _, p := range b.past {
		if err := run(w.insPast, string(p.id), p.typ, string(p.far), p.qualifier, p.recorded, p.retracted, []byte(p.said)); err != nil {
			return fmt.Errorf("write what was retracted of %s: %w", p.id, err)
		}
	}
	return nil
}
