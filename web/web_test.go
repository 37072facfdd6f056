package web_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"faultline/graph"
	"faultline/rca"
	"faultline/web"
)

var t0 = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// logBuffer is a log that several requests may write.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *logBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func options(log io.Writer, routes ...web.Route) web.Options {
	return web.Options{
		Addr: "127.0.0.1:0", Logger: zerolog.New(log), Routes: routes,
		Now: func() time.Time { return t0 }, NewID: func() string { return "id-1" }, MaxBody: 10,
	}
}

func serve(t *testing.T, h http.HandlerFunc, req *http.Request) (*httptest.ResponseRecorder, web.Problem, string) {
	t.Helper()
	var log logBuffer
	s, err := web.New(options(&log, web.Route{Prefix: "/api", Handler: h}))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, req)
	var p web.Problem
	if w.Header().Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
	}
	return w, p, log.String()
}

func TestErrorsBecomeProblems(t *testing.T) {
	for _, tc := range []struct {
		err    error
		status int
		kind   string
		detail string
	}{
		{fmt.Errorf("incident X: %w", graph.ErrNotFound), 404, "not-found", "incident X: not found"},
		{fmt.Errorf("feedback: by: missing: %w", rca.ErrInvalid), 400, "invalid", "feedback: by: missing: invalid"},
		{graph.ErrInvalid, 400, "invalid", "invalid"},
		{fmt.Errorf("load: %w", web.ErrNotReady), 503, "not-ready", "load: not ready"},
		{graph.ErrClosed, 503, "not-ready", "store is closed"},
		{web.ErrConflict, 409, "conflict", "conflict"},
		{context.DeadlineExceeded, 504, "timeout", "context deadline exceeded"},
		{context.Canceled, 499, "cancelled", "context canceled"},
		{errors.New("password=hunter2"), 500, "internal", "The server failed. Its log has the cause under the request id."},
	} {
		w, p, log := serve(t, func(w http.ResponseWriter, r *http.Request) { web.Error(w, r, tc.err) }, httptest.NewRequest("GET", "/api/x?token=s3cret", nil))
		if w.Code != tc.status || p.Status != tc.status || p.Kind != tc.kind || p.Detail != tc.detail || p.Type != "about:blank" || p.Title == "" || p.Instance != "/api/x" || p.RequestID != "id-1" {
			t.Errorf("%v: status %d, problem %+v", tc.err, w.Code, p)
		}
		if !strings.Contains(log, tc.err.Error()) || !strings.Contains(log, `"request":"id-1"`) {
			t.Errorf("%v: log does not tell the cause: %s", tc.err, log)
		}
		if strings.Contains(log, "s3cret") {
			t.Errorf("the query got into the log: %s", log)
		}
		if (w.Header().Get("Retry-After") != "") != (tc.status == 503) {
			t.Errorf("%v: Retry-After %q", tc.err, w.Header().Get("Retry-After"))
		}
	}
}

func TestEveryFieldFaultIsListed(t *testing.T) {
	err := fmt.Errorf("read query: %w", errors.Join(web.FieldError{Field: "limit", Reason: "too big"}, web.FieldError{Field: "from", Reason: "no time"}))
	_, p, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { web.Error(w, r, err) }, httptest.NewRequest("GET", "/api", nil))
	if len(p.Errors) != 2 || p.Errors[1].Field != "from" || p.Detail != "read query: limit: too big; from: no time" {
		t.Errorf("got %+v", p)
	}
}

func TestRequestIDs(t *testing.T) {
	for in, want := range map[string]string{"": "id-1", "abc-1.2_Z": "abc-1.2_Z", "a b": "id-1", "evil\"": "id-1", strings.Repeat("x", 65): "id-1"} {
		req := httptest.NewRequest("GET", "/api", nil)
		req.Header.Set("X-Request-Id", in)
		w, _, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, web.RequestID(r)) }, req)
		if w.Body.String() != want || w.Header().Get("X-Request-Id") != want {
			t.Errorf("%q became %q", in, w.Body)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	w, _, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {}, httptest.NewRequest("GET", "/api", nil))
	for _, h := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy", "Cross-Origin-Resource-Policy"} {
		if w.Header().Get(h) == "" {
			t.Errorf("no %s", h)
		}
	}
}

func TestForeignOriginsMayNotChangeState(t *testing.T) {
	for _, tc := range []struct {
		method, site string
		status       int
	}{{"POST", "cross-site", 403}, {"POST", "same-origin", 200}, {"POST", "", 200}, {"GET", "cross-site", 200}} {
		req := httptest.NewRequest(tc.method, "/api", nil)
		req.Header.Set("Sec-Fetch-Site", tc.site)
		if w, _, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {}, req); w.Code != tc.status {
			t.Errorf("%s from %q: %d, want %d", tc.method, tc.site, w.Code, tc.status)
		}
	}
}

