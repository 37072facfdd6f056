package reason

import (
	"cmp"
	"container/heap"
	"context"
	"math"
	"slices"
	"time"

	"faultline/graph"
	"faultline/rca"
)

// place is where an alarm type can stand.
type place struct {
	alarmType string
	resource  graph.ID
}

// span is an interval of seconds since the incident's first alarm.
type span struct{ lo, hi float64 }

var always = span{math.Inf(-1), math.Inf(1)}

// arc is one grounded causal edge between two nodes of a model.
type arc struct {
	from    *node
	edge    *rca.CausalEdge
	q       float64 // probability that the parent brings this node, the parent's belief included
	timing  float64 // how well the observed time fits, 0..1
	elapsed float64 // share of the lag window that had passed when the record ends
}

// node is an alarm, or the root, in the world that a set of causes implies.
type node struct {
	place
	rank   int
	root   bool
	in     []arc
	reach  float64 // probability that its condition holds
	belief float64 // the same after looking whether the alarm is there
	when   span
	until  float64 // when the condition ended, +Inf when it did not
	alarm  int     // index of the observed alarm, -1 for none
	miss   float64 // probability that the alarm should have been seen; 0 when it was
	index  int     // of the heap
}

// model is the forward propagation of a set of causes.
type model struct {
	roots []*node
	nodes []*node // in the order in which they were settled
	gain  float64 // sum over observed alarms
	loss  float64 // sum over missing alarms
	byObs map[int]explained
}

// explained says which node an observed alarm is, and what that is worth.
type explained struct {
	*node
	gain float64 // log-likelihood against the leak alone
}

// score of the causes, less the constant that all share.
func (m *model) score() float64 { return m.gain + m.loss }

// world is what one analysis looks at.
type world struct {
	r      *Reasoner
	alarms []rca.Alarm
	at     map[place][]int
	start  time.Time
	end    float64 // seconds since start at which the record ends
	leak   []float64
	detect []float64
	known  []bool
	silent map[graph.ID]float64 // resources that an observed alarm keeps from reporting
}

func (r *Reasoner) newWorld(inc rca.Incident, now time.Time) *world {
	w := &world{r: r, alarms: inc.Alarms, at: map[place][]int{}, start: inc.First, end: now.Sub(inc.First).Seconds()}
	for i, a := range inc.Alarms {
		p := place{a.Type, a.Resource}
		w.at[p] = append(w.at[p], i)
		leak, detect := defaultLeak, defaultDetect
		t, ok := r.o.Knowledge.AlarmType(a.Type)
		if ok {
			leak, detect = cmp.Or(t.Leak, leak), cmp.Or(t.Detect, detect)
		}
		if t.Noise || !ok {
			leak = 1 // outside the knowledge: neither for nor against anything
		}
		w.leak = append(w.leak, leak)
		w.detect = append(w.detect, detect)
		w.known = append(w.known, ok && !t.Noise)
	}
	return w
}

func (w *world) seconds(t time.Time) float64 { return t.Sub(w.start).Seconds() }

// onset is when a cause must have struck, from the first of the alarms that it
// brings directly.
func (w *world) onset(ctx context.Context, s rca.Suspect) (span, error) {
	first, when := math.Inf(1), always
	for e := range w.r.o.Knowledge.Effects(s.Mode) {
		for i := range e.Paths {
			ends, err := w.r.o.Topology.Follow(ctx, s.Resource, &e.Paths[i])
			if err != nil {
				return when, err
			}
			for _, id := range ends {
				for _, a := range w.at[place{e.Effect, id}] {
					if t := w.seconds(w.alarms[a].Raised); t < first {
						first = t
						when = span{t - e.LagMax.Seconds(), t - e.LagMin.Seconds()}
					}
				}
			}
		}
	}
	return when, nil
}

