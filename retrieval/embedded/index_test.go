package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"faultline/graph"
	"faultline/retrieval"
)

var update = flag.Bool("update", false, "rewrite golden files")

func corpus(t testing.TB) []retrieval.Item {
	t.Helper()
	b, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	var items []retrieval.Item
	if err := json.Unmarshal(b, &items); err != nil {
		t.Fatal(err)
	}
	return items
}

func open(t testing.TB, items ...retrieval.Item) *Index {
	t.Helper()
	x, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Put(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	return x
}

func search(t testing.TB, x *Index, q retrieval.Query) []retrieval.Hit {
	t.Helper()
	hits, err := x.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

func ids(hits []retrieval.Hit) string {
	var out []string
	for _, h := range hits {
		out = append(out, string(h.ID))
	}
	return strings.Join(out, " ")
}

var goldenQueries = []retrieval.Query{
	{Text: "mains input failure"},
	{Text: "what to do about ALM-25622?", Kinds: []retrieval.Kind{retrieval.KindPassage}},
	{Text: "alm25622", Kinds: []retrieval.Kind{retrieval.KindPassage}},
	{Text: "ge-0/0/1 errors"},
	{Text: "cell-101"},
	{Text: `"both directions" dark`, Kinds: []retrieval.Kind{retrieval.KindWorkOrder, retrieval.KindPassage}},
	{Text: "excav*"},
	{Text: "光缆断裂"},
	{Seeds: []graph.ID{"alarm-type/PE01", "S017-PWR"}, Kinds: []retrieval.Kind{retrieval.KindPassage, retrieval.KindWorkOrder}},
	{Seeds: []graph.ID{"alarm-type/TN02"}, Text: "Loss of signal", Kinds: []retrieval.Kind{retrieval.KindPassage}},
	{Seeds: []graph.ID{"alarm-type/TN02"}, Kinds: []retrieval.Kind{retrieval.KindWorkOrder}},
	{Seeds: []graph.ID{"S017-GNB1"}},
	{Text: "battery", Vendor: "acme", Release: "R3"},
	{Text: "words that nobody wrote, zzz"},
}

func TestGoldenRanking(t *testing.T) {
	x := open(t, corpus(t)...)
	var b strings.Builder
	for _, q := range goldenQueries {
		head, _ := json.Marshal(q)
		fmt.Fprintf(&b, "%s\n", head)
		q.Limit = 4
		for _, h := range search(t, x, q) {
			fmt.Fprintf(&b, "  %-20s %.4f words %.3f walk %.4f  %s\n", h.ID, h.Score, h.Lexical, h.Graph, strings.Join(h.Why, "; "))
		}
	}
	const file = "testdata/ranking.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the ranking changed; run with -update and review the difference:\n%s", b.String())
	}
}

// TestRules states what the golden file must never be updated away from.
func TestRules(t *testing.T) {
	x := open(t, corpus(t)...)
	passages := []retrieval.Kind{retrieval.KindPassage}
	orders := []retrieval.Kind{retrieval.KindWorkOrder}
	for _, tc := range []struct {
		name  string
		q     retrieval.Query
		first string
	}{
		{"a seed alone finds what defines it", retrieval.Query{Seeds: []graph.ID{"alarm-type/PE01"}, Kinds: passages}, "passage/power#1"},
		{"defining beats mentioning", retrieval.Query{Seeds: []graph.ID{"alarm-type/PE11"}, Kinds: passages}, "passage/power#2"},
		{"a resource that is not indexed finds its ticket", retrieval.Query{Seeds: []graph.ID{"OTS-4-7"}, Kinds: orders}, "wo/1002"},
		{"a name in a text is a link", retrieval.Query{Seeds: []graph.ID{"alarm-type/TN02"}, Kinds: orders}, "wo/1002"},
		{"an alias finds the manual", retrieval.Query{Text: "ALM-25622", Kinds: passages}, "passage/power#1"},
		{"near identifiers stay apart", retrieval.Query{Text: "ge-0/0/1", Kinds: orders}, "wo/1003"},
		{"an identifier finds its ticket", retrieval.Query{Text: "cell-102", Kinds: orders}, "wo/1004"},
		{"a phrase finds its ticket", retrieval.Query{Text: `"both directions of"`, Kinds: orders}, "wo/1002"},
		{"Chinese", retrieval.Query{Text: "光缆断裂", Kinds: passages}, "passage/optical#3"},
	} {
		hits := search(t, x, tc.q)
		if len(hits) == 0 || string(hits[0].ID) != tc.first {
			t.Errorf("%s: got %q, want %s first", tc.name, ids(hits), tc.first)
		}
	}
}

