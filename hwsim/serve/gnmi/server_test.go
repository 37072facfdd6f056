package gnmi_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/value"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"faultline/hwsim"
	"faultline/hwsim/serve"
	"faultline/hwsim/serve/gnmi"
	"faultline/hwsim/serve/servetest"
)

// dial serves a gateway and connects to it; all ends with the test.
func dial(t *testing.T, g *serve.Gateway) gpb.GNMIClient {
	t.Helper()
	addr := listen(t, gnmi.Options{Gateway: g})
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return gpb.NewGNMIClient(conn)
}

func listen(t *testing.T, o gnmi.Options) string {
	t.Helper()
	s, err := gnmi.New(o)
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

// to reads "/interfaces/interface[name=O1-L]/state".
func to(s string) *gpb.Path {
	p := &gpb.Path{}
	for _, e := range strings.Split(strings.Trim(s, "/"), "/") {
		if e == "" {
			continue
		}
		name, key, listed := strings.Cut(strings.TrimSuffix(e, "]"), "[")
		pe := &gpb.PathElem{Name: name}
		if listed {
			k, v, _ := strings.Cut(key, "=")
			pe.Key = map[string]string{k: v}
		}
		p.Elem = append(p.Elem, pe)
	}
	return p
}

func text(p *gpb.Path) string {
	var b strings.Builder
	for _, e := range p.GetElem() {
		b.WriteString("/" + e.GetName())
		for k, v := range e.GetKey() {
			b.WriteString("[" + k + "=" + v + "]")
		}
	}
	return b.String()
}

func show(t *testing.T, n *gpb.Notification) string {
	t.Helper()
	var out []string
	for _, d := range n.GetDelete() {
		out = append(out, "-"+text(d))
	}
	for _, u := range n.GetUpdate() {
		if j := u.GetVal().GetJsonVal(); j != nil {
			out = append(out, text(u.GetPath())+"="+string(j))
			continue
		}
		if j := u.GetVal().GetJsonIetfVal(); j != nil {
			out = append(out, text(u.GetPath())+"="+string(j))
			continue
		}
		x, err := value.ToScalar(u.GetVal())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s=%v", text(u.GetPath()), x))
	}
	return strings.Join(out, " ")
}

func TestCapabilities(t *testing.T) {
	r, err := dial(t, servetest.New(t)).Capabilities(t.Context(), &gpb.CapabilityRequest{})
	if err != nil || r.GetGNMIVersion() != "0.10.0" || len(r.GetSupportedModels()) == 0 || !slices.Contains(r.GetSupportedEncodings(), gpb.Encoding_JSON_IETF) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestGet(t *testing.T) {
	c := dial(t, servetest.New(t))
	const port = "/interfaces/interface[name=O1-L]"
	for _, x := range []struct {
		name, path, target string
		enc                gpb.Encoding
		kind               gpb.GetRequest_DataType
		want               string
		code               codes.Code
	}{
		{"leaf", port + "/state/oper-status", "", gpb.Encoding_PROTO, 0, port + "/state/oper-status=UP", 0},
		{"json leaf", port + "/config/enabled", "", gpb.Encoding_JSON, 0, port + "/config/enabled=true", 0},
		{"config", port, "", gpb.Encoding_PROTO, gpb.GetRequest_CONFIG, port + "/config/enabled=true", 0},
		{"state as json", port, "", gpb.Encoding_JSON, gpb.GetRequest_OPERATIONAL, port + `={"state":{"counters":{"in-octets":0,"out-octets":0},"description":"O1-L","name":"O1-L","oper-status":"UP"}}`, 0},
		{"rfc 7951", "/components/component[name=O1-L]/optical-channel", "", gpb.Encoding_JSON_IETF, 0,
			`/components/component[name=O1-L]/optical-channel={"openconfig-terminal-device:config":{"target-output-power":"0"},"openconfig-terminal-device:state":{"input-power":{"instant":"-3"},"output-power":{"instant":"0"}}}`, 0},
		{"wildcard of a target", "/interfaces/interface[name=*]/state/oper-status", "O2", gpb.Encoding_PROTO, 0, "/interfaces/interface[name=O2-L]/state/oper-status=UP /interfaces/interface[name=O2-T]/state/oper-status=UP", 0},
		{"any depth", "/.../tilt", "", gpb.Encoding_PROTO, 0, "/plant/resource[id=ANT1]/config/tilt=4 /plant/resource[id=C1]/config/tilt=0", 0},
		{"no alarms", "/system/alarms", "", gpb.Encoding_PROTO, 0, "", 0},
		{"nowhere", "/nowhere/at/all", "", gpb.Encoding_PROTO, 0, "", codes.NotFound},
		{"no such port", "/interfaces/interface[name=X]/state", "", gpb.Encoding_PROTO, 0, "", codes.NotFound},
		{"no such target", "/interfaces", "X", gpb.Encoding_PROTO, 0, "", codes.NotFound},
		{"encoding", port, "", gpb.Encoding_ASCII, 0, "", codes.Unimplemented},
	} {
		t.Run(x.name, func(t *testing.T) {
			r, err := c.Get(t.Context(), &gpb.GetRequest{Prefix: &gpb.Path{Target: x.target}, Path: []*gpb.Path{to(x.path)}, Encoding: x.enc, Type: x.kind})
			if status.Code(err) != x.code {
				t.Fatalf("%v, want %v", err, x.code)
			}
			if err != nil {
				return
			}
			if got := show(t, r.GetNotification()[0]); got != x.want {
				t.Errorf("got  %s\nwant %s", got, x.want)
			}
		})
	}
}

func str(s string) *gpb.TypedValue {
	return &gpb.TypedValue{Value: &gpb.TypedValue_StringVal{StringVal: s}}
}
func num(x float64) *gpb.TypedValue {
	return &gpb.TypedValue{Value: &gpb.TypedValue_DoubleVal{DoubleVal: x}}
}
func jsonOf(s string) *gpb.TypedValue {
	return &gpb.TypedValue{Value: &gpb.TypedValue_JsonIetfVal{JsonIetfVal: []byte(s)}}
}

func TestSet(t *testing.T) {
	g := servetest.New(t)
	c := dial(t, g)
	set := func(r *gpb.SetRequest) error {
		t.Helper()
		_, err := c.Set(t.Context(), r)
		return err
	}
	up := func(p string, v *gpb.TypedValue) []*gpb.Update { return []*gpb.Update{{Path: to(p), Val: v}} }
	config := func(resource, kind string) string { return g.Running()[serve.Setting{Resource: resource, Kind: kind}] }
	// Delete, replace, update hold in this order whatever they touch.
	if err := set(&gpb.SetRequest{
		Delete:  []*gpb.Path{to("/plant/resource[id=ANT1]/config/tilt")},
		Replace: up("/plant/resource[id=ANT1]/config", jsonOf(`{"azimuth":"120"}`)),
		Update:  up("/plant/resource[id=ANT1]/config/tilt", num(6.5)),
	}); err != nil {
		t.Fatal(err)
	}
	if tilt, az := config("ANT1", "tilt"), config("ANT1", "azimuth"); tilt != "6.5" || az != "120" {
		t.Errorf("tilt %s azimuth %s", tilt, az)
	}
	if err := set(&gpb.SetRequest{Replace: up("/plant/resource[id=ANT1]/config", jsonOf(`{"faultline-plant:tilt":3}`))}); err != nil {
		t.Fatal(err)
	}
	if tilt, az := config("ANT1", "tilt"), config("ANT1", "azimuth"); tilt != "3" || az != "" {
		t.Errorf("after a replacement: tilt %s azimuth %q", tilt, az)
	}
	if err := set(&gpb.SetRequest{Update: up("/interfaces", jsonOf(`{"openconfig-interfaces:interface":[{"name":"O1-L","config":{"name":"O1-L","enabled":false}}]}`))}); err != nil {
		t.Fatal(err)
	}
	g.Advance(time.Minute)
	if config("O1-L", "enabled") != "false" || len(alarms(g)) == 0 {
		t.Errorf("a port that is off raises no alarm")
	}
	before := fmt.Sprint(g.Running())
	for _, x := range []struct {
		name string
		req  *gpb.SetRequest
		code codes.Code
	}{
		{"second of two is wrong", &gpb.SetRequest{Update: []*gpb.Update{{Path: to("/plant/resource[id=ANT1]/config/tilt"), Val: num(1)}, {Path: to("/plant/resource[id=ANT1]/config/azimuth"), Val: num(400)}}}, codes.InvalidArgument},
		{"state", &gpb.SetRequest{Update: up("/interfaces/interface[name=O1-L]/state/oper-status", str("UP"))}, codes.NotFound},
		{"no leaf", &gpb.SetRequest{Update: up("/interfaces/interface[name=O1-L]/config", str("x"))}, codes.NotFound},
		{"other target", &gpb.SetRequest{Prefix: &gpb.Path{Target: "O2"}, Update: up("/interfaces/interface[name=O1-L]/config/enabled", str("true"))}, codes.NotFound},
		{"union", &gpb.SetRequest{UnionReplace: up("/", str("x"))}, codes.Unimplemented},
	} {
		if err := set(x.req); status.Code(err) != x.code {
			t.Errorf("%s: %v", x.name, err)
		}
		if fmt.Sprint(g.Running()) != before {
			t.Fatalf("%s: the refused request changed something", x.name)
		}
	}
	if err := set(&gpb.SetRequest{Update: up("/plant/resource[id=O2-L]/action/otdr", str(""))}); err != nil {
		t.Fatal(err)
	}
	r, err := c.Get(t.Context(), &gpb.GetRequest{Path: []*gpb.Path{to("/plant/resource[id=O2-L]/otdr/event[index=1]/state/distance")}})
	if err != nil || !strings.HasSuffix(show(t, r.GetNotification()[0]), "=15000") {
		t.Errorf("%v, %v", r, err)
	}
}

func alarms(g *serve.Gateway) []string {
	var out []string
	g.Look(func(v serve.View) {
		for _, a := range v.Alarms() {
			if !a.Cleared {
				out = append(out, a.Type+"@"+a.Object)
			}
		}
	})
	return out
}

// reader takes a stream apart.
type reader struct {
	t *testing.T
	s gpb.GNMI_SubscribeClient
}

func subscribe(t *testing.T, c gpb.GNMIClient, list *gpb.SubscriptionList) reader {
	t.Helper()
	s, err := c.Subscribe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(&gpb.SubscribeRequest{Request: &gpb.SubscribeRequest_Subscribe{Subscribe: list}}); err != nil {
		t.Fatal(err)
	}
	return reader{t, s}
}

// next is the next message: "sync", or seconds since the start and what it says.
func (r reader) next() string {
	r.t.Helper()
	m, err := r.s.Recv()
	if err != nil {
		return err.Error()
	}
	if m.GetSyncResponse() {
		return "sync"
	}
	n := m.GetUpdate()
	return fmt.Sprintf("%g %s", time.Unix(0, n.GetTimestamp()).Sub(servetest.Start).Seconds(), show(r.t, n))
}

func (r reader) want(lines ...string) {
	r.t.Helper()
	for _, w := range lines {
		if got := r.next(); got != w {
			r.t.Fatalf("got  %s\nwant %s", got, w)
		}
	}
}

const oper = "/interfaces/interface[name=O1-L]/state/oper-status"

func one(mode gpb.SubscriptionMode, p string, interval, heartbeat time.Duration, suppress bool) []*gpb.Subscription {
	return []*gpb.Subscription{{Path: to(p), Mode: mode, SampleInterval: uint64(interval), HeartbeatInterval: uint64(heartbeat), SuppressRedundant: suppress}}
}

func TestSubscribeOnceAndPoll(t *testing.T) {
	g := servetest.New(t)
	c := dial(t, g)
	r := subscribe(t, c, &gpb.SubscriptionList{Mode: gpb.SubscriptionList_ONCE, Encoding: gpb.Encoding_PROTO, Subscription: one(0, oper, 0, 0, false)})
	r.want("0 "+oper+"=UP", "sync", "EOF")
	r = subscribe(t, c, &gpb.SubscriptionList{Mode: gpb.SubscriptionList_POLL, Encoding: gpb.Encoding_PROTO, Subscription: one(0, oper, 0, 0, false)})
	r.want("0 "+oper+"=UP", "sync")
	g.Advance(time.Second)
	if err := r.s.Send(&gpb.SubscribeRequest{Request: &gpb.SubscribeRequest_Poll{Poll: &gpb.Poll{}}}); err != nil {
		t.Fatal(err)
	}
	r.want("1 "+oper+"=UP", "sync")
}

func TestStreamOfChanges(t *testing.T) {
	g := servetest.New(t)
	r := subscribe(t, dial(t, g), &gpb.SubscriptionList{Encoding: gpb.Encoding_PROTO, UpdatesOnly: true, Subscription: one(gpb.SubscriptionMode_ON_CHANGE, oper, 0, time.Minute, false)})
	r.want("sync")
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(65 * time.Second)
	if got := r.next(); !strings.HasSuffix(got, oper+"=DOWN") {
		t.Fatal(got)
	}
	r.want("60 " + oper + "=DOWN") // the heartbeat
	servetest.Mend(t, g, "fibre-cut", "F1")
	g.Advance(time.Minute)
	if got := r.next(); !strings.HasSuffix(got, oper+"=UP") {
		t.Fatal(got)
	}
}

func TestAlarmsComeAndGo(t *testing.T) {
	g := servetest.New(t)
	r := subscribe(t, dial(t, g), &gpb.SubscriptionList{Encoding: gpb.Encoding_PROTO, Subscription: one(gpb.SubscriptionMode_ON_CHANGE, "/system/alarms/alarm/state/resource", 0, 0, false)})
	r.want("sync")
	servetest.Break(t, g, "antenna-fault", "ANT1")
	g.Advance(10 * time.Minute)
	if got := r.next(); !strings.Contains(got, "/system/alarms/alarm[id=1]/state/resource=") {
		t.Fatal(got)
	}
	servetest.Mend(t, g, "antenna-fault", "ANT1")
	g.Advance(time.Hour)
	for {
		if got := r.next(); strings.Contains(got, "-/system/alarms/alarm[id=1]/state/resource") {
			return
		}
	}
}

func TestSamples(t *testing.T) {
	g := servetest.New(t)
	c := dial(t, g)
	plain := subscribe(t, c, &gpb.SubscriptionList{Encoding: gpb.Encoding_PROTO, Subscription: one(gpb.SubscriptionMode_SAMPLE, oper, 10*time.Second, 0, false)})
	plain.want("0 "+oper+"=UP", "sync")
	quiet := subscribe(t, c, &gpb.SubscriptionList{Encoding: gpb.Encoding_PROTO, Subscription: one(gpb.SubscriptionMode_SAMPLE, oper, 10*time.Second, 40*time.Second, true)})
	quiet.want("0 "+oper+"=UP", "sync")
	g.Advance(15 * time.Second)
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(30 * time.Second)
	plain.want("10 "+oper+"=UP", "20 "+oper+"=DOWN", "30 "+oper+"=DOWN", "40 "+oper+"=DOWN")
	quiet.want("20 "+oper+"=DOWN", "40 "+oper+"=DOWN")
	r := subscribe(t, c, &gpb.SubscriptionList{Encoding: gpb.Encoding_PROTO, Subscription: one(gpb.SubscriptionMode_SAMPLE, oper, time.Millisecond, 0, false)})
	if got := r.next(); !strings.Contains(got, "sample_interval") {
		t.Error(got)
	}
}

func TestAdaptiveSamplingLooksCloserAndRecovers(t *testing.T) {
	const rx = "/components/component[name=O2-L]/optical-channel/state/input-power/instant"
	g := servetest.New(t)
	r := subscribe(t, dial(t, g), &gpb.SubscriptionList{Encoding: gpb.Encoding_PROTO, Subscription: one(gpb.SubscriptionMode_TARGET_DEFINED, rx, 0, 0, false)})
	r.want("0 "+rx+"=-3", "sync")
	g.Advance(100 * time.Second)
	servetest.Break(t, g, "fibre-bend", "F1")
	g.Advance(10 * time.Minute)
	r.want("60 " + rx + "=-3")
	var at []float64
	for {
		var s float64
		var rest string
		if _, err := fmt.Sscanf(r.next(), "%g %s", &s, &rest); err != nil {
			t.Fatal(err)
		}
		if at = append(at, s); s > 600 {
			break
		}
	}
	if at[0] < 100 || at[0] > 102 {
		t.Errorf("the first sample after the bend comes at %g s, the bend at 100 s", at[0])
	}
	fast, slow := 0, 0
	for i := range at[1:] {
		switch gap := at[i+1] - at[i]; gap {
		case 5:
			fast++
		case 60:
			slow++
		default:
			t.Errorf("gap of %g s", gap)
		}
	}
	if fast != 60 || slow < 2 {
		t.Errorf("%d gaps of 5 s and %d of 60 s; want 60 (five minutes) and then slow ones", fast, slow)
	}
}

func TestASlowSubscriberLosesItsStream(t *testing.T) {
	g := servetest.New(t)
	addr := listen(t, gnmi.Options{Gateway: g, Queue: 3})
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := subscribe(t, gpb.NewGNMIClient(conn), &gpb.SubscriptionList{Encoding: gpb.Encoding_PROTO, Subscription: one(gpb.SubscriptionMode_SAMPLE, oper, time.Second, 0, false)})
	r.want("0 "+oper+"=UP", "sync")
	g.Advance(time.Hour)
	for {
		got := r.next()
		if strings.Contains(got, "ResourceExhausted") {
			return
		}
		if !strings.Contains(got, oper) {
			t.Fatal(got)
		}
	}
}

func TestTLSWithASelfSignedCertificate(t *testing.T) {
	cert, err := serve.SelfSigned(rand.Reader, "127.0.0.1", "plant.example")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(leaf)
	addr := listen(t, gnmi.Options{Gateway: servetest.New(t), TLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}})
	for name, ok := range map[string]bool{"": true, "plant.example": true, "other.example": false} {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: trusted, ServerName: name, MinVersion: tls.VersionTLS12})))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gpb.NewGNMIClient(conn).Capabilities(t.Context(), &gpb.CapabilityRequest{}); (err == nil) != ok {
			t.Errorf("as %q: %v", name, err)
		}
		conn.Close()
	}
}

