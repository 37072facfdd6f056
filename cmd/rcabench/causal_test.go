package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"faultline/ingest/mining"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// npy writes a NumPy file, in the order in which the cells are given.
func npy(descr string, fortran bool, rows, cols int, cells any) []byte {
	order := "False"
	if fortran {
		order = "True"
	}
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (%d, %d), }", descr, order, rows, cols)
	head += strings.Repeat(" ", 63-(10+len(head))%64) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))
	b = append(b, head...)
	var end binary.ByteOrder = binary.LittleEndian
	if descr[0] == '>' {
		end = binary.BigEndian
	}
	var data bytes.Buffer
	if err := binary.Write(&data, end, cells); err != nil {
		panic(err)
	}
	return append(b, data.Bytes()...)
}

func TestReadNPY(t *testing.T) {
	want := matrix{2, 3, []float64{1, 0, 1, 0, 1, 1}}
	for _, tc := range []struct {
		name string
		file []byte
	}{
		{"int64", npy("<i8", false, 2, 3, []int64{1, 0, 1, 0, 1, 1})},
		{"int64 by column", npy("<i8", true, 2, 3, []int64{1, 0, 0, 1, 1, 1})},
		{"float64", npy("<f8", false, 2, 3, []float64{1, 0, 1, 0, 1, 1})},
		{"float64 by column", npy("<f8", true, 2, 3, []float64{1, 0, 0, 1, 1, 1})},
		{"float32", npy("<f4", false, 2, 3, []float32{1, 0, 1, 0, 1, 1})},
		{"int32", npy("<i4", false, 2, 3, []int32{1, 0, 1, 0, 1, 1})},
		{"int32 big endian", npy(">i4", false, 2, 3, []int32{1, 0, 1, 0, 1, 1})},
		{"bool", npy("|b1", false, 2, 3, []bool{true, false, true, false, true, true})},
	} {
		if got, err := readNPY(bytes.NewReader(tc.file)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", tc.name, got, err)
		}
	}
	good := npy("<i8", false, 2, 3, []int64{1, 0, 1, 0, 1, 1})
	for want, bad := range map[string][]byte{
		"magic":     []byte("PK\x03\x04 not an array"),
		"data":      good[:len(good)-1],
		"dtype":     npy("<c8", false, 1, 1, []int64{1}),
		"shape":     bytes.Replace(good, []byte("(2, 3)"), []byte("(6,)  "), 1),
		"range":     bytes.Replace(good, []byte("(2, 3), }         "), []byte("(99999999,99999999)"), 1)[:len(good)],
		"header: 1": good[:20],
	} {
		if _, err := readNPY(bytes.NewReader(bad)); err == nil || !strings.Contains(err.Error(), strings.Split(want, ":")[0]) {
			t.Errorf("want an error on %s, got %v", want, err)
		}
	}
}

func FuzzReadNPY(f *testing.F) {
	f.Add(npy("<i8", true, 3, 3, []int64{0, 1, 0, 0, 0, 1, 0, 0, 0}))
	f.Add(npy("|b1", false, 1, 2, []bool{true, false}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := readNPY(bytes.NewReader(b)); err == nil && (m.rows*m.cols != len(m.cell) || len(m.cell) == 0 || len(m.cell) > len(b)) {
			t.Errorf("%d by %d with %d cells out of %d bytes", m.rows, m.cols, len(m.cell), len(b))
		}
	})
}

func FuzzReadAlarmCSV(f *testing.F) {
	f.Add("alarm_id,device_id,start_timestamp,end_timestamp\n11,28,30685,30835\n1,28,30685,\n")
	f.Add("\ufeffdevice_id,alarm_id,end_timestamp,start_timestamp\n0,7,1.5,1e300\n\"\n")
	f.Fuzz(func(t *testing.T, s string) {
		occ, _, err := readAlarmCSV(strings.NewReader(s))
		if err != nil && occ != nil {
			t.Error("alarms beside an error")
		}
		for _, o := range occ {
			if o.Type == "" || o.Device == "" || o.Raised.IsZero() {
				t.Errorf("incomplete alarm %+v", o)
			}
		}
	})
}