// propagate works out what a set of causes implies and how well that fits.
func (w *world) propagate(ctx context.Context, causes []rca.Suspect) (*model, error) {
	m := &model{byObs: map[int]explained{}}
	nodes := map[place]*node{}
	muted := map[graph.ID]float64{}
	var q queue
	for _, s := range causes {
		when, err := w.onset(ctx, s)
		if err != nil {
			return nil, err
		}
		n := &node{place: place{s.Mode, s.Resource}, rank: -1, root: true, reach: 1, belief: 1, when: when, until: math.Inf(1), alarm: -1}
		m.roots = append(m.roots, n)
		heap.Push(&q, n)
	}
	var misses []float64
	missType := map[string][]float64{}
	settled := map[*node]bool{}
	for q.Len() > 0 {
		n := heap.Pop(&q).(*node)
		settled[n] = true
		m.nodes = append(m.nodes, n)
		if !n.root {
			if err := w.settle(ctx, m, n, muted, missType); err != nil {
				return nil, err
			}
			if n.belief < minBelief {
				continue
			}
			if err := w.mute(ctx, n, muted); err != nil {
				return nil, err
			}
		}
		if len(m.nodes) > maxNodes {
			break
		}
		for e := range w.r.o.Knowledge.Effects(n.alarmType) {
			if n.belief*e.P < minBelief {
				continue
			}
			for i := range e.Paths {
				ends, err := w.r.o.Topology.Follow(ctx, n.resource, &e.Paths[i])
				if err != nil {
					return nil, err
				}
				for _, id := range ends {
					p := place{e.Effect, id}
					c := nodes[p]
					if c == nil {
						c = &node{place: p, rank: w.r.rank[e.Effect], alarm: -1, until: math.Inf(1)}
						nodes[p] = c
						heap.Push(&q, c)
					}
					if settled[c] {
						continue // the documented two-way pair: the first direction wins
					}
					c.in = append(c.in, arc{from: n, edge: e, q: n.belief * e.P})
				}
			}
		}
	}
	// One kind of alarm that never shows is one failing assumption, not many: the
	// k-th missing alarm of a type counts a k-th of its weight.
	kinds := make([]string, 0, len(missType))
	for t := range missType {
		kinds = append(kinds, t)
	}
	slices.Sort(kinds)
	for _, t := range kinds {
		list := missType[t]
		slices.Sort(list)
		for k, l := range list {
			misses = append(misses, l/float64(k+1))
		}
	}
	for _, l := range misses {
		m.loss += l
	}
	return m, nil
}

// settle fixes a node once all its parents are.
func (w *world) settle(ctx context.Context, m *model, n *node, muted map[graph.ID]float64, missType map[string][]float64) error {
	// Every occurrence at the place is explained; the one that fits the parents best
	// is what the consequences follow from.
	n.reach = -1
	for _, a := range w.at[n.place] {
		t := w.seconds(w.alarms[a].Raised)
		none := 1.0
		for _, x := range n.in {
			none *= 1 - x.q*timing(t, lagged(x), x)
		}
		hit := (1 - none) * w.detect[a]
		leak := w.leak[a]
		gain := math.Log((1 - (1-leak)*(1-hit)) / leak)
		m.byObs[a] = explained{n, gain}
		m.gain += gain
		if 1-none <= n.reach {
			continue
		}
		n.alarm, n.reach = a, 1-none
		n.belief = hit / (hit + leak*(1-hit))
		if hit >= minBelief { // an alarm that is there is true, however it came: its effects cost nothing more
			n.belief = max(n.belief, 0.98)
		}
		if !w.known[a] {
			n.belief = n.reach
		}
	}
	if n.alarm >= 0 {
		t := w.seconds(w.alarms[n.alarm].Raised)
		for i := range n.in {
			n.in[i].timing = timing(t, lagged(n.in[i]), n.in[i])
		}
		n.when = span{t, t}
		if c := w.alarms[n.alarm].Cleared; !c.IsZero() {
			n.until = w.seconds(c)
		}
		return nil
	}
	none, expected := 1.0, 1.0
	n.when = span{math.Inf(1), math.Inf(-1)}
	n.until = math.Inf(-1)
	for i := range n.in {
		x := &n.in[i]
		l := lagged(*x)
		x.timing = 1
		x.elapsed = elapsed(l, min(w.end, x.from.until))
		none *= 1 - x.q*x.elapsed
		expected *= 1 - x.q*x.elapsed
		n.when.lo, n.when.hi = min(n.when.lo, l.lo), max(n.when.hi, l.hi)
		n.until = max(n.until, x.from.until)
	}
	n.reach = 1 - none
	detect, noise := defaultDetect, false
	if t, ok := w.r.o.Knowledge.AlarmType(n.alarmType); ok {
		detect, noise = cmp.Or(t.Detect, detect), t.Noise
	}
	detect *= delivered
	visible, err := w.visible(ctx, n.resource, muted)
	if err != nil {
		return err
	}
	if noise {
		visible = 0
	}
	n.miss = (1 - expected) * detect * visible
	n.belief = n.reach * (1 - detect*visible) / (1 - n.reach*detect*visible + 1e-12)
	if n.miss > 0.01 {
		missType[n.alarmType] = append(missType[n.alarmType], math.Log(1-min(n.miss, maxMiss)))
	}
	return nil
}

