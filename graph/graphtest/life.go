package graphtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"faultline/graph"
)

// history makes random batches of changes by one source over a few elements, so that
// they meet often. Times only grow, from start on.
func history(r *rand.Rand, source string, start, batches int) [][]graph.Change {
	id := func() graph.ID { return graph.ID(fmt.Sprintf("n%d", r.IntN(12))) }
	var out [][]graph.Change
	for i := range batches {
		var batch []graph.Change
		for range 1 + r.IntN(6) {
			by := graph.Provenance{Source: source}
			c := graph.Change{Op: graph.OpPut, At: at(start + i), By: by}
			attrs := map[string]string{fmt.Sprintf("k%d", r.IntN(3)): fmt.Sprintf("%s%d", source, r.IntN(9))}
			if r.IntN(2) == 0 {
				c.Entity = &graph.Entity{ID: id(), Kind: graph.Kind(fmt.Sprintf("K%d", r.IntN(3))), Attrs: attrs}
				if r.IntN(3) == 0 {
					c.Entity.Name = source
					c.Entity.Valid.From = at(r.IntN(100))
				}
			} else {
				c.Relation = &graph.Relation{From: id(), Type: graph.RelationType(fmt.Sprintf("T%d", r.IntN(2))), To: id(), Attrs: attrs}
				if r.IntN(4) == 0 {
					c.Relation.Qualifier = "q"
				}
			}
			switch r.IntN(12) {
			case 0, 1, 2:
				c.Op = graph.OpRetract
			case 3:
				c = drop(start+i, source)
			}
			batch = append(batch, c)
		}
		out = append(out, batch)
	}
	return out
}

// testHistories holds the promise of the ledger: what a source said leaves no trace
// once it is dropped, and the past stays what it was.
func testHistories(t *testing.T, s graph.Store) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 6 {
		start := round * 1000
		a, b := history(r, fmt.Sprintf("A%d", round), start, 20), history(r, fmt.Sprintf("B%d", round), start, 20)
		apply(t, s, clearing(start-1, round)...)
		for _, batch := range a {
			apply(t, s, batch...)
		}
		alone := mustDump(t, s, now)
		apply(t, s, clearing(start+100, round+1)...)

		// The same again, with another source's batches in between.
		past := map[int]string{}
		for i := range a {
			later := func(batch []graph.Change, d int) []graph.Change {
				for k := range batch {
					batch[k].At = at(start + 200 + 2*i + d)
				}
				return batch
			}
			apply(t, s, later(a[i], 0)...)
			apply(t, s, later(b[i], 1)...)
			if i%4 == 0 {
				past[start+200+2*i+1] = mustDump(t, s, now)
			}
		}
		apply(t, s, drop(start+300, fmt.Sprintf("B%d", round)))
		equal(t, fmt.Sprintf("round %d: A and B without B", round), mustDump(t, s, now), alone)
		for sec, want := range past {
			if got := mustDump(t, s, graph.AsOf{Recorded: at(sec)}); got != want {
				t.Fatalf("round %d: as recorded at +%d s:\n got %s\nwant %s", round, sec, got, want)
			}
		}
	}
}

// clearing drops the sources of all rounds before one.
func clearing(sec, round int) []graph.Change {
	var cs []graph.Change
	for i := range round {
		cs = append(cs, drop(sec, fmt.Sprintf("A%d", i)), drop(sec, fmt.Sprintf("B%d", i)))
	}
	return cs
}

