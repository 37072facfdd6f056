package rest

import (
	"fmt"
	"net/http"
	"strconv"

	"faultline/graph"
	"faultline/web"
)

func (s *Service) entityRoutes() []route {
	return []route{
		{http.MethodGet, base + "/entities", s.listEntities},
		{http.MethodGet, base + "/entities/{id...}", s.getEntity},
		{http.MethodGet, base + "/entities/{id...}/relations", s.listRelations},
		{http.MethodGet, base + "/entities/{id...}/contributions", s.entityContributions},
		{http.MethodGet, base + "/relations/contributions", s.relationContributions},
	}
}

func (s *Service) listEntities(w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	q := graph.Query{
		Kind: graph.Kind(p.text("kind")), Role: p.text("role"), Domain: p.text("domain"), Text: p.text("q"), Prefix: p.text("prefix"), AsOf: p.asOf(),
	}
	limit := p.limit(100, 1000)
	if c := p.cursor(1); c != nil {
		q.After = graph.ID(c[0])
	}
	if err := p.done(); err != nil {
		return err
	}
	q.Limit = limit + 1 // one more tells whether there is a next page
	out := page[graph.Entity]{Items: []graph.Entity{}}
	for e, err := range s.o.Graph.Find(r.Context(), q) {
		if err != nil {
			return fmt.Errorf("list entities: %w", err)
		}
		if len(out.Items) == limit {
			out.Next = encodeCursor(string(out.Items[limit-1].ID))
			break
		}
		out.Items = append(out.Items, e)
	}
	web.JSON(w, r, http.StatusOK, out)
	return nil
}

func (s *Service) getEntity(w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	at := p.asOf()
	e, err := s.entity(r, p, at)
	if err == nil {
		web.JSON(w, r, http.StatusOK, e)
	}
	return err
}

// entity reads the entity of the path after the query was read.
func (s *Service) entity(r *http.Request, p *params, at graph.AsOf) (graph.Entity, error) {
	if err := p.done(); err != nil {
		return graph.Entity{}, err
	}
	id, err := pathParam(r, "id")
	if err != nil {
		return graph.Entity{}, err
	}
	e, err := s.o.Graph.Entity(r.Context(), graph.ID(id), at)
	if err != nil {
		return e, fmt.Errorf("read entity %s: %w", id, err)
	}
	return e, nil
}

var directions = map[string]graph.Direction{"": graph.Both, "both": graph.Both, "out": graph.Out, "in": graph.In}

func (s *Service) listRelations(w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	f := graph.Filter{Dir: directions[p.oneOf("direction", "both", "in", "out")], AsOf: p.asOf()}
	for _, t := range p.list("type") {
		f.Types = append(f.Types, graph.RelationType(t))
	}
	limit, skip := p.limit(500, 5000), 0
	if c := p.cursor(1); c != nil {
		var err error
		if skip, err = strconv.Atoi(c[0]); err != nil || skip < 0 {
			p.fault("cursor", "not one that this list gave out")
		}
	}
	e, err := s.entity(r, p, f.AsOf)
	if err != nil {
		return err
	}
	out := page[graph.Relation]{Items: []graph.Relation{}}
	n := 0
	for rel, err := range s.o.Graph.Relations(r.Context(), e.ID, f) {
		if err != nil {
			return fmt.Errorf("list relations of %s: %w", e.ID, err)
		}
		if n++; n <= skip {
			continue
		}
		if len(out.Items) == limit {
			out.Next = encodeCursor(strconv.Itoa(skip + limit))
			break
		}
		out.Items = append(out.Items, rel)
	}
	web.JSON(w, r, http.StatusOK, out)
	return nil
}

func (s *Service) entityContributions(w http.ResponseWriter, r *http.Request) error {
	if err := query(r).done(); err != nil {
		return err
	}
	id, err := pathParam(r, "id")
	if err != nil {
		return err
	}
	list, err := s.o.Ledger.EntityContributions(r.Context(), graph.ID(id))
	if err != nil {
		return fmt.Errorf("read contributions to %s: %w", id, err)
	}
	web.JSON(w, r, http.StatusOK, page[graph.Contribution]{Items: full(list)})
	return nil
}

func (s *Service) relationContributions(w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	k := graph.RelationKey{
		From: graph.ID(p.required("from")), Type: graph.RelationType(p.required("type")), To: graph.ID(p.required("to")), Qualifier: p.text("qualifier"),
	}
	if err := p.done(); err != nil {
		return err
	}
	list, err := s.o.Ledger.RelationContributions(r.Context(), k)
	if err != nil {
		return fmt.Errorf("read contributions to %s: %w", k, err)
	}
	web.JSON(w, r, http.StatusOK, page[graph.Contribution]{Items: full(list)})
	return nil
}
