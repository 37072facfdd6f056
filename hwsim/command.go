package hwsim

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Command is what an operator sets on a resource, or does to it. Value is spelled as
// CommandSpec.Type says.
type Command struct {
	Kind     string
	Resource string
	Value    string
}

// CommandSpec says which resources a kind of command fits and which values it takes.
type CommandSpec struct {
	Kind   string
	On     []string // selectors: kind, or kind:role,role
	Type   string   // bool, number, word, or action (a command that leaves no setting)
	Lo, Hi float64  // bounds of a number
	Words  []string // values of a word; none allows any
	Unit   string
	Attr   string // inventory attribute that holds the first value
	Rest   string // the value of a resource that nobody has set
	Law    bool   // the plant follows it; other settings are kept for whoever has a law
	Doc    string
}

var commands = []CommandSpec{
	{Kind: "enabled", On: []string{"Port", "Cell"}, Type: "bool", Rest: "true", Law: true, Doc: "administrative state of a port or cell"},
	{Kind: "laser", On: []string{"OpticalModule", "Port:otn-line,transponder,pon"}, Type: "bool", Rest: "true", Law: true, Doc: "transmit laser of an optical module, or of a port with its own"},
	{Kind: "power", On: []string{"Port:otn-line,transponder"}, Type: "number", Lo: -10, Hi: 6, Unit: "dBm", Attr: "launch_dbm", Rest: "0", Law: true, Doc: "launch power of a line port"},
	{Kind: "protection", On: []string{"ProtectionGroup"}, Type: "word", Words: []string{"auto", "manual"}, Rest: "auto", Law: true, Doc: "manual moves the traffic to the protecting member until a signal fail overrides it"},
	{Kind: "traffic", On: []string{"Link:eth"}, Type: "number", Lo: -1, Hi: 1, Unit: "share of capacity", Rest: "0", Law: true, Doc: "traffic that routing moves onto a link, or away from it"},
	{Kind: "route", On: []string{"Tunnel", "PW", "VRF"}, Type: "word", Rest: "default", Doc: "the way that a tunnel, pseudowire or VRF takes"},
	{Kind: "tilt", On: []string{"Antenna", "Cell"}, Type: "number", Lo: 0, Hi: 15, Unit: "degrees", Attr: "tilt_deg", Rest: "0", Doc: "electrical downtilt"},
	{Kind: "azimuth", On: []string{"Antenna", "Cell"}, Type: "number", Lo: 0, Hi: 359, Unit: "degrees", Attr: "azimuth_deg", Rest: "0", Doc: "horizontal direction, clockwise from north"},
	{Kind: "restart", On: []string{"NE", "Board", "RRU", "ONU", "Host", "VM", "Pod", "NF", "VSwitch", "Session"}, Type: "action", Law: true, Doc: "restart; mends software that hangs"},
	{Kind: "otdr", On: []string{"Port:otn-line,pon"}, Type: "action", Law: true, Doc: "measure the fibre behind a port"},
}

// Commands lists the kinds of command. The caller must not change the slice.
func Commands() []CommandSpec { return commands }

// Fits reports whether a resource takes the command.
func (s CommandSpec) Fits(r Resource) bool {
	return slices.ContainsFunc(s.On, func(on string) bool { return parseSelector(on).match(r.Kind, r.Role) })
}

// Check brings a value into its one spelling, or says what is wrong with it.
func (s CommandSpec) Check(value string) (string, error) {
	switch s.Type {
	case "bool":
		b, err := strconv.ParseBool(value)
		if err != nil {
			return "", fmt.Errorf("value %q is not true or false", value)
		}
		return strconv.FormatBool(b), nil
	case "number":
		x, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(x) || x < s.Lo || x > s.Hi {
			return "", fmt.Errorf("value %q is not a number from %g to %g (%s)", value, s.Lo, s.Hi, s.Unit)
		}
		return strconv.FormatFloat(x+0, 'f', -1, 64), nil
	case "word":
		if value == "" || len(s.Words) > 0 && !slices.Contains(s.Words, value) {
			return "", fmt.Errorf("value %q is not one of %q", value, s.Words)
		}
		return value, nil
	}
	return value, nil
}

// First is the value that a resource has before anyone sets it, and whether the
// inventory says so.
func (s CommandSpec) First(r Resource) (value string, known bool) {
	if s.Attr != "" {
		if v, err := s.Check(r.Attrs[s.Attr]); err == nil {
			return v, true
		}
	}
	return s.Rest, false
}

// CommandKind returns the specification of a kind.
func CommandKind(kind string) (CommandSpec, bool) {
	i := slices.IndexFunc(commands, func(s CommandSpec) bool { return s.Kind == kind })
	if i < 0 {
		return CommandSpec{}, false
	}
	return commands[i], true
}

