package operator

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Window is one piece of planned work: from when to when a crew works on what.
type Window struct {
	ID, Name  string
	Resources []string // what is worked on
	From, To  time.Time
}

// work is a kind of planned work.
type work struct {
	name   string
	kind   string // resource that is worked on, as Kind or Kind:role
	hour   int    // UTC hour at which it may start
	spread int    // whole hours over which starts are spread
	length int    // hours
	weight int    // how often it is planned, relative to the others
	batch  int    // resources of one window; neighbours in the inventory
}

// works are planned in the night where traffic would suffer, in the day where a crew
// must drive and only redundant or passive plant is touched.
var works = []work{
	{"Software upgrade of packet node", "NE:spn", 0, 3, 2, 6, 1},
	{"Software upgrade of base station", "NE:gnb", 0, 4, 1, 8, 4},
	{"Software upgrade of OLT", "NE:olt", 1, 2, 2, 2, 1},
	{"Software upgrade of router", "NE:router", 1, 1, 3, 2, 1},
	{"Amplifier exchange at optical node", "NE:otn", 0, 2, 4, 1, 1},
	{"Broadband gateway patch", "NE:bras", 2, 1, 2, 1, 1},
	{"Switch replacement in data centre", "NE:dcswitch", 22, 2, 3, 1, 1},
	{"Host kernel patch", "Host", 22, 4, 1, 3, 2},
	{"Battery discharge test", "Battery", 8, 6, 3, 5, 1},
	{"Generator service", "Generator", 8, 6, 2, 2, 1},
	{"Radio unit exchange", "RRU", 7, 8, 2, 5, 1},
	{"Cable work in trench", "Trench", 7, 8, 4, 2, 1},
	{"Grid maintenance announced by the power company", "PowerSystem:district", 9, 4, 3, 1, 1},
}

// PlannedWork returns the work that the operator plans with windows that overlap the
// span from (inclusive) to to (exclusive), by start and id. Every day is planned by
// itself, so a window does not depend on the span that is asked for. About one piece
// of work a day falls on every forty sites.
func (o *Operator) PlannedWork(seed uint64, from, to time.Time) ([]Window, error) {
	if !to.After(from) {
		return nil, fmt.Errorf("plan work: to: %s is not after from %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	byKind := map[string][]string{}
	for _, w := range works {
		byKind[w.kind] = nil
	}
	sites := 0
	for _, r := range o.Network.Resources() {
		if r.Kind == "Site" {
			sites++
		}
		for _, k := range []string{r.Kind, r.Kind + ":" + r.Role} {
			if _, ok := byKind[k]; ok {
				byKind[k] = append(byKind[k], r.ID)
			}
		}
	}
	var deck []work
	for _, w := range works {
		for range w.weight {
			deck = append(deck, w)
		}
	}
	var out []Window
	day := from.UTC().Truncate(24*time.Hour).AddDate(0, 0, -1) // the evening before reaches into the first day
	for ; day.Before(to); day = day.AddDate(0, 0, 1) {
		date := day.Format("20060102")
		d := newDraw(seed, "planned "+date)
		for n := range 1 + sites/40 {
			w := pick(d, deck)
			all := byKind[w.kind]
			at := d.IntN(len(all))
			on := slices.Clone(all[at:min(len(all), at+w.batch)])
			start := day.Add(time.Duration(w.hour)*time.Hour + time.Duration(d.IntN(w.spread*4))*15*time.Minute)
			end := start.Add(time.Duration(w.length) * time.Hour)
			if start.Before(to) && end.After(from) {
				out = append(out, Window{ID: "CRQ-" + date + "-" + pad(n+1, 4), Name: w.name + " " + on[0], Resources: on, From: start, To: end})
			}
		}
	}
	slices.SortFunc(out, func(a, b Window) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}
