package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"faultline/cmd/internal/app"
	"faultline/graph"
	"faultline/rca"
)

// open opens the data folder to work in it, and says who has it when another does.
func (p *program) open(ctx context.Context) (*app.App, error) {
	return p.openAt(ctx, p.now)
}

func (p *program) openAt(ctx context.Context, now func() time.Time) (*app.App, error) {
	a, err := app.Open(ctx, app.Options{DataDir: p.data, Now: now, Log: p.logger()})
	if errors.Is(err, app.ErrInUse) {
		if addr, pid, ok := app.ServedAt(p.data); ok {
			return nil, heldError(fmt.Sprintf("data folder %s is held by the service on http://%s (process %d): stop it, or use its REST interface", p.data, addr, pid))
		}
		return nil, heldError(fmt.Sprintf("data folder %s is held by another faultline process that does not serve: wait for it, or stop it", p.data))
	}
	return a, err
}

// heldError is app.ErrInUse with who it is.
type heldError string

func (e heldError) Error() string        { return string(e) }
func (e heldError) Is(target error) bool { return target == app.ErrInUse }

// library is a data folder as reading commands see it: opened here, or asked of the
// service that has it open.
type library interface {
	graph.Reader
	graph.Ledger
	Incidents(ctx context.Context) ([]incident, error)              // newest first
	Case(ctx context.Context, id string) (rca.KeptCase, error)      // analysed now when it was not; graph.ErrNotFound
	Search(ctx context.Context, q string, k int) ([]app.Hit, error) // best first
	AllSources(ctx context.Context) ([]app.Source, error)           // by name
	Close() error
}

// incident is one line of the list of incidents, in the words of the REST interface.
type incident struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	Severity rca.Severity `json:"severity"`
	Domains  []string     `json:"domains"`
	First    time.Time    `json:"first"`
	Last     time.Time    `json:"last"`
	Planned  bool         `json:"planned"`
	Alarms   int          `json:"alarm_count"`
	Analysis *analysis    `json:"analysis,omitempty"` // nil before the first analysis
}

// analysis is the answer of a case in one line.
type analysis struct {
	Determined bool     `json:"determined"`
	Mode       string   `json:"mode,omitempty"`
	Name       string   `json:"name,omitempty"`
	Resource   graph.ID `json:"resource,omitempty"`
	Confidence float64  `json:"confidence"`
	Causes     int      `json:"causes"`
}

// library opens the data folder for reading. When a service has it open, that one is
// asked.
func (p *program) library(ctx context.Context) (library, error) {
	if _, err := os.Stat(filepath.Join(p.data, app.StoreFile)); err != nil {
		return nil, fmt.Errorf("no data in %s; begin with `faultline ingest` or `faultline demo`, or name a folder with --data: %w", p.data, err)
	}
	a, err := p.open(ctx)
	if errors.Is(err, app.ErrInUse) {
		if addr, _, ok := app.ServedAt(p.data); ok {
			return newRemote(addr), nil
		}
	}
	if err != nil {
		return nil, err
	}
	return local{a.Store(), a}, nil
}

// local is a library that is opened here.
type local struct {
	app.Graph
	app *app.App
}

func (l local) Close() error { return l.app.Close() }

func (l local) AllSources(ctx context.Context) ([]app.Source, error) { return l.app.Sources(ctx) }

func (l local) Case(ctx context.Context, id string) (rca.KeptCase, error) {
	return l.app.CaseNow(ctx, id)
}

func (l local) Incidents(ctx context.Context) ([]incident, error) { return incidentsOf(ctx, l.app) }

// incidentsOf lists the incidents of an app, newest first.
func incidentsOf(ctx context.Context, a *app.App) ([]incident, error) {
	var out []incident
	for _, inc := range a.Incidents() {
		i := incident{
			ID: inc.ID, Name: inc.Name, Severity: inc.Severity, Domains: slices.Clip(inc.Domains), First: inc.First.UTC(), Last: inc.Last.UTC(),
			Planned: inc.Planned, Alarms: len(inc.Alarms),
		}
		k, err := a.CaseOf(ctx, inc.ID)
		switch {
		case err == nil:
			i.Analysis = analysisOf(k.Case.Decision)
		case !errors.Is(err, graph.ErrNotFound):
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

func analysisOf(d rca.Decision) *analysis {
	a := &analysis{Determined: d.Determined, Causes: len(d.Causes)}
	if len(d.Hypotheses) > 0 {
		h := d.Hypotheses[0]
		a.Mode, a.Name, a.Resource, a.Confidence, a.Causes = h.Mode, h.Name, h.Resource, h.Confidence, max(a.Causes, 1)
	}
	return a
}

func (l local) Search(ctx context.Context, q string, k int) ([]app.Hit, error) {
	return l.app.Search(ctx, q, k)
}
