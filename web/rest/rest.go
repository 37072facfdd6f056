// Package rest is the JSON interface over HTTP: incidents and their analyses,
// alarms, the graph and its sources, search, status and a stream of events, under
// /api/v1, with the collector paths of ONAP VES and the health checks beside it.
// openapi.json describes it all; a test holds the two together.
//
// A handler decodes, calls one method of a small interface declared here, and
// encodes. Lists have a fixed order and are paged by opaque cursors that stay valid
// while items are added. Times are RFC 3339 in UTC, severities the lower-case names
// of RFC 8632. A query parameter or body field that is not known is an error, never
// ignored.
package rest

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"faultline/graph"
	"faultline/rca"
	"faultline/web"
)

// Incidents knows the incidents.
type Incidents interface {
	// List yields incidents, the latest first alarm first, then by id. It may leave
	// out those that the filter does not match.
	List(ctx context.Context, f IncidentFilter) iter.Seq2[rca.Incident, error]
	// Incident returns one, or graph.ErrNotFound.
	Incident(ctx context.Context, id string) (rca.Incident, error)
}

// Cases knows the analyses.
type Cases interface {
	// CaseOf returns the present analysis of an incident, or graph.ErrNotFound.
	CaseOf(ctx context.Context, incident string) (rca.KeptCase, error)
	// Analyse analyses an incident now and keeps the case.
	Analyse(ctx context.Context, incident string) (rca.KeptCase, error)
	// RecordVerdict keeps a person's verdict; a zero Version means the present one,
	// an empty Mode the case's own answer. It returns the verdict as kept.
	RecordVerdict(ctx context.Context, caseID string, f rca.Feedback) (rca.Feedback, error)
}

// Alarms knows the alarms, current and past.
type Alarms interface {
	// Alarms yields alarms, the latest raise first, then by key. It may leave out
	// those that the filter does not match.
	Alarms(ctx context.Context, f AlarmFilter) iter.Seq2[rca.Alarm, error]
}

// Knowledge is what was read into the graph, beyond the graph itself.
type Knowledge interface {
	// Search returns up to k hits over graph and text, best first.
	Search(ctx context.Context, q string, k int) ([]Hit, error)
	// DropSource withdraws everything that a source stated, or graph.ErrNotFound.
	DropSource(ctx context.Context, source string) (Dropped, error)
}

// Ingest takes alarms in. What it reports as accepted is durable.
type Ingest interface {
	// Alarms reads one JSON object per line.
	Alarms(ctx context.Context, source string, jsonl io.Reader) (Report, error)
	// VES reads one ONAP VES message with "event" or "eventList". Events that are no
	// alarms count as ignored.
	VES(ctx context.Context, source string, message []byte) (Report, error)
}

// Health knows how the service is.
type Health interface {
	Status(ctx context.Context) (Status, error)
}

// Options are what the interface answers from. All are required but User.
type Options struct {
	Incidents Incidents
	Cases     Cases
	Alarms    Alarms
	Graph     graph.Reader
	Ledger    graph.Ledger
	Knowledge Knowledge
	Ingest    Ingest
	Health    Health
	Events    *Events
	Text      func(io.Writer, rca.Case) error // writes an analysis for people
	Now       func() time.Time                // the network's time: what "active" and a verdict's time refer to
	// User names who sends a request, "" when unknown. When it knows, feedback is
	// kept under that name, whatever the body says.
	User func(*http.Request) string
}

func (o Options) validate() error {
	for _, f := range []struct {
		name    string
		missing bool
	}{
		{"Incidents", o.Incidents == nil}, {"Cases", o.Cases == nil}, {"Alarms", o.Alarms == nil}, {"Graph", o.Graph == nil},
		{"Ledger", o.Ledger == nil}, {"Knowledge", o.Knowledge == nil}, {"Ingest", o.Ingest == nil}, {"Health", o.Health == nil},
		{"Events", o.Events == nil}, {"Text", o.Text == nil}, {"Now", o.Now == nil},
	} {
		if f.missing {
			return fmt.Errorf("rest options: %s missing: %w", f.name, rca.ErrInvalid)
		}
	}
	return nil
}

// Service is the interface as an http.Handler that takes whole paths.
type Service struct {
	o   Options
	mux http.Handler
}

// New checks the options.
func New(o Options) (*Service, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.User == nil {
		o.User = func(*http.Request) string { return "" }
	}
	s := &Service{o: o}
	s.mux = newMux(s.routes())
	return s, nil
}

// ServeHTTP answers a request. HEAD is a GET of which net/http drops the body; a
// stream has no end to wait for, so there is no HEAD of it.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead && r.URL.Path != base+"/events" {
		get := *r
		get.Method = http.MethodGet
		r = &get
	}
	s.mux.ServeHTTP(w, r)
}

// Routes are the service's paths for a web.Server.
func (s *Service) Routes() []web.Route {
	return []web.Route{
		{Prefix: base, Handler: s}, {Prefix: base + "/events", Handler: s, Stream: true},
		{Prefix: "/eventListener", Handler: s}, {Prefix: "/healthz", Handler: s}, {Prefix: "/readyz", Handler: s},
	}
}

const base = "/api/v1"

// handler answers or returns the error to answer with.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is one operation. A pattern may hold {name} for one path segment and, once,
// {name...} for one or more; what follows it is matched from the end.
type route struct {
	method, pattern string
	handle          handler
}

func (s *Service) routes() []route {
	return slices.Concat(s.incidentRoutes(), s.caseRoutes(), s.alarmRoutes(), s.vesRoutes(), s.entityRoutes(), s.sourceRoutes(), s.searchRoutes(), s.statusRoutes(), s.eventRoutes(),
		[]route{{http.MethodGet, base + "/openapi.json", openAPI}})
}

//go:embed openapi.json
var openAPIText []byte

func openAPI(w http.ResponseWriter, r *http.Request) error {
	if err := query(r).done(); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(openAPIText)
	return err
}

// page is the shape of every list.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // cursor of the next page; none when this is the last
}

// pageOf collects up to limit items that match. order is the list's; after, when
// set, is the place of the last item of the page before. Items at or before it are
// passed over, so a page boundary holds when items come and go.
func pageOf[T any](seq iter.Seq2[T, error], match func(T) bool, placeOf func(T) place, after *place, limit int) ([]T, string, error) {
	items := []T{}
	for v, err := range seq {
		if err != nil {
			return nil, "", err
		}
		if after != nil && placeOf(v).compare(*after) <= 0 || !match(v) {
			continue
		}
		if len(items) == limit {
			return items, placeOf(items[limit-1]).cursor(), nil
		}
		items = append(items, v)
	}
	return items, "", nil
}

// containsFold reports whether any of the texts contains q, which is lower case.
func containsFold(q string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), q) })
}
