// Package hwsim is the simulated plant: a network of elements with hidden
// parameters, whose alarms come from changes of its state. It is a world of its
// own: it imports nothing of Faultline, knows no causal edge and no reasoner, and
// names alarms and ways of breaking in its own words. What it says to the outside
// are notifications, as an element manager would send them.
package hwsim

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Resource is one thing in the network. Kind and Role use the names of the resource
// model that inventory systems exchange ("Port" of role "fronthaul").
type Resource struct {
	ID     string
	Kind   string
	Role   string
	Name   string
	Domain string            // power_env, wireless, transport, home_broadband, ip, cloud, core
	Attrs  map[string]string // what an inventory would know: coordinates, vendor, length_m, users, capacity
}

// Relation connects two resources, in the direction that the resource model gives.
type Relation struct{ From, Type, To string }

// Network is what stands in the field: resources and how they are connected. It is
// immutable after NewNetwork and safe for concurrent use.
type Network struct {
	resources []Resource
	relations []Relation
	index     map[string]int
	out, in   map[string][]Relation
}

// NewNetwork indexes resources and relations. It refuses two resources of one id and
// a relation whose ends are missing.
func NewNetwork(resources []Resource, relations []Relation) (*Network, error) {
	n := &Network{
		resources: slices.Clone(resources), relations: slices.Clone(relations),
		index: make(map[string]int, len(resources)), out: map[string][]Relation{}, in: map[string][]Relation{},
	}
	slices.SortFunc(n.resources, func(a, b Resource) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(n.relations, func(a, b Relation) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Type, b.Type), cmp.Compare(a.To, b.To))
	})
	n.relations = slices.Compact(n.relations)
	for i, r := range n.resources {
		if r.ID == "" || r.Kind == "" {
			return nil, fmt.Errorf("build network: resource %q of kind %q: id and kind are required", r.ID, r.Kind)
		}
		if _, dup := n.index[r.ID]; dup {
			return nil, fmt.Errorf("build network: two resources named %q", r.ID)
		}
		n.index[r.ID] = i
	}
	for _, r := range n.relations {
		for _, end := range []string{r.From, r.To} {
			if _, ok := n.index[end]; !ok {
				return nil, fmt.Errorf("build network: %s -%s-> %s: no resource %q", r.From, r.Type, r.To, end)
			}
		}
		n.out[r.From] = append(n.out[r.From], r)
		n.in[r.To] = append(n.in[r.To], r)
	}
	return n, nil
}

// Resources returns all resources by id. The caller must not change the slice.
func (n *Network) Resources() []Resource { return n.resources }

// Relations returns all relations by (from, type, to). The caller must not change
// the slice.
func (n *Network) Relations() []Relation { return n.relations }

// Resource returns one resource.
func (n *Network) Resource(id string) (Resource, bool) {
	i, ok := n.index[id]
	if !ok {
		return Resource{}, false
	}
	return n.resources[i], true
}

// Out returns the far ends of the relations of a type that leave a resource, in order.
func (n *Network) Out(id, relation string) []string {
	var far []string
	for _, r := range n.out[id] {
		if r.Type == relation {
			far = append(far, r.To)
		}
	}
	return far
}

// In returns the near ends of the relations of a type that enter a resource, in order.
func (n *Network) In(id, relation string) []string {
	var near []string
	for _, r := range n.in[id] {
		if r.Type == relation {
			near = append(near, r.From)
		}
	}
	return near
}

// Notification is what an element manager sends about an alarm: a raise, or a clear.
type Notification struct {
	Seq           uint64    // unique within one plant
	Time          time.Time // by the element's clock
	Arrived       time.Time // at the management system; notifications are handed out in this order
	Element       string    // resource whose agent reports
	Object        string    // resource that the alarm is about
	Alarm         string    // the element's name of the alarm, for example "mains-input-failure-ac-fail"
	Qualifier     string
	Severity      string // critical, major, minor, warning; cleared for a clear
	ProbableCause int    // IANA-ITU-ALARM-TC-MIB number
	Text          string
}
