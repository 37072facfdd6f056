package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"faultline/cmd/internal/app"
	"faultline/cmd/internal/plant"
	"faultline/graph"
	"faultline/graph/walk"
	"faultline/hwsim"
	"faultline/rca"
)

// evaluation is what `rcabench incidents` was asked for.
type evaluation struct {
	size    string
	seed    uint64
	n       int
	noise   float64
	json    bool
	verbose bool
	fault   string
}

// epoch is when every evaluation starts, and how far apart its faults are on average.
var (
	epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	pace  = 3 * time.Hour
)

func runIncidents(ctx context.Context, args []string, out io.Writer) error {
	e := evaluation{}
	fs := flag.NewFlagSet("incidents", flag.ContinueOnError)
	fs.StringVar(&e.size, "size", "small", "size of the operator: small, metro, city")
	fs.Uint64Var(&e.seed, "seed", 1, "seed of the operator, its hidden parameters and its faults")
	fs.IntVar(&e.n, "n", 200, "faults to inject")
	fs.Float64Var(&e.noise, "noise", 1, "rate of background alarms; 0 is none")
	fs.BoolVar(&e.json, "json", false, "print one JSON object as the last line")
	fs.BoolVar(&e.verbose, "v", false, "list the faults that were not found")
	fs.StringVar(&e.fault, "fault", "", "tell one fault of the run in full")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if e.n <= 0 || fs.NArg() > 0 {
		return fmt.Errorf("incidents: -n must be positive and there are no arguments")
	}
	return e.run(ctx, out)
}

