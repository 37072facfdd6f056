package mining

import (
	"math"
	"slices"
	"sort"
)

// reach is how many mean lags a kernel is followed; e^-5 of it is cut off.
const reach = 5

// negligible is the number of effects below which a weight is set to zero for good.
const negligible = 1e-3

// column is one regressor of an effect's rate: the sum of one kernel over the
// events of one source at one hop, at each of the effect's events where it is not
// zero. mass is its integral over all devices and the whole span.
type column struct {
	idx  []int32
	val  []float64
	mass float64
}

// node is one effect type with all its possible regressors. A source is a type at
// a hop: source i*hops+h. Always in the fit are the node's own type at every hop,
// because repetition of an alarm is no cause, and its level: how many of its own
// alarms the device raises in the wider surroundings of an event, before and after
// it but beyond the window of the kernels. Busy hours that types share show there.
type node struct {
	self, hops int
	dev        []int32 // device of each event
	level      column
	sources    [][]column // source -> one column per kernel
	devices    int
	span       float64
	price      []float64 // source -> penalty, nats
}

// newNodes computes the columns of all effects in one pass over the history. Two
// alarms of one second may stand in either order, so each gets half of the other.
func newNodes(s *series, opt Options) []*node {
	hops, kern := opt.Hops+1, len(opt.Kernels)
	tau := make([]float64, kern)
	for k, t := range opt.Kernels {
		tau[k] = t.Seconds()
	}
	window := reach * slices.Max(tau)
	mass := make([]float64, len(s.types)*hops)
	for d, evs := range s.byDev {
		for h := range hops {
			for _, e := range evs {
				mass[int(e.typ)*hops+h] += float64(len(s.near[h][d]))
			}
		}
	}
	nodes := make([]*node, len(s.types))
	for j := range nodes {
		nodes[j] = &node{self: j, hops: hops, sources: make([][]column, len(mass)), devices: len(s.devices), span: s.span}
		nodes[j].level.mass = float64(s.count[j])
		for src := range mass {
			nodes[j].sources[src] = make([]column, kern)
			for k := range kern {
				nodes[j].sources[src][k].mass = mass[src]
			}
		}
	}
	acc := make([]float64, len(mass)*kern)
	var touched []int
	raises := make([][]float64, len(s.types)) // of one device, per type
	for d, evs := range s.byDev {
		for i := range raises {
			raises[i] = raises[i][:0]
		}
		for _, e := range evs {
			raises[e.typ] = append(raises[e.typ], e.raise)
		}
		for p, e := range evs {
			nd := nodes[e.typ]
			id := int32(len(nd.dev))
			nd.dev = append(nd.dev, int32(d))
			if n := around(raises[e.typ], e.raise, window); n > 0 {
				nd.level.idx, nd.level.val = append(nd.level.idx, id), append(nd.level.val, float64(n)/(2*window))
			}
			touched = touched[:0]
			for h := range hops {
				for _, o := range s.near[h][d] {
					s.before(o, e.raise, window, func(q int, f event, lag float64) {
						if f.typ == e.typ && int(o) == d && q >= p {
							return // itself, or its twin of the same second, which has it
						}
						for k, t := range tau {
							if lag > reach*t {
								continue
							}
							at := (int(f.typ)*hops+h)*kern + k
							if acc[at] == 0 {
								touched = append(touched, at)
							}
							acc[at] += kernel(lag, t)
						}
					})
				}
			}
			for _, at := range touched {
				c := &nd.sources[at/kern][at%kern]
				c.idx, c.val = append(c.idx, id), append(c.val, acc[at])
				acc[at] = 0
			}
		}
	}
	return nodes
}

// around counts the times from one to two windows away from t, on both sides.
func around(times []float64, t, window float64) int {
	at := func(x float64) int { i, _ := slices.BinarySearch(times, x); return i }
	return at(t-window) - at(t-2*window) + at(t+2*window) - at(t+window)
}

// before calls f for the events of a device in the window before t, t included.
func (s *series) before(dev int32, t, window float64, f func(q int, e event, lag float64)) {
	evs := s.byDev[dev]
	from := sort.Search(len(evs), func(q int) bool { return evs[q].raise >= t-window })
	for q := from; q < len(evs) && evs[q].raise <= t; q++ {
		f(q, evs[q], t-evs[q].raise)
	}
}

// kernel is the density of an exponential lag, halved for alarms of one instant.
func kernel(lag, tau float64) float64 {
	if lag == 0 {
		return 0.5 / tau
	}
	return math.Exp(-lag/tau) / tau
}

// fitted is the maximum of a node's likelihood over one set of sources.
type fitted struct {
	sources []int     // ascending, the node's own first
	own     int       // how many are the node's own
	alpha   []float64 // per source and kernel: expected effects per cause event and device in reach
	level   float64   // weight of the level: the share of alarms that follow the busy hours
	base    []float64 // per device: rate without any cause, events per second
	score   float64   // log-likelihood less penalty
	inverse []float64 // per event: 1 / rate
}

