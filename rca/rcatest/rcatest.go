// Package rcatest reads incident scenarios written as text, so that one file says
// what the network is, which alarms came and what a correct analysis answers. The
// same files run against any wiring of the analysis.
//
// A scenario is a list of lines; "#" starts a comment.
//
//	entity   ID KIND[:ROLE] [DOMAIN]
//	relation FROM TYPE TO
//	alarm    +SECONDS TYPE RESOURCE SEVERITY [QUALIFIER]
//	work     ID +FROM +TO RESOURCE...
//	expect   incidents N
//	expect   cause MODE RESOURCE top K
//	expect   undetermined
//	expect   path FROM-TYPE TO-TYPE
package rcatest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline/graph"
	"faultline/rca"
)

// Epoch is when every scenario starts.
var Epoch = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// Expectation is one "expect" line.
type Expectation struct {
	Line int
	What string // incidents, cause, undetermined, path
	Args []string
	N    int
}

// Scenario is one parsed file.
type Scenario struct {
	Entities    []graph.Entity
	Relations   []graph.Relation
	Events      []rca.AlarmEvent
	Maintenance []rca.Maintenance
	Expect      []Expectation
}

// Parse reads a scenario. An error names the line.
func Parse(r io.Reader) (*Scenario, error) {
	s := &Scenario{}
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line, _, _ := strings.Cut(sc.Text(), "#")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if err := s.line(n, f[0], f[1:]); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", n, f[0], err)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return s, nil
}

func (s *Scenario) line(n int, word string, f []string) error {
	need := func(k int) error {
		if len(f) < k {
			return fmt.Errorf("want %d fields, have %d: %w", k, len(f), rca.ErrInvalid)
		}
		return nil
	}
	switch word {
	case "entity":
		if err := need(2); err != nil {
			return err
		}
		kind, role, _ := strings.Cut(f[1], ":")
		e := graph.Entity{ID: graph.ID(f[0]), Kind: graph.Kind(kind), Role: role}
		if len(f) > 2 {
			e.Domain = f[2]
		}
		s.Entities = append(s.Entities, e)
	case "relation":
		if err := need(3); err != nil {
			return err
		}
		s.Relations = append(s.Relations, graph.Relation{From: graph.ID(f[0]), Type: graph.RelationType(f[1]), To: graph.ID(f[2])})
	case "alarm":
		if err := need(4); err != nil {
			return err
		}
		at, err := offset(f[0])
		if err != nil {
			return err
		}
		e := rca.AlarmEvent{AlarmKey: rca.AlarmKey{Type: f[1], Resource: graph.ID(f[2])}, ID: strconv.Itoa(n), Source: "scenario", Time: at}
		if err := e.Severity.UnmarshalText([]byte(f[3])); err != nil {
			return err
		}
		if len(f) > 4 {
			e.Qualifier = f[4]
		}
		s.Events = append(s.Events, e)
	case "work":
		if err := need(4); err != nil {
			return err
		}
		m := rca.Maintenance{ID: f[0], Name: f[0]}
		var err error
		if m.From, err = offset(f[1]); err != nil {
			return err
		}
		if m.To, err = offset(f[2]); err != nil {
			return err
		}
		for _, id := range f[3:] {
			m.Resources = append(m.Resources, graph.ID(id))
		}
		s.Maintenance = append(s.Maintenance, m)
	case "expect":
		if err := need(1); err != nil {
			return err
		}
		x := Expectation{Line: n, What: f[0], Args: f[1:]}
		want := map[string]int{"incidents": 1, "cause": 4, "undetermined": 0, "path": 2}
		k, ok := want[x.What]
		if !ok || len(x.Args) != k {
			return fmt.Errorf("expectation %q with %d arguments: %w", x.What, len(x.Args), rca.ErrInvalid)
		}
		if x.What == "incidents" || x.What == "cause" {
			var err error
			if x.N, err = strconv.Atoi(x.Args[k-1]); err != nil {
				return fmt.Errorf("number %q: %w", x.Args[k-1], rca.ErrInvalid)
			}
		}
		s.Expect = append(s.Expect, x)
	default:
		return fmt.Errorf("unknown word: %w", rca.ErrInvalid)
	}
	return nil
}

