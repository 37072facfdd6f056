package hwsim_test

import (
	"slices"
	"strings"
	"testing"

	"faultline/hwsim"
)

func TestNetworkLookups(t *testing.T) {
	res := []hwsim.Resource{{ID: "c", Kind: "Cell"}, {ID: "a", Kind: "RRU"}, {ID: "b", Kind: "RRU"}, {ID: "d", Kind: "Cell"}}
	rel := []hwsim.Relation{
		{From: "b", Type: "SERVES", To: "c"}, {From: "a", Type: "SERVES", To: "d"}, {From: "a", Type: "SERVES", To: "c"},
		{From: "a", Type: "POWERS", To: "c"}, {From: "a", Type: "SERVES", To: "c"},
	}
	n, err := hwsim.NewNetwork(res, rel)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range n.Relations() {
		got = append(got, r.From+" "+r.Type+" "+r.To)
	}
	want := []string{"a POWERS c", "a SERVES c", "a SERVES d", "b SERVES c"}
	if !slices.Equal(got, want) {
		t.Errorf("relations = %q, want %q (sorted, without the double)", got, want)
	}
	if got := n.Out("a", "SERVES"); !slices.Equal(got, []string{"c", "d"}) {
		t.Errorf("Out(a, SERVES) = %q", got)
	}
	if got := n.In("c", "SERVES"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("In(c, SERVES) = %q", got)
	}
	if n.Out("x", "SERVES") != nil || n.In("x", "SERVES") != nil || n.In("a", "SERVES") != nil {
		t.Error("an unknown or bare resource has neighbours")
	}
	if r, ok := n.Resource("b"); !ok || r.Kind != "RRU" {
		t.Errorf("Resource(b) = %v, %v", r, ok)
	}
	if rel[0].From != "b" || res[0].ID != "c" {
		t.Error("NewNetwork changed its arguments")
	}
}

func TestNetworkRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		res  []hwsim.Resource
		rel  []hwsim.Relation
		want string
	}{
		{"double id", []hwsim.Resource{{ID: "a", Kind: "NE"}, {ID: "a", Kind: "NE"}}, nil, `two resources named "a"`},
		{"no kind", []hwsim.Resource{{ID: "a"}}, nil, "id and kind are required"},
		{"missing far end", []hwsim.Resource{{ID: "a", Kind: "NE"}}, []hwsim.Relation{{From: "a", Type: "CONTAINS", To: "z"}}, `no resource "z"`},
		{"missing near end", []hwsim.Resource{{ID: "a", Kind: "NE"}}, []hwsim.Relation{{From: "y", Type: "CONTAINS", To: "a"}}, `no resource "y"`},
	} {
		if _, err := hwsim.NewNetwork(tc.res, tc.rel); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error = %v, want %q", tc.name, err, tc.want)
		}
	}
}
