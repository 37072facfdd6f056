package embedded_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"faultline/graph"
	"faultline/graph/embedded"
	"faultline/graph/graphtest"
	"faultline/graph/walk"
	"faultline/migrations"
)

// inventory makes an operator's inventory: ids, roles, names and attributes of usual
// length, and relations of which most stay near their entity and some do not.
func inventory(entities, relations int) []graph.Change {
	r := rand.New(rand.NewPCG(9, 10))
	kinds := []graph.Kind{"NE", "Board", "Port", "Link", "RRU", "Cell", "ONU", "FibreSection"}
	types := []graph.RelationType{graph.Contains, graph.Connects, graph.Powers, graph.Hosts, graph.Carries, graph.DependsOn, graph.Serves}
	id := func(i int) graph.ID { return graph.ID(fmt.Sprintf("site-%05d/element-%02d", i/20, i%20)) }
	by := graph.Provenance{Source: "inventory-2026-03.csv", Version: "2026-03-01", Rule: "row"}
	changes := make([]graph.Change, 0, entities+relations)
	change := func() *graph.Change {
		by.Span = fmt.Sprintf("line %d", len(changes)+2)
		changes = append(changes, graph.Change{ID: fmt.Sprintf("inventory-2026-03.csv#%d", len(changes)), Op: graph.OpPut, At: graphtest.Epoch, By: by})
		return &changes[len(changes)-1]
	}
	for i := range entities {
		change().Entity = &graph.Entity{
			ID: id(i), Kind: kinds[i%len(kinds)], Role: "access", Name: fmt.Sprintf("Element %d of site %d", i%20, i/20), Domain: "wireless",
			Attrs: map[string]string{"vendor": "vendor-a", "lat": fmt.Sprintf("%.5f", 59+r.Float64()), "lon": fmt.Sprintf("%.5f", 18+r.Float64()), "serial": fmt.Sprintf("SN%012d", r.Uint64N(1e12))},
		}
	}
	seen := map[graph.RelationKey]bool{}
	for len(changes) < entities+relations {
		from := r.IntN(entities)
		to := (from + 1 + r.IntN(60)) % entities
		if r.IntN(10) == 0 {
			to = r.IntN(entities)
		}
		rel := graph.Relation{From: id(from), Type: types[r.IntN(len(types))], To: id(to)}
		if !seen[rel.Key()] {
			seen[rel.Key()] = true
			change().Relation = &rel
		}
	}
	return changes
}

// large is one store of 100,000 entities and 500,000 relations for all benchmarks.
var large = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "faultline-bench")
	if err != nil {
		panic(err)
	}
	scrap = dir
	path := filepath.Join(dir, "graph.db")
	s := mustOpen(path)
	if err := s.Apply(context.Background(), inventory(100_000, 500_000)); err != nil {
		panic(err)
	}
	if err := s.Close(); err != nil {
		panic(err)
	}
	return path
})

// scrap is the folder of large, once it is made.
var scrap string

func TestMain(m *testing.M) {
	code := m.Run()
	if scrap != "" {
		os.RemoveAll(scrap)
	}
	os.Exit(code)
}

func mustOpen(path string) *embedded.Store {
	s, err := embedded.Open(context.Background(), embedded.Options{Path: path, Migrations: migrations.SQLite})
	if err != nil {
		panic(err)
	}
	return s
}

func BenchmarkBulkApply(b *testing.B) {
	changes := inventory(100_000, 200_000)
	for b.Loop() {
		b.StopTimer()
		path := filepath.Join(b.TempDir(), "graph.db")
		s := mustOpen(path)
		b.StartTimer()
		if err := s.Apply(b.Context(), changes); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		if info, err := os.Stat(path); err == nil {
			b.ReportMetric(float64(info.Size())/1e6, "MB-file")
		}
		b.StartTimer()
	}
}

func BenchmarkReopen(b *testing.B) {
	path := large()
	for b.Loop() {
		var before, after runtime.MemStats
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		s := mustOpen(path)
		if _, err := s.Entity(b.Context(), "site-00000/element-00", graph.AsOf{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-heap")
		s.Close()
		b.StartTimer()
	}
}

func BenchmarkTwoHops(b *testing.B) {
	s := mustOpen(large())
	defer s.Close()
	r := rand.New(rand.NewPCG(11, 12))
	var took []time.Duration
	reached := 0
	for b.Loop() {
		start := graph.ID(fmt.Sprintf("site-%05d/element-%02d", r.IntN(5000), r.IntN(20)))
		t := time.Now()
		got, err := walk.KHop(b.Context(), s, start, 2, graph.Filter{Dir: graph.Both})
		took = append(took, time.Since(t))
		if err != nil {
			b.Fatal(err)
		}
		reached += len(got)
	}
	report(b, took)
	b.ReportMetric(float64(reached)/float64(len(took)), "reached")
}

// BenchmarkAlarm is the smallest durable batch: an alarm and what it was raised on,
// and its end.
func BenchmarkAlarm(b *testing.B) {
	s := mustOpen(large())
	defer s.Close()
	var took []time.Duration
	i := 0
	for b.Loop() {
		by := graph.Provenance{Source: "alarms"}
		id := graph.ID(fmt.Sprintf("alarm/%d", i))
		op := graph.OpPut
		if i%2 == 1 {
			op, id = graph.OpRetract, graph.ID(fmt.Sprintf("alarm/%d", i-1))
		}
		t := time.Now()
		err := s.Apply(b.Context(), []graph.Change{
			{ID: fmt.Sprintf("%d-%d-e", i, b.N), Op: op, At: graphtest.Epoch.Add(time.Duration(i) * time.Second), By: by, Entity: &graph.Entity{ID: id, Kind: graph.KindAlarm}},
			{ID: fmt.Sprintf("%d-%d-r", i, b.N), Op: op, At: graphtest.Epoch.Add(time.Duration(i) * time.Second), By: by, Relation: &graph.Relation{From: id, Type: graph.RaisedOn, To: "site-00000/element-00"}},
		})
		took = append(took, time.Since(t))
		if err != nil {
			b.Fatal(err)
		}
		i++
	}
	report(b, took)
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-us")
}
