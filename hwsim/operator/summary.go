package operator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Summary says for people what the operator consists of: totals, and the number of
// resources by domain and kind.
func (o *Operator) Summary() string {
	type row struct{ domain, kind string }
	counts, domains := map[row]int{}, map[string]int{}
	for _, r := range o.Network.Resources() {
		kind := r.Kind
		if r.Role != "" {
			kind += ":" + r.Role
		}
		counts[row{r.Domain, kind}]++
		domains[r.Domain]++
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%s, size %s, seed %d: %d resources, %d relations\n", o.Name, o.Size, o.Seed, len(o.Network.Resources()), len(o.Network.Relations()))
	w := tabwriter.NewWriter(&s, 0, 0, 2, ' ', 0)
	rows := slices.SortedFunc(maps.Keys(counts), func(a, b row) int { return strings.Compare(a.domain+"\t"+a.kind, b.domain+"\t"+b.kind) })
	last := ""
	for _, r := range rows {
		if r.domain != last {
			fmt.Fprintf(w, "%s\t%d\n", r.domain, domains[r.domain])
			last = r.domain
		}
		fmt.Fprintf(w, "  %s\t%d\n", r.kind, counts[r])
	}
	w.Flush()
	return s.String()
}
