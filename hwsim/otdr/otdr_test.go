package otdr_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	. "faultline/hwsim/otdr"
)

// plant is 12 km of fibre with one of each, and a good setup for it.
func plant() (Fibre, Setup) {
	return Fibre{LengthM: 12000, SlopeDBKm: 0.35, Index: 1.468, BackscatterDB: -80, WavelengthNM: 1310, EndDB: FresnelDB(1.468),
			Features: []Feature{
				{AtM: 2000, Kind: Splice, LossDB: 0.12},
				{AtM: 4100, Kind: Gainer, LossDB: -0.15},
				{AtM: 6000, Kind: Connector, LossDB: 0.4, ReflectanceDB: -50},
				{AtM: 8200, Kind: Bend, LossDB: 0.6},
				{AtM: 10000, Kind: Connector, LossDB: 0.3, ReflectanceDB: -63},
			}},
		Setup{PulseNS: 100, SpacingM: 1, RangeM: 20000, Averages: 1 << 15, DynamicDB: 17, PanelDB: -45, RiseM: 0.5}
}

func detect(t *testing.T, f Fibre, s Setup, random *rand.Rand) (*Trace, *Findings) {
	t.Helper()
	tr, err := Measure(f, s, random)
	if err != nil {
		t.Fatal(err)
	}
	found, err := Detect(tr, DefaultThresholds())
	if err != nil {
		t.Fatal(err)
	}
	return tr, found
}

func TestEventsAreFound(t *testing.T) {
	f, s := plant()
	var places, losses, spikes, n float64
	for seed := range uint64(20) {
		tr, found := detect(t, f, s, rand.New(rand.NewPCG(seed, 1)))
		want := append([]Feature(nil), f.Features...)
		want[3].Kind = Splice // one wavelength does not tell a bend
		want = append(want, Feature{AtM: f.LengthM, Kind: End, ReflectanceDB: f.EndDB})
		if len(found.Events) != len(want) {
			t.Errorf("seed %d: %d events, want %d: %+v", seed, len(found.Events), len(want), found.Events)
			continue
		}
		for i, e := range found.Events {
			w := want[i]
			if e.Kind != w.Kind || math.Abs(e.AtM-w.AtM) > tr.PulseM() || (w.Kind != End && math.Abs(e.LossDB-w.LossDB) > 0.04) ||
				math.Abs(e.ReflectanceDB-w.ReflectanceDB) > 1.5 {
				t.Errorf("seed %d: %+v, want %+v", seed, e, w)
			}
			places += (e.AtM - w.AtM) * (e.AtM - w.AtM)
			n++
			if w.Kind != End {
				losses += (e.LossDB - w.LossDB) * (e.LossDB - w.LossDB)
			}
			spikes += (e.ReflectanceDB - w.ReflectanceDB) * (e.ReflectanceDB - w.ReflectanceDB)
		}
		if want := 12*0.35 + 0.12 - 0.15 + 0.4 + 0.6 + 0.3; math.Abs(found.TotalDB-want) > 0.1 {
			t.Errorf("seed %d: total loss %.3f, want %.3f", seed, found.TotalDB, want)
		}
	}
	t.Logf("rms errors over %.0f events: place %.2f m (pulse 10.2 m), loss %.3f dB, reflectance %.2f dB", n, math.Sqrt(places/n), math.Sqrt(losses/n), math.Sqrt(spikes/n))
}

func TestBreaksAreLocated(t *testing.T) {
	const n = 300
	random := rand.New(rand.NewPCG(1, 2))
	hit := 0
	for i := range n {
		f, s := Draw(random)
		tr, found := detect(t, f, s, random)
		cut := f.Features[len(f.Features)-1]
		if found.EndSeen && math.Abs(found.LengthM-cut.AtM) <= tr.PulseM()/2+tr.SpacingM {
			hit++
			continue
		}
		t.Logf("plant %d: break at %.1f m of %.0f m, found %v at %.1f m, pulse %.1f m", i, cut.AtM, f.LengthM, found.EndSeen, found.LengthM, tr.PulseM())
	}
	share := float64(hit) / n
	t.Logf("%.3f of the breaks are within half a pulse and a sample", share)
	if share < 0.95 {
		t.Errorf("%.3f located, want 0.95", share)
	}
}

// TestLocationAgainstNoise tells how well a break is placed by what light is left of it:
// the level of the fibre at the break over the noise.
func TestLocationAgainstNoise(t *testing.T) {
	const n = 60
	for _, pulse := range []float64{30, 300, 3000} {
		for _, snr := range []float64{2, 4, 6, 10, 20} {
			random := rand.New(rand.NewPCG(uint64(pulse), uint64(snr)))
			hit, squares := 0.0, 0.0
			for range n {
				f := Fibre{LengthM: 30000, SlopeDBKm: 0.2, Index: 1.468, BackscatterDB: -80, WavelengthNM: 1550,
					Features: []Feature{{AtM: 10000 + 10000*random.Float64(), Kind: Break}}}
				width := PulseM(pulse, f.Index)
				s := Setup{PulseNS: pulse, SpacingM: max(width/8, 1), RangeM: 40000, Averages: 1, DynamicDB: snr + 0.2*f.Features[0].AtM/1000, PanelDB: -45}
				_, found := detect(t, f, s, random)
				off := found.LengthM - f.Features[0].AtM
				if found.EndSeen && math.Abs(off) <= width/2+s.SpacingM {
					hit++
					squares += off * off / width / width
				}
			}
			t.Logf("pulse %4.0f ns, %2.0f dB over the noise: %.2f located, rms %.2f pulses", pulse, snr, hit/n, math.Sqrt(squares/hit))
			if snr >= 6 && hit/n < 0.95 {
				t.Errorf("pulse %g ns, %g dB over the noise: %.2f located", pulse, snr, hit/n)
			}
		}
	}
}

