package netconf

import (
	"encoding/xml"
	"errors"
	"maps"
	"strconv"
	"time"

	"faultline/hwsim"
	"faultline/hwsim/serve"
)

// answer carries out one request and gives its reply, and what is to be done once
// that is sent.
func (s *Server) answer(c *session, msg []byte) (*node, func()) {
	rpc, err := parse(msg)
	if err != nil || rpc.name != "rpc" || rpc.space != nsBase {
		text := "an rpc is expected"
		if err != nil {
			text = err.Error()
		}
		return reply(nil, (&rpcError{kind: "rpc", tag: "malformed-message", text: text}).node()), nil
	}
	if _, ok := rpc.attr("", "message-id"); !ok {
		return reply(rpc.attrs, (&rpcError{kind: "rpc", tag: "missing-attribute", text: "message-id is missing", info: []*node{leaf("bad-attribute", "message-id"), leaf("bad-element", "rpc")}}).node()), nil
	}
	if len(rpc.kids) != 1 {
		return reply(rpc.attrs, (&rpcError{kind: "rpc", tag: "missing-element", text: "one operation is expected", info: []*node{leaf("bad-element", "rpc")}}).node()), nil
	}
	op := rpc.kids[0]
	do, ok := operations[op.name]
	if !ok || op.space != do.space {
		return reply(rpc.attrs, (&rpcError{kind: "protocol", tag: "operation-not-supported", text: "operation " + op.name + " is not supported", info: []*node{leaf("bad-element", op.name)}}).node()), nil
	}
	var data []*node
	var failed *rpcError
	var after func()
	s.g.Look(func(v serve.View) { data, after, failed = do.f(s, v, c, op) })
	if failed != nil {
		return reply(rpc.attrs, failed.node()), nil
	}
	if data == nil {
		data = []*node{el("ok")}
	}
	return reply(rpc.attrs, data...), after
}

func reply(attrs []xml.Attr, kids ...*node) *node {
	r := el("rpc-reply", kids...)
	r.attrs = attrs
	return r.in(nsBase)
}

// operation carries out a request. after runs when the reply is sent.
type operation struct {
	space string
	f     func(*Server, serve.View, *session, *node) (data []*node, after func(), err *rpcError)
}

// plainly is an operation that answers ok.
func plainly(f func(*Server, serve.View, *session, *node) *rpcError) operation {
	return operation{nsBase, func(s *Server, v serve.View, c *session, n *node) ([]*node, func(), *rpcError) {
		return nil, nil, f(s, v, c, n)
	}}
}

var operations = map[string]operation{
	"get":                 {nsBase, (*Server).get},
	"get-config":          {nsBase, (*Server).getConfig},
	"edit-config":         plainly((*Server).editConfig),
	"copy-config":         plainly((*Server).copyConfig),
	"lock":                plainly((*Server).lock),
	"unlock":              plainly((*Server).unlock),
	"commit":              plainly((*Server).commit),
	"cancel-commit":       plainly((*Server).cancelCommit),
	"discard-changes":     plainly(func(s *Server, _ serve.View, _ *session, _ *node) *rpcError { s.candidate = nil; return nil }),
	"validate":            plainly((*Server).validate),
	"close-session":       plainly(func(_ *Server, _ serve.View, c *session, _ *node) *rpcError { c.closed = true; return nil }),
	"kill-session":        {nsBase, (*Server).kill},
	"create-subscription": {nsNotify, (*Server).subscribe},
	"restart":             {nsPlant, (*Server).action},
	"otdr":                {nsPlant, (*Server).action},
}

// filters reads the filter of a request; nil means everything.
func filters(n *node) ([]*node, *rpcError) {
	f := n.kid("filter")
	if f == nil {
		return nil, nil
	}
	if t, ok := f.attr("", "type"); ok && t != "subtree" {
		return nil, &rpcError{kind: "protocol", tag: "operation-not-supported", text: "filters of type " + t + " are not supported", info: []*node{leaf("bad-attribute", "type"), leaf("bad-element", "filter")}}
	}
	if f.kids == nil {
		return []*node{}, nil
	}
	return f.kids, nil
}

