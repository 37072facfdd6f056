package otdr_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	. "faultline/hwsim/otdr"
)

// sample is a small file with every block, and a vendor's block between them.
func sample(version uint16) *File {
	f := &File{Version: version}
	for _, n := range []string{"GenParams", "SupParams", "FxdParams", "Vendor", "KeyEvents", "LnkParams", "DataPts", "Cksum"} {
		f.Blocks = append(f.Blocks, Block{Name: n, Version: version})
	}
	f.Blocks[3].Body = []byte{1, 2, 3}
	f.General = General{Language: "EN", CableID: "C1", FibreID: "007", WavelengthNM: 1550, LocationA: "hub", LocationB: "mast", BuildCondition: "BC", UserOffset: -12, Operator: "me", Comment: "line\n2"}
	f.Supply = Supply{Supplier: "Acme", Instrument: "O1", Other: "x"}
	f.Fixed = Fixed{Time: 1740578406, Units: "mt", Wavelength: 15500, AcquisitionOffset: -7, Pulses: []Pulse{{100, 500000, 3}, {1000, 500000, 2}},
		Index: 146800, Backscatter: 810, Averages: 4096, Range: 99, PanelOffset: 1000, NoiseFloor: 65535, NoiseScale: -3, PowerOffset: 1, LossThreshold: 50, ReflectThreshold: 60000, EndThreshold: 3000}
	f.Events = KeyEvents{TotalLoss: 3957, LossStart: -1, LossEnd: 2, ReturnLoss: 30000, ReturnStart: 3, ReturnEnd: 4, Events: []KeyEvent{
		{Number: 1, Time: 1, Slope: 350, Loss: -209, Reflectance: math.MinInt32 + 1, Code: "0F9999LS", Comment: "gain"},
		{Number: 2, Time: 431598, Slope: 350, Loss: 14745, Reflectance: -16935, Code: "1E99992P"}}}
	f.Links = []Landmark{{Number: 1, Code: "SP", Location: 5, Event: 1, Longitude: -3, Latitude: 4, Correction: 10, SheathIn: 6, SheathOut: 7, SheathUnits: "mt", ModeField: 920, Comment: "manhole 4"}}
	f.Data = []Samples{{Scale: 1000, Raw: []uint16{0, 20000, 65535}}, {Scale: 500, Raw: []uint16{1, 2}}}
	if f.Second() {
		f.General.FibreType, f.General.UserDistance = 652, -3
		f.Fixed.AcquisitionMetres, f.Fixed.AveragingTime, f.Fixed.RangeMetres, f.Fixed.TraceType, f.Fixed.Window = -1, 150, 80000, "ST", [4]int32{1, -2, 3, -4}
		f.Events.Events[0].Marks = [5]uint32{1, 2, 3, 4, 5}
	}
	return f
}

func TestBothVersionsComeBackAsWritten(t *testing.T) {
	for _, version := range []uint16{100, 200} {
		f := sample(version)
		data, err := Write(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(data)
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if !got.Sum.Good() {
			t.Errorf("version %d: checksum %+v", version, got.Sum)
		}
		again, err := Write(got)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("version %d: the second writing differs (%v)", version, err)
		}
		f.Sum, f.Points = got.Sum, got.Points
		if !reflect.DeepEqual(f, got) {
			t.Errorf("version %d:\nwrote %+v\nread  %+v", version, f, got)
		}
	}
}

func TestWrongChecksumIsToldAndCanBeIgnored(t *testing.T) {
	data, err := Write(sample(200))
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(data)
	bad[bytes.Index(bad, []byte("hub"))] = 'H'
	f, err := Read(bad)
	var sum *ChecksumError
	if !errors.As(err, &sum) || f == nil || f.Sum.Good() || sum.Stored == sum.Computed {
		t.Fatalf("a changed byte: file %v, error %v", f != nil, err)
	}
	if err := IgnoreChecksum(err); err != nil {
		t.Errorf("nothing else is wrong, but: %v", err)
	}
	if f.General.LocationA != "Hub" || len(f.Events.Events) != 2 {
		t.Errorf("the rest was not read: %+v", f.General)
	}
	other := bytes.Clone(data) // the other variant in use is good as well
	binary.LittleEndian.PutUint16(other[len(other)-2:], crcFrom(other[:len(other)-2], 0xFFFF))
	if f, err := Read(other); err != nil || f.Sum.Variant != "CCITT from FFFF" {
		t.Errorf("sum from FFFF: %v, %+v", err, f.Sum)
	} else if back, err := Write(f); err != nil || !bytes.Equal(back, other) {
		t.Errorf("sum from FFFF is not written back: %v", err)
	}
}

