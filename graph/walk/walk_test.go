package walk_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"faultline/graph"
	"faultline/graph/embedded"
	"faultline/graph/graphtest"
	"faultline/graph/walk"
	"faultline/migrations"
	"faultline/rca"
	"faultline/rca/rcatest"
)

var _ rca.Topology = (*walk.Topology)(nil)

// plain hides every ability of a Reader but reading.
type plain struct{ graph.Reader }

// network opens a store that holds a scenario, and returns it whole and plain: every
// answer must be the same over both.
func network(t *testing.T, text string) (*embedded.Store, map[string]graph.Reader, *rcatest.Scenario) {
	t.Helper()
	sc, err := rcatest.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return load(t, sc)
}

func load(t *testing.T, sc *rcatest.Scenario) (*embedded.Store, map[string]graph.Reader, *rcatest.Scenario) {
	t.Helper()
	s, err := embedded.Open(t.Context(), embedded.Options{Path: filepath.Join(t.TempDir(), "graph.db"), Migrations: migrations.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var cs []graph.Change
	by := graph.Provenance{Source: "inventory"}
	for i := range sc.Entities {
		cs = append(cs, graph.Change{Op: graph.OpPut, At: graphtest.Epoch, By: by, Entity: &sc.Entities[i]})
	}
	for i := range sc.Relations {
		cs = append(cs, graph.Change{Op: graph.OpPut, At: graphtest.Epoch, By: by, Relation: &sc.Relations[i]})
	}
	if err := s.Apply(t.Context(), cs); err != nil {
		t.Fatal(err)
	}
	return s, map[string]graph.Reader{"view": s, "reader": plain{s}}, sc
}

const radio = `
entity bbu Board:bbu wireless
entity p1 Port:fronthaul wireless
entity p2 Port:fronthaul wireless
entity l1 Link:fronthaul wireless
entity l2 Link:fronthaul wireless
entity r1 RRU wireless
entity r2 RRU wireless
entity c1 Cell wireless
entity c2 Cell wireless
entity fuse Fuse power_env
entity duct Trench transport
entity f1 FibreSection:fronthaul transport
relation bbu CONTAINS p1
relation bbu CONTAINS p2
relation l1 CONNECTS p1
relation l1 CONNECTS r1
relation l2 CONNECTS p2
relation l2 CONNECTS r2
relation r1 SERVES c1
relation r2 SERVES c2
relation bbu HOSTS c1
relation bbu HOSTS c2
relation fuse POWERS bbu
relation fuse POWERS r1
relation f1 LAID_IN duct
relation f1 CARRIES l1
relation f1 CARRIES nowhere
`

func TestFollow(t *testing.T) {
	_, readers, _ := network(t, radio)
	for _, c := range []struct{ start, path, want string }{
		{"p1", "Port:fronthaul <CONNECTS Link:fronthaul CONNECTS> RRU", "r1"},
		{"p1", "Port:fronthaul <CONNECTS Link:fronthaul CONNECTS> *", "r1"}, // not back to p1
		{"bbu", "Board CONTAINS> Port <CONNECTS Link CONNECTS> RRU", "r1 r2"},
		{"bbu", "Board HOSTS> Cell <SERVES RRU", "r1 r2"},
		{"p1", "Port <CONTAINS Board CONTAINS> Port", "p2"},
		{"c1", "Cell <HOSTS Board HOSTS> Cell", "c2"},
		{"r1", "RRU", "r1"},
		{"r1", "Cell", ""},
		{"r1", "*", "r1"},
		{"nobody", "RRU", ""},
		{"nowhere", "* <CARRIES FibreSection", ""},
		{"f1", "FibreSection CARRIES> Link CONNECTS> RRU", "r1"},
		{"f1", "FibreSection CARRIES> *", "l1"}, // nowhere is no entity
		{"r1", "RRU SERVES> Cell <SERVES RRU", ""},
		{"bbu", "Board:line CONTAINS> Port", ""},
		// Back to the start by another way is still the start.
		{"bbu", "Board CONTAINS> Port <CONNECTS Link CONNECTS> RRU SERVES> Cell <HOSTS Board", ""},
		// Through the start, and on.
		{"c1", "Cell <HOSTS Board <POWERS Fuse POWERS> RRU SERVES> Cell <HOSTS Board HOSTS> Cell", "c2"},
	} {
		p, err := graph.ParsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		for name, g := range readers {
			ids, err := walk.Follow(t.Context(), g, graph.ID(c.start), p, graph.AsOf{})
			if got := join(ids); err != nil || got != c.want {
				t.Errorf("%s: %q from %s: got %q (%v), want %q", name, c.path, c.start, got, err, c.want)
			}
		}
	}
}

func join(ids []graph.ID) string {
	var s []string
	for _, id := range ids {
		s = append(s, string(id))
	}
	return strings.Join(s, " ")
}

// tangle is a random small network with many ways between its entities.
func tangle(r *rand.Rand) *rcatest.Scenario {
	sc := &rcatest.Scenario{}
	const n = 14
	for i := range n {
		sc.Entities = append(sc.Entities, graph.Entity{ID: graph.ID(fmt.Sprintf("e%02d", i)), Kind: graph.Kind([]string{"NE", "Port"}[r.IntN(2)]), Role: []string{"a", "b"}[r.IntN(2)]})
	}
	seen := map[graph.RelationKey]bool{}
	for range 30 {
		rel := graph.Relation{From: sc.Entities[r.IntN(n)].ID, Type: []graph.RelationType{graph.Contains, graph.DependsOn, "OTHER"}[r.IntN(3)], To: sc.Entities[r.IntN(n)].ID}
		if !seen[rel.Key()] {
			seen[rel.Key()] = true
			sc.Relations = append(sc.Relations, rel)
		}
	}
	return sc
}

// TestFollowAgrees compares with rcatest's plain topology, which says it another way.
func TestFollowAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 20 {
		s, readers, sc := load(t, tangle(r))
		oracle, topology := sc.Topology(), walk.NewTopology(s, graph.AsOf{})
		for range 200 {
			p := &graph.Path{Start: graph.Selector{Kind: "*"}}
			for range r.IntN(5) {
				to := graph.Selector{Kind: []graph.Kind{"*", "NE", "Port"}[r.IntN(3)]}
				if r.IntN(4) == 0 {
					to.Roles = []string{"a"}
				}
				p.Steps = append(p.Steps, graph.Step{Type: []graph.RelationType{graph.Contains, graph.DependsOn, "OTHER"}[r.IntN(3)], Forward: r.IntN(2) == 0, To: to})
			}
			start := sc.Entities[r.IntN(len(sc.Entities))].ID
			want, err := oracle.Follow(t.Context(), start, p)
			if err != nil {
				t.Fatal(err)
			}
			found += len(want)
			for name, g := range readers {
				got, err := walk.Follow(t.Context(), g, start, *p, graph.AsOf{})
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%s: %q from %s: got %v (%v), want %v", name, p, start, got, err, want)
				}
			}
			for range 2 { // the second time from memory
				if got, err := topology.Follow(t.Context(), start, p); err != nil || !slices.Equal(got, want) {
					t.Fatalf("topology: %q from %s: got %v (%v), want %v", p, start, got, err, want)
				}
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d ends found: the paths are too hard to say much", found)
	}
}

func show(rs []walk.Reached) string {
	var s []string
	for _, r := range rs {
		s = append(s, fmt.Sprintf("%s@%d", r.ID, r.Hops))
	}
	return strings.Join(s, " ")
}

func TestKHop(t *testing.T) {
	_, readers, _ := network(t, radio)
	for name, g := range readers {
		for _, c := range []struct {
			start graph.ID
			hops  int
			f     graph.Filter
			want  string
		}{
			{"bbu", 0, graph.Filter{Dir: graph.Both}, "bbu@0"},
			{"bbu", 1, graph.Filter{}, "bbu@0 p1@1 p2@1 c1@1 c2@1"},
			{"bbu", 1, graph.Filter{Dir: graph.In}, "bbu@0 fuse@1"},
			{"bbu", 2, graph.Filter{Dir: graph.Both}, "bbu@0 p1@1 p2@1 c1@1 c2@1 fuse@1 l1@2 l2@2 r1@2 r2@2"},
			{"l1", 2, graph.Filter{Dir: graph.Both, Types: []graph.RelationType{graph.Connects}}, "l1@0 p1@1 r1@1"},
			{"l1", 9, graph.Filter{Dir: graph.Both, Types: []graph.RelationType{graph.Carries, graph.LaidIn}}, "l1@0 f1@1 duct@2"},
		} {
			got, err := walk.KHop(t.Context(), g, c.start, c.hops, c.f)
			if err != nil || show(got) != c.want {
				t.Errorf("%s: %d hops from %s: got %s (%v), want %s", name, c.hops, c.start, show(got), err, c.want)
			}
		}
		if got, _ := walk.KHop(t.Context(), g, "p1", 0, graph.Filter{}); !reflect.DeepEqual(got, []walk.Reached{{Head: graph.Head{ID: "p1", Kind: "Port", Role: "fronthaul", Domain: "wireless"}}}) {
			t.Errorf("%s: head: got %+v", name, got)
		}
		if _, err := walk.KHop(t.Context(), g, "nobody", 1, graph.Filter{}); !errors.Is(err, graph.ErrNotFound) {
			t.Errorf("%s: unknown start: got %v", name, err)
		}
		if _, err := walk.KHop(t.Context(), g, "bbu", -1, graph.Filter{}); !errors.Is(err, graph.ErrInvalid) {
			t.Errorf("%s: negative hops: got %v", name, err)
		}
	}
}

func TestClosures(t *testing.T) {
	_, readers, _ := network(t, radio)
	for name, g := range readers {
		for _, c := range []struct {
			what  func(context.Context, graph.Reader, graph.ID, graph.AsOf, walk.Bounds) (walk.Region, error)
			start graph.ID
			b     walk.Bounds
			want  string
		}{
			{walk.Downstream, "duct", walk.Bounds{}, "duct@0 f1@1 l1@2 p1@3 r1@3 c1@4"},
			{walk.Downstream, "duct", walk.Bounds{Hops: 2}, "duct@0 f1@1 l1@2"},
			{walk.Downstream, "duct", walk.Bounds{Entities: 4}, "duct@0 f1@1 l1@2 p1@3 ..."},
			{walk.Downstream, "duct", walk.Bounds{Entities: 6}, "duct@0 f1@1 l1@2 p1@3 r1@3 c1@4"},
			{walk.Downstream, "c1", walk.Bounds{}, "c1@0"},
			{walk.Upstream, "c1", walk.Bounds{}, "c1@0 bbu@1 r1@1 fuse@2 l1@2 p1@3 f1@3 duct@4"},
			{walk.Upstream, "bbu", walk.Bounds{}, "bbu@0 fuse@1"},
		} {
			r, err := c.what(t.Context(), g, c.start, graph.AsOf{}, c.b)
			got := show(r.Reached)
			if r.Truncated {
				got += " ..."
			}
			if err != nil || got != c.want {
				t.Errorf("%s: closure of %s within %+v: got %s (%v), want %s", name, c.start, c.b, got, err, c.want)
			}
		}
		if _, err := walk.Upstream(t.Context(), g, "c1", graph.AsOf{}, walk.Bounds{Entities: -1}); !errors.Is(err, graph.ErrInvalid) || !strings.Contains(err.Error(), "Entities") {
			t.Errorf("%s: negative bound: got %v", name, err)
		}
	}
}

// TestPropagationKnowsTheResourceModel fails when the model gets a relation type of
// which nobody said how faults spread along it.
func TestPropagationKnowsTheResourceModel(t *testing.T) {
	for _, tr := range graph.ResourceSchema().Triples() {
		if walk.Propagates(tr.Type) == (walk.Propagation{}) {
			t.Errorf("%s carries no fault in either direction", tr.Type)
		}
	}
	if walk.Propagates(graph.RaisedOn) != (walk.Propagation{}) {
		t.Error("an alarm spreads like a fault")
	}
}

func TestPaths(t *testing.T) {
	_, readers, _ := network(t, radio+"relation r1 OTHER c1\n")
	for name, g := range readers {
		for _, c := range []struct {
			from, to    graph.ID
			hops, paths int
			want        string
		}{
			{"fuse", "c1", 3, 10, "fuse -POWERS-> bbu -HOSTS-> c1; fuse -POWERS-> r1 -OTHER-> c1; fuse -POWERS-> r1 -SERVES-> c1"},
			{"fuse", "c1", 3, 2, "fuse -POWERS-> bbu -HOSTS-> c1; fuse -POWERS-> r1 -OTHER-> c1"},
			{"c1", "duct", 4, 1, "c1 <-OTHER- r1 <-CONNECTS- l1 <-CARRIES- f1 -LAID_IN-> duct"},
			{"c1", "duct", 3, 9, ""},
			{"c1", "c1", 3, 9, "c1"},
		} {
			got, err := walk.Paths(t.Context(), g, c.from, c.to, graph.AsOf{}, c.hops, c.paths)
			var s []string
			for _, tr := range got {
				s = append(s, tr.String())
			}
			if text := strings.Join(s, "; "); err != nil || text != c.want {
				t.Errorf("%s: %s to %s: got %s (%v), want %s", name, c.from, c.to, text, err, c.want)
			}
		}
		if _, err := walk.Paths(t.Context(), g, "fuse", "nobody", graph.AsOf{}, 3, 3); !errors.Is(err, graph.ErrNotFound) {
			t.Errorf("%s: unknown end: got %v", name, err)
		}
		if _, err := walk.Paths(t.Context(), g, "fuse", "c1", graph.AsOf{}, 3, 0); !errors.Is(err, graph.ErrInvalid) {
			t.Errorf("%s: no paths wanted: got %v", name, err)
		}
	}
}

// TestPathsAgainstAllWays compares with a search that tries everything.
func TestPathsAgainstAllWays(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10 {
		s, readers, sc := load(t, tangle(r))
		from, to := sc.Entities[0].ID, sc.Entities[1].ID
		var want []string
		for length := 1; length <= 5; length++ {
			all(t, s, walk.Trail{From: from}, from, to, length, map[graph.ID]bool{from: true}, &want)
		}
		for name, g := range readers {
			trails, err := walk.Paths(t.Context(), g, from, to, graph.AsOf{}, 5, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, tr := range trails {
				got = append(got, tr.String())
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s:\n got %q\nwant %q", name, got, want)
			}
		}
	}
}

func all(t *testing.T, g graph.Reader, tr walk.Trail, at, to graph.ID, left int, on map[graph.ID]bool, out *[]string) {
	for _, dir := range []graph.Direction{graph.Out, graph.In} {
		for r, err := range g.Relations(t.Context(), at, graph.Filter{Dir: dir}) {
			if err != nil {
				t.Fatal(err)
			}
			far := r.To
			if dir == graph.In {
				far = r.From
			}
			if on[far] || (far == to) != (left == 1) {
				continue
			}
			next := walk.Trail{From: tr.From, Hops: append(slices.Clone(tr.Hops), walk.Hop{Type: r.Type, Forward: dir == graph.Out, To: far})}
			if left == 1 {
				*out = append(*out, next.String())
				continue
			}
			on[far] = true
			all(t, g, next, far, to, left-1, on, out)
			delete(on, far)
		}
	}
}

// failing answers until its count is used up.
type failing struct {
	graph.Reader
	left int
}

var errDisk = errors.New("disk on fire")

func (f *failing) Entity(ctx context.Context, id graph.ID, at graph.AsOf) (graph.Entity, error) {
	if f.left--; f.left < 0 {
		return graph.Entity{}, errDisk
	}
	return f.Reader.Entity(ctx, id, at)
}

func (f *failing) Relations(ctx context.Context, id graph.ID, q graph.Filter) iter.Seq2[graph.Relation, error] {
	if f.left--; f.left < 0 {
		return func(yield func(graph.Relation, error) bool) { yield(graph.Relation{}, errDisk) }
	}
	return f.Reader.Relations(ctx, id, q)
}

// TestErrorsAreNotAnswers: wherever reading fails, no walk returns a part as the whole.
func TestErrorsAreNotAnswers(t *testing.T) {
	s, _, _ := network(t, radio)
	p, err := graph.ParsePath("Board CONTAINS> Port <CONNECTS Link CONNECTS> RRU")
	if err != nil {
		t.Fatal(err)
	}
	walks := map[string]func(context.Context, graph.Reader) error{
		"follow": func(ctx context.Context, g graph.Reader) error {
			_, err := walk.Follow(ctx, g, "bbu", p, graph.AsOf{})
			return err
		},
		"k-hop": func(ctx context.Context, g graph.Reader) error {
			_, err := walk.KHop(ctx, g, "bbu", 2, graph.Filter{})
			return err
		},
		"upstream": func(ctx context.Context, g graph.Reader) error {
			_, err := walk.Upstream(ctx, g, "c1", graph.AsOf{}, walk.Bounds{})
			return err
		},
		"paths": func(ctx context.Context, g graph.Reader) error {
			_, err := walk.Paths(ctx, g, "c1", "duct", graph.AsOf{}, 5, 9)
			return err
		},
		"topology": func(ctx context.Context, g graph.Reader) error {
			topology := walk.NewTopology(g, graph.AsOf{})
			_, err := topology.Follow(ctx, "bbu", &p)
			return err
		},
	}
	for name, run := range walks {
		for n := 0; ; n++ {
			f := &failing{s, n}
			err := run(t.Context(), f)
			if f.left >= 0 { // it needed no more than n reads
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			if !errors.Is(err, errDisk) {
				t.Errorf("%s failing after %d reads: got %v, want %v", name, n, err, errDisk)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, g := range []graph.Reader{s, plain{s}} {
			if err := run(ctx, g); !errors.Is(err, context.Canceled) {
				t.Errorf("%s when cancelled: got %v", name, err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, run := range walks {
		if err := run(t.Context(), s); !errors.Is(err, graph.ErrClosed) {
			t.Errorf("%s on a closed store: got %v", name, err)
		}
	}
}

func TestTopologyIsOneState(t *testing.T) {
	s, _, _ := network(t, radio)
	topology := walk.NewTopology(s, graph.AsOf{})
	p, err := graph.ParsePath("RRU SERVES> Cell")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), []graph.Change{{Op: graph.OpDropSource, At: graphtest.Epoch, By: graph.Provenance{Source: "inventory"}}}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				if ids, err := topology.Follow(t.Context(), "r1", &p); err != nil || join(ids) != "c1" {
					t.Errorf("got %v (%v), want c1", ids, err)
				}
				if e, err := topology.Entity(t.Context(), "c1"); err != nil || e.Kind != "Cell" {
					t.Errorf("got %v (%v), want the cell", e, err)
				}
				if _, err := topology.Entity(t.Context(), "nobody"); !errors.Is(err, graph.ErrNotFound) {
					t.Errorf("unknown entity: got %v", err)
				}
			}
		})
	}
	wg.Wait()
}
