package hwsim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// sketch builds a network from lines: "id Kind:role key=value..." and "a REL b".
func sketch(t testing.TB, text string) *Network {
	t.Helper()
	var res []Resource
	var rels []Relation
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
		case len(f) >= 3 && strings.ToUpper(f[1]) == f[1]:
			for _, to := range f[2:] {
				rels = append(rels, Relation{f[0], f[1], to})
			}
		default:
			kind, role, _ := strings.Cut(f[1], ":")
			r := Resource{ID: f[0], Kind: kind, Role: role, Name: f[0], Attrs: map[string]string{}}
			for _, a := range f[2:] {
				k, v, _ := strings.Cut(a, "=")
				r.Attrs[k] = v
			}
			res = append(res, r)
		}
	}
	n, err := NewNetwork(res, rels)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func plantOf(t testing.TB, n *Network, seed uint64) *Plant {
	t.Helper()
	p, err := NewPlant(PlantOptions{Network: n, Seed: seed, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func idealOf(t testing.TB, n *Network) *Plant {
	t.Helper()
	p, err := NewPlant(PlantOptions{Network: n, Start: start, Ideal: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func inject(t testing.TB, p *Plant, mode, resource string, at time.Duration, extent float64) {
	t.Helper()
	if err := p.Inject(Fault{ID: mode + "@" + resource, Mode: mode, Resource: resource, At: start.Add(at), Extent: extent}); err != nil {
		t.Fatal(err)
	}
}

func show(ns []Notification) string {
	var b strings.Builder
	for _, n := range ns {
		fmt.Fprintf(&b, "%s %s %s %s %s\n", n.Arrived.Format("02T15:04:05.000"), n.Severity, n.Alarm, n.Object, n.Element)
	}
	return b.String()
}

// raised lists "alarm@object" of all raises, in order of arrival.
func raised(ns []Notification) []string {
	var out []string
	for _, n := range ns {
		if k := n.Alarm + "@" + n.Object; n.Severity != "cleared" && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

const site = `
D1 PowerSystem:district
S1 Site:radio
S1-SH Shelter
S1-PMU PMU
S1-CAB Cabinet
S1-FAN FanTray
S1-AC1 AirConditioner
S1-PS PowerSystem:site
S1-R1 Rectifier
S1-R2 Rectifier
S1-BAT Battery capacity_ah=100 load_a=25
S1-DC DCDistribution
S1-F1 Fuse
S1-F2 Fuse
S1-F3 Fuse
S1-GNB NE:gnb
S1-B1 Board:bbu
S1-FH1 Port:fronthaul
S1-OM1 OpticalModule
S1-BH Port:backhaul
S1-SPN NE:spn
S1-SL Board:line
S1-SE1 Port:eth
S1-SE2 Port:eth
S1-L1 Link:fronthaul
S1-FS1 FibreSection
S1-TR Trench
S1-RRU1 RRU
S1-ANT1 Antenna
S1-C1 Cell
S1-LE Link:eth
HUB NE:spn
HUB-B Board:line
HUB-E1 Port:eth
LE1 Link:eth
FS-LE1 FibreSection
T1 Tunnel
PW1 PW
AMF1 NF:AMF
SCTP1 Session:sctp
D1 POWERS S1-PS
S1 CONTAINS S1-SH S1-PS S1-RRU1
S1-SH CONTAINS S1-CAB S1-AC1 S1-PMU
S1-CAB CONTAINS S1-GNB S1-SPN S1-FAN
S1-PS CONTAINS S1-R1 S1-R2 S1-BAT S1-DC
S1-DC CONTAINS S1-F1 S1-F2 S1-F3
S1-F1 POWERS S1-RRU1
S1-F2 POWERS S1-B1
S1-F3 POWERS S1-SPN
S1-GNB CONTAINS S1-B1
S1-B1 CONTAINS S1-FH1 S1-BH
S1-FH1 CONTAINS S1-OM1
S1-B1 HOSTS S1-C1
S1-L1 CONNECTS S1-FH1 S1-RRU1
S1-FS1 CARRIES S1-L1
S1-FS1 LAID_IN S1-TR
S1-RRU1 SERVES S1-C1
S1-RRU1 POWERS S1-ANT1
S1-ANT1 SERVES S1-C1
S1-SPN CONTAINS S1-SL
S1-SL CONTAINS S1-SE1 S1-SE2
S1-LE CONNECTS S1-BH S1-SE1
LE1 CONNECTS S1-SE2 HUB-E1
FS-LE1 CARRIES LE1
HUB CONTAINS HUB-B
HUB-B CONTAINS HUB-E1
LE1 CARRIES T1
T1 CARRIES PW1
PW1 SERVES S1-GNB
HUB SYNCHRONISES S1-SPN
S1-SPN SYNCHRONISES S1-GNB
SCTP1 DEPENDS_ON S1-GNB AMF1
`

func TestMainsFailureTakesHours(t *testing.T) {
	p := plantOf(t, sketch(t, site), 1)
	inject(t, p, "mains-failure", "S1-PS", time.Hour, 0)
	if err := p.Repair("mains-failure@S1-PS", start.Add(9*time.Hour)); err != nil {
		t.Fatal(err)
	}
	ns := p.Advance(start.Add(24 * time.Hour))
	t.Log("\n" + show(ns))
	t.Log(p.Outages(), p.Standing())
	for _, f := range p.Trace().Faults {
		for _, e := range f.Edges {
			c := "fault"
			if e.Cause >= 0 {
				c = f.Alarms[e.Cause].Alarm + "@" + f.Alarms[e.Cause].Object
			}
			t.Log(c, "->", f.Alarms[e.Effect].Alarm+"@"+f.Alarms[e.Effect].Object)
		}
	}
}
