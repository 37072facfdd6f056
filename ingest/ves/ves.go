// Package ves reads ONAP VES messages: fault events of 7.x, those of 4.x and 5.x,
// and 3GPP fault notifications within stndDefined events. Other domains (heartbeat,
// measurement, ...) are well-formed and no alarm: they are counted, not rejected.
package ves

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"faultline/ingest"
	"faultline/rca"
)

// maxOpen bounds the 3GPP alarms that a Decoder remembers until they clear.
const maxOpen = 200_000

// Check gives the verdict of a listener on one message: nil, or an ingest.Reject
// that names the field. A batch must be of one domain and one namespace. What needs
// a schema that is not known here (any namespace but 3GPP fault supervision) is
// accepted.
func Check(body []byte) error {
	_, f := parse(body, true)
	if f != nil {
		return ingest.Reject{File: "message", Line: 1, Field: f.field, Reason: f.reason, Row: head(body)}
	}
	return nil
}

func parse(body []byte, whole bool) ([]event, *fault) {
	raws, f := split(body)
	if f != nil {
		return nil, f
	}
	var evs []event
	for _, raw := range raws {
		ev, f := decode(raw)
		if f == nil && whole {
			f = ev.check()
		}
		if f != nil {
			return nil, f
		}
		evs = append(evs, ev)
	}
	return evs, checkBatch(evs)
}

// Options of New.
type Options struct {
	ingest.Options        // MaxRecord defaults to 8 MiB: a batch is one record
	Strict         bool   // reject a whole batch of two domains or namespaces, as a listener must
	Severity       string // VES spelling for 3GPP notifications that state none; default MAJOR
}

// Decoder turns messages into raw alarms. It remembers the name of each open 3GPP
// alarm, because a clear repeats its id and not its specific problem. It is safe for
// concurrent use.
type Decoder struct {
	o    Options
	mu   sync.Mutex
	open map[string]ingest.Raw // by source and alarm id; names only
}

// New checks the options.
func New(o Options) (*Decoder, error) {
	o.MaxRecord = cmp.Or(o.MaxRecord, 8<<20)
	if err := o.Options.Validate(); err != nil {
		return nil, err
	}
	return &Decoder{o: o, open: map[string]ingest.Raw{}}, nil
}

// Read reads a stream of messages: one, several one after the other, JSON Lines, or
// an array of them. In a batch that is not strict, a bad event costs no other.
func (d *Decoder) Read(ctx context.Context, r io.Reader, emit func(ingest.Raw) error, reject func(ingest.Reject)) (ingest.Counts, error) {
	var n ingest.Counts
	in, err := ingest.NewInput(ctx, r, d.o.Options)
	if err != nil {
		return n, err
	}
	err = ingest.Each(ingest.NewObjects(in).Next, &n, reject, func(obj ingest.Object) error {
		return d.message(obj, &n, emit, reject)
	})
	return n, err
}

func (d *Decoder) message(obj ingest.Object, n *ingest.Counts, emit func(ingest.Raw) error, reject func(ingest.Reject)) error {
	bad := func(f *fault, row []byte) {
		n.Rejected++
		reject(ingest.Reject{File: d.o.File, Line: obj.Line, Field: f.field, Reason: f.reason, Row: head(row)})
	}
	raws, f := split(obj.Text)
	if f == nil && d.o.Strict {
		_, f = parse(obj.Text, false)
	}
	if f != nil {
		n.Records++
		bad(f, obj.Text)
		return nil
	}
	for _, one := range raws {
		n.Records++
		ev, f := decode(one)
		if f == nil {
			f = ev.check()
		}
		var raw ingest.Raw
		ignored := ""
		if f == nil {
			raw, ignored, f = d.alarm(ev)
		}
		switch {
		case f != nil:
			bad(f, one)
			continue
		case ignored != "":
			n.Ignore(ignored)
			continue
		}
		raw.Source, raw.Line, raw.Row = d.o.Source, obj.Line, head(one)
		if err := emit(raw); err != nil {
			return err
		}
		n.Emitted++
	}
	return nil
}

// alarm makes the raw alarm of an event, or says what else the event is.
func (d *Decoder) alarm(ev event) (raw ingest.Raw, ignored string, f *fault) {
	h := ev.Header
	switch h.Domain {
	case "fault":
		raw = ev.fault()
	case "stndDefined":
		if h.Namespace != Namespace3GPP {
			return raw, "stndDefined " + h.Namespace, nil
		}
		if raw, ignored = d.notification(ev); ignored != "" {
			return raw, ignored, nil
		}
	default:
		return raw, h.Domain, nil
	}
	raw.Resource = cmp.Or(raw.Resource, h.SourceName)
	if raw.Time.IsZero() {
		// The last time is that of the newest state; the first one that of the raise.
		at, field := h.Last, "lastEpochMicrosec"
		if t, err := micros(h.Start); err == nil && !raw.Cleared && t.Unix() > 0 {
			at, field = h.Start, "startEpochMicrosec"
		}
		t, err := micros(at)
		if err != nil {
			return raw, "", &fault{"commonEventHeader." + field, strings.TrimSuffix(err.Error(), ": "+rca.ErrInvalid.Error())}
		}
		raw.Time = t
	}
	// An event id names the alarm at many senders: sequence and time make it that of
	// the notification, and keep the id of one that is sent twice.
	raw.ID = h.EventID + "#" + text(h.Sequence) + "@" + text(h.Last)
	for k, v := range map[string]string{
		"eventId": h.EventID, "eventName": h.EventName, "sourceId": h.SourceID, "reportingEntityName": h.ReportingName, "vesVersion": cmp.Or(h.Listener, text(h.Version)),
	} {
		if v != "" {
			raw.Original[k] = v
		}
	}
	return raw, "", nil
}

