package alarmfile

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline/ingest"
	"faultline/rca"
)

// Keys of the two spellings. Own keys describe notifications: id is that of the
// event. TMF642 keys describe alarms: one record can give a raise, a change and a
// clear.
var (
	keysID       = []string{"id", "externalAlarmId", "alarmId"}
	keysTime     = []string{"time", "alarmRaisedTime", "alarmReportingTime", "eventTime"}
	keysClear    = []string{"alarmClearedTime", "cleared_time"}
	keysChange   = []string{"alarmChangedTime"}
	keysResource = []string{"resource", "alarmedObject", "objectInstance"}
	keysType     = []string{"type", "alarmTypeId"}
	keysRawType  = []string{"raw_type", "rawType"}
	keysProblem  = []string{"specificProblem", "specific_problem"}
	keysQual     = []string{"qualifier", "alarmTypeQualifier"}
	keysSeverity = []string{"severity", "perceivedSeverity"}
	keysCause    = []string{"probableCause", "probable_cause"}
	keysEvent    = []string{"eventType", "event_type", "alarmType"}
	keysText     = []string{"text", "alarmDetails", "additionalText"}
)

// ReadJSONL reads JSON Lines, or a JSON array of the same objects. Keys are id, time,
// resource, part, type, qualifier, severity, probableCause, eventType and text, those of
// an exported rca.AlarmEvent, and those of a TMF642 alarm, bare or within its
// notification event. Every other key is kept in Original; "source" is kept there
// too, because the source of a record is the file that it came in.
func ReadJSONL(ctx context.Context, r io.Reader, o Options, emit func(ingest.Raw) error, reject func(ingest.Reject)) (ingest.Counts, error) {
	var n ingest.Counts
	if err := o.validate(); err != nil {
		return n, err
	}
	in, err := ingest.NewInput(ctx, r, o.Options)
	if err != nil {
		return n, err
	}
	err = ingest.Each(ingest.NewObjects(in).Next, &n, reject, func(obj ingest.Object) error {
		raws, faults := parseObject(obj, o)
		return handOn(raws, faults, &n, emit, reject)
	})
	return n, err
}

// object is one record, taken apart key by key.
type object struct {
	m    map[string]json.RawMessage
	used map[string]bool
}

// take returns the text of the first key that has one.
func (ob *object) take(keys []string) string {
	for _, k := range keys {
		if v, ok := ob.m[k]; ok {
			if s := scalar(v); s != "" {
				ob.used[k] = true
				return s
			}
		}
	}
	return ""
}

// scalar gives a string, number or boolean as text, and the id of a reference.
func scalar(v json.RawMessage) string {
	v = bytes.TrimSpace(v)
	if len(v) == 0 {
		return ""
	}
	switch v[0] {
	case '"':
		var s string
		_ = json.Unmarshal(v, &s) // the object was valid as a whole
		return strings.TrimSpace(s)
	case '{':
		var ref struct{ ID, Href, Name json.RawMessage }
		_ = json.Unmarshal(v, &ref)
		return cmp.Or(scalar(ref.ID), scalar(ref.Href), scalar(ref.Name))
	case '[', 'n':
		return ""
	}
	return string(v)
}

func parseObject(obj ingest.Object, o Options) (raws []ingest.Raw, faults []ingest.Reject) {
	row := string(obj.Text)
	fault := func(field, reason string) {
		faults = append(faults, ingest.Reject{File: o.File, Line: obj.Line, Field: field, Reason: reason, Row: row})
	}
	ob := object{used: map[string]bool{}}
	if err := json.Unmarshal(obj.Text, &ob.m); err != nil {
		fault("", reason(err))
		return nil, faults
	}
	if inner, ok := unwrap(ob.m); ok {
		ob.m = inner
	}
	tmf := false
	for _, k := range []string{"perceivedSeverity", "alarmedObject", "alarmRaisedTime", "alarmReportingTime"} {
		_, has := ob.m[k]
		tmf = tmf || has
	}
	raw := ingest.Raw{
		Source: o.Source, Line: obj.Line, Row: row, ID: ob.take(keysID), Resource: ob.take(keysResource), Part: ob.take([]string{"part"}), Type: ob.take(keysType),
		SpecificProblem: ob.take(keysProblem), Qualifier: ob.take(keysQual), ProbableCause: ob.take(keysCause), RawType: ob.take(keysRawType),
		EventType: ob.take(keysEvent), Text: ob.take(keysText), Severity: cmp.Or(ob.take(keysSeverity), o.Severity), Scale: o.Scale,
	}
	// TMF642 says alarmType for the event type; elsewhere it is the alarm's name.
	if _, ok := rca.ParseEventType(raw.EventType); !ok && raw.Type == "" && ob.used["alarmType"] {
		raw.Type, raw.EventType = raw.EventType, ""
	}
	if raw.RawType == "" && raw.Type == "" && raw.SpecificProblem == "" {
		raw.RawType = causeName(raw.ProbableCause)
	}
	if tmf && o.Scale == "" {
		raw.Scale = rca.ScaleTMF642
	}
	if raw.Resource == "" {
		fault("resource", "missing")
	}
	if raw.Type == "" && raw.SpecificProblem == "" && raw.RawType == "" {
		fault("type", "missing")
	}
	start, startErr := ingest.ParseTime(ob.take(keysTime), o.Location)
	endText, changeText := ob.take(keysClear), ob.take(keysChange)
	if startErr != nil && !(tmf && endText != "" && ob.m["alarmRaisedTime"] == nil) {
		fault("time", reason(startErr))
	}
	if len(faults) > 0 {
		return nil, faults
	}
	raw.Original = ob.rest()
	if !tmf {
		raw.Time = start
		if raw.Cleared = clears(raw.Scale, raw.Severity); raw.Cleared {
			raw.ID = suffixed(raw.ID, "/cleared")
		}
		return []ingest.Raw{raw}, nil
	}
	return tmfEvents(raw, start, changeText, endText, o, fault), faults
}

