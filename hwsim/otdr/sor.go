package otdr

import (
	"fmt"
	"math"
	"strings"
)

// light is the speed of light in m/s.
const light = 299792458.0

// Names of the blocks that this package understands.
const (
	blockMap  = "Map"
	blockGen  = "GenParams"
	blockSup  = "SupParams"
	blockFxd  = "FxdParams"
	blockKey  = "KeyEvents"
	blockLnk  = "LnkParams"
	blockData = "DataPts"
	blockSum  = "Cksum"
)

// File is a .sor file. Numbers are as stored, so that a file that is read and written
// again has the same bytes; methods give them in physical units.
type File struct {
	Version uint16  // of the map, in hundredths: 100 is GR-196, 200 is SR-4731
	Blocks  []Block // in the order of the file, without the map
	General General
	Supply  Supply
	Fixed   Fixed
	Events  KeyEvents
	Links   []Landmark
	Points  uint32    // of all traces, as DataPts says; 0 lets Write count
	Data    []Samples // one for each pulse width
	Sum     Checksum
}

// Block is an entry of the map.
type Block struct {
	Name    string
	Version uint16
	Body    []byte // as it is in the file: of vendors' blocks, and of those that could not be read
	Tail    []byte // what a vendor wrote behind the fields of a standard block
}

// Second says whether the file is of the second version, in which each block starts with
// its name.
func (f *File) Second() bool { return f.Version >= 200 }

// General is the GenParams block.
type General struct {
	Language       string // two letters
	CableID        string
	FibreID        string
	FibreType      uint16 // 652 for ITU-T G.652; second version only
	WavelengthNM   uint16
	LocationA      string
	LocationB      string
	CableCode      string
	BuildCondition string // BC as built, CC as current, RC as repaired, OT other
	UserOffset     int32  // 100 ps
	UserDistance   int32  // second version only
	Operator       string
	Comment        string
}

// Supply is the SupParams block.
type Supply struct {
	Supplier, Instrument, Serial, Module, ModuleSerial, Software, Other string
}

// Fixed is the FxdParams block. Times of light are one way.
type Fixed struct {
	Time              uint32 // seconds since 1970
	Units             string // of distances: mt, km, ft, kf, mi
	Wavelength        uint16 // 0.1 nm
	AcquisitionOffset int32  // 100 ps
	AcquisitionMetres int32  // second version only
	Pulses            []Pulse
	Index             uint32 // group index, 1e-5
	Backscatter       uint16 // -0.1 dB, for a pulse of 1 ns
	Averages          uint32
	AveragingTime     uint16 // 0.1 s; second version only
	Range             uint32 // 100 ps
	RangeMetres       int32  // second version only
	PanelOffset       int32  // 100 ps from the first sample to the front panel
	NoiseFloor        uint16
	NoiseScale        int16
	PowerOffset       uint16
	LossThreshold     uint16 // 0.001 dB
	ReflectThreshold  uint16 // -0.001 dB
	EndThreshold      uint16 // 0.001 dB
	TraceType         string // ST, RT, DT, RF; second version only
	Window            [4]int32
}

// Pulse is one measurement of the file.
type Pulse struct {
	WidthNS uint16
	Spacing uint32 // 1e-14 s between samples
	Points  uint32
}

// GroupIndex is the group index of refraction.
func (x Fixed) GroupIndex() float64 { return float64(x.Index) * 1e-5 }

// BackscatterDB is the backscatter coefficient for a pulse of 1 ns, negative.
func (x Fixed) BackscatterDB() float64 { return -0.1 * float64(x.Backscatter) }

// Metres converts one-way time of light in 100 ps to distance: c t / n. It is NaN when
// the file gives no index.
func (x Fixed) Metres(ticks float64) float64 { return ticks * 1e-10 * light / x.index() }

// SpacingM is the distance between the samples of a pulse.
func (x Fixed) SpacingM(p Pulse) float64 { return float64(p.Spacing) * 1e-14 * light / x.index() }

func (x Fixed) index() float64 {
	if x.Index == 0 {
		return math.NaN()
	}
	return x.GroupIndex()
}

// KeyEvents is the KeyEvents block: the events that the instrument found.
type KeyEvents struct {
	Events      []KeyEvent
	TotalLoss   int32 // 0.001 dB
	LossStart   int32 // 100 ps
	LossEnd     uint32
	ReturnLoss  uint16 // 0.001 dB
	ReturnStart int32
	ReturnEnd   uint32
}

// KeyEvent is one event as stored.
type KeyEvent struct {
	Number      uint16
	Time        uint32    // 100 ps, one way
	Slope       int16     // 0.001 dB/km, of the fibre before it
	Loss        int16     // 0.001 dB; negative is a gain
	Reflectance int32     // 0.001 dB
	Code        string    // eight characters, see Reflective, Ends
	Marks       [5]uint32 // end of the previous, start, end, start of the next, peak; second version only
	Comment     string
}

// TimeNS is the one-way time of light to the event. Some instruments store an event
// before the panel as a negative number.
func (e KeyEvent) TimeNS() float64 { return float64(int32(e.Time)) * 0.1 }

// LossDB is the loss of the event; at the end of a fibre it is the drop into noise.
func (e KeyEvent) LossDB() float64 { return float64(e.Loss) * 0.001 }

