// Package manual reads alarm manuals, Markdown, HTML or a StarlingX events.yaml, into
// graph changes of one source: a Document, a Passage per section, and what passages
// DEFINE or MENTION. A section DEFINES the alarm types that its heading names, or the
// nearest heading above it that names any; a passage MENTIONS those that its text
// names. Names count only whole, longest first.
//
// The changes of a document are one batch that begins by dropping its source, so that
// a document that is read again replaces itself. Ids of passages follow from source
// and anchor and stay the same when other sections change.
package manual

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"time"
	"unicode"

	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
)

// Prefixes of entity ids.
const (
	DocumentPrefix = "document/"
	PassagePrefix  = "passage/"
)

// Attributes of a Passage. A Document has title, format, sha256 and Options.Attrs.
const (
	AttrText    = "text"    // readable text, without markup
	AttrTitle   = "title"   // heading of the section
	AttrSection = "section" // headings above and of the section, outermost first, joined by " > "
	AttrAnchor  = "anchor"  // unique within the document
	AttrOrdinal = "ordinal" // place within the document, from 1
)

// Options of the readers.
type Options struct {
	ingest.Options                   // Source names the document, for example its file path; MaxRecord bounds its bytes, default 64 MiB
	At             time.Time         // recorded time of the changes; required
	Version        string            // of the document
	Title          string            // default: the document's own, else Source
	Attrs          map[string]string // of the Document: vendor, product, release, language
	AlarmTypes     *ingest.Gazetteer // names of alarm types; Term.ID is the type's id. Optional
	MaxPassage     int               // bytes of text of one passage; longer sections are split between blocks; default 2,000
}

func (o *Options) validate() error {
	o.MaxRecord = cmp.Or(o.MaxRecord, ingest.DefaultMaxText)
	switch {
	case o.At.IsZero():
		return fmt.Errorf("manual options: At missing: %w", rca.ErrInvalid)
	case o.MaxPassage < 0:
		return fmt.Errorf("manual options: MaxPassage is negative: %w", rca.ErrInvalid)
	}
	o.MaxPassage = cmp.Or(o.MaxPassage, 2000)
	return o.Options.Validate()
}

// Summary says what a document gave.
type Summary struct {
	ingest.Counts
	Document   graph.ID `json:"document"`
	Title      string   `json:"title"`
	Passages   int      `json:"passages"`
	AlarmTypes int      `json:"alarm_types"` // defined by the document itself
	Defines    int      `json:"defines"`
	Mentions   int      `json:"mentions"`
}

// section is a heading and what stands under it, up to the next heading.
type section struct {
	level  int
	title  string
	id     string   // explicit anchor
	blocks []string // readable text, block by block
}

// load reads a document as a whole.
func load(ctx context.Context, r io.Reader, o *Options) ([]byte, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	in, err := ingest.NewInput(ctx, r, o.Options)
	if err != nil {
		return nil, err
	}
	return in.ReadAll(o.MaxRecord)
}

// draft collects the changes of one document.
type draft struct {
	o       Options
	sum     Summary
	changes []graph.Change
	anchors map[string]bool
	ordinal int
}

func newDraft(o Options, format, title string, content []byte) *draft {
	d := &draft{o: o, anchors: map[string]bool{}}
	d.sum.Title = cmp.Or(o.Title, title, o.Source)
	d.sum.Document = graph.ID(DocumentPrefix + o.Source)
	d.changes = append(d.changes, graph.Change{Op: graph.OpDropSource, At: o.At, By: d.by("")})
	hash := sha256.Sum256(content)
	attrs := maps.Clone(o.Attrs)
	if attrs == nil {
		attrs = map[string]string{}
	}
	attrs[AttrTitle], attrs["format"], attrs["sha256"] = d.sum.Title, format, hex.EncodeToString(hash[:])
	d.put(graph.Entity{ID: d.sum.Document, Kind: graph.KindDocument, Name: d.sum.Title, Attrs: attrs}, "")
	return d
}

func (d *draft) by(span string) graph.Provenance {
	return graph.Provenance{Source: d.o.Source, Version: d.o.Version, Rule: "manual", Span: span}
}

func (d *draft) put(e graph.Entity, span string) {
	d.changes = append(d.changes, graph.Change{Op: graph.OpPut, At: d.o.At, By: d.by(span), Entity: &e})
}

func (d *draft) relate(from graph.ID, t graph.RelationType, to graph.ID, span string, attrs map[string]string) {
	d.changes = append(d.changes, graph.Change{Op: graph.OpPut, At: d.o.At, By: d.by(span), Relation: &graph.Relation{From: from, Type: t, To: to, Attrs: attrs}})
}

