package physics

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Monitor is one set of the values that an optical module measures.
type Monitor struct {
	TemperatureC float64
	VccV         float64
	BiasMA       float64
	TxMW         float64
	RxMW         float64
}

// Diagnostics is the monitoring page of a module, SFF-8472 address A2h, with internal
// calibration. The layout is common knowledge that was not checked against the standard.
type Diagnostics struct {
	Monitor
	RxLOS                                  bool
	HighAlarm, LowAlarm, HighWarn, LowWarn Monitor
	Flags                                  uint32 // bytes 112, 113, 116, 117; Encode computes them
}

// Flags of Diagnostics: bytes 112-113 are alarms, 116-117 warnings.
const (
	FlagRxHighAlarm uint32 = 1 << 23
	FlagRxLowAlarm  uint32 = 1 << 22
	FlagRxHighWarn  uint32 = 1 << 7
	FlagRxLowWarn   uint32 = 1 << 6
)

// diagnosticsSize is the lower half of page A2h.
const diagnosticsSize = 128

// raw returns the five registers: temperature /256 C, supply x 100 uV, bias x 2 uA,
// powers x 0.1 uW. A value out of reach is the nearest register.
func (m Monitor) raw() [5]uint16 {
	u := func(x float64) uint16 { return uint16(math.Round(min(max(x, 0), math.MaxUint16))) }
	t := math.Round(min(max(m.TemperatureC*256, math.MinInt16), math.MaxInt16))
	return [5]uint16{uint16(int16(t)), u(m.VccV * 1e4), u(m.BiasMA * 500), u(m.TxMW * 1e4), u(m.RxMW * 1e4)}
}

func monitorOf(r [5]uint16) Monitor {
	return Monitor{float64(int16(r[0])) / 256, float64(r[1]) / 1e4, float64(r[2]) / 500, float64(r[3]) / 1e4, float64(r[4]) / 1e4}
}

// Encode writes the 128 bytes of the page: thresholds at 0-39, the check sum of 0-94 at
// 95, live values at 96-105, status at 110, alarm and warning flags from the thresholds.
func (d Diagnostics) Encode() []byte {
	b := make([]byte, diagnosticsSize)
	limits := [4][5]uint16{d.HighAlarm.raw(), d.LowAlarm.raw(), d.HighWarn.raw(), d.LowWarn.raw()}
	live := d.raw()
	for q := range live {
		for l := range limits {
			binary.BigEndian.PutUint16(b[8*q+2*l:], limits[l][q])
		}
		binary.BigEndian.PutUint16(b[96+2*q:], live[q])
	}
	b[95] = sum8(b[:95])
	if d.RxLOS {
		b[110] |= 1 << 1
	}
	value := func(q int, r uint16) int {
		if q == 0 {
			return int(int16(r))
		}
		return int(r)
	}
	for q := range live {
		x := value(q, live[q])
		at, bit := 112+q/4, uint(7-2*(q%4))
		for l, byteOffset := range []int{0, 0, 4, 4} {
			t := value(q, limits[l][q])
			if high := l%2 == 0; high && x > t {
				b[at+byteOffset] |= 1 << bit
			} else if !high && x < t {
				b[at+byteOffset] |= 1 << (bit - 1)
			}
		}
	}
	return b
}

// DecodeDiagnostics reads a page that Encode, or a module, wrote. It fails on a short
// page and on a wrong check sum of the thresholds.
func DecodeDiagnostics(page []byte) (Diagnostics, error) {
	if len(page) < diagnosticsSize {
		return Diagnostics{}, fmt.Errorf("read page A2h: %d bytes, want %d", len(page), diagnosticsSize)
	}
	if s := sum8(page[:95]); s != page[95] {
		return Diagnostics{}, fmt.Errorf("read page A2h: byte 95: check sum %#02x, computed %#02x", page[95], s)
	}
	row := func(start, step int) Monitor {
		var r [5]uint16
		for q := range r {
			r[q] = binary.BigEndian.Uint16(page[start+step*q:])
		}
		return monitorOf(r)
	}
	return Diagnostics{
		Monitor: row(96, 2), RxLOS: page[110]&(1<<1) != 0,
		HighAlarm: row(0, 8), LowAlarm: row(2, 8), HighWarn: row(4, 8), LowWarn: row(6, 8),
		Flags: uint32(page[112])<<24 | uint32(page[113])<<16 | uint32(page[116])<<8 | uint32(page[117]),
	}, nil
}

func sum8(b []byte) byte {
	var s byte
	for _, x := range b {
		s += x
	}
	return s
}