func offset(s string) (time.Time, error) {
	sec, err := strconv.ParseFloat(strings.TrimPrefix(s, "+"), 64)
	if err != nil || !strings.HasPrefix(s, "+") {
		return time.Time{}, fmt.Errorf("time %q is not +SECONDS: %w", s, rca.ErrInvalid)
	}
	return Epoch.Add(time.Duration(sec * float64(time.Second))), nil
}

// Check compares analyses, in order of their incidents, with the expectations. It
// returns one sentence per expectation that is not met.
func (s *Scenario) Check(cases []rca.Case) []string {
	var out []string
	fail := func(x Expectation, format string, args ...any) {
		out = append(out, fmt.Sprintf("line %d: ", x.Line)+fmt.Sprintf(format, args...))
	}
	for _, x := range s.Expect {
		switch x.What {
		case "incidents":
			if len(cases) != x.N {
				fail(x, "%d incidents, want %d", len(cases), x.N)
			}
		case "cause":
			if best := s.rank(cases, x); best == 0 || best > x.N {
				fail(x, "%s at %s has rank %d (0: absent), want at most %d", x.Args[0], x.Args[1], best, x.N)
			}
		case "undetermined":
			if !slices.ContainsFunc(cases, func(c rca.Case) bool { return !c.Decision.Determined }) {
				fail(x, "every case was determined")
			}
		case "path":
			if !slices.ContainsFunc(cases, func(c rca.Case) bool { return hasStep(c, x.Args[0], x.Args[1]) }) {
				fail(x, "no leading hypothesis goes from %s to %s", x.Args[0], x.Args[1])
			}
		}
	}
	return out
}

func (s *Scenario) rank(cases []rca.Case, x Expectation) int {
	best := 0
	for _, c := range cases {
		for i, h := range c.Decision.Hypotheses {
			if h.Mode == x.Args[0] && string(h.Resource) == x.Args[1] && (best == 0 || i+1 < best) {
				best = i + 1
			}
		}
		for _, k := range c.Decision.Causes {
			if k.Mode == x.Args[0] && string(k.Resource) == x.Args[1] {
				best = 1
			}
		}
	}
	return best
}

func hasStep(c rca.Case, from, to string) bool {
	return len(c.Decision.Hypotheses) > 0 && slices.ContainsFunc(c.Decision.Hypotheses[0].Path, func(e rca.PathEdge) bool {
		return e.From.Type == from && e.To.Type == to
	})
}

// Net is a small rca.Topology in memory, for tests.
type Net struct {
	entities map[graph.ID]graph.Entity
	out, in  map[graph.ID][]graph.Relation
}

// Topology returns the scenario's network.
func (s *Scenario) Topology() *Net {
	n := &Net{entities: map[graph.ID]graph.Entity{}, out: map[graph.ID][]graph.Relation{}, in: map[graph.ID][]graph.Relation{}}
	for _, e := range s.Entities {
		n.entities[e.ID] = e
	}
	for _, r := range s.Relations {
		n.out[r.From] = append(n.out[r.From], r)
		n.in[r.To] = append(n.in[r.To], r)
	}
	return n
}

// Entity returns a resource, or graph.ErrNotFound.
func (n *Net) Entity(_ context.Context, id graph.ID) (graph.Entity, error) {
	e, ok := n.entities[id]
	if !ok {
		return e, fmt.Errorf("entity %s: %w", id, graph.ErrNotFound)
	}
	return e, nil
}

// Follow walks a path as rca.Topology says, never straight back to where a hop
// came from.
func (n *Net) Follow(_ context.Context, start graph.ID, p *graph.Path) ([]graph.ID, error) {
	type at struct{ id, before graph.ID }
	e, ok := n.entities[start]
	if !ok || !p.Start.Match(e.Kind, e.Role) {
		return nil, nil
	}
	level := []at{{id: start}}
	for _, st := range p.Steps {
		var next []at
		for _, x := range level {
			list := n.in[x.id]
			if st.Forward {
				list = n.out[x.id]
			}
			for _, r := range list {
				far := r.From
				if st.Forward {
					far = r.To
				}
				if t := n.entities[far]; r.Type == st.Type && far != x.before && st.To.Match(t.Kind, t.Role) {
					next = append(next, at{far, x.id})
				}
			}
		}
		level = next
	}
	var out []graph.ID
	for _, x := range level {
		if x.id != start || len(p.Steps) == 0 {
			out = append(out, x.id)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
