package embedded

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"faultline/graph"
)

// batch turns a view and changes into the next view and the rows to write. Nothing of
// it is seen by anybody before it is published, so a batch that fails is forgotten.
type batch struct {
	base  *view
	nodes edit[node]
	edges edit[edge]
	words []string

	newWords map[string]uint32
	newIDs   map[graph.ID]int32
	newEdges map[graph.RelationKey]int32

	freeNodes, freeEdges   []int32 // not taken yet
	reborn, buried         []int32 // node numbers that came into use again, and that fell out of use
	dropped                []int32 // edge numbers that fell out of use
	dirtyNodes, dirtyEdges []int32 // in order of their first change
	touches                []touch
	past                   []pastRow
	tallies                map[uint32]tally // differences
	loose                  int
	buf                    []byte
}

// touch says that a list of halves must be made anew, and what comes to it.
type touch struct {
	n    int32
	in   bool
	add  bool
	half half
}

// pastRow is one retracted contribution.
type pastRow struct {
	id        graph.ID
	typ       uint32
	far       graph.ID
	qualifier string
	recorded  int64
	retracted int64
	said      string
}

func newBatch(s *Store, v *view) *batch {
	return &batch{
		base: v, nodes: edit[node]{paged: v.nodes}, edges: edit[edge]{paged: v.edges}, words: v.words,
		newWords: map[string]uint32{}, newIDs: map[graph.ID]int32{}, newEdges: map[graph.RelationKey]int32{},
		freeNodes: s.free.nodes, freeEdges: s.free.edges, tallies: map[uint32]tally{},
	}
}

// number implements interner.
func (b *batch) number(word string) uint32 {
	if word == "" {
		return 0
	}
	if n, ok := b.newWords[word]; ok {
		return n
	}
	if n, ok := b.base.dict.lookup(word); ok {
		return n
	}
	n := uint32(len(b.words))
	word = strings.Clone(word)
	b.words = append(b.words, word)
	b.newWords[word] = n
	return n
}

// known is number for a word that need not be there; 0 when it is not.
func (b *batch) known(word string) uint32 {
	if n, ok := b.newWords[word]; ok {
		return n
	}
	n, _ := b.base.dict.lookup(word)
	return n
}

// node returns the number of an id, which it gives one if need be.
func (b *batch) node(id graph.ID) int32 {
	if n, ok := b.newIDs[id]; ok {
		return n
	}
	n, ok := b.base.ids.lookup(id)
	if ok && b.nodes.at(n).id == id {
		return n
	}
	switch {
	case ok: // was there before, in this numbering
		b.reborn = append(b.reborn, n)
	case len(b.freeNodes) > 0:
		n, b.freeNodes = b.freeNodes[len(b.freeNodes)-1], b.freeNodes[:len(b.freeNodes)-1]
	default:
		n = int32(b.nodes.n)
		b.nodes.grow(n)
	}
	id = graph.ID(strings.Clone(string(id)))
	b.newIDs[id] = n
	b.dirtyNode(n).id = id
	return n
}

func (b *batch) dirtyNode(n int32) *node {
	x := b.nodes.change(n)
	if x.flags&dirty == 0 {
		x.flags |= dirty
		b.dirtyNodes = append(b.dirtyNodes, n)
	}
	return x
}

func (b *batch) dirtyEdge(e int32) *edge {
	x := b.edges.change(e)
	if x.flags&dirty == 0 {
		x.flags |= dirty
		b.dirtyEdges = append(b.dirtyEdges, e)
	}
	return x
}

func (b *batch) findNode(id graph.ID) (int32, bool) {
	if n, ok := b.newIDs[id]; ok {
		return n, true
	}
	return b.base.number(id)
}

