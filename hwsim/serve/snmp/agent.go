// Package snmp shows a Gateway by SNMP v2c: an agent with the system group, IF-MIB,
// ENTITY-MIB, ENTITY-SENSOR-MIB and a table of active alarms, and a sender of traps
// and informs (linkDown, linkUp, and the alarm notifications of RFC 3877).
package snmp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"

	"faultline/hwsim/serve"
)

// AgentOptions of NewAgent.
type AgentOptions struct {
	Gateway *serve.Gateway
	// Community is what requests must carry. "community@element" asks one element,
	// which does not answer while it cannot be reached; the community alone asks for
	// the whole network. "" means "public".
	Community string
}

// Agent answers Get, GetNext and GetBulk. Set is refused with notWritable.
type Agent struct {
	o     AgentOptions
	g     *serve.Gateway
	codec *gosnmp.GoSNMP
	start time.Time
	mibs  map[string]*mib // by element; touched within Gateway.Look alone
}

// NewAgent checks the options. The agent's uptime counts from now.
func NewAgent(o AgentOptions) (*Agent, error) {
	if o.Gateway == nil {
		return nil, fmt.Errorf("snmp agent options: Gateway missing")
	}
	o.Community = cmp.Or(o.Community, "public")
	if strings.Contains(o.Community, "@") {
		return nil, fmt.Errorf("snmp agent options: Community %q contains @", o.Community)
	}
	return &Agent{o: o, g: o.Gateway, codec: &gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: o.Community}, start: o.Gateway.Now(), mibs: map[string]*mib{}}, nil
}

// Serve answers on a packet connection, which it closes, until ctx ends.
func (a *Agent) Serve(ctx context.Context, pc net.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { pc.Close() })
	defer stop()
	defer pc.Close()
	buf := make([]byte, 65535)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("serve snmp: %w", err)
		}
		if out := a.answer(buf[:n]); out != nil {
			_, _ = pc.WriteTo(out, from) // as lost on the way; the manager asks again
		}
	}
}

// limits of an answer: variables, and octets that fit a datagram.
const (
	maxVariables = 500
	maxOctets    = 65000
)

// answer gives the response to a datagram; nil when none is due: it is no request of
// version 2c, its community is wrong, or the element is silent.
func (a *Agent) answer(in []byte) []byte {
	req, ok := a.decode(in)
	if !ok || req.Version != gosnmp.Version2c {
		return nil
	}
	element := ""
	if c, e, listed := strings.Cut(req.Community, "@"); c != a.o.Community {
		return nil
	} else if listed {
		element = e
		if _, known := a.g.Network().Resource(e); !known {
			return nil
		}
	}
	res := &gosnmp.SnmpPacket{Version: req.Version, Community: req.Community, PDUType: gosnmp.GetResponse, RequestID: req.RequestID}
	due := true
	a.g.Look(func(v serve.View) {
		if element != "" && !v.Reachable(element) {
			due = false
			return
		}
		m := a.mibs[element]
		if m == nil {
			m = newMIB(v, element, a.start)
			a.mibs[element] = m
		}
		due = m.fill(v, req, res)
	})
	if !due {
		return nil
	}
	out, err := res.MarshalMsg()
	if err != nil || len(out) > maxOctets {
		res.Variables, res.Error, res.ErrorIndex = nil, gosnmp.TooBig, 0
		if out, err = res.MarshalMsg(); err != nil {
			return nil
		}
	}
	return out
}

// decode reads a datagram. The library indexes some fields without looking at their
// length; a datagram that makes it fail is dropped like any other that is no SNMP.
func (a *Agent) decode(in []byte) (p *gosnmp.SnmpPacket, ok bool) {
	defer func() {
		if recover() != nil {
			p, ok = nil, false
		}
	}()
	p, err := a.codec.SnmpDecodePacket(in)
	return p, err == nil
}

// fill carries out a request and reports whether an answer is due.
func (m *mib) fill(v serve.View, req, res *gosnmp.SnmpPacket) bool {
	add := func(o oid, val value) {
		res.Variables = append(res.Variables, gosnmp.SnmpPDU{Name: o.String(), Type: val.kind, Value: val.v})
	}
	step := func(o oid) oid {
		to, val, ok := m.next(v, o)
		if !ok {
			add(o, value{gosnmp.EndOfMibView, nil})
			return nil
		}
		add(to, val)
		return to
	}
	var asked []oid
	for _, x := range req.Variables {
		o, ok := parseOID(x.Name)
		if !ok || len(o) < 2 {
			return false
		}
		asked = append(asked, o)
	}
	if len(asked) > maxVariables {
		res.Error = gosnmp.TooBig
		return true
	}
	switch req.PDUType {
	case gosnmp.GetRequest:
		for _, o := range asked {
			val, ok := m.find(v, o)
			if !ok {
				val = value{gosnmp.NoSuchInstance, nil}
			}
			add(o, val)
		}
	case gosnmp.GetNextRequest:
		for _, o := range asked {
			step(o)
		}
	case gosnmp.GetBulkRequest:
		n := min(int(req.NonRepeaters), len(asked))
		for _, o := range asked[:n] {
			step(o)
		}
		repeat := asked[n:]
		for i := uint32(0); i < req.MaxRepetitions && len(repeat) > 0; i++ {
			ended := true
			for j, o := range repeat {
				if len(res.Variables) >= maxVariables {
					return true
				}
				if to := step(o); to != nil {
					repeat[j], ended = to, false
				}
			}
			if ended {
				break
			}
		}
	case gosnmp.SetRequest:
		res.Error, res.ErrorIndex = gosnmp.NotWritable, 1
		for _, x := range req.Variables {
			res.Variables = append(res.Variables, gosnmp.SnmpPDU{Name: x.Name, Type: gosnmp.Null})
		}
	default:
		return false
	}
	return true
}