func TestLimits(t *testing.T) {
	read := func(w http.ResponseWriter, r *http.Request) {
		if _, ok := r.Context().Deadline(); !ok {
			t.Error("a plain request has no time limit")
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			web.Error(w, r, err)
		}
	}
	if w, p, _ := serve(t, read, httptest.NewRequest("POST", "/api", strings.NewReader("12345678901"))); w.Code != 413 || p.Kind != "too-large" {
		t.Errorf("a big body gave %d %+v", w.Code, p)
	}
	if w, _, _ := serve(t, read, httptest.NewRequest("POST", "/api", strings.NewReader("1234567890"))); w.Code != 200 {
		t.Errorf("a body at the limit gave %d", w.Code)
	}
	if w, p, _ := serve(t, read, httptest.NewRequest("GET", "/other", nil)); w.Code != 404 || p.Kind != "not-found" {
		t.Errorf("an unknown path gave %d %+v", w.Code, p)
	}
}

func TestPanicIsAnInternalError(t *testing.T) {
	w, p, log := serve(t, func(http.ResponseWriter, *http.Request) { panic("boom") }, httptest.NewRequest("GET", "/api", nil))
	if w.Code != 500 || p.Kind != "internal" || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log, "boom") || !strings.Contains(log, "web_test.go") {
		t.Errorf("the log has no panic with its stack: %s", log)
	}
}

func TestRoutesSeeTheWholePathAndTheLongestWins(t *testing.T) {
	show := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name+" "+r.URL.EscapedPath()) })
	}
	s, err := web.New(options(io.Discard, web.Route{Prefix: "/", Handler: show("ui")}, web.Route{Prefix: "/api/v1", Handler: show("api")}, web.Route{Prefix: "/api/v1/events", Handler: show("events"), Stream: true}))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/": "ui /", "/index.html": "ui /index.html", "/api/v1": "api /api/v1", "/api/v1/x%2Fy/z": "api /api/v1/x%2Fy/z", "/api/v1/events": "events /api/v1/events", "/api/v1events": "ui /api/v1events",
	} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Body.String() != want {
			t.Errorf("%s: got %q, want %q", path, w.Body, want)
		}
	}
}

func TestOptionsNameTheField(t *testing.T) {
	h := http.NotFoundHandler()
	for want, spoil := range map[string]func(*web.Options){
		"Now: missing":                           func(o *web.Options) { o.Now = nil },
		"NewID: missing":                         func(o *web.Options) { o.NewID = nil },
		"Routes: missing":                        func(o *web.Options) { o.Routes = nil },
		"Routes[0].Handler: missing":             func(o *web.Options) { o.Routes = []web.Route{{Prefix: "/"}} },
		`Routes[0].Prefix: "x" is no plain path`: func(o *web.Options) { o.Routes = []web.Route{{Prefix: "x", Handler: h}} },
		"Routes[1].Prefix: /x is taken":          func(o *web.Options) { o.Routes = []web.Route{{Prefix: "/x", Handler: h}, {Prefix: "/x", Handler: h}} },
		"Origins[0]":                             func(o *web.Options) { o.Origins = []string{"nonsense"} },
		"Timeout":                                func(o *web.Options) { o.Timeout = -1 },
	} {
		o := options(io.Discard, web.Route{Prefix: "/x", Handler: h})
		spoil(&o)
		if _, err := web.New(o); !errors.Is(err, rca.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestRunStopsStreamsAndWaitsForRequests(t *testing.T) {
	working, finish := make(chan bool), make(chan bool)
	o := options(io.Discard,
		web.Route{Prefix: "/stream", Stream: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, limited := r.Context().Deadline(); limited {
				t.Error("a stream has a time limit")
			}
			fmt.Fprintln(w, "open")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			<-r.Context().Done()
			fmt.Fprintln(w, "closed")
		})},
		web.Route{Prefix: "/work", Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			working <- true
			<-finish
			fmt.Fprint(w, "done")
		})},
	)
	s, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	resp, err := http.Get("http://" + s.Addr() + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("stream began with %q", lines.Text())
	}
	worked := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + s.Addr() + "/work")
		if err != nil {
			worked <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		worked <- string(b)
	}()
	<-working
	stop()
	if !lines.Scan() || lines.Text() != "closed" {
		t.Errorf("the stream did not end: %q", lines.Text())
	}
	close(finish)
	if got := <-worked; got != "done" {
		t.Errorf("the running request was cut off: %q", got)
	}
	if err := <-ran; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestRunReportsATakenPort(t *testing.T) {
	o := options(io.Discard, web.Route{Prefix: "/", Handler: http.NotFoundHandler()})
	first, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Listen(); err != nil {
		t.Fatal(err)
	}
	o.Addr = first.Addr()
	second, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "listen: ") {
		t.Errorf("got %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := first.Run(ctx); err != nil {
		t.Error(err)
	}
}
