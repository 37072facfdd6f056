package snmp

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"

	"faultline/hwsim"
	"faultline/hwsim/serve"
)

// oid is an object identifier.
type oid []uint32

func parseOID(s string) (oid, bool) {
	var out oid
	for part := range strings.SplitSeq(strings.TrimPrefix(s, "."), ".") {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return nil, false
		}
		out = append(out, uint32(n))
	}
	return out, true
}

func (o oid) String() string {
	var b strings.Builder
	for _, n := range o {
		b.WriteString("." + strconv.FormatUint(uint64(n), 10))
	}
	return b.String()
}

func (o oid) plus(more ...uint32) oid { return append(slices.Clone(o), more...) }

func must(s string) oid {
	o, _ := parseOID(s)
	return o
}

// Where things stand. The alarm table is below netSnmpPlaypen, the arc for
// experiments, because this project has no number of its own.
var (
	oidUpTime    = must("1.3.6.1.2.1.1.3.0")
	oidTrap      = must("1.3.6.1.6.3.1.1.4.1.0")
	oidLinkDown  = must("1.3.6.1.6.3.1.1.5.3")
	oidLinkUp    = must("1.3.6.1.6.3.1.1.5.4")
	oidIfEntry   = must("1.3.6.1.2.1.2.2.1")
	oidIfX       = must("1.3.6.1.2.1.31.1.1.1")
	oidPhysical  = must("1.3.6.1.2.1.47.1.1.1.1")
	oidSensor    = must("1.3.6.1.2.1.99.1.1.1")
	oidAlarmOn   = must("1.3.6.1.2.1.118.0.2") // alarmActiveState, RFC 3877
	oidAlarmOff  = must("1.3.6.1.2.1.118.0.3") // alarmClearState
	oidModelRow  = must("1.3.6.1.2.1.118.1.1.2.1.3.0")
	oidModelPtr  = must("1.3.6.1.2.1.118.1.2.2.1.13.0")
	oidResource  = must("1.3.6.1.2.1.118.1.2.2.1.10.0")
	oidPlaypen   = must("1.3.6.1.4.1.8072.9999.9999")
	oidAlarmsRow = oidPlaypen.plus(1, 1)
)

// value is what stands at an object instance.
type value struct {
	kind gosnmp.Asn1BER
	v    any
}

func integer(n int) value      { return value{gosnmp.Integer, n} }
func octets(s string) value    { return value{gosnmp.OctetString, s} }
func gauge(x float64) value    { return value{gosnmp.Gauge32, uint32(min(x, math.MaxUint32))} }
func counter32(n uint64) value { return value{gosnmp.Counter32, uint32(n)} }
func counter64(n uint64) value { return value{gosnmp.Counter64, n} }
func ticks(d time.Duration) value {
	return value{gosnmp.TimeTicks, uint32(d / (10 * time.Millisecond))}
}
func pointer(o oid) value { return value{gosnmp.ObjectIdentifier, o.String()} }

// table is a conceptual table with one index. A scalar is a table whose only row is 0.
type table struct {
	entry   oid
	columns []uint32
	rows    func(serve.View) []uint32 // rising
	get     func(v serve.View, column, row uint32) (value, bool)
}

// sensor is one measured value as ENTITY-SENSOR-MIB has it.
type sensor struct {
	resource, reading string
	in                uint32 // entPhysicalIndex of what it measures
}

// mib is what one element, or the whole network, shows. It is fixed once it is made;
// values are read when they are asked for.
type mib struct {
	agent    string
	ports    []hwsim.Resource // ifIndex 1 and on
	physical []hwsim.Resource // entPhysicalIndex 1 and on; the sensors follow
	sensors  []sensor
	tables   []table // by entry
	start    time.Time
	ifIndex  map[string]uint32
	entIndex map[string]uint32
}

var units = map[string]struct {
	kind, scale, precision int // of RFC 3433
	factor                 float64
}{
	"C":   {8, 9, 2, 100},
	"mA":  {5, 8, 2, 100},
	"dBm": {1, 9, 2, 100}, // the RFC has no dBm: "other", with its unit in words
	"dB":  {1, 9, 2, 100},
}

