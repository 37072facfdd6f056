package alarmfile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"faultline/ingest"
	"faultline/ingest/alarmfile"
	"faultline/rca"
)

var update = flag.Bool("update", false, "rewrite golden files")

// sink normalises what a reader emits and keeps both sides.
type sink struct {
	t       *testing.T
	events  []rca.AlarmEvent
	rejects []ingest.Reject
}

func (s *sink) emit() func(ingest.Raw) error {
	n, err := ingest.NewNormalizer(ingest.NormalizerOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return n.Into(func(e rca.AlarmEvent) error { s.events = append(s.events, e); return nil }, s.reject)
}

func (s *sink) reject(r ingest.Reject) { s.rejects = append(s.rejects, r) }

func (s *sink) lines() string {
	var b strings.Builder
	for _, e := range s.events {
		fmt.Fprintf(&b, "%s %s %s %s\n", e.ID, e.AlarmKey, e.Severity, e.Time.Format("15:04:05"))
	}
	return b.String()
}

func options(source string) alarmfile.Options {
	return alarmfile.Options{Options: ingest.Options{Source: source}}
}

func TestJSONL(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"own keys", `{"id":"n1","time":"2026-03-01T08:00:00Z","resource":"site-1","type":"PE01","severity":"major"}
{"id":"n2","time":1772353800000,"resource":"site-1","type":"PE01","severity":"cleared"}`,
			"n1 PE01@site-1 major 08:00:00\nn2/cleared PE01@site-1 cleared 08:30:00\n"},
		{"tmf642 raise", `{"id":7,"alarmedObject":{"id":"port-3"},"perceivedSeverity":"critical","probableCause":"lossOfSignal","specificProblem":"ETH_LOS","alarmType":"Communications Alarm","alarmRaisedTime":"2026-03-01T08:00:00Z","state":"raised"}`,
			"7/raised/critical ETH_LOS@port-3 critical 08:00:00\n"},
		{"tmf642 raise and clear", `{"id":"7","alarmedObject":{"id":"port-3"},"perceivedSeverity":"cleared","probableCause":"8","alarmRaisedTime":"2026-03-01T08:00:00Z","alarmClearedTime":"2026-03-01T08:05:00Z"}`,
			"7/raised/indeterminate lossOfSignal@port-3 indeterminate 08:00:00\n7/cleared@20260301T080500.000Z lossOfSignal@port-3 cleared 08:05:00\n"},
		{"tmf642 change", `{"id":"7","alarmedObject":{"id":"p"},"perceivedSeverity":"major","specificProblem":"X","alarmRaisedTime":"2026-03-01T08:00:00Z","alarmChangedTime":"2026-03-01T08:01:00Z"}`,
			"7/raised/major X@p major 08:00:00\n7/changed/major@20260301T080100.000Z X@p major 08:01:00\n"},
		{"tmf642 notification", `{"eventId":"e","eventType":"AlarmCreateEvent","event":{"alarm":{"id":"9","alarmedObject":{"id":"p"},"perceivedSeverity":"minor","specificProblem":"X","alarmRaisedTime":"2026-03-01T08:00:00Z"}}}`,
			"9/raised/minor X@p minor 08:00:00\n"},
		{"array, indented", "[\n  {\"id\":\"a\",\n   \"time\":\"2026-03-01 08:00:00\",\"resource\":\"r\",\n   \"type\":\"T\",\"severity\":\"WARN\"}\n]\n",
			"a T@r warning 08:00:00\n"},
		{"alarmType as a name", `{"time":"2026-03-01T08:00:00Z","resource":"r","alarmType":"Fan Stalled","id":"1"}`, "1 Fan Stalled@r major 08:00:00\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &sink{t: t}
			if _, err := alarmfile.ReadJSONL(context.Background(), strings.NewReader(tc.in), options("f"), s.emit(), s.reject); err != nil {
				t.Fatal(err)
			}
			if got := s.lines(); got != tc.want || len(s.rejects) > 0 {
				t.Errorf("got\n%swant\n%srejects %v", got, tc.want, s.rejects)
			}
		})
	}
}

