package graph

import "fmt"

// Triple is one kind of relation that the resource layer may hold.
type Triple struct {
	From Selector
	Type RelationType
	To   Selector
}

// Schema is the resource model: which relation may stand between which kinds.
// Inventory that does not fit is reported, and every path of the shipped
// knowledge is checked against it.
type Schema struct{ triples []Triple }

// ResourceSchema returns the resource model that Faultline ships. docs/resource-model.md
// explains it with pictures.
func ResourceSchema() Schema {
	var s Schema
	for _, row := range resourceTriples {
		from, err1 := ParseSelector(row[0])
		to, err2 := ParseSelector(row[2])
		if err1 != nil || err2 != nil {
			panic(fmt.Sprintf("resource schema row %v: %v %v", row, err1, err2)) // a slip in the table below; caught by its test
		}
		s.triples = append(s.triples, Triple{from, RelationType(row[1]), to})
	}
	return s
}

// Triples returns a copy of the rows.
func (s Schema) Triples() []Triple { return append([]Triple(nil), s.triples...) }

// Allows reports whether a relation between entities of these kinds and roles fits.
func (s Schema) Allows(fromKind Kind, fromRole string, t RelationType, toKind Kind, toRole string) bool {
	for _, tr := range s.triples {
		if tr.Type == t && tr.From.Match(fromKind, fromRole) && tr.To.Match(toKind, toRole) {
			return true
		}
	}
	return false
}

// KnowsKind reports whether any row names the kind.
func (s Schema) KnowsKind(k Kind) bool {
	for _, tr := range s.triples {
		if tr.From.Kind == k || tr.To.Kind == k {
			return true
		}
	}
	return false
}

// CheckPath reports, wrapped in ErrInvalid, the first hop of a path that no row allows.
func (s Schema) CheckPath(p Path) error {
	at := p.Start
	for i, st := range p.Steps {
		from, to := at, st.To
		if !st.Forward {
			from, to = st.To, at
		}
		if !s.possible(from, st.Type, to) {
			return fmt.Errorf("path %q: hop %d: no %s -%s-> %s in the resource model: %w", p, i+1, from, st.Type, to, ErrInvalid)
		}
		at = st.To
	}
	if len(p.Steps) == 0 && p.Start.Kind != "*" && !s.KnowsKind(p.Start.Kind) {
		return fmt.Errorf("path %q: kind %s is not in the resource model: %w", p, p.Start.Kind, ErrInvalid)
	}
	return nil
}

func (s Schema) possible(from Selector, t RelationType, to Selector) bool {
	for _, tr := range s.triples {
		if tr.Type == t && overlap(tr.From, from) && overlap(tr.To, to) {
			return true
		}
	}
	return false
}

func overlap(a, b Selector) bool {
	if a.Kind != b.Kind && a.Kind != "*" && b.Kind != "*" {
		return false
	}
	if a.Roles == nil || b.Roles == nil {
		return true
	}
	for _, r := range a.Roles {
		if b.Match(b.Kind, r) {
			return true
		}
	}
	return false
}

