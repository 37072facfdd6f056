package hwsim

import "math"

// Reading is one measured value of a resource, as its agent would give it.
type Reading struct {
	Name  string
	Unit  string
	Value float64
}

// Agent is the element that speaks for a resource; a resource that has none speaks
// for itself. It is empty for an unknown resource.
func (p *Plant) Agent(resource string) string {
	res, ok := p.topo.find(resource)
	if !ok {
		return ""
	}
	return p.topo.res[p.element(res)].ID
}

// Reachable reports whether the agent of a resource can be asked now.
func (p *Plant) Reachable(resource string) bool {
	res, ok := p.topo.find(resource)
	if !ok {
		return false
	}
	_, reachable := p.canSpeak(p.element(res))
	return reachable
}

// Revision counts what has happened in the plant. While it stands still and no
// command is given, values change by nothing but the slow drift of heat, charge and
// clocks.
func (p *Plant) Revision() uint64 { return p.seq - uint64(len(p.events)) }

// carriers says which variable of a port is its operational state.
var carriers = map[string]string{"fronthaul": "up", "otn-line": "light", "client": "ok", "pon": "hw", "host": "up"}

// Up reports the operational state of a resource: a port's signal, an optical
// module's light, a cell's service, an element's life, a path's continuity.
func (p *Plant) Up(resource string) bool {
	res, ok := p.topo.find(resource)
	if !ok {
		return false
	}
	is := func(v string) bool { return p.look(res, v) >= 0.5 }
	switch r := p.topo.res[res]; r.Kind {
	case "Port":
		v, known := carriers[r.Role]
		if !known {
			v = "rx"
		}
		return is(v) && (r.Role == "pon" || r.Role == "host" || is("tx"))
	case "OpticalModule":
		return is("tx")
	case "Cell", "CustomerGroup", "Service", "Slice":
		return is("serve")
	case "Link", "Tunnel", "Channel", "PW", "FlexEGroup", "Session", "ONU", "NF":
		return is("up")
	}
	return is("live") && is("hw")
}

// dark is what a receiver shows without light, the lowest value of SFF-8472.
const dark = -40.0

// Readings gives what the agent of a resource measures, in a fixed order; nothing of
// an unknown resource. It does not ask whether the agent can be reached.
//
// Optical modules follow a 25G LR data sheet: -5 to +2 dBm out, 0.35 dB/km at 1310 nm
// and 0.5 dB for each connector; bias rises by a tenth for each dB that a laser has
// aged. Octet counters are not here: they are sums over time.
func (p *Plant) Readings(resource string) []Reading {
	res, ok := p.topo.find(resource)
	if !ok {
		return nil
	}
	val := func(v string) float64 { return p.look(res, v) }
	switch r := p.topo.res[res]; {
	case r.Kind == "OpticalModule":
		return p.optics(res)
	case r.Kind == "Port" && (r.Role == "otn-line" || r.Role == "transponder"):
		return p.line(res)
	case r.Kind == "Port" || r.Kind == "Link" && (r.Role == "eth" || r.Role == "ip"):
		return []Reading{{"load", "share", p.load(res)}}
	case r.Kind == "RRU":
		out := dark
		if val("on") >= 0.5 {
			out = 10*math.Log10(p.num(res, "power_w", 40)*1000) + 10*math.Log10(math.Max(val("power"), 1e-6))
		}
		return []Reading{{"temperature", "C", 45 + val("temp")}, {"output-power", "dBm", round(out)}}
	case r.Kind == "Cell":
		return []Reading{{"service", "share", val("serve")}}
	case r.Kind == "Shelter" || r.Kind == "Cabinet" || r.Kind == "NE" && r.Role == "router":
		return []Reading{{"temperature", "C", round(24 + val("temp"))}}
	case r.Kind == "Battery":
		return []Reading{{"charge", "share", round(val("charge"))}}
	case r.Kind == "NF":
		return []Reading{{"load", "share above normal", round(val("load"))}}
	}
	return nil
}

