package hwsim

import "time"

// ipLaws: router ports, protocol sessions with their timers, VPNs and paths.
func ipLaws() []law {
	const ports = "DEPENDS_ON> Port:ip.rx"
	return []law{
		state("Link:ip", "up", in("CONNECTS> Port:ip.rx"), allOf),
		state("Port:ip", "crc", in("<CONNECTS Link:ip.loss", "age", "CONTAINS> OpticalModule.age"), func(e *env) float64 {
			x := sumOf(e)
			return yes(x >= e.p("margin", 3, 6) && x < lostDB)
		}).takes(5, 60, 10, 60),
		state("Port:ip", "load", in("traffic", "<DEPENDS_ON LAG DEPENDS_ON> Port:ip.rx", "rx"), func(e *env) float64 {
			x, n := e.sum(0), float64(e.n(1)+1)
			if e.is(2) { // the rest of the group carries what the lost members did
				x += e.p("base", 0.25, 0.6) * (n/(e.share(1)*(n-1)+1) - 1)
			}
			return x
		}).every(30 * time.Second),
		state("NE:router", "temp", in("<CONTAINS Cabinet.temp", "heat"), func(e *env) float64 { return e.max(0) + e.sum(1) }).settles(5, 12, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40),

		// Bidirectional forwarding detection: three intervals.
		state("Session:bfd", "up", in("ses", ports, "<CARRIES PW.up", "<CONTAINS NE.cpu"), func(e *env) float64 {
			return yes(e.all(0) && e.any(1) && e.any(2) && !(e.chance("software-bfd", 0.5) && e.some(3)))
		}).takes(0.03, 0.15, 1, 4),
		state("Session:ospf", "up", in("ses", ports, "DEPENDS_ON> Session:bfd.up"), func(e *env) float64 {
			if e.n(2) == 0 && !e.is(0) {
				e.slow(30, 40) // the dead interval
			}
			return yes(e.all(0) && e.any(1) && e.any(2))
		}).takes(0.05, 0.5, 10, 45),
		state("Session:isis", "up", in("ses", ports, "DEPENDS_ON> Session:bfd.up"), func(e *env) float64 {
			if e.n(2) == 0 && !e.is(0) {
				e.slow(20, 30)
			}
			return yes(e.all(0) && e.any(1) && e.any(2))
		}).takes(0.05, 0.5, 10, 35),
		state("Session:bgp", "up", in("ses", ports, "DEPENDS_ON> Session:bfd.up", "DEPENDS_ON> Session:ospf,isis.up", "<CONTAINS NE:router.cpu", "<CONTAINS NE:router.routes"), func(e *env) float64 {
			fast := e.all(0) && e.any(1) && e.any(2)
			if fast {
				e.slow(90, 180) // the hold time
			}
			return yes(fast && e.any(3) && !(e.chance("starves", 0.4) && e.some(4)) && !(e.chance("limit", 0.5) && e.some(5)))
		}).takes(0.1, 2, 15, 60),
		state("Session:ldp", "up", in("ses", "DEPENDS_ON> Session:ospf,isis.up"), anyOf).takes(1, 15, 10, 40),
		state("Session:te", "up", in("ses", ports, "DEPENDS_ON> Session:ldp.up"), anyOf).takes(0.1, 3, 5, 20),
		state("VRF", "up", in("<CONTAINS NE.live", "DEPENDS_ON> Session:bgp.up"), anyOf).takes(1, 6, 5, 30),
		state("Path", "serve", in("<SERVES VRF.up", "<CARRIES Link:ip.up", "<CARRIES Link:ip CONNECTS> Port:ip.crc", "<CARRIES Link:ip CONNECTS> Port:ip.load"), func(e *env) float64 {
			x := 1.0
			if !e.any(0) || !e.any(1) {
				return 0
			}
			if e.share(1) < 1 {
				x -= 0.25 // the way round is longer
			}
			if e.some(2) {
				x -= 0.3
			}
			if e.max(3) >= 0.3 {
				x -= 0.3
			}
			return x
		}).takes(1, 10, 5, 60),

		raise("Port:ip", "interface-down-linkdown", "major", 8, in("rx"), bad).takes(0.05, 1, 2, 10),
		raise("Port:ip", "optical-module-rx-power-low", "minor", 3, in("<CONNECTS Link:ip.loss", "age"), func(e *env) bool {
			x := sumOf(e)
			return x >= e.p("low", 2, 4) && x < lostDB
		}).takes(10, 120, 20, 120),
		raise("Session:bfd", "bfd-session-down", "major", 505, in("up"), bad),
		raise("Session:ospf", "ospf-neighbor-down", "major", 26, in("up"), bad),
		raise("Session:isis", "is-is-adjacency-down", "major", 26, in("up"), bad),
		raise("Session:bgp", "bgp-peer-down-backward-transition", "major", 26, in("up"), bad),
		raise("Session:ldp", "ldp-session-down", "major", 505, in("up"), bad),
		raise("VRF", "vpn-route-loss-vrf-unreachable", "major", 26, in("up"), bad),
		raise("NE:router", "route-limit-exceeded", "minor", 207, in("routes"), there),
		raise("Port:ip", "interface-crc-error-rate-high", "minor", 203, in("crc"), there).takes(20, 120, 30, 120),
		raise("Port:ip", "port-congestion-queue-drop", "minor", 537, in("load"), func(e *env) bool { return e.max(0)+e.p("base", 0.25, 0.6) >= 0.85 }).takes(5, 60, 20, 120),
		raise("NE:router", "router-cpu-overload", "major", 509, in("cpu"), there).takes(10, 90, 20, 120),
		raise("NE:router", "router-memory-overload", "major", 162, in("mem"), there).takes(10, 90, 20, 120),
		raise("Board:line", "router-board-fault", "critical", 514, in("hw", "present", "<CONTAINS NE:router.hw"), func(e *env) bool { return e.n(2) > 0 && (!e.all(0) || !e.all(1)) }),
		raise("NE:router", "router-power-module-failure", "major", 78, in("psu", "<POWERS Fuse.live"), func(e *env) bool {
			return e.min(0) < 1 || e.share(1) < 1
		}).mirrors().takes(0.01, 0.04, 2, 15).seen(0.85),
		raise("NE:router", "router-overtemperature", "major", 123, in("temp"), func(e *env) bool { return e.max(0) >= 16 }).takes(5, 30, 20, 60),
		raise("NE:router", "vrrp-master-backup-switch", "warning", 77, in("<PROTECTS ProtectionGroup:vrrp PROTECTS> NE:router.reach", "reach"), func(e *env) bool {
			return e.n(0) > 0 && e.is(1) && e.first(0) < 0.5
		}).takes(3, 4, 5, 30),
		raise("LAG", "lag-member-down-bandwidth-reduced", "minor", 201, in("DEPENDS_ON> Port.rx", "DEPENDS_ON> Port:host.up"), func(e *env) bool {
			return e.share(0)*e.share(1) < 1
		}),
		raise("NE:router", "router-unreachable-nms", "critical", 505, in("reach"), bad).takes(50, 180, 20, 60).byManager(),
		raise("Session:te", "srv6-te-policy-down", "major", 14, in("up"), bad),
		raise("NE:router", "ntp-not-synchronised", "minor", 66, in("ntp"), bad).takes(300, 1200, 60, 300),
		raise("Path", "end-to-end-latency-jitter-sla-violated", "minor", 204, in("serve"), func(e *env) bool { return e.min(0) < 0.9 }).every(5 * time.Minute),
		raise("Path:content", "bras-to-content-path-loss-latency-high", "minor", 532, in("serve"), func(e *env) bool { return e.min(0) < e.p("probe", 0.7, 0.9) }).every(5 * time.Minute),
	}
}
