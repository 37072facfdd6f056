package mining_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/ingest/mining"
	"faultline/rca"
)

func mine(t testing.TB, in mining.Input) *mining.Result {
	t.Helper()
	res, err := mining.Mine(t.Context(), in, mining.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestRecoversKnownCauses(t *testing.T) {
	clean := plant{types: 20, devices: 30, density: 0.1, alarms: 12000}
	linked, flawed := clean, clean
	linked.linked = true
	flawed.loss, flawed.delay, flawed.repeat = 0.1, 3, 0.2
	for _, tc := range []struct {
		name  string
		plant plant
		hide  bool // the topology
		f1    float64
	}{
		{"one device", clean, false, 0.95},
		{"linked devices", linked, false, 0.95},
		{"linked devices, topology unknown", linked, true, 0.95},
		{"lost, late and repeated alarms", flawed, false, 0.9},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for seed := range uint64(4) {
				h := tc.plant.run(seed)
				if tc.hide {
					h.in.Links = nil
				}
				res := mine(t, h.in)
				right, turned := h.match(res.Edges)
				f1 := 2 * float64(right) / float64(len(res.Edges)+len(h.truth))
				t.Logf("seed %d: %d alarms, %d of %d edges right, %d turned, %d true, F1 %.3f", seed, len(h.in.Occurrences), right, len(res.Edges), turned, len(h.truth), f1)
				if f1 < tc.f1 {
					t.Errorf("seed %d: F1 %.3f, want at least %.2f", seed, f1, tc.f1)
				}
				if turned > 1 {
					t.Errorf("seed %d: %d edges turned round", seed, turned)
				}
				if tc.hide != res.Inferred {
					t.Errorf("seed %d: links inferred: %v, want %v", seed, res.Inferred, tc.hide)
				}
			}
		})
	}
}

// triggered raises roots at random on 20 devices and, for each, what follow adds.
func triggered(seed uint64, n int, roots []string, follow func(r *rand.Rand, root string, add func(typ string, lag float64))) []mining.Occurrence {
	r := rand.New(rand.NewPCG(seed, 2))
	var occ []mining.Occurrence
	for _, root := range roots {
		for range n {
			dev, t := string(rune('a'+r.IntN(20))), 864000*r.Float64()
			add := func(typ string, lag float64) {
				occ = append(occ, mining.Occurrence{Type: typ, Device: dev, Raised: after(t + lag), Cleared: after(t + 300)})
			}
			add(root, 0)
			follow(r, root, add)
		}
	}
	return occ
}

func arrows(res *mining.Result) string {
	var out []string
	for _, e := range res.Edges {
		out = append(out, e.Cause+">"+e.Effect)
	}
	return strings.Join(out, " ")
}

func TestDirectCausesOnly(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		roots      []string
		follow     func(r *rand.Rand, root string, add func(string, float64))
	}{
		{"chain", "A>B B>C", []string{"A"}, func(r *rand.Rand, _ string, add func(string, float64)) {
			if b := 20 * r.ExpFloat64(); r.Float64() < 0.8 {
				add("B", b)
				if r.Float64() < 0.8 {
					add("C", b+20*r.ExpFloat64())
				}
			}
		}},
		{"common cause", "X>A X>B", []string{"X"}, func(r *rand.Rand, _ string, add func(string, float64)) {
			if r.Float64() < 0.7 {
				add("A", 15*r.ExpFloat64())
			}
			if r.Float64() < 0.7 {
				add("B", 30*r.ExpFloat64())
			}
		}},
		{"two causes", "A>C B>C", []string{"A", "B"}, func(r *rand.Rand, _ string, add func(string, float64)) {
			if r.Float64() < 0.5 {
				add("C", 25*r.ExpFloat64())
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for seed := range uint64(3) {
				if got := arrows(mine(t, mining.Input{Occurrences: triggered(seed, 400, tc.roots, tc.follow)})); got != tc.want {
					t.Errorf("seed %d: edges %q, want %q", seed, got, tc.want)
				}
			}
		})
	}
}

// TestChanceMakesFewEdges counts edges between unrelated types, once with single
// alarms and once with bursts that overlap by chance.
func TestChanceMakesFewEdges(t *testing.T) {
	const seeds = 20
	roots := []string{"A", "B", "C"}
	for _, burst := range []int{1, 5} {
		wrong := 0
		for seed := range uint64(seeds) {
			occ := triggered(seed, 400, roots, func(r *rand.Rand, root string, add func(string, float64)) {
				for k := 1; k < burst; k++ {
					add(root, float64(40*k))
				}
			})
			wrong += len(mine(t, mining.Input{Occurrences: occ}).Edges)
		}
		if pairs := seeds * 6; wrong*100 > 3*pairs {
			t.Errorf("bursts of %d: %d edges among %d unrelated pairs", burst, wrong, pairs)
		}
	}
}

