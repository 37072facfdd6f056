package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"faultline/cmd/internal/app"
	"faultline/rca"
)

var update = flag.Bool("update", false, "write the golden files anew")

// faultline runs the command line and returns what it printed.
func faultline(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

// must is faultline for what has to work.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := faultline(t, args...)
	if code != 0 {
		t.Fatalf("faultline %s: exit code %d: %s", strings.Join(args, " "), code, errs)
	}
	return out
}

func testdata(name string) string { return filepath.Join("testdata", name) }

// harbour is a data folder with the small network of testdata.
func harbour(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out := must(t, "ingest", "--data", dir, testdata("resources.csv"), testdata("relations.csv"), "--source", "harbour")
	if strings.Contains(out, "rejected, and why") {
		t.Fatalf("the network of testdata does not fit the resource model:\n%s", out)
	}
	return dir
}

func TestAnalysisOfAFile(t *testing.T) {
	dir := harbour(t)
	got := must(t, "rca", testdata("trench.csv"), "--data", dir)
	golden := testdata("trench.golden.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the text differs from %s; if it should, run the test with -update. Got:\n%s", golden, got)
	}
	var cases []rca.Case
	if err := json.Unmarshal([]byte(must(t, "rca", testdata("trench.csv"), "--data", dir, "--json")), &cases); err != nil || len(cases) != 2 {
		t.Fatalf("%d cases, %v; want two", len(cases), err)
	}
	if list := must(t, "rca", "--data", dir); strings.Contains(list, "INC-") {
		t.Errorf("an analysis of a file was kept:\n%s", list)
	}
}

func TestIngestTellsWhatItTook(t *testing.T) {
	dir := harbour(t)
	alarms := filepath.Join(t.TempDir(), "shift log.csv")
	rows := "when,unit,what,how bad\n2026-03-01 08:00:00,P1-SFP,fronthaul-loss-of-signal,critical\n2026-03-01 08:00:05,P2-SFP,,critical\nsoon,P3-SFP,fronthaul-loss-of-signal,critical\n"
	if err := os.WriteFile(alarms, []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"ingest", alarms, "--data", dir, "--format", "alarms-csv", "--map", "time=when,resource=unit,type=what,severity=how bad,prefix.resource=A-", "--json"}
	var got ingested
	if err := json.Unmarshal([]byte(must(t, args...)), &got); err != nil {
		t.Fatal(err)
	}
	f := got.Files[0]
	if f.Records != 3 || f.Emitted != 1 || f.Rejected != 2 || got.Analysed != 1 || !strings.Contains(f.Mapping, "time=when") {
		t.Errorf("got %+v", got)
	}
	if want := filepath.Join(dir, "rejects-shift_log.csv"); got.Rejects != want {
		t.Errorf("rejects in %q, want %q", got.Rejects, want)
	}
	text, err := os.ReadFile(got.Rejects)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); strings.Count(s, "\n") != 3 || !strings.Contains(s, ",3,what,") || !strings.Contains(s, ",4,when,") {
		t.Errorf("rejects:\n%s", s)
	}
	list := must(t, "rca", "--data", dir)
	if !strings.Contains(list, "A-P1-SFP") && !strings.Contains(list, "A-FO1") {
		t.Errorf("the list does not name the place:\n%s", list)
	}
	if out := must(t, "kb", "drop", filepath.ToSlash(alarms), "--data", dir); !strings.Contains(out, "1 alarm events") {
		t.Errorf("drop says %q", out)
	}
	if list := must(t, "rca", "--data", dir); strings.Contains(list, "INC-") {
		t.Errorf("incidents of a dropped source:\n%s", list)
	}
}

