package hwsim

import (
	"container/heap"
	"math"
	"slices"
	"time"
)

// key is one variable of one resource.
type key struct{ res, v int32 }

// cell is a variable that is not at its nominal value, or on its way.
type cell struct {
	val     float64
	node    int32 // the change that set val, -1 when nominal
	pending bool
	target  float64
	gen     uint32 // of the timer that is running
	from    float64
	since   int64   // start of the ramp
	hours   float64 // its time constant, or hours per unit
	tau     bool
	parents []int32 // causes of the change that is under way
}

// node is one change of state away from the nominal value: a vertex of the causal
// record. Faults are its roots.
type node struct {
	key     key
	fault   int32 // index of the fault that set it, -1 when other changes did
	parents []int32
	at      int64
}

// together is how long after a change a further input that went bad still counts as
// one of its causes: what several failures bring about at once has them all as causes.
const together = int64(15 * time.Second)

type eventKind uint8

const (
	evEval   eventKind = iota // look at a law again
	evDue                     // a delayed change takes effect
	evRamp                    // a ramp crosses a level
	evFault                   // a fault begins
	evRepair                  // a fault ends
	evFlush                   // an element speaks again
	evNoise                   // draw a day of background
	evNoiseOn
	evNoiseOff
)

type event struct {
	at   int64
	seq  uint64
	kind eventKind
	key  key
	gen  uint32
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any     { old := *q; x := old[len(old)-1]; *q = old[:len(old)-1]; return x }

func (p *Plant) schedule(at int64, kind eventKind, k key, gen uint32) {
	p.seq++
	heap.Push(&p.events, event{at, p.seq, kind, k, gen})
}

// run processes every event up to and including to.
func (p *Plant) run(to int64) {
	for len(p.events) > 0 && p.events[0].at <= to {
		ev := heap.Pop(&p.events).(event)
		p.now = ev.at
		switch ev.kind {
		case evEval:
			delete(p.queued, ev.key)
			p.evaluate(ev.key)
		case evDue:
			if c, ok := p.cells[ev.key]; ok && c.pending && c.gen == ev.gen {
				p.commit(ev.key, c.target, c.parents, -1)
			}
		case evRamp:
			if c, ok := p.cells[ev.key]; ok && c.pending && c.gen == ev.gen {
				p.cross(ev.key, c)
			}
		case evFault, evRepair:
			p.toggle(ev.key.res, ev.kind == evFault)
		case evFlush:
			p.flush(ev.key.res)
		case evNoise:
			p.drawNoise(int(ev.key.res))
		case evNoiseOn, evNoiseOff:
			p.noise(ev.key, ev.kind == evNoiseOn)
		}
	}
	p.now = to
}

// value is a variable now, and the change that set it (-1: nominal).
func (p *Plant) value(res int32, v int) (float64, int32) {
	c, ok := p.cells[key{res, int32(v)}]
	if !ok {
		return p.tb.nominal[v], -1
	}
	if c.pending && c.hours > 0 {
		return p.along(c), c.node
	}
	return c.val, c.node
}

// along is where a ramp stands now.
func (p *Plant) along(c cell) float64 {
	h := float64(p.now-c.since) / float64(time.Hour)
	if c.tau {
		return c.target + (c.from-c.target)*math.Exp(-h/c.hours)
	}
	if c.target > c.from {
		return math.Min(c.target, c.from+h/c.hours)
	}
	return math.Max(c.target, c.from-h/c.hours)
}

// touch looks again at every law that reads a variable which has just changed.
func (p *Plant) touch(k key) {
	t := p.topo
	for _, d := range t.deps[t.class[k.res]][k.v] {
		l := &p.tb.laws[d.law]
		ids, tmp := t.follow(k.res, t.inputs[d.law][d.input].back, p.ids, p.tmp)
		for _, r := range ids {
			if t.lawOf[t.class[r]][l.v] == d.law {
				p.enqueue(key{r, int32(l.v)}, l)
			}
		}
		p.ids, p.tmp = ids, tmp
	}
}

func (p *Plant) enqueue(k key, l *law) {
	if _, there := p.queued[k]; there {
		return
	}
	p.queued[k] = struct{}{}
	at := p.now
	if l.period > 0 { // counters are read on the grid of their own clock
		period := int64(l.period * float64(time.Second))
		phase := int64(p.hidden(k.res, "phase") * float64(period))
		at = (p.now-phase)/period*period + phase
		for at <= p.now {
			at += period
		}
	}
	p.schedule(at, evEval, k, 0)
}

func (p *Plant) evaluate(k key) {
	li := p.topo.lawOf[p.topo.class[k.res]][k.v]
	l := &p.tb.laws[li]
	e := &p.env
	e.begin(k.res, int(li))
	target := l.f(e)
	nominal := p.tb.nominal[k.v]
	c, ok := p.cells[k]
	if !ok {
		c = cell{val: nominal, node: -1, target: nominal}
	}
	if l.ramp != nil {
		p.head(k, c, ok, target, l)
		return
	}
	switch {
	case target == c.val:
		if c.pending {
			c.pending = false
			c.gen++
			p.put(k, c)
		} else if c.node >= 0 && p.now-p.nodes[c.node].at <= together {
			p.blame(c.node, e.parents)
		}
		return
	case c.pending && c.target == target:
		c.parents = union(slices.Clone(c.parents), e.parents)
		p.cells[k] = c
		return
	}
	d := l.up
	if math.Abs(target-nominal) > math.Abs(c.val-nominal) {
		d = l.down
		if e.after.hi > 0 {
			d = e.after
		}
	}
	wait := p.delay(k, d)
	if l.alarm != nil && target >= 0.5 {
		wait = max(wait, p.booting(k.res))
	}
	parents := slices.Clone(e.parents)
	if wait == 0 {
		p.cells[k] = c
		p.commit(k, target, parents, -1)
		return
	}
	c.pending, c.target, c.parents = true, target, parents
	p.gen++
	c.gen = p.gen
	p.cells[k] = c
	p.schedule(p.now+wait, evDue, k, c.gen)
}

// bootTime is how long an element that has just got its power back holds its alarms:
// what is only not up yet is no alarm.
const bootTime = int64(4 * time.Minute)

// booting is how long the element that speaks for a resource will still be starting.
func (p *Plant) booting(res int32) int64 {
	if len(p.back) == 0 {
		return 0
	}
	at, ok := p.back[p.element(res)]
	if !ok {
		return 0
	}
	return max(0, at+bootTime-p.now)
}

// blame adds causes to a change of state, but for those that follow from it.
func (p *Plant) blame(n int32, causes []int32) {
	for _, s := range causes {
		if slices.Contains(p.nodes[n].parents, s) {
			continue
		}
		follows := false
		p.backwards(s, func(m int32) bool {
			follows = follows || m == n
			return !follows
		})
		if !follows {
			p.nodes[n].parents = append(slices.Clip(p.nodes[n].parents), s)
		}
	}
}

func union(a, b []int32) []int32 {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}

// delay draws how long a change takes: mostly the resource's own nature, partly
// the occasion.
func (p *Plant) delay(k key, s span) int64 {
	if s.hi == 0 {
		return 0
	}
	u := p.o.Hidden
	if !p.o.Ideal {
		h := p.topo.hash[k.res]
		u = 0.6*unit(mix(p.o.Seed, h, uint64(k.v))) + 0.4*unit(mix(p.o.Seed, h, uint64(k.v), uint64(p.now)))
	}
	return int64((s.lo + (s.hi-s.lo)*u) * float64(time.Second))
}

// put stores a cell, or forgets it when it is nominal and at rest.
func (p *Plant) put(k key, c cell) {
	if !c.pending && c.val == p.tb.nominal[k.v] {
		delete(p.cells, k)
		return
	}
	p.cells[k] = c
}

// commit makes a change of state and tells everyone who reads the variable.
func (p *Plant) commit(k key, val float64, parents []int32, fault int32) {
	c := p.cells[k]
	c.pending, c.val, c.hours, c.parents = false, val, 0, nil
	c.node = -1
	if val != p.tb.nominal[k.v] {
		c.node = int32(len(p.nodes))
		p.nodes = append(p.nodes, node{k, fault, parents, p.now})
	}
	p.put(k, c)
	if int(k.v) == p.tb.live && c.node < 0 {
		p.back[k.res] = p.now
	}
	if li := p.topo.lawOf[p.topo.class[k.res]][k.v]; li >= 0 && p.tb.laws[li].alarm != nil {
		p.alarm(k, &p.tb.laws[li], val >= 0.5, c.node)
		return
	}
	p.touch(k)
	if int(k.v) == p.tb.reach || int(k.v) == p.tb.live {
		p.wake(k.res)
	}
}

// head sends a ramp towards a target.
func (p *Plant) head(k key, c cell, known bool, target float64, l *law) {
	if !known && target == c.val {
		return
	}
	if c.pending && c.hours > 0 {
		c.val = p.along(c)
	}
	hours := l.ramp.rate(&p.env)
	if target == c.val && !c.pending {
		p.put(k, c)
		return
	}
	if c.pending && target == c.target && hours == c.hours {
		return
	}
	c.pending, c.target, c.from, c.since, c.hours, c.tau = true, target, c.val, p.now, hours, l.ramp.tau
	if target != p.tb.nominal[k.v] {
		c.parents = slices.Clone(p.env.parents)
	}
	p.gen++
	c.gen = p.gen
	p.aim(k, c, l.ramp)
}

// snap is how close an exponential comes before it counts as arrived.
const snap = 0.25

// aim schedules the next level that the ramp will cross, and stores it.
func (p *Plant) aim(k key, c cell, r *ramp) {
	next := c.target
	if r.tau {
		next += math.Copysign(snap, c.val-c.target)
		if math.Abs(c.val-c.target) <= snap {
			next = c.val
		}
	}
	for _, l := range r.levels {
		if c.val < l && l < next {
			next = l
			break
		}
		if c.val > l && l > next {
			next = l // the highest below: keep looking
		}
	}
	var h float64
	switch {
	case next == c.val:
	case r.tau:
		h = -c.hours * math.Log((next-c.target)/(c.val-c.target))
	default:
		h = math.Abs(next-c.val) * c.hours
	}
	p.cells[k] = c
	p.schedule(p.now+int64(h*float64(time.Hour))+1, evRamp, k, c.gen)
}

// cross lets a ramp arrive at its next level.
func (p *Plant) cross(k key, c cell) {
	r := p.tb.laws[p.topo.lawOf[p.topo.class[k.res]][k.v]].ramp
	at := p.along(c)
	done := at == c.target || r.tau && math.Abs(at-c.target) <= snap*1.01
	parents := c.parents
	if c.node >= 0 && len(c.parents) > 0 { // the way down leads through the levels above
		parents = union([]int32{c.node}, c.parents)
	}
	if done {
		p.commit(k, c.target, parents, -1)
		return
	}
	for _, l := range r.levels { // the clock is in whole nanoseconds, the level is exact
		if math.Abs(at-l) < 1e-6 {
			at = l
		}
	}
	c.val, c.from, c.since = at, at, p.now
	c.node = int32(len(p.nodes))
	p.nodes = append(p.nodes, node{k, -1, parents, p.now})
	p.gen++
	c.gen = p.gen
	p.aim(k, c, r)
	p.touch(k)
}