func (s *Server) get(v serve.View, _ *session, n *node) ([]*node, func(), *rpcError) {
	fs, err := filters(n)
	if err != nil {
		return nil, nil, err
	}
	data := everything(v, fs)
	if fs != nil {
		data = filter(data, fs)
	}
	return []*node{el("data", data...)}, nil, nil
}

func (s *Server) getConfig(v serve.View, _ *session, n *node) ([]*node, func(), *rpcError) {
	cfg, err := s.store(v, n.kid("source"))
	if err != nil {
		return nil, nil, err
	}
	fs, err := filters(n)
	if err != nil {
		return nil, nil, err
	}
	data := configuration(v, cfg)
	if fs != nil {
		data = filter(data, fs)
	}
	return []*node{el("data", data...)}, nil, nil
}

// store gives a copy of the datastore that a source or target names.
func (s *Server) store(v serve.View, n *node) (serve.Config, *rpcError) {
	switch name := which(n); name {
	case "running":
		return v.Running(), nil
	case "candidate":
		if s.candidate == nil {
			return v.Running(), nil
		}
		return maps.Clone(s.candidate), nil
	case "":
		return nil, &rpcError{kind: "protocol", tag: "missing-element", text: "no datastore is named"}
	default:
		return nil, &rpcError{kind: "protocol", tag: "bad-element", text: "datastore " + name + " is not supported", info: []*node{leaf("bad-element", name)}}
	}
}

func which(n *node) string {
	if n == nil || len(n.kids) == 0 {
		return ""
	}
	return n.kids[0].name
}

// keep writes a datastore.
func (s *Server) keep(v serve.View, c *session, target string, cfg serve.Config) *rpcError {
	if target == "candidate" {
		if s.candidateLock != 0 && s.candidateLock != c.id {
			return wrong("in-use", "", "the candidate is locked by session %d", s.candidateLock)
		}
		s.candidate = cfg
		return nil
	}
	return refused(v.Replace(c.owner, cfg))
}

// refused puts an error of the Gateway into NETCONF's words.
func refused(err error) *rpcError {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, serve.ErrLocked):
		return wrong("in-use", "", "%v", err)
	case errors.Is(err, serve.ErrUnreachable):
		return wrong("resource-denied", "", "%v", err)
	}
	return wrong("operation-failed", "", "%v", err)
}

func (s *Server) editConfig(v serve.View, c *session, n *node) *rpcError {
	cfg, err := s.store(v, n.kid("target"))
	if err != nil {
		return err
	}
	op, options := "merge", map[string][]string{
		"default-operation": {"merge", "replace", "none"}, "test-option": {"test-then-set", "set", "test-only"}, "error-option": {"stop-on-error", "continue-on-error", "rollback-on-error"},
	}
	for name, allowed := range options {
		k := n.kid(name)
		if k == nil {
			continue
		}
		found := false
		for _, a := range allowed {
			found = found || a == k.text
		}
		if !found {
			return &rpcError{kind: "protocol", tag: "invalid-value", text: name + " " + strconv.Quote(k.text)}
		}
	}
	if d := n.kid("default-operation"); d != nil {
		op = d.text
	}
	config := n.kid("config")
	if config == nil {
		return &rpcError{kind: "protocol", tag: "missing-element", text: "config is missing", info: []*node{leaf("bad-element", "config")}}
	}
	next, err := edit(v, cfg, config, op)
	if err != nil {
		return err
	}
	if t := n.kid("test-option"); t != nil && t.text == "test-only" {
		return nil
	}
	return s.keep(v, c, which(n.kid("target")), next)
}

