package embedded

import (
	"maps"
	"testing"
	"time"

	"faultline/graph"
)

// words is a dictionary for tests.
type words struct {
	m    map[string]uint32
	list []string
}

func (w *words) number(s string) uint32 {
	n, ok := w.m[s]
	if !ok {
		n = uint32(len(w.list))
		w.m[s] = n
		w.list = append(w.list, s)
	}
	return n
}

// FuzzChecked feeds what a damaged file may hold: what checked lets through must decode
// without panic, and replacing a source must leave the others alone.
func FuzzChecked(f *testing.F) {
	w := &words{m: map[string]uint32{"": 0}, list: []string{""}}
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	entity := appendStatement(nil, &graph.Change{
		At: at, By: graph.Provenance{Source: "s", Version: "1", Rule: "row", Span: "line 3", Confidence: 0.5},
		Entity: &graph.Entity{ID: "a", Kind: "NE", Role: "gnb", Name: "n", Domain: "wireless", Attrs: map[string]string{"k": "v"}, Valid: graph.Interval{From: at, To: at}},
	}, w)
	relation := appendStatement(nil, &graph.Change{At: at, By: graph.Provenance{Source: "t"}, Relation: &graph.Relation{From: "a", Type: "T", To: "b"}}, w)
	f.Add([]byte(frame(string(entity))+frame(string(entity))), true)
	f.Add([]byte(frame(string(relation))), false)
	f.Fuzz(func(t *testing.T, data []byte, isEntity bool) {
		live := string(data)
		if checked(live, isEntity, len(w.list)) != nil {
			return
		}
		total := 0
		by := map[string]int{}
		if isEntity {
			for _, c := range entityContributions(live, "a", w.list) {
				by[c.Source]++
			}
		} else {
			for _, c := range relationContributions(live, graph.RelationKey{}, w.list) {
				by[c.Source]++
			}
		}
		for source, n := range maps.Clone(by) {
			total += n
			if !says(live, w.number(source)) {
				t.Errorf("%s has %d statements, but says nothing", source, n)
			}
			rest, removed := without(live, w.number(source))
			if err := checked(rest, isEntity, len(w.list)); err != nil || removed == "" || n == 1 && says(rest, w.number(source)) {
				t.Errorf("without %s: %q left (%v)", source, rest, err)
			}
		}
		if total == 0 && live != "" {
			t.Error("statements were lost")
		}
	})
}
