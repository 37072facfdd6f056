package localize_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline/agents"
	"faultline/agents/localize"
	"faultline/agents/scope"
	"faultline/graph"
	"faultline/rca"
	"faultline/rca/rcatest"
)

// A cable feeds two units; a unit serves a cell and its customers; a router works elsewhere.
const network = `
entity cable Cable
entity unit-1 Unit
entity unit-2 Unit
entity rack Rack
entity cell-1 Cell
entity users-1 CustomerGroup
relation cable CARRIES unit-1
relation cable CARRIES unit-2
relation rack CONTAINS unit-1
relation unit-1 SERVES cell-1
relation cell-1 SERVES users-1
`

func knowledge(t *testing.T) *rca.Knowledge {
	t.Helper()
	edge := func(cause, effect, path string) rca.CausalEdge {
		p, err := graph.ParsePaths(path)
		if err != nil {
			t.Fatal(err)
		}
		return rca.CausalEdge{Cause: cause, Effect: effect, Paths: p, P: 0.9, LagMax: time.Minute, Grade: "B", Source: "test"}
	}
	k, err := rca.NewKnowledge([]rca.AlarmType{
		{ID: "NOLIGHT", Domain: "transport"}, {ID: "UNITDOWN", Domain: "wireless"}, {ID: "CELLDOWN", Domain: "wireless"},
	}, []rca.FaultMode{
		{ID: "FM-cable", Domain: "transport", Rate: 0.1}, {ID: "FM-unit", Domain: "wireless", Rate: 0.1},
		{ID: "FM-work", Domain: "wireless", Rate: 0.1, Planned: true},
	}, nil, []rca.CausalEdge{
		edge("FM-cable", "NOLIGHT", "Cable CARRIES> Unit"), edge("FM-unit", "UNITDOWN", "Unit"), edge("FM-work", "UNITDOWN", "Unit"),
		edge("NOLIGHT", "UNITDOWN", "Unit"), edge("UNITDOWN", "CELLDOWN", "Unit SERVES> Cell"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func analyse(t *testing.T, scenario string, bias ...rca.Suspect) *agents.Pass {
	t.Helper()
	sc, err := rcatest.Parse(strings.NewReader(network + scenario))
	if err != nil {
		t.Fatal(err)
	}
	p := &agents.Pass{Knowledge: knowledge(t), Topology: sc.Topology(), Maintenance: sc.Maintenance, Bias: bias, Incident: rca.Incident{ID: "INC", First: rcatest.Epoch}}
	for _, e := range sc.Events {
		p.Incident.Alarms = append(p.Incident.Alarms, rca.Fold([]rca.AlarmEvent{e}, time.Minute)...)
	}
	first := scope.Agent()
	team, err := agents.NewTeam(append(localize.Agents(first), first)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := team.Localize(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	return p
}

func find(p *agents.Pass, mode, resource string) *rca.Suspect {
	i := slices.IndexFunc(p.Suspects, func(s rca.Suspect) bool { return s.Mode == mode && string(s.Resource) == resource })
	if i < 0 {
		return nil
	}
	return &p.Suspects[i]
}

func TestTheDomainAtFaultIsNotTheOneThatShouts(t *testing.T) {
	p := analyse(t, "alarm +0 NOLIGHT unit-1 major\nalarm +0 NOLIGHT unit-2 major\nalarm +3 UNITDOWN unit-1 major\nalarm +3 UNITDOWN unit-2 major\nalarm +5 CELLDOWN cell-1 critical")
	if p.Scope.Domain != "transport" {
		t.Errorf("scope says %s of %v", p.Scope.Domain, p.Scope.Scores)
	}
	if find(p, "FM-cable", "cable") == nil || find(p, "FM-unit", "unit-1") == nil {
		t.Errorf("suspects %+v", p.Suspects)
	}
	if !slices.Contains(p.Scope.Impact, "users-1") || !slices.Contains(p.Scope.Impact, "cell-1") {
		t.Errorf("impact %v", p.Scope.Impact)
	}
}

func TestUnseenAlarmsLieBetween(t *testing.T) {
	p := analyse(t, "alarm +0 CELLDOWN cell-1 critical")
	if find(p, "FM-cable", "cable") == nil {
		t.Errorf("the cable, two unseen alarms away, is no suspect: %+v", p.Suspects)
	}
	if find(p, "FM-unit", "unit-2") != nil {
		t.Error("unit-2 does not serve cell-1")
	}
}

func TestPlannedWorkIsSuspectedWhereItWasAnnounced(t *testing.T) {
	const alarm = "alarm +60 UNITDOWN unit-1 major\n"
	if s := find(analyse(t, alarm), "FM-work", "unit-1"); s == nil || s.Prior >= 1 {
		t.Errorf("work that nobody announced: %+v", s)
	}
	s := find(analyse(t, alarm+"work W1 +0 +3600 rack"), "FM-work", "unit-1")
	if s == nil || s.Prior <= 1 || !strings.Contains(s.Reason, "W1") {
		t.Errorf("work announced on the rack that holds the unit: %+v", s)
	}
	if s := find(analyse(t, alarm+"work W1 +9000 +9600 rack"), "FM-work", "unit-1"); s == nil || s.Prior >= 1 {
		t.Errorf("work announced for later: %+v", s)
	}
}

func TestPastCasesWeighIn(t *testing.T) {
	p := analyse(t, "alarm +0 UNITDOWN unit-1 major", rca.Suspect{Mode: "FM-unit", Resource: "unit-1", Prior: 2, Reason: "case 7"})
	if s := find(p, "FM-unit", "unit-1"); s == nil || s.Prior != 2 || s.Reason != "case 7" {
		t.Errorf("got %+v", s)
	}
}

func TestNothingToFind(t *testing.T) {
	p := analyse(t, "alarm +0 STRANGE unit-9 major")
	if len(p.Suspects) != 0 || p.Scope.Domain != "" || len(p.Trail) == 0 {
		t.Errorf("got %+v, scope %+v", p.Suspects, p.Scope)
	}
}
