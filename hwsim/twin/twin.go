// Package twin rehearses remedies on a copy of the network before anyone touches the
// real one. It is built from what ingestion knows, the graph, and from nothing else:
// no fault script, no state of a simulated plant, no hidden parameter.
//
// Twin and simulated plant share the device code of hwsim. Against that plant the
// twin is therefore better than it would be against a real network: the laws are
// right by construction, and only parameters, noise, losses and wrong inventory
// differ. Judge it by perturbed parameters and stale inventory, not by the matched
// case alone.
package twin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"faultline/graph"
	"faultline/hwsim"
	"faultline/rca"
)

// Options say what the twin is built from.
type Options struct {
	Graph graph.Reader
	AsOf  graph.AsOf
	// Known is when the inventory was last heard of; predictions tell their data age
	// from it. Zero leaves the age out.
	Known time.Time
	// AlarmID translates a device's name of an alarm into an alarm type id.
	AlarmID func(slug string) (id string, ok bool)
}

// Twin is a healthy model of the network. It never changes after New and is safe for
// concurrent use.
type Twin struct {
	o    Options
	base *hwsim.Plant
}

// epoch is where the twin's clock starts; incidents lie after it.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// New reads the resource layer of the graph once. A missing option is rca.ErrInvalid.
func New(ctx context.Context, o Options) (*Twin, error) {
	switch {
	case o.Graph == nil:
		return nil, fmt.Errorf("twin options: Graph missing: %w", rca.ErrInvalid)
	case o.AlarmID == nil:
		return nil, fmt.Errorf("twin options: AlarmID missing: %w", rca.ErrInvalid)
	}
	n, err := network(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("build twin: %w", err)
	}
	p, err := hwsim.NewPlant(hwsim.PlantOptions{Network: n, Start: epoch, Ideal: true})
	if err != nil {
		return nil, fmt.Errorf("build twin: %w", err)
	}
	return &Twin{o, p}, nil
}

// network copies the entities whose kind the resource model knows, and the relations
// among them.
func network(ctx context.Context, o Options) (*hwsim.Network, error) {
	schema := graph.ResourceSchema()
	known := map[graph.Kind]bool{}
	for _, t := range schema.Triples() {
		known[t.From.Kind], known[t.To.Kind] = true, true
	}
	var res []hwsim.Resource
	there := map[graph.ID]bool{}
	for e, err := range o.Graph.Find(ctx, graph.Query{AsOf: o.AsOf}) {
		if err != nil {
			return nil, fmt.Errorf("read resources: %w", err)
		}
		if known[e.Kind] {
			there[e.ID] = true
			res = append(res, hwsim.Resource{ID: string(e.ID), Kind: string(e.Kind), Role: e.Role, Name: e.Name, Domain: e.Domain, Attrs: e.Attrs})
		}
	}
	var rels []hwsim.Relation
	for _, r := range res {
		for rel, err := range o.Graph.Relations(ctx, graph.ID(r.ID), graph.Filter{Dir: graph.Out, AsOf: o.AsOf}) {
			if err != nil {
				return nil, fmt.Errorf("read relations of %s: %w", r.ID, err)
			}
			if there[rel.To] {
				rels = append(rels, hwsim.Relation{From: r.ID, Type: string(rel.Type), To: string(rel.To)})
			}
		}
	}
	return hwsim.NewNetwork(res, rels)
}

// Digest names the state of the twin: equal digests, equal state.
func (t *Twin) Digest() string { return t.base.Digest() }

// settle is how long after the work the twin looks again. Batteries and rooms take
// their time.
const settle = 4 * time.Hour

// Rehearse breaks a copy of the network as the action's hypothesis says, lets time
// pass from the incident's first alarm until now, does the work, and reports which
// alarms and services come back. An incident without alarms or an action without a
// resource that the inventory knows is rca.ErrInvalid.
func (t *Twin) Rehearse(ctx context.Context, inc rca.Incident, a rca.Action, now time.Time) (rca.Prediction, error) {
	if err := ctx.Err(); err != nil {
		return rca.Prediction{}, fmt.Errorf("rehearse: %w", err)
	}
	r, ok := t.base.Network().Resource(string(a.Resource))
	switch {
	case !ok:
		return rca.Prediction{}, fmt.Errorf("rehearse on %q: not in the inventory: %w", a.Resource, rca.ErrInvalid)
	case len(inc.Alarms) == 0:
		return rca.Prediction{}, fmt.Errorf("rehearse %s: no alarms: %w", inc.ID, rca.ErrInvalid)
	case inc.First.Before(epoch):
		return rca.Prediction{}, fmt.Errorf("rehearse %s: first alarm at %s: %w", inc.ID, inc.First.Format(time.RFC3339), rca.ErrInvalid)
	}
	work := workFor(a.Kind, r)
	pred := rca.Prediction{Rollback: work.rollback(a)}
	if !t.o.Known.IsZero() {
		pred.DataAge = max(0, now.Sub(t.o.Known))
	}
	if now.Before(inc.Last) {
		now = inc.Last
	}
	if err := t.simulate(&pred, inc, a, work, now); err != nil {
		t.guess(&pred, inc, a, now)
		pred.Note = fmt.Sprintf("the device models do not know this (%v); predicted from the structure alone: %s", err, pred.Note)
	}
	pred.Risk = risk(a.Risk, len(pred.Disturbed))
	return pred, nil
}