// passage adds one passage with what it defines and mentions.
func (d *draft) passage(title, path, anchor, text string, defines []string) graph.ID {
	for base, n := anchor, 2; d.anchors[anchor]; n++ {
		anchor = base + "-" + strconv.Itoa(n)
	}
	d.anchors[anchor] = true
	d.ordinal++
	d.sum.Passages++
	id := graph.ID(PassagePrefix + d.o.Source + "#" + anchor)
	d.put(graph.Entity{ID: id, Kind: graph.KindPassage, Name: title, Attrs: map[string]string{
		AttrText: text, AttrTitle: title, AttrSection: path, AttrAnchor: anchor, AttrOrdinal: strconv.Itoa(d.ordinal),
	}}, anchor)
	d.relate(id, graph.PartOf, d.sum.Document, anchor, nil)
	defined := map[string]bool{}
	for _, t := range defines {
		defined[t] = true
		d.sum.Defines++
		d.relate(id, graph.Defines, graph.ID(rca.AlarmTypePrefix+t), anchor, nil)
	}
	if d.o.AlarmTypes != nil {
		for _, t := range d.o.AlarmTypes.FindIDs(text) {
			if !defined[t] {
				d.sum.Mentions++
				d.relate(id, graph.Mentions, graph.ID(rca.AlarmTypePrefix+t), anchor, nil)
			}
		}
	}
	return id
}

// send hands the document on as one batch.
func (d *draft) send(emit func([]graph.Change) error) (Summary, error) {
	d.sum.Emitted = len(d.changes)
	if err := emit(d.changes); err != nil {
		return d.sum, fmt.Errorf("hand on %s: %w", d.o.Source, err)
	}
	return d.sum, nil
}

// sections turns headings and their text into passages.
func (d *draft) sections(secs []section) {
	type open struct {
		section
		slug  string
		names []string
	}
	var above []open
	for i, s := range secs {
		for len(above) > 0 && (above[len(above)-1].level >= s.level || above[len(above)-1].level == 0) {
			above = above[:len(above)-1]
		}
		var names []string
		if d.o.AlarmTypes != nil {
			names = d.o.AlarmTypes.FindIDs(s.title)
		}
		above = append(above, open{s, cmp.Or(s.id, slug(s.title), "top"), names})
		var path, slugs []string
		var defines []string
		for j, a := range above {
			if a.title != "" {
				path = append(path, a.title)
			}
			if a.level > 1 || j == len(above)-1 { // the document's title would be in every anchor
				slugs = append(slugs, a.slug)
			}
			if len(a.names) > 0 {
				defines = a.names
			}
		}
		hasParts := i+1 < len(secs) && secs[i+1].level > s.level
		if len(s.blocks) == 0 && (hasParts || s.title == "") {
			continue
		}
		anchor := cmp.Or(s.id, strings.Join(slugs, "/"))
		title := cmp.Or(s.title, d.sum.Title)
		for n, text := range pack(s.blocks, d.o.MaxPassage) {
			a := anchor
			if n > 0 {
				a += "~" + strconv.Itoa(n+1)
			}
			d.passage(title, strings.Join(path, " > "), a, cmp.Or(text, title), defines)
		}
	}
}

// pack joins blocks to texts of at most limit bytes; a longer block stands alone, cut
// at spaces.
func pack(blocks []string, limit int) []string {
	var out []string
	cur := ""
	for _, b := range blocks {
		for len(b) > limit {
			at := strings.LastIndexAny(b[:limit], " \n")
			if at <= 0 {
				for at = limit; at > 0 && b[at]&0xC0 == 0x80; at-- { // not within a letter
				}
			}
			if cur != "" {
				out, cur = append(out, cur), ""
			}
			if at <= 0 {
				at = len(b) // one letter longer than the limit
			}
			out = append(out, strings.TrimSpace(b[:at]))
			b = strings.TrimSpace(b[at:])
		}
		switch {
		case b == "":
		case cur == "":
			cur = b
		case len(cur)+1+len(b) > limit:
			out, cur = append(out, cur), b
		default:
			cur += "\n" + b
		}
	}
	if cur != "" || len(out) == 0 {
		out = append(out, cur)
	}
	return out
}

// slug is a heading as an anchor: lower-case words joined by hyphens.
func slug(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
			continue
		}
		gap = true
	}
	return strings.Trim(b.String(), ".")
}