// testConcurrent lets writers and readers loose. Each writer moves a pair of entities
// and the relation between them from one name to the next in one batch, so a reader
// that sees half a batch sees a pair broken.
func testConcurrent(t *testing.T, s graph.Store) {
	const writers, readers, steps = 3, 3, 40
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			source := fmt.Sprintf("w%d", w)
			for i := range steps {
				a, b := graph.ID(fmt.Sprintf("%s-a%d", source, i)), graph.ID(fmt.Sprintf("%s-b%d", source, i))
				err := s.Apply(t.Context(), []graph.Change{
					drop(i, source), put(i, source, entity(a, "Pair")), put(i, source, entity(b, "Pair")),
					link(i, source, a, "T", b), link(i, source, b, "T", a),
				})
				if err != nil {
					t.Errorf("apply: %v", err)
					return
				}
			}
		})
	}
	for i := range readers {
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				n := 0
				for e, err := range s.Find(t.Context(), graph.Query{Kind: "Pair"}) {
					if err != nil {
						t.Errorf("find: %v", err)
						return
					}
					n++
					for r, err := range s.Relations(t.Context(), e.ID, graph.Filter{Dir: graph.Both}) {
						if err != nil || r.From != e.ID && r.To != e.ID {
							t.Errorf("relation %v of %s: %v", r.Key(), e.ID, err)
							return
						}
					}
				}
				if n%2 != 0 || n > 2*writers {
					t.Errorf("%d entities: a batch was seen in part", n)
					return
				}
				if _, err := s.Sources(t.Context()); err != nil {
					t.Errorf("sources: %v", err)
					return
				}
				if i > 0 {
					continue
				}
				if _, err := dump(t.Context(), s, graph.AsOf{Recorded: at(0)}); err != nil {
					t.Errorf("read the past: %v", err)
					return
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	equal(t, "entities at the end", len(collect(t, s.Find(t.Context(), graph.Query{}))), 2*writers)
	for w := range writers {
		id := fmt.Sprintf("w%d-", w)
		want := fmt.Sprintf("%sa%d -T-> %sb%d; %sb%d -T-> %sa%d", id, steps-1, id, steps-1, id, steps-1, id, steps-1)
		equal(t, "relations at the end", relations(t, s, graph.ID(fmt.Sprintf("%sa%d", id, steps-1)), graph.Filter{Dir: graph.Both}), want)
	}
}

// testView holds a graph.Viewer to the Reader beside it.
func testView(t *testing.T, s graph.Store) {
	vs, ok := s.(graph.Viewer)
	if !ok {
		t.Skip("the store has no views")
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, batch := range history(r, "s", 0, 120) {
		apply(t, s, batch...)
		for _, as := range []graph.AsOf{now, {Valid: at(50)}} {
			v := vs.View(as)
			seen := 0
			for n := range v.Len() {
				if _, ok := v.Head(n); ok {
					seen++
				}
			}
			want := collect(t, s.Find(t.Context(), graph.Query{AsOf: as}))
			equal(t, "entities in the view", seen, len(want))
			for _, e := range want {
				n, ok := v.Number(e.ID)
				if h, _ := v.Head(n); !ok || h != (graph.Head{ID: e.ID, Kind: e.Kind, Role: e.Role, Domain: e.Domain}) {
					t.Fatalf("head of %s: %v %v", e.ID, h, ok)
				}
				equal(t, "entity", v.Entity(n), e)
				for _, dir := range []graph.Direction{graph.Out, graph.In} {
					for _, typ := range []graph.RelationType{"", "T1", "none"} {
						f := graph.Filter{Dir: dir, AsOf: as}
						if typ != "" {
							f.Types = []graph.RelationType{typ}
						}
						var got, want []string
						v.Neighbours(n, dir, typ, func(far int, t graph.RelationType) bool {
							h, _ := v.Head(far)
							got = append(got, string(t)+" "+string(h.ID))
							return true
						})
						for _, r := range collect(t, s.Relations(t.Context(), e.ID, f)) {
							far := r.To
							if dir == graph.In {
								far = r.From
							}
							want = append(want, string(r.Type)+" "+string(far))
						}
						equal(t, "neighbours of "+string(e.ID), got, want)
					}
				}
			}
		}
	}
	v := vs.View(now)
	n, ok := v.Number("n1")
	apply(t, s, drop(500, "s"), put(501, "s", entity("n1", "Other")), put(501, "s", entity("fresh", "Other")))
	if n2, ok2 := v.Number("n1"); ok2 != ok || n2 != n {
		t.Error("a view changed after it was taken")
	}
	if _, ok := v.Number("fresh"); ok {
		t.Error("a view shows what came after it was taken")
	}
	if vs.View(graph.AsOf{Recorded: at(1)}) != nil {
		t.Error("a view of the recorded past") // a store may; then this suite must compare it
	}
}

func testReopen(t *testing.T, open Open) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(5, 6))
	s := open(t, dir)
	closed := false
	t.Cleanup(func() {
		if !closed {
			s.Close()
		}
	})
	for i, batch := range history(r, "s", 0, 60) {
		for k := range batch {
			batch[k].ID = fmt.Sprintf("%d/%d", i, k)
		}
		apply(t, s, batch...)
		if i%5 != 0 {
			continue
		}
		text, counts, then := mustDump(t, s, now), sources(t, s), mustDump(t, s, graph.AsOf{Recorded: at(i / 2)})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		closed = true
		s = open(t, dir)
		closed = false
		apply(t, s, batch...) // applied before: nothing happens
		equal(t, "graph", mustDump(t, s, now), text)
		equal(t, "sources", sources(t, s), counts)
		equal(t, "the past", mustDump(t, s, graph.AsOf{Recorded: at(i / 2)}), then)
	}
}

