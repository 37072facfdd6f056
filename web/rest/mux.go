package rest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"faultline/web"
)

// newMux routes to the handlers. Ids of resources and names of sources contain
// slashes, and a router cannot tell "a/relations" from the relations of "a". So a
// {name...} is matched on the escaped path: the longest suffix that a pattern asks
// for is taken off its end, the rest is unescaped as a whole. An id that itself ends
// like a suffix is written with %2F.
func newMux(routes []route) http.Handler {
	mux := chi.NewRouter()
	mux.NotFound(web.NotFound)
	wild := map[string][]route{} // by what stands before {name...}
	plain := map[string][]string{}
	for _, rt := range routes {
		if before, _, ok := strings.Cut(rt.pattern, "{"); ok && strings.Contains(rt.pattern, "...}") {
			wild[before] = append(wild[before], rt)
			continue
		}
		plain[rt.pattern] = append(plain[rt.pattern], rt.method)
		mux.MethodFunc(rt.method, rt.pattern, rt.handle.serve)
	}
	for _, prefix := range slices.Sorted(maps.Keys(wild)) {
		list := wild[prefix]
		slices.SortStableFunc(list, func(a, b route) int { return cmp.Compare(len(b.suffix()), len(a.suffix())) })
		mux.HandleFunc(prefix+"*", wildcard(prefix, list))
	}
	mux.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, m := range []string{http.MethodDelete, http.MethodGet, http.MethodPost} {
			if mux.Match(chi.NewRouteContext(), m, r.URL.EscapedPath()) {
				allowed = append(allowed, m)
			}
		}
		web.MethodNotAllowed(w, r, allowed...)
	})
	return mux
}

func (h handler) serve(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		web.Error(w, r, err)
	}
}

// suffix is what follows {name...}.
func (rt route) suffix() string {
	_, after, _ := strings.Cut(rt.pattern, "...}")
	return after
}

type wildKey struct{}

func wildcard(prefix string, list []route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rest := strings.TrimPrefix(r.URL.EscapedPath(), prefix)
		var allowed []string
		suffix := ""
		for _, rt := range list {
			escaped, ok := strings.CutSuffix(rest, rt.suffix())
			if !ok || escaped == "" || allowed != nil && rt.suffix() != suffix {
				continue
			}
			if suffix = rt.suffix(); rt.method != r.Method {
				allowed = append(allowed, rt.method)
				continue
			}
			id, err := url.PathUnescape(escaped)
			if err != nil {
				web.Error(w, r, web.FieldError{Field: "path", Reason: err.Error()})
				return
			}
			rt.handle.serve(w, r.WithContext(context.WithValue(r.Context(), wildKey{}, id)))
			return
		}
		if len(allowed) > 0 {
			web.MethodNotAllowed(w, r, allowed...)
			return
		}
		web.NotFound(w, r)
	}
}

// pathParam is the unescaped value of {name} or {name...}.
func pathParam(r *http.Request, name string) (string, error) {
	if id, ok := r.Context().Value(wildKey{}).(string); ok {
		return id, nil
	}
	raw := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return raw, nil // the router matched a path that was unescaped already
	}
	id, err := url.PathUnescape(raw)
	if err != nil {
		return "", fmt.Errorf("read path: %w", web.FieldError{Field: name, Reason: err.Error()})
	}
	return id, nil
}
