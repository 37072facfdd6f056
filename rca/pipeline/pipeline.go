// Package pipeline is the main path of an analysis as one straight function: from
// an incident to a case with evidence, scope, suspects, a decision, a rehearsed
// action and, when there is a plant to act on, a verdict.
package pipeline

import (
	"context"
	"fmt"
	"time"

	"faultline/rca"
)

// Retriever finds evidence for an incident.
type Retriever interface {
	Retrieve(ctx context.Context, inc rca.Incident) ([]rca.Evidence, error)
}

// Localizer finds where the fault can lie and what could have started it.
type Localizer interface {
	Localize(ctx context.Context, inc rca.Incident, ev []rca.Evidence) (rca.Scope, []rca.Suspect, []rca.TrailEntry, error)
}

// Reasoner ranks the suspects and decides.
type Reasoner interface {
	Decide(ctx context.Context, inc rca.Incident, suspects []rca.Suspect, ev []rca.Evidence, now time.Time) (rca.Decision, error)
}

// Rehearser predicts what an action would do. It never acts.
type Rehearser interface {
	Rehearse(ctx context.Context, inc rca.Incident, a rca.Action, now time.Time) (rca.Prediction, error)
}

// Plant acts on a network and watches it.
type Plant interface {
	Apply(ctx context.Context, a rca.Action) (rca.Observation, error)
}

// Rememberer keeps cases.
type Rememberer interface {
	Add(ctx context.Context, c rca.Case) error
}

// Options are the seams of a Pipeline. Retriever, Rehearser, Plant and Rememberer
// may be nil; the analysis is then poorer, not wrong.
type Options struct {
	Retriever  Retriever
	Localizer  Localizer
	Reasoner   Reasoner
	Rehearser  Rehearser
	Plant      Plant
	Verify     func(rca.Prediction, rca.Observation) rca.Verdict
	Rememberer Rememberer
	Now        func() time.Time
}

// Pipeline analyses incidents. It is safe for concurrent use when its parts are.
type Pipeline struct{ o Options }

// New checks the options.
func New(o Options) (*Pipeline, error) {
	switch {
	case o.Localizer == nil:
		return nil, fmt.Errorf("pipeline options: Localizer missing: %w", rca.ErrInvalid)
	case o.Reasoner == nil:
		return nil, fmt.Errorf("pipeline options: Reasoner missing: %w", rca.ErrInvalid)
	case o.Now == nil:
		return nil, fmt.Errorf("pipeline options: Now missing: %w", rca.ErrInvalid)
	case o.Plant != nil && o.Verify == nil:
		return nil, fmt.Errorf("pipeline options: Verify missing beside Plant: %w", rca.ErrInvalid)
	}
	return &Pipeline{o}, nil
}

// Run analyses one incident. now is the end of the record: for a live incident the
// present, for a historical one the end of its data.
func (p *Pipeline) Run(ctx context.Context, inc rca.Incident, now time.Time) (rca.Case, error) {
	c := rca.Case{ID: "CASE-" + inc.ID, Incident: inc, AnalysedAt: p.o.Now()}
	var err error
	if p.o.Retriever != nil {
		if c.Evidence, err = p.o.Retriever.Retrieve(ctx, inc); err != nil {
			return c, fmt.Errorf("retrieve for %s: %w", inc.ID, err)
		}
		c.Note("retrieve", "%d items of evidence", len(c.Evidence))
	}
	var trail []rca.TrailEntry
	if c.Scope, c.Suspects, trail, err = p.o.Localizer.Localize(ctx, inc, c.Evidence); err != nil {
		return c, fmt.Errorf("localize %s: %w", inc.ID, err)
	}
	c.Trail = append(c.Trail, trail...)
	if c.Decision, err = p.o.Reasoner.Decide(ctx, inc, c.Suspects, c.Evidence, now); err != nil {
		return c, fmt.Errorf("decide %s: %w", inc.ID, err)
	}
	c.Note("reason", "%s", c.Decision.Reason)
	if p.o.Rehearser != nil && c.Decision.Action != nil {
		pred, err := p.o.Rehearser.Rehearse(ctx, inc, *c.Decision.Action, now)
		if err != nil {
			return c, fmt.Errorf("rehearse %s on %s: %w", c.Decision.Action.Kind, c.Decision.Action.Resource, err)
		}
		c.Prediction = &pred
		c.Note("rehearse", "%d alarms should clear, %d resources be restored", len(pred.Cleared), len(pred.Restored))
		if p.o.Plant != nil {
			obs, err := p.o.Plant.Apply(ctx, *c.Decision.Action)
			if err != nil {
				return c, fmt.Errorf("apply %s on %s: %w", c.Decision.Action.Kind, c.Decision.Action.Resource, err)
			}
			v := p.o.Verify(pred, obs)
			c.Verdict = &v
			c.Note("verify", "%s", v.Reason)
		}
	}
	number(&c)
	if p.o.Rememberer != nil {
		if err := p.o.Rememberer.Add(ctx, c); err != nil {
			return c, fmt.Errorf("remember %s: %w", c.ID, err)
		}
	}
	return c, nil
}

// number gives every item of the case's ledger an id that answers can cite.
func number(c *rca.Case) {
	n := 0
	give := func(list []rca.Evidence) {
		for i := range list {
			n++
			list[i].ID = fmt.Sprintf("E%d", n)
		}
	}
	give(c.Evidence)
	for i := range c.Decision.Hypotheses {
		give(c.Decision.Hypotheses[i].For)
		give(c.Decision.Hypotheses[i].Against)
	}
}
