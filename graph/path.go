package graph

import (
	"fmt"
	"slices"
	"strings"
)

// Selector matches entities by kind and, when roles are given, by role.
type Selector struct {
	Kind  Kind
	Roles []string // nil matches any role
}

// ParseSelector reads "Kind" or "Kind:role" or "Kind:role1,role2". The kind "*"
// matches every kind.
func ParseSelector(s string) (Selector, error) {
	kind, roles, has := strings.Cut(s, ":")
	if kind == "" || strings.ContainsAny(kind, "<>, ") {
		return Selector{}, fmt.Errorf("parse selector %q: want Kind or Kind:role[,role]: %w", s, ErrInvalid)
	}
	sel := Selector{Kind: Kind(kind)}
	if has {
		for r := range strings.SplitSeq(roles, ",") {
			if r == "" {
				return Selector{}, fmt.Errorf("parse selector %q: empty role: %w", s, ErrInvalid)
			}
			sel.Roles = append(sel.Roles, r)
		}
	}
	return sel, nil
}

// Match reports whether an entity of this kind and role is selected.
func (s Selector) Match(kind Kind, role string) bool {
	return (s.Kind == "*" || s.Kind == kind) && (s.Roles == nil || slices.Contains(s.Roles, role))
}

// String is the inverse of ParseSelector.
func (s Selector) String() string {
	if s.Roles == nil {
		return string(s.Kind)
	}
	return string(s.Kind) + ":" + strings.Join(s.Roles, ",")
}

// Step is one hop of a Path.
type Step struct {
	Type    RelationType
	Forward bool // true: along the relation's direction
	To      Selector
}

// Path says how a cause's resource and an effect's resource stand to each other:
// a start and zero or more hops. A path without hops means the same resource.
// A path with hops never leads back to its start.
type Path struct {
	Start Selector
	Steps []Step
}

// ParsePath reads a path: a selector followed by hops, separated by spaces. A hop
// is "TYPE> Selector" along the relation or "<TYPE Selector" against it:
//
//	Port:fronthaul <CONNECTS Link:fronthaul CONNECTS> RRU
func ParsePath(s string) (Path, error) {
	f := strings.Fields(s)
	if len(f) == 0 || len(f)%2 == 0 {
		return Path{}, fmt.Errorf("parse path %q: want a selector, then pairs of hop and selector: %w", s, ErrInvalid)
	}
	start, err := ParseSelector(f[0])
	if err != nil {
		return Path{}, fmt.Errorf("parse path %q: %w", s, err)
	}
	p := Path{Start: start}
	for i := 1; i < len(f); i += 2 {
		var st Step
		switch hop := f[i]; {
		case strings.HasSuffix(hop, ">") && len(hop) > 1:
			st.Type, st.Forward = RelationType(hop[:len(hop)-1]), true
		case strings.HasPrefix(hop, "<") && len(hop) > 1:
			st.Type = RelationType(hop[1:])
		default:
			return Path{}, fmt.Errorf("parse path %q: hop %q is neither TYPE> nor <TYPE: %w", s, hop, ErrInvalid)
		}
		if st.To, err = ParseSelector(f[i+1]); err != nil {
			return Path{}, fmt.Errorf("parse path %q: %w", s, err)
		}
		p.Steps = append(p.Steps, st)
	}
	return p, nil
}

// ParsePaths reads alternatives separated by "|".
func ParsePaths(s string) ([]Path, error) {
	var out []Path
	for alt := range strings.SplitSeq(s, "|") {
		p, err := ParsePath(alt)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// End is the selector of the last entity on the path.
func (p Path) End() Selector {
	if len(p.Steps) == 0 {
		return p.Start
	}
	return p.Steps[len(p.Steps)-1].To
}

// Inverse is the same path walked from its end.
func (p Path) Inverse() Path {
	inv := Path{Start: p.End()}
	for i := len(p.Steps) - 1; i >= 0; i-- {
		to := p.Start
		if i > 0 {
			to = p.Steps[i-1].To
		}
		inv.Steps = append(inv.Steps, Step{p.Steps[i].Type, !p.Steps[i].Forward, to})
	}
	return inv
}

// String is the inverse of ParsePath.
func (p Path) String() string {
	var b strings.Builder
	b.WriteString(p.Start.String())
	for _, s := range p.Steps {
		if s.Forward {
			fmt.Fprintf(&b, " %s> %s", s.Type, s.To)
		} else {
			fmt.Fprintf(&b, " <%s %s", s.Type, s.To)
		}
	}
	return b.String()
}
