package mining

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
)

const (
	minGain = 1e-3 // least improvement worth a step, nats
	batch   = 8    // trials renewed at once; fixed, so that results do not depend on the machine
)

// trial is what one change of an effect's sources would gain.
type trial struct {
	gain float64
	base *fitted // the fit that it was measured against; stale when the effect has another now
}

// graphFit is the graph under search.
type graphFit struct {
	nodes   []*node
	pri     *priors
	opt     Options
	hops    int
	edge    [][]bool
	cur     []*fitted // per effect
	toggle  [][]trial // effect -> source: with it if it is out, without it if it is in
	without [][]trial // effect -> cause: without any of its sources; measured for causes only
}

// search climbs from the known edges to a graph of locally highest score by
// adding, dropping and reversing one cause at a time. The score is a sum over the
// effects, so a step touches one or two fits. Trials are lazy: another source
// mostly takes away from what a source can gain, so a stale gain serves as a bound
// and only trials at the top are renewed. Before the search ends, all are.
func search(ctx context.Context, nodes []*node, pri *priors, opt Options) (*graphFit, error) {
	n := len(nodes)
	g := &graphFit{
		nodes: nodes, pri: pri, opt: opt, hops: opt.Hops + 1, edge: grid(n), cur: make([]*fitted, n),
		toggle: make([][]trial, n), without: make([][]trial, n),
	}
	var total float64
	for _, nd := range nodes {
		total += float64(len(nd.dev))
	}
	bic := opt.Penalty * 0.5 * math.Log(total) * float64(len(opt.Kernels))
	err := parallel(ctx, n, func(j int) { g.begin(j, bic) })
	for err == nil {
		best, stale := g.moves()
		switch {
		case len(stale) > 0:
			err = g.renew(ctx, stale[:min(batch, len(stale))])
		case best.gain > minGain:
			err = g.apply(ctx, best)
		default:
			var all []move
			for j := range n {
				for src := range g.toggle[j] {
					if g.toggle[j][src].base != g.cur[j] {
						all = append(all, move{j: j, src: src, back: -1})
					}
				}
			}
			if all == nil {
				return g, nil
			}
			err = g.renew(ctx, all)
		}
	}
	return nil, err
}

// begin prices the sources of effect j and fits what is known of it. A price is the
// BIC penalty and a share of what the source gains when it stands alone: no model
// of the paths between two types is exact, so a little of a strong association
// leaks past the causes that explain it.
func (g *graphFit) begin(j int, bic float64) {
	nd, n := g.nodes[j], len(g.nodes)
	nd.price = make([]float64, n*g.hops)
	g.toggle[j], g.without[j] = make([]trial, n*g.hops), make([]trial, n)
	alone := nd.fit(nil, nil, g.opt)
	for src := range nd.price {
		t := trial{0, alone}
		if i := src / g.hops; i != j && nd.helps(src, alone) {
			t.gain = nd.fit([]int{src}, alone, g.opt).score - alone.score
		}
		nd.price[src] = bic + g.opt.Leak*max(0, t.gain)
		if t.gain -= nd.price[src]; g.pri.excluded[src/g.hops][j] {
			t.gain = -nd.price[src]
		}
		g.toggle[j][src] = t
	}
	g.cur[j] = alone
	var known []int
	for i := range n {
		if g.edge[i][j] = g.pri.known[i][j]; g.edge[i][j] {
			known = append(known, i*g.hops)
		}
	}
	if known != nil {
		g.cur[j] = nd.fit(known, alone, g.opt)
		for _, src := range known {
			g.tryWithout(j, src/g.hops)
		}
	}
}

// move toggles a source of effect j. With back >= 0 it is a reversal: j loses the
// cause of src altogether, and that cause gets the source back.
type move struct {
	gain         float64
	j, src, back int
}

// moves returns the best move among fresh trials, and the moves with a stale trial
// that might beat it, most promising first.
func (g *graphFit) moves() (best move, stale []move) {
	best = move{gain: minGain}
	below := descendants(g.edge)
	consider := func(m move, fresh bool) {
		if !fresh {
			stale = append(stale, m)
		} else if m.gain > best.gain {
			best = m
		}
	}
	for j, f := range g.cur {
		for src := range g.toggle[j] {
			i, t := src/g.hops, g.toggle[j][src]
			last := f.has(src) && g.sourcesOf(i, j) == 1
			if t.gain > minGain && i != j && !(last && g.pri.known[i][j]) &&
				(g.edge[i][j] || g.opt.AllowCycles || !below[j][i]) {
				consider(move{t.gain, j, src, -1}, t.base == f)
			}
		}
		for i := range g.without[j] {
			if !g.edge[i][j] || g.pri.known[i][j] || g.opt.AllowCycles || detour(g.edge, below, i, j) {
				continue
			}
			for back := j * g.hops; back < (j+1)*g.hops; back++ {
				w, t := g.without[j][i], g.toggle[i][back]
				if w.gain+t.gain > minGain {
					consider(move{w.gain + t.gain, j, i * g.hops, back}, w.base == f && t.base == g.cur[i])
				}
			}
		}
	}
	stale = slices.DeleteFunc(stale, func(m move) bool { return m.gain <= best.gain })
	slices.SortFunc(stale, func(a, b move) int {
		return cmp.Or(cmp.Compare(b.gain, a.gain), cmp.Compare(a.j, b.j), cmp.Compare(a.src, b.src), cmp.Compare(a.back, b.back))
	})
	return best, stale
}

