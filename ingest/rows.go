package ingest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"faultline/rca"
)

// maxRowLines bounds how many lines one quoted CSV row may span, so that a quote
// that is never closed costs its own line and not the rest of the file.
const maxRowLines = 100

// Rows reads a CSV table with a header: RFC 4180, separator comma, semicolon or tab
// as the header shows.
type Rows struct {
	in     *Input
	comma  byte
	header []string
	fields []string
}

// Row is one row of a table.
type Row struct {
	Fields []string // as many as the header has; valid until the next call
	Line   int      // on which it starts
	Text   string   // as it came
}

// NewRows reads the header. A table without one is an error.
func NewRows(in *Input) (*Rows, error) {
	r := &Rows{in: in}
	for {
		l, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read %s: no header line: %w", in.o.File, rca.ErrInvalid)
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(l.Text)) == 0 {
			continue
		}
		r.comma = ','
		for _, c := range []byte{';', '\t'} {
			if bytes.Count(l.Text, []byte{c}) > bytes.Count(l.Text, []byte{r.comma}) {
				r.comma = c
			}
		}
		h, err := r.split(string(l.Text))
		if err != nil {
			return nil, fmt.Errorf("read header of %s: %w: %w", in.o.File, err, rca.ErrInvalid)
		}
		for _, f := range h {
			r.header = append(r.header, strings.TrimSpace(f))
		}
		return r, nil
	}
}

// Header returns the column names as they stand in the file.
func (r *Rows) Header() []string { return r.header }

// Next returns the next row that is not blank. A Reject as the error concerns one
// row, and the caller goes on; io.EOF ends; any other error is final.
func (r *Rows) Next() (Row, error) {
	for {
		l, err := r.in.Next()
		if err != nil {
			return Row{}, err
		}
		text := string(l.Text)
		if l.TooLong {
			return Row{}, r.in.reject(l.No, "", "row is longer than the limit", text)
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if strings.Count(text, `"`)%2 == 1 {
			if text, err = r.quoted(text, l.No); err != nil {
				return Row{}, err
			}
		}
		fields, err := r.split(text)
		if err != nil {
			return Row{}, r.in.reject(l.No, "", err.Error(), text)
		}
		if len(fields) != len(r.header) {
			return Row{}, r.in.reject(l.No, "", fmt.Sprintf("%d fields, the header has %d", len(fields), len(r.header)), text)
		}
		return Row{fields, l.No, text}, nil
	}
}

// quoted joins lines until the quotes close. When they do not, the lines go back to
// the input and the first one is rejected.
func (r *Rows) quoted(first string, line int) (string, error) {
	text := first
	var taken []Line
	for len(taken) < maxRowLines && len(text) <= r.in.o.MaxRecord {
		l, err := r.in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		taken = append(taken, Line{bytes.Clone(l.Text), l.No, l.TooLong})
		if l.TooLong {
			break
		}
		text += "\n" + string(l.Text)
		// Only a line that carries quotes can close them.
		if strings.Count(string(l.Text), `"`)%2 == 1 {
			if f, err := r.split(text); err == nil && len(f) == len(r.header) {
				return text, nil
			}
			break
		}
	}
	r.in.giveBack(taken)
	return "", r.in.reject(line, "", "a quote is not closed", first)
}

func (r *Rows) split(text string) ([]string, error) {
	r.fields = r.fields[:0]
	if !strings.Contains(text, `"`) {
		for {
			f, rest, more := strings.Cut(text, string(r.comma))
			r.fields = append(r.fields, f)
			if !more {
				return r.fields, nil
			}
			text = rest
		}
	}
	cr := csv.NewReader(strings.NewReader(text))
	cr.Comma = rune(r.comma)
	cr.FieldsPerRecord = -1
	fields, err := cr.Read()
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		return nil, fmt.Errorf("column %d: %w", pe.Column, pe.Err)
	}
	if err != nil {
		return nil, err
	}
	r.fields = append(r.fields, fields...)
	return r.fields, nil
}