func (f *fitted) has(src int) bool { return slices.Contains(f.sources[f.own:], src) }

// toggled lists the sources beyond the node's own, with src added or dropped.
func (f *fitted) toggled(src int) []int {
	out := slices.Clone(f.sources[f.own:])
	at, has := slices.BinarySearch(out, src)
	if has {
		return slices.Delete(out, at, at+1)
	}
	return slices.Insert(out, at, src)
}

// lacking lists the sources beyond the node's own, without those of cause i.
func (f *fitted) lacking(i, hops int) []int {
	return slices.DeleteFunc(slices.Clone(f.sources[f.own:]), func(src int) bool { return src/hops == i })
}

// fit maximises the log-likelihood by EM, started from an earlier fit of the node:
//
//	sum over events log(rate) - span * sum over devices base - level * events - sum over columns alpha * mass
//
// The price of every source beyond the node's own is taken off.
func (nd *node) fit(sources []int, from *fitted, opt Options) *fitted {
	kern, n := len(opt.Kernels), len(nd.dev)
	f := &fitted{own: nd.hops, base: make([]float64, nd.devices), inverse: make([]float64, n)}
	for h := range nd.hops {
		f.sources = append(f.sources, nd.self*nd.hops+h)
	}
	f.sources = append(f.sources, sources...)
	f.alpha = make([]float64, len(f.sources)*kern)
	f.start(nd, from, kern)
	rate := f.inverse // holds the rate until it is turned over
	calm := make([]float64, nd.devices)
	for round := 0; ; round++ {
		for e, d := range nd.dev {
			rate[e] = f.base[d]
		}
		for q, e := range nd.level.idx {
			rate[e] += f.level * nd.level.val[q]
		}
		for k, a := range f.alpha {
			c := &nd.sources[f.sources[k/kern]][k%kern]
			if a > 0 {
				for q, e := range c.idx {
					rate[e] += a * c.val[q]
				}
			}
		}
		if round == opt.Rounds {
			for _, r := range rate {
				f.score += math.Log(r)
			}
		}
		for e, r := range rate {
			f.inverse[e] = 1 / r
		}
		if round == opt.Rounds {
			break
		}
		for k, a := range f.alpha {
			if a > 0 {
				c := &nd.sources[f.sources[k/kern]][k%kern]
				if f.alpha[k] = a * c.pull(f.inverse) / c.mass; f.alpha[k]*c.mass < negligible {
					f.alpha[k] = 0
				}
			}
		}
		if nd.level.mass > 0 {
			f.level *= nd.level.pull(f.inverse) / nd.level.mass
		}
		clear(calm)
		var all float64
		for e, d := range nd.dev {
			share := f.base[d] * f.inverse[e]
			calm[d] += share
			all += share
		}
		mean := max(all/(float64(nd.devices)*nd.span), 1e-15)
		for d := range calm {
			f.base[d] = (calm[d] + opt.Shrink + 1e-9) / (nd.span + (opt.Shrink+1e-9)/mean)
		}
	}
	for _, b := range f.base {
		f.score -= b * nd.span
	}
	f.score -= f.level * nd.level.mass
	for k, a := range f.alpha {
		f.score -= a * nd.sources[f.sources[k/kern]][k%kern].mass
	}
	for _, src := range sources {
		f.score -= nd.price[src]
	}
	return f
}

// start sets the first guess: what the earlier fit says, and a little of every new column.
func (f *fitted) start(nd *node, from *fitted, kern int) {
	for k := range f.alpha {
		if c := &nd.sources[f.sources[k/kern]][k%kern]; len(c.idx) > 0 {
			f.alpha[k] = 0.1 * float64(len(c.idx)) / (c.mass + 10) / float64(kern)
		}
	}
	if from == nil {
		f.level = 0.3
		for d := range f.base {
			f.base[d] = (0.5*float64(len(nd.dev)) + 1e-9) / (float64(nd.devices) * nd.span)
		}
		return
	}
	copy(f.base, from.base)
	f.level = from.level
	for a, src := range f.sources {
		if b := slices.Index(from.sources, src); b >= 0 {
			for k := range kern {
				f.alpha[a*kern+k] = max(from.alpha[b*kern+k], 0.1*f.alpha[a*kern+k])
			}
		}
	}
}

// pull is the sum of the column over the rates: more than mass means that the
// likelihood rises with the column's weight.
func (c *column) pull(inverse []float64) float64 {
	var g float64
	for q, e := range c.idx {
		g += c.val[q] * inverse[e]
	}
	return g
}

// helps reports whether any column of a source raises the likelihood of a fit.
func (nd *node) helps(src int, f *fitted) bool {
	for k := range nd.sources[src] {
		if c := &nd.sources[src][k]; len(c.idx) > 0 && c.pull(f.inverse) > c.mass {
			return true
		}
	}
	return false
}