func TestFilters(t *testing.T) {
	x := open(t, corpus(t)...)
	at := func(s string) time.Time { v, _ := time.Parse(time.RFC3339, s); return v }
	for _, tc := range []struct {
		name string
		q    retrieval.Query
		want string // sorted
	}{
		{"vendor", retrieval.Query{Text: "loss cut site", Vendor: "bravo"}, "passage/optical#1 passage/optical#2 passage/optical#3"},
		{"release", retrieval.Query{Text: "site", Release: "R2"}, "passage/power#3"},
		{"document", retrieval.Query{Text: "battery", Document: "doc/optical", Kinds: []retrieval.Kind{retrieval.KindPassage}}, ""},
		{"source", retrieval.Query{Text: "无光", Source: "optical-zh.md"}, "passage/optical#3"},
		{"domain", retrieval.Query{Text: "errors cell-101", Domain: "ip"}, "wo/1003"},
		{"time", retrieval.Query{Text: "OTDR connector", Kinds: []retrieval.Kind{retrieval.KindWorkOrder}, Time: graph.Interval{To: at("2026-02-20T09:00:00Z")}}, "wo/1002"},
	} {
		hits := search(t, x, tc.q)
		slices.SortFunc(hits, func(a, b retrieval.Hit) int { return strings.Compare(string(a.ID), string(b.ID)) })
		if got := ids(hits); !strings.HasPrefix(got, tc.want) || (tc.want == "") != (got == "") {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
		for _, h := range hits {
			for _, it := range corpus(t) {
				if it.ID == h.ID && !tc.q.Match(&it) {
					t.Errorf("%s: %s does not pass the filter", tc.name, h.ID)
				}
			}
		}
	}
}

// TestBM25ByHand checks scores worked out on paper: three items of lengths 2, 3 and 4,
// mean 3, k1 1.2, b 0.75.
func TestBM25ByHand(t *testing.T) {
	x := open(t,
		retrieval.Item{ID: "a", Kind: retrieval.KindPassage, Text: "fan fan"},
		retrieval.Item{ID: "b", Kind: retrieval.KindPassage, Text: "fan door smoke"},
		retrieval.Item{ID: "c", Kind: retrieval.KindPassage, Text: "door smoke heat rain"},
	)
	// "fan" stands in 2 of 3: idf = ln(1 + 1.5/2.5) = 0.470004.
	// a: norm 0.25 + 0.75*2/3 = 0.75; 0.470004 * 2*2.2 / (2 + 0.9) = 0.713109
	// b: norm 1; 0.470004 * 2.2 / 2.2 = 0.470004
	// "heat" stands in 1 of 3: idf = ln(1 + 2.5/1.5) = 0.980829.
	// c: norm 0.25 + 0.75*4/3 = 1.25; 0.980829 * 2.2 / 2.5 = 0.863130
	for query, want := range map[string]map[graph.ID]float64{
		"fan":      {"a": 0.713109, "b": 0.470004},
		"heat":     {"c": 0.863130},
		"fan heat": {"a": 0.713109, "b": 0.470004, "c": 0.863130},
	} {
		hits := search(t, x, retrieval.Query{Text: query})
		if len(hits) != len(want) {
			t.Errorf("%q: %d hits, want %d", query, len(hits), len(want))
		}
		for _, h := range hits {
			if math.Abs(h.Lexical-want[h.ID]) > 1e-6 {
				t.Errorf("%q: %s scores %.6f, want %.6f", query, h.ID, h.Lexical, want[h.ID])
			}
		}
	}
}

// TestTitleCountsTwice: the same word in a title of one and twice in a text, both of
// length 2, scores the same.
func TestTitleCountsTwice(t *testing.T) {
	x := open(t, retrieval.Item{ID: "t", Kind: retrieval.KindPassage, Title: "rectifier"}, retrieval.Item{ID: "u", Kind: retrieval.KindPassage, Text: "rectifier rectifier"})
	lex := map[graph.ID]float64{}
	for _, h := range search(t, x, retrieval.Query{Text: "rectifier"}) {
		lex[h.ID] = h.Lexical
	}
	if lex["t"] == 0 || lex["t"] != lex["u"] {
		t.Errorf("scores %v", lex)
	}
}

// TestHistoryLeavesNoTrace puts, replaces and deletes at random. The index must give
// the same hits, to the last bit, as one that was only ever given what is left.
func TestHistoryLeavesNoTrace(t *testing.T) {
	all := corpus(t)
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 1))
		x := open(t)
		left := map[graph.ID]retrieval.Item{}
		for range 30 {
			var batch []retrieval.Item
			for range 1 + r.IntN(4) {
				it := all[r.IntN(len(all))]
				switch r.IntN(4) {
				case 0: // another version: other words, other name, fewer links
					other := all[r.IntN(len(all))]
					it.Text, it.Title = other.Text+" "+it.Title, other.Title
					it.Links = it.Links[:min(1, len(it.Links))]
				case 1:
					if err := x.Delete(t.Context(), []graph.ID{it.ID, "never/was"}); err != nil {
						t.Fatal(err)
					}
					delete(left, it.ID)
					continue
				}
				batch = append(batch, it)
			}
			if err := x.Put(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			for _, it := range batch {
				left[it.ID] = it
			}
		}
		var rest []retrieval.Item
		for _, it := range left {
			rest = append(rest, it)
		}
		fresh := open(t)
		for _, it := range rest { // one at a time, in the random order of the map
			if err := fresh.Put(t.Context(), []retrieval.Item{it}); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := dump(x), dump(fresh); a != b {
			t.Fatalf("seed %d: after its history the index is\n%s\nfresh it is\n%s", seed, a, b)
		}
		for _, q := range goldenQueries {
			if a, b := search(t, x, q), search(t, fresh, q); !reflect.DeepEqual(a, b) {
				t.Fatalf("seed %d: query %+v:\n%+v\nfresh:\n%+v", seed, q, a, b)
			}
		}
		if err := x.Delete(t.Context(), slices.Collect(func(yield func(graph.ID) bool) {
			for id := range left {
				if !yield(id) {
					return
				}
			}
		})); err != nil {
			t.Fatal(err)
		}
		if a, b := dump(x), dump(open(t)); a != b {
			t.Fatalf("seed %d: emptied, the index still holds\n%s", seed, a)
		}
	}
}

