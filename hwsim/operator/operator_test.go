package operator_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"faultline/graph"
	"faultline/hwsim"
	"faultline/hwsim/operator"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func generate(t testing.TB, size string, seed uint64) *operator.Operator {
	t.Helper()
	o, err := operator.Generate(operator.Options{Size: size, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func ExampleGenerate() {
	o, err := operator.Generate(operator.Options{Size: "small", Seed: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(o.Network.Out("S017-SPN1", "SYNCHRONISES"))
	fmt.Println(o.Network.In("S017-GNB1", "SERVES"))
	// Output:
	// [S017-GNB1 S018-GNB1]
	// [CO03-ER1-VRF-RAN CO03-ER2-VRF-RAN S017-GNB1-PW1]
}

func TestUnknownSizeIsAnError(t *testing.T) {
	for _, size := range []string{"", "Small", "huge"} {
		if _, err := operator.Generate(operator.Options{Size: size}); err == nil || !strings.Contains(err.Error(), "size") {
			t.Errorf("size %q: error = %v, want one that names the field", size, err)
		}
	}
}

// TestSizes holds the sizes that the documentation promises.
func TestSizes(t *testing.T) {
	for _, tc := range []struct {
		size        string
		sites, gnbs int
		low, high   int
	}{
		{"small", 30, 28, 3000, 6000},
		{"metro", 803, 800, 60000, 110000},
		{"city", 15003, 30000, 1000000, 1200000},
	} {
		t.Run(tc.size, func(t *testing.T) {
			if tc.size == "city" && testing.Short() {
				t.Skip("a city takes some seconds")
			}
			o := generate(t, tc.size, 1)
			got := map[string]int{}
			for _, r := range o.Network.Resources() {
				got[r.Kind+":"+r.Role]++
				got[r.Kind]++
			}
			if n := len(o.Network.Resources()); n < tc.low || n > tc.high {
				t.Errorf("%d resources, want %d to %d", n, tc.low, tc.high)
			}
			if got["Site"] != tc.sites || got["NE:gnb"] != tc.gnbs {
				t.Errorf("%d sites and %d base stations, want %d and %d", got["Site"], got["NE:gnb"], tc.sites, tc.gnbs)
			}
			fits(t, o.Network)
			distinctIDs(t, o.Network)
		})
	}
}

// fits checks every relation against the resource model, and that every resource has
// what an inventory needs.
func fits(t *testing.T, n *hwsim.Network) {
	t.Helper()
	schema := graph.ResourceSchema()
	type hop struct{ k1, r1, rel, k2, r2 string }
	seen := map[hop]bool{}
	for _, r := range n.Relations() {
		a, _ := n.Resource(r.From)
		z, _ := n.Resource(r.To)
		h := hop{a.Kind, a.Role, r.Type, z.Kind, z.Role}
		if !seen[h] && !schema.Allows(graph.Kind(a.Kind), a.Role, graph.RelationType(r.Type), graph.Kind(z.Kind), z.Role) {
			t.Errorf("%s -%s-> %s does not fit the resource model", r.From, r.Type, r.To)
		}
		seen[h] = true
	}
	domains := map[string]bool{}
	for _, r := range n.Resources() {
		domains[r.Domain] = true
		if r.Name == "" {
			t.Fatalf("%s has no name", r.ID)
		}
		if len(n.Leaving(r.ID)) == 0 && isolated(n, r.ID) {
			t.Errorf("%s stands alone", r.ID)
		}
	}
	want := []string{"cloud", "core", "home_broadband", "ip", "power_env", "transport", "wireless"}
	if got := slices.Sorted(maps.Keys(domains)); !slices.Equal(got, want) {
		t.Errorf("domains = %v, want %v", got, want)
	}
}

func isolated(n *hwsim.Network, id string) bool {
	for _, rel := range []string{"CONTAINS", "CONNECTS", "POWERS", "HOSTS", "CARRIES", "DEPENDS_ON", "PROTECTS", "SYNCHRONISES", "LAID_IN", "SERVES"} {
		if len(n.In(id, rel)) > 0 {
			return false
		}
	}
	return true
}

var number = regexp.MustCompile(`\d+`)

// distinctIDs checks that no id goes on where another ends inside a number or word,
// and that numbers at one place have one width.
func distinctIDs(t *testing.T, n *hwsim.Network) {
	t.Helper()
	res := n.Resources()
	width := map[string]string{} // id with numbers masked to the same id with their widths
	for _, r := range res {
		// '-' and '/' sort before digits and letters.
		at, _ := slices.BinarySearchFunc(res, r.ID+"0", func(x hwsim.Resource, id string) int { return strings.Compare(x.ID, id) })
		if at < len(res) && strings.HasPrefix(res[at].ID, r.ID) {
			t.Errorf("%s is the beginning of %s", r.ID, res[at].ID)
		}
		mask := number.ReplaceAllString(r.ID, "#")
		shape := number.ReplaceAllStringFunc(r.ID, func(s string) string { return fmt.Sprint(len(s)) })
		if have, ok := width[mask]; ok && have != shape {
			t.Fatalf("%s: numbers of two widths in ids like %s", r.ID, mask)
		}
		width[mask] = shape
	}
}

// TestSmallCoversTheResourceModel walks the resource model: every kind, role and
// triple of it stands in the small network, for any seed.
func TestSmallCoversTheResourceModel(t *testing.T) {
	for seed := range uint64(3) {
		n := generate(t, "small", seed).Network
		have := map[string]bool{}
		for _, r := range n.Relations() {
			a, _ := n.Resource(r.From)
			z, _ := n.Resource(r.To)
			for _, from := range []string{a.Kind, a.Kind + ":" + a.Role} {
				for _, to := range []string{z.Kind, z.Kind + ":" + z.Role} {
					have[from+" "+r.Type+" "+to] = true
				}
			}
		}
		for _, tr := range graph.ResourceSchema().Triples() {
			for _, from := range each(tr.From) {
				for _, to := range each(tr.To) {
					if triple := from + " " + string(tr.Type) + " " + to; !have[triple] {
						t.Errorf("seed %d: no %s", seed, triple)
					}
				}
			}
		}
	}
}

// each returns a selector's roles one by one.
func each(s graph.Selector) []string {
	if s.Roles == nil {
		return []string{string(s.Kind)}
	}
	var out []string
	for _, r := range s.Roles {
		out = append(out, string(s.Kind)+":"+r)
	}
	return out
}

// TestChainsOfTheResourceModel walks longer ways that faults take.
func TestChainsOfTheResourceModel(t *testing.T) {
	n := generate(t, "small", 2).Network
	for _, chain := range []string{
		"PowerSystem:district POWERS> PowerSystem:site CONTAINS> DCDistribution CONTAINS> Fuse POWERS> Board:bbu HOSTS> Cell SERVES> CustomerGroup DEPENDS_ON> Service",
		"Trench <LAID_IN FibreSection CARRIES> Link:fronthaul CONNECTS> Port:fronthaul CONTAINS> OpticalModule",
		"Trench <LAID_IN FibreSection CARRIES> Link:eth CONNECTS> Port:backhaul",
		"Trench <LAID_IN FibreSection CARRIES> Link:eth CONNECTS> Port:uplink <CONTAINS Board <CONTAINS NE:olt DEPENDS_ON> NE:bras",
		"FibreSection CARRIES> Link:ots CARRIES> Link:och CONNECTS> Port:transponder CARRIES> Port:client CONNECTS> Port:ip <CONNECTS Link:ip CARRIES> Path:content",
		"Port:otn-line <CONNECTS Link:ots CARRIES> Link:och <PROTECTS ProtectionGroup",
		"FlexEGroup CARRIES> Channel CARRIES> Tunnel CARRIES> PW SERVES> NE:gnb",
		"Slice DEPENDS_ON> Channel <PROTECTS ProtectionGroup",
		"Host HOSTS> VM HOSTS> NF:AMF <DEPENDS_ON Session:sctp DEPENDS_ON> NE:gnb",
		"KubeNode HOSTS> Pod HOSTS> NF:AMF DEPENDS_ON> NF:AUSF DEPENDS_ON> NF:UDM DEPENDS_ON> Volume <CONTAINS Storage",
		"VRF SERVES> Session:n4 DEPENDS_ON> NF:SMF <DEPENDS_ON NF:IMS <DEPENDS_ON Service:voice",
	} {
		p, err := graph.ParsePath(chain)
		if err != nil {
			t.Fatal(err)
		}
		if !walks(n, p) {
			t.Errorf("nothing stands at the end of %s", chain)
		}
	}
}

func walks(n *hwsim.Network, p graph.Path) bool {
	at := map[string]bool{}
	for _, r := range n.Resources() {
		if p.Start.Match(graph.Kind(r.Kind), r.Role) {
			at[r.ID] = true
		}
	}
	for _, st := range p.Steps {
		next := map[string]bool{}
		for id := range at {
			step := n.In
			if st.Forward {
				step = n.Out
			}
			for _, far := range step(id, string(st.Type)) {
				if r, _ := n.Resource(far); st.To.Match(graph.Kind(r.Kind), r.Role) {
					next[far] = true
				}
			}
		}
		at = next
	}
	return len(at) > 0
}

// TestSameOptionsSameBytes compares whole exports.
func TestSameOptionsSameBytes(t *testing.T) {
	export := func(seed uint64) string {
		var b bytes.Buffer
		if err := generate(t, "small", seed).WriteTMF639(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first, second := export(3), export(3)
	if first != second {
		t.Error("two runs with the same options differ")
	}
	if export(3) == export(4) {
		t.Error("two seeds give the same operator")
	}
}

// TestSeedsShareIdentifiers checks that what two seeds have in common has the same
// identifiers.
func TestSeedsShareIdentifiers(t *testing.T) {
	a, b := generate(t, "small", 1).Network, generate(t, "small", 2).Network
	for _, r := range a.Resources() {
		switch r.Kind {
		case "Site", "NE", "ONU", "Host", "NF", "Session", "PW":
			if _, ok := b.Resource(r.ID); !ok {
				t.Errorf("%s %s is unknown with another seed", r.Kind, r.ID)
			}
		}
	}
}

func TestSummaryGolden(t *testing.T) {
	got := generate(t, "small", 1).Summary()
	const file = "testdata/small.summary.txt"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("summary differs from %s; run with -update and look at the change:\n%s", file, got)
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, size := range []string{"small", "metro", "city"} {
		b.Run(size, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := generate(b, size, 1).Network
				b.ReportMetric(float64(len(n.Resources())), "resources")
				b.ReportMetric(float64(len(n.Relations())), "relations")
			}
		})
	}
}
