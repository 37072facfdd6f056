package app

import (
	"context"
	"fmt"
	"time"

	"faultline/agents"
	"faultline/agents/localize"
	"faultline/agents/scope"
	"faultline/hwsim/twin"
	"faultline/ingest/correlate"
	"faultline/rca"
	"faultline/rca/pipeline"
	"faultline/rca/reason"
)

// engine is what one state of knowledge and topology gives: a team of agents and a
// reasoner. It is replaced as a whole when either changes.
type engine struct {
	knowledge   *rca.Knowledge
	topology    rca.Topology
	team        *agents.Team
	reasoner    *reason.Reasoner
	maintenance []rca.Maintenance
	twin        func() (*twin.Twin, error) // built when first asked for
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
	bias func(ctx context.Context, inc rca.Incident) ([]rca.Suspect, error)
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

// rehearser lets the pipeline ask the twin.
type rehearser struct{ *engine }

var _ pipeline.Rehearser = rehearser{}

// Rehearse predicts what an action would do.
func (r rehearser) Rehearse(ctx context.Context, inc rca.Incident, a rca.Action, now time.Time) (rca.Prediction, error) {
	t, err := r.twin()
	if err != nil {
		return rca.Prediction{}, fmt.Errorf("build the twin: %w", err)
	}
	return t.Rehearse(ctx, inc, a, now)
}

// incidents puts a set of events together, on its own. The record ends with its
// newest event.
func (e *engine) incidents(ctx context.Context, events []rca.AlarmEvent) ([]rca.Incident, time.Time, error) {
	var end time.Time
	corr, err := correlate.New(correlate.Options{Knowledge: e.knowledge, Topology: e.topology})
	if err != nil {
		return nil, end, err
	}
	corr.Plan(e.maintenance)
	if err := corr.Add(ctx, events...); err != nil {
		return nil, end, err
	}
	for _, ev := range events {
		if ev.Time.After(end) {
			end = ev.Time
		}
	}
	incs, err := corr.Incidents(ctx)
	return incs, end, err
}
