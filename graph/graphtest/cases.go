package graphtest

import (
	"context"
	"strings"
	"testing"
	"time"

	"faultline/graph"
)

func testNotFound(t *testing.T, s graph.Store) {
	missing(t, s, "x", now)
	missing(t, s, "x", graph.AsOf{Recorded: at(0), Valid: at(0)})
	equal(t, "relations of nothing", relations(t, s, "x", graph.Filter{Dir: graph.Both}), "")
	equal(t, "relations of nothing then", relations(t, s, "x", graph.Filter{AsOf: graph.AsOf{Recorded: at(0)}}), "")
	equal(t, "found", found(t, s, graph.Query{Kind: "NE"}), "")
	_, err := s.EntityContributions(t.Context(), "x")
	wantError(t, "entity contributions", err, graph.ErrNotFound)
	_, err = s.RelationContributions(t.Context(), graph.RelationKey{From: "a", Type: "T", To: "b"})
	wantError(t, "relation contributions", err, graph.ErrNotFound)
	equal(t, "sources", len(sources(t, s)), 0)
	apply(t, s, drop(1, "nobody"), retract(put(0, "nobody", entity("x", "NE")), 1), retract(link(0, "nobody", "x", "T", "y"), 1))
	equal(t, "sources after withdrawing nothing", len(sources(t, s)), 0)
	apply(t, s)
}

func testPutRetract(t *testing.T, s graph.Store) {
	full := graph.Entity{
		ID: "ne-1", Kind: "NE", Role: "router", Name: "Core Öst 'one'", Domain: "ip",
		Attrs: map[string]string{"vendor": "ours", "empty": "", "text": "a\nb \x00 \"c\""},
		Valid: graph.Interval{From: at(-1000), To: time.Date(9999, 12, 31, 0, 0, 0, 7, time.UTC)},
	}
	apply(t, s, put(1, "inv", full))
	equal(t, "entity", get(t, s, "ne-1", now), full)
	r := graph.Relation{From: "ne-1", Type: "CONTAINS", To: "b-1", Qualifier: "slot 1", Attrs: map[string]string{"k": "v"}, Valid: graph.Interval{To: at(99)}}
	apply(t, s, put(2, "inv", entity("b-1", "Board")), putRelation(2, "inv", r))
	equal(t, "relation", collect(t, s.Relations(t.Context(), "ne-1", graph.Filter{})), []graph.Relation{r})
	apply(t, s, retract(putRelation(0, "inv", r), 3))
	equal(t, "retracted relation", relations(t, s, "ne-1", graph.Filter{Dir: graph.Both}), "")
	apply(t, s, retract(put(0, "inv", full), 4))
	missing(t, s, "ne-1", now)
	equal(t, "what is left", found(t, s, graph.Query{}), "b-1")
	apply(t, s, put(5, "inv", entity("ne-1", "NE")), putRelation(5, "inv", r))
	equal(t, "put again", get(t, s, "ne-1", now), entity("ne-1", "NE"))
	equal(t, "relation put again", relations(t, s, "b-1", graph.Filter{Dir: graph.In}), r.Key().String())
}

func testReplace(t *testing.T, s graph.Store) {
	e := entity("a", "NE")
	e.Attrs = map[string]string{"old": "1", "both": "1"}
	apply(t, s, put(1, "s", e))
	e.Attrs = map[string]string{"both": "2"}
	e.Kind = "Host"
	apply(t, s, put(2, "s", e))
	equal(t, "replaced", get(t, s, "a", now), e)
	equal(t, "old kind", found(t, s, graph.Query{Kind: "NE"}), "")
	equal(t, "new kind", found(t, s, graph.Query{Kind: "Host"}), "a")
	equal(t, "sources", sources(t, s), []graph.SourceCount{{Source: "s", Entities: 1}})
	// Within one batch the last word holds, whatever came before it.
	apply(t, s, retract(put(0, "s", e), 3), put(3, "s", entity("a", "VM")), link(3, "s", "a", "T", "a"), retract(link(0, "s", "a", "T", "a"), 3),
		put(3, "s", entity("gone", "NE")), retract(put(0, "s", entity("gone", "NE")), 3))
	equal(t, "after a busy batch", mustDump(t, s, now), "{ID:a Kind:VM Role: Name: Domain: Attrs:map[] Valid:"+zeroInterval+"}\n")
}

