package netconf

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"faultline/hwsim"
	"faultline/hwsim/serve"
	"faultline/hwsim/serve/servetest"
)

// listen serves a gateway; all ends with the test.
func listen(t *testing.T, g *serve.Gateway) string {
	t.Helper()
	key, err := NewHostKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Gateway: g, HostKey: key, Password: func(u, p string) bool { return u == "admin" && p == "secret" }, Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return l.Addr().String()
}

// client is a minimal NETCONF client.
type client struct {
	t    *testing.T
	conn *ssh.Client
	f    *frames
	id   string
	n    int
}

type pipe struct {
	io.Reader
	io.Writer
}

func connect(t *testing.T, addr string, versions ...string) *client {
	t.Helper()
	conn, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "admin", Auth: []ssh.AuthMethod{ssh.Password("secret")}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	sess, err := conn.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	w, err := sess.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, err := sess.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sess.RequestSubsystem("netconf"); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn, f: newFrames(pipe{r, w}, 4<<20)}
	hello, err := parse(c.read())
	if err != nil {
		t.Fatal(err)
	}
	c.id = hello.kid("session-id").text
	caps := el("capabilities")
	for _, v := range versions {
		caps.kids = append(caps.kids, leaf("capability", v))
		c.f.chunked = c.f.chunked || v == base11
	}
	chunked := c.f.chunked
	c.f.chunked = false
	if err := c.f.put(el("hello", caps).in(nsBase).bytes()); err != nil {
		t.Fatal(err)
	}
	c.f.chunked = chunked
	return c
}

