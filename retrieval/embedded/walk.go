package embedded

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"faultline/graph"
	"faultline/graph/walk"
	"faultline/retrieval"
)

// What the walk's edges weigh. docs/retrieval.md has the ablation.
const (
	definesWeight  = 8.0   // from what is defined to the text that defines it, against 1 for a mention
	sentenceFloor  = 0.35  // of an edge to a name whose sentence shares no word with the query
	lexicalFloor   = 0.3   // of an edge to a text that shares no word with the query
	entityShare    = 0.8   // of the walk that starts at entities; the rest starts at what the words found
	lexicalSeeds   = 15    // items that the words may seed
	lexicalPower   = 4.0   // sharpens the scores of lexical seeds
	lexicalTail    = 0.003 // weight of the word arm in the final score; orders what the walk did not reach
	hubLexicalHits = 50    // mentions of a hub that are followed, when the words found them
)

// relationWeight says how readily the walk follows a link, along it and against it.
// Symptoms lead to causes more readily than causes to symptoms: who asks has symptoms.
var relationWeight = map[graph.RelationType][2]float64{
	graph.Defines:    {1, definesWeight},
	graph.Mentions:   {1, 1},
	graph.PartOf:     {0.2, 0.2},
	graph.Causes:     {0.5, 1},
	graph.Indicates:  {1, 1},
	graph.RepairedBy: {1, 0.5},
	graph.RaisedOn:   {0.5, 1},
	graph.Affects:    {0.5, 1},
	graph.ResolvedBy: {1, 1},
}

// fromTexts are the links that many texts have to one entity, so that it becomes a hub.
var fromTexts = map[graph.RelationType]bool{graph.Mentions: true, graph.PartOf: true, graph.Affects: true}

// view is the graph as one query sees it; it implements walk.Rows.
type view struct {
	x    *Index
	lex  *lexical       // of the whole query
	ctx  *lexical       // of its words outside names
	top  []int32        // the best items of the word arm
	near map[int32]bool // the same as a set

	shares []float64 // memory of overlaps
	seen   []uint32

	named, worded map[int32]float64 // seeds that the query names, and those that its words found
	rows          map[int32]row
}

type row struct {
	to     []int32
	weight []float32
}

// Len is the number of nodes.
func (v *view) Len() int { return len(v.x.nodes) }

// Row computes a node's edges once per query.
func (v *view) Row(n int32) ([]int32, []float32) {
	r, ok := v.rows[n]
	if !ok {
		switch nd := &v.x.nodes[n]; {
		case strings.HasPrefix(nd.key, "n"):
			v.nameRow(&r, n)
		case nd.doc != nil && nd.doc.item.Kind != retrieval.KindEntity:
			v.textRow(&r, n)
		default:
			v.entityRow(&r, n)
		}
		v.rows[n] = r
	}
	return r.to, r.weight
}

func (r *row) add(to int32, weight float64) {
	if weight > 0 {
		r.to, r.weight = append(r.to, to), append(r.weight, float32(weight))
	}
}

// textRow leads from a text to the names in it and along its links.
func (v *view) textRow(r *row, n int32) {
	d := v.x.nodes[n].doc
	shares := v.overlaps(d)
	for i := 0; i < len(d.mentions); {
		name, shared := d.mentions[i].name, 0.0
		for ; i < len(d.mentions) && d.mentions[i].name == name; i++ {
			shared = max(shared, shares[d.mentions[i].sentence])
		}
		m := &v.x.nodes[name]
		w := sentenceFloor + shared
		if len(m.owners) > 0 {
			for _, o := range m.owners {
				r.add(o, w*v.rarity(name)/float64(len(m.owners)))
			}
		} else if len(m.mentions)+len(m.about) > 1 {
			r.add(name, w*v.rarity(name))
		}
	}
	v.links(r, n)
}

// nameRow leads from a name to the texts that are about it and those that mention it.
func (v *view) nameRow(r *row, n int32) {
	m := &v.x.nodes[n]
	for _, o := range m.owners {
		r.add(o, definesWeight)
	}
	for _, p := range m.about {
		r.add(p, definesWeight*v.found(p))
	}
	v.mentioning(r, m, 1)
}

// mentioning adds the texts that mention a name, without those that are about it.
func (v *view) mentioning(r *row, m *node, weight float64) {
	hub := len(m.mentions) > v.x.o.HubCap
	for _, p := range m.mentions {
		if hub && !v.near[p] {
			continue
		}
		if _, about := slices.BinarySearchFunc(m.about, p, v.x.compareKeys); about && len(m.about) > 0 {
			continue
		}
		r.add(p, weight*v.found(p))
	}
}

// entityRow leads from an entity along its links, and to the texts that name it. A
// text that names it in its title defines it.
func (v *view) entityRow(r *row, n int32) {
	v.links(r, n)
	for _, name := range v.x.nodes[n].names {
		m := &v.x.nodes[name]
		for _, p := range m.about {
			r.add(p, definesWeight*v.found(p))
		}
		hub := len(m.mentions) > v.x.o.HubCap
		for _, p := range m.mentions {
			if p == n || (hub && !v.near[p]) {
				continue
			}
			w := 1.0
			if titled(v.x.nodes[p].doc, name) {
				w = definesWeight
			}
			r.add(p, w*v.found(p)/float64(len(m.owners)))
		}
	}
}

