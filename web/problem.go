package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"faultline/graph"
	"faultline/rca"
)

// Sentinel errors of the edge.
var (
	ErrNotReady = errors.New("not ready") // the service is loading or cannot serve now; ask again
	ErrConflict = errors.New("conflict")  // the request does not fit the present state

	errForbidden = errors.New("cross-origin request refused")
)

// FieldError is one fault of a request. It wraps rca.ErrInvalid; several of them go
// together by errors.Join.
type FieldError struct {
	Field  string `json:"field"` // query parameter, body field or "line N: field"
	Reason string `json:"reason"`
}

// Error is "field: reason".
func (e FieldError) Error() string { return e.Field + ": " + e.Reason }

// Unwrap makes it an rca.ErrInvalid.
func (e FieldError) Unwrap() error { return rca.ErrInvalid }

// Problem is the body of every error, an RFC 9457 problem of type about:blank with
// three more members.
type Problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	Instance  string       `json:"instance,omitempty"` // path of the request
	Kind      string       `json:"kind"`               // for programs; see Error
	RequestID string       `json:"request_id,omitempty"`
	Errors    []FieldError `json:"errors,omitempty"`
}

// statusClientGone is nginx's code for a client that left; no standard has one.
const statusClientGone = 499

// errorKinds is the one table from kinds of errors to answers; the first row that
// fits counts.
var errorKinds = []struct {
	is     error
	status int
	kind   string
}{
	{ErrNotReady, http.StatusServiceUnavailable, "not-ready"},
	{ErrConflict, http.StatusConflict, "conflict"},
	{errForbidden, http.StatusForbidden, "forbidden"},
	{graph.ErrNotFound, http.StatusNotFound, "not-found"},
	{rca.ErrInvalid, http.StatusBadRequest, "invalid"},
	{graph.ErrInvalid, http.StatusBadRequest, "invalid"},
	{graph.ErrClosed, http.StatusServiceUnavailable, "not-ready"},
	{context.DeadlineExceeded, http.StatusGatewayTimeout, "timeout"},
	{context.Canceled, statusClientGone, "cancelled"},
}

// StatusOf is the HTTP status and the kind of an error: not-ready 503, conflict
// 409, forbidden 403, not-found 404, too-large 413, invalid 400, timeout 504,
// cancelled 499, and internal 500 for everything else.
func StatusOf(err error) (status int, kind string) {
	if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
		return http.StatusRequestEntityTooLarge, "too-large"
	}
	for _, k := range errorKinds {
		if errors.Is(err, k.is) {
			return k.status, k.kind
		}
	}
	return http.StatusInternalServerError, "internal"
}

// Error answers with a problem. The text of an internal error goes to the log alone.
func Error(w http.ResponseWriter, r *http.Request, err error) {
	status, kind := StatusOf(err)
	p := Problem{Status: status, Kind: kind, Detail: strings.ReplaceAll(err.Error(), "\n", "; "), Errors: fieldErrors(err)}
	if kind == "internal" {
		p.Detail, p.Errors = "The server failed. Its log has the cause under the request id.", nil
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	if x := exchangeOf(r); x != nil {
		x.err = err
	}
	writeProblem(w, r, p)
}

// NotFound answers for a path that no route has.
func NotFound(w http.ResponseWriter, r *http.Request) {
	Error(w, r, fmt.Errorf("path %s: %w", r.URL.Path, graph.ErrNotFound))
}

// MethodNotAllowed answers for a path that takes other methods.
func MethodNotAllowed(w http.ResponseWriter, r *http.Request, allowed ...string) {
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	writeProblem(w, r, Problem{Status: http.StatusMethodNotAllowed, Kind: "method", Detail: "the path takes " + strings.Join(allowed, ", ")})
}

func writeProblem(w http.ResponseWriter, r *http.Request, p Problem) {
	p.Type, p.Title, p.Instance, p.RequestID = "about:blank", http.StatusText(p.Status), r.URL.Path, RequestID(r)
	if p.Status == statusClientGone {
		p.Title = "Client Closed Request"
	}
	_ = write(w, "application/problem+json", p.Status, p) // a Problem is always encoded
}

// JSON answers with a value. Nothing is sent before the whole value is encoded.
func JSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	if err := write(w, "application/json", status, v); err != nil {
		Error(w, r, err)
	}
}

func write(w http.ResponseWriter, contentType string, status int, v any) error {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that left is seen in the log by its byte count
	return nil
}

func fieldErrors(err error) []FieldError {
	switch e := err.(type) {
	case FieldError:
		return []FieldError{e}
	case interface{ Unwrap() []error }:
		var out []FieldError
		for _, one := range e.Unwrap() {
			out = append(out, fieldErrors(one)...)
		}
		return out
	case interface{ Unwrap() error }:
		return fieldErrors(e.Unwrap())
	}
	return nil
}