// renew measures the trials of moves against the fits of now.
func (g *graphFit) renew(ctx context.Context, moves []move) error {
	return parallel(ctx, len(moves), func(k int) {
		m := moves[k]
		if m.back < 0 {
			g.try(m.j, m.src)
			return
		}
		i := m.src / g.hops
		g.tryWithout(m.j, i)
		g.try(i, m.back)
	})
}

// try measures the toggle of one source.
func (g *graphFit) try(j, src int) {
	nd, f := g.nodes[j], g.cur[j]
	t := trial{-nd.price[src], f}
	if i := src / g.hops; i != j && !g.pri.excluded[i][j] && (f.has(src) || nd.helps(src, f)) {
		t.gain = nd.fit(f.toggled(src), f, g.opt).score - f.score
	}
	g.toggle[j][src] = t
}

// tryWithout measures effect j without cause i.
func (g *graphFit) tryWithout(j, i int) {
	f := g.cur[j]
	g.without[j][i] = trial{g.nodes[j].fit(f.lacking(i, g.hops), f, g.opt).score - f.score, f}
}

// apply makes a move and measures what dropping each cause of the effects that it
// touched would gain now.
func (g *graphFit) apply(ctx context.Context, m move) error {
	i, touched := m.src/g.hops, []int{m.j}
	f := g.cur[m.j]
	if m.back < 0 {
		g.cur[m.j] = g.nodes[m.j].fit(f.toggled(m.src), f, g.opt)
	} else {
		g.cur[m.j] = g.nodes[m.j].fit(f.lacking(i, g.hops), f, g.opt)
		g.cur[i] = g.nodes[i].fit(g.cur[i].toggled(m.back), g.cur[i], g.opt)
		g.edge[m.j][i] = true
		touched = append(touched, i)
	}
	g.edge[i][m.j] = g.sourcesOf(i, m.j) > 0
	type task struct{ j, src int }
	var tasks []task
	for _, j := range touched {
		for _, src := range g.cur[j].sources[g.cur[j].own:] {
			tasks = append(tasks, task{j, src})
		}
	}
	return parallel(ctx, len(tasks), func(k int) {
		j, src := tasks[k].j, tasks[k].src
		g.try(j, src)
		switch c := src / g.hops; {
		case g.sourcesOf(c, j) == 1:
			g.without[j][c] = g.toggle[j][src]
		case src%g.hops == g.first(c, j)%g.hops: // one of the tasks of this cause
			g.tryWithout(j, c)
		}
	})
}

// sourcesOf counts the sources by which i is a cause of j; first is the first.
func (g *graphFit) sourcesOf(i, j int) (n int) {
	for h := range g.hops {
		if g.cur[j].has(i*g.hops + h) {
			n++
		}
	}
	return n
}

func (g *graphFit) first(i, j int) int {
	for src := i * g.hops; ; src++ {
		if g.cur[j].has(src) {
			return src
		}
	}
}

// gain is what the score loses without the edge i -> j, or would win with it.
func (g *graphFit) gain(i, j int) float64 {
	if g.edge[i][j] {
		return -g.without[j][i].gain
	}
	best := math.Inf(-1)
	for src := i * g.hops; src < (i+1)*g.hops; src++ {
		best = max(best, g.toggle[j][src].gain)
	}
	return best
}

// rank orders pairs: edges first, by their gain per occurrence of the cause, then
// what an edge would gain; excluded pairs last.
func (g *graphFit) rank(i, j int) float64 {
	const apart = 1e9
	switch {
	case g.pri.known[i][j]:
		return 2 * apart
	case g.pri.excluded[i][j]:
		return -2 * apart
	case g.edge[i][j]:
		return apart + g.gain(i, j)/float64(len(g.nodes[i].dev))
	}
	return g.gain(i, j)
}

// parallel runs f for 0 to n-1 on all processors and waits for the end; a
// cancelled context stops it between items.
func parallel(ctx context.Context, n int, f func(int)) error {
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() {
			for k := range work {
				f(k)
			}
		})
	}
	var err error
	for k := 0; k < n && err == nil; k++ {
		if err = ctx.Err(); err == nil {
			work <- k
		}
	}
	close(work)
	wg.Wait()
	return err
}