// TestFibresOfATrenchAgree cuts the fibres of one cable at one place. Their joints,
// reflections, and noise differ; the distances agree within a pulse.
func TestFibresOfATrenchAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for _, cut := range []float64{900, 5210, 11000} {
		var lo, hi float64 = math.Inf(1), 0
		var pulse float64
		for fibre := range 12 {
			f, s := plant()
			f.Features = []Feature{{AtM: 4000, Kind: Splice, LossDB: 0.02 + 0.1*random.Float64()}, {AtM: cut, Kind: Break}}
			if cut < 4000 {
				f.Features = f.Features[1:]
			}
			if fibre%3 == 0 {
				f.Features[len(f.Features)-1].ReflectanceDB = -20 - 30*random.Float64()
			}
			tr, found := detect(t, f, s, random)
			e, ok := found.BreakOf(f.LengthM, tr.PulseM())
			if !ok || e.Kind != Break {
				t.Fatalf("cut at %g m, fibre %d: no break seen", cut, fibre)
			}
			lo, hi, pulse = min(lo, e.AtM), max(hi, e.AtM), tr.PulseM()
		}
		t.Logf("cut at %g m: told %.1f to %.1f m", cut, lo, hi)
		if hi-lo > pulse {
			t.Errorf("cut at %g m: fibres tell %.1f to %.1f m, more than a pulse of %.1f m apart", cut, lo, hi, pulse)
		}
	}
}

func TestNoEndIsInventedWhenLightFades(t *testing.T) {
	f, s := plant()
	f.LengthM, f.Features, f.EndDB = 150000, nil, 0
	s.RangeM = 160000
	_, found := detect(t, f, s, rand.New(rand.NewPCG(3, 3)))
	if found.EndSeen {
		t.Errorf("an end at %.0f m of light that fades out", found.LengthM)
	}
	if found.ReachM < 50000 || found.ReachM > 90000 {
		t.Errorf("reach %.0f m for %.1f dB", found.ReachM, -found.NoiseDB)
	}
	s.RangeM = 8000 // the trace stops before the fibre does
	if _, found := detect(t, f, s, rand.New(rand.NewPCG(3, 3))); found.EndSeen {
		t.Errorf("an end at %.0f m where the trace stops", found.LengthM)
	}
}

func TestWholeFibreIsNoBreak(t *testing.T) {
	f, s := plant()
	tr, found := detect(t, f, s, rand.New(rand.NewPCG(4, 4)))
	if e, ok := found.BreakOf(f.LengthM, tr.PulseM()); ok {
		t.Errorf("a whole fibre is broken at %.1f m", e.AtM)
	}
}

func TestBendShowsAtTwoWavelengths(t *testing.T) {
	for _, tc := range []struct {
		short, long float64
		want        bool
	}{{0.1, 0.5, true}, {0.1, 0.12, false}, {0.01, 0.05, false}, {0.5, 0.7, false}} {
		if got := IsBend(tc.short, tc.long); got != tc.want {
			t.Errorf("%g dB and %g dB: %v", tc.short, tc.long, got)
		}
	}
}

