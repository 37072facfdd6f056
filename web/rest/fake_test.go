package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/rca"
	"faultline/web"
	"faultline/web/rest"
)

var update = flag.Bool("update", false, "rewrite golden files")

var now = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

// fake answers every seam by the function that a test gives it; a call without one
// fails the test.
type fake struct {
	t            *testing.T
	incidents    []rca.Incident
	alarms       []rca.Alarm
	caseOf       func(string) (rca.KeptCase, error)
	analyse      func(string) (rca.KeptCase, error)
	verdict      func(string, rca.Feedback) (rca.Feedback, error)
	search       func(string, int) ([]rest.Hit, error)
	drop         func(string) (rest.Dropped, error)
	ingest       func(source, body string) (rest.Report, error)
	ves          func(source, body string) (rest.Report, error)
	status       func() (rest.Status, error)
	entity       func(graph.ID, graph.AsOf) (graph.Entity, error)
	relations    func(graph.ID, graph.Filter) []graph.Relation
	find         func(graph.Query) []graph.Entity
	contributors func(any) ([]graph.Contribution, error)
	sources      func() ([]graph.SourceCount, error)
	user         string
}

func call[A, R any](f *fake, name string, fn func(A) (R, error), a A) (R, error) {
	f.t.Helper()
	if fn == nil {
		f.t.Errorf("unexpected call of %s(%v)", name, a)
		var zero R
		return zero, graph.ErrNotFound
	}
	return fn(a)
}

func seq[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func (f *fake) List(context.Context, rest.IncidentFilter) iter.Seq2[rca.Incident, error] {
	return seq(f.incidents)
}

func (f *fake) Incident(_ context.Context, id string) (rca.Incident, error) {
	for _, i := range f.incidents {
		if i.ID == id {
			return i, nil
		}
	}
	return rca.Incident{}, graph.ErrNotFound
}

func (f *fake) CaseOf(_ context.Context, id string) (rca.KeptCase, error) {
	return call(f, "CaseOf", f.caseOf, id)
}

func (f *fake) Analyse(_ context.Context, id string) (rca.KeptCase, error) {
	return call(f, "Analyse", f.analyse, id)
}

func (f *fake) RecordVerdict(_ context.Context, id string, fb rca.Feedback) (rca.Feedback, error) {
	if f.verdict == nil {
		f.t.Errorf("unexpected call of RecordVerdict(%s, %+v)", id, fb)
		return fb, graph.ErrNotFound
	}
	return f.verdict(id, fb)
}

func (f *fake) Alarms(context.Context, rest.AlarmFilter) iter.Seq2[rca.Alarm, error] {
	return seq(f.alarms)
}

func (f *fake) Search(_ context.Context, q string, k int) ([]rest.Hit, error) {
	return call(f, "Search", func(q string) ([]rest.Hit, error) { return f.search(q, k) }, q)
}

func (f *fake) DropSource(_ context.Context, name string) (rest.Dropped, error) {
	return call(f, "DropSource", f.drop, name)
}

func (f *fake) Status(context.Context) (rest.Status, error) { return f.status() }

func (f *fake) Entity(_ context.Context, id graph.ID, at graph.AsOf) (graph.Entity, error) {
	return call(f, "Entity", func(id graph.ID) (graph.Entity, error) { return f.entity(id, at) }, id)
}

func (f *fake) Relations(_ context.Context, id graph.ID, fl graph.Filter) iter.Seq2[graph.Relation, error] {
	return seq(f.relations(id, fl))
}

func (f *fake) Find(_ context.Context, q graph.Query) iter.Seq2[graph.Entity, error] {
	return seq(f.find(q))
}

func (f *fake) EntityContributions(_ context.Context, id graph.ID) ([]graph.Contribution, error) {
	return call(f, "EntityContributions", f.contributors, any(id))
}

func (f *fake) RelationContributions(_ context.Context, k graph.RelationKey) ([]graph.Contribution, error) {
	return call(f, "RelationContributions", f.contributors, any(k))
}

func (f *fake) Sources(context.Context) ([]graph.SourceCount, error) { return f.sources() }

// intake is the Ingest of a fake, whose method names would clash.
type intake struct{ f *fake }

func (i intake) Alarms(_ context.Context, source string, r io.Reader) (rest.Report, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return rest.Report{}, err
	}
	return call(i.f, "Ingest.Alarms", func(b string) (rest.Report, error) { return i.f.ingest(source, b) }, string(b))
}

func (i intake) VES(_ context.Context, source string, b []byte) (rest.Report, error) {
	return call(i.f, "Ingest.VES", func(b string) (rest.Report, error) { return i.f.ves(source, b) }, string(b))
}

