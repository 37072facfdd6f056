package neo4j

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"faultline/graph"
)

// Recorded times are kept as nanoseconds in 64 bits: the server refuses the local zone
// and knows no zero time.
var (
	firstTime = time.Unix(0, math.MinInt64)
	lastTime  = time.Unix(0, math.MaxInt64)
)

func checkTime(t time.Time) error {
	if t.Before(firstTime) || t.After(lastTime) {
		return fmt.Errorf("at: %s is not between the years 1678 and 2262: %w", t.UTC().Format(time.RFC3339), graph.ErrInvalid)
	}
	return nil
}

func nanos(t time.Time) int64 {
	switch {
	case t.Before(firstTime):
		return math.MinInt64
	case t.After(lastTime):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// checkKey refuses what the server cannot keep as a key without change.
func checkKey(field, s string) error {
	if len(s) > MaxKey {
		return fmt.Errorf("%s: longer than %d bytes: %w", field, MaxKey, graph.ErrInvalid)
	}
	return checkText(field, s)
}

func checkText(field, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s: not UTF-8: %w", field, graph.ErrInvalid)
	}
	return nil
}

// check reports the first field of a change that passed Validate and that the server
// could not keep.
func check(c *graph.Change) error {
	errs := []error{checkTime(c.At), checkKey("id", c.ID), checkKey("source", c.By.Source), checkText("version", c.By.Version),
		checkText("rule", c.By.Rule), checkText("span", c.By.Span)}
	var attrs map[string]string
	if e := c.Entity; e != nil {
		errs = append(errs, checkKey("entity.id", string(e.ID)), checkKey("entity.kind", string(e.Kind)), checkText("entity.role", e.Role),
			checkText("entity.name", e.Name), checkText("entity.domain", e.Domain))
		attrs = e.Attrs
	}
	if r := c.Relation; r != nil {
		errs = append(errs, checkKey("relation.from", string(r.From)), checkKey("relation.to", string(r.To)),
			checkText("relation.type", string(r.Type)), checkText("relation.qualifier", r.Qualifier))
		attrs = r.Attrs
	}
	for _, k := range slices.Sorted(maps.Keys(attrs)) {
		errs = append(errs, checkText(fmt.Sprintf("attribute %q", k), k), checkText(fmt.Sprintf("attribute %q", k), attrs[k]))
	}
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("change %q: %w", c.ID, err)
		}
	}
	return nil
}

// encode makes the properties of what one change puts. Properties hold neither maps nor
// nulls: attributes become two lists, and what is not stated is left out.
func encode(c *graph.Change) map[string]any {
	p := map[string]any{"source": c.By.Source, "recorded": c.At.UnixNano()}
	set := func(name, v string) {
		if v != "" {
			p[name] = v
		}
	}
	set("version", c.By.Version)
	set("rule", c.By.Rule)
	set("span", c.By.Span)
	if c.By.Confidence != 0 {
		p["confidence"] = c.By.Confidence
	}
	var attrs map[string]string
	var valid graph.Interval
	if e := c.Entity; e != nil {
		p["kind"] = string(e.Kind)
		set("role", e.Role)
		set("name", e.Name)
		set("domain", e.Domain)
		p["text"] = searchText(e.ID, e.Name)
		attrs, valid = e.Attrs, e.Valid
	} else {
		p["type"], p["qualifier"] = string(c.Relation.Type), c.Relation.Qualifier
		attrs, valid = c.Relation.Attrs, c.Relation.Valid
	}
	for name, t := range map[string]time.Time{"valid_from": valid.From, "valid_to": valid.To} {
		if !t.IsZero() {
			p[name] = []int64{t.Unix(), int64(t.Nanosecond())}
		}
	}
	if len(attrs) > 0 {
		keys := slices.Sorted(maps.Keys(attrs))
		values := make([]string, len(keys))
		for i, k := range keys {
			values[i] = attrs[k]
		}
		p["attr_keys"], p["attr_values"] = keys, values
	}
	return p
}

