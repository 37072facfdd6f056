package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// timed are the lines that differ from run to run.
var timed = []string{"latency of one analysis", "operator small"}

// TestRankStats holds the quality of the ranking: a change shows as a difference.
func TestRankStats(t *testing.T) {
	var out strings.Builder
	if err := run(context.Background(), []string{"incidents", "-seed", "7", "-n", "40", "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var figures map[string]float64
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &figures); err != nil {
		t.Fatalf("the last line is no JSON object: %v", err)
	}
	for _, k := range strings.Fields("ac1 ac3 mrr domain_accuracy path_f1 abstain_rate ece p50_ms p99_ms baseline_best_ac1") {
		if _, ok := figures[k]; !ok {
			t.Errorf("no key %s", k)
		}
	}
	if figures["pairs_unknown_to_ontology"] == 0 || figures["edges_contradicted"] == 0 {
		t.Error("plant and ontology share one mind")
	}
	got := strings.Join(slices.DeleteFunc(lines[:len(lines)-1], func(l string) bool {
		return slices.ContainsFunc(timed, func(p string) bool { return strings.HasPrefix(l, p) })
	}), "\n") + "\n"
	const golden = "testdata/rank_stats.txt"
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
		t.Errorf("the ranking changed; look at the difference, then run with -update\ngot\n%s\nwant\n%s", got, want)
	}
}

// TestNoAnalysisCanSeeTruth holds that what analyses is built without the packages
// that know what broke.
func TestNoAnalysisCanSeeTruth(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "faultline/cmd/internal/app").Output()
	if err != nil {
		t.Fatalf("list dependencies: %v", err)
	}
	deps := strings.Fields(string(out))
	for _, p := range []string{"faultline/hwsim/fault", "faultline/hwsim/backoffice", "faultline/hwsim/operator", "faultline/cmd/internal/plant"} {
		if slices.Contains(deps, p) {
			t.Errorf("the product is built with %s", p)
		}
	}
	if !slices.Contains(deps, "faultline/rca/reason") {
		t.Error("the list of dependencies is not the product's")
	}
	// The plant's own record is in hwsim, which the twin is built on: nothing of the
	// product may ask for it.
	for _, dir := range []string{"../../agents", "../../graph", "../../ingest", "../../rca", "../../retrieval", "../../web", "../internal/app", "../faultline"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			src, err := os.ReadFile(path)
			if strings.Contains(string(src), ".Trace()") {
				t.Errorf("%s asks the plant what broke", path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}
