// Package embedded is an Index in memory: an inverted index with BM25 and a graph of
// what texts define and mention, walked by personalised PageRank. Words and seeds meet
// inside the walk: both are where it starts.
//
// Every change is incremental, and the index is a function of its items alone: put
// and delete in any order, and it equals one that was given the remaining items first
// hand, down to the last bit of a score. Nothing is written to disk; a Sync fills it.
package embedded

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync"

	"faultline/graph"
	"faultline/retrieval"
)

// Options tune an Index. The zero value is the configuration that docs/retrieval.md
// measures; every field's zero means its default.
type Options struct {
	// K1 and B are BM25's saturation and length normalisation; 1.2 and 0.75 by default.
	K1, B float64
	// TitleWeight is how many times a word of the title counts; 2 by default.
	TitleWeight int
	// Damping is the walk's chance to go on at a node; 0.8 by default.
	Damping float64
	// Epsilon is the share of the walk that is too small to spread; 5e-5 by default.
	Epsilon float64
	// HubCap is how many mentions make a name too common to lead anywhere but to what
	// defines it and what the words found; 200 by default.
	HubCap int
}

func (o Options) withDefaults() (Options, error) {
	for _, f := range []struct {
		name         string
		value        *float64
		zero, lo, hi float64
	}{{"K1", &o.K1, 1.2, 0, 10}, {"B", &o.B, 0.75, 0, 1}, {"Damping", &o.Damping, 0.8, 0, 0.99}, {"Epsilon", &o.Epsilon, 5e-5, 1e-9, 0.1}} {
		*f.value = cmp.Or(*f.value, f.zero)
		if !(*f.value >= f.lo && *f.value <= f.hi) {
			return o, fmt.Errorf("index options: %s: %g is not in %g..%g: %w", f.name, *f.value, f.lo, f.hi, retrieval.ErrInvalid)
		}
	}
	for _, f := range []struct {
		name  string
		value *int
		zero  int
	}{{"TitleWeight", &o.TitleWeight, 2}, {"HubCap", &o.HubCap, 200}} {
		*f.value = cmp.Or(*f.value, f.zero)
		if *f.value < 1 || *f.value > 1_000_000 {
			return o, fmt.Errorf("index options: %s: %d is not in 1..1000000: %w", f.name, *f.value, retrieval.ErrInvalid)
		}
	}
	return o, nil
}

// Index implements retrieval.Index.
type Index struct {
	o Options

	mu    sync.RWMutex
	dict  *dictionary
	nodes []node
	free  []uint32
	byKey map[string]int32
	names gazetteer
	stale map[int32]bool // items whose mentions a change of names may have changed

	scores sync.Pool // *lexical, between queries
}

var _ retrieval.Index = (*Index)(nil)

// node is an item, a name, or the far end of a link that is not indexed. It lives
// while something refers to it. All lists are sorted by the key of the far node.
type node struct {
	key string // itemKey or nameKey; "" when free
	doc *doc   // nil for names and far ends

	// Of items and far ends:
	out, in []edge  // links from and to it
	names   []int32 // name nodes of its title and aliases

	// Of names:
	owners   []int32 // entities so named
	about    []int32 // other items so titled
	mentions []int32 // items that mention it
}

type edge struct {
	kind graph.RelationType
	node int32
}

type doc struct {
	item      retrieval.Item
	words     []uint32 // of the title, then of the text
	title     int      // how many of words are the title's
	sentences []int32  // sentence of each word; the title is one of its own
	length    int32    // BM25 length
	mentions  []mention
}

// mention is a name in one sentence of an item.
type mention struct {
	name     int32
	sentence int32
	title    bool // in the title
}

func itemKey(id graph.ID) string { return "i" + string(id) }
func nameKey(name string) string { return "n" + name }
func (n *node) unused() bool {
	return n.doc == nil && len(n.in) == 0 && len(n.owners) == 0 && len(n.about) == 0 && len(n.mentions) == 0
}