func (b *batch) findEdge(k graph.RelationKey) (int32, bool) {
	if e, ok := b.newEdges[k]; ok {
		return e, true
	}
	from, ok1 := b.base.number(k.From)
	to, ok2 := b.base.number(k.To)
	typ, ok3 := b.base.dict.lookup(string(k.Type))
	if !ok1 || !ok2 || !ok3 {
		return 0, false
	}
	return b.base.find(from, to, typ, k.Qualifier)
}

// edge returns the number of a relation, which it gives one if need be.
func (b *batch) edge(k graph.RelationKey) int32 {
	if e, ok := b.findEdge(k); ok {
		return e
	}
	var e int32
	if k := len(b.freeEdges); k > 0 {
		e, b.freeEdges = b.freeEdges[k-1], b.freeEdges[:k-1]
	} else {
		e = int32(b.edges.n)
		b.edges.grow(e)
	}
	from, to, typ := b.node(k.From), b.node(k.To), b.number(string(k.Type))
	x := b.dirtyEdge(e)
	x.from, x.to, x.typ, x.qualifier = from, to, typ, strings.Clone(k.Qualifier)
	b.newEdges[k] = e
	b.touches = append(b.touches,
		touch{n: from, add: true, half: half{to, typ, e}}, touch{n: to, in: true, add: true, half: half{from, typ, e}})
	return e
}

// apply makes one change, which has passed Validate.
func (b *batch) apply(c *graph.Change) {
	switch {
	case c.Op == graph.OpDropSource:
		b.drop(c)
	case c.Op == graph.OpRetract && c.Entity != nil:
		if n, ok := b.findNode(c.Entity.ID); ok {
			b.retractNode(n, c)
		}
	case c.Op == graph.OpRetract:
		if e, ok := b.findEdge(c.Relation.Key()); ok {
			b.retractEdge(e, c)
		}
	case c.Entity != nil:
		n := b.node(c.Entity.ID)
		b.retractNode(n, c)
		x := b.dirtyNode(n)
		x.live = b.statement(x.live, c)
		b.count(c.By.Source, 1, 0)
	default:
		e := b.edge(c.Relation.Key())
		b.retractEdge(e, c)
		x := b.dirtyEdge(e)
		x.live = b.statement(x.live, c)
		b.count(c.By.Source, 0, 1)
	}
}

// statement appends what a change puts to the living contributions.
func (b *batch) statement(live string, c *graph.Change) string {
	b.buf = appendStatement(b.buf[:0], c, b)
	return live + frame(string(b.buf))
}

func (b *batch) count(source string, entities, relations int) {
	w := b.number(source)
	t := b.tallies[w]
	b.tallies[w] = tally{t.entities + entities, t.relations + relations}
}

func (b *batch) retractNode(n int32, c *graph.Change) {
	rest, removed := without(b.nodes.at(n).live, b.known(c.By.Source))
	if removed == "" {
		return
	}
	x := b.dirtyNode(n)
	x.live = rest
	b.count(c.By.Source, -1, 0)
	b.bury(pastRow{id: x.id}, removed, c.At, true)
}

func (b *batch) retractEdge(e int32, c *graph.Change) {
	rest, removed := without(b.edges.at(e).live, b.known(c.By.Source))
	if removed == "" {
		return
	}
	x := b.dirtyEdge(e)
	x.live = rest
	b.count(c.By.Source, 0, -1)
	b.bury(pastRow{id: b.nodes.at(x.from).id, typ: x.typ, far: b.nodes.at(x.to).id, qualifier: x.qualifier}, removed, c.At, false)
}

func (b *batch) bury(row pastRow, said string, at time.Time, entity bool) {
	row.said, row.retracted, row.recorded = said, at.UnixNano(), mustDecode(said, entity).recorded
	b.past = append(b.past, row)
}

