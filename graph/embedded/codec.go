package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"faultline/graph"
)

// The living contributions of an element are one string: statements, each behind its
// length. A statement is
//
//	source uvarint, recorded 8 bytes, flags, then what the flags announce:
//	version, rule, span, confidence; for an entity its kind and role, domain, name;
//	valid from, valid to; attributes
//
// Texts are length and bytes; words of the dictionary are their numbers. Statements
// can be found, replaced and moved to the past by source without decoding the rest.
const (
	hasVersion = 1 << iota
	hasRule
	hasSpan
	hasConfidence
	hasFrom
	hasTo
	hasAttrs
	hasLabels // role, domain or name
)

var errCorrupt = errors.New("malformed contribution")

// interner gives words their numbers.
type interner interface{ number(word string) uint32 }

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, t.Unix()), uint64(t.Nanosecond()))
}

// appendStatement encodes what one change puts.
func appendStatement(b []byte, c *graph.Change, in interner) []byte {
	var attrs map[string]string
	var valid graph.Interval
	var flags byte
	e := c.Entity
	if e != nil {
		attrs, valid = e.Attrs, e.Valid
	} else {
		attrs, valid = c.Relation.Attrs, c.Relation.Valid
	}
	for _, f := range []struct {
		bit byte
		on  bool
	}{
		{hasVersion, c.By.Version != ""}, {hasRule, c.By.Rule != ""}, {hasSpan, c.By.Span != ""}, {hasConfidence, c.By.Confidence != 0},
		{hasFrom, !valid.From.IsZero()}, {hasTo, !valid.To.IsZero()}, {hasAttrs, len(attrs) > 0},
		{hasLabels, e != nil && (e.Role != "" || e.Domain != "" || e.Name != "")},
	} {
		if f.on {
			flags |= f.bit
		}
	}
	b = binary.AppendUvarint(b, uint64(in.number(c.By.Source)))
	b = binary.BigEndian.AppendUint64(b, uint64(c.At.UnixNano()))
	b = append(b, flags)
	if flags&hasVersion != 0 {
		b = appendText(b, c.By.Version)
	}
	if flags&hasRule != 0 {
		b = binary.AppendUvarint(b, uint64(in.number(c.By.Rule)))
	}
	if flags&hasSpan != 0 {
		b = appendText(b, c.By.Span)
	}
	if flags&hasConfidence != 0 {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(c.By.Confidence))
	}
	if e != nil {
		b = binary.AppendUvarint(b, uint64(in.number(string(e.Kind))))
		if flags&hasLabels != 0 {
			b = binary.AppendUvarint(b, uint64(in.number(e.Role)))
			b = binary.AppendUvarint(b, uint64(in.number(e.Domain)))
			b = appendText(b, e.Name)
		}
	}
	if flags&hasFrom != 0 {
		b = appendTime(b, valid.From)
	}
	if flags&hasTo != 0 {
		b = appendTime(b, valid.To)
	}
	if flags&hasAttrs != 0 {
		b = binary.AppendUvarint(b, uint64(len(attrs)))
		for _, k := range slices.Sorted(maps.Keys(attrs)) {
			b = appendText(binary.AppendUvarint(b, uint64(in.number(k))), attrs[k])
		}
	}
	return b
}

// statement is one decoded contribution; its texts are parts of the encoded string.
type statement struct {
	source             uint32
	recorded           int64
	version, span      string
	rule               uint32
	confidence         float64
	kind, role, domain uint32
	name               string
	valid              graph.Interval
	attrs              string // encoded pairs
	nattrs             uint64
}

type decoder struct {
	s   string
	bad bool
}

func (d *decoder) take(n uint64) string {
	if n > uint64(len(d.s)) {
		d.bad, d.s = true, ""
		return ""
	}
	t := d.s[:n]
	d.s = d.s[n:]
	return t
}

func (d *decoder) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(d.s) && i < binary.MaxVarintLen64; i++ {
		c := d.s[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.s = d.s[i+1:]
			return v
		}
	}
	d.bad, d.s = true, ""
	return 0
}

func (d *decoder) text() string { return d.take(d.uvarint()) }

func (d *decoder) uint64() uint64 {
	t := d.take(8)
	if d.bad {
		return 0
	}
	var v uint64
	for i := range 8 {
		v = v<<8 | uint64(t[i])
	}
	return v
}

func (d *decoder) time() time.Time {
	u := d.uvarint()
	sec := int64(u>>1) ^ -int64(u&1)
	return time.Unix(sec, int64(d.uvarint())).UTC()
}

// next takes the first statement off a string of statements, undecoded. It serves
// strings that checked has passed.
func next(live string) (raw, rest string) {
	d := decoder{s: live}
	raw = d.text()
	return raw, d.s
}

// frame puts the length before one statement, as next expects it.
func frame(raw string) string { return string(binary.AppendUvarint(nil, uint64(len(raw)))) + raw }

// sourceOf reads the source of an undecoded statement.
func sourceOf(raw string) uint32 {
	d := decoder{s: raw}
	return uint32(d.uvarint())
}

