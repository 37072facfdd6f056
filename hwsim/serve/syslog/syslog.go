// Package syslog sends a Gateway's alarm events as syslog messages (RFC 5424) with the
// alarm element of RFC 5674, over UDP (RFC 5426) or over TCP with octet counting
// (RFC 6587).
package syslog

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"faultline/hwsim/serve"
)

// Options of New.
type Options struct {
	Gateway  *serve.Gateway
	Network  string      // udp or tcp
	Target   string      // host:port
	Facility int         // 0 to 23; local use begins at 16
	App      string      // APP-NAME; "" means "alarmd"
	Report   func(error) // told of a message that could not be sent; nil forgets it
}

// Sender sends alarm events.
type Sender struct {
	o    Options
	feed *serve.Feed
	conn net.Conn
}

// New checks the options, and watches from now on.
func New(o Options) (*Sender, error) {
	switch {
	case o.Gateway == nil:
		return nil, fmt.Errorf("syslog options: Gateway missing")
	case o.Network != "udp" && o.Network != "tcp":
		return nil, fmt.Errorf("syslog options: Network %q is neither udp nor tcp", o.Network)
	case o.Facility < 0 || o.Facility > 23:
		return nil, fmt.Errorf("syslog options: Facility %d is outside 0..23", o.Facility)
	}
	if _, _, err := net.SplitHostPort(o.Target); err != nil {
		return nil, fmt.Errorf("syslog options: Target: %w", err)
	}
	o.App = cmp.Or(o.App, "alarmd")
	return &Sender{o: o, feed: o.Gateway.Watch()}, nil
}

// Run sends until ctx ends. A broken connection is opened again once for each
// message; a message that fails is reported and not sent again.
func (s *Sender) Run(ctx context.Context) error {
	defer s.feed.Close()
	defer s.hangUp()
	for {
		evs, err := s.feed.Next(ctx)
		if errors.Is(err, serve.ErrLagged) {
			return fmt.Errorf("send syslog: %w", err)
		}
		if err != nil {
			return nil
		}
		for _, e := range evs {
			if err := s.send(ctx, s.message(e)); err != nil && ctx.Err() == nil && s.o.Report != nil {
				s.o.Report(fmt.Errorf("send syslog message %d: %w", e.Notification.Seq, err))
			}
		}
	}
}

func (s *Sender) hangUp() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

func (s *Sender) send(ctx context.Context, msg []byte) error {
	if s.o.Network == "tcp" {
		msg = append(fmt.Appendf(nil, "%d ", len(msg)), msg...)
	}
	var err error
	for fresh := false; !fresh; {
		if s.conn == nil {
			fresh = true
			var d net.Dialer
			if s.conn, err = d.DialContext(ctx, s.o.Network, s.o.Target); err != nil {
				s.conn = nil
				return err
			}
		}
		if _, err = s.conn.Write(msg); err == nil {
			return nil
		}
		s.hangUp()
	}
	return err
}

// severities follow RFC 5674 section 2; a clear is a notice.
var severities = map[string]int{"critical": 1, "major": 2, "minor": 3, "warning": 4, "cleared": 5}

// message is one message. Its MSGID is the alarm's name, cut to the 32 characters
// that there are; the whole name and the qualifier stand in an element of ours, under
// the number that RFC 5612 keeps for examples.
func (s *Sender) message(e serve.Event) []byte {
	n := e.Notification
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%d>1 %s %s %s - %s ", s.o.Facility*8+severities[n.Severity], n.Time.UTC().Format("2006-01-02T15:04:05.000Z"), header(n.Element, 255), header(s.o.App, 48), header(n.Alarm, 32))
	fmt.Fprintf(&b, `[alarm resource="%s" probableCause="%s" perceivedSeverity="%s"]`, param(n.Object), param(serve.CauseLabel(n.ProbableCause)), n.Severity)
	fmt.Fprintf(&b, `[plant@32473 type="%s"`, param(n.Alarm))
	if n.Qualifier != "" {
		fmt.Fprintf(&b, ` qualifier="%s"`, param(n.Qualifier))
	}
	b.WriteString("] \ufeff" + n.Text)
	return b.Bytes()
}

// header is a header field: printable ASCII without spaces, at most n of it.
func header(x string, n int) string {
	x = strings.Map(func(r rune) rune {
		if r < 33 || r > 126 {
			return '_'
		}
		return r
	}, x)
	return cmp.Or(x[:min(n, len(x))], "-")
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

func param(x string) string { return escapes.Replace(x) }
