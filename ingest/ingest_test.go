package ingest_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
	"faultline/rca/ontology"
)

var at = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func TestDetect(t *testing.T) {
	for _, tc := range []struct {
		name, head string
		want       ingest.Format
	}{
		{"a.jsonl", `{"id":"1","time":"2026-03-01T08:00:00Z","resource":"r","type":"T","severity":"major"}`, ingest.FormatAlarmsJSONL},
		{"a.json", `[{"alarmedObject":{"id":"p"},"perceivedSeverity":"minor"}]`, ingest.FormatAlarmsJSONL},
		{"a.csv", "alarm_id,device_id,start_timestamp,end_timestamp\n0,0,1,2\n", ingest.FormatAlarmsCSV},
		{"x", "\xef\xbb\xbf" + `{"event":{"commonEventHeader":{"domain":"fault"}}}`, ingest.FormatVES},
		{"x", ` {"VESversion":"v5","event":{"commonEventHeader":{"domain":"fault"`, ingest.FormatVES},
		{"inv.json", "[\n {\"id\":\"a\",\"@type\":\"PhysicalResource\",\"category\":\"NE\"}", ingest.FormatInventoryTMF639},
		{"inv.json", `{"id":"a","name":"n","resourceSpecification":{"name":"NE"}}`, ingest.FormatInventoryTMF639},
		{"r.csv", "id,kind,role,name,domain\n", ingest.FormatInventoryCSV},
		{"rel.csv", "from;type;to\n", ingest.FormatRelationsCSV},
		{"tt.json", `{"id":"TT-1","ticketType":"incident","severity":"major"}`, ingest.FormatWorkOrdersTMF621},
		{"tt.csv", "id,title,status,root_cause\n", ingest.FormatWorkOrdersCSV},
		{"m.md", "# Manual\n", ingest.FormatManualMD},
		{"m", "Intro\n\n## Part\n", ingest.FormatManualMD},
		{"m.html", "<p>x", ingest.FormatManualHTML},
		{"m", "<!DOCTYPE html><html>", ingest.FormatManualHTML},
		{"events.yaml", "100.101:\n    Type: Alarm\n    Entity_Instance_ID: host=<h>\n", ingest.FormatManualStarlingX},
		{"x.bin", "\x00\x01\x02", ingest.FormatUnknown},
		{"x.json", `{"foo":1}`, ingest.FormatUnknown},
		{"x", "", ingest.FormatUnknown},
	} {
		if got := ingest.Detect(tc.name, []byte(tc.head)); got != tc.want {
			t.Errorf("%s %q: %s, want %s", tc.name, tc.head, got, tc.want)
		}
		var z bytes.Buffer
		zw := gzip.NewWriter(&z)
		if _, err := io.WriteString(zw, tc.head); err != nil {
			t.Fatal(err)
		}
		if err := zw.Close(); err != nil {
			t.Fatal(err)
		}
		if got := ingest.Detect(tc.name+".gz", z.Bytes()); got != tc.want {
			t.Errorf("%s.gz: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestParseTime(t *testing.T) {
	loc := time.FixedZone("UTC+2", 7200)
	for in, want := range map[string]string{
		"2026-03-01T08:00:00Z": "2026-03-01T08:00:00Z", "2026-03-01T08:00:00.25+01:00": "2026-03-01T07:00:00.25Z", "2026-03-01 08:00:00": "2026-03-01T06:00:00Z",
		"2026-03-01 08:00": "2026-03-01T06:00:00Z", "1772352000": "2026-03-01T08:00:00Z", "1772352000123": "2026-03-01T08:00:00.123Z",
		"1772352000123456": "2026-03-01T08:00:00.123456Z", "1772352000123456789": "2026-03-01T08:00:00.123456789Z", "1772352000.000001": "2026-03-01T08:00:00.000001Z",
		"1.772352e9": "2026-03-01T08:00:00Z", "1.772352000123456E15": "2026-03-01T08:00:00.123456Z", "82475": "1970-01-01T22:54:35Z", "0": "1970-01-01T00:00:00Z",
	} {
		got, err := ingest.ParseTime(in, loc)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q is %s, %v; want %s", in, got.Format(time.RFC3339Nano), err, want)
		}
	}
	for _, in := range []string{"", "soon", "2026-13-01T00:00:00Z", "1e999999999", "1e-999999999999", "-", "9999999999999999999999", "-99999999999"} {
		if got, err := ingest.ParseTime(in, nil); err == nil && !strings.HasPrefix(in, "1e-") || err != nil && !errors.Is(err, rca.ErrInvalid) {
			t.Errorf("%q is %v, %v", in, got, err)
		}
	}
}

func TestNormalizer(t *testing.T) {
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}
	resources := map[string]graph.ID{"gNB North": "gnb-1", "gnb-1/p1": "port-1", "gnb-2": "gnb-2"}
	n, err := ingest.NewNormalizer(ingest.NormalizerOptions{
		AlarmType: k.ResolveAlarmType, Resource: func(s string) (graph.ID, bool) { id, ok := resources[s]; return id, ok }, Severity: rca.SeverityMinor,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		raw  ingest.Raw
		want string // key, raw type, severity, original
	}{
		{"id", ingest.Raw{Resource: "x", Type: "PE01"}, "PE01@x PE01 minor map[]"},
		{"graph id", ingest.Raw{Resource: "x", Type: "alarm-type/PE01"}, "PE01@x PE01 minor map[]"},
		{"specific problem first", ingest.Raw{Resource: "x", Type: "equipment", SpecificProblem: "fan-stalled"}, "PE24@x fan-stalled minor map[]"},
		{"raw type last", ingest.Raw{Resource: "x", Type: "huh", RawType: "Fan-Stalled", SpecificProblem: "long story"}, "PE24@x Fan-Stalled minor map[specific_problem:long story]"},
		{"unknown type is kept", ingest.Raw{Resource: "x", Type: "alarm-type/ACME-9", Severity: "purple"}, "ACME-9@x ACME-9 indeterminate map[severity:purple]"},
		{"alias", ingest.Raw{Resource: "gNB North", Type: "PE01"}, "PE01@gnb-1 PE01 minor map[resource:gNB North]"},
		{"part is a resource", ingest.Raw{Resource: "gnb-1", Part: "p1", Type: "PE01"}, "PE01@port-1 PE01 minor map[resource:gnb-1/p1]"},
		{"part is a qualifier", ingest.Raw{Resource: "gnb-2", Part: "p9", Type: "PE01"}, "PE01@gnb-2[p9] PE01 minor map[resource:gnb-2/p9]"},
		{"part of nothing known", ingest.Raw{Resource: "y", Part: "p9", Type: "PE01"}, "PE01@y/p9 PE01 minor map[]"},
		{"clear wins", ingest.Raw{Resource: "x", Type: "PE01", Severity: "MAJOR", Cleared: true, Scale: rca.Scale3GPP}, "PE01@x PE01 cleared map[severity:MAJOR]"},
		{"cause and event type", ingest.Raw{Resource: "x", Type: "PE01", ProbableCause: "Loss of signal", EventType: "EQUIPMENT_ALARM"}, "PE01@x PE01 minor map[event_type:EQUIPMENT_ALARM probable_cause:Loss of signal]"},
		{"no resource", ingest.Raw{Type: "PE01"}, "read f line 3: resource: missing"},
		{"no type", ingest.Raw{Resource: "x"}, "read f line 3: type: missing"},
		{"a severity that its scale forbids", ingest.Raw{Resource: "x", Type: "T", Severity: "purple", Scale: rca.ScaleVES}, `read f line 3: severity: severity "purple" is not one of ves`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.raw.Source, tc.raw.Line, tc.raw.Time = "f", 3, at
			e, err := n.Normalize(tc.raw)
			got := fmt.Sprint(e.AlarmKey, " ", e.RawType, " ", e.Severity, " ", e.Original)
			if err != nil {
				got = err.Error()
			} else if err := e.Validate(); err != nil {
				t.Error(err)
			}
			if got != tc.want {
				t.Errorf("got %s", got)
			}
		})
	}
	a, _ := n.Normalize(ingest.Raw{Source: "f", Time: at, Resource: "x", Type: "T", Text: "one"})
	b, _ := n.Normalize(ingest.Raw{Source: "f", Time: at, Resource: "x", Type: "T", Text: "two"})
	c, _ := n.Normalize(ingest.Raw{Source: "f", Time: at.Add(1), Resource: "x", Type: "T"})
	if a.ID != b.ID || a.ID == c.ID {
		t.Errorf("ids %s %s %s", a.ID, b.ID, c.ID)
	}
}

// journal keeps records in memory.
type journal struct {
	records map[string]graph.Record
	fail    error
}

func (j *journal) Append(_ context.Context, rs []graph.Record) error {
	if j.fail != nil {
		return j.fail
	}
	for _, r := range rs {
		if err := r.Validate(); err != nil {
			return err
		}
		j.records[r.ID] = r
	}
	return nil
}

func (j *journal) Records(_ context.Context, stream string, span graph.Interval) iter.Seq2[graph.Record, error] {
	return func(yield func(graph.Record, error) bool) {
		var rs []graph.Record
		for _, r := range j.records {
			if r.Stream == stream && span.Contains(r.At) {
				rs = append(rs, r)
			}
		}
		slices.SortFunc(rs, func(a, b graph.Record) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
		for _, r := range rs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (j *journal) Drop(context.Context, string) (int, error) { return 0, nil }

func TestIntake(t *testing.T) {
	ctx := context.Background()
	j := &journal{records: map[string]graph.Record{}}
	in, err := ingest.NewIntake(ingest.IntakeOptions{Journal: j, Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	var want []rca.AlarmEvent
	for i := range 5 {
		e := rca.AlarmEvent{
			AlarmKey: rca.AlarmKey{Resource: "r", Type: "T"}, ID: fmt.Sprint(i), Source: "a/b", Time: at.Add(time.Duration(i) * time.Second),
			Severity: rca.SeverityMajor, Original: map[string]string{"severity": "Major"},
		}
		want = append(want, e)
		for range 2 { // received twice, kept once
			if err := in.Add(ctx, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	j.fail = errors.New("disk full")
	other := want[0]
	other.Source, other.ID = "a", "b/0" // not the event 0 of source a/b
	other.Time = at.Add(time.Hour)
	if err := in.Add(ctx, other); err != nil {
		t.Fatal(err)
	}
	if err := in.Flush(ctx); !errors.Is(err, j.fail) {
		t.Errorf("got %v", err)
	}
	j.fail = nil
	if err := in.Flush(ctx); err != nil || in.Kept() != 11 {
		t.Errorf("kept %d, %v", in.Kept(), err)
	}
	want = append(want, other)
	var got []rca.AlarmEvent
	for e, err := range ingest.Events(ctx, j, graph.Interval{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if err := in.Add(ctx, rca.AlarmEvent{}); !errors.Is(err, rca.ErrInvalid) {
		t.Errorf("an empty event: %v", err)
	}
}

func TestGazetteer(t *testing.T) {
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}
	g := ingest.NewGazetteer(ingest.AlarmTypeTerms(k))
	for text, want := range map[string]string{
		"Fan stalled in cabinet 3": "PE24", "the FAN-STALLED alarm": "PE24", "fan stall": "", "infant stalled": "", "PE01, then WL08.": "PE01 WL08", "PE011": "",
		"Mains Input Failure at site 7": "PE01", "mains input failure (AC fail)": "PE01", "Cell unavailable (out of service)": "WL31", "TUNNEL  down": "TN28",
		"": "",
	} {
		if got := strings.Join(g.FindIDs(text), " "); got != want {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
	g = ingest.NewGazetteer([]ingest.Term{{Name: "link", ID: "a"}, {Name: "link down", ID: "b"}, {Name: "100.101", ID: "c"}, {Name: "Link", ID: "z"}, {Name: "--", ID: "no"}})
	text := "A link, link down; 100.101. 100, 101 v100.101"
	var got []string
	for _, m := range g.Find(text) {
		got = append(got, fmt.Sprintf("%s=%v", text[m.Start:m.End], m.IDs))
	}
	if s := strings.Join(got, " "); s != "link=[a z] link down=[b] 100.101=[c]" {
		t.Errorf("got %s", s)
	}
}

func TestIdentifiersAreNeverTakenApart(t *testing.T) {
	var got []string
	ingest.Identifiers(`see cell-101, (cell-102). "cell-1/2": x=y`, func(s string) { got = append(got, s) })
	if s := strings.Join(got, " "); s != "see cell-101 cell-102 . cell-1/2 : x y" {
		t.Errorf("got %s", s)
	}
}

func TestRejectWriterIsSafeForConcurrentUse(t *testing.T) {
	var b bytes.Buffer
	w := ingest.NewRejectWriter(&b)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 100 {
				w.Write(ingest.Reject{File: "f", Line: i, Reason: "r", Row: strings.Repeat("x", 3000)})
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil || w.Count() != 800 || strings.Count(b.String(), "\n") != 801 {
		t.Errorf("%d rejects, %v", w.Count(), err)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add("a.csv", []byte("alarm_id,device_id,start_timestamp\n"))
	f.Fuzz(func(t *testing.T, name string, head []byte) {
		if ingest.Detect(name, head) == "" {
			t.Error("no format")
		}
	})
}

func FuzzObjects(f *testing.F) {
	f.Add("[\n  {\"a\": \"}\",\n   \"b\": [1]},\n  {\"a\": \"x\n  {\"c\":1}\n]{\"d\":{}}")
	f.Fuzz(func(t *testing.T, in string) {
		src, err := ingest.NewInput(context.Background(), strings.NewReader(in), ingest.Options{Source: "s", MaxRecord: 200})
		if err != nil {
			return
		}
		objects := ingest.NewObjects(src)
		for range len(in) + 2 { // every step takes at least a byte
			_, err := objects.Next()
			var bad ingest.Reject
			if err != nil && !errors.As(err, &bad) {
				return
			}
		}
		t.Error("does not end")
	})
}
