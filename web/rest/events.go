package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"faultline/rca"
)

// EventType says what happened.
type EventType string

// Types of events. EventReset is made by Events itself: the client missed events
// that are gone and must read everything again.
const (
	EventIncidentChanged EventType = "incident-changed"
	EventCaseReady       EventType = "case-ready"
	EventReset           EventType = "reset"
)

// Event tells clients what to read again; it carries no state of its own.
type Event struct {
	Type     EventType `json:"-"`
	Incident string    `json:"incident,omitempty"`
	Version  int       `json:"version,omitempty"` // of the case
	At       time.Time `json:"at"`
}

// EventOptions size an Events. Zero values give the defaults.
type EventOptions struct {
	Epoch     string           // tells this process from earlier ones, for example its start time; letters and digits; required
	Wall      func() time.Time // the clock of the machine, for deadlines of writes, also where the network's time is simulated; required
	Keep      int              // events kept for clients that come back; default 1024
	Queue     int              // events that may wait for one client before it is dropped; default 64
	Heartbeat time.Duration    // between comments on a quiet stream; default 15 s
}

// Events hands events to any number of clients. It is safe for concurrent use and
// never waits for a client: one that does not keep up is dropped and may resume.
type Events struct {
	o EventOptions

	mu      sync.Mutex // guards all below
	ring    []sent     // oldest first
	seq     uint64     // of the latest event
	clients map[*client]bool
}

type sent struct {
	seq  uint64
	kind EventType
	data []byte
}

// client is one open stream. Its queue is closed when the client is dropped.
type client struct{ queue chan sent }

// NewEvents checks the options.
func NewEvents(o EventOptions) (*Events, error) {
	if o.Epoch == "" || strings.ContainsFunc(o.Epoch, func(c rune) bool {
		return !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z')
	}) {
		return nil, fmt.Errorf("event options: Epoch: %q is not letters and digits: %w", o.Epoch, rca.ErrInvalid)
	}
	if o.Wall == nil {
		return nil, fmt.Errorf("event options: Wall missing: %w", rca.ErrInvalid)
	}
	if o.Keep < 0 || o.Queue < 0 || o.Heartbeat < 0 {
		return nil, fmt.Errorf("event options: Keep, Queue, Heartbeat: negative: %w", rca.ErrInvalid)
	}
	if o.Keep == 0 {
		o.Keep = 1024
	}
	if o.Queue == 0 {
		o.Queue = 64
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 15 * time.Second
	}
	return &Events{o: o, clients: map[*client]bool{}}, nil
}

// Publish hands an event to all clients.
func (e *Events) Publish(ev Event) {
	ev.At = ev.At.UTC()
	data, err := json.Marshal(ev)
	if err != nil {
		panic(err) // strings, a number and a time always encode
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq++
	s := sent{e.seq, ev.Type, data}
	if len(e.ring) == e.o.Keep {
		e.ring = slices.Delete(e.ring, 0, 1)
	}
	e.ring = append(e.ring, s)
	for c := range e.clients {
		select {
		case c.queue <- s:
		default:
			delete(e.clients, c)
			close(c.queue)
		}
	}
}

// Clients is the number of open streams.
func (e *Events) Clients() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.clients)
}

// join opens a stream after the event with the given id, "" for now. missed are the
// events since then; a reset when they are not all there.
func (e *Events) join(lastID string) (c *client, missed []sent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c = &client{make(chan sent, e.o.Queue)}
	e.clients[c] = true
	if lastID == "" {
		return c, nil
	}
	epoch, num, _ := strings.Cut(lastID, "-")
	last, err := strconv.ParseUint(num, 10, 64)
	if err != nil || epoch != e.o.Epoch || last > e.seq || len(e.ring) > 0 && last+1 < e.ring[0].seq {
		return c, []sent{{e.seq, EventReset, []byte("{}")}}
	}
	i, _ := slices.BinarySearchFunc(e.ring, last+1, func(s sent, seq uint64) int { return int(int64(s.seq) - int64(seq)) })
	return c, slices.Clone(e.ring[i:])
}

func (e *Events) leave(c *client) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.clients[c] {
		delete(e.clients, c)
		close(c.queue)
	}
}

func (s *Service) eventRoutes() []route {
	return []route{{http.MethodGet, base + "/events", s.stream}}
}

// writeLimit is how long one write to a client may take before the client is given up.
const writeLimit = 10 * time.Second

// stream sends events as server-sent events until the client or the server leaves.
func (s *Service) stream(w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	lastID := p.text("last_event_id") // for clients that cannot set the header
	if err := p.done(); err != nil {
		return err
	}
	if h := r.Header.Get("Last-Event-ID"); h != "" {
		lastID = h
	}
	ev := s.o.Events
	c, missed := ev.join(lastID)
	defer ev.leave(c)
	rc := http.NewResponseController(w)
	send := func(format string, args ...any) error {
		if err := rc.SetWriteDeadline(ev.o.Wall().Add(writeLimit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return err
		}
		return rc.Flush()
	}
	event := func(x sent) error {
		return send("id: %s-%d\nevent: %s\ndata: %s\n\n", ev.o.Epoch, x.seq, x.kind, x.data)
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies must pass events on at once
	// From here on the answer has begun: an error means that the client is gone, and
	// there is nobody to tell.
	if send("retry: 3000\n\n") != nil {
		return nil
	}
	for _, x := range missed {
		if event(x) != nil {
			return nil
		}
	}
	beat := time.NewTicker(ev.o.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil
		case x, ok := <-c.queue:
			if !ok || event(x) != nil {
				return nil
			}
		case <-beat.C:
			if send(": alive\n\n") != nil {
				return nil
			}
		}
	}
}
