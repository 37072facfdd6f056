package gnmi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/value"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"faultline/hwsim/serve"
)

// Get reads the tree at one moment. With PROTO an update holds a leaf; with JSON it
// holds all that is below one node that the path means.
func (s *Server) Get(_ context.Context, req *gpb.GetRequest) (*gpb.GetResponse, error) {
	if err := supported(req.GetEncoding(), req.GetUseModels()); err != nil {
		return nil, err
	}
	paths := req.GetPath()
	if len(paths) == 0 {
		paths = []*gpb.Path{{}}
	}
	out := &gpb.GetResponse{}
	var err error
	s.g.Look(func(v serve.View) {
		for _, p := range paths {
			var q serve.Query
			if q, err = s.query(req.GetPrefix(), p); err != nil {
				return
			}
			var leaves []serve.Leaf
			for l := range v.Leaves(q) {
				if keeps(req.GetType(), l) {
					leaves = append(leaves, l)
				}
			}
			if len(leaves) == 0 {
				if err = missing(v, q); err != nil {
					return
				}
			}
			n := &gpb.Notification{Timestamp: v.Epoch(), Prefix: answering(req.GetPrefix())}
			if n.Update, err = updates(leaves, q.Pattern, req.GetEncoding()); err != nil {
				return
			}
			out.Notification = append(out.Notification, n)
		}
	})
	if err != nil {
		return nil, fail(err)
	}
	return out, nil
}

func keeps(t gpb.GetRequest_DataType, l serve.Leaf) bool {
	switch t {
	case gpb.GetRequest_CONFIG:
		return l.Config()
	case gpb.GetRequest_STATE:
		return !l.Config()
	case gpb.GetRequest_OPERATIONAL: // state that does not merely repeat configuration
		return !l.Config() && l.Path[len(l.Path)-1].Name != "admin-status"
	}
	return true
}

// missing says why a path has no leaves of the type: it leads nowhere, or the
// element that would answer is silent. A list without entries is no error.
func missing(v serve.View, q serve.Query) error {
	for range v.Leaves(q) {
		return nil // of another type
	}
	exact := len(q.Pattern) > 1 && !slices.ContainsFunc(q.Pattern, func(e serve.Elem) bool { return e.Name == "..." || e.Name == "*" || e.Value == "*" })
	if exact {
		if id := q.Pattern[1].Value; id != "" && !v.Reachable(id) {
			if _, ok := v.Network().Resource(id); ok {
				return fmt.Errorf("get %s: %w", q.Pattern, serve.ErrUnreachable)
			}
		}
	}
	keyed := slices.ContainsFunc(q.Pattern, func(e serve.Elem) bool { return e.Key != "" })
	if !serve.Rooted(q.Pattern) || exact && keyed {
		return fmt.Errorf("get %s: %w", q.Pattern, serve.ErrUnknownPath)
	}
	return nil
}

// updates groups leaves by the node that a pattern means and encodes them. A pattern
// with "..." means leaves.
func updates(leaves []serve.Leaf, pattern serve.Path, enc gpb.Encoding) ([]*gpb.Update, error) {
	var out []*gpb.Update
	single := enc == gpb.Encoding_PROTO || slices.ContainsFunc(pattern, func(e serve.Elem) bool { return e.Name == "..." })
	for i := 0; i < len(leaves); {
		n := len(pattern)
		if single {
			n = len(leaves[i].Path)
		}
		j := i + 1
		for j < len(leaves) && !single && slices.Equal(leaves[j].Path[:n], leaves[i].Path[:n]) {
			j++
		}
		var v *gpb.TypedValue
		var err error
		if n == len(leaves[i].Path) {
			v, err = encode(leaves[i].Value, enc)
		} else {
			v, err = subtree(leaves[i:j], n, enc)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, &gpb.Update{Path: wire(leaves[i].Path[:n]), Val: v})
		i = j
	}
	return out, nil
}

// encode gives a leaf's value.
func encode(x any, enc gpb.Encoding) (*gpb.TypedValue, error) {
	if enc == gpb.Encoding_PROTO {
		v, err := value.FromScalar(x)
		if err != nil {
			return nil, fmt.Errorf("encode %v: %w", x, err)
		}
		return v, nil
	}
	return asJSON(plain(x, enc), enc)
}

// plain is a value as JSON has it; RFC 7951 writes 64-bit and decimal numbers as
// strings.
func plain(x any, enc gpb.Encoding) any {
	if enc == gpb.Encoding_JSON_IETF {
		switch n := x.(type) {
		case uint64, int64:
			return fmt.Sprint(n)
		case float64:
			return strconv.FormatFloat(n, 'f', -1, 64)
		}
	}
	return x
}

func asJSON(x any, enc gpb.Encoding) (*gpb.TypedValue, error) {
	b, err := json.Marshal(x)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if enc == gpb.Encoding_JSON_IETF {
		return &gpb.TypedValue{Value: &gpb.TypedValue_JsonIetfVal{JsonIetfVal: b}}, nil
	}
	return &gpb.TypedValue{Value: &gpb.TypedValue_JsonVal{JsonVal: b}}, nil
}

