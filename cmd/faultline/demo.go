package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"faultline/cmd/internal/app"
	"faultline/cmd/internal/plant"
	"faultline/rca"
)

// The day of the demo, and the history of work orders that leads up to it.
var demoDay = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const (
	historyDays   = 30
	historyFaults = 60
	replayStep    = time.Minute      // of simulated time
	replayQuiet   = 2 * time.Minute  // an incident unchanged for so long is analysed
	replayPace    = 20 * time.Second // for the day, on a terminal, so that one can read along
)

// demo is one run of `faultline demo`.
type demo struct {
	*program
	size       string
	seed       uint64
	listen     string
	once, fast bool

	simulated atomic.Pointer[time.Time] // the app's clock while the day is replayed
}

func (p *program) demoCommand() *cobra.Command {
	d := &demo{program: p}
	c := &cobra.Command{
		Use: "demo", Short: "Build a demo operator, replay a day of its alarms, then serve", Args: cobra.NoArgs,
		Long: "Build an operator, write what its systems would hand over into the folder demo of the data folder, read it,\n" +
			"and replay the alarms of a day in simulated time. Each incident is shown when it is analysed. What really broke\n" +
			"is not among the files. A second start finds the data of the first.",
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c.Context()) },
	}
	c.Flags().StringVar(&d.size, "size", "small", "size of the operator: small, metro, city")
	c.Flags().Uint64Var(&d.seed, "seed", 1, "seed of the operator and of its day")
	c.Flags().StringVar(&d.listen, "listen", "127.0.0.1:8080", "address to answer on; port 0 picks one")
	c.Flags().BoolVar(&d.once, "once", false, "end after the summary of the day")
	c.Flags().BoolVar(&d.fast, "fast", false, "replay as fast as it goes, on a terminal too")
	return c
}

// mark says what demo a data folder holds.
type mark struct {
	Size     string `json:"size"`
	Seed     uint64 `json:"seed"`
	Complete bool   `json:"complete"` // the day was replayed to its end
}

func (d *demo) run(ctx context.Context) (err error) {
	if !d.once { // a taken port is better told now than after the day
		l, err := net.Listen("tcp", d.listen)
		if err != nil {
			return fmt.Errorf("%w; choose another address with --listen", err)
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	m, err := d.found()
	if err != nil {
		return err
	}
	if !m.Complete {
		d.simulated.Store(&demoDay)
	}
	a, err := d.openAt(ctx, d.clock)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	if m.Complete {
		d.screen.say("%s holds the demo already; an empty folder gives a new one", d.data)
	} else if err := d.first(ctx, a); err != nil {
		return err
	}
	d.simulated.Store(nil)
	if err := d.summary(ctx, a); err != nil || d.once {
		return err
	}
	return a.Serve(ctx, app.ServeOptions{Addr: d.listen, Ready: func(addr string) { d.invite(a, addr) }})
}

// clock is simulated during the replay and real afterwards.
func (d *demo) clock() time.Time {
	if t := d.simulated.Load(); t != nil {
		return *t
	}
	return d.now()
}

func (d *demo) folder() string { return filepath.Join(d.data, "demo") }

func (d *demo) markFile() string { return filepath.Join(d.folder(), "demo.json") }

// found reads what the data folder holds. It refuses another demo and other data.
func (d *demo) found() (mark, error) {
	m := mark{Size: d.size, Seed: d.seed}
	text, err := os.ReadFile(d.markFile())
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(d.data, app.StoreFile)); err == nil {
			return m, fmt.Errorf("%s holds other data; give the demo a folder of its own with --data", d.data)
		}
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("read %s: %w", d.markFile(), err)
	}
	if m.Size != d.size || m.Seed != d.seed {
		return m, fmt.Errorf("%s holds the demo of size %s and seed %d; give this one a folder of its own with --data", d.data, m.Size, m.Seed)
	}
	return m, nil
}

func (d *demo) setMark(complete bool) error {
	text, err := json.Marshal(mark{d.size, d.seed, complete})
	if err != nil {
		return err
	}
	return os.WriteFile(d.markFile(), text, 0o644)
}

// first builds, reads and replays. A start that was cut short is done again; what is
// there already changes nothing.
func (d *demo) first(ctx context.Context, a *app.App) error {
	if err := os.MkdirAll(d.folder(), 0o755); err != nil {
		return err
	}
	if err := d.setMark(false); err != nil {
		return err
	}
	t := d.screen.begin("building the operator", 0)
	about, err := writeOperator(d.folder(), d.size, d.seed)
	took := t.end()
	if err != nil {
		return err
	}
	d.screen.say("built %s in %s: inventory, manuals, work orders and a day of alarms are in %s", about, took.Round(time.Millisecond), d.folder())
	var files []string
	for _, f := range []string{plant.InventoryFile, plant.ManualsDir, plant.TicketsFile} {
		files = append(files, filepath.Join(d.folder(), f))
	}
	began := d.now()
	reports, err := d.readFiles(ctx, a, files, app.FileOptions{Source: "demo"})
	if err != nil {
		return err
	}
	statements := 0
	for _, r := range reports {
		statements += r.Emitted
	}
	d.screen.say("read %d files with %d statements in %s", len(reports), statements, d.now().Sub(began).Round(time.Millisecond))
	if err := d.replay(ctx, a); err != nil {
		return err
	}
	return d.setMark(true)
}