func TestJSONLKeepsEveryOtherKeyAndTheSpelling(t *testing.T) {
	in := `{"id":"1","time":"2026-03-01T08:00:00Z","resource":"r","type":"T","perceivedSeverity":"Catastrophic","source":"ems-4","vendor":{"name":"x","ids":[1,2]},"ack":false,"n":1.50}`
	s := &sink{t: t}
	if _, err := alarmfile.ReadJSONL(context.Background(), strings.NewReader(in), options("f"), s.emit(), s.reject); err != nil || len(s.events) != 1 {
		t.Fatal(err, s.rejects)
	}
	e := s.events[0]
	want := map[string]string{"severity": "Catastrophic", "source": "ems-4", "vendor": `{"name":"x","ids":[1,2]}`, "ack": "false", "n": "1.50"}
	if !reflect.DeepEqual(e.Original, want) {
		t.Errorf("kept %v", e.Original)
	}
	if e.Severity != rca.SeverityIndeterminate || rca.ScaleTMF642.Format(e.Severity, e.Original[rca.OriginalSeverity]) != "Catastrophic" {
		t.Errorf("severity %v", e.Severity)
	}
}

func TestAnExportedEventReadsBackAsItself(t *testing.T) {
	in := `{"id":"1","time":"2026-03-01T08:00:00Z","resource":"r","type":"T","qualifier":"q","severity":"major","probableCause":"lossOfSignal","eventType":"EQUIPMENT_ALARM","text":"x","vendor":"acme"}
{"id":"2","time":"2026-03-01T08:01:00Z","resource":"r","type":"T","qualifier":"q","severity":"clear"}`
	first := &sink{t: t}
	if _, err := alarmfile.ReadJSONL(context.Background(), strings.NewReader(in), options("f"), first.emit(), first.reject); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, e := range first.events {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(b, '\n'))
	}
	second := &sink{t: t}
	if _, err := alarmfile.ReadJSONL(context.Background(), &out, options("f"), second.emit(), second.reject); err != nil || len(second.rejects) > 0 {
		t.Fatal(err, second.rejects)
	}
	for i := range first.events {
		a, b := first.events[i], second.events[i]
		delete(b.Original, "source")
		a.Original, b.Original = nil, nil // the spelling is now the canonical one
		if !reflect.DeepEqual(a, b) {
			t.Errorf("got  %+v\nwant %+v", b, a)
		}
	}
}

const mixed = `alarm_id,device_id,start_timestamp,end_timestamp,severity,note
LOS,7,1772352000,1772352060,CRITICAL,first
LOS,7,1772352100,1772352050,MAJOR,clear before raise
,7,1772352100,,MAJOR,no type
LOS,8,yesterday,,MAJOR,no time
LOS,9,1772352200,soon,MINOR,bad clear
LOS,9,1772352200
LOS,"9,1772352300,,MAJOR,open quote
LOS,10,1772352300,,purple,unknown word
LOS,10,1772352300,,3,number without a standard
"Fan ""A""",11,2026-03-01 08:06:00.5,,WARNING,"two
lines"
`

