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
// stands alone. Stop words count only when there is nothing else. A quote that is never
// closed is a mark like any other.
func parseQuery(text string) []clause {
	text = quotes.Replace(text)
	if out := readClauses(text, true); len(out) > 0 {
		return out
	}
	return readClauses(text, false)
}

var quotes = strings.NewReplacer("“", `"`, "”", `"`, "「", `"`, "」", `"`)

func readClauses(text string, skipStops bool) []clause {
	var out []clause
	add := func(words []token, prefix bool) {
		if len(words) > 0 && len(out) < maxClauses {
			out = append(out, clause{words, prefix})
		}
	}
	each := func(s string) {
		for _, w := range tokenise(s) {
			prefix := w.end < len(s) && s[w.end] == '*' && !w.cjk
			stop := stopWords[w.text] || w.cjk && strings.ContainsAny(w.text, stopCharacters)
			if prefix || !stop || !skipStops {
				add([]token{w}, prefix)
			}
		}
	}
	for {
		before, rest, found := strings.Cut(text, `"`)
		inner, after, closed := strings.Cut(rest, `"`)
		if !found || !closed {
			each(text)
			return out
		}
		each(before)
		each(inner)
		if words := tokenise(inner); len(words) > 1 {
			add(words, false)
		}
		text = after
	}
}

// maxExpansions is how many terms a prefix stands for at most, most frequent first.
const maxExpansions = 64

// lexical is the answer of the word arm.
type lexical struct {
	score   []float64          // BM25 by node; 0 where no clause stands
	hits    []int32            // nodes with a score
	weight  map[uint32]float64 // terms of plain words, by idf
	total   float64            // sum of weight
	max     float64            // of score
	matched []match
}

// match is a clause that stands somewhere, for the explanation.
type match struct {
	text  string
	holds func(node int32) bool
}

// release hands the memory of a lexical to the next query.
func (x *Index) release(l *lexical) {
	for _, n := range l.hits {
		l.score[n] = 0
	}
	l.hits = l.hits[:0]
	x.scores.Put(l)
}

// lexicalSearch scores every item that holds a clause. The caller releases the answer.
func (x *Index) lexicalSearch(clauses []clause) *lexical {
	l, _ := x.scores.Get().(*lexical)
	if l == nil || len(l.score) < len(x.nodes) {
		l = &lexical{score: make([]float64, len(x.nodes))}
	}
	*l = lexical{score: l.score, hits: l.hits, weight: map[uint32]float64{}}
	seen := map[string]bool{}
	for _, c := range clauses {
		text := join(c.words)
		switch {
		case c.prefix:
			text += "*"
		case len(c.words) > 1:
			text = `"` + text + `"`
		}
		if seen[text] {
			continue
		}
		seen[text] = true
		switch {
		case c.prefix:
			x.scorePosts(l, text, x.expand(c.words[0].text), 1)
		case len(c.words) > 1:
			x.scorePosts(l, text, x.phrase(c.words), 1)
		default:
			share := 1.0
			for _, t := range terms(c.words[0].text, c.words[0].ident) {
				if id, ok := x.dict.termIDs[t]; ok && l.weight[id] == 0 {
					posts := x.dict.terms[id].posts
					l.weight[id] = x.dict.idf(len(posts)) * share
					l.total += l.weight[id]
					x.scorePosts(l, t, posts, share)
				}
				share = partShare
			}
		}
	}
	for _, n := range l.hits {
		l.max = max(l.max, l.score[n])
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
		if l.score[p.node] == 0 {
			l.hits = append(l.hits, p.node)
		}
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
