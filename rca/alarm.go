// Package rca is the language of root-cause analysis: alarms with their RFC 8632
// life cycle, incidents, evidence, hypotheses, decisions, verdicts, and the case
// that carries them all. It also holds the shape of the knowledge that analyses
// reason with. It has types, validation and small domain logic; the work is done
// in its children. It imports graph and the standard library only.
package rca

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"faultline/graph"
)

// ErrInvalid marks input that the caller must mend.
var ErrInvalid = errors.New("invalid")

// Severity is a perceived severity in RFC 8632 order.
type Severity int

// Severities; the numbers are those of RFC 8632 section 4.4 with cleared below.
const (
	SeverityUnknown       Severity = 0
	SeverityCleared       Severity = 1
	SeverityIndeterminate Severity = 2
	SeverityWarning       Severity = 3
	SeverityMinor         Severity = 4
	SeverityMajor         Severity = 5
	SeverityCritical      Severity = 6
)

var severityNames = [...]string{"unknown", "cleared", "indeterminate", "warning", "minor", "major", "critical"}

// String is the lower-case RFC 8632 name.
func (s Severity) String() string {
	if s < 0 || int(s) >= len(severityNames) {
		return fmt.Sprintf("severity(%d)", int(s))
	}
	return severityNames[s]
}

