package hwsim

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// background are alarms that come without a fault: doors, contacts, scans, and
// ordinary alarms that flare up for seconds.
var background = []struct {
	slug string
	rate float64 // per resource and day
	secs [2]float64
}{
	{"burglar-door-open-alarm", 0.03, [2]float64{120, 7200}},
	{"ac-surge-protector-fault", 0.004, [2]float64{3600, 40000}},
	{"battery-current-out-of-range", 0.006, [2]float64{60, 3600}},
	{"water-alarm", 0.002, [2]float64{1800, 20000}},
	{"smoke-alarm", 0.0006, [2]float64{60, 900}},
	{"monitoring-device-maintenance-link-failure", 0.01, [2]float64{60, 1800}},
	{"otdr-scan-in-progress", 0.02, [2]float64{120, 900}},
	{"oduk-locked-defect", 0.002, [2]float64{600, 7200}},
	{"automatic-version-rollback", 0.001, [2]float64{600, 3600}},
	{"host-bmc-access-failed", 0.01, [2]float64{120, 7200}},
	{"onu-remote-defect-indication-rdii", 0.0006, [2]float64{10, 600}},
	{"onu-high-received-optical-power", 0.0002, [2]float64{3600, 80000}},
	{"onu-start-up-failure-sufi", 0.0006, [2]float64{60, 1200}},
	{"rf-unit-vswr-threshold-crossed", 0.002, [2]float64{20, 300}},
	{"rf-unit-maintenance-link-failure", 0.001, [2]float64{5, 60}},
	{"low-downlink-sinr-high-interference", 0.01, [2]float64{300, 3600}},
	{"cell-capability-degraded", 0.002, [2]float64{60, 900}},
	{"cell-blocked", 0.002, [2]float64{600, 7200}},
	{"ptp-ieee1588-link-fault", 0.003, [2]float64{10, 120}},
	{"mac-excessive-frame-error-rate", 0.003, [2]float64{60, 900}},
	{"mains-input-failure-ac-fail", 0.003, [2]float64{1, 40}},
	{"mains-input-out-of-range", 0.006, [2]float64{5, 120}},
	{"ambient-temperature-unacceptable", 0.004, [2]float64{600, 5000}},
	{"pre-fec-ber-excessive", 0.003, [2]float64{30, 900}},
	{"ethernet-link-down-eth-los", 0.0005, [2]float64{1, 30}},
	{"bandwidth-utilisation-threshold-crossed", 0.006, [2]float64{300, 5400}},
	{"tunnel-packet-loss-signal-degrade", 0.001, [2]float64{30, 600}},
	{"home-broadband-kqi-poor-stall-low-rate", 0.003, [2]float64{300, 5400}},
	{"home-wi-fi-poor-coverage-interference", 0.002, [2]float64{600, 20000}},
	{"interface-crc-error-rate-high", 0.002, [2]float64{60, 900}},
	{"port-congestion-queue-drop", 0.004, [2]float64{30, 900}},
	{"end-to-end-latency-jitter-sla-violated", 0.01, [2]float64{300, 1800}},
	{"router-cpu-overload", 0.01, [2]float64{20, 300}},
	{"platform-cpu-threshold-exceeded", 0.02, [2]float64{60, 900}},
	{"kubepodcrashlooping", 0.004, [2]float64{60, 600}},
	{"cpu-performance-degradation-vm", 0.01, [2]float64{60, 900}},
	{"registration-success-rate-low", 0.01, [2]float64{300, 900}},
	{"content-source-response-time-high", 0.05, [2]float64{60, 900}},
}

// customersOff is how many of the homes' terminals are switched off per day.
const customersOff = 0.004

// drawNoise schedules one day of background and the drawing of the next.
func (p *Plant) drawNoise(day int) {
	p.schedule(p.now+int64(24*time.Hour), evNoise, key{int32(day + 1), 0}, 0)
	rnd := newStream(mix(p.o.Seed, 0x6e6f697365, uint64(day)))
	at := func() int64 { return p.now + int64(rnd.unit()*24*float64(time.Hour)) }
	for _, b := range background {
		v := slices.Index(p.tb.vars, b.slug)
		where := p.raisedOn(v)
		for range rnd.poisson(b.rate * p.o.Noise * float64(len(where))) {
			k := key{where[int(rnd.unit()*float64(len(where)))], int32(v)}
			t := at()
			p.schedule(t, evNoiseOn, k, 0)
			secs := b.secs[0] * math.Pow(b.secs[1]/b.secs[0], rnd.unit())
			p.schedule(t+int64(secs*float64(time.Second)), evNoiseOff, k, 0)
		}
	}
	onus := p.ofKind("ONU")
	for i := range rnd.poisson(customersOff * p.o.Noise * float64(len(onus))) {
		res := onus[int(rnd.unit()*float64(len(onus)))]
		id := fmt.Sprintf("background-%d-%d", day, i)
		t := at()
		f := Fault{ID: id, Mode: "onu-power-off", Resource: p.topo.res[res].ID, At: p.time(t)}
		if p.inject(f, true) == nil {
			_ = p.Repair(id, p.time(t).Add(time.Duration(float64(time.Hour)*(0.2+10*rnd.unit())))) // the time lies ahead by construction
		}
	}
}

// raisedOn lists the resources on which a detector's variable stands.
func (p *Plant) raisedOn(v int) []int32 {
	return p.where(func(c int) bool { return p.topo.lawOf[c][v] >= 0 })
}

func (p *Plant) ofKind(kind string) []int32 {
	return p.where(func(c int) bool { return p.topo.classes[c].kind == kind })
}

func (p *Plant) where(ok func(class int) bool) []int32 {
	var out []int32
	for c := range p.topo.classes {
		if ok(c) {
			out = append(out, p.topo.members[c]...)
		}
	}
	return out
}

// stream is a sequence of random numbers from one seed (splitmix64).
type stream struct{ state uint64 }

func newStream(seed uint64) *stream { return &stream{seed} }

func (s *stream) unit() float64 { s.state++; return unit(mix(s.state, s.state<<32)) }

// poisson draws a count of the given mean: Knuth's product for small means, the
// normal approximation above.
func (s *stream) poisson(mean float64) int {
	if mean > 50 {
		u, v := s.unit(), s.unit()
		z := math.Sqrt(-2*math.Log(1-u)) * math.Cos(2*math.Pi*v)
		return max(0, int(math.Round(mean+z*math.Sqrt(mean))))
	}
	limit, n, x := math.Exp(-mean), 0, s.unit()
	for x > limit {
		n++
		x *= s.unit()
	}
	return n
}
