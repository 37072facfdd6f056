package manual

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
)

// ReadHTML reads an HTML page. Scripts, styles, forms and navigation are dropped. A
// heading's own id, or that of an anchor in it or of the section that it opens, is
// the anchor of its passage. emit gets one batch; reject is never called.
func ReadHTML(ctx context.Context, r io.Reader, o Options, emit func([]graph.Change) error, _ func(ingest.Reject)) (Summary, error) {
	src, err := load(ctx, r, &o)
	if err != nil {
		return Summary{}, err
	}
	doc, err := html.Parse(bytes.NewReader(src))
	if err != nil {
		return Summary{}, fmt.Errorf("read %s: %w: %w", o.File, err, rca.ErrInvalid)
	}
	title := clean(doc)
	conv := converter.NewConverter(converter.WithPlugins(base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(), table.NewTablePlugin()))
	md, err := conv.ConvertNode(doc, converter.WithContext(ctx))
	if err != nil {
		return Summary{}, fmt.Errorf("read %s: %w: %w", o.File, err, rca.ErrInvalid)
	}
	secs := markdownSections(md)
	for i := range secs {
		secs[i].title, secs[i].id = takeMark(secs[i].title)
	}
	d := newDraft(o, "html", cmp.Or(firstTitle(secs), title), src)
	d.sections(secs)
	return d.send(emit)
}

// Anchors travel through Markdown as a mark at the end of the heading, in letters
// that no manual uses.
const markOpen, markClose = "\uE000", "\uE001"

func takeMark(title string) (string, string) {
	t, rest, ok := strings.Cut(title, markOpen)
	if !ok {
		return title, ""
	}
	id, _, _ := strings.Cut(rest, markClose)
	return strings.TrimSpace(t), id
}

var dropped = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Iframe: true, atom.Object: true, atom.Embed: true, atom.Form: true,
	atom.Nav: true, atom.Svg: true, atom.Button: true, atom.Canvas: true,
}

// clean removes what is not text, marks the anchors of headings, and returns the
// title of the page.
func clean(root *html.Node) (title string) {
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; {
			next := c.NextSibling
			switch {
			case c.Type == html.CommentNode, c.Type == html.ElementNode && dropped[c.DataAtom]:
				n.RemoveChild(c)
			case c.Type == html.ElementNode && c.DataAtom == atom.Title:
				title = cmp.Or(title, strings.TrimSpace(textOf(c)))
			case c.Type == html.ElementNode && isHeading(c):
				if id := anchorOf(c); id != "" {
					c.AppendChild(&html.Node{Type: html.TextNode, Data: " " + markOpen + id + markClose})
				}
			default:
				walk(c)
			}
			c = next
		}
	}
	walk(root)
	return title
}

func isHeading(n *html.Node) bool {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

func anchorOf(h *html.Node) string {
	if id := attr(h, "id"); id != "" {
		return id
	}
	for c := range h.Descendants() {
		if c.DataAtom == atom.A {
			if id := cmp.Or(attr(c, "id"), attr(c, "name")); id != "" {
				return id
			}
		}
	}
	if p := h.Parent; p != nil && (p.DataAtom == atom.Section || p.DataAtom == atom.Div || p.DataAtom == atom.Article) {
		first := p.FirstChild
		for first != nil && first.Type != html.ElementNode {
			first = first.NextSibling
		}
		if first == h {
			return attr(p, "id")
		}
	}
	return ""
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && !strings.ContainsAny(a.Val, " \t\r\n"+markOpen+markClose) {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}
