package hwsim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// PlantOptions say which network stands in the field and what is hidden in it.
type PlantOptions struct {
	Network *Network
	Seed    uint64    // of the hidden parameters and of the noise
	Start   time.Time // of the simulated clock
	Noise   float64   // rate of background alarms: 0 none, 1 usual
	// Ideal loses, delays and repeats nothing, and gives all hidden parameters the
	// one value Hidden: 0 means 0.5, the middle of every range.
	Ideal  bool
	Hidden float64
	// DropUnreachable loses what an element has to say while it cannot be reached;
	// otherwise it says it when the way is open again.
	DropUnreachable bool
}

// Fault is one way in which one resource breaks.
type Fault struct {
	ID       string
	Mode     string // a name of Modes
	Resource string
	At       time.Time
	Extent   float64 // how bad, 0 to 1; 0 leaves it to the mode's usual
	Face     int     // which of the mode's faces, from 1; 0 draws one
}

// Plant is a network in time. It is not safe for concurrent use; clones are
// independent of each other.
type Plant struct {
	o    PlantOptions
	tb   *table
	topo *topo

	now    int64 // nanoseconds since Start
	seq    uint64
	gen    uint32
	events eventQueue
	queued map[key]struct{}
	cells  map[key]cell
	nodes  []node

	faults   []injected
	faultIdx map[string]int32
	active   map[key][]imposed
	back     map[int32]int64 // when an element got its power back

	reporting

	env      env
	ids, tmp []int32
}

// injected is a fault with its fate.
type injected struct {
	Fault
	res      int32
	from, to int64 // to is 0 while no repair is known
	effects  []effect
	noise    bool
}

// imposed is a value that a fault holds a variable at.
type imposed struct {
	fault int32
	val   float64
}

// NewPlant builds a healthy plant.
func NewPlant(o PlantOptions) (*Plant, error) {
	switch {
	case o.Network == nil:
		return nil, fmt.Errorf("plant options: Network missing")
	case o.Start.IsZero():
		return nil, fmt.Errorf("plant options: Start missing")
	case o.Hidden < 0 || o.Hidden >= 1 || math.IsNaN(o.Hidden):
		return nil, fmt.Errorf("plant options: Hidden %v is outside 0..1", o.Hidden)
	case o.Noise < 0 || math.IsNaN(o.Noise):
		return nil, fmt.Errorf("plant options: Noise %v is negative", o.Noise)
	}
	tb, err := physics()
	if err != nil {
		return nil, fmt.Errorf("build plant: %w", err)
	}
	o.Hidden = cmp.Or(o.Hidden, 0.5)
	p := &Plant{
		o: o, tb: tb, topo: newTopo(o.Network, tb),
		queued: map[key]struct{}{}, cells: map[key]cell{}, faultIdx: map[string]int32{}, active: map[key][]imposed{}, back: map[int32]int64{},
		reporting: newReporting(),
	}
	p.env.plant = p
	if o.Noise > 0 {
		p.schedule(0, evNoise, key{}, 0)
	}
	return p, nil
}

// Clone returns an independent copy. It costs what deviates, not what exists.
func (p *Plant) Clone() *Plant {
	c := *p
	c.events = slices.Clone(p.events)
	c.queued, c.cells, c.faultIdx = maps.Clone(p.queued), maps.Clone(p.cells), maps.Clone(p.faultIdx)
	c.nodes = slices.Clone(p.nodes)
	c.faults = slices.Clone(p.faults)
	c.active, c.back = cloneLists(p.active), maps.Clone(p.back)
	c.reporting = p.reporting.clone()
	c.env, c.ids, c.tmp = env{plant: &c}, nil, nil
	return &c
}

// WithHidden is Clone with another value for the hidden parameters of an ideal plant.
// What has happened already keeps the old one.
func (p *Plant) WithHidden(u float64) *Plant {
	c := p.Clone()
	c.o.Hidden = u
	return c
}