// searchText is what Query.Text is looked for in; no text holds the separator and spans
// both parts, as a text with one is looked for in neither.
func searchText(id graph.ID, name string) string {
	return strings.ToLower(string(id)) + "\n" + strings.ToLower(name)
}

var errMalformed = errors.New("malformed")

// fields reads columns of a record or properties of a statement and keeps the first
// that is not what it should be.
type fields struct {
	m   map[string]any
	err error
}

func field[T any](f *fields, name string, required bool) T {
	raw, ok := f.m[name]
	v, fits := raw.(T)
	if (ok && raw != nil && !fits || required && !fits) && f.err == nil {
		f.err = fmt.Errorf("%s: %T: %w", name, raw, errMalformed)
	}
	return v
}

// list reads a list whose members have one type; lists come as []any.
func list[T any](f *fields, name string) []T {
	raw := field[[]any](f, name, false)
	if raw == nil {
		return nil
	}
	out := make([]T, len(raw))
	for i := range raw {
		v, ok := raw[i].(T)
		if !ok && f.err == nil {
			f.err = fmt.Errorf("%s: %T in the list: %w", name, raw[i], errMalformed)
		}
		out[i] = v
	}
	return out
}

func (f *fields) time(name string) time.Time {
	v := list[int64](f, name)
	if v == nil {
		return time.Time{}
	}
	if len(v) != 2 {
		if f.err == nil {
			f.err = fmt.Errorf("%s: %d parts: %w", name, len(v), errMalformed)
		}
		return time.Time{}
	}
	return time.Unix(v[0], v[1]).UTC()
}

// said is one statement as it was in one batch.
type said struct {
	graph.Contribution
	number int64 // statements are numbered in the order in which they were made
}

// decode is the inverse of encode. k names the element: an entity by From alone.
func decode(k graph.RelationKey, m map[string]any, at int64) (said, error) {
	f := &fields{m: m}
	s := said{number: field[int64](f, "number", true)}
	s.Provenance = graph.Provenance{
		Source: field[string](f, "source", true), Version: field[string](f, "version", false), Rule: field[string](f, "rule", false),
		Span: field[string](f, "span", false), Confidence: field[float64](f, "confidence", false),
	}
	s.Recorded = time.Unix(0, field[int64](f, "recorded", true)).UTC()
	if until := field[int64](f, "until", false); until != 0 && until <= at {
		s.Retracted = time.Unix(0, field[int64](f, "retracted", true)).UTC()
	}
	valid := graph.Interval{From: f.time("valid_from"), To: f.time("valid_to")}
	var attrs map[string]string
	keys, values := list[string](f, "attr_keys"), list[string](f, "attr_values")
	if len(keys) != len(values) && f.err == nil {
		f.err = fmt.Errorf("attr_values: %d for %d keys: %w", len(values), len(keys), errMalformed)
	} else if len(keys) > 0 && f.err == nil {
		attrs = make(map[string]string, len(keys))
		for i, k := range keys {
			attrs[k] = values[i]
		}
	}
	if k.Type == "" {
		s.Entity = &graph.Entity{
			ID: k.From, Kind: graph.Kind(field[string](f, "kind", true)), Role: field[string](f, "role", false),
			Name: field[string](f, "name", false), Domain: field[string](f, "domain", false), Attrs: attrs, Valid: valid,
		}
	} else {
		s.Relation = &graph.Relation{From: k.From, Type: k.Type, To: k.To, Qualifier: k.Qualifier, Attrs: attrs, Valid: valid}
	}
	if f.err != nil {
		return said{}, fmt.Errorf("statement on %s: %w", k, f.err)
	}
	return s, nil
}

// ledger sorts what was said of one element as graph.Ledger wants it.
func ledger(all []said) []graph.Contribution {
	slices.SortFunc(all, func(a, b said) int {
		return cmp.Or(a.Recorded.Compare(b.Recorded), cmp.Compare(a.Source, b.Source), cmp.Compare(a.number, b.number))
	})
	cs := make([]graph.Contribution, len(all))
	for i := range all {
		cs[i] = all[i].Contribution
	}
	return cs
}