// optics are the diagnostics of an optical module.
func (p *Plant) optics(res int32) []Reading {
	val := func(v string) float64 { return p.look(res, v) }
	if val("present") < 0.5 {
		return nil
	}
	age := val("age")
	tx, bias := dark, 0.0
	if val("tx") >= 0.5 {
		tx = p.launch(res)
		bias = 35 * (1 + 0.1*age) * (0.9 + 0.2*p.hidden(res, "bias"))
	}
	rx := dark
	if far, loss, ok := p.opposite(res); ok {
		if p.look(far, "tx") >= 0.5 {
			rx = math.Max(dark, p.launch(far)-loss)
		}
	}
	return []Reading{
		{"input-power", "dBm", round(rx)}, {"output-power", "dBm", round(tx)}, {"laser-bias-current", "mA", round(bias)},
		{"temperature", "C", round(38 + 8*p.hidden(res, "warm"))},
	}
}

// launch is what a module sends while its laser is on.
func (p *Plant) launch(res int32) float64 {
	return -2 + 3*p.hidden(res, "launch") - p.look(res, "age")
}

// opposite finds the module at the other end of a module's link, and what is lost on
// the way.
func (p *Plant) opposite(res int32) (far int32, loss float64, ok bool) {
	n := p.o.Network
	id := p.topo.res[res].ID
	for _, port := range n.In(id, "CONTAINS") {
		for _, link := range n.In(port, "CONNECTS") {
			l, _ := p.topo.find(link)
			loss = p.look(l, "loss") + 2*0.5
			for _, section := range n.In(link, "CARRIES") {
				if s, _ := p.topo.find(section); p.topo.res[s].Kind == "FibreSection" {
					loss += 0.35 * p.num(s, "length_m", 0) / 1000
				}
			}
			for _, end := range n.Out(link, "CONNECTS") {
				for _, m := range n.Out(end, "CONTAINS") {
					if f, _ := p.topo.find(m); end != port && p.topo.res[f].Kind == "OpticalModule" {
						return f, loss, true
					}
				}
			}
		}
	}
	return 0, 0, false
}

// line are the readings of an amplified line port or a transponder. The launch power
// is the inventory's; what commands and faults take from it shows in the received
// power and as a penalty against the margin.
func (p *Plant) line(res int32) []Reading {
	val := func(v string) float64 { return p.look(res, v) }
	n, r := p.o.Network, p.topo.res[res]
	tx, rx, penalty := dark, dark, val("pen")
	if val("tx") >= 0.5 {
		tx = p.num(res, "launch_dbm", 0)
	}
	for _, link := range n.In(r.ID, "CONNECTS") {
		l, _ := p.topo.find(link)
		lost := p.look(l, "loss")
		for _, section := range n.In(link, "CARRIES") {
			if s, _ := p.topo.find(section); p.topo.res[s].Kind == "FibreSection" {
				lost += 0.2 * p.num(s, "length_m", 0) / 1000 // 0.2 dB/km at 1550 nm
			}
		}
		for _, end := range n.Out(link, "CONNECTS") {
			if f, _ := p.topo.find(end); end != r.ID {
				on := p.look(f, "tx") >= 0.5
				if r.Role == "otn-line" && on {
					rx = math.Max(dark, p.num(f, "launch_dbm", 0)-p.look(f, "deg")-lost)
				}
				if r.Role == "transponder" && on && p.look(l, "up") >= 0.5 {
					rx = -8 - penalty
				}
			}
		}
	}
	if r.Role == "otn-line" {
		penalty = val("deg")
	}
	return []Reading{{"input-power", "dBm", round(rx)}, {"output-power", "dBm", round(tx)}, {"penalty", "dB", round(penalty)}}
}

// load is the share of capacity in use: a usual load of the resource's own, plus what
// faults and detours bring. It is 0 while the resource is down.
func (p *Plant) load(res int32) float64 {
	if !p.Up(p.topo.res[res].ID) {
		return 0
	}
	x := p.look(res, "load")
	if p.topo.res[res].Kind == "Port" {
		for _, link := range p.o.Network.In(p.topo.res[res].ID, "CONNECTS") {
			l, _ := p.topo.find(link)
			x = math.Max(x, p.look(l, "load"))
		}
	}
	return round(math.Min(1, 0.2+0.35*p.hidden(res, "base")+x))
}

// look is a variable of a resource now, by the name that the laws use.
func (p *Plant) look(res int32, name string) float64 {
	x, _ := p.value(res, p.tb.varID[name])
	return x
}

// round keeps what a sensor of a hundredth's resolution gives.
func round(x float64) float64 { return math.Round(x*100) / 100 }
