package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"

	"faultline/graph"
	"faultline/rca"
)

// Stream is the journal stream of alarm events.
const Stream = "alarm-events"

// Encode makes the journal record of an event. Its id follows from source and event
// id, so that an event that is received again replaces itself.
func Encode(e rca.AlarmEvent) (graph.Record, error) {
	if err := e.Validate(); err != nil {
		return graph.Record{}, err
	}
	data, err := json.Marshal(e)
	if err != nil {
		return graph.Record{}, fmt.Errorf("encode alarm event %q: %w: %w", e.ID, err, rca.ErrInvalid)
	}
	return graph.Record{Stream: Stream, ID: url.PathEscape(e.Source) + "/" + e.ID, Source: e.Source, At: e.Time, Data: data}, nil
}

// Decode is the inverse of Encode.
func Decode(r graph.Record) (rca.AlarmEvent, error) {
	var e rca.AlarmEvent
	if err := json.Unmarshal(r.Data, &e); err != nil {
		return e, fmt.Errorf("decode record %q: %w: %w", r.ID, err, rca.ErrInvalid)
	}
	if err := e.Validate(); err != nil {
		return e, fmt.Errorf("decode record %q: %w", r.ID, err)
	}
	return e, nil
}

// Events yields the alarm events of a journal with span.From <= time < span.To, by
// time, then record id. It stops at its first error.
func Events(ctx context.Context, j graph.Journal, span graph.Interval) iter.Seq2[rca.AlarmEvent, error] {
	return func(yield func(rca.AlarmEvent, error) bool) {
		for r, err := range j.Records(ctx, Stream, span) {
			var e rca.AlarmEvent
			if err == nil {
				e, err = Decode(r)
			}
			if err != nil {
				yield(rca.AlarmEvent{}, fmt.Errorf("read alarm events: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// IntakeOptions of NewIntake.
type IntakeOptions struct {
	Journal graph.Journal // required
	Batch   int           // events per append; default 1,000
}

// Intake keeps alarm events in a journal, in batches. It belongs to one goroutine.
type Intake struct {
	o       IntakeOptions
	pending []graph.Record
	kept    int
}

// NewIntake checks the options.
func NewIntake(o IntakeOptions) (*Intake, error) {
	switch {
	case o.Journal == nil:
		return nil, fmt.Errorf("intake options: Journal missing: %w", rca.ErrInvalid)
	case o.Batch < 0:
		return nil, fmt.Errorf("intake options: Batch is negative: %w", rca.ErrInvalid)
	}
	o.Batch = cmp.Or(o.Batch, 1000)
	return &Intake{o: o}, nil
}

// Add takes one event. It is durable when Add or Flush next wrote a batch without
// an error.
func (i *Intake) Add(ctx context.Context, e rca.AlarmEvent) error {
	r, err := Encode(e)
	if err != nil {
		return err
	}
	i.pending = append(i.pending, r)
	if len(i.pending) < i.o.Batch {
		return nil
	}
	return i.Flush(ctx)
}

// Flush writes what is pending. After an error the events stay pending.
func (i *Intake) Flush(ctx context.Context) error {
	if len(i.pending) == 0 {
		return nil
	}
	if err := i.o.Journal.Append(ctx, i.pending); err != nil {
		return fmt.Errorf("keep %d alarm events: %w", len(i.pending), err)
	}
	i.kept += len(i.pending)
	i.pending = i.pending[:0]
	return nil
}

// Kept is the number of events that are durable.
func (i *Intake) Kept() int { return i.kept }
