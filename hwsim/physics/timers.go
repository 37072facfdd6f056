package physics

import "time"

// Timer is a default of a protocol: how long it takes to notice, and what follows.
type Timer struct {
	Mechanism string
	Detect    time.Duration
	Action    string
	Source    string
	Checked   bool // the clause of the standard was read
}

// Timers returns the defaults by mechanism, in the order of detection time.
func Timers() []Timer {
	return []Timer{
		{"PON LOS", 500 * time.Microsecond, "LOSi, LOS after 4 frames", "BBF xPON defects", true},
		{"OTUk LOF/LOM", 3 * time.Millisecond, "AIS and BDI", "vendor manual", true},
		{"CCM 3.33 ms", CCMLoss(10 * time.Millisecond / 3), "LOC, protection switches", "ITU-T G.8021", false},
		{"BFD 3 x 10 ms", BFDDetect(3, 10*time.Millisecond), "IGP and BGP neighbours go down", "RFC 5880", false},
		{"CCM 10 ms", CCMLoss(10 * time.Millisecond), "LOC, protection switches", "ITU-T G.8021", false},
		{"CCM 1 s", CCMLoss(time.Second), "LOC, protection switches", "ITU-T G.8021", false},
		{"OSPF dead", 40 * time.Second, "neighbour down, SPF", "RFC 2328", false},
		{"Diameter watchdog", 60 * time.Second, "failover, reconnect", "RFC 3539", false},
		{"SCTP path", SCTPPathFailure(time.Second, time.Minute, 5), "path down, then the association", "RFC 9260", false},
		{"BGP hold", 90 * time.Second, "session down, routes withdrawn", "RFC 4271", false},
		{"alarm filter", 90 * time.Second, "RF link and SCTP alarms clear after this time without fault", "vendor manual", true},
	}
}

// CCMLoss is when continuity is lost after the last message: 3.5 intervals (ITU-T G.8021,
// not checked).
func CCMLoss(interval time.Duration) time.Duration { return interval * 7 / 2 }

// BFDDetect is the detection time of asynchronous BFD: multiplier x interval (RFC 5880
// 6.8.4).
func BFDDetect(multiplier int, interval time.Duration) time.Duration {
	return time.Duration(multiplier) * interval
}

// SCTPPathFailure is when a path counts as failed: the retransmission timer doubles at
// each of retries+1 timeouts, up to a maximum (RFC 9260 6.3.3 and 8.2).
func SCTPPathFailure(initial, maximum time.Duration, retries int) time.Duration {
	var sum time.Duration
	for rto, n := initial, 0; n <= retries; n++ {
		sum += min(rto, maximum)
		rto = min(2*rto, maximum)
	}
	return sum
}

// Protection is linear protection with its timers (ITU-T G.8031 and relatives, not
// checked): detection, hold-off, a switch of at most 50 ms, and for revertive protection
// a wait to restore of 5 minutes.
type Protection struct {
	Detect, HoldOff, Switch, WaitToRestore time.Duration
	Revertive                              bool
}

// LinearProtection is revertive protection on a CCM interval with the usual timers.
func LinearProtection(ccm time.Duration) Protection {
	return Protection{Detect: CCMLoss(ccm), Switch: 50 * time.Millisecond, WaitToRestore: 5 * time.Minute, Revertive: true}
}

// Outage is how long traffic stands when the working path fails for a time: until the
// switch, or until the path is back when that is earlier. switched says whether it came
// to a switch.
func (p Protection) Outage(down time.Duration) (lost time.Duration, switched bool) {
	if decide := p.Detect + p.HoldOff; down > decide {
		return decide + p.Switch, true
	}
	return down, false
}

// Back is when traffic returns to the working path, counted from its failure, after it
// failed for a time; false when it never left or does not revert. The switch back is
// another interruption of at most Switch.
func (p Protection) Back(down time.Duration) (time.Duration, bool) {
	if _, switched := p.Outage(down); !switched || !p.Revertive {
		return 0, false
	}
	return down + p.WaitToRestore, true
}
