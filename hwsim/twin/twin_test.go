package twin

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"faultline/graph"
	"faultline/hwsim"
	"faultline/rca"
)

var day = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// inventory is a graph.Reader over lines "id Kind:role" and "a REL b c".
type inventory struct {
	entities []graph.Entity
	out      map[graph.ID][]graph.Relation
}

func (v inventory) Entity(_ context.Context, id graph.ID, _ graph.AsOf) (graph.Entity, error) {
	for _, e := range v.entities {
		if e.ID == id {
			return e, nil
		}
	}
	return graph.Entity{}, graph.ErrNotFound
}

func (v inventory) Relations(_ context.Context, id graph.ID, _ graph.Filter) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		for _, r := range v.out[id] {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (v inventory) Find(context.Context, graph.Query) iter.Seq2[graph.Entity, error] {
	return func(yield func(graph.Entity, error) bool) {
		for _, e := range v.entities {
			if !yield(e, nil) {
				return
			}
		}
	}
}

const sectors = `
GNB NE:gnb
B1 Board:bbu
P1 Port:fronthaul
P2 Port:fronthaul
M1 OpticalModule
L1 Link:fronthaul
L2 Link:fronthaul
F1 FibreSection
F2 FibreSection
TR Trench
RRU1 RRU
RRU2 RRU
C1 Cell
C2 Cell
CG CustomerGroup
PE01 AlarmType
GNB CONTAINS B1
B1 CONTAINS P1 P2
P1 CONTAINS M1
B1 HOSTS C1 C2
L1 CONNECTS P1 RRU1
L2 CONNECTS P2 RRU2
F1 CARRIES L1
F2 CARRIES L2
F1 LAID_IN TR
F2 LAID_IN TR
RRU1 SERVES C1
RRU2 SERVES C2
C1 SERVES CG
CG DEFINES PE01
`

func read(text string) inventory {
	v := inventory{out: map[graph.ID][]graph.Relation{}}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 2:
			kind, role, _ := strings.Cut(f[1], ":")
			v.entities = append(v.entities, graph.Entity{ID: graph.ID(f[0]), Kind: graph.Kind(kind), Role: role})
		case len(f) > 2:
			for _, to := range f[2:] {
				v.out[graph.ID(f[0])] = append(v.out[graph.ID(f[0])], graph.Relation{From: graph.ID(f[0]), Type: graph.RelationType(f[1]), To: graph.ID(to)})
			}
		}
	}
	return v
}

// alarmID translates as the shipped knowledge does.
func alarmID(t testing.TB) func(string) (string, bool) {
	t.Helper()
	f, err := os.Open("../../rca/ontology/data/alarm_types.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, r := range rows[1:] {
		ids[r[1]] = r[0]
	}
	return func(slug string) (string, bool) { id, ok := ids[slug]; return id, ok }
}