// New returns an empty index.
func New(o Options) (*Index, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Index{o: o, dict: newDictionary(), byKey: map[string]int32{}, names: gazetteer{}, stale: map[int32]bool{}}, nil
}

// Put adds or replaces items, all or none. An equal item is left as it is.
func (x *Index) Put(ctx context.Context, items []retrieval.Item) error {
	for i, it := range items {
		if err := it.Validate(); err != nil {
			return fmt.Errorf("put item %d: %w", i, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, it := range items {
		if n, ok := x.byKey[itemKey(it.ID)]; ok && x.nodes[n].doc != nil {
			if reflect.DeepEqual(x.nodes[n].doc.item, it) {
				continue
			}
			x.remove(n)
		}
		x.add(it)
	}
	x.relink()
	return nil
}

// Delete removes items; unknown ids are ignored.
func (x *Index) Delete(ctx context.Context, ids []graph.ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range ids {
		if n, ok := x.byKey[itemKey(id)]; ok && x.nodes[n].doc != nil {
			x.remove(n)
		}
	}
	x.relink()
	return nil
}

// IDs yields the ids of all items as they are when it is called, sorted.
func (x *Index) IDs(ctx context.Context) iter.Seq2[graph.ID, error] {
	x.mu.RLock()
	var ids []graph.ID
	for i := range x.nodes {
		if d := x.nodes[i].doc; d != nil {
			ids = append(ids, d.item.ID)
		}
	}
	x.mu.RUnlock()
	slices.Sort(ids)
	return func(yield func(graph.ID, error) bool) {
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if !yield(id, nil) {
				return
			}
		}
	}
}

func (x *Index) add(it retrieval.Item) {
	it.Aliases, it.Links = slices.Clone(it.Aliases), slices.Clone(it.Links)
	n := x.node(itemKey(it.ID))
	d := &doc{item: it}
	title, text := tokenise(it.Title), tokenise(it.Text)
	d.title = len(title)
	for _, t := range title {
		d.words, d.sentences = append(d.words, x.dict.use(t)), append(d.sentences, 0)
	}
	for _, t := range text {
		d.words, d.sentences = append(d.words, x.dict.use(t)), append(d.sentences, int32(t.sentence+1))
	}
	d.length = int32(len(title)*x.o.TitleWeight + len(text))
	x.dict.items++
	x.dict.length += int64(d.length)
	x.dict.post(n, d.words, d.title, int32(x.o.TitleWeight))
	x.nodes[n].doc = d
	for _, l := range it.Links {
		far := x.node(itemKey(l.To))
		x.addEdge(&x.nodes[n].out, edge{l.Type, far})
		x.addEdge(&x.nodes[far].in, edge{l.Type, n})
	}
	for _, name := range namesOf(&it) {
		m := x.node(nameKey(name))
		x.insert(&x.nodes[n].names, m)
		if it.Kind == retrieval.KindEntity {
			x.insert(&x.nodes[m].owners, n)
		} else {
			x.insert(&x.nodes[m].about, n)
		}
		if x.names.add(name, it.Kind == retrieval.KindEntity) {
			x.markStale(name)
		}
	}
	x.stale[n] = true
}

func (x *Index) remove(n int32) {
	d := x.nodes[n].doc
	x.unlink(n)
	x.dict.unpost(n, d.words, d.title, int32(x.o.TitleWeight)) // first, so that it is not marked stale below
	for _, w := range d.words {
		x.dict.release(w)
	}
	x.dict.items--
	x.dict.length -= int64(d.length)
	delete(x.stale, n)
	for _, name := range namesOf(&d.item) {
		m := x.byKey[nameKey(name)]
		list := &x.nodes[m].about
		if d.item.Kind == retrieval.KindEntity {
			list = &x.nodes[m].owners
		}
		x.erase(list, n)
		if x.names.remove(name, d.item.Kind == retrieval.KindEntity) {
			x.markStale(name)
		}
		x.drop(m)
	}
	for _, e := range x.nodes[n].out {
		x.removeEdge(&x.nodes[e.node].in, edge{e.kind, n})
		if e.node != n {
			x.drop(e.node)
		}
	}
	x.nodes[n].doc, x.nodes[n].out, x.nodes[n].names = nil, nil, nil
	x.drop(n)
}

// markStale notes the items that may hold a name: those with its rarest word.
func (x *Index) markStale(name string) {
	var rare []posting
	found := false
	for w := range strings.SplitSeq(name, " ") {
		id, ok := x.dict.wordIDs[w]
		if !ok {
			return
		}
		p := x.dict.terms[x.dict.words[id].terms[0]].posts
		if !found || len(p) < len(rare) {
			rare, found = p, true
		}
	}
	for _, p := range rare {
		x.stale[p.node] = true
	}
}

// relink finds the mentions of new items and of those that a change of names touched.
// It is what makes the order of changes not matter.
func (x *Index) relink() {
	for n := range x.stale {
		x.unlink(n)
	}
	more := map[int32][]int32{}
	for n := range x.stale {
		d := x.nodes[n].doc
		for _, f := range x.findNames(&d.item) {
			d.mentions = append(d.mentions, mention{x.node(nameKey(f.name)), f.sentence, f.title})
		}
		slices.SortFunc(d.mentions, func(a, b mention) int {
			return cmp.Or(x.compareKeys(a.name, b.name), cmp.Compare(a.sentence, b.sentence))
		})
		for name := range d.mentioned() {
			more[name] = append(more[name], n)
		}
	}
	for name, add := range more {
		list := &x.nodes[name].mentions
		if len(add) > len(*list)/8 {
			*list = append(*list, add...)
			slices.SortFunc(*list, x.compareKeys)
			continue
		}
		for _, n := range add {
			x.insert(list, n)
		}
	}
	clear(x.stale)
}

func (x *Index) unlink(n int32) {
	d := x.nodes[n].doc
	for name := range d.mentioned() {
		x.erase(&x.nodes[name].mentions, n)
		x.drop(name)
	}
	d.mentions = nil
}

// mentioned yields each name of an item once, by key.
func (d *doc) mentioned() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i, m := range d.mentions {
			if (i == 0 || d.mentions[i-1].name != m.name) && !yield(m.name) {
				return
			}
		}
	}
}

