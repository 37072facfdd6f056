package physics_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	. "faultline/hwsim/physics"
)

// TestTiltTradesNearForFar: the best tilt for a ring is the depression at which the ring
// is seen, 5 degrees off it lose 3 dB, and more tilt takes gain from what lies beyond.
func TestTiltTradesNearForFar(t *testing.T) {
	for _, ring := range []float64{100, 200, 300, 500, 1000} {
		dep := DepressionDeg(25, 1.5, ring)
		best := MacroSector(dep).GainDBi(dep, 0)
		for tilt := 0.0; tilt <= 20; tilt += 0.5 {
			if g := MacroSector(tilt).GainDBi(dep, 0); g > best {
				t.Errorf("ring %g m: tilt %g gives %g dBi, tilt %g gives %g", ring, tilt, g, dep, best)
			}
		}
		for _, off := range []float64{-5, 5} {
			if drop := best - MacroSector(dep+off).GainDBi(dep, 0); math.Abs(drop-3) > 1e-9 {
				t.Errorf("ring %g m: %g degrees off lose %g dB, want 3", ring, off, drop)
			}
		}
		last := math.Inf(1)
		for tilt := dep; tilt <= dep+10; tilt++ { // a neighbour further out
			g := MacroSector(tilt).GainDBi(DepressionDeg(25, 1.5, 3*ring), 0)
			if g > last {
				t.Errorf("ring %g m: tilt %g sends more beyond the ring", ring, tilt)
			}
			last = g
		}
	}
	if g := (Sector{MaxGainDBi: 15, BeamVDeg: 10, BeamHDeg: 70, SideLobeDB: 20, FrontBackDB: 25, BoresightAzDeg: 350}); g.GainDBi(0, 10) != g.GainDBi(0, -30) {
		t.Error("azimuth does not go round at 360 degrees")
	}
}

