package physics

import (
	"fmt"
	"math"
)

// light is the speed of light in m/s.
const light = 299792458.0

// Scenario names a deployment of TR 38.901.
type Scenario string

// Scenarios of TR 38.901 Table 7.4.1-1.
const (
	UMa Scenario = "UMa" // urban macro
	UMi Scenario = "UMi" // urban micro, street canyon
	RMa Scenario = "RMa" // rural macro
)

// RadioPath is the geometry of a link between a base station and a terminal.
type RadioPath struct {
	Scenario        Scenario
	FrequencyGHz    float64 // carrier
	BSHeightM       float64
	UTHeightM       float64
	BuildingHeightM float64 // RMa alone; 0 is 5 m
	StreetWidthM    float64 // RMa alone; 0 is 20 m
}

// Validate names the first field that is outside the model.
func (p RadioPath) Validate() error {
	switch {
	case p.Scenario != UMa && p.Scenario != UMi && p.Scenario != RMa:
		return fmt.Errorf("radio path: Scenario %q: want UMa, UMi or RMa", p.Scenario)
	case !(p.FrequencyGHz >= 0.5 && p.FrequencyGHz <= 100):
		return fmt.Errorf("radio path: FrequencyGHz %g: want 0.5 to 100", p.FrequencyGHz)
	case !(p.UTHeightM > 1 && p.UTHeightM <= 22.5):
		return fmt.Errorf("radio path: UTHeightM %g: want above 1, at most 22.5", p.UTHeightM)
	case !(p.BSHeightM > 1 && p.BSHeightM <= 150):
		return fmt.Errorf("radio path: BSHeightM %g: want above 1, at most 150", p.BSHeightM)
	}
	return nil
}

// tr38901c is the propagation speed that TR 38.901 sets for its breakpoints.
const tr38901c = 3.0e8

// PathLossDB is the median path loss in dB over a ground distance in m, by TR 38.901
// Table 7.4.1-1, in line of sight or not. Distances below 10 m count as 10 m; beyond
// the range of the table (5 km, RMa in sight 10 km) it extrapolates. The environment
// height of UMa is 1 m, as the table has it for terminals below 13 m.
func (p RadioPath) PathLossDB(ground float64, inSight bool) (float64, error) {
	if err := p.Validate(); err != nil {
		return 0, err
	}
	if !(ground >= 0) {
		return 0, fmt.Errorf("radio path: distance %g m: want 0 or more", ground)
	}
	ground = max(ground, 10)
	dh := p.BSHeightM - p.UTHeightM
	d := math.Hypot(ground, dh)
	f := p.FrequencyGHz
	lf := 20 * math.Log10(f)
	var los, nlos float64
	switch p.Scenario {
	case UMa, UMi:
		a, n1, b := 28.0, 22.0, 9.0
		if p.Scenario == UMi {
			a, n1, b = 32.4, 21, 9.5
		}
		breakpoint := 4 * (p.BSHeightM - 1) * (p.UTHeightM - 1) * f * 1e9 / tr38901c
		if ground <= breakpoint {
			los = a + n1*math.Log10(d) + lf
		} else {
			los = a + 40*math.Log10(d) + lf - b*math.Log10(breakpoint*breakpoint+dh*dh)
		}
		if p.Scenario == UMa {
			nlos = 13.54 + 39.08*math.Log10(d) + lf - 0.6*(p.UTHeightM-1.5)
		} else {
			nlos = 22.4 + 35.3*math.Log10(d) + 21.3*math.Log10(f) - 0.3*(p.UTHeightM-1.5)
		}
	case RMa:
		los, nlos = p.rural(ground, d)
	}
	if inSight {
		return los, nil
	}
	return max(los, nlos), nil
}

func (p RadioPath) rural(ground, d float64) (los, nlos float64) {
	h, w := p.BuildingHeightM, p.StreetWidthM
	if h == 0 {
		h = 5
	}
	if w == 0 {
		w = 20
	}
	near := func(d float64) float64 {
		h172 := math.Pow(h, 1.72)
		return 20*math.Log10(40*math.Pi*d*p.FrequencyGHz/3) + min(0.03*h172, 10)*math.Log10(d) -
			min(0.044*h172, 14.77) + 0.002*math.Log10(h)*d
	}
	breakpoint := 2 * math.Pi * p.BSHeightM * p.UTHeightM * p.FrequencyGHz * 1e9 / tr38901c
	if ground <= breakpoint {
		los = near(d)
	} else {
		los = near(breakpoint) + 40*math.Log10(d/breakpoint)
	}
	lb := math.Log10(p.BSHeightM)
	lu := math.Log10(11.75 * p.UTHeightM)
	r := h / p.BSHeightM
	nlos = 161.04 - 7.1*math.Log10(w) + 7.5*math.Log10(h) - (24.37-3.7*r*r)*lb +
		(43.42-3.1*lb)*(math.Log10(d)-3) + 20*math.Log10(p.FrequencyGHz) - (3.2*lu*lu - 4.97)
	return los, nlos
}

// SightProbability is the probability of line of sight over a ground distance in m, by
// TR 38.901 Table 7.4.2-1 for terminals up to 13 m.
func (p RadioPath) SightProbability(ground float64) float64 {
	decay := 63.0
	switch p.Scenario {
	case RMa:
		return min(1, math.Exp(-(ground-10)/1000))
	case UMi:
		decay = 36
	}
	if ground <= 18 {
		return 1
	}
	return 18/ground + math.Exp(-ground/decay)*(1-18/ground)
}

// ElementGainDBi is the gain of one antenna element at a zenith angle (90 is the
// horizon) and an azimuth off boresight, both in degrees: TR 38.901 Table 7.3-1.
func ElementGainDBi(zenith, azimuth float64) float64 {
	v := math.Min(12*sq((zenith-90)/65), 30)
	h := math.Min(12*sq(turn(azimuth)/65), 30)
	return 8 - math.Min(v+h, 30)
}

// Sector is the pattern of a macro panel: the form of TR 36.814 Table A.2.1.1-2, with
// the electrical downtilt in the vertical cut.
type Sector struct {
	MaxGainDBi     float64
	BeamVDeg       float64 // 3 dB width, vertical
	BeamHDeg       float64 // 3 dB width, horizontal
	SideLobeDB     float64 // limit of the vertical cut
	FrontBackDB    float64 // limit of the horizontal cut and of the sum
	TiltDeg        float64 // electrical downtilt below the horizon
	BoresightAzDeg float64
}

// MacroSector is the panel of TR 36.814: 15 dBi, 10 by 70 degrees.
func MacroSector(tiltDeg float64) Sector {
	return Sector{MaxGainDBi: 15, BeamVDeg: 10, BeamHDeg: 70, SideLobeDB: 20, FrontBackDB: 25, TiltDeg: tiltDeg}
}

// GainDBi is the gain towards a depression below the horizon and an azimuth, both in
// degrees.
func (s Sector) GainDBi(depression, azimuth float64) float64 {
	v := math.Min(12*sq((depression-s.TiltDeg)/s.BeamVDeg), s.SideLobeDB)
	h := math.Min(12*sq(turn(azimuth-s.BoresightAzDeg)/s.BeamHDeg), s.FrontBackDB)
	return s.MaxGainDBi - math.Min(v+h, s.FrontBackDB)
}

// DepressionDeg is the angle below the horizon at which a terminal is seen over a
// ground distance in m.
func DepressionDeg(bsHeightM, utHeightM, ground float64) float64 {
	return math.Atan2(bsHeightM-utHeightM, ground) * 180 / math.Pi
}

// RSRPDBm is the received power of one resource element: the power of the carrier over
// all its subcarriers (12 for each resource block), the antenna gain, and the path loss
// with everything else that is lost on the way.
func RSRPDBm(carrierDBm float64, subcarriers int, gainDBi, lossDB float64) float64 {
	return carrierDBm - 10*math.Log10(float64(subcarriers)) + gainDBi - lossDB
}

// NoiseDBm is thermal noise at 290 K (-174 dBm/Hz) in a bandwidth, with the noise
// figure of the receiver.
func NoiseDBm(bandwidthHz, noiseFigureDB float64) float64 {
	return -174 + 10*math.Log10(bandwidthHz) + noiseFigureDB
}

// Interferer is the full power of another cell at the receiver and the share of its
// resources that are busy, 0 to 1.
type Interferer struct{ PowerDBm, Load float64 }

// SINRDB is S / (sum of I_k * load_k + N) in dB; all powers over the same bandwidth.
func SINRDB(signalDBm, noiseDBm float64, others ...Interferer) float64 {
	n := FromDBm(noiseDBm)
	for _, o := range others {
		n += FromDBm(o.PowerDBm) * o.Load
	}
	return signalDBm - ToDBm(n)
}

func sq(x float64) float64 { return x * x }

// turn brings an angle to -180 to 180 degrees.
func turn(deg float64) float64 { return math.Remainder(deg, 360) }
