package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"faultline/rca"
	"faultline/rca/pipeline"
)

var now = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// fakes answers every seam and fails the test on a call out of order.
type fakes struct {
	t     *testing.T
	calls string
	fail  string
	stuck bool // the reasoner reaches no decision
	kept  []rca.Case
}

func (f *fakes) step(name, after string) error {
	f.t.Helper()
	if !strings.HasSuffix(f.calls, after) {
		f.t.Errorf("%s called after %q, want after %q", name, f.calls, after)
	}
	f.calls += name + " "
	if f.fail == name {
		return errors.New(name + " broke")
	}
	return nil
}

func (f *fakes) Retrieve(context.Context, rca.Incident) ([]rca.Evidence, error) {
	return []rca.Evidence{{Kind: rca.EvidenceDocument, Text: "manual"}}, f.step("retrieve", "")
}

func (f *fakes) Localize(_ context.Context, _ rca.Incident, ev []rca.Evidence) (rca.Scope, []rca.Suspect, []rca.TrailEntry, error) {
	if len(ev) != 1 {
		f.t.Errorf("agents got %d items of evidence", len(ev))
	}
	return rca.Scope{Domain: "ip"}, []rca.Suspect{{Mode: "FM-x", Resource: "r"}}, []rca.TrailEntry{{Step: "scope"}}, f.step("localize", "retrieve ")
}

func (f *fakes) Decide(_ context.Context, _ rca.Incident, s []rca.Suspect, _ []rca.Evidence, at time.Time) (rca.Decision, error) {
	if len(s) != 1 || !at.Equal(now) {
		f.t.Errorf("reasoner got %v at %s", s, at)
	}
	d := rca.Decision{Determined: true, Reason: "because", Action: &rca.Action{Kind: "mend", Resource: "r"}, Hypotheses: []rca.Hypothesis{{Mode: "FM-x", For: []rca.Evidence{{}}}}}
	if f.stuck {
		d.Determined, d.Action = false, nil
	}
	return d, f.step("decide", "localize ")
}

func (f *fakes) Rehearse(_ context.Context, _ rca.Incident, a rca.Action, _ time.Time) (rca.Prediction, error) {
	return rca.Prediction{Risk: a.Kind}, f.step("rehearse", "decide ")
}

func (f *fakes) Apply(context.Context, rca.Action) (rca.Observation, error) {
	return rca.Observation{}, f.step("apply", "rehearse ")
}

func (f *fakes) Add(_ context.Context, c rca.Case) error {
	f.kept = append(f.kept, c)
	return f.step("remember", "")
}

func (f *fakes) options() pipeline.Options {
	return pipeline.Options{
		Retriever: f, Localizer: f, Reasoner: f, Rehearser: f, Plant: f, Rememberer: f, Now: func() time.Time { return now },
		Verify: func(rca.Prediction, rca.Observation) rca.Verdict {
			return rca.Verdict{Confirmed: true, Reason: "as predicted"}
		},
	}
}

func TestRunIsOneStraightLine(t *testing.T) {
	f := &fakes{t: t}
	p, err := pipeline.New(f.options())
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Run(context.Background(), rca.Incident{ID: "INC-1"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if f.calls != "retrieve localize decide rehearse apply remember " {
		t.Errorf("calls %q", f.calls)
	}
	if c.Verdict == nil || !c.Verdict.Confirmed || c.Prediction == nil || c.Scope.Domain != "ip" || len(f.kept) != 1 {
		t.Errorf("case %+v", c)
	}
	if c.Evidence[0].ID != "E1" || c.Decision.Hypotheses[0].For[0].ID != "E2" {
		t.Error("the ledger is not numbered through")
	}
}

func TestNothingIsRehearsedWithoutADecision(t *testing.T) {
	f := &fakes{t: t, stuck: true}
	p, err := pipeline.New(f.options())
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Run(context.Background(), rca.Incident{ID: "INC-1"}, now)
	if err != nil || c.Prediction != nil || f.calls != "retrieve localize decide remember " {
		t.Errorf("%v, calls %q", err, f.calls)
	}
}

func TestAFailingStepIsNamedAndStopsTheRun(t *testing.T) {
	for _, step := range []string{"retrieve", "localize", "decide", "rehearse", "apply", "remember"} {
		f := &fakes{t: t, fail: step}
		p, err := pipeline.New(f.options())
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Run(context.Background(), rca.Incident{ID: "INC-1"}, now)
		if err == nil || !strings.Contains(err.Error(), step) {
			t.Errorf("%s: got %v", step, err)
		}
		if step != "remember" && len(f.kept) != 0 {
			t.Errorf("%s: a broken case was kept", step)
		}
	}
}

func TestOptionsNameWhatIsMissing(t *testing.T) {
	f := &fakes{t: t}
	for want, o := range map[string]pipeline.Options{
		"Localizer": {Reasoner: f, Now: time.Now}, "Reasoner": {Localizer: f, Now: time.Now}, "Now": {Localizer: f, Reasoner: f},
		"Verify": {Localizer: f, Reasoner: f, Now: time.Now, Plant: f},
	} {
		if _, err := pipeline.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error that names %s, got %v", want, err)
		}
	}
}
