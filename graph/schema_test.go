package graph_test

import (
	"errors"
	"strings"
	"testing"

	"faultline/graph"
)

func TestResourceSchema(t *testing.T) {
	s := graph.ResourceSchema()
	seen := map[string]bool{}
	for _, tr := range s.Triples() {
		row := tr.From.String() + " " + string(tr.Type) + " " + tr.To.String()
		if seen[row] {
			t.Errorf("%s is there twice", row)
		}
		seen[row] = true
		if !s.KnowsKind(tr.From.Kind) || !s.KnowsKind(tr.To.Kind) {
			t.Errorf("%s: a kind of its own is unknown", row)
		}
	}
	if s.KnowsKind("Toaster") {
		t.Error("knows a toaster")
	}
	s.Triples()[0].Type = "BROKEN"
	if s.Triples()[0].Type == "BROKEN" {
		t.Error("Triples hands out the schema's own rows")
	}
}

func TestSchemaAllows(t *testing.T) {
	s := graph.ResourceSchema()
	for _, c := range []struct {
		fromKind, fromRole, typ, toKind, toRole string
		want                                    bool
	}{
		{"Fuse", "", "POWERS", "RRU", "", true},
		{"RRU", "", "POWERS", "Fuse", "", false},
		{"PowerSystem", "district", "POWERS", "PowerSystem", "site", true},
		{"PowerSystem", "site", "POWERS", "PowerSystem", "district", false},
		{"Link", "fronthaul", "CONNECTS", "Port", "fronthaul", true},
		{"Link", "fronthaul", "CONNECTS", "Port", "", false},
		{"NE", "anything", "CONTAINS", "Board", "anything", true},
	} {
		if got := s.Allows(graph.Kind(c.fromKind), c.fromRole, graph.RelationType(c.typ), graph.Kind(c.toKind), c.toRole); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

func TestCheckPath(t *testing.T) {
	s := graph.ResourceSchema()
	for _, c := range []struct{ path, fault string }{
		{"RRU", ""},
		{"*", ""},
		{"Port:fronthaul <CONNECTS Link:fronthaul CONNECTS> RRU", ""},
		{"* CONTAINS> Port", ""},
		{"Port:fronthaul,pon CARRIES> PON", ""}, // one of the roles is enough
		{"NE CONTAINS> Board:bbu CONTAINS> Port:eth", ""},
		{"Toaster", "kind Toaster"},
		{"Port:fronthaul CONNECTS> Link:fronthaul", "hop 1"},
		{"Port:fronthaul <CONNECTS Link:fronthaul POWERS> RRU", "hop 2"},
		{"Port:fronthaul CARRIES> PON", "hop 1"},
		{"RRU <POWERS PowerSystem:district", "hop 1"},
	} {
		p, err := graph.ParsePath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		err = s.CheckPath(p)
		if c.fault == "" && err != nil || c.fault != "" && (!errors.Is(err, graph.ErrInvalid) || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%q: got %v, want fault %q", c.path, err, c.fault)
		}
		if inverse := s.CheckPath(p.Inverse()); (inverse == nil) != (err == nil) {
			t.Errorf("%q: checked backwards: %v", c.path, inverse)
		}
	}
}
