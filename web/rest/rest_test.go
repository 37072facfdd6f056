package rest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/rca"
	"faultline/web"
	"faultline/web/rest"
)

type list struct {
	Items []struct {
		ID       string
		Status   string
		Analysis *struct {
			Mode  string
			Rated bool
		}
	}
	Next string
}

func (l list) ids() string {
	var out []string
	for _, i := range l.Items {
		out = append(out, i.ID)
	}
	return strings.Join(out, " ")
}

func noCase(string) (rca.KeptCase, error) { return rca.KeptCase{}, graph.ErrNotFound }

// some are incidents newest first, two of them at one moment.
func some() []rca.Incident {
	at := func(min int) time.Time { return now.Add(time.Duration(min) * time.Minute) }
	inc := func(id string, min int, s rca.Severity, domain, typ, resource string, cleared time.Time) rca.Incident {
		return rca.Incident{ID: id, Name: "Trouble at " + resource, First: at(min), Last: at(min + 5), Severity: s, Domains: []string{domain}, Sites: []graph.ID{"site/Oslo"},
			Alarms: []rca.Alarm{{AlarmKey: rca.AlarmKey{Type: typ, Resource: graph.ID(resource)}, Raised: at(min), Cleared: cleared}}}
	}
	return []rca.Incident{
		inc("D", -10, rca.SeverityCritical, "ip", "IP01", "ne/4", time.Time{}),
		inc("B", -20, rca.SeverityMajor, "transport", "TX01", "ne/2", at(-1)),
		inc("C", -20, rca.SeverityMinor, "ip", "IP02", "ne/3", time.Time{}),
		inc("A", -30, rca.SeverityMajor, "core", "CO01", "nf/1", time.Time{}),
	}
}

func TestListIncidentsFilters(t *testing.T) {
	for q, want := range map[string]string{
		"":                                  "D B C A",
		"status=active":                     "D C A",
		"status=cleared":                    "B",
		"domain=ip":                         "D C",
		"domain=ip,core":                    "D C A",
		"domain=ip&domain=core":             "D C A",
		"severity=major":                    "B A",
		"severity=critical,minor":           "D C",
		"from=2026-03-01T09:46:00Z":         "D",
		"to=2026-03-01T09:40:00Z":           "A",
		"from=2026-03-01T10:30:00%2B01:00":  "D B C A",
		"from=2026-03-01T10:40:00+01:00":    "D B C",
		"q=NE/3":                            "C",
		"q=oslo&severity=critical":          "D",
		"q=tx01":                            "B",
		"q=nothing":                         "",
		"status=active&domain=ip&limit=500": "D C",
	} {
		if got := get[list](t, do(t, &fake{incidents: some(), caseOf: noCase}, "GET", "/api/v1/incidents?"+q, "")).ids(); got != want {
			t.Errorf("%s: got %q, want %q", q, got, want)
		}
	}
}

func TestPagesAreStableWhileIncidentsArrive(t *testing.T) {
	f := &fake{incidents: some(), caseOf: noCase}
	first := get[list](t, do(t, f, "GET", "/api/v1/incidents?limit=2", ""))
	newer := some()[0]
	newer.ID, newer.First = "E", now
	f.incidents = append([]rca.Incident{newer}, some()...)
	second := get[list](t, do(t, f, "GET", "/api/v1/incidents?limit=2&cursor="+first.Next, ""))
	if first.ids() != "D B" || second.ids() != "C A" || second.Next != "" {
		t.Errorf("pages %q and %q, next %q", first.ids(), second.ids(), second.Next)
	}
}

func TestBadQueriesNameEveryField(t *testing.T) {
	for target, want := range map[string]string{
		"/api/v1/incidents?limit=0&status=open&severity=bad&from=today&nonsense=1": "status severity from limit nonsense",
		"/api/v1/incidents?limit=501":                                         "limit",
		"/api/v1/incidents?cursor=abc":                                        "cursor",
		"/api/v1/incidents?cursor=WyJ4IiwieSJd":                               "cursor",
		"/api/v1/incidents?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z": "to",
		"/api/v1/incidents?status=active&status=cleared":                      "status",
		"/api/v1/incidents?a=%zz":                                             "query",
		"/api/v1/alarms?severity=Critical":                                    "severity",
		"/api/v1/search":                                                      "q",
		"/api/v1/search?q=+&limit=101":                                        "q limit",
		"/api/v1/relations/contributions?from=a":                              "type to",
		"/api/v1/entities/x/relations?direction=up&cursor=WyIteCJd":           "direction cursor",
		"/api/v1/entities?known_at=1":                                         "known_at",
	} {
		w := do(t, &fake{}, "GET", target, "")
		if p := problem(t, w); w.Code != 400 || faultyFields(p) != want {
			t.Errorf("%s: %d, fields %q, want %q", target, w.Code, faultyFields(p), want)
		}
	}
}

