// Package correlate puts alarms together into incidents, by time, topology and
// knowledge: two alarms belong together when a causal edge, or two edges with an
// unseen alarm between, leads from one resource to the other within the edge's
// lag, or when one fault mode at one resource brings both at about the same time.
// Incidents are the connected components of that relation.
//
// The relation looks at pairs of alarm occurrences and at nothing else, so the
// result depends only on the set of events received, never on their order:
// duplicates, late events, clears before raises and list rebuilds give the same
// incidents, byte for byte.
package correlate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"faultline/graph"
	"faultline/rca"
)

// Options of New. Zero durations take the defaults.
type Options struct {
	Knowledge *rca.Knowledge
	Topology  rca.Topology
	Hold      time.Duration // how long a clear must last to end an occurrence; default 5 min
	Slack     time.Duration // clock and filter differences between reporters; default 2 min
	MaxLag    time.Duration // cap of any edge's lag; default 24 h
}

func (o *Options) validate() error {
	switch {
	case o.Knowledge == nil:
		return fmt.Errorf("correlate options: Knowledge missing: %w", rca.ErrInvalid)
	case o.Topology == nil:
		return fmt.Errorf("correlate options: Topology missing: %w", rca.ErrInvalid)
	}
	o.Hold = cmp.Or(o.Hold, 5*time.Minute)
	o.Slack = cmp.Or(o.Slack, 2*time.Minute)
	o.MaxLag = cmp.Or(o.MaxLag, 24*time.Hour)
	return nil
}

// place is where an alarm type can stand.
type place struct {
	alarmType string
	resource  graph.ID
}

// bond says that an alarm at the place may belong to the alarm that holds the bond,
// if it was raised between after and before it (both signed, effect minus holder).
type bond struct {
	to        place
	from, to2 time.Duration
	reason    string
}

// anchor is a fault mode at a resource.
type anchor struct {
	mode     string
	resource graph.ID
}

type occurrence struct {
	rca.Alarm
	id string
}

// Correlator builds incidents from alarm events as they come. It is safe for
// concurrent use.
type Correlator struct {
	o Options

	mu          sync.Mutex
	events      map[rca.AlarmKey][]rca.AlarmEvent
	seen        map[string]struct{} // source and id of every event
	occ         map[rca.AlarmKey][]*occurrence
	at          map[place][]*occurrence  // by raise time
	anchored    map[anchor][]*occurrence // by raise time
	bonds       map[place][]bond
	anchors     map[place][]anchor
	planned     map[string]bool // fault modes that are announced work
	maintenance []rca.Maintenance
	incidentOf  map[*occurrence]string
	members     map[string][]*occurrence
	dirty       map[*occurrence]struct{}
	gone        map[string]struct{} // incidents that lost a member since the last Changed
}

// New returns an empty correlator, or an error that names the missing option.
func New(o Options) (*Correlator, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	planned := map[string]bool{}
	for _, m := range o.Knowledge.FaultModes() {
		planned[m.ID] = m.Planned
	}
	return &Correlator{
		o: o, planned: planned, events: map[rca.AlarmKey][]rca.AlarmEvent{}, seen: map[string]struct{}{}, occ: map[rca.AlarmKey][]*occurrence{},
		at: map[place][]*occurrence{}, anchored: map[anchor][]*occurrence{}, bonds: map[place][]bond{}, anchors: map[place][]anchor{},
		incidentOf: map[*occurrence]string{}, members: map[string][]*occurrence{}, dirty: map[*occurrence]struct{}{}, gone: map[string]struct{}{},
	}, nil
}

// Plan sets the known maintenance windows. Alarms raised on a resource under work
// are marked planned. It applies to alarms of the past too.
func (c *Correlator) Plan(windows []rca.Maintenance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.maintenance = slices.Clone(windows)
	for o := range c.incidentOf {
		c.dirty[o] = struct{}{}
	}
}

