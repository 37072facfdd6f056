package snmp

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"faultline/hwsim"
	"faultline/hwsim/serve"
	"faultline/hwsim/serve/servetest"
)

// listen serves an agent; all ends with the test.
func listen(t *testing.T, g *serve.Gateway) string {
	t.Helper()
	a, err := NewAgent(AgentOptions{Gateway: g})
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := a.Serve(ctx, pc); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return pc.LocalAddr().String()
}

func manager(t *testing.T, addr, community string) *gosnmp.GoSNMP {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &gosnmp.GoSNMP{Target: "127.0.0.1", Port: uint16(a.Port), Transport: "udp", Version: gosnmp.Version2c, Community: community, Timeout: 5 * time.Second, MaxOids: 60}
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Conn.Close() })
	return c
}

func text(p gosnmp.SnmpPDU) string {
	if b, ok := p.Value.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(p.Value)
}

func walk(t *testing.T, c *gosnmp.GoSNMP, bulk bool, root string) []string {
	t.Helper()
	var out []string
	add := func(p gosnmp.SnmpPDU) error { out = append(out, p.Name+"="+text(p)); return nil }
	f := c.Walk
	if bulk {
		f = c.BulkWalk
	}
	if err := f(root, add); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWalks(t *testing.T) {
	g := servetest.New(t)
	addr := listen(t, g)
	c := manager(t, addr, "public")
	one, bulk := walk(t, c, false, ".1.3.6.1"), walk(t, c, true, ".1.3.6.1")
	if !slices.Equal(one, bulk) {
		t.Errorf("GetNext finds %d instances, GetBulk %d", len(one), len(bulk))
	}
	seen := map[string]bool{}
	for _, s := range one {
		if seen[s] {
			t.Errorf("%s twice", s)
		}
		seen[s] = true
	}
	// Five ports of eight and five columns; 13 parts and their sensors.
	if got := len(walk(t, c, true, ".1.3.6.1.2.1.2.2")); got != 5*8 {
		t.Errorf("ifTable has %d instances", got)
	}
	if got := walk(t, manager(t, addr, "public@O1"), true, ".1.3.6.1.2.1.31.1.1.1.1"); strings.Join(got, " ") != ".1.3.6.1.2.1.31.1.1.1.1.1=O1-L .1.3.6.1.2.1.31.1.1.1.1.2=O1-T" {
		t.Errorf("ifName of O1: %v", got)
	}
	sensors := strings.Join(walk(t, c, true, ".1.3.6.1.2.1.47.1.1.1.1.2"), "\n")
	if !strings.Contains(sensors, "=O2-L input-power") {
		t.Error(sensors)
	}
}

func TestGetFollowsThePlant(t *testing.T) {
	g := servetest.New(t)
	addr := listen(t, g)
	c := manager(t, addr, "public@O2")
	get := func(oids ...string) string {
		t.Helper()
		r, err := c.Get(oids)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, v := range r.Variables {
			s := text(v)
			if v.Type == gosnmp.NoSuchInstance {
				s = "none"
			}
			out = append(out, s)
		}
		return strings.Join(out, " ")
	}
	const oper, sensor = ".1.3.6.1.2.1.2.2.1.8.1", ".1.3.6.1.2.1.99.1.1.1.4.5" // four parts, then the sensors
	if got := get(oper, sensor, ".1.3.6.1.2.1.1.3.0", ".1.3.6.1.2.1.99.1.1.1.6.5", oper+"7"); got != "1 -300 0 dBm none" {
		t.Error(got)
	}
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(2 * time.Minute)
	if got := get(oper, sensor, ".1.3.6.1.2.1.1.3.0"); got != "2 -4000 12000" {
		t.Error(got)
	}
	alarms := walk(t, c, true, oidAlarmsRow.String())
	if len(alarms) == 0 || !strings.Contains(strings.Join(alarms, " "), "=ots-loss-of-signal-los-p") {
		t.Errorf("active alarms of O2: %v", alarms)
	}
}

func TestSetIsRefusedAndStrangersGetNothing(t *testing.T) {
	g := servetest.New(t)
	addr := listen(t, g)
	r, err := manager(t, addr, "public").Set([]gosnmp.SnmpPDU{{Name: ".1.3.6.1.2.1.1.5.0", Type: gosnmp.OctetString, Value: "mine"}})
	if err != nil || r.Error != gosnmp.NotWritable || r.ErrorIndex != 1 {
		t.Errorf("%v, %v", r, err)
	}
	a, err := NewAgent(AgentOptions{Gateway: g})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(community string, kind gosnmp.PDUType) []byte {
		p := gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: community, PDUType: kind, RequestID: 7, Variables: []gosnmp.SnmpPDU{{Name: ".1.3.6.1.2.1.1.5.0", Type: gosnmp.Null}}}
		b, err := p.MarshalMsg()
		if err != nil {
			t.Fatal(err)
		}
		return a.answer(b)
	}
	if ask("public", gosnmp.GetRequest) == nil {
		t.Error("no answer")
	}
	if ask("guess", gosnmp.GetRequest) != nil || ask("public@nobody", gosnmp.GetRequest) != nil || ask("public", gosnmp.SNMPv2Trap) != nil {
		t.Error("an answer where none is due")
	}
	if err := g.Break(func(p *hwsim.Plant) error {
		return p.Inject(hwsim.Fault{ID: "off", Mode: "planned-work", Resource: "O1", At: p.Now()})
	}); err != nil {
		t.Fatal(err)
	}
	g.Advance(time.Minute)
	if ask("public@O1", gosnmp.GetRequest) != nil {
		t.Error("an element without power answers")
	}
}

