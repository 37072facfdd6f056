package neo4j

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"faultline/graph"
)

// Append implements graph.Journal.
func (s *Store) Append(ctx context.Context, records []graph.Record) error {
	last := map[[2]string]int{} // of records with one key the last one holds
	for i, r := range records {
		err := r.Validate()
		for _, e := range []error{checkTime(r.At), checkKey("stream", r.Stream), checkKey("id", r.ID), checkKey("source", r.Source)} {
			if err == nil {
				err = e
			}
		}
		if err != nil {
			return fmt.Errorf("append record %d of %d: %w", i+1, len(records), err)
		}
		last[[2]string{r.Stream, r.ID}] = i
	}
	var put []any
	for i, r := range records {
		if last[[2]string{r.Stream, r.ID}] == i {
			put = append(put, map[string]any{"stream": r.Stream, "id": r.ID, "source": r.Source, "at": r.At.UnixNano(), "data": r.Data})
		}
	}
	err := s.change(ctx, func(w *work) error {
		for part := range slices.Chunk(put, chunk) {
			if _, err := w.run(putRecords, map[string]any{"rows": part}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	return nil
}

// Drop implements graph.Journal. The source must be named: records without one are not
// a source.
func (s *Store) Drop(ctx context.Context, source string) (int, error) {
	if source == "" {
		return 0, fmt.Errorf("drop records: source: missing: %w", graph.ErrInvalid)
	}
	var n int64
	err := s.change(ctx, func(w *work) error {
		got, err := w.run(dropRecords, map[string]any{"source": source})
		if err == nil {
			n, err = got.number("n")
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("drop records: %w", err)
	}
	return int(n), nil
}

// change runs f in the writer's turn.
func (s *Store) change(ctx context.Context, f func(*work) error) error {
	if err := s.await(ctx); err != nil {
		return err
	}
	defer s.yield()
	return s.transaction(ctx, f)
}

// Records implements graph.Journal. It reads pages; records that change meanwhile are
// seen as they are when their page is read.
func (s *Store) Records(ctx context.Context, stream string, span graph.Interval) iter.Seq2[graph.Record, error] {
	return func(yield func(graph.Record, error) bool) {
		from, to := int64(math.MinInt64), int64(math.MaxInt64)
		if !span.From.IsZero() {
			from = nanos(span.From)
		}
		if !span.To.IsZero() && !span.To.After(lastTime) {
			to = nanos(span.To) - 1
		}
		for after := ""; ; {
			got, err := s.records(ctx, stream, from, to, after)
			if err != nil {
				yield(graph.Record{}, fmt.Errorf("read records of %s: %w", stream, err))
				return
			}
			for _, r := range got {
				if !yield(r, nil) {
					return
				}
			}
			if len(got) < page {
				return
			}
			from, after = got[len(got)-1].At.UnixNano(), got[len(got)-1].ID
		}
	}
}

func (s *Store) records(ctx context.Context, stream string, from, to int64, after string) ([]graph.Record, error) {
	got, err := s.read(ctx, readRecords, map[string]any{"stream": stream, "from": from, "to": to, "after": after, "page": page})
	if err != nil {
		return nil, err
	}
	out := make([]graph.Record, len(got))
	for i, r := range got {
		f := &fields{m: r}
		out[i] = graph.Record{
			Stream: stream, ID: field[string](f, "id", true), Source: field[string](f, "source", true),
			At: time.Unix(0, field[int64](f, "at", true)).UTC(), Data: field[[]byte](f, "data", false),
		}
		if f.err != nil {
			return nil, fmt.Errorf("record %s: %w", out[i].ID, f.err)
		}
	}
	return out, nil
}