// lagged is when a child may come, given when its parent did.
func lagged(x arc) span {
	return span{x.from.when.lo + x.edge.LagMin.Seconds(), x.from.when.hi + x.edge.LagMax.Seconds()}
}

// timing is 1 inside the window and falls off outside it.
func timing(t float64, s span, x arc) float64 {
	d := max(s.lo-t, t-s.hi) - slackSeconds
	f := 1.0
	if d > 0 {
		f = math.Exp(-d / (60 + 0.25*(x.edge.LagMax-x.edge.LagMin).Seconds()))
	}
	if over := t - x.from.until - slackSeconds; over > 0 { // the cause had ended before
		f *= math.Exp(-over / 300)
	}
	return f
}

// elapsed is the share of a window that had passed at the end.
func elapsed(s span, end float64) float64 {
	switch {
	case math.IsInf(s.lo, 0) || math.IsInf(s.hi, 0):
		return 1
	case end >= s.hi:
		return 1
	case end <= s.lo:
		return 0
	default:
		return (end - s.lo) / (s.hi - s.lo)
	}
}

// mute notes which resources cannot report while a node's condition holds.
func (w *world) mute(ctx context.Context, n *node, muted map[graph.ID]float64) error {
	return w.r.keepSilent(ctx, n.place, n.belief, muted)
}

func (r *Reasoner) keepSilent(ctx context.Context, at place, belief float64, muted map[graph.ID]float64) error {
	for _, p := range r.mutes[at.alarmType] {
		ids, err := r.o.Topology.Follow(ctx, at.resource, p)
		if err != nil {
			return err
		}
		for _, id := range ids {
			muted[id] = max(muted[id], belief)
		}
	}
	return nil
}

// hush notes whom the observed alarms keep from reporting, whatever caused them.
func (w *world) hush(ctx context.Context) error {
	w.silent = map[graph.ID]float64{}
	for _, a := range w.alarms {
		if err := w.r.keepSilent(ctx, place{a.Type, a.Resource}, 0.95, w.silent); err != nil {
			return err
		}
	}
	return nil
}

// visible is the probability that a resource could report: it and all that holds it.
func (w *world) visible(ctx context.Context, id graph.ID, muted map[graph.ID]float64) (float64, error) {
	if len(muted) == 0 && len(w.silent) == 0 {
		return 1, nil
	}
	worst := 0.0
	level := []graph.ID{id}
	for depth := 0; depth < 6 && len(level) > 0; depth++ {
		var up []graph.ID
		for _, x := range level {
			worst = max(worst, muted[x])
			if depth > 0 { // what an element says of itself may come with its last breath
				worst = max(worst, w.silent[x])
			}
			ids, err := w.r.o.Topology.Follow(ctx, x, containers)
			if err != nil {
				return 0, err
			}
			up = append(up, ids...)
		}
		level = up
	}
	return 1 - worst, nil
}

// queue orders nodes so that causes are settled before effects.
type queue []*node

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.alarmType, b.alarmType), cmp.Compare(a.resource, b.resource)) < 0
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i]; q[i].index, q[j].index = i, j }

// Push is for container/heap.
func (q *queue) Push(x any) { n := x.(*node); n.index = len(*q); *q = append(*q, n) }

// Pop is for container/heap.
func (q *queue) Pop() any {
	old := *q
	n := old[len(old)-1]
	*q = old[:len(old)-1]
	return n
}
