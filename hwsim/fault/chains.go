package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"faultline/hwsim"
)

// chain is a reference scenario: one root, and what a good place for it shows.
type chain struct {
	name, mode, on string
	extent         float64
	lasts          time.Duration
	watch          time.Duration // how long a place is tried
	shows          []string      // alarms that make the chain recognisable
	never          []string      // alarms that would make it another chain
	many           string        // alarm of which many make the better place
}

var chains = []chain{
	{name: "mains-failure", mode: "district-power-cut", on: "PowerSystem:district", lasts: 9 * time.Hour, watch: 8 * time.Hour,
		shows: []string{"mains-input-failure-ac-fail", "battery-on-discharge", "battery-low-voltage", "load-disconnected-lvd-open", "rf-unit-dc-input-power-failure", "cell-unavailable-out-of-service"}, many: "load-disconnected-lvd-open"},
	{name: "trench-cut", mode: "trench-cut", on: "Trench", extent: 1, lasts: 6 * time.Hour, watch: 10 * time.Minute,
		shows: []string{"fronthaul-loss-of-signal", "rf-unit-maintenance-link-failure", "cell-unavailable-out-of-service"}, never: []string{"base-station-disconnected-from-omc"}, many: "fronthaul-loss-of-signal"},
	{name: "ots-cut", mode: "fibre-cut", on: "FibreSection", lasts: 5 * time.Hour, watch: 10 * time.Minute,
		shows: []string{"ots-loss-of-signal-los-p", "otuk-loss-of-frame", "client-signal-fail-csf-ssf", "ethernet-link-down-eth-los", "mpls-tp-tunnel-loc-mpls-tunnel-locv", "tunnel-down", "sctp-link-ip-address-unreachable", "cell-unavailable-out-of-service"}},
	{name: "ots-cut-protected", mode: "fibre-cut", on: "FibreSection", lasts: 5 * time.Hour, watch: 10 * time.Minute,
		shows: []string{"ots-loss-of-signal-los-p", "protection-switched-sf-on-working", "loss-of-protection-redundancy"}, never: []string{"client-signal-fail-csf-ssf", "tunnel-down", "cell-unavailable-out-of-service", "interface-down-linkdown"}},
	{name: "span-bend", mode: "fibre-bend", on: "FibreSection", extent: 0.7, lasts: 8 * time.Hour, watch: 20 * time.Minute,
		shows: []string{"span-loss-power-out-of-specification", "pre-fec-ber-excessive", "signal-degrade-deg"}, never: []string{"ots-loss-of-signal-los-p", "otuk-loss-of-frame"}},
	{name: "feeder-cut", mode: "fibre-cut", on: "FibreSection:feeder", lasts: 6 * time.Hour, watch: 10 * time.Minute,
		shows: []string{"pon-los-whole-pon-feeder", "onu-losi-lobi-distribution-fibre"}, never: []string{"onu-dying-gasp-dgi"}, many: "onu-losi-lobi-distribution-fibre"},
	{name: "drop-cut", mode: "fibre-cut", on: "FibreSection:drop", lasts: 8 * time.Hour, watch: 10 * time.Minute,
		shows: []string{"onu-losi-lobi-distribution-fibre"}, never: []string{"pon-los-whole-pon-feeder", "onu-dying-gasp-dgi"}},
	{name: "district-power-cut", mode: "district-power-cut", on: "PowerSystem:district", lasts: 3 * time.Hour, watch: 20 * time.Minute,
		shows: []string{"onu-dying-gasp-dgi", "onu-losi-lobi-distribution-fibre", "mains-input-failure-ac-fail"}, never: []string{"pon-los-whole-pon-feeder"}, many: "onu-dying-gasp-dgi"},
	{name: "rogue-onu", mode: "rogue-onu", on: "ONU", lasts: 5 * time.Hour, watch: 20 * time.Minute,
		shows: []string{"transmission-interference-alarm-rogue-onu"}, many: "onu-signal-fail-sfi"},
	{name: "ptp-loss", mode: "ptp-source-loss", on: "NE:spn", lasts: 22 * time.Hour, watch: 20 * time.Hour,
		shows: []string{"loss-of-synchronization-synce-ptp", "ptp-ieee1588-link-fault", "system-clock-unlocked-holdover", "system-clock-failure", "cell-unavailable-out-of-service"}},
	{name: "router-board", mode: "line-board", on: "Board:line", lasts: 4 * time.Hour, watch: 20 * time.Minute,
		shows: []string{"router-board-fault", "interface-down-linkdown", "bfd-session-down", "bgp-peer-down-backward-transition", "vpn-route-loss-vrf-unreachable", "n4-pfcp-path-failure"}},
	{name: "host-failure", mode: "host-failure", on: "Host", lasts: 3 * time.Hour, watch: 20 * time.Minute,
		shows: []string{"host-failure-auto-recovering", "instance-vm-failed", "nf-pod-vnfc-failure", "nf-instance-suspended-heartbeat-missed", "scp-sepp-route-failure", "pdu-session-establishment-success-rate-low"}},
	{name: "storage-congestion", mode: "storage-congestion", on: "Storage", lasts: 2 * time.Hour, watch: 30 * time.Minute,
		shows: []string{"storage-i-o-congestion", "etcd-insufficient-members-no-leader", "kubernetes-cluster-unreachable", "persistentvolume-error", "udm-udr-database-unreachable"}},
	{name: "dc-switchover", mode: "dc-switchover", on: "Pool", extent: 0.9, lasts: 90 * time.Minute, watch: 30 * time.Minute,
		shows: []string{"dc-switchover-triggered", "signalling-storm-overload-control-active", "nrf-transaction-error-rate-high", "registration-success-rate-low"}},
	{name: "shelter-cooling", mode: "aircon-failure", on: "AirConditioner", lasts: 8 * time.Hour, watch: 6 * time.Hour,
		shows: []string{"air-conditioning-failure", "ambient-temperature-unacceptable", "cabinet-temperature-unacceptable", "rf-unit-overtemperature", "rf-unit-tx-channel-gain-out-of-range", "low-downlink-sinr-high-interference"}},
}