const zeroInterval = "{From:0001-01-01 00:00:00 +0000 UTC To:0001-01-01 00:00:00 +0000 UTC}"

func testMerge(t *testing.T, s graph.Store) {
	a := graph.Entity{ID: "x", Kind: "NE", Role: "router", Name: "from A", Attrs: map[string]string{"a": "1", "k": "A"}}
	b := graph.Entity{ID: "x", Kind: "NE", Name: "from B", Domain: "ip", Attrs: map[string]string{"b": "1", "k": "B"}, Valid: graph.Interval{From: at(0)}}
	apply(t, s, put(2, "B", b), put(1, "A", a)) // B spoke later, whatever the order of arrival
	want := graph.Entity{ID: "x", Kind: "NE", Role: "router", Name: "from B", Domain: "ip", Attrs: map[string]string{"a": "1", "b": "1", "k": "B"}, Valid: b.Valid}
	equal(t, "merged", get(t, s, "x", now), want)
	equal(t, "found by merged fields", found(t, s, graph.Query{Kind: "NE", Role: "router", Domain: "ip"}), "x")
	apply(t, s, put(3, "A", a)) // now A spoke last
	want.Name, want.Attrs["k"] = "from A", "A"
	equal(t, "merged again", get(t, s, "x", now), want)
	apply(t, s, retract(put(0, "A", a), 4))
	equal(t, "without A", get(t, s, "x", now), b)
	apply(t, s, put(5, "b2", entity("x", "Host")), put(5, "b1", entity("x", "VM"))) // one time: by source
	equal(t, "tie", get(t, s, "x", now).Kind, graph.Kind("Host"))

	r1 := graph.Relation{From: "x", Type: "T", To: "x", Attrs: map[string]string{"k": "1", "p": "1"}}
	r2 := graph.Relation{From: "x", Type: "T", To: "x", Attrs: map[string]string{"k": "2"}, Valid: graph.Interval{To: at(9)}}
	apply(t, s, putRelation(1, "A", r1), putRelation(2, "B", r2))
	r2.Attrs["p"] = "1"
	equal(t, "merged relation", collect(t, s.Relations(t.Context(), "x", graph.Filter{})), []graph.Relation{r2})
	apply(t, s, drop(6, "B"))
	equal(t, "relation of A alone", collect(t, s.Relations(t.Context(), "x", graph.Filter{})), []graph.Relation{r1})
}

func testDropSource(t *testing.T, s graph.Store) {
	apply(t, s, put(1, "A", entity("a", "NE")), put(1, "A", entity("both", "NE")), link(1, "A", "a", "T", "both"))
	before := mustDump(t, s, now)
	apply(t, s, put(2, "B", entity("b", "NE")), put(2, "B", entity("both", "Host")), link(2, "B", "a", "T", "both"), link(2, "B", "b", "T", "a"))
	equal(t, "sources", sources(t, s), []graph.SourceCount{{Source: "A", Entities: 2, Relations: 1}, {Source: "B", Entities: 2, Relations: 2}})
	apply(t, s, drop(3, "B"))
	equal(t, "graph without B", mustDump(t, s, now), before)
	equal(t, "sources without B", sources(t, s), []graph.SourceCount{{Source: "A", Entities: 2, Relations: 1}})
	// A source may come back, and go within the batch in which it came.
	apply(t, s, put(4, "B", entity("b", "NE")), put(4, "C", entity("c", "NE")), link(4, "C", "c", "T", "a"), drop(4, "C"))
	equal(t, "back", found(t, s, graph.Query{}), "a b both")
	apply(t, s, drop(5, "A"), drop(5, "B"))
	equal(t, "empty", mustDump(t, s, now), "")
	equal(t, "no sources", len(sources(t, s)), 0)
}

