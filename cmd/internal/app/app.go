// Package app wires Faultline: it is the only place that names implementations.
// An App owns one data directory, takes alarms, inventory, work orders and manuals
// in, keeps incidents current and analyses them. What Accept and Ingest acknowledge
// is durable; everything in memory is rebuilt from the directory at Open.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"faultline/graph"
	"faultline/graph/embedded"
	"faultline/graph/walk"
	"faultline/hwsim/twin"
	"faultline/ingest"
	"faultline/ingest/correlate"
	"faultline/ingest/workorder"
	"faultline/migrations"
	"faultline/rca"
	"faultline/rca/memory"
	"faultline/rca/ontology"
	"faultline/rca/pipeline"
	"faultline/rca/verify"
	"faultline/retrieval"
	rembedded "faultline/retrieval/embedded"
)

// ErrInUse is what Open returns when another process has the data directory open.
var ErrInUse = embedded.ErrInUse

// StoreFile is the file of a data directory that holds all its state.
const StoreFile = "faultline.db"

// Options of Open.
type Options struct {
	DataDir string           // holds all state; made when it is not there
	Now     func() time.Time // the only clock; required
	Log     zerolog.Logger
	Plant   pipeline.Plant // acts on a network; nil: actions are rehearsed, never carried out
}

func (o Options) validate() error {
	switch {
	case o.DataDir == "":
		return fmt.Errorf("app options: DataDir missing: %w", rca.ErrInvalid)
	case o.Now == nil:
		return fmt.Errorf("app options: Now missing: %w", rca.ErrInvalid)
	}
	return nil
}

// App is the running product over one data directory. It is safe for concurrent use.
type App struct {
	o     Options
	store *embedded.Store
	mem   *memory.Memory
	index *rembedded.Index
	sync  *retrieval.Sync

	// mu guards what alarms change. It is held while alarms are put together, never
	// while they are analysed.
	mu      sync.Mutex
	eng     *engine
	corr    *correlate.Correlator
	live    map[string]rca.Incident // every incident that stands, by id
	pending map[string]time.Time    // incidents to analyse, and when they changed
	latest  time.Time               // newest event time seen
	events  int

	refreshing sync.Mutex // one engine at a time is built
	analysing  sync.Mutex // one round of analyses at a time
	watchers   watchers
}

// Open opens or makes a data directory and brings everything in it back. A fresh
// directory gets the shipped knowledge.
func Open(ctx context.Context, o Options) (*App, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.DataDir, 0o755); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	store, err := embedded.Open(ctx, embedded.Options{Path: filepath.Join(o.DataDir, StoreFile), Migrations: migrations.SQLite})
	if err != nil {
		return nil, fmt.Errorf("open data directory %s: %w", o.DataDir, err)
	}
	a := &App{o: o, store: store, live: map[string]rca.Incident{}, pending: map[string]time.Time{}}
	if err := a.load(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return a, nil
}

func (a *App) load(ctx context.Context) error {
	if err := a.shipKnowledge(ctx); err != nil {
		return err
	}
	var err error
	if a.mem, err = memory.Open(ctx, memory.Options{Journal: a.store, Kind: a.kind}); err != nil {
		return fmt.Errorf("load past cases: %w", err)
	}
	if a.index, err = rembedded.New(rembedded.Options{}); err != nil {
		return err
	}
	a.sync = retrieval.NewSync(a.store, a.index)
	if err := a.sync.Load(ctx); err != nil {
		return fmt.Errorf("load text index: %w", err)
	}
	if err := a.refresh(ctx); err != nil {
		return err
	}
	// What was analysed before and has not changed since needs no second analysis.
	for id, inc := range a.live {
		if c, err := a.mem.Get(ctx, caseID(id)); err == nil && sameAlarms(c.Case.Incident, inc) {
			delete(a.pending, id)
		}
	}
	return nil
}

