// Package alarmfile reads alarms from files: JSON Lines in Faultline's own keys or
// in those of TMF642, and CSV with any columns, told which is which by a Mapping.
package alarmfile

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"faultline/ingest"
	"faultline/rca"
)

// Options of the readers.
type Options struct {
	ingest.Options
	Scale    rca.SeverityScale // of the severity spellings; default any, TMF642 for records in its spelling
	Location *time.Location    // of times without a zone; default UTC
	Mapping  Mapping           // of CSV columns; columns left empty are guessed from the header
	Severity string            // for records that state none; default left to the normalizer
}

func (o *Options) validate() error {
	if o.Scale != "" && !o.Scale.Known() {
		return fmt.Errorf("alarm file options: Scale %q is unknown: %w", o.Scale, rca.ErrInvalid)
	}
	if o.Severity != "" {
		if _, err := cmp.Or(o.Scale, rca.ScaleAny).Parse(o.Severity); err != nil {
			return fmt.Errorf("alarm file options: Severity: %w", err)
		}
	}
	return o.Options.Validate()
}

// Mapping names the CSV column of each field; empty means none.
type Mapping struct {
	Time, Clear, Resource, Part, Type, SpecificProblem, Qualifier, Severity, State, ID, Cause, EventType, Text string

	Prefix map[string]string // by field name: put before each value of that field, for example "dev-"
}

// field is one entry of a mapping: its name in the string form and the header names
// that it is guessed from, best first.
type field struct {
	name    string
	column  func(*Mapping) *string
	guesses string
}

var fields = []field{
	{"time", func(m *Mapping) *string { return &m.Time }, "time timestamp starttimestamp alarmraisedtime raisedtime raisetime raised starttime firstoccurrence eventtime occurtime occurrencetime createtime startsat start date datetime"},
	{"clear", func(m *Mapping) *string { return &m.Clear }, "endtimestamp alarmclearedtime clearedtime cleartime cleared endtime endsat end"},
	{"resource", func(m *Mapping) *string { return &m.Resource }, "resource alarmedobject alarmedobjectid managedobject objectinstance resourceid deviceid device neid nename ne node host hostname element object sourcename instance"},
	{"part", func(m *Mapping) *string { return &m.Part }, "part alarminterfacea interface port"},
	{"type", func(m *Mapping) *string { return &m.Type }, "type alarmtypeid alarmtype alarmname alarmcode alarm alarmid alarmcondition alertname event code"},
	{"problem", func(m *Mapping) *string { return &m.SpecificProblem }, "specificproblem problem"},
	{"qualifier", func(m *Mapping) *string { return &m.Qualifier }, "qualifier alarmtypequalifier"},
	{"severity", func(m *Mapping) *string { return &m.Severity }, "severity perceivedseverity eventseverity alarmseverity level priority"},
	{"state", func(m *Mapping) *string { return &m.State }, "state status alarmstate alarmstatus"},
	{"id", func(m *Mapping) *string { return &m.ID }, "id notificationid externalalarmid alarmserial serial sequence eventid"},
	{"cause", func(m *Mapping) *string { return &m.Cause }, "probablecause cause"},
	{"eventtype", func(m *Mapping) *string { return &m.EventType }, "eventtype x733eventtype category"},
	{"text", func(m *Mapping) *string { return &m.Text }, "text additionaltext alarmtext alarmdetails description message summary details"},
}

// ParseMapping reads "time=start_timestamp,clear=end_timestamp,resource=device_id,
// type=alarm_id,prefix.resource=dev-". Fields are time, clear, resource, part, type,
// problem, qualifier, severity, state, id, cause, eventtype and text.
func ParseMapping(s string) (Mapping, error) {
	var m Mapping
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, column, ok := strings.Cut(part, "=")
		name, column = strings.TrimSpace(name), strings.TrimSpace(column)
		if !ok || column == "" {
			return m, fmt.Errorf("column mapping %q: want field=column: %w", part, rca.ErrInvalid)
		}
		of, isPrefix := strings.CutPrefix(name, "prefix.")
		f := fieldNamed(of)
		switch {
		case f == nil:
			return m, fmt.Errorf("column mapping %q: no field %q; fields are %s: %w", part, of, fieldNames(), rca.ErrInvalid)
		case isPrefix:
			if m.Prefix == nil {
				m.Prefix = map[string]string{}
			}
			m.Prefix[of] = column
		case *f.column(&m) != "":
			return m, fmt.Errorf("column mapping %q: field %s is mapped twice: %w", part, of, rca.ErrInvalid)
		default:
			*f.column(&m) = column
		}
	}
	return m, nil
}

// String is the form that ParseMapping reads, in the order of its documentation.
func (m Mapping) String() string {
	var parts []string
	for _, f := range fields {
		if c := *f.column(&m); c != "" {
			parts = append(parts, f.name+"="+c)
		}
	}
	for _, f := range fields {
		if p := m.Prefix[f.name]; p != "" {
			parts = append(parts, "prefix."+f.name+"="+p)
		}
	}
	return strings.Join(parts, ",")
}

// complete guesses from the header what the mapping leaves open. Columns that are
// mapped already are not used twice; Time, Resource and Type must be found.
func (m Mapping) complete(header []string) (Mapping, error) {
	byName := map[string]string{}
	for i := len(header) - 1; i >= 0; i-- {
		byName[ingest.FoldColumn(header[i])] = header[i]
	}
	used := map[string]bool{}
	for _, f := range fields {
		c := f.column(&m)
		if *c == "" {
			continue
		}
		real, ok := byName[ingest.FoldColumn(*c)]
		if !ok {
			return m, fmt.Errorf("column mapping: %s=%s: no such column; the header has %s: %w", f.name, *c, strings.Join(header, ", "), rca.ErrInvalid)
		}
		*c = real
		used[real] = true
	}
	for _, f := range fields {
		c := f.column(&m)
		for g := range strings.FieldsSeq(f.guesses) {
			if real := byName[g]; *c == "" && real != "" && !used[real] {
				*c = real
				used[real] = true
			}
		}
	}
	for _, f := range fields {
		if *f.column(&m) == "" && (f.name == "time" || f.name == "resource" || f.name == "type") {
			return m, fmt.Errorf("column mapping: no column for %s; the header has %s: %w", f.name, strings.Join(header, ", "), rca.ErrInvalid)
		}
	}
	return m, nil
}

func fieldNamed(name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

func fieldNames() string {
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

// suffixed makes the event id of a clear from the id of its alarm. Files often give
// raise and clear one id; as events they are two. An id that has the suffix already
// keeps it, so that events read back from an export stay the same.
func suffixed(id, suffix string) string {
	if id == "" || strings.HasSuffix(id, suffix) {
		return id
	}
	return id + suffix
}

// clearWords are the values of a state column, folded, that mean a clear.
var clearWords = map[string]bool{
	"clear": true, "cleared": true, "resolved": true, "closed": true, "ended": true, "end": true, "off": true, "inactive": true, "normal": true, "ok": true, "recovered": true,
}
