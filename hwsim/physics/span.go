package physics

import (
	"fmt"
	"math"
	"time"
)

// planck is Planck's constant in J s.
const planck = 6.62607015e-34

// referenceBandHz is 0.1 nm at 1550 nm, in which OSNR is told.
const referenceBandHz = 12.5e9

// Channel is one wavelength with the powers that travel in its band.
type Channel struct {
	FrequencyHz float64
	BaudHz      float64 // symbol rate, the noise bandwidth
	SlotHz      float64
	RollOff     float64
	SignalW     float64
	ASEW        float64 // amplified spontaneous emission
	NLIW        float64 // nonlinear interference
}

// PowerW is all power in the channel.
func (c Channel) PowerW() float64 { return c.SignalW + c.ASEW + c.NLIW }

// OSNRDB is signal to amplifier noise in 0.1 nm, with further noise sources given by
// their own OSNR in 0.1 nm, such as that of the transmitter.
func (c Channel) OSNRDB(others ...float64) float64 { return c.snr(c.ASEW, others) }

// GSNRDB is the same with nonlinear interference as noise.
func (c Channel) GSNRDB(others ...float64) float64 { return c.snr(c.ASEW+c.NLIW, others) }

func (c Channel) snr(noise float64, others []float64) float64 {
	inverse := noise / c.SignalW * referenceBandHz / c.BaudHz
	for _, o := range others {
		inverse += 1 / Ratio(o)
	}
	return -DB(inverse)
}

// Light is what travels along a line of fibres and amplifiers. Elements change it in
// place, in the order in which the light meets them.
type Light struct {
	Channels []Channel
	CDPsNm   float64       // chromatic dispersion
	PMDPs    float64       // root of the sum of squares
	PDLDB    float64       // root of the sum of squares
	Latency  time.Duration // one way
}

// Comb is n equal channels on a grid; the first is one spacing above the start.
func Comb(startHz, spacingHz, baudHz, rollOff float64, n int, dBm float64) *Light {
	l := &Light{Channels: make([]Channel, n)}
	for i := range l.Channels {
		l.Channels[i] = Channel{FrequencyHz: startHz + spacingHz*float64(i+1), BaudHz: baudHz, SlotHz: spacingHz, RollOff: rollOff,
			SignalW: FromDBm(dBm) / 1000}
	}
	return l
}

// GSNRDB is the mean over the channels, in dB, of GSNR in 0.1 nm; others as for Channel.
func (l *Light) GSNRDB(others ...float64) float64 {
	return l.mean(func(c Channel) float64 { return c.GSNRDB(others...) })
}

// OSNRDB is the mean over the channels, in dB, of OSNR in 0.1 nm.
func (l *Light) OSNRDB(others ...float64) float64 {
	return l.mean(func(c Channel) float64 { return c.OSNRDB(others...) })
}

func (l *Light) mean(of func(Channel) float64) float64 {
	sum := 0.0
	for _, c := range l.Channels {
		sum += of(c)
	}
	return sum / float64(len(l.Channels))
}

// Attenuate takes a loss in dB from every power.
func (l *Light) Attenuate(dB float64) {
	for i := range l.Channels {
		l.Channels[i].scale(Ratio(-dB))
	}
}

func (c *Channel) scale(by float64) { c.SignalW, c.ASEW, c.NLIW = c.SignalW*by, c.ASEW*by, c.NLIW*by }

// Equalise is what a ROADM does: it brings every channel to a power in dBm, and adds its
// own PMD in ps and PDL in dB.
func (l *Light) Equalise(dBm, pmdPs, pdlDB float64) {
	for i := range l.Channels {
		c := &l.Channels[i]
		c.scale(FromDBm(dBm) / 1000 / c.PowerW())
	}
	l.PMDPs, l.PDLDB = math.Hypot(l.PMDPs, pmdPs), math.Hypot(l.PDLDB, pdlDB)
}

// Amplifier lifts all power by its gain and adds noise.
type Amplifier struct{ GainDB, NoiseFigureDB, PMDPs, PDLDB float64 }

// Amplify adds h f B F of noise at the input, and applies the gain: the OSNR of one
// amplifier in 0.1 nm is P_in - NF - 10 log10(h f B), where h f B is -57.95 dBm at
// 193.4 THz (Desurvire 1994, ch. 2, for gains well above 1).
func (l *Light) Amplify(a Amplifier) {
	for i := range l.Channels {
		c := &l.Channels[i]
		c.ASEW += planck * c.FrequencyHz * c.BaudHz * Ratio(a.NoiseFigureDB)
		c.scale(Ratio(a.GainDB))
	}
	l.PMDPs, l.PDLDB = math.Hypot(l.PMDPs, a.PMDPs), math.Hypot(l.PDLDB, a.PDLDB)
}

// Lump is a loss at one place of a fibre: a splice, or a fault.
type Lump struct{ AtKm, LossDB float64 }

// Fibre is a span between two amplifiers.
type Fibre struct {
	LengthKm     float64
	LossDBKm     float64
	PadDB        float64 // attenuator before the fibre
	InDB, OutDB  float64 // connectors
	Lumps        []Lump
	DispersionPs float64 // ps/(nm km) at 1550 nm
	EffectiveUm2 float64 // effective area at 1550 nm, um^2
	PMDPsSqrtKm  float64 // ps per root km
	Index        float64 // group index
}

