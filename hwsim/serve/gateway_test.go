package serve_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"faultline/hwsim"
	"faultline/hwsim/serve"
	"faultline/hwsim/serve/servetest"
)

// read gives "value" of every leaf that a pattern means.
func read(g *serve.Gateway, q serve.Query) map[string]any {
	out := map[string]any{}
	g.Look(func(v serve.View) {
		for l := range v.Leaves(q) {
			out[l.Path.String()] = l.Value
		}
	})
	return out
}

func at(elems ...string) serve.Path {
	var p serve.Path
	for _, s := range elems {
		name, key, _ := strings.Cut(strings.TrimSuffix(s, "]"), "[")
		k, v, _ := strings.Cut(key, "=")
		p = append(p, serve.Elem{Name: name, Key: k, Value: v})
	}
	return p
}

func TestAlarmsAndStateFollowTheClock(t *testing.T) {
	g := servetest.New(t)
	feed := g.Watch()
	defer feed.Close()
	servetest.Break(t, g, "fibre-cut", "F2")
	g.Advance(5 * time.Minute)
	evs, err := feed.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(evs, func(e serve.Event) bool {
		return e.Alarm.Type == "ots-loss-of-signal-los-p" && e.Alarm.Object == "O1-L"
	})
	if i < 0 || evs[i].Alarm.Cleared || evs[i].Alarm.Severity != "critical" {
		t.Fatalf("no loss of signal among %d events", len(evs))
	}
	oper := at("interfaces", "interface[name=O1-L]", "state", "oper-status")
	if got := read(g, serve.Query{Pattern: oper}); got[oper.String()] != "DOWN" {
		t.Errorf("%v", got)
	}
	servetest.Mend(t, g, "fibre-cut", "F2")
	g.Advance(30 * time.Minute)
	if got := read(g, serve.Query{Pattern: oper}); got[oper.String()] != "UP" {
		t.Errorf("%v", got)
	}
	if got := read(g, serve.Query{Pattern: at("system", "alarms")}); len(got) != 0 {
		t.Errorf("alarms stand: %v", got)
	}
	g.Look(func(v serve.View) {
		for _, a := range v.Alarms() {
			if !a.Cleared || len(a.History) != 2 || a.History[1].Severity != "cleared" {
				t.Errorf("%+v", a)
			}
		}
	})
}

func TestPatterns(t *testing.T) {
	g := servetest.New(t)
	for _, c := range []struct {
		pattern serve.Path
		agent   string
		want    int
	}{
		{at("interfaces", "interface[name=*]", "state", "oper-status"), "", 5},
		{at("interfaces", "interface", "state", "oper-status"), "O1", 2},
		{at("interfaces", "interface[name=O1-L]", "config"), "", 1},
		{at("*", "*", "*", "oper-status"), "", 13 + 5 + 22},
		{at("...", "tilt"), "", 2}, // the antenna and the cell
		{at("interfaces", "interface[name=none]"), "", 0},
		{at("components", "component[name=O1-L]", "optical-channel", "..."), "", 3},
	} {
		if got := read(g, serve.Query{Pattern: c.pattern, Agent: c.agent}); len(got) != c.want {
			t.Errorf("%s of %q: %d leaves, want %d", c.pattern, c.agent, len(got), c.want)
		}
	}
}

