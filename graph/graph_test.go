package graph_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"faultline/graph"
)

var t0 = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func TestIntervalIsHalfOpen(t *testing.T) {
	from, to := t0, t0.Add(time.Hour)
	for _, c := range []struct {
		i    graph.Interval
		at   time.Time
		want bool
	}{
		{graph.Interval{From: from, To: to}, from, true}, {graph.Interval{From: from, To: to}, to, false},
		{graph.Interval{From: from, To: to}, from.Add(-1), false}, {graph.Interval{From: from, To: to}, to.Add(-1), true},
		{graph.Interval{}, t0, true}, {graph.Interval{From: from}, to, true}, {graph.Interval{To: to}, from.Add(-time.Hour), true},
	} {
		if c.i.Contains(c.at) != c.want {
			t.Errorf("%v contains %v: want %v", c.i, c.at, c.want)
		}
	}
}

// TestMerge covers the rules one by one; the order of the slice is shuffled throughout.
func TestMerge(t *testing.T) {
	c := func(source string, sec, until int, e graph.Entity) graph.Contribution {
		e.ID = "x"
		out := graph.Contribution{Provenance: graph.Provenance{Source: source}, Recorded: t0.Add(time.Duration(sec) * time.Second), Entity: &e}
		if until > 0 {
			out.Retracted = t0.Add(time.Duration(until) * time.Second)
		}
		return out
	}
	cs := []graph.Contribution{
		c("a", 1, 0, graph.Entity{Kind: "NE", Name: "first", Attrs: map[string]string{"k": "a", "a": "1"}}),
		c("b", 2, 9, graph.Entity{Kind: "NE", Role: "router", Attrs: map[string]string{"k": "b", "b": "1"}}),
		c("d", 3, 0, graph.Entity{Kind: "NE", Name: "by d"}),
		c("c", 3, 0, graph.Entity{Kind: "NE", Name: "by c", Domain: "ip", Valid: graph.Interval{From: t0}}),
	}
	for _, w := range []struct {
		sec  int // 0: now
		want graph.Entity
	}{
		{1, graph.Entity{ID: "x", Kind: "NE", Name: "first", Attrs: map[string]string{"k": "a", "a": "1"}}},
		{2, graph.Entity{ID: "x", Kind: "NE", Role: "router", Name: "first", Attrs: map[string]string{"k": "b", "a": "1", "b": "1"}}},
		{8, graph.Entity{ID: "x", Kind: "NE", Role: "router", Name: "by d", Domain: "ip", Attrs: map[string]string{"k": "b", "a": "1", "b": "1"}, Valid: graph.Interval{From: t0}}},
		{9, graph.Entity{ID: "x", Kind: "NE", Name: "by d", Domain: "ip", Attrs: map[string]string{"k": "a", "a": "1"}, Valid: graph.Interval{From: t0}}},
		{0, graph.Entity{ID: "x", Kind: "NE", Name: "by d", Domain: "ip", Attrs: map[string]string{"k": "a", "a": "1"}, Valid: graph.Interval{From: t0}}},
	} {
		recorded := time.Time{}
		if w.sec > 0 {
			recorded = t0.Add(time.Duration(w.sec) * time.Second)
		}
		r := rand.New(rand.NewPCG(1, 2))
		for range 20 {
			r.Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
			if e, _, ok := graph.Merge(cs, recorded); !ok || !reflect.DeepEqual(e, w.want) {
				t.Fatalf("at %d s: got %+v (%v), want %+v", w.sec, e, ok, w.want)
			}
		}
	}
	if _, _, ok := graph.Merge(cs, t0); ok {
		t.Error("something lived before anything was recorded")
	}
	if _, _, ok := graph.Merge(nil, time.Time{}); ok {
		t.Error("nothing merged to something")
	}
}

func TestMergeDoesNotDependOnOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		var cs []graph.Contribution
		for i := range 2 + r.IntN(6) { // a source has one living statement, so its name and time tell them apart
			rel := graph.Relation{From: "a", Type: "T", To: "b", Attrs: map[string]string{fmt.Sprint(r.IntN(3)): fmt.Sprint(i)}}
			if r.IntN(2) == 0 {
				rel.Valid.From = t0.Add(time.Duration(i))
			}
			cs = append(cs, graph.Contribution{Provenance: graph.Provenance{Source: fmt.Sprint(i)}, Recorded: t0.Add(time.Duration(r.IntN(3))), Relation: &rel})
		}
		_, want, _ := graph.Merge(cs, time.Time{})
		for range 20 {
			r.Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
			if _, got, ok := graph.Merge(cs, time.Time{}); !ok || !reflect.DeepEqual(got, want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
	}
}

func TestMergeSharesNothing(t *testing.T) {
	e := graph.Entity{ID: "x", Kind: "NE", Attrs: map[string]string{"k": "v"}}
	got, _, _ := graph.Merge([]graph.Contribution{{Recorded: t0, Entity: &e}}, time.Time{})
	got.Attrs["k"] = "changed"
	if e.Attrs["k"] != "v" {
		t.Error("the merged entity shares the contribution's attributes")
	}
}

func TestRelationKeyString(t *testing.T) {
	for want, k := range map[string]graph.RelationKey{
		"a -POWERS-> b": {From: "a", Type: "POWERS", To: "b"}, "a -POWERS-> b [feed 2]": {From: "a", Type: "POWERS", To: "b", Qualifier: "feed 2"},
	} {
		if k.String() != want {
			t.Errorf("got %s, want %s", k, want)
		}
	}
}