func crcFrom(b []byte, crc uint16) uint16 {
	for _, x := range b {
		for bit := 7; bit >= 0; bit-- {
			top := crc>>15 ^ uint16(x>>bit&1)
			crc = crc<<1 ^ top*0x1021
		}
	}
	return crc
}

func TestDamagedBlocksLeaveTheOthers(t *testing.T) {
	data, err := Write(sample(200))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(data, []byte("LnkParams")) + len("LnkParams") + 1
	binary.LittleEndian.PutUint16(data[at:], 60000)
	f, err := Read(data)
	if f == nil || IgnoreChecksum(err) == nil || len(f.Events.Events) != 2 || len(f.Data) != 2 {
		t.Fatalf("read %v: %v", f, err)
	}
	if want := "read LnkParams: 60000 records of at least 33 bytes at offset 12: the block ends at 54"; IgnoreChecksum(err).Error() != want {
		t.Errorf("got %q, want %q", IgnoreChecksum(err), want)
	}
	for cut := range len(data) { // a file cut anywhere is told, without a panic
		if _, err := Read(data[:cut]); err == nil {
			t.Fatalf("%d of %d bytes pass for a file", cut, len(data))
		}
	}
}

func TestWriteNamesTheField(t *testing.T) {
	f := sample(200)
	f.Events.Events[1].Code = "1E"
	if _, err := Write(f); err == nil || err.Error() != `write KeyEvents: event 1: Code "1E": want 8 characters` {
		t.Errorf("got %v", err)
	}
	f = sample(200)
	f.General.Operator = "a\x00b"
	if _, err := Write(f); err == nil || err.Error() != `write GenParams: Operator "a\x00b": a zero byte ends a text` {
		t.Errorf("got %v", err)
	}
}

func TestQuirksAreNamed(t *testing.T) {
	f := sample(200)
	f.Fixed.Wavelength, f.Supply.Supplier = 1310, "Noyes"
	if f.WavelengthNM() != 1310 || len(f.Quirks()) != 3 {
		t.Errorf("%g nm, quirks %q", f.WavelengthNM(), f.Quirks())
	}
}

func FuzzRead(f *testing.F) {
	for _, v := range []uint16{100, 200} {
		data, err := Write(sample(v))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(data)
		if err != nil || file == nil {
			return
		}
		back, err := Write(file)
		if err != nil {
			t.Fatalf("a good file cannot be written: %v", err)
		}
		if again, err := Read(back); IgnoreChecksum(err) != nil || len(again.Events.Events) != len(file.Events.Events) {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		for i, s := range file.Data {
			if tr, err := file.Trace(i); err == nil && len(tr.Levels) != len(s.Raw) {
				t.Fatalf("trace %d has %d of %d samples", i, len(tr.Levels), len(s.Raw))
			}
		}
	})
}

// field is one file of the public traces with its events.json entry.
type field struct {
	name string
	data []byte
	file *File
	want struct {
		Supplier    string
		Wavelength  float64 `json:"wavelength_nm"`
		PulseNS     float64 `json:"pulse_ns"`
		Index       float64 `json:"group_index"`
		Backscatter float64 `json:"backscatter_db"`
		Points      int
		LastPointM  float64 `json:"last_point_m"`
		TotalDB     float64 `json:"total_loss_db"`
		LengthM     float64 `json:"fibre_length_m"`
		Events      []struct {
			Number      uint16
			TimeNS      float64 `json:"time_ns"`
			DistanceM   float64 `json:"distance_m"`
			Slope       float64 `json:"slope_db_per_km"`
			Loss        float64 `json:"loss_db"`
			Reflectance *float64
			Code        string
			End         bool
		}
	}
}

