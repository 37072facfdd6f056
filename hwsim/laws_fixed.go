package hwsim

import "time"

// fixedLaws: passive optical networks, home terminals, the access gateway and what
// customers feel.
func fixedLaws() []law {
	const (
		pon    = "<SERVES PON"
		port   = pon + " <CARRIES Port:pon"
		uplink = "CONTAINS> Board CONTAINS> Port:uplink"
	)
	return []law{
		state("PON", "loss", in("<CARRIES FibreSection.loss"), sumOf),
		state("PON", "light", in("loss", "<CARRIES Port:pon.tx"), func(e *env) float64 { return yes(e.max(0) < lostDB && e.all(1)) }),
		state("ONU", "live", in("plug", "<POWERS PowerSystem.ac"), func(e *env) float64 {
			return yes(e.all(0) && (e.chance("home-battery", 0.03) || e.any(1)))
		}).takes(0, 0.05, 60, 240),
		state("ONU", "loss", in(pon+".loss", "<SERVES FibreSection.loss"), sumOf),
		state("ONU", "drop", in("<SERVES FibreSection.loss"), sumOf),
		state("ONU", "pen", in("loss", "age"), sumOf),
		state("PON", "rogue", in("SERVES> ONU.rogue"), func(e *env) float64 { return yes(e.some(0)) }).takes(0.1, 5, 1, 10),
		// A rogue terminal talks in the time slots of some of the others.
		state("ONU", "hit", in(pon+".rogue", "rogue"), func(e *env) float64 {
			return yes(!e.some(1) && e.p("slot", 0, 1) < 0.45 && e.some(0))
		}).takes(0.5, 60, 1, 20),
		state("ONU", "up", in("live", "hw", "drop", pon+".light", "hit"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.max(2) < lostDB && e.all(3) && (!e.chance("drowned", 0.4) || !e.some(4)))
		}).takes(0.003, 0.02, 0.003, 0.02),
		state("PON", "lit", in("SERVES> ONU.up", "SERVES> ONU.live"), func(e *env) float64 {
			return yes(e.n(0) == 0 || e.share(0) > 0 || e.share(1) < 0.5) // terminals that gasped are not missed
		}).takes(0.05, 0.1, 0.5, 3),
		state("ONU", "omcc", in("up"), allOf).takes(1, 3, 1, 5),
		state("ONU", "serve", in("up", "uni", "wifi", "pen", "hit"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.all(2) && e.max(3) < e.p("sd", 4, 6.5) && !e.some(4))
		}),
		state("NE:olt", "up", in("live", uplink+".rx", "<SERVES PW.up"), anyOf).takes(0.2, 3, 2, 20),
		state("NE:bras", "auth", in("live", "card", "radius", "dhcp", "<DEPENDS_ON NE:olt.up"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.all(2) && e.all(3))
		}).takes(1, 10, 10, 60),
		state("CustomerGroup", "serve", in("<SERVES ONU.serve", "<SERVES Cell.serve", "DEPENDS_ON> NE:olt.up", "DEPENDS_ON> NE:bras.auth", "DEPENDS_ON> Path.serve", "DEPENDS_ON> Service.serve", "DEPENDS_ON> NE:olt.loopfree"), func(e *env) float64 {
			x := e.share(0) * e.share(1)
			if !e.all(2) || !e.any(3) {
				return 0
			}
			return x * e.min(4) * e.min(5) * (1 + e.min(6)) / 2
		}).takes(1, 10, 5, 60),

		raise("Port:pon", "pon-los-whole-pon-feeder", "critical", 8, in("CARRIES> PON.light", "CARRIES> PON.lit"), func(e *env) bool {
			if !e.is(0) {
				return !e.all(0)
			}
			return !e.all(1)
		}).mirrors().takes(0.05, 0.6, 2, 15),
		raise("Port:pon", "pon-transmitter-failure", "critical", 67, in("hw"), bad),
		raise("Port:pon", "transmission-interference-alarm-rogue-onu", "major", 3, in("CARRIES> PON.rogue"), there).mirrors().takes(1, 15, 5, 30),
		raise("Port:uplink", "olt-nni-uplink-los", "critical", 8, in("rx"), bad),

		raise("ONU", "onu-losi-lobi-distribution-fibre", "major", 8, in("up", port+" <CONTAINS Board.ok"), func(e *env) bool { return e.is(1) && !e.all(0) }).takes(0.1, 1.5, 15, 90),
		raise("ONU", "onu-dying-gasp-dgi", "minor", 106, in("live", "loss"), func(e *env) bool { return e.max(1) < lostDB && !e.all(0) }).takes(0.001, 0.01, 5, 40).seen(0.92),
		raise("ONU", "onu-signal-fail-sfi", "major", 12, in("pen", "up", "hit"), func(e *env) bool {
			return e.is(1) && (e.max(0) >= e.p("sf", 7, 10) || e.some(2))
		}).takes(1, 30, 10, 60),
		raise("ONU", "onu-signal-degrade-sdi", "minor", 3, in("pen", "up"), func(e *env) bool { return e.is(1) && e.max(0) >= e.p("sd", 4, 6.5) }).takes(5, 90, 10, 60),
		raise("ONU", "onu-start-up-failure-sufi", "minor", 22, in("ranging"), bad),
		raise("ONU", "onu-drift-of-window-dowi", "minor", 66, in("drift"), bad),
		raise("ONU", "onu-loss-of-ploam-lopci", "major", 504, in("hit", "up"), func(e *env) bool { return e.chance("ploam", 0.4) && e.is(1) && e.some(0) }).takes(2, 20, 10, 60),
		raise("ONU", "onu-loss-of-omci-channel-looci", "major", 505, in("omcc", port+" <CONTAINS Board.ok"), func(e *env) bool { return e.chance("omcc", 0.45) && e.is(1) && !e.all(0) }).takes(2, 10, 10, 60),
		raise("ONU", "onu-remote-defect-indication-rdii", "minor", 11, in("rdi"), bad),
		raise("ONU", "onu-low-received-optical-power", "minor", 3, in("loss", "up", "age"), func(e *env) bool {
			return e.is(1) && e.max(0) >= e.p("low", 2.5, 5)
		}).takes(20, 300, 30, 200),
		raise("ONU", "onu-high-received-optical-power", "minor", 3, in("far"), bad),
		raise("ONU", "onu-laser-bias-high-end-of-life", "minor", 67, in("age"), there).takes(20, 300, 30, 200),
		raise("ONU", "onu-temperature-red", "major", 123, in("heat"), there),
		raise("ONU", "onu-equipment-alarm", "major", 514, in("hw", "live"), func(e *env) bool { return e.is(1) && !e.all(0) }).seen(0.7),
		raise("ONU", "lan-los-on-ethernet-uni", "minor", 8, in("uni"), bad),
		raise("ONU", "home-wi-fi-poor-coverage-interference", "minor", 532, in("wifi"), bad).every(5 * time.Minute),
		raise("NE:bras", "pppoe-ipoe-session-failure-rate-high", "major", 22, in("auth", "<DEPENDS_ON NE:olt.up", "<DEPENDS_ON NE:olt.ancp"), func(e *env) bool {
			return !e.all(0) || e.share(1) < e.p("rate", 0.6, 0.97)
		}).every(time.Minute),
		raise("NE:bras", "radius-server-unreachable", "critical", 600, in("radius"), bad).takes(10, 45, 5, 30),
		raise("NE:bras", "dhcp-address-pool-exhausted", "major", 207, in("dhcp"), bad),
		raise("NE:bras", "bras-board-fault", "critical", 514, in("card"), bad),
		raise("NE:olt", "ancp-adjacency-failure", "minor", 505, in("ancp", "up"), func(e *env) bool { return !e.all(0) || e.chance("ancp", 0.5) && !e.all(1) }).takes(25, 80, 10, 60).leaf(),
		raise("NE:olt", "olt-uplink-congestion", "major", 202, in(uplink+".rx", uplink+" <CONNECTS Link:eth.load"), func(e *env) bool {
			s := e.share(0)
			return s > 0 && s < 1 && e.chance("full", 0.6) || e.max(1) >= 0.4
		}).every(5 * time.Minute),
		raise("Service:content", "content-source-response-time-high", "minor", 204, in("speed"), bad).every(time.Minute),
		raise("NE:olt", "mac-flapping-duplicate-mac", "minor", 159, in("loopfree"), bad).takes(1, 30, 30, 120),
		raise("CustomerGroup", "home-broadband-kqi-poor-stall-low-rate", "minor", 532, in("serve", "<SERVES ONU.serve"), func(e *env) bool {
			return e.n(1) > 0 && e.min(0) < 0.75 && (e.share(1) > 0 || e.chance("probe", 0.6))
		}).every(5 * time.Minute),
	}
}
