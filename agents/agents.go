// Package agents holds the unit of analytical work: an Agent is a value with a
// name, a purpose, the agents it needs first, and a function from a Pass to
// findings. A Team runs agents in the order that their needs dictate. Nothing
// registers itself: adding an agent is adding it to a slice.
//
// Agents read their inputs from the typed fields of the Pass and write their
// findings to it; what an agent may do in the world is decided elsewhere, by a
// policy that agents cannot see or change.
package agents

import (
	"context"
	"errors"
	"fmt"

	"faultline/rca"
)

// Agent is one unit of work.
type Agent struct {
	Name     string
	Doc      string
	Requires []*Agent
	Run      func(ctx context.Context, p *Pass) error
}

// Pass carries an incident's facts in and the agents' findings out.
type Pass struct {
	// In.
	Incident    rca.Incident
	Evidence    []rca.Evidence
	Knowledge   *rca.Knowledge
	Topology    rca.Topology
	Maintenance []rca.Maintenance
	Bias        []rca.Suspect // what past cases suggest; Prior multiplies

	// Out.
	Votes    []Vote // possible causes, from the scoping agent
	Scope    rca.Scope
	Suspects []rca.Suspect
	Trail    []rca.TrailEntry
}

// Note adds a line to the record of the analysis.
func (p *Pass) Note(step, format string, args ...any) {
	p.Trail = append(p.Trail, rca.TrailEntry{Step: step, Note: fmt.Sprintf(format, args...)})
}

// ErrInvalid marks a team that cannot run.
var ErrInvalid = errors.New("invalid team")

// Team is a checked list of agents in running order.
type Team struct{ order []*Agent }

// NewTeam orders agents by their needs, whose own needs are included. It refuses
// cycles, two agents of one name, and agents without a name, Doc or Run.
func NewTeam(members ...*Agent) (*Team, error) {
	t := &Team{}
	state := map[*Agent]int{}
	names := map[string]*Agent{}
	var visit func(a *Agent) error
	visit = func(a *Agent) error {
		switch state[a] {
		case 1:
			return fmt.Errorf("agent %q needs itself: %w", a.Name, ErrInvalid)
		case 2:
			return nil
		}
		if a.Name == "" || a.Doc == "" || a.Run == nil {
			return fmt.Errorf("agent %q: name, Doc and Run are required: %w", a.Name, ErrInvalid)
		}
		if other := names[a.Name]; other != nil {
			return fmt.Errorf("two agents named %q: %w", a.Name, ErrInvalid)
		}
		names[a.Name] = a
		state[a] = 1
		for _, r := range a.Requires {
			if err := visit(r); err != nil {
				return err
			}
		}
		state[a] = 2
		t.order = append(t.order, a)
		return nil
	}
	for _, a := range members {
		if err := visit(a); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Agents returns the running order.
func (t *Team) Agents() []*Agent { return append([]*Agent(nil), t.order...) }

// Localize runs every agent over one pass.
func (t *Team) Localize(ctx context.Context, p *Pass) error {
	for _, a := range t.order {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("run agent %s: %w", a.Name, err)
		}
		if err := a.Run(ctx, p); err != nil {
			return fmt.Errorf("run agent %s: %w", a.Name, err)
		}
	}
	return nil
}