// shipKnowledge puts the shipped ontology into the graph when it is not there in
// this version.
func (a *App) shipKnowledge(ctx context.Context) error {
	k, err := ontology.Load()
	if err != nil {
		return err
	}
	sources, err := a.store.Sources(ctx)
	if err != nil {
		return fmt.Errorf("list sources: %w", err)
	}
	if slices.ContainsFunc(sources, func(s graph.SourceCount) bool { return s.Source == ontology.Source }) {
		first := k.AlarmTypes()[0].ID
		cs, err := a.store.EntityContributions(ctx, graph.ID(rca.AlarmTypePrefix+first))
		if err != nil {
			return fmt.Errorf("look up shipped knowledge: %w", err)
		}
		for _, c := range cs {
			if c.Source == ontology.Source && c.Retracted.IsZero() && c.Version == ontology.Version {
				return nil
			}
		}
	}
	now := a.o.Now()
	changes := []graph.Change{{Op: graph.OpDropSource, At: now, By: graph.Provenance{Source: ontology.Source}}}
	changes = append(changes, k.Changes(ontology.Source, ontology.Version, now)...)
	if err := a.store.Apply(ctx, changes); err != nil {
		return fmt.Errorf("store shipped knowledge: %w", err)
	}
	return nil
}

// refresh makes a new engine and a new correlator from what the store now holds,
// and feeds the correlator every alarm event of the journal. An incident that comes
// out the same keeps its analysis.
func (a *App) refresh(ctx context.Context) error {
	a.refreshing.Lock()
	defer a.refreshing.Unlock()
	k, err := rca.KnowledgeFromGraph(ctx, a.store, graph.AsOf{})
	if err != nil {
		return err
	}
	top := walk.NewTopology(a.store, graph.AsOf{})
	eng, err := newEngine(k, top)
	if err != nil {
		return err
	}
	eng.twin = sync.OnceValues(func() (*twin.Twin, error) {
		return twin.New(context.WithoutCancel(ctx), twin.Options{Graph: a.store, AlarmID: k.ResolveAlarmType})
	})
	eng.maintenance, err = workorder.Maintenance(ctx, a.store, graph.AsOf{})
	if err != nil {
		return fmt.Errorf("read planned work: %w", err)
	}
	corr, err := correlate.New(correlate.Options{Knowledge: k, Topology: top})
	if err != nil {
		return err
	}
	corr.Plan(eng.maintenance)
	a.mu.Lock()
	defer a.mu.Unlock()
	var batch []rca.AlarmEvent
	var latest time.Time
	for e, err := range ingest.Events(ctx, a.store, graph.Interval{}) {
		if err != nil {
			return err
		}
		batch = append(batch, e)
		if e.Time.After(latest) {
			latest = e.Time
		}
	}
	if err := corr.Add(ctx, batch...); err != nil {
		return err
	}
	all, _, err := corr.Changed(ctx)
	if err != nil {
		return fmt.Errorf("put alarms together: %w", err)
	}
	a.eng, a.corr, a.events, a.latest = eng, corr, len(batch), latest
	stands := map[string]bool{}
	for _, inc := range all {
		stands[inc.ID] = true
	}
	a.remove(slices.DeleteFunc(slices.Sorted(maps.Keys(a.live)), func(id string) bool { return stands[id] }))
	a.adopt(all)
	return nil
}

// settle takes over what the correlator changed. The caller holds mu.
func (a *App) settle(ctx context.Context) error {
	changed, superseded, err := a.corr.Changed(ctx)
	if err != nil {
		return fmt.Errorf("put alarms together: %w", err)
	}
	a.remove(superseded)
	a.adopt(changed)
	return nil
}

// remove forgets incidents that stand no more. The caller holds mu.
func (a *App) remove(ids []string) {
	for _, id := range ids {
		if _, stood := a.live[id]; stood {
			delete(a.live, id)
			delete(a.pending, id)
			a.watchers.tell(Event{Kind: IncidentChanged, ID: id})
		}
	}
}