func TestRejectsAreNamedAndCostNothingElse(t *testing.T) {
	var out bytes.Buffer
	w := ingest.NewRejectWriter(&out)
	s := &sink{t: t}
	m, err := alarmfile.ParseMapping("time=start_timestamp,clear=end_timestamp,resource=device_id,type=alarm_id,prefix.resource=dev-")
	if err != nil {
		t.Fatal(err)
	}
	o := options("alarms.csv")
	o.Mapping = m
	n, err := ingest.NewNormalizer(ingest.NormalizerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	used, counts, err := alarmfile.ReadCSV(context.Background(), strings.NewReader(mixed), o, n.Into(func(e rca.AlarmEvent) error { s.events = append(s.events, e); return nil }, w.Write), w.Write)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if used.Severity != "severity" || used.Text != "" || counts.Records != 10 {
		t.Errorf("mapping %v, counts %+v", used, counts)
	}
	golden(t, "rejects.csv", out.Bytes())
	var b bytes.Buffer
	for _, e := range s.events {
		fmt.Fprintf(&b, "%s %s %s %q\n", e.AlarmKey, e.Severity, e.Time.Format("15:04:05.0"), e.Original)
	}
	golden(t, "events.txt", b.Bytes())
}

func TestJSONLDamage(t *testing.T) {
	good := `{"id":"%s","time":"2026-03-01T08:00:00Z","resource":"r","type":"T"}`
	in := fmt.Sprintf(good, "1") + "\n" + `{"id":"2","time":"2026-03-01T08:0` + "\n" + fmt.Sprintf(good, "3") + "\n" + `{"id":"4","x":{"y":[` + "\n" +
		fmt.Sprintf(good, "5") + "\nnonsense\n" + strings.Repeat("x", 3000) + "\n" + `{"id":6,"time":1,"resource":"r"}` + "\n" + fmt.Sprintf(good, "7")
	o := options("a.jsonl")
	o.MaxRecord = 2000
	s := &sink{t: t}
	n, err := alarmfile.ReadJSONL(context.Background(), strings.NewReader(in), o, s.emit(), s.reject)
	if err != nil {
		t.Fatal(err)
	}
	var ids, where []string
	for _, e := range s.events {
		ids = append(ids, e.ID)
	}
	for _, r := range s.rejects {
		where = append(where, fmt.Sprintf("%d %s %s", r.Line, r.Field, r.Reason))
	}
	if got := strings.Join(ids, " "); got != "1 3 5 7" {
		t.Errorf("kept %s; rejects %q", got, where)
	}
	want := []string{"2  line ends within a string", "4  object is not closed, or longer than the limit", "6  not a JSON object", "7  line is longer than the limit", "8 type missing"}
	if !reflect.DeepEqual(where, want) || n.Rejected != 5 {
		t.Errorf("got  %q\nwant %q", where, want)
	}
}

func TestGzipAndProgress(t *testing.T) {
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	fmt.Fprintln(zw, `{"id":"1","time":"2026-03-01T08:00:00Z","resource":"r","type":"T"}`)
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	size := int64(z.Len())
	o := options("a.jsonl.gz")
	o.Total = size
	var last [2]int64
	o.Progress = func(done, total int64) { last = [2]int64{done, total} }
	s := &sink{t: t}
	if _, err := alarmfile.ReadJSONL(context.Background(), &z, o, s.emit(), s.reject); err != nil || len(s.events) != 1 {
		t.Fatal(err, s.events)
	}
	if last != [2]int64{size, size} {
		t.Errorf("progress ended at %v of %d", last, size)
	}
}

func TestReadingStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := &sink{t: t}
	if _, err := alarmfile.ReadJSONL(ctx, strings.NewReader("{}\n"), options("f"), s.emit(), s.reject); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	full := errors.New("disk full")
	in := `{"id":"1","time":"2026-03-01T08:00:00Z","resource":"r","type":"T"}`
	if _, err := alarmfile.ReadJSONL(context.Background(), strings.NewReader(in), options("f"), func(ingest.Raw) error { return full }, s.reject); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

func TestMappings(t *testing.T) {
	for in, want := range map[string]string{
		"time=a,type=b,prefix.type=x-": "time=a,type=b,prefix.type=x-",
		"":                             "",
		"time":                         `column mapping "time": want field=column: invalid`,
		"when=a":                       `column mapping "when=a": no field "when"; fields are time, clear, resource, part, type, problem, qualifier, severity, state, id, cause, eventtype, text: invalid`,
		"time=a,time=b":                `column mapping "time=b": field time is mapped twice: invalid`,
	} {
		m, err := alarmfile.ParseMapping(in)
		got := m.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s", in, got)
		}
	}
	for header, want := range map[string]string{
		"alarm_id,device_id,start_timestamp,end_timestamp":          "time=start_timestamp,clear=end_timestamp,resource=device_id,type=alarm_id",
		"Time;NE Name;Alarm Name;Alarm ID;Severity;Additional Text": "time=Time,resource=NE Name,type=Alarm Name,severity=Severity,text=Additional Text",
		"id,time,resource,type,state":                               "time=time,resource=resource,type=type,state=state,id=id",
		"foo,bar":                                                   "column mapping: no column for time; the header has foo, bar: invalid",
	} {
		s := &sink{t: t}
		m, _, err := alarmfile.ReadCSV(context.Background(), strings.NewReader(header+"\n"), options("f"), s.emit(), s.reject)
		got := m.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s", header, got)
		}
	}
}