// micros reads microseconds of the Unix epoch. Some senders write milliseconds or
// seconds: the magnitude tells.
func micros(v json.RawMessage) (time.Time, error) { return ingest.ParseTime(text(v), time.UTC) }

func (ev event) fault() ingest.Raw {
	f := ev.Fault
	raw := ingest.Raw{
		Part: f.Interface, Type: f.Condition, SpecificProblem: f.Problem, RawType: cmp.Or(ev.Header.EventName, ev.Header.EventType), Scale: rca.ScaleVES,
		Severity: f.Severity, Cleared: strings.EqualFold(f.Severity, "NORMAL"), ProbableCause: f.Condition, EventType: f.Category, Original: additional(f.Additional),
	}
	if f.Problem != f.Condition {
		raw.Text = f.Problem
	}
	raw.Original["eventSourceType"] = f.SourceType
	raw.Original["vfStatus"] = f.Status
	return raw
}

// additional flattens the hash map of 7.x and the name-value list of 4.x and 5.x.
func additional(v json.RawMessage) map[string]string {
	out := map[string]string{}
	var m map[string]json.RawMessage
	if json.Unmarshal(v, &m) == nil {
		for k, x := range m {
			out[k] = text(x)
		}
		return out
	}
	var list []struct{ Name, Value json.RawMessage }
	if json.Unmarshal(v, &list) == nil {
		for _, x := range list {
			if k := text(x.Name); k != "" {
				out[k] = text(x.Value)
			}
		}
	}
	return out
}

// notification reads a TS 28.532 notification. New, changed and cleared alarms are
// alarms; the rest (acknowledgements, comments, list rebuilds) is not.
func (d *Decoder) notification(ev event) (raw ingest.Raw, ignored string) {
	data := ev.Standard.Data
	get := func(k string) string { return text(data[k]) }
	kind := get("notificationType")
	switch strings.ToLower(kind) {
	case "notifynewalarm", "notifynewsecalarm", "notifychangedalarm", "notifychangedalarmgeneral", "notifyclearedalarm":
	case "":
		return raw, "stndDefined without a notification type"
	default:
		return raw, kind
	}
	raw = ingest.Raw{
		Type: get("specificProblem"), RawType: causeName(get("probableCause")), Severity: get("perceivedSeverity"), Scale: rca.Scale3GPP, ProbableCause: get("probableCause"),
		EventType: get("alarmType"), Text: get("additionalText"), Resource: get("objectInstance"), Original: map[string]string{},
	}
	if href := bytes.TrimSpace(data["href"]); raw.Resource == "" && len(href) > 0 && href[0] == '"' {
		raw.Resource = text(href)
	}
	raw.Cleared = strings.EqualFold(kind, "notifyClearedAlarm") || strings.EqualFold(raw.Severity, "CLEARED")
	if raw.Severity == "" && !raw.Cleared {
		raw.Severity, raw.Scale = cmp.Or(d.o.Severity, "MAJOR"), rca.ScaleVES
	}
	if t, err := ingest.ParseTime(get("eventTime"), time.UTC); err == nil {
		raw.Time = t
	}
	for _, k := range slices.Sorted(maps.Keys(data)) {
		switch k {
		case "specificProblem", "perceivedSeverity", "probableCause", "alarmType", "additionalText", "objectInstance", "eventTime":
		default:
			if v := text(data[k]); v != "" {
				raw.Original[k] = v
			}
		}
	}
	d.remember(ev.Header.SourceName+"\x00"+get("alarmId"), &raw, get("alarmId") != "")
	return raw, ""
}

// remember keeps the name of an alarm that opens, and gives it to the change or
// clear that follows.
func (d *Decoder) remember(key string, raw *ingest.Raw, hasID bool) {
	if !hasID {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	known, ok := d.open[key]
	if ok {
		raw.Type, raw.RawType = cmp.Or(known.Type, raw.Type), cmp.Or(known.RawType, raw.RawType)
		raw.Resource = cmp.Or(known.Resource, raw.Resource)
	}
	switch {
	case raw.Cleared:
		delete(d.open, key)
	case !ok && len(d.open) < maxOpen:
		d.open[key] = ingest.Raw{Type: raw.Type, RawType: raw.RawType, Resource: raw.Resource}
	}
}

func causeName(s string) string {
	if n, ok := rca.ParseProbableCause(s); ok {
		if name, ok := rca.ProbableCauseName(n); ok {
			return name
		}
		return fmt.Sprintf("probable cause %d", n)
	}
	return s
}

// text gives a JSON string without quotes and anything else as it stands.
func text(v json.RawMessage) string {
	v = bytes.TrimSpace(v)
	var s string
	switch {
	case len(v) == 0 || string(v) == "null":
		return ""
	case v[0] == '"' && json.Unmarshal(v, &s) == nil:
		return strings.TrimSpace(s)
	}
	return string(v)
}

func head(b []byte) string { return string(b[:min(len(b), 2000)]) }
