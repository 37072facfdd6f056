package physics

import (
	"fmt"
	"math"
	"slices"
)

// FromDBm converts dBm to mW.
func FromDBm(dBm float64) float64 { return math.Pow(10, dBm/10) }

// ToDBm converts mW to dBm; no power is -Inf.
func ToDBm(mW float64) float64 { return 10 * math.Log10(mW) }

// DB is a ratio of powers in dB.
func DB(ratio float64) float64 { return 10 * math.Log10(ratio) }

// Ratio is the ratio of powers of a value in dB.
func Ratio(dB float64) float64 { return math.Pow(10, dB/10) }

// Range is a closed interval. The zero Range says that the source gives none.
type Range struct{ Lo, Hi float64 }

// Contains says whether x is in the interval.
func (r Range) Contains(x float64) bool { return r.Lo <= x && x <= r.Hi }

// Plant is the passive part between two transceivers: fibre, splitters and joints.
type Plant struct {
	FibreKm     float64
	FibreDBKm   float64 // 0.35 to 0.4 at 1310 nm, 0.2 at 1550 nm
	SplittersDB []float64
	Splices     int
	SpliceDB    float64
	Connectors  int
	ConnectorDB float64
	ExtraDB     float64 // bends, ageing, a fault
}

// LossDB is the sum of all losses.
func (p Plant) LossDB() float64 {
	l := p.FibreKm*p.FibreDBKm + float64(p.Splices)*p.SpliceDB + float64(p.Connectors)*p.ConnectorDB + p.ExtraDB
	for _, s := range p.SplittersDB {
		l += s
	}
	return l
}

// SplitterDB is the loss of a planar 1:n splitter: 3.3 dB for each halving (3.01 ideal)
// and 0.5 dB for the device. It gives the 7.1 dB (1:4) and 13.7 dB (1:16) of common
// budget sheets; it is NaN below 1.
func SplitterDB(n int) float64 {
	if n < 1 {
		return math.NaN()
	}
	if n == 1 {
		return 0
	}
	return 3.3*math.Log2(float64(n)) + 0.5
}

// PONClass gives the optical levels of a class of passive optical network, in dBm.
type PONClass struct {
	Name                       string
	OLTTx, ONURx, ONUTx, OLTRx Range
	ODN                        Range // loss that the class allows, dB
	Source                     string
}

// PONClasses returns the classes in order of name. Levels are from G.984.2 Amd 1 and
// vendors' sheets of G.9807.1 modules; ODN ranges, and the ONU transmitter of C+, are
// common knowledge that was not checked against the standard.
func PONClasses() []PONClass {
	const vendor = "vendor sheets"
	return []PONClass{
		{"B+", Range{1.5, 5}, Range{-27, -8}, Range{0.5, 5}, Range{-28, -8}, Range{13, 28}, "ITU-T G.984.2 Amd 1, as quoted"},
		{"C+", Range{3, 7}, Range{-30, -8}, Range{0.5, 5}, Range{-32, -12}, Range{17, 32}, vendor},
		{"E1", Range{6, 9}, Range{-28, -9}, Range{4, 9}, Range{}, Range{18, 33}, vendor},
		{"E2", Range{8, 11}, Range{-28, -9}, Range{4, 9}, Range{}, Range{}, vendor},
		{"N1", Range{2, 5}, Range{-28, -9}, Range{4, 9}, Range{}, Range{14, 29}, vendor},
		{"N2", Range{4, 7}, Range{-28, -9}, Range{4, 9}, Range{}, Range{16, 31}, vendor},
	}
}

// PONClassOf returns a class by name.
func PONClassOf(name string) (PONClass, error) {
	all := PONClasses()
	i := slices.IndexFunc(all, func(c PONClass) bool { return c.Name == name })
	if i < 0 {
		return PONClass{}, fmt.Errorf("PON class %q: want B+, C+, E1, E2, N1 or N2", name)
	}
	return all[i], nil
}

// Level says how a received power stands to the range of its receiver.
type Level string

// Levels of a received power.
const (
	LevelLow  Level = "low"
	LevelGood Level = "good"
	LevelHigh Level = "high"
)

// LevelOf places a power in a receiver's range.
func LevelOf(dBm float64, rx Range) Level {
	switch {
	case !(dBm >= rx.Lo):
		return LevelLow
	case dBm > rx.Hi:
		return LevelHigh
	}
	return LevelGood
}

// Transceiver is a point-to-point optic.
type Transceiver struct {
	Name string
	Tx   Range // average launch power, dBm
	Rx   Range // average power at which the link works: sensitivity and overload, dBm
	// LOSAssertDBm and LOSClearDBm bound the loss-of-signal detector: below the first
	// it says loss, above the second it takes that back, between them it stays.
	LOSAssertDBm, LOSClearDBm float64
	Source                    string
}

// Fronthaul25GLR is a 25GBASE-LR module. Transmitter and receiver are those of IEEE
// 802.3cc (not checked against the standard). A common data sheet bounds the detector:
// loss no lower than -30 dBm, cleared at -13 dBm at the latest, 0.5 to 5 dB apart;
// -16.3 and -14.3 lie within, 3 dB and 1 dB below the sensitivity.
func Fronthaul25GLR() Transceiver {
	return Transceiver{Name: "25GBASE-LR", Tx: Range{-7, 2}, Rx: Range{-13.3, 2}, LOSAssertDBm: -16.3, LOSClearDBm: -14.3,
		Source: "IEEE 802.3cc, vendor data sheet"}
}

// Validate names the first field that contradicts the others.
func (t Transceiver) Validate() error {
	switch {
	case t.Tx.Lo > t.Tx.Hi:
		return fmt.Errorf("transceiver %s: Tx %v is empty", t.Name, t.Tx)
	case t.Rx.Lo > t.Rx.Hi:
		return fmt.Errorf("transceiver %s: Rx %v is empty", t.Name, t.Rx)
	case t.LOSAssertDBm > t.LOSClearDBm:
		return fmt.Errorf("transceiver %s: LOSAssertDBm %g is above LOSClearDBm %g", t.Name, t.LOSAssertDBm, t.LOSClearDBm)
	}
	return nil
}

// BudgetDB is the loss that the worst transmitter can bear.
func (t Transceiver) BudgetDB() float64 { return t.Tx.Lo - t.Rx.Lo }

// MarginDB is what a received power has above the sensitivity; negative is too little.
func (t Transceiver) MarginDB(rxDBm float64) float64 { return rxDBm - t.Rx.Lo }

// LOS is the state of the loss-of-signal detector after it was in a state and receives
// a power.
func (t Transceiver) LOS(was bool, rxDBm float64) bool {
	if was {
		return !(rxDBm > t.LOSClearDBm)
	}
	return !(rxDBm >= t.LOSAssertDBm)
}