// writeOperator writes the files of an operator and says in a few words who it is.
// What broke does not leave this function.
func writeOperator(dir, size string, seed uint64) (string, error) {
	c, err := plant.New(plant.Options{Size: size, Seed: seed})
	if err != nil {
		return "", err
	}
	day, err := c.Day(demoDay)
	if err != nil {
		return "", fmt.Errorf("run the day: %w", err)
	}
	history, err := c.Mix(historyFaults, demoDay.AddDate(0, 0, -historyDays), demoDay, 1)
	if err != nil {
		return "", fmt.Errorf("run the days before: %w", err)
	}
	return fmt.Sprintf("a %s operator of %d resources", size, len(c.Network().Resources())), c.WriteFiles(dir, history, day)
}

// replay lets the alarms of the day come in as they came in, and analyses incidents
// once they are quiet.
func (d *demo) replay(ctx context.Context, a *app.App) error {
	var events []rca.AlarmEvent
	path := filepath.Join(d.folder(), plant.AlarmsFile)
	if _, err := a.ReadAlarms(ctx, path, app.FileOptions{Source: "demo/" + plant.AlarmsFile}, func(e rca.AlarmEvent) error { events = append(events, e); return nil }); err != nil {
		return err
	}
	t := d.screen.begin("replaying the day", int64(len(events)))
	defer t.end()
	shown := map[string]string{}
	began, done := d.now(), 0
	var end time.Time // an alarm that is reported late waits for those reported before it
	for now := demoDay; ; {
		pending, err := a.Pending(ctx)
		if err != nil {
			return err
		}
		if done == len(events) && pending == 0 {
			d.screen.say("replayed %d alarm notifications of %s in %s", done, demoDay.Format(time.DateOnly), d.now().Sub(began).Round(100*time.Millisecond))
			return nil
		}
		now = now.Add(replayStep)
		n := done
		for ; n < len(events) && !later(&end, events[n].Time).After(now); n++ {
		}
		d.simulated.Store(&now)
		if err := a.Accept(ctx, events[done:n]); err != nil {
			return err
		}
		done = n
		cases, err := a.Process(ctx, now, replayQuiet)
		if err != nil {
			return err
		}
		for _, c := range cases {
			if err := d.show(a, now, c, shown); err != nil {
				return err
			}
		}
		t.at(int64(done))
		if err := d.pace(ctx, began, now); err != nil {
			return err
		}
	}
}

// later moves t to u if that is later, and returns it.
func later(t *time.Time, u time.Time) time.Time {
	if u.After(*t) {
		*t = u
	}
	return *t
}

// pace holds the replay back on a terminal.
func (d *demo) pace(ctx context.Context, began, now time.Time) error {
	if d.fast || !d.screen.above {
		return ctx.Err()
	}
	due := began.Add(time.Duration(float64(now.Sub(demoDay)) / float64(24*time.Hour) * float64(replayPace)))
	wait := time.NewTimer(due.Sub(d.now()))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}

// show prints an analysis unless it says what was said before of the incident.
func (d *demo) show(a *app.App, now time.Time, c rca.Case, shown map[string]string) error {
	answer := fmt.Sprint(c.Decision.Determined, c.Decision.Causes)
	if h := c.Decision.Hypotheses; len(h) > 0 {
		answer += h[0].Mode + "@" + string(h[0].Resource)
	}
	before, known := shown[c.Incident.ID]
	if before == answer {
		return nil
	}
	shown[c.Incident.ID] = answer
	if single(c.Incident.Alarms) && !c.Decision.Determined {
		_, err := fmt.Fprintf(d.screen, "%s  %s  %s: one alarm, no cause determined\n", now.Format("15:04"), c.Incident.ID, c.Incident.Name)
		return err
	}
	what := "analysed"
	if known {
		what = "analysed again, the answer changed"
	}
	fmt.Fprintf(d.screen, "%s  %s\n", now.Format("15:04"), what)
	return app.RenderCase(d.screen, c, a.Describe)
}

func single(alarms []rca.Alarm) bool { return len(alarms) == 1 }

// summary prints the incidents of the day; single alarms without a cause are counted.
func (d *demo) summary(ctx context.Context, a *app.App) error {
	list, err := incidentsOf(ctx, a)
	if err != nil {
		return err
	}
	determined, noise, alarms := 0, 0, 0
	rows := slices.DeleteFunc(slices.Clone(list), func(i incident) bool {
		alarms += i.Alarms
		if i.Analysis != nil && i.Analysis.Determined {
			determined++
			return false
		}
		if i.Alarms == 1 {
			noise++
		}
		return i.Alarms == 1
	})
	slices.Reverse(rows) // the day from its beginning
	if err := d.incidentTable(rows); err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.screen, "\n%d incidents of %d alarms: %d with a cause, %d without, %d single alarms without a cause (not listed)\n",
		len(list), alarms, determined, len(list)-determined-noise, noise)
	return err
}

// invite says how to go on.
func (d *demo) invite(a *app.App, addr string) {
	fmt.Fprintf(d.screen, "\nserving on http://%s until Ctrl-C; try\n", addr)
	fmt.Fprintf(d.screen, "  curl 'http://%s/api/v1/incidents?limit=5'\n", addr)
	if list := a.Incidents(); len(list) > 0 {
		largest := slices.MaxFunc(list, func(x, y rca.Incident) int { return len(x.Alarms) - len(y.Alarms) })
		fmt.Fprintf(d.screen, "  curl 'http://%s/api/v1/incidents/%s/case.txt'\n", addr, largest.ID)
	}
	fmt.Fprintf(d.screen, "  curl -X POST 'http://%s/api/v1/alarms?source=me' -d '[{\"id\":\"1\",\"time\":\"2026-03-02T08:00:00Z\",\"resource\":\"S010-PS1\",\"type\":\"mains-input-failure-ac-fail\",\"severity\":\"major\"}]'\n", addr)
}
