// Package ontology is the starting knowledge that Faultline ships: alarm types of
// seven domains, graded causal edges between them, the fault modes behind them,
// and repair procedures. It is data in CSV files, one line per fact, each with its
// source; Load reads and checks it. Names and facts come from the standards and
// lists that the source column names; the wording is ours.
package ontology

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline/graph"
	"faultline/rca"
)

//go:embed data
var data embed.FS

// Source is the name of the ontology in the graph's ledger.
const Source = "faultline-ontology"

// Version is the version of the shipped data.
const Version = "1"

// Load reads the shipped knowledge.
func Load() (*rca.Knowledge, error) {
	sub, err := fs.Sub(data, "data")
	if err != nil {
		return nil, fmt.Errorf("open shipped knowledge: %w", err)
	}
	return LoadFS(sub, graph.ResourceSchema())
}

// LoadFS reads knowledge of the same form from a file system and checks it: every
// fault is reported with file, line and field, wrapped in rca.ErrInvalid.
//
// The checks: ids are known and unique; every path fits the schema and starts and
// ends where its cause and effect stand; edges have a grade and a source; edges
// between alarm types form no cycle but the one documented pair; noise types have
// no edge; every other type can be reached from a fault mode.
func LoadFS(fsys fs.FS, schema graph.Schema) (*rca.Knowledge, error) {
	l := &loader{fs: fsys, schema: schema, on: map[string][]graph.Selector{}}
	l.table("alarm_types.csv", l.alarmType)
	l.table("procedures.csv", l.procedure)
	l.table("fault_modes.csv", l.faultMode)
	l.table("causal_edges.csv", l.edge)
	l.table("engineering_edges.csv", l.edge)
	l.table("fault_effects.csv", l.edge)
	if len(l.faults) == 0 {
		l.checkShape()
	}
	if len(l.faults) > 0 {
		return nil, fmt.Errorf("load knowledge: %w", errors.Join(l.faults...))
	}
	return rca.NewKnowledge(l.types, l.modes, l.procs, l.edges)
}

type loader struct {
	fs     fs.FS
	schema graph.Schema
	types  []rca.AlarmType
	modes  []rca.FaultMode
	procs  []rca.Procedure
	edges  []rca.CausalEdge
	on     map[string][]graph.Selector // where an alarm type or fault mode stands
	faults []error
}

// row is one line of a table, by column name.
type row struct {
	file string
	line int
	get  map[string]string
	l    *loader
}

func (r row) fault(field, format string, args ...any) {
	r.l.faults = append(r.l.faults, fmt.Errorf("%s line %d: %s: %s: %w", r.file, r.line, field, fmt.Sprintf(format, args...), rca.ErrInvalid))
}

func (r row) must(field string) string {
	v := strings.TrimSpace(r.get[field])
	if v == "" {
		r.fault(field, "missing")
	}
	return v
}

func (r row) number(field string, lo, hi float64) float64 {
	v, err := strconv.ParseFloat(r.get[field], 64)
	if err != nil || v < lo || v > hi {
		r.fault(field, "%q is not a number from %g to %g", r.get[field], lo, hi)
	}
	return v
}

func (r row) duration(field string) time.Duration {
	d, err := time.ParseDuration(r.get[field])
	if err != nil || d < 0 {
		r.fault(field, "%q is not a duration", r.get[field])
	}
	return d
}

func (l *loader) table(name string, one func(row)) {
	b, err := fs.ReadFile(l.fs, name)
	if err != nil {
		l.faults = append(l.faults, fmt.Errorf("read %s: %w", path.Base(name), err))
		return
	}
	if err := readTable(name, b, func(line int, get map[string]string) { one(row{name, line, get, l}) }); err != nil {
		l.faults = append(l.faults, err)
	}
}

// readTable yields the rows of a CSV file with a header, with their line numbers.
func readTable(name string, b []byte, yield func(line int, get map[string]string)) error {
	c := csv.NewReader(bytes.NewReader(b))
	head, err := c.Read()
	if err != nil {
		return fmt.Errorf("%s: read header: %w", name, err)
	}
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %w", name, err, rca.ErrInvalid)
		}
		line, _ := c.FieldPos(0)
		get := make(map[string]string, len(head))
		for i, h := range head {
			get[h] = rec[i]
		}
		yield(line, get)
	}
}

