package walk_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"faultline/graph/walk"
)

func randomGraph(r *rand.Rand, n, edges int) *walk.Sparse {
	var b walk.SparseBuilder
	for range edges {
		b.Add(int32(r.IntN(n)), int32(r.IntN(n)), 0.1+r.Float32())
	}
	return b.Build(n)
}

// powerIteration is the definition, applied until it no longer moves.
func powerIteration(s *walk.Sparse, seeds []walk.Seed, damping float64) []float64 {
	n := s.Len()
	start, p := make([]float64, n), make([]float64, n)
	total := 0.0
	for _, x := range seeds {
		total += x.Weight
	}
	for _, x := range seeds {
		start[x.Node] += x.Weight / total
	}
	copy(p, start)
	for range 500 {
		next := make([]float64, n)
		back := 1 - damping
		for u := range n {
			to, w := s.Row(int32(u))
			sum := 0.0
			for _, x := range w {
				sum += float64(x)
			}
			if sum == 0 {
				back += damping * p[u]
				continue
			}
			for i, v := range to {
				next[v] += damping * p[u] * float64(w[i]) / sum
			}
		}
		for u := range n {
			next[u] += back * start[u]
		}
		p = next
	}
	return p
}

func TestPersonalisedPageRankAgainstPowerIteration(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		n := 2 + r.IntN(60)
		s := randomGraph(r, n, r.IntN(4*n)) // sparse ones have dangling nodes
		var seeds []walk.Seed
		for range 1 + r.IntN(4) {
			seeds = append(seeds, walk.Seed{Node: int32(r.IntN(n)), Weight: 0.1 + r.Float64()})
		}
		damping := 0.3 + 0.6*r.Float64()
		want := powerIteration(s, seeds, damping)
		got := make([]float64, n)
		for _, x := range walk.PersonalisedPageRank(s, seeds, walk.PageRankOptions{Damping: damping, Epsilon: 1e-12}) {
			got[x.Node] = x.Value
		}
		for i := range n {
			if math.Abs(got[i]-want[i]) > 1e-8 {
				t.Fatalf("round %d: node %d of %d: push %.10f, power iteration %.10f", round, i, n, got[i], want[i])
			}
		}
	}
}

func TestPersonalisedPageRankIsRepeatableAndOrdered(t *testing.T) {
	s := randomGraph(rand.New(rand.NewPCG(3, 4)), 300, 1500)
	seeds := []walk.Seed{{Node: 7, Weight: 2}, {Node: 200, Weight: 1}}
	o := walk.PageRankOptions{Damping: 0.8, Epsilon: 1e-6}
	want := walk.PersonalisedPageRank(s, seeds, o)
	for i := 1; i < len(want); i++ {
		if a, b := want[i-1], want[i]; a.Value < b.Value || a.Value == b.Value && a.Node >= b.Node {
			t.Fatalf("%v before %v", a, b)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := walk.PersonalisedPageRank(s, seeds, o); !reflect.DeepEqual(got, want) {
				t.Error("the same walk gave other shares")
			}
		})
	}
	wg.Wait()
}

func TestPersonalisedPageRankBounds(t *testing.T) {
	s := randomGraph(rand.New(rand.NewPCG(5, 6)), 50, 200)
	seed := []walk.Seed{{Node: 1, Weight: 1}}
	for _, tc := range []struct {
		name  string
		seeds []walk.Seed
		o     walk.PageRankOptions
		empty bool
	}{
		{"no seeds", nil, walk.PageRankOptions{Damping: 0.5, Epsilon: 1e-3}, true},
		{"seed outside the graph", []walk.Seed{{Node: 50, Weight: 1}}, walk.PageRankOptions{Damping: 0.5, Epsilon: 1e-3}, true},
		{"no bound at all", seed, walk.PageRankOptions{Damping: 0.5}, true},
		{"one push", seed, walk.PageRankOptions{Damping: 0.5, MaxPushes: 1}, false},
	} {
		if got := walk.PersonalisedPageRank(s, tc.seeds, tc.o); (len(got) == 0) != tc.empty {
			t.Errorf("%s: %d scores", tc.name, len(got))
		}
	}
}

func TestSparseBuilderAddsUpParallelEdges(t *testing.T) {
	var b walk.SparseBuilder
	b.Add(2, 0, 1)
	b.Add(0, 1, 1)
	b.Add(2, 0, 2)
	b.Add(1, 1, 0)
	s := b.Build(5)
	if got := fmt.Sprint(s.Len(), s.Start, s.To, s.Weight); got != "5 [0 1 1 2 2 2] [1 0] [1 3]" {
		t.Error(got)
	}
}

func BenchmarkPersonalisedPageRank(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		s := randomGraph(rand.New(rand.NewPCG(7, 8)), n, 5*n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				walk.PersonalisedPageRank(s, []walk.Seed{{Node: 1, Weight: 1}, {Node: 2, Weight: 1}}, walk.PageRankOptions{Damping: 0.74, Epsilon: 2e-5})
			}
		})
	}
}
