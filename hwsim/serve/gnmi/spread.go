package gnmi

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"faultline/hwsim/serve"
)

// keys are the keys of the lists.
var keys = []string{"name", "id", "index"}

// spread walks a JSON value down to its leaves, in the order of the names. Entries of
// lists name themselves by their key; a key that is repeated as a leaf is left out.
func spread(p serve.Path, x any, out *[]serve.Edit) error {
	switch v := x.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			bare := name
			if _, after, ok := strings.Cut(name, ":"); ok {
				bare = after
			}
			if isKey(p, bare, v[name]) {
				continue
			}
			if err := spread(append(p[:len(p):len(p)], serve.Elem{Name: bare}), v[name], out); err != nil {
				return err
			}
		}
		return nil
	case []any:
		for i, entry := range v {
			m, ok := entry.(map[string]any)
			if !ok || len(p) == 0 {
				return status.Errorf(codes.InvalidArgument, "value of %s: entry %d is no object", p, i)
			}
			at := append(p[:len(p)-1:len(p)-1], serve.Elem{Name: p[len(p)-1].Name})
			for _, k := range keys {
				if id, ok := m[k]; ok {
					at[len(at)-1].Key, at[len(at)-1].Value = k, scalar(id)
					break
				}
			}
			if at[len(at)-1].Key == "" {
				return status.Errorf(codes.InvalidArgument, "value of %s: entry %d has no key", p, i)
			}
			if err := spread(at, m, out); err != nil {
				return err
			}
		}
		return nil
	}
	*out = append(*out, serve.Edit{Path: p, Value: scalar(x)})
	return nil
}

// isKey reports whether a leaf repeats the key of the entry that it stands in.
func isKey(p serve.Path, name string, x any) bool {
	for i := len(p) - 1; i >= 0 && i >= len(p)-2; i-- {
		if p[i].Key == name {
			return scalar(x) == p[i].Value
		}
	}
	return false
}

// scalar is a JSON value as the commands spell it.
func scalar(x any) string {
	switch v := x.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return "null"
}
