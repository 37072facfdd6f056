package hwsim

import (
	"math"
	"time"
)

// coreLaws: network functions, their registration and load, the signalling and user
// sessions, and success rates as counters show them every few minutes.
func coreLaws() []law {
	const needs = "DEPENDS_ON> NF:"
	hosts := []string{"sw", "<HOSTS VM.up", "<HOSTS Pod.up"}
	var roles []string
	for _, r := range []string{"AMF", "SMF", "UPF", "NRF", "SCP", "UDM", "AUSF", "PCF", "CHF", "IMS", "DNS"} {
		roles = append(roles, needs+r+".serve")
	}
	overload := func(e *env) float64 { return e.max(0) }
	return []law{
		state("NF", "up", in(hosts...), func(e *env) float64 {
			fed := e.n(1)+e.n(2) == 0 || e.n(1) > 0 && e.any(1) || e.n(2) > 0 && e.any(2)
			return yes(fed && e.all(0))
		}).takes(0.5, 4, 20, 90),
		state("NF", "reg", in("up", needs+"NRF.up"), func(e *env) float64 {
			return yes(e.all(0) || !e.any(1)) // a registry that is down removes nobody
		}).takes(20, 70, 5, 30),
		state("NF:UDM", "db", in("udr", "DEPENDS_ON> Volume.ok"), allOf).takes(2, 30, 10, 60),
		state("NF:DNS", "resolves", in("up", "dns"), allOf),
		state("NF:SCP", "route", in("up", needs+"DNS.resolves", needs+"UDM.up", needs+"AUSF.up", needs+"PCF.up", needs+"CHF.up"), anyOf).takes(5, 40, 5, 30),
		state("NF:SMF", "policy", in(needs+"PCF.up", needs+"SCP "+needs+"PCF.up", "<DEPENDS_ON Session:diameter.up"), anyOf).takes(5, 40, 5, 30),
		state("NF:SMF", "charging", in("chf", needs+"CHF.up", needs+"SCP "+needs+"CHF.up"), anyOf).takes(5, 40, 5, 30),
		// Load above what the planners gave room for.
		state("Pool", "storm", in("switch", "HOSTS> NF.up"), func(e *env) float64 {
			if e.min(0) < 1 {
				return 1 - e.min(0)
			}
			if e.share(1) < 0.6 {
				return 0.8 // the survivors take everyone at once
			}
			return 0
		}).linear(func(e *env) float64 { return e.p("ramp", 0.03, 0.1) }, 0.15, 0.3, 0.45, 0.6, 0.75),
		state("NF:AMF", "load", in("surge", "<HOSTS Pool.storm", "<HOSTS Pool HOSTS> NF:AMF.up", "up", "cap"), func(e *env) float64 {
			n := float64(e.n(2) + 1)
			x := e.max(0) + e.max(1)
			if e.is(3) {
				x += e.p("base", 0.3, 0.42) * (n/(e.share(2)*(n-1)+1) - 1)
			}
			if e.chance("near-limit", 0.4) && !e.all(4) {
				x += 0.5
			}
			return x
		}).takes(1, 10, 10, 90),
		state("NF:NRF", "load", in("surge", "<DEPENDS_ON NF:AMF.load", "<DEPENDS_ON NF:SMF.load"), func(e *env) float64 {
			return e.max(0) + math.Max(0.9*e.max(1), 0.7*e.max(2))
		}).takes(1, 10, 10, 90),
		state("NF", "load", in("<HOSTS Pool.storm"), sumOf).takes(1, 10, 10, 90),

		state("Session:sctp", "up", in("ses", "DEPENDS_ON> NE:gnb.live", "DEPENDS_ON> NE:gnb.sw", "DEPENDS_ON> NE:gnb.ip", "DEPENDS_ON> NF.up", "<SERVES VRF.up"), anyOf).takes(5, 63, 5, 30),
		state("Session:sctp", "ng", in("up", "DEPENDS_ON> NE:gnb.ng"), func(e *env) float64 { return yes(e.all(0) || e.all(1)) }).takes(0.2, 1, 0.5, 2),
		state("Session:gtpu", "up", in("ses", "DEPENDS_ON> NE:gnb.live", "DEPENDS_ON> NE:gnb.ip", "DEPENDS_ON> NF.up", "<SERVES VRF.up"), anyOf).takes(10, 60, 3, 20),
		state("Session:n4", "up", in("ses", "DEPENDS_ON> NF:SMF.up", "DEPENDS_ON> NF:UPF.up", "<SERVES VRF.up"), anyOf).takes(6, 25, 3, 15),
		state("Session:diameter", "up", in("ses", "DEPENDS_ON> NF:UDM.up", "DEPENDS_ON> NF:AUSF.up", "DEPENDS_ON> NF:SMF.up", "<SERVES VRF.up"), anyOf).takes(10, 60, 5, 30),

		state("NF:UDM", "serve", in("up", "db"), allOf),
		state("NF:AUSF", "serve", in("up", needs+"UDM.serve", "<DEPENDS_ON Session:diameter.up"), anyOf),
		state("NF:SCP", "serve", in("route"), allOf),
		state("NF:DNS", "serve", in("resolves"), allOf),
		state("NF:SMF", "serve", in("up", needs+"SCP.route", "policy", "<DEPENDS_ON Session:n4.up", "load"), func(e *env) float64 {
			return yes(e.all(0) && e.any(1) && e.all(2) && e.any(3) && e.max(4) < 0.45)
		}),
		state("NF:AMF", "serve", in("up", needs+"SCP.route", needs+"AUSF.serve", "load"), func(e *env) float64 {
			return yes(e.all(0) && e.any(1) && e.any(2) && e.max(3) < 0.45)
		}),
		state("NF:IMS", "serve", in("up", needs+"AMF.serve", needs+"SMF.serve", needs+"UPF.up"), anyOf),
		state("NF", "serve", in("up"), allOf),
		state("Service", "serve", in(append([]string{"speed", "DEPENDS_ON> NE.live"}, roles...)...), anyOf).takes(1, 10, 5, 60),
		state("Slice", "serve", in("DEPENDS_ON> Channel.eff"), allOf).takes(0, 1, 1, 10),

		raise("NF", "nf-pod-vnfc-failure", "critical", 545, in(hosts...), bad).mirrors().takes(2, 20, 10, 40),
		raise("NF", "nf-instance-suspended-heartbeat-missed", "major", 504, in("reg"), bad),
		raise("NF", "nf-profile-status-in-nrf-down", "critical", 612, in("reg", "sw"), func(e *env) bool { return e.chance("audited", 0.3) && !e.all(0) }).takes(5, 60, 5, 60),
		raise("NF:NRF", "nf-registrations-below-threshold", "critical", 549, in("<DEPENDS_ON NF.reg", "up"), func(e *env) bool {
			return e.is(1) && e.share(0) < e.p("threshold", 0.75, 0.95)
		}).every(time.Minute),
		raise("NF:NRF", "nrf-traffic-above-threshold", "critical", 207, in("load"), func(e *env) bool { return overload(e) >= 0.35 }).every(time.Minute),
		raise("NF:NRF", "nrf-transaction-error-rate-high", "critical", 203, in("load", "up"), func(e *env) bool { return e.is(1) && overload(e) >= e.p("breaks", 0.4, 0.6) }).every(time.Minute),
		raise("NF:AMF,NRF", "signalling-storm-overload-control-active", "critical", 202, in("load", "up"), func(e *env) bool { return e.is(1) && overload(e) >= 0.45 }).takes(3, 30, 30, 120),
		raise("NF", "nf-capacity-licence-exceeded", "major", 207, in("cap", "load"), func(e *env) bool { return !e.all(0) || e.max(1) >= e.p("licensed", 0.5, 1.5) }).every(5 * time.Minute),
		raise("Session:sctp", "sctp-association-down-amf-side", "major", 505, in("up", "DEPENDS_ON> NF.up"), func(e *env) bool { return e.is(1) && !e.all(0) }),
		raise("Session:sctp", "ng-interface-down-gnb-lost", "major", 505, in("ng", "DEPENDS_ON> NF.up"), func(e *env) bool { return e.is(1) && !e.all(0) }).takes(2, 10, 5, 30),
		raise("Session:n4", "n4-pfcp-path-failure", "critical", 505, in("up"), bad),
		raise("Session:gtpu", "gtp-u-path-failure-n3-n9", "major", 505, in("up", "DEPENDS_ON> NF.up"), func(e *env) bool { return e.is(1) && !e.all(0) }).takes(3, 20, 5, 30),
		raise("Session:diameter", "diameter-peer-down", "major", 505, in("up"), bad),
		raise("NF:UDM", "udm-udr-database-unreachable", "critical", 160, in("db", "up"), func(e *env) bool { return e.is(1) && !e.all(0) }).takes(2, 20, 5, 30),
		raise("NF:SMF", "pcf-unreachable", "major", 165, in("policy", "up"), func(e *env) bool { return e.is(1) && !e.all(0) }),
		raise("NF:AUSF", "ausf-udm-authentication-failure-rate-high", "major", 600, in("serve", "up"), func(e *env) bool { return e.is(1) && !e.all(0) }).every(time.Minute),
		raise("NF:AMF", "registration-success-rate-low", "critical", 532, in("load", "up", needs+"AUSF.serve", needs+"SCP.route", "<DEPENDS_ON Session:sctp.ng"), func(e *env) bool {
			return e.is(1) && (overload(e) >= 0.45 || !e.any(2) || !e.any(3) || e.share(4) < e.p("coverage", 0.75, 0.92))
		}).every(5 * time.Minute),
		raise("NF:SMF", "pdu-session-establishment-success-rate-low", "critical", 532, in("up", needs+"SCP.route", "policy", "charging", "<DEPENDS_ON Session:n4.up", needs+"UPF <DEPENDS_ON Session:gtpu.up", "load"), func(e *env) bool {
			if !e.is(0) {
				return false
			}
			return !e.any(1) || !e.all(2) || e.chance("strict", 0.6) && !e.all(3) || e.share(4) < e.p("sessions", 0.5, 0.95) || e.share(5) < e.p("paths", 0.75, 0.92) || e.max(6) >= 0.45
		}).every(5 * time.Minute),
		raise("NF:SMF", "chf-unreachable-charging-failure", "major", 165, in("charging", "up"), func(e *env) bool { return e.is(1) && !e.all(0) }),
		raise("NF:SCP", "scp-sepp-route-failure", "major", 26, in("route", "up"), func(e *env) bool { return e.is(1) && !e.all(0) }),
		raise("NF:IMS", "ims-registration-failure-rate-high", "major", 532, in("up", needs+"AMF.serve", needs+"SMF.serve"), func(e *env) bool { return e.is(0) && bad(e) && (!e.any(1) || !e.any(2)) }).every(5 * time.Minute),
		raise("NF:IMS", "vonr-volte-call-drop-rate-high", "major", 532, in("up", needs+"UPF.up", needs+"SMF.serve"), func(e *env) bool { return e.is(0) && (!e.any(1) || e.chance("calls", 0.5) && !e.any(2)) }).every(5 * time.Minute),
		raise("NF:DNS", "dns-resolution-failure", "major", 164, in("resolves"), bad).takes(5, 60, 5, 60),
		raise("Pool", "dc-switchover-triggered", "major", 81, in("switch", "HOSTS> NF.up"), func(e *env) bool { return !e.all(0) || e.share(1) < 0.6 }).takes(2, 30, 60, 600),
	}
}
