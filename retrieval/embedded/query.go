package embedded

import (
	"cmp"
	"slices"
	"strings"
)

// clause is one part of a query's text: a word, a phrase of several words, or a prefix.
type clause struct {
	words  []token
	prefix bool
}

// maxClauses bounds the work that one query can ask for.
const maxClauses = 256

// parseQuery reads words, "quoted phrases" and prefix*. Every word of a phrase also
// stands alone. A quote that is never closed is a mark like any other.
func parseQuery(text string) []clause {
	var out []clause
	add := func(c clause) {
		if len(c.words) > 0 && len(out) < maxClauses {
			out = append(out, c)
		}
	}
	words := func(s string) {
		list := tokenise(s)
		for _, w := range list {
			prefix := w.end < len(s) && s[w.end] == '*' && !w.cjk
			if prefix || !stopWords[w.text] || len(list) == 1 {
				add(clause{[]token{w}, prefix})
			}
		}
	}
	for {
		a := strings.IndexByte(text, '"')
		if a < 0 {
			break
		}
		n := strings.IndexByte(text[a+1:], '"')
		if n < 0 {
			break
		}
		words(text[:a])
		inner := text[a+1 : a+1+n]
		words(inner)
		if p := tokenise(inner); len(p) > 1 {
			add(clause{words: p})
		}
		text = text[a+n+2:]
	}
	words(text)
	return out
}

// maxExpansions is how many terms a prefix stands for at most, most frequent first.
const maxExpansions = 64

// lexical is the answer of the word arm: a BM25 score per node, and the weight of each
// term of the query.
type lexical struct {
	score   map[int32]float64
	weight  map[uint32]float64 // main terms of plain words, by idf
	total   float64            // sum of weight
	matched []match
	max     float64
}

// match is a clause that stands somewhere, for the explanation.
type match struct {
	text  string
	holds func(node int32) bool
}

// lexicalSearch scores every item that holds a clause.
func (x *Index) lexicalSearch(clauses []clause) *lexical {
	l := &lexical{score: map[int32]float64{}, weight: map[uint32]float64{}}
	seen := map[string]bool{}
	for _, c := range clauses {
		text := join(c.words)
		if c.prefix {
			text += "*"
		}
		if seen[text] {
			continue
		}
		seen[text] = true
		switch {
		case c.prefix:
			x.scorePosts(l, text, x.expand(c.words[0].text), 1)
		case len(c.words) > 1:
			x.scorePosts(l, `"`+text+`"`, x.phrase(c.words), 1)
		default:
			w := c.words[0]
			ts := terms(w.text, w.ident)
			for i, t := range ts {
				id, ok := x.dict.termIDs[t]
				if !ok {
					continue
				}
				if l.weight[id] > 0 {
					continue
				}
				share := 1.0
				if i > 0 {
					share = partShare
				}
				posts := x.dict.terms[id].posts
				idf := x.dict.idf(len(posts))
				l.weight[id] = idf * share
				l.total += idf * share
				x.scorePosts(l, t, posts, share)
			}
		}
	}
	for _, s := range l.score {
		l.max = max(l.max, s)
	}
	return l
}

// partShare is what a part of an identifier counts beside the whole.
const partShare = 0.4

func (x *Index) scorePosts(l *lexical, text string, posts []posting, share float64) {
	if len(posts) == 0 {
		return
	}
	idf := x.dict.idf(len(posts)) * share
	for _, p := range posts {
		l.score[p.node] += x.dict.bm25(idf, p.tf, x.nodes[p.node].doc.length, x.o.K1, x.o.B)
	}
	l.matched = append(l.matched, match{text, func(node int32) bool {
		_, ok := slices.BinarySearchFunc(posts, node, func(p posting, n int32) int { return cmp.Compare(p.node, n) })
		return ok
	}})
}

// expand returns the items of all terms with a prefix as one posting list.
func (x *Index) expand(prefix string) []posting {
	var ids []uint32
	for t, id := range x.dict.termIDs {
		if strings.HasPrefix(t, prefix) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uint32) int {
		ta, tb := &x.dict.terms[a], &x.dict.terms[b]
		return cmp.Or(cmp.Compare(len(tb.posts), len(ta.posts)), cmp.Compare(ta.text, tb.text))
	})
	tf := map[int32]int32{}
	for _, id := range ids[:min(len(ids), maxExpansions)] {
		for _, p := range x.dict.terms[id].posts {
			tf[p.node] += p.tf
		}
	}
	out := make([]posting, 0, len(tf))
	for n, f := range tf {
		out = append(out, posting{n, f})
	}
	slices.SortFunc(out, func(a, b posting) int { return cmp.Compare(a.node, b.node) })
	return out
}

// phrase returns the items that hold the words in a row, compared by main term.
func (x *Index) phrase(words []token) []posting {
	want := make([]uint32, len(words))
	rare := -1
	for i, w := range words {
		id, ok := x.dict.termIDs[terms(w.text, w.ident)[0]]
		if !ok {
			return nil
		}
		want[i] = id
		if rare < 0 || len(x.dict.terms[id].posts) < len(x.dict.terms[want[rare]].posts) {
			rare = i
		}
	}
	var out []posting
	for _, p := range x.dict.terms[want[rare]].posts {
		d := x.nodes[p.node].doc
		n := int32(0)
		for i := 0; i+len(want) <= len(d.words); i++ {
			ok := i >= d.title || i+len(want) <= d.title // not across the title's end
			for j := 0; ok && j < len(want); j++ {
				ok = x.dict.words[d.words[i+j]].terms[0] == want[j]
			}
			if ok {
				n++
			}
		}
		if n > 0 {
			out = append(out, posting{p.node, n})
		}
	}
	return out
}
