package netconf

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// node is an XML element. Its text counts only while it has no children.
type node struct {
	space, name string
	attrs       []xml.Attr // without declarations of namespaces
	text        string
	kids        []*node
	src         *node // of a choice by a filter: what it was made from
}

// maxDepth bounds the nesting of what peers send.
const maxDepth = 64

// parse reads one element. Document types are refused.
func parse(b []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var root *node
	var open []*node
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("parse message: %w", err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return nil, errors.New("parse message: a document type is not allowed")
		case xml.StartElement:
			if root != nil && len(open) == 0 {
				return nil, errors.New("parse message: more than one element")
			}
			if len(open) == maxDepth {
				return nil, fmt.Errorf("parse message: elements nest deeper than %d", maxDepth)
			}
			n := &node{space: t.Name.Space, name: t.Name.Local}
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					n.attrs = append(n.attrs, a)
				}
			}
			if root == nil {
				root = n
			} else {
				up := open[len(open)-1]
				up.kids = append(up.kids, n)
			}
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
			}
		}
	}
	if root == nil {
		return nil, errors.New("parse message: no element")
	}
	root.trim()
	return root, nil
}

func (n *node) trim() {
	n.text = strings.TrimSpace(n.text)
	for _, k := range n.kids {
		k.trim()
	}
}

// el makes an element of the namespace of its parent; children follow.
func el(name string, kids ...*node) *node { return &node{name: name, kids: kids} }

// leaf makes an element with text.
func leaf(name, text string) *node { return &node{name: name, text: text} }

// in puts an element and those below it that have none into a namespace.
func (n *node) in(space string) *node {
	if n.space == "" {
		n.space = space
	}
	for _, k := range n.kids {
		k.in(n.space)
	}
	return n
}

func (n *node) kid(name string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

func (n *node) attr(space, name string) (string, bool) {
	for _, a := range n.attrs {
		if a.Name.Local == name && a.Name.Space == space {
			return a.Value, true
		}
	}
	return "", false
}

// write appends the element. A namespace is declared where it differs from the
// parent's.
func (n *node) write(b *bytes.Buffer, parent string) {
	b.WriteString("<" + n.name)
	if n.space != parent && n.space != "" {
		b.WriteString(` xmlns="`)
		escape(b, n.space)
		b.WriteString(`"`)
	}
	for i, a := range n.attrs {
		name := a.Name.Local
		if a.Name.Space != "" {
			prefix := fmt.Sprintf("a%d", i)
			fmt.Fprintf(b, ` xmlns:%s="`, prefix)
			escape(b, a.Name.Space)
			b.WriteString(`"`)
			name = prefix + ":" + name
		}
		b.WriteString(" " + name + `="`)
		escape(b, a.Value)
		b.WriteString(`"`)
	}
	if len(n.kids) == 0 && n.text == "" {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	if len(n.kids) == 0 {
		escape(b, n.text)
	}
	for _, k := range n.kids {
		k.write(b, n.space)
	}
	b.WriteString("</" + n.name + ">")
}

func escape(b *bytes.Buffer, s string) {
	_ = xml.EscapeText(b, []byte(s)) // a buffer takes everything
}

func (n *node) bytes() []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	n.write(&b, "")
	return b.Bytes()
}

// filter is the subtree filter of RFC 6241 section 6: it gives the parts of data that
// the filters choose, nil when they choose nothing.
func filter(data []*node, filters []*node) []*node {
	var out []*node
	for _, d := range data {
		var got *node
		for _, f := range filters {
			if f.name == d.name && (f.space == "" || f.space == d.space) {
				got = merge(got, choose(d, f))
			}
		}
		if got != nil {
			out = append(out, got)
		}
	}
	return out
}

// choose applies one filter element to one data element that it names. Keys of list
// entries come along with what is chosen of them.
func choose(d, f *node) *node {
	for _, a := range f.attrs {
		if v, ok := d.attr(a.Name.Space, a.Name.Local); !ok || v != a.Value {
			return nil
		}
	}
	if len(f.kids) == 0 {
		if f.text != "" && f.text != d.text {
			return nil
		}
		return d
	}
	names := func(k, c *node) bool { return c.name == k.name && (k.space == "" || k.space == c.space) }
	matches := func(k *node) bool { return len(k.kids) == 0 && k.text != "" }
	for _, k := range f.kids {
		if matches(k) && !slices.ContainsFunc(d.kids, func(c *node) bool { return names(k, c) && c.text == k.text }) {
			return nil
		}
	}
	if !slices.ContainsFunc(f.kids, func(k *node) bool { return !matches(k) }) {
		return d // content matches alone choose the whole element
	}
	out := &node{space: d.space, name: d.name, attrs: d.attrs, text: d.text, src: d}
	chosen := false
	for _, c := range d.kids {
		var got *node
		for _, k := range f.kids {
			if names(k, c) {
				got = merge(got, choose(c, k))
			}
		}
		chosen = chosen || got != nil
		if got == nil && c.name == lists[d.name] {
			got = c
		}
		if got != nil {
			out.kids = append(out.kids, got)
		}
	}
	if !chosen {
		return nil
	}
	return out
}

// origin is the data element that a choice was made from.
func (n *node) origin() *node {
	if n.src != nil {
		return n.src
	}
	return n
}

// merge joins two choices from one data element, in its order.
func merge(a, b *node) *node {
	switch {
	case a == nil:
		return b
	case b == nil || a.src == nil:
		return a
	case b.src == nil:
		return b
	}
	out := &node{space: a.space, name: a.name, attrs: a.attrs, text: a.text, src: a.src}
	for _, c := range a.src.kids {
		var got *node
		for _, k := range slices.Concat(a.kids, b.kids) {
			if k.origin() == c {
				got = merge(got, k)
			}
		}
		if got != nil {
			out.kids = append(out.kids, got)
		}
	}
	return out
}
