package rest_test

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"faultline/graph"
	"faultline/rca"
)

// TestDocumentedCommandsWork sends every curl command of the manual to a service
// that has an answer to everything.
func TestDocumentedCommandsWork(t *testing.T) {
	b, err := os.ReadFile("../../docs/rest-api.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), "\\\n", " ")
	command := regexp.MustCompile(`(?m)^curl (?:-N )?(?:-X (\w+) )?'http://127\.0\.0\.1:8080([^']+)'(?:\s+(?:-d '([^']*)'|--data-binary @(\S+)))?$`)
	if all := strings.Count(text, "\ncurl "); all != len(command.FindAllString(text, -1)) {
		t.Errorf("%d commands, of which the test reads %d", all, len(command.FindAllString(text, -1)))
	}
	files := map[string]string{"alarms.jsonl": `{"id":"1"}`, "event.json": `{"event":{}}`, "batch.json": `{"eventList":[]}`}
	seen := map[string]bool{}
	for _, m := range command.FindAllStringSubmatch(text, -1) {
		method, target, body := m[1], m[2], m[3]+files[m[4]]
		if method == "" {
			method = "GET"
		}
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		seen[operationID(t, method, u.EscapedPath())] = true
		if u.Path == "/api/v1/events" {
			continue // does not end
		}
		f := answering()
		f.entity = func(id graph.ID, _ graph.AsOf) (graph.Entity, error) {
			if !strings.HasPrefix(string(id), "ne/1") {
				t.Errorf("%s reads %s", target, id)
			}
			return graph.Entity{ID: id, Kind: "Port"}, nil
		}
		f.verdict = func(_ string, fb rca.Feedback) (rca.Feedback, error) { fb.Version, fb.Mode = 2, "FM-x"; return fb, nil }
		if w := do(t, f, method, target, body); w.Code >= 400 {
			t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
	}
	for path, ops := range dig(spec(t), "paths").(object) {
		for method, op := range ops.(object) {
			if !seen[dig(op, "operationId").(string)] {
				t.Errorf("the manual does not show %s %s", method, path)
			}
		}
	}
}

func operationID(t *testing.T, method, path string) string {
	t.Helper()
	op := operation(spec(t), method, path)
	if op == nil {
		t.Errorf("%s %s is not described", method, path)
		return ""
	}
	return dig(op, "operationId").(string)
}
