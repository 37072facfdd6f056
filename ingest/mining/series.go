package mining

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"faultline/rca"
)

// event is one raise, in seconds since the first raise of the history.
type event struct {
	typ   int32
	raise float64
	clear float64 // -1 when not known
}

// series is the history as features are computed from: each device's events in
// time order, and its neighbours by hop.
type series struct {
	types   []string
	devices []string
	device  map[string]int32
	byDev   [][]event
	count   []int       // occurrences per type
	total   int         // occurrences
	span    float64     // seconds that were watched
	near    [][][]int32 // hop -> device -> devices at that distance; set once links are known
}

func newSeries(in Input) (*series, error) {
	if len(in.Occurrences) == 0 {
		return nil, fmt.Errorf("mine: occurrences: none: %w", rca.ErrInvalid)
	}
	typ := map[string]int32{}
	s := &series{device: map[string]int32{}}
	first, last := in.Occurrences[0].Raised, in.Occurrences[0].Raised
	for i, o := range in.Occurrences {
		switch {
		case o.Type == "":
			return nil, fmt.Errorf("mine: occurrence %d: type: missing: %w", i, rca.ErrInvalid)
		case o.Device == "":
			return nil, fmt.Errorf("mine: occurrence %d: device: missing: %w", i, rca.ErrInvalid)
		case o.Raised.IsZero():
			return nil, fmt.Errorf("mine: occurrence %d: raised: missing: %w", i, rca.ErrInvalid)
		}
		typ[o.Type], s.device[o.Device] = 0, 0
		if o.Raised.Before(first) {
			first = o.Raised
		}
		if o.Raised.After(last) {
			last = o.Raised
		}
	}
	for _, p := range slices.Concat(in.Known, in.Excluded) {
		typ[p.Cause], typ[p.Effect] = 0, 0
	}
	s.types, s.devices = number(typ), number(s.device)
	s.span = last.Sub(first).Seconds() + 1
	s.byDev = make([][]event, len(s.devices))
	for _, o := range in.Occurrences {
		e := event{typ[o.Type], o.Raised.Sub(first).Seconds(), -1}
		if !o.Cleared.Before(o.Raised) {
			e.clear = o.Cleared.Sub(first).Seconds()
		}
		d := s.device[o.Device]
		s.byDev[d] = append(s.byDev[d], e)
	}
	s.count = make([]int, len(s.types))
	for d := range s.byDev {
		slices.SortFunc(s.byDev[d], func(a, b event) int {
			return cmp.Or(cmp.Compare(a.raise, b.raise), cmp.Compare(a.typ, b.typ), cmp.Compare(a.clear, b.clear))
		})
		s.byDev[d] = slices.Compact(s.byDev[d]) // the same alarm told twice
		for _, e := range s.byDev[d] {
			s.count[e.typ]++
			s.total++
		}
	}
	return s, nil
}

// number gives each name its place in natural order and returns the names.
func number(of map[string]int32) []string {
	names := make([]string, 0, len(of))
	for n := range of {
		names = append(names, n)
	}
	slices.SortFunc(names, natural)
	for i, n := range names {
		of[n] = int32(i)
	}
	return names
}

// natural orders decimal numbers by value, before everything else by bytes.
func natural(a, b string) int {
	width := func(s string) int {
		for _, c := range []byte(s) {
			if c < '0' || c > '9' {
				return math.MaxInt
			}
		}
		return len(s)
	}
	return cmp.Or(cmp.Compare(width(a), width(b)), cmp.Compare(a, b))
}

// links translates pairs of device names, dropping what raised no alarm.
func (s *series) links(names [][2]string) [][2]int32 {
	var out [][2]int32
	for _, l := range names {
		a, ok1 := s.device[l[0]]
		b, ok2 := s.device[l[1]]
		if ok1 && ok2 && a != b {
			out = append(out, [2]int32{min(a, b), max(a, b)})
		}
	}
	return sortedLinks(out)
}

func sortedLinks(l [][2]int32) [][2]int32 {
	slices.SortFunc(l, func(a, b [2]int32) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return slices.Compact(l)
}

const (
	linkShifts  = 8
	shiftStep   = 900.0 // seconds
	maxInferred = 2000  // devices; a larger network has an inventory to ask
	maxTogether = 100   // devices in one slot; more of them are a storm that says nothing of one pair
)

// inferLinks returns the pairs of devices that raise alarms in the same slot of
// time more often than in shifted slots, by at least score standard deviations.
// The shifts, a quarter of an hour to two hours, keep the time of day and the busy
// hours of both devices. A slot counts once however many alarms a storm puts into
// it. Of three devices that are all linked, the weakest link is taken to be
// indirect and is dropped.
func (s *series) inferLinks(slot, score float64) [][2]int32 {
	n := len(s.devices)
	if n > maxInferred {
		return nil
	}
	active := map[int][]int32{} // slot -> devices that raise in it, ascending
	for d, evs := range s.byDev {
		for _, e := range evs {
			k := int(e.raise / slot)
			if l := active[k]; len(l) == 0 || l[len(l)-1] != int32(d) {
				active[k] = append(l, int32(d))
			}
		}
	}
	together, chance := make([]int32, n*n), make([]int32, n*n)
	for k, devs := range active {
		if len(devs) > maxTogether {
			continue
		}
		for _, a := range devs {
			for _, b := range devs {
				together[int(a)*n+int(b)]++
			}
		}
		for sh := 1; sh <= linkShifts; sh++ {
			other := active[k+int(float64(sh)*shiftStep/slot)]
			if len(other) > maxTogether {
				continue
			}
			for _, a := range devs {
				for _, b := range other {
					chance[int(a)*n+int(b)]++
				}
			}
		}
	}
	z := func(a, b int) float64 {
		// Each shift sees the pair in both orders: two samples of chance.
		expected := float64(chance[a*n+b]+chance[b*n+a]) / (2 * linkShifts)
		return (float64(together[a*n+b]) - expected) / math.Sqrt(expected+1)
	}
	near := make([][]int, n)
	for a := range n {
		for b := range n {
			if a != b && z(a, b) > score {
				near[a] = append(near[a], b)
			}
		}
	}
	var out [][2]int32
	for a := range n {
		for _, b := range near[a] {
			weakest := func(c int) bool { return z(a, c) > z(a, b) && z(b, c) > z(a, b) }
			if a < b && !slices.ContainsFunc(near[a], weakest) {
				out = append(out, [2]int32{int32(a), int32(b)})
			}
		}
	}
	return out
}

// neighbours lists, for each hop from 0, the devices at that distance.
func neighbours(links [][2]int32, devices, hops int) [][][]int32 {
	adj := make([][]int32, devices)
	for _, l := range links {
		adj[l[0]] = append(adj[l[0]], l[1])
		adj[l[1]] = append(adj[l[1]], l[0])
	}
	near := make([][][]int32, hops+1)
	for h := range near {
		near[h] = make([][]int32, devices)
	}
	seen := make([]int, devices)
	for d := range devices {
		ring := []int32{int32(d)}
		seen[d] = d + 1
		for h := range near {
			slices.Sort(ring)
			near[h][d] = ring
			var next []int32
			for _, x := range ring {
				for _, y := range adj[x] {
					if seen[y] != d+1 {
						seen[y] = d + 1
						next = append(next, y)
					}
				}
			}
			ring = next
		}
	}
	return near
}
