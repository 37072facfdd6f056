package ves_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"faultline/ingest"
	"faultline/ingest/ves"
	"faultline/rca"
)

const header7 = `"commonEventHeader":{"version":"4.1","vesEventListenerVersion":"7.2","domain":"%s","eventName":"n","eventId":"e%d","sequence":%d,"priority":"High","reportingEntityName":"ems","sourceName":"gnb-1","startEpochMicrosec":1772352000000000,"lastEpochMicrosec":1772352060000000%s}`

func fault(i int, severity, port string) string {
	return fmt.Sprintf(`{`+header7+`,"faultFields":{"faultFieldsVersion":"4.0","alarmCondition":"lossOfSignal","eventSourceType":"port","specificProblem":"ETH_LOS","eventSeverity":%q,"vfStatus":"Active","alarmInterfaceA":%q,"alarmAdditionalInformation":{"slot":"3"}}}`, "fault", i, i, "", severity, port)
}

func notify(i int, kind, problem, severity string) string {
	p := ""
	if problem != "" {
		p = fmt.Sprintf(`"specificProblem":%q,`, problem)
	}
	return fmt.Sprintf(`{"event":{`+header7+`,"stndDefinedFields":{"stndDefinedFieldsVersion":"1.0","data":{"href":1,"notificationId":%d,"notificationType":%q,"eventTime":"2026-03-01T08:0%d:00Z","alarmId":"77",%s"alarmType":"COMMUNICATIONS_ALARM","probableCause":8,"perceivedSeverity":%q}}}}`,
		"stndDefined", i, i, `,"stndDefinedNamespace":"3GPP-FaultSupervision"`, i, kind, i, p, severity)
}

