// Package ves sends a Gateway's alarm events to a VES 7 collector, as fault events of
// the common event format 30.2.1, one HTTP POST each, in order.
package ves

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"faultline/hwsim/serve"
)

// Options of New.
type Options struct {
	Gateway        *serve.Gateway
	URL            string // of the collector's event listener, for example http://host:8443/eventListener/v7
	User, Password string // of HTTP basic authentication; none when User is empty
	Client         *http.Client
	Name           string      // reporting entity of alarms without an element; "" means "plant"
	Report         func(error) // told of an event that the collector did not take; nil forgets it
}

// Sender posts alarm events.
type Sender struct {
	o    Options
	feed *serve.Feed
}

// New checks the options, and watches from now on.
func New(o Options) (*Sender, error) {
	if o.Gateway == nil {
		return nil, fmt.Errorf("ves options: Gateway missing")
	}
	if u, err := url.Parse(o.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("ves options: URL %q is no HTTP address", o.URL)
	}
	if o.Client == nil {
		return nil, fmt.Errorf("ves options: Client missing")
	}
	o.Name = cmp.Or(o.Name, "plant")
	return &Sender{o, o.Gateway.Watch()}, nil
}

// Run posts until ctx ends. An event that fails is reported and not sent again.
func (s *Sender) Run(ctx context.Context) error {
	defer s.feed.Close()
	for {
		evs, err := s.feed.Next(ctx)
		if errors.Is(err, serve.ErrLagged) {
			return fmt.Errorf("send ves events: %w", err)
		}
		if err != nil {
			return nil
		}
		for _, e := range evs {
			if err := s.post(ctx, e); err != nil && ctx.Err() == nil && s.o.Report != nil {
				s.o.Report(fmt.Errorf("post event %d: %w", e.Notification.Seq, err))
			}
		}
	}
}

func (s *Sender) post(ctx context.Context, e serve.Event) error {
	body, err := json.Marshal(map[string]any{"event": s.event(e)})
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.o.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.o.User != "" {
		req.SetBasicAuth(s.o.User, s.o.Password)
	}
	res, err := s.o.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 500)) // only to tell why; the status is the answer
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("collector answers %s: %s", res.Status, bytes.TrimSpace(said))
	}
	return nil
}

type event struct {
	Header header `json:"commonEventHeader"`
	Fault  fault  `json:"faultFields"`
}

type header struct {
	Domain    string `json:"domain"`
	EventID   string `json:"eventId"`
	EventName string `json:"eventName"`
	Last      int64  `json:"lastEpochMicrosec"`
	Priority  string `json:"priority"`
	Reporting string `json:"reportingEntityName"`
	Sequence  uint64 `json:"sequence"`
	Source    string `json:"sourceName"`
	Start     int64  `json:"startEpochMicrosec"`
	Version   string `json:"version"`
	Listener  string `json:"vesEventListenerVersion"`
}

type fault struct {
	Condition  string            `json:"alarmCondition"`
	Severity   string            `json:"eventSeverity"`
	SourceType string            `json:"eventSourceType"`
	Version    string            `json:"faultFieldsVersion"`
	Problem    string            `json:"specificProblem"`
	Status     string            `json:"vfStatus"`
	Additional map[string]string `json:"alarmAdditionalInformation"`
}

// event is a fault event: the condition is the probable cause, the specific problem
// the element's own name of the alarm. A clear has severity NORMAL and the start of
// what it clears.
func (s *Sender) event(e serve.Event) event {
	n := e.Notification
	severity, priority := strings.ToUpper(n.Severity), map[string]string{"critical": "High", "major": "High", "minor": "Medium"}[n.Severity]
	if n.Severity == "cleared" {
		severity = "NORMAL"
	}
	r, _ := s.o.Gateway.Network().Resource(n.Object)
	more := map[string]string{"probableCause": strconv.Itoa(n.ProbableCause), "additionalText": n.Text}
	if n.Qualifier != "" {
		more["qualifier"] = n.Qualifier
	}
	return event{
		header{
			Domain: "fault", EventID: fmt.Sprintf("fault%07d", n.Seq), EventName: "Fault_Plant_" + n.Alarm, Last: n.Time.UnixMicro(), Priority: cmp.Or(priority, "Normal"),
			Reporting: cmp.Or(n.Element, s.o.Name), Sequence: n.Seq, Source: n.Object, Start: e.Alarm.Raised.UnixMicro(), Version: "4.1", Listener: "7.2.1",
		},
		fault{serve.CauseLabel(n.ProbableCause), severity, sourceType(r.Kind), "4.0", n.Alarm, "Active", more},
	}
}

// sourceType is the type of event source in the words of the format's examples.
func sourceType(kind string) string {
	if t, ok := map[string]string{"Port": "port", "Board": "card", "OpticalModule": "card", "Host": "host", "VM": "virtualMachine", "NF": "virtualNetworkFunction"}[kind]; ok {
		return t
	}
	return "other"
}
