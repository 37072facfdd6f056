package netconf

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// errFraming marks a peer that broke the framing; the session cannot go on.
var errFraming = errors.New("framing")

const endOfMessage = "]]>]]>"

// frames takes messages out of a stream and puts them in: by the end mark of RFC 6242
// section 4.3 until chunked is set, then by chunks (section 4.2).
type frames struct {
	r       *bufio.Reader
	w       io.Writer
	chunked bool
	max     int // octets of a message that is taken in
}

func newFrames(rw io.ReadWriter, max int) *frames {
	return &frames{r: bufio.NewReader(rw), w: rw, max: max}
}

// next is the next message. io.EOF means that the peer ended between messages.
func (f *frames) next() ([]byte, error) {
	if f.chunked {
		return f.chunks()
	}
	var msg []byte
	for {
		b, err := f.r.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) && len(bytes.TrimSpace(msg)) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		msg = append(msg, b)
		if b == '>' && bytes.HasSuffix(msg, []byte(endOfMessage)) {
			return msg[:len(msg)-len(endOfMessage)], nil
		}
		if len(msg) > f.max+len(endOfMessage) {
			return nil, fmt.Errorf("message of more than %d octets: %w", f.max, errFraming)
		}
	}
}

func (f *frames) chunks() ([]byte, error) {
	var msg []byte
	for first := true; ; first = false {
		b, err := f.r.ReadByte()
		switch {
		case err != nil && first:
			return nil, err
		case err != nil:
			return nil, io.ErrUnexpectedEOF
		case b != '\n':
			return nil, fmt.Errorf("octet %q where a chunk begins: %w", b, errFraming)
		}
		head, err := f.r.ReadSlice('\n')
		if err != nil {
			return nil, fmt.Errorf("chunk header: %w", errors.Join(errFraming, err))
		}
		head = head[:len(head)-1]
		if string(head) == "##" {
			if first {
				return nil, fmt.Errorf("message without a chunk: %w", errFraming)
			}
			return msg, nil
		}
		n, ok := chunkSize(head)
		if !ok {
			return nil, fmt.Errorf("chunk header %q: %w", head, errFraming)
		}
		if n > f.max-len(msg) {
			return nil, fmt.Errorf("message of more than %d octets: %w", f.max, errFraming)
		}
		at := len(msg)
		msg = append(msg, make([]byte, n)...)
		if _, err := io.ReadFull(f.r, msg[at:]); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
	}
}

// chunkSize reads "#" and a number from 1 to 4294967295 without leading zeros.
func chunkSize(head []byte) (int, bool) {
	if len(head) < 2 || len(head) > 11 || head[0] != '#' || head[1] == '0' {
		return 0, false
	}
	n := 0
	for _, c := range head[1:] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n <= 4294967295
}

// put sends one message.
func (f *frames) put(msg []byte) error {
	var b bytes.Buffer
	if f.chunked {
		fmt.Fprintf(&b, "\n#%d\n", len(msg))
		b.Write(msg)
		b.WriteString("\n##\n")
	} else {
		b.Write(msg)
		b.WriteString(endOfMessage)
	}
	if _, err := f.w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("send message: %w", err)
	}
	return nil
}