// start runs a sender; what it returns ends it.
func start(t *testing.T, o SenderOptions) (stop func()) {
	t.Helper()
	s, err := NewSender(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return func() { cancel(); wg.Wait() }
}

func TestTrapsAndInforms(t *testing.T) {
	for _, inform := range []bool{false, true} {
		t.Run(fmt.Sprintf("inform=%v", inform), func(t *testing.T) {
			traps := make(chan string, 200)
			l := gosnmp.NewTrapListener()
			l.Params = &gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: "public"}
			l.OnNewTrap = func(p *gosnmp.SnmpPacket, _ *net.UDPAddr) {
				if (p.PDUType == gosnmp.InformRequest) != inform {
					t.Errorf("a %v", p.PDUType)
				}
				traps <- text(p.Variables[1])
			}
			probe, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			addr := probe.LocalAddr().String()
			probe.Close()
			var wg sync.WaitGroup
			defer wg.Wait()
			wg.Go(func() {
				if err := l.Listen(addr); err != nil {
					t.Error(err)
				}
			})
			defer l.Close()
			<-l.Listening()
			g := servetest.New(t)
			defer start(t, SenderOptions{Gateway: g, Target: addr, Inform: inform, Report: func(err error) { t.Error(err) }})()
			servetest.Break(t, g, "fibre-cut", "F1")
			g.Advance(time.Minute)
			kinds := map[string]bool{}
			for !kinds[oidLinkDown.String()] || !kinds[oidAlarmOn.String()] {
				kinds[<-traps] = true
			}
			servetest.Mend(t, g, "fibre-cut", "F1")
			g.Advance(time.Hour)
			for !kinds[oidLinkUp.String()] || !kinds[oidAlarmOff.String()] {
				kinds[<-traps] = true
			}
		})
	}
}

func TestOptionsNameTheField(t *testing.T) {
	g := servetest.New(t)
	for field, o := range map[string]SenderOptions{"Gateway": {}, "Target": {Gateway: g, Target: "nowhere"}, "Retries": {Gateway: g, Target: "a:1", Retries: -1}} {
		if _, err := NewSender(o); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := NewAgent(AgentOptions{Gateway: g, Community: "a@b"}); err == nil {
		t.Error("a community with @ was taken")
	}
}

func FuzzAgent(f *testing.F) {
	for _, kind := range []gosnmp.PDUType{gosnmp.GetRequest, gosnmp.GetNextRequest, gosnmp.GetBulkRequest, gosnmp.SetRequest} {
		p := gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: "public", PDUType: kind, RequestID: 9, MaxRepetitions: 20, Variables: []gosnmp.SnmpPDU{{Name: ".1.3.6.1.2.1.2.2.1.8", Type: gosnmp.Null}, {Name: ".1.3.6.1.2.1.99", Type: gosnmp.Null}}}
		b, err := p.MarshalMsg()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	a, err := NewAgent(AgentOptions{Gateway: servetest.New(f)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := a.answer(in)
		if out == nil {
			return
		}
		if _, ok := a.decode(out); !ok {
			t.Errorf("an answer that cannot be read: %x to %x", out, in)
		}
	})
}