func FuzzIncidentQuery(f *testing.F) {
	f.Add("status=active&domain=ip,core&severity=critical,major&from=2026-03-01T08:00:00Z&to=2026-03-02T00:00:00%2B01:00&q=ne%2F1&limit=20&cursor=WyIyMDI2LTAzLTAxVDA4OjAwOjAwWiIsIngiXQ")
	f.Fuzz(func(t *testing.T, raw string) {
		limit, filter, err := rest.ParseIncidentQuery(raw)
		if limit < 1 || limit > 500 {
			t.Errorf("limit %d", limit)
		}
		if err != nil {
			if !errors.Is(err, rca.ErrInvalid) {
				t.Errorf("%v is no ErrInvalid", err)
			}
			return
		}
		if filter.Text != strings.ToLower(filter.Text) || !filter.Span.To.IsZero() && !filter.Span.From.Before(filter.Span.To) {
			t.Errorf("%q gave %+v", raw, filter)
		}
		filter.Match(some()[0])
	})
}

func TestIncidentGolden(t *testing.T) {
	w := do(t, answering(), "GET", "/api/v1/incidents/INC-20260301-0a1b2c3d", "")
	golden(t, "incident.json", w.Body.Bytes())
}

func TestCaseGolden(t *testing.T) {
	w := do(t, answering(), "GET", "/api/v1/incidents/INC-20260301-0a1b2c3d/case", "")
	golden(t, "case.json", w.Body.Bytes())
}

