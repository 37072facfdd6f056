package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"faultline/cmd/internal/app"
	"faultline/graph"
	"faultline/rca"
)

// remote is a library that the service answers for which has the data folder open.
type remote struct {
	base   string
	client *http.Client
}

func newRemote(addr string) *remote {
	return &remote{"http://" + addr + "/api/v1", &http.Client{Timeout: time.Minute}}
}

// ask sends a request and decodes the answer into v.
func (r *remote) ask(ctx context.Context, method, path string, q url.Values, v any) error {
	req, err := http.NewRequestWithContext(ctx, method, r.base+path+"?"+q.Encode(), nil)
	if err != nil {
		return fmt.Errorf("ask the service: %w", err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask the service that holds the data folder: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end or is of no use
	if resp.StatusCode != http.StatusOK {
		var problem struct {
			Detail string `json:"detail"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil || problem.Detail == "" {
			problem.Detail = resp.Status
		}
		if resp.StatusCode == http.StatusNotFound {
			return fmt.Errorf("%s: %w", problem.Detail, graph.ErrNotFound)
		}
		return fmt.Errorf("the service answers: %s", problem.Detail)
	}
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return fmt.Errorf("read answer of %s: %w", path, err)
	}
	return nil
}

// list yields a list page by page.
func list[T any](ctx context.Context, r *remote, path string, q url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			var page struct {
				Items []T    `json:"items"`
				Next  string `json:"next"`
			}
			if err := r.ask(ctx, http.MethodGet, path, q, &page); err != nil {
				yield(*new(T), err)
				return
			}
			for _, v := range page.Items {
				if !yield(v, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			q.Set("cursor", page.Next)
		}
	}
}

func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for v, err := range seq {
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}

// query makes parameters of pairs; empty values are left out.
func query(at graph.AsOf, pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if !at.Valid.IsZero() {
		q.Set("valid_at", at.Valid.Format(time.RFC3339Nano))
	}
	if !at.Recorded.IsZero() {
		q.Set("known_at", at.Recorded.Format(time.RFC3339Nano))
	}
	return q
}

func entityPath(id graph.ID) string { return "/entities/" + url.PathEscape(string(id)) }

// Entity implements graph.Reader.
func (r *remote) Entity(ctx context.Context, id graph.ID, at graph.AsOf) (graph.Entity, error) {
	var e graph.Entity
	err := r.ask(ctx, http.MethodGet, entityPath(id), query(at), &e)
	return e, err
}

// Relations implements graph.Reader.
func (r *remote) Relations(ctx context.Context, id graph.ID, f graph.Filter) iter.Seq2[graph.Relation, error] {
	q := query(f.AsOf, "direction", map[graph.Direction]string{graph.Out: "out", graph.In: "in", graph.Both: "both"}[f.Dir])
	for _, t := range f.Types {
		q.Add("type", string(t))
	}
	return func(yield func(graph.Relation, error) bool) {
		for rel, err := range list[graph.Relation](ctx, r, entityPath(id)+"/relations", q) {
			if errors.Is(err, graph.ErrNotFound) {
				return // an unknown entity has none
			}
			if !yield(rel, err) {
				return
			}
		}
	}
}

// Find implements graph.Reader.
func (r *remote) Find(ctx context.Context, q graph.Query) iter.Seq2[graph.Entity, error] {
	v := query(q.AsOf, "kind", string(q.Kind), "role", q.Role, "domain", q.Domain, "q", q.Text, "prefix", q.Prefix)
	return func(yield func(graph.Entity, error) bool) {
		n := 0
		for e, err := range list[graph.Entity](ctx, r, "/entities", v) {
			if err == nil && e.ID <= q.After {
				continue
			}
			if n++; !yield(e, err) || n == q.Limit {
				return
			}
		}
	}
}

// EntityContributions implements graph.Ledger.
func (r *remote) EntityContributions(ctx context.Context, id graph.ID) ([]graph.Contribution, error) {
	return collect(list[graph.Contribution](ctx, r, entityPath(id)+"/contributions", query(graph.AsOf{})))
}

// RelationContributions implements graph.Ledger.
func (r *remote) RelationContributions(ctx context.Context, k graph.RelationKey) ([]graph.Contribution, error) {
	q := query(graph.AsOf{}, "from", string(k.From), "type", string(k.Type), "to", string(k.To), "qualifier", k.Qualifier)
	return collect(list[graph.Contribution](ctx, r, "/relations/contributions", q))
}

// Sources implements graph.Ledger.
func (r *remote) Sources(ctx context.Context) ([]graph.SourceCount, error) {
	return collect(list[graph.SourceCount](ctx, r, "/sources", query(graph.AsOf{})))
}

// AllSources is Sources; the service does not count alarm events.
func (r *remote) AllSources(ctx context.Context) ([]app.Source, error) {
	return collect(list[app.Source](ctx, r, "/sources", query(graph.AsOf{})))
}

// Incidents lists the incidents, newest first.
func (r *remote) Incidents(ctx context.Context) ([]incident, error) {
	return collect(list[incident](ctx, r, "/incidents", query(graph.AsOf{}, "limit", "500")))
}

// Case returns an analysis, made now when there is none.
func (r *remote) Case(ctx context.Context, id string) (k rca.KeptCase, err error) {
	path := "/incidents/" + url.PathEscape(id)
	if err = r.ask(ctx, http.MethodGet, path+"/case", query(graph.AsOf{}), &k); errors.Is(err, graph.ErrNotFound) {
		err = r.ask(ctx, http.MethodPost, path+"/analyse", query(graph.AsOf{}), &k)
	}
	return k, err
}

// Search finds by words.
func (r *remote) Search(ctx context.Context, q string, k int) ([]app.Hit, error) {
	return collect(list[app.Hit](ctx, r, "/search", query(graph.AsOf{}, "q", q, "limit", strconv.Itoa(k))))
}

// Close does nothing: the service stays.
func (r *remote) Close() error { return nil }
