package mining_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"faultline/ingest/mining"
)

// plant is a network that raises alarms by a known branching process with the
// flaws of real alarm lists: report delay, lost alarms, repetitions, busy and calm
// devices, types that only some devices have.
type plant struct {
	types, devices int
	density        float64 // share of ordered pairs that are edges
	linked         bool    // causes reach neighbours too
	alarms         int     // about how many
	loss, delay    float64 // share of alarms that get lost; mean report delay, seconds
	repeat         float64 // probability that an alarm comes again
}

// history is what the plant raised, and the truth.
type history struct {
	in    mining.Input
	truth map[mining.Pair]bool
}

var epoch = time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)

func after(seconds float64) time.Time {
	return epoch.Add(time.Duration(seconds * float64(time.Second))).Truncate(time.Second)
}

func (p plant) run(seed uint64) history {
	const span = 30 * 86400.0
	r := rand.New(rand.NewPCG(seed, 1))
	h := history{truth: map[mining.Pair]bool{}}
	type effect struct {
		typ     int
		p, mean float64
	}
	effects := make([][]effect, p.types)
	order := r.Perm(p.types)
	for a, i := range order {
		var sum float64
		for _, j := range order[a+1:] {
			if r.Float64() < 2*p.density {
				e := effect{j, 0.1 + 0.4*r.Float64(), 5 * math.Pow(24, r.Float64())}
				sum += e.p
				effects[i] = append(effects[i], e)
				h.truth[mining.Pair{Cause: strconv.Itoa(i), Effect: strconv.Itoa(j)}] = true
			}
		}
		for k := range effects[i] {
			effects[i][k].p *= min(1, 1.2/sum) // no avalanche
		}
	}
	near := make([][]int, p.devices)
	if p.linked {
		for d := 1; d < p.devices; d++ {
			for _, o := range []int{r.IntN(d), r.IntN(d)} {
				near[d], near[o] = append(near[d], o), append(near[o], d)
				h.in.Links = append(h.in.Links, [2]string{fmt.Sprint("ne-", d), fmt.Sprint("ne-", o)})
			}
		}
	}
	var raise func(typ, dev int, t float64, depth int)
	raise = func(typ, dev int, t float64, depth int) {
		if t > span || depth > 8 {
			return
		}
		clear := t + 20 + 200*r.ExpFloat64()
		if r.Float64() >= p.loss {
			at := t + p.delay*r.ExpFloat64()
			h.in.Occurrences = append(h.in.Occurrences, mining.Occurrence{
				Type: strconv.Itoa(typ), Device: fmt.Sprint("ne-", dev), Raised: after(at), Cleared: after(max(at, clear)),
			})
		}
		if r.Float64() < p.repeat {
			raise(typ, dev, clear+30*r.ExpFloat64(), depth+1)
		}
		for _, e := range effects[typ] {
			if r.Float64() < e.p {
				raise(e.typ, dev, t+e.mean*math.Exp(0.6*r.NormFloat64()), depth+1)
			}
			for _, o := range near[dev] {
				if r.Float64() < 0.2*e.p {
					raise(e.typ, o, t+e.mean*math.Exp(0.6*r.NormFloat64()), depth+1)
				}
			}
		}
	}
	busy := make([]float64, p.devices)
	for d := range busy {
		busy[d] = math.Exp(r.NormFloat64())
	}
	for i := range p.types {
		rate := math.Exp(r.NormFloat64())
		for d := range p.devices {
			if r.Float64() < 0.3 {
				continue // the device does not know this type
			}
			for n := 0.25 * float64(p.alarms) / float64(p.types*p.devices) * rate * busy[d]; n > 0; n-- {
				if n >= 1 || r.Float64() < n {
					raise(i, d, span*r.Float64(), 0)
				}
			}
		}
	}
	return h
}

// match counts the mined edges that hold, and those that hold only turned round.
func (h history) match(edges []mining.Edge) (right, turned int) {
	for _, e := range edges {
		switch {
		case h.truth[mining.Pair{Cause: e.Cause, Effect: e.Effect}]:
			right++
		case h.truth[mining.Pair{Cause: e.Effect, Effect: e.Cause}]:
			turned++
		}
	}
	return right, turned
}
