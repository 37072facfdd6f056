package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// exchange is what is noted of one request for its log line.
type exchange struct {
	http.ResponseWriter
	id     string
	status int // 0 until the header is out
	bytes  int64
	err    error // what Error was called with
}

func (x *exchange) WriteHeader(status int) {
	if x.status == 0 || x.status < 200 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	n, err := x.ResponseWriter.Write(b)
	x.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange {
	x, _ := r.Context().Value(exchangeKey{}).(*exchange)
	return x
}

// RequestID is the id of a request that came through a Server, or "".
func RequestID(r *http.Request) string {
	if x := exchangeOf(r); x != nil {
		return x.id
	}
	return ""
}

// observe names the request, logs it once and recovers from panics.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.o.Now()
		x := &exchange{ResponseWriter: w, id: r.Header.Get("X-Request-Id")}
		if !plainID(x.id) {
			x.id = s.o.NewID()
		}
		w.Header().Set("X-Request-Id", x.id)
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		defer func() {
			var stack []byte
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				stack = debug.Stack()
				err := fmt.Errorf("panic: %v", p)
				if x.status == 0 {
					Error(x, r, err)
				}
				x.err = err
			}
			ev := s.o.Logger.Info()
			if x.status >= http.StatusInternalServerError || stack != nil {
				ev = s.o.Logger.Error()
			}
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			ev = ev.Str("request", x.id).Str("from", host).Str("method", r.Method).Str("path", r.URL.Path).
				Int("status", x.status).Int64("bytes", x.bytes).Dur("took", s.o.Now().Sub(began)).AnErr("error", x.err)
			if stack != nil {
				ev = ev.Bytes("stack", stack)
			}
			ev.Msg("request")
			// A broken stream must look broken to the client.
			if p == http.ErrAbortHandler || stack != nil && x.bytes > 0 && x.status < http.StatusInternalServerError {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(x, r)
	})
}

// plainID keeps ids that others chose harmless in logs and headers.
func plainID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// secure sets the security headers, which a handler may narrow, and refuses
// state-changing requests from foreign origins.
func secure(origins *http.CrossOriginProtection, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		if err := origins.Check(r); err != nil {
			Error(w, r, fmt.Errorf("%w: %w", errForbidden, err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// limit bounds the size and the time of a request.
func (s *Server) limit(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, s.o.MaxBody)
		var ctx context.Context
		var cancel context.CancelFunc
		if route.Stream {
			ctx, cancel = context.WithCancel(r.Context())
			defer context.AfterFunc(s.stopping, cancel)()
			// The server's deadlines are for whole answers; a stream has none.
			rc := http.NewResponseController(w)
			if err := errors.Join(rc.SetReadDeadline(time.Time{}), rc.SetWriteDeadline(time.Time{})); err != nil && !errors.Is(err, http.ErrNotSupported) {
				cancel()
				Error(w, r, fmt.Errorf("open stream: %w", err))
				return
			}
		} else {
			ctx, cancel = context.WithTimeout(r.Context(), s.o.Timeout)
		}
		defer cancel()
		route.Handler.ServeHTTP(w, r.WithContext(ctx))
	})
}
