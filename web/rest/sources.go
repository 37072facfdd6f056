package rest

import (
	"fmt"
	"net/http"

	"faultline/graph"
	"faultline/web"
)

// Dropped is what went with a source.
type Dropped struct {
	graph.SourceCount
	Records int `json:"records"` // of the journal: alarm events and the like
}

func (s *Service) sourceRoutes() []route {
	return []route{
		{http.MethodGet, base + "/sources", s.listSources},
		{http.MethodDelete, base + "/sources/{name...}", s.dropSource},
	}
}

func (s *Service) listSources(w http.ResponseWriter, r *http.Request) error {
	if err := query(r).done(); err != nil {
		return err
	}
	list, err := s.o.Ledger.Sources(r.Context())
	if err != nil {
		return fmt.Errorf("list sources: %w", err)
	}
	web.JSON(w, r, http.StatusOK, page[graph.SourceCount]{Items: full(list)})
	return nil
}

func (s *Service) dropSource(w http.ResponseWriter, r *http.Request) error {
	if err := query(r).done(); err != nil {
		return err
	}
	name, err := pathParam(r, "name")
	if err != nil {
		return err
	}
	d, err := s.o.Knowledge.DropSource(r.Context(), name)
	if err != nil {
		return fmt.Errorf("drop source %s: %w", name, err)
	}
	web.JSON(w, r, http.StatusOK, d)
	return nil
}
