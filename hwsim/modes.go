package hwsim

import (
	"cmp"
	"slices"
)

// Mode is one way in which a kind of resource breaks.
type Mode struct {
	Name    string  // as repair crews call it, for example "trench-cut"
	On      string  // resources that it fits: kind, or kind:role,role
	Domain  string  // that owns the repair
	Rate    float64 // how often a resource of the kind has it, per year
	Planned bool    // work that was announced, not a failure
	// RepairMin and RepairMax bound the usual time to repair in hours.
	RepairMin, RepairMax float64
	Text                 string

	extent  float64                       // usual extent, 0.7 when unset
	effects func(extent float64) []effect // of a mode with one face
	faces   []variant                     // of a mode with several
}

// Faces counts the ways in which a mode can show: Fault.Face picks one of them. It is
// 0 for a mode that the plant does not know.
func Faces(mode string) int {
	m, ok := modeByName(mode)
	if !ok {
		return 0
	}
	return m.count()
}

func (m Mode) count() int { return max(1, len(m.faces)) }

// variant is one face of a mode with its share of the cases.
type variant struct {
	share   float64
	effects []effect
}

// does lists what a fault of the mode does; u draws its face when none is picked.
func (m Mode) does(picked int, u, extent float64) []effect {
	if len(m.faces) == 0 {
		return m.effects(extent)
	}
	if picked > 0 {
		return m.faces[picked-1].effects
	}
	for _, f := range m.faces[:len(m.faces)-1] {
		if u -= f.share; u < 0 {
			return f.effects
		}
	}
	return m.faces[len(m.faces)-1].effects // the last takes the rest
}

// effect is a variable of the broken resource that the fault holds at a value.
type effect struct {
	v   string
	val float64
}

