package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"faultline/cmd/internal/app"
	"faultline/graph"
	"faultline/rca"
)

// served runs an app's service until the test ends and returns its address. Incidents
// are analysed when nothing came for 10 ms.
func served(t *testing.T, a *app.App) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() {
		done <- a.Serve(ctx, app.ServeOptions{Addr: "127.0.0.1:0", Quiet: 10 * time.Millisecond, Ready: func(addr string) { ready <- addr }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	select {
	case addr := <-ready:
		return addr
	case err := <-done:
		done <- nil
		t.Fatalf("serve: %v", err)
		return ""
	}
}

// live is an app with the clock of the machine, as a service has it.
func live(t *testing.T) (a *app.App, dir string) {
	t.Helper()
	dir = theOperator(t).folder(t)
	a, err := app.Open(t.Context(), app.Options{DataDir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a, dir
}

func get(t *testing.T, url string, v any) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v: %s", url, resp.Status, err, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		t.Fatal(err)
	}
}

// follow opens the stream of events and returns a function that waits for one of a
// kind and returns its data.
func follow(t *testing.T, addr string) (wait func(kind string) string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() { // the first line says that the stream is open
		t.Fatalf("stream: %v", lines.Err())
	}
	return func(kind string) string {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == "event: "+kind && lines.Scan() {
				return strings.TrimPrefix(lines.Text(), "data: ")
			}
		}
		t.Fatalf("the stream ended before a %s: %v", kind, lines.Err())
		return ""
	}
}

const vesFault = `{"event":{"commonEventHeader":{"version":"4.1","vesEventListenerVersion":"7.2","domain":"fault","eventName":"Fault_PS","eventId":"ps-1","sequence":0,
"priority":"High","reportingEntityName":"ems","sourceName":"S010-PS1","startEpochMicrosec":1772440200000000,"lastEpochMicrosec":1772440200000000},
"faultFields":{"faultFieldsVersion":"4.0","alarmCondition":"mains-input-failure-ac-fail","eventSourceType":"power","specificProblem":"mains-input-failure-ac-fail",
"eventSeverity":"MAJOR","vfStatus":"Active"}}}`

func TestServiceAnalysesAsEventsCome(t *testing.T) {
	a, dir := live(t)
	addr := served(t, a)
	if at, pid, ok := app.ServedAt(dir); !ok || at != addr || pid != os.Getpid() {
		t.Errorf("the folder says %q %d %v, want %q %d", at, pid, ok, addr, os.Getpid())
	}
	wait := follow(t, addr)
	resp, err := http.Post("http://"+addr+"/eventListener/v7", "application/json", strings.NewReader(vesFault))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("VES event: %s", resp.Status)
	}
	var ready struct {
		Incident string `json:"incident"`
		Version  int    `json:"version"`
	}
	if err := json.Unmarshal([]byte(wait("case-ready")), &ready); err != nil {
		t.Fatal(err)
	}
	var k rca.KeptCase
	get(t, "http://"+addr+"/api/v1/incidents/"+ready.Incident+"/case", &k)
	if k.Version != ready.Version || k.Case.Incident.Alarms[0].Resource != "S010-PS1" || k.Case.Decision.Hypotheses[0].Mode != "FM-mains-failure" {
		t.Errorf("version %d, want %d: %s at %s", k.Version, ready.Version, k.Case.Decision.Hypotheses[0].Mode, k.Case.Incident.Alarms[0].Resource)
	}
	var list struct{ Items []graph.SourceCount }
	get(t, "http://"+addr+"/api/v1/sources", &list)
	listed := map[string]bool{}
	for _, s := range list.Items {
		listed[s.Source] = true
	}
	if !listed["ves"] || !listed["operator/inventory.json"] {
		t.Errorf("sources %v lack the feed or the inventory", listed)
	}
}

func TestAddressGoesWithTheService(t *testing.T) {
	a, dir := live(t)
	t.Run("while it runs", func(t *testing.T) { served(t, a) })
	if addr, _, ok := app.ServedAt(dir); ok {
		t.Errorf("a service that ended is still said to answer on %s", addr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Serve(ctx, app.ServeOptions{Addr: "256.0.0.1:1"}); err == nil {
		t.Error("an impossible address is no error")
	}
}

// TestRealCurl talks to the service with curl.
func TestRealCurl(t *testing.T) {
	curl := os.Getenv("FAULTLINE_CURL")
	if curl == "" {
		t.Skip("FAULTLINE_CURL does not name a curl program")
	}
	a, _ := live(t)
	base := "http://" + served(t, a)
	wait := follow(t, strings.TrimPrefix(base, "http://"))
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(curl, append([]string{"-sS", "--fail-with-body"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("curl %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	if status := run("-o", os.DevNull, "-w", "%{http_code}", "-H", "Content-Type: application/json", "-d", vesFault, base+"/eventListener/v7"); status != "202" {
		t.Errorf("VES event: status %s", status)
	}
	wait("case-ready")
	var list struct {
		Items []struct {
			ID       string
			Analysis struct{ Mode string }
		}
	}
	if err := json.Unmarshal([]byte(run(base+"/api/v1/incidents?q=S010-PS1")), &list); err != nil || len(list.Items) != 1 {
		t.Fatalf("%d incidents, %v", len(list.Items), err)
	}
	i := list.Items[0]
	if i.Analysis.Mode != "FM-mains-failure" {
		t.Errorf("cause %q", i.Analysis.Mode)
	}
	if text := run(fmt.Sprintf("%s/api/v1/incidents/%s/case.txt", base, i.ID)); !strings.Contains(text, "S010-PS1") {
		t.Errorf("the text of the case does not name the resource:\n%s", text)
	}
}
