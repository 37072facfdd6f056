package agents

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"faultline/graph"
	"faultline/rca"
)

// Vote is how strongly the alarms point back at one possible cause.
type Vote struct {
	Mode     rca.FaultMode
	Resource graph.ID
	Weight   float64 // sum over alarms of the strongest way back, times the mode's rate
	Alarms   int     // alarms with a way back to it
}

// traceDepth is how many unseen alarms in a row a way back may cross.
const traceDepth = 3

// traceFloor cuts ways back that are too unlikely to matter.
const traceFloor = 0.01

// Trace walks from every alarm against the causal edges, through alarms that were
// not seen but not through those that were, to the fault modes that could have
// started it. Votes come in order of weight, then mode and resource.
func Trace(ctx context.Context, inc rca.Incident, k *rca.Knowledge, top rca.Topology) ([]Vote, error) {
	type place struct {
		alarmType string
		resource  graph.ID
	}
	type cause struct {
		mode     string
		resource graph.ID
	}
	observed := map[place]bool{}
	for _, a := range inc.Alarms {
		observed[place{a.Type, a.Resource}] = true
	}
	votes := map[cause]*Vote{}
	from := func(start place) error {
		reached := map[cause]float64{}
		best := map[place]float64{start: 1}
		level := []place{start}
		for depth := 0; depth <= traceDepth && len(level) > 0; depth++ {
			var next []place
			for _, pl := range level {
				weight := best[pl]
				for e := range k.Causes(pl.alarmType) {
					_, isMode := k.FaultMode(e.Cause)
					w := weight * e.P
					if w < traceFloor {
						continue
					}
					inverse := e.InversePaths()
					for i := range inverse {
						ids, err := top.Follow(ctx, pl.resource, &inverse[i])
						if err != nil {
							return fmt.Errorf("trace %s back from %s: %w", e.ID(), pl.resource, err)
						}
						for _, id := range ids {
							if isMode {
								c := cause{e.Cause, id}
								reached[c] = max(reached[c], w)
								continue
							}
							p := place{e.Cause, id}
							if observed[p] {
								continue
							}
							if hidden := w * 0.4; hidden >= traceFloor && hidden > best[p] {
								if best[p] == 0 {
									next = append(next, p)
								}
								best[p] = hidden
							}
						}
					}
				}
			}
			level = next
		}
		for c, w := range reached {
			v := votes[c]
			if v == nil {
				m, _ := k.FaultMode(c.mode)
				v = &Vote{Mode: m, Resource: c.resource}
				votes[c] = v
			}
			v.Weight += w
			v.Alarms++
		}
		return nil
	}
	starts := make([]place, 0, len(observed))
	for p := range observed {
		starts = append(starts, p)
	}
	slices.SortFunc(starts, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.resource, b.resource), cmp.Compare(a.alarmType, b.alarmType))
	})
	for _, p := range starts {
		if err := from(p); err != nil {
			return nil, err
		}
	}
	out := make([]Vote, 0, len(votes))
	for _, v := range votes {
		v.Weight *= max(v.Mode.Rate, 1e-6)
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b Vote) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Mode.ID, b.Mode.ID), cmp.Compare(a.Resource, b.Resource))
	})
	return out, nil
}
