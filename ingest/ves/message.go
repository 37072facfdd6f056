package ves

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"faultline/ingest"
	"faultline/rca"
)

// header is the part of commonEventHeader that intake needs. Numbers are kept as
// written: version is a number up to 5.x and a string since.
type header struct {
	Domain        string          `json:"domain"`
	EventID       string          `json:"eventId"`
	EventName     string          `json:"eventName"`
	EventType     string          `json:"eventType"`
	Sequence      json.RawMessage `json:"sequence"`
	Priority      string          `json:"priority"`
	SourceName    string          `json:"sourceName"`
	SourceID      string          `json:"sourceId"`
	ReportingName string          `json:"reportingEntityName"`
	Start         json.RawMessage `json:"startEpochMicrosec"`
	Last          json.RawMessage `json:"lastEpochMicrosec"`
	Version       json.RawMessage `json:"version"`
	Listener      string          `json:"vesEventListenerVersion"`
	Namespace     string          `json:"stndDefinedNamespace"`
}

type faultFields struct {
	Condition  string          `json:"alarmCondition"`
	Problem    string          `json:"specificProblem"`
	Severity   string          `json:"eventSeverity"`
	Interface  string          `json:"alarmInterfaceA"`
	Category   string          `json:"eventCategory"`
	SourceType string          `json:"eventSourceType"`
	Status     string          `json:"vfStatus"`
	Version    json.RawMessage `json:"faultFieldsVersion"`
	Additional json.RawMessage `json:"alarmAdditionalInformation"`
}

type standardFields struct {
	SchemaReference string                     `json:"schemaReference"`
	Data            map[string]json.RawMessage `json:"data"`
	Version         string                     `json:"stndDefinedFieldsVersion"`
}

type event struct {
	Header       *header         `json:"commonEventHeader"`
	Fault        *faultFields    `json:"faultFields"`
	Standard     *standardFields `json:"stndDefinedFields"`
	Registration *struct {
		V4 *string `json:"oamV4IpAddress"`
		V6 *string `json:"oamV6IpAddress"`
	} `json:"pnfRegistrationFields"`

	old bool // 4.x or 5.x
}

// fault is a check that failed: the field and why.
type fault struct{ field, reason string }

// split takes a message apart. The published schema lets {} pass, so that exactly
// one of event and eventList is checked here.
func split(body []byte) ([]json.RawMessage, *fault) {
	var m struct {
		Event json.RawMessage   `json:"event"`
		List  []json.RawMessage `json:"eventList"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, &fault{"", err.Error()}
	}
	one, many := len(m.Event) > 0 && string(m.Event) != "null", m.List != nil
	switch {
	case one && many:
		return nil, &fault{"event", "message has both event and eventList"}
	case one:
		return []json.RawMessage{m.Event}, nil
	case many && len(m.List) == 0:
		return nil, &fault{"eventList", "empty"}
	case many:
		return m.List, nil
	}
	return nil, &fault{"event", "message has neither event nor eventList"}
}

func decode(raw json.RawMessage) (event, *fault) {
	var ev event
	if err := json.Unmarshal(raw, &ev); err != nil {
		return ev, &fault{ingest.JSONField(err), err.Error()}
	}
	if ev.Header == nil {
		return ev, &fault{"commonEventHeader", "missing"}
	}
	v := strings.Trim(string(ev.Header.Version), `"`)
	ev.old = ev.Header.Listener == "" && !strings.HasPrefix(v, "4.0.1") && !strings.HasPrefix(v, "4.1")
	return ev, nil
}

var listenerVersions = []string{"7.0", "7.0.1", "7.1", "7.1.1", "7.2", "7.2.1"}

// check is the first stage: the header, the block that belongs to the domain, and
// the address formats that plain schema validation lets pass. Events of 4.x and 5.x
// are held to what those versions had.
func (ev event) check() *fault {
	h := ev.Header
	required := []struct {
		name string
		ok   bool
	}{
		{"domain", h.Domain != ""}, {"eventId", h.EventID != ""}, {"sourceName", h.SourceName != ""}, {"reportingEntityName", h.ReportingName != ""},
		{"startEpochMicrosec", len(h.Start) > 0}, {"lastEpochMicrosec", len(h.Last) > 0}, {"sequence", len(h.Sequence) > 0}, {"priority", h.Priority != ""},
		{"version", len(h.Version) > 0}, {"eventName", ev.old || h.EventName != ""},
	}
	for _, r := range required {
		if !r.ok {
			return &fault{"commonEventHeader." + r.name, "missing"}
		}
	}
	if !ev.old && !slices.Contains(listenerVersions, h.Listener) {
		return &fault{"commonEventHeader.vesEventListenerVersion", fmt.Sprintf("%q is not one of %s", h.Listener, strings.Join(listenerVersions, ", "))}
	}
	switch h.Domain {
	case "fault":
		return ev.checkFault()
	case "stndDefined":
		return ev.checkStandard()
	case "pnfRegistration":
		if r := ev.Registration; r != nil {
			if r.V4 != nil && !isAddress(*r.V4, false) {
				return &fault{"pnfRegistrationFields.oamV4IpAddress", fmt.Sprintf("%q is not an IPv4 address", *r.V4)}
			}
			if r.V6 != nil && !isAddress(*r.V6, true) {
				return &fault{"pnfRegistrationFields.oamV6IpAddress", fmt.Sprintf("%q is not an IPv6 address", *r.V6)}
			}
		}
	}
	return nil
}

func (ev event) checkFault() *fault {
	f := ev.Fault
	if f == nil {
		return &fault{"faultFields", "missing"}
	}
	for _, r := range []struct{ name, value string }{
		{"alarmCondition", f.Condition}, {"eventSeverity", f.Severity}, {"specificProblem", f.Problem}, {"eventSourceType", f.SourceType}, {"vfStatus", f.Status},
	} {
		if r.value == "" {
			return &fault{"faultFields." + r.name, "missing"}
		}
	}
	if _, err := rca.ScaleVES.Parse(f.Severity); err != nil {
		return &fault{"faultFields.eventSeverity", strings.TrimSuffix(err.Error(), ": "+rca.ErrInvalid.Error())}
	}
	return nil
}

// isAddress accepts a zone index, as the collector does.
func isAddress(s string, v6 bool) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4() != v6
}

