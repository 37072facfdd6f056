package walk_test

import (
	"testing"

	"faultline/graph"
	"faultline/graph/walk"
)

// TestPageRankOfASubgraph walks from an alarm: what it was raised on comes next, what is
// two relations away after that, and what no relation reaches is not there.
func TestPageRankOfASubgraph(t *testing.T) {
	g := graph.Subgraph{
		Entities: []graph.Entity{{ID: "alarm"}, {ID: "fuse"}, {ID: "island"}, {ID: "rru"}},
		Relations: []graph.Relation{
			{From: "alarm", Type: graph.RaisedOn, To: "rru"}, {From: "fuse", Type: graph.Powers, To: "rru"}, {From: "rru", Type: graph.Serves, To: "elsewhere"},
		},
	}
	rows := walk.FromSubgraph(g, func(r graph.Relation, forward bool) float32 {
		if r.Type == graph.Powers && forward {
			return 0 // a fault is looked for upstream
		}
		return 1
	})
	start, ok := g.Index("alarm")
	if _, there := g.Index("elsewhere"); there || !ok || rows.Len() != 4 {
		t.Fatalf("index: %v %v, %d nodes", ok, there, rows.Len())
	}
	var got []graph.ID
	for _, s := range walk.PersonalisedPageRank(rows, []walk.Seed{{Node: int32(start), Weight: 1}}, walk.PageRankOptions{Damping: 0.8, Epsilon: 1e-9}) {
		got = append(got, g.Entities[s.Node].ID)
	}
	if len(got) != 3 || got[0] != "alarm" || got[1] != "rru" || got[2] != "fuse" {
		t.Errorf("got %v", got)
	}
	if to, _ := rows.Row(1); len(to) != 0 {
		t.Errorf("an edge without weight is there: %v", to)
	}
}
