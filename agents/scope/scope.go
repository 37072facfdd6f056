// Package scope is the agent that works across domains: which domain owns the
// fault, and how far does the impact reach? It traces every alarm back to what
// could have started it and lets the possible causes vote; the domain that shows
// most alarms is often not the one that is at fault.
package scope

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"faultline/agents"
	"faultline/graph"
)

// impactLimit caps the list of touched services; the count in the note is exact up
// to walkLimit resources.
const (
	impactLimit = 100
	walkLimit   = 20000
	hops        = 4
)

// Agent returns the scoping agent.
func Agent() *agents.Agent {
	return &agents.Agent{
		Name: "scope",
		Doc:  "Decides which domain most likely owns the fault and what the incident touches.",
		Run:  run,
	}
}

func run(ctx context.Context, p *agents.Pass) error {
	votes, err := agents.Trace(ctx, p.Incident, p.Knowledge, p.Topology)
	if err != nil {
		return err
	}
	p.Votes = votes
	p.Scope.Scores = map[string]float64{}
	// A cause that many alarms point to speaks for its domain more than many causes
	// that one alarm points to: the vote counts its alarms squared.
	sum := 0.0
	for _, v := range votes {
		w := v.Weight * float64(v.Alarms)
		p.Scope.Scores[v.Mode.Domain] += w
		sum += w
	}
	domains := make([]string, 0, len(p.Scope.Scores))
	for d := range p.Scope.Scores {
		if sum > 0 {
			p.Scope.Scores[d] /= sum
		}
		domains = append(domains, d)
	}
	slices.SortFunc(domains, func(a, b string) int {
		return cmp.Or(cmp.Compare(p.Scope.Scores[b], p.Scope.Scores[a]), cmp.Compare(a, b))
	})
	if len(domains) > 0 {
		p.Scope.Domain = domains[0]
	}
	impact, reached, err := touched(ctx, p)
	if err != nil {
		return err
	}
	p.Scope.Impact, p.Scope.Resources = impact, reached
	p.Scope.Note = fmt.Sprintf("%d possible causes in %d domains; %d resources in reach", len(votes), len(domains), reached)
	p.Note("scope", "%s; %s leads", p.Scope.Note, cmp.Or(p.Scope.Domain, "no domain"))
	return nil
}

var (
	serves  = mustPath("* SERVES> *")
	needs   = mustPath("* <DEPENDS_ON *")
	carries = mustPath("* CARRIES> *")
)

func mustPath(s string) *graph.Path {
	p, err := graph.ParsePath(s)
	if err != nil {
		panic(err) // a constant of this file
	}
	return &p
}

// touched walks from the alarmed resources to the cells, services and customers
// that hang on them.
func touched(ctx context.Context, p *agents.Pass) ([]graph.ID, int, error) {
	seen := map[graph.ID]bool{}
	var level, impact []graph.ID
	visit := func(id graph.ID) {
		if !seen[id] && len(seen) < walkLimit {
			seen[id] = true
			level = append(level, id)
		}
	}
	for _, a := range p.Incident.Alarms {
		visit(a.Resource)
	}
	for range hops {
		now := level
		level = nil
		for _, id := range now {
			for _, path := range []*graph.Path{serves, needs, carries} {
				ids, err := p.Topology.Follow(ctx, id, path)
				if err != nil {
					return nil, 0, err
				}
				for _, n := range ids {
					visit(n)
				}
			}
		}
	}
	for id := range seen {
		e, err := p.Topology.Entity(ctx, id)
		if err != nil {
			continue // an alarm may name a resource that the inventory lacks
		}
		switch e.Kind {
		case "Cell", "CustomerGroup", "Service", "Slice":
			impact = append(impact, id)
		}
	}
	slices.Sort(impact)
	return impact[:min(len(impact), impactLimit)], len(seen), nil
}