// SSMF is standard single-mode fibre (ITU-T G.652): 0.2 dB/km, 16.7 ps/(nm km), 83 um^2,
// 0.04 ps per root km.
func SSMF(km float64) Fibre {
	return Fibre{LengthKm: km, LossDBKm: 0.2, DispersionPs: 16.7, EffectiveUm2: 83, PMDPsSqrtKm: 0.04, Index: 1.468}
}

// Validate names the first field without sense.
func (f Fibre) Validate() error {
	for _, x := range []struct {
		name string
		v    float64
	}{{"LengthKm", f.LengthKm}, {"LossDBKm", f.LossDBKm}, {"EffectiveUm2", f.EffectiveUm2}, {"Index", f.Index}} {
		if !(x.v > 0) {
			return fmt.Errorf("fibre: %s %g: want more than 0", x.name, x.v)
		}
	}
	if f.DispersionPs == 0 {
		return fmt.Errorf("fibre: DispersionPs 0: the noise models need dispersion")
	}
	for i, l := range f.Lumps {
		if !(l.AtKm >= 0 && l.AtKm <= f.LengthKm) {
			return fmt.Errorf("fibre: Lumps[%d].AtKm %g: outside of %g km", i, l.AtKm, f.LengthKm)
		}
	}
	return nil
}

// LossDB is the loss of the span, without gain from Raman pumps.
func (f Fibre) LossDB() float64 {
	l := f.LengthKm*f.LossDBKm + f.PadDB + f.InDB + f.OutDB
	for _, x := range f.Lumps {
		l += x.LossDB
	}
	return l
}

// Propagate sends light through the fibre: interference by the incoherent Gaussian noise
// model in closed form, then all losses; dispersion, PMD, and delay add up. A lump is
// taken as a loss behind the nonlinear part, which is near the input.
func (f Fibre) Propagate(l *Light) error {
	if err := f.Validate(); err != nil {
		return err
	}
	l.Attenuate(f.PadDB + f.InDB)
	for i, w := range f.closedForm(l.Channels) {
		l.Channels[i].NLIW += w
	}
	l.Attenuate(f.LossDB() - f.PadDB - f.InDB)
	f.age(l)
	return nil
}

// age adds what does not depend on power.
func (f Fibre) age(l *Light) {
	l.CDPsNm += f.DispersionPs * f.LengthKm
	l.PMDPs = math.Hypot(l.PMDPs, f.PMDPsSqrtKm*math.Sqrt(f.LengthKm))
	l.Latency += seconds(f.LengthKm * 1000 * f.Index / light)
}

// referenceHz is 1550 nm, where dispersion and effective area of a fibre are given.
const referenceHz = light / 1550e-9

// alpha is the power attenuation in 1/m.
func (f Fibre) alpha() float64 { return f.LossDBKm / 1000 * math.Ln10 / 10 }

// beta2 is the group velocity dispersion in s^2/m. Dispersion is taken to grow with the
// square of the wavelength, which makes beta2 the same for all channels.
func (f Fibre) beta2() float64 {
	return -f.DispersionPs * 1e-6 * light / (2 * math.Pi * referenceHz * referenceHz)
}

// Core radius in m and nonlinear index in m^2/W of silica fibre.
const (
	coreRadius  = 4.2e-6
	kerrIndexN2 = 2.6e-20
)

// effectiveArea is that of the Gaussian mode of a step-index fibre, pi a^2 / ln V
// (Snyder and Sammut 1979), with V fixed by the area at 1550 nm and growing with
// frequency; in m^2.
func (f Fibre) effectiveArea(hz float64) float64 {
	disc := math.Pi * coreRadius * coreRadius
	return disc / (disc/(f.EffectiveUm2*1e-12) + math.Log(hz/referenceHz))
}

// gamma is the nonlinear coefficient 2 pi n2 f / (c A) in 1/(W m).
func (f Fibre) gamma(hz float64) float64 {
	return 2 * math.Pi * kerrIndexN2 * hz / (light * f.effectiveArea(hz))
}

// Weights of self- and cross-channel interference of two polarisations.
const (
	selfWeight  = 16.0 / 27
	crossWeight = 32.0 / 27
)

// closedForm is the interference power in W at the fibre input in each channel: Poggiolini
// et al., "A detailed analytical derivation of the GN model", arXiv:1209.0394, eq. 120 and
// 123, each pair of channels on its own.
func (f Fibre) closedForm(channels []Channel) []float64 {
	alpha, beta := f.alpha(), math.Abs(f.beta2())
	leff := -math.Expm1(-alpha*f.LengthKm*1000) / alpha
	nli := make([]float64, len(channels))
	for i, cut := range channels {
		g := f.gamma(cut.FrequencyHz)
		for j, pump := range channels {
			weight := crossWeight
			if i == j {
				weight = selfWeight
			}
			df := pump.FrequencyHz - cut.FrequencyHz
			k := math.Pi * math.Pi / alpha * beta * cut.BaudHz
			psi := (math.Asinh(k*(df+pump.BaudHz/2)) - math.Asinh(k*(df-pump.BaudHz/2))) / 2 *
				leff * leff * alpha / (2 * math.Pi * beta)
			nli[i] += g * g * weight * psi * cut.PowerW() * sq(pump.PowerW()/pump.BaudHz)
		}
	}
	return nli
}
