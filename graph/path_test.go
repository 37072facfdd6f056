package graph_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"faultline/graph"
)

func TestParsePath(t *testing.T) {
	for _, c := range []struct {
		text string
		want graph.Path
	}{
		{"RRU", graph.Path{Start: graph.Selector{Kind: "RRU"}}},
		{"Port:fronthaul,backhaul", graph.Path{Start: graph.Selector{Kind: "Port", Roles: []string{"fronthaul", "backhaul"}}}},
		{"  *  POWERS>\tRRU:x  <SERVES * ", graph.Path{Start: graph.Selector{Kind: "*"}, Steps: []graph.Step{
			{Type: "POWERS", Forward: true, To: graph.Selector{Kind: "RRU", Roles: []string{"x"}}}, {Type: "SERVES", To: graph.Selector{Kind: "*"}},
		}}},
	} {
		got, err := graph.ParsePath(c.text)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %+v (%v), want %+v", c.text, got, err, c.want)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	for text, names := range map[string]string{
		"":                      "want a selector",
		"RRU POWERS>":           "pairs",
		"RRU POWERS Antenna":    `hop "POWERS"`,
		"RRU > Antenna":         `hop ">"`,
		"RRU < Antenna":         `hop "<"`,
		"Port: POWERS> RRU":     "empty role",
		"Port:a,, POWERS> RRU":  "empty role",
		":fronthaul":            "want Kind",
		"A,B":                   "want Kind",
		"RRU POWERS> <Antenna":  "want Kind",
		"RRU POWERS> Antenna: ": "empty role",
	} {
		_, err := graph.ParsePath(text)
		if !errors.Is(err, graph.ErrInvalid) || !strings.Contains(err.Error(), names) {
			t.Errorf("%q: got %v, want an invalid input that names %s", text, err, names)
		}
	}
	if _, err := graph.ParsePaths("RRU | "); !errors.Is(err, graph.ErrInvalid) {
		t.Errorf("empty alternative: got %v", err)
	}
	if ps, err := graph.ParsePaths("RRU|Cell <SERVES RRU"); err != nil || len(ps) != 2 {
		t.Errorf("two alternatives: got %v (%v)", ps, err)
	}
}

func TestSelectorMatch(t *testing.T) {
	for _, c := range []struct {
		sel, kind, role string
		want            bool
	}{
		{"Port", "Port", "", true}, {"Port", "Port", "eth", true}, {"Port", "Board", "", false}, {"*", "Board", "x", true},
		{"Port:eth,ip", "Port", "ip", true}, {"Port:eth", "Port", "", false}, {"Port:eth", "Link", "eth", false}, {"*:eth", "Link", "eth", true},
	} {
		s, err := graph.ParseSelector(c.sel)
		if err != nil || s.Match(graph.Kind(c.kind), c.role) != c.want {
			t.Errorf("%s matches %s:%s: want %v (%v)", c.sel, c.kind, c.role, c.want, err)
		}
	}
}

func TestInverse(t *testing.T) {
	for text, want := range map[string]string{
		"RRU": "RRU",
		"Port:fronthaul <CONNECTS Link:fronthaul CONNECTS> RRU": "RRU <CONNECTS Link:fronthaul CONNECTS> Port:fronthaul",
		"Fuse POWERS> RRU SERVES> Cell":                         "Cell <SERVES RRU <POWERS Fuse",
	} {
		p, err := graph.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Inverse().String(); got != want {
			t.Errorf("inverse of %q: got %q, want %q", text, got, want)
		}
		if end := p.End().String(); !strings.HasSuffix(text, end) {
			t.Errorf("end of %q: got %q", text, end)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("Port:fronthaul <CONNECTS Link:fronthaul CONNECTS> RRU")
	f.Add("* DEPENDS_ON> NF:AMF,SMF")
	f.Add("A <> B")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := graph.ParsePath(text)
		if err != nil {
			if !errors.Is(err, graph.ErrInvalid) {
				t.Errorf("%q: %v is not an invalid input", text, err)
			}
			return
		}
		again, err := graph.ParsePath(p.String())
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%q: written %q, read again %+v (%v)", text, p, again, err)
		}
		if back := p.Inverse().Inverse(); back.String() != p.String() {
			t.Errorf("%q: twice inverted %q", text, back)
		}
	})
}
