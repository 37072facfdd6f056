package fault

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"faultline/hwsim"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// town is a small network of several domains: a district with sites, a PON, hosts.
func town(t testing.TB, sites int) *hwsim.Network {
	t.Helper()
	var res []hwsim.Resource
	var rels []hwsim.Relation
	add := func(id, kind string) {
		kind, role, _ := strings.Cut(kind, ":")
		res = append(res, hwsim.Resource{ID: id, Kind: kind, Role: role})
	}
	rel := func(from, typ string, to ...string) {
		for _, x := range to {
			rels = append(rels, hwsim.Relation{From: from, Type: typ, To: x})
		}
	}
	add("D1", "PowerSystem:district")
	add("OLT", "NE:olt")
	add("OLT-B", "Board:line")
	add("OLT-P", "Port:pon")
	add("PON", "PON")
	add("FEED", "FibreSection:feeder")
	rel("OLT", "CONTAINS", "OLT-B")
	rel("OLT-B", "CONTAINS", "OLT-P")
	rel("OLT-P", "CARRIES", "PON")
	rel("FEED", "CARRIES", "PON")
	for i := range sites {
		id := fmt.Sprintf("S%02d", i)
		at := func(part string) string { return id + "-" + part }
		for part, kind := range map[string]string{
			"SITE": "Site:radio", "SH": "Shelter", "AC": "AirConditioner", "CAB": "Cabinet", "PS": "PowerSystem:site", "R1": "Rectifier", "R2": "Rectifier",
			"BAT": "Battery", "DC": "DCDistribution", "F1": "Fuse", "F2": "Fuse", "GNB": "NE:gnb", "BB": "Board:bbu", "P": "Port:fronthaul", "L": "Link:fronthaul",
			"FS": "FibreSection:fronthaul", "TR": "Trench", "RRU": "RRU", "C": "Cell", "ONU": "ONU", "DROP": "FibreSection:drop", "H": "Host", "VM": "VM", "SMF": "NF:SMF",
		} {
			add(at(part), kind)
		}
		rel("D1", "POWERS", at("PS"), at("ONU"))
		rel(at("SITE"), "CONTAINS", at("SH"), at("PS"), at("RRU"))
		rel(at("SH"), "CONTAINS", at("AC"), at("CAB"))
		rel(at("CAB"), "CONTAINS", at("GNB"))
		rel(at("PS"), "CONTAINS", at("R1"), at("R2"), at("BAT"), at("DC"))
		rel(at("DC"), "CONTAINS", at("F1"), at("F2"))
		rel(at("F1"), "POWERS", at("RRU"))
		rel(at("F2"), "POWERS", at("BB"))
		rel(at("GNB"), "CONTAINS", at("BB"))
		rel(at("BB"), "CONTAINS", at("P"))
		rel(at("BB"), "HOSTS", at("C"))
		rel(at("L"), "CONNECTS", at("P"), at("RRU"))
		rel(at("FS"), "CARRIES", at("L"))
		rel(at("FS"), "LAID_IN", at("TR"))
		rel(at("RRU"), "SERVES", at("C"))
		rel("PON", "SERVES", at("ONU"))
		rel(at("DROP"), "SERVES", at("ONU"))
		rel(at("H"), "HOSTS", at("VM"))
		rel(at("VM"), "HOSTS", at("SMF"))
	}
	n, err := hwsim.NewNetwork(res, rels)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPlanFitsPlantAndOptions(t *testing.T) {
	n := town(t, 12)
	o := Options{Network: n, Seed: 4, From: day, To: day.Add(96 * time.Hour), N: 40, MinGap: time.Hour, Chains: true,
		Works: []Work{{"W1", "upgrade", []string{"S03-GNB"}, day.Add(time.Hour), day.Add(3 * time.Hour)}, {"W2", "upgrade", []string{"S04-GNB"}, day.Add(5 * time.Hour), day.Add(8 * time.Hour)}}}
	s, err := Plan(o)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Plan(o)
	if fmt.Sprint(s) != fmt.Sprint(again) {
		t.Error("the same options give two scripts")
	}
	domains, chains, works := map[string]int{}, 0, 0
	var last time.Time
	for _, e := range s.Entries {
		domains[e.Domain]++
		if e.Chain != "" {
			chains++
		}
		if e.Work != "" {
			works++
			continue
		}
		if e.At.Sub(last) < o.MinGap-time.Second {
			t.Errorf("%s begins %s after the fault before", e.ID, e.At.Sub(last))
		}
		last = e.At
		if !e.Until.After(e.At) || e.At.Before(o.From) || e.At.After(o.To) {
			t.Errorf("%s lasts from %s to %s", e.ID, e.At, e.Until)
		}
	}
	if len(domains) < 4 || chains < 4 || works < 1 {
		t.Errorf("domains %v, %d chains, %d works", domains, chains, works)
	}
	p, err := hwsim.NewPlant(hwsim.PlantOptions{Network: n, Seed: 1, Start: day})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(p); err != nil {
		t.Fatal(err)
	}
	p.Advance(day.Add(30 * 24 * time.Hour))
	silent := 0
	for _, f := range p.Trace().Faults {
		if len(f.Alarms) == 0 {
			silent++
		}
	}
	if silent > len(s.Entries)/4 || len(p.Standing()) > 0 {
		t.Errorf("%d of %d faults bring no alarm; left standing: %v", silent, len(s.Entries), p.Standing())
	}
}

func TestPlanRefuses(t *testing.T) {
	ok := Options{Network: town(t, 2), From: day, To: day.Add(time.Hour), N: 3}
	for _, c := range []struct {
		field  string
		change func(*Options)
	}{
		{"Network", func(o *Options) { o.Network = nil }},
		{"From, To", func(o *Options) { o.To = o.From }},
		{"N", func(o *Options) { o.N = -1 }},
		{"MinGap", func(o *Options) { o.MinGap = time.Hour }},
		{"Modes", func(o *Options) { o.Modes = map[string]float64{"gremlins": 1} }},
		{"Modes", func(o *Options) { o.Modes = map[string]float64{"olt-uplink": 1} }},
	} {
		o := ok
		c.change(&o)
		if _, err := Plan(o); err == nil || !strings.Contains(err.Error(), "fault options: "+c.field) {
			t.Errorf("%s: error %v", c.field, err)
		}
	}
}

func TestWeightsOfModes(t *testing.T) {
	s, err := Plan(Options{Network: town(t, 6), Seed: 1, From: day, To: day.Add(48 * time.Hour), N: 12, Modes: map[string]float64{"rru-hardware": 1, "host-failure": 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Entries {
		if e.Mode != "rru-hardware" && e.Mode != "host-failure" {
			t.Errorf("drew %s", e.Mode)
		}
	}
}

func TestChainChoosesAPlaceThatShowsIt(t *testing.T) {
	n := town(t, 5)
	for name, kind := range map[string]string{"trench-cut": "Trench", "feeder-cut": "FibreSection", "drop-cut": "FibreSection", "district-power-cut": "PowerSystem", "rogue-onu": "ONU"} {
		e, err := Chain(name, n, 1, day)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r, _ := n.Resource(e.Resource); r.Kind != kind || e.Chain != name {
			t.Errorf("%s on %s, a %s", name, e.Resource, r.Kind)
		}
	}
	if _, err := Chain("router-board", n, 1, day); err == nil || !strings.Contains(err.Error(), "no place for it") {
		t.Errorf("a chain without a place: %v", err)
	}
	if _, err := Chain("gremlins", n, 1, day); err == nil || !strings.Contains(err.Error(), `no chain "gremlins"`) {
		t.Errorf("an unknown chain: %v", err)
	}
	for _, name := range Chains() {
		if _, err := Chain(name, n, 1, day); err != nil && strings.Contains(err.Error(), "no chain") {
			t.Error(err)
		}
	}
}

func TestDemoDayIsTheSameEveryTime(t *testing.T) {
	n := town(t, 8)
	a, err := DemoDay(n, 9, day)
	if err != nil || len(a.Entries) < 12 {
		t.Fatal(err, len(a.Entries))
	}
	b, _ := DemoDay(n, 9, day)
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("two demo days of one seed differ")
	}
	if c, _ := DemoDay(n, 10, day); fmt.Sprint(a) == fmt.Sprint(c) {
		t.Error("another seed gives the same day")
	}
}