func (s *Server) copyConfig(v serve.View, c *session, n *node) *rpcError {
	var cfg serve.Config
	var err *rpcError
	if config := n.kid("source").kid("config"); config != nil {
		cfg, err = edit(v, serve.Config{}, config, "merge")
	} else {
		cfg, err = s.store(v, n.kid("source"))
	}
	if err != nil {
		return err
	}
	if _, err := s.store(v, n.kid("target")); err != nil {
		return err
	}
	return s.keep(v, c, which(n.kid("target")), cfg)
}

// validate checks a configuration; those that are kept here are valid already.
func (s *Server) validate(v serve.View, _ *session, n *node) *rpcError {
	if config := n.kid("source").kid("config"); config != nil {
		_, err := edit(v, serve.Config{}, config, "merge")
		return err
	}
	_, err := s.store(v, n.kid("source"))
	return err
}

func (s *Server) lock(v serve.View, c *session, n *node) *rpcError {
	if _, err := s.store(v, n.kid("target")); err != nil {
		return err
	}
	denied := func(id string) *rpcError {
		return &rpcError{kind: "protocol", tag: "lock-denied", text: "the lock is held", info: []*node{leaf("session-id", id)}}
	}
	if which(n.kid("target")) == "running" {
		if v.Lock(c.owner) != nil {
			for id, o := range s.sessions {
				if o.owner == v.LockOwner() {
					return denied(strconv.FormatUint(uint64(id), 10))
				}
			}
			return denied("0") // not a NETCONF session
		}
		return nil
	}
	switch {
	case s.candidateLock != 0:
		return denied(strconv.FormatUint(uint64(s.candidateLock), 10))
	case s.candidate != nil && !maps.Equal(s.candidate, v.Running()):
		return denied("0") // changed and not committed (RFC 6241 section 8.3.5.2)
	}
	s.candidateLock = c.id
	return nil
}

func (s *Server) unlock(v serve.View, c *session, n *node) *rpcError {
	if _, err := s.store(v, n.kid("target")); err != nil {
		return err
	}
	held := s.candidateLock == c.id
	if which(n.kid("target")) == "running" {
		held = v.Unlock(c.owner) == nil
	} else if held {
		s.candidateLock = 0
	}
	if !held {
		return &rpcError{kind: "protocol", tag: "operation-failed", text: "this session does not hold the lock"}
	}
	return nil
}

// commit makes the candidate the running configuration; confirmed, it goes back when
// nobody confirms in time (RFC 6241 section 8.4).
func (s *Server) commit(v serve.View, c *session, n *node) *rpcError {
	p := s.pending
	id := ""
	if k := n.kid("persist-id"); k != nil {
		id = k.text
	}
	switch {
	case p == nil && id != "":
		return &rpcError{kind: "protocol", tag: "invalid-value", text: "persist-id: no confirmed commit waits"}
	case p != nil && p.persist != id, p != nil && p.persist == "" && p.session != c.id:
		return &rpcError{kind: "protocol", tag: "invalid-value", text: "another confirmed commit waits for its session or persist-id"}
	case s.candidateLock != 0 && s.candidateLock != c.id:
		return wrong("in-use", "", "the candidate is locked by session %d", s.candidateLock)
	}
	timeout := 600 * time.Second
	if k := n.kid("confirm-timeout"); k != nil {
		sec, err := strconv.ParseUint(k.text, 10, 32)
		if err != nil || sec == 0 {
			return &rpcError{kind: "protocol", tag: "invalid-value", text: "confirm-timeout " + strconv.Quote(k.text)}
		}
		timeout = time.Duration(sec) * time.Second
	}
	saved := v.Running()
	if s.candidate != nil {
		if err := refused(v.Replace(c.owner, s.candidate)); err != nil {
			return err
		}
		s.candidate = nil
	}
	if p != nil {
		v.Stop(p.timer)
		saved = p.saved // a further confirmed commit keeps the first point to go back to
		s.pending = nil
	}
	if n.kid("confirmed") != nil {
		s.pending = &confirmation{saved: saved, session: c.id}
		if k := n.kid("persist"); k != nil {
			s.pending.persist = k.text
		}
		s.pending.timer = v.At(v.Now().Add(timeout), s.rollBack)
	}
	return nil
}

