package hwsim

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// span is a range of time in seconds from which a hidden delay is drawn.
type span struct{ lo, hi float64 }

// law says how one variable of one kind of resource follows from variables of the
// resource and its neighbours. A law with an alarm is a detector: its variable is
// the alarm itself, 1 while it stands.
type law struct {
	on     selector
	name   string // of the variable; for an alarm its slug
	in     []input
	f      func(*env) float64
	v      int
	down   span // how long a change takes, away from the nominal value
	up     span // and back to it
	period float64
	ramp   *ramp
	alarm  *alarm
}

// input is a variable of the resource itself (no path) or of others.
type input struct {
	path []hop
	v    int
	text string
}

// ramp makes a variable move to its target over time instead of jumping.
type ramp struct {
	tau    bool               // exponential with a time constant; else linear
	rate   func(*env) float64 // hours: time constant, or time for one unit
	levels []float64          // values at which others take notice, rising
}

type alarm struct {
	slug, severity string
	cause          int
	qualifier      string
	manager        bool    // the element manager raises it, the element need not speak
	mirrors        bool    // what it reads on others is its own state
	leaf           bool    // tells of a state that another alarm stands for: nothing follows from it
	seen           float64 // share of occurrences that get out at all, 0 means all
}

// table is the compiled physics: variables, laws and reporting paths.
type table struct {
	vars      []string
	nominal   []float64
	varID     map[string]int
	laws      []law
	reporters []reporter

	live, reach int // variables that decide whether an element can speak
}

// reporter is the way from a resource to the element whose agent speaks for it.
type reporter struct {
	on   selector
	path []hop
}

// zeroNominal lists the variables that measure a deviation; all others are 1 when
// all is well.
var zeroNominal = []string{
	"run", "disch", "llvd", "bypass", "volt", "heat", "temp", "att", "cut", "loss", "age", "vswr", "ald", "pci", "als",
	"refl", "pen", "deg", "oci", "tim", "plm", "switched", "load", "traffic", "rogue", "hit", "crc", "surge", "cpu", "mem",
	"routes", "trip", "evac", "hot", "storm",
}

func newTable(laws []law, reporters map[string]string) (*table, error) {
	tb := &table{varID: map[string]int{}}
	id := func(name string) int {
		v, ok := tb.varID[name]
		if !ok {
			v = len(tb.vars)
			tb.varID[name] = v
			tb.vars = append(tb.vars, name)
			n := 1.0
			if slices.Contains(zeroNominal, name) {
				n = 0
			}
			tb.nominal = append(tb.nominal, n)
		}
		return v
	}
	for _, l := range laws {
		for i := range l.in {
			text := l.in[i].text
			path, name := "", text
			if dot := strings.LastIndexByte(text, '.'); dot >= 0 {
				path, name = text[:dot], text[dot+1:]
			}
			hops, err := parsePath(path)
			if err != nil {
				return nil, fmt.Errorf("law %s of %s: %w", l.name, l.on, err)
			}
			l.in[i].path, l.in[i].v = hops, id(name)
		}
		if l.alarm == nil {
			l.v = id(l.name)
		} else {
			l.v = len(tb.vars)
			tb.vars = append(tb.vars, l.name)
			tb.nominal = append(tb.nominal, 0)
		}
		tb.laws = append(tb.laws, l)
	}
	for _, m := range modes {
		for f := range m.count() {
			for _, e := range m.does(f+1, 0, 0.5) {
				id(e.v)
			}
		}
	}
	tb.live, tb.reach = id("live"), id("reach")
	keys := sortedKeys(reporters)
	slices.Reverse(keys) // a kind with a role before the kind alone
	for _, on := range keys {
		hops, err := parsePath(reporters[on])
		if err != nil {
			return nil, fmt.Errorf("reporter of %s: %w", on, err)
		}
		tb.reporters = append(tb.reporters, reporter{parseSelector(on), hops})
	}
	return tb, nil
}

func in(texts ...string) []input {
	out := make([]input, len(texts))
	for i, t := range texts {
		out[i].text = t
	}
	return out
}

// state is a law of a variable that changes at once unless told otherwise.
func state(on, v string, in []input, f func(*env) float64) law {
	return law{on: parseSelector(on), name: v, in: in, f: f}
}

