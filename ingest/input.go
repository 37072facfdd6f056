package ingest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
)

// Input is a stream of text lines with numbers, unpacked from gzip where needed,
// with progress and cancellation. It belongs to one goroutine.
type Input struct {
	ctx     context.Context
	o       Options
	src     *counter
	br      *bufio.Reader
	line    int
	pending []Line // lines given back, next first
	buf     []byte
}

// Line is one line without its end.
type Line struct {
	Text    []byte // valid until the next call
	No      int    // from 1
	TooLong bool   // longer than Options.MaxRecord; Text is its head
}

type counter struct {
	r    io.Reader
	o    *Options
	done int64
	told int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.done += int64(n)
	if c.o.Progress != nil && (c.done-c.told >= 256<<10 || err == io.EOF) {
		c.told = c.done
		c.o.Progress(c.done, c.o.Total)
	}
	return n, err
}

// NewInput checks the options and looks at the head of r.
func NewInput(ctx context.Context, r io.Reader, o Options) (*Input, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	in := &Input{ctx: ctx, o: o}
	in.src = &counter{r: r, o: &in.o}
	in.br = bufio.NewReaderSize(in.src, 64<<10)
	head, err := in.br.Peek(2)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read %s: %w", o.File, err)
	}
	if len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		zr, err := gzip.NewReader(in.br)
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", o.File, err)
		}
		in.br = bufio.NewReaderSize(zr, 64<<10)
	}
	if bom, _ := in.br.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = in.br.Discard(3) // what was peeked cannot fail
	}
	return in, nil
}

// Next returns the next line, or io.EOF. A line that is too long is skipped to its
// end and marked; it costs no other.
func (in *Input) Next() (Line, error) {
	if n := len(in.pending); n > 0 {
		l := in.pending[0]
		in.pending = in.pending[1:]
		return l, nil
	}
	if in.line%1024 == 0 {
		if err := in.ctx.Err(); err != nil {
			return Line{}, fmt.Errorf("read %s: %w", in.o.File, err)
		}
	}
	in.buf = in.buf[:0]
	long := false
	for {
		part, err := in.br.ReadSlice('\n')
		if room := in.o.MaxRecord - len(in.buf); len(part) <= room+1 {
			in.buf = append(in.buf, part...)
		} else {
			in.buf = append(in.buf, part[:max(room, 0)]...)
			long = true
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && len(in.buf) == 0 && !long:
			return Line{}, io.EOF
		case err != nil && err != io.EOF:
			return Line{}, fmt.Errorf("read %s after line %d: %w", in.o.File, in.line, err)
		}
		in.line++
		return Line{bytes.TrimSuffix(bytes.TrimSuffix(in.buf, []byte("\n")), []byte("\r")), in.line, long}, nil
	}
}

// giveBack puts lines before the rest of the input.
func (in *Input) giveBack(lines []Line) { in.pending = append(lines, in.pending...) }

// ReadAll returns the whole input, at most limit bytes after unpacking.
func (in *Input) ReadAll(limit int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(in.br, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", in.o.File, err)
	}
	if len(b) > limit {
		return nil, fmt.Errorf("read %s: longer than %d bytes: %w", in.o.File, limit, Reject{File: in.o.File, Reason: "document too long"})
	}
	if err := in.ctx.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", in.o.File, err)
	}
	return b, nil
}

// reject builds a reject of this input.
func (in *Input) reject(line int, field, reason, row string) Reject {
	return Reject{File: in.o.File, Line: line, Field: field, Reason: reason, Row: cut(row)}
}