// adopt takes over incidents and has those analysed that differ. The caller holds mu.
func (a *App) adopt(changed []rca.Incident) {
	now := a.o.Now()
	for _, inc := range changed {
		old, ok := a.live[inc.ID]
		a.live[inc.ID] = inc
		if ok && sameAlarms(old, inc) {
			continue
		}
		a.pending[inc.ID] = now
		a.watchers.tell(Event{Kind: IncidentChanged, ID: inc.ID})
	}
}

func sameAlarms(x, y rca.Incident) bool {
	return slices.EqualFunc(x.Alarms, y.Alarms, func(p, q rca.Alarm) bool {
		return p.AlarmKey == q.AlarmKey && p.Raised.Equal(q.Raised) && p.Cleared.Equal(q.Cleared) && p.Severity == q.Severity && p.Planned == q.Planned
	})
}

// Accept takes alarm events in. When it returns nil they are durable. An invalid
// event fails the call before anything is kept.
func (a *App) Accept(ctx context.Context, events []rca.AlarmEvent) error {
	for _, e := range events {
		if err := e.Validate(); err != nil {
			return err
		}
	}
	records := make([]graph.Record, len(events))
	for i, e := range events {
		var err error
		if records[i], err = ingest.Encode(e); err != nil {
			return err
		}
	}
	if err := a.store.Append(ctx, records); err != nil {
		return fmt.Errorf("keep alarm events: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range events {
		if e.Time.After(a.latest) {
			a.latest = e.Time
		}
	}
	a.events += len(events)
	return a.corr.Add(ctx, events...)
}

// Process analyses the incidents that changed and have been quiet for at least
// quiet. now is the end of the record; the zero time stands for the newest event
// seen. It returns the new cases by incident order.
func (a *App) Process(ctx context.Context, now time.Time, quiet time.Duration) ([]rca.Case, error) {
	a.analysing.Lock()
	defer a.analysing.Unlock()
	a.mu.Lock()
	if err := a.settle(ctx); err != nil {
		a.mu.Unlock()
		return nil, err
	}
	if now.IsZero() {
		now = a.latest
	}
	clock := a.o.Now()
	var due []rca.Incident
	for id, at := range a.pending {
		if clock.Sub(at) >= quiet {
			due = append(due, a.live[id])
			delete(a.pending, id)
		}
	}
	eng := a.eng
	a.mu.Unlock()
	slices.SortFunc(due, compareIncidents)
	return a.analyse(ctx, eng, due, now)
}

func compareIncidents(x, y rca.Incident) int {
	return cmp.Or(x.First.Compare(y.First), cmp.Compare(x.ID, y.ID))
}

// analyse runs the pipeline over incidents, on all cores. What fails is pending again.
func (a *App) analyse(ctx context.Context, eng *engine, due []rca.Incident, now time.Time) ([]rca.Case, error) {
	p, err := a.pipeline(eng, a.mem)
	if err != nil {
		return nil, err
	}
	cases := make([]rca.Case, len(due))
	errs := make([]error, len(due))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(due)) {
		wg.Go(func() {
			for i := range next {
				if cases[i], errs[i] = p.Run(ctx, due[i], now); errs[i] == nil {
					k, _ := a.mem.CaseOf(ctx, due[i].ID) // without it the event says less, not nothing
					a.watchers.tell(Event{Kind: CaseReady, ID: due[i].ID, Version: k.Version})
				}
			}
		})
	}
	for i := range due {
		next <- i
	}
	close(next)
	wg.Wait()
	var out []rca.Case
	for i, err := range errs {
		if err != nil {
			a.mu.Lock()
			if _, stands := a.live[due[i].ID]; stands {
				a.pending[due[i].ID] = a.o.Now()
			}
			a.mu.Unlock()
			continue
		}
		out = append(out, cases[i])
	}
	return out, errors.Join(errs...)
}

