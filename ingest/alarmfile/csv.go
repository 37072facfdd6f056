package alarmfile

import (
	"context"
	"io"
	"strings"

	"faultline/ingest"
)

// ReadCSV reads a CSV table. It returns the mapping that it used, guesses included,
// so that a user can check it. A row with a raise and a clear time gives two
// records; when the clear lies before the raise, the raise is kept and only the
// clear is rejected. Columns that are not mapped are kept in Original.
func ReadCSV(ctx context.Context, r io.Reader, o Options, emit func(ingest.Raw) error, reject func(ingest.Reject)) (Mapping, ingest.Counts, error) {
	var n ingest.Counts
	if err := o.validate(); err != nil {
		return o.Mapping, n, err
	}
	in, err := ingest.NewInput(ctx, r, o.Options)
	if err != nil {
		return o.Mapping, n, err
	}
	rows, err := ingest.NewRows(in)
	if err != nil {
		return o.Mapping, n, err
	}
	m, err := o.Mapping.complete(rows.Header())
	if err != nil {
		return m, n, err
	}
	t := newTable(m, rows.Header(), o)
	err = ingest.Each(rows.Next, &n, reject, func(row ingest.Row) error {
		raws, faults := t.records(row)
		return handOn(raws, faults, &n, emit, reject)
	})
	return m, n, err
}

// handOn counts one record and hands on what it gave.
func handOn(raws []ingest.Raw, faults []ingest.Reject, n *ingest.Counts, emit func(ingest.Raw) error, reject func(ingest.Reject)) error {
	n.Records++
	for _, f := range faults {
		n.Rejected++
		reject(f)
	}
	for _, raw := range raws {
		if err := emit(raw); err != nil {
			return err
		}
		n.Emitted++
	}
	return nil
}

// table knows where each mapped field stands.
type table struct {
	o      Options
	m      Mapping
	header []string
	at     map[string]int
	rest   []int // columns that are kept in Original
}

func newTable(m Mapping, header []string, o Options) table {
	t := table{o: o, m: m, header: header, at: map[string]int{}}
	mapped := map[int]bool{}
	for _, f := range fields {
		for i, h := range header {
			if c := *f.column(&m); c != "" && c == h {
				t.at[f.name] = i
				mapped[i] = true
				break
			}
		}
	}
	for i := range header {
		if !mapped[i] {
			t.rest = append(t.rest, i)
		}
	}
	return t
}

func (t *table) records(row ingest.Row) (raws []ingest.Raw, faults []ingest.Reject) {
	get := func(field string) string {
		i, ok := t.at[field]
		if !ok {
			return ""
		}
		v := strings.TrimSpace(row.Fields[i])
		if v == "" {
			return ""
		}
		return t.m.Prefix[field] + v
	}
	column := func(field string) string { return *fieldNamed(field).column(&t.m) }
	fault := func(field, reason string) {
		faults = append(faults, ingest.Reject{File: t.o.File, Line: row.Line, Field: column(field), Reason: reason, Row: row.Text})
	}
	for _, f := range []string{"resource", "type"} {
		if get(f) == "" {
			fault(f, "missing")
		}
	}
	raised, err := ingest.ParseTime(get("time"), t.o.Location)
	if err != nil {
		fault("time", reason(err))
	}
	if len(faults) > 0 {
		return nil, faults
	}
	raw := ingest.Raw{
		Source: t.o.Source, Line: row.Line, Row: row.Text, Time: raised, Resource: get("resource"), Part: get("part"), Type: get("type"),
		SpecificProblem: get("problem"), Qualifier: get("qualifier"), Severity: get("severity"), Scale: t.o.Scale, ID: get("id"),
		ProbableCause: get("cause"), EventType: get("eventtype"), Text: get("text"),
	}
	if raw.Severity == "" {
		raw.Severity = t.o.Severity
	}
	if clears(t.o.Scale, raw.Severity) {
		raw.Cleared = true
	}
	if s := get("state"); clearWords[ingest.FoldColumn(s)] {
		raw.Cleared = true
	}
	raw.Original = original(len(t.rest))
	for _, i := range t.rest {
		if v := row.Fields[i]; v != "" {
			raw.Original[t.header[i]] = v
		}
	}
	if s := get("state"); s != "" {
		raw.Original[column("state")] = s
	}
	end := get("clear")
	if end == "" {
		if raw.Cleared {
			raw.ID = suffixed(raw.ID, "/cleared")
		}
		return []ingest.Raw{raw}, nil
	}
	clear := raw
	clear.Cleared = true
	clear.ID = suffixed(raw.ID, "/cleared")
	if raw.Cleared { // the row states the alarm's last state, not that of its raise
		raw.Cleared = false
		if clears(t.o.Scale, raw.Severity) {
			raw.Severity = "indeterminate"
		}
	}
	raws = append(raws, raw)
	clear.Time, err = ingest.ParseTime(end, t.o.Location)
	switch {
	case err != nil:
		fault("clear", reason(err)+"; the raise is kept")
	case clear.Time.Before(raised):
		fault("clear", "lies before the raise; the raise is kept")
	default:
		raws = append(raws, clear)
	}
	return raws, faults
}