var resourceTriples = [][3]string{
	// Places.
	{"Site", "CONTAINS", "Shelter"},
	{"Site", "CONTAINS", "PowerSystem:site,dc"},
	{"Site", "CONTAINS", "UPS"},
	{"Site:dc", "CONTAINS", "Host"},
	{"Site:dc", "CONTAINS", "NE:dcswitch"},
	{"Site:dc", "HOSTS", "Pool"},
	{"Shelter", "CONTAINS", "Cabinet"},
	{"Shelter", "CONTAINS", "AirConditioner"},
	{"Shelter", "CONTAINS", "PMU"},
	{"Cabinet", "CONTAINS", "NE"},
	{"Cabinet", "CONTAINS", "RRU"}, // indoor units; mast-mounted ones hang on the site
	{"Site", "CONTAINS", "RRU"},
	{"Cabinet", "CONTAINS", "FanTray"},

	// Power. A district feed supplies sites and homes; it raises nothing itself.
	{"PowerSystem:district", "POWERS", "PowerSystem:site,dc"},
	{"PowerSystem:district", "POWERS", "ONU"},
	{"PowerSystem:site,dc", "CONTAINS", "Rectifier"},
	{"PowerSystem:site,dc", "CONTAINS", "Battery"},
	{"PowerSystem:site,dc", "CONTAINS", "DCDistribution"},
	{"PowerSystem:site,dc", "CONTAINS", "Generator"},
	{"PowerSystem:site,dc", "CONTAINS", "SPD"},
	{"DCDistribution", "CONTAINS", "Fuse"},
	{"Fuse", "POWERS", "Board:bbu"},
	{"Fuse", "POWERS", "RRU"},
	{"Fuse", "POWERS", "NE"},
	{"UPS", "POWERS", "Site:dc"},
	{"UPS", "POWERS", "Host"},

	// Radio access.
	{"NE", "CONTAINS", "Board"},
	{"Board", "CONTAINS", "Port"},
	{"Port", "CONTAINS", "OpticalModule"},
	{"RRU", "CONTAINS", "OpticalModule"},
	{"Link:fronthaul", "CONNECTS", "Port:fronthaul"},
	{"Link:fronthaul", "CONNECTS", "RRU"},
	{"RRU", "SERVES", "Cell"},
	{"RRU", "POWERS", "Antenna"},
	{"Antenna", "SERVES", "Cell"},
	{"Board:bbu", "HOSTS", "Cell"},

	// Fibre plant.
	{"FibreSection", "LAID_IN", "Trench"},
	{"FibreSection", "CONTAINS", "Splice"},
	{"FibreSection", "CARRIES", "Link:fronthaul,ots,eth,ip"},
	{"FibreSection:feeder", "CARRIES", "PON"},
	{"FibreSection:drop", "SERVES", "ONU"},

	// Optical and packet transport.
	{"Link:ots", "CONNECTS", "Port:otn-line"},
	{"Link:ots", "CARRIES", "Link:och"},
	{"Link:och", "CONNECTS", "Port:transponder"},
	{"Link:och", "CARRIES", "Link:eth,ip"},
	{"Port:transponder", "CARRIES", "Port:client"},
	{"Port:client", "CONNECTS", "Port:eth,ip"},
	{"Link:eth", "CONNECTS", "Port:eth,backhaul,uplink,ip"},
	{"Port:eth", "CONTAINS", "MEP"},
	{"FlexEGroup", "DEPENDS_ON", "Port:eth"},
	{"FlexEGroup", "CARRIES", "Channel"},
	{"Channel", "CARRIES", "Tunnel"},
	{"Link:eth", "CARRIES", "Tunnel"},
	{"Tunnel", "CARRIES", "PW"},
	{"PW", "SERVES", "NE:gnb,olt"},
	{"PW", "CARRIES", "Session:bfd"},
	{"ProtectionGroup", "PROTECTS", "Tunnel"},
	{"ProtectionGroup", "PROTECTS", "Channel"},
	{"ProtectionGroup", "PROTECTS", "Link:ots,och"},
	{"ProtectionGroup:vrrp", "PROTECTS", "NE:router"},
	{"NE", "SYNCHRONISES", "NE"},
	{"NE", "SYNCHRONISES", "Host"},

	// Fixed access.
	{"Port:pon", "CARRIES", "PON"},
	{"PON", "SERVES", "ONU"},
	{"ONU", "SERVES", "CustomerGroup"},
	{"NE:olt", "DEPENDS_ON", "NE:bras"},
	{"CustomerGroup", "DEPENDS_ON", "NE:olt"},
	{"CustomerGroup", "DEPENDS_ON", "NE:bras"},
	{"CustomerGroup", "DEPENDS_ON", "Path"},
	{"CustomerGroup", "DEPENDS_ON", "Service:content"},

	// IP.
	{"Link:ip", "CONNECTS", "Port:ip"},
	{"Link:ip", "CARRIES", "Path"},
	{"LAG", "DEPENDS_ON", "Port:ip,host"},
	{"NE:router", "CONTAINS", "Session"},
	{"NE:router", "CONTAINS", "VRF"},
	{"NE:router", "CONTAINS", "LAG:ip"},
	{"Session:bfd,ospf,isis,bgp,te", "DEPENDS_ON", "Port:ip"},
	{"Session:ospf,isis,bgp", "DEPENDS_ON", "Session:bfd"},
	{"Session:bgp,ldp", "DEPENDS_ON", "Session:ospf,isis"},
	{"Session:te", "DEPENDS_ON", "Session:ldp"},
	{"VRF", "DEPENDS_ON", "Session:bgp"},
	{"VRF", "SERVES", "NE:gnb"},
	{"VRF", "SERVES", "Session:sctp,n4,gtpu,diameter"},
	{"VRF", "SERVES", "Path"},

	// Cloud.
	{"NE:dcswitch", "CONNECTS", "Host"},
	{"NE:dcswitch", "CONNECTS", "Port:host"},
	{"Host", "CONTAINS", "Port:host"},
	{"Host", "CONTAINS", "LAG:bond"},
	{"Host", "HOSTS", "VM"},
	{"Host", "HOSTS", "KubeNode"},
	{"Host", "HOSTS", "VSwitch"},
	{"Host", "HOSTS", "Storage"},
	{"KubeNode", "HOSTS", "Pod"},
	{"VM", "HOSTS", "NF"},
	{"Pod", "HOSTS", "NF"},
	{"VM", "DEPENDS_ON", "Storage"},
	{"VM", "DEPENDS_ON", "VirtualNetwork"},
	{"Storage", "CONTAINS", "Volume"},
	{"VirtualNetwork", "DEPENDS_ON", "LAG:bond"},
	{"VirtualNetwork", "DEPENDS_ON", "VSwitch"},
	{"CloudControl", "CONTAINS", "Cluster:k8s"},
	{"Cluster:k8s", "DEPENDS_ON", "Cluster:etcd"},
	{"Cluster:k8s", "CONTAINS", "KubeNode"},
	{"Cluster:etcd", "DEPENDS_ON", "Storage"},
	{"NF", "DEPENDS_ON", "Volume"},

	// Core.
	{"Pool", "HOSTS", "NF"},
	{"NF", "DEPENDS_ON", "NF"},
	{"Session:sctp,n4,gtpu,diameter", "DEPENDS_ON", "NF"},
	{"Session:sctp,gtpu", "DEPENDS_ON", "NE:gnb"},

	// Services.
	{"Service", "DEPENDS_ON", "NF"},
	{"Service", "DEPENDS_ON", "NE"},
	{"Slice", "DEPENDS_ON", "Channel"},
	{"Cell", "SERVES", "CustomerGroup"},
	{"CustomerGroup", "DEPENDS_ON", "Service"},
}
