// Package localize holds the agents that work inside one domain: which resource,
// and which way of breaking, could have started this? Each picks from the possible
// causes that the scoping agent found those of its own domain, weighs in planned
// work and past cases, and hands the reasoner its suspects.
package localize

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"faultline/agents"
	"faultline/graph"
	"faultline/rca"
)

// Domains are those with a localisation agent, in running order.
func Domains() []string {
	return []string{"wireless", "transport", "core", "cloud", "ip", "power_env", "home_broadband"}
}

const (
	minShare       = 0.002 // a domain with less belief is left out, unless it is among the first three
	perDomain      = 24    // suspects of one domain
	plannedBoost   = 60.0  // of a cause under announced work
	plannedElse    = 0.005 // of planned work where none was announced
	maintenanceGap = 10 * time.Minute
)

// Agents returns one agent per domain, each requiring the scoping agent.
func Agents(scope *agents.Agent) []*agents.Agent {
	var out []*agents.Agent
	for _, d := range Domains() {
		out = append(out, &agents.Agent{
			Name: "localize-" + d, Doc: "Finds the resources and fault modes of the " + d + " domain that could have started the incident.",
			Requires: []*agents.Agent{scope},
			Run:      func(ctx context.Context, p *agents.Pass) error { return run(ctx, p, d) },
		})
	}
	return out
}

func run(ctx context.Context, p *agents.Pass, domain string) error {
	if !inScope(p.Scope, domain) && !shows(p, domain) {
		p.Note("localize-"+domain, "out of scope")
		return nil
	}
	// What many alarms point to comes first, as in scoping.
	votes := slices.Clone(p.Votes)
	slices.SortStableFunc(votes, func(a, b agents.Vote) int {
		return cmp.Compare(b.Weight*float64(b.Alarms), a.Weight*float64(a.Alarms))
	})
	n := 0
	for _, v := range votes {
		if v.Mode.Domain != domain || n >= perDomain {
			continue
		}
		s := rca.Suspect{Mode: v.Mode.ID, Resource: v.Resource, Prior: exposure(ctx, p, v.Resource)}
		if v.Mode.Planned {
			w, ok, err := underWork(ctx, p, v.Resource)
			if err != nil {
				return err
			}
			s.Prior *= plannedElse
			if ok {
				s.Prior, s.Reason = plannedBoost, "announced work "+w.ID
			}
		}
		for _, b := range p.Bias {
			if b.Mode == s.Mode && b.Resource == s.Resource {
				s.Prior *= b.Prior
				s.Reason = cmp.Or(s.Reason, b.Reason)
			}
		}
		p.Suspects = append(p.Suspects, s)
		n++
	}
	p.Note("localize-"+domain, "%d suspects", n)
	return nil
}

// exposure is how much of a resource there is to break. Fibre counts by its length
// where the inventory tells it: the yearly rate is that of an average section of
// 1.9 km, of which a part is the work at its ends.
func exposure(ctx context.Context, p *agents.Pass, id graph.ID) float64 {
	e, err := p.Topology.Entity(ctx, id)
	if err != nil || e.Kind != "FibreSection" {
		return 1
	}
	m, err := strconv.ParseFloat(e.Attrs["length_m"], 64)
	if err != nil || m < 0 {
		return 1
	}
	return 0.25 + m/2500
}

// shows reports whether an alarm of the domain is among the incident's.
func shows(p *agents.Pass, domain string) bool {
	return slices.ContainsFunc(p.Incident.Alarms, func(a rca.Alarm) bool {
		t, ok := p.Knowledge.AlarmType(a.Type)
		return ok && !t.Noise && t.Domain == domain
	})
}

func inScope(s rca.Scope, domain string) bool {
	share := s.Scores[domain]
	if share <= 0 {
		return false
	}
	ahead := 0
	for _, x := range s.Scores {
		if x > share {
			ahead++
		}
	}
	return share >= minShare || ahead < 3
}

var up = func() *graph.Path {
	p, err := graph.ParsePath("* <CONTAINS *")
	if err != nil {
		panic(err) // a constant of this file
	}
	return &p
}()

// underWork reports whether announced work covers a resource, or what holds it,
// while the incident began.
func underWork(ctx context.Context, p *agents.Pass, id graph.ID) (rca.Maintenance, bool, error) {
	for _, m := range p.Maintenance {
		if !m.Covers(p.Incident.First, maintenanceGap) {
			continue
		}
		level := []graph.ID{id}
		for depth := 0; depth < 6 && len(level) > 0; depth++ {
			var next []graph.ID
			for _, x := range level {
				if slices.Contains(m.Resources, x) {
					return m, true, nil
				}
				ids, err := p.Topology.Follow(ctx, x, up)
				if err != nil {
					return m, false, err
				}
				next = append(next, ids...)
			}
			level = next
		}
	}
	return rca.Maintenance{}, false, nil
}
