// Package ingest takes data in. It holds what every reader shares: the Raw alarm
// record, the Normalizer that turns it into an rca.AlarmEvent, the Intake that keeps
// events in a journal, rejects and the file they are written to, recognition of file
// formats, and streaming access to lines, JSON objects and CSV rows.
//
// Readers live in the children, one format each. All of them stream, hand out what
// they read through a function, and never lose one record because of another: a bad
// record becomes a Reject that names file, line and field. A reader stops only when
// its input cannot be read, its context ends, or a receiving function returns an
// error. Gzip is unpacked wherever it is met.
package ingest

import (
	"cmp"
	"fmt"
	"time"

	"faultline/rca"
)

// Limits of a reader, unless Options say otherwise.
const (
	DefaultMaxRecord = 1 << 20  // bytes of one line, row or JSON object
	DefaultMaxText   = 64 << 20 // bytes of one document that is read as a whole
	maxRejectRow     = 2000     // bytes of a rejected row that are kept
)

// Options that every reader takes.
type Options struct {
	Source    string                  // feed or file that is dropped as one; required
	File      string                  // name in rejects; default Source
	MaxRecord int                     // bytes of one record; longer ones are rejected; default DefaultMaxRecord
	Total     int64                   // size of the input in bytes for Progress; 0 when unknown
	Progress  func(done, total int64) // called about once per 256 KiB with the input bytes consumed, compressed ones for gzip, and at the end; optional
}

// Validate names the first faulty field and fills in defaults.
func (o *Options) Validate() error {
	switch {
	case o.Source == "":
		return fmt.Errorf("ingest options: Source missing: %w", rca.ErrInvalid)
	case o.MaxRecord < 0:
		return fmt.Errorf("ingest options: MaxRecord is negative: %w", rca.ErrInvalid)
	}
	o.File = cmp.Or(o.File, o.Source)
	o.MaxRecord = cmp.Or(o.MaxRecord, DefaultMaxRecord)
	return nil
}

// Counts says what became of an input.
type Counts struct {
	Records  int            `json:"records"`           // lines, rows or objects met
	Emitted  int            `json:"emitted"`           // handed on; one record can give several
	Rejected int            `json:"rejected"`          // rejects written
	Ignored  map[string]int `json:"ignored,omitempty"` // well-formed but not what was asked for, by kind
}

// Ignore counts one record of a kind that is not wanted.
func (c *Counts) Ignore(kind string) {
	if c.Ignored == nil {
		c.Ignored = map[string]int{}
	}
	c.Ignored[kind]++
}

// Raw is an alarm record as its reporter wrote it, in the reporter's words.
type Raw struct {
	Source          string
	Line            int    // of the source, from 1; 0 when it has no lines
	ID              string // of the notification; empty: derived from the content
	Time            time.Time
	Resource        string // name of the alarmed object
	Part            string // card, port or interface within it, when reported apart
	Type            string // alarm type id or name
	SpecificProblem string
	RawType         string // another name of the alarm, tried last
	Qualifier       string
	Severity        string            // spelling of Scale; empty: the normalizer's default
	Scale           rca.SeverityScale // empty: any
	Cleared         bool              // a clear, whatever Severity says
	ProbableCause   string            // number or name
	EventType       string
	Text            string
	Original        map[string]string // every other field
	Row             string            // the record itself, for rejects; may be cut
}

// Reject is one record, or one field of it, that could not be taken. It is an error.
type Reject struct {
	File   string
	Line   int    // from 1; 0 when the input has no lines
	Field  string // empty when the record as a whole is at fault
	Reason string
	Row    string // the record as it came, cut to 2,000 bytes
}

// Error says where and why.
func (r Reject) Error() string {
	s := fmt.Sprintf("read %s line %d", r.File, r.Line)
	if r.Field != "" {
		s += ": " + r.Field
	}
	return s + ": " + r.Reason
}

// Unwrap makes every reject rca.ErrInvalid.
func (r Reject) Unwrap() error { return rca.ErrInvalid }