func (c *client) read() []byte {
	c.t.Helper()
	b, err := c.f.next()
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// do sends an operation and gives the reply without its frame.
func (c *client) do(op string) string {
	c.t.Helper()
	c.n++
	if err := c.f.put([]byte(fmt.Sprintf(`<rpc xmlns="%s" xmlns:nc="%s" message-id="m%d">%s</rpc>`, nsBase, nsBase, c.n, op))); err != nil {
		c.t.Fatal(err)
	}
	s := string(c.read())
	head := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><rpc-reply xmlns="%s" message-id="m%d">`, nsBase, c.n)
	body, ok := strings.CutPrefix(s, head)
	if !ok {
		c.t.Fatalf("reply %s", s)
	}
	return strings.TrimSuffix(body, "</rpc-reply>")
}

func (c *client) ok(op string) {
	c.t.Helper()
	if got := c.do(op); got != "<ok/>" {
		c.t.Fatalf("%s: %s", op, got)
	}
}

func (c *client) fails(op, tag string) {
	c.t.Helper()
	if got := c.do(op); !strings.Contains(got, "<error-tag>"+tag+"</error-tag>") {
		c.t.Errorf("%s:\n%s\nwant %s", op, got, tag)
	}
}

func plantConfig(attr, resource, config string) string {
	return fmt.Sprintf(`<plant xmlns="%s"><resource%s><id>%s</id><config>%s</config></resource></plant>`, nsPlant, attr, resource, config)
}

func editOf(target, config string) string {
	return "<edit-config><target><" + target + "/></target><config>" + config + "</config></edit-config>"
}

const running = "<get-config><source><running/></source></get-config>"

func TestBothFramings(t *testing.T) {
	addr := listen(t, servetest.New(t))
	for _, versions := range [][]string{{base10}, {base10, base11}, {base11}} {
		c := connect(t, addr, versions...)
		if got := c.do(`<get-config><source><running/></source><filter type="subtree"><plant xmlns="` + nsPlant + `"><resource><id>ANT1</id></resource></plant></filter></get-config>`); !strings.Contains(got, "<tilt>4</tilt>") {
			t.Errorf("%v: %s", versions, got)
		}
		c.ok("<close-session/>")
		if _, err := c.f.next(); !errors.Is(err, io.EOF) {
			t.Errorf("after close: %v", err)
		}
	}
	c := connect(t, addr, "urn:nothing")
	if _, err := c.f.next(); !errors.Is(err, io.EOF) {
		t.Errorf("no common version: %v", err)
	}
}

func TestGetGivesStateAndAlarms(t *testing.T) {
	g := servetest.New(t)
	c := connect(t, listen(t, g), base11)
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(5 * time.Minute)
	got := c.do(`<get><filter type="subtree"><alarms xmlns="` + nsAlarms + `"><alarm-list><alarm><resource>O1-L</resource><alarm-type-id>ots-loss-of-signal-los-p</alarm-type-id><perceived-severity/><is-cleared/></alarm></alarm-list></alarms></filter></get>`)
	want := `<data><alarms xmlns="` + nsAlarms + `"><alarm-list><alarm><resource>O1-L</resource><alarm-type-id>ots-loss-of-signal-los-p</alarm-type-id><is-cleared>false</is-cleared><perceived-severity>critical</perceived-severity></alarm></alarm-list></alarms></data>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = c.do(`<get><filter><interfaces xmlns="http://openconfig.net/yang/interfaces"><interface><name>O1-L</name><state><oper-status/></state></interface></interfaces><active-alarm-list xmlns="` + nsORAN + `"/></filter></get>`)
	if !strings.Contains(got, "<interface><name>O1-L</name><state><oper-status>DOWN</oper-status></state></interface>") || !strings.Contains(got, "<fault-source>O1-L</fault-source>") || strings.Contains(got, "<interface><name>O2-L</name>") {
		t.Error(got)
	}
	all := c.do("<get/>")
	for _, want := range []string{"<components", "<interfaces", "<plant", "<alarm-list>", "<active-alarm-list", "<streams>"} {
		if !strings.Contains(all, want) {
			t.Errorf("get without filter has no %s", want)
		}
	}
	if got := c.do("<get><filter type=\"subtree\"/></get>"); got != "<data/>" {
		t.Errorf("an empty filter chooses nothing, got %s", got)
	}
}

func TestEditOperations(t *testing.T) {
	g := servetest.New(t)
	c := connect(t, listen(t, g), base11)
	value := func(resource, kind string) string { return g.Running()[serve.Setting{Resource: resource, Kind: kind}] }
	c.ok(editOf("running", plantConfig("", "ANT1", "<tilt>6.0</tilt><azimuth>90</azimuth>")))
	if value("ANT1", "tilt") != "6" || value("ANT1", "azimuth") != "90" {
		t.Error(g.Running())
	}
	c.fails(editOf("running", plantConfig("", "ANT1", `<azimuth nc:operation="create">1</azimuth>`)), "data-exists")
	c.ok(editOf("running", plantConfig("", "ANT1", `<azimuth nc:operation="delete"/>`)))
	c.fails(editOf("running", plantConfig("", "ANT1", `<azimuth nc:operation="delete"/>`)), "data-missing")
	c.ok(editOf("running", plantConfig("", "ANT1", `<azimuth nc:operation="remove"/>`)))
	c.ok(editOf("running", plantConfig("", "ANT1", `<azimuth nc:operation="create">12</azimuth>`)))
	c.ok(editOf("running", plantConfig(` nc:operation="replace"`, "ANT1", "<tilt>3</tilt>")))
	if value("ANT1", "tilt") != "3" || value("ANT1", "azimuth") != "" {
		t.Error("replace keeps what is not named:", g.Running())
	}
	c.ok("<edit-config><target><running/></target><default-operation>none</default-operation><config>" + plantConfig("", "ANT1", `<tilt>9</tilt><azimuth nc:operation="merge">7</azimuth>`) + "</config></edit-config>")
	if value("ANT1", "tilt") != "3" || value("ANT1", "azimuth") != "7" {
		t.Error("default-operation none:", g.Running())
	}
	c.ok(editOf("running", `<components xmlns="http://openconfig.net/yang/platform"><component><name>GNB1-P1-SFP1</name><transceiver xmlns="http://openconfig.net/yang/platform/transceiver"><physical-channels><channel><index>0</index><config><index>0</index><tx-laser>false</tx-laser></config></channel></physical-channels></transceiver></component></components>`))
	if value("GNB1-P1-SFP1", "laser") != "false" {
		t.Error("laser:", g.Running())
	}
	c.ok(`<edit-config><target><running/></target><test-option>test-only</test-option><config>` + plantConfig("", "ANT1", "<tilt>11</tilt>") + `</config></edit-config>`)
	if value("ANT1", "tilt") != "3" {
		t.Error("test-only changed something")
	}
	before := c.do(running)
	c.fails(editOf("running", plantConfig("", "ANT1", "<azimuth>1</azimuth><tilt>99</tilt>")), "invalid-value")
	c.fails(editOf("running", plantConfig("", "nobody", "<tilt>1</tilt>")), "invalid-value")
	c.fails(editOf("running", plantConfig("", "ANT1", "<colour>red</colour>")), "unknown-element")
	c.fails(editOf("running", `<plant xmlns="`+nsPlant+`"><resource><id>ANT1</id><state><name>x</name></state></resource></plant>`), "unknown-element")
	c.fails(editOf("running", `<plant xmlns="urn:other"/>`), "unknown-namespace")
	c.fails(editOf("running", `<nonsense xmlns="urn:other"/>`), "unknown-element")
	c.fails(editOf("running", `<plant xmlns="`+nsPlant+`"><resource><config/></resource></plant>`), "missing-element")
	c.fails(editOf("running", plantConfig(` nc:operation="explode"`, "ANT1", "")), "bad-attribute")
	c.fails(editOf("startup", plantConfig("", "ANT1", "<tilt>1</tilt>")), "bad-element")
	c.fails("<edit-config><target><running/></target></edit-config>", "missing-element")
	if after := c.do(running); after != before {
		t.Errorf("refused edits changed the configuration:\n%s\n%s", before, after)
	}
	c.ok("<copy-config><target><running/></target><source><config>" + plantConfig("", "ANT1", "<tilt>1</tilt>") + "</config></source></copy-config>")
	if n := len(g.Running()); n != 1 {
		t.Errorf("copy-config leaves %d settings", n)
	}
}

func TestTheCandidateIsCommittedDiscardedAndLocked(t *testing.T) {
	g := servetest.New(t)
	addr := listen(t, g)
	a, b := connect(t, addr, base11), connect(t, addr, base11)
	before := a.do(running)
	a.ok("<lock><target><candidate/></target></lock>")
	a.ok("<lock><target><running/></target></lock>")
	for _, target := range []string{"candidate", "running"} {
		if got := b.do("<lock><target><" + target + "/></target></lock>"); !strings.Contains(got, "lock-denied") || !strings.Contains(got, "<session-id>"+a.id+"</session-id>") {
			t.Error(got)
		}
	}
	b.fails(editOf("candidate", plantConfig("", "ANT1", "<tilt>8</tilt>")), "in-use")
	b.fails(editOf("running", plantConfig("", "ANT1", "<tilt>8</tilt>")), "in-use")
	b.fails("<unlock><target><running/></target></unlock>", "operation-failed")
	if err := g.Command(hwsim.Command{Kind: "tilt", Resource: "ANT1", Value: "2"}); !errors.Is(err, serve.ErrLocked) {
		t.Errorf("a command past the lock: %v", err)
	}
	a.ok(editOf("candidate", plantConfig("", "ANT1", "<tilt>8</tilt>")))
	a.ok("<validate><source><candidate/></source></validate>")
	if a.do(running) != before {
		t.Error("the candidate shows in running")
	}
	a.ok("<discard-changes/>")
	a.ok("<commit/>")
	if a.do(running) != before {
		t.Error("discarded changes were committed")
	}
	a.ok(editOf("candidate", plantConfig("", "ANT1", "<tilt>8</tilt>")))
	a.ok("<commit/>")
	if !strings.Contains(a.do(running), "<tilt>8</tilt>") {
		t.Error("not committed")
	}
	// The locks of a session end with it, and what it left in the candidate.
	a.ok(editOf("candidate", plantConfig("", "ANT1", "<tilt>15</tilt>")))
	b.ok("<kill-session><session-id>" + a.id + "</session-id></kill-session>")
	if _, err := a.f.next(); err == nil {
		t.Error("the killed session goes on")
	}
	for { // the other session ends in its own time
		if got := b.do("<lock><target><candidate/></target></lock>"); got == "<ok/>" {
			break
		}
	}
	b.ok("<commit/>")
	if !strings.Contains(b.do(running), "<tilt>8</tilt>") {
		t.Error("the candidate of a session that was killed was committed")
	}
}

func TestAConfirmedCommitComesBackByteForByte(t *testing.T) {
	g := servetest.New(t)
	addr := listen(t, g)
	c := connect(t, addr, base11)
	before := c.do(running)
	change := func() { c.ok(editOf("candidate", plantConfig("", "ANT1", "<tilt>12</tilt><azimuth>45</azimuth>"))) }
	const confirmed = "<commit><confirmed/><confirm-timeout>120</confirm-timeout></commit>"
	change()
	c.ok(confirmed)
	if c.do(running) == before {
		t.Fatal("not in force")
	}
	g.Advance(119 * time.Second)
	if c.do(running) == before {
		t.Error("rolled back too early")
	}
	g.Advance(time.Second)
	if after := c.do(running); after != before {
		t.Errorf("rolled back to something else:\n%s\n%s", before, after)
	}
	c.fails("<cancel-commit/>", "invalid-value")

	change()
	c.ok(confirmed)
	c.ok("<cancel-commit/>")
	if c.do(running) != before {
		t.Error("cancelled, not rolled back")
	}

	change()
	c.ok(confirmed)
	g.Advance(100 * time.Second)
	c.ok(confirmed) // extends
	g.Advance(100 * time.Second)
	if c.do(running) == before {
		t.Error("the extension does not hold")
	}
	g.Advance(20 * time.Second)
	if c.do(running) != before {
		t.Error("an extended commit comes back to its first point")
	}

	change()
	c.ok("<commit><confirmed/><persist>id1</persist></commit>")
	c.fails("<commit/>", "invalid-value")
	c.ok("<close-session/>")
	d := connect(t, addr, base11)
	d.ok("<commit><persist-id>id1</persist-id></commit>")
	g.Advance(time.Hour)
	if d.do(running) == before {
		t.Error("a confirmed change was rolled back")
	}

	// A session that ends takes its confirmed commit along.
	kept := d.do(running)
	d.ok(editOf("candidate", plantConfig("", "ANT1", "<tilt>1</tilt>")))
	d.ok(confirmed)
	d.conn.Close()
	e := connect(t, addr, base11)
	for e.do(running) != kept {
	}
}

func TestNotifications(t *testing.T) {
	g := servetest.New(t)
	c := connect(t, listen(t, g), base11)
	c.ok(`<create-subscription xmlns="` + nsNotify + `"><filter type="subtree"><alarm-notification xmlns="` + nsAlarms + `"><resource>O1-L</resource></alarm-notification></filter></create-subscription>`)
	c.fails(`<create-subscription xmlns="`+nsNotify+`"/>`, "operation-failed")
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(5 * time.Minute)
	n := string(c.read())
	for _, want := range []string{"<notification xmlns=\"" + nsNotify + "\"><eventTime>2026-03-01T00:0", "<alarm-notification xmlns=\"" + nsAlarms + "\"><resource>O1-L</resource>", "<perceived-severity>"} {
		if !strings.Contains(n, want) {
			t.Errorf("%s has no %s", n, want)
		}
	}
	d := connect(t, listen(t, g), base10)
	d.fails(`<create-subscription xmlns="`+nsNotify+`"><stream>other</stream></create-subscription>`, "invalid-value")
	d.fails(`<create-subscription xmlns="`+nsNotify+`"><startTime>2026-03-01T00:00:00Z</startTime></create-subscription>`, "operation-failed")
	d.ok(`<create-subscription xmlns="` + nsNotify + `"><stream>o-ran-fm</stream></create-subscription>`)
	servetest.Mend(t, g, "fibre-cut", "F1")
	g.Advance(time.Hour)
	if n := string(d.read()); !strings.Contains(n, `<alarm-notif xmlns="`+nsORAN+`">`) || !strings.Contains(n, "<is-cleared>true</is-cleared>") {
		t.Error(n)
	}
}

func TestActionsAndErrorsOfTheProtocol(t *testing.T) {
	g := servetest.New(t)
	c := connect(t, listen(t, g), base11)
	c.ok(`<otdr xmlns="` + nsPlant + `"><resource>O1-L</resource></otdr>`)
	if got := c.do(`<get><filter><plant xmlns="` + nsPlant + `"><resource><id>O1-L</id><otdr/></resource></plant></filter></get>`); !strings.Contains(got, "<distance>15000</distance>") {
		t.Error(got)
	}
	c.ok(`<restart xmlns="` + nsPlant + `"><resource>GNB1</resource></restart>`)
	c.fails(`<restart xmlns="`+nsPlant+`"><resource>ANT1</resource></restart>`, "invalid-value")
	c.fails(`<make-coffee/>`, "operation-not-supported")
	c.fails(`<get><filter type="xpath" select="/"/></get>`, "operation-not-supported")
	c.fails(`<kill-session><session-id>`+c.id+`</session-id></kill-session>`, "invalid-value")
	for msg, tag := range map[string]string{
		`<rpc xmlns="` + nsBase + `"><get/></rpc>`:                          "missing-attribute",
		`<rpc xmlns="` + nsBase + `" message-id="1"/>`:                      "missing-element",
		`<rpc xmlns="` + nsBase + `" message-id="1"><get></rpc>`:            "malformed-message",
		`<!DOCTYPE x><rpc xmlns="` + nsBase + `" message-id="1"><a/></rpc>`: "malformed-message",
	} {
		if err := c.f.put([]byte(msg)); err != nil {
			t.Fatal(err)
		}
		if got := string(c.read()); !strings.Contains(got, "<error-tag>"+tag+"</error-tag>") {
			t.Errorf("%s: %s", msg, got)
		}
	}
	// What the client attached to its request comes back.
	if err := c.f.put([]byte(`<rpc xmlns="` + nsBase + `" message-id=" 7&amp;8 " xmlns:x="urn:x" x:tag="T"><discard-changes/></rpc>`)); err != nil {
		t.Fatal(err)
	}
	r, err := parse(c.read())
	if err != nil {
		t.Fatal(err)
	}
	id, _ := r.attr("", "message-id")
	if tag, _ := r.attr("urn:x", "tag"); id != " 7&8 " || tag != "T" {
		t.Errorf("%q %q", id, tag)
	}
}

func TestWhoMayLogIn(t *testing.T) {
	_, err := ssh.Dial("tcp", listen(t, servetest.New(t)), &ssh.ClientConfig{User: "admin", Auth: []ssh.AuthMethod{ssh.Password("guess")}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err == nil {
		t.Error("a wrong password was taken")
	}
}

func TestFraming(t *testing.T) {
	for name, x := range map[string]struct {
		in      string
		chunked bool
		want    string // messages, joined by |, and how it ends
	}{
		"end marks":        {"<a/>]]>]]>\n<b/>]]>]]>", false, "<a/>|\n<b/>|EOF"},
		"end mark missing": {"<a/>", false, "unexpected EOF"},
		"chunks":           {"\n#2\nab\n#1\nc\n##\n\n#1\nd\n##\n", true, "abc|d|EOF"},
		"no size":          {"\n#\nab", true, "framing"},
		"zero":             {"\n#0\n\n##\n", true, "framing"},
		"leading zero":     {"\n#01\na\n##\n", true, "framing"},
		"too large":        {"\n#4294967295\na", true, "framing"},
		"sum too large":    {"\n#60\n" + strings.Repeat("a", 60) + "\n#60\n", true, "framing"},
		"no chunk":         {"\n##\n", true, "framing"},
		"cut":              {"\n#5\nab", true, "unexpected EOF"},
	} {
		f := newFrames(struct {
			io.Reader
			io.Writer
		}{strings.NewReader(x.in), io.Discard}, 100)
		f.chunked = x.chunked
		var got []string
		for {
			m, err := f.next()
			if errors.Is(err, errFraming) {
				err = errFraming
			}
			if err != nil {
				got = append(got, err.Error())
				break
			}
			got = append(got, string(m))
		}
		if s := strings.Join(got, "|"); s != x.want {
			t.Errorf("%s: %q, want %q", name, s, x.want)
		}
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte("\n#64\n<rpc xmlns=\""+nsBase+"\" message-id=\"1\"><get\n#5\n/></r\n#3\npc>\n##\n"), true)
	f.Add([]byte(`<rpc xmlns="`+nsBase+`" message-id="1"><edit-config><target><candidate/></target><config><plant xmlns="urn:faultline:plant"><resource><id>ANT1</id><config><tilt>3</tilt></config></resource></plant></config></edit-config></rpc>]]>]]>`), false)
	g := servetest.New(f)
	key, err := NewHostKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(Options{Gateway: g, HostKey: key, Password: func(string, string) bool { return false }})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte, chunked bool) {
		fr := newFrames(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(in), io.Discard}, 1<<16)
		fr.chunked = chunked
		msg, err := fr.next()
		if err != nil {
			return
		}
		r, _ := s.answer(&session{id: 1, owner: "fuzz", close: func() {}, f: fr, ctx: t.Context()}, msg)
		if _, err := parse(r.bytes()); err != nil {
			t.Errorf("a reply that cannot be read: %v\n%s", err, r.bytes())
		}
	})
}
