package embedded

import (
	"strings"

	"faultline/retrieval"
)

// maxName is the longest name, in words, that texts are searched for.
const maxName = 12

// gazetteer counts the items behind each name and knows which lengths to try from a
// first word.
type gazetteer map[string]*gazEntry

type gazEntry struct {
	titles   int          // passages and tickets with this whole name
	entities int          // entities with it
	lengths  [maxName]int // names that begin with this word, by length in words less one
}

// add reports whether texts may now hold the name where they did not before.
func (g gazetteer) add(name string, entity bool) bool {
	e := g.at(name)
	count := e.counter(entity)
	*count++
	if e.titles+e.entities == 1 {
		first, n := firstWord(name)
		g.at(first).lengths[n-1]++
	}
	return *count == 1
}

// remove is the inverse of add.
func (g gazetteer) remove(name string, entity bool) bool {
	e := g[name]
	count := e.counter(entity)
	*count--
	if e.titles+e.entities > 0 {
		return *count == 0
	}
	first, n := firstWord(name)
	g[first].lengths[n-1]--
	for _, k := range []string{name, first} {
		if e := g[k]; e != nil && *e == (gazEntry{}) {
			delete(g, k)
		}
	}
	return true
}

func (e *gazEntry) counter(entity bool) *int {
	if entity {
		return &e.entities
	}
	return &e.titles
}

func (g gazetteer) at(key string) *gazEntry {
	e := g[key]
	if e == nil {
		e = &gazEntry{}
		g[key] = e
	}
	return e
}

// longest returns how many of the words make the longest name that begins with the
// first of them; 0 for none. The name of an entity may be written in any case; a title
// needs a capital, a digit or CJK somewhere, unless lenient, because titles can be
// ordinary words.
func (g gazetteer) longest(words []token, lenient bool) int {
	return g.match(words, maxName, func(e *gazEntry, n int) bool {
		return e.entities > 0 || e.titles > 0 && (lenient || marked(words[:n]))
	})
}

// match returns the largest length up to limit whose name is accepted; 0 for none.
func (g gazetteer) match(words []token, limit int, accept func(e *gazEntry, n int) bool) int {
	f := g[words[0].text]
	if f == nil {
		return 0
	}
	for n := min(limit, len(words)); n > 0; n-- {
		if f.lengths[n-1] > 0 {
			if e := g[join(words[:n])]; e != nil && accept(e, n) {
				return n
			}
		}
	}
	return 0
}

func marked(words []token) bool {
	for _, w := range words {
		if w.capital || w.ident || w.cjk {
			return true
		}
	}
	return false
}

func firstWord(name string) (string, int) {
	first, _, _ := strings.Cut(name, " ")
	return first, 1 + strings.Count(name, " ")
}

func join(words []token) string {
	if len(words) == 1 {
		return words[0].text
	}
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w.text)
	}
	return b.String()
}

// asName turns a title or alias into a name, "" when it cannot be one.
func asName(s string) string {
	words := tokenise(s)
	if len(words) == 0 || len(words) > maxName || (len(words) == 1 && (stopWords[words[0].text] || len(words[0].text) < 2)) {
		return ""
	}
	return join(words)
}

// namesOf returns the names of an item: its title as it stands and without a trailing
// parenthesis, and its aliases.
func namesOf(it *retrieval.Item) []string {
	var out []string
	add := func(s string) {
		name := asName(s)
		for _, have := range out {
			if have == name {
				return
			}
		}
		if name != "" {
			out = append(out, name)
		}
	}
	add(it.Title)
	if i := strings.LastIndexByte(it.Title, '('); i > 0 && strings.HasSuffix(it.Title, ")") {
		add(it.Title[:i])
	}
	for _, a := range it.Aliases {
		add(a)
	}
	return out
}

// found is a name in a text.
type found struct {
	name     string
	sentence int32
	title    bool
}

// findNames returns the names in an item's title and text: known ones by longest
// match, identifiers, and spans of capitalised words.
func (x *Index) findNames(it *retrieval.Item) []found {
	var out []found
	seen := map[found]bool{}
	scan := func(words []token, title bool) {
		x.scanNames(words, title, func(name string, from, to int) {
			f := found{name, 0, title}
			if !title {
				f.sentence = int32(words[from].sentence + 1)
			}
			if !seen[f] {
				seen[f] = true
				out = append(out, f)
			}
		})
	}
	scan(tokenise(it.Title), true)
	scan(tokenise(it.Text), false)
	return out
}

// scanNames calls hit with every name in a text and the words that it spans.
func (x *Index) scanNames(words []token, lenient bool, hit func(name string, from, to int)) {
	inName := make([]int, len(words)) // end of the known name that covers a word
	for i := 0; i < len(words); {
		n := x.names.longest(words[i:], lenient)
		if n == 0 {
			i++
			continue
		}
		hit(join(words[i:i+n]), i, i+n)
		for j := i; j < i+n; j++ {
			inName[j] = i + n
		}
		// A ticket's title may hold the name of an alarm.
		for j := i; n > 1 && j < i+n; j++ {
			limit := i + n - j
			if j == i {
				limit--
			}
			if k := x.names.match(words[j:], limit, func(e *gazEntry, _ int) bool { return e.entities > 0 }); k > 0 {
				hit(join(words[j:j+k]), j, j+k)
				j += k - 1
			}
		}
		i += n
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w.ident && strings.ContainsFunc(w.text, func(r rune) bool { return r >= 'a' && r <= 'z' }) {
			hit(w.text, i, i+1)
		}
		if !w.capital || stopWords[w.text] {
			continue
		}
		end := i + 1
		for end < len(words) && end-i < maxName && words[end].glued && words[end].sentence == w.sentence {
			if words[end].capital && !stopWords[words[end].text] {
				end++
				continue
			}
			// "House of Representatives": small words inside a span, not at its end.
			if j := end + 1; smallWords[words[end].text] && j < len(words) && words[j].glued && words[j].capital && !stopWords[words[j].text] {
				end += 2
				continue
			}
			break
		}
		alone := end == i+1
		first := i == 0 || words[i-1].sentence != w.sentence
		if inName[i] < end && (!alone || (!first && len(w.text) > 2)) {
			hit(join(words[i:end]), i, end)
		}
		i = end - 1
	}
}

var smallWords = map[string]bool{"of": true, "the": true, "de": true, "la": true, "von": true, "van": true, "du": true, "and": true}