// modules says where another YANG module begins.
var modules = map[string]string{
	"interfaces": "openconfig-interfaces", "components": "openconfig-platform", "transceiver": "openconfig-platform-transceiver",
	"optical-channel": "openconfig-terminal-device", "system": "openconfig-system", "plant": "faultline-plant",
}

// subtree builds the JSON of the leaves below their first n steps. With RFC 7951 the
// outermost names, and those of another module than their parent's, are qualified.
func subtree(leaves []serve.Leaf, n int, enc gpb.Encoding) (*gpb.TypedValue, error) {
	root := map[string]any{}
	for _, l := range leaves {
		at, module := root, ""
		for i, e := range l.Path {
			m, begins := modules[e.Name]
			if begins {
				module = m
			}
			if i < n {
				continue
			}
			name := e.Name
			if enc == gpb.Encoding_JSON_IETF && (i == n || begins) {
				name = module + ":" + name
			}
			switch {
			case i == len(l.Path)-1:
				at[name] = plain(l.Value, enc)
			case e.Key == "":
				if at[name] == nil {
					at[name] = map[string]any{}
				}
				at = at[name].(map[string]any)
			default:
				list, _ := at[name].([]any)
				if len(list) == 0 || list[len(list)-1].(map[string]any)[e.Key] != e.Value { // leaves of an entry follow each other
					list = append(list, map[string]any{e.Key: e.Value})
					at[name] = list
				}
				at = list[len(list)-1].(map[string]any)
			}
		}
	}
	return asJSON(root, enc)
}

// Set changes the configuration: deletions, then replacements, then updates, all or
// nothing.
func (s *Server) Set(_ context.Context, req *gpb.SetRequest) (*gpb.SetResponse, error) {
	if len(req.GetUnionReplace()) > 0 {
		return nil, status.Error(codes.Unimplemented, "union_replace is not supported")
	}
	out := &gpb.SetResponse{Prefix: answering(req.GetPrefix())}
	var edits []serve.Edit
	note := func(op gpb.UpdateResult_Operation, p *gpb.Path, v *gpb.TypedValue) error {
		q, err := s.query(req.GetPrefix(), p)
		if err != nil {
			return err
		}
		if op != gpb.UpdateResult_UPDATE && !isLeaf(v) {
			edits = append(edits, serve.Edit{Path: q.Pattern, Delete: true})
		}
		if op != gpb.UpdateResult_DELETE {
			more, err := flatten(q.Pattern, v)
			if err != nil {
				return err
			}
			edits = append(edits, more...)
		}
		out.Response = append(out.Response, &gpb.UpdateResult{Path: p, Op: op})
		return nil
	}
	for _, p := range req.GetDelete() {
		if err := note(gpb.UpdateResult_DELETE, p, nil); err != nil {
			return nil, fail(err)
		}
	}
	for _, u := range req.GetReplace() {
		if err := note(gpb.UpdateResult_REPLACE, u.GetPath(), u.GetVal()); err != nil {
			return nil, fail(err)
		}
	}
	for _, u := range req.GetUpdate() {
		if err := note(gpb.UpdateResult_UPDATE, u.GetPath(), u.GetVal()); err != nil {
			return nil, fail(err)
		}
	}
	agent := req.GetPrefix().GetTarget()
	var err error
	s.g.Look(func(v serve.View) {
		var changes []serve.Change
		if changes, err = v.Changes(edits...); err != nil {
			return
		}
		if agent != "" && agent != s.o.Name && agent != "*" {
			for _, c := range changes {
				if v.Agent(c.Resource) != agent {
					err = fmt.Errorf("set %s: target %s does not speak for it: %w", c.Resource, agent, serve.ErrUnknownPath)
					return
				}
			}
		}
		err = v.Change("gnmi", changes...)
		out.Timestamp = v.Epoch()
	})
	if err != nil {
		return nil, fail(err)
	}
	return out, nil
}

// isLeaf reports whether a value is that of one leaf.
func isLeaf(v *gpb.TypedValue) bool {
	raw := v.GetJsonVal()
	if raw == nil {
		raw = v.GetJsonIetfVal()
	}
	return v != nil && (raw == nil || len(raw) > 0 && raw[0] != '{' && raw[0] != '[')
}

// flatten turns a value into edits of leaves.
func flatten(p serve.Path, v *gpb.TypedValue) ([]serve.Edit, error) {
	raw := v.GetJsonVal()
	if raw == nil {
		raw = v.GetJsonIetfVal()
	}
	if raw == nil {
		x, err := value.ToScalar(v)
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "value of %s: %v", p, err)
		}
		if f, ok := x.(float32); ok {
			x = strconv.FormatFloat(float64(f), 'f', -1, 32) // as it was meant, not as 64 bits have it
		}
		return []serve.Edit{{Path: p, Value: x}}, nil
	}
	var x any
	if err := json.Unmarshal(raw, &x); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "value of %s: %v", p, err)
	}
	var out []serve.Edit
	err := spread(p, x, &out)
	return out, err
}
