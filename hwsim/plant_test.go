package hwsim

import (
	"flag"
	"fmt"
	"os"
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
HUB-E2 Port:eth
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
HUB-B CONTAINS HUB-E1 HUB-E2
LE1 CARRIES T1
T1 CARRIES PW1
PW1 SERVES S1-GNB
HUB SYNCHRONISES S1-SPN
S1-SPN SYNCHRONISES S1-GNB
SCTP1 DEPENDS_ON S1-GNB AMF1
`

func TestSameCallsSameBytes(t *testing.T) {
	run := func(step time.Duration) string {
		p, err := NewPlant(PlantOptions{Network: sketch(t, protected), Seed: 5, Start: start, Noise: 20})
		if err != nil {
			t.Fatal(err)
		}
		inject(t, p, "mains-failure", "S1-PS", time.Hour, 0)
		inject(t, p, "fibre-cut", "OTS-F", 90*time.Minute, 0)
		p.Repair("mains-failure@S1-PS", start.Add(9*time.Hour))
		p.Repair("fibre-cut@OTS-F", start.Add(11*time.Hour))
		var ns []Notification
		for at := start; at.Before(start.Add(48 * time.Hour)); at = at.Add(step) {
			ns = append(ns, p.Advance(at.Add(step))...)
		}
		return fmt.Sprintf("%+v %+v %+v", ns, p.Trace(), p.Standing())
	}
	whole := run(48 * time.Hour)
	if again := run(48 * time.Hour); again != whole {
		t.Error("two runs of one seed differ")
	}
	if steps := run(7 * time.Minute); steps != whole {
		t.Error("small steps lead elsewhere than one big step")
	}
	if !strings.Contains(whole, "protection-switched") {
		t.Error("the run shows nothing")
	}
}

func TestCloneGoesItsOwnWay(t *testing.T) {
	p := plantOf(t, sketch(t, site), 3)
	inject(t, p, "mains-failure", "S1-PS", time.Hour, 0)
	p.Advance(start.Add(2 * time.Hour))
	twin, control := p.Clone(), p.Clone()
	inject(t, twin, "trench-cut", "S1-TR", 3*time.Hour, 1)
	if err := twin.Repair("mains-failure@S1-PS", start.Add(150*time.Minute)); err != nil {
		t.Fatal(err)
	}
	other := twin.Advance(start.Add(12 * time.Hour))
	if got, want := show(p.Advance(start.Add(12*time.Hour))), show(control.Advance(start.Add(12*time.Hour))); got != want {
		t.Errorf("what was done to a clone changed the plant:\n%s\nwant\n%s", got, want)
	}
	if !slices.Contains(raised(other), "fronthaul-loss-of-signal@S1-OM1") {
		t.Error("the clone did not feel its fault")
	}
	if fmt.Sprint(p.Trace()) != fmt.Sprint(control.Trace()) {
		t.Error("the traces of plant and control differ")
	}
}

func TestADeadElementIsSilentAndOthersReportIt(t *testing.T) {
	for _, drop := range []bool{false, true} {
		p, err := NewPlant(PlantOptions{Network: sketch(t, site), Start: start, Ideal: true, DropUnreachable: drop})
		if err != nil {
			t.Fatal(err)
		}
		inject(t, p, "planned-work", "S1-SPN", time.Hour, 0)
		p.Repair("planned-work@S1-SPN", start.Add(2*time.Hour))
		for _, n := range p.Advance(start.Add(2 * time.Hour)) {
			if n.Element == "S1-SPN" && n.Alarm != "ne-unreachable-dcn-management-loss" {
				t.Errorf("dead element says %s", n.Alarm)
			}
		}
		late := raised(p.Advance(start.Add(4 * time.Hour)))
		kept := slices.Contains(late, "transmission-optical-interface-error@S1-BH")
		if kept == drop {
			t.Errorf("drop %v: the base station behind it told afterwards: %v", drop, late)
		}
		if s := p.Standing(); len(s) > 0 {
			t.Errorf("still standing: %v", s)
		}
	}
}

func TestInjectRefuses(t *testing.T) {
	p := plantOf(t, sketch(t, site), 1)
	inject(t, p, "fuse-blown", "S1-F1", time.Hour, 0)
	p.Advance(start.Add(2 * time.Hour))
	ok := Fault{ID: "x", Mode: "fuse-blown", Resource: "S1-F2", At: start.Add(3 * time.Hour)}
	for _, c := range []struct {
		change func(*Fault)
		want   string
	}{
		{func(f *Fault) { f.Mode = "gremlins" }, `no mode "gremlins"`},
		{func(f *Fault) { f.Resource = "S9" }, `no resource "S9"`},
		{func(f *Fault) { f.Resource = "S1-C1" }, "mode fuse-blown is for Fuse, S1-C1 is Cell"},
		{func(f *Fault) { f.ID = "" }, "id missing"},
		{func(f *Fault) { f.ID = "fuse-blown@S1-F1" }, "id was used"},
		{func(f *Fault) { f.Extent = 2 }, "extent 2 is outside"},
		{func(f *Fault) { f.Face = 2 }, "no face 2"},
		{func(f *Fault) { f.At = start }, "is past"},
	} {
		f := ok
		c.change(&f)
		if err := p.Inject(f); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", f, err, c.want)
		}
	}
	if err := p.Repair("y", start.Add(4*time.Hour)); err == nil || !strings.Contains(err.Error(), "no such fault") {
		t.Errorf("repair of an unknown fault: %v", err)
	}
	if err := p.Repair("fuse-blown@S1-F1", start.Add(time.Hour)); err == nil || !strings.Contains(err.Error(), "is past") {
		t.Errorf("repair in the past: %v", err)
	}
	if _, err := NewPlant(PlantOptions{Start: start}); err == nil || !strings.Contains(err.Error(), "Network") {
		t.Errorf("plant without network: %v", err)
	}
	if _, err := NewPlant(PlantOptions{Network: sketch(t, site)}); err == nil || !strings.Contains(err.Error(), "Start") {
		t.Errorf("plant without start: %v", err)
	}
}

func TestNoiseIsBackgroundOnly(t *testing.T) {
	p, err := NewPlant(PlantOptions{Network: sketch(t, mast), Seed: 2, Start: start, Noise: 30})
	if err != nil {
		t.Fatal(err)
	}
	ns := p.Advance(start.Add(72 * time.Hour))
	tr := p.Trace()
	if len(ns) == 0 || len(tr.Background) == 0 || len(tr.Faults) != 0 {
		t.Errorf("%d notifications, %d background alarms, %d faults", len(ns), len(tr.Background), len(tr.Faults))
	}
	for i := 1; i < len(ns); i++ {
		if ns[i].Arrived.Before(ns[i-1].Arrived) {
			t.Fatalf("notification %d arrived before the one ahead of it", i)
		}
	}
}

func TestTraceNamesTheNearestCause(t *testing.T) {
	p := idealOf(t, sketch(t, optical))
	inject(t, p, "fibre-cut", "OTS-F", time.Minute, 0)
	p.Advance(start.Add(time.Hour))
	f := p.Trace().Faults[0]
	edges := map[string]bool{}
	for _, e := range f.Edges {
		cause := "fault"
		if e.Cause >= 0 {
			cause = f.Alarms[e.Cause].Alarm
		}
		edges[cause+" > "+f.Alarms[e.Effect].Alarm] = true
	}
	for _, want := range []string{
		"fault > ots-loss-of-signal-los-p", "ots-loss-of-signal-los-p > oms-och-forward-defect-indication-ais", "oms-och-forward-defect-indication-ais > otuk-loss-of-frame",
		"client-signal-fail-csf-ssf > ethernet-link-down-eth-los", "ethernet-link-down-eth-los > mpls-tp-tunnel-loc-mpls-tunnel-locv", "tunnel-down > pw-down-pw-loc",
		"pw-down-pw-loc > sctp-link-ip-address-unreachable", "ng-s1-interface-fault > cell-unavailable-out-of-service",
	} {
		if !edges[want] {
			t.Errorf("no edge %s in %v", want, sortedKeys(edges))
		}
	}
	if edges["fault > cell-unavailable-out-of-service"] {
		t.Error("the cell hangs on the fault directly")
	}
}

var update = flag.Bool("update", false, "write the golden files")

func TestGoldenChain(t *testing.T) {
	p := plantOf(t, sketch(t, mast), 11)
	inject(t, p, "trench-cut", "S1-TR", time.Hour, 1)
	p.Repair("trench-cut@S1-TR", start.Add(5*time.Hour))
	var b strings.Builder
	for _, n := range p.Advance(start.Add(8 * time.Hour)) {
		fmt.Fprintf(&b, "%d %s %s %s %s %s %d %s\n", n.Seq, n.Arrived.Format("15:04:05.000"), n.Time.Format("15:04:05.000"), n.Severity, n.Alarm, n.Object, n.ProbableCause, n.Element)
	}
	const file = "testdata/trench.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != b.String() {
		t.Errorf("%v; got\n%s", err, b.String())
	}
}

func BenchmarkClone(b *testing.B) {
	p := idealOf(b, sketch(b, optical))
	inject(b, p, "fibre-cut", "OTS-F", time.Minute, 0)
	p.Advance(start.Add(time.Hour))
	for b.Loop() {
		p.Clone()
	}
}
