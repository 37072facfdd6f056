package manual

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
)

// StarlingXPrefix opens the ids of alarm types of a StarlingX manual: alarm 100.101 is
// alarm type STX-100.101.
const StarlingXPrefix = "STX-"

// ReadStarlingX reads an events.yaml of StarlingX's fault management. Every alarm
// becomes an AlarmType that rca.KnowledgeFromGraph reads, a Procedure with its repair
// text (the alarm type is REPAIRED_BY it) and a Passage that DEFINES it; every log
// becomes a Passage. Values may be a text, a list or a mapping by severity. An entry
// that is not of that form is rejected alone. emit gets one batch.
func ReadStarlingX(ctx context.Context, r io.Reader, o Options, emit func([]graph.Change) error, reject func(ingest.Reject)) (Summary, error) {
	src, err := load(ctx, r, &o)
	if err != nil {
		return Summary{}, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return Summary{}, fmt.Errorf("read %s: %w: %w", o.File, err, rca.ErrInvalid)
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return Summary{}, fmt.Errorf("read %s: want a mapping of alarm ids: %w", o.File, rca.ErrInvalid)
	}
	d := newDraft(o, "starlingx-events", "StarlingX alarms and logs", src)
	pairs := doc.Content[0].Content
	var own []ingest.Term
	for i := 0; i+1 < len(pairs); i += 2 {
		own = append(own, ingest.Term{Name: pairs[i].Value, ID: StarlingXPrefix + pairs[i].Value})
	}
	s := starlingx{d: d, own: ingest.NewGazetteer(own), seen: map[string]int{}, alarms: map[string]bool{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		d.sum.Records++
		// The key is taken as written: as a number, 100.110 would be 100.11.
		id, line := pairs[i].Value, pairs[i].Line
		if field, why := s.entry(id, line, pairs[i+1]); why != "" {
			d.sum.Rejected++
			reject(ingest.Reject{File: o.File, Line: line, Field: field, Reason: why, Row: id})
		}
	}
	s.crossReferences()
	return d.send(emit)
}

type starlingx struct {
	d      *draft
	own    *ingest.Gazetteer
	seen   map[string]int
	alarms map[string]bool // ids of alarm types that were written
	refs   []reference
}

// reference is a passage and the ids of other entries that its text names.
type reference struct {
	passage graph.ID
	anchor  string
	ids     []string
}

// entry takes one alarm or log. why is empty when it was taken.
func (s *starlingx) entry(id string, line int, n *yaml.Node) (field, why string) {
	if id == "" || strings.ContainsAny(id, " \t\n/#") {
		return "", "not an alarm id"
	}
	if first, twice := s.seen[id]; twice {
		return "", fmt.Sprintf("%s is there already, in line %d", id, first)
	}
	s.seen[id] = line
	if n.Kind != yaml.MappingNode {
		return "", "want a mapping of fields"
	}
	f := map[string]value{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		v, ok := readValue(n.Content[i+1])
		if !ok {
			return n.Content[i].Value, "want a text, a list or a mapping by severity"
		}
		f[n.Content[i].Value] = v
	}
	kind := f["Type"].first()
	if kind != "Alarm" && kind != "Log" {
		return "Type", fmt.Sprintf("%q is neither Alarm nor Log", kind)
	}
	description := f["Description"].text("\n")
	if description == "" {
		return "Description", "missing"
	}
	if kind == "Log" {
		s.passage(id, "Logs", "Log "+id+": "+firstLine(description), f, nil)
		return "", ""
	}
	severity, all := severities(f["Severity"])
	if severity == rca.SeverityUnknown {
		return "Severity", fmt.Sprintf("%q is not a severity", f["Severity"].text(", "))
	}
	s.alarm(id, description, severity, all, f)
	return "", ""
}

func (s *starlingx) alarm(id, description string, severity rca.Severity, severities []string, f map[string]value) {
	typeID := StarlingXPrefix + id
	name := firstLine(f["Description"].first())
	attrs := map[string]string{
		"slug": strings.ToLower(typeID), "aliases": id, "severity": severity.String(), "severities": strings.Join(severities, "|"),
		"source": "StarlingX " + id, "text": description, "repair": f["Proposed_Repair_Action"].text("\n"),
		"service_affecting": strings.ToLower(f["Service_Affecting"].text("|")), "entity_pattern": f["Entity_Instance_ID"].text("|"), "suppression": strings.ToLower(f["Suppression"].text("|")),
		"inhibit_alarms": strings.ToLower(f["Inhibit_Alarms"].text("|")), "maintenance_action": f["Maintenance_Action"].text("|"), "context": f["Context"].text("|"),
		"management_affecting_severity": f["Management_Affecting_Severity"].text("|"), "degrade_affecting_severity": f["Degrade_Affecting_Severity"].text("|"),
		"probable_cause_name": f["Probable_Cause"].text("|"),
	}
	if c, ok := rca.ParseProbableCause(f["Probable_Cause"].first()); ok {
		attrs["probable_cause"] = strconv.Itoa(c)
	}
	var events []string
	for _, p := range f["Alarm_Type"] {
		e, ok := rca.ParseEventType(p.text)
		if !ok {
			e = p.text
		}
		if !slices.Contains(events, e) {
			events = append(events, e)
		}
	}
	attrs["event_type"] = strings.Join(events, "|")
	for k, v := range attrs {
		if v == "" {
			delete(attrs, k)
		}
	}
	steps := procedureSteps(f["Proposed_Repair_Action"])
	if len(steps) > 0 {
		attrs["procedure"] = typeID
	}
	entity := graph.ID(rca.AlarmTypePrefix + typeID)
	s.d.put(graph.Entity{ID: entity, Kind: graph.KindAlarmType, Name: name, Domain: "cloud", Attrs: attrs}, id)
	s.d.sum.AlarmTypes++
	s.alarms[typeID] = true
	if len(steps) > 0 {
		p := graph.ID(rca.ProcedurePrefix + typeID)
		pa := map[string]string{"source": "StarlingX " + id}
		for i, step := range steps {
			pa[fmt.Sprintf("step.%02d", i+1)] = step
		}
		s.d.put(graph.Entity{ID: p, Kind: graph.KindProcedure, Name: "Repair for " + id + ": " + name, Domain: "cloud", Attrs: pa}, id)
		s.d.relate(entity, graph.RepairedBy, p, id, nil)
	}
	s.passage(id, "Alarms", "Alarm "+id+": "+name, f, []string{typeID})
}

// passageFields are the fields that a person reads, in order.
var passageFields = []struct{ field, label, sep string }{
	{"Description", "Description", "\n"}, {"Entity_Instance_ID", "Raised on", ", "}, {"Severity", "Severity", ", "}, {"Alarm_Type", "Type", ", "},
	{"Probable_Cause", "Probable cause", ", "}, {"Service_Affecting", "Service affecting", ", "}, {"Proposed_Repair_Action", "Proposed repair action", "\n"},
	{"Maintenance_Action", "Maintenance action", ", "},
}

func (s *starlingx) passage(id, section, title string, f map[string]value, defines []string) {
	var b strings.Builder
	head, _, _ := strings.Cut(title, ":")
	b.WriteString(head)
	for _, p := range passageFields {
		if t := f[p.field].text(p.sep); t != "" {
			fmt.Fprintf(&b, "\n%s: %s", p.label, t)
		}
	}
	passage := s.d.passage(title, section+" > "+title, id, b.String(), defines)
	var ids []string
	for _, other := range s.own.FindIDs(f["Description"].text("\n") + "\n" + f["Proposed_Repair_Action"].text("\n")) {
		if other != StarlingXPrefix+id {
			ids = append(ids, other)
		}
	}
	s.refs = append(s.refs, reference{passage, id, ids})
}

// crossReferences adds what passages say of other alarms, once all are known.
func (s *starlingx) crossReferences() {
	for _, r := range s.refs {
		for _, id := range r.ids {
			if s.alarms[id] {
				s.d.sum.Mentions++
				s.d.relate(r.passage, graph.Mentions, graph.ID(rca.AlarmTypePrefix+id), r.anchor, nil)
			}
		}
	}
}

// value is a field: one part without a key for a text, several for a list, parts
// with keys for a mapping by severity.
type value []part

type part struct{ key, text string }

func readValue(n *yaml.Node) (value, bool) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return nil, true
		}
		return value{{"", unindent(n.Value)}}, true
	case yaml.AliasNode:
		if n.Alias != nil && n.Alias.Kind == yaml.ScalarNode {
			return readValue(n.Alias)
		}
	case yaml.SequenceNode:
		var v value
		for _, c := range n.Content {
			if c.Kind != yaml.ScalarNode {
				return nil, false
			}
			v = append(v, part{"", unindent(c.Value)})
		}
		return v, true
	case yaml.MappingNode:
		var v value
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i+1].Kind != yaml.ScalarNode {
				return nil, false
			}
			v = append(v, part{n.Content[i].Value, unindent(n.Content[i+1].Value)})
		}
		return v, true
	}
	return nil, false
}