// node returns the number of the node with this key, a new one if there is none.
func (x *Index) node(key string) int32 {
	if n, ok := x.byKey[key]; ok {
		return n
	}
	n := take(&x.free, len(x.nodes))
	put(&x.nodes, n, node{key: key})
	x.byKey[key] = int32(n)
	return int32(n)
}

// drop frees a node that nothing refers to.
func (x *Index) drop(n int32) {
	if nd := &x.nodes[n]; nd.key != "" && nd.unused() {
		delete(x.byKey, nd.key)
		*nd = node{}
		x.free = append(x.free, uint32(n))
	}
}

func (x *Index) compareKeys(a, b int32) int { return cmp.Compare(x.nodes[a].key, x.nodes[b].key) }

func (x *Index) insert(list *[]int32, n int32) {
	if i, ok := slices.BinarySearchFunc(*list, n, x.compareKeys); !ok {
		*list = slices.Insert(*list, i, n)
	}
}

func (x *Index) erase(list *[]int32, n int32) {
	if i, ok := slices.BinarySearchFunc(*list, n, x.compareKeys); ok {
		*list = slices.Delete(*list, i, i+1)
	}
}

func (x *Index) compareEdges(a, b edge) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), x.compareKeys(a.node, b.node))
}

func (x *Index) addEdge(list *[]edge, e edge) {
	if i, ok := slices.BinarySearchFunc(*list, e, x.compareEdges); !ok {
		*list = slices.Insert(*list, i, e)
	}
}

func (x *Index) removeEdge(list *[]edge, e edge) {
	if i, ok := slices.BinarySearchFunc(*list, e, x.compareEdges); ok {
		*list = slices.Delete(*list, i, i+1)
	}
}
