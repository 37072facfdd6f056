package netconf

import (
	"net"
	"strings"
	"testing"
	"time"

	"faultline/hwsim/serve/servetest"
)

func TestRealNcclient(t *testing.T) {
	python := servetest.Client(t, "FAULTLINE_NCCLIENT")
	g := servetest.New(t)
	host, port, err := net.SplitHostPort(listen(t, g))
	if err != nil {
		t.Fatal(err)
	}
	p := servetest.Launch(t, python, "testdata/session.py", host, port)
	var seen []string
	next := func(until string, then func()) {
		seen = append(seen, p.Until(until)...)
		then()
		if _, err := p.In.Write([]byte("\n")); err != nil {
			t.Fatal(err)
		}
	}
	next("ready expire", func() { g.Advance(2 * time.Minute) })
	next("ready keep", func() { g.Advance(time.Hour) })
	next("ready break", func() {
		servetest.Break(t, g, "fibre-cut", "F1")
		g.Advance(5 * time.Minute)
	})
	seen = append(seen, p.Until("end")...)
	got := strings.Join(seen, "\n")
	want := `session 1 True True True
filtered True
in force True
ready expire
rolled back to the same bytes True
ready keep
kept True
refused invalid-value
ready break
notified True True
alarm list True
end`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
