package snmp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/gosnmp/gosnmp"

	"faultline/hwsim"
	"faultline/hwsim/serve"
)

// SenderOptions of NewSender.
type SenderOptions struct {
	Gateway   *serve.Gateway
	Target    string        // host:port of the trap receiver
	Community string        // "" means "public"
	Inform    bool          // send informs, which the receiver acknowledges
	Timeout   time.Duration // of an acknowledgement; 0 means 2 s
	Retries   int           // of an inform that is not acknowledged
	Report    func(error)   // told of a trap that could not be sent; nil forgets it
}

// Sender sends alarm events as traps or informs.
type Sender struct {
	o    SenderOptions
	conn *gosnmp.GoSNMP
	feed *serve.Feed
	mib  *mib
	down map[string]bool // ports whose linkDown was sent

	model map[string]uint32 // the alarms that the plant can raise, numbered from 1
}

// NewSender checks the options, and watches from now on.
func NewSender(o SenderOptions) (*Sender, error) {
	if o.Gateway == nil {
		return nil, fmt.Errorf("snmp sender options: Gateway missing")
	}
	host, port, err := net.SplitHostPort(o.Target)
	if err != nil {
		return nil, fmt.Errorf("snmp sender options: Target: %w", err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("snmp sender options: Target: port %q", port)
	}
	if o.Retries < 0 || o.Timeout < 0 {
		return nil, fmt.Errorf("snmp sender options: Retries %d or Timeout %v is negative", o.Retries, o.Timeout)
	}
	s := &Sender{o: o, down: map[string]bool{}, conn: &gosnmp.GoSNMP{
		Target: host, Port: uint16(n), Transport: "udp", Version: gosnmp.Version2c, Community: cmp.Or(o.Community, "public"),
		Timeout: cmp.Or(o.Timeout, 2*time.Second), Retries: o.Retries, MaxOids: gosnmp.MaxOids, UseUnconnectedUDPSocket: true, // a receiver that starts again is no error
	}}
	s.model = map[string]uint32{}
	for i, a := range hwsim.Alarms() {
		s.model[a.Slug] = uint32(i + 1)
	}
	o.Gateway.Look(func(v serve.View) {
		s.mib = newMIB(v, "", v.Now())
		s.feed = v.Watch()
	})
	return s, nil
}

// Run sends until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	defer s.feed.Close()
	s.conn.Context = ctx
	if err := s.conn.Connect(); err != nil {
		return fmt.Errorf("open trap socket: %w", err)
	}
	defer func() { _ = s.conn.Close() }()
	for {
		evs, err := s.feed.Next(ctx)
		if errors.Is(err, serve.ErrLagged) {
			return fmt.Errorf("send traps: %w", err)
		}
		if err != nil {
			return nil
		}
		for _, e := range evs {
			for _, t := range s.traps(e) {
				if _, err := s.conn.SendTrap(t); err != nil && ctx.Err() == nil && s.o.Report != nil {
					s.o.Report(fmt.Errorf("send trap of %s on %s: %w", e.Alarm.Type, e.Alarm.Object, err))
				}
			}
		}
	}
}

// traps are the traps of one event: that of the link, when a port went down or came
// up with it, and that of the alarm.
func (s *Sender) traps(e serve.Event) []gosnmp.SnmpTrap {
	a, n := e.Alarm, e.Notification
	at := ticks(n.Arrived.Sub(s.mib.start))
	trap := func(what oid, vars ...gosnmp.SnmpPDU) gosnmp.SnmpTrap {
		head := []gosnmp.SnmpPDU{bind(oidUpTime, at), bind(oidTrap, pointer(what))}
		return gosnmp.SnmpTrap{Variables: append(head, vars...), IsInform: s.o.Inform}
	}
	var out []gosnmp.SnmpTrap
	if row := s.mib.ifIndex[a.Object]; row > 0 {
		s.o.Gateway.Look(func(v serve.View) {
			if down := !v.Up(a.Object); down != s.down[a.Object] {
				s.down[a.Object] = down
				what := oidLinkUp
				if down {
					what = oidLinkDown
				}
				var vars []gosnmp.SnmpPDU
				for _, c := range []uint32{1, 7, 8, 2} {
					val, _ := s.mib.port(v, c, row)
					vars = append(vars, bind(oidIfEntry.plus(c, row), val))
				}
				out = append(out, trap(what, vars...))
			}
		})
	}
	what := oidAlarmOn
	if n.Severity == "cleared" {
		what = oidAlarmOff
	}
	vars := []gosnmp.SnmpPDU{
		bind(oidModelPtr, pointer(oidModelRow.plus(s.model[a.Type], states[n.Severity]))),
		bind(oidResource, pointer(s.resource(a.Object))),
	}
	for c := uint32(2); c <= 8; c++ {
		vars = append(vars, bind(oidAlarmsRow.plus(c, a.ID), alarmColumn(a, n.Severity, n.Time, c)))
	}
	return append(out, trap(what, vars...))
}

func bind(o oid, v value) gosnmp.SnmpPDU {
	return gosnmp.SnmpPDU{Name: o.String(), Type: v.kind, Value: v.v}
}

// resource points at the row of a resource, 0.0 when it has none.
func (s *Sender) resource(id string) oid {
	if row := s.mib.ifIndex[id]; row > 0 {
		return oidIfEntry.plus(1, row)
	}
	if row := s.mib.entIndex[id]; row > 0 {
		return oidPhysical.plus(1, row)
	}
	return oid{0, 0}
}
