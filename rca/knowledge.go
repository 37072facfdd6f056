package rca

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline/graph"
)

// AlarmType is what is known of one type of alarm.
type AlarmType struct {
	ID            string           `json:"id"`
	Slug          string           `json:"slug"` // RFC 8632 style identity, for example "mains-input-failure"
	Name          string           `json:"name"`
	Domain        string           `json:"domain"`
	ProbableCause int              `json:"probable_cause"`
	Severity      Severity         `json:"severity"`
	RaisedOn      []graph.Selector `json:"-"`
	Detect        float64          `json:"detect"` // probability that the alarm is seen when its condition holds and its element can report
	Leak          float64          `json:"leak"`   // probability that it appears in an incident without any known cause
	Mutes         []graph.Path     `json:"-"`      // resources that cannot report while it stands, with all that they contain
	Aliases       []string         `json:"aliases,omitempty"`
	Source        string           `json:"source"`
	Text          string           `json:"text,omitempty"`  // meaning, for people
	Noise         bool             `json:"noise,omitempty"` // no cause and no effect, on purpose
}

// FaultMode is a way in which a resource breaks.
type FaultMode struct {
	ID        string         `json:"id"` // for example "FM-fibre-cut"
	Name      string         `json:"name"`
	Domain    string         `json:"domain"`
	On        graph.Selector `json:"-"`
	Rate      float64        `json:"rate"` // expected occurrences per resource and year; only ratios matter
	Planned   bool           `json:"planned,omitempty"`
	Procedure string         `json:"procedure"`
	Confirm   string         `json:"confirm,omitempty"` // the observation that would settle it
	Source    string         `json:"source"`
	Text      string         `json:"text,omitempty"`
}

// CausalEdge is a template: Cause at x brings Effect at every y that stands in one
// of Paths to x, with probability P, between LagMin and LagMax later.
type CausalEdge struct {
	Cause  string        `json:"cause"` // alarm type or fault mode id
	Effect string        `json:"effect"`
	Paths  []graph.Path  `json:"-"`
	P      float64       `json:"p"`
	LagMin time.Duration `json:"lag_min"`
	LagMax time.Duration `json:"lag_max"`
	Grade  string        `json:"grade"` // A stated by its source, B follows from a standard, C inference, M mined
	Source string        `json:"source"`
	Note   string        `json:"note,omitempty"`

	inverse []graph.Path
}

// InversePaths are the ways from an effect back to its causes. They are set by
// NewKnowledge; the caller must not change them.
func (e *CausalEdge) InversePaths() []graph.Path { return e.inverse }

// ID names the edge.
func (e CausalEdge) ID() string { return e.Cause + "->" + e.Effect }

// Step is one instruction of a Procedure.
type Step struct {
	Text  string `json:"text"`
	Check string `json:"check,omitempty"` // what shows that the step worked
}

// Procedure says how a fault mode is repaired and what the twin can rehearse.
type Procedure struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Action string `json:"action"` // ActionKind that restores service, for example "repair-fibre"
	Risk   string `json:"risk"`   // low, medium, high
	Steps  []Step `json:"steps"`
	Source string `json:"source"`
}

// Knowledge is everything that analyses reason with, compiled from the graph.
// It is immutable after NewKnowledge.
type Knowledge struct {
	alarmTypes map[string]AlarmType
	faultModes map[string]FaultMode
	procedures map[string]Procedure
	edges      []CausalEdge
	byCause    map[string][]int
	byEffect   map[string][]int
	names      map[string]string // lower-case id, slug, name or alias -> alarm type id
}

