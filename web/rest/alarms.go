package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"faultline/graph"
	"faultline/rca"
	"faultline/web"
)

// AlarmFilter narrows a list of alarms. Zero fields do not filter.
type AlarmFilter struct {
	Now      time.Time // what "active" refers to
	Status   string
	Resource graph.ID
	Type     string
	Severity []rca.Severity
	Span     graph.Interval // of the raise
	Text     string         // lower case; in the type, the resource, or the reporter's words
}

// Match reports whether an alarm passes.
func (f AlarmFilter) Match(a rca.Alarm) bool {
	return (f.Status == "" || (f.Status == StatusActive) == a.Active(f.Now)) &&
		(f.Resource == "" || f.Resource == a.Resource) && (f.Type == "" || f.Type == a.Type) &&
		(len(f.Severity) == 0 || slices.Contains(f.Severity, a.Severity)) && f.Span.Contains(a.Raised) &&
		(f.Text == "" || containsFold(f.Text, a.Type, string(a.Resource), a.Text, a.RawType))
}

// alarmItem is an alarm in a list.
type alarmItem struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	rca.Alarm
}

// Reject is one input that was not taken, and why.
type Reject struct {
	Line   int    `json:"line"` // from 1; of a JSON array the element
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

// Report is what became of a batch.
type Report struct {
	Accepted int
	Ignored  int // understood, but no alarms
	Rejected []Reject
}

// reportBody is a Report on the wire.
type reportBody struct {
	Accepted int      `json:"accepted"`
	Ignored  int      `json:"ignored"`
	Rejected int      `json:"rejected"`
	Rejects  []Reject `json:"rejects"` // the first maxRejects
}

const maxRejects = 1000

func (s *Service) alarmRoutes() []route {
	return []route{
		{http.MethodGet, base + "/alarms", s.listAlarms},
		{http.MethodPost, base + "/alarms", s.postAlarms},
	}
}

func alarmFilter(p *params, now time.Time) AlarmFilter {
	return AlarmFilter{
		Now: now, Status: p.oneOf("status", StatusActive, StatusCleared), Resource: graph.ID(p.text("resource")), Type: p.text("type"),
		Severity: p.severities("severity"), Span: p.span(), Text: strings.ToLower(p.text("q")),
	}
}

func (s *Service) listAlarms(w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	f, after, limit := alarmFilter(p, s.o.Now()), p.after(), p.limit(100, 1000)
	if err := p.done(); err != nil {
		return err
	}
	// Joined by a byte that sorts first, the parts compare as AlarmKey.Compare does.
	placeOf := func(a rca.Alarm) place {
		return place{a.Raised, string(a.Resource) + "\x00" + a.Type + "\x00" + a.Qualifier}
	}
	found, next, err := pageOf(s.o.Alarms.Alarms(r.Context(), f), f.Match, placeOf, after, limit)
	if err != nil {
		return fmt.Errorf("list alarms: %w", err)
	}
	out := page[alarmItem]{Items: []alarmItem{}, Next: next}
	for _, a := range found {
		status := StatusCleared
		if a.Active(f.Now) {
			status = StatusActive
		}
		out.Items = append(out.Items, alarmItem{a.ID(), status, wireAlarm(a)})
	}
	web.JSON(w, r, http.StatusOK, out)
	return nil
}

// postAlarms takes a batch. Answers: 200 when all was taken, 207 when a part was,
// 400 when nothing was.
func (s *Service) postAlarms(w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	source := p.text("source")
	if err := p.done(); err != nil {
		return err
	}
	if source == "" {
		source = "rest"
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	lines, broken := toLines(body)
	if len(lines) == 0 && broken == nil {
		return web.FieldError{Field: "body", Reason: "no alarm in it"}
	}
	rep, err := s.o.Ingest.Alarms(r.Context(), source, bytes.NewReader(lines))
	if err != nil {
		return fmt.Errorf("take alarms in: %w", err)
	}
	if broken != nil {
		rep.Rejected = append(rep.Rejected, *broken)
	}
	status := http.StatusOK
	if len(rep.Rejected) > 0 {
		if status = http.StatusMultiStatus; rep.Accepted+rep.Ignored == 0 {
			return rejection(rep.Rejected)
		}
	}
	web.JSON(w, r, status, reportBody{rep.Accepted, rep.Ignored, len(rep.Rejected), full(rep.Rejected[:min(len(rep.Rejected), maxRejects)])})
	return nil
}

// rejection is the error of a batch of which nothing was taken.
func rejection(list []Reject) error {
	var errs []error
	for _, x := range list[:min(len(list), maxRejects)] {
		errs = append(errs, web.FieldError{Field: strings.TrimSuffix(fmt.Sprintf("line %d: %s", x.Line, x.Field), ": "), Reason: x.Reason})
	}
	return errors.Join(errs...)
}

// toLines turns a JSON array, or one object over several lines, into one object per
// line. Anything else is taken as lines already. An array that breaks off gives the
// elements before the break and a reject for the rest.
func toLines(body []byte) ([]byte, *Reject) {
	body = bytes.TrimSpace(body)
	switch {
	case len(body) == 0:
		return nil, nil
	case body[0] != '[':
		if bytes.IndexByte(body, '\n') >= 0 && json.Valid(body) {
			return compact(nil, body), nil
		}
		return body, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if _, err := d.Token(); err != nil {
		return nil, &Reject{1, "", "not JSON: " + err.Error()}
	}
	var out []byte
	n := 0
	for d.More() {
		n++
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			return out, &Reject{n, "", "not JSON, nothing after it was read: " + err.Error()}
		}
		out = compact(out, one)
	}
	if _, err := d.Token(); err != nil {
		return out, &Reject{n + 1, "", "the array does not end"}
	}
	if _, err := d.Token(); err != io.EOF {
		return out, &Reject{n + 1, "", "more after the array, not read"}
	}
	return out, nil
}

// compact appends a JSON value that is known to be valid as one line.
func compact(to, value []byte) []byte {
	b := bytes.NewBuffer(to)
	if err := json.Compact(b, value); err != nil {
		panic(err) // the caller checked the value
	}
	return append(b.Bytes(), '\n')
}
