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

// large is one store of 100,000 entities and 500,000 relations for all benchmarks.
var large = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "faultline-bench")
	if err != nil {
		panic(err)
	}
	scrap = dir
	path := filepath.Join(dir, "graph.db")
	s := mustOpen(path)
	if err := s.Apply(context.Background(), graphtest.Inventory(100_000, 500_000)); err != nil {
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
	changes := graphtest.Inventory(100_000, 200_000)
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