// pipeline joins the steps around one engine. remember may be nil.
func (a *App) pipeline(eng *engine, remember pipeline.Rememberer) (*pipeline.Pipeline, error) {
	r, err := retrieval.NewRetriever(retrieval.RetrieverOptions{Index: a.index, Graph: a.store, Cases: a.mem})
	if err != nil {
		return nil, err
	}
	o := pipeline.Options{
		Retriever: r, Localizer: localizer{engine: eng, bias: a.mem.Bias}, Reasoner: decider{eng}, Rehearser: rehearser{eng},
		Rememberer: remember, Now: a.o.Now,
	}
	if a.o.Plant != nil {
		o.Plant, o.Verify = a.o.Plant, verify.Compare
	}
	return pipeline.New(o)
}

// Examine analyses incidents made of the given events alone, against the stored
// inventory and knowledge. Nothing is kept.
func (a *App) Examine(ctx context.Context, events []rca.AlarmEvent) ([]rca.Case, error) {
	a.mu.Lock()
	eng := a.eng
	a.mu.Unlock()
	incs, now, err := eng.incidents(ctx, events)
	if err != nil {
		return nil, err
	}
	p, err := a.pipeline(eng, nil)
	if err != nil {
		return nil, err
	}
	var out []rca.Case
	for _, inc := range incs {
		c, err := p.Run(ctx, inc, now)
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Incidents returns every incident that stands, newest first.
func (a *App) Incidents() []rca.Incident {
	a.mu.Lock()
	out := slices.Collect(maps.Values(a.live))
	a.mu.Unlock()
	slices.SortFunc(out, func(x, y rca.Incident) int { return -compareIncidents(x, y) })
	return out
}

func caseID(incident string) string { return "CASE-" + incident }

// Incident returns one incident that stands, or graph.ErrNotFound.
func (a *App) Incident(id string) (rca.Incident, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	inc, ok := a.live[id]
	if !ok {
		return inc, fmt.Errorf("incident %s: %w", id, graph.ErrNotFound)
	}
	return inc, nil
}

// CaseOf returns the present analysis of an incident, or graph.ErrNotFound.
func (a *App) CaseOf(ctx context.Context, incident string) (rca.KeptCase, error) {
	if _, err := a.Incident(incident); err != nil {
		return rca.KeptCase{}, err
	}
	return a.mem.CaseOf(ctx, incident)
}

// CaseNow returns the analysis of an incident as it stands, made now when there is
// none or the incident changed since.
func (a *App) CaseNow(ctx context.Context, incident string) (rca.KeptCase, error) {
	inc, err := a.Incident(incident)
	if err != nil {
		return rca.KeptCase{}, err
	}
	k, err := a.mem.CaseOf(ctx, incident)
	switch {
	case errors.Is(err, graph.ErrNotFound) || err == nil && !sameAlarms(k.Case.Incident, inc):
		return a.Analyse(ctx, incident)
	default:
		return k, err
	}
}

// Pending is the number of incidents that changed and wait for an analysis.
func (a *App) Pending(ctx context.Context) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.settle(ctx)
	return len(a.pending), err
}

// Analyse analyses an incident now, whatever was known of it before, and keeps the
// case.
func (a *App) Analyse(ctx context.Context, incident string) (rca.KeptCase, error) {
	inc, err := a.Incident(incident)
	if err != nil {
		return rca.KeptCase{}, err
	}
	a.mu.Lock()
	delete(a.pending, incident)
	eng, now := a.eng, a.latest
	a.mu.Unlock()
	if _, err := a.analyse(ctx, eng, []rca.Incident{inc}, now); err != nil {
		return rca.KeptCase{}, err
	}
	return a.mem.CaseOf(ctx, incident)
}

// RecordVerdict keeps a person's verdict on a case.
func (a *App) RecordVerdict(ctx context.Context, caseID string, f rca.Feedback) (rca.Feedback, error) {
	return a.mem.RecordVerdict(ctx, caseID, f)
}

// kind is what the graph holds a resource for, "" when it does not know it.
func (a *App) kind(id graph.ID) graph.Kind {
	e, err := a.store.Entity(context.Background(), id, graph.AsOf{})
	if err != nil {
		return ""
	}
	return e.Kind
}

// Close closes the data directory. Calls in flight fail with graph.ErrClosed.
func (a *App) Close() error { return a.store.Close() }