// MarshalText writes the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name as MarshalText writes it.
func (s *Severity) UnmarshalText(b []byte) error {
	for i, n := range severityNames {
		if n == string(b) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("severity %q: %w", b, ErrInvalid)
}

// AlarmKey is RFC 8632's identity of an alarm.
type AlarmKey struct {
	Resource  graph.ID `json:"resource"`
	Type      string   `json:"type"`                // alarm type id, for example "PE01"
	Qualifier string   `json:"qualifier,omitempty"` // tells alarms of one type on one resource apart
}

// String is "type@resource" with the qualifier in brackets.
func (k AlarmKey) String() string {
	s := k.Type + "@" + string(k.Resource)
	if k.Qualifier != "" {
		s += "[" + k.Qualifier + "]"
	}
	return s
}

// Compare orders keys by resource, type, qualifier.
func (k AlarmKey) Compare(o AlarmKey) int {
	return cmp.Or(cmp.Compare(k.Resource, o.Resource), cmp.Compare(k.Type, o.Type), cmp.Compare(k.Qualifier, o.Qualifier))
}

// AlarmEvent is one normalised notification about an alarm: a raise, a change of
// severity, or a clear (severity cleared). Two events with equal ID and Source
// are the same event received twice.
type AlarmEvent struct {
	AlarmKey
	ID            string            `json:"id"`     // of the notification, unique within Source
	Source        string            `json:"source"` // feed or file
	Time          time.Time         `json:"time"`   // when it happened, by the reporter's clock, UTC
	Severity      Severity          `json:"severity"`
	ProbableCause int               `json:"probable_cause,omitempty"` // IANA-ITU-ALARM-TC-MIB number; 0 when not stated
	EventType     string            `json:"event_type,omitempty"`     // X.733 event type name, for example "equipmentAlarm"
	Text          string            `json:"text,omitempty"`           // untrusted; never read by the ranking
	RawType       string            `json:"raw_type,omitempty"`       // what the reporter called the alarm
	Original      map[string]string `json:"original,omitempty"`       // fields that have no place above, severity spelling included
}

// Validate names the first missing field, wrapped in ErrInvalid.
func (e AlarmEvent) Validate() error {
	for _, f := range []struct {
		name string
		bad  bool
	}{
		{"resource", e.Resource == ""}, {"type", e.Type == ""}, {"id", e.ID == ""},
		{"source", e.Source == ""}, {"time", e.Time.IsZero()}, {"severity", e.Severity <= SeverityUnknown || e.Severity > SeverityCritical},
	} {
		if f.bad {
			return fmt.Errorf("alarm event %q: %s missing or out of range: %w", e.ID, f.name, ErrInvalid)
		}
	}
	return nil
}

// StatusChange is one entry of an alarm's history.
type StatusChange struct {
	Time     time.Time `json:"time"`
	Severity Severity  `json:"severity"`
	Text     string    `json:"text,omitempty"`
}

// Alarm is one occurrence of an alarm: from a raise to the clear that holds.
// Raise, clear and severity change are states of the same alarm; re-raises within
// the hold time are flaps of one occurrence, a later raise starts a new one.
type Alarm struct {
	AlarmKey
	Severity      Severity          `json:"severity"` // the highest it had
	ProbableCause int               `json:"probable_cause,omitempty"`
	EventType     string            `json:"event_type,omitempty"`
	Text          string            `json:"text,omitempty"`
	RawType       string            `json:"raw_type,omitempty"`
	Raised        time.Time         `json:"raised"`
	Cleared       time.Time         `json:"cleared,omitzero"` // zero while active
	Flaps         int               `json:"flaps,omitempty"`  // clears that did not hold
	Planned       bool              `json:"planned,omitempty"`
	History       []StatusChange    `json:"history,omitempty"`
	Original      map[string]string `json:"original,omitempty"`
}

// ID names the occurrence: its key and when it was raised.
func (a Alarm) ID() string {
	return a.AlarmKey.String() + "/" + a.Raised.UTC().Format("20060102T150405.000")
}

// Active reports whether the alarm stands at t.
func (a Alarm) Active(t time.Time) bool {
	return !t.Before(a.Raised) && (a.Cleared.IsZero() || t.Before(a.Cleared))
}

// CompareAlarms orders alarms by raise time, then key.
func CompareAlarms(a, b Alarm) int {
	return cmp.Or(a.Raised.Compare(b.Raised), a.AlarmKey.Compare(b.AlarmKey))
}

// maxHistory is RFC 8632's default cap of status-change entries.
const maxHistory = 32

// Fold turns all events of one alarm key into its occurrences, in time order.
// The order and the repetition of events do not matter. A clear without a raise
// before it is kept as nothing: the raise may still arrive, and Fold of the larger
// set then gives an occurrence that is already cleared. hold is how long a clear
// must last to end the occurrence.
func Fold(events []AlarmEvent, hold time.Duration) []Alarm {
	evs := slices.Clone(events)
	slices.SortFunc(evs, func(a, b AlarmEvent) int {
		// At one instant a clear sorts before a raise, so that a raise is never lost.
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
	})
	evs = slices.CompactFunc(evs, func(a, b AlarmEvent) bool { return a.ID == b.ID && a.Source == b.Source })
	var out []Alarm
	var cur *Alarm
	for _, e := range evs {
		if e.Severity == SeverityCleared {
			if cur != nil && cur.Cleared.IsZero() {
				cur.Cleared = e.Time
				cur.note(e)
			}
			continue
		}
		if cur != nil && (cur.Cleared.IsZero() || e.Time.Sub(cur.Cleared) <= hold) {
			if !cur.Cleared.IsZero() {
				cur.Flaps++
				cur.Cleared = time.Time{}
			}
			cur.Severity = max(cur.Severity, e.Severity)
			cur.note(e)
			continue
		}
		out = append(out, Alarm{
			AlarmKey: e.AlarmKey, Severity: e.Severity, ProbableCause: e.ProbableCause, EventType: e.EventType,
			Text: e.Text, RawType: e.RawType, Raised: e.Time, Original: maps.Clone(e.Original),
		})
		cur = &out[len(out)-1]
		cur.note(e)
	}
	return out
}

func (a *Alarm) note(e AlarmEvent) {
	if n := len(a.History); n > 0 && a.History[n-1].Severity == e.Severity && a.History[n-1].Text == e.Text {
		return // a repetition is not a change
	}
	a.History = append(a.History, StatusChange{e.Time, e.Severity, e.Text})
	if len(a.History) > maxHistory {
		a.History = slices.Delete(a.History, 1, 2) // the raise stays, the oldest change goes
	}
}
