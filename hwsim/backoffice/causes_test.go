package backoffice

import (
	"regexp"
	"strings"
	"testing"

	"faultline/rca/ontology"
)

// Every fault mode that is known has its own sentences, and no sentence gives the
// plant's name of a mode away.
func TestFindingsCoverTheModes(t *testing.T) {
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, m := range k.FaultModes() {
		mode := strings.TrimPrefix(m.ID, "FM-")
		f, ok := findings[mode]
		if !ok {
			t.Errorf("nobody has words for %s", mode)
			continue
		}
		if len(f.found) != len(f.did) {
			t.Errorf("%s: %d findings, %d remedies", mode, len(f.found), len(f.did))
		}
		for _, s := range append(append([]string{}, f.found...), f.did...) {
			if other, dup := seen[s]; dup && other != mode {
				t.Errorf("%s and %s are both written as %q", mode, other, s)
			}
			seen[s] = mode
			if !strings.HasSuffix(s, ".") || regexp.MustCompile(`\{(at)?[^}]*$`).MatchString(s) {
				t.Errorf("%s: %q is not a sentence", mode, s)
			}
		}
		for _, s := range f.found {
			if !strings.Contains(s, "{at}") && mode != "district-power-cut" {
				t.Errorf("%s: %q does not say where", mode, s)
			}
		}
	}
	for s := range seen {
		for mode := range findings {
			if strings.Contains(strings.ToLower(s), mode) {
				t.Errorf("%q contains %s", s, mode)
			}
		}
	}
	for domain := range team {
		if _, ok := byDomain[domain]; !ok || felt[domain] == nil || works[domain] == nil || expert[domain] == "" {
			t.Errorf("domain %s is not complete", domain)
		}
	}
}
