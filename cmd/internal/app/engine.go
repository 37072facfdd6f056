package app

import (
	"context"
	"fmt"
	"time"

	"faultline/agents"
	"faultline/agents/localize"
	"faultline/agents/scope"
	"faultline/rca"
	"faultline/rca/pipeline"
	"faultline/rca/reason"
)

// engine is what one state of knowledge and topology gives: a team of agents and a
// reasoner. It is replaced as a whole when either changes.
type engine struct {
	knowledge *rca.Knowledge
	topology  rca.Topology
	team      *agents.Team
	reasoner  *reason.Reasoner
}

func newEngine(k *rca.Knowledge, top rca.Topology) (*engine, error) {
	sc := scope.Agent()
	team, err := agents.NewTeam(append([]*agents.Agent{sc}, localize.Agents(sc)...)...)
	if err != nil {
		return nil, fmt.Errorf("form the team of agents: %w", err)
	}
	r, err := reason.New(reason.Options{Knowledge: k, Topology: top})
	if err != nil {
		return nil, err
	}
	return &engine{knowledge: k, topology: top, team: team, reasoner: r}, nil
}

// localizer lets the pipeline run the team.
type localizer struct {
	*engine
	maintenance []rca.Maintenance
	bias        func(ctx context.Context, inc rca.Incident) ([]rca.Suspect, error)
}

var _ pipeline.Localizer = localizer{}

// Localize runs every agent over one incident.
func (l localizer) Localize(ctx context.Context, inc rca.Incident, ev []rca.Evidence) (rca.Scope, []rca.Suspect, []rca.TrailEntry, error) {
	p := &agents.Pass{Incident: inc, Evidence: ev, Knowledge: l.knowledge, Topology: l.topology, Maintenance: l.maintenance}
	if l.bias != nil {
		var err error
		if p.Bias, err = l.bias(ctx, inc); err != nil {
			return rca.Scope{}, nil, nil, fmt.Errorf("ask past cases: %w", err)
		}
	}
	err := l.team.Localize(ctx, p)
	return p.Scope, p.Suspects, p.Trail, err
}

// decider lets the pipeline ask the reasoner.
type decider struct{ *engine }

var _ pipeline.Reasoner = decider{}

// Decide ranks the suspects.
func (d decider) Decide(ctx context.Context, inc rca.Incident, s []rca.Suspect, ev []rca.Evidence, now time.Time) (rca.Decision, error) {
	return d.reasoner.Decide(ctx, reason.Question{Incident: inc, Suspects: s, Evidence: ev, Now: now})
}
