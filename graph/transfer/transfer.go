// Package transfer copies a whole graph from one store to another, or to a file and
// back, without loss: every contribution with its provenance and both its clocks,
// retracted ones included, the identifiers of applied changes, and the journal.
//
// The file is JSON Lines in an order that depends on the content alone, so two stores
// hold the same when their files are equal byte by byte. The first line is a Header; then
// come changes, contributions and records, one Line each; the last line counts them, so
// that a file that was cut off is noticed.
package transfer

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"faultline/graph"
)

// Format and Version are what the first line of a file says.
const (
	Format  = "faultline-graph"
	Version = 1
)

// Header is the first line.
type Header struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
}

// Line is any line but the first. Exactly one field is set.
type Line struct {
	Change       *string             `json:"change,omitempty"` // identifier of a change that was applied
	Contribution *graph.Contribution `json:"contribution,omitempty"`
	Record       *Record             `json:"record,omitempty"`
	End          *Counts             `json:"end,omitempty"`
}

// Record is an entry of the journal.
type Record struct {
	Stream string    `json:"stream"`
	ID     string    `json:"id"`
	Source string    `json:"source,omitempty"`
	At     time.Time `json:"at"`
	Data   []byte    `json:"data,omitempty"`
}

// Counts says how much there is of each.
type Counts struct {
	Changes       int `json:"changes"`
	Contributions int `json:"contributions"`
	Records       int `json:"records"`
}

// Export writes everything that a store keeps. The store must be a graph.Archive. What is
// applied meanwhile may be in the file without its change identifier, which does no harm:
// applied again it says the same again.
func Export(ctx context.Context, s graph.Store, w io.Writer) (Counts, error) {
	var n Counts
	a, ok := s.(graph.Archive)
	if !ok {
		return n, fmt.Errorf("export: a %T cannot show all it keeps: %w", s, graph.ErrInvalid)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := export(ctx, s, a, e, &n); err != nil {
		return n, fmt.Errorf("export: %w", err)
	}
	if err := out.Flush(); err != nil {
		return n, fmt.Errorf("export: write: %w", err)
	}
	return n, nil
}

func export(ctx context.Context, s graph.Store, a graph.Archive, e *json.Encoder, n *Counts) error {
	write := func(what string, v any, texts ...string) error {
		for _, t := range texts {
			if !utf8.ValidString(t) { // would be changed
				return fmt.Errorf("write %s: %q is not UTF-8: %w", what, t, graph.ErrInvalid)
			}
		}
		if err := e.Encode(v); err != nil {
			return fmt.Errorf("write %s: %w", what, err)
		}
		return nil
	}
	if err := write("header", Header{Format, Version}); err != nil {
		return err
	}
	for id, err := range a.ChangeIDs(ctx) {
		if err != nil {
			return err
		}
		n.Changes++
		if err := write("change "+id, Line{Change: &id}, id); err != nil {
			return err
		}
	}
	for c, err := range a.Contributions(ctx) {
		if err != nil {
			return err
		}
		n.Contributions++
		if err := write("what "+c.Source+" said of "+name(&c), Line{Contribution: &c}, texts(&c)...); err != nil {
			return err
		}
	}
	streams, err := a.Streams(ctx)
	if err != nil {
		return err
	}
	for _, stream := range streams {
		j, ok := s.(graph.Journal)
		if !ok {
			return fmt.Errorf("a %T has streams and no journal: %w", s, graph.ErrInvalid)
		}
		for r, err := range j.Records(ctx, stream, graph.Interval{}) {
			if err != nil {
				return err
			}
			n.Records++
			if err := write("record "+r.ID, Line{Record: &Record{r.Stream, r.ID, r.Source, r.At, r.Data}}, r.Stream, r.ID, r.Source); err != nil {
				return err
			}
		}
	}
	return write("end", Line{End: n})
}

// name says which element a contribution is about.
func name(c *graph.Contribution) string {
	if c.Entity != nil {
		return string(c.Entity.ID)
	}
	return c.Relation.Key().String()
}

// texts are all texts of a contribution.
func texts(c *graph.Contribution) []string {
	out := []string{c.Source, c.Version, c.Rule, c.Span}
	var attrs map[string]string
	if e := c.Entity; e != nil {
		out, attrs = append(out, string(e.ID), string(e.Kind), e.Role, e.Name, e.Domain), e.Attrs
	}
	if r := c.Relation; r != nil {
		out, attrs = append(out, string(r.From), string(r.Type), string(r.To), r.Qualifier), r.Attrs
	}
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		out = append(out, k, attrs[k])
	}
	return out
}

// batchSize is how many changes or records are applied at once.
const batchSize = 5000

// Import fills an empty store with what Export wrote. It applies batches: when it fails,
// the store holds a part and is best thrown away. An error names the line.
func Import(ctx context.Context, s graph.Store, r io.Reader) (Counts, error) {
	in := &importer{s: s}
	if err := in.run(ctx, r); err != nil {
		return in.done, fmt.Errorf("import: %w", err)
	}
	return in.done, nil
}

// importer turns lines into batches.
type importer struct {
	s       graph.Store
	done    Counts
	ended   bool
	changes []graph.Change
	element string               // whose contributions are being gathered
	said    []graph.Contribution // of one element, in order of the file
	records []graph.Record
}

