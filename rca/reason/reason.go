// Package reason turns candidate causes and observed alarms into ranked hypotheses
// and a decision. It works in the manner of a leaky noisy-OR network: knowledge
// edges are grounded over the resource graph, a candidate's consequences are
// propagated through them, and every alarm that is there, and every alarm that
// should be there and is not, moves the candidate's log score. Silence counts only
// where the element could have reported and the time has come.
//
//	score(H) = sum over h in H   log prior(h)
//	         + sum over alarms a log(1 - (1-leak_a) * prod over h (1 - P(a|h) * timing(a,h)))
//	         + sum over missing e log(1 - P(e|H) * observable(e))
//
// Everything is arithmetic on the inputs: the same incident, knowledge and topology
// give the same decision, byte for byte. Text of alarms, tickets and manuals never
// reaches the ranking.
package reason

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"faultline/graph"
	"faultline/rca"
)

// Fixed points of the arithmetic. Probabilities and leaks come with the knowledge;
// these stand where it is silent.
const (
	defaultLeak   = 0.02
	defaultDetect = 0.95
	minBelief     = 0.015 // weaker branches are not followed
	delivered     = 0.96  // share of notifications that get through; the rest is lost on the way
	maxMiss       = 0.97  // no single silence refutes a cause
	maxNodes      = 6000  // of one propagation
	slackSeconds  = 90    // clocks and alarm filters
	perYear       = 1e-2  // turns a yearly rate into the chance of a fault beside this incident, in time and place
)

// Options of New.
type Options struct {
	Knowledge   *rca.Knowledge
	Topology    rca.Topology
	Temperature float64 // of the confidence; 1 trusts the arithmetic fully; default 2
	Top         int     // hypotheses to report; default 5
	MaxCauses   int     // independent causes to look for in one incident; default 4
}

// Reasoner ranks hypotheses. It is immutable and safe for concurrent use.
type Reasoner struct {
	o     Options
	rank  map[string]int
	mutes map[string][]*graph.Path
}

var containers = func() *graph.Path {
	p, err := graph.ParsePath("* <CONTAINS *")
	if err != nil {
		panic(err) // a constant of this file
	}
	return &p
}()

// New returns a Reasoner, or an error that names the missing option.
func New(o Options) (*Reasoner, error) {
	switch {
	case o.Knowledge == nil:
		return nil, fmt.Errorf("reason options: Knowledge missing: %w", rca.ErrInvalid)
	case o.Topology == nil:
		return nil, fmt.Errorf("reason options: Topology missing: %w", rca.ErrInvalid)
	}
	o.Temperature = cmp.Or(o.Temperature, 1.2)
	o.Top = cmp.Or(o.Top, 5)
	o.MaxCauses = cmp.Or(o.MaxCauses, 4)
	r := &Reasoner{o: o, rank: rankTypes(o.Knowledge), mutes: map[string][]*graph.Path{}}
	for _, t := range o.Knowledge.AlarmTypes() {
		for i := range t.Mutes {
			r.mutes[t.ID] = append(r.mutes[t.ID], &t.Mutes[i])
		}
	}
	return r, nil
}

// rankTypes numbers alarm types so that causes come before effects. A cycle is
// broken at the edge that a depth-first walk by id closes it with.
func rankTypes(k *rca.Knowledge) map[string]int {
	types := k.AlarmTypes()
	state := map[string]int{}
	var order []string
	var visit func(id string)
	visit = func(id string) {
		state[id] = 1
		for e := range k.Effects(id) {
			if state[e.Effect] == 0 {
				visit(e.Effect)
			}
		}
		order = append(order, id)
	}
	for _, t := range types {
		if state[t.ID] == 0 {
			visit(t.ID)
		}
	}
	rank := map[string]int{}
	for i, id := range order {
		rank[id] = len(order) - i
	}
	return rank
}

// Question is what Decide answers.
type Question struct {
	Incident rca.Incident
	Suspects []rca.Suspect // candidates; their Prior multiplies the fault mode's rate
	Evidence []rca.Evidence
	Now      time.Time // end of the record; silence after it is no evidence
}

// scored is one candidate with its model.
type scored struct {
	rca.Suspect
	mode  rca.FaultMode
	model *model
	prior float64
	total float64
}