// Namespace3GPP is the stndDefined namespace of 3GPP fault supervision.
const Namespace3GPP = "3GPP-FaultSupervision"

// schemas3GPP are the notification schemas of TS 28.532 that a schemaReference may
// name by its fragment.
var schemas3GPP = []string{
	"NotifyNewAlarm", "NotifyNewSecAlarm", "NotifyAckStateChanged", "NotifyClearedAlarm", "NotifyAlarmListRebuilt", "NotifyChangedAlarm",
	"NotifyComments", "NotifyPotentialFaultyAlarmList", "NotifyCorrelatedNotificationChanged", "NotifyChangedAlarmGeneral",
}

// checkStandard is also the second stage for 3GPP fault supervision: data against
// the types of its schema, without fetching it.
func (ev event) checkStandard() *fault {
	if ev.Header.Namespace == "" {
		return &fault{"commonEventHeader.stndDefinedNamespace", "missing"}
	}
	s := ev.Standard
	if s == nil || s.Data == nil {
		return &fault{"stndDefinedFields.data", "missing"}
	}
	if ev.Header.Namespace != Namespace3GPP || s.SchemaReference == "" {
		return nil // no schema is known, the second stage is skipped
	}
	_, name, _ := strings.Cut(s.SchemaReference, "#")
	name = name[strings.LastIndex(name, "/")+1:]
	if !slices.ContainsFunc(schemas3GPP, func(k string) bool { return strings.EqualFold(k, name) }) {
		return &fault{"stndDefinedFields.schemaReference", fmt.Sprintf("%q names no notification of 3GPP fault supervision", s.SchemaReference)}
	}
	for _, text := range []string{"notificationType", "perceivedSeverity", "alarmId", "alarmType", "trendIndication", "additionalText", "systemDN", "eventTime"} {
		if v := bytes.TrimSpace(s.Data[text]); len(v) > 0 && v[0] != '"' {
			return &fault{"stndDefinedFields.data." + text, fmt.Sprintf("%s is not text", v)}
		}
	}
	if v := bytes.TrimSpace(s.Data["probableCause"]); len(v) > 0 && v[0] != '"' && (v[0] < '0' || v[0] > '9') {
		return &fault{"stndDefinedFields.data.probableCause", "neither text nor number"}
	}
	return nil
}

// checkBatch holds the events of a list to one domain and, for stndDefined, one
// namespace, as a collector does.
func checkBatch(evs []event) *fault {
	for _, ev := range evs[min(1, len(evs)):] {
		a, b := evs[0].Header, ev.Header
		if a.Domain != b.Domain {
			return &fault{"eventList", fmt.Sprintf("a batch of two domains, %s and %s", a.Domain, b.Domain)}
		}
		if a.Namespace != b.Namespace {
			return &fault{"eventList", fmt.Sprintf("a batch of two namespaces, %s and %s", a.Namespace, b.Namespace)}
		}
	}
	return nil
}
