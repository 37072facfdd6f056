package hwsim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Networks of the chains, each as small as the chain needs.
const (
	mast = site + `
S1-FH2 Port:fronthaul
S1-L2 Link:fronthaul
S1-FS2 FibreSection
S1-RRU2 RRU
S1-C2 Cell
S1 CONTAINS S1-RRU2
S1-F1 POWERS S1-RRU2
S1-B1 CONTAINS S1-FH2
S1-B1 HOSTS S1-C2
S1-L2 CONNECTS S1-FH2 S1-RRU2
S1-FS2 CARRIES S1-L2
S1-FS2 LAID_IN S1-TR
S1-RRU2 SERVES S1-C2
`
	optical = site + `
O1 NE:otn
O2 NE:otn
O1-B Board:line
O2-B Board:line
O1-L Port:otn-line
O2-L Port:otn-line
O1-T Port:transponder
O2-T Port:transponder
O1-C Port:client
O2-C Port:client
OTS Link:ots
OCH Link:och
OTS-F FibreSection
OTS-TR Trench
O1 CONTAINS O1-B
O2 CONTAINS O2-B
O1-B CONTAINS O1-L O1-T O1-C
O2-B CONTAINS O2-L O2-T O2-C
OTS CONNECTS O1-L O2-L
OTS CARRIES OCH
OTS-F CARRIES OTS
OTS-F LAID_IN OTS-TR
OCH CONNECTS O1-T O2-T
OCH CARRIES LE1
O1-T CARRIES O1-C
O2-T CARRIES O2-C
O1-C CONNECTS S1-SE2
O2-C CONNECTS HUB-E1
`
	protected = optical + `
O1-L2 Port:otn-line
O2-L2 Port:otn-line
OTS2 Link:ots
OTS2-F FibreSection
OLP ProtectionGroup:ots
O1-B CONTAINS O1-L2
O2-B CONTAINS O2-L2
OTS2 CONNECTS O1-L2 O2-L2
OTS2 CARRIES OCH
OTS2-F CARRIES OTS2
OLP PROTECTS OTS OTS2
`
	access = `
GRID PowerSystem:district
OLT NE:olt
OLT-B Board:line
OLT-P1 Port:pon
OLT-P2 Port:pon
PON1 PON
PON2 PON
FEED FibreSection:feeder
DROP1 FibreSection:drop
ONU1 ONU
ONU2 ONU
ONU3 ONU
ONU4 ONU
ONU5 ONU
CG1 CustomerGroup
BRAS NE:bras
OLT CONTAINS OLT-B
OLT-B CONTAINS OLT-P1 OLT-P2
OLT-P1 CARRIES PON1
OLT-P2 CARRIES PON2
FEED CARRIES PON1
DROP1 SERVES ONU1
PON1 SERVES ONU1 ONU2 ONU3
PON2 SERVES ONU4 ONU5
GRID POWERS ONU1 ONU2 ONU3 ONU4 ONU5
ONU1 SERVES CG1
OLT DEPENDS_ON BRAS
CG1 DEPENDS_ON OLT BRAS
`
	routers = `
R1 NE:router
R2 NE:router
R1-B Board:line
R2-B Board:line
R1-B0 Board:line
R2-B0 Board:line
R1-P Port:ip
R2-P Port:ip
R1-P0 Port:ip
R2-P0 Port:ip
RL Link:ip
RL0 Link:ip
BFD1 Session:bfd
BFD2 Session:bfd
BGP1 Session:bgp
BGP2 Session:bgp
VRF1 VRF
N4 Session:n4
SMF1 NF:SMF
UPF1 NF:UPF
R1 CONTAINS R1-B R1-B0 BFD1 BGP1 VRF1
R2 CONTAINS R2-B R2-B0 BFD2 BGP2
R1-B CONTAINS R1-P
R2-B CONTAINS R2-P
R1-B0 CONTAINS R1-P0
R2-B0 CONTAINS R2-P0
RL CONNECTS R1-P R2-P
RL0 CONNECTS R1-P0 R2-P0
BFD1 DEPENDS_ON R1-P
BFD2 DEPENDS_ON R2-P
BGP1 DEPENDS_ON BFD1
BGP2 DEPENDS_ON BFD2
VRF1 DEPENDS_ON BGP1
VRF1 SERVES N4
N4 DEPENDS_ON SMF1 UPF1
`
	cloud = `
DC Site:dc
H1 Host
H2 Host
VM1 VM
VM2 VM
VM3 VM
STO Storage
VOL Volume
ETCD Cluster:etcd
K8S Cluster:k8s
CTL CloudControl
POOL Pool
AUSF1 NF:AUSF
UDM1 NF:UDM
SCP1 NF:SCP
SMF1 NF:SMF
AMF1 NF:AMF
AMF2 NF:AMF
NRF1 NF:NRF
DC CONTAINS H1 H2
H1 HOSTS VM1
H2 HOSTS VM2 VM3
VM1 HOSTS AUSF1
VM2 HOSTS UDM1
VM3 HOSTS SCP1
STO CONTAINS VOL
UDM1 DEPENDS_ON VOL NRF1
ETCD DEPENDS_ON STO
K8S DEPENDS_ON ETCD
CTL CONTAINS K8S
SCP1 DEPENDS_ON AUSF1 UDM1 NRF1
SMF1 DEPENDS_ON SCP1 NRF1
AMF1 DEPENDS_ON SCP1 AUSF1 NRF1
AMF2 DEPENDS_ON SCP1 AUSF1 NRF1
AUSF1 DEPENDS_ON UDM1 NRF1
POOL HOSTS AMF1 AMF2
`
	indoor = `
S9 Site:radio
S9-SH Shelter
S9-AC AirConditioner
S9-CAB Cabinet
S9-GNB NE:gnb
S9-B Board:bbu
S9-FH Port:fronthaul
S9-L Link:fronthaul
S9-RRU RRU
S9-C Cell
S9 CONTAINS S9-SH
S9-SH CONTAINS S9-AC S9-CAB
S9-CAB CONTAINS S9-RRU S9-GNB
S9-GNB CONTAINS S9-B
S9-B CONTAINS S9-FH
S9-B HOSTS S9-C
S9-L CONNECTS S9-FH S9-RRU
S9-RRU SERVES S9-C
`
)