// Decide ranks the suspects and says what to do. It returns an error only for a
// broken topology or a cancelled context: an incident that nothing explains gets a
// Decision that says so.
func (r *Reasoner) Decide(ctx context.Context, q Question) (rca.Decision, error) {
	if len(q.Incident.Alarms) == 0 {
		return rca.Decision{Reason: "The incident has no alarms."}, nil
	}
	w := r.newWorld(q.Incident, q.Now)
	if err := w.hush(ctx); err != nil {
		return rca.Decision{}, fmt.Errorf("decide %s: %w", q.Incident.ID, err)
	}
	var all []scored
	for _, s := range dedupe(q.Suspects) {
		if err := ctx.Err(); err != nil {
			return rca.Decision{}, fmt.Errorf("decide %s: %w", q.Incident.ID, err)
		}
		mode, ok := r.o.Knowledge.FaultMode(s.Mode)
		if !ok {
			continue
		}
		m, err := w.propagate(ctx, []rca.Suspect{s})
		if err != nil {
			return rca.Decision{}, fmt.Errorf("propagate %s at %s: %w", s.Mode, s.Resource, err)
		}
		if len(m.byObs) == 0 {
			continue
		}
		prior := logPrior(mode, s)
		all = append(all, scored{s, mode, m, prior, prior + m.score()})
	}
	slices.SortFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Resource, b.Resource))
	})
	return r.conclude(ctx, w, q, all)
}

func logPrior(m rca.FaultMode, s rca.Suspect) float64 {
	return math.Log(max(m.Rate, 1e-6) * perYear * cmp.Or(s.Prior, 1))
}

// logUnknown is the prior of a cause that the knowledge does not hold.
var logUnknown = math.Log(1e-6)

func dedupe(in []rca.Suspect) []rca.Suspect {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b rca.Suspect) int {
		return cmp.Or(cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Resource, b.Resource), cmp.Compare(b.Prior, a.Prior))
	})
	return slices.CompactFunc(out, func(a, b rca.Suspect) bool { return a.Mode == b.Mode && a.Resource == b.Resource })
}

// conclude turns the scored candidates into the answer.
func (r *Reasoner) conclude(ctx context.Context, w *world, q Question, all []scored) (rca.Decision, error) {
	if len(all) == 0 {
		d := rca.Decision{Reason: "No known fault mode brings any of these alarms on these resources.", Next: "Check the inventory around " + string(w.alarms[0].Resource) + "."}
		for _, a := range w.alarms {
			d.Unexplained = append(d.Unexplained, a.AlarmKey)
		}
		d.Hypotheses = []rca.Hypothesis{{Mode: rca.UnknownMode, Name: "unknown cause", Confidence: 1, Of: len(w.alarms)}}
		return d, nil
	}
	set, joint, err := r.together(ctx, w, all)
	if err != nil {
		return rca.Decision{}, err
	}
	conf, unknown := r.confidences(all)
	d := rca.Decision{}
	for i := range min(r.o.Top, len(all)) {
		h, err := r.hypothesis(ctx, w, all[i])
		if err != nil {
			return d, err
		}
		h.Confidence = conf[i]
		d.Hypotheses = append(d.Hypotheses, h)
	}
	d.Hypotheses = append(d.Hypotheses, rca.Hypothesis{Mode: rca.UnknownMode, Name: "unknown cause", Score: logUnknown, Confidence: unknown, Of: len(w.alarms)})
	slices.SortStableFunc(d.Hypotheses, func(a, b rca.Hypothesis) int { return cmp.Compare(b.Confidence, a.Confidence) })
	if len(set) > 1 {
		for _, s := range set {
			c := rca.Cause{Mode: s.Mode, Resource: s.Resource, Confidence: r.against(all, s)}
			d.Causes = append(d.Causes, c)
		}
		for _, s := range set[1:] {
			if !slices.ContainsFunc(d.Hypotheses, func(h rca.Hypothesis) bool { return h.Mode == s.Mode && h.Resource == s.Resource }) {
				h, err := r.hypothesis(ctx, w, s)
				if err != nil {
					return d, err
				}
				h.Confidence = r.against(all, s)
				d.Hypotheses = append(d.Hypotheses, h)
			}
		}
	}
	for i, a := range w.alarms {
		if joint.byObs[i].gain < 0.1 {
			d.Unexplained = append(d.Unexplained, a.AlarmKey)
		}
	}
	top := d.Hypotheses[0]
	d.Determined = top.Mode != rca.UnknownMode && top.Confidence >= 0.35
	d.Next = r.next(d.Hypotheses)
	switch {
	case len(d.Causes) > 1:
		d.Reason = fmt.Sprintf("%d independent causes; the first is %s at %s.", len(d.Causes), top.Name, top.Resource)
	case d.Determined:
		d.Reason = fmt.Sprintf("%s at %s explains %d of %d alarms.", top.Name, top.Resource, top.Explains, top.Of)
	case top.Mode == rca.UnknownMode:
		d.Reason = "Cannot be determined: no known cause fits well enough."
	default:
		d.Reason = fmt.Sprintf("Cannot be determined: %s at %s leads, but others fit nearly as well.", top.Name, top.Resource)
	}
	if d.Determined {
		d.Action = r.action(top)
	}
	return d, nil
}