// Chains names the reference chains in the order of the day: chains that need hours
// to unfold come first.
func Chains() []string {
	return []string{
		"ptp-loss", "mains-failure", "shelter-cooling", "trench-cut", "router-board", "feeder-cut", "drop-cut", "ots-cut", "host-failure",
		"ots-cut-protected", "storage-congestion", "span-bend", "rogue-onu", "dc-switchover", "district-power-cut",
	}
}

// Chain finds a place for a reference chain in a network and returns the fault that
// starts it. It fails for an unknown name, and when no place in the network fits.
func Chain(name string, n *hwsim.Network, seed uint64, at time.Time) (Entry, error) {
	c, err := newChooser(n, seed)
	if err != nil {
		return Entry{}, err
	}
	e, err := c.choose(name, at, func(string, time.Time, time.Time) bool { return true })
	e.ID = "F0001"
	return e, err
}

// errNoPlace says that a network has nothing on which a chain would show.
var errNoPlace = errors.New("the network has no place for it")

// chooser tries places for chains in an ideal plant.
type chooser struct {
	pop   map[string][]string
	plant *hwsim.Plant
	start time.Time
	seed  uint64
}

// maxTries bounds how many places of a chain are tried; they are drawn at random.
const maxTries = 150

func newChooser(n *hwsim.Network, seed uint64) (*chooser, error) {
	start := time.Unix(0, 0).UTC()
	p, err := hwsim.NewPlant(hwsim.PlantOptions{Network: n, Start: start, Ideal: true})
	if err != nil {
		return nil, fmt.Errorf("choose places: %w", err)
	}
	return &chooser{population(n), p, start, seed}, nil
}

func (c *chooser) choose(name string, at time.Time, free func(string, time.Time, time.Time) bool) (Entry, error) {
	i := slices.IndexFunc(chains, func(x chain) bool { return x.name == name })
	if i < 0 {
		return Entry{}, fmt.Errorf("choose place: no chain %q", name)
	}
	ch := chains[i]
	ids := slices.Clone(fits(ch.on, c.pop))
	rnd := rand.New(rand.NewPCG(c.seed, uint64(i)+0xc4a1))
	rnd.Shuffle(len(ids), func(a, b int) { ids[a], ids[b] = ids[b], ids[a] })
	if likely := c.likely(ch); likely != nil {
		ids = slices.DeleteFunc(ids, func(id string) bool { return !likely(id) })
	}
	best, bestScore, until := "", 0, at.Add(ch.lasts)
	for _, id := range ids[:min(len(ids), maxTries)] {
		if !free(id, at, until) {
			continue
		}
		if s := c.score(ch, id); s > bestScore {
			best, bestScore = id, s
			if s >= enough {
				break
			}
		}
	}
	if best == "" {
		return Entry{}, fmt.Errorf("chain %s: %w", name, errNoPlace)
	}
	return Entry{
		Fault: hwsim.Fault{Mode: ch.mode, Resource: best, At: at, Extent: ch.extent},
		Until: until, Domain: domainOf(ch.mode), Chain: name,
	}, nil
}