// Add takes events in any order. Events received before are ignored. The first
// invalid event stops the call with its error; those before it are in.
func (c *Correlator) Add(ctx context.Context, events ...rca.AlarmEvent) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	touched := map[rca.AlarmKey]struct{}{}
	var fault error
	for _, e := range events {
		if fault = e.Validate(); fault != nil {
			break
		}
		id := e.Source + "\x00" + e.ID
		if _, dup := c.seen[id]; dup {
			continue
		}
		c.seen[id] = struct{}{}
		c.events[e.AlarmKey] = append(c.events[e.AlarmKey], e)
		touched[e.AlarmKey] = struct{}{}
	}
	keys := make([]rca.AlarmKey, 0, len(touched))
	for k := range touched {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, rca.AlarmKey.Compare)
	for _, k := range keys {
		if err := c.refold(ctx, k); err != nil {
			return errors.Join(fault, fmt.Errorf("correlate %s: %w", k, err))
		}
	}
	return fault
}

// refold replaces the occurrences of one key by what its events now say.
func (c *Correlator) refold(ctx context.Context, k rca.AlarmKey) error {
	pl := place{k.Type, k.Resource}
	anchors, err := c.anchorsOf(ctx, pl)
	if err != nil {
		return err
	}
	for _, o := range c.occ[k] {
		c.at[pl] = without(c.at[pl], o)
		for _, a := range anchors {
			c.anchored[a] = without(c.anchored[a], o)
		}
		if inc, ok := c.incidentOf[o]; ok {
			c.gone[inc] = struct{}{}
			delete(c.incidentOf, o)
		}
		delete(c.dirty, o)
	}
	c.occ[k] = nil
	for _, a := range rca.Fold(c.events[k], c.o.Hold) {
		o := &occurrence{Alarm: a, id: a.ID()}
		c.occ[k] = append(c.occ[k], o)
		c.at[pl] = with(c.at[pl], o)
		for _, an := range anchors {
			c.anchored[an] = with(c.anchored[an], o)
		}
		c.dirty[o] = struct{}{}
	}
	return nil
}

func byTime(a, b *occurrence) int {
	return cmp.Or(a.Raised.Compare(b.Raised), a.AlarmKey.Compare(b.AlarmKey))
}

func with(list []*occurrence, o *occurrence) []*occurrence {
	i, _ := slices.BinarySearchFunc(list, o, byTime)
	return slices.Insert(list, i, o)
}

func without(list []*occurrence, o *occurrence) []*occurrence {
	if i := slices.Index(list, o); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// Incidents returns every incident, by first raise and id.
func (c *Correlator) Incidents(ctx context.Context) ([]rca.Incident, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, _, err := c.settle(ctx); err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(c.members))
	for id := range c.members {
		ids = append(ids, id)
	}
	return c.build(ctx, ids)
}

// Changed returns the incidents that are new or different since the last call, and
// the ids of those that are no more because they were merged or renamed.
func (c *Correlator) Changed(ctx context.Context) (changed []rca.Incident, superseded []string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ids, superseded, err := c.settle(ctx)
	if err != nil {
		return nil, nil, err
	}
	changed, err = c.build(ctx, ids)
	return changed, superseded, err
}

// settle recomputes the components around dirty occurrences.
func (c *Correlator) settle(ctx context.Context) (changed, superseded []string, err error) {
	for id := range c.gone { // members of a broken component must all find a new home
		for _, m := range c.members[id] {
			if _, alive := c.incidentOf[m]; alive {
				c.dirty[m] = struct{}{}
			}
		}
	}
	todo := make([]*occurrence, 0, len(c.dirty))
	for o := range c.dirty {
		todo = append(todo, o)
	}
	slices.SortFunc(todo, byTime)
	old := c.gone
	done := map[*occurrence]struct{}{}
	fresh := map[string]struct{}{}
	for _, start := range todo {
		if _, ok := done[start]; ok {
			continue
		}
		comp := []*occurrence{start}
		done[start] = struct{}{}
		for i := 0; i < len(comp); i++ {
			err := c.neighbours(ctx, comp[i], func(n *occurrence, _ string) {
				if _, ok := done[n]; !ok {
					done[n] = struct{}{}
					comp = append(comp, n)
				}
			})
			if err != nil {
				return nil, nil, err
			}
		}
		slices.SortFunc(comp, byTime)
		id := incidentID(comp[0])
		for _, o := range comp {
			if was, ok := c.incidentOf[o]; ok {
				old[was] = struct{}{}
			}
		}
		for _, o := range comp {
			c.incidentOf[o] = id
		}
		c.members[id] = comp
		fresh[id] = struct{}{}
	}
	for id := range old {
		if _, ok := fresh[id]; !ok {
			delete(c.members, id)
			superseded = append(superseded, id)
		}
	}
	for id := range fresh {
		changed = append(changed, id)
	}
	slices.Sort(superseded)
	clear(c.dirty)
	c.gone = map[string]struct{}{}
	return changed, superseded, nil
}