// raise is a detector. By default it takes a second or two and clears in seconds.
func raise(on, slug, severity string, cause int, in []input, f func(*env) bool) law {
	return law{
		on: parseSelector(on), name: slug, in: in, f: func(e *env) float64 { return yes(f(e)) },
		down: span{0.2, 2}, up: span{2, 15}, alarm: &alarm{slug: slug, severity: severity, cause: cause},
	}
}

// takes sets the delays in seconds, away from the nominal value and back.
func (l law) takes(downLo, downHi, upLo, upHi float64) law {
	l.down, l.up = span{downLo, downHi}, span{upLo, upHi}
	return l
}

// every makes the law a counter that is read once per period.
func (l law) every(d time.Duration) law { l.period = d.Seconds(); return l }

// linear makes the variable move one unit per the hours that f gives.
func (l law) linear(f func(*env) float64, levels ...float64) law {
	l.ramp = &ramp{false, f, levels}
	return l
}

// settles makes the variable approach its target with a time constant of minutes.
func (l law) settles(lo, hi float64, levels ...float64) law {
	l.ramp = &ramp{true, func(e *env) float64 { return e.p("tau", lo, hi) / 60 }, levels}
	return l
}

func (l law) byManager() law     { l.alarm.manager = true; return l }
func (l law) mirrors() law       { l.alarm.mirrors = true; return l }
func (l law) leaf() law          { l.alarm.leaf = true; return l }
func (l law) seen(p float64) law { l.alarm.seen = p; return l }

// env is what a law sees while it is evaluated. It notes which deviating inputs
// were decisive, so that every change of state knows its causes.
type env struct {
	plant   *Plant
	res     int32
	law     int
	ids     []int32
	tmp     []int32
	parents []int32
	after   span // overrides the law's delay for this change
}

func (e *env) begin(res int32, law int) {
	e.res, e.law, e.parents, e.after = res, law, e.parents[:0], span{}
}

// slow makes the change away from nominal wait for a protocol timer of lo to hi
// seconds.
func (e *env) slow(lo, hi float64) { e.after = span{lo, hi} }

func (e *env) ends(i int) ([]int32, int) {
	c := &e.plant.topo.inputs[e.law][i]
	e.ids, e.tmp = e.plant.topo.follow(e.res, c.path, e.ids, e.tmp)
	return e.ids, c.v
}

func (e *env) because(node int32) {
	if node >= 0 && !slices.Contains(e.parents, node) && len(e.parents) < 64 {
		e.parents = append(e.parents, node)
	}
}

// n counts the resources at the end of input i.
func (e *env) n(i int) int { ids, _ := e.ends(i); return len(ids) }

// is reports whether every value of input i is good, without taking it as a cause.
func (e *env) is(i int) bool {
	ids, v := e.ends(i)
	for _, r := range ids {
		if x, _ := e.plant.value(r, v); x < 0.5 {
			return false
		}
	}
	return true
}

// all is is, with the bad ones as causes.
func (e *env) all(i int) bool {
	good := true
	ids, v := e.ends(i)
	for _, r := range ids {
		if x, node := e.plant.value(r, v); x < 0.5 {
			good = false
			e.because(node)
		}
	}
	return good
}

// any reports whether one value of input i is good, or there is none to ask.
func (e *env) any(i int) bool {
	ids, v := e.ends(i)
	mark := len(e.parents)
	for _, r := range ids {
		x, node := e.plant.value(r, v)
		if x >= 0.5 {
			e.parents = e.parents[:mark]
			return true
		}
		e.because(node)
	}
	return len(ids) == 0
}

// some reports whether one value of input i, a deviation, is there.
func (e *env) some(i int) bool {
	found := false
	ids, v := e.ends(i)
	for _, r := range ids {
		if x, node := e.plant.value(r, v); x >= 0.5 {
			found = true
			e.because(node)
		}
	}
	return found
}

// on is some, without taking it as a cause: the circumstance, not the reason.
func (e *env) on(i int) bool {
	mark := len(e.parents)
	found := e.some(i)
	e.parents = e.parents[:mark]
	return found
}

// first is the value at the first resource of input i, 1 when there is none.
func (e *env) first(i int) float64 {
	ids, v := e.ends(i)
	if len(ids) == 0 {
		return 1
	}
	x, node := e.plant.value(ids[0], v)
	e.because(node)
	return x
}

