package embedded

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
)

// token is one word of a text: a plain word, an identifier kept whole, or two
// neighbouring CJK characters.
type token struct {
	text     string // lower case, without diacritics
	start    int    // byte offset
	end      int
	sentence int  // 0-based
	capital  bool // begins with a capital letter
	ident    bool // holds a digit
	cjk      bool
	glued    bool // nothing but a space between it and the token before
}

// tokenise splits a text into words. A run of letters and digits that holds a digit is
// an identifier; "-/._:#" between its characters belong to it: "ge-0/0/1" is one word.
// A run without digits is split at them. CJK text becomes overlapping pairs of
// characters, so that a word is found wherever it stands without a dictionary.
func tokenise(text string) []token {
	var out []token
	sentence, last := 0, 0
	emit := func(start, end int, cjk bool) {
		t := token{start: start, end: end, sentence: sentence, cjk: cjk, text: normalise(text[start:end])}
		if t.text == "" {
			return
		}
		r, _ := utf8.DecodeRuneInString(text[start:])
		t.capital = unicode.IsUpper(r)
		t.ident = strings.ContainsFunc(t.text, unicode.IsDigit)
		t.glued = len(out) > 0 && start >= last && strings.TrimLeft(text[last:start], " ") == ""
		last = end
		out = append(out, t)
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case isCJK(r):
			start, prev := i, i
			i += size
			for i < len(text) {
				r, size := utf8.DecodeRuneInString(text[i:])
				if !isCJK(r) {
					break
				}
				emit(prev, i+size, true)
				prev = i
				i += size
			}
			if prev == start {
				emit(start, i, true)
			}
		case isWord(r):
			end := wordEnd(text, i)
			if run := text[i:end]; strings.ContainsFunc(run, unicode.IsDigit) {
				emit(i, end, false)
			} else {
				for at := 0; at < len(run); {
					n := strings.IndexAny(run[at:], connectors+"&")
					if n < 0 {
						n = len(run) - at
					}
					if n > 0 {
						emit(i+at, i+at+n, false)
					}
					at += n + 1
				}
			}
			i = end
		default:
			i += size
			if endsSentence(text, i, r) {
				sentence++
			}
		}
	}
	return out
}

const connectors = "-/._:#"

// wordEnd returns where the run of word characters from i ends. A connector belongs to
// the run when a word character follows it; a full stop or colon only between digits
// or, for a MAC address, hexadecimal digits, because "down.Next" is two words.
func wordEnd(text string, i int) int {
	prev := ' '
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case isWord(r) || unicode.Is(unicode.Mn, r):
		case r == '\'' || r == '’' || strings.ContainsRune(connectors, r) || r == '&':
			next, _ := utf8.DecodeRuneInString(text[i+size:])
			if !isWord(next) || (r == '.' && !(unicode.IsDigit(prev) && unicode.IsDigit(next))) || (r == ':' && !(isHex(prev) && isHex(next))) {
				return i
			}
		default:
			return i
		}
		prev = r
		i += size
	}
	return i
}

func endsSentence(text string, next int, r rune) bool {
	switch r {
	case '。', '！', '？', '；', '\n':
		return true
	case '.', '!', '?':
		return next >= len(text) || text[next] == ' ' || text[next] == '\n'
	}
	return false
}

func isWord(r rune) bool { return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !isCJK(r) }

func isHex(r rune) bool {
	return unicode.IsDigit(r) || (r >= 'a' && r <= 'f') || (r >= 'A' && r <= 'F')
}

func isCJK(r rune) bool {
	return r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// normalise lowers the case and drops diacritics, apostrophes and a possessive "'s".
func normalise(w string) string {
	ascii := true
	for i := 0; i < len(w); i++ {
		ascii = ascii && w[i] < utf8.RuneSelf && w[i] != '\''
	}
	if ascii {
		return strings.ToLower(w)
	}
	w = strings.ReplaceAll(strings.ToLower(w), "’", "'")
	w = strings.TrimSuffix(w, "'s")
	return strings.Map(func(r rune) rune {
		if r == '\'' || unicode.Is(unicode.Mn, r) {
			return -1
		}
		if r >= 0xc0 && r < 0x250 {
			if plain, ok := plainLetter[r]; ok {
				return plain
			}
		}
		return r
	}, w)
}

// plainLetter maps lower-case Latin letters with diacritics to the letter below.
var plainLetter = func() map[rune]rune {
	m := map[rune]rune{}
	for plain, accented := range map[rune]string{
		'a': "àáâãäåāăąǎ", 'c': "çćĉċč", 'd': "ďđð", 'e': "èéêëēĕėęěǝ", 'g': "ĝğġģǧ", 'h': "ĥħ", 'i': "ìíîïĩīĭįıǐ", 'j': "ĵ", 'k': "ķ",
		'l': "ĺļľŀł", 'n': "ñńņňŋ", 'o': "òóôõöøōŏőǒ", 'r': "ŕŗř", 's': "śŝşšș", 't': "ţťŧț", 'u': "ùúûüũūŭůűųǔ", 'w': "ŵ", 'y': "ýÿŷ", 'z': "źżž",
	} {
		for _, r := range accented {
			m[r] = plain
		}
	}
	return m
}()

// terms returns what a word is indexed as. The first is its main term: the stem of a
// plain English word, the whole of anything else. An identifier adds its parts, and
// those of their letter and digit halves that say something: "ALM-25622" and
// "alm25622" share "alm" and "25622".
func terms(word string, ident bool) []string {
	if !ident {
		return []string{stem(word)}
	}
	out := []string{word}
	add := func(t string) {
		for _, have := range out {
			if have == t {
				return
			}
		}
		out = append(out, t)
	}
	for part := range strings.FieldsFuncSeq(word, func(r rune) bool { return strings.ContainsRune(connectors+"&", r) }) {
		add(stem(part))
		for i := 1; i < len(part); i++ {
			a, b := part[i-1], part[i]
			if isLetter, isDigit := a >= 'a' && a <= 'z', b >= '0' && b <= '9'; isLetter && isDigit {
				if i >= 2 {
					add(stem(part[:i]))
				}
				if len(part)-i >= 3 {
					add(part[i:])
				}
				break
			}
		}
	}
	return out
}

// stem applies the Snowball English stemmer to plain lower-case words. Words of three
// letters and fewer are left alone: they are mostly abbreviations here.
func stem(w string) string {
	if len(w) <= 3 {
		return w
	}
	for i := 0; i < len(w); i++ {
		if w[i] < 'a' || w[i] > 'z' {
			return w
		}
	}
	return english.Stem(w, true)
}

// stopWords carry no meaning of their own. The list is short on purpose: "no", "not",
// "down" and "off" matter in alarms, and BM25 discounts frequent words anyway.
var stopWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("a an and are as at be by did do does for from had has have he her his in is it its of on or she that the their they this to was were what when where which who whom whose will with") {
		m[w] = true
	}
	return m
}()

// stopCharacters are Chinese particles and question words; pairs that hold one say
// nothing in a query.
const stopCharacters = "的了是吗呢哪谁么"
