package otdr

import (
	"fmt"
	"math"
	"slices"
)

// Trace is what an instrument shows of a fibre.
type Trace struct {
	PulseNS       float64
	Index         float64 // group index
	SpacingM      float64 // between samples
	StartM        float64 // of the first sample; 0 is the front panel
	BackscatterDB float64 // coefficient of the fibre for a pulse of 1 ns
	WavelengthNM  float64
	Averages      int
	Levels        []float64 // dB, one way
}

// PulseM is the length of fibre that a pulse covers: c W / (2 n).
func (t *Trace) PulseM() float64 { return PulseM(t.PulseNS, t.Index) }

// At is the place of a sample in m.
func (t *Trace) At(i int) float64 { return t.StartM + float64(i)*t.SpacingM }

// Validate names the first field without sense.
func (t *Trace) Validate() error {
	switch {
	case !(t.PulseNS > 0):
		return fmt.Errorf("trace: PulseNS %g: want more than 0", t.PulseNS)
	case !(t.Index >= 1):
		return fmt.Errorf("trace: Index %g: want 1 or more", t.Index)
	case !(t.SpacingM > 0):
		return fmt.Errorf("trace: SpacingM %g: want more than 0", t.SpacingM)
	case len(t.Levels) < 32:
		return fmt.Errorf("trace: %d samples: want 32 or more", len(t.Levels))
	}
	return nil
}

// PulseM is the length of fibre that a pulse of a width in ns covers, c W / (2 n): the
// least event dead zone, and the blur of every place on a trace.
func PulseM(widthNS, index float64) float64 { return light * widthNS * 1e-9 / (2 * index) }

// RoundTripM converts two-way time in ns to distance, c t / (2 n).
func RoundTripM(ns, index float64) float64 { return light * ns * 1e-9 / (2 * index) }

// SpikeDB is the height of a reflection above the backscatter before it: H = 5 log10(1 +
// 10^((R - B - 10 log10 W) / 10)), R the reflectance and B the backscatter for 1 ns in
// dB, W the pulse in ns (Derickson 1998, ch. 11).
func SpikeDB(reflectanceDB, backscatterDB, pulseNS float64) float64 {
	return 5 * math.Log10(1+math.Pow(10, (reflectanceDB-backscatterDB-10*math.Log10(pulseNS))/10))
}

// ReflectanceDB is the inverse of SpikeDB; -Inf for no height.
func ReflectanceDB(spikeDB, backscatterDB, pulseNS float64) float64 {
	return backscatterDB + 10*math.Log10(pulseNS) + 10*math.Log10(math.Expm1(max(spikeDB, 0)/5*math.Ln10))
}

// FresnelDB is the reflectance of a cleaved end in air, 20 log10((n-1)/(n+1)).
func FresnelDB(index float64) float64 { return 20 * math.Log10((index-1)/(index+1)) }

// AveragingGainDB is what averaging sweeps adds to the dynamic range: 2.5 log10 N, one
// way.
func AveragingGainDB(sweeps int) float64 { return 2.5 * math.Log10(float64(max(sweeps, 1))) }

// DeadZones measures a reflection at a place: event is the width of its spike 1.5 dB below
// the peak (Bellcore), at best a pulse; attenuation is the distance from its start until
// the trace stays within 0.5 dB of the fibre behind, read 20 to 40 pulses on. Both are NaN
// where the trace ends before.
func (t *Trace) DeadZones(atM float64) (event, attenuation float64) {
	pulse := max(2, int(math.Ceil(t.PulseM()/t.SpacingM)))
	first := int(math.Ceil((atM - t.StartM) / t.SpacingM))
	if first < 0 || first+40*pulse >= len(t.Levels) {
		return math.NaN(), math.NaN()
	}
	peak := first
	for i := first; i < first+2*pulse; i++ {
		if t.Levels[i] > t.Levels[peak] {
			peak = i
		}
	}
	lo, hi := peak, peak
	for lo > 0 && t.Levels[lo-1] > t.Levels[peak]-1.5 {
		lo--
	}
	for t.Levels[hi+1] > t.Levels[peak]-1.5 && hi+2 < len(t.Levels) {
		hi++
	}
	event = float64(hi-lo+1) * t.SpacingM
	s := newSums(t.Levels[first+20*pulse:first+40*pulse], slices.Repeat([]float64{1}, 20*pulse))
	behind := s.over(0, 20*pulse).fit()
	last := first
	for i := first; i < first+20*pulse; i++ {
		if math.Abs(t.Levels[i]-behind.at(float64(i-first-20*pulse))) > 0.5 {
			last = i
		}
	}
	return event, float64(last-first+1) * t.SpacingM
}