// dump writes everything that an index knows, by key.
func dump(x *Index) string {
	var lines []string
	keys := func(list []int32) (out []string) {
		for _, n := range list {
			out = append(out, x.nodes[n].key)
		}
		return out
	}
	edges := func(list []edge) (out []string) {
		for _, e := range list {
			out = append(out, string(e.kind)+" "+x.nodes[e.node].key)
		}
		return out
	}
	for key, n := range x.byKey {
		nd := x.nodes[n]
		line := fmt.Sprintf("node %s out %q in %q names %q owners %q about %q mentions %q", key, edges(nd.out), edges(nd.in), keys(nd.names), keys(nd.owners), keys(nd.about), keys(nd.mentions))
		if nd.doc != nil {
			line += fmt.Sprintf(" length %d", nd.doc.length)
			for _, m := range nd.doc.mentions {
				line += fmt.Sprintf(" %s/%d/%v", x.nodes[m.name].key, m.sentence, m.title)
			}
		}
		lines = append(lines, line)
	}
	for text, id := range x.dict.termIDs {
		var posts []string
		for _, p := range x.dict.terms[id].posts {
			posts = append(posts, fmt.Sprintf("%s:%d", x.nodes[p.node].key, p.tf))
		}
		slices.Sort(posts)
		lines = append(lines, fmt.Sprintf("term %s uses %d %q", text, x.dict.terms[id].uses, posts))
	}
	for text, id := range x.dict.wordIDs {
		lines = append(lines, fmt.Sprintf("word %s uses %d", text, x.dict.words[id].uses))
	}
	for name, e := range x.names {
		lines = append(lines, fmt.Sprintf("name %s %+v", name, *e))
	}
	slices.Sort(lines)
	return fmt.Sprintf("items %d length %d\n%s", x.dict.items, x.dict.length, strings.Join(lines, "\n"))
}

func TestErrors(t *testing.T) {
	x := open(t, corpus(t)...)
	for _, tc := range []struct {
		q     retrieval.Query
		field string
	}{
		{retrieval.Query{}, "text"},
		{retrieval.Query{Text: "a", Limit: -1}, "limit"},
		{retrieval.Query{Text: "a", Kinds: []retrieval.Kind{"book"}}, "kinds"},
	} {
		if _, err := x.Search(t.Context(), tc.q); !errors.Is(err, retrieval.ErrInvalid) || !strings.Contains(err.Error(), tc.field) {
			t.Errorf("%+v: %v does not name %s", tc.q, err, tc.field)
		}
	}
	before := dump(x)
	err := x.Put(t.Context(), []retrieval.Item{{ID: "new", Kind: retrieval.KindPassage}, {ID: "bad", Kind: "book"}})
	if !errors.Is(err, retrieval.ErrInvalid) || dump(x) != before {
		t.Errorf("a batch with a bad item: %v; changed %v", err, dump(x) != before)
	}
	if _, err := New(Options{B: 2}); !errors.Is(err, retrieval.ErrInvalid) || !strings.Contains(err.Error(), "B") {
		t.Errorf("options: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Search(ctx, retrieval.Query{Text: "fan"}); !errors.Is(err, context.Canceled) {
		t.Errorf("search after cancel: %v", err)
	}
	if err := x.Put(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("put after cancel: %v", err)
	}
}

func TestIDs(t *testing.T) {
	x := open(t, corpus(t)...)
	n, last := 0, graph.ID("")
	for id, err := range x.IDs(t.Context()) {
		if err != nil || id <= last {
			t.Fatalf("%s after %s: %v", id, last, err)
		}
		n, last = n+1, id
	}
	if n != len(corpus(t)) {
		t.Errorf("%d ids", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	all := corpus(t)
	x := open(t, all...)
	want := search(t, x, goldenQueries[0])
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 30 {
				it := all[(w*7+i)%len(all)]
				it.ID = graph.ID(fmt.Sprintf("%s/%d", it.ID, w))
				if err := x.Put(t.Context(), []retrieval.Item{it}); err != nil {
					t.Error(err)
				}
				if _, err := x.Search(t.Context(), goldenQueries[i%len(goldenQueries)]); err != nil {
					t.Error(err)
				}
				if err := x.Delete(t.Context(), []graph.ID{it.ID}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := search(t, x, goldenQueries[0]); !reflect.DeepEqual(got, want) {
		t.Errorf("after the storm %+v, before %+v", got, want)
	}
}
