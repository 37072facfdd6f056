// Package workorder reads trouble tickets and planned work, TMF621 or CSV, into
// graph changes: a WorkOrder, or a MaintenanceWindow for planned work with a start
// and an end; AFFECTS relations to the resources that the ticket names; and a
// Passage with its readable text, which MENTIONS the alarm types that it names.
// Names in text count only as they stand, whole; nothing is guessed.
//
// Text of tickets is data. It is stored, searched and cited, and never read as an
// instruction.
package workorder

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
)

// Prefixes of entity ids.
const (
	Prefix            = "work-order/"
	MaintenancePrefix = "maintenance/"
	PassagePrefix     = "passage/"
)

// Attributes of a WorkOrder and a MaintenanceWindow, where the ticket has them. All
// times are RFC 3339 in UTC.
const (
	AttrStatus      = "status"
	AttrType        = "type"
	AttrSeverity    = "severity"
	AttrPriority    = "priority"
	AttrCreated     = "created"
	AttrResolved    = "resolved"
	AttrDescription = "description"
	AttrStart       = "planned_start" // as the ticket has it
	AttrEnd         = "planned_end"
	AttrRootCause   = "root_cause"
	AttrResolution  = "resolution"
	AttrClosure     = "closure_code"
	AttrText        = "text"  // of the passage
	AttrTitle       = "title" // of the passage
)

// batchSize is about how many changes are handed on together.
const batchSize = 2000

// Options of the readers.
type Options struct {
	ingest.Options           // Source is what the changes belong to
	At             time.Time // recorded time of the changes; required
	Version        string    // of the source
	Replace        bool      // the first batch drops what the source stated before
	// Resource resolves an identifier or alias. Tokens of the text and names of the
	// ticket are asked for as they stand. Optional: without it only explicit
	// references lead to resources.
	Resource func(token string) (graph.ID, bool)
	// AlarmTypes are the names of alarm types; Term.ID is the type's id. Optional.
	AlarmTypes *ingest.Gazetteer
	Location   *time.Location // of times without a zone; default UTC
}

func (o *Options) validate() error {
	if o.At.IsZero() {
		return fmt.Errorf("work order options: At missing: %w", rca.ErrInvalid)
	}
	return o.Options.Validate()
}

// ticket is what both formats are read into.
type ticket struct {
	id, name, description         string
	status, kind                  string
	severity, priority            string
	created, resolved             string
	start, end                    string // of planned work
	rootCause, resolution, closed string
	resources                     []string // explicit references
	places                        []string // words about places, searched like text
	notes                         []note
	more                          map[string]string // other characteristics and columns
}

type note struct{ date, author, text string }

// reader turns tickets into batches.
type reader struct {
	o      Options
	n      ingest.Counts
	emit   func([]graph.Change) error
	reject func(ingest.Reject)
	lines  map[string]int // by ticket id: where it was first met
	batch  []graph.Change
}

func newReader(o Options, emit func([]graph.Change) error, reject func(ingest.Reject)) (*reader, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	r := &reader{o: o, emit: emit, reject: reject, lines: map[string]int{}}
	if o.Replace {
		r.batch = append(r.batch, graph.Change{Op: graph.OpDropSource, At: o.At, By: r.by(0)})
	}
	return r, nil
}

func (r *reader) by(line int) graph.Provenance {
	p := graph.Provenance{Source: r.o.Source, Version: r.o.Version, Rule: "work-order"}
	if line > 0 {
		p.Span = fmt.Sprintf("line %d", line)
	}
	return p
}

// flush hands on what is collected.
func (r *reader) flush() error {
	if len(r.batch) == 0 {
		return nil
	}
	b := r.batch
	r.batch = nil
	if err := r.emit(b); err != nil {
		return fmt.Errorf("hand on %d changes: %w", len(b), err)
	}
	r.n.Emitted += len(b)
	return nil
}

// each counts and feeds every record, and sends what they gave. A ticket is never
// split between batches.
func each[T any](r *reader, next func() (T, error), one func(T) error) error {
	err := ingest.Each(next, &r.n, r.reject, func(rec T) error {
		r.n.Records++
		return one(rec)
	})
	if err != nil {
		return err
	}
	return r.flush()
}

