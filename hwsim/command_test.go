package hwsim

import (
	"strings"
	"testing"
	"time"
)

func do(t *testing.T, p *Plant, kind, resource, value string) {
	t.Helper()
	if err := p.Do(Command{kind, resource, value}); err != nil {
		t.Fatal(err)
	}
}

func nowOn(p *Plant) string {
	var out []string
	for _, a := range p.Standing() {
		out = append(out, a.Alarm+"@"+a.Object)
	}
	return strings.Join(out, " ")
}

func TestCommandsChangeThePlantAndLeaveNoTrace(t *testing.T) {
	for name, c := range map[string]struct {
		net, kind, resource, value string
		shows                      string // alarm that stands a while later
		undo                       string // empty when the command undoes itself
	}{
		"port off":      {mast, "enabled", "S1-FH1", "false", "cell-unavailable-out-of-service@S1-C1", "true"},
		"cell blocked":  {mast, "enabled", "S1-C1", "false", "cell-blocked@S1-C1", "true"},
		"laser off":     {mast, "laser", "S1-OM1", "false", "cell-unavailable-out-of-service@S1-C1", "true"},
		"restart":       {mast, "restart", "S1-GNB", "", "cell-unavailable-out-of-service@S1-C1", ""},
		"low power":     {optical, "power", "O1-L", "-6", "span-loss-power-out-of-specification@O1-L", "0"},
		"manual switch": {protected, "protection", "OLP", "manual", "protection-switched-sf-on-working@OLP", "auto"},
		"scan":          {optical, "otdr", "O1-L", "", "otdr-scan-in-progress@O1-L", ""},
		"traffic":       {mast, "traffic", "S1-LE", "0.9", "bandwidth-utilisation-threshold-crossed@S1-LE", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			p := idealOf(t, sketch(t, c.net))
			p.Advance(start.Add(time.Minute))
			do(t, p, c.kind, c.resource, c.value)
			later := start.Add(10 * time.Minute)
			if c.undo == "" {
				later = start.Add(time.Minute + 40*time.Second)
			}
			p.Advance(later)
			if got := nowOn(p); !strings.Contains(got, c.shows) {
				t.Fatalf("standing: %s; want %s", got, c.shows)
			}
			if n := len(p.Trace().Faults); n != 0 {
				t.Errorf("%d faults in the record; a command is none", n)
			}
			if c.undo != "" {
				do(t, p, c.kind, c.resource, c.undo)
			}
			p.Advance(later.Add(time.Hour))
			if got := nowOn(p); got != "" {
				t.Errorf("an hour after the end: %s", got)
			}
		})
	}
}

func TestRestartMendsSoftwareAndNothingElse(t *testing.T) {
	p := idealOf(t, sketch(t, mast))
	inject(t, p, "gnb-software", "S1-GNB", time.Minute, 0)
	inject(t, p, "gnss-fault", "S1-GNB", time.Minute, 0)
	p.Advance(start.Add(10 * time.Minute))
	do(t, p, "restart", "S1-GNB", "")
	p.Advance(start.Add(11 * time.Minute))
	if err := p.Do(Command{"restart", "S1-GNB", ""}); err == nil {
		t.Error("a restart within a restart")
	}
	p.Advance(start.Add(time.Hour))
	if got := nowOn(p); got != "gnss-antenna-fault@S1-GNB" {
		t.Errorf("standing: %s", got)
	}
}

func TestTrafficIsLedAwayFromACongestedLink(t *testing.T) {
	p := idealOf(t, sketch(t, mast))
	inject(t, p, "port-congestion", "S1-LE", time.Minute, 0.9)
	p.Advance(start.Add(20 * time.Minute))
	if nowOn(p) == "" {
		t.Fatal("no congestion to begin with")
	}
	do(t, p, "traffic", "S1-LE", "-0.8")
	p.Advance(start.Add(time.Hour))
	if got := nowOn(p); got != "" {
		t.Errorf("standing: %s", got)
	}
}

func TestCommandsAreRefused(t *testing.T) {
	p := idealOf(t, sketch(t, protected))
	inject(t, p, "fibre-cut", "OTS2-F", time.Minute, 0)
	p.Advance(start.Add(10 * time.Minute))
	before := p.Digest()
	for _, c := range []struct{ kind, resource, value, want string }{
		{"explode", "O1", "", "no such kind"},
		{"enabled", "nowhere", "true", "no resource"},
		{"tilt", "O1", "3", "does not fit"},
		{"enabled", "O1-L", "maybe", "not true or false"},
		{"power", "O1-L", "40", "from -10 to 6"},
		{"protection", "OLP", "sideways", "not one of"},
		{"protection", "OLP", "manual", "no protecting member"},
	} {
		if err := p.Do(Command{c.kind, c.resource, c.value}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s %q: %v; want %q", c.kind, c.resource, c.value, err, c.want)
		}
	}
	if p.Digest() != before {
		t.Error("a refused command changed the plant")
	}
}

func TestOTDRAndReadingsShowACut(t *testing.T) {
	net := strings.Replace(optical, "OTS-F FibreSection", "OTS-F FibreSection length_m=12000", 1)
	p := idealOf(t, sketch(t, net))
	read := func(name string) float64 {
		for _, r := range p.Readings("O2-L") {
			if r.Name == name {
				return r.Value
			}
		}
		t.Fatalf("no reading %s", name)
		return 0
	}
	if got := read("input-power"); got != -2.4 { // 0 dBm less 12 km of 0.2 dB
		t.Errorf("healthy input power %v dBm", got)
	}
	if ev, err := p.OTDR("O1-L"); err != nil || len(ev) != 1 || !ev[0].End || ev[0].DistanceM != 12000 {
		t.Errorf("healthy fibre: %+v, %v", ev, err)
	}
	inject(t, p, "fibre-cut", "OTS-F", time.Minute, 0)
	p.Advance(start.Add(5 * time.Minute))
	if got := read("input-power"); got != dark {
		t.Errorf("input power behind a cut %v dBm", got)
	}
	if ev, err := p.OTDR("O1-L"); err != nil || len(ev) != 1 || ev[0].Section != "OTS-F" || ev[0].DistanceM != 6000 {
		t.Errorf("cut fibre: %+v, %v", ev, err)
	}
	if p.Up("O2-L") || !p.Reachable("O2-L") || p.Agent("O2-L") != "O2" {
		t.Errorf("port up %v, reachable %v, agent %s", p.Up("O2-L"), p.Reachable("O2-L"), p.Agent("O2-L"))
	}
}

func TestEveryNamedVariableExists(t *testing.T) {
	tb, err := physics()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"hw", "adm", "deg", "traffic", "switched", "scan", "ret", "tx", "rx", "serve", "up", "live", "power", "on", "temp", "charge", "load", "age", "present", "loss", "pen"}
	for _, r := range restarts {
		names = append(names, r.v)
	}
	for _, v := range carriers {
		names = append(names, v)
	}
	for _, n := range append(names, software...) {
		if _, ok := tb.varID[n]; !ok {
			t.Errorf("no law or mode knows the variable %q", n)
		}
	}
}
