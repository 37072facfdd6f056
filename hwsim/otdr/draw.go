package otdr

import (
	"math"
	"math/rand/v2"
)

// Draw makes up a fibre with one break, and the setup with which a technician would look
// for it: the shortest pulse that reads the unbroken length with 6 dB to spare. Lengths
// are 0.5 to 60 km, evenly on a logarithmic scale. Half of the breaks reflect. The break
// is the last feature.
func Draw(random *rand.Rand) (Fibre, Setup) {
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*random.Float64() }
	f := Fibre{LengthM: 500 * math.Pow(120, random.Float64()), Index: between(1.4640, 1.4711), BackscatterDB: between(-82, -77),
		WavelengthNM: 1550, SlopeDBKm: between(0.19, 0.226), EndDB: FresnelDB(1.468)}
	if f.LengthM < 20000 && random.IntN(2) == 0 {
		f.WavelengthNM, f.SlopeDBKm = 1310, between(0.32, 0.36)
	}
	total := f.LengthM / 1000 * f.SlopeDBKm
	drum := between(2000, 4000)
	for at := drum * random.Float64(); at < f.LengthM; at += drum {
		x := Feature{AtM: at, Kind: Splice, LossDB: between(0.02, 0.15)}
		switch random.IntN(12) {
		case 0, 1:
			x.Kind, x.LossDB = Gainer, -between(0.02, 0.12)
		case 2:
			x.Kind, x.LossDB, x.ReflectanceDB = Connector, between(0.2, 0.5), -between(45, 65)
		case 3:
			x.Kind, x.LossDB = Bend, between(0.2, 1)
		}
		total += x.LossDB
		f.Features = append(f.Features, x)
	}
	s := Setup{Averages: 1 << (12 + random.IntN(5)), PanelDB: -between(40, 55)}
	power := between(20, 23) // dynamic range of one sweep at 1 us
	for _, s.PulseNS = range []float64{10, 30, 100, 300, 1000, 3000, 10000} {
		s.DynamicDB = power + 5*math.Log10(s.PulseNS/1000)
		if s.DynamicDB+AveragingGainDB(s.Averages) >= total+6 {
			break
		}
	}
	pulse := PulseM(s.PulseNS, f.Index)
	s.RangeM = f.LengthM * between(1.3, 2)
	s.SpacingM = max(pulse/between(4, 12), s.RangeM/64000)
	s.RiseM = pulse * between(0, 0.1)
	cut := Feature{AtM: between(min(12*pulse, f.LengthM/2), f.LengthM-2*pulse), Kind: Break}
	if random.IntN(2) == 0 {
		cut.ReflectanceDB = -between(14.5, 50)
	}
	kept := f.Features[:0]
	for _, x := range f.Features {
		if x.AtM < cut.AtM {
			kept = append(kept, x)
		}
	}
	f.Features = append(kept, cut)
	return f, s
}