func cloneLists[K comparable, V any](m map[K][]V) map[K][]V {
	out := make(map[K][]V, len(m))
	for k, v := range m {
		out[k] = slices.Clone(v)
	}
	return out
}

// Now is the simulated time.
func (p *Plant) Now() time.Time { return p.time(p.now) }

func (p *Plant) time(at int64) time.Time { return p.o.Start.Add(time.Duration(at)) }

// Inject breaks a resource at a time that is not past. It refuses a mode, resource
// or extent that does not exist, a mode that does not fit the resource's kind, and
// an id that was used.
func (p *Plant) Inject(f Fault) error { return p.inject(f, false) }

func (p *Plant) inject(f Fault, noise bool) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("inject fault %q: %s", f.ID, fmt.Sprintf(format, args...))
	}
	m, ok := modeByName(f.Mode)
	if !ok {
		return bad("no mode %q", f.Mode)
	}
	res, ok := p.topo.find(f.Resource)
	if !ok {
		return bad("no resource %q", f.Resource)
	}
	r := p.topo.res[res]
	if !parseSelector(m.On).match(r.Kind, r.Role) {
		return bad("mode %s is for %s, %s is %s", f.Mode, m.On, f.Resource, class{r.Kind, r.Role})
	}
	if f.ID == "" {
		return bad("id missing")
	}
	if _, used := p.faultIdx[f.ID]; used {
		return bad("id was used")
	}
	if f.Extent < 0 || f.Extent > 1 || math.IsNaN(f.Extent) {
		return bad("extent %v is outside 0..1", f.Extent)
	}
	at := int64(f.At.Sub(p.o.Start))
	if at < p.now {
		return bad("%s is past", f.At.UTC().Format(time.RFC3339))
	}
	extent := f.Extent
	if extent == 0 {
		extent = cmp.Or(m.extent, 0.7)
	}
	if f.Face < 0 || f.Face > m.count() {
		return bad("mode %s has no face %d", f.Mode, f.Face)
	}
	u := p.o.Hidden
	if !p.o.Ideal {
		u = unit(mix(p.o.Seed, hashString(f.ID), p.topo.hash[res]))
	}
	idx := int32(len(p.faults))
	p.faults = append(p.faults, injected{Fault: f, res: res, from: at, effects: m.does(f.Face, u, extent), noise: noise})
	p.faultIdx[f.ID] = idx
	p.schedule(at, evFault, key{idx, 0}, 0)
	return nil
}

// Repair ends a fault. It refuses an unknown fault, a second repair, and a time that
// is past or before the fault.
func (p *Plant) Repair(faultID string, at time.Time) error {
	i, ok := p.faultIdx[faultID]
	if !ok {
		return fmt.Errorf("repair fault %q: no such fault", faultID)
	}
	f := &p.faults[i]
	t := int64(at.Sub(p.o.Start))
	switch {
	case f.to != 0:
		return fmt.Errorf("repair fault %q: already repaired", faultID)
	case t < p.now || t <= f.from:
		return fmt.Errorf("repair fault %q: %s is past or before the fault", faultID, at.UTC().Format(time.RFC3339))
	}
	f.to = t
	p.schedule(t, evRepair, key{i, 0}, 0)
	return nil
}

// toggle starts or ends a fault. Where faults meet on one variable the worst holds.
func (p *Plant) toggle(fault int32, on bool) {
	f := p.faults[fault]
	for _, ef := range f.effects {
		k := key{f.res, int32(p.tb.varID[ef.v])}
		list := slices.DeleteFunc(p.active[k], func(im imposed) bool { return im.fault == fault })
		if on {
			list = append(list, imposed{fault, ef.val})
		}
		p.active[k] = list
		if len(list) == 0 {
			delete(p.active, k)
		}
		nominal := p.tb.nominal[k.v]
		worst := imposed{-1, nominal}
		for _, im := range list {
			if math.Abs(im.val-nominal) > math.Abs(worst.val-nominal) {
				worst = im
			}
		}
		if now, at := p.value(k.res, int(k.v)); now != worst.val || at >= 0 && p.nodes[at].fault != worst.fault {
			p.commit(k, worst.val, nil, worst.fault)
		}
	}
}

