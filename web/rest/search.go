package rest

import (
	"fmt"
	"net/http"

	"faultline/web"
)

// Hit is something that a search found.
type Hit struct {
	ID     string  `json:"id"`   // entity id
	Kind   string  `json:"kind"` // of the entity, for example "Passage"
	Title  string  `json:"title"`
	Text   string  `json:"text,omitempty"`
	Source string  `json:"source"` // where it can be looked up
	Score  float64 `json:"score"`
	// What the two arms gave: the words alone, and the walk over the graph.
	Lexical float64 `json:"lexical"`
	Graph   float64 `json:"graph"`
	Why     string  `json:"why,omitempty"` // how it was found
}

func (s *Service) searchRoutes() []route {
	return []route{{http.MethodGet, base + "/search", s.search}}
}

func (s *Service) search(w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	q, k := p.required("q"), p.limit(10, 100)
	if err := p.done(); err != nil {
		return err
	}
	hits, err := s.o.Knowledge.Search(r.Context(), q, k)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	web.JSON(w, r, http.StatusOK, page[Hit]{Items: full(hits)})
	return nil
}
