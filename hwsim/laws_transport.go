package hwsim

import (
	"math"
	"time"
)

// transportLaws: fibre, optical spans and paths, packet links, tunnels and their
// protection, clocks of the network elements.
func transportLaws() []law {
	const (
		ots   = "<CONNECTS Link:ots"
		och   = "<CONNECTS Link:och"
		line  = "CONTAINS> Board CONTAINS> Port"
		twins = "<PROTECTS ProtectionGroup PROTECTS> "
	)
	// effective is whether a server layer still works for its clients: itself, or
	// another member of its protection group.
	effective := func(on string) law {
		return state(on, "eff", in("up", twins+on+".up", "<PROTECTS ProtectionGroup.aps"), func(e *env) float64 {
			if e.all(0) {
				return 1
			}
			return yes(e.n(1) > 0 && e.any(1) && e.all(2))
		}).takes(0, 0, 0, 0)
	}
	return []law{
		state("FibreSection", "loss", in("att", "LAID_IN> Trench.cut"), func(e *env) float64 {
			x := e.sum(0)
			if dug := e.max(1); dug > 0 && e.p("dug", 0, 1) <= dug {
				x += cutDB
			}
			return x
		}),

		state("NE:spn,otn,olt,router,bras,dcswitch", "live", in("psu", "hw", "<POWERS Fuse.live", "<CONTAINS Site:dc.live"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.any(2) && e.all(3))
		}).takes(0.02, 0.06, 60, 200),
		state("Board", "live", in("<CONTAINS NE.live"), allOf),
		state("Board", "ok", in("hw", "present", "live"), allOf).takes(0, 0.1, 20, 90),
		state("Port", "tx", in("hw", "<CONTAINS Board.ok", "CONTAINS> OpticalModule.tx"), allOf),

		state("Link:ots", "loss", in("<CARRIES FibreSection.loss"), sumOf),
		state("Port:otn-line", "light", in(ots+".loss", ots+" CONNECTS> Port:otn-line.tx"), func(e *env) float64 { return yes(e.max(0) < lostDB && e.all(1)) }),
		state("Port:otn-line", "als", in("light"), func(e *env) float64 { return yes(!e.all(0)) }).takes(0.1, 3, 1, 10),
		state("Port:otn-line", "osc", in("light", ots+".loss", ots+" CONNECTS> Port:otn-line <CONTAINS Board <CONTAINS NE.live"), func(e *env) float64 {
			dark := e.max(1) >= lostDB+4 || !e.all(2)
			return yes(!dark || e.all(0))
		}).takes(0.01, 0.05, 0.1, 1),
		state("Link:ots", "up", in("CONNECTS> Port:otn-line.light", "CONNECTS> Port:otn-line.tx"), allOf),
		effective("Link:ots"),
		// What the span in use adds: the working one while it works.
		state("Link:ots", "pen", in("up", "loss", "CONNECTS> Port:otn-line.deg", twins+"Link:ots.up", "<PROTECTS ProtectionGroup.switched"), func(e *env) float64 {
			standby := e.n(3) > 0 && e.is(3) && !e.isFirst(3)
			if !e.is(0) || standby || e.isFirst(3) && e.on(4) {
				return 0
			}
			return e.sum(1) + e.sum(2)
		}),
		state("Link:och", "up", in("<CARRIES Link:ots.eff"), allOf).takes(0.005, 0.02, 0.1, 2),
		state("Link:och", "pen", in("<CARRIES Link:ots.pen"), sumOf),
		effective("Link:och"),
		state("Port:transponder", "pen", in(och+".pen", och+".up", "deg"), func(e *env) float64 {
			x := e.sum(2)
			if e.is(1) {
				x += e.max(0)
			}
			return x
		}),
		state("Port:transponder", "rx", in("tx", och+".up", och+" CONNECTS> Port:transponder.tx", "pen"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.all(2) && e.max(3) < e.p("fec", 9, 14))
		}).takes(0.003, 0.05, 0.5, 4),
		state("Port:transponder", "q", in("pen"), sumOf).takes(1, 5, 1, 5),
		state("Port:transponder", "mf", in("rx"), allOf).takes(0.003, 0.003, 0.003, 0.003),
		state("Port:transponder", "odu", in("rx", "oci", "tim", "plm"), func(e *env) float64 {
			return yes(e.all(0) && !e.some(1) && !e.some(2) && !e.some(3))
		}),
		// A protection holds the other path until the first has been good for a while.
		state("Link:och", "settled", in("up"), allOf).takes(0, 0, 5, 10),
		state("Port:client", "ok", in("<CARRIES Port:transponder.odu", "<CARRIES Port:transponder.tx", "<CARRIES Port:transponder <CONNECTS Link:och.eff", "<CARRIES Port:transponder <CONNECTS Link:och.settled"), func(e *env) float64 {
			return yes(e.all(0) || e.is(1) && e.is(2) && !e.is(3)) // och protection selects the other path
		}).takes(0.001, 0.05, 0.2, 2),

		state("Link:eth,ip", "loss", in("<CARRIES FibreSection.loss"), sumOf),
		state("Link:eth,ip", "medium", in("loss", "<CARRIES Link:och.eff"), func(e *env) float64 { return yes(e.max(0) < lostDB && e.all(1)) }),
		// A port gets its signal through the client port of an optical system when it
		// has one, else straight from the medium.
		state("Port:eth,backhaul,uplink,ip", "pcs", in("tx", "<CONNECTS Port:client.ok", "<CONNECTS Link:eth,ip.medium", "<CONNECTS Link:eth,ip CONNECTS> Port.tx"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && (e.n(1) > 0 || e.all(2)) && e.all(3))
		}).takes(0.001, 0.01, 0.5, 2),
		state("Port:eth,backhaul,uplink,ip", "rx", in("pcs"), allOf).takes(0.005, 0.04, 0.5, 3),
		state("Link:eth", "up", in("CONNECTS> Port:eth,backhaul,uplink,ip.rx"), allOf),
		state("Link:eth", "load", in("traffic", "CARRIES> Tunnel <PROTECTS ProtectionGroup.switched"), func(e *env) float64 {
			return e.sum(0) + 0.2*math.Min(2, e.sum(1)) // a switch brings its traffic here
		}).every(time.Minute),

		state("FlexEGroup", "up", in("cfg", "DEPENDS_ON> Port:eth.rx"), allOf).takes(0.001, 0.02, 1, 5),
		state("Channel", "up", in("<CARRIES FlexEGroup.up", "cfg"), allOf).takes(0.001, 0.02, 0.2, 2),
		effective("Channel"),
		// 3.5 continuity checks of 3.33 to 10 ms.
		state("Tunnel", "up", in("cfg", "<CARRIES Link:eth.up", "<CARRIES Channel.eff", "<CARRIES Link:eth.load"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.all(2) && e.max(3) < 0.95)
		}).takes(0.0117, 0.035, 0.5, 3),
		effective("Tunnel"),
		state("PW", "up", in("<CARRIES Tunnel.eff"), allOf).takes(0.01, 0.1, 0.5, 3),
		state("ProtectionGroup", "aps", in("PROTECTS> Tunnel.up", "PROTECTS> Channel.up", "PROTECTS> Link:ots,och.up"), func(e *env) float64 {
			stuck := e.chance("stuck", 0.01) // nobody knows until it has to switch
			return yes(!stuck || allOf(e) > 0)
		}),
		// The first member works, the others protect; it waits five minutes to restore.
		state("ProtectionGroup", "switched", in("aps", "PROTECTS> Tunnel.up", "PROTECTS> Channel.up", "PROTECTS> Link:ots,och.up"), func(e *env) float64 {
			for i := 1; i <= 3; i++ {
				if n := e.n(i); n > 1 && e.is(0) && e.first(i) < 0.5 && e.share(i) > 0 {
					return 1
				}
			}
			return 0
		}).takes(0.01, 0.05, 300, 310),

		// Optical elements have a management network of their own; the others are
		// managed through any port that still has a signal.
		state("NE:otn", "reach", in("live", "agent"), allOf),
		state("NE:spn,olt,router,bras", "reach", in("live", "agent", line+":eth,uplink,ip.rx"), anyOf),
		state("NE:spn,otn,olt", "sync", in("clk", "<SYNCHRONISES NE.sync", "<SYNCHRONISES NE.live"), anyOf).takes(2, 15, 60, 200),

		raise("Port:otn-line", "ots-loss-of-signal-los-p", "critical", 8, in("light"), bad).takes(0.05, 0.6, 1, 8),
		raise("Port:otn-line", "osc-loss-of-signal", "critical", 8, in("osc"), bad).takes(0.1, 1, 1, 8),
		raise("Port:otn-line", "automatic-laser-shutdown-power-reduction", "warning", 18, in("als"), there).takes(0.1, 1, 1, 8),
		raise("Port:otn-line", "span-loss-power-out-of-specification", "major", 3, in(ots+".loss", "deg"), func(e *env) bool {
			x := e.max(0) + e.sum(1)
			return x >= e.p("baseline", 1.8, 3) && x < lostDB
		}).mirrors().takes(5, 120, 30, 120),
		raise("Port:otn-line", "reflection-too-high", "minor", 3, in("refl", ots+".loss"), func(e *env) bool {
			x := e.max(1)
			return e.some(0) || x >= 1 && x < lostDB && e.chance("connector", 0.1)
		}).takes(5, 120, 30, 120),
		raise("Port:otn-line", "otdr-scan-in-progress", "warning", 612, in("scan"), bad),
		raise("Link:och", "oms-och-forward-defect-indication-ais", "minor", 1, in("up"), bad),
		raise("Port:transponder", "otuk-loss-of-frame", "critical", 6, in("rx", "tx"), func(e *env) bool { return e.is(1) && !e.all(0) }),
		raise("Port:transponder", "otuk-loss-of-multiframe", "critical", 16, in("mf", "tx"), func(e *env) bool { return e.chance("lom", 0.35) && e.is(1) && !e.all(0) }),
		raise("Port:transponder", "otuk-oduk-ais", "minor", 1, in("odu", "rx"), func(e *env) bool { return e.chance("ais", 0.8) && !e.is(1) && !e.all(0) }),
		raise("Port:transponder", "otuk-oduk-bdi", "minor", 4, in(och+" CONNECTS> Port:transponder.rx", "rx"), func(e *env) bool { return e.is(1) && !e.all(0) }).leaf(),
		raise("Port:transponder", "oduk-open-connection-indication", "major", 14, in("oci"), there),
		raise("Port:transponder", "oduk-locked-defect", "minor", 612, in("locked"), bad),
		raise("Port:transponder", "oduk-trail-trace-identifier-mismatch", "major", 13, in("tim"), there),
		raise("Port:transponder", "payload-mismatch", "major", 9, in("plm"), there),
		raise("Port:transponder", "pre-fec-ber-excessive", "minor", 12, in("pen", "rx"), func(e *env) bool { return e.is(1) && e.max(0) >= e.p("ber", 2, 4) }).takes(2, 60, 20, 90),
		raise("Port:transponder", "signal-degrade-deg", "minor", 3, in("q", "rx"), func(e *env) bool { return e.is(1) && e.max(0) >= e.p("dq", 4, 6.5) }).takes(10, 120, 20, 90),
		raise("Port:transponder", "port-rx-optical-power-low", "minor", 3, in("pen"), func(e *env) bool { return e.chance("ddm", 0.4) && e.max(0) >= 3 }).takes(10, 120, 20, 90),
		raise("Port:client", "client-signal-fail-csf-ssf", "major", 8, in("ok"), bad),

		raise("Port:eth", "ethernet-link-down-eth-los", "critical", 8, in("rx"), bad).takes(0.05, 1, 2, 10),
		raise("Port:eth", "local-fault-remote-fault-pcs", "major", 25, in("<CONNECTS Port:client.ok", "pcs"), func(e *env) bool {
			return !e.all(0) || e.chance("pcs", 0.2) && !e.all(1)
		}),
		raise("FlexEGroup", "mtn-flexe-group-loss-of-alignment-or-frame", "critical", 6, in("up"), bad),
		raise("Channel", "spn-channel-mtn-path-signal-fail", "major", 14, in("up"), bad),
		raise("Tunnel", "mpls-tp-tunnel-loc-mpls-tunnel-locv", "major", 505, in("up"), bad).takes(0.1, 1, 2, 10),
		raise("Tunnel", "mpls-tp-tunnel-ais", "minor", 1, in("<CARRIES Link:eth.up", "<CARRIES Channel.eff"), func(e *env) bool {
			return e.chance("transit", 0.6) && bad(e)
		}).takes(0.5, 1.5, 2, 10),
		raise("Tunnel", "mpls-tp-tunnel-rdi-bdi", "minor", 11, in("up", "cfg"), func(e *env) bool {
			return !e.all(1) || e.chance("far-end", 0.25) && !e.all(0)
		}).takes(0.1, 1, 2, 10).leaf(),
		raise("Tunnel", "tunnel-down", "critical", 14, in("eff"), bad).takes(0.1, 1, 2, 10),
		raise("Tunnel", "tunnel-packet-loss-signal-degrade", "minor", 3, in("<CARRIES Link:eth.load"), func(e *env) bool { return e.max(0) >= e.p("queue", 0.5, 0.65) }).takes(5, 60, 10, 60),
		raise("Link:eth", "bandwidth-utilisation-threshold-crossed", "minor", 549, in("load"), func(e *env) bool { return e.max(0)+e.p("base", 0.2, 0.55) >= 0.85 }).takes(30, 300, 60, 300),
		raise("PW", "pw-down-pw-loc", "major", 505, in("up"), bad),
		raise("MEP", "eth-oam-ccm-loss-remote-ccm", "major", 505, in("<CONTAINS Port:eth.rx"), bad).takes(0.1, 4, 2, 10),
		raise("MEP", "eth-oam-rdi-rdi-ccm", "minor", 11, in("<CONTAINS Port:eth <CONNECTS Link:eth CONNECTS> Port:eth.rx", "<CONTAINS Port:eth.rx"), func(e *env) bool { return e.is(1) && !e.all(0) }).takes(0.1, 4, 2, 10).leaf(),
		raise("ProtectionGroup", "protection-switched-sf-on-working", "warning", 60, in("switched"), there).takes(0.05, 0.5, 1, 5),
		raise("ProtectionGroup", "loss-of-protection-redundancy", "minor", 77, in("PROTECTS> Tunnel.up", "PROTECTS> Channel.up", "PROTECTS> Link:ots,och.up"), func(e *env) bool {
			for i := range 3 {
				if s := e.share(i); s > 0 && s < 1 {
					return true
				}
			}
			return false
		}).takes(0.1, 2, 5, 30),
		raise("ProtectionGroup", "aps-protocol-error", "major", 81, in("aps"), bad),

		raise("Board:line", "equipment-board-fault", "critical", 69, in("hw", "present", "<CONTAINS NE:spn,otn,olt.hw"), func(e *env) bool {
			return e.n(2) > 0 && (!e.all(0) || e.chance("removed-is-fault", 0.5) && !e.all(1))
		}),
		raise("Board:line", "equipment-removed", "critical", 62, in("present"), bad),
		raise("NE:spn,otn,olt", "ne-unreachable-dcn-management-loss", "critical", 505, in("reach"), bad).takes(50, 180, 20, 60).byManager(),
		raise("NE:spn,otn,olt", "power-feed-problem-a-b", "major", 58, in("psu", "<POWERS Fuse.live"), func(e *env) bool {
			return e.min(0) < 1 || e.share(1) < 1
		}).mirrors().takes(0.01, 0.04, 2, 15).seen(0.85),
		raise("NE:spn,otn,olt", "loss-of-synchronization-synce-ptp", "major", 76, in("sync"), bad).takes(1, 10, 10, 60),
	}
}