func TestPublishedAlarmLogs(t *testing.T) {
	data := os.Getenv("FAULTLINE_DATA")
	if data == "" {
		t.Skip("FAULTLINE_DATA is not set: the published alarm logs are not at hand")
	}
	for _, tc := range []struct {
		file                   string
		rows, events, rejected int
	}{
		{"csl2023-sample/alarm.csv.gz", 30691, 2*30691 - 5, 5}, // 5 rows end before they start
		{"gcastle-18v/Alarm.csv.gz", 34838, 2 * 34838, 0},
	} {
		f, err := os.Open(filepath.Join(data, tc.file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s := &sink{t: t}
		o := options(tc.file)
		o.Mapping.Prefix = map[string]string{"resource": "dev-"}
		_, n, err := alarmfile.ReadCSV(context.Background(), f, o, s.emit(), s.reject)
		if err != nil {
			t.Fatal(err)
		}
		if n.Records != tc.rows || len(s.events) != tc.events || len(s.rejects) != tc.rejected {
			t.Errorf("%s: %d rows, %d events, %d rejects; want %d, %d, %d", tc.file, n.Records, len(s.events), len(s.rejects), tc.rows, tc.events, tc.rejected)
		}
		if !strings.HasPrefix(string(s.events[0].Resource), "dev-") {
			t.Errorf("resource %q", s.events[0].Resource)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs, -update rewrites it; got\n%s", file, got)
	}
}

func FuzzReadJSONL(f *testing.F) {
	f.Add(`{"id":7,"alarmedObject":{"id":"port-3"},"perceivedSeverity":"critical","probableCause":"lossOfSignal","specificProblem":"ETH_LOS","alarmRaisedTime":"2026-03-01T08:00:00Z","alarmClearedTime":"2026-03-01T08:05:00Z"}` + "\n" +
		`{"id":"n1","time":1772352000000,"resource":"site-1","type":"PE01","severity":"major","x":{"y":[1]}}`)
	f.Fuzz(func(t *testing.T, in string) { check(t, in, false) })
}

func FuzzReadCSV(f *testing.F) {
	f.Add(mixed)
	f.Fuzz(func(t *testing.T, in string) { check(t, in, true) })
}

// check holds what must be true of any input: events are valid, and every record
// ends as an event or as a reject.
func check(t *testing.T, in string, isCSV bool) {
	s := &sink{t: t}
	o := options("f")
	o.MaxRecord = 4096
	var n ingest.Counts
	var err error
	if isCSV {
		_, n, err = alarmfile.ReadCSV(context.Background(), strings.NewReader(in), o, s.emit(), s.reject)
	} else {
		n, err = alarmfile.ReadJSONL(context.Background(), strings.NewReader(in), o, s.emit(), s.reject)
	}
	if err != nil && !errors.Is(err, rca.ErrInvalid) && !strings.Contains(err.Error(), "gzip") && !strings.Contains(err.Error(), "flate") && !strings.Contains(err.Error(), "EOF") {
		t.Fatal(err)
	}
	if len(s.events)+len(s.rejects) < n.Records {
		t.Fatalf("%d records, %d events, %d rejects", n.Records, len(s.events), len(s.rejects))
	}
	for _, e := range s.events {
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		if _, err := ingest.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkRead reads and normalises 100,000 alarms.
func BenchmarkRead(b *testing.B) {
	var j, c strings.Builder
	c.WriteString("id,time,resource,type,severity,text\n")
	for i := range 100_000 {
		fmt.Fprintf(&j, `{"id":"n%d","time":"2026-03-01T08:00:00Z","resource":"gnb-%d","type":"PE01","severity":"major","probableCause":106,"text":"Mains failure","vendor":"acme"}`+"\n", i, i%1000)
		fmt.Fprintf(&c, "n%d,2026-03-01T08:00:00Z,gnb-%d,PE01,major,Mains failure\n", i, i%1000)
	}
	n, err := ingest.NewNormalizer(ingest.NormalizerOptions{})
	if err != nil {
		b.Fatal(err)
	}
	fail := func(r ingest.Reject) { b.Fatal(r) }
	emit := n.Into(func(rca.AlarmEvent) error { return nil }, fail)
	b.Run("jsonl", func(b *testing.B) {
		for b.Loop() {
			if _, err := alarmfile.ReadJSONL(context.Background(), strings.NewReader(j.String()), options("f"), emit, fail); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("csv", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := alarmfile.ReadCSV(context.Background(), strings.NewReader(c.String()), options("f"), emit, fail); err != nil {
				b.Fatal(err)
			}
		}
	})
}