func newMIB(v serve.View, agent string, start time.Time) *mib {
	m := &mib{agent: agent, start: start, ifIndex: map[string]uint32{}, entIndex: map[string]uint32{}}
	for _, r := range v.Network().Resources() {
		if agent != "" && v.Agent(r.ID) != agent {
			continue
		}
		if r.Kind == "Port" {
			m.ports = append(m.ports, r)
			m.ifIndex[r.ID] = uint32(len(m.ports))
		}
		switch r.Kind {
		case "NE", "Board", "Port", "OpticalModule", "RRU", "FanTray", "Host":
			m.physical = append(m.physical, r)
			m.entIndex[r.ID] = uint32(len(m.physical))
		}
	}
	for i, r := range m.physical {
		for _, x := range v.Sensors(r.ID) {
			if _, ok := units[x.Unit]; ok {
				m.sensors = append(m.sensors, sensor{r.ID, x.Name, uint32(i + 1)})
			}
		}
	}
	m.tables = []table{
		m.scalar("1.3.6.1.2.1.1.1", func(serve.View) value { return octets("Faultline simulated plant") }),
		m.scalar("1.3.6.1.2.1.1.2", func(serve.View) value { return pointer(oidPlaypen) }),
		m.scalar("1.3.6.1.2.1.1.3", func(v serve.View) value { return ticks(v.Now().Sub(m.start)) }),
		m.scalar("1.3.6.1.2.1.1.5", func(serve.View) value { return octets(cmp.Or(m.agent, "plant")) }),
		m.scalar("1.3.6.1.2.1.2.1", func(serve.View) value { return integer(len(m.ports)) }),
		{oidIfEntry, []uint32{1, 2, 3, 5, 7, 8, 10, 16}, upTo(len(m.ports)), m.port},
		{oidIfX, []uint32{1, 6, 10, 15, 18}, upTo(len(m.ports)), m.portX},
		{oidPhysical, []uint32{2, 4, 5, 7}, upTo(len(m.physical) + len(m.sensors)), m.entity},
		{oidSensor, []uint32{1, 2, 3, 4, 5, 6}, m.sensorRows, m.sensorValue},
		{oidAlarmsRow, []uint32{2, 3, 4, 5, 6, 7, 8}, m.alarmRows, m.alarm},
	}
	slices.SortFunc(m.tables, func(a, b table) int { return slices.Compare(a.entry, b.entry) })
	return m
}

func (m *mib) scalar(at string, f func(serve.View) value) table {
	o := must(at)
	n := len(o) - 1
	return table{o[:n:n], []uint32{o[n]}, func(serve.View) []uint32 { return []uint32{0} }, func(v serve.View, _, _ uint32) (value, bool) { return f(v), true }}
}

func upTo(n int) func(serve.View) []uint32 {
	rows := make([]uint32, n)
	for i := range rows {
		rows[i] = uint32(i + 1)
	}
	return func(serve.View) []uint32 { return rows }
}

// port is ifTable.
func (m *mib) port(v serve.View, column, row uint32) (value, bool) {
	r := m.ports[row-1]
	switch column {
	case 1:
		return integer(int(row)), true
	case 2:
		return octets(r.ID), true
	case 3:
		return integer(cmp.Or(map[string]int{"otn-line": 196, "transponder": 195, "pon": 250}[r.Role], 6)), true // opticalTransport, opticalChannel, gpon, ethernetCsmacd
	case 5:
		return gauge(v.Capacity(r.ID)), true
	case 7:
		on, _ := v.Setting(serve.Setting{Resource: r.ID, Kind: "enabled"})
		return integer(upDown(on == "true")), true
	case 8:
		if !v.Reachable(r.ID) {
			return integer(4), true // unknown
		}
		return integer(upDown(v.Up(r.ID))), true
	}
	in, out := v.Octets(r.ID)
	if column == 10 {
		return counter32(in), true
	}
	return counter32(out), true
}

func upDown(up bool) int {
	if up {
		return 1
	}
	return 2
}

// portX is ifXTable.
func (m *mib) portX(v serve.View, column, row uint32) (value, bool) {
	r := m.ports[row-1]
	switch column {
	case 1:
		return octets(r.ID), true
	case 15:
		return gauge(v.Capacity(r.ID) / 1e6), true
	case 18:
		return octets(r.Name), true
	}
	in, out := v.Octets(r.ID)
	if column == 6 {
		return counter64(in), true
	}
	return counter64(out), true
}

// entity is entPhysicalTable: the parts, then a sensor for each measured value.
func (m *mib) entity(v serve.View, column, row uint32) (value, bool) {
	if i := int(row) - len(m.physical) - 1; i >= 0 {
		s := m.sensors[i]
		switch column {
		case 4:
			return integer(int(s.in)), true
		case 5:
			return integer(8), true // sensor
		}
		return octets(s.resource + " " + s.reading), true
	}
	r := m.physical[row-1]
	switch column {
	case 2:
		return octets(strings.TrimSpace(r.Kind + " " + r.Role)), true
	case 4:
		for _, in := range v.Network().In(r.ID, "CONTAINS") {
			return integer(int(m.entIndex[in])), true // 0 when it is not one of ours
		}
		return integer(0), true
	case 5:
		return integer(cmp.Or(map[string]int{"NE": 3, "Host": 3, "Board": 9, "OpticalModule": 9, "RRU": 9, "Port": 10, "FanTray": 7}[r.Kind], 1)), true
	}
	return octets(r.ID), true
}