// SlopeDBKm is the attenuation of the fibre before the event.
func (e KeyEvent) SlopeDBKm() float64 { return float64(e.Slope) * 0.001 }

// ReflectanceDB is the reflectance; false when the instrument found none: it stores the
// least 32-bit number, the next one, or 0.
func (e KeyEvent) ReflectanceDB() (float64, bool) {
	if e.Reflectance <= math.MinInt32+1 || e.Reflectance == 0 {
		return 0, false
	}
	return float64(e.Reflectance) * 0.001, true
}

// Reflective says whether the code marks a reflection, saturated or not.
func (e KeyEvent) Reflective() bool {
	return strings.HasPrefix(e.Code, "1") || strings.HasPrefix(e.Code, "2")
}

// Ends says whether the code marks the end of the fibre: E found, D moved by a user.
func (e KeyEvent) Ends() bool { return len(e.Code) > 1 && (e.Code[1] == 'E' || e.Code[1] == 'D') }

// Landmark is an entry of the LnkParams block: a place along the cable.
type Landmark struct {
	Number              uint16
	Code                string // two letters, such as SP for a splice
	Location            int32  // 100 ps
	Event               uint16 // number of the related event
	Longitude, Latitude int32
	Correction          int16 // fibre to sheath length, 0.01 %
	SheathIn, SheathOut int32
	SheathUnits         string
	ModeField           uint16 // 0.01 um
	Comment             string
}

// Samples is the trace of one pulse width.
type Samples struct {
	Scale uint16   // 1000 is 1
	Raw   []uint16 // 0.001 dB below the reference, times Scale / 1000
}

// LevelDB is the level of a sample.
func (s Samples) LevelDB(i int) float64 { return -float64(s.Raw[i]) * float64(s.Scale) * 1e-6 }

// Checksum is the Cksum block against what the bytes give.
type Checksum struct {
	Present  bool
	Stored   uint16
	Computed uint16 // by the variant that matches, else by CRC-16/XMODEM
	Variant  string // "CCITT from 0" (XMODEM) or "CCITT from FFFF"; both are in use. Empty when neither matches
}

// Good says whether the file is as it was written. A file without the block is not.
func (c Checksum) Good() bool { return c.Present && c.Variant != "" }

// ChecksumError says that a file is complete but its bytes are not those that were
// written. The File that comes with it is usable at the caller's risk.
type ChecksumError struct{ Checksum }

func (e *ChecksumError) Error() string {
	if !e.Present {
		return "check .sor file: no Cksum block"
	}
	return fmt.Sprintf("check .sor file: checksum %04x is stored, %04x computed", e.Stored, e.Computed)
}

// WavelengthNM is the wavelength of the measurement. Some instruments store it in nm
// instead of tenths, which is recognised where a tenth of it is no wavelength of light
// in fibre.
func (f *File) WavelengthNM() float64 {
	if w := float64(f.Fixed.Wavelength) / 10; w >= 500 || w == 0 {
		return w
	}
	return float64(f.Fixed.Wavelength)
}

// DistanceM is the place of an event: c t / n.
func (f *File) DistanceM(e KeyEvent) float64 { return f.Fixed.Metres(e.TimeNS() * 10) }

// Quirks names habits of instruments that a reader of this file should know of. Nothing
// is corrected for them.
func (f *File) Quirks() []string {
	var q []string
	if w := f.Fixed.Wavelength; w > 0 && w < 5000 {
		q = append(q, "FxdParams: wavelength is stored in nm, not in tenths")
	}
	if strings.Contains(f.Supply.Supplier, "Noyes") {
		q = append(q, "FxdParams: this supplier stores averages times 100")
	}
	if strings.HasPrefix(f.Supply.Instrument, "OFL250") {
		q = append(q, "FxdParams: distances of this instrument are off by a factor of 10")
	}
	if f.General.UserOffset != 0 {
		q = append(q, "GenParams: a launch fibre is set as user offset")
	}
	return q
}

// Trace returns the trace of a pulse with the distances of its samples. It fails when
// the file has no such pulse or no index.
func (f *File) Trace(pulse int) (*Trace, error) {
	switch {
	case pulse < 0 || pulse >= len(f.Fixed.Pulses) || pulse >= len(f.Data):
		return nil, fmt.Errorf("trace %d: the file has %d pulses and %d traces", pulse, len(f.Fixed.Pulses), len(f.Data))
	case f.Fixed.Index == 0 || f.Fixed.Pulses[pulse].Spacing == 0:
		return nil, fmt.Errorf("trace %d: FxdParams: index %d, spacing %d: want more than 0", pulse, f.Fixed.Index, f.Fixed.Pulses[pulse].Spacing)
	}
	p, s := f.Fixed.Pulses[pulse], f.Data[pulse]
	t := &Trace{
		PulseNS: float64(p.WidthNS), Index: f.Fixed.GroupIndex(), SpacingM: f.Fixed.SpacingM(p),
		BackscatterDB: f.Fixed.BackscatterDB(), WavelengthNM: f.WavelengthNM(), Averages: int(f.Fixed.Averages),
		StartM: f.Fixed.Metres(float64(f.Fixed.AcquisitionOffset) - float64(f.Fixed.PanelOffset)),
		Levels: make([]float64, len(s.Raw)),
	}
	for i := range t.Levels {
		t.Levels[i] = s.LevelDB(i)
	}
	return t, nil
}
