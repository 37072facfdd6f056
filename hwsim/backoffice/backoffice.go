// Package backoffice is the paper of the demo operator's office: the vendors'
// manuals, and the work orders that people wrote about faults of the past.
//
// Work orders are written from what the simulated plant knows, by authors who know
// less. The opening part (name, description, reported resource) is made from the
// alarms alone; its author never sees the fault. Cause and remedy appear only in
// later notes and in the resolution, in a crew's words. Neither the plant's fault
// id nor its name of the fault mode stands anywhere in the text.
package backoffice

import (
	"embed"
	"io/fs"
	"time"

	"faultline/hwsim"
)

//go:embed manuals/*.md
var manuals embed.FS

// Manuals returns the manuals as Markdown files, one per domain, named
// "<domain>.md". A heading "## <id> <alarm name>" opens the section of an alarm.
func Manuals() fs.FS {
	sub, err := fs.Sub(manuals, "manuals")
	if err != nil {
		panic(err) // the path is a constant
	}
	return sub
}

// Alarm is one alarm of a past fault, as the event list showed it.
type Alarm struct {
	Object   string // resource id
	Name     string // the element's name of the alarm, words joined by hyphens
	Severity string // critical, major, minor, warning
	Raised   time.Time
}

// FaultHistory is one fault of the past: the truth, and what it showed.
type FaultHistory struct {
	ID       string
	Mode     string // the plant's name of the fault mode, for example "trench-cut"
	Resource string // where it broke
	Domain   string // of the fault mode
	Start    time.Time
	End      time.Time // zero while the fault still stands
	Planned  bool      // announced work
	Alarms   []Alarm
}

// Options of WorkOrders.
type Options struct {
	Seed    uint64
	Network *hwsim.Network // gives names and sites; nil means that only ids are known
	Faults  []FaultHistory // in any order, each with its own id
}

// Note is one entry in the log of a work order.
type Note struct {
	Author string
	Time   time.Time
	Text   string
}

// StatusChange is one step in the life of a work order.
type StatusChange struct {
	Status string // a TMF621 status: acknowledged, inProgress, held, resolved, closed
	Reason string
	Time   time.Time
}

// WorkOrder is one ticket. Times are in UTC, to the second.
type WorkOrder struct {
	ID           string
	Type         string // "incident" or "planned work"
	Name         string
	Description  string // as known at opening
	Severity     string // Critical, Major, Minor
	Priority     string // Critical, High, Medium, Low
	Reported     string // resource that the opening names, right or wrong
	Team         string // that has it now, or closed it
	History      []StatusChange
	Notes        []Note
	Located      string    // resource that the crew says was at fault; empty when nobody wrote it down, and for announced work
	Resolution   string    // empty while open
	ClosureCode  string    // empty while open
	DuplicateOf  string    // id of the ticket that this one repeats
	PlannedStart time.Time // of planned work
	PlannedEnd   time.Time
}

// Created is when the ticket was opened.
func (w WorkOrder) Created() time.Time { return w.History[0].Time }

// Status is the present status.
func (w WorkOrder) Status() string { return w.History[len(w.History)-1].Status }

// Resolved is when the ticket was resolved, or zero.
func (w WorkOrder) Resolved() time.Time {
	for _, s := range w.History {
		if s.Status == "resolved" {
			return s.Time
		}
	}
	return time.Time{}
}

// HasCause reports whether a reader learns from the ticket what broke.
func (w WorkOrder) HasCause() bool {
	switch w.ClosureCode {
	case "", codeUnknown, codeNoFault, codeDuplicate:
		return false
	}
	return true
}