// isFirst reports whether the resource comes before all of input i, by id.
func (e *env) isFirst(i int) bool {
	ids, _ := e.ends(i)
	return len(ids) == 0 || e.res < ids[0]
}

// share is the part of input i that is good, 1 when there is none.
func (e *env) share(i int) float64 { return e.shareBy(i, "") }

// shareBy is share with the resources weighed by a number of the inventory, where it
// is known.
func (e *env) shareBy(i int, attr string) float64 {
	ids, v := e.ends(i)
	if len(ids) == 0 {
		return 1
	}
	good, all := 0.0, 0.0
	for _, r := range ids {
		w := 1.0
		if attr != "" {
			w = e.plant.num(r, attr, 1)
		}
		all += w
		x, node := e.plant.value(r, v)
		if x >= 0.5 {
			good += w
		} else {
			e.because(node)
		}
	}
	return good / all
}

// sum, max and min fold the values of input i; deviating ones are causes. Of no
// values they are 0, 0 and 1.
func (e *env) sum(i int) float64 { return e.fold(i, 0, func(a, b float64) float64 { return a + b }) }
func (e *env) max(i int) float64 { return e.fold(i, 0, math.Max) }
func (e *env) min(i int) float64 { return e.fold(i, 1, math.Min) }

func (e *env) fold(i int, zero float64, f func(a, b float64) float64) float64 {
	ids, v := e.ends(i)
	for _, r := range ids {
		x, node := e.plant.value(r, v)
		zero = f(zero, x)
		e.because(node)
	}
	return zero
}

// p is a hidden parameter of the resource, uniform between lo and hi.
func (e *env) p(name string, lo, hi float64) float64 {
	return lo + (hi-lo)*e.plant.hidden(e.res, name)
}

// chance is a hidden yes or no of the resource.
func (e *env) chance(name string, p float64) bool { return e.plant.hidden(e.res, name) < p }

// num reads a number that the inventory knows of the resource.
func (e *env) num(attr string, otherwise float64) float64 { return e.plant.num(e.res, attr, otherwise) }

func (p *Plant) num(res int32, attr string, otherwise float64) float64 {
	if x, err := strconv.ParseFloat(p.topo.res[res].Attrs[attr], 64); err == nil && x > 0 {
		return x
	}
	return otherwise
}

func (e *env) attr(name string) string { return e.plant.topo.res[e.res].Attrs[name] }

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// allOf is 1 while every value of every input is good.
func allOf(e *env) float64 {
	good := true
	for i := range e.plant.topo.inputs[e.law] {
		good = e.all(i) && good
	}
	return yes(good)
}

// anyOf is 1 while every input has a good value or nothing to ask.
func anyOf(e *env) float64 {
	good := true
	for i := range e.plant.topo.inputs[e.law] {
		good = e.any(i) && good
	}
	return yes(good)
}

// sumOf adds all values of all inputs.
func sumOf(e *env) float64 {
	s := 0.0
	for i := range e.plant.topo.inputs[e.law] {
		s += e.sum(i)
	}
	return s
}

// bad detects that not everything is good.
func bad(e *env) bool { return allOf(e) < 0.5 }

// there detects that a deviation is there.
func there(e *env) bool {
	found := false
	for i := range e.plant.topo.inputs[e.law] {
		found = e.some(i) || found
	}
	return found
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// physics builds the table of all laws. Where two laws of one variable fit a kind,
// the first one holds, so the order of the domains matters: radio says how its
// boards are fed before transport says it for all others.
func physics() (*table, error) {
	return newTable(slices.Concat(powerLaws(), radioLaws(), transportLaws(), fixedLaws(), ipLaws(), cloudLaws(), coreLaws()), reporters)
}

// AlarmSpec is one alarm that the plant can raise.
type AlarmSpec struct {
	Slug          string
	On            string // kind, or kind:role,role
	Severity      string
	ProbableCause int // IANA-ITU-ALARM-TC-MIB number
}

// Alarms lists what the plant can raise, in the order of the domains.
func Alarms() []AlarmSpec {
	var out []AlarmSpec
	tb, err := physics()
	if err != nil {
		panic(err) // a slip in the tables of this package; caught by their test
	}
	for _, l := range tb.laws {
		if a := l.alarm; a != nil {
			out = append(out, AlarmSpec{a.slug, l.on.String(), a.severity, a.cause})
		}
	}
	return out
}
