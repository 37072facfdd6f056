package serve

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"faultline/hwsim"
)

// Elem is one step of a path: a node, and the key of a list entry. All lists here
// have one key.
type Elem struct{ Name, Key, Value string }

// Path leads from the root to a node. In a pattern the name "*" stands for any node,
// "..." for any number of nodes, and the key value "*" or an entry without a key for
// all entries.
type Path []Elem

// String is the path in the notation of gNMI, for example
// /interfaces/interface[name=P1]/config/enabled.
func (p Path) String() string {
	var b strings.Builder
	for _, e := range p {
		b.WriteString("/" + e.Name)
		if e.Key != "" {
			b.WriteString("[" + e.Key + "=" + e.Value + "]")
		}
	}
	return cmp.Or(b.String(), "/")
}

// Leaf is a value of the tree.
type Leaf struct {
	Path    Path
	Value   any     // bool, int64, uint64, float64 or string
	Setting Setting // of a leaf that can be written; else zero
	Set     bool    // someone or the inventory has set it
}

// Config reports whether the leaf is configuration.
func (l Leaf) Config() bool { return l.Setting.Kind != "" }

// Query chooses leaves.
type Query struct {
	Pattern Path
	Agent   string // only resources that this element speaks for; empty for all
}

// path reads "interfaces interface[name=X] state" with the names given.
func path(text, id string) Path {
	var p Path
	for _, s := range strings.Fields(text) {
		name, key, _ := strings.Cut(strings.TrimSuffix(s, "]"), "[")
		k, v, listed := strings.Cut(key, "=")
		if listed && v == "" {
			v = id
		}
		p = append(p, Elem{name, k, v})
	}
	return p
}

// Roots of the tree. The first two and the alarms follow OpenConfig; plant is ours.
const (
	components = "components component[name=]"
	interfaces = "interfaces interface[name=]"
	plantRoot  = "plant resource[id=]"
	system     = "system alarms alarm[id=]"
)

// SettingPath is where a setting stands in the tree.
func SettingPath(s Setting, kind string) Path {
	switch {
	case s.Kind == "enabled" && kind == "Port":
		return path(interfaces+" config enabled", s.Resource)
	case s.Kind == "laser" && kind == "OpticalModule":
		return path(components+" transceiver physical-channels channel[index=0] config tx-laser", s.Resource)
	case s.Kind == "power":
		return path(components+" optical-channel config target-output-power", s.Resource)
	}
	return path(plantRoot+" config "+s.Kind, s.Resource)
}

// roots gives the parts of the tree in which a resource of a kind has leaves.
var roots = []struct {
	head  string
	has   func(hwsim.Resource) bool
	emits func(View, hwsim.Resource, func(sub string, value any))
}{
	{components, isComponent, (View).component},
	{interfaces, func(r hwsim.Resource) bool { return r.Kind == "Port" }, (View).port},
	{plantRoot, func(hwsim.Resource) bool { return true }, (View).any},
}

func isComponent(r hwsim.Resource) bool {
	switch r.Kind {
	case "OpticalModule", "Board", "NE", "FanTray", "RRU":
		return true
	}
	return r.Kind == "Port" && (r.Role == "otn-line" || r.Role == "transponder")
}

// Leaves are the leaves that a query chooses: by root, then resource, in the order
// of their places in the tree. State of an element that cannot be reached is absent.
func (v View) Leaves(q Query) iter.Seq[Leaf] {
	return func(yield func(Leaf) bool) {
		for _, root := range roots {
			head := path(root.head, "*")
			if !compatible(q.Pattern, head) {
				continue
			}
			for _, r := range v.candidates(q, head[1]) {
				if !root.has(r) || q.Agent != "" && v.Agent(r.ID) != q.Agent {
					continue
				}
				for _, l := range v.resource(root.head, root.emits, r) {
					if Match(q.Pattern, l.Path) && !yield(l) {
						return
					}
				}
			}
		}
		if compatible(q.Pattern, path(system, "*")) {
			for _, a := range v.Alarms() {
				if a.Cleared || q.Agent != "" && a.Element != q.Agent {
					continue
				}
				for _, l := range alarmLeaves(a) {
					if Match(q.Pattern, l.Path) && !yield(l) {
						return
					}
				}
			}
		}
	}
}