func TestAnElementThatCannotBeReachedIsSilentAndTakesNothing(t *testing.T) {
	g := servetest.New(t)
	if err := g.Break(func(p *hwsim.Plant) error {
		return p.Inject(hwsim.Fault{ID: "dark", Mode: "planned-work", Resource: "O1", At: p.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	g.Advance(10 * time.Minute)
	if got := read(g, serve.Query{Pattern: at("interfaces", "interface[name=O1-L]", "state")}); len(got) != 0 {
		t.Errorf("state of a dead element: %v", got)
	}
	power := serve.Change{Setting: serve.Setting{Resource: "O1-L", Kind: "power"}, Value: "1"}
	if err := g.Change("someone", power); !errors.Is(err, serve.ErrUnreachable) {
		t.Errorf("%v", err)
	}
	if err := g.Command(hwsim.Command{Kind: "power", Resource: "O1-L", Value: "1"}); err != nil {
		t.Errorf("by hand: %v", err)
	}
}

func TestChangesAreAllOrNothing(t *testing.T) {
	g := servetest.New(t)
	err := g.Break(func(p *hwsim.Plant) error {
		return p.Inject(hwsim.Fault{ID: "jam", Mode: "antenna-fault", Face: 3, Resource: "ANT1", At: p.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	g.Advance(time.Minute)
	before := g.Running()
	err = g.Change("x",
		serve.Change{Setting: serve.Setting{Resource: "ANT1", Kind: "azimuth"}, Value: "30"},
		serve.Change{Setting: serve.Setting{Resource: "ANT1", Kind: "tilt"}, Value: "6"},
	)
	if err == nil {
		t.Fatal("a jammed motor took a tilt")
	}
	if fmt.Sprint(g.Running()) != fmt.Sprint(before) {
		t.Error("half of a refused change stayed")
	}
}

func TestTheHookMayRefuse(t *testing.T) {
	p, err := hwsim.NewPlant(hwsim.PlantOptions{Network: servetest.Network(t), Start: servetest.Start, Ideal: true})
	if err != nil {
		t.Fatal(err)
	}
	var asked []hwsim.Command
	g, err := serve.New(serve.Options{Plant: p, Apply: func(c hwsim.Command) error {
		asked = append(asked, c)
		if c.Value == "15" {
			return errors.New("too steep")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	tilt := serve.Setting{Resource: "ANT1", Kind: "tilt"}
	if err := g.Change("", serve.Change{Setting: tilt, Value: "7.50"}); err != nil {
		t.Fatal(err)
	}
	if err := g.Change("", serve.Change{Setting: tilt, Value: "15"}); err == nil {
		t.Fatal("not refused")
	}
	if got := g.Running()[tilt]; got != "7.5" || len(asked) != 2 {
		t.Errorf("tilt %s, asked %v", got, asked)
	}
}

func TestActionsAndTheLock(t *testing.T) {
	g := servetest.New(t)
	g.Look(func(v serve.View) {
		if err := v.Lock("one"); err != nil {
			t.Fatal(err)
		}
	})
	otdr := serve.Change{Setting: serve.Setting{Resource: "O1-L", Kind: "otdr"}}
	if err := g.Change("two", otdr); !errors.Is(err, serve.ErrLocked) {
		t.Errorf("%v", err)
	}
	servetest.Break(t, g, "fibre-cut", "F2")
	g.Advance(time.Minute)
	if err := g.Change("one", otdr); err != nil {
		t.Fatal(err)
	}
	tilt := serve.Change{Setting: serve.Setting{Resource: "ANT1", Kind: "tilt"}, Value: "9"}
	if err := g.Change("one", tilt, otdr); err == nil || g.Running()[tilt.Setting] != "4" {
		t.Errorf("a second scan at once: %v; tilt %s", err, g.Running()[tilt.Setting])
	}
	got := read(g, serve.Query{Pattern: at("plant", "resource[id=O1-L]", "otdr", "event[index=1]")})
	if d := got["/plant/resource[id=O1-L]/otdr/event[index=1]/state/distance"]; d != 10500.0 {
		t.Errorf("break at %v m, want 6000 + half of 9000", d)
	}
}

func TestTimersRunInOrderWithinOneAdvance(t *testing.T) {
	g := servetest.New(t)
	var at []string
	g.Look(func(v serve.View) {
		for _, s := range []int{30, 10, 20} {
			v.At(servetest.Start.Add(time.Duration(s)*time.Second), func(v serve.View) { at = append(at, v.Now().Format("05")) })
		}
		v.Stop(v.At(servetest.Start.Add(15*time.Second), func(serve.View) { t.Error("a stopped timer ran") }))
	})
	g.Advance(time.Minute)
	if got := strings.Join(at, " "); got != "10 20 30" {
		t.Error(got)
	}
}

func TestRunEndsWithItsContextAndFeedsLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := hwsim.NewPlant(hwsim.PlantOptions{Network: servetest.Network(t), Start: servetest.Start, Ideal: true})
		if err != nil {
			t.Fatal(err)
		}
		g, err := serve.New(serve.Options{Plant: p, Queue: 1})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ticks := make(chan time.Duration)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := g.Run(ctx, ticks); err != nil {
				t.Error(err)
			}
		})
		feed := g.Watch()
		servetest.Break(t, g, "fibre-cut", "F1")
		ticks <- time.Minute
		ticks <- time.Minute
		if evs, err := feed.Next(ctx); err != nil || len(evs) != 1 {
			t.Errorf("%d events, %v", len(evs), err)
		}
		if _, err := feed.Next(ctx); !errors.Is(err, serve.ErrLagged) {
			t.Errorf("%v", err)
		}
		feed.Close()
		cancel()
		wg.Wait()
	})
}

func TestManyAtOnce(t *testing.T) {
	g := servetest.New(t)
	servetest.Break(t, g, "fibre-cut", "F1")
	ctx, cancel := context.WithCancel(t.Context())
	var readers, wg sync.WaitGroup
	for range 3 {
		feed := g.Watch()
		readers.Go(func() {
			defer feed.Close()
			for {
				if _, err := feed.Next(ctx); err != nil {
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			g.Advance(time.Second)
		}
	})
	for i := range 4 {
		wg.Go(func() {
			for j := range 50 {
				read(g, serve.Query{Pattern: at("interfaces")})
				if err := g.Command(hwsim.Command{Kind: "azimuth", Resource: "ANT1", Value: fmt.Sprint(i*50 + j)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	cancel()
	readers.Wait()
}

func TestOptionsNameTheField(t *testing.T) {
	p, err := hwsim.NewPlant(hwsim.PlantOptions{Network: servetest.Network(t), Start: servetest.Start})
	if err != nil {
		t.Fatal(err)
	}
	for field, o := range map[string]serve.Options{"Plant": {}, "Keep": {Plant: p, Keep: -1}, "Queue": {Plant: p, Queue: -1}} {
		if _, err := serve.New(o); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
