package manual

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"faultline/graph"
	"faultline/ingest"
)

// ReadMarkdown reads CommonMark with tables and explicit heading anchors ({#anchor}).
// A front matter block gives the title. Raw HTML within is dropped. emit gets one
// batch; reject is never called.
func ReadMarkdown(ctx context.Context, r io.Reader, o Options, emit func([]graph.Change) error, _ func(ingest.Reject)) (Summary, error) {
	src, err := load(ctx, r, &o)
	if err != nil {
		return Summary{}, err
	}
	title, body := frontMatter(src)
	secs := markdownSections(body)
	d := newDraft(o, "markdown", cmp.Or(title, firstTitle(secs)), src)
	d.sections(secs)
	return d.send(emit)
}

func firstTitle(secs []section) string {
	for _, s := range secs {
		if s.level == 1 {
			return s.title
		}
	}
	return ""
}

// frontMatter cuts a leading block between lines of three dashes and reads its title.
func frontMatter(src []byte) (title string, body []byte) {
	src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	rest, ok := bytes.CutPrefix(src, []byte("---\n"))
	if !ok {
		return "", src
	}
	block, body, ok := bytes.Cut(rest, []byte("\n---\n"))
	if !ok {
		return "", src
	}
	for line := range bytes.Lines(block) {
		if v, ok := bytes.CutPrefix(line, []byte("title:")); ok {
			title = strings.Trim(strings.TrimSpace(string(v)), `"'`)
		}
	}
	return title, body
}

func markdownSections(src []byte) []section {
	md := goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithHeadingAttribute()))
	doc := md.Parser().Parse(text.NewReader(src))
	secs := []section{{}}
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			s := section{level: h.Level, title: strings.TrimSpace(inline(n, src))}
			if v, ok := h.AttributeString("id"); ok {
				if b, ok := v.([]byte); ok {
					s.id = string(b)
				}
			}
			secs = append(secs, s)
			continue
		}
		if b := strings.TrimSpace(block(n, src, "")); b != "" {
			last := &secs[len(secs)-1]
			last.blocks = append(last.blocks, b)
		}
	}
	return secs
}

// block renders a block as plain text, with list marks and table bars.
func block(n ast.Node, src []byte, indent string) string {
	var b strings.Builder
	switch v := n.(type) {
	case *ast.HTMLBlock, *ast.ThematicBreak:
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		for i := range n.Lines().Len() {
			l := n.Lines().At(i)
			b.WriteString(indent + strings.TrimRight(string(l.Value(src)), "\n") + "\n")
		}
	case *ast.List:
		no := v.Start
		for item := n.FirstChild(); item != nil; item = item.NextSibling() {
			mark := "- "
			if v.IsOrdered() {
				mark = fmt.Sprintf("%d. ", no)
				no++
			}
			var parts []string
			for c := item.FirstChild(); c != nil; c = c.NextSibling() {
				if t := block(c, src, ""); strings.TrimSpace(t) != "" {
					parts = append(parts, strings.TrimRight(t, "\n"))
				}
			}
			lines := strings.Split(strings.Join(parts, "\n"), "\n")
			b.WriteString(indent + mark + strings.Join(lines, "\n"+indent+strings.Repeat(" ", len(mark))) + "\n")
		}
	case *extast.Table:
		for row := n.FirstChild(); row != nil; row = row.NextSibling() {
			var cells []string
			for c := row.FirstChild(); c != nil; c = c.NextSibling() {
				cells = append(cells, strings.TrimSpace(inline(c, src)))
			}
			b.WriteString(indent + strings.Join(cells, " | ") + "\n")
		}
	case *ast.Blockquote:
		for c := n.FirstChild(); c != nil; c = c.NextSibling() {
			b.WriteString(block(c, src, indent))
		}
	default:
		if t := strings.TrimSpace(inline(n, src)); t != "" {
			b.WriteString(indent + t + "\n")
		}
	}
	return b.String()
}

// inline renders the text within a block; markup and raw HTML are dropped.
func inline(n ast.Node, src []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch v := c.(type) {
		case *ast.Text:
			t := v.Value(src)
			if !v.IsRaw() { // the parser leaves escapes and entities to its renderer
				t = util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(t)))
			}
			b.Write(t)
			if v.SoftLineBreak() {
				b.WriteByte(' ')
			}
			if v.HardLineBreak() {
				b.WriteByte('\n')
			}
		case *ast.String:
			b.Write(v.Value)
		case *ast.AutoLink:
			b.Write(v.URL(src))
		case *ast.RawHTML:
		default:
			b.WriteString(inline(c, src))
		}
	}
	return b.String()
}