func fieldFiles(t *testing.T) []field {
	t.Helper()
	dir := os.Getenv("FAULTLINE_DATA")
	if dir == "" {
		t.Skip("FAULTLINE_DATA names no folder with the data sets, so no field trace is read")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "otdr", "events.json"))
	if err != nil {
		t.Skip("the field traces are not in FAULTLINE_DATA: ", err)
	}
	want := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	var all []field
	for _, name := range []string{"1310_0001.sor", "1310_0002.sor", "1310_0045.sor", "1310_0046.sor"} {
		x := field{name: name}
		if err := json.Unmarshal(want[name], &x.want); err != nil {
			t.Fatal(err)
		}
		if x.data, err = os.ReadFile(filepath.Join(dir, "otdr", name)); err != nil {
			t.Fatal(err)
		}
		if x.file, err = Read(x.data); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, x)
	}
	return all
}

func TestFieldFilesReadAndWrite(t *testing.T) {
	for _, x := range fieldFiles(t) {
		if back, err := Write(x.file); err != nil || !bytes.Equal(back, x.data) {
			t.Errorf("%s: written bytes differ (%v)", x.name, err)
		}
		tr, err := x.file.Trace(0)
		if err != nil {
			t.Fatal(err)
		}
		f, w := x.file, x.want
		near := func(what string, got, want, tol float64) {
			if !(math.Abs(got-want) <= tol) {
				t.Errorf("%s: %s %g, want %g", x.name, what, got, want)
			}
		}
		near("wavelength", f.WavelengthNM(), w.Wavelength, 0)
		near("pulse", tr.PulseNS, w.PulseNS, 0)
		near("index", tr.Index, w.Index, 1e-9)
		near("backscatter", tr.BackscatterDB, w.Backscatter, 1e-9)
		near("points", float64(len(tr.Levels)), float64(w.Points), 0)
		near("last point", float64(len(tr.Levels)-1)*tr.SpacingM, w.LastPointM, 1e-3)
		near("total loss", float64(f.Events.TotalLoss)/1000, w.TotalDB, 1e-9)
		near("length", f.Fixed.Metres(float64(f.Events.LossEnd)), w.LengthM, 1e-3)
		if len(f.Events.Events) != len(w.Events) {
			t.Fatalf("%s: %d events, want %d", x.name, len(f.Events.Events), len(w.Events))
		}
		for i, e := range f.Events.Events {
			v := w.Events[i]
			near("event time", e.TimeNS(), v.TimeNS, 1e-6)
			near("event distance", f.DistanceM(e), v.DistanceM, 1e-3)
			near("event slope", e.SlopeDBKm(), v.Slope, 1e-9)
			near("event loss", e.LossDB(), v.Loss, 1e-9)
			if e.Number != v.Number || e.Code != v.Code || e.Ends() != v.End {
				t.Errorf("%s: event %d: %d %s %v, want %d %s %v", x.name, i, e.Number, e.Code, e.Ends(), v.Number, v.Code, v.End)
			}
		}
	}
}

// TestFieldBreaksAreFound looks at the traces alone: the end within two samples or half
// a pulse, and the joint of the whole sibling at which the fibre broke.
func TestFieldBreaksAreFound(t *testing.T) {
	found := map[string]*Findings{}
	files := fieldFiles(t)
	for _, x := range files {
		tr, err := x.file.Trace(0)
		if err != nil {
			t.Fatal(err)
		}
		if found[x.name], err = Detect(tr, DefaultThresholds()); err != nil {
			t.Fatal(err)
		}
		got, want := found[x.name].LengthM, x.want.LengthM
		allowed := max(2*tr.SpacingM, tr.PulseM()/2)
		t.Logf("%s: end at %.2f m, the instrument says %.2f, off by %+.2f of %.2f", x.name, got, want, got-want, allowed)
		if math.Abs(got-want) > allowed {
			t.Errorf("%s: end at %.2f m, want %.2f", x.name, got, want)
		}
	}
	for _, pair := range [][2]int{{0, 1}, {2, 3}} {
		healthy, broken := files[pair[0]], files[pair[1]]
		cut, ok := found[broken.name].BreakOf(healthy.want.LengthM, 10.2)
		if !ok {
			t.Errorf("%s is not seen as broken", broken.name)
			continue
		}
		joint, apart, ok := NearestJoint(found[healthy.name].Events, cut.AtM)
		t.Logf("%s broke at %.1f m; joint of %s at %.1f m", broken.name, cut.AtM, healthy.name, joint.AtM)
		if !ok || apart > 30 {
			t.Errorf("%s: nearest joint is %.1f m away", broken.name, apart)
		}
	}
}