// NewKnowledge checks the parts against each other and indexes them. Every fault
// is reported, wrapped in ErrInvalid.
func NewKnowledge(types []AlarmType, modes []FaultMode, procs []Procedure, edges []CausalEdge) (*Knowledge, error) {
	k := &Knowledge{
		alarmTypes: map[string]AlarmType{}, faultModes: map[string]FaultMode{}, procedures: map[string]Procedure{},
		byCause: map[string][]int{}, byEffect: map[string][]int{}, names: map[string]string{},
	}
	var faults []string
	for _, t := range types {
		if _, dup := k.alarmTypes[t.ID]; dup {
			faults = append(faults, "alarm type "+t.ID+" twice")
		}
		k.alarmTypes[t.ID] = t
		for _, n := range append([]string{t.ID, t.Slug, t.Name}, t.Aliases...) {
			if n = strings.ToLower(n); n != "" {
				if old, dup := k.names[n]; dup && old != t.ID {
					faults = append(faults, fmt.Sprintf("alias %q of %s is taken by %s", n, t.ID, old))
					continue
				}
				k.names[n] = t.ID
			}
		}
	}
	for _, p := range procs {
		k.procedures[p.ID] = p
	}
	for _, m := range modes {
		if _, dup := k.faultModes[m.ID]; dup {
			faults = append(faults, "fault mode "+m.ID+" twice")
		}
		if _, ok := k.procedures[m.Procedure]; !ok && m.Procedure != "" {
			faults = append(faults, "fault mode "+m.ID+": no procedure "+m.Procedure)
		}
		k.faultModes[m.ID] = m
	}
	k.edges = slices.Clone(edges)
	slices.SortStableFunc(k.edges, func(a, b CausalEdge) int {
		return cmp.Or(cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Effect, b.Effect))
	})
	for i, e := range k.edges {
		for _, p := range e.Paths {
			k.edges[i].inverse = append(k.edges[i].inverse, p.Inverse())
		}
		_, isType := k.alarmTypes[e.Cause]
		_, isMode := k.faultModes[e.Cause]
		if !isType && !isMode {
			faults = append(faults, "edge "+e.ID()+": unknown cause")
		}
		if _, ok := k.alarmTypes[e.Effect]; !ok {
			faults = append(faults, "edge "+e.ID()+": unknown effect")
		}
		if e.P <= 0 || e.P > 1 || len(e.Paths) == 0 || e.LagMax < e.LagMin {
			faults = append(faults, "edge "+e.ID()+": probability, path or lag out of range")
		}
		k.byCause[e.Cause] = append(k.byCause[e.Cause], i)
		k.byEffect[e.Effect] = append(k.byEffect[e.Effect], i)
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("check knowledge: %s: %w", strings.Join(faults, "; "), ErrInvalid)
	}
	return k, nil
}

// AlarmType returns one alarm type.
func (k *Knowledge) AlarmType(id string) (AlarmType, bool) { t, ok := k.alarmTypes[id]; return t, ok }

// FaultMode returns one fault mode.
func (k *Knowledge) FaultMode(id string) (FaultMode, bool) { m, ok := k.faultModes[id]; return m, ok }

// Procedure returns one procedure.
func (k *Knowledge) Procedure(id string) (Procedure, bool) { p, ok := k.procedures[id]; return p, ok }

// ResolveAlarmType maps an id, slug, name or alias, in any case, to an alarm type id.
func (k *Knowledge) ResolveAlarmType(name string) (string, bool) {
	id, ok := k.names[strings.ToLower(strings.TrimSpace(name))]
	return id, ok
}

// Effects yields the edges that leave a cause, by effect.
func (k *Knowledge) Effects(cause string) iter.Seq[*CausalEdge] { return k.pick(k.byCause[cause]) }

// Causes yields the edges that enter an effect, by cause.
func (k *Knowledge) Causes(effect string) iter.Seq[*CausalEdge] { return k.pick(k.byEffect[effect]) }

// Edges returns all edges by (cause, effect).
func (k *Knowledge) Edges() []CausalEdge { return slices.Clone(k.edges) }

// AlarmTypes returns all alarm types by id.
func (k *Knowledge) AlarmTypes() []AlarmType {
	return sortedBy(k.alarmTypes, func(t AlarmType) string { return t.ID })
}

// FaultModes returns all fault modes by id.
func (k *Knowledge) FaultModes() []FaultMode {
	return sortedBy(k.faultModes, func(m FaultMode) string { return m.ID })
}

// Procedures returns all procedures by id.
func (k *Knowledge) Procedures() []Procedure {
	return sortedBy(k.procedures, func(p Procedure) string { return p.ID })
}

func (k *Knowledge) pick(idx []int) iter.Seq[*CausalEdge] {
	return func(yield func(*CausalEdge) bool) {
		for _, i := range idx {
			if !yield(&k.edges[i]) {
				return
			}
		}
	}
}