func TestPathLossGrows(t *testing.T) {
	for _, s := range []Scenario{UMa, UMi, RMa} {
		p := RadioPath{Scenario: s, FrequencyGHz: 3.5, BSHeightM: 25, UTHeightM: 1.5}
		last := 0.0
		for d := 10.0; d < 10000; d *= 1.1 {
			los, err := p.PathLossDB(d, true)
			if err != nil {
				t.Fatal(err)
			}
			nlos, err := p.PathLossDB(d, false)
			if err != nil {
				t.Fatal(err)
			}
			if los < last || nlos < los {
				t.Errorf("%s at %.0f m: %.2f dB in sight after %.2f, %.2f out of sight", s, d, los, last, nlos)
			}
			last = los
			if pr := p.SightProbability(d); pr < 0 || pr > 1 {
				t.Errorf("%s at %.0f m: probability %g", s, d, pr)
			}
		}
	}
	for want, p := range map[string]RadioPath{
		`radio path: Scenario "UMx": want UMa, UMi or RMa`:      {Scenario: "UMx"},
		"radio path: FrequencyGHz 0: want 0.5 to 100":           {Scenario: UMa},
		"radio path: UTHeightM NaN: want above 1, at most 22.5": {Scenario: UMa, FrequencyGHz: 1, UTHeightM: math.NaN()},
		"radio path: BSHeightM 1: want above 1, at most 150":    {Scenario: UMa, FrequencyGHz: 1, UTHeightM: 2, BSHeightM: 1},
		"radio path: distance -1 m: want 0 or more":             {Scenario: UMa, FrequencyGHz: 1, UTHeightM: 2, BSHeightM: 25},
	} {
		if _, err := p.PathLossDB(-1, true); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestLossOfSignalHasHysteresis(t *testing.T) {
	x := Fronthaul25GLR()
	if err := x.Validate(); err != nil {
		t.Fatal(err)
	}
	if x.LOSAssertDBm < -30 || x.LOSClearDBm > -13 || x.LOSClearDBm-x.LOSAssertDBm < 0.5 || x.LOSClearDBm-x.LOSAssertDBm > 5 {
		t.Errorf("thresholds %g and %g are not those of the data sheet", x.LOSAssertDBm, x.LOSClearDBm)
	}
	los := false
	for i, step := range []struct {
		dBm  float64
		want bool
	}{{-6.5, false}, {-15, false}, {-16.5, true}, {-15, true}, {-14, false}, {math.Inf(-1), true}, {math.NaN(), true}, {-5, false}} {
		if los = x.LOS(los, step.dBm); los != step.want {
			t.Errorf("step %d: at %g dBm loss is %v", i, step.dBm, los)
		}
	}
	x.LOSClearDBm = -20
	if x.Validate() == nil {
		t.Error("a detector that clears below its threshold passes")
	}
}

func TestReceivedLevels(t *testing.T) {
	c, err := PONClassOf("B+")
	if err != nil {
		t.Fatal(err)
	}
	for loss, want := range map[float64]Level{8: LevelHigh, 20: LevelGood, 33: LevelLow} {
		if got := LevelOf(c.OLTTx.Lo-loss, c.ONURx); got != want && loss != 8 || loss == 8 && LevelOf(c.OLTTx.Hi-loss, c.ONURx) != want {
			t.Errorf("%g dB: %s, want %s", loss, got, want)
		}
	}
	if _, err := PONClassOf("B"); err == nil {
		t.Error("class B is not known, and passes")
	}
	if !slices.IsSortedFunc(PONClasses(), func(a, b PONClass) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("classes are not in order")
	}
}

func diagnostics() Diagnostics {
	return Diagnostics{
		Monitor:   Monitor{TemperatureC: 41.5, VccV: 3.3, BiasMA: 36.2, TxMW: 0.63, RxMW: 0.0234},
		HighAlarm: Monitor{85, 3.6, 80, 2.5, 2}, LowAlarm: Monitor{-10, 3, 5, 0.15, 0.03},
		HighWarn: Monitor{75, 3.5, 70, 2, 1.8}, LowWarn: Monitor{-5, 3.1, 8, 0.2, 0.04}, RxLOS: true}
}

func TestModulePageRoundTrip(t *testing.T) {
	d := diagnostics()
	page := d.Encode()
	got, err := DecodeDiagnostics(page)
	if err != nil {
		t.Fatal(err)
	}
	if got.Flags != FlagRxLowAlarm|FlagRxLowWarn {
		t.Errorf("flags %08x, want those of low receive power", got.Flags)
	}
	d.Flags = got.Flags
	if got != d {
		t.Errorf("got %+v, want %+v", got, d)
	}
	cold := d
	cold.TemperatureC = -20
	if back, err := DecodeDiagnostics(cold.Encode()); err != nil || back.TemperatureC != -20 || back.Flags>>24 != 1<<6 {
		t.Errorf("below zero: %g C, flags %08x, %v", back.TemperatureC, back.Flags, err)
	}
	page[3]++
	if _, err := DecodeDiagnostics(page); err == nil {
		t.Error("a changed threshold passes the check sum")
	}
}

func FuzzDecodeDiagnostics(f *testing.F) {
	f.Add(diagnostics().Encode())
	f.Fuzz(func(t *testing.T, page []byte) {
		d, err := DecodeDiagnostics(page)
		if err != nil {
			return
		}
		if again, err := DecodeDiagnostics(d.Encode()); err != nil || again.Monitor != d.Monitor || again.LowWarn != d.LowWarn {
			t.Fatalf("%+v became %+v (%v)", d, again, err)
		}
	})
}

func TestRampOfReturningUsers(t *testing.T) {
	r := Ramp{Users: 1e6, Procedures: 2, Over: 100 * time.Second, Background: 1000, Capacity: 11000}
	p := r.Peak()
	if p.Rho != 21000.0/11000 || p.Backlog != 1e6 || p.Clear != 200*time.Second {
		t.Errorf("got %+v", p)
	}
	r.Over = r.Shortest(0.8)
	if p := r.Peak(); math.Abs(p.Rho-0.8) > 1e-6 || p.Backlog != 0 || p.Clear != 0 {
		t.Errorf("over %v: %+v, want a load of 0.8 and no backlog", r.Over, p)
	}
	r.Over = 0
	if p := r.Peak(); !math.IsInf(p.Rho, 1) || p.Backlog != 2e6 || p.Clear != 200*time.Second {
		t.Errorf("all at once: %+v", p)
	}
	r.Background = 12000
	if r.Peak().Clear != math.MaxInt64 || r.Shortest(0.8) != math.MaxInt64 {
		t.Error("an overloaded function clears its backlog")
	}
	if MM1Delay(time.Second, 1) != math.MaxInt64 || ErlangC(10, 10) != 1 || math.Abs(MM1KLoss(1, 9)-0.1) > 1e-12 {
		t.Error("limits of the queues")
	}
}

func TestSleepPaysOnlyWhenLong(t *testing.T) {
	for ms, want := range map[time.Duration]string{1: "micro", 5: "micro", 7: "light", 100: "deep"} {
		s, ok := BestSleep(Sleeps()[:3], ms*time.Millisecond)
		if !ok || s.Name != want {
			t.Errorf("%d ms: %s, want %s", ms, s.Name, want)
		}
	}
	if _, ok := BestSleep(Sleeps()[2:], time.Millisecond); ok {
		t.Error("deep sleep for 1 ms")
	}
}

func TestBatteryRunsDown(t *testing.T) {
	b := TelecomBattery(200)
	if err := b.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := b.PeukertTime(20); got != 10*time.Hour {
		t.Errorf("rated current lasts %v, want the rated 10h", got)
	}
	if got, want := b.PeukertTime(40).Hours(), 10*math.Pow(0.5, 1.2); math.Abs(got-want) > 1e-6 {
		t.Errorf("twice the current lasts %g h, want %g", got, want)
	}
	var d Discharge
	last, low, lowBefore := b.FloatV, time.Duration(0), time.Duration(0)
	for !d.Off && d.After < 20*time.Hour {
		d = b.Step(d, 1000, time.Second)
		if !d.Off && d.Voltage > last {
			t.Fatalf("voltage rises at %v", d.After)
		}
		if d.Voltage < b.LowV && low == 0 {
			low = d.After
		}
		last = d.Voltage
		lowBefore = d.After
	}
	if !d.Off || low == 0 || low >= lowBefore {
		t.Errorf("low at %v, off at %v", low, lowBefore)
	}
	// At about 20 A the string lasts its rated time, a little less for the sag.
	if h := d.After.Hours(); h < 8.5 || h > 10 {
		t.Errorf("1 kW lasts %.1f h", h)
	}
	if again := b.Step(d, 0, time.Hour); !again.Off || again.Voltage != 0 {
		t.Error("the contactor closes by itself")
	}
	if long, short := b.Autonomy(500, 48*time.Hour), b.Autonomy(2000, 48*time.Hour); long < 4*short {
		t.Errorf("a quarter of the load lasts %v against %v: less than four times", long, short)
	}
	if b.Autonomy(0, time.Minute) != time.Minute {
		t.Error("no load ends")
	}
	b.LowV = 60
	if b.Validate() == nil {
		t.Error("thresholds out of order pass")
	}
}

func TestRoomHeatsUp(t *testing.T) {
	r := Room{KelvinPerW: 0.02, Constant: time.Hour}
	if got := r.Temperature(25, 30, 2000, 3000, 25, 10*time.Hour); math.Abs(got-25) > 1e-2 {
		t.Errorf("cooled to %g C, want 25", got)
	}
	after, ok := r.TimeTo(55, 25, 30, 2000)
	if !ok {
		t.Fatal("never hot")
	}
	if got := r.Temperature(25, 30, 2000, 0, 25, after); math.Abs(got-55) > 1e-6 {
		t.Errorf("after %v it is %g C, want 55", after, got)
	}
	if _, ok := r.TimeTo(75, 25, 30, 2000); ok {
		t.Error("hotter than the heat can make it")
	}
	if d, ok := r.TimeTo(20, 25, 30, 2000); !ok || d != 0 {
		t.Error("it is hot already")
	}
}

func TestProtectionOutage(t *testing.T) {
	p := LinearProtection(10 * time.Millisecond / 3)
	if lost, switched := p.Outage(time.Hour); !switched || lost > 62*time.Millisecond || lost <= 50*time.Millisecond {
		t.Errorf("lost %v, switched %v", lost, switched)
	}
	if lost, switched := p.Outage(5 * time.Millisecond); switched || lost != 5*time.Millisecond {
		t.Errorf("a short break: lost %v, switched %v", lost, switched)
	}
	if back, ok := p.Back(time.Hour); !ok || back != time.Hour+5*time.Minute {
		t.Errorf("back after %v", back)
	}
	p.HoldOff = 100 * time.Millisecond
	if _, switched := p.Outage(90 * time.Millisecond); switched {
		t.Error("switched within the hold-off")
	}
	if got := SCTPPathFailure(time.Second, 10*time.Second, 5); got != (1+2+4+8+10+10)*time.Second {
		t.Errorf("bounded retransmission: %v", got)
	}
	if !slices.IsSortedFunc(Timers(), func(a, b Timer) int { return int(a.Detect - b.Detect) }) {
		t.Error("timers are not in order")
	}
}

func TestFrontAndVolume(t *testing.T) {
	points := [][]float64{{1, 5}, {2, 2}, {3, 3}, {5, 1}, {2, 2}}
	if got := Front(points); !slices.Equal(got, []int{0, 1, 3, 4}) {
		t.Errorf("front %v", got)
	}
	for _, tc := range []struct {
		points [][]float64
		ref    []float64
		want   float64
	}{
		{[][]float64{{2}, {1}, {9}}, []float64{5}, 4},
		{points, []float64{6, 6}, 5*1 + 4*3 + 1*1},
		{[][]float64{{0, 0, 0}}, []float64{1, 2, 3}, 6},
		{[][]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, []float64{2, 2, 2}, 7},
		{[][]float64{{1, 1, 1, 1}, {0, 2, 2, 2}}, []float64{3, 3, 3, 3}, 16 + 1},
		{nil, []float64{1, 1}, 0},
	} {
		if got, err := Hypervolume(tc.points, tc.ref); err != nil || math.Abs(got-tc.want) > 1e-12 {
			t.Errorf("%v below %v: %g (%v), want %g", tc.points, tc.ref, got, err, tc.want)
		}
	}
	if _, err := Hypervolume([][]float64{{1}}, []float64{2, 2}); err == nil {
		t.Error("a point of another dimension passes")
	}
}

func TestFibreNamesTheField(t *testing.T) {
	l := Comb(191.3e12, 50e9, 32e9, 0.15, 4, 0)
	for _, change := range []func(*Fibre){
		func(f *Fibre) { f.LengthKm = 0 }, func(f *Fibre) { f.DispersionPs = 0 }, func(f *Fibre) { f.Lumps = []Lump{{AtKm: 81}} },
	} {
		f := SSMF(80)
		change(&f)
		if f.Propagate(l) == nil {
			t.Errorf("%+v passes", f)
		}
	}
}