func TestBusyHoursAreNoCause(t *testing.T) {
	// Both types come only in one busy hour a day, without any other relation.
	r := rand.New(rand.NewPCG(5, 5))
	var occ []mining.Occurrence
	for _, typ := range []string{"A", "B"} {
		for range 1500 {
			at := float64(r.IntN(60))*86400 + 3600*r.Float64()
			occ = append(occ, mining.Occurrence{Type: typ, Device: "d", Raised: after(at)})
		}
	}
	for _, e := range mine(t, mining.Input{Occurrences: occ}).Edges {
		if e.P > 0.2 { // 0.4 without the level of docs/mining.md
			t.Errorf("%s -> %s with probability %.2f from busy hours alone", e.Cause, e.Effect, e.P)
		}
	}
}

func TestEdgeFigures(t *testing.T) {
	occ := triggered(1, 2000, []string{"A"}, func(r *rand.Rand, _ string, add func(string, float64)) {
		if r.Float64() < 0.6 {
			add("B", 30*r.ExpFloat64())
		}
	})
	res := mine(t, mining.Input{Occurrences: occ})
	if len(res.Edges) != 1 {
		t.Fatalf("edges %q, want one", arrows(res))
	}
	e := res.Edges[0]
	// 1200 effects of 2000 causes; by the Poisson rule P = 1 - exp(-0.6).
	if want := 1 - math.Exp(-0.6); math.Abs(e.P-want) > 0.03 {
		t.Errorf("P %.3f, want %.3f", e.P, want)
	}
	if math.Abs(e.Support-1200) > 60 || e.Causes < 1990 {
		t.Errorf("support %.0f of %d causes, want 1200 of nearly 2000", e.Support, e.Causes)
	}
	// An exponential lag of mean 30 s has median 20.8 s and 90 % quantile 69 s.
	if e.LagP50 < 18*time.Second || e.LagP50 > 24*time.Second || e.LagP90 < 60*time.Second || e.LagP90 > 78*time.Second {
		t.Errorf("lags %v and %v, want about 21s and 69s", e.LagP50, e.LagP90)
	}
	if e.Standing < 0.95 || e.Linked != 0 {
		t.Errorf("standing %.2f, linked %.2f, want nearly 1 and 0", e.Standing, e.Linked)
	}
	if top := res.Ranked[0].Pair; top != (mining.Pair{Cause: "A", Effect: "B"}) {
		t.Errorf("best ranked %v", top)
	}
}

func TestOrderAndProcessorsDoNotMatter(t *testing.T) {
	h := plant{types: 15, devices: 20, density: 0.12, alarms: 6000, linked: true, loss: 0.05, delay: 2, repeat: 0.2}.run(3)
	bytes := func() string {
		b, err := json.Marshal(mine(t, h.in))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	want := bytes()
	r := rand.New(rand.NewPCG(1, 1))
	for _, procs := range []int{1, 4} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		r.Shuffle(len(h.in.Occurrences), func(i, j int) {
			h.in.Occurrences[i], h.in.Occurrences[j] = h.in.Occurrences[j], h.in.Occurrences[i]
		})
		r.Shuffle(len(h.in.Links), func(i, j int) { h.in.Links[i], h.in.Links[j] = h.in.Links[j], h.in.Links[i] })
		h.in.Occurrences = append(h.in.Occurrences, h.in.Occurrences[0]) // told twice
		if bytes() != want {
			t.Errorf("with %d processors, shuffled: another result", procs)
		}
	}
}

