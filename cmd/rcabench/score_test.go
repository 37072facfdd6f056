package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/rca"
)

func alarm(typ, resource string) rca.Alarm {
	return rca.Alarm{AlarmKey: rca.AlarmKey{Type: typ, Resource: graph.ID(resource)}, Raised: time.Unix(0, 0)}
}

func hypothesis(mode, resource, domain string, conf float64, path ...rca.PathEdge) rca.Hypothesis {
	return rca.Hypothesis{Mode: mode, Resource: graph.ID(resource), Domain: domain, Confidence: conf, Path: path}
}

func at(keys ...string) (out []seen) {
	for _, k := range keys {
		out = append(out, seen{k, time.Unix(30, 0)})
	}
	return out
}

func step(from, to rca.Alarm) rca.PathEdge {
	return rca.PathEdge{From: from.AlarmKey, To: to.AlarmKey, Grade: "B"}
}

func TestScore(t *testing.T) {
	a, b, c := alarm("A", "x"), alarm("B", "y"), alarm("C", "z")
	root := rca.Alarm{AlarmKey: rca.AlarmKey{Type: "FM-1", Resource: "x"}}
	first := analysed{
		Case: rca.Case{
			Incident: rca.Incident{ID: "I1", Alarms: []rca.Alarm{a, b}},
			Decision: rca.Decision{Determined: true, Hypotheses: []rca.Hypothesis{
				hypothesis("FM-2", "x", "ip", 0.6, step(root, a)), hypothesis("FM-1", "x", "ip", 0.4),
			}},
		},
		took: 3 * time.Millisecond, baseline: map[string]string{"first alarm": "FM-1@x", "highest severity": "FM-2@x"},
	}
	second := analysed{
		Case: rca.Case{
			Incident: rca.Incident{ID: "I2", Alarms: []rca.Alarm{c}},
			Decision: rca.Decision{Determined: true, Hypotheses: []rca.Hypothesis{hypothesis("FM-3", "z", "core", 0.9)}},
		},
		took: time.Millisecond, baseline: map[string]string{},
	}
	card := score([]truth{
		{id: "F1", mode: "FM-1", resource: "x", domain: "ip", alarms: at("A@x", "B@y"), edges: [][2]string{{"FM-1@x", "A@x"}, {"A@x", "B@y"}}},
		{id: "F2", mode: "FM-3", resource: "z", domain: "core", alarms: at("C@z")},
		{id: "F3", mode: "FM-4", resource: "q", domain: "core", alarms: at("D@q")},
	}, []analysed{first, second})
	f := pool(card.outcomes)
	for _, x := range []struct {
		name      string
		got, want float64
	}{
		{"AC@1", f.ac1, 1. / 3}, {"AC@3", f.ac3, 2. / 3}, {"MRR", f.mrr, 0.5}, {"place", f.place, 2. / 3}, {"domain", f.domain, 2. / 3},
		{"path F1", f.path, 2. / 3}, {"abstained", f.abstain, 1. / 3}, {"ECE", f.ece, (0.6 + 0.1) / 2},
		{"first alarm", baselineAC1(card.outcomes, "first alarm"), 1. / 3}, {"highest severity", baselineAC1(card.outcomes, "highest severity"), 0},
	} {
		if math.Abs(x.got-x.want) > 1e-9 {
			t.Errorf("%s is %g, want %g", x.name, x.got, x.want)
		}
	}
	if card.p50 != time.Millisecond || card.p99 != 3*time.Millisecond {
		t.Errorf("latency p50 %s p99 %s", card.p50, card.p99)
	}
	if lo, hi := interval(card.outcomes, 1, func(f figures) float64 { return f.ac3 }); lo > 2./3 || hi < 2./3 || lo == hi {
		t.Errorf("interval %g to %g", lo, hi)
	}
	var out strings.Builder
	if err := card.print(&out, 1); err != nil || !strings.Contains(out.String(), "baseline: first alarm") {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestTwoFaultsInOneIncident(t *testing.T) {
	c := analysed{Case: rca.Case{
		Incident: rca.Incident{ID: "I", Alarms: []rca.Alarm{alarm("A", "x"), alarm("B", "y")}},
		Decision: rca.Decision{
			Determined: true, Causes: []rca.Cause{{Mode: "FM-1", Resource: "x"}, {Mode: "FM-2", Resource: "y"}},
			Hypotheses: []rca.Hypothesis{hypothesis("FM-1", "x", "ip", 0.9), hypothesis("FM-2", "y", "core", 0.8)},
		},
	}}
	truths := []truth{
		{id: "F1", mode: "FM-1", resource: "x", domain: "ip", alarms: at("A@x")},
		{id: "F2", mode: "FM-2", resource: "y", domain: "core", alarms: at("B@y")},
	}
	if f := pool(score(truths, []analysed{c}).outcomes); f.ac1 != 1 || f.domain != 1 {
		t.Errorf("both are named: AC@1 %g, domain %g", f.ac1, f.domain)
	}
	// One fault: the second cause is not a second guess.
	if f := pool(score(truths[1:], []analysed{c}).outcomes); f.ac1 != 0 || f.mrr != 0.5 {
		t.Errorf("one fault, two answers: AC@1 %g, MRR %g", f.ac1, f.mrr)
	}
}
