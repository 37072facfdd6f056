package embedded

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"faultline/graph"
	"faultline/graph/graphtest"
	"faultline/migrations"
)

// packing is a store that compacts its memory after every batch, which it would
// otherwise do too seldom for the suite to see.
type packing struct{ *Store }

func (p packing) Apply(ctx context.Context, changes []graph.Change) error {
	if err := p.Store.Apply(ctx, changes); err != nil {
		return err
	}
	v, err := p.begin(ctx)
	if err != nil {
		return err
	}
	defer p.end()
	p.loose = 1 << 40
	p.compact(v)
	return nil
}

func TestStoreThatCompacts(t *testing.T) {
	graphtest.TestStore(t, func(t *testing.T, dir string) graph.Store {
		s, err := Open(t.Context(), Options{Path: filepath.Join(dir, "graph.db"), Migrations: migrations.SQLite})
		if err != nil {
			t.Fatal(err)
		}
		return packing{s}
	})
}

// TestMemoryIsGivenBack: alarms that come and go for ever must not fill the memory.
func TestMemoryIsGivenBack(t *testing.T) {
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "graph.db"), Migrations: migrations.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.slack = 1 << 9
	by := graph.Provenance{Source: "alarms"}
	const size, rounds = 200, 30
	for round := range rounds {
		changes := []graph.Change{
			{Op: graph.OpDropSource, At: graphtest.Epoch, By: by}, {Op: graph.OpPut, At: graphtest.Epoch, By: by, Entity: &graph.Entity{ID: "hub", Kind: "NE"}},
		}
		for i := range size {
			id := graph.ID(fmt.Sprintf("alarm-%d-%d", round, i))
			changes = append(changes, graph.Change{Op: graph.OpPut, At: graphtest.Epoch, By: by, Entity: &graph.Entity{ID: id, Kind: graph.KindAlarm}},
				graph.Change{Op: graph.OpPut, At: graphtest.Epoch, By: by, Relation: &graph.Relation{From: id, Type: graph.RaisedOn, To: "hub"}})
		}
		if err := s.Apply(t.Context(), changes); err != nil {
			t.Fatal(err)
		}
	}
	v := s.current.Load()
	if most := size * rounds / 2; v.nodes.n > most || len(v.ids.m) > most {
		t.Errorf("%d numbers and %d ids for %d living entities, want at most %d", v.nodes.n, len(v.ids.m), size+1, most)
	}
	if v.edges.n > 2*size {
		t.Errorf("%d edge numbers for %d relations", v.edges.n, size)
	}
	if got := len(v.nodes.at(v.ids.m["hub"]).in); got != size {
		t.Errorf("the hub has %d relations, want %d", got, size)
	}
}

func TestOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ids := map[int32]graph.ID{}
	number := map[graph.ID]int32{}
	for n := range int32(5000) {
		id := graph.ID(fmt.Sprintf("%x", r.Uint64()))
		ids[n], number[id] = id, n
	}
	id := func(n int32) graph.ID { return ids[n] }
	in := map[int32]bool{}
	var o order
	for round := range 60 {
		var moves []move
		for range []int{1, 3, 2000}[round%3] {
			n := int32(r.IntN(len(ids)))
			if !slices.ContainsFunc(moves, func(m move) bool { return m.n == n }) {
				moves = append(moves, move{ids[n], n, in[n]})
			}
		}
		before := o
		was := members(before, "", id)
		for _, m := range moves {
			in[m.n] = !m.leave
		}
		o = o.apply(moves, id)
		var want []graph.ID
		for n, there := range in {
			if there {
				want = append(want, ids[n])
			}
		}
		slices.Sort(want)
		if got := members(o, "", id); !slices.Equal(got, want) {
			t.Fatalf("round %d: %d members, want %d, or not sorted", round, len(got), len(want))
		}
		if !slices.Equal(members(before, "", id), was) {
			t.Fatalf("round %d: the order before changed", round)
		}
		key := ids[int32(r.IntN(len(ids)))]
		i, _ := slices.BinarySearch(want, key)
		if got := members(o, key, id); !slices.Equal(got, want[i:]) {
			t.Fatalf("round %d: from %s: got %d members, want %d", round, key, len(got), len(want)-i)
		}
	}
}

func members(o order, from graph.ID, id func(int32) graph.ID) []graph.ID {
	var out []graph.ID
	o.from(from, false, id, func(n int32) bool { out = append(out, id(n)); return true })
	return out
}