func incidentID(first *occurrence) string {
	sum := sha256.Sum256([]byte(first.id))
	return "INC-" + first.Raised.UTC().Format("20060102") + "-" + hex.EncodeToString(sum[:4])
}

func (c *Correlator) build(ctx context.Context, ids []string) ([]rca.Incident, error) {
	out := make([]rca.Incident, 0, len(ids))
	for _, id := range ids {
		inc, err := c.incident(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("build incident %s: %w", id, err)
		}
		out = append(out, inc)
	}
	slices.SortFunc(out, func(a, b rca.Incident) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

func (c *Correlator) incident(ctx context.Context, id string) (rca.Incident, error) {
	inc := rca.Incident{ID: id, Planned: true}
	domains := map[string]struct{}{}
	in := map[*occurrence]struct{}{}
	for _, o := range c.members[id] {
		in[o] = struct{}{}
	}
	for _, o := range c.members[id] {
		a := o.Alarm
		planned, err := c.underWork(ctx, a)
		if err != nil {
			return inc, err
		}
		a.Planned = planned
		inc.Planned = inc.Planned && planned
		inc.Alarms = append(inc.Alarms, a)
		inc.Severity = max(inc.Severity, a.Severity)
		if t, ok := c.o.Knowledge.AlarmType(a.Type); ok {
			domains[t.Domain] = struct{}{}
		}
		best := ""
		var to *occurrence
		err = c.neighbours(ctx, o, func(n *occurrence, reason string) {
			if _, ok := in[n]; ok && byTime(n, o) < 0 && (to == nil || byTime(n, to) < 0) {
				best, to = reason, n
			}
		})
		if err != nil {
			return inc, err
		}
		if to != nil {
			inc.Links = append(inc.Links, rca.Link{A: to.AlarmKey, B: o.AlarmKey, Reason: best})
		}
	}
	inc.First, inc.Last = inc.Alarms[0].Raised, inc.Alarms[len(inc.Alarms)-1].Raised
	for d := range domains {
		inc.Domains = append(inc.Domains, d)
	}
	slices.Sort(inc.Domains)
	name := inc.Alarms[0].Type
	if t, ok := c.o.Knowledge.AlarmType(name); ok {
		name = t.Name
	}
	inc.Name = fmt.Sprintf("%s on %s", name, inc.Alarms[0].Resource)
	if n := len(inc.Alarms) - 1; n > 0 {
		inc.Name += fmt.Sprintf(" and %d more", n)
	}
	return inc, nil
}

// containers is the way from a resource up to what holds it.
var containers = mustPath("* <CONTAINS *")

func mustPath(s string) *graph.Path {
	p, err := graph.ParsePath(s)
	if err != nil {
		panic(err) // a constant of this file
	}
	return &p
}

func (c *Correlator) underWork(ctx context.Context, a rca.Alarm) (bool, error) {
	_, ok, err := c.workOn(ctx, a.Resource, a.Raised)
	return ok, err
}

// workOn finds the announced work that covers a resource, or what holds it, at a time.
func (c *Correlator) workOn(ctx context.Context, resource graph.ID, at time.Time) (rca.Maintenance, bool, error) {
	for _, m := range c.maintenance {
		if !m.Covers(at, c.o.Slack) {
			continue
		}
		level := []graph.ID{resource}
		for depth := 0; len(level) > 0 && depth < 8; depth++ {
			var up []graph.ID
			for _, id := range level {
				if slices.Contains(m.Resources, id) {
					return m, true, nil
				}
				ids, err := c.o.Topology.Follow(ctx, id, containers)
				if err != nil {
					return m, false, err
				}
				up = append(up, ids...)
			}
			level = up
		}
	}
	return rca.Maintenance{}, false, nil
}