func TestAnElementWithoutPowerDoesNotAnswer(t *testing.T) {
	g := servetest.New(t)
	if err := g.Break(func(p *hwsim.Plant) error {
		return p.Inject(hwsim.Fault{ID: "off", Mode: "planned-work", Resource: "O1", At: p.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	g.Advance(time.Minute)
	_, err := dial(t, g).Get(t.Context(), &gpb.GetRequest{Path: []*gpb.Path{to(oper)}})
	if status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
}

func FuzzSet(f *testing.F) {
	f.Add("plant", "ANT1", []byte(`{"config":{"tilt":"3","faultline-plant:azimuth":12}}`))
	f.Add("interfaces", "O1-L", []byte(`{"openconfig-interfaces:config":{"name":"O1-L","enabled":false}}`))
	f.Add("plant", "", []byte(`{"resource":[{"id":"C1","config":{"tilt":1e3}}]}`))
	g := servetest.New(f)
	s, err := gnmi.New(gnmi.Options{Gateway: g})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, root, id string, value []byte) {
		p := &gpb.Path{Elem: []*gpb.PathElem{{Name: root}}}
		if id != "" {
			p.Elem = append(p.Elem, &gpb.PathElem{Name: map[string]string{"plant": "resource", "interfaces": "interface"}[root], Key: map[string]string{"id": id}})
		}
		before := g.Running()
		_, err := s.Set(t.Context(), &gpb.SetRequest{Update: []*gpb.Update{{Path: p, Val: jsonOf(string(value))}}})
		if err != nil && fmt.Sprint(before) != fmt.Sprint(g.Running()) {
			t.Errorf("refused with %v, and something changed", err)
		}
	})
}
