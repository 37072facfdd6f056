package gnmi_test

import (
	"crypto/rand"
	"crypto/tls"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"faultline/hwsim/serve"
	"faultline/hwsim/serve/gnmi"
	"faultline/hwsim/serve/servetest"
)

func secure(t *testing.T, g *serve.Gateway) string {
	t.Helper()
	cert, err := serve.SelfSigned(rand.Reader, "127.0.0.1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	return listen(t, gnmi.Options{Gateway: g, TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}})
}

func TestRealGnmiCli(t *testing.T) {
	cli := servetest.Client(t, "FAULTLINE_GNMI_CLI")
	g := servetest.New(t)
	addr := secure(t, g)
	run := func(args ...string) string {
		t.Helper()
		return servetest.Output(t, cli, append([]string{"-a", addr, "-tls_skip_verify", "-t", "plant", "-timeout", "30s"}, args...)...)
	}
	if out := run("-capabilities"); !strings.Contains(out, "openconfig-interfaces") {
		t.Error(out)
	}
	if out := run("-get", "-proto", `path:{elem:{name:"interfaces"} elem:{name:"interface" key:{key:"name" value:"O1-L"}}} type:STATE encoding:JSON_IETF`); !strings.Contains(out, "oper-status") {
		t.Error(out)
	}
	run("-set", "-proto", `update:{path:{elem:{name:"plant"} elem:{name:"resource" key:{key:"id" value:"ANT1"}} elem:{name:"config"} elem:{name:"tilt"}} val:{double_val:7.5}}`)
	if got := g.Running()[serve.Setting{Resource: "ANT1", Kind: "tilt"}]; got != "7.5" {
		t.Errorf("tilt after gnmi_cli -set: %s", got)
	}
	if out := run("-qt", "once", "-q", "interfaces/interface[name=O1-L]/state"); !regexp.MustCompile(`"oper-status": .*UP`).MatchString(out) { // it asks for JSON and shows it as deprecated
		t.Error(out)
	}
	p := servetest.Launch(t, cli, "-a", addr, "-tls_skip_verify", "-t", "plant", "-qt", "streaming", "-dt", "proto", "-q", "interfaces/interface[name=O1-L]/state/oper-status")
	p.Until("sync_response")
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(time.Minute)
	p.Until("DOWN")
}

// TestRealAdaptiveSampling measures the gaps between the updates that a real
// subscriber gets.
func TestRealAdaptiveSampling(t *testing.T) {
	cli := servetest.Client(t, "FAULTLINE_GRPCURL")
	g := servetest.New(t)
	addr := listen(t, gnmi.Options{Gateway: g})
	p := servetest.Launch(t, cli, "-plaintext", "-d", `{"subscribe":{"mode":"STREAM","encoding":"PROTO","subscription":[{"mode":"TARGET_DEFINED","path":{"elem":[{"name":"components"},{"name":"component","key":{"name":"O2-L"}},{"name":"optical-channel"},{"name":"state"},{"name":"input-power"}]}}]}}`,
		addr, "gnmi.gNMI/Subscribe")
	p.Until("syncResponse")
	g.Advance(3 * time.Minute)
	servetest.Break(t, g, "fibre-bend", "F1")
	g.Advance(10 * time.Minute)
	stamp := regexp.MustCompile(`"timestamp": "(\d+)"`)
	gaps := map[float64]int{}
	for last := servetest.Start.UnixNano(); last < servetest.Start.Add(12*time.Minute).UnixNano(); {
		lines := p.Until("timestamp")
		n, err := strconv.ParseInt(stamp.FindStringSubmatch(lines[len(lines)-1])[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		gaps[time.Duration(n-last).Seconds()]++
		last = n
	}
	t.Logf("gaps between updates in seconds: %v", gaps)
	if gaps[5] != 60 || gaps[60] < 5 {
		t.Errorf("gaps %v; want 60 of 5 s after the bend, 60 s before and after them", gaps)
	}
}

func TestRealGrpcurl(t *testing.T) {
	cli := servetest.Client(t, "FAULTLINE_GRPCURL")
	g := servetest.New(t)
	addr := listen(t, gnmi.Options{Gateway: g})
	if out := servetest.Output(t, cli, "-plaintext", addr, "list"); !strings.Contains(out, "gnmi.gNMI") {
		t.Error(out)
	}
	const sub = `{"subscribe":{"mode":"%","encoding":"PROTO","subscription":[{"mode":"ON_CHANGE","path":{"elem":[{"name":"system"},{"name":"alarms"},{"name":"alarm"},{"name":"state"},{"name":"type-id"}]}},{"mode":"ON_CHANGE","path":{"elem":[{"name":"interfaces"},{"name":"interface","key":{"name":"O1-L"}},{"name":"state"},{"name":"oper-status"}]}}]}}`
	if out := servetest.Output(t, cli, "-plaintext", "-d", strings.Replace(sub, "%", "ONCE", 1), addr, "gnmi.gNMI/Subscribe"); !strings.Contains(out, `"UP"`) || !strings.Contains(out, "syncResponse") {
		t.Error(out)
	}
	p := servetest.Launch(t, cli, "-plaintext", "-d", strings.Replace(sub, "%", "STREAM", 1), addr, "gnmi.gNMI/Subscribe")
	p.Until("syncResponse")
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(time.Minute)
	p.Until("ots-loss-of-signal-los-p")
	servetest.Mend(t, g, "fibre-cut", "F1")
	g.Advance(time.Hour)
	p.Until("delete") // the alarm goes
}