func newEvents(t testing.TB, o rest.EventOptions) *rest.Events {
	t.Helper()
	o.Epoch, o.Wall = "boot1", time.Now
	ev, err := rest.NewEvents(o)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

func newService(t *testing.T, f *fake, ev *rest.Events) *rest.Service {
	t.Helper()
	f.t = t
	if ev == nil {
		ev = newEvents(t, rest.EventOptions{})
	}
	s, err := rest.New(rest.Options{
		Incidents: f, Cases: f, Alarms: f, Graph: f, Ledger: f, Knowledge: f, Ingest: intake{f}, Health: f, Events: ev,
		Text: func(w io.Writer, c rca.Case) error {
			_, err := fmt.Fprintf(w, "%s: %s\n", c.ID, c.Decision.Reason)
			return err
		},
		Now: func() time.Time { return now }, User: func(*http.Request) string { return f.user },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do sends a request, checks the answer against the OpenAPI description and
// returns it.
func do(t *testing.T, f *fake, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	newService(t, f, nil).ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	conforms(t, method, target, w)
	return w
}

func problem(t *testing.T, w *httptest.ResponseRecorder) web.Problem {
	t.Helper()
	var p web.Problem
	if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("status %d, content type %q: %s", w.Code, ct, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// faultyFields are the fields that a problem names.
func faultyFields(p web.Problem) string {
	var out []string
	for _, e := range p.Errors {
		out = append(out, e.Field)
	}
	return strings.Join(out, " ")
}

func get[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if w.Code >= 300 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, got, "", "  "); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s changed; run with -update and read the diff. Got:\n%s", path, b.Bytes())
	}
}

// fibreCut is an incident of two alarms and its analysis.
func fibreCut() (rca.Incident, rca.KeptCase) {
	// A zone that is not UTC must not reach the wire.
	at := now.Add(-time.Hour).In(time.FixedZone("CET", 3600))
	los := rca.AlarmKey{Resource: "ne/1/port/3", Type: "TX01"}
	down := rca.AlarmKey{Resource: "ne/1", Type: "IP03", Qualifier: "to ne/2"}
	inc := rca.Incident{
		ID: "INC-20260301-0a1b2c3d", Name: "Loss of signal on ne/1/port/3", First: at, Last: at.Add(4 * time.Second), Severity: rca.SeverityCritical,
		Domains: []string{"ip", "transport"}, Sites: []graph.ID{"site/7"},
		Alarms: []rca.Alarm{
			{AlarmKey: los, Severity: rca.SeverityCritical, ProbableCause: 8, EventType: "communicationsAlarm", Text: "LOS <b>", Raised: at, History: []rca.StatusChange{{Time: at, Severity: rca.SeverityCritical}}},
			{AlarmKey: down, Severity: rca.SeverityMajor, Raised: at.Add(4 * time.Second), Cleared: at.Add(time.Minute)},
		},
		Links: []rca.Link{{A: los, B: down, Reason: "TX01->IP03"}},
	}
	ev := rca.Evidence{ID: "E1", Kind: rca.EvidenceAlarm, Text: "TX01 on ne/1/port/3", Source: "TX01@ne/1/port/3", Weight: 2.5, About: []graph.ID{"ne/1/port/3"}}
	return inc, rca.KeptCase{Version: 2, Feedback: []rca.Feedback{{By: "ann", At: at, Version: 1, Mode: "FM-port", Resource: "ne/1/port/3", Note: "board was fine"}}, Case: rca.Case{
		ID: "CASE-" + inc.ID, Incident: inc, AnalysedAt: at.Add(2 * time.Minute),
		Scope:    rca.Scope{Domain: "transport", Scores: map[string]float64{"ip": 0.1, "transport": 0.9}, Resources: 12, Impact: []graph.ID{"service/9"}},
		Suspects: []rca.Suspect{{Mode: "FM-fibre-cut", Resource: "fibre/1-2", Prior: 1}},
		Decision: rca.Decision{
			Determined: true, Reason: "A cut of fibre/1-2 explains both alarms.",
			Hypotheses: []rca.Hypothesis{{
				Mode: "FM-fibre-cut", Name: "Fibre cut", Resource: "fibre/1-2", Domain: "transport", Score: -3.25, Confidence: 0.93, Explains: 2, Of: 2,
				Path: []rca.PathEdge{{From: rca.AlarmKey{Resource: "fibre/1-2", Type: "FM-fibre-cut"}, To: los, Edge: "FM-fibre-cut->TX01", Grade: "A", P: 0.99, Source: "G.7710"}},
				For:  []rca.Evidence{ev}, Missing: []rca.AlarmKey{{Resource: "ne/2/port/1", Type: "TX01"}},
			}},
			Next:   "Run OTDR on ne/1/port/3",
			Action: &rca.Action{Kind: "repair-fibre", Resource: "fibre/1-2", Mode: "FM-fibre-cut", Procedure: "PR-splice", Risk: "medium", Steps: []rca.Step{{Text: "Find the break", Check: "OTDR shows it"}}},
		},
		Prediction: &rca.Prediction{Cleared: []rca.AlarmKey{los}, Risk: "medium", DataAge: time.Minute},
		Verdict:    &rca.Verdict{Confirmed: true, Precision: 1, Recall: 1, Reason: "Confirmed: 1 of 1 predicted clears happened."},
		Trail:      []rca.TrailEntry{{Step: "reason", Note: "one hypothesis"}},
	}}
}
