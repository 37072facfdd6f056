package embedded

import (
	"cmp"
	"slices"
	"sort"

	"faultline/graph"
)

const leafSize = 256

// order is a set of entity numbers sorted by id, of which many versions exist at
// once: versions share the leaves that do not differ.
type order struct{ leaves []leaf }

type leaf struct {
	first graph.ID
	ns    []int32
}

// move is an entity that enters or leaves an order.
type move struct {
	id    graph.ID
	n     int32
	leave bool
}

// apply returns the order after moves, which it sorts. id gives the id of a member.
func (o order) apply(moves []move, id func(int32) graph.ID) order {
	slices.SortFunc(moves, func(a, b move) int { return cmp.Compare(a.id, b.id) })
	if len(o.leaves) == 0 {
		return order{split(nil, merge(nil, moves, id), moves, id)}
	}
	out := make([]leaf, 0, len(o.leaves)+len(moves)/leafSize+1)
	for i, l := range o.leaves {
		k := len(moves)
		if i+1 < len(o.leaves) {
			k = sort.Search(len(moves), func(k int) bool { return moves[k].id >= o.leaves[i+1].first })
		}
		if k == 0 {
			out = append(out, l)
			continue
		}
		out = split(out, merge(l.ns, moves[:k], id), moves[:k], id)
		moves = moves[k:]
	}
	return order{out}
}

func merge(ns []int32, moves []move, id func(int32) graph.ID) []int32 {
	out := make([]int32, 0, len(ns)+len(moves))
	for _, m := range moves {
		for len(ns) > 0 && id(ns[0]) < m.id {
			out, ns = append(out, ns[0]), ns[1:]
		}
		if m.leave {
			if len(ns) > 0 && ns[0] == m.n {
				ns = ns[1:]
			}
			continue
		}
		out = append(out, m.n)
	}
	return append(out, ns...)
}

// split cuts sorted numbers into leaves. An id is that of a mover or of an old member.
func split(out []leaf, ns []int32, moves []move, id func(int32) graph.ID) []leaf {
	moved := make(map[int32]graph.ID, len(moves))
	for _, m := range moves {
		moved[m.n] = m.id
	}
	for len(ns) > 0 {
		k := len(ns)
		if k > 2*leafSize {
			k = leafSize
		}
		first, ok := moved[ns[0]]
		if !ok {
			first = id(ns[0])
		}
		out = append(out, leaf{first, slices.Clip(ns[:k:k])})
		ns = ns[k:]
	}
	return out
}

// from yields the members with ids >= key, or > key when it is to be skipped.
func (o order) from(key graph.ID, skip bool, id func(int32) graph.ID, yield func(int32) bool) {
	i := max(0, sort.Search(len(o.leaves), func(i int) bool { return o.leaves[i].first > key })-1)
	for ; i < len(o.leaves); i++ {
		ns := o.leaves[i].ns
		k := sort.Search(len(ns), func(k int) bool { return id(ns[k]) > key || !skip && id(ns[k]) == key })
		for _, n := range ns[k:] {
			if !yield(n) {
				return
			}
		}
	}
}