func sortedBy[T any](m map[string]T, id func(T) string) []T {
	out := make([]T, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	return out
}

// Entity ids of knowledge in the graph.
const (
	AlarmTypePrefix = "alarm-type/"
	FaultModePrefix = "fault-mode/"
	ProcedurePrefix = "procedure/"
)

// Changes writes the knowledge as graph changes of one source, each element's
// provenance span naming its row. Every field that analyses use survives
// KnowledgeFromGraph.
func (k *Knowledge) Changes(source, version string, at time.Time) []graph.Change {
	var out []graph.Change
	put := func(e *graph.Entity, r *graph.Relation, span, rule string) {
		out = append(out, graph.Change{Op: graph.OpPut, At: at, By: graph.Provenance{Source: source, Version: version, Rule: rule, Span: span}, Entity: e, Relation: r})
	}
	for _, t := range k.AlarmTypes() {
		put(&graph.Entity{ID: graph.ID(AlarmTypePrefix + t.ID), Kind: graph.KindAlarmType, Name: t.Name, Domain: t.Domain, Attrs: t.attrs()}, nil, t.ID, t.Source)
	}
	for _, p := range k.Procedures() {
		put(&graph.Entity{ID: graph.ID(ProcedurePrefix + p.ID), Kind: graph.KindProcedure, Name: p.Name, Attrs: p.attrs()}, nil, p.ID, p.Source)
	}
	for _, m := range k.FaultModes() {
		put(&graph.Entity{ID: graph.ID(FaultModePrefix + m.ID), Kind: graph.KindFaultMode, Name: m.Name, Domain: m.Domain, Attrs: m.attrs()}, nil, m.ID, m.Source)
		if m.Procedure != "" {
			put(nil, &graph.Relation{From: graph.ID(FaultModePrefix + m.ID), Type: graph.RepairedBy, To: graph.ID(ProcedurePrefix + m.Procedure)}, m.ID, m.Source)
		}
	}
	for _, e := range k.edges {
		from := graph.ID(AlarmTypePrefix + e.Cause)
		if _, ok := k.faultModes[e.Cause]; ok {
			from = graph.ID(FaultModePrefix + e.Cause)
		}
		put(nil, &graph.Relation{From: from, Type: graph.Causes, To: graph.ID(AlarmTypePrefix + e.Effect), Attrs: e.attrs()}, e.ID(), e.Source)
	}
	return out
}

// KnowledgeFromGraph compiles the knowledge layer of a graph.
func KnowledgeFromGraph(ctx context.Context, g graph.Reader, at graph.AsOf) (*Knowledge, error) {
	var types []AlarmType
	var modes []FaultMode
	var procs []Procedure
	var edges []CausalEdge
	load := func(kind graph.Kind, one func(graph.Entity) error) error {
		for e, err := range g.Find(ctx, graph.Query{Kind: kind, AsOf: at}) {
			if err != nil {
				return err
			}
			if err := one(e); err != nil {
				return fmt.Errorf("%s: %w", e.ID, err)
			}
			for r, err := range g.Relations(ctx, e.ID, graph.Filter{Dir: graph.Out, Types: []graph.RelationType{graph.Causes}, AsOf: at}) {
				if err != nil {
					return err
				}
				edge, err := edgeFromRelation(r)
				if err != nil {
					return fmt.Errorf("%s: %w", r.Key(), err)
				}
				edges = append(edges, edge)
			}
		}
		return nil
	}
	err := load(graph.KindAlarmType, func(e graph.Entity) error {
		t, err := alarmTypeFromEntity(e)
		types = append(types, t)
		return err
	})
	if err == nil {
		types = distinct(types)
		err = load(graph.KindFaultMode, func(e graph.Entity) error {
			m, err := faultModeFromEntity(e)
			modes = append(modes, m)
			return err
		})
	}
	if err == nil {
		err = load(graph.KindProcedure, func(e graph.Entity) error { procs = append(procs, procedureFromEntity(e)); return nil })
	}
	if err != nil {
		return nil, fmt.Errorf("compile knowledge: %w", err)
	}
	return NewKnowledge(types, modes, procs, curated(edges))
}

// curated leaves out a mined edge where somebody stated the same pair: it is the same
// influence, and must not count twice.
func curated(edges []CausalEdge) []CausalEdge {
	stated := map[string]bool{}
	for _, e := range edges {
		if e.Grade != GradeMined {
			stated[e.ID()] = true
		}
	}
	return slices.DeleteFunc(edges, func(e CausalEdge) bool { return e.Grade == GradeMined && stated[e.ID()] })
}

// GradeMined is the grade of an edge that was learned from alarm history.
const GradeMined = "M"

func (t AlarmType) attrs() map[string]string {
	var on, mutes []string
	for _, s := range t.RaisedOn {
		on = append(on, s.String())
	}
	for _, p := range t.Mutes {
		mutes = append(mutes, p.String())
	}
	return compact(map[string]string{
		"slug": t.Slug, "probable_cause": strconv.Itoa(t.ProbableCause), "severity": t.Severity.String(),
		"raised_on": strings.Join(on, "|"), "detect": ftoa(t.Detect), "leak": ftoa(t.Leak), "mutes": strings.Join(mutes, "|"),
		"aliases": strings.Join(t.Aliases, "|"), "source": t.Source, "text": t.Text, "noise": btoa(t.Noise),
	})
}

func alarmTypeFromEntity(e graph.Entity) (AlarmType, error) {
	a := e.Attrs
	t := AlarmType{ID: strings.TrimPrefix(string(e.ID), AlarmTypePrefix), Name: e.Name, Domain: e.Domain, Slug: a["slug"], Source: a["source"], Text: a["text"], Noise: a["noise"] != ""}
	var err error
	if v := a["severity"]; v != "" {
		if err = t.Severity.UnmarshalText([]byte(v)); err != nil {
			return t, err
		}
	}
	t.ProbableCause, _ = strconv.Atoi(a["probable_cause"])
	t.Detect, t.Leak = atof(a["detect"], 0.95), atof(a["leak"], 0.02)
	if v := a["aliases"]; v != "" {
		t.Aliases = strings.Split(v, "|")
	}
	if v := a["raised_on"]; v != "" {
		for s := range strings.SplitSeq(v, "|") {
			sel, err := graph.ParseSelector(s)
			if err != nil {
				return t, err
			}
			t.RaisedOn = append(t.RaisedOn, sel)
		}
	}
	if v := a["mutes"]; v != "" {
		t.Mutes, err = graph.ParsePaths(v)
	}
	return t, err
}

func (m FaultMode) attrs() map[string]string {
	return compact(map[string]string{
		"on": m.On.String(), "rate": ftoa(m.Rate), "planned": btoa(m.Planned), "procedure": m.Procedure,
		"confirm": m.Confirm, "source": m.Source, "text": m.Text,
	})
}

func faultModeFromEntity(e graph.Entity) (FaultMode, error) {
	a := e.Attrs
	on, err := graph.ParseSelector(a["on"])
	return FaultMode{
		ID: strings.TrimPrefix(string(e.ID), FaultModePrefix), Name: e.Name, Domain: e.Domain, On: on, Rate: atof(a["rate"], 0.01),
		Planned: a["planned"] != "", Procedure: a["procedure"], Confirm: a["confirm"], Source: a["source"], Text: a["text"],
	}, err
}

func (p Procedure) attrs() map[string]string {
	m := map[string]string{"action": p.Action, "risk": p.Risk, "source": p.Source}
	for i, s := range p.Steps {
		m[fmt.Sprintf("step.%02d", i+1)] = s.Text
		m[fmt.Sprintf("step.%02d.check", i+1)] = s.Check
	}
	return compact(m)
}

func procedureFromEntity(e graph.Entity) Procedure {
	p := Procedure{ID: strings.TrimPrefix(string(e.ID), ProcedurePrefix), Name: e.Name, Action: e.Attrs["action"], Risk: e.Attrs["risk"], Source: e.Attrs["source"]}
	for i := 1; ; i++ {
		text, ok := e.Attrs[fmt.Sprintf("step.%02d", i)]
		if !ok {
			return p
		}
		p.Steps = append(p.Steps, Step{text, e.Attrs[fmt.Sprintf("step.%02d.check", i)]})
	}
}

func (e CausalEdge) attrs() map[string]string {
	var paths []string
	for _, p := range e.Paths {
		paths = append(paths, p.String())
	}
	return compact(map[string]string{
		"paths": strings.Join(paths, " | "), "p": ftoa(e.P), "lag_min": e.LagMin.String(), "lag_max": e.LagMax.String(),
		"grade": e.Grade, "source": e.Source, "note": e.Note,
	})
}

func edgeFromRelation(r graph.Relation) (CausalEdge, error) {
	a := r.Attrs
	trim := func(id graph.ID) string {
		return strings.TrimPrefix(strings.TrimPrefix(string(id), AlarmTypePrefix), FaultModePrefix)
	}
	e := CausalEdge{Cause: trim(r.From), Effect: trim(r.To), P: atof(a["p"], 0.5), Grade: a["grade"], Source: a["source"], Note: a["note"]}
	var err error
	if e.Paths, err = graph.ParsePaths(a["paths"]); err != nil {
		return e, err
	}
	if e.LagMin, err = time.ParseDuration(cmp.Or(a["lag_min"], "0s")); err != nil {
		return e, err
	}
	e.LagMax, err = time.ParseDuration(cmp.Or(a["lag_max"], "1m"))
	return e, err
}

func compact(m map[string]string) map[string]string {
	for k, v := range m {
		if v == "" {
			delete(m, k)
		}
	}
	return m
}

func ftoa(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func atof(s string, otherwise float64) float64 {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f
	}
	return otherwise
}

func btoa(b bool) string {
	if b {
		return "true"
	}
	return ""
}