func (v value) first() string {
	if len(v) == 0 {
		return ""
	}
	return v[0].text
}

// text joins the parts that are not empty, each after its key and each once.
func (v value) text(sep string) string {
	var out []string
	for _, p := range v {
		t := p.text
		if t == "" {
			continue
		}
		if p.key != "" {
			t = p.key + ": " + t
		}
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return strings.Join(out, sep)
}

// severities returns the highest severity and the names of all, as stated.
func severities(v value) (highest rca.Severity, names []string) {
	for _, p := range v {
		sev, err := rca.ScaleX733.Parse(cmp.Or(p.text, p.key))
		if err != nil {
			return rca.SeverityUnknown, nil
		}
		highest = max(highest, sev)
		names = append(names, sev.String())
	}
	return highest, names
}

// procedureSteps cuts a repair text into steps: a step ends with a line that ends a
// sentence; lines in between are wrapped text.
func procedureSteps(v value) []string {
	var out []string
	for _, p := range v {
		cur := ""
		if p.key != "" {
			cur = "At " + p.key + ":"
		}
		for line := range strings.Lines(p.text) {
			line = strings.TrimSpace(line)
			if line == "" {
				continue
			}
			cur = strings.TrimSpace(cur + " " + line)
			if strings.HasSuffix(line, ".") || strings.HasSuffix(line, ";") || strings.HasSuffix(line, "'") {
				out, cur = append(out, cur), ""
			}
		}
		if cur != "" && p.text != "" {
			out = append(out, cur)
		}
	}
	return out[:min(len(out), 99)]
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return strings.TrimRight(strings.Join(strings.Fields(line), " "), " .;:")
}

// unindent trims every line and drops blank ones at the ends.
func unindent(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.Join(lines, "\n")
}
