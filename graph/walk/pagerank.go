package walk

import (
	"cmp"
	"slices"
	"sync"

	"faultline/graph"
)

// Rows is a weighted directed graph whose nodes are 0..Len()-1. Row may compute its
// answer when asked, so weights can depend on a query.
type Rows interface {
	// Len is the number of nodes.
	Len() int
	// Row returns the far ends of the edges that leave a node and their weights, all
	// positive; they need not add up to one. It gives the same answer, in the same
	// order, for the whole of one walk. The caller does not change the slices.
	Row(node int32) (to []int32, weight []float32)
}

// Sparse is a graph in compressed rows: the edges that leave node i are To[k] and
// Weight[k] for Start[i] <= k < Start[i+1].
type Sparse struct {
	Start  []int32
	To     []int32
	Weight []float32
}

// Len is the number of nodes.
func (s *Sparse) Len() int { return max(0, len(s.Start)-1) }

// Row returns the edges that leave a node.
func (s *Sparse) Row(i int32) ([]int32, []float32) {
	a, b := s.Start[i], s.Start[i+1]
	return s.To[a:b], s.Weight[a:b]
}

// SparseBuilder collects edges in any order.
type SparseBuilder struct {
	n     int32
	edges []sparseEdge
}

type sparseEdge struct {
	from, to int32
	weight   float32
}

// Add adds an edge, and with it every node up to its ends. Weights of the same pair
// add up; an edge whose weight is not positive is left out.
func (b *SparseBuilder) Add(from, to int32, weight float32) {
	b.n = max(b.n, from+1, to+1)
	if weight > 0 {
		b.edges = append(b.edges, sparseEdge{from, to, weight})
	}
}

// Build returns the graph with at least n nodes, each row by far end.
func (b *SparseBuilder) Build(n int) *Sparse {
	slices.SortStableFunc(b.edges, func(x, y sparseEdge) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
	s := &Sparse{Start: make([]int32, max(n, int(b.n))+1)}
	for i, e := range b.edges {
		if i > 0 && b.edges[i-1].from == e.from && b.edges[i-1].to == e.to {
			s.Weight[len(s.Weight)-1] += e.weight
			continue
		}
		s.Start[e.from+1]++
		s.To, s.Weight = append(s.To, e.to), append(s.Weight, e.weight)
	}
	for i := 1; i < len(s.Start); i++ {
		s.Start[i] += s.Start[i-1]
	}
	return s
}

// FromSubgraph returns a subgraph as a weighted graph: node i is g.Entities[i], and each
// relation leads both ways. weight gives an edge's weight, along its relation or against
// it; where that is not positive there is no edge.
func FromSubgraph(g graph.Subgraph, weight func(r graph.Relation, forward bool) float32) *Sparse {
	var b SparseBuilder
	for _, r := range g.Relations {
		from, ok1 := g.Index(r.From)
		to, ok2 := g.Index(r.To)
		if ok1 && ok2 {
			b.Add(int32(from), int32(to), weight(r, true))
			b.Add(int32(to), int32(from), weight(r, false))
		}
	}
	return b.Build(len(g.Entities))
}

// Seed is a node that the walk returns to, with its share.
type Seed struct {
	Node   int32
	Weight float64
}

// Score is a node and its share of the walk.
type Score struct {
	Node  int32
	Value float64
}

// PageRankOptions tune PersonalisedPageRank.
type PageRankOptions struct {
	Damping   float64 // chance to go on at each node rather than return to a seed, in (0, 1)
	Epsilon   float64 // a node with no more than this share left unspread is not spread further; 0 spreads until MaxPushes
	MaxPushes int     // upper bound of the work; 0 is none, and then Epsilon must be positive
}

// PersonalisedPageRank returns the stationary shares of a walker who at every node
// returns to a seed, drawn by weight, with chance 1-Damping, and otherwise follows an
// edge, drawn by weight. From a node without edges it always returns to a seed. The
// shares add up to one less what Epsilon left unspread.
//
// It is the forward push of Andersen, Chung and Lang, "Local Graph Partitioning using
// PageRank Vectors" (2006), with an absolute threshold and a first-in-first-out queue:
// the work depends on the neighbourhood of the seeds, not on the size of the graph.
// The result depends on the order of rows and seeds in the last bits only, and is the
// same for the same input. It lists the nodes that were spread, by share, then node.
func PersonalisedPageRank(g Rows, seeds []Seed, o PageRankOptions) []Score {
	n := g.Len()
	total := 0.0
	for _, s := range seeds {
		if s.Weight > 0 && s.Node >= 0 && int(s.Node) < n {
			total += s.Weight
		}
	}
	if total == 0 || o.Damping < 0 || o.Damping >= 1 || (o.Epsilon <= 0 && o.MaxPushes <= 0) {
		return nil
	}
	sc := pushes.Get().(*pushState)
	defer pushes.Put(sc)
	sc.grow(n)
	restart := func(mass float64) {
		for _, s := range seeds {
			if s.Weight > 0 && s.Node >= 0 && int(s.Node) < n {
				sc.add(s.Node, mass*s.Weight/total, o.Epsilon)
			}
		}
	}
	restart(1)
	for count := 0; sc.head < len(sc.queue) && (o.MaxPushes <= 0 || count < o.MaxPushes); count++ {
		u := sc.pop()
		mass := sc.left[u]
		sc.left[u] = 0
		sc.share[u] += (1 - o.Damping) * mass
		to, weight := g.Row(u)
		sum := 0.0
		for _, w := range weight {
			sum += float64(w)
		}
		if sum == 0 {
			restart(o.Damping * mass)
			continue
		}
		f := o.Damping * mass / sum
		for i, v := range to {
			sc.add(v, f*float64(weight[i]), o.Epsilon)
		}
	}
	return sc.finish()
}

// pushState is the dense memory of one walk. It is all zero between walks, so that
// clearing costs what the walk touched.
type pushState struct {
	share, left []float64
	seen, wait  []bool
	touched     []int32
	queue       []int32
	head        int
}

var pushes = sync.Pool{New: func() any { return new(pushState) }}

func (s *pushState) grow(n int) {
	if len(s.share) < n {
		*s = pushState{share: make([]float64, n), left: make([]float64, n), seen: make([]bool, n), wait: make([]bool, n)}
	}
}

func (s *pushState) add(v int32, mass, epsilon float64) {
	s.left[v] += mass
	if !s.seen[v] {
		s.seen[v] = true
		s.touched = append(s.touched, v)
	}
	if !s.wait[v] && s.left[v] > epsilon {
		s.wait[v] = true
		s.queue = append(s.queue, v)
	}
}

func (s *pushState) pop() int32 {
	u := s.queue[s.head]
	s.wait[u] = false
	if s.head++; s.head > 4096 && s.head*2 > len(s.queue) {
		s.queue = append(s.queue[:0], s.queue[s.head:]...)
		s.head = 0
	}
	return u
}

func (s *pushState) finish() []Score {
	var out []Score
	for _, v := range s.touched {
		if s.share[v] > 0 {
			out = append(out, Score{v, s.share[v]})
		}
		s.share[v], s.left[v], s.seen[v], s.wait[v] = 0, 0, false, false
	}
	s.touched, s.queue, s.head = s.touched[:0], s.queue[:0], 0
	slices.SortFunc(out, func(a, b Score) int { return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Node, b.Node)) })
	return out
}