func TestAnalysisInLists(t *testing.T) {
	f := answering()
	if l := get[list](t, do(t, f, "GET", "/api/v1/incidents", "")); l.Items[0].Analysis.Mode != "FM-fibre-cut" || l.Items[0].Analysis.Rated {
		t.Errorf("feedback on version 1 rates version 2: %+v", l.Items[0].Analysis)
	}
	f.caseOf = func(string) (rca.KeptCase, error) { return rca.KeptCase{}, errors.New("disk") }
	if w := do(t, f, "GET", "/api/v1/incidents", ""); w.Code != 500 || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestNotFound(t *testing.T) {
	for _, target := range []string{"/api/v1/incidents/none", "/api/v1/incidents/none/case", "/api/v1/incidents/none/case.txt", "/api/v1/nothing", "/eventListener/v5", "/api/v1/entities/"} {
		w := do(t, &fake{caseOf: noCase}, "GET", target, "")
		if p := problem(t, w); w.Code != 404 || p.Kind != "not-found" {
			t.Errorf("%s: %d %+v", target, w.Code, p)
		}
	}
}

func TestMethods(t *testing.T) {
	for target, want := range map[string]string{
		"DELETE /api/v1/incidents": "GET", "PUT /api/v1/alarms": "GET, POST", "POST /api/v1/entities/a/b": "GET", "GET /api/v1/sources/a": "DELETE", "POST /api/v1/entities/a/relations": "GET",
	} {
		method, path, _ := strings.Cut(target, " ")
		if w := do(t, &fake{}, method, path, ""); w.Code != 405 || w.Header().Get("Allow") != want {
			t.Errorf("%s: %d allows %q, want %q", target, w.Code, w.Header().Get("Allow"), want)
		}
	}
	if w := do(t, &fake{}, "HEAD", "/healthz", ""); w.Code != 200 {
		t.Errorf("HEAD gave %d", w.Code)
	}
}

func TestCaseText(t *testing.T) {
	w := do(t, answering(), "GET", "/api/v1/incidents/x/case.txt", "")
	if w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || w.Body.String() != "CASE-INC-20260301-0a1b2c3d: A cut of fibre/1-2 explains both alarms.\n" {
		t.Errorf("got %s", w.Body)
	}
}

func TestAnalyse(t *testing.T) {
	f := answering()
	f.analyse = func(id string) (rca.KeptCase, error) {
		return rca.KeptCase{Version: 3, Case: rca.Case{ID: "CASE-" + id}}, nil
	}
	if k := get[rca.KeptCase](t, do(t, f, "POST", "/api/v1/incidents/a%2Fb/analyse", "")); k.Version != 3 || k.Case.ID != "CASE-a/b" {
		t.Errorf("got %+v", k)
	}
	f.analyse = func(string) (rca.KeptCase, error) {
		return rca.KeptCase{}, fmt.Errorf("%w: knowledge is loading", web.ErrNotReady)
	}
	if w := do(t, f, "POST", "/api/v1/incidents/x/analyse", ""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestFeedback(t *testing.T) {
	for _, tc := range []struct{ name, body, user, fields, by string }{
		{name: "good", body: `{"by":" ann ","right":false,"note":"it was the splice","version":1,"mode":"FM-x","resource":"r"}`, by: "ann"},
		{name: "a known user wins", body: `{"by":"mallory","right":true}`, user: "bob", by: "bob"},
		{name: "nothing", body: `{}`, fields: "by right"},
		{name: "empty", body: ``, fields: "body"},
		{name: "no object", body: `[]`, fields: "body"},
		{name: "broken", body: `{"by":`, fields: "body"},
		{name: "two", body: `{"by":"a","right":true}{}`, fields: "body"},
		{name: "typo", body: `{"by":"a","rigth":true}`, fields: "rigth"},
		{name: "wrong type", body: `{"by":"a","right":"yes"}`, fields: "right"},
		{name: "a version to come", body: `{"by":"a","right":true,"version":3}`, fields: "version"},
		{name: "resource alone", body: `{"by":"a","right":true,"resource":"r"}`, fields: "mode"},
		{name: "long note", body: `{"by":"a","right":true,"note":"` + strings.Repeat("x", 4001) + `"}`, fields: "note"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := answering()
			f.user = tc.user
			var kept rca.Feedback
			f.verdict = func(id string, fb rca.Feedback) (rca.Feedback, error) {
				if id != "CASE-INC-20260301-0a1b2c3d" {
					t.Errorf("judged case %s", id)
				}
				kept = fb
				fb.Version, fb.Mode = 2, "FM-x"
				return fb, nil
			}
			w := do(t, f, "POST", "/api/v1/incidents/x/feedback", tc.body)
			if tc.fields != "" {
				if p := problem(t, w); w.Code != 400 || faultyFields(p) != tc.fields || kept != (rca.Feedback{}) {
					t.Errorf("%d, fields %q, want %q; kept %+v", w.Code, faultyFields(p), tc.fields, kept)
				}
				return
			}
			if w.Code != 201 || kept.By != tc.by || !kept.At.Equal(now) {
				t.Errorf("%d %s; kept %+v", w.Code, w.Body, kept)
			}
		})
	}
}

func TestListAlarms(t *testing.T) {
	f := &fake{}
	for i, k := range []rca.AlarmKey{{Resource: "b", Type: "T1"}, {Resource: "a", Type: "T1"}, {Resource: "a", Type: "T1", Qualifier: "q"}, {Resource: "a", Type: "T2"}, {Resource: "a/1", Type: "T0"}} {
		a := rca.Alarm{AlarmKey: k, Severity: rca.SeverityMinor, Raised: now.Add(-time.Hour)}
		if i == 0 {
			a.Raised, a.Text = now.Add(-time.Minute), "Loss of signal"
		}
		if i == 3 {
			a.Cleared = now
		}
		f.alarms = append(f.alarms, a)
	}
	id := func(i int) string { return f.alarms[i].ID() }
	for q, want := range map[string]string{
		"":                                   strings.Join([]string{id(0), id(1), id(2), id(3), id(4)}, " "),
		"status=cleared":                     id(3),
		"status=active&resource=a":           id(1) + " " + id(2),
		"type=T0":                            id(4),
		"q=SIGNAL":                           id(0),
		"severity=major":                     "",
		"from=2026-03-01T09:30:00Z":          id(0),
		"to=2026-03-01T09:30:00Z&resource=b": "",
	} {
		if got := get[list](t, do(t, f, "GET", "/api/v1/alarms?"+q, "")).ids(); got != want {
			t.Errorf("%s: got %q, want %q", q, got, want)
		}
	}
	got, next := "", ""
	for range f.alarms {
		l := get[list](t, do(t, f, "GET", "/api/v1/alarms?limit=1&cursor="+next, ""))
		got, next = got+l.ids()+" ", l.Next
	}
	if want := get[list](t, do(t, f, "GET", "/api/v1/alarms", "")).ids(); strings.TrimSpace(got) != want || next != "" {
		t.Errorf("pages of one gave %q, want %q", got, want)
	}
}

func TestPostAlarms(t *testing.T) {
	type report struct {
		Accepted, Ignored, Rejected int
		Rejects                     []rest.Reject
	}
	for _, tc := range []struct {
		name, body, target string
		lines              string // what the intake gets
		source             string
		rep                rest.Report
		status             int
		rejects            string // or fields of the problem
	}{
		{name: "array", body: `[{"id":"1"}, {"id":"2",
			"a":[1]}]`, lines: "{\"id\":\"1\"}\n{\"id\":\"2\",\"a\":[1]}\n", rep: rest.Report{Accepted: 2}, status: 200},
		{name: "lines", body: "{\"id\":\"1\"}\n{\"id\":\"2\"}\n", lines: "{\"id\":\"1\"}\n{\"id\":\"2\"}", rep: rest.Report{Accepted: 2}, status: 200},
		{name: "one object over lines", body: "{\n \"id\": \"1\"\n}", lines: "{\"id\":\"1\"}\n", rep: rest.Report{Accepted: 1}, status: 200},
		{name: "source", target: "?source=oss/1", body: `{"id":"1"}`, lines: `{"id":"1"}`, source: "oss/1", rep: rest.Report{Accepted: 1}, status: 200},
		{name: "a bad line loses no other", body: "{}\nnonsense\n", lines: "{}\nnonsense", rep: rest.Report{Accepted: 1, Rejected: []rest.Reject{{Line: 2, Reason: "not JSON"}}}, status: 207, rejects: "2"},
		{name: "all bad", body: "x\ny", lines: "x\ny", rep: rest.Report{Rejected: []rest.Reject{{Line: 1, Field: "time", Reason: "missing"}, {Line: 2, Reason: "not JSON"}}}, status: 400, rejects: "line 1: time, line 2"},
		{name: "an array that breaks off", body: `[{"id":"1"},{"id":`, lines: "{\"id\":\"1\"}\n", rep: rest.Report{Accepted: 1}, status: 207, rejects: "2"},
		{name: "an array without end", body: `[{"id":"1"}`, lines: "{\"id\":\"1\"}\n", rep: rest.Report{Accepted: 1}, status: 207, rejects: "2"},
		{name: "more after the array", body: `[{"id":"1"}] x`, lines: "{\"id\":\"1\"}\n", rep: rest.Report{Accepted: 1}, status: 207, rejects: "2"},
		{name: "heartbeats alone", body: `{}`, lines: `{}`, rep: rest.Report{Ignored: 1}, status: 200},
		{name: "empty", body: " \n", status: 400, rejects: "body"},
		{name: "empty array", body: "[]", status: 400, rejects: "body"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := &fake{}
			if tc.lines != "" {
				f.ingest = func(source, body string) (rest.Report, error) {
					want := tc.source
					if want == "" {
						want = "rest"
					}
					if body != tc.lines || source != want {
						t.Errorf("intake got %q from %q, want %q from %q", body, source, tc.lines, want)
					}
					return tc.rep, nil
				}
			}
			w := do(t, f, "POST", "/api/v1/alarms"+tc.target, tc.body)
			if w.Code != tc.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tc.status, w.Body)
			}
			var got []string
			if tc.status == 400 {
				for _, e := range problem(t, w).Errors {
					got = append(got, e.Field)
				}
			} else {
				rep := get[report](t, w)
				if rep.Accepted != tc.rep.Accepted || rep.Ignored != tc.rep.Ignored || rep.Rejected != len(rep.Rejects) {
					t.Errorf("got %+v", rep)
				}
				for _, r := range rep.Rejects {
					got = append(got, fmt.Sprint(r.Line))
				}
			}
			if strings.Join(got, ", ") != tc.rejects {
				t.Errorf("rejects %q, want %q", got, tc.rejects)
			}
		})
	}
}

