package correlate

import (
	"cmp"
	"context"
	"slices"
	"time"

	"faultline/graph"
	"faultline/rca"
)

// neighbours yields every occurrence that belongs directly to o, with the reason.
func (c *Correlator) neighbours(ctx context.Context, o *occurrence, yield func(*occurrence, string)) error {
	pl := place{o.Type, o.Resource}
	bonds, err := c.bondsOf(ctx, pl)
	if err != nil {
		return err
	}
	for _, b := range bonds {
		list := c.at[b.to]
		if len(list) == 0 {
			continue
		}
		lo, hi := o.Raised.Add(b.from), o.Raised.Add(b.to2)
		i, _ := slices.BinarySearchFunc(list, lo, func(x *occurrence, t time.Time) int { return x.Raised.Compare(t) })
		for ; i < len(list) && !list[i].Raised.After(hi); i++ {
			if n := list[i]; n != o && c.together(o, n) {
				yield(n, b.reason)
			}
		}
	}
	anchors, err := c.anchorsOf(ctx, pl)
	if err != nil {
		return err
	}
	for _, a := range anchors {
		if c.planned[a.mode] {
			if err := c.sameWork(ctx, o, a, yield); err != nil {
				return err
			}
			continue
		}
		list := c.anchored[a]
		i, ok := slices.BinarySearchFunc(list, o, byTime)
		if !ok {
			continue
		}
		window := c.spread(a.mode)
		for _, j := range []int{i - 1, i + 1} {
			if j < 0 || j >= len(list) {
				continue
			}
			if d := list[j].Raised.Sub(o.Raised).Abs(); d <= window {
				yield(list[j], "both from "+a.mode+" at "+string(a.resource))
			}
		}
	}
	// Several alarms of one place, told apart by qualifier, stand together.
	for _, n := range c.at[pl] {
		if n != o && n.Raised.Sub(o.Raised).Abs() <= c.o.Slack {
			yield(n, "same type on the same resource")
		}
	}
	return nil
}

// sameWork yields the alarms next to o that the same announced work brings. Work lasts
// for hours and alarms may come at any time of it; work that nobody announced brings
// nothing together.
func (c *Correlator) sameWork(ctx context.Context, o *occurrence, a anchor, yield func(*occurrence, string)) error {
	m, ok, err := c.workOn(ctx, a.resource, o.Raised)
	if err != nil || !ok {
		return err
	}
	list := c.anchored[a]
	i, ok := slices.BinarySearchFunc(list, o, byTime)
	if !ok {
		return nil
	}
	for _, j := range []int{i - 1, i + 1} {
		if j >= 0 && j < len(list) && m.Covers(list[j].Raised, c.o.Slack) {
			yield(list[j], "both during announced work "+m.ID+" on "+string(a.resource))
		}
	}
	return nil
}

// together is false when the earlier alarm was over long before the later one came.
func (c *Correlator) together(a, b *occurrence) bool {
	if b.Raised.Before(a.Raised) {
		a, b = b, a
	}
	return a.Cleared.IsZero() || !b.Raised.After(a.Cleared.Add(c.o.Slack))
}

// spread is how far apart the first alarms of one fault may be raised.
func (c *Correlator) spread(mode string) time.Duration {
	var w time.Duration
	for e := range c.o.Knowledge.Effects(mode) {
		w = max(w, e.LagMax)
	}
	return min(w, 10*time.Minute) + c.o.Slack
}

// bondsOf grounds the causal edges, and pairs of edges, at a place, once.
func (c *Correlator) bondsOf(ctx context.Context, pl place) ([]bond, error) {
	if b, ok := c.bonds[pl]; ok {
		return b, nil
	}
	type key struct {
		to     place
		causes bool
	}
	best := map[key]bond{}
	add := func(to place, causes bool, lo, hi time.Duration, reason string) {
		if to == pl {
			return
		}
		lo, hi = lo-c.o.Slack, min(hi, c.o.MaxLag)+c.o.Slack
		if !causes { // the other one is the cause: it came before
			lo, hi = -hi, -lo
		}
		k := key{to, causes}
		old, ok := best[k]
		if !ok {
			best[k] = bond{to, lo, hi, reason}
			return
		}
		old.from, old.to2 = min(old.from, lo), max(old.to2, hi)
		best[k] = old
	}
	walk := func(forward bool) error {
		return c.eachHop(ctx, pl, forward, func(e1 *rca.CausalEdge, mid place) error {
			add(mid, forward, e1.LagMin, e1.LagMax, e1.ID())
			return c.eachHop(ctx, mid, forward, func(e2 *rca.CausalEdge, far place) error {
				first, second := e1, e2
				if !forward {
					first, second = e2, e1
				}
				add(far, forward, e1.LagMin+e2.LagMin, e1.LagMax+e2.LagMax, first.ID()+","+second.ID())
				return nil
			})
		})
	}
	if err := walk(true); err != nil {
		return nil, err
	}
	if err := walk(false); err != nil {
		return nil, err
	}
	out := make([]bond, 0, len(best))
	for _, b := range best {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b bond) int {
		return cmp.Or(cmp.Compare(a.to.resource, b.to.resource), cmp.Compare(a.to.alarmType, b.to.alarmType), cmp.Compare(a.from, b.from), cmp.Compare(a.reason, b.reason))
	})
	c.bonds[pl] = out
	return out, nil
}

// eachHop grounds every edge that leaves (or enters) a place, alarm types only.
func (c *Correlator) eachHop(ctx context.Context, pl place, forward bool, yield func(*rca.CausalEdge, place) error) error {
	edges := c.o.Knowledge.Causes(pl.alarmType)
	if forward {
		edges = c.o.Knowledge.Effects(pl.alarmType)
	}
	for e := range edges {
		other := e.Effect
		if !forward {
			other = e.Cause
			if _, isMode := c.o.Knowledge.FaultMode(e.Cause); isMode {
				continue
			}
		}
		for _, id := range c.ends(ctx, pl.resource, e, forward) {
			if id.err != nil {
				return id.err
			}
			if err := yield(e, place{other, id.id}); err != nil {
				return err
			}
		}
	}
	return nil
}

type end struct {
	id  graph.ID
	err error
}

func (c *Correlator) ends(ctx context.Context, from graph.ID, e *rca.CausalEdge, forward bool) []end {
	var out []end
	paths := e.Paths
	if !forward {
		paths = e.InversePaths()
	}
	for i := range paths {
		ids, err := c.o.Topology.Follow(ctx, from, &paths[i])
		if err != nil {
			return []end{{err: err}}
		}
		for _, id := range ids {
			out = append(out, end{id: id})
		}
	}
	return out
}

// anchorsOf finds the fault modes that bring an alarm at a place directly, once.
func (c *Correlator) anchorsOf(ctx context.Context, pl place) ([]anchor, error) {
	if a, ok := c.anchors[pl]; ok {
		return a, nil
	}
	var out []anchor
	for e := range c.o.Knowledge.Causes(pl.alarmType) {
		if _, isMode := c.o.Knowledge.FaultMode(e.Cause); !isMode {
			continue
		}
		for _, x := range c.ends(ctx, pl.resource, e, false) {
			if x.err != nil {
				return nil, x.err
			}
			out = append(out, anchor{e.Cause, x.id})
		}
	}
	slices.SortFunc(out, func(a, b anchor) int {
		return cmp.Or(cmp.Compare(a.mode, b.mode), cmp.Compare(a.resource, b.resource))
	})
	out = slices.Compact(out)
	c.anchors[pl] = out
	return out, nil
}