func FuzzReadMatrixCSV(f *testing.F) {
	f.Add("0,1\n0,0\n")
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := readMatrixCSV(strings.NewReader(s)); err == nil && len(m.cell) != m.rows*m.cols {
			t.Errorf("%d by %d with %d cells", m.rows, m.cols, len(m.cell))
		}
	})
}

func FuzzReadSnapshots(f *testing.F) {
	f.Add("simplified_snapshot,simplified_root_cause\n\"(6, 51)\",\"(51)\"")
	f.Fuzz(func(t *testing.T, s string) {
		snaps, _ := readSnapshots(strings.NewReader(s))
		for _, sn := range snaps {
			if len(sn.Types) == 0 || len(sn.Roots) == 0 {
				t.Errorf("empty snapshot %+v", sn)
			}
		}
	})
}

func TestAlarmFlaws(t *testing.T) {
	occ, faults, err := readAlarmCSV(strings.NewReader(strings.Join([]string{
		"alarm_id,device_id,start_timestamp,end_timestamp",
		"1,2,100,90",   // end before start
		"1,2,x,90",     // row 3
		",2,100,90",    // row 4
		"1,2,100,soon", // row 5: the raise is kept
		"1,2,100.5,",
		"1,2",         // row 7
		"1,2,1e99,90", // row 8
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	want := []mining.Occurrence{
		{Type: "1", Device: "2", Raised: at(100_000), Cleared: at(90_000)},
		{Type: "1", Device: "2", Raised: at(100_000)},
		{Type: "1", Device: "2", Raised: at(100_500)},
	}
	if !slices.EqualFunc(occ, want, func(a, b mining.Occurrence) bool {
		return a.Type == b.Type && a.Device == b.Device && a.Raised.Equal(b.Raised) && a.Cleared.Equal(b.Cleared)
	}) {
		t.Errorf("got %v, want %v", occ, want)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Error())
	}
	for i, want := range []string{"row 3: start_timestamp", "row 4: alarm_id", "row 5: end_timestamp", "row 7: start_timestamp", "row 8: start_timestamp"} {
		if i >= len(got) || !strings.Contains(got[i], want) {
			t.Errorf("faults %q, want number %d to name %q", got, i, want)
		}
	}
	if _, _, err := readAlarmCSV(strings.NewReader("alarm_id,device_id,start_timestamp\n")); err == nil || !strings.Contains(err.Error(), "end_timestamp") {
		t.Errorf("missing column: %v", err)
	}
}

// chainFolder holds 300 runs of 0 -> 1 -> 2 and the files that go with them.
func chainFolder() fstest.MapFS {
	var csv bytes.Buffer
	z := gzip.NewWriter(&csv)
	fmt.Fprintln(z, "alarm_id,device_id,start_timestamp,end_timestamp")
	for k := range 300 {
		t := 5000*k + 7*(k*k%11)
		for typ, lag := range []int{0, 5 + k*37%40, 50 + k*53%40} {
			fmt.Fprintf(z, "%d,%d,%d,%d\n", typ, k%7, t+lag, t+lag+60)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return fstest.MapFS{
		"ALARM.csv.gz":     {Data: csv.Bytes()},
		"dag.NPY":          {Data: npy("<i8", true, 3, 3, []int64{0, 0, 0, 1, 0, 0, 0, 1, 0})},
		"Topology.csv":     {Data: []byte("0,1,0\n1,0,0\n0,0,0\n")},
		"causal_prior.csv": {Data: []byte("0,1,-1\n0,0,-1\n-1,-1,0\n")},
		"rca_prior.csv":    {Data: []byte("simplified_snapshot,simplified_root_cause\n\"(1, 2)\",\"(1,)\"\n")},
	}
}

func TestReadCausal(t *testing.T) {
	s, err := readCausal(chainFolder())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.input.Occurrences); n != 900 {
		t.Errorf("%d alarms, want 900", n)
	}
	if want := (&matrix{3, 3, []float64{0, 1, 0, 0, 0, 1, 0, 0, 0}}); !reflect.DeepEqual(s.truth, want) {
		t.Errorf("truth %v, want %v", s.truth, want)
	}
	if want := [][2]string{{"0", "1"}, {"1", "0"}}; !slices.Equal(s.input.Links, want) {
		t.Errorf("links %v, want %v", s.input.Links, want)
	}
	want := mining.Input{
		Known: []mining.Pair{{Cause: "0", Effect: "1"}}, Excluded: []mining.Pair{{Cause: "1", Effect: "0"}},
		Snapshots: []mining.Snapshot{{Types: []string{"1", "2"}, Roots: []string{"1"}}},
	}
	if !reflect.DeepEqual(s.priors, want) {
		t.Errorf("priors %+v, want %+v", s.priors, want)
	}
	for name, wrong := range map[string]string{
		"dag.NPY": "no array", "Topology.csv": "0,1\n", "causal_prior.csv": "0,5\n0,0\n", "rca_prior.csv": "a,b\nx,y\n", "ALARM.csv.gz": "plain",
	} {
		dir := chainFolder()
		dir[name] = &fstest.MapFile{Data: []byte(wrong)}
		if _, err := readCausal(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("wrong %s: error %v does not name it", name, err)
		}
	}
	if _, err := readCausal(fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), "alarm.csv") {
		t.Errorf("empty folder: %v", err)
	}
}

// command runs rcabench causal on a folder.
func command(t *testing.T, dir fs.FS, args ...string) string {
	t.Helper()
	path := t.TempDir()
	if err := os.CopyFS(path, dir); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := runCausal(t.Context(), append([]string{"-data", path}, args...), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCausalCommand(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(command(t, chainFolder(), "-priors", "-json")), "\n")
	var got map[string]float64
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]float64{
		"f1": 1, "precision": 1, "recall": 1, "g_score": 1, "auprc": 1, "direction_accuracy": 1, "floor_f1": 0.5, "floor_auprc": 1.0 / 3, "edges": 2,
	} {
		if math.Abs(got[key]-want) > 1e-9 {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	if _, ok := got["seconds"]; !ok {
		t.Error("no seconds")
	}
	if table := command(t, chainFolder(), "-sensitivity"); strings.Count(table, "1.000") < 9*4 {
		t.Errorf("a plain chain should be found whatever the settings:\n%s", table)
	}
	for _, args := range [][]string{nil, {"-data", "does-not-exist"}, {"-unknown"}} {
		if err := runCausal(t.Context(), args, new(bytes.Buffer)); err == nil {
			t.Errorf("arguments %q pass", args)
		}
	}
}

// TestTruthDoesNotReachTheMiner mines one folder with the truth, with another truth
// and without any: the edges stay the same.
func TestTruthDoesNotReachTheMiner(t *testing.T) {
	table := func(dir fs.FS) string {
		out := command(t, dir, "-edges")
		_, out, _ = strings.Cut(out, "\n") // the first line tells the time
		edges, _, _ := strings.Cut(out, "\nedges ")
		return strings.TrimSpace(edges)
	}
	dir := chainFolder()
	want := table(dir)
	if strings.Count(want, "\n") != 2 {
		t.Fatalf("want two edges, got\n%s", want)
	}
	dir["dag.NPY"] = &fstest.MapFile{Data: npy("<i8", false, 3, 3, []int64{0, 0, 0, 1, 0, 0, 1, 1, 0})}
	if got := table(dir); got != want {
		t.Errorf("another truth, other edges:\n%s\nwant\n%s", got, want)
	}
	delete(dir, "dag.NPY")
	if got := table(dir); got != want {
		t.Errorf("no truth, other edges:\n%s\nwant\n%s", got, want)
	}
}

func TestScoreCausal(t *testing.T) {
	// True: 0->1, 0->2, 1->2, 3->2. Mined: one right, one turned, one wrong.
	truth := matrix{4, 4, []float64{
		0, 1, 1, 0,
		0, 0, 1, 0,
		0, 0, 0, 0,
		0, 0, 1, 0,
	}}
	pair := func(a, b string) mining.Pair { return mining.Pair{Cause: a, Effect: b} }
	res := &mining.Result{
		Types: []string{"0", "1", "2"},
		Edges: []mining.Edge{{Cause: "0", Effect: "1"}, {Cause: "2", Effect: "1"}, {Cause: "2", Effect: "3"}},
		Ranked: []mining.Candidate{
			{Pair: pair("0", "1"), Score: 9}, {Pair: pair("2", "1"), Score: 5}, {Pair: pair("1", "2"), Score: 5}, {Pair: pair("1", "0"), Score: 1},
		},
	}
	c, err := scoreCausal(truth, res, []mining.Occurrence{{Type: "0"}, {Type: "1"}, {Type: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		name      string
		got, want float64
	}{
		{"precision", c.Precision, 1.0 / 3}, {"recall", c.Recall, 0.25}, {"F1", c.F1, 2.0 / 7}, {"g", c.G, 0},
		{"direction", c.Direction, 1.0 / 3},
		{"AUPRC", c.AUPRC, 0.25*1 + 0.25*2.0/3 + 0.5*4.0/12},
		{"all pairs", c.FloorF1, 0.5}, {"density", c.FloorAP, 4.0 / 12},
		{"random order", c.randomDAG, 0.4},
		{"rare to frequent", c.rareToFrequent, 0.2}, // order 2, 3, 0, 1 holds 0->1 of six
	} {
		if math.Abs(f.got-f.want) > 1e-12 {
			t.Errorf("%s is %v, want %v", f.name, f.got, f.want)
		}
	}
	res.Types = []string{"0", "17"}
	if _, err := scoreCausal(truth, res, nil); err == nil || !strings.Contains(err.Error(), "17") {
		t.Errorf("type beyond the truth: %v", err)
	}
}

// TestCausalReal holds the figures of docs/mining.md and, for 18V, every edge.
func TestCausalReal(t *testing.T) {
	data := os.Getenv("FAULTLINE_DATA")
	if data == "" {
		t.Skip("FAULTLINE_DATA is not set: it names the folder that holds gcastle-18v and csl2023-sample")
	}
	for _, tc := range []struct {
		folder string
		args   []string
		f1, g  float64
	}{
		{"gcastle-18v", nil, 0.68, 0.45},
		{"csl2023-sample", nil, 0.95, 0.90},
		{"csl2023-sample", []string{"-priors"}, 0.95, 0.92},
		{"csl2023-sample", []string{"-no-topology"}, 0.85, 0.75},
	} {
		var out bytes.Buffer
		args := append([]string{"-edges", "-json", "-data", filepath.Join(data, tc.folder)}, tc.args...)
		if err := runCausal(t.Context(), args, &out); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		var c causalCard
		if err := json.Unmarshal([]byte(lines[len(lines)-1]), &c); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s %v: F1 %.3f g %.3f AUPRC %.3f direction %.3f", tc.folder, tc.args, c.F1, c.G, c.AUPRC, c.Direction)
		if c.F1 < tc.f1 || c.G < tc.g {
			t.Errorf("%s %v: F1 %.3f and g %.3f, want %.2f and %.2f", tc.folder, tc.args, c.F1, c.G, tc.f1, tc.g)
		}
		if tc.folder != "gcastle-18v" {
			continue
		}
		got := strings.Join(lines[1:len(lines)-8], "\n") + "\n"
		const golden = "testdata/gcastle-18v.edges"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("edges differ from %s:\n%s", golden, got)
		}
	}
}
