package agents_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"faultline/agents"
)

func agent(name string, log *[]string, needs ...*agents.Agent) *agents.Agent {
	return &agents.Agent{Name: name, Doc: "test", Requires: needs, Run: func(_ context.Context, p *agents.Pass) error {
		*log = append(*log, name)
		p.Note(name, "ran")
		return nil
	}}
}

func TestTeamRunsNeedsFirstAndOnce(t *testing.T) {
	var log []string
	a := agent("a", &log)
	b := agent("b", &log, a)
	c := agent("c", &log, a, b)
	team, err := agents.NewTeam(c, b)
	if err != nil {
		t.Fatal(err)
	}
	p := &agents.Pass{}
	if err := team.Localize(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(log, " "); got != "a b c" {
		t.Errorf("ran %q", got)
	}
	if len(p.Trail) != 3 || p.Trail[0].Step != "a" {
		t.Errorf("trail %v", p.Trail)
	}
}

func TestTeamRefuses(t *testing.T) {
	var log []string
	loop := agent("loop", &log)
	loop.Requires = []*agents.Agent{loop}
	twin1, twin2 := agent("twin", &log), agent("twin", &log)
	mute := agent("mute", &log)
	mute.Doc = ""
	idle := agent("idle", &log)
	idle.Run = nil
	for name, members := range map[string][]*agents.Agent{
		"cycle": {loop}, "two of one name": {twin1, twin2}, "no doc": {mute}, "no run": {idle},
	} {
		if _, err := agents.NewTeam(members...); !errors.Is(err, agents.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTeamStopsAtTheFirstErrorAndNamesTheAgent(t *testing.T) {
	var log []string
	broken := agent("broken", &log)
	cause := errors.New("no light")
	broken.Run = func(context.Context, *agents.Pass) error { return cause }
	team, err := agents.NewTeam(broken, agent("after", &log, broken))
	if err != nil {
		t.Fatal(err)
	}
	err = team.Localize(context.Background(), &agents.Pass{})
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "broken") || len(log) != 0 {
		t.Errorf("got %v after %v", err, log)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := team.Localize(ctx, &agents.Pass{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}