func testChangeIDs(t *testing.T, s graph.Store) {
	c := put(1, "s", entity("a", "NE"))
	c.ID = "c1"
	other := put(1, "s", entity("b", "NE"))
	other.ID = "c1"
	apply(t, s, c, c, other)
	equal(t, "the id was taken within the batch", found(t, s, graph.Query{}), "a")
	apply(t, s, retract(c, 2))
	apply(t, s, c, other)
	equal(t, "the id was taken before", found(t, s, graph.Query{}), "")
	c.ID, other.ID = "", ""
	apply(t, s, c)
	apply(t, s, other)
	equal(t, "no id is never remembered", found(t, s, graph.Query{}), "a b")
	// The id of a change in a batch that failed is not remembered.
	c = put(3, "s", entity("c", "NE"))
	c.ID = "c3"
	if err := s.Apply(t.Context(), []graph.Change{c, {}}); err == nil {
		t.Fatal("an empty change was accepted")
	}
	apply(t, s, c)
	equal(t, "after the failed batch", found(t, s, graph.Query{}), "a b c")
}

func testAllOrNone(t *testing.T, s graph.Store) {
	apply(t, s, put(1, "s", entity("a", "NE")), put(1, "s", entity("b", "NE")))
	before, counts := mustDump(t, s, now), sources(t, s)
	bad := put(2, "s", graph.Entity{ID: "c"})
	err := s.Apply(t.Context(), []graph.Change{drop(2, "s"), put(2, "new", entity("c", "NE")), link(2, "new", "a", "T", "b"), bad})
	wantError(t, "batch with a bad change", err, graph.ErrInvalid)
	equal(t, "graph", mustDump(t, s, now), before)
	equal(t, "sources", sources(t, s), counts)
}

func testInvalid(t *testing.T, s graph.Store) {
	good := put(1, "s", entity("a", "NE"))
	for _, c := range []struct {
		field  string
		change func(*graph.Change)
	}{
		{"source", func(c *graph.Change) { c.By.Source = "" }},
		{"at", func(c *graph.Change) { c.At = time.Time{} }},
		{"op", func(c *graph.Change) { c.Op = "merge" }},
		{"op", func(c *graph.Change) { c.Op = graph.OpDropSource }},
		{"element", func(c *graph.Change) { c.Entity = nil }},
		{"element", func(c *graph.Change) { c.Relation = &graph.Relation{From: "a", Type: "T", To: "b"} }},
		{"entity.id", func(c *graph.Change) { c.Entity = &graph.Entity{ID: " ", Kind: "NE"} }},
		{"entity.kind", func(c *graph.Change) { c.Entity = &graph.Entity{ID: "a"} }},
		{"relation", func(c *graph.Change) { c.Entity, c.Relation = nil, &graph.Relation{From: "a", Type: "T"} }},
		{"relation.type", func(c *graph.Change) { c.Entity, c.Relation = nil, &graph.Relation{From: "a", To: "b"} }},
	} {
		bad := good
		bad.ID = "the-change"
		c.change(&bad)
		err := s.Apply(t.Context(), []graph.Change{good, bad})
		wantError(t, c.field, err, graph.ErrInvalid)
		if err != nil && (!strings.Contains(err.Error(), c.field+":") || !strings.Contains(err.Error(), "the-change")) {
			t.Errorf("%v: does not name the field %s and the change", err, c.field)
		}
	}
	equal(t, "graph", mustDump(t, s, now), "")
}

func testCopies(t *testing.T, s graph.Store) {
	e := graph.Entity{ID: "a", Kind: "NE", Attrs: map[string]string{"k": "v"}}
	r := graph.Relation{From: "a", Type: "T", To: "a", Attrs: map[string]string{"k": "v"}}
	apply(t, s, put(1, "s", e), putRelation(1, "s", r))
	e.Attrs["k"], r.Attrs["k"] = "mine", "mine"
	get(t, s, "a", now).Attrs["k"] = "reader's"
	collect(t, s.Relations(t.Context(), "a", graph.Filter{}))[0].Attrs["k"] = "reader's"
	collect(t, s.Find(t.Context(), graph.Query{}))[0].Attrs["k"] = "reader's"
	cs, _ := s.EntityContributions(t.Context(), "a")
	cs[0].Entity.Attrs["k"] = "reader's"
	equal(t, "entity", get(t, s, "a", now).Attrs["k"], "v")
	equal(t, "relation", collect(t, s.Relations(t.Context(), "a", graph.Filter{}))[0].Attrs["k"], "v")
}