func list(s string) []string {
	var out []string
	for v := range strings.SplitSeq(s, "|") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

func (l *loader) stand(r row, id, field string, selectors []string) []graph.Selector {
	if _, dup := l.on[id]; dup {
		r.fault("id", "%s stands twice", id)
	}
	var out []graph.Selector
	for _, s := range selectors {
		sel, err := graph.ParseSelector(s)
		if err != nil {
			r.fault(field, "%v", err)
			continue
		}
		if !l.schema.KnowsKind(sel.Kind) {
			r.fault(field, "kind %s is not in the resource model", sel.Kind)
		}
		out = append(out, sel)
	}
	if len(out) == 0 {
		r.fault(field, "missing")
	}
	l.on[id] = out
	return out
}

func (l *loader) alarmType(r row) {
	t := rca.AlarmType{
		ID: r.must("id"), Slug: r.must("slug"), Name: r.must("name"), Domain: r.must("domain"), Source: r.must("source"), Text: r.get["text"],
		ProbableCause: int(r.number("probable_cause", 0, 2000)), Detect: r.number("detect", 0.01, 1), Leak: r.number("leak", 1e-6, 1),
		Aliases: list(r.get["aliases"]), Noise: r.get["noise"] == "true",
	}
	if err := t.Severity.UnmarshalText([]byte(r.get["severity"])); err != nil {
		r.fault("severity", "%v", err)
	}
	t.RaisedOn = l.stand(r, t.ID, "raised_on", list(r.get["raised_on"]))
	for _, s := range list(r.get["mutes"]) {
		p, err := graph.ParsePath(s)
		if err == nil {
			err = l.schema.CheckPath(p)
		}
		if err != nil {
			r.fault("mutes", "%v", err)
			continue
		}
		t.Mutes = append(t.Mutes, p)
	}
	l.types = append(l.types, t)
}

func (l *loader) procedure(r row) {
	p := rca.Procedure{ID: r.must("id"), Name: r.must("name"), Action: r.must("action"), Risk: r.must("risk"), Source: r.must("source")}
	if !slices.Contains([]string{"low", "medium", "high"}, p.Risk) {
		r.fault("risk", "%q is not low, medium or high", p.Risk)
	}
	for s := range strings.SplitSeq(r.must("steps"), ";") {
		text, check, _ := strings.Cut(s, "=>")
		p.Steps = append(p.Steps, rca.Step{Text: strings.TrimSpace(text), Check: strings.TrimSpace(check)})
	}
	l.procs = append(l.procs, p)
}

func (l *loader) faultMode(r row) {
	m := rca.FaultMode{
		ID: r.must("id"), Name: r.must("name"), Domain: r.must("domain"), Rate: r.number("rate", 1e-6, 100), Planned: r.get["planned"] == "true",
		Procedure: r.must("procedure"), Confirm: r.must("confirm"), Source: r.must("source"), Text: r.get["text"],
	}
	if on := l.stand(r, m.ID, "on", []string{r.must("on")}); len(on) > 0 {
		m.On = on[0]
	}
	l.modes = append(l.modes, m)
}

func (l *loader) edge(r row) {
	e := rca.CausalEdge{
		Cause: r.must("cause"), Effect: r.must("effect"), P: r.number("p", 1e-3, 1), LagMin: r.duration("lag_min"), LagMax: r.duration("lag_max"),
		Grade: r.must("grade"), Source: r.must("source"), Note: r.get["note"],
	}
	if !slices.Contains([]string{"A", "B", "C", "M"}, e.Grade) {
		r.fault("grade", "%q is not A, B, C or M", e.Grade)
	}
	if e.LagMax < e.LagMin {
		r.fault("lag_max", "%s is before lag_min %s", e.LagMax, e.LagMin)
	}
	from, okFrom := l.on[e.Cause]
	to, okTo := l.on[e.Effect]
	if !okFrom {
		r.fault("cause", "unknown id %q", e.Cause)
	}
	if !okTo {
		r.fault("effect", "unknown id %q", e.Effect)
	}
	for _, s := range list(r.must("paths")) {
		p, err := graph.ParsePath(s)
		if err == nil {
			err = l.schema.CheckPath(p)
		}
		if err != nil {
			r.fault("paths", "%v", err)
			continue
		}
		if okFrom && !meets(p.Start, from) {
			r.fault("paths", "%q starts at %s, but %s stands on %v", s, p.Start, e.Cause, from)
		}
		if okTo && !meets(p.End(), to) {
			r.fault("paths", "%q ends at %s, but %s stands on %v", s, p.End(), e.Effect, to)
		}
		e.Paths = append(e.Paths, p)
	}
	l.edges = append(l.edges, e)
}

// meets reports whether a selector can match where one of the others does.
func meets(s graph.Selector, others []graph.Selector) bool {
	for _, o := range others {
		if s.Kind != o.Kind && s.Kind != "*" && o.Kind != "*" {
			continue
		}
		if s.Roles == nil || o.Roles == nil || slices.ContainsFunc(s.Roles, func(r string) bool { return slices.Contains(o.Roles, r) }) {
			return true
		}
	}
	return false
}

// symmetric is the one documented pair of views of the same event.
var symmetric = [2]string{"WL28", "CN07"}

func (l *loader) checkShape() {
	bad := func(file, format string, args ...any) {
		l.faults = append(l.faults, fmt.Errorf("%s: %s: %w", file, fmt.Sprintf(format, args...), rca.ErrInvalid))
	}
	mode := map[string]bool{}
	for _, m := range l.modes {
		mode[m.ID] = true
	}
	noise := map[string]bool{}
	for _, t := range l.types {
		noise[t.ID] = t.Noise
	}
	seen := map[string]bool{}
	next := map[string][]string{}
	reached := map[string]bool{}
	var todo []string
	for _, e := range l.edges {
		if seen[e.ID()] {
			bad("edges", "%s stands twice", e.ID())
		}
		seen[e.ID()] = true
		if noise[e.Cause] || noise[e.Effect] {
			bad("edges", "%s touches a noise type", e.ID())
		}
		next[e.Cause] = append(next[e.Cause], e.Effect)
		if mode[e.Cause] && !reached[e.Effect] {
			reached[e.Effect] = true
			todo = append(todo, e.Effect)
		}
	}
	for len(todo) > 0 {
		id := todo[0]
		todo = todo[1:]
		for _, n := range next[id] {
			if !reached[n] {
				reached[n] = true
				todo = append(todo, n)
			}
		}
	}
	for _, t := range l.types {
		if !t.Noise && !reached[t.ID] {
			bad("alarm_types.csv", "%s can be reached from no fault mode", t.ID)
		}
	}
	state := map[string]int{}
	var visit func(id string)
	visit = func(id string) {
		state[id] = 1
		for _, n := range next[id] {
			if id == symmetric[0] && n == symmetric[1] {
				continue
			}
			switch state[n] {
			case 0:
				visit(n)
			case 1:
				bad("causal_edges.csv", "%s->%s closes a cycle", id, n)
			}
		}
		state[id] = 2
	}
	for _, t := range l.types {
		if state[t.ID] == 0 {
			visit(t.ID)
		}
	}
}