// subject lists the alarms that the prediction is about: those that stand, or all of
// a past incident.
func subject(inc rca.Incident, now time.Time) []rca.AlarmKey {
	var standing, all []rca.AlarmKey
	for _, al := range inc.Alarms {
		all = append(all, al.AlarmKey)
		if al.Active(now) {
			standing = append(standing, al.AlarmKey)
		}
	}
	if standing == nil {
		standing = all
	}
	slices.SortFunc(standing, rca.AlarmKey.Compare)
	return slices.Compact(standing)
}

// tempers are the values that the twin tries for what nobody knows of the devices:
// the middle of every range, and a network in which more of what can happen does.
var tempers = []float64{0.5, 0.3}

// fit breaks copies of the network in every way that the action's mode can show, and
// returns the one whose alarms are most like the incident's, at time now.
func (t *Twin) fit(inc rca.Incident, a rca.Action, now time.Time) (*hwsim.Plant, error) {
	f := hwsim.Fault{ID: "hypothesis", Mode: strings.TrimPrefix(a.Mode, "FM-"), Resource: string(a.Resource), At: inc.First}
	var tries []hwsim.Fault
	for i := range hwsim.Faces(f.Mode) {
		f.Face = i + 1
		tries = append(tries, f)
	}
	if len(tries) < 2 {
		f.Face, f.Extent = 0, 1
		tries = append(tries, f)
	}
	seen := map[rca.AlarmKey]bool{}
	for _, al := range inc.Alarms {
		seen[al.AlarmKey] = true
	}
	var best *hwsim.Plant
	bestScore := -1.0
	for _, u := range tempers {
		for _, f := range tries {
			p := t.base.WithHidden(u)
			p.Advance(inc.First)
			if err := p.Inject(f); err != nil {
				return nil, err
			}
			p.Advance(now)
			hits, caused := 0.0, t.caused(p)
			for k := range caused {
				if seen[k] || seen[rca.AlarmKey{Resource: k.Resource, Type: k.Type}] {
					hits++
				}
			}
			if score := 2 * hits / float64(len(seen)+len(caused)); score > bestScore { // the F1 of the two sets
				best, bestScore = p, score
			}
		}
	}
	return best, nil
}

// caused lists the alarms that the hypothesis brought so far.
func (t *Twin) caused(p *hwsim.Plant) map[rca.AlarmKey]bool {
	out := map[rca.AlarmKey]bool{}
	for _, f := range p.Trace().Faults {
		for _, al := range f.Alarms {
			if f.Fault.ID == "hypothesis" {
				out[t.key(al.Object, al.Alarm, al.Qualifier)] = true
			}
		}
	}
	return out
}

