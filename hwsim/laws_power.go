package hwsim

import "math"

// reporters says whose agent speaks about a kind of resource: the way from the
// resource to the element. A kind that is not here speaks for itself, or has a
// probe or manager in a data centre that speaks about it.
var reporters = map[string]string{
	"PowerSystem":     "<CONTAINS Site CONTAINS> Shelter CONTAINS> PMU",
	"Rectifier":       "<CONTAINS PowerSystem <CONTAINS Site CONTAINS> Shelter CONTAINS> PMU",
	"Battery":         "<CONTAINS PowerSystem <CONTAINS Site CONTAINS> Shelter CONTAINS> PMU",
	"Generator":       "<CONTAINS PowerSystem <CONTAINS Site CONTAINS> Shelter CONTAINS> PMU",
	"SPD":             "<CONTAINS PowerSystem <CONTAINS Site CONTAINS> Shelter CONTAINS> PMU",
	"DCDistribution":  "<CONTAINS PowerSystem <CONTAINS Site CONTAINS> Shelter CONTAINS> PMU",
	"Fuse":            "<CONTAINS DCDistribution <CONTAINS PowerSystem <CONTAINS Site CONTAINS> Shelter CONTAINS> PMU",
	"Shelter":         "CONTAINS> PMU",
	"AirConditioner":  "<CONTAINS Shelter CONTAINS> PMU",
	"Cabinet":         "<CONTAINS Shelter CONTAINS> PMU",
	"FanTray":         "<CONTAINS Cabinet <CONTAINS Shelter CONTAINS> PMU",
	"Board":           "<CONTAINS NE",
	"Port":            "<CONTAINS Board <CONTAINS NE",
	"OpticalModule":   "<CONTAINS Port <CONTAINS Board <CONTAINS NE",
	"RRU":             "<CONNECTS Link:fronthaul CONNECTS> Port:fronthaul <CONTAINS Board <CONTAINS NE",
	"Antenna":         "<POWERS RRU <CONNECTS Link:fronthaul CONNECTS> Port:fronthaul <CONTAINS Board <CONTAINS NE",
	"Cell":            "<HOSTS Board:bbu <CONTAINS NE",
	"Link:och":        "CONNECTS> Port:transponder <CONTAINS Board <CONTAINS NE",
	"Link:eth":        "CONNECTS> Port:eth <CONTAINS Board <CONTAINS NE",
	"MEP":             "<CONTAINS Port:eth <CONTAINS Board <CONTAINS NE",
	"FlexEGroup":      "DEPENDS_ON> Port:eth <CONTAINS Board <CONTAINS NE",
	"Channel":         "<CARRIES FlexEGroup DEPENDS_ON> Port:eth <CONTAINS Board <CONTAINS NE",
	"Tunnel":          "<CARRIES Link:eth CONNECTS> Port:eth <CONTAINS Board <CONTAINS NE",
	"PW":              "<CARRIES Tunnel <CARRIES Link:eth CONNECTS> Port:eth <CONTAINS Board <CONTAINS NE",
	"ONU":             "<SERVES PON <CARRIES Port:pon <CONTAINS Board <CONTAINS NE",
	"VRF":             "<CONTAINS NE",
	"LAG:ip":          "<CONTAINS NE",
	"LAG:bond":        "<CONTAINS Host",
	"Port:host":       "<CONTAINS Host",
	"Session:bfd":     "<CONTAINS NE",
	"Session:ospf":    "<CONTAINS NE",
	"Session:isis":    "<CONTAINS NE",
	"Session:bgp":     "<CONTAINS NE",
	"Session:ldp":     "<CONTAINS NE",
	"Session:te":      "<CONTAINS NE",
	"ProtectionGroup": "PROTECTS> Tunnel <CARRIES Link:eth CONNECTS> Port:eth <CONTAINS Board <CONTAINS NE",
}

