package rest

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"faultline/graph"
	"faultline/rca"
	"faultline/web"
)

func (s *Service) caseRoutes() []route {
	return []route{
		{http.MethodGet, base + "/incidents/{id}/case", s.getCase},
		{http.MethodGet, base + "/incidents/{id}/case.txt", s.getCaseText},
		{http.MethodPost, base + "/incidents/{id}/analyse", s.analyse},
		{http.MethodPost, base + "/incidents/{id}/feedback", s.feedback},
	}
}

func (s *Service) caseOf(r *http.Request) (rca.KeptCase, error) {
	id, err := incidentID(r)
	if err != nil {
		return rca.KeptCase{}, err
	}
	k, err := s.o.Cases.CaseOf(r.Context(), id)
	if err != nil {
		return k, fmt.Errorf("read case of incident %s: %w", id, err)
	}
	return k, nil
}

func (s *Service) getCase(w http.ResponseWriter, r *http.Request) error {
	k, err := s.caseOf(r)
	if err == nil {
		web.JSON(w, r, http.StatusOK, wireCase(k))
	}
	return err
}

func (s *Service) getCaseText(w http.ResponseWriter, r *http.Request) error {
	k, err := s.caseOf(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := s.o.Text(&b, k.Case); err != nil {
		return fmt.Errorf("write case %s as text: %w", k.Case.ID, err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
	return nil
}

func (s *Service) analyse(w http.ResponseWriter, r *http.Request) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	k, err := s.o.Cases.Analyse(r.Context(), id)
	if err != nil {
		return fmt.Errorf("analyse %s: %w", id, err)
	}
	web.JSON(w, r, http.StatusOK, wireCase(k))
	return nil
}

// feedbackBody is what a person says of an analysis.
type feedbackBody struct {
	By       string   `json:"by"`
	Version  int      `json:"version"`
	Mode     string   `json:"mode"`
	Resource graph.ID `json:"resource"`
	Right    *bool    `json:"right"`
	Note     string   `json:"note"`
}

// Limits of feedback, in characters.
const (
	maxBy   = 200
	maxNote = 4000
)

func (s *Service) feedback(w http.ResponseWriter, r *http.Request) error {
	k, err := s.caseOf(r)
	if err != nil {
		return err
	}
	var b feedbackBody
	if err := decode(r, &b); err != nil {
		return err
	}
	if user := s.o.User(r); user != "" {
		b.By = user
	}
	p := &params{}
	if strings.TrimSpace(b.By) == "" {
		p.fault("by", "missing")
	}
	if b.Right == nil {
		p.fault("right", "missing")
	}
	if b.Version < 0 || b.Version > k.Version {
		p.fault("version", "%d is none of 1 to %d", b.Version, k.Version)
	}
	if b.Mode == "" && b.Resource != "" {
		p.fault("mode", "missing beside resource")
	}
	if utf8.RuneCountInString(b.By) > maxBy {
		p.fault("by", "longer than %d characters", maxBy)
	}
	if utf8.RuneCountInString(b.Note) > maxNote {
		p.fault("note", "longer than %d characters", maxNote)
	}
	if err := p.done(); err != nil {
		return err
	}
	f, err := s.o.Cases.RecordVerdict(r.Context(), k.Case.ID, rca.Feedback{
		By: strings.TrimSpace(b.By), At: s.o.Now().UTC(), Version: b.Version, Mode: b.Mode, Resource: b.Resource, Right: *b.Right, Note: b.Note,
	})
	if err != nil {
		return fmt.Errorf("keep feedback: %w", err)
	}
	web.JSON(w, r, http.StatusCreated, f)
	return nil
}

// wireCase puts times in UTC and fills lists, so that none is null.
func wireCase(k rca.KeptCase) rca.KeptCase {
	c := &k.Case
	c.Incident, c.AnalysedAt = wireIncident(c.Incident), c.AnalysedAt.UTC()
	c.Decision.Hypotheses = full(c.Decision.Hypotheses)
	if c.Scope.Scores == nil {
		c.Scope.Scores = map[string]float64{}
	}
	if c.Prediction != nil {
		p := *c.Prediction
		p.Cleared, p.Restored = full(p.Cleared), full(p.Restored)
		c.Prediction = &p
	}
	k.Feedback = full(slices.Clone(k.Feedback))
	for i := range k.Feedback {
		k.Feedback[i].At = k.Feedback[i].At.UTC()
	}
	return k
}
