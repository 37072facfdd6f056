// Package fault plans what breaks in a simulated plant, when, and for how long. A
// Script is ground truth: the evaluation reads it, the system under test never does.
// The same options give the same script.
package fault

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline/hwsim"
)

// Entry is one fault of a script with its repair.
type Entry struct {
	hwsim.Fault
	Until  time.Time // when it is repaired
	Domain string    // that owns the repair
	Chain  string    // name of the reference chain it was chosen for, empty for an ordinary fault
	Work   string    // id of the planned work that it belongs to, empty for a failure
}

// Work is a window of announced work, as the operator plans it.
type Work struct {
	ID, Name  string
	Resources []string
	From, To  time.Time
}

// Script is what will break, by (At, ID).
type Script struct{ Entries []Entry }

// Apply injects every fault and its repair into a plant whose clock is not past the
// first of them.
func (s Script) Apply(p *hwsim.Plant) error {
	for _, e := range s.Entries {
		if err := p.Inject(e.Fault); err != nil {
			return fmt.Errorf("apply script: %w", err)
		}
		if err := p.Repair(e.ID, e.Until); err != nil {
			return fmt.Errorf("apply script: %w", err)
		}
	}
	return nil
}

// Options say what to plan.
type Options struct {
	Network  *hwsim.Network
	Seed     uint64
	From, To time.Time
	N        int                // faults, the chains among them
	Modes    map[string]float64 // weight of each mode; nil takes the usual mix of all domains
	MinGap   time.Duration      // between the beginnings of two faults
	Chains   bool               // let the reference chains be among the faults, each once
	Works    []Work             // announced work; where it touches an element it sometimes takes it out of service
}

// domainShare is how often trouble tickets fall into a domain. Within a domain modes
// count by rate and by the square root of the population, so that a million homes do
// not drown everything else.
var domainShare = map[string]float64{
	"power_env": 0.18, "wireless": 0.2, "transport": 0.2, "home_broadband": 0.16, "ip": 0.09, "cloud": 0.09, "core": 0.08,
}

// Plan draws a script. It refuses options that miss the network or the time, ask for
// more faults than the gap leaves room for, or weigh a mode that does not exist.
func Plan(o Options) (Script, error) {
	bad := func(field, why string, args ...any) error {
		return fmt.Errorf("fault options: %s: %s", field, fmt.Sprintf(why, args...))
	}
	switch {
	case o.Network == nil:
		return Script{}, bad("Network", "missing")
	case o.From.IsZero() || !o.From.Before(o.To):
		return Script{}, bad("From, To", "%s is not before %s", o.From, o.To)
	case o.N < 0:
		return Script{}, bad("N", "%d is negative", o.N)
	case o.MinGap < 0 || o.To.Sub(o.From) <= time.Duration(max(o.N-1, 0))*o.MinGap:
		return Script{}, bad("MinGap", "%s leaves no room for %d faults", o.MinGap, o.N)
	}
	pop := population(o.Network)
	draw, err := weights(o.Modes, pop)
	if err != nil {
		return Script{}, bad("Modes", "%v", err)
	}
	if o.N > 0 && len(draw) == 0 {
		return Script{}, bad("Modes", "none fits the network")
	}
	rnd := rand.New(rand.NewPCG(o.Seed, 0xfa017))
	b := builder{net: o.Network, used: map[string][]Entry{}, rnd: rnd}
	starts := b.starts(o)
	if o.Chains {
		ch, err := newChooser(o.Network, o.Seed)
		if err != nil {
			return Script{}, err
		}
		names := Chains()
		for i, at := range b.take(&starts, min(len(names), o.N)) {
			e, err := ch.choose(names[i], at, b.free)
			switch {
			case errors.Is(err, errNoPlace):
				starts = append(starts, at) // an ordinary fault takes its place
				continue
			case err != nil:
				return Script{}, err
			}
			b.add(e)
		}
	}
	for _, w := range o.Works {
		b.work(o.Network, w)
	}
	for _, at := range starts {
		b.ordinary(draw, pop, at)
	}
	return b.script(), nil
}

// weighted is a mode with its share of the draw.
type weighted struct {
	mode hwsim.Mode
	w    float64
}

func weights(given map[string]float64, pop map[string][]string) ([]weighted, error) {
	var out []weighted
	known := map[string]bool{}
	sum := map[string]float64{}
	for _, m := range hwsim.Modes() {
		known[m.Name] = true
		n := len(fits(m.On, pop))
		w := m.Rate * math.Sqrt(float64(n))
		if given != nil {
			w = given[m.Name]
		}
		if n == 0 || w <= 0 || m.Planned {
			continue
		}
		out = append(out, weighted{m, w})
		sum[m.Domain] += w
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !known[name] {
			return nil, fmt.Errorf("no mode %q", name)
		}
	}
	if given == nil {
		for i := range out {
			d := out[i].mode.Domain
			out[i].w *= domainShare[d] / sum[d]
		}
	}
	return out, nil
}

// population lists the ids of every kind, and of every kind and role.
func population(n *hwsim.Network) map[string][]string {
	pop := map[string][]string{}
	for _, r := range n.Resources() {
		pop[r.Kind] = append(pop[r.Kind], r.ID)
		pop[r.Kind+":"+r.Role] = append(pop[r.Kind+":"+r.Role], r.ID)
	}
	return pop
}

