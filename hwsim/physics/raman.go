package physics

import (
	"fmt"
	"math"
)

// Pump is a Raman pump that is fed into the far end of a fibre.
type Pump struct{ FrequencyHz, PowerW float64 }

// Raman says how to carry light through a fibre with Raman scattering, between channels
// and from pumps, and with the generalised Gaussian noise model.
type Raman struct {
	Pumps        []Pump
	TemperatureK float64 // 0 is 283
	// Computed are the channels, by index, whose interference is computed; it is
	// interpolated between them. Empty means five, evenly spread.
	Computed []int
}

// Steps of the power profile: of the solver, and of the noise model, in m.
const (
	solverStep  = 100.0
	profileStep = 10e3
)

// boltzmann is in J/K.
const boltzmann = 1.380649e-23

// PropagateRaman is Propagate with stimulated Raman scattering, the spontaneous noise of
// the pumps, and interference by the generalised Gaussian noise model. A lump takes its
// loss where it lies. A full band takes about half a second, with Propagate a millisecond.
func (f Fibre) PropagateRaman(l *Light, r Raman) error {
	if err := f.Validate(); err != nil {
		return err
	}
	for i, p := range r.Pumps {
		if !(p.FrequencyHz > 0 && p.PowerW >= 0) {
			return fmt.Errorf("raman: Pumps[%d] %v: want a frequency and a power", i, p)
		}
	}
	for _, c := range r.Computed {
		if c < 0 || c >= len(l.Channels) {
			return fmt.Errorf("raman: Computed channel %d: there are %d", c, len(l.Channels))
		}
	}
	if len(l.Channels) == 0 {
		return nil
	}
	l.Attenuate(f.PadDB + f.InDB)
	s := f.scatter(l.Channels, r)
	nli := f.generalised(l.Channels, s, r.computed(len(l.Channels)))
	ase := s.spontaneous(l.Channels, r)
	last := len(s.z) - 1
	for i := range l.Channels {
		c := &l.Channels[i]
		c.NLIW += nli[i]
		c.ASEW += ase[i]
		c.scale(s.loss(i, last))
	}
	l.Attenuate(f.OutDB)
	f.age(l)
	return nil
}

func (r Raman) computed(n int) []int {
	if len(r.Computed) > 0 {
		return r.Computed
	}
	count := min(5, n)
	out := make([]int, count)
	for i := range out {
		out[i] = i * (n - 1) / max(count-1, 1)
	}
	return out
}

// mode is a vibration of silica: wave number, strength, and its Gaussian and Lorentzian
// widths (full, half maximum), in 1/cm.
type mode struct{ at, strength, gauss, lorentz float64 }

// silica are the vibrations of Hollenbeck and Cantrell, J. Opt. Soc. Am. B 19 (2002)
// 2886, Table 1.
var silica = [...]mode{
	{56.25, 1.00, 52.10, 17.37}, {100, 11.40, 110.42, 38.81}, {231.25, 36.67, 175, 58.33}, {362.5, 67.67, 162.5, 54.17},
	{463, 74, 135.33, 45.11}, {497, 4.5, 24.5, 8.17}, {611.5, 6.8, 41.5, 13.83}, {691.67, 4.6, 155, 51.67}, {793.67, 4.2, 59.5, 19.83},
	{835.5, 4.5, 64.3, 21.43}, {930, 2.7, 150, 50}, {1080, 3.1, 91, 30.33}, {1215, 3, 160, 53.33},
}

// Peak Raman gain of standard fibre, 1/(W m), unpolarised, for a pump at 206.2 THz and
// an effective area of 76 um^2. A doped core has a broader spectrum than silica with a
// lower peak, about 0.42e-3; 0.46e-3 makes up for that in the C band. It was chosen so
// that a span pumped at 201 and 205 THz gains what GNPy's measured spectrum gives.
const (
	ramanPeak     = 0.46e-3
	ramanPumpHz   = 206.2e12
	ramanAreaM2   = 76e-12
	ramanGridHz   = 0.25e12
	ramanGridSize = 161 // to 40 THz
)

// ramanShape is the gain spectrum of silica on a grid from 0 to 40 THz, 1 at its peak:
// the sine transform of the response sum of A exp(-gamma t) exp(-Gamma^2 t^2 / 4) sin(w t).
func ramanShape() []float64 {
	const dt, n = 2e-15, 1500 // the response is gone after 3 ps
	response := make([]float64, n)
	for i := range response {
		t := float64(i) * dt
		for _, m := range silica {
			perSecond := math.Pi * light * 100
			response[i] += m.strength * math.Exp(-perSecond*m.lorentz*t-sq(perSecond*m.gauss*t)/4) * math.Sin(2*perSecond*m.at*t)
		}
	}
	shape := make([]float64, ramanGridSize)
	peak := 0.0
	for k := range shape {
		for i, h := range response {
			shape[k] += h * math.Sin(2*math.Pi*ramanGridHz*float64(k)*float64(i)*dt)
		}
		peak = max(peak, shape[k])
	}
	for k := range shape {
		shape[k] = max(shape[k]/peak, 0)
	}
	return shape
}

