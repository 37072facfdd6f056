package embedded

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"faultline/graph"
)

// node is an entity, or an id that only relations name (live is then empty).
type node struct {
	id                 graph.ID
	live               string // living contributions; see codec.go
	kind, role, domain uint32 // of the merged entity
	flags              uint32
	out, in            []half // by (type, far id, qualifier); never changed in place
}

// edge is a relation. live is empty when the number is not in use.
type edge struct {
	from, to  int32
	typ       uint32
	flags     uint32
	qualifier string
	live      string
}

// half is an edge as one of its ends sees it.
type half struct {
	far  int32
	typ  uint32
	edge int32
}

const (
	timed = 1 << iota // the merged element has a valid time
	dirty             // changed by the batch at hand; never set in a published view
	filed             // has a row in the file
)

// numbering gives ids and words their numbers. It only grows, and is shared by all
// views made since the last compaction: a number that a view does not hold yet is one
// that is not visible in it.
type numbering[K comparable, N int32 | uint32] struct {
	mu sync.RWMutex
	m  map[K]N
}

func (x *numbering[K, N]) lookup(k K) (N, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, ok := x.m[k]
	return n, ok
}

func (x *numbering[K, N]) merge(more map[K]N) {
	const chunk = 2048 // readers wait for no more than this
	x.mu.Lock()
	defer x.mu.Unlock()
	i := 0
	for k, n := range more {
		x.m[k] = n
		if i++; i%chunk == 0 {
			x.mu.Unlock()
			x.mu.Lock()
		}
	}
}

// view is one state of the whole graph. It never changes once published: readers
// need no lock and a long walk sees one state.
type view struct {
	ids   *numbering[graph.ID, int32]
	dict  *numbering[string, uint32]
	words []string
	nodes paged[node]
	edges paged[edge]
	all   order
	kinds map[uint32]order
	seq   uint64 // number of batches since the store was opened
}

func (v *view) idOf(n int32) graph.ID { return v.nodes.at(n).id }

// number finds an id whether the entity lives or is only named by relations.
func (v *view) number(id graph.ID) (int32, bool) {
	n, ok := v.ids.lookup(id)
	if !ok || int(n) >= v.nodes.n || v.nodes.at(n).id != id {
		return 0, false
	}
	return n, true
}

func (v *view) key(e *edge) graph.RelationKey {
	return graph.RelationKey{From: v.idOf(e.from), Type: graph.RelationType(v.words[e.typ]), To: v.idOf(e.to), Qualifier: e.qualifier}
}

// visible reports whether an entity is there at a valid time (zero: whenever).
func (v *view) visible(n *node, at time.Time) bool {
	if n.live == "" {
		return false
	}
	return at.IsZero() || n.flags&timed == 0 || validOf(n.live, true, v.words).Contains(at)
}

func (v *view) holds(e *edge, at time.Time) bool {
	return at.IsZero() || e.flags&timed == 0 || validOf(e.live, false, v.words).Contains(at)
}

// compareHalves is the order of relations within a direction.
func (v *view) compareHalves(a, b half) int {
	if a.typ != b.typ {
		return cmp.Compare(v.words[a.typ], v.words[b.typ])
	}
	if a.far != b.far {
		return cmp.Compare(v.idOf(a.far), v.idOf(b.far))
	}
	return cmp.Compare(v.edges.at(a.edge).qualifier, v.edges.at(b.edge).qualifier)
}

// find returns the number of the edge with a key.
func (v *view) find(from, to int32, typ uint32, qualifier string) (int32, bool) {
	if int(from) >= v.nodes.n || int(to) >= v.nodes.n || int(typ) >= len(v.words) {
		return 0, false
	}
	list, far := v.nodes.at(from).out, to
	if in := v.nodes.at(to).in; len(in) < len(list) {
		list, far = in, from
	}
	typeName, farID := v.words[typ], v.idOf(far)
	i, ok := slices.BinarySearchFunc(list, 0, func(h half, _ int) int {
		return cmp.Or(cmp.Compare(v.words[h.typ], typeName), cmp.Compare(v.idOf(h.far), farID), cmp.Compare(v.edges.at(h.edge).qualifier, qualifier))
	})
	if !ok {
		return 0, false
	}
	return list[i].edge, true
}

// boundView is a view at a valid time. It implements graph.View.
type boundView struct {
	*view
	at time.Time
}

func (b boundView) Len() int { return b.nodes.n }

func (b boundView) Number(id graph.ID) (int, bool) {
	n, ok := b.number(id)
	if !ok || !b.visible(b.nodes.at(n), b.at) {
		return 0, false
	}
	return int(n), true
}

func (b boundView) Head(n int) (graph.Head, bool) {
	x := b.nodes.at(int32(n))
	if !b.visible(x, b.at) {
		return graph.Head{}, false
	}
	return graph.Head{ID: x.id, Kind: graph.Kind(b.words[x.kind]), Role: b.words[x.role], Domain: b.words[x.domain]}, true
}

func (b boundView) Entity(n int) graph.Entity {
	x := b.nodes.at(int32(n))
	return mergedEntity(x.live, x.id, b.words)
}

func (b boundView) Neighbours(n int, dir graph.Direction, t graph.RelationType, yield func(int, graph.RelationType) bool) {
	x := b.nodes.at(int32(n))
	list := x.out
	if dir == graph.In {
		list = x.in
	}
	if len(list) == 0 || !b.visible(x, b.at) {
		return
	}
	var want uint32
	if t != "" {
		w, ok := b.dict.lookup(string(t))
		if !ok {
			return
		}
		want = w
	}
	for _, h := range list {
		if want != 0 && h.typ != want || !b.visible(b.nodes.at(h.far), b.at) {
			continue
		}
		if !b.at.IsZero() && !b.holds(b.edges.at(h.edge), b.at) {
			continue
		}
		if !yield(int(h.far), graph.RelationType(b.words[h.typ])) {
			return
		}
	}
}
