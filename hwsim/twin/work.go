package twin

import (
	"fmt"
	"time"

	"faultline/hwsim"
	"faultline/rca"
)

// work is what doing an action does to the network besides mending the fault.
type work struct {
	mode  string // way of breaking that equals the work, empty when nothing is touched
	lasts time.Duration
	stays bool // the resource stays out of service
}

// takenOut names, for each kind and role, the mode that equals taking the resource out
// of service; a kind without a role stands for all roles that are not listed.
var takenOut = map[string]string{
	"NE:gnb": "gnb-software", "NE:dcswitch": "tor-switch", "NE": "planned-work", "Board:line": "line-board", "Board:bbu": "bbu-board", "RRU": "rru-hardware",
	"Host": "host-failure", "VM": "vm-failure", "Pod": "pod-crash", "NF": "nf-software", "VSwitch": "vswitch-agent", "Port:transponder": "transponder-fault",
	"Session:sctp": "sctp-path", "Session:n4": "n4-path", "Session:gtpu": "gtpu-path", "Session:diameter": "diameter-peer", "Session:bgp": "bgp-misconfig", "ONU": "onu-power-off",
}

// workFor says how an action of a kind touches a resource. Hot-swapped modules,
// fibres, power and settings are mended without taking more away than the fault did.
func workFor(kind string, r hwsim.Resource) work {
	mode := takenOut[r.Kind+":"+r.Role]
	if mode == "" {
		mode = takenOut[r.Kind]
	}
	switch kind {
	case "restart", "reset-unit":
		return work{mode, 5 * time.Minute, false}
	case "reset-session":
		return work{mode, time.Minute, false}
	case "replace-unit":
		if r.Kind == "NE" && r.Role != "dcswitch" { // its power module, not the element
			mode = ""
		}
		return work{mode, 15 * time.Minute, false}
	case "disable-port":
		return work{mode, time.Minute, true}
	}
	return work{"", time.Minute, false}
}

// rollback says how to get back to the state before the work.
func (w work) rollback(a rca.Action) string {
	switch a.Kind {
	case "change-config", "change-traffic":
		return fmt.Sprintf("save the configuration of %s first and load it again if alarms do not clear", a.Resource)
	case "replace-unit":
		return fmt.Sprintf("keep the old unit of %s and put it back if the new one does not come up", a.Resource)
	case "restart", "reset-unit", "reset-session":
		return fmt.Sprintf("a restart of %s cannot be undone; fall back to its standby or stop after one try", a.Resource)
	case "disable-port":
		return fmt.Sprintf("enable the port of %s again", a.Resource)
	}
	return "nothing is changed that would have to be undone"
}
