// Package web is the HTTP edge: one server that gives every request an id, limits,
// security headers, an access log line and a recovery from panics, and one table
// that turns kinds of errors into statuses with an RFC 9457 body. What is served
// comes from other packages as routes; handlers are plain net/http.
//
// The access log holds the path and never the query, a header or a body, so that no
// secret gets into it. The server does not authenticate: it listens on the loopback
// interface unless told otherwise, and refuses state-changing requests that a
// browser sends from another origin.
package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"

	"faultline/rca"
)

// Route hands all paths at and below Prefix to Handler, which sees the whole path.
// The longest prefix wins.
type Route struct {
	Prefix  string // begins with "/"; "/" takes what is left
	Handler http.Handler
	// Stream lifts the time limits, for answers that stay open. The request's context
	// ends when the server stops.
	Stream bool
}

// Options configure a Server. Zero values of the optional fields give the default.
type Options struct {
	Addr        string           // host:port; default 127.0.0.1:8080; port 0 picks one
	Logger      zerolog.Logger   // zero value logs to nowhere
	Routes      []Route          // required
	Now         func() time.Time // required
	NewID       func() string    // names a request that brings no usable X-Request-Id; required
	MaxBody     int64            // bytes of a request body; default 32 MiB
	Timeout     time.Duration    // of a request that is no stream; default 60 s
	StopTimeout time.Duration    // for running requests when the server stops; default 10 s
	Origins     []string         // browser origins besides the server's own that may change state, "https://host[:port]"
}

func (o *Options) validate() error {
	bad := func(field, why string) error {
		return fmt.Errorf("web options: %s: %s: %w", field, why, rca.ErrInvalid)
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:8080"
	}
	if o.MaxBody == 0 {
		o.MaxBody = 32 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.StopTimeout == 0 {
		o.StopTimeout = 10 * time.Second
	}
	switch {
	case o.Now == nil:
		return bad("Now", "missing")
	case o.NewID == nil:
		return bad("NewID", "missing")
	case len(o.Routes) == 0:
		return bad("Routes", "missing")
	case o.MaxBody < 0 || o.Timeout < 0 || o.StopTimeout < 0:
		return bad("MaxBody, Timeout, StopTimeout", "negative")
	}
	seen := map[string]bool{}
	for i, r := range o.Routes {
		field := fmt.Sprintf("Routes[%d]", i)
		switch {
		case !strings.HasPrefix(r.Prefix, "/") || len(r.Prefix) > 1 && strings.HasSuffix(r.Prefix, "/") || strings.ContainsAny(r.Prefix, "{*"):
			return bad(field+".Prefix", fmt.Sprintf("%q is no plain path", r.Prefix))
		case seen[r.Prefix]:
			return bad(field+".Prefix", r.Prefix+" is taken")
		case r.Handler == nil:
			return bad(field+".Handler", "missing")
		}
		seen[r.Prefix] = true
	}
	return nil
}

// Server is the HTTP edge. Run it once.
type Server struct {
	o        Options
	handler  http.Handler
	stopping context.Context // ends when the server begins to stop
	stop     context.CancelFunc

	mu       sync.Mutex // guards listener
	listener net.Listener
}

// New checks the options and builds the handler. It does not listen.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Server{o: o}
	s.stopping, s.stop = context.WithCancel(context.Background())
	origins := http.NewCrossOriginProtection()
	for i, origin := range o.Origins {
		if err := origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("web options: Origins[%d]: %w: %w", i, err, rca.ErrInvalid)
		}
	}
	mux := chi.NewRouter()
	mux.NotFound(NotFound)
	for _, r := range o.Routes {
		h := s.limit(r)
		mux.Handle(r.Prefix, h)
		mux.Handle(strings.TrimSuffix(r.Prefix, "/")+"/*", h)
	}
	s.handler = s.observe(secure(origins, mux))
	return s, nil
}

// Handler is what the server serves, for tests and for other servers.
func (s *Server) Handler() http.Handler { return s.handler }

// Listen opens the port. Run does it when it was not done before.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", s.o.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.listener = l
	return nil
}

// Addr is the address that the server listens on, or the one it would.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return s.o.Addr
	}
	return s.listener.Addr().String()
}

// Run serves until ctx ends, then stops: streams end at once, other requests have
// StopTimeout. It returns nil after a clean stop.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	srv := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       s.o.Timeout,
		WriteTimeout:      s.o.Timeout + 10*time.Second, // the handler's own limit comes first and can still answer
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(s.o.Logger.With().Str("from", "net/http").Logger(), "", 0),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(s.listener) }() // ends by Shutdown or Close below
	select {
	case err := <-served:
		s.stop()
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.stop()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.StopTimeout)
	defer cancel()
	err := srv.Shutdown(grace)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop within %s: %w", s.o.StopTimeout, err), srv.Close())
	}
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve: %w", e))
	}
	return err
}
