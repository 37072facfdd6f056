package plant_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"faultline/cmd/internal/plant"
	"faultline/hwsim/fault"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func company(t *testing.T, seed uint64) *plant.Company {
	t.Helper()
	c, err := plant.New(plant.Options{Size: "small", Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func runDay(t *testing.T, c *plant.Company) *plant.Run {
	t.Helper()
	r, err := c.Day(day)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestADayHasEveryReferenceChain(t *testing.T) {
	r := runDay(t, company(t, 1))
	injected := map[string]bool{}
	for _, e := range r.Script.Entries {
		injected[e.Chain] = true
	}
	reported := map[string]bool{}
	for _, f := range r.Trace.Faults {
		for _, a := range f.Alarms {
			reported[f.Fault.ID] = reported[f.Fault.ID] || a.Reported
		}
	}
	for _, c := range fault.Chains() {
		if !injected[c] {
			t.Errorf("chain %s does not occur", c)
		}
	}
	for _, e := range r.Script.Entries {
		if e.Chain != "" && !reported[e.ID] {
			t.Errorf("chain %s brought no alarm", e.Chain)
		}
	}
	if len(r.Trace.Background) == 0 {
		t.Error("a day without noise")
	}
}

func TestSameSeedSameAlarms(t *testing.T) {
	alarms := func(seed uint64) string {
		var b bytes.Buffer
		if err := plant.WriteAlarms(&b, runDay(t, company(t, seed)).Notifications); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first, again, other := alarms(1), alarms(1), alarms(2)
	if first != again {
		t.Error("two days of one seed differ")
	}
	if first == other {
		t.Error("two seeds bring the same alarms")
	}
}

// What is handed over must not name the faults of the day: neither by their ids nor
// by the plant's names of what can break.
func TestFilesDoNotTellWhatBroke(t *testing.T) {
	c, dir := company(t, 1), t.TempDir()
	past, err := c.Mix(20, day.AddDate(0, 0, -3), day, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := runDay(t, c)
	if err := c.WriteFiles(dir, past, r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, plant.AlarmsFile))
	if err != nil {
		t.Fatal(err)
	}
	orders, err := os.ReadFile(filepath.Join(dir, plant.TicketsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Script.Entries {
		if strings.Contains(string(text), `"`+e.ID+`"`) {
			t.Errorf("the alarms name fault %s", e.ID)
		}
		if e.Work == "" && strings.Contains(string(orders), `"`+e.ID+`"`) {
			t.Errorf("the tickets name fault %s of the day", e.ID)
		}
		if strings.Contains(string(text), `"`+e.Mode+`"`) {
			t.Errorf("the alarms name the mode %s", e.Mode)
		}
	}
	if n := strings.Count(string(text), "\n"); n != len(r.Notifications) {
		t.Errorf("%d lines of %d alarms", n, len(r.Notifications))
	}
}

func TestUnknownSize(t *testing.T) {
	if _, err := plant.New(plant.Options{Size: "huge"}); err == nil || !strings.Contains(err.Error(), "huge") {
		t.Errorf("got %v", err)
	}
}