func newTwin(t testing.TB) *Twin {
	t.Helper()
	tw, err := New(t.Context(), Options{Graph: read(sectors), AlarmID: alarmID(t), Known: day.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return tw
}

// incident has alarms "TYPE@resource", a second apart, all standing.
func incident(keys ...string) rca.Incident {
	inc := rca.Incident{ID: "INC", First: day, Last: day.Add(time.Duration(len(keys)) * time.Second)}
	for i, k := range keys {
		typ, res, _ := strings.Cut(k, "@")
		inc.Alarms = append(inc.Alarms, rca.Alarm{AlarmKey: rca.AlarmKey{Resource: graph.ID(res), Type: typ}, Raised: day.Add(time.Duration(i) * time.Second)})
	}
	return inc
}

func keys(list []rca.AlarmKey) string {
	var out []string
	for _, k := range list {
		out = append(out, k.String())
	}
	return strings.Join(out, " ")
}

func TestRehearse(t *testing.T) {
	tw := newTwin(t)
	for _, c := range []struct {
		name                         string
		action                       rca.Action
		alarms                       []string
		cleared, remaining, restored string
		disturbed, risk, note        string
	}{
		{name: "trench repair brings both sectors back and leaves a stranger", action: rca.Action{Kind: "repair-trench", Mode: "FM-trench-cut", Resource: "TR", Risk: "high"},
			alarms:  []string{"WL08@M1", "WL03@RRU1", "WL03@RRU2", "WL31@C1", "WL38@GNB"},
			cleared: "WL31@C1 WL08@M1 WL03@RRU1 WL03@RRU2", remaining: "WL38@GNB", restored: "C1 C2 CG", risk: "high"},
		{name: "the wrong fibre leaves the other's alarm", action: rca.Action{Kind: "repair-fibre", Mode: "FM-fibre-cut", Resource: "F2"},
			alarms: []string{"WL03@RRU1", "WL03@RRU2"}, cleared: "WL03@RRU2", remaining: "WL03@RRU1", restored: "C2", risk: "low"},
		{name: "a new board takes the healthy sector down for a while", action: rca.Action{Kind: "replace-unit", Mode: "FM-bbu-board", Resource: "B1", Risk: "medium"},
			alarms: []string{"WL23@B1", "WL31@C1"}, cleared: "WL23@B1 WL31@C1", restored: "C1 C2 CG", risk: "medium"},
		{name: "a restart for a licence disturbs every cell", action: rca.Action{Kind: "restart", Mode: "FM-gnss-fault", Resource: "GNB"},
			alarms: []string{"WL22@GNB"}, cleared: "WL22@GNB", disturbed: "C1 C2 CG", risk: "medium"},
		{name: "a mode that the models lack", action: rca.Action{Kind: "repair-unit", Mode: "FM-lightning", Resource: "RRU1"},
			alarms: []string{"WL03@RRU1", "WL31@C1", "WL03@RRU2"}, cleared: "WL31@C1 WL03@RRU1", remaining: "WL03@RRU2", restored: "C1", risk: "low", note: "structure alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := tw.Digest()
			pred, err := tw.Rehearse(t.Context(), incident(c.alarms...), c.action, day.Add(10*time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			got := []string{keys(pred.Cleared), strings.Trim(fmt.Sprint(pred.Restored), "[]"), strings.Trim(fmt.Sprint(pred.Disturbed), "[]"), pred.Risk}
			if want := []string{c.cleared, c.restored, c.disturbed, c.risk}; !slices.Equal(got, want) {
				t.Errorf("cleared, restored, disturbed, risk = %q, want %q", got, want)
			}
			if keys(pred.Remaining) != c.remaining {
				t.Errorf("remaining %s, want %s", keys(pred.Remaining), c.remaining)
			}
			if !strings.Contains(pred.Note, c.note) || pred.Rollback == "" || pred.DataAge != 70*time.Minute {
				t.Errorf("note %q, rollback %q, age %s", pred.Note, pred.Rollback, pred.DataAge)
			}
			if tw.Digest() != before {
				t.Error("the rehearsal changed the twin")
			}
		})
	}
}

func TestRehearsalsDoNotDisturbEachOther(t *testing.T) {
	tw := newTwin(t)
	inc := incident("WL08@M1", "WL03@RRU1", "WL31@C1")
	a := rca.Action{Kind: "repair-trench", Mode: "FM-trench-cut", Resource: "TR"}
	var out [8]string
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() {
			pred, err := tw.Rehearse(t.Context(), inc, a, day.Add(time.Hour))
			out[i] = fmt.Sprint(pred, err)
		})
	}
	wg.Wait()
	for _, o := range out {
		if o != out[0] {
			t.Errorf("one rehearsal says %s, another %s", out[0], o)
		}
	}
}

func TestTheTwinDoesNotKnowThePlantsFault(t *testing.T) {
	tw := newTwin(t)
	clean := tw.Digest()
	plant, err := hwsim.NewPlant(hwsim.PlantOptions{Network: tw.base.Network(), Seed: 3, Start: day})
	if err != nil {
		t.Fatal(err)
	}
	if err := plant.Inject(hwsim.Fault{ID: "secret", Mode: "trench-cut", Resource: "TR", At: day}); err != nil {
		t.Fatal(err)
	}
	if len(plant.Advance(day.Add(time.Hour))) == 0 {
		t.Fatal("the plant's fault shows nothing")
	}
	if again := newTwin(t); again.Digest() != clean || tw.Digest() != clean || again.base.Impaired("RRU1") {
		t.Error("the plant's fault shows in the twin")
	}
}

func TestRefusals(t *testing.T) {
	tw := newTwin(t)
	for _, c := range []struct {
		inc  rca.Incident
		a    rca.Action
		want string
	}{
		{incident("WL31@C1"), rca.Action{Mode: "FM-trench-cut", Resource: "NOWHERE"}, `"NOWHERE": not in the inventory`},
		{rca.Incident{ID: "EMPTY", First: day}, rca.Action{Mode: "FM-trench-cut", Resource: "TR"}, "EMPTY: no alarms"},
	} {
		if _, err := tw.Rehearse(t.Context(), c.inc, c.a, day); !errors.Is(err, rca.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if _, err := New(t.Context(), Options{Graph: read(sectors)}); !errors.Is(err, rca.ErrInvalid) || !strings.Contains(err.Error(), "AlarmID") {
		t.Errorf("without translation: %v", err)
	}
	if _, err := New(t.Context(), Options{AlarmID: alarmID(t)}); !errors.Is(err, rca.ErrInvalid) || !strings.Contains(err.Error(), "Graph") {
		t.Errorf("without graph: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tw.Rehearse(ctx, incident("WL31@C1"), rca.Action{Resource: "TR"}, day); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Every mode that stands for taking a resource out of service must be one that the
// devices know on that kind, else its disturbance would be left out silently.
func TestTakenOutModesExist(t *testing.T) {
	modes := map[string]string{}
	for _, m := range hwsim.Modes() {
		modes[m.Name] = m.On
	}
	for on, mode := range takenOut {
		kind, role, _ := strings.Cut(on, ":")
		mk, roles, _ := strings.Cut(modes[mode], ":")
		if mk != kind || role != "" && roles != "" && !slices.Contains(strings.Split(roles, ","), role) {
			t.Errorf("%s on %s: the mode is for %q", mode, on, modes[mode])
		}
	}
}

// The twin must not see how faults are planned.
func TestNeverReadsGroundTruth(t *testing.T) {
	for _, file := range []string{"twin.go", "work.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, im := range f.Imports {
			if p := strings.Trim(im.Path.Value, `"`); strings.HasPrefix(p, "faultline/") && !slices.Contains([]string{"faultline/graph", "faultline/rca", "faultline/hwsim"}, p) {
				t.Errorf("%s imports %s", file, p)
			}
		}
	}
}
