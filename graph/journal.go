package graph

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Record is one entry of a Journal: history, not state. Alarm events and finished
// cases are records; the graph holds what is, the journal what was said.
type Record struct {
	Stream string    // for example "alarm-events"; required
	ID     string    // unique within the stream; required
	Source string    // what is dropped as one
	At     time.Time // orders the stream, with ID
	Data   []byte    // opaque to the journal
}

// Validate names the first missing field, wrapped in ErrInvalid.
func (r Record) Validate() error {
	switch {
	case r.Stream == "":
		return fmt.Errorf("record %q: stream: missing: %w", r.ID, ErrInvalid)
	case r.ID == "":
		return fmt.Errorf("record of stream %q: id: missing: %w", r.Stream, ErrInvalid)
	case r.At.IsZero():
		return fmt.Errorf("record %q: at: missing time: %w", r.ID, ErrInvalid)
	}
	return nil
}

// Journal keeps records. A store that can does so beside the graph, in the same
// place and with the same durability.
type Journal interface {
	// Append keeps all records or none; on nil they are durable. A record whose
	// stream and id are there already replaces the old one.
	Append(ctx context.Context, records []Record) error
	// Records yields a stream's records with from <= At < to (zero: open end), by
	// (At, ID). It stops at its first error.
	Records(ctx context.Context, stream string, span Interval) iter.Seq2[Record, error]
	// Drop removes every record of a source and returns their number.
	Drop(ctx context.Context, source string) (int, error)
}
