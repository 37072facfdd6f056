package hwsim

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// selector names resources by kind and, when roles are given, by role.
type selector struct {
	kind  string
	roles []string
}

func parseSelector(s string) selector {
	kind, roles, ok := strings.Cut(s, ":")
	if !ok {
		return selector{kind: kind}
	}
	return selector{kind, strings.Split(roles, ",")}
}

func (s selector) match(kind, role string) bool {
	return s.kind == kind && (s.roles == nil || slices.Contains(s.roles, role))
}

func (s selector) String() string {
	if s.roles == nil {
		return s.kind
	}
	return s.kind + ":" + strings.Join(s.roles, ",")
}

// hop is one step of a path: along a relation, or against it.
type hop struct {
	against bool
	rel     string
	to      selector
}

// parsePath reads "<POWERS Fuse" or "CONTAINS> Board CONTAINS> Port:ip".
func parsePath(s string) ([]hop, error) {
	f := strings.Fields(s)
	if len(f)%2 != 0 {
		return nil, fmt.Errorf("path %q: a relation without a resource", s)
	}
	var path []hop
	for i := 0; i < len(f); i += 2 {
		rel, against := strings.CutPrefix(f[i], "<")
		rel, along := strings.CutSuffix(rel, ">")
		if against == along {
			return nil, fmt.Errorf("path %q: %q needs one arrow", s, f[i])
		}
		path = append(path, hop{against, rel, parseSelector(f[i+1])})
	}
	return path, nil
}

// class is a kind and role that occurs in the network.
type class struct{ kind, role string }

// topo is a Network with numbers for names, and the laws that hold in it. It is
// immutable and shared by all clones of a plant.
type topo struct {
	res     []Resource
	hash    []uint64 // of the id: hidden parameters do not move when the network grows
	class   []uint16
	classes []class
	members [][]int32 // by class
	rels    map[string]uint8
	out, in adjacency

	lawOf     [][]int16       // [class][variable] -> law, -1 for none
	deps      [][][]dependent // [class][variable]
	reporters [][]step        // [class] path to the element that reports; nil: it reports itself
	inputs    [][]compiled    // [law]
}

// adjacency is a compressed list of neighbours.
type adjacency struct {
	start []int32
	far   []int32
	rel   []uint8
}

// step is a compiled hop: the relation by number and the classes it may lead to.
type step struct {
	against bool
	rel     uint8
	ok      []bool // by class
}

// compiled is one input of a law: the path to it, the path back, the variable.
type compiled struct {
	path, back []step
	v          int
}

type dependent struct{ law, input int16 }

func newTopo(n *Network, tb *table) *topo {
	res := n.Resources()
	t := &topo{res: res, hash: make([]uint64, len(res)), class: make([]uint16, len(res)), rels: map[string]uint8{}}
	classID := map[class]uint16{}
	for i, r := range res {
		c := class{r.Kind, r.Role}
		id, ok := classID[c]
		if !ok {
			id = uint16(len(t.classes))
			classID[c] = id
			t.classes = append(t.classes, c)
			t.members = append(t.members, nil)
		}
		t.members[id] = append(t.members[id], int32(i))
		t.class[i], t.hash[i] = id, hashString(r.ID)
	}
	t.connect(n.Relations())
	t.compile(tb)
	return t
}

// find returns the number of a resource.
func (t *topo) find(id string) (int32, bool) {
	i := sort.Search(len(t.res), func(i int) bool { return t.res[i].ID >= id })
	return int32(i), i < len(t.res) && t.res[i].ID == id
}

func (t *topo) connect(rels []Relation) {
	from, to, kind := make([]int32, len(rels)), make([]int32, len(rels)), make([]uint8, len(rels))
	known := map[string]int32{} // far ends repeat much less than they are looked up
	last, lastID := int32(-1), ""
	for i, r := range rels {
		if r.From != lastID {
			last, _ = t.find(r.From)
			lastID = r.From
		}
		id, ok := t.rels[r.Type]
		if !ok {
			id = uint8(len(t.rels))
			t.rels[r.Type] = id
		}
		far, ok := known[r.To]
		if !ok {
			far, _ = t.find(r.To)
			if len(known) < 1<<16 {
				known[r.To] = far
			}
		}
		from[i], to[i], kind[i] = last, far, id
	}
	t.out = adjacent(len(t.res), from, to, kind)
	t.in = adjacent(len(t.res), to, from, kind)
}

