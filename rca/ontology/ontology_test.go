package ontology_test

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"faultline/graph"
	"faultline/rca/ontology"
)

func TestShippedKnowledge(t *testing.T) {
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(k.AlarmTypes()); n != 215 {
		t.Errorf("%d alarm types, want 215", n)
	}
	domains, grades, modes := map[string]int{}, map[string]int{}, 0
	for _, a := range k.AlarmTypes() {
		domains[a.Domain]++
	}
	for _, e := range k.Edges() {
		if _, isMode := k.FaultMode(e.Cause); isMode {
			modes++
			continue
		}
		if !strings.HasPrefix(e.Source, "Faultline") { // ours are beside the published list
			grades[e.Grade]++
		}
	}
	if got := fmt.Sprint(domains); got != "map[cloud:29 core:24 home_broadband:26 ip:22 power_env:30 transport:44 wireless:40]" {
		t.Errorf("alarm types by domain: %s", got)
	}
	if got := fmt.Sprint(grades); got != "map[A:45 B:155 C:46]" {
		t.Errorf("edges by grade: %s", got)
	}
	for _, m := range k.FaultModes() {
		if len(list(k.Effects(m.ID))) == 0 {
			t.Errorf("fault mode %s shows nothing", m.ID)
		}
		if _, ok := k.Procedure(m.Procedure); !ok {
			t.Errorf("fault mode %s has no procedure", m.ID)
		}
	}
}

func TestEveryTypeAndModeIsExplained(t *testing.T) {
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}
	texts, names := map[string]string{}, map[string]string{}
	check := func(id, text string) {
		if n := len(strings.Fields(text)); n < 10 || n > 60 || !strings.HasSuffix(text, ".") {
			t.Errorf("%s: text of %d words is not a sentence or two: %q", id, n, text)
		}
		if other, dup := texts[text]; dup {
			t.Errorf("%s and %s have the same text", id, other)
		}
		texts[text] = id
	}
	for _, a := range k.AlarmTypes() {
		check(a.ID, a.Text)
		names[strings.ToLower(a.Name)] = a.ID
	}
	for _, m := range k.FaultModes() {
		check(m.ID, m.Text)
	}
	for _, a := range k.AlarmTypes() {
		if len(a.Aliases) == 0 && !a.Noise {
			t.Errorf("%s has no other name", a.ID)
		}
		for _, alias := range a.Aliases {
			if id, taken := names[strings.ToLower(alias)]; taken && id != a.ID {
				t.Errorf("alias %q of %s is the name of %s", alias, a.ID, id)
			}
			if id, ok := k.ResolveAlarmType(strings.ToUpper(alias)); !ok || id != a.ID {
				t.Errorf("alias %q resolves to %q, want %s", alias, id, a.ID)
			}
		}
	}
}

func list[T any](seq func(func(T) bool)) (out []T) {
	seq(func(v T) bool { out = append(out, v); return true })
	return out
}

// broken returns the shipped files with one replaced.
func broken(t *testing.T, file, old, with string) fs.FS {
	t.Helper()
	m := fstest.MapFS{}
	for _, f := range []string{"alarm_types.csv", "causal_edges.csv", "engineering_edges.csv", "fault_effects.csv", "fault_modes.csv", "procedures.csv"} {
		b, err := os.ReadFile("data/" + f)
		if err != nil {
			t.Fatal(err)
		}
		if f == file {
			s := strings.Replace(string(b), old, with, 1)
			if s == string(b) {
				t.Fatalf("%q is not in %s", old, f)
			}
			b = []byte(s)
		}
		m[f] = &fstest.MapFile{Data: b}
	}
	return m
}

func TestLoaderNamesTheFault(t *testing.T) {
	for _, tc := range []struct{ name, file, old, with, want string }{
		{"dangling effect", "causal_edges.csv", "PE01,PE10,", "PE01,PE99,", `line 2: effect: unknown id "PE99"`},
		{"path off the model", "causal_edges.csv", "Battery <CONTAINS PowerSystem CONTAINS> DCDistribution", "Battery <HOSTS PowerSystem CONTAINS> DCDistribution", "no PowerSystem -HOSTS-> Battery"},
		{"path from elsewhere", "causal_edges.csv", "PE10,PE11,Battery", "PE10,PE11,Rectifier", "starts at Rectifier, but PE10 stands on"},
		{"probability", "causal_edges.csv", "Battery\",0.9,0s", "Battery\",1.9,0s", `p: "1.9"`},
		{"lag", "causal_edges.csv", "0.9,0s,3m,A", "0.9,5m,3m,A", "lag_max"},
		{"grade", "causal_edges.csv", "0s,3m,A,", "0s,3m,Z,", `grade: "Z"`},
		{"cycle", "causal_edges.csv", "PE11,PE16,Battery <CONTAINS PowerSystem CONTAINS> DCDistribution", "PE11,PE10,Battery", "closes a cycle"},
		{"noise with an edge", "alarm_types.csv", "AC mains failure,,HWN", "AC mains failure,true,HWN", "touches a noise type"},
		{"unreachable type", "fault_effects.csv", "FM-licence-expired,WL38", "FM-licence-expired,WL22", "WL38 can be reached from no fault mode"},
		{"severity", "alarm_types.csv", ",major,", ",terrible,", "severity"},
		{"twice", "alarm_types.csv", "\nPE02,", "\nPE01,", "stands twice"},
		{"ragged row", "procedures.csv", ",Faultline\n", ",Faultline,extra\n", "wrong number of fields"},
		{"risk", "procedures.csv", ",low,", ",none,", "risk"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ontology.LoadFS(broken(t, tc.file, tc.old, tc.with), graph.ResourceSchema())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v\nwant an error with %q", err, tc.want)
			}
		})
	}
}

func TestKnowledgeSurvivesTheGraph(t *testing.T) {
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}

	for _, c := range k.Changes(ontology.Source, ontology.Version, epoch) {
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
	}
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