// candidates are the resources that a pattern can mean: one when it names its key.
func (v View) candidates(q Query, entry Elem) []hwsim.Resource {
	if len(q.Pattern) > 1 && q.Pattern[0].Name != "..." && q.Pattern[1].Name == entry.Name && q.Pattern[1].Key == entry.Key && q.Pattern[1].Value != "*" {
		if r, ok := v.Network().Resource(q.Pattern[1].Value); ok {
			return []hwsim.Resource{r}
		}
		return nil
	}
	return v.Network().Resources()
}

// resource gives the leaves of one resource below one root.
func (v View) resource(head string, emits func(View, hwsim.Resource, func(string, any)), r hwsim.Resource) []Leaf {
	var out []Leaf
	base := path(head, r.ID)
	for _, s := range hwsim.Commands() {
		if s.Type == "action" || !s.Fits(r) {
			continue
		}
		if p := SettingPath(Setting{r.ID, s.Kind}, r.Kind); p[0] == base[0] {
			value, set := v.Setting(Setting{r.ID, s.Kind})
			out = append(out, Leaf{p, typed(s, value), Setting{r.ID, s.Kind}, set})
		}
	}
	if v.Reachable(r.ID) {
		emits(v, r, func(sub string, value any) {
			out = append(out, Leaf{Path: append(slices.Clone(base), path(sub, "")...), Value: value})
		})
	}
	return out
}

func upDown(up bool) string {
	if up {
		return "UP"
	}
	return "DOWN"
}

// port is openconfig-interfaces.
func (v View) port(r hwsim.Resource, leaf func(string, any)) {
	enabled, _ := v.Setting(Setting{r.ID, "enabled"})
	leaf("state name", r.ID)
	leaf("state description", r.Name)
	leaf("state admin-status", upDown(enabled == "true"))
	leaf("state oper-status", upDown(v.Up(r.ID)))
	in, out := v.Octets(r.ID)
	leaf("state counters in-octets", in)
	leaf("state counters out-octets", out)
}

// component is openconfig-platform with its transceivers and optical channels.
func (v View) component(r hwsim.Resource, leaf func(string, any)) {
	leaf("state name", r.ID)
	leaf("state type", map[string]string{"OpticalModule": "TRANSCEIVER", "Board": "LINECARD", "NE": "CHASSIS", "FanTray": "FAN", "RRU": "LINECARD", "Port": "OPTICAL_CHANNEL"}[r.Kind])
	leaf("state oper-status", map[bool]string{true: "ACTIVE", false: "INACTIVE"}[v.Up(r.ID)])
	channel := "transceiver physical-channels channel[index=0] state "
	if r.Kind == "Port" {
		channel = "optical-channel state "
	}
	for _, m := range v.Readings(r.ID) {
		switch m.Name {
		case "temperature":
			leaf("state temperature instant", m.Value)
		case "input-power", "output-power", "laser-bias-current":
			leaf(channel+m.Name+" instant", m.Value)
		}
	}
}

// any is our own model: what every resource has.
func (v View) any(r hwsim.Resource, leaf func(string, any)) {
	leaf("state kind", r.Kind)
	if r.Role != "" {
		leaf("state role", r.Role)
	}
	leaf("state name", r.Name)
	leaf("state agent", v.Agent(r.ID))
	leaf("state oper-status", upDown(v.Up(r.ID)))
	for _, m := range v.Readings(r.ID) {
		leaf("state "+m.Name, m.Value)
	}
	if m, ok := v.OTDR(r.ID); ok {
		leaf("otdr state time", uint64(m.Time.UnixNano()))
		for i, e := range m.Events {
			at := "otdr event[index=" + strconv.Itoa(i+1) + "] state "
			leaf(at+"section", e.Section)
			leaf(at+"distance", e.DistanceM)
			leaf(at+"loss", e.LossDB)
			leaf(at+"end", e.End)
		}
	}
}

