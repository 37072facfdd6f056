package hwsim

import "time"

// cloudLaws: hosts, their networks and storage, and what runs on them. Half of the
// virtual machines and most pods are started again elsewhere.
func cloudLaws() []law {
	const host = "<HOSTS Host"
	return []law{
		state("Host", "live", in("psu", "<POWERS UPS.live", "<CONTAINS Site:dc.live"), func(e *env) float64 {
			return yes(e.all(0) && (e.n(1) > 0 && e.any(1) || e.n(1) == 0 && e.all(2)))
		}).takes(0, 0.05, 120, 400),
		state("Host", "mgmt", in("<CONNECTS NE:dcswitch.live"), anyOf),
		state("Host", "fenced", in("mgmt"), allOf).takes(60, 180, 60, 200), // the cloud fences a host it cannot reach
		state("Host", "up", in("live", "hw", "fenced"), allOf).takes(0, 1, 60, 240),
		state("Host", "reach", in("live", "hw", "mgmt"), allOf),
		state("Port:host", "up", in("hw", "<CONTAINS Host.live", "<CONNECTS NE:dcswitch.live"), allOf).takes(0.01, 0.5, 2, 10),
		state("LAG:bond", "up", in("DEPENDS_ON> Port:host.up"), anyOf).takes(0.1, 1, 1, 5),
		state("VirtualNetwork", "up", in("DEPENDS_ON> LAG:bond.up", "DEPENDS_ON> VSwitch.agent"), allOf).takes(1, 15, 5, 30),

		state("Storage", "ok", in("hw", host+".up"), anyOf).takes(1, 20, 20, 120),
		state("Volume", "ok", in("<CONTAINS Storage.ok", "<CONTAINS Storage.io", "fs"), func(e *env) float64 {
			if e.is(0) && e.is(2) {
				e.slow(60, 300)
			}
			return yes(e.all(0) && e.all(2) && (e.chance("tolerant", 0.3) || e.all(1)))
		}).takes(2, 20, 10, 60),

		state("VM", "evac", in(host+".up"), func(e *env) float64 { return yes(e.chance("ha", 0.5) && !e.all(0)) }).takes(240, 600, 60, 200),
		state("VM", "up", in("sw", host+".up", "evac", "DEPENDS_ON> Storage.ok", host+" CONTAINS> LAG:bond.up"), func(e *env) float64 {
			home := e.is(1) && e.is(4)
			if !home && e.some(2) {
				return yes(e.all(0) && e.all(3))
			}
			return yes(e.all(0) && e.all(1) && e.all(3) && e.all(4))
		}).takes(0.5, 4, 15, 60),
		// The node controller waits forty seconds, the eviction five minutes.
		state("KubeNode", "ready", in(host+".up", host+".cnet"), allOf).takes(40, 55, 10, 40),
		state("Pod", "evac", in("<HOSTS KubeNode.ready"), func(e *env) float64 { return yes(e.chance("stateless", 0.65) && !e.all(0)) }).takes(300, 360, 30, 120),
		state("Pod", "well", in("sw", "<HOSTS KubeNode"+" "+host+".mem", "<HOSTS KubeNode "+host+".fs"), func(e *env) float64 {
			return yes(e.all(0) && !(e.chance("hungry", 0.35) && e.some(1)) && (!e.chance("writes", 0.4) || e.all(2)))
		}).takes(1, 120, 20, 90),
		state("Pod", "up", in("well", "<HOSTS KubeNode "+host+".up", "evac"), func(e *env) float64 {
			return yes(e.all(0) && (e.is(1) || e.some(2) || e.all(1)))
		}).takes(0.5, 4, 10, 40),
		state("Cluster:etcd", "up", in("hw", "DEPENDS_ON> Storage.ok", "DEPENDS_ON> Storage.io"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && (e.chance("fast-log", 0.2) || e.all(2)))
		}).takes(5, 90, 10, 60),
		state("Cluster:k8s", "up", in("DEPENDS_ON> Cluster:etcd.up", "<CONTAINS CloudControl.cert", "CONTAINS> KubeNode.ready"), func(e *env) float64 {
			return yes(e.all(0) && e.all(1) && e.share(2) > 0.2)
		}).takes(1, 10, 10, 60),

		raise("Host", "host-failure-auto-recovering", "critical", 165, in("up"), bad).takes(2, 25, 10, 60).byManager(),
		raise("Host", "host-management-network-failure", "critical", 505, in("mgmt"), bad).takes(2, 20, 5, 30).byManager(),
		raise("Host", "cluster-host-network-failure", "critical", 505, in("cnet"), bad).takes(2, 20, 5, 30),
		raise("Host", "host-bmc-access-failed", "warning", 505, in("bmc"), bad),
		raise("Host", "host-sensor-out-of-tolerance", "major", 514, in("sensor", "<POWERS UPS.disch"), func(e *env) bool { return !e.all(0) || e.chance("psu-sensor", 0.05) && e.some(1) }),
		raise("Host", "platform-cpu-threshold-exceeded", "major", 549, in("cpu"), there).every(time.Minute),
		raise("Host", "memory-threshold-exceeded", "major", 549, in("mem"), there).every(time.Minute),
		raise("Host", "file-system-threshold-exceeded", "major", 151, in("fs"), bad).every(time.Minute),
		raise("Port:host", "data-port-failed", "major", 8, in("up"), bad),
		raise("LAG:bond", "data-interface-failed", "critical", 8, in("up"), bad),
		raise("VirtualNetwork", "provider-network-communication-failure", "major", 165, in("up"), bad).takes(5, 40, 5, 30),
		raise("VSwitch", "networking-agent-not-responding", "major", 165, in("agent", "ctl", host+".up"), func(e *env) bool {
			return !e.all(0) || e.chance("agent-needs-controller", 0.4) && !e.all(1) || e.chance("agent-dies", 0.5) && !e.all(2)
		}).takes(30, 90, 10, 40),
		raise("VSwitch", "openflow-sdn-controller-connection-failed", "major", 8, in("ctl"), bad).takes(5, 30, 5, 30),
		raise("VM", "instance-vm-failed", "critical", 163, in("up"), bad).takes(1, 15, 5, 30),
		raise("VM", "instance-rebuilding-evacuating", "critical", 165, in(host+".up", "evac"), func(e *env) bool {
			return e.chance("ha", 0.5) && e.sum(1) == 0 && !e.all(0)
		}).takes(20, 60, 5, 30),
		raise("VM", "guest-heartbeat-not-established", "major", 504, in("up"), func(e *env) bool { return e.chance("heartbeat", 0.6) && !e.all(0) }).takes(10, 45, 5, 30),
		raise("VM", "cpu-performance-degradation-vm", "warning", 532, in(host+".cpu", "DEPENDS_ON> Storage.io", "up"), func(e *env) bool {
			return e.is(2) && (e.some(0) || e.chance("io-bound", 0.6) && !e.all(1))
		}).every(time.Minute),
		raise("Storage", "storage-replication-unavailable-osd-mon", "critical", 514, in("ok"), bad),
		raise("Storage", "storage-i-o-congestion", "critical", 202, in("io"), bad).takes(10, 60, 30, 120),
		raise("Cluster:k8s", "kubernetes-cluster-unreachable", "major", 612, in("up"), bad).takes(5, 40, 10, 60),
		raise("KubeNode", "kubenodenotready", "major", 612, in("ready"), bad),
		raise("Pod", "kubepodcrashlooping", "major", 545, in("well", "<HOSTS KubeNode.ready"), func(e *env) bool {
			return !e.all(0) || e.chance("restarts", 0.3) && !e.all(1)
		}).takes(10, 90, 30, 120),
		raise("Cluster:etcd", "etcd-insufficient-members-no-leader", "critical", 160, in("up"), bad),
		raise("Volume", "persistentvolume-error", "major", 151, in("ok"), bad).takes(2, 20, 10, 60),
		raise("NE:dcswitch", "tor-switch-down", "critical", 514, in("live"), bad).takes(2, 20, 5, 30).byManager(),
		raise("CloudControl", "service-group-loss-of-redundancy", "major", 77, in("standby"), bad).takes(2, 20, 5, 30),
		raise("CloudControl", "certificate-expired", "critical", 609, in("cert"), bad),
		raise("Host", "ptp-not-locked-host", "major", 76, in("<SYNCHRONISES NE.sync"), bad).takes(5, 60, 20, 90),
	}
}
