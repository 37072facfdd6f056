package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"faultline/cmd/internal/app"
	"faultline/cmd/internal/plant"
	"faultline/graph"
	"faultline/hwsim/fault"
	"faultline/ingest"
	"faultline/rca"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// operator is the demo operator of the tests: its files, a data folder that has read
// all but the alarms, and, for checking alone, what broke.
type operator struct {
	files, data string
	run         *plant.Run
}

var (
	scratch      string
	demoOperator = sync.OnceValues(func() (operator, error) {
		o := operator{files: filepath.Join(scratch, "operator"), data: filepath.Join(scratch, "data")}
		c, err := plant.New(plant.Options{Size: "small", Seed: 1})
		if err != nil {
			return o, err
		}
		if o.run, err = c.Day(day); err != nil {
			return o, err
		}
		if err := c.WriteFiles(o.files, &plant.Run{}, o.run); err != nil {
			return o, err
		}
		a, err := app.Open(context.Background(), app.Options{DataDir: o.data, Now: func() time.Time { return day }})
		if err != nil {
			return o, err
		}
		_, err = a.IngestFiles(context.Background(), o.paths(plant.InventoryFile, plant.ManualsDir, plant.TicketsFile), app.FileOptions{Source: "operator"})
		return o, errors.Join(err, a.Close())
	})
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "faultline-app")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func theOperator(t *testing.T) operator {
	t.Helper()
	o, err := demoOperator()
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (o operator) paths(names ...string) []string {
	for i, n := range names {
		names[i] = filepath.Join(o.files, n)
	}
	return names
}

// folder is a new data folder that has read all but the alarms.
func (o operator) folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(o.data)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// broke is the entry of the script that a reference chain was chosen for.
func (o operator) broke(t *testing.T, chain string) fault.Entry {
	t.Helper()
	i := slices.IndexFunc(o.run.Script.Entries, func(e fault.Entry) bool { return e.Chain == chain })
	if i < 0 {
		t.Fatalf("the day has no %s", chain)
	}
	return o.run.Script.Entries[i]
}

func open(t *testing.T, dir string) *app.App {
	t.Helper()
	a, err := app.Open(t.Context(), app.Options{DataDir: dir, Now: func() time.Time { return day }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil && !errors.Is(err, graph.ErrClosed) {
			t.Error(err)
		}
	})
	return a
}

// events are the alarms of the day between two times after its beginning.
func (o operator) events(t *testing.T, a *app.App, from, to time.Duration) []rca.AlarmEvent {
	t.Helper()
	var out []rca.AlarmEvent
	_, err := a.ReadAlarms(t.Context(), filepath.Join(o.files, plant.AlarmsFile), app.FileOptions{Source: "alarms"}, func(e rca.AlarmEvent) error {
		if at := e.Time.Sub(day); at >= from && at < to {
			out = append(out, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func process(t *testing.T, a *app.App) []rca.Case {
	t.Helper()
	cases, err := a.Process(t.Context(), time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// state is all that a user can see of the incidents of an app.
func state(t *testing.T, a *app.App) string {
	t.Helper()
	var out []string
	for _, inc := range a.Incidents() {
		k, err := a.CaseOf(t.Context(), inc.ID)
		if err != nil {
			t.Fatalf("case of %s: %v", inc.ID, err)
		}
		out = append(out, asJSON(t, inc), asJSON(t, k))
	}
	return strings.Join(out, "\n")
}

func TestTheDayIsUnderstoodAndStays(t *testing.T) {
	o := theOperator(t)
	dir := o.folder(t)
	a := open(t, dir)
	reports, err := a.IngestFiles(t.Context(), o.paths(plant.AlarmsFile), app.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r := reports[0]; r.Emitted != len(o.run.Notifications) || r.Rejected != 0 {
		t.Errorf("took %d alarms and rejected %d, want %d and none", r.Emitted, r.Rejected, len(o.run.Notifications))
	}
	cases := process(t, a)
	if len(cases) != len(a.Incidents()) {
		t.Errorf("%d incidents, %d analysed", len(a.Incidents()), len(cases))
	}
	cut := o.broke(t, "trench-cut")
	i := slices.IndexFunc(cases, func(c rca.Case) bool {
		h := c.Decision.Hypotheses
		return len(h) > 0 && h[0].Mode == "FM-trench-cut" && string(h[0].Resource) == cut.Resource
	})
	if i < 0 {
		t.Fatalf("no incident names the cut of trench %s", cut.Resource)
	}
	c := cases[i]
	if h := c.Decision.Hypotheses[0]; !c.Decision.Determined || len(h.Path) == 0 || len(h.For) == 0 || c.Decision.Action == nil || c.Prediction == nil || len(c.Evidence) == 0 {
		t.Errorf("the case lacks a part: %s", asJSON(t, c))
	}
	if c.Incident.First.Before(cut.At) || c.Incident.First.After(cut.At.Add(5*time.Minute)) {
		t.Errorf("the incident began at %s, the trench was cut at %s", c.Incident.First, cut.At)
	}
	if again := process(t, a); len(again) != 0 {
		t.Errorf("%d incidents were analysed again though nothing changed", len(again))
	}
	before := state(t, a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir)
	if after := state(t, b); after != before {
		t.Error("after a restart incidents or cases differ")
	}
	if again := process(t, b); len(again) != 0 {
		t.Errorf("%d incidents were analysed again after a restart", len(again))
	}
}

func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	o := theOperator(t)
	var want string
	for round := range 20 {
		a := open(t, o.folder(t))
		events := o.events(t, a, 4*time.Hour, 7*time.Hour)
		r := rand.New(rand.NewPCG(1, uint64(round)))
		if round > 0 {
			events = append(events, events[:20]...) // some come twice
			r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		}
		for batch := range slices.Chunk(events, 1+r.IntN(200)) {
			if err := a.Accept(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			if round%4 == 1 {
				if _, err := a.Pending(t.Context()); err != nil { // incidents are put together on the way
					t.Fatal(err)
				}
			}
		}
		if _, err := a.Pending(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := asJSON(t, a.Incidents())
		if round == 0 {
			want = got
			if n := len(a.Incidents()); n < 5 {
				t.Fatalf("only %d incidents to compare", n)
			}
		} else if got != want {
			t.Fatalf("round %d: another order gave other incidents", round)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRejectsCostNothingElse(t *testing.T) {
	o := theOperator(t)
	a := open(t, o.folder(t))
	path := filepath.Join(t.TempDir(), "alarms.jsonl")
	rows := `{"id":"1","time":"2026-03-01T10:00:00Z","resource":"S010-PS1","type":"mains-input-failure-ac-fail","severity":"major"}
{"id":"2","time":"yesterday","resource":"S010-PS1","type":"mains-input-failure-ac-fail","severity":"major"}
{"id":"3","time":"2026-03-01T10:00:05Z","type":"mains-input-failure-ac-fail","severity":"major"}
not JSON at all
{"id":"4","time":"2026-03-01T10:00:09Z","resource":"S011-PS1","type":"mains-input-failure-ac-fail","severity":"major"}
`
	if err := os.WriteFile(path, []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	var rejects []string
	reports, err := a.IngestFiles(t.Context(), []string{path}, app.FileOptions{Reject: func(r ingest.Reject) { rejects = append(rejects, fmt.Sprint(r.Line, " ", r.Field)) }})
	if err != nil {
		t.Fatal(err)
	}
	if r := reports[0]; r.Records != 5 || r.Emitted != 2 || r.Rejected != 3 {
		t.Errorf("%d records, %d taken, %d rejected; want 5, 2, 3", r.Records, r.Emitted, r.Rejected)
	}
	if want := []string{"2 time", "3 resource", "4 "}; !slices.Equal(rejects, want) {
		t.Errorf("rejects %q, want %q", rejects, want)
	}
	if cases := process(t, a); len(cases) == 0 {
		t.Error("the good rows gave no incident")
	}
}

func TestDroppedSourceLeavesNoTrace(t *testing.T) {
	o := theOperator(t)
	a := open(t, o.folder(t))
	events := o.events(t, a, 4*time.Hour, 7*time.Hour)
	if err := a.Accept(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	process(t, a)
	before, latest := asJSON(t, a.Incidents()), a.Latest()
	other := slices.Clone(o.events(t, a, 4*time.Hour, 24*time.Hour))
	for i := range other {
		other[i].Source = "other"
	}
	if err := a.Accept(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	process(t, a)
	if asJSON(t, a.Incidents()) == before {
		t.Fatal("the second source changed nothing")
	}
	d, err := a.DropSource(t.Context(), "other")
	if err != nil {
		t.Fatal(err)
	}
	if d.Records != len(other) {
		t.Errorf("%d events went, want %d", d.Records, len(other))
	}
	process(t, a)
	if after := asJSON(t, a.Incidents()); after != before || !a.Latest().Equal(latest) {
		t.Error("incidents differ from those before the source came")
	}
	const manual = "operator/manuals/home_broadband.md"
	found := func() bool {
		hits, err := a.Search(t.Context(), "ONU dying gasp handling", 20)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(hits, func(h app.Hit) bool { return strings.Contains(h.Source, manual) })
	}
	if !found() {
		t.Fatal("the manual is not found before it is dropped")
	}
	if _, err := a.DropSource(t.Context(), manual); err != nil {
		t.Fatal(err)
	}
	if found() {
		t.Error("a dropped manual is found")
	}
	if _, err := a.DropSource(t.Context(), manual); !errors.Is(err, graph.ErrNotFound) {
		t.Errorf("dropping it again: %v, want not found", err)
	}
}

func TestAnIngestBetweenLosesNoAnalysis(t *testing.T) {
	o := theOperator(t)
	a := open(t, o.folder(t))
	if err := a.Accept(t.Context(), o.events(t, a, 4*time.Hour, 6*time.Hour)); err != nil {
		t.Fatal(err)
	}
	n, err := a.Pending(t.Context())
	if err != nil || n == 0 {
		t.Fatalf("%d incidents pending, %v", n, err)
	}
	path := filepath.Join(t.TempDir(), "note.md")
	if err := os.WriteFile(path, []byte("# Note\n\nNothing of interest.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := a.IngestFiles(t.Context(), []string{path}, app.FileOptions{}); err != nil {
		t.Fatal(err)
	}
	if cases := process(t, a); len(cases) != n {
		t.Errorf("%d incidents were analysed, %d had changed", len(cases), n)
	}
}

func TestExamineKeepsNothing(t *testing.T) {
	o := theOperator(t)
	a := open(t, o.folder(t))
	cases, err := a.ExamineFile(t.Context(), filepath.Join("testdata", "trench.csv"), app.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 || len(a.Incidents()) != 0 {
		t.Errorf("%d cases and %d incidents, want some and none", len(cases), len(a.Incidents()))
	}
	if _, err := a.ExamineFile(t.Context(), filepath.Join(o.files, plant.InventoryFile), app.FileOptions{}); !errors.Is(err, rca.ErrInvalid) {
		t.Errorf("an inventory as alarms: %v", err)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	if _, err := app.Open(t.Context(), app.Options{DataDir: dir, Now: time.Now}); !errors.Is(err, app.ErrInUse) {
		t.Errorf("a second open: %v, want in use", err)
	}
}

func TestTwoFilesAreTwoSources(t *testing.T) {
	a := open(t, t.TempDir())
	dir := t.TempDir()
	for _, sub := range []string{"x", "y"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, sub, "m.md"), []byte("# Manual "+sub+"\n\nText.\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	reports, err := a.IngestFiles(t.Context(), []string{filepath.Join(dir, "x"), filepath.Join(dir, "y")}, app.FileOptions{Source: "manuals"})
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{reports[0].Source, reports[1].Source}; !slices.Equal(got, []string{"manuals/x/m.md", "manuals/y/m.md"}) {
		t.Errorf("sources %q", got)
	}
	same := []string{filepath.Join(dir, "x", "m.md"), filepath.Join(dir, "y", "m.md")}
	if _, err := a.IngestFiles(t.Context(), same, app.FileOptions{Source: "manuals"}); !errors.Is(err, rca.ErrInvalid) {
		t.Errorf("two files that would be one source: %v", err)
	}
}

// A document may define alarm types under names that are taken. That must not lock
// anybody out of the data.
func TestClashingNamesOfADocument(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	path := filepath.Join(t.TempDir(), "events.yaml")
	text := `300.012:
    Type: Alarm
    Description: "Openflow Controller connection failed."
    Entity_Instance_ID: host=<hostname>.openflow-controller=<uri>
    Severity: major
    Proposed_Repair_Action: Check cabling.
    Alarm_Type: equipment
    Probable_Cause: loss-of-signal
`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := a.IngestFiles(t.Context(), []string{path}, app.FileOptions{}); err != nil {
		t.Fatal(err)
	}
	if name := a.Describe("STX-300.012"); name == "STX-300.012" {
		t.Error("the type that the document defines is not known")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestFaultyOptionsAreNamed(t *testing.T) {
	for _, c := range []struct{ format, mapping, severity, want string }{
		{"xml", "", "", "format"}, {"", "when=x", "", "when"}, {"", "", "purple", "severity"},
	} {
		if _, err := app.NewFileOptions(c.format, c.mapping, c.severity, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := app.Open(t.Context(), app.Options{DataDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "Now") {
		t.Errorf("no clock: %v", err)
	}
}