func titled(d *doc, name int32) bool {
	for _, m := range d.mentions {
		if m.name == name && m.title {
			return true
		}
	}
	return false
}

func (v *view) links(r *row, n int32) {
	nd := &v.x.nodes[n]
	for _, e := range nd.out {
		v.link(r, e, 0, len(nd.out))
	}
	for _, e := range nd.in {
		v.link(r, e, 1, len(nd.in))
	}
}

func (v *view) link(r *row, e edge, way, degree int) {
	w, ok := relationWeight[e.kind]
	if !ok {
		return
	}
	if degree > v.x.o.HubCap && way == 1 && fromTexts[e.kind] && !v.near[e.node] {
		return
	}
	far := &v.x.nodes[e.node]
	if far.doc != nil && far.doc.item.Kind != retrieval.KindEntity {
		r.add(e.node, w[way]*v.found(e.node))
		return
	}
	r.add(e.node, w[way]*v.rarity(e.node))
}

// rarity is the idf of an entity or name by how much speaks of it.
func (v *view) rarity(n int32) float64 {
	nd := &v.x.nodes[n]
	df := len(nd.in) + len(nd.mentions)
	for _, name := range nd.names {
		df += len(v.x.nodes[name].mentions)
	}
	return v.x.dict.idf(min(df, v.x.dict.items))
}

// found is how well an item answers the words of the query that stand outside names,
// at least lexicalFloor.
func (v *view) found(n int32) float64 {
	if v.ctx.max == 0 {
		return 1
	}
	return lexicalFloor + v.ctx.score[n]/v.ctx.max
}

// overlaps are, for each sentence of an item, the share of the query's words outside
// names, by idf, that stand in it. The slice holds until the next call.
func (v *view) overlaps(d *doc) []float64 {
	last := int32(0)
	if n := len(d.sentences); n > 0 {
		last = d.sentences[n-1]
	}
	v.shares = append(v.shares[:0], make([]float64, last+1)...)
	if v.ctx.total == 0 {
		return v.shares
	}
	at := int32(-1)
	for i, word := range d.words {
		if d.sentences[i] != at {
			v.seen, at = v.seen[:0], d.sentences[i]
		}
		t := v.x.dict.words[word].terms[0]
		w, ok := v.ctx.weight[t]
		if !ok || slices.Contains(v.seen, t) {
			continue
		}
		v.seen = append(v.seen, t)
		v.shares[at] += w / v.ctx.total
	}
	return v.shares
}

// seeds returns where the walk starts, and notes it in v.named and v.worded.
func (v *view) seeds(q *retrieval.Query) []walk.Seed {
	entities := map[int32]float64{}
	addName := func(n int32, ok bool) {
		if !ok {
			return
		}
		m := &v.x.nodes[n]
		if len(m.owners) == 0 {
			entities[n] = v.rarity(n)
		}
		for _, o := range m.owners {
			entities[o] = v.rarity(o)
		}
	}
	words := tokenise(q.Text)
	v.x.scanNames(words, isLenient(words), func(name string, _, _ int) {
		n, ok := v.x.byKey[nameKey(name)]
		addName(n, ok)
	})
	for _, id := range q.Seeds {
		if n, ok := v.x.byKey[itemKey(id)]; ok {
			entities[n] = v.rarity(n)
		}
		if name := asName(string(id)); name != "" {
			n, ok := v.x.byKey[nameKey(name)]
			addName(n, ok)
		}
	}
	hits := map[int32]float64{}
	for _, s := range v.top[:min(lexicalSeeds, len(v.top))] {
		hits[s] = math.Pow(v.lex.score[s]/v.lex.max, lexicalPower)
	}
	var out []walk.Seed
	share := entityShare
	if len(hits) == 0 {
		share = 1
	}
	pour := func(from map[int32]float64, share float64) {
		nodes, total := make([]int32, 0, len(from)), 0.0
		for n := range from {
			nodes = append(nodes, n)
		}
		slices.SortFunc(nodes, v.x.compareKeys)
		for _, n := range nodes {
			total += from[n]
		}
		for _, n := range nodes {
			out = append(out, walk.Seed{Node: n, Weight: share * from[n] / total})
		}
	}
	pour(entities, share)
	pour(hits, 1-share)
	v.named, v.worded = entities, hits
	return out
}

// best returns the first k items of the word arm.
func (v *view) best(k int) []int32 {
	return first(k, v.lex.hits, func(a, b int32) int {
		return cmp.Or(cmp.Compare(v.lex.score[b], v.lex.score[a]), v.x.compareKeys(a, b))
	})
}

// first returns the first k of a list in order, without ordering the rest.
func first[T any](k int, list []T, compare func(a, b T) int) []T {
	out := make([]T, 0, min(k, len(list))+1)
	for _, v := range list {
		if len(out) == k && compare(v, out[k-1]) >= 0 {
			continue
		}
		i, _ := slices.BinarySearchFunc(out, v, compare)
		out = slices.Insert(out, i, v)
		out = out[:min(k, len(out))]
	}
	return out
}

// isLenient reports whether a query is written without capitals, as people type.
func isLenient(words []token) bool {
	return !slices.ContainsFunc(words[min(1, len(words)):], func(t token) bool { return t.capital })
}
