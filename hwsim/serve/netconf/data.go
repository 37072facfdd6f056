package netconf

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"faultline/hwsim/serve"
)

// Namespaces of what is spoken.
const (
	nsBase    = "urn:ietf:params:xml:ns:netconf:base:1.0"
	nsNotify  = "urn:ietf:params:xml:ns:netconf:notification:1.0"
	nsStreams = "urn:ietf:params:xml:ns:netmod:notification"
	nsAlarms  = "urn:ietf:params:xml:ns:yang:ietf-alarms"
	nsORAN    = "urn:o-ran:fm:1.0"
	nsPlant   = "urn:faultline:plant"
)

// spaces says where another namespace begins in the Gateway's tree.
var spaces = map[string]string{
	"interfaces": "http://openconfig.net/yang/interfaces", "components": "http://openconfig.net/yang/platform",
	"transceiver": "http://openconfig.net/yang/platform/transceiver", "optical-channel": "http://openconfig.net/yang/terminal-device",
	"system": "http://openconfig.net/yang/system", "plant": nsPlant,
}

// lists are the keys of the lists.
var lists = map[string]string{"interface": "name", "component": "name", "channel": "index", "resource": "id", "alarm": "id", "event": "index"}

// tree turns leaves, in their order, into elements.
func tree(leaves []serve.Leaf) []*node {
	root := el("data")
	for _, l := range leaves {
		at := root
		for i, e := range l.Path {
			var next *node
			if n := len(at.kids); n > 0 {
				if last := at.kids[n-1]; last.name == e.Name && (e.Key == "" || last.kid(e.Key).text == e.Value) {
					next = last
				}
			}
			if next == nil && e.Key == "" { // containers may come back after others
				next = at.kid(e.Name)
			}
			if next == nil {
				next = el(e.Name)
				if next.space = spaces[e.Name]; next.space == "" {
					next.space = at.space
				}
				if e.Key != "" {
					next.kids = append(next.kids, &node{space: next.space, name: e.Key, text: e.Value})
				}
				at.kids = append(at.kids, next)
			}
			at = next
			if i == len(l.Path)-1 {
				at.text = text(l.Value)
			}
		}
	}
	return root.kids
}

func text(x any) string {
	if f, ok := x.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprint(x)
}

// configuration gives what was set as elements, by root and resource.
func configuration(v serve.View, cfg serve.Config) []*node {
	var leaves []serve.Leaf
	for _, s := range slices.SortedFunc(maps.Keys(cfg), serve.Setting.Compare) {
		r, _ := v.Network().Resource(s.Resource)
		leaves = append(leaves, serve.Leaf{Path: serve.SettingPath(s, r.Kind), Value: cfg[s]})
	}
	slices.SortStableFunc(leaves, func(a, b serve.Leaf) int { return strings.Compare(a.Path[0].Name, b.Path[0].Name) })
	return tree(leaves)
}

// patterns narrows a reading to what subtree filters can choose: the roots they
// name, and one entry where they give its key.
func patterns(filters []*node) []serve.Path {
	if filters == nil {
		return []serve.Path{nil}
	}
	var out []serve.Path
	for _, f := range filters {
		if spaces[f.name] == "" {
			continue
		}
		p := serve.Path{{Name: f.name}}
		if len(f.kids) == 1 {
			if key := lists[f.kids[0].name]; key != "" && f.kids[0].kid(key) != nil && f.kids[0].kid(key).text != "" {
				p = append(p, serve.Elem{Name: f.kids[0].name, Key: key, Value: f.kids[0].kid(key).text})
			}
		}
		if !slices.ContainsFunc(out, func(o serve.Path) bool { return slices.Equal(o, p) }) {
			out = append(out, p)
		}
	}
	return out
}

