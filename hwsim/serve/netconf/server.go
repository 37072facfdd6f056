// Package netconf shows a Gateway by NETCONF over SSH (RFC 6241, RFC 6242) with
// notifications (RFC 5277): running and candidate configuration, confirmed commits
// that roll back by the simulated clock, ietf-alarms (RFC 8632) and o-ran-fm alarm
// lists and their notifications.
package netconf

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"

	"faultline/hwsim/serve"
)

// Options of New.
type Options struct {
	Gateway  *serve.Gateway
	HostKey  ssh.Signer
	Password func(user, password string) bool // who may log in
	Max      int                              // octets of a message that is taken in; 0 means 4 MiB
	// Report is told of a rollback that failed, in the words of the element. nil
	// forgets it. It must not call the Gateway.
	Report func(error)
}

// Server is the NETCONF face of a Gateway. It is safe for concurrent use.
type Server struct {
	o   Options
	g   *serve.Gateway
	ssh *ssh.ServerConfig

	// Datastores and sessions. They are touched within Gateway.Look alone.
	candidate     serve.Config // nil while it equals the running configuration
	candidateLock uint32       // session, 0 when nobody holds it
	pending       *confirmation
	sessions      map[uint32]*session
	lastSession   uint32
}

// confirmation is a confirmed commit that waits.
type confirmation struct {
	saved   serve.Config
	timer   *serve.Timer
	session uint32
	persist string
}

// NewHostKey makes a key for Options.HostKey from a source of randomness.
func NewHostKey(random io.Reader) (ssh.Signer, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("make host key: %w", err)
	}
	return ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed))
}

// New checks the options.
func New(o Options) (*Server, error) {
	switch {
	case o.Gateway == nil:
		return nil, fmt.Errorf("netconf options: Gateway missing")
	case o.HostKey == nil:
		return nil, fmt.Errorf("netconf options: HostKey missing")
	case o.Password == nil:
		return nil, fmt.Errorf("netconf options: Password missing")
	case o.Max < 0:
		return nil, fmt.Errorf("netconf options: Max %d is negative", o.Max)
	}
	o.Max = cmp.Or(o.Max, 4<<20)
	s := &Server{o: o, g: o.Gateway, sessions: map[uint32]*session{}}
	s.ssh = &ssh.ServerConfig{PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if !o.Password(c.User(), string(password)) {
			return nil, errors.New("wrong user or password")
		}
		return nil, nil
	}}
	s.ssh.AddHostKey(o.HostKey)
	return s, nil
}

// Serve answers on a listener, which it closes, until ctx ends; then it closes all
// sessions and waits for them.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			cancel()
			return fmt.Errorf("serve netconf: %w", err)
		}
		wg.Go(func() {
			closed := context.AfterFunc(ctx, func() { conn.Close() })
			defer closed()
			defer conn.Close()
			s.connection(ctx, conn)
		})
	}
}