// tmfEvents turns the state of one TMF642 alarm into events. Their ids carry what
// they say, so that a later record of the same alarm adds events and replaces none.
func tmfEvents(raw ingest.Raw, start time.Time, changeText, endText string, o Options, fault func(field, reason string)) []ingest.Raw {
	id := raw.ID
	event := func(at time.Time, cleared bool, what string) ingest.Raw {
		e := raw
		e.Time, e.Cleared = at, cleared
		if id != "" {
			e.ID = id + "/" + what
		}
		return e
	}
	isClear := clears(raw.Scale, raw.Severity)
	if state := raw.Original["state"]; clearWords[ingest.FoldColumn(state)] && ingest.FoldColumn(state) != "closed" {
		isClear = true
	}
	var change, end time.Time
	var err error
	if changeText != "" {
		if change, err = ingest.ParseTime(changeText, o.Location); err != nil {
			fault("alarmChangedTime", reason(err)+"; the rest is kept")
		}
	}
	if endText != "" {
		end, err = ingest.ParseTime(endText, o.Location)
		switch {
		case err != nil:
			fault("alarmClearedTime", reason(err)+"; the raise is kept")
		case !start.IsZero() && end.Before(start):
			fault("alarmClearedTime", "lies before the raise; the raise is kept")
			end = time.Time{}
		}
	} else if isClear {
		if end = change; end.IsZero() {
			end, start = start, time.Time{} // a clear that states one time only
		}
	}
	var out []ingest.Raw
	if !start.IsZero() {
		e := event(start, false, "raised")
		if clears(raw.Scale, raw.Severity) {
			e.Severity = "indeterminate" // the record no longer says how severe it was
		}
		e.ID = suffixed(e.ID, "/"+strings.ToLower(e.Severity))
		out = append(out, e)
		if change.After(start) && end.IsZero() && !isClear {
			c := event(change, false, "changed")
			if c.ID != "" {
				c.ID += "/" + strings.ToLower(c.Severity) + "@" + change.Format("20060102T150405.000Z")
			}
			out = append(out, c)
		}
	}
	if !end.IsZero() {
		e := event(end, true, "cleared")
		if e.ID != "" {
			e.ID += "@" + end.Format("20060102T150405.000Z")
		}
		out = append(out, e)
	}
	return out
}

// unwrap opens a TMF642 notification: {"eventType": ..., "event": {"alarm": {...}}}.
func unwrap(m map[string]json.RawMessage) (map[string]json.RawMessage, bool) {
	var w struct{ Alarm map[string]json.RawMessage }
	if m["event"] == nil || json.Unmarshal(m["event"], &w) != nil || w.Alarm == nil {
		return nil, false
	}
	return w.Alarm, true
}

// rest keeps what no field took: texts as they are, everything else as JSON. An
// exported event's own "original" is opened.
func (ob *object) rest() map[string]string {
	out := original(len(ob.m))
	for _, k := range slices.Sorted(maps.Keys(ob.m)) {
		v := bytes.TrimSpace(ob.m[k])
		if ob.used[k] || string(v) == "null" {
			continue
		}
		var inner map[string]string
		if k == "original" && json.Unmarshal(v, &inner) == nil {
			for ik, iv := range inner {
				out[ik] = iv
			}
			continue
		}
		if s := scalar(v); s != "" && v[0] != '{' {
			out[k] = s
			continue
		}
		if s := string(v); s != `""` {
			out[k] = s
		}
	}
	return out
}

func original(n int) map[string]string { return make(map[string]string, n) }

// causeName is the last resort for the name of an alarm: its probable cause in words.
func causeName(cause string) string {
	if n, err := strconv.Atoi(cause); err == nil {
		cause, _ = rca.ProbableCauseName(n)
	}
	return cause
}

// clears reports whether a spelling is a clear.
func clears(scale rca.SeverityScale, spelling string) bool {
	sev, err := cmp.Or(scale, rca.ScaleAny).Parse(spelling)
	return err == nil && sev == rca.SeverityCleared
}

// reason is an error's text without the mark of its kind.
func reason(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+rca.ErrInvalid.Error())
}