// alarmLeaves is openconfig-alarms. type-id is the plant's own name of the alarm.
func alarmLeaves(a Alarm) []Leaf {
	id := strconv.FormatUint(uint64(a.ID), 10)
	var out []Leaf
	for _, f := range []struct {
		name  string
		value any
	}{
		{"id", id}, {"resource", a.Object}, {"text", a.Text}, {"time-created", uint64(a.Raised.UnixNano())},
		{"severity", strings.ToUpper(a.Severity)}, {"type-id", a.Type},
	} {
		out = append(out, Leaf{Path: path(system+" state "+f.name, id), Value: f.value})
	}
	return out
}

// Match reports whether a pattern means a leaf or a node above it.
func Match(pattern, p Path) bool {
	if len(pattern) == 0 {
		return true
	}
	if pattern[0].Name == "..." {
		for i := range len(p) + 1 {
			if Match(pattern[1:], p[i:]) {
				return true
			}
		}
		return false
	}
	return len(p) > 0 && same(pattern[0], p[0]) && Match(pattern[1:], p[1:])
}

func same(pattern, e Elem) bool {
	if pattern.Name != "*" && pattern.Name != e.Name {
		return false
	}
	return pattern.Key == "" || pattern.Key == e.Key && (pattern.Value == "*" || pattern.Value == e.Value)
}

// compatible reports whether a pattern can mean something at or below a head whose
// keys are open.
func compatible(pattern, head Path) bool {
	for i, e := range head {
		if i == len(pattern) || pattern[i].Name == "..." {
			return true
		}
		if pattern[i].Name != "*" && pattern[i].Name != e.Name || pattern[i].Key != "" && pattern[i].Key != e.Key {
			return false
		}
	}
	return true
}

// Rooted reports whether a pattern begins in the tree.
func Rooted(pattern Path) bool {
	for _, r := range roots {
		if compatible(pattern, path(r.head, "*")) {
			return true
		}
	}
	return compatible(pattern, path(system, "*"))
}

// Edit is one operation on the tree.
type Edit struct {
	Path   Path
	Value  any  // of a leaf: bool, a number, or string
	Delete bool // everything at and below the path goes back to rest
}

// Changes turns edits into changes of the configuration. A path that is no leaf of
// the configuration, for a deletion one that has none below it, is ErrUnknownPath.
// Actions are written at /plant/resource[id=X]/action/restart and .../otdr.
func (v View) Changes(edits ...Edit) ([]Change, error) {
	var out []Change
	for _, e := range edits {
		if n := len(e.Path); n == 4 && e.Path[2].Name == "action" && Match(path(plantRoot+" action", "*"), e.Path) && !e.Delete {
			out = append(out, Change{Setting: Setting{e.Path[1].Value, e.Path[3].Name}})
			continue
		}
		found := false
		for l := range v.Leaves(Query{Pattern: e.Path}) {
			if !l.Config() {
				continue
			}
			found = true
			if e.Delete {
				out = append(out, Change{Setting: l.Setting, Delete: true})
				continue
			}
			if len(l.Path) != len(e.Path) {
				return nil, fmt.Errorf("%s: a value for a node that is no leaf: %w", e.Path, ErrUnknownPath)
			}
			out = append(out, Change{Setting: l.Setting, Value: fmt.Sprint(e.Value)})
		}
		if !found {
			return nil, fmt.Errorf("%s: %w", e.Path, ErrUnknownPath)
		}
	}
	return out, nil
}

// Epoch is when a view was taken, in ns of the Unix epoch, as telemetry stamps it.
func (v View) Epoch() int64 { return v.Now().UnixNano() }