// drop withdraws everything of a source. It looks at every element: sources are
// dropped seldom, and an index from source to elements would cost every put.
func (b *batch) drop(c *graph.Change) {
	w := b.known(c.By.Source)
	if w == 0 {
		return
	}
	for n := int32(0); int(n) < b.nodes.n; n++ {
		if says(b.nodes.at(n).live, w) {
			b.retractNode(n, c)
		}
	}
	for e := int32(0); int(e) < b.edges.n; e++ {
		if says(b.edges.at(e).live, w) {
			b.retractEdge(e, c)
		}
	}
}

// next settles everything that changed and returns the view to publish. The flags of
// changed elements still say which have rows; file clears them.
func (b *batch) next() *view {
	for _, e := range b.dirtyEdges {
		if x := b.edges.at(e); x.live == "" {
			b.touches = append(b.touches, touch{n: x.from}, touch{n: x.to, in: true})
			b.dropped = append(b.dropped, e)
		} else {
			x.summarise()
		}
	}
	b.relink()
	for _, n := range b.dirtyNodes {
		b.nodes.at(n).summarise(b.words, b.number)
	}
	v := &view{
		ids: b.base.ids, dict: b.base.dict, words: b.words, nodes: b.nodes.paged, edges: b.edges.paged, seq: b.base.seq + 1,
	}
	b.reorder(v)
	return v
}

// relink makes the lists of halves that were touched anew.
func (b *batch) relink() {
	slices.SortStableFunc(b.touches, func(x, y touch) int {
		if d := cmp.Compare(x.n, y.n); d != 0 || x.in == y.in {
			return d
		}
		if x.in {
			return 1
		}
		return -1
	})
	now := &view{words: b.words, nodes: b.nodes.paged, edges: b.edges.paged}
	var arena []half
	for len(b.touches) > 0 {
		t := b.touches[0]
		k := 1
		for k < len(b.touches) && b.touches[k].n == t.n && b.touches[k].in == t.in {
			k++
		}
		group := b.touches[:k]
		b.touches = b.touches[k:]

		x := b.nodes.change(t.n)
		old := x.out
		if t.in {
			old = x.in
		}
		b.loose += len(old)
		if need := len(old) + k; cap(arena)-len(arena) < need {
			arena = make([]half, 0, max(need, 4096))
		}
		start := len(arena)
		for _, h := range old {
			if b.edges.at(h.edge).live != "" {
				arena = append(arena, h)
			}
		}
		sorted := true
		for _, t := range group {
			if t.add && b.edges.at(t.half.edge).live != "" {
				arena, sorted = append(arena, t.half), false
			}
		}
		list := arena[start:len(arena):len(arena)]
		if !sorted {
			slices.SortFunc(list, now.compareHalves)
		}
		if t.in {
			x.in = list
		} else {
			x.out = list
		}
		if x.live == "" && len(x.out)+len(x.in) == 0 {
			b.dirtyNode(t.n) // nothing holds its number any more
		}
	}
}

// reorder moves entities that appeared, went, or changed their kind.
func (b *batch) reorder(v *view) {
	var all []move
	byKind := map[uint32][]move{}
	for _, n := range b.dirtyNodes {
		var old node
		if int(n) < b.base.nodes.n {
			old = *b.base.nodes.at(n)
		}
		x := b.nodes.at(n)
		was, is := old.live != "", x.live != ""
		if was != is {
			all = append(all, move{x.id, n, was})
		}
		if was && (!is || old.kind != x.kind) {
			byKind[old.kind] = append(byKind[old.kind], move{x.id, n, true})
		}
		if is && (!was || old.kind != x.kind) {
			byKind[x.kind] = append(byKind[x.kind], move{x.id, n, false})
		}
	}
	v.all, v.kinds = b.base.all, b.base.kinds
	if len(all) > 0 {
		v.all = v.all.apply(all, b.base.idOf)
	}
	if len(byKind) > 0 {
		v.kinds = maps.Clone(v.kinds)
		for k, moves := range byKind {
			v.kinds[k] = v.kinds[k].apply(moves, b.base.idOf)
		}
	}
}
