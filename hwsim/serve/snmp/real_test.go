package snmp

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"faultline/hwsim/serve/servetest"
)

func TestRealSnmpwalk(t *testing.T) {
	cli := servetest.Client(t, "FAULTLINE_SNMPWALK")
	g := servetest.New(t)
	addr := listen(t, g)
	walk := func(args ...string) string {
		t.Helper()
		return servetest.Output(t, cli, append([]string{"-v2c", "-t", "10", "-On"}, args...)...)
	}
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(5 * time.Minute)
	all := walk("-c", "public", addr, "1.3.6.1")
	for _, want := range []string{
		".1.3.6.1.2.1.2.2.1.2.2 = STRING: \"O1-L\"", ".1.3.6.1.2.1.2.2.1.8.2 = INTEGER: 2", // ifOperStatus down
		".1.3.6.1.2.1.31.1.1.1.6.1 = Counter64:", "ots-loss-of-signal-los-p",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the walk shows no %s", want)
		}
	}
	if strings.Contains(all, "Error") || !strings.Contains(all, "No more variables left") {
		t.Error(all[max(0, len(all)-500):])
	}
	if one := walk("-c", "public@O2", addr, "1.3.6.1.2.1.31.1.1.1.1"); strings.Count(one, "\n") != 2 || !strings.Contains(one, "O2-T") {
		t.Error(one)
	}
}

func TestRealSnmptrapd(t *testing.T) {
	cli := servetest.Client(t, "FAULTLINE_SNMPTRAPD")
	probe, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := probe.LocalAddr().String()
	probe.Close()
	conf := filepath.Join(t.TempDir(), "snmptrapd.conf")
	if err := os.WriteFile(conf, []byte("disableAuthorization yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := servetest.Launch(t, cli, "-f", "-Lo", "-On", "-C", "-c", conf, "udp:"+addr)
	g := servetest.New(t)
	// Informs are sent until they are acknowledged, so that the start of the receiver
	// needs no waiting; each that was acknowledged must be in its log.
	informs := start(t, SenderOptions{Gateway: g, Target: addr, Inform: true, Timeout: 200 * time.Millisecond, Retries: 50, Report: func(err error) { t.Error(err) }})
	defer informs()
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(time.Minute)
	p.Until(oidLinkDown.String()) // comes first
	p.Until("otuk-loss-of-frame")
	traps := start(t, SenderOptions{Gateway: g, Target: addr})
	defer traps()
	servetest.Mend(t, g, "fibre-cut", "F1")
	g.Advance(time.Hour)
	p.Until(oidLinkUp.String())
	p.Until(oidAlarmOff.String())
}
