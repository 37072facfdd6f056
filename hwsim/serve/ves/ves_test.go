package ves

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"faultline/hwsim/serve/servetest"
)

func TestFaultsReachTheCollector(t *testing.T) {
	got := make(chan string, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if user, pass, _ := r.BasicAuth(); err != nil || user != "u" || pass != "p" || r.URL.Path != "/eventListener/v7" {
			t.Errorf("%s %s %v", r.URL, user, err)
		}
		got <- string(body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer collector.Close()
	g := servetest.New(t)
	s, err := New(Options{Gateway: g, URL: collector.URL + "/eventListener/v7", User: "u", Password: "p", Client: collector.Client(), Report: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(time.Minute)
	first := regexp.MustCompile(`EpochMicrosec":17723232\d{8}`).ReplaceAllString(<-got, `EpochMicrosec":T`)
	want := `{"event":{"commonEventHeader":{"domain":"fault","eventId":"fault0000001","eventName":"Fault_Plant_ots-loss-of-signal-los-p","lastEpochMicrosec":T,"priority":"High","reportingEntityName":"O1","sequence":1,"sourceName":"O1-L","startEpochMicrosec":T,"version":"4.1","vesEventListenerVersion":"7.2.1"},"faultFields":{"alarmCondition":"lossOfSignal","eventSeverity":"CRITICAL","eventSourceType":"port","faultFieldsVersion":"4.0","specificProblem":"ots-loss-of-signal-los-p","vfStatus":"Active","alarmAdditionalInformation":{"additionalText":"ots loss of signal los p on O1-L","probableCause":"8"}}}}`
	if first != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
	servetest.Mend(t, g, "fibre-cut", "F1")
	g.Advance(time.Hour)
	for {
		var m struct{ Event event }
		if err := json.Unmarshal([]byte(<-got), &m); err != nil {
			t.Fatal(err)
		}
		if m.Event.Fault.Severity == "NORMAL" {
			if m.Event.Header.Start >= m.Event.Header.Last {
				t.Errorf("a clear that starts at %d and ends at %d", m.Event.Header.Start, m.Event.Header.Last)
			}
			return
		}
	}
}

func TestARefusalIsReportedAndTheRestGoesOn(t *testing.T) {
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "full", http.StatusServiceUnavailable)
	}))
	defer collector.Close()
	g := servetest.New(t)
	told := make(chan error, 100)
	s, err := New(Options{Gateway: g, URL: collector.URL, Client: collector.Client(), Report: func(err error) { told <- err }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	servetest.Break(t, g, "fibre-cut", "F1")
	g.Advance(time.Minute)
	for i := 1; i <= 2; i++ {
		if err := <-told; !strings.Contains(err.Error(), fmt.Sprintf("post event %d: collector answers 503", i)) {
			t.Error(err)
		}
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOptionsNameTheField(t *testing.T) {
	g := servetest.New(t)
	for field, o := range map[string]Options{"Gateway": {}, "URL": {Gateway: g, URL: "ftp://x"}, "Client": {Gateway: g, URL: "http://x"}} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
