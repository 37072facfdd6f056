package graphtest

import (
	"fmt"
	"math/rand/v2"

	"faultline/graph"
)

// Inventory makes an operator's inventory: ids, roles, names and attributes of usual
// length, and relations of which most stay near their entity and some do not.
func Inventory(entities, relations int) []graph.Change {
	r := rand.New(rand.NewPCG(9, 10))
	kinds := []graph.Kind{"NE", "Board", "Port", "Link", "RRU", "Cell", "ONU", "FibreSection"}
	types := []graph.RelationType{graph.Contains, graph.Connects, graph.Powers, graph.Hosts, graph.Carries, graph.DependsOn, graph.Serves}
	id := func(i int) graph.ID { return graph.ID(fmt.Sprintf("site-%05d/element-%02d", i/20, i%20)) }
	by := graph.Provenance{Source: "inventory-2026-03.csv", Version: "2026-03-01", Rule: "row"}
	changes := make([]graph.Change, 0, entities+relations)
	change := func() *graph.Change {
		by.Span = fmt.Sprintf("line %d", len(changes)+2)
		changes = append(changes, graph.Change{ID: fmt.Sprintf("inventory-2026-03.csv#%d", len(changes)), Op: graph.OpPut, At: Epoch, By: by})
		return &changes[len(changes)-1]
	}
	for i := range entities {
		change().Entity = &graph.Entity{
			ID: id(i), Kind: kinds[i%len(kinds)], Role: "access", Name: fmt.Sprintf("Element %d of site %d", i%20, i/20), Domain: "wireless",
			Attrs: map[string]string{"vendor": "vendor-a", "lat": fmt.Sprintf("%.5f", 59+r.Float64()), "lon": fmt.Sprintf("%.5f", 18+r.Float64()), "serial": fmt.Sprintf("SN%012d", r.Uint64N(1e12))},
		}
	}
	seen := map[graph.RelationKey]bool{}
	for len(changes) < entities+relations {
		from := r.IntN(entities)
		to := (from + 1 + r.IntN(60)) % entities
		if r.IntN(10) == 0 {
			to = r.IntN(entities)
		}
		rel := graph.Relation{From: id(from), Type: types[r.IntN(len(types))], To: id(to)}
		if !seen[rel.Key()] {
			seen[rel.Key()] = true
			change().Relation = &rel
		}
	}
	return changes
}