func testTimes(t *testing.T, s graph.Store) {
	zone := time.FixedZone("east", 8*3600)
	e := graph.Entity{ID: "a", Kind: "NE", Valid: graph.Interval{From: at(1).Add(123456789).In(zone), To: time.Date(1, 1, 1, 0, 0, 1, 0, zone)}}
	apply(t, s, graph.Change{Op: graph.OpPut, At: at(5).Add(987654321).In(zone), By: graph.Provenance{Source: "s"}, Entity: &e})
	v := get(t, s, "a", now).Valid
	if !v.From.Equal(e.Valid.From) || !v.To.Equal(e.Valid.To) || v.From.Location() != time.UTC {
		t.Errorf("valid: got %v, want %v in UTC", v, e.Valid)
	}
	cs, err := s.EntityContributions(t.Context(), "a")
	if err != nil || !cs[0].Recorded.Equal(at(5).Add(987654321)) || cs[0].Recorded.Location() != time.UTC {
		t.Errorf("recorded: got %v (%v), want %v in UTC", cs, err, at(5).Add(987654321))
	}
}

func testRelationOrder(t *testing.T, s graph.Store) {
	for _, id := range []graph.ID{"x", "n2", "n10", "n1", "N1", "é"} {
		apply(t, s, put(1, "s", entity(id, "NE")))
	}
	for _, k := range []graph.RelationKey{
		{From: "x", Type: "T2", To: "n1"}, {From: "x", Type: "T1", To: "n2"}, {From: "n2", Type: "T1", To: "x"}, {From: "x", Type: "T1", To: "é"},
		{From: "x", Type: "T1", To: "n1", Qualifier: "b"}, {From: "x", Type: "T1", To: "n1", Qualifier: "a"}, {From: "x", Type: "T1", To: "n1"},
		{From: "x", Type: "T10", To: "N1"}, {From: "x", Type: "T1", To: "n10"}, {From: "n1", Type: "T2", To: "x"}, {From: "n10", Type: "T1", To: "x"},
		{From: "x", Type: "T3", To: "x"},
	} {
		apply(t, s, putRelation(1, "s", graph.Relation{From: k.From, Type: k.Type, To: k.To, Qualifier: k.Qualifier}))
	}
	out := "x -T1-> n1; x -T1-> n1 [a]; x -T1-> n1 [b]; x -T1-> n10; x -T1-> n2; x -T1-> é; x -T10-> N1; x -T2-> n1; x -T3-> x"
	in := "n10 -T1-> x; n2 -T1-> x; n1 -T2-> x"
	for _, as := range []graph.AsOf{now, {Recorded: at(1)}, {Valid: at(1)}} {
		equal(t, "out", relations(t, s, "x", graph.Filter{AsOf: as}), out)
		equal(t, "in", relations(t, s, "x", graph.Filter{Dir: graph.In, AsOf: as}), in+"; x -T3-> x")
		equal(t, "both", relations(t, s, "x", graph.Filter{Dir: graph.Both, AsOf: as}), out+"; "+in) // x -T3-> x once
	}
}

func testRelationFilters(t *testing.T, s graph.Store) {
	for _, id := range []graph.ID{"a", "b", "c"} {
		apply(t, s, put(1, "s", entity(id, "NE")))
	}
	apply(t, s, link(1, "s", "a", "T1", "b"), link(1, "s", "a", "T2", "c"), link(1, "s", "b", "T1", "a"), link(1, "s", "c", "T3", "a"))
	for _, as := range []graph.AsOf{now, {Recorded: at(1)}} {
		equal(t, "one type", relations(t, s, "a", graph.Filter{Dir: graph.Both, Types: []graph.RelationType{"T1"}, AsOf: as}), "a -T1-> b; b -T1-> a")
		equal(t, "two types", relations(t, s, "a", graph.Filter{Dir: graph.Both, Types: []graph.RelationType{"T3", "T2"}, AsOf: as}), "a -T2-> c; c -T3-> a")
		equal(t, "unknown type", relations(t, s, "a", graph.Filter{Types: []graph.RelationType{"T9"}, AsOf: as}), "")
	}
}

