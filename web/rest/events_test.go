package rest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"faultline/web/rest"
)

// pipeWriter is a client whose reading the test controls: a write waits for a read.
type pipeWriter struct {
	*io.PipeWriter
	header http.Header
}

func (p pipeWriter) Header() http.Header { return p.header }
func (p pipeWriter) WriteHeader(int)     {}
func (p pipeWriter) Flush()              {}

// connect opens a stream in the bubble of a synctest. The stream ends by stop.
func connect(t *testing.T, ev *rest.Events, lastID string) (lines *bufio.Scanner, stop func(), ended chan bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	req := httptest.NewRequest("GET", "/api/v1/events", nil).WithContext(ctx)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	out := pipeWriter{w, http.Header{}}
	s := newService(t, &fake{}, ev)
	ended = make(chan bool)
	go func() {
		s.ServeHTTP(out, req)
		w.Close()
		close(ended)
	}()
	lines = bufio.NewScanner(r)
	if !lines.Scan() || lines.Text() != "retry: 3000" {
		t.Fatalf("the stream began with %q", lines.Text())
	}
	if ct := out.header.Get("Content-Type"); ct != "text/event-stream" {
		t.Errorf("content type %q", ct)
	}
	lines.Scan() // the empty line after it
	return lines, func() { cancel(); r.Close(); <-ended }, ended
}

// next reads up to the next empty line.
func next(lines *bufio.Scanner) string {
	var out []string
	for lines.Scan() && lines.Text() != "" {
		out = append(out, lines.Text())
	}
	return strings.Join(out, "|")
}

func publish(ev *rest.Events, n int) {
	for i := range n {
		ev.Publish(rest.Event{Type: rest.EventIncidentChanged, Incident: fmt.Sprint("INC-", i+1), At: now})
	}
}

func TestStreamSendsEventsAndHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ev := newEvents(t, rest.EventOptions{Heartbeat: 15 * time.Second})
		publish(ev, 1) // before the client came: not for it
		lines, stop, _ := connect(t, ev, "")
		began := time.Now()
		if got := next(lines); got != ": alive" || time.Since(began) != 15*time.Second {
			t.Errorf("a quiet stream sent %q after %s", got, time.Since(began))
		}
		ev.Publish(rest.Event{Type: rest.EventCaseReady, Incident: "INC-9", Version: 2, At: now.In(time.FixedZone("CET", 3600))})
		if got, want := next(lines), `id: boot1-2|event: case-ready|data: {"incident":"INC-9","version":2,"at":"2026-03-01T10:00:00Z"}`; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		if ev.Clients() != 1 {
			t.Errorf("%d clients", ev.Clients())
		}
		stop()
		if ev.Clients() != 0 {
			t.Error("a client that left is still counted")
		}
	})
}

func TestResume(t *testing.T) {
	for _, tc := range []struct{ last, want string }{
		{"boot1-2", "id: boot1-3 id: boot1-4 id: boot1-5 id: boot1-6"},
		{"boot1-4", "id: boot1-5 id: boot1-6"},
		{"boot1-5", "id: boot1-6"},                   // nothing missed
		{"boot1-1", "id: boot1-5!reset id: boot1-6"}, // 2 fell out of the ring
		{"boot1-9", "id: boot1-5!reset id: boot1-6"}, // never sent
		{"boot0-4", "id: boot1-5!reset id: boot1-6"}, // an earlier process
		{"garbage", "id: boot1-5!reset id: boot1-6"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ev := newEvents(t, rest.EventOptions{Keep: 3})
			publish(ev, 5)
			lines, stop, _ := connect(t, ev, tc.last)
			defer stop()
			publish(ev, 1)
			var got []string
			for !strings.HasSuffix(strings.Join(got, " "), "-6") {
				e := next(lines)
				id, rest, _ := strings.Cut(e, "|")
				if strings.HasPrefix(rest, "event: reset|") {
					id += "!reset"
				}
				got = append(got, id)
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("after %s: got %q, want %q", tc.last, s, tc.want)
			}
		})
	}
}

func TestASlowClientIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ev := newEvents(t, rest.EventOptions{Queue: 2})
		lines, stop, ended := connect(t, ev, "")
		publish(ev, 1)
		synctest.Wait() // the handler holds event 1 and waits for the client to read
		publish(ev, 3)  // two fit the queue, the next does not
		if ev.Clients() != 0 {
			t.Fatal("a client that does not read was kept")
		}
		n := 0
		for next(lines) != "" {
			n++
		}
		<-ended
		if n != 3 {
			t.Errorf("the client got %d events before the end, want 3", n)
		}
		stop()
	})
}

func TestEventsUnderLoad(t *testing.T) {
	ev := newEvents(t, rest.EventOptions{Queue: 1000, Keep: 10})
	s := newService(t, &fake{}, ev)
	srv := httptest.NewServer(s)
	defer srv.Close()
	const clients, publishers, each = 4, 4, 50
	var joined, all sync.WaitGroup
	joined.Add(clients)
	for range clients {
		all.Go(func() {
			resp, err := http.Get(srv.URL + "/api/v1/events")
			if err != nil {
				t.Error(err)
				joined.Done()
				return
			}
			defer resp.Body.Close()
			joined.Done()
			lines := bufio.NewScanner(resp.Body)
			want := 1
			for want <= publishers*each && lines.Scan() {
				if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
					if id != fmt.Sprint("boot1-", want) {
						t.Errorf("got %s, want %d", id, want)
						return
					}
					want++
				}
			}
		})
	}
	joined.Wait()
	for range publishers {
		all.Go(func() { publish(ev, each) })
	}
	all.Wait()
}
