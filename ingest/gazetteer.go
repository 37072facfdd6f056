package ingest

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"faultline/rca"
)

// Term is one name of one thing.
type Term struct {
	Name string
	ID   string
}

// Gazetteer finds names in text: whole words, longest name first, in any case and
// with any punctuation between the words. It never guesses: "Fan Stall" does not
// find "Fan Stalled". It is immutable and safe for concurrent use.
type Gazetteer struct {
	root  *trieNode
	names int
}

type trieNode struct {
	next map[string]*trieNode
	ids  []string // sorted; set where a name ends
}

// NewGazetteer builds a trie over the words of the names. Names without a letter or
// digit are left out; a name that two things share finds both.
func NewGazetteer(terms []Term) *Gazetteer {
	g := &Gazetteer{root: &trieNode{}}
	for _, t := range terms {
		ws := words(t.Name)
		if len(ws) == 0 || t.ID == "" {
			continue
		}
		n := g.root
		for _, w := range ws {
			if n.next == nil {
				n.next = map[string]*trieNode{}
			}
			if n.next[w.text] == nil {
				n.next[w.text] = &trieNode{}
			}
			n = n.next[w.text]
		}
		if i, found := slices.BinarySearch(n.ids, t.ID); !found {
			n.ids = slices.Insert(n.ids, i, t.ID)
			g.names++
		}
	}
	return g
}

// AlarmTypeTerms lists every name of every alarm type: id, slug, name, aliases, and
// the name without a trailing remark in brackets where no other type has that name.
func AlarmTypeTerms(k *rca.Knowledge) []Term {
	var out []Term
	short := map[string][]string{}
	full := map[string]bool{}
	key := func(name string) string {
		var ws []string
		for _, w := range words(name) {
			ws = append(ws, w.text)
		}
		return strings.Join(ws, " ")
	}
	types := k.AlarmTypes()
	for _, t := range types {
		for _, n := range append([]string{t.ID, t.Slug, t.Name}, t.Aliases...) {
			out = append(out, Term{n, t.ID})
			full[key(n)] = true
		}
		if base, _, ok := strings.Cut(t.Name, " ("); ok && strings.HasSuffix(t.Name, ")") {
			short[key(base)] = append(short[key(base)], t.ID)
		}
	}
	for _, t := range types {
		base, _, _ := strings.Cut(t.Name, " (")
		if ids := short[key(base)]; len(ids) == 1 && ids[0] == t.ID && !full[key(base)] && strings.Contains(base, " ") {
			out = append(out, Term{base, t.ID})
		}
	}
	return out
}

// Len is the number of names.
func (g *Gazetteer) Len() int { return g.names }

// Match is one place where a name stands.
type Match struct {
	Start, End int      // bytes of the text
	IDs        []string // sorted; the caller must not change them
}

// Find returns the matches in text from left to right; they do not overlap.
func (g *Gazetteer) Find(text string) []Match {
	var out []Match
	ws := words(text)
	for i := 0; i < len(ws); {
		n, end := g.root, -1
		var ids []string
		for j := i; j < len(ws); j++ {
			if n = n.next[ws[j].text]; n == nil {
				break
			}
			if n.ids != nil {
				end, ids = j, n.ids
			}
		}
		if end < 0 {
			i++
			continue
		}
		out = append(out, Match{ws[i].start, ws[end].end, ids})
		i = end + 1
	}
	return out
}

// FindIDs returns the sorted ids of everything that the text names.
func (g *Gazetteer) FindIDs(text string) []string {
	var ids []string
	for _, m := range g.Find(text) {
		ids = append(ids, m.IDs...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

type word struct {
	text       string // lower case
	start, end int
}

// words cuts text into runs of letters and digits. A dot between digits belongs to
// the word, so that "100.101" is one.
func words(s string) []word {
	var out []word
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !wordRune(r) {
			i += size
			continue
		}
		start := i
		for i < len(s) {
			r, size = utf8.DecodeRuneInString(s[i:])
			if wordRune(r) || r == '.' && i+1 < len(s) && digit(s[i-1]) && digit(s[i+1]) {
				i += size
				continue
			}
			break
		}
		out = append(out, word{strings.ToLower(s[start:i]), start, i})
	}
	return out
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
func digit(b byte) bool    { return b >= '0' && b <= '9' }

// Identifiers calls found for every token of text that may be an identifier,
// without its brackets, quotes and end-of-sentence marks. A token is never taken
// apart: "cell-101/2" does not name "cell-101".
func Identifiers(text string, found func(token string)) {
	for tok := range strings.FieldsFuncSeq(text, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("()[]{}<>\"'`,;|=", r)
	}) {
		found(tok)
		if t := strings.TrimRight(tok, ".:!?"); t != tok && t != "" {
			found(t)
		}
	}
}