// scattered is the power profile of a fibre.
type scattered struct {
	z     []float64   // m
	power [][]float64 // of each channel, then of each pump, W
	gain  [][]float64 // of wave i from wave j, 1/(W m); negative where i gives
}

// loss is what is left of a wave at z[k], relative to where it comes in.
func (s scattered) loss(i, k int) float64 { return s.power[i][k] / s.power[i][0] }

// scatter solves dP_i/dz = (-alpha + sum of g_ij P_j) P_i for channels going forward and
// pumps going backward, by iterating over the whole fibre.
func (f Fibre) scatter(channels []Channel, r Raman) scattered {
	n, length := len(channels), f.LengthKm*1000
	var hz, launch []float64
	for _, c := range channels {
		hz, launch = append(hz, c.FrequencyHz), append(launch, c.PowerW())
	}
	for _, p := range r.Pumps {
		hz, launch = append(hz, p.FrequencyHz), append(launch, p.PowerW*Ratio(-f.OutDB)) // through the connector
	}
	steps := max(2, int(math.Ceil(length/solverStep)))
	s := scattered{gain: f.ramanGain(hz)}
	lumps := make([]float64, steps+1) // neper up to a point
	for k := range steps + 1 {
		z := length * float64(k) / float64(steps)
		s.z = append(s.z, z)
		for _, x := range f.Lumps {
			if x.AtKm*1000 <= z {
				lumps[k] += x.LossDB * math.Ln10 / 10
			}
		}
	}
	alpha, dz := f.alpha(), length/float64(steps)
	for i := range hz {
		s.power = append(s.power, make([]float64, steps+1))
		for k, z := range s.z {
			if i < n {
				s.power[i][k] = launch[i] * math.Exp(-alpha*z-lumps[k])
			} else {
				s.power[i][k] = launch[i] * math.Exp(-alpha*(length-z)-lumps[steps]+lumps[k])
			}
		}
	}
	slope := make([]float64, steps+1)
	for range 200 {
		change := 0.0
		for i := range hz {
			for k := range slope {
				slope[k] = 0
			}
			for j, g := range s.gain[i] {
				if g != 0 {
					for k, p := range s.power[j] {
						slope[k] += g * p
					}
				}
			}
			sum := 0.0
			for step := range steps + 1 {
				k, from := step, step-1
				if i >= n {
					k, from = steps-step, steps-step+1
				}
				if step > 0 {
					sum += (slope[k] + slope[from]) / 2 * dz
				}
				lump := lumps[k]
				if i >= n {
					lump = lumps[steps] - lumps[k]
				}
				p := launch[i] * math.Exp(sum-alpha*dz*float64(step)-lump)
				if launch[i] > 0 {
					change = max(change, math.Abs(p/s.power[i][k]-1))
				}
				s.power[i][k] = p
			}
		}
		if change < 1e-9 {
			break
		}
	}
	return s
}

// ramanGain is the matrix of gains. It grows with the frequency of the wave that gives,
// falls with the mean of both effective areas, and takes from the giver one photon for
// each that it makes (Agrawal 2013, ch. 8).
func (f Fibre) ramanGain(hz []float64) [][]float64 {
	shape := ramanShape()
	gain := make([][]float64, len(hz))
	for i, fi := range hz {
		gain[i] = make([]float64, len(hz))
		for j, fj := range hz {
			x := math.Abs(fj-fi) / ramanGridHz
			k := int(x)
			if k+1 >= len(shape) || i == j {
				continue
			}
			y := shape[k] + (x-float64(k))*(shape[k+1]-shape[k])
			area := (f.effectiveArea(fi) + f.effectiveArea(fj)) / 2
			g := ramanPeak * y * max(fi, fj) / ramanPumpHz * ramanAreaM2 / area
			if fi > fj {
				g *= -fi / fj
			}
			gain[i][j] = g
		}
	}
	return gain
}

// spontaneous is the noise that the pumps scatter into each channel, told at the fibre
// input: 2 h f B (1 + n) times the integral of g P_pump over the loss, with n photons of
// heat (Bromage, J. Lightwave Technol. 22 (2004) 79).
func (s scattered) spontaneous(channels []Channel, r Raman) []float64 {
	kelvin := r.TemperatureK
	if kelvin == 0 {
		kelvin = 283
	}
	ase := make([]float64, len(channels))
	for i, c := range channels {
		for p, pump := range r.Pumps {
			df := pump.FrequencyHz - c.FrequencyHz
			if df <= 0 {
				continue
			}
			row := s.power[len(channels)+p]
			integral := 0.0
			for k := 1; k < len(s.z); k++ {
				integral += (row[k]/s.loss(i, k) + row[k-1]/s.loss(i, k-1)) / 2 * (s.z[k] - s.z[k-1])
			}
			heat := 1 / math.Expm1(planck*df/(boltzmann*kelvin))
			ase[i] += 2 * planck * c.FrequencyHz * c.BaudHz * (1 + heat) * s.gain[i][len(channels)+p] * integral
		}
	}
	return ase
}
