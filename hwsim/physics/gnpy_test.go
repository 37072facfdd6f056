package physics

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// gnpy opens a file of the GNPy expected results.
func gnpy(t *testing.T, name string) [][]string {
	t.Helper()
	dir := os.Getenv("FAULTLINE_DATA")
	if dir == "" {
		t.Skip("FAULTLINE_DATA names no folder with the data sets, so the GNPy results are not compared")
	}
	f, err := os.Open(filepath.Join(dir, "gnpy", filepath.FromSlash(name)))
	if err != nil {
		t.Skip("the GNPy results are not in FAULTLINE_DATA: ", err)
	}
	rows, err := csv.NewReader(f).ReadAll()
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return rows
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// fibreOfGNPy is the span of the repository's unit tests of its solvers.
func fibreOfGNPy() Fibre {
	f := SSMF(80)
	f.InDB, f.OutDB = 0.5, 0.5
	return f
}

func TestClosedFormAgreesWithGNPy(t *testing.T) {
	flex := &Light{}
	at, step := 191e12, []float64{0, 50e9, 100e9, 75e9, 50e9}
	for i, b := range []float64{32e9, 42e9, 64e9, 42e9, 32e9} {
		at += step[i]
		flex.Channels = append(flex.Channels, Channel{FrequencyHz: at, BaudHz: b, RollOff: 0.15, SignalW: []float64{1e-3, 0.9e-3, 1.3e-3, 0.8e-3, 1.2e-3}[i]})
	}
	for _, tc := range []struct {
		file  string
		light *Light
	}{
		{"tests/data/test_fiber_fix_expected_results.csv", Comb(191.3e12, 50e9, 32e9, 0.15, 96, 0)}, //nolint:misspell // a name of theirs
		{"tests/data/test_fiber_flex_expected_results.csv", flex},                                   //nolint:misspell // a name of theirs
	} {
		rows := gnpy(t, tc.file)[1:]
		if err := fibreOfGNPy().Propagate(tc.light); err != nil {
			t.Fatal(err)
		}
		if len(rows) != len(tc.light.Channels) {
			t.Fatalf("%s: %d rows, %d channels", tc.file, len(rows), len(tc.light.Channels))
		}
		worst := 0.0
		for i, r := range rows {
			c := tc.light.Channels[i]
			worst = max(worst, math.Abs(c.SignalW/number(t, r[0])-1), math.Abs(c.NLIW/number(t, r[1])-1))
		}
		t.Logf("%s: largest relative error %.1e", tc.file, worst)
		if worst > 1e-3 {
			t.Errorf("%s: relative error %g above 1e-3", tc.file, worst)
		}
	}
}

func TestRamanAgainstGNPy(t *testing.T) {
	rows := gnpy(t, "tests/data/test_raman_fiber_expected_results.csv")[1:] //nolint:misspell // a name of theirs
	l := Comb(191.3e12, 50e9, 32e9, 0.15, 96, 0)
	r := Raman{Pumps: []Pump{{205e12, 224.403e-3}, {201e12, 231.135e-3}}, TemperatureK: 283, Computed: []int{0, 17, 36, 55, 74}}
	if err := fibreOfGNPy().PropagateRaman(l, r); err != nil {
		t.Fatal(err)
	}
	var worst [3]float64
	for i, row := range rows {
		c := l.Channels[i]
		for k, got := range []float64{c.SignalW, c.ASEW, c.NLIW} {
			e := math.Abs(DB(got / number(t, row[k])))
			worst[k] = max(worst[k], e)
		}
	}
	t.Logf("largest error in dB: signal %.2f, ASE %.2f, NLI %.2f", worst[0], worst[1], worst[2])
	for k, w := range worst {
		if w > 0.5 {
			t.Errorf("%s is off by %.2f dB", []string{"signal", "ASE", "NLI"}[k], w)
		}
	}
}

// TestRamanProfileAgainstGNPy compares the power along a fibre with a lumped loss, in
// the columns 0, 7, 10, 20 ... 80 km.
func TestRamanProfileAgainstGNPy(t *testing.T) {
	for _, tc := range []struct {
		file  string
		pumps []Pump
		tol   float64
	}{
		{"tests/data/test_lumped_losses_fiber_no_pumps.csv", nil, 0.1}, //nolint:misspell // a name of theirs
		{"tests/data/test_lumped_losses_raman_fiber.csv", []Pump{{205e12, 0.2}, {201e12, 0.206}}, 0.6},
	} {
		rows := gnpy(t, tc.file)[1:]
		f := SSMF(80)
		f.Lumps = []Lump{{AtKm: 7, LossDB: 0.5}}
		s := f.scatter(Comb(191.3e12, 50e9, 32e9, 0.15, 96, 0).Channels, Raman{Pumps: tc.pumps})
		worst := 0.0
		for i, row := range rows {
			for col, km := range []float64{0, 7, 10, 20, 30, 40, 50, 60, 70, 80} {
				got := s.power[i][int(km*10+0.5)]
				if km == 7 { // the file tells the power before the lump
					got *= Ratio(0.5)
				}
				worst = max(worst, math.Abs(DB(got/number(t, row[col]))))
			}
		}
		t.Logf("%s: largest error %.2f dB", tc.file, worst)
		if worst > tc.tol {
			t.Errorf("%s: off by %.2f dB", tc.file, worst)
		}
	}
}