// fits lists the resources that a mode's selector means.
func fits(on string, pop map[string][]string) []string {
	kind, roles, ok := strings.Cut(on, ":")
	if !ok {
		return pop[kind]
	}
	var out []string
	for r := range strings.SplitSeq(roles, ",") {
		out = append(out, pop[kind+":"+r]...)
	}
	return out
}

// builder collects entries and keeps two faults off one resource at one time.
type builder struct {
	net  *hwsim.Network
	rnd  *rand.Rand
	list []Entry
	used map[string][]Entry
}

// starts draws the beginnings in order, at least the gap apart.
func (b *builder) starts(o Options) []time.Time {
	room := o.To.Sub(o.From) - time.Duration(max(o.N-1, 0))*o.MinGap
	at := make([]time.Duration, o.N)
	for i := range at {
		at[i] = time.Duration(b.rnd.Float64() * float64(room))
	}
	slices.Sort(at)
	out := make([]time.Time, o.N)
	for i, d := range at {
		out[i] = o.From.Add(d + time.Duration(i)*o.MinGap).Truncate(time.Second)
	}
	return out
}

// take removes n of the times, evenly spread.
func (b *builder) take(at *[]time.Time, n int) []time.Time {
	var taken, rest []time.Time
	for i, t := range *at {
		if i*n/len(*at) != (i+1)*n/len(*at) {
			taken = append(taken, t)
		} else {
			rest = append(rest, t)
		}
	}
	*at = rest
	return taken
}

// free reports whether no other fault is on the resource then, nor a day around.
func (b *builder) free(resource string, from, to time.Time) bool {
	return !slices.ContainsFunc(b.used[resource], func(e Entry) bool {
		return from.Before(e.Until.Add(24*time.Hour)) && e.At.Add(-24*time.Hour).Before(to)
	})
}

func (b *builder) add(e Entry) {
	b.list = append(b.list, e)
	b.used[e.Resource] = append(b.used[e.Resource], e)
}

// place picks a resource: fibre by its length, everything else alike.
func (b *builder) place(ids []string) string {
	total := 0.0
	for _, id := range ids {
		total += exposure(b.net, id)
	}
	u := b.rnd.Float64() * total
	for _, id := range ids {
		if u -= exposure(b.net, id); u < 0 {
			return id
		}
	}
	return ids[len(ids)-1]
}

// exposure is how much of a resource there is to break: for fibre a floor for the
// work at its ends and a share for each kilometre.
func exposure(n *hwsim.Network, id string) float64 {
	r, _ := n.Resource(id)
	if r.Kind != "FibreSection" {
		return 1
	}
	m, err := strconv.ParseFloat(r.Attrs["length_m"], 64)
	if err != nil {
		return 1
	}
	return 0.3 + m/2000
}

func (b *builder) ordinary(draw []weighted, pop map[string][]string, at time.Time) {
	for range 20 { // a resource that is taken is drawn again
		m := pick(draw, b.rnd)
		ids := fits(m.On, pop)
		until := at.Add(repairTime(m, b.rnd))
		id := b.place(ids)
		extent := math.Round((0.3+0.7*b.rnd.Float64())*100) / 100
		if b.free(id, at, until) {
			b.add(Entry{Fault: hwsim.Fault{Mode: m.Name, Resource: id, At: at, Extent: extent}, Until: until, Domain: m.Domain})
			return
		}
	}
}

// work takes an element out of service within its window, two times out of three.
func (b *builder) work(n *hwsim.Network, w Work) {
	if b.rnd.Float64() > 0.67 {
		return
	}
	for _, id := range w.Resources {
		if r, ok := n.Resource(id); ok && r.Kind == "NE" && w.From.Before(w.To) {
			span := w.To.Sub(w.From)
			at := w.From.Add(time.Duration((0.1 + 0.2*b.rnd.Float64()) * float64(span))).Truncate(time.Second)
			until := w.From.Add(time.Duration((0.4 + 0.4*b.rnd.Float64()) * float64(span))).Truncate(time.Second)
			if at.Before(until) && b.free(id, at, until) {
				b.add(Entry{Fault: hwsim.Fault{Mode: "planned-work", Resource: id, At: at}, Until: until, Domain: r.Domain, Work: w.ID})
			}
			return
		}
	}
}

// script names the entries in order of time.
func (b *builder) script() Script {
	slices.SortStableFunc(b.list, func(x, y Entry) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Mode, y.Mode), cmp.Compare(x.Resource, y.Resource))
	})
	for i := range b.list {
		b.list[i].ID = fmt.Sprintf("F%04d", i+1)
	}
	return Script{b.list}
}

func pick(draw []weighted, rnd *rand.Rand) hwsim.Mode {
	sum := 0.0
	for _, w := range draw {
		sum += w.w
	}
	u := rnd.Float64() * sum
	for _, w := range draw {
		if u -= w.w; u < 0 {
			return w.mode
		}
	}
	return draw[len(draw)-1].mode
}

// repairTime is log-uniform within the mode's bounds.
func repairTime(m hwsim.Mode, rnd *rand.Rand) time.Duration {
	h := m.RepairMin * math.Pow(m.RepairMax/m.RepairMin, rnd.Float64())
	return time.Duration(h * float64(time.Hour)).Truncate(time.Second)
}