// Modes lists every way of breaking that the plant knows, by (name, on).
func Modes() []Mode {
	out := slices.Clone(modes)
	slices.SortFunc(out, func(a, b Mode) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func modeByName(name string) (Mode, bool) {
	i := slices.IndexFunc(modes, func(m Mode) bool { return m.Name == name })
	if i < 0 {
		return Mode{}, false
	}
	return modes[i], true
}

// sets is a mode that always does the same.
func sets(v string, val float64) func(float64) []effect {
	return func(float64) []effect { return []effect{{v, val}} }
}

// fails is a mode that puts one variable to 0.
func fails(v string) func(float64) []effect { return sets(v, 0) }

func face(share float64, v string, val float64, more ...effect) variant {
	return variant{share, append([]effect{{v, val}}, more...)}
}

// modes is data: what breaks, how often, how long, and which variable gives way.
var modes = []Mode{
	// Power and environment.
	{Name: "district-power-cut", On: "PowerSystem:district", Domain: "power_env", Rate: 0.3, RepairMin: 1, RepairMax: 8, Text: "the public grid fails in a district", effects: fails("hw")},
	{Name: "mains-failure", On: "PowerSystem:site,dc", Domain: "power_env", Rate: 0.5, RepairMin: 2, RepairMax: 12, Text: "the mains input of one site fails", effects: fails("mains")},
	{Name: "mains-unstable", On: "PowerSystem:site,dc", Domain: "power_env", Rate: 0.2, RepairMin: 1, RepairMax: 6, Text: "the mains voltage leaves its range without failing", effects: fails("quality")},
	{Name: "rectifier-failure", On: "Rectifier", Domain: "power_env", Rate: 0.05, RepairMin: 3, RepairMax: 24, Text: "a rectifier module fails",
		faces: []variant{face(0.65, "hw", 0), face(0.15, "hw", 0, effect{"volt", 1}), face(0.2, "hw", 0, effect{"volt", -1})}},
	{Name: "battery-fault", On: "Battery", Domain: "power_env", Rate: 0.05, RepairMin: 4, RepairMax: 48, Text: "a battery string is dead, missing or hot",
		faces: []variant{face(0.5, "hw", 0), face(0.2, "hw", 0, effect{"hot", 1}), face(0.3, "present", 0)}},
	{Name: "lvd-fault", On: "DCDistribution", Domain: "power_env", Rate: 0.02, RepairMin: 1, RepairMax: 6, Text: "the contactor of the distribution opens or its voltage drifts",
		faces: []variant{face(0.7, "hw", 0), face(0.3, "volt", 1)}},
	{Name: "fuse-blown", On: "Fuse", Domain: "power_env", Rate: 0.01, RepairMin: 1, RepairMax: 6, Text: "the fuse of one branch blows", effects: fails("hw")},
	{Name: "generator-failure", On: "Generator", Domain: "power_env", Rate: 0.1, RepairMin: 4, RepairMax: 48, Text: "the generator will not run", effects: fails("hw")},
	{Name: "aircon-failure", On: "AirConditioner", Domain: "power_env", Rate: 0.15, RepairMin: 3, RepairMax: 12, Text: "the cooling unit stops", effects: fails("hw")},
	{Name: "fan-failure", On: "FanTray", Domain: "power_env", Rate: 0.1, RepairMin: 2, RepairMax: 12, Text: "the fans of a tray stall", effects: fails("hw")},
	{Name: "ups-fault", On: "UPS", Domain: "power_env", Rate: 0.1, RepairMin: 1, RepairMax: 8, Text: "the UPS fails to bypass, is overloaded, or goes to battery by itself",
		faces: []variant{face(0.4, "hw", 0), face(0.3, "load", 1), face(0.3, "trip", 1)}},

	// Fibre and optical modules.
	{Name: "fibre-cut", On: "FibreSection", Domain: "transport", Rate: 0.05, RepairMin: 3, RepairMax: 10, Text: "a fibre section is cut", effects: sets("att", cutDB)},
	{Name: "trench-cut", On: "Trench", Domain: "transport", Rate: 0.05, RepairMin: 4, RepairMax: 14, extent: 1, Text: "a digger cuts the cables of a trench",
		effects: func(extent float64) []effect { return []effect{{"cut", extent}} }},
	{Name: "fibre-bend", On: "FibreSection", Domain: "transport", Rate: 0.02, RepairMin: 3, RepairMax: 24, Text: "a bend adds loss, the light stays",
		effects: func(extent float64) []effect { return []effect{{"att", 1 + 8*extent}} }},
	{Name: "optics-failure", On: "OpticalModule", Domain: "wireless", Rate: 0.03, RepairMin: 2, RepairMax: 12, Text: "an optical module dies, comes loose or ages",
		faces: []variant{face(0.5, "hw", 0), face(0.2, "present", 0), face(0.3, "age", 4.5)}},

	// Wireless.
	{Name: "rru-hardware", On: "RRU", Domain: "wireless", Rate: 0.05, RepairMin: 3, RepairMax: 24, Text: "a radio unit fails, or one of its branches",
		faces: []variant{face(0.6, "hw", 0), face(0.22, "pa", 0.5), face(0.1, "rxa", 0), face(0.08, "ald", 1)}},
	{Name: "antenna-fault", On: "Antenna", Domain: "wireless", Rate: 0.03, RepairMin: 6, RepairMax: 48, Text: "an antenna line lets water in, or its tilt motor jams",
		faces: []variant{face(0.35, "vswr", 1), face(0.25, "vswr", 1, effect{"rxa", 0}), face(0.4, "ret", 0)}},
	{Name: "bbu-board", On: "Board:bbu", Domain: "wireless", Rate: 0.04, RepairMin: 2, RepairMax: 12, Text: "a baseband board fails", effects: fails("hw")},
	{Name: "gnb-software", On: "NE:gnb", Domain: "wireless", Rate: 0.05, RepairMin: 0.3, RepairMax: 3, Text: "the software of a base station crashes, with or without its agent",
		faces: []variant{face(0.65, "sw", 0), face(0.35, "sw", 0, effect{"agent", 0})}},
	{Name: "cell-config", On: "Cell", Domain: "wireless", Rate: 0.02, RepairMin: 0.5, RepairMax: 8, Text: "a cell is misconfigured or left blocked",
		faces: []variant{face(0.6, "pci", 1), face(0.4, "adm", 0)}},
	{Name: "licence-expired", On: "NE:gnb", Domain: "wireless", Rate: 0.02, RepairMin: 1, RepairMax: 8, Text: "the licence of a base station runs out", effects: fails("lic")},
	{Name: "gnss-fault", On: "NE:gnb", Domain: "wireless", Rate: 0.05, RepairMin: 6, RepairMax: 48, Text: "the satellite antenna of a base station fails", effects: fails("gnss")},
	{Name: "f1-interface", On: "NE:gnb", Domain: "wireless", Rate: 0.02, RepairMin: 0.5, RepairMax: 4, Text: "the distributed unit loses its central unit", effects: fails("f1")},

	// Transport.
	{Name: "ptp-source-loss", On: "NE:spn", Domain: "transport", Rate: 0.03, RepairMin: 2, RepairMax: 30, Text: "an element has no clock to pass on", effects: fails("clk")},
	{Name: "line-board", On: "Board:line", Domain: "transport", Rate: 0.04, RepairMin: 2, RepairMax: 10, Text: "a line board fails or is pulled",
		faces: []variant{face(0.85, "hw", 0), face(0.15, "present", 0)}},
	{Name: "transponder-fault", On: "Port:transponder", Domain: "transport", Rate: 0.03, RepairMin: 2, RepairMax: 10, Text: "a transponder fails or degrades",
		faces: []variant{face(0.6, "hw", 0), face(0.4, "deg", 6)}},
	{Name: "amplifier-fault", On: "Port:otn-line", Domain: "transport", Rate: 0.03, RepairMin: 3, RepairMax: 12, Text: "an amplifier fails or loses gain",
		faces: []variant{face(0.5, "hw", 0), face(0.5, "deg", 5)}},
	{Name: "dirty-connector", On: "Port:otn-line", Domain: "transport", Rate: 0.02, RepairMin: 2, RepairMax: 12, Text: "a dirty connector reflects and attenuates",
		effects: func(extent float64) []effect { return []effect{{"refl", 1}, {"deg", 1 + 4*extent}} }},
	{Name: "ne-power", On: "NE:spn,otn,router,olt", Domain: "transport", Rate: 0.03, RepairMin: 2, RepairMax: 12, extent: 0.5, Text: "one power module of an element fails, or all",
		effects: func(extent float64) []effect {
			return []effect{{"psu", map[bool]float64{true: 0, false: 0.6}[extent > 0.75]}}
		}},
	{Name: "port-congestion", On: "Link:eth", Domain: "transport", Rate: 0.1, RepairMin: 0.5, RepairMax: 6, Text: "a link is overloaded",
		effects: func(extent float64) []effect { return []effect{{"traffic", 0.35 + 0.6*extent}} }},
	{Name: "flexe-misconfig", On: "FlexEGroup", Domain: "transport", Rate: 0.02, RepairMin: 0.5, RepairMax: 4, Text: "group number or calendar differ at the ends", effects: fails("cfg")},
	{Name: "tunnel-misconfig", On: "Tunnel", Domain: "transport", Rate: 0.01, RepairMin: 0.5, RepairMax: 4, Text: "labels or continuity checks of a tunnel differ at the ends", effects: fails("cfg")},
	{Name: "odu-misconfig", On: "Port:transponder", Domain: "transport", Rate: 0.02, RepairMin: 0.5, RepairMax: 4, Text: "a cross-connection is missing or leads elsewhere",
		faces: []variant{face(0.4, "oci", 1), face(0.35, "tim", 1), face(0.25, "plm", 1)}},
	{Name: "planned-work", On: "NE", Domain: "transport", Rate: 0.5, Planned: true, RepairMin: 0.2, RepairMax: 1.5, Text: "an element is taken out of service for announced work", effects: fails("hw")},

	// Home broadband.
	{Name: "pon-port", On: "Port:pon", Domain: "home_broadband", Rate: 0.03, RepairMin: 2, RepairMax: 10, Text: "the laser of a PON port fails", effects: fails("hw")},
	{Name: "rogue-onu", On: "ONU", Domain: "home_broadband", Rate: 0.003, RepairMin: 2, RepairMax: 24, Text: "a terminal transmits in others' time slots", effects: sets("rogue", 1)},
	{Name: "onu-hardware", On: "ONU", Domain: "home_broadband", Rate: 0.03, RepairMin: 6, RepairMax: 48, Text: "a terminal fails, overheats, or loses its LAN port",
		faces: []variant{face(0.7, "hw", 0), face(0.1, "hw", 0, effect{"heat", 1}), face(0.2, "uni", 0)}},
	{Name: "onu-power-off", On: "ONU", Domain: "home_broadband", Rate: 2, RepairMin: 1, RepairMax: 14, Text: "a customer switches the terminal off", effects: fails("plug")},
	{Name: "home-wifi", On: "ONU", Domain: "home_broadband", Rate: 0.3, RepairMin: 6, RepairMax: 48, Text: "a home has poor Wi-Fi", effects: fails("wifi")},
	{Name: "pon-optics", On: "ONU", Domain: "home_broadband", Rate: 0.02, RepairMin: 6, RepairMax: 48, Text: "the optics of a terminal degrade",
		faces: []variant{face(0.75, "age", 7), face(0.25, "drift", 0, effect{"age", 5})}},
	{Name: "olt-uplink", On: "Port:uplink", Domain: "home_broadband", Rate: 0.04, RepairMin: 2, RepairMax: 10, Text: "an uplink port of an access node fails", effects: fails("hw")},
	{Name: "bras-board", On: "NE:bras", Domain: "home_broadband", Rate: 0.05, RepairMin: 2, RepairMax: 8, Text: "a service board of the gateway fails", effects: fails("card")},
	{Name: "radius-outage", On: "NE:bras", Domain: "home_broadband", Rate: 0.05, RepairMin: 0.5, RepairMax: 4, Text: "the gateway gets no answer from RADIUS", effects: fails("radius")},
	{Name: "dhcp-exhausted", On: "NE:bras", Domain: "home_broadband", Rate: 0.05, RepairMin: 0.5, RepairMax: 6, Text: "the address pool runs out", effects: fails("dhcp")},
	{Name: "content-slow", On: "Service:content", Domain: "home_broadband", Rate: 0.2, RepairMin: 1, RepairMax: 6, Text: "a content source answers slowly", effects: fails("speed")},
	{Name: "l2-loop", On: "NE:olt", Domain: "home_broadband", Rate: 0.05, RepairMin: 0.5, RepairMax: 6, Text: "a loop at customers' premises", effects: fails("loopfree")},
	{Name: "ancp-fault", On: "NE:olt", Domain: "home_broadband", Rate: 0.03, RepairMin: 0.5, RepairMax: 4, Text: "access control between access node and gateway fails", effects: fails("ancp")},

	// IP.
	{Name: "router-cpu", On: "NE:router", Domain: "ip", Rate: 0.05, RepairMin: 0.5, RepairMax: 4, Text: "the control plane of a router is overloaded",
		faces: []variant{face(0.7, "cpu", 1), face(0.3, "cpu", 1, effect{"mem", 1})}},
	{Name: "router-overheat", On: "NE:router", Domain: "ip", Rate: 0.03, RepairMin: 1, RepairMax: 8, Text: "a router gets no cool air", effects: sets("heat", 24)},
	{Name: "bgp-misconfig", On: "Session:bgp", Domain: "ip", Rate: 0.05, RepairMin: 0.3, RepairMax: 4, Text: "the ends of a session disagree", effects: fails("ses")},
	{Name: "adjacent-ospf", On: "Session:ospf,isis", Domain: "ip", Rate: 0.02, RepairMin: 0.3, RepairMax: 4, Text: "timers, area or key of an adjacency differ", effects: fails("ses")},
	{Name: "ip-optics", On: "Port:ip", Domain: "ip", Rate: 0.03, RepairMin: 2, RepairMax: 12, Text: "the optics of a router port degrade", effects: sets("age", 7)},
	{Name: "ntp-loss", On: "NE:router", Domain: "ip", Rate: 0.03, RepairMin: 1, RepairMax: 24, Text: "a router loses its time source", effects: fails("ntp")},
	{Name: "route-limit", On: "NE:router", Domain: "ip", Rate: 0.03, RepairMin: 0.5, RepairMax: 4, Text: "a peer sends more routes than agreed", effects: sets("routes", 1)},

	// Cloud.
	{Name: "host-failure", On: "Host", Domain: "cloud", Rate: 0.06, RepairMin: 1, RepairMax: 12, Text: "a host dies", faces: []variant{face(0.85, "hw", 0), face(0.15, "hw", 0, effect{"sensor", 0})}},
	{Name: "host-disk-full", On: "Host", Domain: "cloud", Rate: 0.1, RepairMin: 0.5, RepairMax: 4, Text: "a file system fills up", effects: fails("fs")},
	{Name: "host-memory", On: "Host", Domain: "cloud", Rate: 0.06, RepairMin: 0.5, RepairMax: 4, Text: "memory of a host runs out", effects: sets("mem", 1)},
	{Name: "host-cpu", On: "Host", Domain: "cloud", Rate: 0.06, RepairMin: 0.5, RepairMax: 4, Text: "a runaway process takes the processors of a host", effects: sets("cpu", 1)},
	{Name: "host-nic", On: "Port:host", Domain: "cloud", Rate: 0.03, RepairMin: 1, RepairMax: 12, Text: "a network interface fails", effects: fails("hw")},
	{Name: "bmc-network", On: "Host", Domain: "cloud", Rate: 0.03, RepairMin: 0.5, RepairMax: 6, Text: "a host loses the cluster network", effects: fails("cnet")},
	{Name: "tor-switch", On: "NE:dcswitch", Domain: "cloud", Rate: 0.04, RepairMin: 1, RepairMax: 8, Text: "a top-of-rack switch dies", effects: fails("hw")},
	{Name: "vswitch-agent", On: "VSwitch", Domain: "cloud", Rate: 0.08, RepairMin: 0.3, RepairMax: 3, Text: "the agent of a virtual switch hangs", effects: fails("agent")},
	{Name: "sdn-controller", On: "VSwitch", Domain: "cloud", Rate: 0.02, RepairMin: 0.3, RepairMax: 3, Text: "a virtual switch loses its controller", effects: fails("ctl")},
	{Name: "vm-failure", On: "VM", Domain: "cloud", Rate: 0.06, RepairMin: 0.2, RepairMax: 2, Text: "a virtual machine crashes", effects: fails("sw")},
	{Name: "pod-crash", On: "Pod", Domain: "cloud", Rate: 0.08, RepairMin: 0.2, RepairMax: 2, Text: "a pod crashes and crashes again", effects: fails("sw")},
	{Name: "storage-congestion", On: "Storage", Domain: "cloud", Rate: 0.1, RepairMin: 0.5, RepairMax: 5, Text: "a storage pool answers too slowly", effects: fails("io")},
	{Name: "storage-failure", On: "Storage", Domain: "cloud", Rate: 0.04, RepairMin: 1, RepairMax: 8, Text: "a storage pool fails", effects: fails("hw")},
	{Name: "etcd-quorum", On: "Cluster:etcd", Domain: "cloud", Rate: 0.05, RepairMin: 0.5, RepairMax: 4, Text: "the cluster's store loses its majority", effects: fails("hw")},
	{Name: "cert-expired", On: "CloudControl", Domain: "cloud", Rate: 0.05, RepairMin: 0.5, RepairMax: 4, Text: "a certificate runs out", effects: fails("cert")},
	{Name: "control-redundancy", On: "CloudControl", Domain: "cloud", Rate: 0.03, RepairMin: 1, RepairMax: 12, Text: "cloud control loses its standby", effects: fails("standby")},
	{Name: "dc-outage", On: "Site:dc", Domain: "cloud", Rate: 0.01, RepairMin: 0.5, RepairMax: 4, Text: "a data centre goes dark", effects: fails("hw")},

	// Core.
	{Name: "nf-software", On: "NF", Domain: "core", Rate: 0.06, RepairMin: 0.2, RepairMax: 2, Text: "a network function crashes", effects: fails("sw")},
	{Name: "nf-overload", On: "NF:AMF,NRF", Domain: "core", Rate: 0.1, RepairMin: 0.5, RepairMax: 3, Text: "more requests than a function can serve", effects: sets("surge", 0.65)},
	{Name: "capacity-licence", On: "NF:AMF,NRF", Domain: "core", Rate: 0.03, RepairMin: 1, RepairMax: 8, Text: "a function runs into its licensed capacity", effects: fails("cap")},
	{Name: "udr-database", On: "NF:UDM", Domain: "core", Rate: 0.05, RepairMin: 0.5, RepairMax: 4, Text: "the subscriber database does not answer", effects: fails("udr")},
	{Name: "dns-failure", On: "NF:DNS", Domain: "core", Rate: 0.05, RepairMin: 0.3, RepairMax: 3, Text: "the core's name server does not resolve", effects: fails("dns")},
	{Name: "chf-failure", On: "NF:SMF", Domain: "core", Rate: 0.05, RepairMin: 0.3, RepairMax: 3, Text: "session management cannot reach charging", effects: fails("chf")},
	{Name: "dc-switchover", On: "Pool", Domain: "core", Rate: 0.03, RepairMin: 0.5, RepairMax: 2, extent: 0.9, Text: "a pool takes over another's users faster than it can register them",
		effects: func(extent float64) []effect { return []effect{{"switch", 1 - extent}} }},
	{Name: "sctp-path", On: "Session:sctp", Domain: "core", Rate: 0.03, RepairMin: 0.3, RepairMax: 3, Text: "the path of a signalling association breaks", effects: fails("ses")},
	{Name: "n4-path", On: "Session:n4", Domain: "core", Rate: 0.05, RepairMin: 0.3, RepairMax: 3, Text: "the path of a session control association breaks", effects: fails("ses")},
	{Name: "gtpu-path", On: "Session:gtpu", Domain: "core", Rate: 0.03, RepairMin: 0.3, RepairMax: 3, Text: "the path of a user plane tunnel breaks", effects: fails("ses")},
	{Name: "diameter-peer", On: "Session:diameter", Domain: "core", Rate: 0.05, RepairMin: 0.3, RepairMax: 3, Text: "a Diameter peer does not answer", effects: fails("ses")},
}
