package syslog

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"faultline/hwsim"
	"faultline/hwsim/serve"
	"faultline/hwsim/serve/servetest"
)

const first = "<129>1 T O1 alarmd - ots-loss-of-signal-los-p [alarm resource=\"O1-L\" probableCause=\"lossOfSignal\" perceivedSeverity=\"critical\"][plant@32473 type=\"ots-loss-of-signal-los-p\"] \ufeffots loss of signal los p on O1-L"

// timeless hides the time of a message.
func timeless(b []byte) string {
	return regexp.MustCompile(`1 2026-03-01T00:00:\d\d\.\d{3}Z`).ReplaceAllString(string(b), "1 T")
}

// run starts a sender and breaks something; all ends with the test.
func run(t *testing.T, o Options) {
	t.Helper()
	g := servetest.New(t)
	o.Gateway, o.Facility = g, 16
	o.Report = func(err error) { t.Error(err) }
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(time.Minute)
}

func TestUDP(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	run(t, Options{Network: "udp", Target: pc.LocalAddr().String()})
	buf := make([]byte, 2048)
	n, _, err := pc.ReadFrom(buf)
	if err != nil || timeless(buf[:n]) != first {
		t.Errorf("got  %s\nwant %s (%v)", buf[:n], first, err)
	}
}

func TestTCPCountsOctetsAndComesBack(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	run(t, Options{Network: "tcp", Target: l.Addr().String()})
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	for i := range 2 {
		var n int
		if _, err := fmt.Fscanf(r, "%d ", &n); err != nil {
			t.Fatal(err)
		}
		msg := make([]byte, n)
		if _, err := io.ReadFull(r, msg); err != nil {
			t.Fatal(err)
		}
		if i == 0 && timeless(msg) != first || !strings.HasPrefix(string(msg), "<1") {
			t.Errorf("%s", msg)
		}
	}
}

func TestFieldsAreEscaped(t *testing.T) {
	s := Sender{o: Options{Facility: 0, App: "a b"}}
	got := string(s.message(serve.Event{Notification: hwsim.Notification{
		Time: servetest.Start, Element: "\u00fc", Object: `a"]\`, Alarm: strings.Repeat("x", 40), Qualifier: "q]", Severity: "cleared", ProbableCause: 99999, Text: "\u00fcber",
	}}))
	want := `<5>1 2026-03-01T00:00:00.000Z _ a_b - ` + strings.Repeat("x", 32) + ` [alarm resource="a\"\]\\" probableCause="99999" perceivedSeverity="cleared"][plant@32473 type="` + strings.Repeat("x", 40) + `" qualifier="q\]"] ` + "\ufeff\u00fcber"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestOptionsNameTheField(t *testing.T) {
	g := servetest.New(t)
	for field, o := range map[string]Options{
		"Gateway": {}, "Network": {Gateway: g}, "Facility": {Gateway: g, Network: "udp", Facility: 24}, "Target": {Gateway: g, Network: "udp", Target: "x"},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
