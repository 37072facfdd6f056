package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// maxDepth bounds the nesting of an object that spans lines, so that a file of
// unclosed ones is not scanned over and over.
const maxDepth = 100

const notClosed = "object is not closed, or longer than the limit"

// Objects cuts a stream into JSON objects, whether it is JSON Lines, one array of
// objects, or objects one after the other, on one line each or indented. It decodes
// nothing. A damaged object costs no other: reading goes on at the next line that
// opens an object at the same indentation.
type Objects struct {
	in   *Input
	rest []byte // of the current line
	at   int    // its number
	held []Line // lines of the object that is being read
}

// Object is one JSON object.
type Object struct {
	Text []byte // valid until the next call
	Line int    // on which it starts
}

// NewObjects reads from an input.
func NewObjects(in *Input) *Objects { return &Objects{in: in} }

// Next returns the next object. A Reject as the error concerns one object, and the
// caller goes on; io.EOF ends; any other error is final.
func (o *Objects) Next() (Object, error) {
	for {
		o.rest = bytes.TrimLeft(o.rest, " \t,[]")
		if len(o.rest) > 0 {
			break
		}
		l, err := o.in.Next()
		if err != nil {
			return Object{}, err
		}
		if l.TooLong {
			return Object{}, o.in.reject(l.No, "", "line is longer than the limit", string(l.Text))
		}
		o.rest, o.at = l.Text, l.No
	}
	line := o.at
	if o.rest[0] != '{' {
		bad := o.in.reject(line, "", "not a JSON object", string(o.rest))
		o.rest = nil
		return Object{}, bad
	}
	var s scan
	if end := s.feed(o.rest); end >= 0 { // the common case: one object, one line
		text := o.rest[:end]
		o.rest = o.rest[end:]
		return Object{text, line}, nil
	}
	return o.multiLine(s)
}

// multiLine reads an object that does not end on its first line.
func (o *Objects) multiLine(s scan) (Object, error) {
	o.held = append(o.held[:0], Line{Text: bytes.Clone(o.rest), No: o.at})
	size := len(o.rest)
	o.rest = nil
	for {
		if s.inString {
			return Object{}, o.resync("line ends within a string")
		}
		l, err := o.in.Next()
		switch {
		case errors.Is(err, io.EOF):
			return Object{}, o.resync(notClosed)
		case err != nil:
			return Object{}, err
		}
		size += len(l.Text) + 1
		text := bytes.Clone(l.Text)
		// An object can only begin behind one of these; else the held one was cut off.
		if opens(text, indentOf(o.held[0].Text)) && !bytes.ContainsAny(lastByte(o.held), "[,:") || s.depth > maxDepth {
			o.held = append(o.held, Line{Text: text, No: l.No, TooLong: l.TooLong})
			return Object{}, o.resync(notClosed)
		}
		if l.TooLong || size > o.in.o.MaxRecord {
			o.held = append(o.held, Line{Text: text, No: l.No, TooLong: l.TooLong})
			return Object{}, o.resync(notClosed)
		}
		end := s.feed(text)
		if end < 0 {
			o.held = append(o.held, Line{Text: text, No: l.No})
			continue
		}
		whole := append(joinLines(o.held), text[:end]...)
		if !json.Valid(whole) {
			o.held = append(o.held, Line{Text: text, No: l.No})
			return Object{}, o.resync("not valid JSON")
		}
		o.rest, o.at = text[end:], l.No
		return Object{whole, o.held[0].No}, nil
	}
}

// resync rejects the held object up to the next line that may open another one, and
// gives the rest back to the input.
func (o *Objects) resync(reason string) error {
	indent := indentOf(o.held[0].Text)
	i := 1
	for ; i < len(o.held) && !opens(o.held[i].Text, indent); i++ {
	}
	lost := o.held[:i]
	row := string(joinLines(lost))
	if i < len(o.held) {
		o.in.giveBack(append([]Line(nil), o.held[i:]...))
		return o.in.reject(lost[0].No, "", reason, row)
	}
	// Nothing held opens an object: skip the tail of the damaged one.
	for {
		l, err := o.in.Next()
		if err != nil {
			break // the caller meets it next
		}
		if opens(l.Text, indent) || l.TooLong {
			o.in.giveBack([]Line{{Text: bytes.Clone(l.Text), No: l.No, TooLong: l.TooLong}})
			break
		}
	}
	return o.in.reject(lost[0].No, "", reason, row)
}

func indentOf(b []byte) int { return len(b) - len(bytes.TrimLeft(b, " \t")) }

func opens(b []byte, indent int) bool {
	return indentOf(b) == indent && bytes.HasPrefix(b[indent:], []byte("{"))
}

// lastByte is the last byte of the held lines that is not space.
func lastByte(ls []Line) []byte {
	for i := len(ls) - 1; i >= 0; i-- {
		if t := bytes.TrimRight(ls[i].Text, " \t"); len(t) > 0 {
			return t[len(t)-1:]
		}
	}
	return nil
}

func joinLines(ls []Line) []byte {
	var b []byte
	for _, l := range ls {
		b = append(append(b, l.Text...), '\n')
	}
	return b
}

// scan follows the nesting of one JSON object.
type scan struct {
	depth    int
	inString bool
	escaped  bool
}

// feed reads on and returns the index behind the object's end, or -1.
func (s *scan) feed(b []byte) int {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if s.inString {
			switch {
			case s.escaped:
				s.escaped = false
			case c == '\\':
				s.escaped = true
			case c == '"':
				s.inString = false
			}
			continue
		}
		switch c {
		case '"':
			s.inString = true
		case '{', '[':
			s.depth++
		case '}', ']':
			if s.depth--; s.depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