// powerLaws: mains, rectifiers, batteries, distribution, generators, UPS, and the
// heat that stays when cooling has no power. Cooling runs on the mains, not on the
// battery.
func powerLaws() []law {
	const system = "<CONTAINS PowerSystem"
	pmu := func(l law) law { return l.takes(1, 15, 5, 30) } // poll of the monitoring unit
	return []law{
		state("PowerSystem:district", "ac", in("hw"), allOf),
		state("PowerSystem:site,dc", "ac", in("mains", "<POWERS PowerSystem:district.ac"), func(e *env) float64 {
			return yes(e.all(0) && (e.n(1) == 0 || e.any(1)))
		}).takes(0, 0.4, 1, 5),
		state("Generator", "run", in("hw", "fuel", system+".ac"), func(e *env) float64 {
			return yes(!e.all(2) && e.is(0) && e.sum(1) > 0)
		}).takes(12, 60, 30, 300),
		state("Generator", "fuel", in("run"), func(e *env) float64 { return yes(!e.some(0)) }).linear(func(e *env) float64 {
			return map[bool]float64{true: e.p("tank", 8, 24), false: 2}[e.some(0)]
		}, 0, 0.2, 0.5),
		state("PowerSystem:site,dc", "supply", in("ac", "CONTAINS> Generator.run"), func(e *env) float64 {
			return yes(e.some(1) || e.all(0))
		}),
		state("Rectifier", "live", in("hw", system+".supply"), allOf).takes(0, 0.2, 2, 12),
		state("PowerSystem:site,dc", "rect", in("CONTAINS> Rectifier.live"), func(e *env) float64 {
			n := float64(e.n(0))
			return math.Min(1, math.Round(e.share(0)*n)/math.Max(1, n-1)) // built N+1
		}),
		state("Battery", "disch", in(system+".rect"), func(e *env) float64 { return yes(e.min(0) < 1) }).takes(0.1, 1, 1, 8),
		state("Battery", "charge", in("disch"), func(e *env) float64 { return yes(!e.some(0)) }).linear(func(e *env) float64 {
			if e.some(0) {
				return e.num("capacity_ah", 100) / e.num("load_a", 25) * e.p("health", 0.7, 1.05)
			}
			return 8
		}, 0, 0.1, 0.15, 0.2, 0.25, 0.5, 0.9),
		state("Battery", "store", in("hw", "present", "charge"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.sum(2) > 0)
		}),
		state("PowerSystem:site,dc", "live", in("rect", "CONTAINS> Battery.store"), func(e *env) float64 {
			return yes(e.min(0) >= 1 || e.n(1) > 0 && e.any(1))
		}).takes(0, 0.05, 1, 5),
		// The low-voltage disconnect sheds radio first and keeps transmission alive.
		state("DCDistribution", "llvd", in(system+".rect", system+" CONTAINS> Battery.charge"), func(e *env) float64 {
			limit := []float64{0.1, 0.15, 0.2}[int(2.99*e.p("llvd", 0, 1))]
			return yes(e.n(1) > 0 && e.min(0) < 1 && e.max(1) <= limit)
		}).takes(1, 4, 20, 120),
		state("DCDistribution", "live", in("hw", system+".live"), allOf).takes(0, 0.2, 1, 20),
		state("Fuse", "live", in("hw", "<CONTAINS DCDistribution.live", "<CONTAINS DCDistribution.llvd", "POWERS> RRU.hw"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && (e.n(3) == 0 || !e.some(2)))
		}),
		state("UPS", "disch", in("<CONTAINS Site CONTAINS> PowerSystem.supply", "trip"), func(e *env) float64 {
			return yes(!e.any(0) || e.some(1))
		}).takes(0, 0.1, 1, 20),
		state("UPS", "charge", in("disch"), func(e *env) float64 { return yes(!e.some(0)) }).linear(func(e *env) float64 {
			if e.some(0) {
				return e.num("autonomy_min", 20) / 60 * e.p("health", 0.8, 1.1)
			}
			return 4
		}, 0, 0.3, 0.9),
		state("UPS", "bypass", in("hw", "load"), func(e *env) float64 { return yes(!e.all(0) || e.some(1)) }).takes(0, 0.1, 60, 300),
		state("UPS", "live", in("hw", "charge", "<CONTAINS Site CONTAINS> PowerSystem.supply"), func(e *env) float64 {
			return yes(e.any(2) || e.all(0) && e.min(1) > 0)
		}),
		state("Site:dc", "live", in("hw", "CONTAINS> UPS.live", "CONTAINS> PowerSystem.live"), func(e *env) float64 {
			return yes(e.all(0) && (e.n(1) > 0 && e.any(1) || e.n(1) == 0 && e.any(2)))
		}),
		state("PMU", "live", in("<CONTAINS Shelter <CONTAINS Site CONTAINS> PowerSystem.live"), anyOf),
		state("PMU", "reach", in("live", "<CONTAINS Shelter CONTAINS> Cabinet CONTAINS> NE.reach"), anyOf).takes(1, 5, 5, 30),

		state("AirConditioner", "cool", in("hw", "<CONTAINS Shelter <CONTAINS Site CONTAINS> PowerSystem.supply"), func(e *env) float64 {
			return yes(e.all(0) && e.any(1))
		}).takes(1, 10, 60, 240),
		state("Shelter", "temp", in("CONTAINS> AirConditioner.cool", "CONTAINS> AirConditioner.hw"), func(e *env) float64 {
			left, need := e.shareBy(0, "cooling_kw"), e.p("need", 0.7, 0.95) // of what is installed
			switch {
			case left == 1:
				return 0
			case e.is(1) && e.chance("free-cooling", 0.6): // fans on the battery help when only the mains is gone
				return e.p("heat", 4, 9)
			case left >= need:
				return e.p("heat", 1, 4)
			}
			return e.p("heat", 28, 40) * (need - left) / need
		}).settles(25, 60, 4, 8, 12, 16, 20, 24, 28, 32),
		state("Cabinet", "temp", in("<CONTAINS Shelter.temp", "CONTAINS> FanTray.hw"), func(e *env) float64 {
			return e.max(0) + (1-e.share(1))*e.p("air", 12, 20)
		}).settles(5, 12, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48),

		pmu(raise("PowerSystem:site,dc", "mains-input-failure-ac-fail", "major", 106, in("ac"), bad)),
		pmu(raise("PowerSystem:site,dc", "mains-input-out-of-range", "major", 106, in("quality"), bad)),
		pmu(raise("PowerSystem:site,dc", "loss-of-power-supply-redundancy", "minor", 77, in("CONTAINS> Rectifier.hw", "supply"), func(e *env) bool {
			return e.n(0) > 1 && e.is(1) && e.share(0) < 1
		})),
		pmu(raise("Rectifier", "rectifier-power-module-abnormal", "major", 114, in("hw", "live"), func(e *env) bool {
			return !e.all(0) || e.chance("tells-ac", 0.25) && !e.all(1)
		})),
		pmu(raise("Rectifier", "rectifier-high-voltage", "major", 115, in("volt"), func(e *env) bool { return e.sum(0) > 0.5 })),
		pmu(raise("Rectifier", "rectifier-low-voltage", "major", 116, in("volt"), func(e *env) bool { return e.sum(0) < -0.5 })),
		pmu(raise("Battery", "battery-on-discharge", "major", 104, in("disch", "store"), func(e *env) bool { return e.some(0) && e.is(1) })),
		pmu(raise("Battery", "battery-low-voltage", "critical", 112, in("charge", "disch"), func(e *env) bool {
			return e.on(1) && e.min(0) <= 0.25
		})),
		pmu(raise("Battery", "battery-power-unavailable", "critical", 105, in("hw", "charge", "disch"), func(e *env) bool {
			return !e.all(0) || e.on(2) && e.min(1) <= 0
		})),
		pmu(raise("Battery", "battery-not-in-position", "major", 62, in("present"), bad)),
		pmu(raise("Battery", "battery-temperature-unacceptable", "major", 123, in("hot", system+" <CONTAINS Site CONTAINS> Shelter.temp"), func(e *env) bool {
			return e.some(0) || e.max(1) >= 24
		})),
		pmu(raise("DCDistribution", "load-disconnected-lvd-open", "critical", 78, in("hw", "llvd"), func(e *env) bool { return e.some(1) || !e.all(0) })),
		pmu(raise("DCDistribution", "power-supply-dc-output-out-of-range", "major", 58, in("volt", system+" CONTAINS> Rectifier.volt"), func(e *env) bool {
			return math.Abs(e.sum(0)+e.sum(1)) > 0.5
		})),
		pmu(raise("Fuse", "load-fuse-broken", "critical", 110, in("hw"), bad)),
		pmu(raise("Generator", "diesel-generator-startup-failure", "major", 111, in("hw", system+".ac"), func(e *env) bool {
			return !e.all(0) && !e.all(1)
		})).takes(30, 90, 5, 30),
		pmu(raise("Generator", "diesel-generator-fault", "major", 111, in("hw"), bad)).takes(60, 600, 5, 30).seen(0.7),
		pmu(raise("Generator", "diesel-generator-low-fuel", "minor", 127, in("fuel"), func(e *env) bool { return e.min(0) <= 0.2 })),
		pmu(raise("AirConditioner", "air-conditioning-failure", "major", 102, in("hw"), bad)).takes(5, 60, 10, 60),
		pmu(raise("Shelter", "ambient-temperature-unacceptable", "minor", 123, in("temp"), func(e *env) bool { return e.max(0) >= 12 })),
		pmu(raise("Cabinet", "cabinet-temperature-unacceptable", "major", 123, in("temp"), func(e *env) bool { return e.max(0) >= 16 })),
		pmu(raise("FanTray", "fan-stalled", "major", 107, in("hw"), bad)),
		raise("UPS", "ups-on-battery", "major", 104, in("disch"), there).takes(0.5, 5, 2, 20),
		raise("UPS", "ups-output-overload", "major", 58, in("load"), there),
		raise("UPS", "ups-on-bypass", "warning", 77, in("bypass"), there),
		raise("Site:dc", "subcloud-site-offline", "critical", 612, in("live"), bad).takes(20, 90, 20, 90).byManager(),
		raise("PMU", "monitoring-device-maintenance-link-failure", "minor", 505, in("reach"), func(e *env) bool {
			return e.chance("polled", 0.35) && !e.all(0)
		}).takes(120, 400, 10, 60).byManager(),
		// Contacts without a law behind them: only the background closes them.
		raise("SPD", "ac-surge-protector-fault", "minor", 58, in("hw"), bad),
		raise("Battery", "battery-current-out-of-range", "minor", 72, in("volt"), there),
		raise("Shelter", "smoke-alarm", "critical", 132, in("smoke"), bad),
		raise("Shelter", "water-alarm", "major", 121, in("dry"), bad),
		raise("Shelter", "burglar-door-open-alarm", "minor", 118, in("door"), bad),
	}
}
