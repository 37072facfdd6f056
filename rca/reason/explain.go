package reason

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"faultline/rca"
)

// hypothesis words one scored candidate: the path, what speaks for it, what against.
func (r *Reasoner) hypothesis(ctx context.Context, w *world, s scored) (rca.Hypothesis, error) {
	h := rca.Hypothesis{Mode: s.Mode, Name: s.mode.Name, Resource: s.Resource, Domain: s.mode.Domain, Score: s.total, Of: len(w.alarms)}
	if s.mode.Planned { // work belongs to whoever owns the element
		if e, err := r.o.Topology.Entity(ctx, s.Resource); err == nil && e.Domain != "" {
			h.Domain = e.Domain
		}
	}
	for _, n := range s.model.nodes {
		switch {
		case n.root:
		case n.alarm >= 0:
			gain := s.model.byObs[n.alarm].gain
			if gain < 0.1 {
				continue
			}
			edges := w.pathEdges(n)
			h.Path = append(h.Path, edges...)
			a := w.alarms[n.alarm]
			name := a.Type
			if t, ok := r.o.Knowledge.AlarmType(a.Type); ok {
				name = t.ID + " " + t.Name
			}
			ev := rca.Evidence{
				Kind: rca.EvidenceAlarm, Text: fmt.Sprintf("%s on %s at %s", name, a.Resource, a.Raised.UTC().Format(time.RFC3339)),
				Source: a.ID(), Weight: gain,
			}
			if len(edges) > 0 {
				ev.Why = fmt.Sprintf("brought by %s, grade %s, source %s", edges[0].Edge, edges[0].Grade, edges[0].Source)
			}
			h.For = append(h.For, ev)
		case n.miss >= 0.25:
			k := rca.AlarmKey{Resource: n.resource, Type: n.alarmType}
			h.Missing = append(h.Missing, k)
			name := n.alarmType
			if t, ok := r.o.Knowledge.AlarmType(n.alarmType); ok {
				name = t.ID + " " + t.Name
			}
			edge := strongest(n.in).edge
			h.Against = append(h.Against, rca.Evidence{
				Kind: rca.EvidenceMissing, Text: fmt.Sprintf("expected %s on %s (probability %.2f), not seen", name, n.resource, n.miss),
				Source: edge.ID(), Weight: math.Log(1 - min(n.miss, maxMiss)), Why: "grade " + edge.Grade + ", source " + edge.Source,
			})
		}
	}
	for i, a := range w.alarms {
		switch {
		case s.model.byObs[i].gain >= 0.1:
			h.Explains++
		case w.known[i]:
			h.Against = append(h.Against, rca.Evidence{
				Kind: rca.EvidenceAlarm, Text: fmt.Sprintf("%s on %s is not explained", a.Type, a.Resource), Source: a.ID(), Weight: math.Log(w.leak[i]),
			})
		}
	}
	byWeight := func(a, b rca.Evidence) int {
		return cmp.Or(cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight)), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Text, b.Text))
	}
	slices.SortFunc(h.For, byWeight)
	slices.SortFunc(h.Against, byWeight)
	slices.SortFunc(h.Missing, rca.AlarmKey.Compare)
	slices.SortStableFunc(h.Path, func(a, b rca.PathEdge) int {
		return cmp.Or(a.To.Compare(b.To), a.From.Compare(b.From))
	})
	return h, nil
}

func strongest(in []arc) arc {
	best := in[0]
	for _, x := range in[1:] {
		if x.q*x.timing > best.q*best.timing {
			best = x
		}
	}
	return best
}

// pathEdges leads from the nearest observed ancestors, or the root, to a node.
// Where an unseen alarm lies between, the edges are joined.
func (w *world) pathEdges(n *node) []rca.PathEdge {
	type way struct {
		from  *node
		edges []*rca.CausalEdge
		p     float64
	}
	var ways []way
	seen := map[*node]bool{}
	told := w.seconds(w.alarms[n.alarm].Raised)
	var climb func(n *node, edges []*rca.CausalEdge, p float64)
	climb = func(n *node, edges []*rca.CausalEdge, p float64) {
		top := 0.0
		for _, x := range n.in {
			top = max(top, x.q*x.timing)
		}
		for _, x := range n.in {
			if x.q*x.timing < pathShare*top {
				continue // the alarm came by a stronger way
			}
			es := append(slices.Clone(edges), x.edge)
			if x.from.root || x.from.alarm >= 0 {
				if !seen[x.from] && inTime(x.from, es, told) {
					seen[x.from] = true
					ways = append(ways, way{x.from, es, p * x.q * x.timing})
				}
				continue
			}
			if len(es) < 6 {
				climb(x.from, es, p*x.edge.P)
			}
		}
	}
	climb(n, nil, 1)
	// A way from the root is told only when no observed alarm stands between.
	if slices.ContainsFunc(ways, func(x way) bool { return !x.from.root }) {
		ways = slices.DeleteFunc(ways, func(x way) bool { return x.from.root && len(x.edges) > 1 })
	}
	var out []rca.PathEdge
	to := w.alarms[n.alarm]
	for _, x := range ways {
		e := rca.PathEdge{From: rca.AlarmKey{Resource: x.from.resource, Type: x.from.alarmType}, To: to.AlarmKey, P: x.p}
		if x.from.alarm >= 0 {
			a := w.alarms[x.from.alarm]
			e.From = a.AlarmKey
			e.Lag = to.Raised.Sub(a.Raised)
		}
		var ids, sources []string
		for i := len(x.edges) - 1; i >= 0; i-- {
			ids = append(ids, x.edges[i].ID())
			if !slices.Contains(sources, x.edges[i].Source) {
				sources = append(sources, x.edges[i].Source)
			}
			e.Grade = max(e.Grade, x.edges[i].Grade) // the weakest on the way
		}
		e.Edge, e.Source = strings.Join(ids, ","), strings.Join(sources, "; ")
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b rca.PathEdge) int { return cmp.Or(cmp.Compare(b.P, a.P), a.From.Compare(b.From)) })
	return out
}

// inTime reports whether an alarm can have come by these edges when it did.
func inTime(from *node, edges []*rca.CausalEdge, at float64) bool {
	lo, hi := from.when.lo-slackSeconds, from.when.hi+slackSeconds
	for _, e := range edges {
		lo, hi = lo+e.LagMin.Seconds(), hi+e.LagMax.Seconds()
	}
	return lo <= at && at <= hi
}

// pathShare is how strong a way must be, against the strongest, to be told.
const pathShare = 0.9