func read(t testing.TB, o ves.Options, in string) (events []rca.AlarmEvent, n ingest.Counts, rejects []ingest.Reject) {
	t.Helper()
	o.Source = "ves"
	d, err := ves.New(o)
	if err != nil {
		t.Fatal(err)
	}
	norm, err := ingest.NewNormalizer(ingest.NormalizerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	reject := func(r ingest.Reject) { rejects = append(rejects, r) }
	n, err = d.Read(context.Background(), strings.NewReader(in), norm.Into(func(e rca.AlarmEvent) error { events = append(events, e); return nil }, reject), reject)
	if err != nil {
		t.Fatal(err)
	}
	return events, n, rejects
}

func list(events []rca.AlarmEvent) string {
	var out []string
	for _, e := range events {
		out = append(out, fmt.Sprintf("%s %s %s", e.AlarmKey, e.Severity, e.Time.Format("15:04")))
	}
	return strings.Join(out, "; ")
}

func TestFaultEvents(t *testing.T) {
	heartbeat := fmt.Sprintf(`{"event":{`+header7+`}}`, "heartbeat", 9, 0, "")
	in := `{"event":` + fault(1, "CRITICAL", "1/0/1") + "}\n" + heartbeat + "\n" + `{"eventList":[` + fault(2, "NORMAL", "1/0/1") + `,{"commonEventHeader":{}},` + fault(3, "PURPLE", "1/0/2") + "]}\n{}\n"
	events, n, rejects := read(t, ves.Options{}, in)
	if got, want := list(events), "lossOfSignal@gnb-1/1/0/1 critical 08:00; lossOfSignal@gnb-1/1/0/1 cleared 08:01"; got != want {
		t.Errorf("got %s", got)
	}
	if events[0].Original["severity"] != "CRITICAL" || events[0].Original["slot"] != "3" || events[0].ProbableCause != 8 || events[0].RawType != "lossOfSignal" {
		t.Errorf("event %+v", events[0])
	}
	if n.Ignored["heartbeat"] != 1 || n.Records != 6 {
		t.Errorf("counts %+v", n)
	}
	var where []string
	for _, r := range rejects {
		where = append(where, fmt.Sprintf("%d %s: %s", r.Line, r.Field, r.Reason))
	}
	if got, want := strings.Join(where, "\n"), "3 commonEventHeader.domain: missing\n3 faultFields.eventSeverity: severity \"PURPLE\" is not one of ves\n4 event: message has neither event nor eventList"; got != want {
		t.Errorf("rejects\n%s", got)
	}
}

func TestAClearOf3GPPFindsItsAlarm(t *testing.T) {
	in := notify(1, "notifyNewAlarm", "CPRI down", "MAJOR") + "\n" + notify(2, "notifyAckStateChanged", "", "MAJOR") + "\n" + notify(3, "notifyClearedAlarm", "", "CLEARED")
	events, n, rejects := read(t, ves.Options{}, in)
	if got, want := list(events), "CPRI down@gnb-1 major 08:01; CPRI down@gnb-1 cleared 08:03"; got != want || len(rejects) > 0 {
		t.Errorf("got %s, %v", got, rejects)
	}
	if n.Ignored["notifyAckStateChanged"] != 1 || events[0].EventType != "communicationsAlarm" || events[0].ID == events[1].ID {
		t.Errorf("counts %+v, event %+v", n, events[0])
	}
}

func TestAMessageHasExactlyOneForm(t *testing.T) {
	one := fault(1, "MAJOR", "p")
	for in, ok := range map[string]bool{
		`{}`: false, `{"event":null}`: false, `{"eventList":[]}`: false, `{"event":` + one + `}`: true, `{"eventList":[` + one + `]}`: true,
		`{"event":` + one + `,"eventList":[` + one + `]}`: false, `[]`: false,
	} {
		if err := ves.Check([]byte(in)); (err == nil) != ok || err != nil && !errors.Is(err, rca.ErrInvalid) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// TestCollectorVectors holds Check to what the collector's own tests say of its
// samples, and to the file name where they say nothing. Check differs from the
// collector in one vector, as it fetches no schema and routes no topics: an unknown
// namespace is accepted, for which the collector has no topic.
func TestCollectorVectors(t *testing.T) {
	data := os.Getenv("FAULTLINE_DATA")
	if data == "" {
		t.Skip("FAULTLINE_DATA is not set: the collector's samples are not at hand")
	}
	dir := filepath.Join(data, "ves-samples")
	f, err := os.Open(filepath.Join(dir, "index.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		file, byName, byTest := row[1], row[2], row[3]
		want := !strings.HasPrefix(byTest, "rejected")
		if byTest == "not asserted" {
			want = byName != "invalid"
		}
		body, err := os.ReadFile(filepath.Join(dir, "events", file))
		if err != nil {
			t.Fatal(err)
		}
		if got := ves.Check(body); (got == nil) != want {
			t.Errorf("%s (%s; %s): %v", file, byName, byTest, got)
		}
	}
}

func TestCollectorSamplesAsAlarms(t *testing.T) {
	data := os.Getenv("FAULTLINE_DATA")
	if data == "" {
		t.Skip("FAULTLINE_DATA is not set: the collector's samples are not at hand")
	}
	for file, want := range map[string]string{
		"ves4_valid.json":            "lossOfSignal@owb-rdm-003/1/0/0 E1 critical 10:20",
		"ves7_batch_valid.json":      "PilotNumberPoolExhaustion@scfx0001vm002cap001 critical 13:02; RecordingServerUnreachable@scfx0001vm002cap001 critical 13:02",
		"ves_stdnDefined_valid.json": "xyz@scfx0001vm002cap001 indeterminate 13:02",
		"measurement5x.json":         "",
	} {
		body, err := os.ReadFile(filepath.Join(data, "ves-samples", "events", file))
		if err != nil {
			t.Fatal(err)
		}
		events, _, rejects := read(t, ves.Options{}, string(body))
		if got := list(events); got != want || len(rejects) > 0 {
			t.Errorf("%s: %s, %v", file, got, rejects)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"event":` + fault(1, "CRITICAL", "1/0/1") + "}\n" + notify(1, "notifyNewAlarm", "CPRI down", "MAJOR"))
	f.Fuzz(func(t *testing.T, in string) {
		if strings.HasPrefix(in, "\x1f\x8b") {
			return // gzip has its own tests
		}
		events, n, rejects := read(t, ves.Options{}, in)
		ignored := 0
		for _, c := range n.Ignored {
			ignored += c
		}
		if len(events)+len(rejects)+ignored != n.Records {
			t.Fatalf("%d records, %d events, %d rejects, %d ignored", n.Records, len(events), len(rejects), ignored)
		}
		_ = ves.Check([]byte(in))
	})
}
