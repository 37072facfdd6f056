package hwsim

import "slices"

// physics builds the table of all laws. Where two laws of one variable fit a kind,
// the first one holds, so the order of the domains matters: radio says how its
// boards are fed before transport says it for all others.
func physics() (*table, error) {
	return newTable(slices.Concat(powerLaws(), radioLaws(), transportLaws(), fixedLaws(), ipLaws(), cloudLaws(), coreLaws()), reporters)
}

// AlarmSpec is one alarm that the plant can raise.
type AlarmSpec struct {
	Slug          string
	On            string // kind, or kind:role,role
	Severity      string
	ProbableCause int // IANA-ITU-ALARM-TC-MIB number
}

// Alarms lists what the plant can raise, in the order of the domains.
func Alarms() []AlarmSpec {
	var out []AlarmSpec
	tb, err := physics()
	if err != nil {
		panic(err) // a slip in the tables of this package; caught by their test
	}
	for _, l := range tb.laws {
		if a := l.alarm; a != nil {
			out = append(out, AlarmSpec{a.slug, l.on.String(), a.severity, a.cause})
		}
	}
	return out
}