// The reference chains: what must show, in this order of raising, what must not, and
// who is without service.
var chainCases = []struct {
	name, network, mode, resource string
	extent                        float64
	after                         time.Duration
	order                         string
	also                          string
	never                         string
	out                           string // resources without full service at the end
}{
	{name: "mains failure", network: site, mode: "mains-failure", resource: "S1-PS", after: 8 * time.Hour,
		order: "mains-input-failure-ac-fail@S1-PS battery-low-voltage@S1-BAT rf-unit-dc-input-power-failure@S1-RRU1 rf-unit-maintenance-link-failure@S1-RRU1 cell-unavailable-out-of-service@S1-C1 base-station-disconnected-from-omc@S1-GNB",
		also:  "battery-on-discharge@S1-BAT load-disconnected-lvd-open@S1-DC ne-unreachable-dcn-management-loss@S1-SPN registration-success-rate-low@AMF1", never: "load-fuse-broken", out: "S1-C1"},
	{name: "trench with two fronthaul cables", network: mast, mode: "trench-cut", resource: "S1-TR", extent: 1, after: time.Hour,
		order: "fronthaul-loss-of-signal@S1-OM1 bbu-optical-module-transmit-receive-fault@S1-FH1 rf-unit-maintenance-link-failure@S1-RRU1 cell-unavailable-out-of-service@S1-C1",
		also:  "rf-unit-maintenance-link-failure@S1-RRU2 cell-unavailable-out-of-service@S1-C2", never: "rf-unit-dc-input-power-failure base-station-disconnected-from-omc", out: "S1-C1 S1-C2"},
	{name: "optical section cut", network: optical, mode: "fibre-cut", resource: "OTS-F", after: 10 * time.Minute,
		order: "ots-loss-of-signal-los-p@O1-L pw-down-pw-loc@PW1 sctp-link-ip-address-unreachable@S1-GNB sctp-link-fault@S1-GNB ng-s1-interface-fault@S1-GNB cell-unavailable-out-of-service@S1-C1",
		also:  "otuk-loss-of-frame@O1-T client-signal-fail-csf-ssf@O1-C ethernet-link-down-eth-los@S1-SE2 mpls-tp-tunnel-loc-mpls-tunnel-locv@T1 tunnel-down@T1 osc-loss-of-signal@O2-L oms-och-forward-defect-indication-ais@OCH otuk-oduk-ais@O2-T automatic-laser-shutdown-power-reduction@O1-L", never: "protection-switched-sf-on-working otuk-oduk-bdi", out: "S1-C1"},
	{name: "protected optical section cut", network: protected, mode: "fibre-cut", resource: "OTS-F", after: 10 * time.Minute,
		also: "ots-loss-of-signal-los-p@O1-L protection-switched-sf-on-working@OLP loss-of-protection-redundancy@OLP", never: "client-signal-fail-csf-ssf oms-och-forward-defect-indication-ais tunnel-down cell-unavailable-out-of-service"},
	{name: "standby of a protected section cut", network: protected, mode: "fibre-cut", resource: "OTS2-F", after: 10 * time.Minute,
		also: "ots-loss-of-signal-los-p@O1-L2 loss-of-protection-redundancy@OLP", never: "protection-switched-sf-on-working tunnel-down"},
	{name: "bend in a span", network: optical, mode: "fibre-bend", resource: "OTS-F", extent: 0.7, after: time.Hour,
		also: "span-loss-power-out-of-specification@O1-L pre-fec-ber-excessive@O1-T signal-degrade-deg@O2-T", never: "ots-loss-of-signal-los-p osc-loss-of-signal otuk-loss-of-frame ethernet-link-down-eth-los"},
	{name: "feeder cut", network: access, mode: "fibre-cut", resource: "FEED", after: 10 * time.Minute,
		also: "pon-los-whole-pon-feeder@OLT-P1 onu-losi-lobi-distribution-fibre@ONU1 onu-losi-lobi-distribution-fibre@ONU2 onu-losi-lobi-distribution-fibre@ONU3", never: "onu-dying-gasp-dgi pon-los-whole-pon-feeder@OLT-P2", out: "CG1"},
	{name: "drop cut", network: access, mode: "fibre-cut", resource: "DROP1", after: 10 * time.Minute,
		also: "onu-losi-lobi-distribution-fibre@ONU1", never: "onu-losi-lobi-distribution-fibre@ONU2 pon-los-whole-pon-feeder onu-dying-gasp-dgi", out: "CG1"},
	{name: "power cut in a district", network: access, mode: "district-power-cut", resource: "GRID", after: 10 * time.Minute,
		order: "onu-dying-gasp-dgi@ONU1 onu-losi-lobi-distribution-fibre@ONU1", also: "onu-dying-gasp-dgi@ONU4 onu-losi-lobi-distribution-fibre@ONU5", never: "pon-los-whole-pon-feeder", out: "CG1"},
	{name: "clock lost", network: site, mode: "ptp-source-loss", resource: "HUB", after: 20 * time.Hour,
		order: "loss-of-synchronization-synce-ptp@HUB ptp-ieee1588-link-fault@S1-GNB system-clock-unlocked-holdover@S1-GNB system-clock-failure@S1-GNB cell-unavailable-out-of-service@S1-C1", never: "sctp-link-fault", out: "S1-C1"},
	{name: "router board", network: routers, mode: "line-board", resource: "R1-B", after: 10 * time.Minute,
		order: "interface-down-linkdown@R1-P bfd-session-down@BFD1 bgp-peer-down-backward-transition@BGP1 vpn-route-loss-vrf-unreachable@VRF1 n4-pfcp-path-failure@N4",
		also:  "router-board-fault@R1-B interface-down-linkdown@R2-P bfd-session-down@BFD2", never: "router-unreachable-nms"},
	{name: "host failure", network: cloud, mode: "host-failure", resource: "H1", after: 30 * time.Minute,
		order: "instance-vm-failed@VM1 nf-instance-suspended-heartbeat-missed@AUSF1",
		also:  "host-failure-auto-recovering@H1 nf-pod-vnfc-failure@AUSF1 scp-sepp-route-failure@SCP1 pdu-session-establishment-success-rate-low@SMF1", never: "instance-vm-failed@VM2"},
	{name: "storage congestion", network: cloud, mode: "storage-congestion", resource: "STO", after: 30 * time.Minute,
		order: "storage-i-o-congestion@STO persistentvolume-error@VOL udm-udr-database-unreachable@UDM1 ausf-udm-authentication-failure-rate-high@AUSF1",
		also:  "etcd-insufficient-members-no-leader@ETCD kubernetes-cluster-unreachable@K8S registration-success-rate-low@AMF1", never: "instance-vm-failed storage-replication-unavailable-osd-mon"},
	{name: "switchover too fast", network: cloud, mode: "dc-switchover", resource: "POOL", after: time.Hour,
		order: "dc-switchover-triggered@POOL signalling-storm-overload-control-active@AMF1", also: "nrf-transaction-error-rate-high@NRF1 registration-success-rate-low@AMF2", never: "nf-pod-vnfc-failure"},
	{name: "cooling lost", network: indoor, mode: "aircon-failure", resource: "S9-AC", after: 6 * time.Hour,
		order: "air-conditioning-failure@S9-AC ambient-temperature-unacceptable@S9-SH cabinet-temperature-unacceptable@S9-CAB rf-unit-overtemperature@S9-RRU rf-unit-tx-channel-gain-out-of-range@S9-RRU low-downlink-sinr-high-interference@S9-C", never: "fan-stalled mains-input-failure-ac-fail"},
	{name: "rogue terminal", network: access, mode: "rogue-onu", resource: "ONU1", after: time.Hour,
		also: "transmission-interference-alarm-rogue-onu@OLT-P1", never: "pon-los-whole-pon-feeder transmission-interference-alarm-rogue-onu@OLT-P2"},
	{name: "one of two rectifiers", network: site, mode: "rectifier-failure", resource: "S1-R1", after: 12 * time.Hour,
		also: "rectifier-power-module-abnormal@S1-R1 loss-of-power-supply-redundancy@S1-PS", never: "battery-on-discharge cell-unavailable-out-of-service"},
}