// together looks for further independent causes of what the best one leaves.
func (r *Reasoner) together(ctx context.Context, w *world, all []scored) ([]scored, *model, error) {
	set := []scored{all[0]}
	joint, score := all[0].model, all[0].total
	for len(set) < r.o.MaxCauses {
		var best *scored
		var bestModel *model
		bestScore := score + 1 // a further cause must pay for itself, and more than by chance
		tried := 0
		for i := range all {
			c := &all[i]
			if tried >= 12 || !adds(w, c.model, joint) {
				continue
			}
			tried++
			causes := make([]rca.Suspect, 0, len(set)+1)
			prior := c.prior
			for _, s := range set {
				causes = append(causes, s.Suspect)
				prior += s.prior
			}
			m, err := w.propagate(ctx, append(causes, c.Suspect))
			if err != nil {
				return nil, nil, err
			}
			if s := prior + m.score(); s > bestScore {
				best, bestModel, bestScore = c, m, s
			}
		}
		if best == nil {
			return set, joint, nil
		}
		set, joint, score = append(set, *best), bestModel, bestScore
	}
	return set, joint, nil
}

// adds reports whether a model explains an alarm well that another leaves.
func adds(w *world, m, other *model) bool {
	for i, n := range m.byObs {
		if n.gain > 1 && w.known[i] {
			if other.byObs[i].gain < n.gain-1 {
				return true
			}
		}
	}
	return false
}

// confidences is the softmax over all candidates and the unknown cause.
func (r *Reasoner) confidences(all []scored) ([]float64, float64) {
	top := max(all[0].total, logUnknown)
	sum := math.Exp((logUnknown - top) / r.o.Temperature)
	unknown := sum
	conf := make([]float64, len(all))
	for i, s := range all {
		conf[i] = math.Exp((s.total - top) / r.o.Temperature)
		sum += conf[i]
	}
	for i := range conf {
		conf[i] /= sum
	}
	return conf, unknown / sum
}

// against is the confidence of one of several causes among the candidates that
// explain the same alarms.
func (r *Reasoner) against(all []scored, s scored) float64 {
	sum, own := 0.0, 1.0
	for _, o := range all {
		shared := false
		for i, n := range s.model.byObs {
			if n.gain > 1 && o.model.byObs[i].gain > 1 {
				shared = true
				break
			}
		}
		if shared {
			// Compare on what s explains: what else o explains is not its rival's loss.
			sum += math.Exp((partial(o, s) - partial(s, s)) / r.o.Temperature)
		}
	}
	return own / max(sum, own)
}

func partial(o, s scored) float64 {
	t := o.prior + o.model.loss
	for i := range s.model.byObs {
		t += o.model.byObs[i].gain
	}
	return t
}

// action is the remedy that the fault mode's procedure names.
func (r *Reasoner) action(h rca.Hypothesis) *rca.Action {
	m, ok := r.o.Knowledge.FaultMode(h.Mode)
	if !ok {
		return nil
	}
	p, ok := r.o.Knowledge.Procedure(m.Procedure)
	if !ok {
		return nil
	}
	return &rca.Action{Kind: p.Action, Resource: h.Resource, Mode: h.Mode, Procedure: p.ID, Risk: p.Risk, Steps: p.Steps}
}

// next is the check with the largest expected information gain: a yes-or-no
// observation tells most when the belief in its hypothesis is nearest to one half.
func (r *Reasoner) next(hs []rca.Hypothesis) string {
	const hit, false1 = 0.95, 0.05
	best, bestGain := "", 0.0
	for _, h := range hs {
		m, ok := r.o.Knowledge.FaultMode(h.Mode)
		if !ok || m.Confirm == "" {
			continue
		}
		yes := h.Confidence*hit + (1-h.Confidence)*false1
		gain := entropy(yes) - h.Confidence*entropy(hit) - (1-h.Confidence)*entropy(false1)
		if gain > bestGain+1e-12 {
			best, bestGain = fmt.Sprintf("%s (%s): %s", h.Resource, h.Name, m.Confirm), gain
		}
	}
	return best
}

func entropy(p float64) float64 {
	if p <= 0 || p >= 1 {
		return 0
	}
	return -p*math.Log2(p) - (1-p)*math.Log2(1-p)
}
