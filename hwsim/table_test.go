package hwsim

import (
	"encoding/csv"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The plant is a world of its own: nothing but the standard library may reach it.
func TestImportsNothing(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, im := range parsed.Imports {
			if first, _, _ := strings.Cut(strings.Trim(im.Path.Value, `"`), "/"); strings.Contains(first, ".") || first == "faultline" {
				t.Errorf("%s imports %s", f, im.Path.Value)
			}
		}
	}
}

// A variable that is read but set by no law, no mode and no background alarm is a slip
// of the pen, unless it only gives a contact its place.
func TestEveryVariableIsSet(t *testing.T) {
	tb, err := physics()
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	for _, l := range tb.laws {
		set[l.name] = true
	}
	for _, m := range modes {
		for f := range m.count() {
			for _, ef := range m.does(f+1, 0, 0.5) {
				set[ef.v] = true
			}
		}
	}
	contacts := []string{"smoke", "dry", "door", "scan", "version", "bmc", "rdi", "far", "ranging"}
	for _, l := range tb.laws {
		for _, in := range l.in {
			if name := tb.vars[in.v]; !set[name] && !slices.Contains(contacts, name) {
				t.Errorf("%s of %s reads %q, which nothing sets", l.name, l.on, in.text)
			}
		}
	}
	for _, z := range zeroNominal {
		if _, ok := tb.varID[z]; !ok {
			t.Errorf("%s is listed as a deviation but nothing uses it", z)
		}
	}
	for _, b := range background {
		if !slices.Contains(tb.vars, b.slug) {
			t.Errorf("background alarm %s has no detector", b.slug)
		}
	}
}

func ontology(t *testing.T, file, column string) []string {
	t.Helper()
	f, err := os.Open("../rca/ontology/data/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	at := slices.Index(rows[0], column)
	for _, r := range rows[1:] {
		out = append(out, r[at])
	}
	return out
}

// The plant speaks in its own words; those who translate need every word to be known.
func TestAlarmNamesResolve(t *testing.T) {
	slugs := ontology(t, "alarm_types.csv", "slug")
	have := map[string]bool{}
	for _, a := range Alarms() {
		have[a.Slug] = true
		if !slices.Contains(slugs, a.Slug) {
			t.Errorf("alarm %s on %s is unknown outside", a.Slug, a.On)
		}
		if a.ProbableCause == 0 || !slices.Contains([]string{"critical", "major", "minor", "warning"}, a.Severity) {
			t.Errorf("alarm %s: cause %d, severity %q", a.Slug, a.ProbableCause, a.Severity)
		}
	}
	for _, s := range slugs {
		if !have[s] {
			t.Logf("no element raises %s", s)
		}
	}
}

func TestModesAreWellFormed(t *testing.T) {
	known := ontology(t, "fault_modes.csv", "id")
	seen := map[string]bool{}
	own := 0
	for _, m := range Modes() {
		if seen[m.Name] || m.On == "" || m.Text == "" || m.Rate <= 0 || m.RepairMin <= 0 || m.RepairMax <= m.RepairMin {
			t.Errorf("mode %+v is incomplete or doubled", m)
		}
		seen[m.Name] = true
		if !slices.Contains(known, "FM-"+m.Name) {
			own++
			t.Logf("mode %s is the plant's own", m.Name)
		}
	}
	if len(seen)-own < 45 {
		t.Errorf("%d modes are shared with those who look for them", len(seen)-own)
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("<CONTAINS Board CONTAINS> Port:ip,eth")
	f.Fuzz(func(t *testing.T, s string) {
		hops, err := parsePath(s)
		if err != nil {
			return
		}
		var b []string
		for _, h := range hops {
			rel := h.rel + ">"
			if h.against {
				rel = "<" + h.rel
			}
			b = append(b, rel, h.to.String())
		}
		if again := strings.Join(b, " "); again != strings.Join(strings.Fields(s), " ") {
			t.Errorf("%q reads as %q", s, again)
		}
	})
}