func testFind(t *testing.T, s graph.Store) {
	for _, e := range []graph.Entity{
		{ID: "ne-2", Kind: "NE", Role: "gnb", Name: "Älta Nord", Domain: "wireless"}, {ID: "ne-10", Kind: "NE", Role: "router", Name: "Kista", Domain: "ip"},
		{ID: "ne-1", Kind: "NE", Role: "gnb", Name: "Älta Syd", Domain: "wireless"}, {ID: "cell-1", Kind: "Cell", Domain: "wireless"},
		{ID: "NE-1", Kind: "NE", Role: "olt"}, {ID: "ne%_x", Kind: "NE"},
	} {
		apply(t, s, put(1, "s", e))
	}
	for _, c := range []struct {
		q    graph.Query
		want string
	}{
		{graph.Query{}, "NE-1 cell-1 ne%_x ne-1 ne-10 ne-2"},
		{graph.Query{Kind: "NE"}, "NE-1 ne%_x ne-1 ne-10 ne-2"},
		{graph.Query{Kind: "NE", Role: "gnb"}, "ne-1 ne-2"},
		{graph.Query{Role: "router"}, "ne-10"},
		{graph.Query{Domain: "wireless"}, "cell-1 ne-1 ne-2"},
		{graph.Query{Prefix: "ne-1"}, "ne-1 ne-10"},
		{graph.Query{Prefix: "ne%"}, "ne%_x"},
		{graph.Query{Prefix: "zz"}, ""},
		{graph.Query{Text: "nE-1"}, "NE-1 ne-1 ne-10"},
		{graph.Query{Text: "ÄLTA"}, "ne-1 ne-2"},
		{graph.Query{Text: "%"}, "ne%_x"},
		{graph.Query{Text: "älta", Role: "gnb", Prefix: "ne-2"}, "ne-2"},
		{graph.Query{Kind: "RRU"}, ""},
		{graph.Query{After: "ne-1", Kind: "NE"}, "ne-10 ne-2"},
		{graph.Query{After: "ne-1", Prefix: "ne-1"}, "ne-10"},
		{graph.Query{After: "a", Prefix: "ne-1"}, "ne-1 ne-10"},
		{graph.Query{After: "ne-11"}, "ne-2"},
		{graph.Query{After: "zz"}, ""},
		{graph.Query{Limit: 2}, "NE-1 cell-1"},
		{graph.Query{Limit: 2, After: "cell-1", Kind: "NE"}, "ne%_x ne-1"},
	} {
		equal(t, "find now", found(t, s, c.q), c.want)
		c.q.AsOf.Recorded = at(1)
		equal(t, "find then", found(t, s, c.q), c.want)
	}
}

func testPaging(t *testing.T, s graph.Store) {
	var batch []graph.Change
	for i := range 1500 {
		id := graph.ID("e-" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + time.Duration(i).String())
		if batch = append(batch, put(1, "s", entity(id, "NE"))); i%9 == 0 || i > 1400 {
			apply(t, s, batch...)
			batch = nil
		}
	}
	all := strings.Fields(found(t, s, graph.Query{}))
	equal(t, "entities", len(all), 1500)
	var paged []string
	for after := graph.ID(""); ; {
		page := strings.Fields(found(t, s, graph.Query{After: after, Limit: 97}))
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
		after = graph.ID(page[len(page)-1])
	}
	equal(t, "pages", paged, all)
}

func testStop(t *testing.T, s graph.Store) {
	apply(t, s, put(1, "s", entity("a", "NE")), put(1, "s", entity("b", "NE")), link(1, "s", "a", "T", "b"), link(1, "s", "a", "U", "b"))
	for _, as := range []graph.AsOf{now, {Recorded: at(1)}} {
		for range s.Find(t.Context(), graph.Query{AsOf: as}) {
			break
		}
		for range s.Relations(t.Context(), "a", graph.Filter{AsOf: as}) {
			break
		}
	}
	// A reader may write while it reads.
	for e, err := range s.Find(t.Context(), graph.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		apply(t, s, link(2, "s", e.ID, "SEEN", e.ID))
	}
	equal(t, "written while reading", relations(t, s, "b", graph.Filter{}), "b -SEEN-> b")
}