func TestChains(t *testing.T) {
	for _, c := range chainCases {
		t.Run(c.name, func(t *testing.T) {
			n := sketch(t, c.network)
			p := idealOf(t, n)
			inject(t, p, c.mode, c.resource, time.Minute, c.extent)
			ns := p.Advance(start.Add(time.Minute + c.after))
			got := raised(ns)
			have := func(want string) int {
				return slices.IndexFunc(got, func(g string) bool { return g == want || strings.HasPrefix(g, want+"@") })
			}
			last := -1
			for _, want := range strings.Fields(c.order) {
				at := have(want)
				if at < 0 || at < last {
					t.Errorf("%s missing or out of order in\n%s", want, show(ns))
				}
				last = at
			}
			for _, want := range strings.Fields(c.also) {
				if have(want) < 0 {
					t.Errorf("%s missing in\n%s", want, show(ns))
				}
			}
			for _, unwanted := range strings.Fields(c.never) {
				if have(unwanted) >= 0 {
					t.Errorf("%s should not show in\n%s", unwanted, show(ns))
				}
			}
			var out []string
			for _, o := range p.Outages() {
				out = append(out, o.Resource)
			}
			if strings.Join(out, " ") != c.out {
				t.Errorf("out of service: %v, want %q", out, c.out)
			}

			if err := p.Repair(c.mode+"@"+c.resource, p.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			p.Advance(p.Now().Add(30 * time.Hour))
			if left := p.Standing(); len(left) > 0 || len(p.Outages()) > 0 || p.Impaired(c.resource) {
				t.Errorf("after the repair: standing %v, out %v", left, p.Outages())
			}
			for _, o := range p.Trace().Background {
				t.Errorf("without a fault: %v", o)
			}
		})
	}
}
