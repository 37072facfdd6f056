package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"faultline/cmd/internal/plant"
)

// summaryOf is the table that the demo ends with.
func summaryOf(out string) string {
	return out[strings.LastIndex(out, "INCIDENT "):]
}

func TestDemo(t *testing.T) {
	dir := t.TempDir()
	out := must(t, "demo", "--data", dir, "--seed", "1", "--once")
	for _, want := range []string{
		"Root causes", "Propagation", "Evidence for", "Evidence against", "From manuals, tickets and past cases", "Rehearsed in the twin",
		"Trench cut, all cables in it", "District power cut", "document/demo/manuals/", "work-order/",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not show %q", want)
		}
	}
	if first := strings.Index(out, "INC-"); first < 0 || first > 200 {
		t.Errorf("the first incident comes after %d characters", first)
	}
	if s := summaryOf(out); strings.Count(s, "INC-") < 30 || !strings.Contains(s, "with a cause") {
		t.Errorf("summary:\n%s", s)
	}
	c, err := plant.New(plant.Options{Size: "small", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Day(demoDay)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range run.Script.Entries {
		if e.Chain != "" && strings.Contains(summaryOf(out), e.Resource) {
			found++
		}
	}
	if found < 10 {
		t.Errorf("%d of 15 reference chains are named in the summary", found)
	}
	for _, f := range []string{plant.InventoryFile, plant.TicketsFile, plant.AlarmsFile} {
		text, err := os.ReadFile(filepath.Join(dir, "demo", f))
		if err != nil {
			t.Fatal(err)
		}
		for _, leak := range []string{"FM-", `"chain"`, `"mode"`} {
			if strings.Contains(string(text), leak) {
				t.Errorf("%s holds %q, which is truth", f, leak)
			}
		}
	}

	again := must(t, "demo", "--data", dir, "--seed", "1", "--once")
	if again != summaryOf(out) {
		t.Errorf("the second start says\n%s\nthe first ended with\n%s", again, summaryOf(out))
	}
	if code, _, errs := faultline(t, "demo", "--data", dir, "--seed", "2", "--once"); code != 1 || !strings.Contains(errs, "seed 1") {
		t.Errorf("another demo in the same folder: %d %s", code, errs)
	}
	addr, stop := serving(t, "demo", "--data", dir, "--listen", "127.0.0.1:0")
	if list := must(t, "rca", "--data", dir); !strings.Contains(list, "Trench cut") {
		t.Errorf("asked through %s:\n%s", addr, list)
	}
	if code := stop(); code != 0 {
		t.Errorf("the demo ended with %d", code)
	}
}

// A first start that is cut short is done again, and comes to the same.
func TestDemoCutShort(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var errs bytes.Buffer
	if code := run(ctx, []string{"demo", "--data", dir, "--once"}, onFirst{"INC-", cancel}, &errs); code != 130 || !strings.Contains(errs.String(), "interrupted") {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	got := summaryOf(must(t, "demo", "--data", dir, "--once"))
	if want := summaryOf(must(t, "demo", "--data", t.TempDir(), "--once")); got != want {
		t.Errorf("after an interruption the day is\n%s\nwithout one\n%s", got, want)
	}
}

// onFirst does something when a text is first written to it.
type onFirst struct {
	text string
	do   func()
}

func (o onFirst) Write(b []byte) (int, error) {
	if strings.Contains(string(b), o.text) {
		o.do()
	}
	return len(b), nil
}

func TestDemoKeepsOffOtherData(t *testing.T) {
	dir := harbour(t)
	if code, _, errs := faultline(t, "demo", "--data", dir, "--once"); code != 1 || !strings.Contains(errs, "other data") {
		t.Errorf("code %d, %s", code, errs)
	}
}