func decode(raw string, entity bool) (statement, error) {
	d := decoder{s: raw}
	var st statement
	st.source = uint32(d.uvarint())
	st.recorded = int64(d.uint64())
	f := d.take(1)
	if d.bad {
		return st, errCorrupt
	}
	flags := f[0]
	if flags&hasVersion != 0 {
		st.version = d.text()
	}
	if flags&hasRule != 0 {
		st.rule = uint32(d.uvarint())
	}
	if flags&hasSpan != 0 {
		st.span = d.text()
	}
	if flags&hasConfidence != 0 {
		st.confidence = math.Float64frombits(d.uint64())
	}
	if entity {
		st.kind = uint32(d.uvarint())
		if flags&hasLabels != 0 {
			st.role, st.domain, st.name = uint32(d.uvarint()), uint32(d.uvarint()), d.text()
		}
	}
	if flags&hasFrom != 0 {
		st.valid.From = d.time()
	}
	if flags&hasTo != 0 {
		st.valid.To = d.time()
	}
	if flags&hasAttrs != 0 {
		st.nattrs = d.uvarint()
		st.attrs = d.s
		for range st.nattrs {
			d.uvarint()
			d.text()
			if d.bad {
				break
			}
		}
	}
	if d.bad || d.s != "" {
		return st, errCorrupt
	}
	return st, nil
}

// checked decodes every statement of what was read from the file, with words of the
// dictionary below limit, so that later decoding cannot fail.
func checked(live string, entity bool, limit int) error {
	for live != "" {
		d := decoder{s: live}
		raw := d.text()
		if d.bad {
			return errCorrupt
		}
		st, err := decode(raw, entity)
		if err != nil {
			return err
		}
		words := [...]uint32{st.source, st.rule, st.kind, st.role, st.domain}
		if int(slices.Max(words[:])) >= limit {
			return fmt.Errorf("unknown word %d: %w", slices.Max(words[:]), errCorrupt)
		}
		for a, i := (decoder{s: st.attrs}), uint64(0); i < st.nattrs; i++ {
			if w := a.uvarint(); w >= uint64(limit) {
				return fmt.Errorf("unknown word %d: %w", w, errCorrupt)
			}
			a.text()
		}
		live = d.s
	}
	return nil
}

func (st *statement) attributes(words []string) map[string]string {
	if st.nattrs == 0 {
		return nil
	}
	m := make(map[string]string, st.nattrs)
	d := decoder{s: st.attrs}
	for range st.nattrs {
		k := words[d.uvarint()]
		m[k] = d.text()
	}
	return m
}

func (st *statement) entity(id graph.ID, words []string) graph.Entity {
	return graph.Entity{
		ID: id, Kind: graph.Kind(words[st.kind]), Role: words[st.role], Name: st.name, Domain: words[st.domain],
		Attrs: st.attributes(words), Valid: st.valid,
	}
}

func (st *statement) relation(k graph.RelationKey, words []string) graph.Relation {
	return graph.Relation{From: k.From, Type: k.Type, To: k.To, Qualifier: k.Qualifier, Attrs: st.attributes(words), Valid: st.valid}
}

func (st *statement) contribution(words []string) graph.Contribution {
	return graph.Contribution{
		Provenance: graph.Provenance{Source: words[st.source], Version: st.version, Rule: words[st.rule], Span: st.span, Confidence: st.confidence},
		Recorded:   time.Unix(0, st.recorded).UTC(),
	}
}

// mustDecode serves strings that checked has passed or appendStatement has made.
func mustDecode(raw string, entity bool) statement {
	st, err := decode(raw, entity)
	if err != nil {
		panic("graph store: " + err.Error()) // unreachable: see checked
	}
	return st
}

func entityContributions(live string, id graph.ID, words []string) []graph.Contribution {
	var cs []graph.Contribution
	for raw := ""; live != ""; {
		raw, live = next(live)
		st := mustDecode(raw, true)
		c := st.contribution(words)
		e := st.entity(id, words)
		c.Entity = &e
		cs = append(cs, c)
	}
	return cs
}

func relationContributions(live string, k graph.RelationKey, words []string) []graph.Contribution {
	var cs []graph.Contribution
	for raw := ""; live != ""; {
		raw, live = next(live)
		st := mustDecode(raw, false)
		c := st.contribution(words)
		r := st.relation(k, words)
		c.Relation = &r
		cs = append(cs, c)
	}
	return cs
}

// mergedEntity is graph.Merge of the living contributions; one alone needs no merge.
func mergedEntity(live string, id graph.ID, words []string) graph.Entity {
	if raw, rest := next(live); rest == "" {
		st := mustDecode(raw, true)
		return st.entity(id, words)
	}
	e, _, _ := graph.Merge(entityContributions(live, id, words), time.Time{})
	return e
}

// mergedRelation is the same for a relation.
func mergedRelation(live string, k graph.RelationKey, words []string) graph.Relation {
	if raw, rest := next(live); rest == "" {
		st := mustDecode(raw, false)
		return st.relation(k, words)
	}
	_, r, _ := graph.Merge(relationContributions(live, k, words), time.Time{})
	return r
}

// validOf is the merged element's valid time.
func validOf(live string, entity bool, words []string) graph.Interval {
	if raw, rest := next(live); rest == "" {
		return mustDecode(raw, entity).valid
	}
	if entity {
		return mergedEntity(live, "", words).Valid
	}
	return mergedRelation(live, graph.RelationKey{}, words).Valid
}

// without takes the statement of a source out, and returns it undecoded.
func without(live string, source uint32) (rest, removed string) {
	for tail := live; tail != ""; {
		raw, after := next(tail)
		if sourceOf(raw) == source {
			return live[:len(live)-len(tail)] + after, raw
		}
		tail = after
	}
	return live, ""
}

// says reports whether a source has a statement in it.
func says(live string, source uint32) bool {
	for raw := ""; live != ""; {
		if raw, live = next(live); sourceOf(raw) == source {
			return true
		}
	}
	return false
}
