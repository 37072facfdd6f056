package neo4j_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"faultline/graph"
	"faultline/graph/graphtest"
	"faultline/graph/neo4j"
	"faultline/graph/walk"
)

// loaded opens a tenant with an inventory, which it applies as one batch.
func loaded(b *testing.B, entities, relations int) *neo4j.Store {
	b.Helper()
	s := openTenant(b, server(b), b.TempDir())
	b.Cleanup(func() { s.Close() })
	apply(b, s, graphtest.Inventory(entities, relations)...)
	return s
}

// BenchmarkRealLoad applies an inventory and drops it again, as one batch.
func BenchmarkRealLoad(b *testing.B) {
	loaded(b, 2_000, 10_000) // warms the server up
	var load, drop time.Duration
	for b.Loop() {
		start := time.Now()
		s := loaded(b, 20_000, 100_000)
		load += time.Since(start)
		start = time.Now()
		apply(b, s, graph.Change{Op: graph.OpDropSource, At: graphtest.Epoch, By: graph.Provenance{Source: "inventory-2026-03.csv"}})
		drop += time.Since(start)
	}
	b.ReportMetric(120_000*float64(b.N)/load.Seconds(), "changes/s")
	b.ReportMetric(drop.Seconds()/float64(b.N), "s/drop")
}

// BenchmarkRealServer is what single calls take on 20,000 entities with 100,000 relations.
func BenchmarkRealServer(b *testing.B) {
	s := loaded(b, 20_000, 100_000)
	r := rand.New(rand.NewPCG(11, 12))
	id := func() graph.ID { return graph.ID(fmt.Sprintf("site-%05d/element-%02d", r.IntN(1000), r.IntN(20))) }
	i := 0
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"alarm", func() error {
			op, alarm := graph.OpPut, graph.ID(fmt.Sprintf("alarm/%d", i/2))
			if i%2 == 1 {
				op = graph.OpRetract
			}
			i++
			c := graph.Change{ID: fmt.Sprintf("%d-e", i), Op: op, At: graphtest.Epoch.Add(time.Duration(i)), By: graph.Provenance{Source: "alarms"}, Entity: &graph.Entity{ID: alarm, Kind: graph.KindAlarm}}
			l := c
			l.ID, l.Entity, l.Relation = fmt.Sprintf("%d-r", i), nil, &graph.Relation{From: alarm, Type: graph.RaisedOn, To: "site-00000/element-00"}
			return s.Apply(b.Context(), []graph.Change{c, l})
		}},
		{"entity", func() error { _, err := s.Entity(b.Context(), id(), graph.AsOf{}); return err }},
		{"relations", func() error {
			for _, err := range s.Relations(b.Context(), id(), graph.Filter{Dir: graph.Both}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"relations-of-the-alarmed", func() error { // with the history of all alarms above
			for _, err := range s.Relations(b.Context(), "site-00000/element-00", graph.Filter{Dir: graph.Both}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"two-hops", func() error {
			_, err := s.Surroundings(b.Context(), graph.Surroundings{Of: []graph.ID{id()}, Hops: 2, Limit: 1000})
			return err
		}},
		{"two-hops-one-by-one", func() error {
			_, err := walk.KHop(b.Context(), s, id(), 2, graph.Filter{Dir: graph.Both})
			return err
		}},
		{"find-100-of-a-kind", func() error {
			for _, err := range s.Find(b.Context(), graph.Query{Kind: "Port", After: id(), Limit: 100}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"find-text", func() error {
			for _, err := range s.Find(b.Context(), graph.Query{Text: "element 7 of site 99", Limit: 100}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"sources", func() error { _, err := s.Sources(b.Context()); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				t := time.Now()
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(t))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