// Validate finds the specification of a command and the one spelling of its value.
func (c Command) Validate(n *Network) (CommandSpec, string, error) {
	s, ok := CommandKind(c.Kind)
	if !ok {
		return s, "", fmt.Errorf("command %q: no such kind", c.Kind)
	}
	r, ok := n.Resource(c.Resource)
	if !ok {
		return s, "", fmt.Errorf("command %s: no resource %q", c.Kind, c.Resource)
	}
	if !s.Fits(r) {
		return s, "", fmt.Errorf("command %s: does not fit %s, a %s", c.Kind, c.Resource, class{r.Kind, r.Role})
	}
	v, err := s.Check(c.Value)
	if err != nil {
		return s, "", fmt.Errorf("command %s on %s: %w", c.Kind, c.Resource, err)
	}
	return s, v, nil
}

// commandMode marks what commands do to the plant among its faults. Alarms that
// follow from a command count as background: nothing broke.
const commandMode = "command"

// Do carries out a command now. What the plant has no law for changes nothing in it.
// It refuses a command that does not fit, a protection switch to a member that is
// down, a tilt while the motor is jammed, and a restart or scan while one is under
// way; then nothing has changed.
func (p *Plant) Do(c Command) error {
	s, v, err := c.Validate(p.o.Network)
	if err != nil {
		return err
	}
	c.Value = v
	res, _ := p.topo.find(c.Resource)
	r := p.topo.res[res]
	x, _ := strconv.ParseFloat(v, 64)
	switch c.Kind {
	case "enabled":
		on := map[bool]string{true: "adm", false: "hw"}[r.Kind == "Cell"]
		p.hold(c, res, v == "false", effect{on, 0})
		if v == "true" && r.Kind == "Cell" {
			p.mend(res, p.now, "adm")
		}
	case "laser":
		p.hold(c, res, v == "false", effect{"hw", 0})
	case "power":
		first, _ := s.First(r)
		base, _ := strconv.ParseFloat(first, 64)
		p.hold(c, res, x != base, effect{"deg", math.Abs(base - x)}) // both too little and too much cost margin
	case "traffic":
		p.hold(c, res, x != 0, effect{"traffic", math.Max(0, x)})
		p.divert(res, x)
	case "protection":
		return p.manual(c, res, v == "manual")
	case "restart":
		return p.restart(c, res, r)
	case "otdr":
		return p.spell(c, res, scanTime, effect{"scan", 0})
	case "tilt":
		if p.look(res, "ret") < 0.5 {
			return fmt.Errorf("command tilt on %s: the tilt motor does not move", c.Resource)
		}
	}
	return nil
}

// entry finds or makes the place among the faults where a command's doing is kept.
func (p *Plant) entry(c Command, res int32) int32 {
	id := commandMode + "/" + c.Kind + "/" + c.Resource
	i, ok := p.faultIdx[id]
	if !ok {
		i = int32(len(p.faults))
		p.faultIdx[id] = i
		p.faults = append(p.faults, injected{Fault: Fault{ID: id, Mode: commandMode, Resource: c.Resource}, res: res, noise: true})
	}
	f := &p.faults[i]
	f.At, f.from, f.to = p.time(p.now), p.now, 0
	return i
}

// hold keeps variables of a resource at a value while on.
func (p *Plant) hold(c Command, res int32, on bool, effects ...effect) int32 {
	i := p.entry(c, res)
	if p.faults[i].effects != nil {
		p.toggle(i, false)
	}
	p.faults[i].effects = effects
	p.toggle(i, on)
	return i
}

// spell keeps variables at a value for a time. It refuses while the last time runs.
func (p *Plant) spell(c Command, res int32, d time.Duration, effects ...effect) error {
	if i, ok := p.faultIdx[commandMode+"/"+c.Kind+"/"+c.Resource]; ok && p.faults[i].to > p.now {
		return fmt.Errorf("command %s on %s: one is under way", c.Kind, c.Resource)
	}
	i := p.hold(c, res, true, effects...)
	p.faults[i].to = p.now + int64(d)
	p.schedule(p.faults[i].to, evRepair, key{i, 0}, 0)
	return nil
}

// restarts says what a restart takes away and for how long; a kind with a role comes
// before the kind alone. Times are usual ones, from a session's timers to an
// element's boot.
var restarts = []struct {
	on    string
	v     string
	lasts time.Duration
}{
	{"NE:gnb", "sw", 3 * time.Minute}, {"NE", "hw", 5 * time.Minute}, {"Board", "hw", 2 * time.Minute}, {"RRU", "hw", 2 * time.Minute},
	{"ONU", "plug", time.Minute}, {"Host", "hw", 5 * time.Minute}, {"VM", "sw", time.Minute}, {"Pod", "sw", 20 * time.Second},
	{"NF", "sw", 90 * time.Second}, {"VSwitch", "agent", 20 * time.Second}, {"Session", "ses", 10 * time.Second},
}

