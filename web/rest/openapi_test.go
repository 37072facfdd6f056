package rest_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/rca"
	"faultline/web/rest"
)

type object = map[string]any

func spec(t *testing.T) object {
	t.Helper()
	b, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var v object
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func dig(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(object)
		v = m[k]
	}
	return v
}

// operation finds what describes a request. An id may contain slashes, so the
// pattern with the longest tail behind its parameter goes first.
func operation(doc object, method, path string) object {
	var patterns []string
	for p := range dig(doc, "paths").(object) {
		patterns = append(patterns, p)
	}
	slices.SortFunc(patterns, func(a, b string) int {
		tail := func(s string) int {
			_, t, ok := strings.Cut(s, "}")
			return map[bool]int{true: len(t), false: math.MaxInt}[ok]
		}
		if d := tail(b) - tail(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, p := range patterns {
		re := regexp.MustCompile("^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(p), ".+") + "$")
		if op, ok := dig(doc, "paths", p, strings.ToLower(method)).(object); ok && re.MatchString(path) {
			return op
		}
	}
	return nil
}

// conforms checks an answer against the description: its status, its content type,
// and every member of its body.
func conforms(t *testing.T, method, target string, w *httptest.ResponseRecorder) {
	t.Helper()
	doc := spec(t)
	path, _, _ := strings.Cut(target, "?")
	op := operation(doc, method, path)
	if op == nil {
		return // not described: the answer says so
	}
	resp := dig(op, "responses", fmt.Sprint(w.Code))
	if resp == nil {
		resp = dig(doc, "components", "responses", "Problem")
	}
	ct, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	if dig(resp, "content") == nil && w.Body.Len() == 0 {
		return
	}
	schema, ok := dig(resp, "content", ct, "schema").(object)
	if !ok {
		t.Errorf("%s %s: answer %d as %q is not described", method, target, w.Code, ct)
		return
	}
	if ct == "text/plain" || ct == "text/event-stream" {
		return
	}
	var v any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Errorf("%s %s: %v", method, target, err)
		return
	}
	for _, fault := range validate(doc, schema, v, "$") {
		t.Errorf("%s %s: %s", method, target, fault)
	}
}

// validate covers what openapi.json uses of JSON Schema. An object with properties
// has no others unless the schema says so: what is not described must not be sent.
func validate(doc, schema object, v any, at string) []string {
	if ref, ok := schema["$ref"].(string); ok {
		return validate(doc, dig(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(object), v, at)
	}
	bad := func(why string) []string { return []string{at + ": " + why} }
	var out []string
	switch schema["type"] {
	case "string":
		s, ok := v.(string)
		if !ok {
			return bad(fmt.Sprintf("%v is no string", v))
		}
		if list, ok := schema["enum"].([]any); ok && !slices.Contains(list, v) {
			return bad(s + " is not in the enum")
		}
		if schema["format"] == "date-time" {
			if _, err := time.Parse(time.RFC3339, s); err != nil || !strings.HasSuffix(s, "Z") {
				return bad(s + " is no time in UTC")
			}
		}
	case "integer", "number":
		if n, ok := v.(float64); !ok || schema["type"] == "integer" && n != math.Trunc(n) {
			return bad(fmt.Sprintf("%v is no %s", v, schema["type"]))
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return bad(fmt.Sprintf("%v is no boolean", v))
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			return bad(fmt.Sprintf("%v is no array", v))
		}
		for i, x := range list {
			out = append(out, validate(doc, schema["items"].(object), x, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case "object":
		m, ok := v.(object)
		if !ok {
			return bad(fmt.Sprintf("%v is no object", v))
		}
		props, _ := schema["properties"].(object)
		req, _ := schema["required"].([]any)
		for _, r := range req {
			if _, ok := m[r.(string)]; !ok {
				out = append(out, at+": no "+r.(string))
			}
		}
		for k, x := range m {
			if p, ok := props[k].(object); ok {
				out = append(out, validate(doc, p, x, at+"."+k)...)
			} else if more, ok := schema["additionalProperties"].(object); ok {
				out = append(out, validate(doc, more, x, at+"."+k)...)
			} else if props != nil && schema["additionalProperties"] == nil {
				out = append(out, at+": "+k+" is not described")
			}
		}
	default:
		return bad(fmt.Sprintf("schema has type %v", schema["type"]))
	}
	return out
}

func TestOpenAPIDescribesEveryRouteAndNoOther(t *testing.T) {
	described := map[string]bool{}
	ids := map[string]bool{}
	for path, ops := range dig(spec(t), "paths").(object) {
		for method, op := range ops.(object) {
			described[strings.ToUpper(method)+" "+path] = true
			id, _ := dig(op, "operationId").(string)
			if id == "" || ids[id] || dig(op, "summary") == nil {
				t.Errorf("%s %s: operationId %q is missing or taken, or there is no summary", method, path, id)
			}
			ids[id] = true
		}
	}
	for _, r := range rest.RoutePatterns(newService(t, &fake{}, nil)) {
		r = strings.ReplaceAll(r, "...}", "}")
		if !described[r] {
			t.Errorf("%s is not described", r)
		}
		delete(described, r)
	}
	for r := range described {
		t.Errorf("%s is described and not there", r)
	}
}

func TestOpenAPIReferencesExist(t *testing.T) {
	doc := spec(t)
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case object:
			if ref, ok := x["$ref"].(string); ok {
				used[ref] = true
				if dig(doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...) == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, y := range x {
				walk(y)
			}
		case []any:
			for _, y := range x {
				walk(y)
			}
		}
	}
	walk(doc)
	for name := range dig(doc, "components", "schemas").(object) {
		if !used["#/components/schemas/"+name] {
			t.Errorf("schema %s is not used", name)
		}
	}
}

// answering is a fake that has an answer to every call.
func answering() *fake {
	inc, kept := fibreCut()
	ent := graph.Entity{ID: "ne/1", Kind: "NE", Name: "Core 1", Domain: "ip", Attrs: map[string]string{"vendor": "x"}, Valid: graph.Interval{From: now}}
	rel := graph.Relation{From: "ne/1", Type: graph.Powers, To: "ne/2", Attrs: map[string]string{"feed": "A"}}
	return &fake{
		incidents: []rca.Incident{inc}, alarms: inc.Alarms,
		caseOf:  func(string) (rca.KeptCase, error) { return kept, nil },
		analyse: func(string) (rca.KeptCase, error) { return kept, nil },
		verdict: func(_ string, f rca.Feedback) (rca.Feedback, error) { f.Version, f.Mode = 2, "FM-x"; return f, nil },
		search: func(string, int) ([]rest.Hit, error) {
			return []rest.Hit{{ID: "p/1", Kind: "Passage", Title: "LOS", Source: "manual"}}, nil
		},
		drop: func(n string) (rest.Dropped, error) {
			return rest.Dropped{SourceCount: graph.SourceCount{Source: n}}, nil
		},
		ingest: func(_, b string) (rest.Report, error) { return rest.Report{Accepted: strings.Count(b, "{")}, nil },
		ves:    func(string, string) (rest.Report, error) { return rest.Report{Accepted: 1}, nil },
		status: func() (rest.Status, error) {
			return rest.Status{Version: "v1", Ready: true, Started: now, LastEvent: now, Sources: []rest.SourceHealth{{Name: "ves", LastSeen: now}}}, nil
		},
		entity:    func(graph.ID, graph.AsOf) (graph.Entity, error) { return ent, nil },
		relations: func(graph.ID, graph.Filter) []graph.Relation { return []graph.Relation{rel} },
		find:      func(graph.Query) []graph.Entity { return []graph.Entity{ent} },
		contributors: func(any) ([]graph.Contribution, error) {
			return []graph.Contribution{{Provenance: graph.Provenance{Source: "inv"}, Recorded: now, Entity: &ent}, {Provenance: graph.Provenance{Source: "inv", Span: "row 4", Confidence: 0.5}, Recorded: now, Retracted: now, Relation: &rel}}, nil
		},
		sources: func() ([]graph.SourceCount, error) { return []graph.SourceCount{{Source: "inv", Entities: 3}}, nil },
	}
}

// TestEveryDescribedParameterWorks sends each operation with the examples of all its
// parameters. The answers are checked against the description by do.
func TestEveryDescribedParameterWorks(t *testing.T) {
	bodies := map[string]string{
		"judgeCase": `{"by":"ann","right":true}`, "sendAlarms": `[{"id":"1"}]`, "sendVESEvent": `{"event":{}}`, "sendVESBatch": `{"eventList":[]}`,
	}
	for path, ops := range dig(spec(t), "paths").(object) {
		for method, op := range ops.(object) {
			id := dig(op, "operationId").(string)
			if id == "streamEvents" {
				continue // has tests of its own
			}
			target, sep := path, "?"
			params, _ := dig(op, "parameters").([]any)
			for _, p := range params {
				name, example := dig(p, "name").(string), fmt.Sprint(dig(p, "example"))
				if dig(p, "in") == "path" {
					target = strings.Replace(target, "{"+name+"}", example, 1)
				} else {
					target += sep + name + "=" + strings.ReplaceAll(example, " ", "%20")
					sep = "&"
				}
			}
			if w := do(t, answering(), strings.ToUpper(method), target, bodies[id]); w.Code >= 400 {
				t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
			}
			if strings.HasPrefix(path, "/healthz") || strings.HasPrefix(path, "/readyz") {
				continue // probes may carry anything
			}
			if w := do(t, answering(), strings.ToUpper(method), target+sep+"typo=1", bodies[id]); w.Code != 400 || !strings.Contains(w.Body.String(), "typo") {
				t.Errorf("%s %s: a parameter that is not there gave %d %s", method, target, w.Code, w.Body)
			}
		}
	}
}