func (m *mib) sensorRows(serve.View) []uint32 {
	rows := make([]uint32, len(m.sensors))
	for i := range rows {
		rows[i] = uint32(len(m.physical) + i + 1)
	}
	return rows
}

// sensorValue is entPhySensorTable.
func (m *mib) sensorValue(v serve.View, column, row uint32) (value, bool) {
	i := int(row) - len(m.physical) - 1
	if i < 0 || i >= len(m.sensors) {
		return value{}, false
	}
	s := m.sensors[i]
	var reading hwsim.Reading
	there := false
	for _, x := range v.Readings(s.resource) {
		if x.Name == s.reading {
			reading, there = x, true
		}
	}
	if !there { // its unit is known from when it was there; the value is not
		reading.Unit = map[string]string{"temperature": "C", "laser-bias-current": "mA", "penalty": "dB"}[s.reading]
		reading.Unit = cmp.Or(reading.Unit, "dBm")
	}
	u := units[reading.Unit]
	switch column {
	case 1:
		return integer(u.kind), true
	case 2:
		return integer(u.scale), true
	case 3:
		return integer(u.precision), true
	case 4:
		return integer(int(math.Round(reading.Value * u.factor))), true
	case 5:
		return integer(upDown(there)), true // ok or unavailable
	}
	return octets(reading.Unit), true
}

func (m *mib) mine(a serve.Alarm) bool { return !a.Cleared && (m.agent == "" || a.Element == m.agent) }

func (m *mib) alarmRows(v serve.View) []uint32 {
	var rows []uint32
	for _, a := range v.Alarms() {
		if m.mine(a) {
			rows = append(rows, a.ID)
		}
	}
	return rows
}

func (m *mib) alarm(v serve.View, column, row uint32) (value, bool) {
	a, ok := v.Alarm(row)
	if !ok || !m.mine(a) {
		return value{}, false
	}
	return alarmColumn(a, a.Severity, a.Raised, column), true
}

// severities are the numbers of ItuPerceivedSeverity (RFC 3877).
var severities = map[string]int{"cleared": 1, "indeterminate": 2, "critical": 3, "major": 4, "minor": 5, "warning": 6}

// states are the values of alarmModelState for ITU alarms (RFC 3877 section 5.4).
var states = map[string]uint32{"cleared": 1, "indeterminate": 2, "warning": 3, "minor": 4, "major": 5, "critical": 6}

func alarmColumn(a serve.Alarm, severity string, at time.Time, column uint32) value {
	switch column {
	case 2:
		return octets(a.Object)
	case 3:
		return octets(a.Type)
	case 4:
		return octets(a.Qualifier)
	case 5:
		return integer(severities[severity])
	case 6:
		return integer(a.ProbableCause)
	case 7:
		return octets(a.Text)
	}
	return octets(dateAndTime(at))
}

// dateAndTime is the textual convention of RFC 2579, with UTC.
func dateAndTime(t time.Time) string {
	t = t.UTC()
	return string([]byte{byte(t.Year() >> 8), byte(t.Year()), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second()), byte(t.Nanosecond() / 1e8), '+', 0, 0})
}

// find is the value at an instance.
func (m *mib) find(v serve.View, o oid) (value, bool) {
	for _, t := range m.tables {
		if len(o) != len(t.entry)+2 || !slices.Equal(o[:len(t.entry)], t.entry) {
			continue
		}
		column, row := o[len(o)-2], o[len(o)-1]
		if _, ok := slices.BinarySearch(t.rows(v), row); ok && slices.Contains(t.columns, column) {
			return t.get(v, column, row)
		}
	}
	return value{}, false
}

// next is the first instance after o.
func (m *mib) next(v serve.View, o oid) (oid, value, bool) {
	for _, t := range m.tables {
		n := len(t.entry)
		in := len(o) >= n && slices.Equal(o[:n], t.entry)
		if !in && slices.Compare(o, t.entry) > 0 {
			continue
		}
		rows := t.rows(v)
		for _, c := range t.columns {
			first := 0
			if in && len(o) > n {
				switch {
				case c < o[n]:
					continue
				case c == o[n] && len(o) > n+1:
					first = sort.Search(len(rows), func(i int) bool { return rows[i] > o[n+1] })
				}
			}
			for _, row := range rows[first:] {
				if val, ok := t.get(v, c, row); ok {
					return t.entry.plus(c, row), val, true
				}
			}
		}
	}
	return nil, value{}, false
}
