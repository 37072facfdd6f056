package otdr

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Kind says what an event is.
type Kind string

// Kinds of events.
const (
	Splice    Kind = "splice"    // loss without reflection
	Gainer    Kind = "gainer"    // a splice to fibre that scatters more
	Bend      Kind = "bend"      // loss that grows with wavelength
	Connector Kind = "connector" // loss with reflection
	Break     Kind = "break"     // the end of the light, where the fibre should go on
	End       Kind = "end"       // the end of the fibre
)

// Feature is something in a fibre that a trace shows.
type Feature struct {
	AtM           float64
	Kind          Kind
	LossDB        float64 // one way at the wavelength of the fibre; negative for a gainer
	ReflectanceDB float64 // 0 for none
}

// Fibre is what the instrument looks into.
type Fibre struct {
	LengthM       float64
	SlopeDBKm     float64 // 0.35 at 1310 nm, 0.2 at 1550 nm
	Index         float64 // group index
	BackscatterDB float64 // for 1 ns; -77 to -82
	WavelengthNM  float64
	EndDB         float64   // reflectance of the far end; 0 for none
	Features      []Feature // a Break hides what is behind it
}

// Setup is how the instrument measures.
type Setup struct {
	PulseNS  float64
	SpacingM float64
	RangeM   float64 // of the trace
	Averages int
	// DynamicDB is the level at the front panel over the noise of one sweep (rms), one
	// way. More power, or a longer pulse, makes it larger.
	DynamicDB float64
	PanelDB   float64 // reflectance of the front panel; 0 for none
	// RiseM is the distance over which the receiver follows a step (time constant); 0
	// for an ideal one. Together with the pulse it makes the dead zones.
	RiseM float64
}

// Validate names the first field without sense.
func (f Fibre) Validate() error {
	switch {
	case !(f.LengthM > 0):
		return fmt.Errorf("fibre: LengthM %g: want more than 0", f.LengthM)
	case !(f.Index >= 1):
		return fmt.Errorf("fibre: Index %g: want 1 or more", f.Index)
	case !(f.BackscatterDB < 0):
		return fmt.Errorf("fibre: BackscatterDB %g: want less than 0", f.BackscatterDB)
	}
	for i, x := range f.Features {
		if !(x.AtM >= 0 && x.AtM <= f.LengthM) {
			return fmt.Errorf("fibre: Features[%d].AtM %g: outside of %g m", i, x.AtM, f.LengthM)
		}
	}
	return nil
}

// Validate names the first field without sense.
func (s Setup) Validate() error {
	switch {
	case !(s.PulseNS > 0):
		return fmt.Errorf("setup: PulseNS %g: want more than 0", s.PulseNS)
	case !(s.SpacingM > 0):
		return fmt.Errorf("setup: SpacingM %g: want more than 0", s.SpacingM)
	case !(s.RangeM >= 32*s.SpacingM && s.RangeM/s.SpacingM <= 1<<20):
		return fmt.Errorf("setup: RangeM %g: want 32 to 1048576 samples of %g m", s.RangeM, s.SpacingM)
	case !(s.DynamicDB > 0):
		return fmt.Errorf("setup: DynamicDB %g: want more than 0", s.DynamicDB)
	case !(s.RiseM >= 0):
		return fmt.Errorf("setup: RiseM %g: want 0 or more", s.RiseM)
	}
	return nil
}

// floorDB is the lowest level that a trace shows, below the front panel's backscatter: a
// converter has no logarithm for noise below zero.
const floorDB = -45

// Measure synthesises the trace. The received power at a place is the backscatter of the
// pulse's length of fibre behind it, after the losses both ways, plus the reflections
// within that length; the receiver's low pass follows, then Gaussian noise in power that
// averaging lowers by the root of the sweeps. Level 0 is the backscatter at the front
// panel. The random source may be nil for a trace without noise.
func Measure(f Fibre, s Setup, random *rand.Rand) (*Trace, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	n := int(s.RangeM/s.SpacingM) + 1
	t := &Trace{PulseNS: s.PulseNS, Index: f.Index, SpacingM: s.SpacingM, BackscatterDB: f.BackscatterDB,
		WavelengthNM: f.WavelengthNM, Averages: max(s.Averages, 1), Levels: make([]float64, n)}
	power := received(f, s, n, t.PulseM())
	if s.RiseM > 0 {
		keep := math.Exp(-s.SpacingM / s.RiseM)
		for i := 1; i < n; i++ {
			power[i] = keep*power[i-1] + (1-keep)*power[i]
		}
	}
	sigma := 0.0
	if random != nil {
		sigma = math.Pow(10, -(s.DynamicDB+AveragingGainDB(t.Averages))/5)
	}
	least := math.Pow(10, floorDB/5.0)
	for i, p := range power {
		if sigma > 0 {
			p += sigma * random.NormFloat64()
		}
		t.Levels[i] = 5 * math.Log10(max(p, least))
	}
	return t, nil
}

// section is a stretch of fibre between two features; within it light falls off evenly.
type section struct {
	from, to float64
	start    float64 // backscatter at from, relative to the front panel, as two-way power
}

// received is the power at each sample relative to the backscatter at the panel.
func received(f Fibre, s Setup, n int, pulse float64) []float64 {
	features := slices.Clone(f.Features)
	slices.SortStableFunc(features, func(a, b Feature) int { return cmp.Compare(a.AtM, b.AtM) })
	perM := f.SlopeDBKm / 1000 / 5 * math.Ln10 // two-way decay of power, 1/m
	// A reflection is told relative to the backscatter of the whole pulse.
	relative := func(reflectance float64) float64 {
		return math.Pow(10, (reflectance-f.BackscatterDB-10*math.Log10(s.PulseNS))/10)
	}
	type spike struct{ at, height float64 }
	var spikes []spike
	if s.PanelDB < 0 {
		spikes = append(spikes, spike{0, relative(s.PanelDB)})
	}
	sections := []section{{0, f.LengthM, 1}}
	end := f.LengthM
	for _, x := range features {
		last := &sections[len(sections)-1]
		here := last.start * math.Exp(-perM*(x.AtM-last.from))
		if x.ReflectanceDB < 0 {
			spikes = append(spikes, spike{x.AtM, here * relative(x.ReflectanceDB)})
		}
		last.to = x.AtM
		if x.Kind == Break {
			end = x.AtM
			break
		}
		sections = append(sections, section{x.AtM, f.LengthM, here * math.Pow(10, -x.LossDB/5)})
	}
	if last := sections[len(sections)-1]; end == f.LengthM && f.EndDB < 0 {
		spikes = append(spikes, spike{end, last.start * math.Exp(-perM*(end-last.from)) * relative(f.EndDB)})
	}
	out := make([]float64, n)
	first := 0
	for i := range out {
		z := float64(i) * s.SpacingM
		lo := z - pulse
		for first < len(sections)-1 && sections[first].to <= lo {
			first++
		}
		sum := 0.0
		for _, c := range sections[first:] {
			if c.from >= z {
				break
			}
			a, b := max(lo, c.from), min(z, c.to)
			if b > a {
				sum += c.start * stretch(perM, a-c.from, b-c.from)
			}
		}
		sum /= pulse
		for _, r := range spikes {
			if z >= r.at && z < r.at+pulse {
				sum += r.height
			}
		}
		out[i] = sum
	}
	return out
}

// stretch integrates exp(-k x) from a to b.
func stretch(k, a, b float64) float64 {
	if k == 0 {
		return b - a
	}
	return math.Exp(-k*a) * -math.Expm1(-k*(b-a)) / k
}
