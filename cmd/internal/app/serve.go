package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
	"faultline/retrieval"
	"faultline/web"
	"faultline/web/rest"
)

// Version of the product.
const Version = "0.1.0"

// ServeOptions of Serve.
type ServeOptions struct {
	Addr  string            // default 127.0.0.1:8080
	Quiet time.Duration     // how long an incident must be unchanged before it is analysed; default 10 s
	Ready func(addr string) // called when requests are answered; optional
}

// Serve answers over HTTP and analyses what comes in, until the context ends. While
// it runs, the file serve.addr of the data directory says where it answers.
func (a *App) Serve(ctx context.Context, o ServeOptions) error {
	if o.Quiet == 0 {
		o.Quiet = 10 * time.Second
	}
	started := time.Now()
	events, err := rest.NewEvents(rest.EventOptions{Epoch: strconv.FormatInt(started.UnixNano(), 36), Wall: time.Now})
	if err != nil {
		return err
	}
	stop := a.Watch(func(e Event) {
		kind := rest.EventIncidentChanged
		if e.Kind == CaseReady {
			kind = rest.EventCaseReady
		}
		events.Publish(rest.Event{Type: kind, Incident: e.ID, Version: e.Version, At: a.o.Now()})
	})
	defer stop()
	s := &service{App: a, started: started}
	api, err := rest.New(rest.Options{
		Incidents: s, Cases: a, Alarms: alarmLists{a}, Graph: a.store, Ledger: ledger{a.store, a}, Knowledge: s, Ingest: s, Health: s, Events: events,
		Text: func(w io.Writer, c rca.Case) error { return RenderCase(w, c, a.Describe) }, Now: a.Latest,
	})
	if err != nil {
		return err
	}
	server, err := web.New(web.Options{Addr: o.Addr, Logger: a.o.Log, Routes: api.Routes(), Now: time.Now, NewID: rand.Text})
	if err != nil {
		return err
	}
	if err := server.Listen(); err != nil {
		return err
	}
	addr := filepath.Join(a.o.DataDir, addrFile)
	if err := os.WriteFile(addr, fmt.Appendf(nil, "%s %d\n", server.Addr(), os.Getpid()), 0o644); err != nil {
		return fmt.Errorf("say where the service answers: %w", err)
	}
	defer func() { _ = os.Remove(addr) }() // a stale one does no harm
	if o.Ready != nil {
		o.Ready(server.Addr())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	go func() { // stopped by cancel above; Serve waits for it
		defer close(done)
		a.analyseAsTheyCome(ctx, o.Quiet)
	}()
	err = server.Run(ctx)
	cancel()
	<-done
	return err
}

// addrFile says where the service of a data directory answers, and its process.
const addrFile = "serve.addr"

// ServedAt tells where the service that has a data directory open answers, and its
// process. ok is false when none said so; one that was killed leaves a stale answer.
func ServedAt(dataDir string) (addr string, pid int, ok bool) {
	text, err := os.ReadFile(filepath.Join(dataDir, addrFile))
	if err != nil {
		return "", 0, false
	}
	_, err = fmt.Sscanf(string(text), "%s %d", &addr, &pid)
	return addr, pid, err == nil
}

// analyseAsTheyCome analyses incidents once they are quiet.
func (a *App) analyseAsTheyCome(ctx context.Context, quiet time.Duration) {
	tick := time.NewTicker(max(quiet/5, 50*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := a.Process(ctx, time.Time{}, quiet); err != nil && ctx.Err() == nil {
			a.o.Log.Error().Err(err).Msg("analyse incidents")
		}
	}
}

// Latest is the network's time: that of the newest alarm event, or the clock when
// there is none.
func (a *App) Latest() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.latest.IsZero() {
		return a.o.Now()
	}
	return a.latest
}

// Describe names an alarm type for people.
func (a *App) Describe(alarmType string) string {
	a.mu.Lock()
	k := a.eng.knowledge
	a.mu.Unlock()
	if t, ok := k.AlarmType(alarmType); ok {
		return t.Name
	}
	return alarmType
}

// Graph is the graph and its ledger, for reading.
type Graph interface {
	graph.Reader
	graph.Ledger
}

// Store is the graph of the data directory.
func (a *App) Store() Graph { return a.store }

// Source is one source with what it states in the graph and the alarm events that
// came from it.
type Source struct {
	graph.SourceCount
	Events int `json:"events,omitempty"`
}

// Sources returns all sources by name, those of alarm events among them. It reads
// the whole record of alarms.
func (a *App) Sources(ctx context.Context) ([]Source, error) {
	stated, err := a.store.Sources(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sources: %w", err)
	}
	all := map[string]Source{}
	for _, s := range stated {
		all[s.Source] = Source{SourceCount: s}
	}
	for e, err := range ingest.Events(ctx, a.store, graph.Interval{}) {
		if err != nil {
			return nil, err
		}
		s := all[e.Source]
		s.Source = e.Source
		s.Events++
		all[e.Source] = s
	}
	return slices.SortedFunc(maps.Values(all), func(x, y Source) int { return cmp.Compare(x.Source, y.Source) }), nil
}

// ledger is the graph's, with the sources of alarm events beside those of the graph,
// because they can be dropped too.
type ledger struct {
	graph.Ledger
	app *App
}

// Sources returns every source that states something or sent alarms.
func (l ledger) Sources(ctx context.Context) ([]graph.SourceCount, error) {
	all, err := l.app.Sources(ctx)
	out := make([]graph.SourceCount, len(all))
	for i, s := range all {
		out[i] = s.SourceCount
	}
	return out, err
}

// Hit is one answer of Search.
type Hit = rest.Hit

// Search returns up to k passages, work orders, entities and cases, best first.
func (a *App) Search(ctx context.Context, q string, k int) ([]Hit, error) {
	hits, err := a.index.Search(ctx, retrieval.Query{Text: q, Limit: k})
	if err != nil {
		return nil, err
	}
	out := make([]Hit, len(hits))
	for i, h := range hits {
		out[i] = Hit{
			ID: string(h.ID), Kind: string(h.Kind), Title: h.Title, Text: h.Text, Source: h.Source,
			Score: h.Score, Lexical: h.Lexical, Graph: h.Graph, Why: strings.Join(h.Why, "; "),
		}
		if h.Anchor != "" {
			out[i].Source += "#" + h.Anchor
		}
	}
	return out, nil
}

// service is an App as the REST interface sees it.
type service struct {
	*App
	started            time.Time
	accepted, rejected atomic.Int64
}

// List yields incidents, newest first.
func (s *service) List(context.Context, rest.IncidentFilter) iter.Seq2[rca.Incident, error] {
	return func(yield func(rca.Incident, error) bool) {
		for _, inc := range s.Incidents() {
			if !yield(inc, nil) {
				return
			}
		}
	}
}

// Incident returns one incident.
func (s *service) Incident(_ context.Context, id string) (rca.Incident, error) {
	return s.App.Incident(id)
}

// alarmLists is the App as a list of alarms.
type alarmLists struct{ *App }

// Alarms yields alarms, the latest raise first.
func (s alarmLists) Alarms(_ context.Context, f rest.AlarmFilter) iter.Seq2[rca.Alarm, error] {
	return func(yield func(rca.Alarm, error) bool) {
		var all []rca.Alarm
		for _, inc := range s.Incidents() {
			for _, al := range inc.Alarms {
				if f.Match(al) {
					all = append(all, al)
				}
			}
		}
		slices.SortFunc(all, func(x, y rca.Alarm) int {
			if c := y.Raised.Compare(x.Raised); c != 0 {
				return c
			}
			return x.Compare(y.AlarmKey)
		})
		for _, al := range all {
			if !yield(al, nil) {
				return
			}
		}
	}
}

// DropSource withdraws a source.
func (s *service) DropSource(ctx context.Context, source string) (rest.Dropped, error) {
	d, err := s.App.DropSource(ctx, source)
	return rest.Dropped{SourceCount: graph.SourceCount{Source: source, Entities: d.Entities, Relations: d.Relations}, Records: d.Records}, err
}

// take takes alarms of one format from a stream.
func (s *service) take(ctx context.Context, source string, format ingest.Format, r io.Reader) (rest.Report, error) {
	var rep rest.Report
	keep := s.keeper(ctx)
	o := FileOptions{Reject: func(x ingest.Reject) {
		rep.Rejected = append(rep.Rejected, rest.Reject{Line: x.Line, Field: x.Field, Reason: x.Reason})
	}}
	_, counts, err := s.readAlarms(ctx, r, input{path: source, source: source, format: format}, o, keep.add)
	if err == nil {
		err = keep.flush()
	}
	if err != nil {
		return rep, fmt.Errorf("take alarms of %s: %w", source, err)
	}
	rep.Accepted = counts.Emitted
	for _, k := range counts.Ignored {
		rep.Ignored += k
	}
	s.accepted.Add(int64(rep.Accepted))
	s.rejected.Add(int64(len(rep.Rejected)))
	return rep, nil
}

// Alarms takes JSON Lines.
func (s *service) Alarms(ctx context.Context, source string, jsonl io.Reader) (rest.Report, error) {
	return s.take(ctx, source, ingest.FormatAlarmsJSONL, jsonl)
}

// VES takes one ONAP VES message.
func (s *service) VES(ctx context.Context, source string, message []byte) (rest.Report, error) {
	return s.take(ctx, source, ingest.FormatVES, strings.NewReader(string(message)))
}

// Status tells how the service is.
func (s *service) Status(ctx context.Context) (rest.Status, error) {
	st := rest.Status{Version: Version, Ready: true, Started: s.started.UTC(), Counts: map[string]int{}}
	sources, err := s.store.Sources(ctx)
	if err != nil {
		return st, err
	}
	for _, src := range sources {
		st.Counts["contributed_entities"] += src.Entities
		st.Counts["contributed_relations"] += src.Relations
		st.Sources = append(st.Sources, rest.SourceHealth{Name: src.Source, Healthy: true, Accepted: src.Entities + src.Relations})
	}
	now := s.Latest()
	for _, inc := range s.Incidents() {
		st.Counts["incidents"]++
		for _, al := range inc.Alarms {
			st.Counts["alarms"]++
			if al.Active(now) {
				st.Counts["active_alarms"]++
			}
		}
	}
	s.mu.Lock()
	st.LastEvent = s.latest
	st.Counts["alarm_events"], st.Counts["pending_analyses"] = s.events, len(s.pending)
	s.mu.Unlock()
	st.Counts["cases"] = s.mem.Len()
	st.Counts["alarms_accepted_since_start"] = int(s.accepted.Load())
	st.Counts["alarms_rejected_since_start"] = int(s.rejected.Load())
	return st, nil
}