func (e evaluation) run(ctx context.Context, out io.Writer) error {
	company, err := plant.New(plant.Options{Size: e.size, Seed: e.seed})
	if err != nil {
		return err
	}
	run, err := company.Mix(e.n, epoch, epoch.Add(time.Duration(e.n)*pace), e.noise)
	if err != nil {
		return fmt.Errorf("run the plant: %w", err)
	}
	dir, err := os.MkdirTemp("", "rcabench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files := filepath.Join(dir, "operator")
	if err := company.WriteFiles(files, &plant.Run{}, run); err != nil { // no history: its tickets would be of these very faults
		return err
	}
	a, err := app.Open(ctx, app.Options{DataDir: filepath.Join(dir, "data"), Now: func() time.Time { return epoch }})
	if err != nil {
		return err
	}
	defer a.Close()
	start := time.Now()
	if _, err := a.IngestFiles(ctx, []string{filepath.Join(files, plant.InventoryFile)}, app.FileOptions{}); err != nil {
		return err
	}
	loading := time.Since(start)
	if _, err := a.IngestFiles(ctx, []string{files}, app.FileOptions{}); err != nil {
		return err
	}
	k, err := rca.KnowledgeFromGraph(ctx, a.Store(), graph.AsOf{})
	if err != nil {
		return err
	}
	base := baseline{k, walk.NewTopology(a.Store(), graph.AsOf{})}
	var cases []analysed
	if _, err := a.Process(ctx, time.Time{}, 0); err != nil { // warms the topology up, as a running service is
		return err
	}
	incs := a.Incidents()
	slices.Reverse(incs)
	for _, inc := range incs {
		begin := time.Now()
		c, err := a.Analyse(ctx, inc.ID)
		if err != nil {
			return err
		}
		took := time.Since(begin)
		picks, err := base.pick(ctx, inc)
		if err != nil {
			return err
		}
		cases = append(cases, analysed{Case: c.Case, took: took, baseline: picks})
	}
	truths, silent := truthsOf(run, k)
	card := score(truths, cases)
	fmt.Fprintf(out, "operator %s, seed %d: %d alarm notifications, inventory loaded in %s\n", e.size, e.seed, len(run.Notifications), loading.Round(time.Millisecond))
	if silent > 0 {
		fmt.Fprintf(out, "%d faults brought no alarm that was reported; nobody can find them and they are not counted\n", silent)
	}
	if err := card.print(out, e.seed); err != nil {
		return err
	}
	minds := compareMinds(run.Trace, k)
	minds.print(out)
	if e.verbose {
		if err := card.failures(out, cases); err != nil {
			return err
		}
	}
	if e.fault != "" {
		if err := tell(out, e.fault, truths, card, cases, a.Describe); err != nil {
			return err
		}
	}
	if !e.json {
		return nil
	}
	f := pool(card.outcomes)
	_, best := bestBaseline(card.outcomes)
	line, err := json.Marshal(map[string]any{
		"ac1": round(f.ac1), "ac3": round(f.ac3), "mrr": round(f.mrr), "domain_accuracy": round(f.domain), "path_f1": round(f.path), "path_f1_exact": round(f.exact), "abstain_rate": round(f.abstain),
		"ece": round(f.ece), "p50_ms": ms(card.p50), "p99_ms": ms(card.p99), "baseline_best_ac1": round(best), "n": f.n, "load_seconds": round(loading.Seconds()),
		"pairs_unknown_to_ontology": len(minds.unknown), "edges_contradicted": len(minds.contradicted), "edges_not_shown": len(minds.unseen),
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n", line)
	return nil
}

func round(f float64) float64        { return float64(int(f*1e4+0.5)) / 1e4 }
func ms(d time.Duration) float64     { return round(float64(d) / float64(time.Millisecond)) }
func modeID(plantName string) string { return "FM-" + plantName }

// truthsOf turns the plant's record into what the scorer compares with. Faults of
// which nothing was reported are counted, not scored.
func truthsOf(run *plant.Run, k *rca.Knowledge) (out []truth, silent int) {
	domain := map[string]string{}
	for _, e := range run.Script.Entries {
		domain[e.ID] = e.Domain
	}
	key := func(a hwsim.TracedAlarm) string {
		id, ok := k.ResolveAlarmType(a.Alarm)
		if !ok {
			id = a.Alarm
		}
		return rca.AlarmKey{Resource: graph.ID(a.Object), Type: id, Qualifier: a.Qualifier}.String()
	}
	for _, f := range run.Trace.Faults {
		t := truth{id: f.Fault.ID, mode: modeID(f.Fault.Mode), resource: f.Fault.Resource, domain: domain[f.Fault.ID]}
		for _, a := range f.Alarms {
			if a.Reported {
				t.alarms = append(t.alarms, seen{key(a), a.Raised})
			}
		}
		if len(t.alarms) == 0 {
			silent++
			continue
		}
		root := rca.AlarmKey{Type: t.mode, Resource: graph.ID(t.resource)}.String()
		have := map[[2]string]bool{}
		for _, e := range f.Edges {
			from := root
			if e.Cause >= 0 {
				from = key(f.Alarms[e.Cause])
			}
			edge := [2]string{from, key(f.Alarms[e.Effect])}
			if !have[edge] && edge[0] != edge[1] {
				have[edge] = true
				t.edges = append(t.edges, edge)
			}
		}
		out = append(out, t)
	}
	return out, silent
}

// minds is where plant and ontology disagree.
type minds struct {
	shared       int
	unknown      []string // (cause, effect) pairs that the plant produced and the ontology lacks
	contradicted []string // edges whose cause stood at least enoughTimes and never led to the effect
	unseen       []string // edges whose cause hardly ever stood
}

const enoughTimes = 5

func compareMinds(t hwsim.Trace, k *rca.Knowledge) minds {
	count := map[string]int{}
	pairs := map[[2]string]bool{}
	for _, f := range t.Faults {
		for _, a := range f.Alarms {
			id, _ := k.ResolveAlarmType(a.Alarm)
			count[id]++
		}
		for _, e := range f.Edges {
			if e.Cause >= 0 {
				c, _ := k.ResolveAlarmType(f.Alarms[e.Cause].Alarm)
				d, _ := k.ResolveAlarmType(f.Alarms[e.Effect].Alarm)
				pairs[[2]string{c, d}] = true
			}
		}
	}
	var m minds
	known := map[[2]string]bool{}
	for _, e := range k.Edges() {
		if _, isMode := k.FaultMode(e.Cause); isMode {
			continue
		}
		p := [2]string{e.Cause, e.Effect}
		known[p] = true
		switch {
		case pairs[p]:
			m.shared++
		case count[e.Cause] >= enoughTimes:
			m.contradicted = append(m.contradicted, e.ID())
		default:
			m.unseen = append(m.unseen, e.ID())
		}
	}
	for p := range pairs {
		if !known[p] {
			m.unknown = append(m.unknown, p[0]+"->"+p[1])
		}
	}
	slices.Sort(m.unknown)
	return m
}

func (m minds) print(out io.Writer) {
	fmt.Fprintf(out, "\nplant and ontology: %d causal pairs in both; %d that the plant produced and the ontology lacks; %d ontology edges whose cause stood and never led to the effect; %d whose cause hardly stood\n",
		m.shared, len(m.unknown), len(m.contradicted), len(m.unseen))
	fmt.Fprintf(out, "  lacking: %v\n  contradicted: %v\n", m.unknown[:min(12, len(m.unknown))], m.contradicted[:min(12, len(m.contradicted))])
}

// baseline answers by plain rules.
type baseline struct {
	k   *rca.Knowledge
	top rca.Topology
}

// pick chooses an alarm by each rule and blames what most often brings it.
func (b baseline) pick(ctx context.Context, inc rca.Incident) (map[string]string, error) {
	first, severe := inc.Alarms[0], inc.Alarms[0]
	down, most := inc.Alarms[0], -1
	at := map[rca.AlarmKey]bool{}
	for _, a := range inc.Alarms {
		at[rca.AlarmKey{Resource: a.Resource, Type: a.Type}] = true
	}
	for _, a := range inc.Alarms {
		if a.Severity > severe.Severity {
			severe = a
		}
		n, err := b.downstream(ctx, rca.AlarmKey{Resource: a.Resource, Type: a.Type}, at)
		if err != nil {
			return nil, err
		}
		if n > most {
			down, most = a, n
		}
	}
	out := map[string]string{}
	var err error
	for i, a := range []rca.Alarm{first, severe, down} {
		if out[baselines[i]], err = b.blame(ctx, a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// downstream counts the alarms of the incident that causal edges lead to.
func (b baseline) downstream(ctx context.Context, from rca.AlarmKey, at map[rca.AlarmKey]bool) (int, error) {
	seen := map[rca.AlarmKey]bool{from: true}
	todo := []rca.AlarmKey{from}
	for len(todo) > 0 {
		k := todo[0]
		todo = todo[1:]
		for e := range b.k.Effects(k.Type) {
			for i := range e.Paths {
				ids, err := b.top.Follow(ctx, k.Resource, &e.Paths[i])
				if err != nil {
					return 0, err
				}
				for _, id := range ids {
					n := rca.AlarmKey{Resource: id, Type: e.Effect}
					if at[n] && !seen[n] {
						seen[n] = true
						todo = append(todo, n)
					}
				}
			}
		}
	}
	return len(seen) - 1, nil
}

// blame answers "mode@resource", or with the alarm's own resource when no mode
// brings the alarm.
func (b baseline) blame(ctx context.Context, a rca.Alarm) (string, error) {
	best, rate := "@"+string(a.Resource), 0.0
	for e := range b.k.Causes(a.Type) {
		m, ok := b.k.FaultMode(e.Cause)
		if !ok || m.Rate*e.P <= rate {
			continue
		}
		inv := e.InversePaths()
		for i := range inv {
			ids, err := b.top.Follow(ctx, a.Resource, &inv[i])
			if err != nil {
				return "", err
			}
			if len(ids) > 0 {
				best, rate = m.ID+"@"+string(ids[0]), m.Rate*e.P
				break
			}
		}
	}
	return best, nil
}

// failures lists what was not found, with what was answered instead.
func (c scorecard) failures(w io.Writer, cases []analysed) error {
	byID := map[string]analysed{}
	for _, x := range cases {
		byID[x.Incident.ID] = x
	}
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(tw, "\nfault\tmode\tresource\trank\talarms\tincident\tanswer\tconfidence\tpath right/told found/real\n")
	for _, o := range c.outcomes {
		if o.rank == 1 && o.told-o.right+o.real-o.found <= 2 {
			continue
		}
		answer := "-"
		if x, ok := byID[o.incident]; ok && len(x.Decision.Hypotheses) > 0 {
			h := x.Decision.Hypotheses[0]
			answer = fmt.Sprintf("%s@%s (%d alarms, %d causes)", h.Mode, h.Resource, len(x.Incident.Alarms), len(x.Decision.Causes))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%.2f\t%d/%d %d/%d\n", o.id, o.mode, o.resource, o.rank, len(o.alarms), cmp.Or(o.incident, "-"), answer, o.confidence, o.right, o.told, o.found, o.real)
	}
	slow := slices.Clone(cases)
	slices.SortFunc(slow, func(a, b analysed) int { return cmp.Compare(b.took, a.took) })
	fmt.Fprintf(tw, "\nslowest analyses\talarms\tsuspects\ttook\n")
	for _, x := range slow[:min(8, len(slow))] {
		fmt.Fprintf(tw, "%s\t%d\t%d\t%s\n", x.Incident.ID, len(x.Incident.Alarms), len(x.Suspects), x.took.Round(100*time.Microsecond))
	}
	type row struct {
		pair [2]string
		pairCount
	}
	var rows []row
	for p, n := range c.pairs {
		if n.wrong+n.missed > 0 {
			rows = append(rows, row{p, n})
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(b.wrong+b.missed, a.wrong+a.missed), cmp.Compare(a.pair[0], b.pair[0]), cmp.Compare(a.pair[1], b.pair[1]))
	})
	fmt.Fprintf(tw, "\npath edge\ttold right\ttold wrong\tmissed\n")
	for _, r := range rows[:min(60, len(rows))] {
		fmt.Fprintf(tw, "%s->%s\t%d\t%d\t%d\n", r.pair[0], r.pair[1], r.right, r.wrong, r.missed)
	}
	return tw.Flush()
}

// tell writes everything about one fault: what the plant recorded, and what was made
// of it.
func tell(w io.Writer, id string, truths []truth, card scorecard, cases []analysed, describe func(string) string) error {
	for i, t := range truths {
		if t.id != id {
			continue
		}
		fmt.Fprintf(w, "\n%s %s at %s\n", t.id, t.mode, t.resource)
		for _, a := range t.alarms {
			fmt.Fprintf(w, "  %s %s\n", a.at.UTC().Format(time.DateTime), a.key)
		}
		got := map[[2]string]bool{}
		for _, c := range cases {
			if c.Incident.ID == card.outcomes[i].incident {
				if err := app.RenderCase(w, c.Case, describe); err != nil {
					return err
				}
				for _, x := range c.Trail {
					fmt.Fprintf(w, "  %s: %s\n", x.Step, x.Note)
				}
				for _, x := range c.Suspects {
					if x.Mode == t.mode && string(x.Resource) == t.resource {
						fmt.Fprintf(w, "  the truth was among %d suspects, weight %g\n", len(c.Suspects), x.Prior)
					}
				}
				for i, h := range c.Decision.Hypotheses {
					if h.Mode == t.mode && string(h.Resource) == t.resource {
						fmt.Fprintf(w, "  the truth has rank %d, score %.2f against %.2f\n", i+1, h.Score, c.Decision.Hypotheses[0].Score)
						for _, ev := range append(h.For, h.Against...) {
							fmt.Fprintf(w, "    %+.2f %s; %s %s\n", ev.Weight, ev.Text, ev.Source, ev.Why)
						}
					}
				}
				for _, a := range c.Incident.Alarms {
					fmt.Fprintf(w, "  in the incident: %s %s\n", a.Raised.UTC().Format(time.DateTime), a.AlarmKey)
				}
				for i, h := range c.Decision.Hypotheses {
					if i > 0 && !slices.ContainsFunc(c.Decision.Causes, func(x rca.Cause) bool { return x.Mode == h.Mode && x.Resource == h.Resource }) {
						continue
					}
					for _, e := range h.Path {
						got[[2]string{e.From.String(), e.To.String()}] = true
					}
				}
			}
		}
		for _, e := range t.edges {
			mark := "missed"
			if got[e] {
				mark = "told"
				delete(got, e)
			}
			fmt.Fprintf(w, "  %s: %s -> %s\n", mark, e[0], e[1])
		}
		for _, e := range slices.SortedFunc(maps.Keys(got), func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }) {
			fmt.Fprintf(w, "  told, but not so: %s -> %s\n", e[0], e[1])
		}
		return nil
	}
	return fmt.Errorf("no fault %q among those that were reported", id)
}
