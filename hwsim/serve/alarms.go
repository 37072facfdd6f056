package serve

import (
	"context"
	"slices"
	"sync"
	"time"

	"faultline/hwsim"
)

// Status is one change of an alarm.
type Status struct {
	Time     time.Time // by the element's clock
	Severity string    // critical, major, minor, warning, cleared
	Text     string
}

// Alarm is an alarm in RFC 8632's sense: one for each resource, type and qualifier,
// with its life so far.
type Alarm struct {
	ID            uint32 // from 1, in the order in which alarms were first heard of
	Object        string
	Element       string // resource whose agent reported last
	Type          string
	Qualifier     string
	ProbableCause int    // IANA-ITU-ALARM-TC-MIB number
	Severity      string // the last one that is not cleared
	Text          string
	Cleared       bool
	Created       time.Time // first raise
	Raised        time.Time // last raise
	Changed       time.Time // last status change
	History       []Status  // oldest first, at most 32 (the default of RFC 8632)
}

// Event is a notification and the alarm as it stands after it.
type Event struct {
	Notification hwsim.Notification
	Alarm        Alarm
}

type alarmKey struct{ object, alarm, qualifier string }

// alarmList is what the management system was told.
type alarmList struct {
	keep    int
	next    uint32
	byKey   map[alarmKey]*Alarm
	byID    map[uint32]*Alarm
	cleared []*Alarm // oldest first
}

func newAlarmList(keep int) alarmList {
	return alarmList{keep: keep, byKey: map[alarmKey]*Alarm{}, byID: map[uint32]*Alarm{}}
}

const maxHistory = 32

func (l *alarmList) add(n hwsim.Notification) Alarm {
	k := alarmKey{n.Object, n.Alarm, n.Qualifier}
	a := l.byKey[k]
	if a == nil {
		l.next++
		a = &Alarm{ID: l.next, Object: n.Object, Type: n.Alarm, Qualifier: n.Qualifier, Created: n.Time, Raised: n.Time}
		l.byKey[k], l.byID[a.ID] = a, a
	}
	was := a.Cleared
	a.Element, a.ProbableCause, a.Text = n.Element, n.ProbableCause, n.Text
	a.Cleared = n.Severity == "cleared"
	if !a.Cleared {
		if was {
			a.Raised = n.Time
		}
		a.Severity = n.Severity
	}
	if h := a.History; len(h) == 0 || h[len(h)-1].Severity != n.Severity {
		a.Changed = n.Time
		a.History = append(slices.Clone(h), Status{n.Time, n.Severity, n.Text})
		if len(a.History) > maxHistory {
			a.History = a.History[1:]
		}
	}
	switch {
	case a.Cleared && !was:
		l.cleared = append(l.cleared, a)
		if len(l.cleared) > l.keep {
			old := l.cleared[0]
			l.cleared = l.cleared[1:]
			delete(l.byKey, alarmKey{old.Object, old.Type, old.Qualifier})
			delete(l.byID, old.ID)
		}
	case !a.Cleared && was:
		l.cleared = slices.DeleteFunc(l.cleared, func(c *Alarm) bool { return c == a })
	}
	return *a
}

// Alarms lists the alarms that the management system knows, cleared ones included,
// by ID.
func (v View) Alarms() []Alarm {
	out := make([]Alarm, 0, len(v.g.alarms.byKey))
	for _, a := range v.g.alarms.byKey {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Alarm) int { return int(a.ID) - int(b.ID) })
	return out
}

// Alarm is one alarm of the list.
func (v View) Alarm(id uint32) (Alarm, bool) {
	if a := v.g.alarms.byID[id]; a != nil {
		return *a, true
	}
	return Alarm{}, false
}

// Feed is a queue of alarm events. Its methods may be called from one goroutine
// beside the Gateway's own.
type Feed struct {
	g      *Gateway
	max    int
	mu     sync.Mutex
	events []Event
	lagged bool
	ready  chan struct{} // holds one token while there is something to take
}

// Watch starts a feed of the events from now on. Close it when done.
func (g *Gateway) Watch() *Feed {
	g.mu.Lock()
	defer g.mu.Unlock()
	return View{g}.Watch()
}

// Watch is Gateway.Watch within a view.
func (v View) Watch() *Feed {
	f := &Feed{g: v.g, max: v.g.o.Queue, ready: make(chan struct{}, 1)}
	v.g.feeds[f] = struct{}{}
	return f
}

func (f *Feed) put(ev Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.events) >= f.max {
		f.lagged = true
	} else {
		f.events = append(f.events, ev)
	}
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// Next waits for events and takes all that are there, in order. It returns the
// context's error when that ends, and ErrLagged once the queue has overflowed and
// what it held has been taken.
func (f *Feed) Next(ctx context.Context) ([]Event, error) {
	for {
		f.mu.Lock()
		evs, lagged := f.events, f.lagged
		f.events = nil
		f.mu.Unlock()
		if len(evs) > 0 {
			return evs, nil
		}
		if lagged {
			return nil, ErrLagged
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-f.ready:
		}
	}
}

// Close ends the feed.
func (f *Feed) Close() {
	f.g.mu.Lock()
	defer f.g.mu.Unlock()
	f.CloseIn(View{f.g})
}

// CloseIn is Close within a view.
func (f *Feed) CloseIn(v View) { delete(v.g.feeds, f) }
