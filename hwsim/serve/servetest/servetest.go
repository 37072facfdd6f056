// Package servetest gives the faces of the Gateway a small network to be tested on: two
// optical nodes and a base station, each of whose parts the protocols can show.
package servetest

import (
	"testing"
	"time"

	"faultline/hwsim"
	"faultline/hwsim/serve"
)

// Start is where the clock of the test gateway begins.
var Start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// Network has a base station GNB1 with port GNB1-P1, module GNB1-P1-SFP1, RRU1,
// antenna ANT1 and cell C1; optical nodes O1 and O2 with line ports O1-L and O2-L and
// transponders O1-T and O2-T over the sections F1 and F2 (6 and 9 km).
func Network(tb testing.TB) *hwsim.Network {
	tb.Helper()
	res := func(id, kind, role string, attrs ...string) hwsim.Resource {
		r := hwsim.Resource{ID: id, Kind: kind, Role: role, Name: id, Attrs: map[string]string{}}
		for i := 0; i < len(attrs); i += 2 {
			r.Attrs[attrs[i]] = attrs[i+1]
		}
		return r
	}
	n, err := hwsim.NewNetwork([]hwsim.Resource{
		res("GNB1", "NE", "gnb"), res("BBU1", "Board", "bbu"), res("GNB1-P1", "Port", "fronthaul", "capacity_mbps", "25000"),
		res("GNB1-P1-SFP1", "OpticalModule", ""), res("RRU1-SFP1", "OpticalModule", ""), res("RRU1", "RRU", "", "power_w", "200"),
		res("FH1", "Link", "fronthaul"), res("FO1", "FibreSection", "fronthaul", "length_m", "400"), res("C1", "Cell", ""),
		res("ANT1", "Antenna", "", "tilt_deg", "4"),
		res("O1", "NE", "otn"), res("O2", "NE", "otn"), res("O1-B", "Board", "line"), res("O2-B", "Board", "line"),
		res("O1-L", "Port", "otn-line", "launch_dbm", "0"), res("O2-L", "Port", "otn-line", "launch_dbm", "0"),
		res("O1-T", "Port", "transponder"), res("O2-T", "Port", "transponder"), res("OTS", "Link", "ots"), res("OCH", "Link", "och"),
		res("F1", "FibreSection", "span", "length_m", "6000"), res("F2", "FibreSection", "span", "length_m", "9000"),
	}, []hwsim.Relation{
		{From: "GNB1", Type: "CONTAINS", To: "BBU1"}, {From: "BBU1", Type: "CONTAINS", To: "GNB1-P1"}, {From: "GNB1-P1", Type: "CONTAINS", To: "GNB1-P1-SFP1"},
		{From: "RRU1", Type: "CONTAINS", To: "RRU1-SFP1"}, {From: "BBU1", Type: "HOSTS", To: "C1"}, {From: "RRU1", Type: "SERVES", To: "C1"},
		{From: "RRU1", Type: "POWERS", To: "ANT1"}, {From: "FH1", Type: "CONNECTS", To: "GNB1-P1"}, {From: "FH1", Type: "CONNECTS", To: "RRU1"}, {From: "FO1", Type: "CARRIES", To: "FH1"},
		{From: "O1", Type: "CONTAINS", To: "O1-B"}, {From: "O2", Type: "CONTAINS", To: "O2-B"}, {From: "O1-B", Type: "CONTAINS", To: "O1-L"}, {From: "O2-B", Type: "CONTAINS", To: "O2-L"},
		{From: "O1-B", Type: "CONTAINS", To: "O1-T"}, {From: "O2-B", Type: "CONTAINS", To: "O2-T"},
		{From: "OTS", Type: "CONNECTS", To: "O1-L"}, {From: "OTS", Type: "CONNECTS", To: "O2-L"}, {From: "OTS", Type: "CARRIES", To: "OCH"},
		{From: "OCH", Type: "CONNECTS", To: "O1-T"}, {From: "OCH", Type: "CONNECTS", To: "O2-T"},
		{From: "F1", Type: "CARRIES", To: "OTS"}, {From: "F2", Type: "CARRIES", To: "OTS"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// New starts a gateway on the network, with an ideal plant.
func New(tb testing.TB) *serve.Gateway {
	tb.Helper()
	p, err := hwsim.NewPlant(hwsim.PlantOptions{Network: Network(tb), Start: Start, Ideal: true})
	if err != nil {
		tb.Fatal(err)
	}
	g, err := serve.New(serve.Options{Plant: p})
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// Break injects a fault now; it shows with the next Advance.
func Break(tb testing.TB, g *serve.Gateway, mode, resource string) {
	tb.Helper()
	err := g.Break(func(p *hwsim.Plant) error {
		return p.Inject(hwsim.Fault{ID: mode + "@" + resource, Mode: mode, Resource: resource, At: p.Now()})
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// Mend repairs what Break broke, a second from now.
func Mend(tb testing.TB, g *serve.Gateway, mode, resource string) {
	tb.Helper()
	err := g.Break(func(p *hwsim.Plant) error { return p.Repair(mode+"@"+resource, p.Now().Add(time.Second)) })
	if err != nil {
		tb.Fatal(err)
	}
}