func TestWrongUseIsTold(t *testing.T) {
	dir := harbour(t)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"ingest", 2, "ingest --help"},
		{"frobnicate", 2, "frobnicate"},
		{"rca --frobnicate", 2, "--frobnicate"},
		{"ingest x --format xml", 2, "alarms-csv"},
		{"ingest x --map when=x", 2, "when"},
		{"ingest nowhere.csv", 1, "nowhere.csv"},
		{"rca INC-1", 1, "INC-1 is no incident"},
		{"rca testdata/resources.csv", 1, "inventory-csv"},
		{"kb entity nobody", 1, "nobody"},
		{"kb drop nobody", 1, "nobody"},
		{"kb search", 2, "search --help"},
	} {
		code, out, errs := faultline(t, append(strings.Fields(c.args), "--data", dir)...)
		if code != c.code || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("faultline %s: code %d, want %d; out %q, errors %q", c.args, code, c.code, out, errs)
		}
	}
	empty := t.TempDir()
	if code, _, errs := faultline(t, "rca", "--data", empty); code != 1 || !strings.Contains(errs, "no data in") {
		t.Errorf("rca without data: %d %s", code, errs)
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) != 0 {
		t.Errorf("reading made %v, %v", left, err)
	}
}

func TestVersion(t *testing.T) {
	if out := must(t, "version"); !strings.HasPrefix(out, "faultline "+app.Version) {
		t.Errorf("version says %q", out)
	}
}

// serving starts a command that serves, hands on what it prints until it serves, and
// returns its address and how to stop it.
func serving(t *testing.T, args ...string) (addr string, stop func() (code int)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, w := io.Pipe()
	done := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		code := run(ctx, args, w, &errs)
		_ = w.Close() // a pipe's never fails
		done <- code
	}()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), " on http://"); ok {
			addr, _, _ = strings.Cut(after, " ")
			break
		}
	}
	if addr == "" {
		t.Fatalf("faultline %s ended with %d before it served: %s", strings.Join(args, " "), <-done, errs.String())
	}
	go func() { _, _ = io.Copy(io.Discard, r) }() // ends when the command closes w
	return addr, func() int { cancel(); return <-done }
}

func TestReadingAsksTheServiceThatHoldsTheFolder(t *testing.T) {
	dir := harbour(t)
	must(t, "ingest", testdata("trench.csv"), testdata("note.md"), "--data", dir, "--source", "shift")
	id := strings.Fields(strings.Split(must(t, "rca", "--data", dir), "\n")[2])[0]
	reads := [][]string{
		{"rca"}, {"rca", "--json"}, {"rca", id}, {"rca", id, "--json"},
		{"kb", "entities", "--kind", "RRU"}, {"kb", "entities", "--domain", "transport", "--q", "harbour", "--json"}, {"kb", "entities", "--limit", "0"},
		{"kb", "entity", "A-BBU"}, {"kb", "entity", "A-BBU", "--json"}, {"kb", "relations", "A-P1", "--type", "connects,contains"}, {"kb", "relations", "nobody"},
		{"kb", "search", "fronthaul", "loss", "of", "signal"}, {"kb", "search", "trench", "--json", "--limit", "3"}, {"kb", "coverage"}, {"kb", "coverage", "--json"},
	}
	var here []string
	for _, args := range reads {
		here = append(here, must(t, append(args, "--data", dir)...))
	}
	addr, stop := serving(t, "serve", "--data", dir, "--listen", "127.0.0.1:0")
	for i, args := range reads {
		if there := must(t, append(args, "--data", dir)...); there != here[i] {
			t.Errorf("faultline %s says\n%s\nthrough the service and\n%s\nwithout", strings.Join(args, " "), there, here[i])
		}
	}
	if out := must(t, "kb", "sources", "--data", dir); !strings.Contains(out, "shift/trench.csv") {
		t.Errorf("sources through the service lack the alarms:\n%s", out)
	}
	for _, args := range [][]string{{"ingest", testdata("trench.csv")}, {"kb", "drop", "harbour"}, {"serve"}, {"rca", testdata("trench.csv")}} {
		if code, _, errs := faultline(t, append(args, "--data", dir)...); code != 1 || !strings.Contains(errs, addr) {
			t.Errorf("faultline %v while %s serves: code %d, %s", args, addr, code, errs)
		}
	}
	if code, _, errs := faultline(t, "kb", "entity", "nobody", "--data", dir); code != 1 || !strings.Contains(errs, "nobody") {
		t.Errorf("an unknown entity through the service: %d %s", code, errs)
	}
	if code := stop(); code != 0 {
		t.Errorf("the service ended with %d", code)
	}
}