func testDangling(t *testing.T, s graph.Store) {
	apply(t, s, link(1, "s", "a", "T", "b"))
	equal(t, "no end", relations(t, s, "a", graph.Filter{Dir: graph.Both}), "")
	missing(t, s, "a", now)
	equal(t, "found", found(t, s, graph.Query{}), "")
	apply(t, s, put(2, "s", entity("b", "NE")))
	equal(t, "one end", relations(t, s, "b", graph.Filter{Dir: graph.Both}), "")
	equal(t, "the missing end", relations(t, s, "a", graph.Filter{Dir: graph.Both}), "")
	apply(t, s, put(3, "s", entity("a", "NE")))
	equal(t, "both ends", relations(t, s, "a", graph.Filter{}), "a -T-> b")
	apply(t, s, retract(put(0, "s", entity("b", "NE")), 4))
	equal(t, "an end left", relations(t, s, "a", graph.Filter{}), "")
	for sec, want := range map[int]string{1: "", 2: "", 3: "a -T-> b", 4: ""} {
		equal(t, "as recorded", relations(t, s, "a", graph.Filter{AsOf: graph.AsOf{Recorded: at(sec)}}), want)
	}
	apply(t, s, put(5, "s", entity("b", "NE")))
	equal(t, "the end came back", relations(t, s, "b", graph.Filter{Dir: graph.In}), "a -T-> b")
	apply(t, s, retract(put(0, "s", entity("a", "NE")), 6), retract(put(0, "s", entity("b", "NE")), 6), retract(link(0, "s", "a", "T", "b"), 6))
	apply(t, s, put(7, "s", entity("a", "NE")), put(7, "s", entity("b", "NE")))
	equal(t, "nothing of the relation is left", relations(t, s, "a", graph.Filter{Dir: graph.Both}), "")
}

func testValidTime(t *testing.T, s graph.Store) {
	a, b := entity("a", "NE"), entity("b", "NE")
	a.Valid = graph.Interval{From: at(10), To: at(20)}
	r := graph.Relation{From: "b", Type: "T", To: "a", Valid: graph.Interval{From: at(12)}}
	apply(t, s, put(1, "s", a), put(1, "s", b), putRelation(1, "s", r))
	for _, recorded := range []time.Time{{}, at(1)} {
		for _, c := range []struct {
			sec      int
			ids, rel string
		}{{9, "b", ""}, {10, "a b", ""}, {12, "a b", "b -T-> a"}, {19, "a b", "b -T-> a"}, {20, "b", ""}} {
			as := graph.AsOf{Valid: at(c.sec), Recorded: recorded}
			equal(t, "found", found(t, s, graph.Query{AsOf: as}), c.ids)
			equal(t, "relations", relations(t, s, "b", graph.Filter{AsOf: as}), c.rel)
			equal(t, "relations of the end", relations(t, s, "a", graph.Filter{Dir: graph.In, AsOf: as}), c.rel)
			if c.ids == "b" {
				missing(t, s, "a", as)
			} else {
				equal(t, "entity", get(t, s, "a", as), a)
			}
		}
		equal(t, "whenever", relations(t, s, "b", graph.Filter{AsOf: graph.AsOf{Recorded: recorded}}), "b -T-> a")
	}
}

func testRecordedTime(t *testing.T, s graph.Store) {
	v1, v2 := entity("a", "NE"), entity("a", "Host")
	other := graph.Entity{ID: "a", Kind: "NE", Name: "other"}
	apply(t, s, put(10, "s", v1))
	apply(t, s, put(20, "s", v2))
	apply(t, s, put(30, "o", other))
	apply(t, s, retract(put(0, "s", v2), 40))
	apply(t, s, drop(50, "o"))
	for sec, want := range map[int]graph.Entity{10: v1, 19: v1, 20: v2, 29: v2, 30: other, 39: other, 40: other, 49: other} {
		equal(t, "entity then", get(t, s, "a", graph.AsOf{Recorded: at(sec)}), want)
		equal(t, "found then", found(t, s, graph.Query{Kind: want.Kind, AsOf: graph.AsOf{Recorded: at(sec)}}), "a")
	}
	for _, sec := range []int{9, 50, 99} {
		missing(t, s, "a", graph.AsOf{Recorded: at(sec)})
		equal(t, "not found then", found(t, s, graph.Query{AsOf: graph.AsOf{Recorded: at(sec)}}), "")
	}
	missing(t, s, "a", now)
	far := graph.AsOf{Recorded: time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)}
	apply(t, s, put(60, "s", v1))
	equal(t, "as of a time to come", get(t, s, "a", far), v1)
	missing(t, s, "a", graph.AsOf{Recorded: time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)})
}

