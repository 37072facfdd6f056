package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func command(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	c := root(&out)
	c.SetArgs(args)
	if err := c.Execute(); err != nil {
		t.Fatalf("hwsim %v: %v", args, err)
	}
	return out.String()
}

func TestDayIsTheSameEveryTimeAndHoldsNoTruth(t *testing.T) {
	truth := filepath.Join(t.TempDir(), "truth.jsonl")
	first := command(t, "day", "--seed", "3", "--date", "2026-05-04")
	if again := command(t, "day", "--seed", "3", "--date", "2026-05-04", "--truth", truth); again != first {
		t.Error("the same day differs")
	}
	if other := command(t, "day", "--seed", "4", "--date", "2026-05-04"); other == first {
		t.Error("another seed gives the same day")
	}
	if n := strings.Count(first, "\n"); n < 500 || !strings.Contains(first, `"time":"2026-05-04T`) {
		t.Errorf("%d alarms", n)
	}
	text, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"chain":"trench-cut"`) || strings.Contains(first, `"chain"`) {
		t.Error("the truth is not in its file alone")
	}
}

func TestOperatorFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "operator")
	out := command(t, "operator", "--out", dir, "--history", "20")
	if !strings.Contains(out, "resources") {
		t.Errorf("summary %q", out)
	}
	var got []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if s := strings.Join(got, " "); s != "inventory.json manuals workorders.json" {
		t.Errorf("files: %s", s)
	}
	without := filepath.Join(t.TempDir(), "operator")
	command(t, "operator", "--out", without)
	size := func(dir string) int64 {
		info, err := os.Stat(filepath.Join(dir, "workorders.json"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	if size(dir) <= size(without) {
		t.Error("a history adds no work orders")
	}
}

func TestModesAreListed(t *testing.T) {
	if out := command(t, "modes"); !strings.Contains(out, "trench-cut") || strings.Count(out, "\n") < 50 {
		t.Errorf("modes:\n%s", out)
	}
}
