package hwsim

import (
	"cmp"
	"slices"
	"time"
)

// Trace is the plant's own record of what caused what. It is ground truth: only
// evaluation may read it.
type Trace struct {
	Faults     []FaultTrace  // by injection
	Background []TracedAlarm // alarms without a fault, by (raised, object, alarm)
}

// FaultTrace is one fault and what it brought.
type FaultTrace struct {
	Fault    Fault
	Repaired time.Time // zero while it is not
	Alarms   []TracedAlarm
	// Edges lead from the nearest earlier alarm on the way of the state changes, or
	// from the fault itself. They join reported alarms only.
	Edges []TraceEdge
}

// TracedAlarm is one occurrence of an alarm in true time.
type TracedAlarm struct {
	Object, Alarm, Qualifier string
	Raised                   time.Time
	Cleared                  time.Time // zero while it stands
	Reported                 bool      // its raise reached the management system
}

// TraceEdge says that one alarm of a fault led to another. Cause and Effect count in
// FaultTrace.Alarms; a Cause of -1 is the fault.
type TraceEdge struct{ Cause, Effect int }

// Trace returns the record up to now.
func (p *Plant) Trace() Trace {
	var t Trace
	number := make([]int, len(p.faults)) // of the fault in the result, -1 for background
	for i, f := range p.faults {
		number[i] = -1
		if f.noise {
			continue
		}
		number[i] = len(t.Faults)
		ft := FaultTrace{Fault: f.Fault}
		if f.to > 0 && f.to <= p.now {
			ft.Repaired = p.time(f.to)
		}
		t.Faults = append(t.Faults, ft)
	}
	carriers := map[int32][]int32{} // state change -> alarms that show it
	for i, o := range p.occurrences {
		if o.node >= 0 && o.reported {
			for _, s := range p.shown(o) {
				carriers[s] = append(carriers[s], int32(i))
			}
		}
	}
	place := map[[2]int32]int{} // (fault, occurrence) -> index in its alarms
	for _, i := range p.occurrencesInOrder() {
		o := p.occurrences[i]
		owned := false
		for _, f := range p.rootsOf(o.node) {
			if number[f] >= 0 {
				ft := &t.Faults[number[f]]
				place[[2]int32{f, i}] = len(ft.Alarms)
				ft.Alarms = append(ft.Alarms, p.traced(o))
				owned = true
			}
		}
		if !owned {
			t.Background = append(t.Background, p.traced(o))
		}
	}
	for i, o := range p.occurrences {
		if o.node < 0 || !o.reported {
			continue
		}
		alarms, roots := p.nearest(int32(i), carriers)
		for _, f := range p.rootsOf(o.node) {
			if number[f] < 0 {
				continue
			}
			ft := &t.Faults[number[f]]
			effect := place[[2]int32{f, int32(i)}]
			for _, a := range alarms {
				if c, ok := place[[2]int32{f, a}]; ok {
					ft.Edges = append(ft.Edges, TraceEdge{c, effect})
				}
			}
			if slices.Contains(roots, f) {
				ft.Edges = append(ft.Edges, TraceEdge{-1, effect})
			}
		}
	}
	for i := range t.Faults {
		slices.SortFunc(t.Faults[i].Edges, func(a, b TraceEdge) int {
			return cmp.Or(cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.Cause, b.Cause))
		})
		t.Faults[i].Edges = slices.Compact(t.Faults[i].Edges)
	}
	return t
}

// shown are the changes of state that an alarm stands for: those of its own resource,
// or all that it reads when it mirrors others. A counter over many shows none of them.
func (p *Plant) shown(o occurrence) []int32 {
	parents := p.nodes[o.node].parents
	switch a := p.detector(o.key.res, int(o.key.v)).alarm; {
	case a.leaf:
		return nil
	case a.mirrors:
		return parents
	}
	var own []int32
	for _, s := range parents {
		if p.nodes[s].key.res == o.key.res {
			own = append(own, s)
		}
	}
	return own
}

func (p *Plant) traced(o occurrence) TracedAlarm {
	a := p.detector(o.key.res, int(o.key.v)).alarm
	t := TracedAlarm{p.topo.res[o.key.res].ID, a.slug, a.qualifier, p.time(o.raised), time.Time{}, o.reported}
	if o.cleared >= 0 {
		t.Cleared = p.time(o.cleared)
	}
	return t
}

// occurrencesInOrder gives their numbers by (raised, object, alarm).
func (p *Plant) occurrencesInOrder() []int32 {
	order := make([]int32, len(p.occurrences))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		x, y := p.occurrences[a], p.occurrences[b]
		return cmp.Or(cmp.Compare(x.raised, y.raised), cmp.Compare(x.key.res, y.key.res), cmp.Compare(x.key.v, y.key.v))
	})
	return order
}

// rootsOf lists the faults at the beginning of a change of state, rising.
func (p *Plant) rootsOf(n int32) []int32 {
	var roots []int32
	p.backwards(n, func(n int32) bool {
		if f := p.nodes[n].fault; f >= 0 && !slices.Contains(roots, f) {
			roots = append(roots, f)
		}
		return true
	})
	slices.Sort(roots)
	return roots
}

// backwards visits a change and those that caused it, each once, as long as visit
// wants to go on from there.
func (p *Plant) backwards(from int32, visit func(int32) bool) {
	if from < 0 {
		return
	}
	seen := map[int32]bool{from: true}
	queue := []int32{from}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		if !visit(n) {
			continue
		}
		for _, s := range p.nodes[n].parents {
			if !seen[s] {
				seen[s] = true
				queue = append(queue, s)
			}
		}
	}
}

// nearest walks back from an alarm to the first alarms on every way, and to the
// faults that it reaches before any alarm. Alarms that show the same change of state
// are siblings, not causes. Of two causes where one leads to the other, the nearer
// one is kept.
func (p *Plant) nearest(occ int32, carriers map[int32][]int32) (alarms, roots []int32) {
	o := p.occurrences[occ]
	direct := p.shown(o)
	before := func(c int32) bool { // an alarm that came much later is not what led to this one
		x := p.occurrences[c]
		return x.key != o.key && x.raised <= o.raised+int64(time.Minute)
	}
	var found, origins []int32 // changes that show in alarms, and faults' own changes
	p.backwards(o.node, func(n int32) bool {
		if n != o.node && !slices.Contains(direct, n) && slices.ContainsFunc(carriers[n], before) {
			found = append(found, n)
			return false
		}
		if p.nodes[n].fault >= 0 {
			origins = append(origins, n)
		}
		return true
	})
	behind := map[int32]bool{} // what lies behind the causes that were found
	for _, n := range found {
		p.backwards(n, func(m int32) bool {
			if m == n {
				return true
			}
			again := behind[m]
			behind[m] = true
			return !again
		})
	}
	for _, n := range found {
		if behind[n] {
			continue
		}
		last := map[key]int32{} // of several occurrences the last before this alarm, else the first after
		for _, c := range carriers[n] {
			x := p.occurrences[c]
			if old, ok := last[x.key]; before(c) && (!ok || x.raised <= o.raised && p.occurrences[old].raised < x.raised) {
				last[x.key] = c
			}
		}
		for _, c := range last {
			if !slices.Contains(alarms, c) {
				alarms = append(alarms, c)
			}
		}
	}
	for _, n := range origins {
		if !behind[n] && !slices.Contains(found, n) {
			roots = append(roots, p.nodes[n].fault)
		}
	}
	slices.Sort(alarms)
	return alarms, roots
}