func (in *importer) run(ctx context.Context, r io.Reader) error {
	if err := empty(ctx, in.s); err != nil {
		return err
	}
	lines := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		text, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read line %d: %w", n, err)
		}
		if text == "" {
			break
		}
		if n == 1 {
			err = header(text)
		} else {
			err = in.line(ctx, text)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if !in.ended {
		return fmt.Errorf("the file has no end: it was cut off: %w", graph.ErrInvalid)
	}
	return nil
}

// empty refuses a store that holds something, which an import would mix up.
func empty(ctx context.Context, s graph.Store) error {
	a, ok := s.(graph.Archive)
	if !ok {
		return fmt.Errorf("a %T cannot show that it is empty: %w", s, graph.ErrInvalid)
	}
	full := fmt.Errorf("the store is not empty: %w", graph.ErrInvalid)
	for _, err := range a.Contributions(ctx) {
		return cmp.Or(err, full)
	}
	for _, err := range a.ChangeIDs(ctx) {
		return cmp.Or(err, full)
	}
	streams, err := a.Streams(ctx)
	if err == nil && len(streams) > 0 {
		err = full
	}
	return err
}

func header(text string) error {
	var h Header
	if err := strictly(text, &h); err != nil {
		return err
	}
	if h.Format != Format || h.Version != Version {
		return fmt.Errorf("header: %s version %d, want %s version %d: %w", h.Format, h.Version, Format, Version, graph.ErrInvalid)
	}
	return nil
}

func strictly(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", err, graph.ErrInvalid)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more than one value: %w", graph.ErrInvalid)
	}
	return nil
}

func (in *importer) line(ctx context.Context, text string) error {
	if in.ended {
		return fmt.Errorf("there is more after the end: %w", graph.ErrInvalid)
	}
	var l Line
	if err := strictly(text, &l); err != nil {
		return err
	}
	set := 0
	for _, is := range []bool{l.Change != nil, l.Contribution != nil, l.Record != nil, l.End != nil} {
		if is {
			set++
		}
	}
	switch {
	case set != 1:
		return fmt.Errorf("%d of change, contribution, record and end, want one: %w", set, graph.ErrInvalid)
	case l.Change != nil:
		if *l.Change == "" {
			return fmt.Errorf("change: missing: %w", graph.ErrInvalid)
		}
		in.done.Changes++
		in.changes = append(in.changes, remembered(*l.Change))
	case l.Contribution != nil:
		if err := in.contribution(l.Contribution); err != nil {
			return err
		}
	case l.Record != nil:
		r := graph.Record(*l.Record)
		if err := r.Validate(); err != nil {
			return err
		}
		in.done.Records++
		in.records = append(in.records, r)
	default:
		if err := in.settle(); err != nil {
			return err
		}
		if in.done != *l.End {
			return fmt.Errorf("end: the file holds %+v, its end says %+v: %w", in.done, *l.End, graph.ErrInvalid)
		}
		in.ended = true
	}
	if in.ended || len(in.changes) >= batchSize {
		if err := in.s.Apply(ctx, in.changes); err != nil {
			return err
		}
		in.changes = in.changes[:0]
	}
	if len(in.records) > 0 && (in.ended || len(in.records) >= batchSize) {
		j, ok := in.s.(graph.Journal)
		if !ok {
			return fmt.Errorf("record: a %T has no journal: %w", in.s, graph.ErrInvalid)
		}
		if err := j.Append(ctx, in.records); err != nil {
			return err
		}
		in.records = in.records[:0]
	}
	return nil
}

// remembered is a change that makes a store remember an identifier and does nothing
// else: it withdraws what nobody said.
func remembered(id string) graph.Change {
	return graph.Change{
		ID: id, Op: graph.OpRetract, At: time.Unix(0, 0).UTC(), By: graph.Provenance{Source: Format},
		Relation: &graph.Relation{From: Format, Type: Format, To: Format},
	}
}

func (in *importer) contribution(c *graph.Contribution) error {
	for _, change := range said(c) {
		if err := change.Validate(); err != nil {
			return err
		}
	}
	in.done.Contributions++
	if n := name(c); n != in.element {
		if err := in.settle(); err != nil {
			return err
		}
		in.element = n
	}
	in.said = append(in.said, *c)
	return nil
}

// settle turns the contributions to one element into changes. A source has one living
// statement at most, and a new one ends the one before: those that ended come first,
// whatever their times, each with its end.
func (in *importer) settle() error {
	living := map[string]bool{}
	for i := range in.said {
		if c := &in.said[i]; !c.Retracted.IsZero() {
			in.changes = append(in.changes, said(c)...)
		}
	}
	for i := range in.said {
		if c := &in.said[i]; c.Retracted.IsZero() {
			if living[c.Source] {
				return fmt.Errorf("contribution: %s has two living statements on %s: %w", c.Source, in.element, graph.ErrInvalid)
			}
			living[c.Source] = true
			in.changes = append(in.changes, said(c)...)
		}
	}
	in.said = in.said[:0]
	return nil
}

// said makes the changes that lead to a contribution.
func said(c *graph.Contribution) []graph.Change {
	put := graph.Change{Op: graph.OpPut, At: c.Recorded, By: c.Provenance, Entity: c.Entity, Relation: c.Relation}
	if c.Retracted.IsZero() {
		return []graph.Change{put}
	}
	end := put
	end.Op, end.At = graph.OpRetract, c.Retracted
	return []graph.Change{put, end}
}
