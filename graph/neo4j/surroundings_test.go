package neo4j_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"faultline/graph"
	"faultline/graph/embedded"
	"faultline/graph/graphtest"
	"faultline/graph/walk"
	"faultline/migrations"
)

// around is graph.Surroundings without a limit, from a store that can only be read one
// entity at a time.
func around(t *testing.T, g graph.Reader, q graph.Surroundings) graph.Subgraph {
	t.Helper()
	there := map[graph.ID]graph.Entity{}
	for _, id := range q.Of {
		reached, err := walk.KHop(t.Context(), g, id, q.Hops, graph.Filter{Dir: graph.Both, Types: q.Types, AsOf: q.AsOf})
		if err != nil && !errors.Is(err, graph.ErrNotFound) {
			t.Fatal(err)
		}
		for _, r := range reached {
			e, err := g.Entity(t.Context(), r.ID, q.AsOf)
			if err != nil {
				t.Fatal(err)
			}
			there[e.ID] = e
		}
	}
	var sub graph.Subgraph
	for _, e := range there {
		sub.Entities = append(sub.Entities, e)
		for r, err := range g.Relations(t.Context(), e.ID, graph.Filter{Types: q.Types, AsOf: q.AsOf}) {
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := there[r.To]; ok {
				sub.Relations = append(sub.Relations, r)
			}
		}
	}
	slices.SortFunc(sub.Entities, func(a, b graph.Entity) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(sub.Relations, func(a, b graph.Relation) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Type, b.Type), cmp.Compare(a.To, b.To), cmp.Compare(a.Qualifier, b.Qualifier))
	})
	return sub
}

func TestRealSurroundings(t *testing.T) {
	s := openTenant(t, server(t), t.TempDir())
	defer s.Close()
	ref, err := embedded.Open(t.Context(), embedded.Options{Path: filepath.Join(t.TempDir(), "graph.db"), Migrations: migrations.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	defer ref.Close()
	r := rand.New(rand.NewPCG(1, 2))
	id := func() graph.ID { return graph.ID(fmt.Sprintf("n%02d", r.IntN(60))) }
	at := func(sec int) time.Time { return graphtest.Epoch.Add(time.Duration(sec) * time.Second) }
	for b := range 12 {
		var batch []graph.Change
		for range 20 {
			c := graph.Change{Op: graph.OpPut, At: at(b), By: graph.Provenance{Source: fmt.Sprint("s", r.IntN(3))}}
			valid := graph.Interval{}
			if r.IntN(4) == 0 {
				valid.To = at(r.IntN(20))
			}
			if r.IntN(2) == 0 {
				c.Entity = &graph.Entity{ID: id(), Kind: "NE", Valid: valid}
			} else {
				c.Relation = &graph.Relation{From: id(), Type: graph.RelationType(fmt.Sprint("T", r.IntN(2))), To: id(), Valid: valid}
			}
			if r.IntN(8) == 0 {
				c.Op = graph.OpRetract
			}
			batch = append(batch, c)
		}
		apply(t, s, batch...)
		apply(t, ref, batch...)
	}
	sizes := map[int]int{}
	for range 25 {
		for hops := range 5 {
			q := graph.Surroundings{Of: []graph.ID{id(), id(), "nobody"}, Hops: hops, Limit: 1000}
			if r.IntN(3) == 0 {
				q.Types = []graph.RelationType{"T1"}
			}
			if r.IntN(3) == 0 {
				q.AsOf.Valid = at(10)
			}
			if r.IntN(3) == 0 {
				q.AsOf.Recorded = at(6)
			}
			want := around(t, ref, q)
			got, err := s.Surroundings(t.Context(), q)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v (%v):\n got %+v\nwant %+v", q, err, got, want)
			}
			sizes[hops] = max(sizes[hops], len(got.Entities))
			if len(want.Entities) < 2 {
				continue
			}
			q.Limit = 1 + r.IntN(len(want.Entities)-1)
			got, err = s.Surroundings(t.Context(), q)
			if err != nil || !got.Truncated || len(got.Entities) != q.Limit {
				t.Fatalf("%+v (%v): %d entities, truncated %v", q, err, len(got.Entities), got.Truncated)
			}
			near := around(t, ref, graph.Surroundings{Of: q.Of, Hops: max(hops-1, 0), Types: q.Types, AsOf: q.AsOf})
			for _, e := range got.Entities {
				if _, ok := want.Index(e.ID); !ok {
					t.Fatalf("%s is not within %d hops", e.ID, hops)
				}
			}
			if len(near.Entities) <= q.Limit {
				for _, e := range near.Entities {
					if _, ok := got.Index(e.ID); !ok {
						t.Fatalf("%s is nearer than others and was left out", e.ID)
					}
				}
			}
		}
	}
	if sizes[4] < 20 || sizes[4] <= sizes[1] {
		t.Errorf("the test reaches too little: %v", sizes)
	}
	for _, bad := range []graph.Surroundings{{Hops: -1, Limit: 1}, {Hops: graph.MaxHops + 1, Limit: 1}, {Limit: 0}, {Limit: graph.MaxSurroundings + 1}} {
		if _, err := s.Surroundings(t.Context(), bad); !errors.Is(err, graph.ErrInvalid) {
			t.Errorf("%+v: got %v", bad, err)
		}
	}
}

// TestRealWalkOnASubgraph ranks what may have caused an alarm: an entity's surroundings
// come from the server in a few round trips, and the walk itself runs here.
func TestRealWalkOnASubgraph(t *testing.T) {
	s := openTenant(t, server(t), t.TempDir())
	defer s.Close()
	changes := []graph.Change{put("", "s", graph.Entity{ID: "alarm", Kind: "Alarm"}), put("", "s", graph.Entity{ID: "rru", Kind: "RRU"}),
		put("", "s", graph.Entity{ID: "fuse", Kind: "Fuse"}), link("s", "alarm", graph.RaisedOn, "rru"), link("s", "fuse", graph.Powers, "rru")}
	for i := range 3000 { // more than the limit, and than a page
		cell := graph.ID(fmt.Sprintf("cell-%04d", i))
		changes = append(changes, put("", "s", graph.Entity{ID: cell, Kind: "Cell"}), link("s", "fuse", graph.Serves, cell))
	}
	apply(t, s, changes...)
	g, err := s.Surroundings(t.Context(), graph.Surroundings{Of: []graph.ID{"alarm"}, Hops: 3, Limit: 1500})
	if err != nil || len(g.Entities) != 1500 || len(g.Relations) != 1499 || !g.Truncated {
		t.Fatalf("%d entities, %d relations, truncated %v (%v)", len(g.Entities), len(g.Relations), g.Truncated, err)
	}
	n, ok := g.Index("alarm")
	if !ok {
		t.Fatal("the start is not there")
	}
	rows := walk.FromSubgraph(g, func(graph.Relation, bool) float32 { return 1 })
	scores := walk.PersonalisedPageRank(rows, []walk.Seed{{Node: int32(n), Weight: 1}}, walk.PageRankOptions{Damping: 0.6, Epsilon: 1e-9})
	var got []graph.ID
	for _, sc := range scores[:3] {
		got = append(got, g.Entities[sc.Node].ID)
	}
	if !reflect.DeepEqual(got, []graph.ID{"alarm", "rru", "fuse"}) {
		t.Errorf("ranked %v", got)
	}
}
