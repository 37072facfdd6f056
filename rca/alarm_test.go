package rca_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"faultline/rca"
)

var t0 = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func ev(id string, sec int, s rca.Severity) rca.AlarmEvent {
	return rca.AlarmEvent{
		AlarmKey: rca.AlarmKey{Resource: "r", Type: "T"}, ID: id, Source: "s", Time: t0.Add(time.Duration(sec) * time.Second), Severity: s,
	}
}

func TestFold(t *testing.T) {
	const maj, crit, clr = rca.SeverityMajor, rca.SeverityCritical, rca.SeverityCleared
	for _, tc := range []struct {
		name   string
		events []rca.AlarmEvent
		want   string // raised..cleared severity flaps, per occurrence
	}{
		{"raise and clear", []rca.AlarmEvent{ev("1", 0, maj), ev("2", 60, clr)}, "0..60 major 0"},
		{"still active", []rca.AlarmEvent{ev("1", 5, maj)}, "5.. major 0"},
		{"clear before raise leaves nothing", []rca.AlarmEvent{ev("1", 0, clr)}, ""},
		{"clear arrives, raise is late", []rca.AlarmEvent{ev("2", 60, clr), ev("1", 0, maj)}, "0..60 major 0"},
		{"duplicate", []rca.AlarmEvent{ev("1", 0, maj), ev("1", 0, maj), ev("2", 9, clr)}, "0..9 major 0"},
		{"severity change is the same alarm", []rca.AlarmEvent{ev("1", 0, maj), ev("2", 10, crit), ev("3", 20, maj), ev("4", 30, clr)}, "0..30 critical 0"},
		{"flapping is one occurrence", []rca.AlarmEvent{ev("1", 0, maj), ev("2", 10, clr), ev("3", 20, maj), ev("4", 30, clr), ev("5", 40, maj), ev("6", 50, clr)}, "0..50 major 2"},
		{"a later raise is a new occurrence", []rca.AlarmEvent{ev("1", 0, maj), ev("2", 10, clr), ev("3", 1000, maj)}, "0..10 major 0; 1000.. major 0"},
		{"list rebuild repeats a raise", []rca.AlarmEvent{ev("1", 0, maj), ev("9", 100, maj), ev("2", 200, clr)}, "0..200 major 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ""
			for i, a := range rca.Fold(tc.events, 5*time.Minute) {
				if i > 0 {
					got += "; "
				}
				end := ""
				if !a.Cleared.IsZero() {
					end = fmt.Sprint(int(a.Cleared.Sub(t0).Seconds()))
				}
				got += fmt.Sprintf("%d..%s %s %d", int(a.Raised.Sub(t0).Seconds()), end, a.Severity, a.Flaps)
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFoldDoesNotDependOnOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var events []rca.AlarmEvent
	for i := range 200 {
		events = append(events, ev(fmt.Sprint(i), r.IntN(5000), rca.Severity(1+r.IntN(6))))
	}
	want := rca.Fold(events, time.Minute)
	for range 50 {
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if got := rca.Fold(events, time.Minute); !reflect.DeepEqual(got, want) {
			t.Fatal("a shuffled stream folded to other occurrences")
		}
	}
}

func TestFoldKeepsHistoryShort(t *testing.T) {
	var events []rca.AlarmEvent
	for i := range 100 {
		events = append(events, ev(fmt.Sprint(i), i, rca.Severity(3+i%4)))
	}
	a := rca.Fold(events, time.Minute)[0]
	if len(a.History) > 32 {
		t.Errorf("history of %d entries, want at most 32", len(a.History))
	}
	if !a.History[0].Time.Equal(a.Raised) {
		t.Error("the raise fell out of the history")
	}
}

func TestAlarmEventValidateNamesTheField(t *testing.T) {
	good := ev("1", 0, rca.SeverityMajor)
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	bad := good
	bad.Resource = ""
	if err := bad.Validate(); err == nil || err.Error() != `alarm event "1": resource missing or out of range: invalid` {
		t.Errorf("got %v", err)
	}
}