func TestPriors(t *testing.T) {
	occ := triggered(1, 300, []string{"A"}, func(r *rand.Rand, _ string, add func(string, float64)) { add("B", 10*r.ExpFloat64()) })
	pair := func(a, b string) []mining.Pair { return []mining.Pair{{Cause: a, Effect: b}} }
	for _, tc := range []struct {
		name string
		in   mining.Input
		want string
	}{
		{"none", mining.Input{}, "A>B"},
		{"known against the data", mining.Input{Known: pair("B", "A")}, "B>A"},
		{"known of an unseen type", mining.Input{Known: pair("Z", "B")}, "A>B Z>B"},
		{"excluded", mining.Input{Excluded: append(pair("A", "B"), pair("B", "A")...)}, ""},
		{"snapshot", mining.Input{Snapshots: []mining.Snapshot{{Types: []string{"A", "B"}, Roots: []string{"B"}}}}, "B>A"},
		{"snapshot of an unseen type", mining.Input{Snapshots: []mining.Snapshot{{Types: []string{"A", "Q"}, Roots: []string{"Q"}}}}, "A>B"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.Occurrences = occ
			if got := arrows(mine(t, tc.in)); got != tc.want {
				t.Errorf("edges %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFaultsAreNamed(t *testing.T) {
	good := mining.Occurrence{Type: "A", Device: "d", Raised: epoch}
	pair := func(a, b string) mining.Pair { return mining.Pair{Cause: a, Effect: b} }
	for _, tc := range []struct {
		want string
		in   mining.Input
		opt  func(*mining.Options)
	}{
		{want: "occurrences", in: mining.Input{}},
		{want: "occurrence 1: type", in: mining.Input{Occurrences: []mining.Occurrence{good, {Device: "d", Raised: epoch}}}},
		{want: "occurrence 0: device", in: mining.Input{Occurrences: []mining.Occurrence{{Type: "A", Raised: epoch}}}},
		{want: "occurrence 0: raised", in: mining.Input{Occurrences: []mining.Occurrence{{Type: "A", Device: "d"}}}},
		{want: "both known and excluded", in: mining.Input{Known: []mining.Pair{pair("A", "B")}, Excluded: []mining.Pair{pair("A", "B")}}},
		{want: "closes a cycle", in: mining.Input{Known: []mining.Pair{pair("A", "B"), pair("B", "A")}}},
		{want: "causes itself", in: mining.Input{Known: []mining.Pair{pair("A", "A")}}},
		{want: "snapshot 0: roots", in: mining.Input{Snapshots: []mining.Snapshot{{Types: []string{"A"}}}}},
		{want: "root B", in: mining.Input{Snapshots: []mining.Snapshot{{Types: []string{"A"}, Roots: []string{"B"}}}}},
		{want: "kernels", opt: func(o *mining.Options) { o.Kernels = nil }},
		{want: "kernels", opt: func(o *mining.Options) { o.Kernels[0] = 0 }},
		{want: "hops", opt: func(o *mining.Options) { o.Hops = 9 }},
		{want: "penalty", opt: func(o *mining.Options) { o.Penalty = math.NaN() }},
		{want: "leak", opt: func(o *mining.Options) { o.Leak = 1 }},
		{want: "shrink", opt: func(o *mining.Options) { o.Shrink = -1 }},
		{want: "rounds", opt: func(o *mining.Options) { o.Rounds = 0 }},
		{want: "link score", opt: func(o *mining.Options) { o.LinkScore = 0 }},
	} {
		opt := mining.DefaultOptions()
		if tc.opt != nil {
			tc.opt(&opt)
		}
		if tc.in.Occurrences == nil && tc.want != "occurrences" {
			tc.in.Occurrences = []mining.Occurrence{good}
		}
		_, err := mining.Mine(t.Context(), tc.in, opt)
		if !errors.Is(err, rca.ErrInvalid) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error %v, want invalid naming %q", err, tc.want)
		}
	}
}

func TestFlawsAreTolerated(t *testing.T) {
	occ := triggered(1, 300, []string{"A"}, func(r *rand.Rand, _ string, add func(string, float64)) { add("B", 10*r.ExpFloat64()) })
	for i := range occ {
		switch i % 3 {
		case 0:
			occ[i].Cleared = time.Time{} // still on
		case 1:
			occ[i].Cleared = occ[i].Raised.Add(-time.Hour) // clock trouble
		}
	}
	res := mine(t, mining.Input{Occurrences: occ, Links: [][2]string{{"a", "nowhere"}, {"a", "a"}, {"a", "b"}, {"b", "a"}}})
	if arrows(res) != "A>B" || res.Links != 1 {
		t.Errorf("edges %q over %d links, want A>B over one", arrows(res), res.Links)
	}
	if one := mine(t, mining.Input{Occurrences: occ[:1]}); len(one.Edges) != 0 {
		t.Errorf("one alarm gives edges %q", arrows(one))
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := plant{types: 5, devices: 5, density: 0.2, alarms: 500}.run(1)
	if _, err := mining.Mine(ctx, h.in, mining.DefaultOptions()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
}

// TestTruthHasNoWayIn holds the contract that the true graph cannot reach the
// miner: whoever adds an input must look here first.
func TestTruthHasNoWayIn(t *testing.T) {
	fields := func(v any) (names []string) {
		for f := range reflect.TypeOf(v).Fields() {
			names = append(names, f.Name)
		}
		return names
	}
	if got, want := fields(mining.Input{}), []string{"Occurrences", "Links", "Known", "Excluded", "Snapshots"}; !slices.Equal(got, want) {
		t.Errorf("Input takes %v, want %v", got, want)
	}
	if got, want := fields(mining.Options{}), []string{"Kernels", "Hops", "Penalty", "Leak", "Shrink", "Rounds", "AllowCycles", "InferLinks", "LinkScore"}; !slices.Equal(got, want) {
		t.Errorf("Options takes %v, want %v", got, want)
	}
}

func TestFromAlarms(t *testing.T) {
	key := rca.AlarmKey{Resource: "ne-1", Type: "PE01"}
	got := mining.FromAlarms([]rca.Alarm{
		{AlarmKey: key, Raised: epoch, Cleared: epoch.Add(time.Minute)},
		{AlarmKey: key, Raised: epoch, Planned: true},
	})
	want := []mining.Occurrence{{Type: "PE01", Device: "ne-1", Raised: epoch, Cleared: epoch.Add(time.Minute)}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// stated is a graph that holds what changes put into it.
type stated []graph.Change

func (s stated) Entity(context.Context, graph.ID, graph.AsOf) (graph.Entity, error) {
	return graph.Entity{}, graph.ErrNotFound
}

func (s stated) Relations(_ context.Context, id graph.ID, _ graph.Filter) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		for _, c := range s {
			if c.Relation != nil && c.Relation.From == id && !yield(*c.Relation, nil) {
				return
			}
		}
	}
}

func (s stated) Find(_ context.Context, q graph.Query) iter.Seq2[graph.Entity, error] {
	return func(yield func(graph.Entity, error) bool) {
		for _, c := range s {
			if c.Entity != nil && c.Entity.Kind == q.Kind && !yield(*c.Entity, nil) {
				return
			}
		}
	}
}

func TestChangesCompileToKnowledge(t *testing.T) {
	h := plant{types: 12, devices: 20, density: 0.12, alarms: 6000, linked: true}.run(2)
	h.in.Known = []mining.Pair{{Cause: "98", Effect: "99"}} // never seen: for its author to state
	res := mine(t, h.in)
	changes := res.Changes("region-1", "", epoch)
	for _, c := range changes {
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		if c.By.Source != "mined/region-1" {
			t.Errorf("source %q", c.By.Source)
		}
		if c.Relation != nil && (c.By.Confidence < 0.5 || c.By.Confidence > 0.9) {
			t.Errorf("%s: confidence %v", c.Relation.Key(), c.By.Confidence)
		}
	}
	k, err := rca.KnowledgeFromGraph(t.Context(), stated(changes), graph.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	edges := k.Edges()
	if len(edges) != len(res.Edges)-1 || len(edges) == 0 {
		t.Fatalf("%d edges of knowledge from %d mined", len(edges), len(res.Edges))
	}
	both := 0
	for _, e := range edges {
		if e.Grade != "M" || e.P <= 0 || e.LagMax < time.Second || e.Source != "mined/region-1" {
			t.Errorf("edge %+v", e)
		}
		if e.Paths[0].String() != mining.SamePath {
			t.Errorf("%s: first path %s", e.ID(), e.Paths[0])
		}
		for _, p := range e.Paths {
			if err := graph.ResourceSchema().CheckPath(p); err != nil {
				t.Error(err)
			}
		}
		if len(e.Paths) == 2 {
			both++
		}
	}
	if both == 0 {
		t.Error("no edge reaches linked resources, yet all do")
	}
}

func TestNetworkWideStorm(t *testing.T) {
	// Every device raises in every minute: nothing can be told of links or causes,
	// and nothing may be claimed.
	var occ []mining.Occurrence
	r := rand.New(rand.NewPCG(9, 9))
	for d := range 150 {
		for range 60 {
			occ = append(occ, mining.Occurrence{Type: string(rune('A' + r.IntN(4))), Device: fmt.Sprint(d), Raised: after(1200 * r.Float64())})
		}
	}
	res := mine(t, mining.Input{Occurrences: occ})
	if len(res.Edges) != 0 || res.Links != 0 {
		t.Errorf("edges %q over %d links out of noise", arrows(res), res.Links)
	}
}

func BenchmarkMine65000(b *testing.B) {
	h := plant{types: 40, devices: 440, density: 0.08, alarms: 26000, linked: true, loss: 0.02, delay: 2, repeat: 0.1}.run(1)
	b.ReportAllocs()
	for b.Loop() {
		mine(b, h.in)
	}
	b.ReportMetric(float64(len(h.in.Occurrences)), "alarms")
}
