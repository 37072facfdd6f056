package backoffice_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"faultline/hwsim/backoffice"
	"faultline/rca"
	"faultline/rca/ontology"
)

func knowledge(t *testing.T) *rca.Knowledge {
	t.Helper()
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sections returns the text below each "## " heading of all manuals, by heading,
// and the domain of the manual that it stands in.
func sections(t *testing.T) (text, domain map[string]string) {
	t.Helper()
	text, domain = map[string]string{}, map[string]string{}
	files, err := fs.Glob(backoffice.Manuals(), "*.md")
	if err != nil || len(files) != 7 {
		t.Fatalf("%d manuals (%v), want 7", len(files), err)
	}
	for _, f := range files {
		b, err := fs.ReadFile(backoffice.Manuals(), f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(b), "# ") {
			t.Errorf("%s has no title", f)
		}
		for _, part := range strings.Split(string(b), "\n## ")[1:] {
			heading, body, _ := strings.Cut(part, "\n")
			if _, dup := text[heading]; dup {
				t.Errorf("two sections %q", heading)
			}
			text[heading], domain[heading] = body, strings.TrimSuffix(f, ".md")
		}
	}
	return text, domain
}

func TestManualSectionsNameTheirAlarm(t *testing.T) {
	k := knowledge(t)
	text, domain := sections(t)
	described, general := map[string]bool{}, map[string]int{}
	for heading, body := range text {
		id, name, _ := strings.Cut(heading, " ")
		a, ok := k.AlarmType(id)
		if !ok {
			general[domain[heading]]++
			continue
		}
		described[id] = true
		if a.Name != name || a.Domain != domain[heading] {
			t.Errorf("%q in %s: the alarm is %q of %s", heading, domain[heading], a.Name, a.Domain)
		}
		last := -1
		for _, part := range []string{"Meaning", "Impact", "Possible causes", "Handling", "\n1. ", "\n2. "} {
			at := strings.Index(body, part)
			if at <= last {
				t.Errorf("%s: %q is missing or out of order", id, part)
			}
			last = at
		}
		if n := len(strings.Fields(body)); n < 45 || n > 150 {
			t.Errorf("%s: %d words", id, n)
		}
	}
	if missing := len(k.AlarmTypes()) - len(described); missing < 5 || missing > 15 {
		t.Errorf("%d alarm types are in no manual, want about ten", missing)
	}
	for _, d := range []string{"power_env", "wireless", "transport", "home_broadband", "ip", "cloud", "core"} {
		if general[d] < 1 {
			t.Errorf("the manual of %s has no general section", d)
		}
	}
}

var word = regexp.MustCompile(`\w+`)

func TestManualSectionsDiffer(t *testing.T) {
	text, _ := sections(t)
	shingles := map[string]map[[3]string]bool{}
	for heading, body := range text {
		w := word.FindAllString(strings.ToLower(body), -1)
		set := map[[3]string]bool{}
		for i := range len(w) - 2 {
			set[[3]string(w[i:i+3])] = true
		}
		shingles[heading] = set
	}
	for a, sa := range shingles {
		for b, sb := range shingles {
			if a == b {
				continue
			}
			common := 0
			for s := range sa {
				if sb[s] {
					common++
				}
			}
			if 3*common > len(sa) {
				t.Errorf("%q and %q share %d of %d word triples", a, b, common, len(sa))
			}
		}
	}
}
