package mining

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"faultline/graph"
	"faultline/rca"
)

// maxConfidence caps what the likelihood claims: it compares models and cannot
// know that all of them are wrong. The precisions on the two labelled sets of
// docs/mining.md, 0.85 and 0.97, lie around it.
const maxConfidence = 0.9

// share is the part of one effect that the fit lays on one cause event.
type share struct{ lag, weight float64 }

// describe turns the fitted graph into edges with lags and support. Each effect
// event is divided among its possible causes in proportion to their part of the
// rate, and an edge's figures are sums of these shares.
func describe(s *series, nodes []*node, g *graphFit, pri *priors, opt Options) []Edge {
	n, kern := len(s.types), len(opt.Kernels)
	shares := make([][]share, n*n)
	standing, linked := make([]float64, n*n), make([]float64, n*n)
	next := make([]int, n)
	alpha := make([][]float64, n) // effect -> source and kernel
	for j, f := range g.cur {
		alpha[j] = make([]float64, n*g.hops*kern)
		for a, src := range f.sources[f.own:] {
			copy(alpha[j][src*kern:(src+1)*kern], f.alpha[(f.own+a)*kern:])
		}
	}
	window := reach * slices.Max(opt.Kernels).Seconds()
	for d, evs := range s.byDev {
		for _, e := range evs {
			j := int(e.typ)
			inverse := g.cur[j].inverse[next[j]]
			next[j]++
			for h := range g.hops {
				for _, o := range s.near[h][d] {
					s.before(o, e.raise, window, func(_ int, c event, lag float64) {
						var w float64
						for k, a := range alpha[j][(int(c.typ)*g.hops+h)*kern:][:kern] {
							if tau := opt.Kernels[k].Seconds(); a > 0 && lag <= reach*tau {
								w += a * kernel(lag, tau) * inverse
							}
						}
						if w == 0 {
							return
						}
						at := int(c.typ)*n + j
						shares[at] = append(shares[at], share{lag, w})
						if c.clear < 0 || c.clear >= e.raise {
							standing[at] += w
						}
						if h > 0 {
							linked[at] += w
						}
					})
				}
			}
		}
	}
	var out []Edge
	for i := range n {
		for j := range n {
			if !g.edge[i][j] {
				continue
			}
			at := i*n + j
			e := Edge{
				Cause: s.types[i], Effect: s.types[j], Known: pri.known[i][j], Gain: g.gain(i, j),
				Causes: s.count[i], Effects: s.count[j],
			}
			e.LagP50, e.LagP90, e.Support = quantiles(shares[at])
			if e.Support > 0 {
				e.P = 1 - math.Exp(-e.Support/float64(e.Causes))
				e.Standing, e.Linked = standing[at]/e.Support, linked[at]/e.Support
			}
			e.Confidence = 1
			if !e.Known {
				margin := e.Gain - max(0, g.gain(j, i))
				e.Confidence = min(max(0.5, 1/(1+math.Exp(-margin))), maxConfidence)
			}
			out = append(out, e)
		}
	}
	return out
}

// quantiles returns the weighted median and 90 % lag and the sum of weights.
func quantiles(sh []share) (p50, p90 time.Duration, total float64) {
	slices.SortFunc(sh, func(a, b share) int { return cmp.Or(cmp.Compare(a.lag, b.lag), cmp.Compare(a.weight, b.weight)) })
	for _, s := range sh {
		total += s.weight
	}
	var sum float64
	for _, s := range sh {
		before := sum
		sum += s.weight
		lag := time.Duration(s.lag * float64(time.Second))
		if before < 0.5*total && sum >= 0.5*total {
			p50 = lag
		}
		if before < 0.9*total && sum >= 0.9*total {
			p90 = lag
		}
	}
	return p50, p90, total
}

// Places of a mined edge's two resources: the same one, or two that a link joins.
const (
	SamePath   = "*"
	LinkedPath = "* <CONNECTS * CONNECTS> *"
)

// minLinked is the share of support on other devices from which an edge is stated
// for linked resources too.
const minLinked = 0.05

// Changes states the edges in a graph, as contributions of the source
// "mined/<name>": the two alarm types, and a CAUSES relation of grade M with the
// attributes that knowledge is compiled from. The qualifier "mined" keeps it apart
// from what an expert says of the same pair. linkedPath says how linked devices
// stand to each other in the resource model; empty means LinkedPath. A known edge
// that the history does not show is left to those who know it.
func (r *Result) Changes(name, linkedPath string, at time.Time) []graph.Change {
	by := graph.Provenance{Source: "mined/" + name, Rule: "ingest/mining"}
	id := func(t string) graph.ID { return graph.ID(rca.AlarmTypePrefix + t) }
	var out []graph.Change
	stated := map[string]bool{}
	for _, e := range r.Edges {
		if e.P == 0 {
			continue
		}
		for _, t := range []string{e.Cause, e.Effect} {
			if !stated[t] {
				stated[t] = true
				out = append(out, graph.Change{Op: graph.OpPut, At: at, By: by, Entity: &graph.Entity{ID: id(t), Kind: graph.KindAlarmType}})
			}
		}
		paths := SamePath
		if e.Linked >= minLinked {
			paths += " | " + cmp.Or(linkedPath, LinkedPath)
		}
		by := by
		by.Confidence, by.Span = e.Confidence, e.Cause+"->"+e.Effect
		out = append(out, graph.Change{Op: graph.OpPut, At: at, By: by, Relation: &graph.Relation{
			From: id(e.Cause), Type: graph.Causes, To: id(e.Effect), Qualifier: "mined",
			Attrs: map[string]string{
				"p": decimal(e.P), "lag_min": "0s", "lag_max": max(e.LagP90, time.Second).String(), "lag_p50": e.LagP50.String(),
				"grade": "M", "source": by.Source, "paths": paths, "support": decimal(e.Support),
				"causes": strconv.Itoa(e.Causes), "effects": strconv.Itoa(e.Effects), "gain": decimal(e.Gain),
				"standing": decimal(e.Standing), "linked": decimal(e.Linked),
			},
		}})
	}
	return out
}

// decimal writes four significant digits, enough for an estimate.
func decimal(f float64) string { return strconv.FormatFloat(f, 'g', 4, 64) }
