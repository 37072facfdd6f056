package operator_test

import (
	"slices"
	"strconv"
	"testing"

	"faultline/hwsim"
)

// ofKind lists the resources of a kind and role.
func ofKind(n *hwsim.Network, kind, role string) []hwsim.Resource {
	var out []hwsim.Resource
	for _, r := range n.Resources() {
		if r.Kind == kind && r.Role == role {
			out = append(out, r)
		}
	}
	return out
}

func TestProtectionSharesNoLink(t *testing.T) {
	n := generate(t, "metro", 1).Network
	protected := map[string]bool{}
	for _, g := range ofKind(n, "ProtectionGroup", "tunnel") {
		members := n.Out(g.ID, "PROTECTS")
		if len(members) != 2 {
			t.Fatalf("%s protects %v", g.ID, members)
		}
		under := func(id string) (all []string) {
			for _, c := range n.In(id, "CARRIES") {
				all = append(all, c)
				all = append(all, n.In(c, "CARRIES")...)
			}
			return all
		}
		for _, c := range under(members[0]) {
			if r, _ := n.Resource(c); r.Kind != "FibreSection" && slices.Contains(under(members[1]), c) {
				t.Errorf("%s: both tunnels run over %s", g.ID, c)
			}
		}
		protected[members[0]] = true
	}
	working := ofKind(n, "Tunnel", "working")
	if alone := len(working) - len(protected); alone < len(working)/20 || alone > len(working)/3 {
		t.Errorf("%d of %d tunnels are unprotected; want some", alone, len(working))
	}
}

func TestTwoFeedsForImportantElements(t *testing.T) {
	n := generate(t, "small", 1).Network
	for _, role := range []string{"router", "otn", "bras", "dcswitch"} {
		for _, ne := range ofKind(n, "NE", role) {
			var buses []string
			for _, f := range n.In(ne.ID, "POWERS") {
				buses = append(buses, n.In(f, "CONTAINS")...)
			}
			if len(buses) != 2 || buses[0] == buses[1] {
				t.Errorf("%s is fed from %v, want two distributions", ne.ID, buses)
			}
		}
	}
}

func TestRoutersAreDualHomed(t *testing.T) {
	n := generate(t, "metro", 1).Network
	for _, r := range ofKind(n, "NE", "router") {
		peers := map[string]bool{}
		for _, board := range n.Out(r.ID, "CONTAINS") {
			for _, p := range n.Out(board, "CONTAINS") {
				for _, l := range n.In(p, "CONNECTS") {
					for _, q := range n.Out(l, "CONNECTS") {
						if q != p {
							peers[q[:len("CO01-ER1")]] = true
						}
					}
				}
			}
		}
		if len(peers) < 2 {
			t.Errorf("%s has the neighbours %v", r.ID, peers)
		}
	}
}

// TestEveryBaseStationHasAClock follows SYNCHRONISES back to a data centre.
func TestEveryBaseStationHasAClock(t *testing.T) {
	n := generate(t, "metro", 1).Network
	for _, g := range ofKind(n, "NE", "gnb") {
		at := g.ID
		for hops := 0; ; hops++ {
			up := n.In(at, "SYNCHRONISES")
			if len(up) == 0 {
				break
			}
			if len(up) > 1 || hops > 30 {
				t.Fatalf("%s: clock of %s comes from %v", g.ID, at, up)
			}
			at = up[0]
		}
		if r, _ := n.Resource(at); r.Attrs["clock"] != "PRTC" {
			t.Errorf("%s: clock ends at %s, which is no reference", g.ID, at)
		}
	}
}

func TestFibresShareTrenches(t *testing.T) {
	n := generate(t, "small", 1).Network
	mast, mixed := 0, 0
	for _, tr := range ofKind(n, "Trench", "") {
		roles := map[string]int{}
		for _, f := range n.In(tr.ID, "LAID_IN") {
			r, _ := n.Resource(f)
			roles[r.Role]++
			if m, err := strconv.Atoi(r.Attrs["length_m"]); err != nil || m <= 0 || r.Attrs["loss_db"] == "" {
				t.Errorf("%s: length_m %q, loss_db %q", f, r.Attrs["length_m"], r.Attrs["loss_db"])
			}
		}
		if len(roles) == 0 {
			t.Errorf("trench %s is empty", tr.ID)
		}
		if roles["fronthaul"] >= 2 {
			mast++
		}
		if len(roles) > 1 {
			mixed++
		}
	}
	if mast < 20 || mixed < 5 {
		t.Errorf("%d trenches hold a mast's cables and %d hold cables of several kinds", mast, mixed)
	}
}

func TestSitesHaveCoordinatesAndPower(t *testing.T) {
	n := generate(t, "metro", 5).Network
	for _, role := range []string{"cell", "co", "dc"} {
		for _, s := range ofKind(n, "Site", role) {
			lat, err1 := strconv.ParseFloat(s.Attrs["lat"], 64)
			lon, err2 := strconv.ParseFloat(s.Attrs["lon"], 64)
			if err1 != nil || err2 != nil || lat < 46 || lat > 48.5 || lon < -33 || lon > -28 {
				t.Errorf("%s at %q, %q", s.ID, s.Attrs["lat"], s.Attrs["lon"])
			}
			ps := s.ID + "-PS1"
			feeds := len(n.In(ps, "POWERS"))
			if want := map[string]int{"cell": 1, "co": 1, "dc": 2}[role]; feeds != want {
				t.Errorf("%s has %d district feeds, want %d", ps, feeds, want)
			}
			kinds := map[string]int{}
			for _, part := range n.Out(ps, "CONTAINS") {
				r, _ := n.Resource(part)
				kinds[r.Kind]++
				if r.Kind == "Battery" && (r.Attrs["capacity_ah"] == "" || r.Attrs["load_a"] == "") {
					t.Errorf("%s lacks capacity_ah or load_a", part)
				}
			}
			if kinds["Rectifier"] < 1 || kinds["Rectifier"] > 3 || kinds["Battery"] == 0 || kinds["DCDistribution"] == 0 {
				t.Errorf("%s contains %v", ps, kinds)
			}
		}
	}
}