// connection serves the channels of one SSH connection. What a peer does wrong ends
// its connection and concerns nobody else.
func (s *Server) connection(ctx context.Context, conn net.Conn) {
	c, channels, requests, err := ssh.NewServerConn(conn, s.ssh)
	if err != nil {
		return
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { ssh.DiscardRequests(requests) })
	for nc := range channels {
		if nc.ChannelType() != "session" {
			_ = nc.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		ch, reqs, err := nc.Accept()
		if err != nil {
			return
		}
		wg.Go(func() {
			defer ch.Close()
			for r := range reqs {
				// The payload is an SSH string: four octets of length, then the name.
				ok := r.Type == "subsystem" && len(r.Payload) > 4 && string(r.Payload[4:]) == "netconf"
				_ = r.Reply(ok, nil)
				if ok {
					wg.Go(func() { ssh.DiscardRequests(reqs) })
					s.session(ctx, ch, func() { ch.Close() })
					return
				}
			}
		})
	}
	cancel()
}

const (
	base10 = "urn:ietf:params:netconf:base:1.0"
	base11 = "urn:ietf:params:netconf:base:1.1"
)

var capabilities = []string{
	base10, base11,
	"urn:ietf:params:netconf:capability:writable-running:1.0",
	"urn:ietf:params:netconf:capability:candidate:1.0",
	"urn:ietf:params:netconf:capability:confirmed-commit:1.0",
	"urn:ietf:params:netconf:capability:confirmed-commit:1.1",
	"urn:ietf:params:netconf:capability:rollback-on-error:1.0",
	"urn:ietf:params:netconf:capability:validate:1.0",
	"urn:ietf:params:netconf:capability:validate:1.1",
	"urn:ietf:params:netconf:capability:notification:1.0",
	"urn:ietf:params:netconf:capability:interleave:1.0",
	"urn:ietf:params:netconf:capability:with-defaults:1.0?basic-mode=explicit",
	nsAlarms + "?module=ietf-alarms&revision=2019-09-11",
	nsORAN + "?module=o-ran-fm",
	"http://openconfig.net/yang/interfaces?module=openconfig-interfaces",
	"http://openconfig.net/yang/platform?module=openconfig-platform",
	nsPlant + "?module=faultline-plant",
}

// session is one NETCONF session.
type session struct {
	id     uint32
	owner  string // of locks
	f      *frames
	write  sync.Mutex // of f
	close  func()
	closed bool // it ends with the answer to this request
	ctx    context.Context
	feed   *serve.Feed
	wg     sync.WaitGroup // of the goroutine that sends notifications
}

func (c *session) send(n *node) error {
	c.write.Lock()
	defer c.write.Unlock()
	return c.f.put(n.bytes())
}

// session speaks NETCONF on a channel until either side ends it.
func (s *Server) session(ctx context.Context, rw io.ReadWriter, closer func()) {
	ctx, cancel := context.WithCancel(ctx)
	c := &session{f: newFrames(rw, s.o.Max), close: closer, ctx: ctx}
	s.g.Look(func(serve.View) {
		s.lastSession++
		c.id = s.lastSession
		c.owner = "netconf/" + strconv.FormatUint(uint64(c.id), 10)
		s.sessions[c.id] = c
	})
	defer func() {
		cancel()
		closer()
		c.wg.Wait()
		s.g.Look(func(v serve.View) { s.leave(v, c) })
	}()
	caps := el("capabilities")
	for _, u := range capabilities {
		caps.kids = append(caps.kids, leaf("capability", u))
	}
	if c.send(el("hello", caps, leaf("session-id", strconv.FormatUint(uint64(c.id), 10))).in(nsBase)) != nil {
		return
	}
	if !c.hello() {
		return
	}
	for !c.closed {
		msg, err := c.f.next()
		if err != nil {
			return
		}
		r, after := s.answer(c, msg)
		if c.send(r) != nil {
			return
		}
		if after != nil {
			after()
		}
	}
}

// hello takes the peer's hello and chooses the framing of the highest version that
// both speak.
func (c *session) hello() bool {
	msg, err := c.f.next()
	if err != nil {
		return false
	}
	h, err := parse(msg)
	if err != nil || h.name != "hello" || h.space != nsBase || h.kid("session-id") != nil {
		return false
	}
	common := false
	if caps := h.kid("capabilities"); caps != nil {
		for _, k := range caps.kids {
			common = common || k.text == base10
			if k.text == base11 {
				common, c.f.chunked = true, true
			}
		}
	}
	return common
}

// leave gives back what a session holds. A confirmed commit that is tied to it is
// undone, as RFC 6241 section 8.4.1 has it.
func (s *Server) leave(v serve.View, c *session) {
	delete(s.sessions, c.id)
	if c.feed != nil {
		c.feed.CloseIn(v)
	}
	if p := s.pending; p != nil && p.session == c.id && p.persist == "" {
		s.rollBack(v)
	}
	if s.candidateLock == c.id {
		s.candidateLock, s.candidate = 0, nil
	}
	if v.LockOwner() == c.owner {
		_ = v.Unlock(c.owner) // it is the owner
	}
}

// rollBack ends a confirmed commit by going back to what was saved.
func (s *Server) rollBack(v serve.View) {
	p := s.pending
	s.pending = nil
	v.Stop(p.timer)
	if err := v.Restore(p.saved); err != nil && s.o.Report != nil {
		s.o.Report(fmt.Errorf("roll back the confirmed commit of session %d: %w", p.session, err))
	}
}
