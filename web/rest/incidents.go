package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"faultline/graph"
	"faultline/rca"
	"faultline/web"
)

// Statuses of incidents and alarms.
const (
	StatusActive  = "active"  // an alarm stands
	StatusCleared = "cleared" // none does
)

// IncidentFilter narrows a list of incidents. Zero fields do not filter.
type IncidentFilter struct {
	Now      time.Time // what "active" refers to
	Status   string
	Domains  []string // any of them
	Severity []rca.Severity
	Span     graph.Interval // alarms were raised within it
	Text     string         // lower case; in the id, the name, a site, or an alarm's type or resource
}

// Match reports whether an incident passes.
func (f IncidentFilter) Match(inc rca.Incident) bool {
	return (f.Status == "" || f.Status == statusOf(inc, f.Now)) &&
		(len(f.Domains) == 0 || slices.ContainsFunc(inc.Domains, func(d string) bool { return slices.Contains(f.Domains, d) })) &&
		(len(f.Severity) == 0 || slices.Contains(f.Severity, inc.Severity)) &&
		(f.Span.From.IsZero() || !inc.Last.Before(f.Span.From)) && (f.Span.To.IsZero() || inc.First.Before(f.Span.To)) &&
		(f.Text == "" || containsFold(f.Text, inc.ID, inc.Name) ||
			slices.ContainsFunc(inc.Sites, func(s graph.ID) bool { return containsFold(f.Text, string(s)) }) ||
			slices.ContainsFunc(inc.Alarms, func(a rca.Alarm) bool { return containsFold(f.Text, a.Type, string(a.Resource)) }))
}

func statusOf(inc rca.Incident, now time.Time) string {
	for _, a := range inc.Alarms {
		if a.Active(now) {
			return StatusActive
		}
	}
	return StatusCleared
}

// analysis is the answer of a case in one line.
type analysis struct {
	Case       string    `json:"case"`
	Version    int       `json:"version"`
	AnalysedAt time.Time `json:"analysed_at"`
	Determined bool      `json:"determined"`
	Mode       string    `json:"mode,omitempty"`
	Name       string    `json:"name,omitempty"`
	Resource   graph.ID  `json:"resource,omitempty"`
	Confidence float64   `json:"confidence"`
	Causes     int       `json:"causes"` // independent root causes
	Rated      bool      `json:"rated"`  // a person judged this version
}

// incidentItem is an incident in a list.
type incidentItem struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	Status   string       `json:"status"`
	Severity rca.Severity `json:"severity"`
	Domains  []string     `json:"domains"`
	Sites    []graph.ID   `json:"sites"`
	First    time.Time    `json:"first"`
	Last     time.Time    `json:"last"`
	Planned  bool         `json:"planned"`
	Alarms   int          `json:"alarm_count"`
	Analysis *analysis    `json:"analysis,omitempty"`
}

// incidentFull is one incident with all its alarms.
type incidentFull struct {
	rca.Incident
	Status   string    `json:"status"`
	Analysis *analysis `json:"analysis,omitempty"`
}

func (s *Service) incidentRoutes() []route {
	return []route{
		{http.MethodGet, base + "/incidents", s.listIncidents},
		{http.MethodGet, base + "/incidents/{id}", s.getIncident},
	}
}

func incidentFilter(p *params, now time.Time) IncidentFilter {
	return IncidentFilter{
		Now: now, Status: p.oneOf("status", StatusActive, StatusCleared), Domains: p.list("domain"),
		Severity: p.severities("severity"), Span: p.span(), Text: strings.ToLower(p.text("q")),
	}
}

func (s *Service) listIncidents(w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	f, after, limit := incidentFilter(p, s.o.Now()), p.after(), p.limit(50, 500)
	if err := p.done(); err != nil {
		return err
	}
	found, next, err := pageOf(s.o.Incidents.List(r.Context(), f), f.Match, func(i rca.Incident) place { return place{i.First, i.ID} }, after, limit)
	if err != nil {
		return fmt.Errorf("list incidents: %w", err)
	}
	out := page[incidentItem]{Items: []incidentItem{}, Next: next}
	for _, inc := range found {
		a, err := s.analysisOf(r.Context(), inc.ID)
		if err != nil {
			return err
		}
		out.Items = append(out.Items, incidentItem{
			ID: inc.ID, Name: inc.Name, Status: statusOf(inc, f.Now), Severity: inc.Severity, Domains: full(inc.Domains), Sites: full(inc.Sites),
			First: inc.First.UTC(), Last: inc.Last.UTC(), Planned: inc.Planned, Alarms: len(inc.Alarms), Analysis: a,
		})
	}
	web.JSON(w, r, http.StatusOK, out)
	return nil
}

func (s *Service) getIncident(w http.ResponseWriter, r *http.Request) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	inc, err := s.o.Incidents.Incident(r.Context(), id)
	if err != nil {
		return fmt.Errorf("read incident %s: %w", id, err)
	}
	a, err := s.analysisOf(r.Context(), id)
	if err != nil {
		return err
	}
	web.JSON(w, r, http.StatusOK, incidentFull{wireIncident(inc), statusOf(inc, s.o.Now()), a})
	return nil
}

// incidentID reads the path of a request that takes no query.
func incidentID(r *http.Request) (string, error) {
	if err := query(r).done(); err != nil {
		return "", err
	}
	return pathParam(r, "id")
}

// analysisOf is nil for an incident that was not analysed yet.
func (s *Service) analysisOf(ctx context.Context, incident string) (*analysis, error) {
	k, err := s.o.Cases.CaseOf(ctx, incident)
	if errors.Is(err, graph.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read case of %s: %w", incident, err)
	}
	d := k.Case.Decision
	a := &analysis{Case: k.Case.ID, Version: k.Version, AnalysedAt: k.Case.AnalysedAt.UTC(), Determined: d.Determined, Causes: len(d.Causes), Rated: k.Rated()}
	if len(d.Hypotheses) > 0 {
		h := d.Hypotheses[0]
		a.Mode, a.Name, a.Resource, a.Confidence = h.Mode, h.Name, h.Resource, h.Confidence
		a.Causes = max(a.Causes, 1)
	}
	return a, nil
}

// wireIncident puts times in UTC and fills lists, so that none is null.
func wireIncident(inc rca.Incident) rca.Incident {
	inc.First, inc.Last = inc.First.UTC(), inc.Last.UTC()
	inc.Domains, inc.Alarms = full(inc.Domains), full(slices.Clone(inc.Alarms))
	for i := range inc.Alarms {
		inc.Alarms[i] = wireAlarm(inc.Alarms[i])
	}
	return inc
}

func wireAlarm(a rca.Alarm) rca.Alarm {
	a.Raised, a.Cleared, a.History = a.Raised.UTC(), a.Cleared.UTC(), slices.Clone(a.History)
	for i := range a.History {
		a.History[i].Time = a.History[i].Time.UTC()
	}
	return a
}

// full makes a nil list an empty one.
func full[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
