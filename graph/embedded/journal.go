package embedded

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"
	"time"

	"faultline/graph"
)

// Append implements graph.Journal.
func (s *Store) Append(ctx context.Context, records []graph.Record) error {
	for i, r := range records {
		err := r.Validate()
		if err == nil {
			err = checkTime(r.At)
		}
		if err != nil {
			return fmt.Errorf("append record %d of %d: %w", i+1, len(records), err)
		}
	}
	return s.write(ctx, "append", func(b *batch) error {
		for i, r := range records {
			if i%256 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if _, err := s.file.putRecord.Exec(b.number(r.Stream), r.ID, b.number(r.Source), r.At.UnixNano(), r.Data); err != nil {
				return fmt.Errorf("write record %s of %s: %w", r.ID, r.Stream, err)
			}
		}
		return nil
	})
}

// Drop implements graph.Journal. The source must be named: records without one are
// not a source.
func (s *Store) Drop(ctx context.Context, source string) (int, error) {
	if source == "" {
		return 0, fmt.Errorf("drop records: source: missing: %w", graph.ErrInvalid)
	}
	var n int64
	err := s.write(ctx, "drop records", func(b *batch) error {
		w := b.known(source)
		if w == 0 {
			return nil // never heard of
		}
		res, err := s.file.delSource.Exec(w)
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	return int(n), err
}

// page is how many records are read at a time. No connection is held while the caller
// works on them, so records that change meanwhile are seen as they are when their page
// is read.
const page = 1024

// Records implements graph.Journal.
func (s *Store) Records(ctx context.Context, stream string, span graph.Interval) iter.Seq2[graph.Record, error] {
	return func(yield func(graph.Record, error) bool) {
		from, to := int64(math.MinInt64), int64(math.MaxInt64)
		if !span.From.IsZero() {
			from = nanos(span.From)
		}
		if !span.To.IsZero() && !span.To.After(lastTime) {
			to = nanos(span.To) - 1
		}
		last := graph.Record{}
		for first := true; ; first = false {
			got, err := s.page(ctx, stream, from, to, last.ID, first)
			for _, r := range got {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				if s.current.Load() == nil {
					err = graph.ErrClosed
				}
				yield(graph.Record{}, fmt.Errorf("read records of %s: %w", stream, err))
				return
			}
			if len(got) < page {
				return
			}
			last = got[len(got)-1]
			from = last.At.UnixNano()
		}
	}
}

func (s *Store) page(ctx context.Context, stream string, from, to int64, after string, first bool) ([]graph.Record, error) {
	v, err := s.state(ctx)
	if err != nil {
		return nil, err
	}
	w, ok := v.dict.lookup(stream)
	if !ok {
		return nil, nil
	}
	var got []graph.Record
	err = each(ctx, s.readers, `SELECT id, source, at, data FROM record
		WHERE stream = ? AND (at, id) >= (?, ?) AND (at > ? OR id > ? OR ?) AND at <= ? ORDER BY at, id LIMIT ?`,
		func(rows *sql.Rows) error {
			r := graph.Record{Stream: stream}
			var source, at int64
			if err := rows.Scan(&r.ID, &source, &at, &r.Data); err != nil {
				return err
			}
			if source >= int64(len(v.words)) {
				if v, err = s.state(ctx); err != nil { // appended since; its words are in a later view
					return err
				}
			}
			if source >= int64(len(v.words)) {
				return errCorrupt
			}
			r.Source, r.At = v.words[source], time.Unix(0, at).UTC()
			got = append(got, r)
			return nil
		}, w, from, after, from, after, first, to, page)
	return got, err
}
