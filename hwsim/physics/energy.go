package physics

import (
	"fmt"
	"time"
)

// Radio is a radio unit in the linear power model of EARTH (Auer et al. 2011, "How much
// energy is needed to run a wireless network?"; the figures were not checked against the
// paper's table).
type Radio struct {
	Name   string
	Chains int     // transceiver chains
	P0W    float64 // of a chain at no output
	Slope  float64 // input watts for each output watt
	MaxW   float64 // output of a chain at full load
	SleepW float64 // of a sleeping chain
}

// Radios returns the four types of the EARTH table.
func Radios() []Radio {
	return []Radio{
		{"macro", 6, 130, 4.7, 20, 75},
		{"rrh", 6, 84, 2.8, 20, 56},
		{"micro", 2, 56, 2.6, 6.3, 39},
		{"pico", 2, 6.8, 4.0, 0.13, 4.3},
	}
}

// InputW is the input power at a load from 0 to 1.
func (r Radio) InputW(load float64) float64 {
	return float64(r.Chains) * (r.P0W + r.Slope*r.MaxW*min(max(load, 0), 1))
}

// AsleepW is the input power when every chain sleeps.
func (r Radio) AsleepW() float64 { return float64(r.Chains) * r.SleepW }

// Sleep is a sleep state of a base station. Power is relative to deep sleep, energy in
// relative power times ms.
type Sleep struct {
	Name             string
	Power            float64
	TransitionEnergy float64 // to enter and leave
	Transition       time.Duration
	Source           string
}

// Sleeps returns the states of category 1, set 1 of TR 38.864, lightest first. The
// figures are quoted from memory of the study and not confirmed: they are a setting, to
// be replaced by those of the equipment.
func Sleeps() []Sleep {
	const source = "3GPP TR 38.864, not confirmed"
	return []Sleep{
		{"micro", 55, 0, 0, source},
		{"light", 25, 90, 6 * time.Millisecond, source},
		{"deep", 1, 1000, 50 * time.Millisecond, source},
	}
}

// Energy is what an idle time costs in this state; an error when the transition takes
// longer.
func (s Sleep) Energy(idle time.Duration) (float64, error) {
	if idle < s.Transition {
		return 0, fmt.Errorf("sleep %s: idle %v is shorter than the transition %v", s.Name, idle, s.Transition)
	}
	return s.TransitionEnergy + s.Power*float64(idle-s.Transition)/float64(time.Millisecond), nil
}

// BestSleep returns the state that costs least over an idle time; the earlier of equals.
// It is false when none is short enough.
func BestSleep(states []Sleep, idle time.Duration) (Sleep, bool) {
	var best Sleep
	var least float64
	found := false
	for _, s := range states {
		if e, err := s.Energy(idle); err == nil && (!found || e < least) {
			best, least, found = s, e, true
		}
	}
	return best, found
}
