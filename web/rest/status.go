package rest

import (
	"fmt"
	"net/http"
	"time"

	"faultline/web"
)

// Status is how the service is.
type Status struct {
	Version   string         `json:"version"`
	Ready     bool           `json:"ready"`
	Reason    string         `json:"reason,omitempty"` // why it is not ready
	Started   time.Time      `json:"started"`
	LastEvent time.Time      `json:"last_event,omitzero"` // the latest alarm event that came in
	Counts    map[string]int `json:"counts"`              // for example "entities", "active_alarms", "incidents"
	Sources   []SourceHealth `json:"sources"`             // by name
}

// SourceHealth is how one feed is.
type SourceHealth struct {
	Name     string    `json:"name"`
	Healthy  bool      `json:"healthy"`
	Reason   string    `json:"reason,omitempty"`
	LastSeen time.Time `json:"last_seen,omitzero"`
	Accepted int       `json:"accepted"`
	Rejected int       `json:"rejected"`
}

func (s *Service) statusRoutes() []route {
	return []route{
		{http.MethodGet, base + "/status", s.status},
		{http.MethodGet, "/healthz", healthz},
		{http.MethodGet, "/readyz", s.readyz},
	}
}

func (s *Service) status(w http.ResponseWriter, r *http.Request) error {
	if err := query(r).done(); err != nil {
		return err
	}
	st, err := s.o.Health.Status(r.Context())
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	if st.Counts == nil {
		st.Counts = map[string]int{}
	}
	st.Sources = full(st.Sources)
	web.JSON(w, r, http.StatusOK, st)
	return nil
}

// healthz says that the process answers; readyz that it can do its work.
func healthz(w http.ResponseWriter, r *http.Request) error {
	web.JSON(w, r, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

func (s *Service) readyz(w http.ResponseWriter, r *http.Request) error {
	st, err := s.o.Health.Status(r.Context())
	if err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	if !st.Ready {
		return fmt.Errorf("%w: %s", web.ErrNotReady, st.Reason)
	}
	web.JSON(w, r, http.StatusOK, map[string]string{"status": "ready"})
	return nil
}
