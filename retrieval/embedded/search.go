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
	for _, n := range v.best(hubLexicalHits) {
		v.near[n] = true
	}
	seeds, start := v.seeds(&q)
	mass := map[int32]float64{}
	for _, s := range walk.PersonalisedPageRank(v, seeds, walk.PageRankOptions{Damping: x.o.Damping, Epsilon: x.o.Epsilon, MaxPushes: maxPushes}) {
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
	for n := range v.lex.score {
		if _, walked := mass[n]; !walked {
			consider(n)
		}
	}
	slices.SortFunc(list, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), x.compareKeys(a.node, b.node)) })
	list = list[:min(len(list), cmp.Or(q.Limit, retrieval.DefaultLimit))]
	hits := make([]retrieval.Hit, 0, len(list))
	for _, s := range list {
		it := &x.nodes[s.node].doc.item
		h := retrieval.Hit{
			ID: it.ID, Kind: it.Kind, Title: it.Title, Text: it.Text, Source: it.Source, Anchor: it.Anchor,
			Score: s.score, Lexical: v.lex.score[s.node], Graph: mass[s.node], Why: v.why(s.node, mass, start),
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

// maxChain is the longest explanation, in edges.
const maxChain = 4

// why explains a hit: the words that it holds, then the edges from a seed to it, always
// by way of the node that the walk visited most.
func (v *view) why(n int32, mass map[int32]float64, start map[int32]bool) []string {
	var out, words []string
	for _, m := range v.lex.matched {
		if m.holds(n) {
			words = append(words, m.text)
		}
	}
	if len(words) > 0 {
		out = append(out, "words: "+strings.Join(words, ", "))
	}
	if start[n] {
		return append(out, "named in the query")
	}
	seen := map[int32]bool{n: true}
	var steps []string
	for at := n; len(steps) < maxChain && !start[at]; {
		next, how := int32(-1), ""
		to, weight := v.Row(at)
		best := 0.0
		for i, far := range to {
			if s := mass[far] * float64(weight[i]); !seen[far] && (s > best || start[far] && !start[next]) && !(start[next] && !start[far]) {
				next, best, how = far, s, v.relation(at, far)
			}
		}
		if next < 0 {
			break
		}
		seen[next] = true
		steps = append(steps, fmt.Sprintf("%s %s", how, v.label(next)))
		at = next
		if start[at] {
			return append(out, "walk: "+strings.Join(steps, ", which "))
		}
	}
	return out
}

// label names a node for people.
func (v *view) label(n int32) string {
	if nd := &v.x.nodes[n]; nd.doc != nil && nd.doc.item.Title != "" && nd.doc.item.Kind != retrieval.KindEntity {
		return fmt.Sprintf("%q", nd.doc.item.Title)
	}
	return v.x.nodes[n].key[1:]
}

// relation says in words how a stands to b.
func (v *view) relation(a, b int32) string {
	na, nb := &v.x.nodes[a], &v.x.nodes[b]
	for _, e := range na.out {
		if e.node == b {
			return string(e.kind)
		}
	}
	for _, e := range na.in {
		if e.node == b {
			return "is " + string(e.kind) + " of"
		}
	}
	names := nb.names
	if nb.key[0] == 'n' {
		names = []int32{b}
	}
	for _, m := range names {
		if slices.Contains(na.names, m) {
			return "is titled"
		}
		if na.doc != nil && titled(na.doc, m) {
			return string(graph.Defines)
		}
	}
	if na.doc != nil && na.doc.item.Kind != retrieval.KindEntity {
		return string(graph.Mentions)
	}
	return "is named in"
}
