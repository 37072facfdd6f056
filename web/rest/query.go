package rest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline/graph"
	"faultline/rca"
	"faultline/web"
)

// params reads a query string and gathers every fault in it.
type params struct {
	values url.Values
	used   map[string]bool
	faults []error
}

func query(r *http.Request) *params { return parse(r.URL.RawQuery) }

func parse(raw string) *params {
	p := &params{used: map[string]bool{}}
	var err error
	if p.values, err = url.ParseQuery(raw); err != nil {
		p.fault("query", "%s", err)
	}
	return p
}

func (p *params) fault(field, format string, args ...any) {
	p.faults = append(p.faults, web.FieldError{Field: field, Reason: fmt.Sprintf(format, args...)})
}

// done returns every fault, unknown parameters included.
func (p *params) done() error {
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		if !p.used[name] {
			p.fault(name, "no such parameter here")
		}
	}
	return errors.Join(p.faults...)
}

// text is a parameter that may come once.
func (p *params) text(name string) string {
	p.used[name] = true
	v := p.values[name]
	if len(v) > 1 {
		p.fault(name, "given %d times", len(v))
	}
	return strings.TrimSpace(p.values.Get(name))
}

func (p *params) required(name string) string {
	v := p.text(name)
	if v == "" {
		p.fault(name, "missing")
	}
	return v
}

// oneOf is a parameter with a fixed choice, or "".
func (p *params) oneOf(name string, choice ...string) string {
	v := p.text(name)
	if v != "" && !slices.Contains(choice, v) {
		p.fault(name, "%q is none of %s", v, strings.Join(choice, ", "))
	}
	return v
}

// list is a parameter with values separated by commas, or given several times.
func (p *params) list(name string) []string {
	p.used[name] = true
	var out []string
	for _, v := range p.values[name] {
		for one := range strings.SplitSeq(v, ",") {
			if one = strings.TrimSpace(one); one != "" {
				out = append(out, one)
			}
		}
	}
	return out
}

func (p *params) severities(name string) []rca.Severity {
	var out []rca.Severity
	for _, v := range p.list(name) {
		var s rca.Severity
		if err := s.UnmarshalText([]byte(v)); err != nil {
			p.fault(name, "%q is no severity of RFC 8632", v)
			continue
		}
		out = append(out, s)
	}
	return out
}

func (p *params) time(name string) time.Time {
	v := p.text(name)
	if v == "" {
		return time.Time{}
	}
	// A "+" that was not escaped arrives as a space.
	t, err := time.Parse(time.RFC3339, strings.Replace(v, " ", "+", 1))
	if err != nil {
		p.fault(name, "%q is no RFC 3339 time, for example 2026-03-01T08:00:00Z", v)
	}
	return t.UTC()
}

// span reads from and to.
func (p *params) span() graph.Interval {
	i := graph.Interval{From: p.time("from"), To: p.time("to")}
	if !i.From.IsZero() && !i.To.IsZero() && !i.From.Before(i.To) {
		p.fault("to", "not after from")
	}
	return i
}

// asOf reads the two clocks of the graph.
func (p *params) asOf() graph.AsOf {
	return graph.AsOf{Valid: p.time("valid_at"), Recorded: p.time("known_at")}
}

func (p *params) limit(otherwise, most int) int {
	v := p.text("limit")
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		p.fault("limit", "%q is no number from 1 to %d", v, most)
		return otherwise
	}
	return n
}

// place is where an item stands in a list that has the latest time first, then the
// smallest id.
type place struct {
	at time.Time
	id string
}

func (p place) compare(o place) int { return cmp.Or(o.at.Compare(p.at), cmp.Compare(p.id, o.id)) }

func (p place) cursor() string { return encodeCursor(p.at.UTC().Format(time.RFC3339Nano), p.id) }

func (p *params) after() *place {
	parts := p.cursor(2)
	if parts == nil {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, parts[0])
	if err != nil {
		p.fault("cursor", "not one that this list gave out")
		return nil
	}
	return &place{t, parts[1]}
}

func encodeCursor(parts ...string) string {
	b, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings always encode
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// cursor reads a cursor of n parts; nil when there is none.
func (p *params) cursor(n int) []string {
	v := p.text("cursor")
	if v == "" {
		return nil
	}
	var parts []string
	b, err := base64.RawURLEncoding.DecodeString(v)
	if err == nil {
		err = json.Unmarshal(b, &parts)
	}
	if err != nil || len(parts) != n {
		p.fault("cursor", "not one that this list gave out")
		return nil
	}
	return parts
}

// decode reads a JSON object into v; fields that v has not are faults.
func decode(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); more == io.EOF {
			return nil
		}
		return web.FieldError{Field: "body", Reason: "more than one JSON value"}
	}
	var typ *json.UnmarshalTypeError
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return fmt.Errorf("read body: %w", err)
	case errors.As(err, &typ) && typ.Field != "":
		return web.FieldError{Field: typ.Field, Reason: "a " + typ.Value + " cannot stand here"}
	case err == io.EOF:
		return web.FieldError{Field: "body", Reason: "empty"}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return web.FieldError{Field: strings.Trim(name, `"`), Reason: "no such field here"}
	}
	return web.FieldError{Field: "body", Reason: "not the JSON that is expected: " + err.Error()}
}