func testRecordedRelations(t *testing.T, s graph.Store) {
	apply(t, s, put(1, "s", entity("a", "NE")), put(1, "s", entity("b", "NE")), put(1, "s", entity("c", "NE")))
	apply(t, s, link(10, "s", "a", "T", "b"))
	apply(t, s, link(20, "s", "a", "T", "c"), link(20, "o", "a", "T", "b"))
	apply(t, s, retract(link(0, "s", "a", "T", "b"), 30))
	apply(t, s, drop(40, "o"))
	apply(t, s, drop(50, "s"))
	for sec, want := range map[int]string{
		9: "", 10: "a -T-> b", 20: "a -T-> b; a -T-> c", 30: "a -T-> b; a -T-> c", 40: "a -T-> c", 49: "a -T-> c", 50: "",
	} {
		equal(t, "relations then", relations(t, s, "a", graph.Filter{AsOf: graph.AsOf{Recorded: at(sec)}}), want)
	}
	equal(t, "entering then", relations(t, s, "b", graph.Filter{Dir: graph.In, AsOf: graph.AsOf{Recorded: at(35)}}), "a -T-> b")
}

func testCancelled(t *testing.T, s graph.Store) {
	apply(t, s, put(1, "s", entity("a", "NE")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := mustDump(t, s, now)
	wantError(t, "apply", s.Apply(ctx, []graph.Change{put(2, "s", entity("b", "NE"))}), context.Canceled)
	_, err := s.Entity(ctx, "a", now)
	wantError(t, "entity", err, context.Canceled)
	_, err = s.Entity(ctx, "a", graph.AsOf{Recorded: at(1)})
	wantError(t, "entity then", err, context.Canceled)
	wantError(t, "relations", firstError(s.Relations(ctx, "a", graph.Filter{})), context.Canceled)
	wantError(t, "find", firstError(s.Find(ctx, graph.Query{})), context.Canceled)
	_, err = s.EntityContributions(ctx, "a")
	wantError(t, "entity contributions", err, context.Canceled)
	_, err = s.RelationContributions(ctx, graph.RelationKey{From: "a", Type: "T", To: "a"})
	wantError(t, "relation contributions", err, context.Canceled)
	_, err = s.Sources(ctx)
	wantError(t, "sources", err, context.Canceled)
	equal(t, "graph", mustDump(t, s, now), before)
}

func testLedger(t *testing.T, s graph.Store) {
	e := graph.Entity{ID: "a", Kind: "NE", Attrs: map[string]string{"k": "v"}}
	by := graph.Provenance{Source: "s", Version: "v1", Rule: "row", Span: "line 7", Confidence: 0.75}
	r := graph.Relation{From: "a", Type: "T", To: "b", Qualifier: "q"}
	apply(t, s, graph.Change{Op: graph.OpPut, At: at(2), By: by, Entity: &e}, graph.Change{Op: graph.OpPut, At: at(2), By: by, Relation: &r},
		put(2, "a-source", e), put(1, "z", e))
	apply(t, s, put(5, "s", e), drop(6, "z"), retract(putRelation(0, "s", r), 7))
	want := []graph.Contribution{
		{Provenance: graph.Provenance{Source: "z"}, Recorded: at(1), Retracted: at(6), Entity: &e},
		{Provenance: graph.Provenance{Source: "a-source"}, Recorded: at(2), Entity: &e},
		{Provenance: by, Recorded: at(2), Retracted: at(5), Entity: &e},
		{Provenance: graph.Provenance{Source: "s"}, Recorded: at(5), Entity: &e},
	}
	got, err := s.EntityContributions(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "ledger of the entity", got, want)
	got, err = s.RelationContributions(t.Context(), r.Key())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "ledger of the relation", got, []graph.Contribution{{Provenance: by, Recorded: at(2), Retracted: at(7), Relation: &r}})
	_, err = s.RelationContributions(t.Context(), graph.RelationKey{From: "a", Type: "T", To: "b"})
	wantError(t, "another qualifier", err, graph.ErrNotFound)
}
