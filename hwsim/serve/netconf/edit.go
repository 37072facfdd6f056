package netconf

import (
	"fmt"
	"slices"
	"strings"

	"faultline/hwsim"
	"faultline/hwsim/serve"
)

// rpcError is an error in the words of RFC 6241 appendix A.
type rpcError struct {
	kind string // transport, rpc, protocol, application
	tag  string
	path string
	text string
	info []*node
}

func (e *rpcError) Error() string { return e.tag + ": " + e.text }

func (e *rpcError) node() *node {
	n := el("rpc-error", leaf("error-type", e.kind), leaf("error-tag", e.tag), leaf("error-severity", "error"))
	if e.path != "" {
		n.kids = append(n.kids, leaf("error-path", e.path))
	}
	n.kids = append(n.kids, leaf("error-message", e.text))
	if len(e.info) > 0 {
		n.kids = append(n.kids, el("error-info", e.info...))
	}
	return n
}

func wrong(tag, path, format string, args ...any) *rpcError {
	return &rpcError{kind: "application", tag: tag, path: path, text: fmt.Sprintf(format, args...)}
}

// edit applies a config element to a configuration and gives the result. Operations
// pass down to where another one stands.
func edit(v serve.View, cfg serve.Config, config *node, operation string) (serve.Config, *rpcError) {
	e := editor{v: v, cfg: cfg}
	if operation == "replace" {
		clear(e.cfg)
		operation = "merge"
	}
	for _, k := range config.kids {
		if err := e.walk(k, nil, nsOf(nil, k.name), operation); err != nil {
			return nil, err
		}
	}
	return e.cfg, nil
}

type editor struct {
	v   serve.View
	cfg serve.Config
}

func nsOf(p serve.Path, name string) string {
	for i := len(p); i >= 0; i-- {
		at := name
		if i < len(p) {
			at = p[i].Name
		}
		if s := spaces[at]; s != "" {
			return s
		}
	}
	return ""
}

func (e *editor) walk(n *node, up serve.Path, space, operation string) *rpcError {
	p := append(up[:len(up):len(up)], serve.Elem{Name: n.name})
	if key := lists[n.name]; key != "" && len(up) > 0 {
		id := n.kid(key)
		if id == nil || id.text == "" {
			return &rpcError{kind: "protocol", tag: "missing-element", path: p.String(), text: "the key of a list entry is missing", info: []*node{leaf("bad-element", key)}}
		}
		p[len(p)-1].Key, p[len(p)-1].Value = key, id.text
	}
	if space == "" || !known(p) {
		return &rpcError{kind: "application", tag: "unknown-element", path: p.String(), text: "no such configuration", info: []*node{leaf("bad-element", n.name)}}
	}
	if n.space != "" && n.space != space {
		return &rpcError{kind: "application", tag: "unknown-namespace", path: p.String(), text: "namespace " + n.space + " does not belong here", info: []*node{leaf("bad-element", n.name), leaf("bad-namespace", n.space)}}
	}
	op, stated := n.attr(nsBase, "operation")
	if !stated {
		op = operation
	}
	switch op {
	case "merge", "replace", "create", "delete", "remove", "none":
	default:
		return &rpcError{kind: "protocol", tag: "bad-attribute", path: p.String(), text: "operation " + op, info: []*node{leaf("bad-attribute", "operation"), leaf("bad-element", n.name)}}
	}
	if id := entry(p); id != "" {
		if _, ok := e.v.Network().Resource(id); !ok {
			return wrong("invalid-value", p.String(), "no resource %q", id)
		}
	}
	if s, spec, ok := e.setting(p); ok {
		return e.leaf(n, p, s, spec, op)
	}
	if len(n.kids) == 0 && n.text != "" {
		return &rpcError{kind: "application", tag: "unknown-element", path: p.String(), text: "no such leaf of the configuration", info: []*node{leaf("bad-element", n.name)}}
	}
	below := e.below(p)
	if stated {
		switch {
		case op == "delete" && len(below) == 0:
			return wrong("data-missing", p.String(), "nothing is set here")
		case op == "create" && len(below) > 0:
			return wrong("data-exists", p.String(), "something is set here")
		}
		if op == "delete" || op == "remove" || op == "replace" {
			for _, s := range below {
				delete(e.cfg, s)
			}
		}
		switch op {
		case "delete", "remove":
			return nil
		case "replace", "create":
			op = "merge" // what is below is new
		}
	}
	for _, k := range n.kids {
		if len(k.kids) == 0 && repeatsKey(p, k) {
			continue
		}
		if err := e.walk(k, p, nsOf(p, k.name), op); err != nil {
			return err
		}
	}
	return nil
}

// known reports whether the path can lead to configuration.
func known(p serve.Path) bool {
	if !serve.Rooted(p) || p[0].Name == "system" {
		return false
	}
	switch last := p[len(p)-1].Name; {
	case len(p) < 3 || p[len(p)-2].Name == "config": // leaves are checked as settings
		return true
	default:
		return slices.Contains([]string{"config", "transceiver", "physical-channels", "channel", "optical-channel"}, last)
	}
}

// entry is the resource that a path is about, empty above it.
func entry(p serve.Path) string {
	if len(p) > 1 {
		return p[1].Value
	}
	return ""
}

// repeatsKey reports whether a leaf is the key of an entry, or repeats it in config.
func repeatsKey(p serve.Path, k *node) bool {
	last := p[len(p)-1]
	if last.Name == "config" && len(p) > 1 {
		last = p[len(p)-2]
	}
	return last.Key == k.name && last.Value == k.text
}

// setting finds the setting that a path means.
func (e *editor) setting(p serve.Path) (serve.Setting, hwsim.CommandSpec, bool) {
	r, ok := e.v.Network().Resource(entry(p))
	if !ok {
		return serve.Setting{}, hwsim.CommandSpec{}, false
	}
	for _, spec := range hwsim.Commands() {
		s := serve.Setting{Resource: r.ID, Kind: spec.Kind}
		if spec.Type != "action" && spec.Fits(r) && slices.Equal(serve.SettingPath(s, r.Kind), p) {
			return s, spec, true
		}
	}
	return serve.Setting{}, hwsim.CommandSpec{}, false
}

// below lists what is set at or below a path.
func (e *editor) below(p serve.Path) []serve.Setting {
	var out []serve.Setting
	for s := range e.cfg {
		if r, _ := e.v.Network().Resource(s.Resource); serve.Match(p, serve.SettingPath(s, r.Kind)) {
			out = append(out, s)
		}
	}
	return out
}

func (e *editor) leaf(n *node, p serve.Path, s serve.Setting, spec hwsim.CommandSpec, op string) *rpcError {
	_, set := e.cfg[s]
	switch op {
	case "none":
		return nil
	case "delete":
		if !set {
			return wrong("data-missing", p.String(), "nothing is set here")
		}
		delete(e.cfg, s)
		return nil
	case "remove":
		delete(e.cfg, s)
		return nil
	case "create":
		if set {
			return wrong("data-exists", p.String(), "something is set here")
		}
	}
	value, err := spec.Check(strings.TrimSpace(n.text))
	if err != nil {
		return wrong("invalid-value", p.String(), "%v", err)
	}
	e.cfg[s] = value
	return nil
}