func testClosed(t *testing.T, open Open) {
	s := open(t, t.TempDir())
	apply(t, s, put(1, "s", entity("a", "NE")))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	wantError(t, "apply", s.Apply(ctx, []graph.Change{put(2, "s", entity("b", "NE"))}), graph.ErrClosed)
	_, err := s.Entity(ctx, "a", now)
	wantError(t, "entity", err, graph.ErrClosed)
	_, err = s.Entity(ctx, "a", graph.AsOf{Recorded: at(1)})
	wantError(t, "entity then", err, graph.ErrClosed)
	wantError(t, "relations", firstError(s.Relations(ctx, "a", graph.Filter{})), graph.ErrClosed)
	wantError(t, "find", firstError(s.Find(ctx, graph.Query{})), graph.ErrClosed)
	_, err = s.EntityContributions(ctx, "a")
	wantError(t, "entity contributions", err, graph.ErrClosed)
	_, err = s.RelationContributions(ctx, graph.RelationKey{From: "a", Type: "T", To: "a"})
	wantError(t, "relation contributions", err, graph.ErrClosed)
	_, err = s.Sources(ctx)
	wantError(t, "sources", err, graph.ErrClosed)
	if j, ok := s.(graph.Journal); ok {
		wantError(t, "append", j.Append(ctx, []graph.Record{{Stream: "s", ID: "1", At: at(0)}}), graph.ErrClosed)
		wantError(t, "records", firstError(j.Records(ctx, "s", graph.Interval{})), graph.ErrClosed)
		_, err = j.Drop(ctx, "x")
		wantError(t, "drop", err, graph.ErrClosed)
	}
	wantError(t, "close", s.Close(), graph.ErrClosed)
}

// TestJournal runs the suite of graph.Journal on a store that is one.
func TestJournal(t *testing.T, open Open) {
	dir := t.TempDir()
	s := open(t, dir)
	defer func() { s.Close() }()
	j, ok := s.(graph.Journal)
	if !ok {
		t.Fatalf("%T is no graph.Journal", s)
	}
	record := func(stream, id, source string, sec int, data string) graph.Record {
		return graph.Record{Stream: stream, ID: id, Source: source, At: at(sec), Data: []byte(data)}
	}
	read := func(stream string, span graph.Interval) string {
		text := ""
		for _, r := range collect(t, j.Records(t.Context(), stream, span)) {
			text += fmt.Sprintf("%s/%s/%s@%d=%s ", r.Stream, r.Source, r.ID, int(r.At.Sub(Epoch)/time.Second), r.Data)
		}
		return text
	}
	equal(t, "empty", read("e", graph.Interval{}), "")
	if err := j.Append(t.Context(), []graph.Record{
		record("e", "2", "f", 5, "two"), record("e", "1", "f", 5, "one"), record("e", "3", "g", 1, "three"), record("other", "1", "f", 2, "x"), record("e", "4", "", 9, ""),
	}); err != nil {
		t.Fatal(err)
	}
	equal(t, "by time and id", read("e", graph.Interval{}), "e/g/3@1=three e/f/1@5=one e/f/2@5=two e//4@9= ")
	equal(t, "half open", read("e", graph.Interval{From: at(1), To: at(5)}), "e/g/3@1=three ")
	equal(t, "from", read("e", graph.Interval{From: at(5)}), "e/f/1@5=one e/f/2@5=two e//4@9= ")
	equal(t, "nothing there", read("e", graph.Interval{From: at(6), To: at(9)}), "")
	bad := record("e", "", "f", 1, "")
	wantError(t, "bad record", j.Append(t.Context(), []graph.Record{record("e", "9", "f", 1, "no"), bad}), graph.ErrInvalid)
	if err := j.Append(t.Context(), []graph.Record{record("e", "1", "g", 7, "again")}); err != nil {
		t.Fatal(err)
	}
	want := "e/g/3@1=three e/f/2@5=two e/g/1@7=again e//4@9= "
	equal(t, "replaced, and nothing of the bad batch", read("e", graph.Interval{}), want)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	j = s.(graph.Journal)
	equal(t, "reopened", read("e", graph.Interval{}), want)
	n, err := j.Drop(t.Context(), "g")
	equal(t, "dropped", fmt.Sprint(n, err), "2 <nil>")
	n, err = j.Drop(t.Context(), "nobody")
	equal(t, "dropped of nobody", fmt.Sprint(n, err), "0 <nil>")
	_, err = j.Drop(t.Context(), "")
	wantError(t, "drop of no source", err, graph.ErrInvalid)
	equal(t, "left", read("e", graph.Interval{}), "e/f/2@5=two e//4@9= ")

	// More than any page, many at one time; a reader may append while it reads.
	var many []graph.Record
	for i := range 5000 {
		many = append(many, record("m", fmt.Sprintf("%05d", i), "m", i/1500, ""))
	}
	if err := j.Append(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	i := 0
	for r, err := range j.Records(t.Context(), "m", graph.Interval{}) {
		if err != nil || r.ID != many[i].ID || !r.At.Equal(many[i].At) {
			t.Fatalf("record %d is %v (%v), want %v", i, r, err, many[i])
		}
		if i++; i == 10 {
			if err := j.Append(t.Context(), []graph.Record{record("seen", r.ID, "m", 1, "")}); err != nil {
				t.Fatal(err)
			}
		}
	}
	equal(t, "records", i, len(many))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, "append when cancelled", j.Append(ctx, many), context.Canceled)
	wantError(t, "read when cancelled", firstError(j.Records(ctx, "m", graph.Interval{})), context.Canceled)
}
