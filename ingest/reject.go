package ingest

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// RejectWriter writes rejects as CSV with the header file,line,field,reason,row. It
// is safe for concurrent use.
type RejectWriter struct {
	mu     sync.Mutex
	w      *csv.Writer
	n      int
	header bool
	err    error
}

// NewRejectWriter returns a writer on w. The header is written with the first
// reject, so that a clean input leaves an empty file.
func NewRejectWriter(w io.Writer) *RejectWriter { return &RejectWriter{w: csv.NewWriter(w)} }

// Write adds one reject. It has the shape that readers ask for; an error of the
// file comes out of Close.
func (w *RejectWriter) Write(r Reject) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	if !w.header {
		w.header = true
		w.put("file", "line", "field", "reason", "row")
	}
	w.put(r.File, strconv.Itoa(r.Line), r.Field, r.Reason, cut(r.Row))
}

func (w *RejectWriter) put(fields ...string) {
	if w.err == nil {
		w.err = w.w.Write(fields)
	}
}

// Count is the number of rejects so far.
func (w *RejectWriter) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

// Close flushes and returns the first error of the file. It does not close the
// file.
func (w *RejectWriter) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.w.Flush()
	if w.err == nil {
		w.err = w.w.Error()
	}
	if w.err != nil {
		return fmt.Errorf("write rejects: %w", w.err)
	}
	return nil
}

// cut keeps the head of a rejected row, valid UTF-8 and without line ends at its
// edges.
func cut(row string) string {
	row = strings.Trim(row, "\r\n")
	if len(row) > maxRejectRow {
		row = row[:maxRejectRow] + "..."
	}
	return strings.ToValidUTF8(row, "\uFFFD")
}

// Each calls one for every record until io.EOF. A record that next cannot read is
// counted in n and rejected, and the others go on; one counts what it is given,
// because a record may hold several. Any other error ends the reading.
func Each[T any](next func() (T, error), n *Counts, reject func(Reject), one func(T) error) error {
	for {
		rec, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if bad, ok := errors.AsType[Reject](err); ok {
			n.Records++
			n.Rejected++
			reject(bad)
			continue
		}
		if err != nil {
			return err
		}
		if err := one(rec); err != nil {
			return err
		}
	}
}

// JSONField is the field that an error of encoding/json is about, or "".
func JSONField(err error) string {
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return te.Field
	}
	return ""
}
