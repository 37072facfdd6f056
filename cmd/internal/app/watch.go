package app

import "sync"

// EventKind says what happened.
type EventKind string

// Kinds of events.
const (
	IncidentChanged EventKind = "incident-changed"
	CaseReady       EventKind = "case-ready"
)

// Event tells that an incident changed or was analysed.
type Event struct {
	Kind    EventKind
	ID      string // of the incident
	Version int    // of the case that is ready
}

// watchers hands events to whoever watches.
type watchers struct {
	mu  sync.Mutex
	fns map[int]func(Event)
	n   int
}

func (w *watchers) tell(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, fn := range w.fns {
		fn(e)
	}
}

// Watch calls fn for every event until stop is called. fn must not block or call
// the App.
func (a *App) Watch(fn func(Event)) (stop func()) {
	w := &a.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fns == nil {
		w.fns = map[int]func(Event){}
	}
	w.n++
	id := w.n
	w.fns[id] = fn
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.fns, id)
	}
}
