package physics

import (
	"fmt"
	"math"
	"time"
)

// Battery is a string of lead-acid cells behind a -48 V rectifier.
type Battery struct {
	CapacityAh float64 // at the rated discharge time
	Rated      time.Duration
	Peukert    float64 // exponent; 1.1 to 1.3 for lead-acid
	FloatV     float64 // while charged from the rectifier
	FullV      float64 // E0 - K: open circuit when full
	SagV       float64 // K of the voltage law
	Ohm        float64
	// AlarmV says "battery discharging" when the bus falls below it, LowV "voltage low",
	// and the contactor opens below CutV.
	AlarmV, LowV, CutV float64
}

// TelecomBattery is a string of 24 cells with the thresholds that are common for telecom
// power: float 54 V, alarm 1 V below, low at 42 V, disconnect at 39 V.
func TelecomBattery(capacityAh float64) Battery {
	return Battery{CapacityAh: capacityAh, Rated: 10 * time.Hour, Peukert: 1.2, FloatV: 54, FullV: 51, SagV: 0.4,
		Ohm: 1.2 / capacityAh, AlarmV: 53, LowV: 42, CutV: 39}
}

// Validate names the first field without sense.
func (b Battery) Validate() error {
	for _, f := range []struct {
		name string
		x    float64
	}{{"CapacityAh", b.CapacityAh}, {"Rated", float64(b.Rated)}, {"FloatV", b.FloatV}, {"FullV", b.FullV}, {"CutV", b.CutV}} {
		if !(f.x > 0) {
			return fmt.Errorf("battery: %s %g: want more than 0", f.name, f.x)
		}
	}
	switch {
	case !(b.Peukert >= 1):
		return fmt.Errorf("battery: Peukert %g: want 1 or more", b.Peukert)
	case b.SagV < 0 || b.Ohm < 0:
		return fmt.Errorf("battery: SagV %g, Ohm %g: want 0 or more", b.SagV, b.Ohm)
	case !(b.CutV <= b.LowV && b.LowV <= b.AlarmV && b.AlarmV <= b.FloatV):
		return fmt.Errorf("battery: CutV %g, LowV %g, AlarmV %g, FloatV %g: want this order", b.CutV, b.LowV, b.AlarmV, b.FloatV)
	}
	return nil
}

// PeukertTime is how long a constant current in A lasts: H (C / (I H))^k (Peukert 1897).
func (b Battery) PeukertTime(current float64) time.Duration {
	h := b.Rated.Hours()
	return seconds(3600 * h * math.Pow(b.CapacityAh/(current*h), b.Peukert))
}

// Voltage is the bus voltage in V at a depth of discharge from 0 to 1 under a current in
// A: E0 - K/(1-d) - R I (Shepherd 1965, without the exponential zone). An empty battery
// has none.
func (b Battery) Voltage(depth, current float64) float64 {
	if depth >= 1 {
		return 0
	}
	return max(0, b.FullV-b.SagV*depth/(1-depth)-b.Ohm*current)
}

// Current is what a load of constant power in W draws at a depth of discharge; false
// when the battery cannot give that power.
func (b Battery) Current(depth, loadW float64) (float64, bool) {
	e := b.Voltage(depth, 0)
	if loadW <= 0 {
		return 0, e > 0
	}
	d := e*e - 4*b.Ohm*loadW // from V I = P and V = E - R I
	if e <= 0 || d < 0 {
		return 0, false
	}
	return 2 * loadW / (e + math.Sqrt(d)), true
}

// Discharge is a moment of a discharge.
type Discharge struct {
	After   time.Duration // since the mains failed
	Depth   float64       // share of the charge that is used, 0 to 1
	Voltage float64       // V on the bus; 0 once the load is disconnected
	Current float64       // A
	Off     bool          // the contactor is open
}

// Step carries a discharge on under a load of constant power in W. The charge used grows
// with (I / I_rated)^k as Peukert's law has it. Once open, the contactor stays open.
func (b Battery) Step(d Discharge, loadW float64, dt time.Duration) Discharge {
	d.After += dt
	if d.Off {
		return d
	}
	if i, ok := b.Current(d.Depth, loadW); ok {
		rate := math.Pow(i*b.Rated.Hours()/b.CapacityAh, b.Peukert) / b.Rated.Hours()
		d.Depth = min(1, d.Depth+rate*dt.Hours())
	}
	i, ok := b.Current(d.Depth, loadW)
	d.Current, d.Voltage = i, b.Voltage(d.Depth, i)
	if !ok || d.Voltage < b.CutV {
		d.Current, d.Voltage, d.Off = 0, 0, true
	}
	return d
}

// Autonomy is how long a load of constant power in W runs until the contactor opens,
// to the second; no longer than a limit.
func (b Battery) Autonomy(loadW float64, limit time.Duration) time.Duration {
	var d Discharge
	for d.After < limit && !d.Off {
		d = b.Step(d, loadW, time.Second)
	}
	return d.After
}

// Room is a shelter or cabinet as one heat capacity behind one resistance.
type Room struct {
	KelvinPerW float64       // rise over outside for each watt that is not cooled away
	Constant   time.Duration // time constant
}

// Temperature is the temperature in C after a time: exponential approach to outside +
// (heat - cooling) * resistance, but not below what the cooling is set to hold.
func (r Room) Temperature(nowC, outsideC, heatW, coolingW, setC float64, after time.Duration) float64 {
	end := r.end(outsideC, heatW, coolingW, setC)
	return end + (nowC-end)*math.Exp(-float64(after)/float64(r.Constant))
}

func (r Room) end(outsideC, heatW, coolingW, setC float64) float64 {
	free := outsideC + heatW*r.KelvinPerW
	return max(free-max(coolingW, 0)*r.KelvinPerW, min(free, setC))
}

// TimeTo is when a rising temperature reaches a threshold after the cooling has failed;
// false if it never does.
func (r Room) TimeTo(thresholdC, nowC, outsideC, heatW float64) (time.Duration, bool) {
	end := r.end(outsideC, heatW, 0, math.Inf(1))
	switch {
	case nowC >= thresholdC:
		return 0, true
	case end <= thresholdC:
		return 0, false
	}
	return time.Duration(float64(r.Constant) * math.Log((end-nowC)/(end-thresholdC))), true
}
