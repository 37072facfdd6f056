package embedded

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"faultline/graph"
	"faultline/retrieval"
)

// operator is n tickets over 200 alarm types and n/4 sites, with a passage per type.
func operator(n int) []retrieval.Item {
	r := rand.New(rand.NewPCG(11, 12))
	var items []retrieval.Item
	word := func() string { return fmt.Sprintf("w%c%c%c", 'a'+r.IntN(26), 'a'+r.IntN(26), 'a'+r.IntN(6)) }
	for i := range 200 {
		id, name := graph.ID(fmt.Sprintf("alarm-type/T%03d", i)), word()+" "+word()+" failure"
		items = append(items,
			retrieval.Item{ID: id, Kind: retrieval.KindEntity, Title: name, Aliases: []string{fmt.Sprintf("ALM-%05d", i)}, Links: []retrieval.Link{{Type: graph.Causes, To: graph.ID(fmt.Sprintf("alarm-type/T%03d", r.IntN(200)))}}},
			retrieval.Item{ID: graph.ID(fmt.Sprintf("passage/%03d", i)), Kind: retrieval.KindPassage, Title: name, Text: word() + " " + word(), Links: []retrieval.Link{{Type: graph.Defines, To: id}}})
	}
	for i := range n {
		text, t := "", r.IntN(200)
		for range 40 {
			text += word() + " "
		}
		site := graph.ID(fmt.Sprintf("S%05d", r.IntN(n/4)))
		items = append(items, retrieval.Item{
			ID: graph.ID(fmt.Sprintf("wo/%06d", i)), Kind: retrieval.KindWorkOrder, Title: fmt.Sprintf("%s on %s", items[2*t].Title, site), Text: text,
			Links: []retrieval.Link{{Type: graph.Affects, To: site}, {Type: graph.Mentions, To: items[2*t].ID}},
		})
	}
	return items
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		items := operator(n)
		x := open(b, items...)
		q := retrieval.Query{Seeds: []graph.ID{"alarm-type/T007", "alarm-type/T070", "S00100", "S00101"}, Text: items[14].Title + " " + items[140].Title, Kinds: []retrieval.Kind{retrieval.KindWorkOrder}}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Search(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPut(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		items := operator(n)
		x := open(b, items...)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				it := items[400+i%n]
				it.Text += fmt.Sprint(" change ", i)
				if err := x.Put(b.Context(), []retrieval.Item{it}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