// Advance moves the clock and returns what arrived on the way, by (Arrived, Seq). A
// time that is past changes nothing.
func (p *Plant) Advance(to time.Time) []Notification {
	t := int64(to.Sub(p.o.Start))
	if t < p.now {
		return nil
	}
	p.run(t)
	return p.deliver(to)
}

// Impaired reports whether anything about a resource is not as it should be: it is
// broken itself, or it feels another's fault.
func (p *Plant) Impaired(resource string) bool {
	res, ok := p.topo.find(resource)
	if !ok {
		return false
	}
	for v := range p.tb.vars {
		if _, node := p.value(res, v); node >= 0 && p.detector(res, v) == nil {
			return true
		}
	}
	return false
}

// detector returns the alarm whose state variable v of a resource is.
func (p *Plant) detector(res int32, v int) *law {
	if li := p.topo.lawOf[p.topo.class[res]][v]; li >= 0 && p.tb.laws[li].alarm != nil {
		return &p.tb.laws[li]
	}
	return nil
}

// Outage is a resource that serves someone and does it badly or not at all.
type Outage struct {
	Resource string
	Kind     string
	Service  float64 // what is left of the service, 0 to below 1
}

// served are the kinds whose state customers feel.
var served = []string{"Cell", "CustomerGroup", "Service", "Slice"}

// Outages lists the cells, customer groups, services and slices without full
// service, by resource.
func (p *Plant) Outages() []Outage {
	var out []Outage
	for k, c := range p.cells {
		if name := p.tb.vars[k.v]; name == "serve" && p.detector(k.res, int(k.v)) == nil && c.val < 1 {
			if r := p.topo.res[k.res]; slices.Contains(served, r.Kind) {
				out = append(out, Outage{r.ID, r.Kind, c.val})
			}
		}
	}
	slices.SortFunc(out, func(a, b Outage) int { return cmp.Compare(a.Resource, b.Resource) })
	return out
}

// hidden is a parameter of a resource that nobody outside knows, in [0, 1).
func (p *Plant) hidden(res int32, name string) float64 {
	if p.o.Ideal {
		return p.o.Hidden
	}
	return unit(mix(p.o.Seed, p.topo.hash[res], hashString(name)))
}

func (c class) String() string {
	if c.role == "" {
		return c.kind
	}
	return c.kind + ":" + c.role
}

// Network is what the plant was built from.
func (p *Plant) Network() *Network { return p.o.Network }

// Digest names the plant's state: clock, variables, waiting events, faults, alarms and
// notifications on their way. Plants of one network with equal digests go on alike.
func (p *Plant) Digest() string {
	h := sha256.New()
	fmt.Fprintln(h, p.o.Seed, p.o.Start, p.o.Noise, p.o.Ideal, p.o.Hidden, p.now, p.seq, p.said, p.faults)
	for _, k := range sortedByKey(p.cells) {
		fmt.Fprintln(h, k, p.cells[k])
	}
	for _, k := range sortedByKey(p.standing) {
		fmt.Fprintln(h, k, *p.standing[k])
	}
	events := slices.Clone(p.events)
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.seq, b.seq) })
	fmt.Fprintln(h, events, p.occurrences, len(p.nodes))
	out := slices.Clone(p.outbox)
	slices.SortFunc(out, func(a, b Notification) int { return cmp.Compare(a.Seq, b.Seq) })
	fmt.Fprintln(h, out)
	return hex.EncodeToString(h.Sum(nil))
}

func sortedByKey[V any](m map[key]V) []key {
	keys := make([]key, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.res, b.res), cmp.Compare(a.v, b.v)) })
	return keys
}