func adjacent(n int, near, far []int32, rel []uint8) adjacency {
	a := adjacency{make([]int32, n+1), make([]int32, len(far)), make([]uint8, len(far))}
	for _, r := range near {
		a.start[r+1]++
	}
	for i := range n {
		a.start[i+1] += a.start[i]
	}
	next := slices.Clone(a.start[:n])
	for i, r := range near {
		a.far[next[r]], a.rel[next[r]] = far[i], rel[i]
		next[r]++
	}
	return a
}

func (t *topo) steps(path []hop) []step {
	var out []step
	for _, h := range path {
		rel, ok := t.rels[h.rel]
		if !ok {
			rel = 255 // no such relation here: the path is empty
		}
		out = append(out, step{h.against, rel, t.matching(h.to)})
	}
	return out
}

func (t *topo) matching(s selector) []bool {
	ok := make([]bool, len(t.classes))
	for i, c := range t.classes {
		ok[i] = s.match(c.kind, c.role)
	}
	return ok
}

func (t *topo) compile(tb *table) {
	nv := len(tb.vars)
	t.lawOf = make([][]int16, len(t.classes))
	t.deps = make([][][]dependent, len(t.classes))
	t.reporters = make([][]step, len(t.classes))
	for c, cl := range t.classes {
		t.lawOf[c] = slices.Repeat([]int16{-1}, nv)
		t.deps[c] = make([][]dependent, nv)
		for l := range tb.laws {
			if v := tb.laws[l].v; t.lawOf[c][v] < 0 && tb.laws[l].on.match(cl.kind, cl.role) {
				t.lawOf[c][v] = int16(l)
			}
		}
		for _, r := range tb.reporters {
			if r.on.match(cl.kind, cl.role) {
				t.reporters[c] = t.steps(r.path)
				break
			}
		}
	}
	t.inputs = make([][]compiled, len(tb.laws))
	for l := range tb.laws {
		law := &tb.laws[l]
		for i, in := range law.in {
			c := compiled{path: t.steps(in.path), v: in.v}
			at := law.on
			for _, h := range in.path { // the way back visits the same places in reverse
				c.back = append(c.back, t.steps([]hop{{!h.against, h.rel, at}})...)
				at = h.to
			}
			slices.Reverse(c.back)
			t.inputs[l] = append(t.inputs[l], c)
			for cl, ok := range t.matching(at) {
				if ok {
					t.deps[cl][in.v] = append(t.deps[cl][in.v], dependent{int16(l), int16(i)})
				}
			}
		}
	}
}

// follow appends to dst the ends of a path from r, each once; a path with steps
// never leads back to its start. tmp is scratch and returned for reuse.
func (t *topo) follow(r int32, path []step, dst, tmp []int32) ([]int32, []int32) {
	dst = append(dst[:0], r)
	for _, s := range path {
		dst, tmp = tmp[:0], dst
		adj := &t.out
		if s.against {
			adj = &t.in
		}
		for _, at := range tmp {
			for i := adj.start[at]; i < adj.start[at+1]; i++ {
				if adj.rel[i] == s.rel && s.ok[t.class[adj.far[i]]] {
					dst = append(dst, adj.far[i])
				}
			}
		}
		if len(dst) > 1 {
			slices.Sort(dst)
			dst = slices.Compact(dst)
		}
	}
	if len(path) > 0 {
		if i, ok := slices.BinarySearch(dst, r); ok {
			dst = slices.Delete(dst, i, i+1)
		}
	}
	return dst, tmp
}

// hashString is FNV-1a.
func hashString(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix joins numbers into one well spread hash (splitmix64).
func mix(xs ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, x := range xs {
		h += x + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// unit maps a hash to [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }
