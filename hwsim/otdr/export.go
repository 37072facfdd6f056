package otdr

import (
	"fmt"
	"math"
	"slices"
)

// NewFile makes a .sor file of the second version from a trace and what was found on it,
// for Write. The caller fills in General and Supply, and the time. Levels are told below
// the highest of the trace, to 0.001 dB; what lies more than 65 dB below is cut off.
func NewFile(t *Trace, found *Findings) (*File, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	tick := 1e-10 * light / t.Index // m in 100 ps
	if t.PulseNS > math.MaxUint16 || t.At(len(t.Levels))/tick > math.MaxInt32 {
		return nil, fmt.Errorf("make .sor file: pulse %g ns over %g m: more than the file can tell", t.PulseNS, t.At(len(t.Levels)))
	}
	f := &File{Version: 200, Sum: Checksum{Present: true, Variant: "CCITT from 0"}}
	f.General = General{Language: "EN", FibreType: 652, WavelengthNM: uint16(t.WavelengthNM), BuildCondition: "BC"}
	f.Fixed = Fixed{
		Units: "mt", Wavelength: uint16(math.Round(t.WavelengthNM * 10)), Index: uint32(math.Round(t.Index * 1e5)),
		Backscatter: uint16(math.Round(-10 * t.BackscatterDB)), Averages: uint32(t.Averages), TraceType: "ST",
		Pulses:      []Pulse{{WidthNS: uint16(math.Round(t.PulseNS)), Spacing: uint32(math.Round(t.SpacingM / tick * 1e4)), Points: uint32(len(t.Levels))}},
		PanelOffset: int32(math.Round(-t.StartM / tick)), Range: uint32(math.Round(t.SpacingM * float64(len(t.Levels)) / tick)),
		NoiseFloor: math.MaxUint16, NoiseScale: 1000,
		LossThreshold: 50, ReflectThreshold: 60000, EndThreshold: 3000,
	}
	top := slices.Max(t.Levels)
	raw := make([]uint16, len(t.Levels))
	for i, l := range t.Levels {
		raw[i] = uint16(math.Round(min((top-l)*1000, math.MaxUint16)))
	}
	f.Data = []Samples{{Scale: 1000, Raw: raw}}
	if found != nil {
		f.Events = keyEvents(found, tick, t.PulseM())
	}
	return f, nil
}

func keyEvents(found *Findings, tick, pulse float64) KeyEvents {
	ticks := func(m float64) uint32 { return uint32(int32(math.Round(m / tick))) }
	milli := func(x float64) int16 {
		return int16(math.Round(min(max(x*1000, math.MinInt16), math.MaxInt16)))
	}
	k := KeyEvents{TotalLoss: int32(math.Round(found.TotalDB * 1000)), LossEnd: ticks(found.LengthM), ReturnEnd: ticks(found.LengthM)}
	for i, e := range found.Events {
		x := KeyEvent{Number: uint16(i + 1), Time: ticks(e.AtM), Slope: milli(e.SlopeDBKm), Loss: milli(e.LossDB), Code: "0F9999LS"}
		if e.Kind == End {
			x.Code = "0E9999LS"
		}
		if e.ReflectanceDB < 0 {
			x.Code = "1" + x.Code[1:]
			x.Reflectance = int32(math.Round(e.ReflectanceDB * 1000))
		}
		before, next := 0.0, found.LengthM
		if i > 0 {
			before = found.Events[i-1].AtM + pulse
		}
		if i+1 < len(found.Events) {
			next = found.Events[i+1].AtM
		}
		x.Marks = [5]uint32{ticks(before), x.Time, ticks(e.AtM + pulse), ticks(next), x.Time}
		k.Events = append(k.Events, x)
	}
	return k
}
