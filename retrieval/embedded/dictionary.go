package embedded

import (
	"math"
	"slices"
)

// posting is one item that holds a term. tf counts the title TitleWeight times.
type posting struct {
	node int32
	tf   int32
}

// dictionary is the inverted index: words as they stand in texts, and the terms that
// they are indexed as. Numbers of dead entries are used again.
type dictionary struct {
	wordIDs  map[string]uint32
	words    []wordEntry
	termIDs  map[string]uint32
	terms    []termEntry
	freeWord []uint32
	freeTerm []uint32
	items    int
	length   int64 // sum of the lengths of all items
}

type wordEntry struct {
	text  string
	uses  int
	terms []uint32 // the main term first
}

type termEntry struct {
	text  string
	uses  int       // words that lead to it
	posts []posting // by node
}

func newDictionary() *dictionary {
	return &dictionary{wordIDs: map[string]uint32{}, termIDs: map[string]uint32{}}
}

// use counts one more occurrence of a word and returns its number.
func (d *dictionary) use(t token) uint32 {
	id, ok := d.wordIDs[t.text]
	if !ok {
		id = take(&d.freeWord, len(d.words))
		e := wordEntry{text: t.text}
		for _, s := range terms(t.text, t.ident) {
			tid, ok := d.termIDs[s]
			if !ok {
				tid = take(&d.freeTerm, len(d.terms))
				put(&d.terms, tid, termEntry{text: s})
				d.termIDs[s] = tid
			}
			d.terms[tid].uses++
			e.terms = append(e.terms, tid)
		}
		put(&d.words, id, e)
		d.wordIDs[t.text] = id
	}
	d.words[id].uses++
	return id
}

// release takes one occurrence back. Postings must have been removed before.
func (d *dictionary) release(id uint32) {
	w := &d.words[id]
	if w.uses--; w.uses > 0 {
		return
	}
	for _, tid := range w.terms {
		if d.terms[tid].uses--; d.terms[tid].uses == 0 {
			delete(d.termIDs, d.terms[tid].text)
			d.terms[tid] = termEntry{}
			d.freeTerm = append(d.freeTerm, tid)
		}
	}
	delete(d.wordIDs, w.text)
	*w = wordEntry{}
	d.freeWord = append(d.freeWord, id)
}

// count returns how often each term stands in a title and text of these words.
func (d *dictionary) count(words []uint32, title int, titleWeight int32) map[uint32]int32 {
	n := map[uint32]int32{}
	for i, w := range words {
		by := int32(1)
		if i < title {
			by = titleWeight
		}
		for _, t := range d.words[w].terms {
			n[t] += by
		}
	}
	return n
}

func (d *dictionary) post(node int32, words []uint32, title int, titleWeight int32) {
	for t, n := range d.count(words, title, titleWeight) {
		p := d.terms[t].posts
		i := len(p)
		if i > 0 && p[i-1].node >= node {
			i, _ = slices.BinarySearchFunc(p, node, func(a posting, n int32) int { return int(a.node) - int(n) })
		}
		d.terms[t].posts = slices.Insert(p, i, posting{node, n})
	}
}

func (d *dictionary) unpost(node int32, words []uint32, title int, titleWeight int32) {
	for t := range d.count(words, title, titleWeight) {
		p := d.terms[t].posts
		i, _ := slices.BinarySearchFunc(p, node, func(a posting, n int32) int { return int(a.node) - int(n) })
		d.terms[t].posts = slices.Delete(p, i, i+1)
	}
}

// idf is the BM25 weight of something that df of the items hold, in the form that is
// never negative: ln(1 + (N - df + 0.5) / (df + 0.5)).
func (d *dictionary) idf(df int) float64 {
	return math.Log(1 + (float64(d.items)-float64(df)+0.5)/(float64(df)+0.5))
}

// bm25 is one term's part of an item's score (Robertson and Zaragoza, "The
// Probabilistic Relevance Framework: BM25 and Beyond", 2009).
func (d *dictionary) bm25(idf float64, tf, length int32, k1, b float64) float64 {
	norm := 1 - b + b*float64(length)*float64(d.items)/float64(max(d.length, 1))
	return idf * float64(tf) * (k1 + 1) / (float64(tf) + k1*norm)
}

func take(free *[]uint32, next int) uint32 {
	if n := len(*free); n > 0 {
		id := (*free)[n-1]
		*free = (*free)[:n-1]
		return id
	}
	return uint32(next)
}

func put[T any](list *[]T, id uint32, v T) {
	if int(id) == len(*list) {
		*list = append(*list, v)
		return
	}
	(*list)[id] = v
}