func FuzzAlarmBody(f *testing.F) {
	f.Add([]byte(`[{"id":"1","resource":"ne/1","type":"TX01","severity":"major","time":"2026-03-01T08:00:00Z"}, {"id":"2"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, ok := rest.ToLines(body)
		var elements []json.RawMessage
		if json.Unmarshal(body, &elements) == nil && elements != nil {
			if got := bytes.Count(lines, []byte("\n")); !ok || got != len(elements) {
				t.Errorf("%d elements became %d lines, ok %v", len(elements), got, ok)
			}
		} else if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) && ok {
			t.Errorf("a broken array passed: %q", body)
		}
	})
}

func TestVES(t *testing.T) {
	for _, tc := range []struct {
		path, body string
		rep        rest.Report
		err        error
		called     bool
		status     int
		mention    string
	}{
		{path: "", body: `{"event":{}}`, rep: rest.Report{Accepted: 1}, called: true, status: 202},
		{path: "", body: `{"event":{}}`, rep: rest.Report{Ignored: 1}, called: true, status: 202},
		{path: "/eventBatch", body: `{"eventList":[]}`, called: true, status: 202},
		{path: "", body: `{}`, status: 400, mention: "event: missing"},
		{path: "", body: `{"event":{},"eventList":[]}`, status: 400, mention: "eventList: does not belong"},
		{path: "/eventBatch", body: `{"event":{}}`, status: 400, mention: "eventList: missing"},
		{path: "", body: `nonsense`, status: 400, mention: "incorrect JSON payload"},
		{path: "", body: `[]`, status: 400, mention: "incorrect JSON payload"},
		{path: "/eventBatch", body: `{"eventList":[{},{}]}`, rep: rest.Report{Accepted: 1, Rejected: []rest.Reject{{Line: 2, Field: "eventSeverity", Reason: "missing"}}}, called: true, status: 400, mention: "line 2: eventSeverity: missing"},
		{path: "", body: `{"event":{}}`, err: web.ErrNotReady, called: true, status: 503, mention: "SVC1000"},
		{path: "", body: `{"event":{}}`, err: errors.New("disk"), called: true, status: 500},
	} {
		f := &fake{}
		if tc.called {
			f.ves = func(source, body string) (rest.Report, error) {
				if source != "ves" || body != tc.body {
					t.Errorf("intake got %q from %q", body, source)
				}
				return tc.rep, tc.err
			}
		}
		w := do(t, f, "POST", "/eventListener/v7"+tc.path, tc.body)
		if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.mention) {
			t.Errorf("%s %s: %d %s, want %d with %q", tc.path, tc.body, w.Code, w.Body, tc.status, tc.mention)
		}
		if w.Header().Get("X-LatestVersion") == "" || w.Header().Get("X-MinorVersion") == "" || w.Header().Get("X-PatchVersion") == "" {
			t.Errorf("%s: no version headers", tc.body)
		}
		if tc.status == 400 && !strings.Contains(w.Body.String(), `"ServiceException":{"messageId":"SVC0002"`) {
			t.Errorf("%s: body %s", tc.body, w.Body)
		}
	}
}

func TestIDsWithSlashes(t *testing.T) {
	for target, want := range map[string]string{
		"ne/1/port/3":                    "entity ne/1/port/3",
		"ne%2F1%2Fport%2F3":              "entity ne/1/port/3",
		"ne/1/port/3/relations":          "relations ne/1/port/3",
		"ne%2F1/relations":               "relations ne/1",
		"ne%2Frelations":                 "entity ne/relations",
		"ne%2Frelations/relations":       "relations ne/relations",
		"relations":                      "entity relations",
		"ne/1/contributions":             "contributions ne/1",
		"a%20b%3Fc%25d":                  "entity a b?c%d",
		"dev//1/./x/../y":                "entity dev//1/./x/../y",
		url.PathEscape("PE01@ne/1[q/7]"): "entity PE01@ne/1[q/7]",
	} {
		got := ""
		f := answering()
		f.entity = func(id graph.ID, _ graph.AsOf) (graph.Entity, error) {
			got = "entity " + string(id)
			return graph.Entity{ID: id, Kind: "K"}, nil
		}
		f.relations = func(id graph.ID, _ graph.Filter) []graph.Relation { got = "relations " + string(id); return nil }
		f.contributors = func(k any) ([]graph.Contribution, error) { got = fmt.Sprint("contributions ", k); return nil, nil }
		if w := do(t, f, "GET", "/api/v1/entities/"+target, ""); w.Code != 200 || got != want {
			t.Errorf("%s: %d, read %q, want %q", target, w.Code, got, want)
		}
	}
	f := &fake{drop: func(n string) (rest.Dropped, error) {
		return rest.Dropped{SourceCount: graph.SourceCount{Source: n, Entities: 2}, Records: 5}, nil
	}}
	if d := get[rest.Dropped](t, do(t, f, "DELETE", "/api/v1/sources/manuals/olt%20x.md", "")); d.Source != "manuals/olt x.md" || d.Records != 5 {
		t.Errorf("dropped %+v", d)
	}
}

func TestEntities(t *testing.T) {
	f := answering()
	var asked graph.Query
	f.find = func(q graph.Query) []graph.Entity {
		asked = q
		out := []graph.Entity{}
		for _, id := range []graph.ID{"a", "b", "c"} {
			if id > q.After && len(out) < q.Limit {
				out = append(out, graph.Entity{ID: id, Kind: "NE"})
			}
		}
		return out
	}
	first := get[list](t, do(t, f, "GET", "/api/v1/entities?kind=NE&domain=ip&q=x&prefix=p&role=r&limit=2&known_at=2026-03-01T00:00:00Z", ""))
	if asked.Kind != "NE" || asked.Domain != "ip" || asked.Text != "x" || asked.Prefix != "p" || asked.Role != "r" || asked.AsOf.Recorded.IsZero() || !asked.AsOf.Valid.IsZero() {
		t.Errorf("asked %+v", asked)
	}
	second := get[list](t, do(t, f, "GET", "/api/v1/entities?limit=2&cursor="+first.Next, ""))
	if first.ids() != "a b" || second.ids() != "c" || second.Next != "" {
		t.Errorf("pages %q %q", first.ids(), second.ids())
	}
}

func TestRelationPages(t *testing.T) {
	f := answering()
	var asked graph.Filter
	f.relations = func(id graph.ID, fl graph.Filter) []graph.Relation {
		asked = fl
		return []graph.Relation{{From: id, Type: "A", To: "1"}, {From: id, Type: "A", To: "2"}, {From: id, Type: "B", To: "3"}}
	}
	type rels struct {
		Items []graph.Relation
		Next  string
	}
	first := get[rels](t, do(t, f, "GET", "/api/v1/entities/x/relations?direction=in&type=A,B&limit=2", ""))
	second := get[rels](t, do(t, f, "GET", "/api/v1/entities/x/relations?limit=2&cursor="+first.Next, ""))
	if len(first.Items) != 2 || len(second.Items) != 1 || second.Items[0].To != "3" || second.Next != "" {
		t.Errorf("pages %+v %+v", first, second)
	}
	if asked.Dir != graph.Both {
		t.Errorf("the default direction is %v", asked.Dir)
	}
	f.entity = func(graph.ID, graph.AsOf) (graph.Entity, error) { return graph.Entity{}, graph.ErrNotFound }
	if w := do(t, f, "GET", "/api/v1/entities/x/relations", ""); w.Code != 404 {
		t.Errorf("relations of nothing: %d", w.Code)
	}
}

func TestReadiness(t *testing.T) {
	f := &fake{status: func() (rest.Status, error) { return rest.Status{Ready: false, Reason: "loading the graph"}, nil }}
	if w := do(t, f, "GET", "/readyz", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "loading the graph") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if w := do(t, f, "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("got %d", w.Code)
	}
}

func TestOptionsNameTheField(t *testing.T) {
	if _, err := rest.New(rest.Options{}); !errors.Is(err, rca.ErrInvalid) || !strings.Contains(err.Error(), "Incidents missing") {
		t.Errorf("got %v", err)
	}
	for _, o := range []rest.EventOptions{{Wall: time.Now}, {Epoch: "a-b", Wall: time.Now}, {Epoch: "a"}, {Epoch: "a", Wall: time.Now, Keep: -1}} {
		if _, err := rest.NewEvents(o); !errors.Is(err, rca.ErrInvalid) {
			t.Errorf("%+v: got %v", o, err)
		}
	}
}

func TestRoutesFitAServer(t *testing.T) {
	s := newService(t, answering(), nil)
	srv, err := web.New(web.Options{Routes: s.Routes(), Now: func() time.Time { return now }, NewID: func() string { return "r1" }})
	if err != nil {
		t.Fatal(err)
	}
	for target, status := range map[string]int{"/api/v1/incidents": 200, "/api/v1/entities/a%2Fb/relations": 200, "/healthz": 200, "/readyz": 200, "/eventListener/v7": 405, "/api/v1/openapi.json": 200, "/": 404} {
		w := httptest.NewRecorder()
		srv.Handler().ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		if w.Code != status {
			t.Errorf("%s: %d, want %d: %s", target, w.Code, status, w.Body)
		}
	}
}
