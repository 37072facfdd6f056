package retrieval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"faultline/graph"
	"faultline/rca"
)

// Cases finds past cases that resemble an incident, most similar first.
type Cases interface {
	Similar(ctx context.Context, inc rca.Incident, k int) ([]rca.Case, error)
}

// RetrieverOptions are the parts of a Retriever. Index is required.
type RetrieverOptions struct {
	Index Index
	Cases Cases        // nil: no past cases
	Graph graph.Reader // names of alarm types and what contains a resource; nil: neither
	// How many of each kind at most; 0 means 6 passages, 6 work orders, 4 cases.
	Passages, WorkOrders, Similar int
}

// Retriever turns an incident into evidence. It is safe for concurrent use.
type Retriever struct{ o RetrieverOptions }

// NewRetriever checks the options.
func NewRetriever(o RetrieverOptions) (*Retriever, error) {
	if o.Index == nil {
		return nil, fmt.Errorf("retriever options: Index missing: %w", ErrInvalid)
	}
	for _, f := range []struct {
		name  string
		value *int
		zero  int
	}{{"Passages", &o.Passages, 6}, {"WorkOrders", &o.WorkOrders, 6}, {"Similar", &o.Similar, 4}} {
		if *f.value < 0 || *f.value > MaxLimit {
			return nil, fmt.Errorf("retriever options: %s: %d is not in 0..%d: %w", f.name, *f.value, MaxLimit, ErrInvalid)
		}
		*f.value = cmp.Or(*f.value, f.zero)
	}
	return &Retriever{o}, nil
}

// maxSeedResources bounds what a storm asks for; the alarms that came first matter most.
const maxSeedResources = 64

// Retrieve finds passages, work orders and cases for an incident. Alarm types and
// resources are the seeds and the names of the alarm types the words; what the alarms
// themselves say is untrusted and not read. What was not known yet when the incident
// began is left out, so that a replayed incident does not meet its own ticket. Items come by kind (passages, work orders, cases), best first; ids are
// left to the caller.
func (r *Retriever) Retrieve(ctx context.Context, inc rca.Incident) ([]rca.Evidence, error) {
	q, err := r.question(ctx, inc)
	if err != nil {
		return nil, err
	}
	var out []rca.Evidence
	if q.Text != "" || len(q.Seeds) > 0 {
		for _, part := range []struct {
			kind  Kind
			as    rca.EvidenceKind
			limit int
		}{{KindPassage, rca.EvidenceDocument, r.o.Passages}, {KindWorkOrder, rca.EvidenceWorkOrder, r.o.WorkOrders}} {
			q.Kinds, q.Limit = []Kind{part.kind}, part.limit
			hits, err := r.o.Index.Search(ctx, q)
			if err != nil {
				return nil, fmt.Errorf("search %ss: %w", part.kind, err)
			}
			for _, h := range hits {
				out = append(out, evidence(h, part.as, q.Seeds))
			}
		}
	}
	cases, err := r.cases(ctx, inc)
	if err != nil {
		return nil, err
	}
	return append(out, cases...), nil
}

// question is the incident as seeds and words.
func (r *Retriever) question(ctx context.Context, inc rca.Incident) (Query, error) {
	alarms := slices.Clone(inc.Alarms)
	slices.SortFunc(alarms, rca.CompareAlarms)
	var q Query
	var resources []graph.ID
	seen := map[graph.ID]bool{}
	add := func(to *[]graph.ID, id graph.ID) bool {
		if id == "" || seen[id] {
			return false
		}
		seen[id] = true
		*to = append(*to, id)
		return true
	}
	var words []string
	for _, a := range alarms {
		id := graph.ID(rca.AlarmTypePrefix + a.Type)
		if add(&q.Seeds, id) && r.o.Graph != nil {
			e, err := r.o.Graph.Entity(ctx, id, graph.AsOf{})
			if err != nil && !errors.Is(err, graph.ErrNotFound) {
				return q, fmt.Errorf("read alarm type %s: %w", a.Type, err)
			}
			if e.Name != "" {
				words = append(words, e.Name)
			}
		}
		if len(resources) < maxSeedResources {
			add(&resources, a.Resource)
		}
	}
	if r.o.Graph != nil {
		for _, id := range slices.Clone(resources) {
			for rel, err := range r.o.Graph.Relations(ctx, id, graph.Filter{Dir: graph.In, Types: []graph.RelationType{graph.Contains}}) {
				if err != nil {
					return q, fmt.Errorf("read what contains %s: %w", id, err)
				}
				add(&resources, rel.From)
			}
		}
	}
	q.Seeds = append(q.Seeds, resources...)
	slices.Sort(words)
	q.Text = strings.Join(words, " ")
	q.Time.To = inc.First
	return q, nil
}

func evidence(h Hit, as rca.EvidenceKind, seeds []graph.ID) rca.Evidence {
	e := rca.Evidence{Kind: as, Text: h.Text, Weight: h.Score, Why: strings.Join(h.Why, "; ")}
	if h.Title != "" {
		e.Text = strings.TrimSuffix(h.Title+": "+h.Text, ": ")
	}
	switch as {
	case rca.EvidenceWorkOrder:
		e.Source = string(h.ID)
	default:
		e.Source = cmp.Or(h.Source, string(h.ID))
		if h.Anchor != "" {
			e.Source += "#" + strings.TrimPrefix(h.Anchor, "#")
		}
	}
	for _, id := range h.About {
		if slices.Contains(seeds, id) {
			e.About = append(e.About, id)
		}
	}
	return e
}

// cases asks the memory. Rank stands in for a score, which the memory does not give.
func (r *Retriever) cases(ctx context.Context, inc rca.Incident) ([]rca.Evidence, error) {
	if r.o.Cases == nil {
		return nil, nil
	}
	past, err := r.o.Cases.Similar(ctx, inc, r.o.Similar)
	if err != nil {
		return nil, fmt.Errorf("find similar cases: %w", err)
	}
	var out []rca.Evidence
	for _, c := range past {
		if c.Incident.ID == inc.ID || !c.Incident.Last.Before(inc.First) {
			continue
		}
		e := rca.Evidence{
			Kind: rca.EvidenceCase, Source: c.ID, Weight: 1 / float64(1+len(out)),
			Text: fmt.Sprintf("%s: %s", c.Incident.Name, cmp.Or(c.Decision.Reason, "no decision")), Why: "a past incident with similar alarms",
		}
		if c.Decision.Determined && len(c.Decision.Hypotheses) > 0 {
			h := c.Decision.Hypotheses[0]
			e.Text = fmt.Sprintf("%s: %s at %s", c.Incident.Name, cmp.Or(h.Name, h.Mode), h.Resource)
			e.About = []graph.ID{h.Resource}
		}
		if v := c.Verdict; v != nil {
			e.Text += map[bool]string{true: ", confirmed", false: ", not confirmed"}[v.Confirmed]
		}
		out = append(out, e)
	}
	return out, nil
}
