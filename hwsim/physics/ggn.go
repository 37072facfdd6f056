package physics

import (
	"math"
	"math/cmplx"
)

// generalised is the interference power in W, at the fibre input, in each channel:
// Cantono et al., "On the interplay of nonlinear interference generation with stimulated
// Raman scattering for QoT estimation", JLT 36 (2018), the form of arXiv:1710.02225 eq.
// 21 for separate channels. It is computed in some channels and its density interpolated
// between them; beyond the outermost it stays.
func (f Fibre) generalised(channels []Channel, s scattered, computed []int) []float64 {
	density := make([]float64, len(computed)) // W/Hz
	for n, cut := range computed {
		c := channels[cut]
		g := f.gamma(c.FrequencyHz)
		for j, pump := range channels {
			weight := crossWeight
			if j == cut {
				weight = selfWeight
			}
			density[n] += g * g * weight * f.psi(channels, s, cut, j) * c.PowerW() / c.BaudHz * sq(pump.PowerW()/pump.BaudHz)
		}
	}
	nli := make([]float64, len(channels))
	for i, c := range channels {
		k := 0
		for k+1 < len(computed) && channels[computed[k+1]].FrequencyHz <= c.FrequencyHz {
			k++
		}
		d := density[k]
		if k+1 < len(computed) {
			lo, hi := channels[computed[k]].FrequencyHz, channels[computed[k+1]].FrequencyHz
			d += (density[k+1] - d) * min(max((c.FrequencyHz-lo)/(hi-lo), 0), 1)
		}
		nli[i] = d * c.BaudHz
	}
	return nli
}

// psi is the integral of the mixing efficiency of a channel with a pump over their
// spectra, in Hz^2 m^2. Near pumps are integrated in two dimensions; for far ones the
// efficiency hardly changes over the pump's spectrum, and its edges do.
func (f Fibre) psi(channels []Channel, s scattered, cut, pump int) float64 {
	c, p := channels[cut], channels[pump]
	beta := math.Abs(f.beta2())
	w := f.mixing(s, pump)
	slot := 0.0
	for _, x := range channels {
		slot = max(slot, x.SlotHz, x.BaudHz*(1+x.RollOff))
	}
	apart := math.Abs(p.FrequencyHz - c.FrequencyHz)
	// Steps that turn the phase by less than 0.1 over a step of the profile.
	fine := min(f.alpha(), 0.1/profileStep) / beta / (4 * math.Pi * math.Pi * slot)
	cutStep := fine / (1 + math.Abs(float64(cut-pump)))
	halfCut, halfPump := c.BaudHz*(1+c.RollOff)/2, p.BaudHz*(1+p.RollOff)/2
	factor := 4 * math.Pi * math.Pi * beta
	// Beyond this the efficiency varies slowly; 250 GHz for 32 GBd in standard fibre.
	if far := 5 * 50e9 * 32e9 * 21.3e-27 / (beta * p.BaudHz); apart > far {
		sum := 0.0
		for _, f1 := range []float64{p.FrequencyHz - halfPump, p.FrequencyHz + halfPump} {
			df1 := f1 - c.FrequencyHz
			sum += integrate(0, halfCut, cutStep, func(x float64) float64 { return w.efficiency(factor * df1 * x) })
		}
		return sum * p.BaudHz // both signs of x, and the mean of both edges
	}
	return integrate(-halfPump, halfPump, fine, func(x1 float64) float64 {
		df1 := p.FrequencyHz + x1 - c.FrequencyHz
		outer := raisedCosine(x1, p.BaudHz, p.RollOff)
		if outer == 0 {
			return 0
		}
		return outer * integrate(-halfCut, halfCut, cutStep, func(x2 float64) float64 {
			window := raisedCosine(x2, c.BaudHz, c.RollOff) * raisedCosine(x1+x2, p.BaudHz, p.RollOff)
			if window == 0 {
				return 0
			}
			return window * w.efficiency(factor*df1*x2)
		})
	})
}

// integrate is the trapezoidal rule with steps of about a size.
func integrate(lo, hi, step float64, of func(float64) float64) float64 {
	n := max(1, int(math.Ceil((hi-lo)/step)))
	dx := (hi - lo) / float64(n)
	sum := (of(lo) + of(hi)) / 2
	for i := 1; i < n; i++ {
		sum += of(lo + dx*float64(i))
	}
	return sum * dx
}

// raisedCosine is the spectrum of a channel about its centre, 1 in the middle.
func raisedCosine(x, baud, rollOff float64) float64 {
	x = math.Abs(x)
	pass, stop := (1-rollOff)*baud/2, (1+rollOff)*baud/2
	switch {
	case x <= pass:
		return 1
	case x >= stop:
		return 0
	}
	return (1 + math.Cos(math.Pi/(rollOff*baud)*(x-pass))) / 2
}

// mixer is the profile of a pump without its even attenuation, straight between points
// that lie evenly apart.
type mixer struct {
	alpha, step float64
	n           int
	level       []float64 // at each point
}

func (f Fibre) mixing(s scattered, pump int) mixer {
	length := s.z[len(s.z)-1]
	m := mixer{alpha: f.alpha(), n: max(1, int(math.Round(length/profileStep)))}
	m.step = length / float64(m.n)
	for i := range m.n + 1 {
		k := i * (len(s.z) - 1) / m.n
		m.level = append(m.level, s.loss(pump, k)*math.Exp(m.alpha*s.z[k]))
	}
	return m
}

// efficiency is |integral of level(z) exp((i db - alpha) z) dz|^2 in m^2, for a phase
// mismatch db in 1/m.
func (m mixer) efficiency(db float64) float64 {
	w := complex(-m.alpha, db)
	turn := cmplx.Exp(w * complex(m.step, 0))
	at := complex(1, 0)
	sum := complex(-m.level[0], 0)
	var bends complex128
	for i := range m.n {
		next := at * turn
		bends += complex((m.level[i+1]-m.level[i])/m.step, 0) * (next - at)
		at = next
	}
	sum += complex(m.level[m.n], 0) * at
	x := sum/w - bends/(w*w)
	return real(x)*real(x) + imag(x)*imag(x)
}