// TestSpikesAndDeadZones: without noise the trace obeys the formulas it is built from.
func TestSpikesAndDeadZones(t *testing.T) {
	for _, pulse := range []float64{10, 100, 1000} {
		f := Fibre{LengthM: 60000, SlopeDBKm: 0.2, Index: 1.468, BackscatterDB: -80, WavelengthNM: 1550,
			Features: []Feature{{AtM: 20000, Kind: Connector, LossDB: 0.3, ReflectanceDB: -30}}}
		width := PulseM(pulse, f.Index)
		s := Setup{PulseNS: pulse, SpacingM: width / 20, RangeM: min(61000, 20000+60*width), Averages: 1, DynamicDB: 40}
		tr, err := Measure(f, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		at := int(20000/s.SpacingM) + 2
		if h, want := tr.Levels[at]-tr.Levels[at-4], SpikeDB(-30, -80, pulse); math.Abs(h-want) > 0.03 {
			t.Errorf("pulse %g ns: spike %.3f dB, want %.3f", pulse, h, want)
		}
		event, attenuation := tr.DeadZones(20000)
		if math.Abs(event-width) > 2*s.SpacingM || attenuation < event || attenuation > 1.2*width {
			t.Errorf("pulse %g ns: dead zones %.2f and %.2f m, pulse %.2f m", pulse, event, attenuation, width)
		}
		s.RiseM = width / 4 // a slower receiver
		slow, err := Measure(f, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, later := slow.DeadZones(20000); later < 1.3*attenuation {
			t.Errorf("pulse %g ns: a slow receiver settles after %.2f m, a fast one after %.2f m", pulse, later, attenuation)
		}
	}
}

func TestAveragingLowersNoise(t *testing.T) {
	f, s := plant()
	s.Averages = 100
	_, few := detect(t, f, s, rand.New(rand.NewPCG(5, 5)))
	s.Averages = 1600
	_, many := detect(t, f, s, rand.New(rand.NewPCG(5, 5)))
	if gain := few.NoiseDB - many.NoiseDB; math.Abs(gain-3.01) > 0.2 {
		t.Errorf("16 times the sweeps lower the noise by %.2f dB, want 3.01", gain)
	}
}

func TestMeasuredTraceSurvivesTheFile(t *testing.T) {
	f, s := plant()
	f.Features = append(f.Features[:3:3], Feature{AtM: 7300, Kind: Break})
	tr, found := detect(t, f, s, rand.New(rand.NewPCG(6, 6)))
	file, err := NewFile(tr, found)
	if err != nil {
		t.Fatal(err)
	}
	file.General.CableID, file.Supply.Supplier = "K 17", "plant"
	data, err := Write(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Write(file)
	if err != nil || !bytes.Equal(data, again) {
		t.Fatalf("two writings differ (%v)", err)
	}
	back, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	last := back.Events.Events[len(back.Events.Events)-1]
	if !last.Ends() || math.Abs(back.DistanceM(last)-found.LengthM) > 0.1 {
		t.Errorf("the file ends the fibre at %.2f m (%s), the trace at %.2f", back.DistanceM(last), last.Code, found.LengthM)
	}
	tr2, err := back.Trace(0)
	if err != nil {
		t.Fatal(err)
	}
	found2, err := Detect(tr2, DefaultThresholds())
	if err != nil || math.Abs(found2.LengthM-found.LengthM) > tr.SpacingM {
		t.Errorf("from the file the end is at %.2f m, from the trace at %.2f (%v)", found2.LengthM, found.LengthM, err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	f, s := plant()
	for _, tc := range []struct {
		change func(*Fibre, *Setup)
		want   string
	}{
		{func(f *Fibre, _ *Setup) { f.LengthM = 0 }, "LengthM 0"},
		{func(f *Fibre, _ *Setup) { f.Features = []Feature{{AtM: 99999}} }, "Features[0].AtM 99999"},
		{func(_ *Fibre, s *Setup) { s.PulseNS = 0 }, "PulseNS 0"},
		{func(_ *Fibre, s *Setup) { s.SpacingM = math.NaN() }, "SpacingM NaN"},
		{func(_ *Fibre, s *Setup) { s.RangeM = math.Inf(1) }, "RangeM +Inf"},
	} {
		g, h := f, s
		tc.change(&g, &h)
		if _, err := Measure(g, h, nil); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("want an error with %q, got %v", tc.want, err)
		}
	}
	if _, err := Detect(&Trace{}, DefaultThresholds()); err == nil {
		t.Error("an empty trace passes")
	}
}

// FuzzDetect: whatever a file holds, Detect answers with finite numbers.
func FuzzDetect(f *testing.F) {
	fibre, s := plant()
	s.SpacingM, s.RangeM = 20, 20000
	tr, err := Measure(fibre, s, rand.New(rand.NewPCG(8, 8)))
	if err != nil {
		f.Fatal(err)
	}
	var levels []byte
	for _, l := range tr.Levels {
		raw := uint16(min(-l*1000+30000, math.MaxUint16))
		levels = append(levels, byte(raw), byte(raw>>8))
	}
	f.Add(100.0, 20.0, 0.0, levels)
	f.Add(3000.0, 20.0, -400.0, levels)
	f.Fuzz(func(t *testing.T, pulse, spacing, start float64, levels []byte) {
		if len(levels) > 8192 || !(math.Abs(start) < 1e6) || !(pulse < 1e6) || !(spacing > 0.01) {
			return
		}
		tr := &Trace{PulseNS: pulse, Index: 1.468, SpacingM: spacing, StartM: start, BackscatterDB: -80}
		for i := 0; i+1 < len(levels); i += 2 {
			tr.Levels = append(tr.Levels, -float64(uint16(levels[i])|uint16(levels[i+1])<<8)/1000)
		}
		found, err := Detect(tr, DefaultThresholds())
		if err != nil {
			return
		}
		last := math.Inf(-1)
		for _, e := range found.Events {
			if !(e.AtM >= last) || math.IsNaN(e.LossDB) || math.IsInf(e.LossDB, 0) {
				t.Fatalf("events out of order or not finite: %+v", found.Events)
			}
			last = e.AtM
		}
		if file, err := NewFile(tr, found); err == nil {
			if _, err := Write(file); err != nil {
				t.Fatalf("what was found cannot be written: %v", err)
			}
		}
	})
}
