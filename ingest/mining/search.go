package mining

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
)

// minGain is the least improvement worth a step, nats; it also ends the search.
const minGain = 1e-3

// graphFit is the graph that the search ended with. For every effect it keeps the
// fit, the fit with each source toggled (nil: cannot help), and the fit without
// any source of each cause.
type graphFit struct {
	cur     []*fitted
	toggle  [][]*fitted // effect -> source
	without [][]*fitted // effect -> cause; nil when it is no cause
	edge    [][]bool
	hops    int
	penalty float64
}

// search climbs from the known edges to a graph of locally highest score by
// adding, dropping and reversing one cause at a time; the score is a sum over the
// effects, so a step needs new fits of the one or two effects that it touches.
func search(ctx context.Context, nodes []*node, pri *priors, opt Options) (*graphFit, error) {
	n := len(nodes)
	var total float64
	for _, nd := range nodes {
		total += float64(len(nd.dev))
	}
	g := &graphFit{
		cur: make([]*fitted, n), toggle: make([][]*fitted, n), without: make([][]*fitted, n),
		edge: grid(n), hops: opt.Hops + 1,
		penalty: opt.Penalty * 0.5 * math.Log(total) * float64(len(opt.Kernels)),
	}
	dirty := make([]int, n)
	for j := range n {
		dirty[j] = j
		for i := range n {
			g.edge[i][j] = pri.known[i][j]
		}
	}
	for {
		err := parallel(ctx, dirty, func(j int) { g.refresh(nodes, pri, opt, j) })
		if err != nil {
			return nil, err
		}
		if dirty = g.step(pri, opt.AllowCycles); dirty == nil {
			return g, nil
		}
	}
}

// refresh fits one effect's present sources, when that is still to do, and all its
// neighbours in the search.
func (g *graphFit) refresh(nodes []*node, pri *priors, opt Options, j int) {
	nd, n := nodes[j], len(nodes)
	if g.cur[j] == nil {
		f := nd.fit(nil, nil, opt, g.penalty)
		var known []int
		for i := range n {
			if pri.known[i][j] {
				known = append(known, i*g.hops)
			}
		}
		if known != nil {
			f = nd.fit(known, f, opt, g.penalty)
		}
		g.cur[j] = f
	}
	f := g.cur[j]
	mine := f.sources[f.own:]
	g.toggle[j] = make([]*fitted, n*g.hops)
	g.without[j] = make([]*fitted, n)
	for src := range g.toggle[j] {
		i := src / g.hops
		if i == j || pri.excluded[i][j] {
			continue
		}
		if at, has := slices.BinarySearch(mine, src); !has {
			if nd.helps(src, f) {
				g.toggle[j][src] = nd.fit(slices.Insert(slices.Clone(mine), at, src), f, opt, g.penalty)
			}
		} else {
			g.toggle[j][src] = nd.fit(slices.Delete(slices.Clone(mine), at, at+1), f, opt, g.penalty)
			rest := slices.DeleteFunc(slices.Clone(mine), func(s int) bool { return s/g.hops == i })
			if len(rest) == len(mine)-1 {
				g.without[j][i] = g.toggle[j][src]
			} else if g.without[j][i] == nil {
				g.without[j][i] = nd.fit(rest, f, opt, g.penalty)
			}
		}
	}
}

// step makes the best move and returns the effects that it touched, nil when no
// move gains.
func (g *graphFit) step(pri *priors, cycles bool) []int {
	best := minGain
	var move func() []int
	for j, f := range g.cur {
		for src, t := range g.toggle[j] {
			i := src / g.hops
			if t == nil || t.score-f.score <= best {
				continue
			}
			if f.has(src) {
				last := g.without[j][i] == t
				if last && pri.known[i][j] {
					continue
				}
				best, move = t.score-f.score, func() []int { g.edge[i][j] = !last; g.cur[j] = t; return []int{j} }
			} else if g.edge[i][j] || cycles || !reaches(g.edge, j, i) {
				best, move = t.score-f.score, func() []int { g.edge[i][j] = true; g.cur[j] = t; return []int{j} }
			}
		}
		if cycles {
			continue // both directions may stand, so none has to yield
		}
		for i, w := range g.without[j] {
			if w == nil || pri.known[i][j] {
				continue
			}
			t := g.bestAdd(j, i)
			if t == nil {
				continue
			}
			gain := w.score - f.score + t.score - g.cur[i].score
			if gain <= best {
				continue
			}
			g.edge[i][j] = false
			if !reaches(g.edge, i, j) {
				best, move = gain, func() []int {
					g.edge[i][j], g.edge[j][i] = false, true
					g.cur[j], g.cur[i] = w, t
					return []int{i, j}
				}
			}
			g.edge[i][j] = true
		}
	}
	if move == nil {
		return nil
	}
	return move()
}

// bestAdd is the best fit of effect j with one source of cause i more.
func (g *graphFit) bestAdd(i, j int) *fitted {
	var best *fitted
	for h := range g.hops {
		if t := g.toggle[j][i*g.hops+h]; t != nil && (best == nil || t.score > best.score) {
			best = t
		}
	}
	return best
}

// gain is what the score loses without the edge i -> j, or would win with it.
func (g *graphFit) gain(i, j int) float64 {
	if g.edge[i][j] {
		if w := g.without[j][i]; w != nil {
			return g.cur[j].score - w.score
		}
		return -g.penalty
	}
	if t := g.bestAdd(i, j); t != nil {
		return t.score - g.cur[j].score
	}
	return -g.penalty
}

// rank orders pairs: edges first, each by what it gains, excluded pairs last.
func (g *graphFit) rank(i, j int, pri *priors) float64 {
	const apart = 1e9
	switch {
	case pri.known[i][j]:
		return 2 * apart
	case pri.excluded[i][j]:
		return -2 * apart
	case g.edge[i][j]:
		return apart + g.gain(i, j)
	}
	return g.gain(i, j)
}

// parallel runs f for every item on all processors and waits for the end; a
// cancelled context stops it between items.
func parallel(ctx context.Context, items []int, f func(int)) error {
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(items)) {
		wg.Go(func() {
			for j := range work {
				f(j)
			}
		})
	}
	var err error
	for _, j := range items {
		if err = ctx.Err(); err != nil {
			break
		}
		work <- j
	}
	close(work)
	wg.Wait()
	return err
}