// simulate fills in the prediction from the device models. It fails when they do not
// know the mode, or not on this kind of resource.
func (t *Twin) simulate(pred *rca.Prediction, inc rca.Incident, a rca.Action, work work, now time.Time) error {
	now = later(now, inc.First.Add(time.Minute))
	p, err := t.fit(inc, a, now)
	if err != nil {
		return err
	}
	before, felt := outages(p), map[string]bool{}
	for _, al := range inc.Alarms {
		felt[string(al.Resource)] = p.Impaired(string(al.Resource))
	}
	start := now.Add(time.Second)
	end := start.Add(work.lasts)
	if work.mode != "" {
		if err := p.Inject(hwsim.Fault{ID: "work", Mode: work.mode, Resource: string(a.Resource), At: start, Extent: 1}); err != nil {
			return err
		}
		if !work.stays {
			if err := p.Repair("work", end); err != nil {
				return err
			}
		}
	}
	if err := p.Repair("hypothesis", end); err != nil {
		return err
	}
	disturbed := map[string]bool{}
	for at := start; at.Before(end); at = at.Add(work.lasts/4 + 1) {
		p.Advance(at)
		for id := range outages(p) {
			disturbed[id] = disturbed[id] || !before[id]
		}
	}
	p.Advance(end.Add(settle))
	after := outages(p)
	caused, standing := t.caused(p), map[rca.AlarmKey]bool{}
	for _, s := range p.Standing() {
		standing[t.key(s.Object, s.Alarm, s.Qualifier)] = true
	}
	byModel, byPlace := 0, 0
	for _, k := range subject(inc, now) {
		switch plain := (rca.AlarmKey{Resource: k.Resource, Type: k.Type}); {
		case standing[k] || standing[plain]:
			pred.Remaining = append(pred.Remaining, k)
		case caused[k] || caused[plain]:
			byModel++
			pred.Cleared = append(pred.Cleared, k)
		case felt[string(k.Resource)] && !p.Impaired(string(k.Resource)):
			byPlace++
			pred.Cleared = append(pred.Cleared, k)
		default:
			pred.Remaining = append(pred.Remaining, k)
		}
	}
	for id := range before {
		if !after[id] {
			pred.Restored = append(pred.Restored, graph.ID(id))
		}
	}
	for id, was := range disturbed {
		if was {
			pred.Disturbed = append(pred.Disturbed, graph.ID(id))
		}
	}
	slices.Sort(pred.Restored)
	slices.Sort(pred.Disturbed)
	pred.Note = fmt.Sprintf("rehearsed with %s on %s: %d alarms clear as the device models say, %d more because their resource recovers", strings.TrimPrefix(a.Mode, "FM-"), a.Resource, byModel, byPlace)
	return nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// key translates an alarm of the models. A name that nobody knows keeps its slug and
// so equals no alarm of an incident.
func (t *Twin) key(object, slug, qualifier string) rca.AlarmKey {
	id, ok := t.o.AlarmID(slug)
	if !ok {
		id = slug
	}
	return rca.AlarmKey{Resource: graph.ID(object), Type: id, Qualifier: qualifier}
}

func outages(p *hwsim.Plant) map[string]bool {
	out := map[string]bool{}
	for _, o := range p.Outages() {
		out[o.Resource] = true
	}
	return out
}

// downstream says which relations carry trouble on, and which way.
var downstream = []struct {
	rel     graph.RelationType
	against bool
}{
	{graph.Contains, false}, {graph.Powers, false}, {graph.Hosts, false}, {graph.Carries, false}, {graph.Serves, false},
	{graph.Connects, false}, {graph.Synchronises, false}, {graph.DependsOn, true}, {graph.LaidIn, true},
}

// reach bounds how far trouble is followed through the structure.
const reach = 10

// guess predicts from the structure: alarms on what depends on the resource clear,
// others stay.
func (t *Twin) guess(pred *rca.Prediction, inc rca.Incident, a rca.Action, now time.Time) {
	n := t.base.Network()
	seen := map[string]bool{string(a.Resource): true}
	edge := []string{string(a.Resource)}
	for range reach {
		var next []string
		for _, id := range edge {
			for _, d := range downstream {
				far := n.Out(id, string(d.rel))
				if d.against {
					far = n.In(id, string(d.rel))
				}
				for _, f := range far {
					if !seen[f] {
						seen[f] = true
						next = append(next, f)
					}
				}
			}
		}
		edge = next
	}
	for _, k := range subject(inc, now) {
		if !seen[string(k.Resource)] {
			pred.Remaining = append(pred.Remaining, k)
			continue
		}
		pred.Cleared = append(pred.Cleared, k)
		if r, _ := n.Resource(string(k.Resource)); r.Kind == "Cell" || r.Kind == "CustomerGroup" || r.Kind == "Service" || r.Kind == "Slice" {
			pred.Restored = append(pred.Restored, k.Resource)
		}
	}
	slices.Sort(pred.Restored)
	pred.Restored = slices.Compact(pred.Restored)
	pred.Note = fmt.Sprintf("%d resources depend on %s", len(seen)-1, a.Resource)
}

// risk is the procedure's own, raised by what the work disturbs.
func risk(given string, disturbed int) string {
	levels := []string{"low", "medium", "high"}
	own := 0
	switch {
	case disturbed > 20:
		own = 2
	case disturbed > 0:
		own = 1
	}
	return levels[max(own, slices.Index(levels, cmp.Or(given, "low")))]
}
