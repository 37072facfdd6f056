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
	index     map[string]int32
	outFrom   []int32 // relations[outFrom[i]:outFrom[i+1]] leave resource i
	inFrom    []int32 // entering[inFrom[i]:inFrom[i+1]] are the relations that enter resource i
	entering  []int32
}

// NewNetwork indexes resources and relations. It refuses two resources of one id and
// a relation whose ends are missing.
func NewNetwork(resources []Resource, relations []Relation) (*Network, error) {
	n := &Network{resources: sorted(resources), index: make(map[string]int32, len(resources))}
	for i, r := range n.resources {
		if r.ID == "" || r.Kind == "" {
			return nil, fmt.Errorf("build network: resource %q of kind %q: id and kind are required", r.ID, r.Kind)
		}
		if i > 0 && n.resources[i-1].ID == r.ID {
			return nil, fmt.Errorf("build network: two resources named %q", r.ID)
		}
		n.index[r.ID] = int32(i)
	}
	if err := n.connect(relations); err != nil {
		return nil, err
	}
	return n, nil
}

// sorted returns the resources by id. It moves each record once: a city has a
// million of them.
func sorted(resources []Resource) []Resource {
	order := make([]int32, len(resources))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(resources[a].ID, resources[b].ID) })
	out := make([]Resource, len(resources))
	for i, at := range order {
		out[i] = resources[at]
	}
	return out
}

// connect sorts the relations by (from, type, to) and indexes both their ends. A
// counting sort by the position of the near end leaves only the few relations of
// one resource to compare.
func (n *Network) connect(relations []Relation) error {
	type ends struct{ from, to int32 }
	at := make([]ends, len(relations))
	count := make([]int32, len(n.resources)+1)
	for i, r := range relations {
		from, ok1 := n.index[r.From]
		to, ok2 := n.index[r.To]
		if !ok1 || !ok2 {
			missing := r.From
			if ok1 {
				missing = r.To
			}
			return fmt.Errorf("build network: %s -%s-> %s: no resource %q", r.From, r.Type, r.To, missing)
		}
		at[i] = ends{from, to}
		count[from+1]++
	}
	for i := range n.resources {
		count[i+1] += count[i]
	}
	next := slices.Clone(count)
	all := make([]Relation, len(relations))
	for i, r := range relations {
		e := at[i]
		// The strings of the resources are used, so that the caller's can go.
		all[next[e.from]] = Relation{n.resources[e.from].ID, r.Type, n.resources[e.to].ID}
		next[e.from]++
	}
	n.outFrom = make([]int32, len(n.resources)+1)
	n.relations = all[:0]
	for i := range n.resources {
		own := all[count[i]:count[i+1]]
		slices.SortFunc(own, func(a, b Relation) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.To, b.To)) })
		n.relations = append(n.relations, slices.Compact(own)...)
		n.outFrom[i+1] = int32(len(n.relations))
	}
	clear(all[len(n.relations):])
	n.indexEnds()
	return nil
}

// indexEnds fills the index of entering relations, in the order of the relations.
func (n *Network) indexEnds() {
	n.inFrom = make([]int32, len(n.resources)+1)
	to := make([]int32, len(n.relations))
	for i, r := range n.relations {
		to[i] = n.index[r.To]
		n.inFrom[to[i]+1]++
	}
	for i := range n.resources {
		n.inFrom[i+1] += n.inFrom[i]
	}
	next := slices.Clone(n.inFrom)
	n.entering = make([]int32, len(n.relations))
	for i, t := range to {
		n.entering[next[t]] = int32(i)
		next[t]++
	}
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

// Leaving returns the relations that leave a resource, by (type, to). The caller
// must not change the slice.
func (n *Network) Leaving(id string) []Relation {
	i, ok := n.index[id]
	if !ok {
		return nil
	}
	return n.relations[n.outFrom[i]:n.outFrom[i+1]:n.outFrom[i+1]]
}

// Out returns the far ends of the relations of a type that leave a resource, in order.
func (n *Network) Out(id, relation string) []string {
	var far []string
	for _, r := range n.Leaving(id) {
		if r.Type == relation {
			far = append(far, r.To)
		}
	}
	return far
}

// In returns the near ends of the relations of a type that enter a resource, in order.
func (n *Network) In(id, relation string) []string {
	i, ok := n.index[id]
	if !ok {
		return nil
	}
	var near []string
	for _, at := range n.entering[n.inFrom[i]:n.inFrom[i+1]] {
		if r := n.relations[at]; r.Type == relation {
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