// software are the variables that a restart sets right.
var software = []string{"sw", "agent", "cpu", "mem"}

func (p *Plant) restart(c Command, res int32, r Resource) error {
	for _, s := range restarts {
		if parseSelector(s.on).match(r.Kind, r.Role) {
			if err := p.spell(c, res, s.lasts, effect{s.v, 0}); err != nil {
				return err
			}
			p.mend(res, p.now+int64(s.lasts), software...)
			return nil
		}
	}
	return nil
}

// mend ends the faults of a resource that touch nothing but the given variables.
func (p *Plant) mend(res int32, at int64, vars ...string) {
	for i := range p.faults {
		f := &p.faults[i]
		soft := func(e effect) bool { return slices.Contains(vars, e.v) }
		if f.res != res || f.Mode == commandMode || f.from > p.now || f.to > 0 && f.to <= at || len(f.effects) == 0 ||
			slices.ContainsFunc(f.effects, func(e effect) bool { return !soft(e) }) {
			continue
		}
		f.to = at
		p.schedule(at, evRepair, key{int32(i), 0}, 0)
	}
}

// divert adds x to the traffic that faults put on a link. A fault that comes later
// is not diverted.
func (p *Plant) divert(res int32, x float64) {
	k := key{res, int32(p.tb.varID["traffic"])}
	worst := imposed{-1, 0}
	for i := range p.active[k] {
		im := &p.active[k][i]
		if f := p.faults[im.fault]; f.Mode != commandMode {
			for _, e := range f.effects {
				if e.v == "traffic" {
					im.val = math.Max(0, e.val+x)
				}
			}
		}
		if im.val > worst.val {
			worst = *im
		}
	}
	if now, _ := p.value(res, int(k.v)); now != worst.val {
		p.commit(k, worst.val, nil, worst.fault)
	}
}

// manual switches a protection group by hand. A signal fail has priority over a
// manual switch and clears it (ITU-T G.808.1): the group's own law takes over with
// the next change of a member.
func (p *Plant) manual(c Command, res int32, over bool) error {
	members := p.o.Network.Out(c.Resource, "PROTECTS")
	up := func(id string) bool {
		r, _ := p.topo.find(id)
		return p.look(r, "up") >= 0.5
	}
	if over && (len(members) < 2 || !slices.ContainsFunc(members[1:], up)) {
		return fmt.Errorf("command protection on %s: no protecting member is up", c.Resource)
	}
	k := key{res, int32(p.tb.varID["switched"])}
	now, _ := p.value(res, int(k.v))
	switch {
	case over && now < 0.5:
		i := p.entry(c, res)
		p.commit(k, 1, nil, i)
	case !over && now >= 0.5 && len(members) > 0 && up(members[0]):
		p.commit(k, 0, nil, -1)
	}
	return nil
}

// scanTime is how long an OTDR averages.
const scanTime = time.Minute

// FibreEvent is what an OTDR sees at one place of a fibre.
type FibreEvent struct {
	Section   string  // fibre section, in the order of the way
	DistanceM float64 // from the port
	LossDB    float64
	End       bool // nothing is seen behind it
}

// OTDR reads the fibre behind an optical line port or a PON port: the places where
// the sections lose more than they should, up to the first break. Sections follow
// each other by id. The place within a section is a hidden parameter of the section.
func (p *Plant) OTDR(port string) ([]FibreEvent, error) {
	if _, _, err := (Command{"otdr", port, ""}).Validate(p.o.Network); err != nil {
		return nil, err
	}
	n := p.o.Network
	var spans []string
	for _, medium := range slices.Concat(n.In(port, "CONNECTS"), n.Out(port, "CARRIES")) {
		for _, near := range n.In(medium, "CARRIES") {
			if r, _ := n.Resource(near); r.Kind == "FibreSection" {
				spans = append(spans, near)
			}
		}
	}
	slices.Sort(spans)
	if line := n.In(port, "CONNECTS"); len(line) > 0 {
		if ends := n.Out(line[0], "CONNECTS"); len(ends) > 1 && ends[0] != port {
			slices.Reverse(spans) // seen from the other end
		}
	}
	var out []FibreEvent
	at := 0.0
	for _, id := range slices.Compact(spans) {
		res, _ := p.topo.find(id)
		length := p.num(res, "length_m", 0)
		loss := p.look(res, "loss")
		if loss > 0 {
			e := FibreEvent{id, at + length*p.hidden(res, "place"), loss, loss >= lostDB}
			out = append(out, e)
			if e.End {
				return out, nil
			}
		}
		at += length
	}
	return append(out, FibreEvent{DistanceM: at, End: true}), nil
}