// take makes the changes of one ticket, as one batch.
func (r *reader) take(t ticket, line int, row string) error {
	refuse := func(field, reason string) {
		r.n.Rejected++
		r.reject(ingest.Reject{File: r.o.File, Line: line, Field: field, Reason: reason, Row: row})
	}
	if t.id == "" {
		refuse("id", "missing")
		return nil
	}
	if first, twice := r.lines[t.id]; twice {
		refuse("id", fmt.Sprintf("%s is there already, in line %d", t.id, first))
		return nil
	}
	r.lines[t.id] = line
	instant := func(field, s string) (time.Time, bool) {
		if s == "" {
			return time.Time{}, true
		}
		v, err := ingest.ParseTime(s, r.o.Location)
		if err != nil {
			refuse(field, strings.TrimSuffix(err.Error(), ": "+rca.ErrInvalid.Error())+"; the rest is kept")
			return time.Time{}, false
		}
		return v, true
	}
	created, _ := instant("created", t.created)
	resolved, _ := instant("resolved", t.resolved)
	text := t.text()
	t.fromNotes()

	e := graph.Entity{ID: graph.ID(Prefix + t.id), Kind: graph.KindWorkOrder, Name: t.name, Attrs: map[string]string{}}
	set := func(k, v string) {
		if v = strings.TrimSpace(v); v != "" {
			e.Attrs[k] = v
		}
	}
	for k, v := range t.more {
		set(k, v)
	}
	set(AttrStatus, t.status)
	set(AttrType, t.kind)
	set(AttrSeverity, t.severity)
	set(AttrPriority, t.priority)
	set(AttrCreated, stamp(created))
	set(AttrResolved, stamp(resolved))
	set(AttrDescription, t.description)
	set(AttrStart, t.start)
	set(AttrEnd, t.end)
	set(AttrRootCause, t.rootCause)
	set(AttrResolution, t.resolution)
	set(AttrClosure, t.closed)

	if t.planned() {
		from, ok1 := instant("planned_start", t.start)
		to, ok2 := instant("planned_end", t.end)
		switch {
		case !ok1 || !ok2:
		case !to.After(from):
			refuse("planned_end", "does not lie behind planned_start; kept as a work order")
		default:
			e.ID, e.Kind = graph.ID(MaintenancePrefix+t.id), graph.KindMaintenance
			e.Valid = graph.Interval{From: from, To: to}
		}
	}
	return r.send(t, e, text, line)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// planned reports whether the ticket is planned work that has a window and was not
// called off.
func (t ticket) planned() bool {
	if t.start == "" || t.end == "" {
		return false
	}
	switch ingest.FoldColumn(t.status) {
	case "cancelled", "canceled", "rejected":
		return false
	}
	k := ingest.FoldColumn(t.kind)
	return slices.ContainsFunc([]string{"planned", "maintenance", "change"}, func(w string) bool { return strings.Contains(k, w) }) && !strings.Contains(k, "unplanned")
}

// noteMarks are the words that open a line of a work log which says what the fields
// of a ticket have no place for.
var noteMarks = []struct {
	prefix string
	field  func(*ticket) *string
}{
	{"root cause:", func(t *ticket) *string { return &t.rootCause }}, {"cause:", func(t *ticket) *string { return &t.rootCause }}, {"rfo:", func(t *ticket) *string { return &t.rootCause }},
	{"resolution:", func(t *ticket) *string { return &t.resolution }}, {"fix:", func(t *ticket) *string { return &t.resolution }}, {"action taken:", func(t *ticket) *string { return &t.resolution }},
	{"closure code:", func(t *ticket) *string { return &t.closed }},
}

// fromNotes fills root cause, resolution and closure code from marked lines of the
// notes, where no field stated them. The last note wins: it knows most.
func (t *ticket) fromNotes() {
	found := map[*string]string{}
	for _, n := range t.notes {
		for line := range strings.Lines(n.text) {
			line = strings.TrimSpace(line)
			for _, m := range noteMarks {
				if len(line) > len(m.prefix) && strings.EqualFold(line[:len(m.prefix)], m.prefix) {
					found[m.field(t)] = strings.TrimSpace(line[len(m.prefix):])
				}
			}
		}
	}
	for field, v := range found {
		*field = cmp.Or(*field, v)
	}
}

// text is what a person reads of the ticket.
func (t ticket) text() string {
	var b strings.Builder
	part := func(label, s string) {
		if s = strings.TrimSpace(s); s == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		if label != "" {
			b.WriteString(label + ": ")
		}
		b.WriteString(s)
	}
	part("", t.name)
	part("", t.description)
	part("Place", strings.Join(t.places, "; "))
	for _, n := range t.notes {
		part(strings.TrimSpace(n.date+" "+n.author), n.text)
	}
	part("Root cause", t.rootCause)
	part("Resolution", t.resolution)
	part("Closure code", t.closed)
	return b.String()
}

func (r *reader) send(t ticket, e graph.Entity, text string, line int) error {
	by := r.by(line)
	entity := func(e graph.Entity) {
		r.batch = append(r.batch, graph.Change{Op: graph.OpPut, At: r.o.At, By: by, Entity: &e})
	}
	relate := func(from graph.ID, typ graph.RelationType, to graph.ID, how string) {
		rel := graph.Relation{From: from, Type: typ, To: to, Attrs: map[string]string{"found": how}}
		r.batch = append(r.batch, graph.Change{Op: graph.OpPut, At: r.o.At, By: by, Relation: &rel})
	}
	affected := map[graph.ID]string{}
	if r.o.Resource != nil {
		ingest.Identifiers(text, func(tok string) {
			if id, ok := r.o.Resource(tok); ok {
				affected[id] = "text"
			}
		})
	}
	for _, name := range t.resources {
		id := graph.ID(name)
		if r.o.Resource != nil {
			if known, ok := r.o.Resource(name); ok {
				id = known
			}
		}
		affected[id] = "reference"
	}
	entity(e)
	for _, id := range sortedKeys(affected) {
		relate(e.ID, graph.Affects, id, affected[id])
	}
	if text != "" {
		p := graph.ID(PassagePrefix + r.o.Source + "#" + t.id)
		entity(graph.Entity{ID: p, Kind: graph.KindPassage, Name: cmp.Or(t.name, t.id), Attrs: map[string]string{AttrTitle: cmp.Or(t.name, t.id), AttrText: text, "anchor": t.id, "ordinal": "1"}})
		relate(p, graph.PartOf, e.ID, "ticket")
		if r.o.AlarmTypes != nil {
			for _, id := range r.o.AlarmTypes.FindIDs(text) {
				relate(p, graph.Mentions, graph.ID(rca.AlarmTypePrefix+id), "text")
			}
		}
	}
	if len(r.batch) >= batchSize {
		return r.flush()
	}
	return nil
}

func sortedKeys(m map[graph.ID]string) []graph.ID {
	out := make([]graph.ID, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Maintenance reads the planned work of a graph, by start, then id. Windows that the
// state selected by at does not show are left out.
func Maintenance(ctx context.Context, g graph.Reader, at graph.AsOf) ([]rca.Maintenance, error) {
	var out []rca.Maintenance
	for e, err := range g.Find(ctx, graph.Query{Kind: graph.KindMaintenance, AsOf: at}) {
		if err != nil {
			return nil, fmt.Errorf("read planned work: %w", err)
		}
		m := rca.Maintenance{ID: strings.TrimPrefix(string(e.ID), MaintenancePrefix), Name: e.Name, From: e.Valid.From, To: e.Valid.To}
		for r, err := range g.Relations(ctx, e.ID, graph.Filter{Types: []graph.RelationType{graph.Affects}, AsOf: at}) {
			if err != nil {
				return nil, fmt.Errorf("read planned work %s: %w", m.ID, err)
			}
			m.Resources = append(m.Resources, r.To)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b rca.Maintenance) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}
