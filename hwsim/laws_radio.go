package hwsim

import "time"

// lostDB is the loss from which a receiver sees nothing; a cut costs far more.
const (
	lostDB = 28
	cutDB  = 60
)

// radioLaws: fronthaul, radio units, cells, clocks, and the base station's ways to
// the core.
func radioLaws() []law {
	const (
		fronthaul = "<CONNECTS Link:fronthaul"
		ofPort    = "<CONTAINS Port:fronthaul " + fronthaul
		board     = "<HOSTS Board:bbu"
		gnb       = board + " <CONTAINS NE:gnb"
	)
	age := func(e *env) float64 { return e.sum(0) + e.sum(1) + e.sum(2) + e.sum(3) }
	return []law{
		state("Board:bbu", "live", in("<POWERS Fuse.live", "<CONTAINS NE <POWERS Fuse.live", "<CONTAINS NE.psu", "<CONTAINS NE.hw"), func(e *env) float64 {
			fed := e.n(0) > 0 && e.any(0) || e.n(0) == 0 && e.any(1)
			return yes(fed && e.all(2) && e.all(3))
		}).takes(0, 0.05, 90, 240),
		state("NE:gnb", "live", in("psu", "hw", "<POWERS Fuse.live", "CONTAINS> Board:bbu <POWERS Fuse.live"), func(e *env) float64 {
			fed := e.n(2)+e.n(3) == 0 || e.n(2) > 0 && e.any(2) || e.n(3) > 0 && e.any(3)
			return yes(fed && e.all(0) && e.all(1))
		}).takes(0.05, 0.1, 60, 180),
		state("Board:bbu", "base", in("ok", "<CONTAINS NE:gnb.sw"), allOf).takes(0, 0.5, 20, 90),

		state("OpticalModule", "tx", in("hw", "present", "<CONTAINS RRU.live", "<CONTAINS Port <CONTAINS Board.live"), allOf),
		state("Link:fronthaul", "loss", in("<CARRIES FibreSection.loss"), sumOf),
		state("Port:fronthaul", "light", in(fronthaul+".loss", fronthaul+" CONNECTS> RRU.on", fronthaul+" CONNECTS> RRU CONTAINS> OpticalModule.tx"), func(e *env) float64 {
			return yes(e.max(0) < lostDB && e.all(1) && e.any(2))
		}),
		state("Port:fronthaul", "rx", in("light", "CONTAINS> OpticalModule.tx"), allOf).takes(0.01, 0.3, 0.5, 4),
		state("Port:fronthaul", "up", in("rx", "hw", "<CONTAINS Board:bbu.base"), allOf).takes(0.1, 1, 2, 15),

		state("RRU", "live", in("<POWERS Fuse.live", "<CONTAINS Site CONTAINS> PowerSystem.live"), func(e *env) float64 {
			return yes(e.n(0) > 0 && e.any(0) || e.n(0) == 0 && e.any(1))
		}).takes(0, 0.02, 20, 90),
		state("RRU", "temp", in("<CONTAINS Cabinet.temp", "heat"), func(e *env) float64 { return 1.25*e.max(0) + e.sum(1) }).settles(4, 9, 4, 8, 12, 16, 18, 20, 22, 24, 28, 32, 36, 40, 44),
		state("RRU", "on", in("live", "hw", "temp"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.max(2) < e.p("melt", 40, 60))
		}),
		state("RRU", "link", in("on", fronthaul+" CONNECTS> Port:fronthaul.up"), func(e *env) float64 { return yes(e.all(0) && e.any(1)) }),
		state("RRU", "vswr", in("POWERS> Antenna.vswr"), func(e *env) float64 { return yes(e.some(0)) }),
		state("RRU", "power", in("temp", "vswr", "pa", "on"), func(e *env) float64 { // amplifiers protect themselves
			x := e.min(2)
			if e.max(0) >= e.p("backoff", 20, 26) {
				x -= 0.3
			}
			if e.some(1) {
				x -= 0.4
			}
			return x
		}).takes(1, 20, 10, 60),
		state("RRU", "rx", in("rxa", "POWERS> Antenna.rxa"), allOf).takes(10, 120, 10, 60),

		state("NE:gnb", "ptp", in("<SYNCHRONISES NE.sync", "CONTAINS> Board CONTAINS> Port:backhaul.rx"), anyOf).takes(3, 20, 30, 120),
		state("NE:gnb", "locked", in("ptp", "gnss", "<SYNCHRONISES NE.hw"), func(e *env) float64 {
			gnss := e.n(2) == 0 || e.attr("gnss") == "true" || e.attr("gnss") == "yes"
			return yes(e.n(2) > 0 && e.all(0) || gnss && e.all(1))
		}).takes(5, 30, 60, 300),
		state("NE:gnb", "hold", in("locked"), allOf).linear(func(e *env) float64 {
			if e.is(0) {
				return 0.3
			}
			return e.p("oven", 3, 24)
		}, 0, 0.5),
		state("NE:gnb", "phase", in("hold"), func(e *env) float64 { return yes(e.min(0) > 0) }).takes(10, 90, 10, 60),
		state("NE:gnb", "grace", in("lic"), allOf).takes(900, 7200, 5, 60),

		state("NE:gnb", "ip", in("live", "CONTAINS> Board CONTAINS> Port:backhaul.rx", "<SERVES PW.up", "<SERVES VRF.up"), anyOf).takes(0.5, 3, 2, 20),
		// Many base stations are managed over a path of their own, some over the
		// same pseudowire as the traffic.
		state("NE:gnb", "reach", in("live", "agent", "CONTAINS> Board CONTAINS> Port:backhaul.rx", "ip"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.any(2) && (!e.chance("shared-oam", 0.35) || e.all(3)))
		}),
		state("NE:gnb", "sctp", in("<DEPENDS_ON Session:sctp.up"), func(e *env) float64 { return e.share(0) }).takes(0.1, 1, 0.5, 2),
		state("NE:gnb", "ng", in("sctp", "sw"), func(e *env) float64 { return yes(e.min(0) > 0 && e.all(1)) }).takes(0.5, 3, 1, 5),
		state("NE:gnb", "xn", in("ip", "sw"), allOf).takes(10, 60, 10, 60),

		state("Cell", "serve", in(board+".base", "<SERVES RRU.link", gnb+".ng", gnb+".phase", gnb+".f1", gnb+".grace", "adm"), anyOf).takes(2, 15, 15, 60),

		raise("Board:bbu", "board-powered-off-bbu", "critical", 58, in("live", "<CONTAINS NE:gnb.hw"), func(e *env) bool { return e.is(1) && !e.all(0) }).seen(0.9),
		raise("RRU", "rf-unit-dc-input-power-failure", "critical", 78, in("live"), bad).seen(0.9),
		raise("RRU", "rf-unit-maintenance-link-failure", "major", 505, in("link"), bad).takes(3, 12, 10, 40),
		raise("Port:fronthaul", "bbu-cpri-ecpri-interface-error", "major", 24, in(fronthaul+".loss", "up", "hw"), func(e *env) bool {
			loss := e.max(0)
			return loss >= e.p("margin", 5, 9) && loss < lostDB || e.chance("merges-los", 0.5) && e.is(2) && !e.all(1)
		}).takes(1, 8, 10, 60),
		raise("Port:fronthaul", "bbu-cpri-optical-module-not-ready", "major", 62, in("CONTAINS> OpticalModule.present"), bad).mirrors(),
		raise("Port:fronthaul", "bbu-optical-module-transmit-receive-fault", "major", 80, in("rx", "CONTAINS> OpticalModule.present"), func(e *env) bool { return e.is(1) && !e.all(0) }).takes(0.5, 4, 10, 40),
		raise("OpticalModule", "fronthaul-rx-optical-power-low", "minor", 3, in(
			ofPort+".loss", "<CONTAINS RRU "+fronthaul+".loss", ofPort+" CONNECTS> RRU CONTAINS> OpticalModule.age", "<CONTAINS Port:backhaul <CONNECTS Link:eth.loss",
		), func(e *env) bool {
			x := age(e)
			return x >= e.p("margin", 2, 4) && x < lostDB
		}).takes(10, 90, 20, 120),
		raise("OpticalModule", "fronthaul-loss-of-signal", "critical", 8, in("<CONTAINS Port:fronthaul.light", "<CONTAINS Port:backhaul.rx", "present"), func(e *env) bool {
			return e.is(2) && (!e.all(0) || e.chance("ddm", 0.6) && !e.all(1))
		}).mirrors().takes(0.05, 0.5, 2, 10),
		raise("OpticalModule", "fronthaul-laser-bias-high-ageing", "minor", 67, in("age"), there).takes(5, 60, 10, 60),
		raise("RRU", "rf-unit-vswr-threshold-crossed", "major", 71, in("vswr"), there).takes(5, 60, 10, 60),
		raise("RRU", "rf-unit-tx-channel-gain-out-of-range", "major", 67, in("power"), func(e *env) bool { return e.min(0) <= 0.8 }).takes(5, 60, 10, 60),
		raise("RRU", "rf-unit-rx-channel-rtwp-rssi-too-low", "major", 61, in("rx"), func(e *env) bool { return e.chance("rx-branch", 0.5) && !e.all(0) }),
		raise("RRU", "rf-unit-rx-channel-rtwp-rssi-unbalanced", "minor", 61, in("rx"), func(e *env) bool { return !e.chance("rx-branch", 0.4) && !e.all(0) }),
		raise("RRU", "rf-unit-hardware-fault", "major", 514, in("hw", "pa", "temp"), func(e *env) bool {
			return !e.all(0) || e.min(1) < 0.9 || e.max(2) >= e.p("melt", 40, 60)
		}).takes(1, 20, 10, 60),
		raise("RRU", "rf-unit-overtemperature", "major", 123, in("temp"), func(e *env) bool { return e.max(0) >= 18 }).takes(2, 20, 10, 60),
		raise("RRU", "rf-unit-ald-current-out-of-range", "minor", 58, in("ald"), there),
		raise("Antenna", "ret-motor-jam-antenna-unit-fault", "minor", 71, in("ret", "<POWERS RRU.ald"), func(e *env) bool { return !e.all(0) || e.some(1) }).takes(5, 120, 10, 60),
		raise("NE:gnb", "base-station-frame-number-sync-error", "major", 66, in("phase"), func(e *env) bool { return e.chance("frame", 0.3) && !e.all(0) }),
		raise("NE:gnb", "system-clock-failure", "major", 66, in("hold"), func(e *env) bool { return e.min(0) <= 0 }),
		raise("NE:gnb", "system-clock-unlocked-holdover", "minor", 76, in("locked"), bad),
		raise("NE:gnb", "ptp-ieee1588-link-fault", "major", 76, in("ptp"), bad).takes(2, 15, 10, 60),
		raise("NE:gnb", "gnss-antenna-fault", "minor", 71, in("gnss"), bad).takes(5, 60, 10, 60),
		raise("Board:bbu", "board-hardware-fault", "major", 514, in("hw"), bad),
		raise("Port:backhaul", "transmission-optical-interface-error", "major", 8, in("rx"), bad),
		raise("Port:backhaul", "transmission-optical-module-not-in-position", "major", 62, in("CONTAINS> OpticalModule.present"), bad).mirrors(),
		raise("NE:gnb", "sctp-link-fault", "major", 505, in("sctp"), bad).takes(1, 6, 60, 90),
		raise("NE:gnb", "sctp-link-ip-address-unreachable", "major", 26, in("ip", "live"), func(e *env) bool { return e.is(1) && !e.all(0) }).takes(2, 15, 5, 30),
		raise("NE:gnb", "ng-s1-interface-fault", "critical", 505, in("ng"), bad).takes(1, 6, 10, 40),
		raise("NE:gnb", "xn-x2-interface-fault", "minor", 505, in("xn"), func(e *env) bool { return e.chance("xn", 0.7) && !e.all(0) }),
		raise("NE:gnb", "f1-interface-fault", "critical", 505, in("f1"), bad).takes(2, 10, 10, 40),
		raise("NE:gnb", "user-plane-path-fault-gtp-u", "major", 505, in("<DEPENDS_ON Session:gtpu.up"), bad).takes(3, 20, 5, 30),
		raise("NE:gnb", "license-missing-expired", "major", 609, in("lic"), bad),
		raise("NE:gnb", "base-station-disconnected-from-omc", "critical", 505, in("reach"), bad).takes(50, 180, 20, 60).byManager(),
		raise("NE:gnb", "automatic-version-rollback", "warning", 166, in("version"), bad),
		raise("Port:backhaul", "mac-excessive-frame-error-rate", "minor", 12, in("<CONNECTS Link:eth.loss", "CONTAINS> OpticalModule.age"), func(e *env) bool {
			x := e.max(0) + e.max(1)
			return x >= e.p("margin", 4, 7) && x < lostDB
		}).takes(30, 300, 60, 300),

		raise("Cell", "cell-unavailable-out-of-service", "critical", 14, in("serve"), func(e *env) bool { return e.min(0) <= 0 }).takes(2, 20, 80, 100),
		raise("Cell", "cell-capability-degraded", "major", 532, in("serve", "<SERVES RRU.link", "<SERVES RRU.rx", "<SERVES RRU.vswr", gnb+".lic"), func(e *env) bool {
			return e.min(0) > 0 && (e.share(1) < 1 || !e.all(2) || e.some(3) || !e.all(4))
		}).takes(5, 40, 60, 100),
		raise("Cell", "cell-blocked", "minor", 612, in("adm"), bad),
		raise("Cell", "pci-conflict", "minor", 159, in("pci"), there).takes(30, 600, 60, 300),
		raise("Cell", "low-downlink-sinr-high-interference", "minor", 532, in("<SERVES RRU.power", "pci", "<SERVES Antenna.ret", "serve"), func(e *env) bool {
			return e.min(3) > 0 && (e.min(0) < 0.8 || e.some(1) || !e.all(2))
		}).every(5 * time.Minute),
	}
}