// everything is configuration that was set and state, as far as the filters want it.
func everything(v serve.View, filters []*node) []*node {
	var leaves []serve.Leaf
	seen := map[string]bool{}
	for _, p := range patterns(filters) {
		for l := range v.Leaves(serve.Query{Pattern: p}) {
			if key := l.Path.String(); (!l.Config() || l.Set) && !seen[key] {
				seen[key] = true
				leaves = append(leaves, l)
			}
		}
	}
	data := tree(leaves)
	wants := func(name string) bool {
		return filters == nil || slices.ContainsFunc(filters, func(f *node) bool { return f.name == name })
	}
	if wants("alarms") {
		data = append(data, alarmList(v))
	}
	if wants("active-alarm-list") {
		data = append(data, oranList(v))
	}
	if wants("netconf") {
		data = append(data, streams())
	}
	return data
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// alarmList is ietf-alarms (RFC 8632): the alarm list with the history of each alarm,
// newest first.
func alarmList(v serve.View) *node {
	list := el("alarm-list")
	var last time.Time
	alarms := v.Alarms()
	for _, a := range alarms {
		if a.Changed.After(last) {
			last = a.Changed
		}
	}
	list.kids = append(list.kids, leaf("number-of-alarms", strconv.Itoa(len(alarms))))
	if len(alarms) > 0 {
		list.kids = append(list.kids, leaf("last-changed", stamp(last)))
	}
	for _, a := range alarms {
		n := el("alarm", leaf("resource", a.Object), leaf("alarm-type-id", a.Type), leaf("alarm-type-qualifier", a.Qualifier),
			leaf("time-created", stamp(a.Created)), leaf("is-cleared", strconv.FormatBool(a.Cleared)), leaf("last-raised", stamp(a.Raised)), leaf("last-changed", stamp(a.Changed)),
			leaf("perceived-severity", a.Severity), leaf("alarm-text", a.Text))
		for _, h := range slices.Backward(a.History) {
			n.kids = append(n.kids, el("status-change", leaf("time", stamp(h.Time)), leaf("perceived-severity", h.Severity), leaf("alarm-text", h.Text)))
		}
		list.kids = append(list.kids, n)
	}
	return el("alarms", list).in(nsAlarms)
}

// alarmNotification is the notification of RFC 8632.
func alarmNotification(e serve.Event) *node {
	n := e.Notification
	return el("alarm-notification", leaf("resource", n.Object), leaf("alarm-type-id", n.Alarm), leaf("alarm-type-qualifier", n.Qualifier),
		leaf("time", stamp(n.Time)), leaf("perceived-severity", n.Severity), leaf("alarm-text", n.Text)).in(nsAlarms)
}

// oran is an alarm in the words of o-ran-fm. Fault ids there have 16 bits.
func oran(name string, a serve.Alarm, cleared bool) *node {
	return el(name, leaf("fault-id", strconv.Itoa(int(a.ID%65536))), leaf("fault-source", a.Object), el("affected-objects", leaf("name", a.Object)),
		leaf("fault-severity", strings.ToUpper(a.Severity)), leaf("is-cleared", strconv.FormatBool(cleared)), leaf("fault-text", a.Text), leaf("event-time", stamp(a.Changed)), leaf("specific-problem", a.Type))
}

func oranList(v serve.View) *node {
	list := el("active-alarm-list")
	for _, a := range v.Alarms() {
		if !a.Cleared {
			list.kids = append(list.kids, oran("active-alarms", a, false))
		}
	}
	return list.in(nsORAN)
}

// The streams of create-subscription and what they carry.
var carried = []struct {
	name, text string
	make       func(serve.Event) *node
}{
	{"NETCONF", "ietf-alarms", alarmNotification},
	{"o-ran-fm", "o-ran-fm", func(e serve.Event) *node { return oran("alarm-notif", e.Alarm, e.Alarm.Cleared).in(nsORAN) }},
}

func streams() *node {
	list := el("streams")
	for _, s := range carried {
		list.kids = append(list.kids, el("stream", leaf("name", s.name), leaf("description", s.text), leaf("replaySupport", "false")))
	}
	return el("netconf", list).in(nsStreams)
}