func (s *Server) cancelCommit(v serve.View, c *session, n *node) *rpcError {
	id := ""
	if k := n.kid("persist-id"); k != nil {
		id = k.text
	}
	if p := s.pending; p == nil || p.persist != id || id == "" && p.session != c.id {
		return &rpcError{kind: "protocol", tag: "invalid-value", text: "no confirmed commit of this session or persist-id waits"}
	}
	s.rollBack(v)
	return nil
}

func (s *Server) kill(_ serve.View, c *session, n *node) ([]*node, func(), *rpcError) {
	k := n.kid("session-id")
	if k == nil {
		return nil, nil, &rpcError{kind: "protocol", tag: "missing-element", text: "session-id is missing", info: []*node{leaf("bad-element", "session-id")}}
	}
	id, err := strconv.ParseUint(k.text, 10, 32)
	other := s.sessions[uint32(id)]
	if err != nil || other == nil || other == c {
		return nil, nil, &rpcError{kind: "protocol", tag: "invalid-value", text: "session-id " + strconv.Quote(k.text)}
	}
	return nil, other.close, nil
}

// subscribe starts the notifications of a session (RFC 5277).
func (s *Server) subscribe(v serve.View, c *session, n *node) ([]*node, func(), *rpcError) {
	if c.feed != nil {
		return nil, nil, &rpcError{kind: "protocol", tag: "operation-failed", text: "the session has a subscription"}
	}
	for _, replay := range []string{"startTime", "stopTime"} {
		if n.kid(replay) != nil {
			return nil, nil, &rpcError{kind: "protocol", tag: "operation-failed", text: "the stream has no replay", info: []*node{leaf("bad-element", replay)}}
		}
	}
	fs, bad := filters(n)
	if bad != nil {
		return nil, nil, bad
	}
	name := "NETCONF"
	if k := n.kid("stream"); k != nil {
		name = k.text
	}
	for _, st := range carried {
		if st.name == name {
			c.feed = v.Watch()
			return nil, func() { c.wg.Go(func() { c.notify(st.make, fs) }) }, nil
		}
	}
	return nil, nil, &rpcError{kind: "protocol", tag: "invalid-value", text: "stream " + strconv.Quote(name), info: []*node{leaf("bad-element", "stream")}}
}

// notify sends alarm events until the session ends. A session that cannot keep up is
// closed, so that its manager sees the gap.
func (c *session) notify(shape func(serve.Event) *node, fs []*node) {
	for {
		evs, err := c.feed.Next(c.ctx)
		if err != nil {
			c.close()
			return
		}
		for _, e := range evs {
			content := []*node{shape(e)}
			if fs != nil {
				content = filter(content, fs)
			}
			if len(content) == 0 {
				continue
			}
			n := el("notification", leaf("eventTime", stamp(e.Notification.Arrived)), content[0]).in(nsNotify)
			if c.send(n) != nil {
				c.close()
				return
			}
		}
	}
}

// action is an operation of our own model: restart, otdr.
func (s *Server) action(v serve.View, c *session, n *node) ([]*node, func(), *rpcError) {
	id := n.kid("resource")
	if id == nil {
		return nil, nil, &rpcError{kind: "protocol", tag: "missing-element", text: "resource is missing", info: []*node{leaf("bad-element", "resource")}}
	}
	if _, _, err := (hwsim.Command{Kind: n.name, Resource: id.text}).Validate(v.Network()); err != nil {
		return nil, nil, wrong("invalid-value", "", "%v", err)
	}
	return nil, nil, refused(v.Change(c.owner, serve.Change{Setting: serve.Setting{Resource: id.text, Kind: n.name}}))
}