// enough is the score of a place that shows all of a chain.
const enough = 1000

// score tries a place: 0 when it shows something that the chain must not, else the
// more the better.
func (c *chooser) score(ch chain, id string) int {
	p := c.plant.Clone()
	if p.Inject(hwsim.Fault{ID: "try", Mode: ch.mode, Resource: id, At: c.start, Extent: ch.extent}) != nil {
		return 0
	}
	p.Advance(c.start.Add(ch.watch))
	count := map[string]int{}
	for _, a := range p.Trace().Faults[0].Alarms {
		count[a.Alarm]++
	}
	for _, slug := range ch.never {
		if count[slug] > 0 {
			return 0
		}
	}
	seen := 0
	for _, slug := range ch.shows {
		if count[slug] > 0 {
			seen++
		}
	}
	switch {
	case seen == 0:
		return 0
	case seen < len(ch.shows):
		return seen * 10
	case ch.many != "" && count[ch.many] < 3:
		return enough - 100 + count[ch.many]
	}
	return enough
}

// likely is a cheap look at a place before it is tried, nil when there is none.
func (c *chooser) likely(ch chain) func(string) bool {
	n := c.plant.Network()
	carries := func(role string) func(string) bool {
		return func(id string) bool {
			return slices.ContainsFunc(n.Out(id, "CARRIES"), func(l string) bool { r, _ := n.Resource(l); return r.Kind == "Link" && r.Role == role })
		}
	}
	switch ch.name {
	case "ots-cut", "ots-cut-protected", "span-bend":
		return carries("ots")
	case "trench-cut":
		return func(id string) bool { return slices.ContainsFunc(n.In(id, "LAID_IN"), carries("fronthaul")) }
	case "shelter-cooling":
		return func(id string) bool {
			for _, shelter := range n.In(id, "CONTAINS") {
				for _, cabinet := range n.Out(shelter, "CONTAINS") {
					if slices.ContainsFunc(n.Out(cabinet, "CONTAINS"), func(x string) bool { r, _ := n.Resource(x); return r.Kind == "RRU" }) {
						return true
					}
				}
			}
			return false
		}
	case "router-board":
		return func(id string) bool {
			return slices.ContainsFunc(n.In(id, "CONTAINS"), func(ne string) bool { r, _ := n.Resource(ne); return r.Role == "router" })
		}
	}
	return nil
}

func domainOf(mode string) string {
	for _, m := range hwsim.Modes() {
		if m.Name == mode {
			return m.Domain
		}
	}
	return ""
}

// DemoDay is a day of which every reference chain has its hour, with a handful of
// ordinary faults and the announced work between them. Chains that the network has no
// place for are left out.
func DemoDay(n *hwsim.Network, seed uint64, day time.Time, works ...Work) (Script, error) {
	if n == nil {
		return Script{}, fmt.Errorf("demo day: Network missing")
	}
	c, err := newChooser(n, seed)
	if err != nil {
		return Script{}, err
	}
	rnd := rand.New(rand.NewPCG(seed, 0xda7))
	b := builder{net: n, used: map[string][]Entry{}, rnd: rnd}
	for i, name := range Chains() {
		at := day.Add(20*time.Minute + time.Duration(i)*88*time.Minute + time.Duration(rnd.IntN(1200))*time.Second)
		e, err := c.choose(name, at, b.free)
		switch {
		case errors.Is(err, errNoPlace):
			continue
		case err != nil:
			return Script{}, err
		}
		b.add(e)
	}
	for _, w := range works {
		b.work(n, w)
	}
	draw, err := weights(nil, c.pop)
	if err != nil {
		return Script{}, err
	}
	for range 8 {
		b.ordinary(draw, c.pop, day.Add(time.Duration(rnd.IntN(23*3600))*time.Second))
	}
	return b.script(), nil
}
