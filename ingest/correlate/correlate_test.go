package correlate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/ingest/correlate"
	"faultline/rca"
	"faultline/rca/rcatest"
)

// Two radio units behind one trench, a third elsewhere.
const network = `
entity trench-1 Trench
entity fib-1 FibreSection:fronthaul
entity fib-2 FibreSection:fronthaul
entity fib-3 FibreSection:fronthaul
relation fib-1 LAID_IN trench-1
relation fib-2 LAID_IN trench-1
entity rru-1 RRU
entity rru-2 RRU
entity rru-3 RRU
entity cell-1 Cell
entity cell-2 Cell
entity cell-3 Cell
relation fib-1 SERVES rru-1
relation fib-2 SERVES rru-2
relation fib-3 SERVES rru-3
relation rru-1 SERVES cell-1
relation rru-2 SERVES cell-2
relation rru-3 SERVES cell-3
`

func knowledge(t *testing.T) *rca.Knowledge {
	t.Helper()
	edge := func(cause, effect, path string, lag time.Duration) rca.CausalEdge {
		ps, err := graph.ParsePaths(path)
		if err != nil {
			t.Fatal(err)
		}
		return rca.CausalEdge{Cause: cause, Effect: effect, Paths: ps, P: 0.9, LagMax: lag, Grade: "B", Source: "test"}
	}
	var types []rca.AlarmType
	for _, id := range []string{"LINK", "UNIT", "CELL", "SPARE"} {
		types = append(types, rca.AlarmType{ID: id, Slug: strings.ToLower(id), Name: "alarm " + id, Domain: "wireless"})
	}
	k, err := rca.NewKnowledge(types, []rca.FaultMode{
		{ID: "FM-cut", Domain: "transport", On: graph.Selector{Kind: "FibreSection"}, Rate: 1},
		{ID: "FM-trench", Domain: "transport", On: graph.Selector{Kind: "Trench"}, Rate: 0.1},
	}, nil, []rca.CausalEdge{
		edge("FM-cut", "LINK", "FibreSection SERVES> RRU", 10*time.Second),
		edge("FM-trench", "LINK", "Trench <LAID_IN FibreSection SERVES> RRU", 10*time.Second),
		edge("LINK", "UNIT", "RRU", time.Minute),
		edge("UNIT", "CELL", "RRU SERVES> Cell", time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func run(t *testing.T, scenario string, shuffle uint64) []rca.Incident {
	t.Helper()
	s, err := rcatest.Parse(strings.NewReader(network + scenario))
	if err != nil {
		t.Fatal(err)
	}
	c, err := correlate.New(correlate.Options{Knowledge: knowledge(t), Topology: s.Topology()})
	if err != nil {
		t.Fatal(err)
	}
	c.Plan(s.Maintenance)
	if shuffle > 0 {
		r := rand.New(rand.NewPCG(shuffle, 1))
		r.Shuffle(len(s.Events), func(i, j int) { s.Events[i], s.Events[j] = s.Events[j], s.Events[i] })
	}
	ctx := context.Background()
	for i, e := range s.Events {
		if err := c.Add(ctx, e); err != nil {
			t.Fatal(err)
		}
		if shuffle > 0 && i%3 == 0 { // settling in between must not matter
			if _, _, err := c.Changed(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	incs, err := c.Incidents(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return incs
}

func shape(incs []rca.Incident) string {
	var out []string
	for _, i := range incs {
		var as []string
		for _, a := range i.Alarms {
			as = append(as, a.AlarmKey.String())
		}
		out = append(out, strings.Join(as, " "))
	}
	return strings.Join(out, " | ")
}

func TestIncidents(t *testing.T) {
	for _, tc := range []struct{ name, scenario, want string }{
		{"a chain is one incident", "alarm +0 LINK rru-1 major\nalarm +5 UNIT rru-1 major\nalarm +9 CELL cell-1 critical", "LINK@rru-1 UNIT@rru-1 CELL@cell-1"},
		{"an alarm lost in the middle", "alarm +0 LINK rru-1 major\nalarm +9 CELL cell-1 critical", "LINK@rru-1 CELL@cell-1"},
		{"one trench, two units", "alarm +0 LINK rru-1 major\nalarm +2 LINK rru-2 major", "LINK@rru-1 LINK@rru-2"},
		{"no common cause", "alarm +0 LINK rru-1 major\nalarm +2 LINK rru-3 major", "LINK@rru-1 | LINK@rru-3"},
		{"same place, hours apart", "alarm +0 LINK rru-1 major\nalarm +60 LINK rru-1 cleared\nalarm +9000 UNIT rru-1 major", "LINK@rru-1 | UNIT@rru-1"},
		{"effect before cause within clock slack", "alarm +10 LINK rru-1 major\nalarm +0 UNIT rru-1 major", "UNIT@rru-1 LINK@rru-1"},
		{"effect long before cause", "alarm +1000 LINK rru-1 major\nalarm +0 UNIT rru-1 major", "UNIT@rru-1 | LINK@rru-1"},
		{"unknown type stands alone", "alarm +0 LINK rru-1 major\nalarm +1 raw/odd rru-1 minor", "LINK@rru-1 | raw/odd@rru-1"},
		{"resource that the inventory lacks", "alarm +0 LINK nowhere major", "LINK@nowhere"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := shape(run(t, tc.scenario, 0)); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestLateAlarmJoinsTwoIncidents(t *testing.T) {
	s, err := rcatest.Parse(strings.NewReader(network + "alarm +0 LINK rru-1 major\nalarm +100 CELL cell-1 critical\nalarm +50 UNIT rru-1 major"))
	if err != nil {
		t.Fatal(err)
	}
	k := knowledge(t)
	c, err := correlate.New(correlate.Options{Knowledge: k, Topology: s.Topology(), Slack: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	// The cell alarm alone lies outside LINK's two-step window of a minute each.
	if err := c.Add(ctx, s.Events[0]); err != nil {
		t.Fatal(err)
	}
	first, _, err := c.Changed(ctx)
	if err != nil || len(first) != 1 {
		t.Fatalf("got %d incidents, %v", len(first), err)
	}
	if err := c.Add(ctx, s.Events[1:]...); err != nil {
		t.Fatal(err)
	}
	changed, _, err := c.Changed(ctx)
	if err != nil || len(changed) != 1 || len(changed[0].Alarms) != 3 || changed[0].ID != first[0].ID {
		t.Fatalf("changed %s, %v", shape(changed), err)
	}
	again, gone, err := c.Changed(ctx)
	if err != nil || len(again)+len(gone) != 0 {
		t.Errorf("nothing came in, yet %d changed and %d went", len(again), len(gone))
	}
}

func TestEarlierRaiseRenamesTheIncident(t *testing.T) {
	s, err := rcatest.Parse(strings.NewReader(network + "alarm +5 UNIT rru-1 major\nalarm +0 LINK rru-1 major"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := correlate.New(correlate.Options{Knowledge: knowledge(t), Topology: s.Topology()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := c.Add(ctx, s.Events[0]); err != nil {
		t.Fatal(err)
	}
	first, _, err := c.Changed(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Add(ctx, s.Events[1]); err != nil {
		t.Fatal(err)
	}
	now, gone, err := c.Changed(ctx)
	if err != nil || len(now) != 1 || len(gone) != 1 || gone[0] != first[0].ID {
		t.Fatalf("now %s, gone %v, %v", shape(now), gone, err)
	}
}

func TestPlannedWork(t *testing.T) {
	incs := run(t, "work W1 +0 +600 rru-1\nalarm +60 LINK rru-1 major\nalarm +70 UNIT rru-1 major", 0)
	if len(incs) != 1 || !incs[0].Planned {
		t.Errorf("alarms on the resource under work are planned: %+v", incs)
	}
	incs = run(t, "work W1 +0 +600 rru-1\nalarm +60 LINK rru-1 major\nalarm +90 CELL cell-1 major", 0)
	if len(incs) != 1 || incs[0].Planned || !incs[0].Alarms[0].Planned {
		t.Errorf("an alarm elsewhere is not: %+v", incs)
	}
	if incs = run(t, "work W1 +0 +600 rru-1\nalarm +9000 LINK rru-1 major", 0); incs[0].Planned {
		t.Error("the window was over")
	}
}

func TestArrivalOrderNeverMatters(t *testing.T) {
	var b strings.Builder
	r := rand.New(rand.NewPCG(3, 3))
	for range 60 {
		n := 1 + r.IntN(3)
		typ, res := "LINK", fmt.Sprintf("rru-%d", n)
		switch r.IntN(3) {
		case 1:
			typ = "UNIT"
		case 2:
			typ, res = "CELL", fmt.Sprintf("cell-%d", n)
		}
		sev := []string{"major", "critical", "cleared"}[r.IntN(3)]
		fmt.Fprintf(&b, "alarm +%d %s %s %s\n", r.IntN(4000), typ, res, sev)
	}
	want, err := json.Marshal(run(t, b.String(), 0))
	if err != nil {
		t.Fatal(err)
	}
	if len(want) < 500 {
		t.Fatalf("scenario too thin: %s", want)
	}
	for seed := range uint64(100) {
		got, err := json.Marshal(run(t, b.String(), seed+1))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Fatalf("shuffle %d gave other incidents\ngot  %s\nwant %s", seed, got, want)
		}
	}
}

func TestOptionsAndEventsAreChecked(t *testing.T) {
	if _, err := correlate.New(correlate.Options{}); err == nil {
		t.Error("no knowledge, no error")
	}
	s, _ := rcatest.Parse(strings.NewReader(network))
	c, err := correlate.New(correlate.Options{Knowledge: knowledge(t), Topology: s.Topology()})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Add(context.Background(), rca.AlarmEvent{ID: "x"}); err == nil || !strings.Contains(err.Error(), "resource") {
		t.Errorf("got %v, want an error that names the field", err)
	}
}
