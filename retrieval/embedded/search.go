package embedded

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"faultline/graph"
	"faultline/graph/walk"
	"faultline/retrieval"
)

// maxPushes bounds the work of one walk.
const maxPushes = 200_000

// Search finds items by words and by a walk from the seeds and the names in the words.
func (x *Index) Search(ctx context.Context, q retrieval.Query) ([]retrieval.Hit, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	v := &view{x: x, lex: x.lexicalSearch(parseQuery(q.Text)), rows: map[int32]row{}, near: map[int32]bool{}}
	defer x.release(v.lex)
	v.ctx = x.lexicalSearch(x.outsideNames(q.Text))
	defer x.release(v.ctx)
	v.top = v.best(hubLexicalHits)
	for _, n := range v.top {
		v.near[n] = true
	}
	mass := map[int32]float64{}
	for _, s := range walk.PersonalisedPageRank(v, v.seeds(&q), walk.PageRankOptions{Damping: x.o.Damping, Epsilon: x.o.Epsilon, MaxPushes: maxPushes}) {
		mass[s.Node] = s.Value
	}
	type scored struct {
		node  int32
		score float64
	}
	var list []scored
	consider := func(n int32) {
		if d := x.nodes[n].doc; d != nil && q.Match(&d.item) {
			s := mass[n]
			if v.lex.max > 0 {
				s += lexicalTail * v.lex.score[n] / v.lex.max
			}
			list = append(list, scored{n, s})
		}
	}
	for n := range mass {
		consider(n)
	}
	for _, n := range v.lex.hits {
		if _, walked := mass[n]; !walked {
			consider(n)
		}
	}
	list = first(cmp.Or(q.Limit, retrieval.DefaultLimit), list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), x.compareKeys(a.node, b.node))
	})
	hits := make([]retrieval.Hit, 0, len(list))
	for _, s := range list {
		it := &x.nodes[s.node].doc.item
		h := retrieval.Hit{
			ID: it.ID, Kind: it.Kind, Title: it.Title, Text: it.Text, Source: it.Source, Anchor: it.Anchor,
			Score: s.score, Lexical: v.lex.score[s.node], Graph: mass[s.node], Why: v.why(s.node, mass),
		}
		for _, l := range it.Links {
			h.About = append(h.About, l.To)
		}
		slices.Sort(h.About)
		h.About = slices.Compact(h.About)
		hits = append(hits, h)
	}
	return hits, nil
}

// outsideNames returns the words of a query that no name covers.
func (x *Index) outsideNames(text string) []clause {
	covered := map[string]bool{}
	words := tokenise(text)
	x.scanNames(words, isLenient(words), func(_ string, from, to int) {
		for _, w := range words[from:to] {
			covered[w.text] = true
		}
	})
	return slices.DeleteFunc(parseQuery(text), func(c clause) bool {
		return len(c.words) > 1 || covered[c.words[0].text]
	})
}

// maxChain is the longest explanation, in edges.
const maxChain = 4

// maxFan is how many edges of a node an explanation tries.
const maxFan = 4

// why explains a hit: the words that it holds, and the edges from it to a seed.
func (v *view) why(n int32, mass map[int32]float64) []string {
	var out, words []string
	for _, m := range v.lex.matched {
		if m.holds(n) {
			words = append(words, m.text)
		}
	}
	if len(words) > 0 {
		out = append(out, "words: "+strings.Join(words, ", "))
	}
	if v.named[n] > 0 {
		return append(out, "named in the query")
	}
	path := v.path(n, mass, v.named)
	if path == "" && v.worded[n] == 0 {
		path = v.path(n, mass, v.worded)
	}
	if path != "" {
		out = append(out, "walk: "+path)
	}
	return out
}

// path is a shortest way from a hit to a goal, by the edges with most of the walk behind
// them; "" when there is none within maxChain edges.
func (v *view) path(n int32, mass map[int32]float64, goals map[int32]float64) string {
	type step struct {
		node  int32
		score float64
		told  string
	}
	if len(goals) == 0 || mass[n] == 0 {
		return ""
	}
	seen := map[int32]bool{n: true}
	for level, length := []step{{node: n}}, 0; len(level) > 0 && length < maxChain; length++ {
		var next []step
		for _, s := range level {
			var on []step
			to, weight := v.Row(s.node)
			for i, far := range to {
				if score := mass[far] * float64(weight[i]); !seen[far] && score > 0 {
					if goals[far] > 0 {
						score += 1e6 // a goal before anything else
					}
					on = append(on, step{node: far, score: score})
				}
			}
			for _, f := range first(maxFan, on, func(a, b step) int {
				return cmp.Or(cmp.Compare(b.score, a.score), v.x.compareKeys(a.node, b.node))
			}) {
				if seen[f.node] {
					continue
				}
				seen[f.node] = true
				f.told = strings.TrimSpace(fmt.Sprintf("%s %s %s", s.told, v.relation(s.node, f.node), v.label(f.node)))
				if goals[f.node] > 0 {
					return f.told
				}
				next = append(next, f)
			}
		}
		level = next
	}
	return ""
}

// label names a node for people.
func (v *view) label(n int32) string {
	if nd := &v.x.nodes[n]; nd.doc != nil && nd.doc.item.Title != "" && nd.doc.item.Kind != retrieval.KindEntity {
		return fmt.Sprintf("%q", nd.doc.item.Title)
	}
	return v.x.nodes[n].key[1:]
}

// relation draws how a stands to b, an arrow in the relation's direction.
func (v *view) relation(a, b int32) string {
	na, nb := &v.x.nodes[a], &v.x.nodes[b]
	for _, e := range na.out {
		if e.node == b {
			return fmt.Sprintf("-%s->", e.kind)
		}
	}
	for _, e := range na.in {
		if e.node == b {
			return fmt.Sprintf("<-%s-", e.kind)
		}
	}
	if t := v.naming(na, nb, b); t != "" {
		return fmt.Sprintf("-%s->", t)
	}
	return fmt.Sprintf("<-%s-", cmp.Or(v.naming(nb, na, a), graph.Mentions))
}

// naming says how a text stands to a name or to an entity by one of its names; "" when
// it does not name it.
func (v *view) naming(text, named *node, n int32) graph.RelationType {
	if text.doc == nil {
		return ""
	}
	names := named.names
	if named.key[0] == 'n' {
		names = []int32{n}
	}
	how := graph.RelationType("")
	for _, m := range text.doc.mentions {
		if slices.Contains(names, m.name) {
			if m.title {
				return graph.Defines
			}
			how = graph.Mentions
		}
	}
	return how
}
