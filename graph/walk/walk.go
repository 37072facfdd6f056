// Package walk answers questions about how entities of a graph stand to each other:
// the ends of a path, the surroundings of an entity, what a fault reaches and where it
// may come from, and the paths that explain a connection.
//
// Everything works over any graph.Reader and runs without copying attributes over one
// that is a graph.Viewer. Then one walk sees one state of the graph; over others it
// sees what the reader says at each step. Answers have a defined order and never
// depend on which of the two it was.
package walk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"faultline/graph"
)

// Follow returns the entities at the end of a path from start, sorted and each once.
// There are none when start is unknown or does not match. A hop never leads straight
// back over the entity from which the one before it came, and a path with hops never
// ends at start.
func Follow(ctx context.Context, g graph.Reader, start graph.ID, p graph.Path, at graph.AsOf) ([]graph.ID, error) {
	s, err := open(ctx, g, at)
	if err != nil {
		return nil, fmt.Errorf("follow %q from %s: %w", p, start, err)
	}
	ids, err := follow(s, start, &p)
	if err != nil {
		return nil, fmt.Errorf("follow %q from %s: %w", p, start, err)
	}
	return ids, nil
}

func follow(s *state, start graph.ID, p *graph.Path) ([]graph.ID, error) {
	n, ok, err := s.start(start)
	if !ok {
		return nil, err
	}
	h, _ := s.Head(n)
	if !p.Start.Match(h.Kind, h.Role) {
		return nil, nil
	}
	if len(p.Steps) == 0 {
		return []graph.ID{start}, nil
	}
	type place struct{ n, before int }
	level, next := []place{{n, -1}}, []place(nil)
	for i, st := range p.Steps {
		dir := graph.In
		if st.Forward {
			dir = graph.Out
		}
		next = next[:0]
		for _, x := range level {
			if err := s.failed(); err != nil {
				return nil, err
			}
			s.Neighbours(x.n, dir, st.Type, func(far int, _ graph.RelationType) bool {
				if far != x.before {
					if h, ok := s.Head(far); ok && st.To.Match(h.Kind, h.Role) {
						next = append(next, place{far, x.n})
					}
				}
				return true
			})
		}
		if i > 0 || len(next) > 1 { // parallel relations and meeting ways lead to one place
			slices.SortFunc(next, func(a, b place) int {
				if a.n != b.n {
					return a.n - b.n
				}
				return a.before - b.before
			})
			next = slices.Compact(next)
		}
		level, next = next, level
	}
	if s.reader != nil && s.reader.err != nil {
		return nil, s.reader.err
	}
	var ids []graph.ID
	for i, x := range level {
		if x.n != n && (i == 0 || x.n != level[i-1].n) {
			h, _ := s.Head(x.n)
			ids = append(ids, h.ID)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Reached is an entity that a walk came to.
type Reached struct {
	graph.Head
	Hops int // from the start, along the shortest way
}

// Bounds limit a walk. Zero fields do not limit.
type Bounds struct {
	Hops     int
	Entities int // reached, the start included
}

func (b Bounds) validate() error {
	switch {
	case b.Hops < 0:
		return fmt.Errorf("bounds: Hops: %d is negative: %w", b.Hops, graph.ErrInvalid)
	case b.Entities < 0:
		return fmt.Errorf("bounds: Entities: %d is negative: %w", b.Entities, graph.ErrInvalid)
	}
	return nil
}

// Region is what a walk reached, the start first, by hops and then in the order of
// discovery: relations that leave an entity before those that enter it, each by (type,
// far end).
type Region struct {
	Reached   []Reached
	Truncated bool // Bounds.Entities ended the walk before it had seen everything
}

// KHop returns the entities within a number of hops, over the relations that the filter
// lets through, whatever they mean. The start must exist, or the error is
// graph.ErrNotFound.
func KHop(ctx context.Context, g graph.Reader, start graph.ID, hops int, f graph.Filter) ([]Reached, error) {
	if hops < 0 {
		return nil, fmt.Errorf("walk around %s: hops: %d is negative: %w", start, hops, graph.ErrInvalid)
	}
	r, err := spread(ctx, g, start, f.AsOf, Bounds{Hops: hops}, spreading{dir: f.Dir, types: f.Types, still: hops == 0})
	if err != nil {
		return nil, fmt.Errorf("walk around %s: %w", start, err)
	}
	return r.Reached, nil
}

// spreading says over which relations a walk spreads.
type spreading struct {
	dir   graph.Direction
	types []graph.RelationType // nil means all
	still bool                 // not at all
	// passes, if set, further narrows them.
	passes func(t graph.RelationType, forward bool) bool
}

// spread walks breadth first. Its functions are made once per walk, not once per
// entity: a walk of two hops takes microseconds.
func spread(ctx context.Context, g graph.Reader, start graph.ID, at graph.AsOf, b Bounds, sp spreading) (Region, error) {
	if err := b.validate(); err != nil {
		return Region{}, err
	}
	s, err := open(ctx, g, at)
	if err != nil {
		return Region{}, err
	}
	n, ok, err := s.start(start)
	if err != nil {
		return Region{}, err
	}
	if !ok {
		return Region{}, fmt.Errorf("entity %s: %w", start, graph.ErrNotFound)
	}
	sc := scratches.Get().(*scratch)
	defer sc.release()
	seen, queue := &sc.seen, append(sc.queue, n)
	seen.add(n)
	var only graph.RelationType
	if len(sp.types) == 1 {
		only, sp.types = sp.types[0], nil
	}
	truncated := false
	arrive := func(far int, t graph.RelationType, forward bool) bool {
		if sp.types != nil && !slices.Contains(sp.types, t) || sp.passes != nil && !sp.passes(t, forward) || !seen.add(far) {
			return true
		}
		if b.Entities > 0 && len(queue) >= b.Entities {
			truncated = true
			return false
		}
		queue = append(queue, far)
		return true
	}
	leave := func(far int, t graph.RelationType) bool { return arrive(far, t, true) }
	enter := func(far int, t graph.RelationType) bool { return arrive(far, t, false) }
	levels := append(sc.levels, 1) // how many had been reached after each hop
	for from := 0; !sp.still && !truncated && from < len(queue) && (b.Hops == 0 || len(levels) <= b.Hops); {
		end := len(queue)
		for ; from < end && !truncated; from++ {
			if err := s.failed(); err != nil {
				return Region{}, err
			}
			if sp.dir != graph.In {
				s.Neighbours(queue[from], graph.Out, only, leave)
			}
			if sp.dir != graph.Out && !truncated {
				s.Neighbours(queue[from], graph.In, only, enter)
			}
		}
		levels = append(levels, len(queue))
	}
	sc.queue, sc.levels = queue, levels

	r := Region{Reached: make([]Reached, len(queue)), Truncated: truncated}
	hops := 0
	for i, n := range queue {
		if i >= levels[hops] {
			hops++
		}
		r.Reached[i].Head, _ = s.Head(n)
		r.Reached[i].Hops = hops
	}
	if s.reader != nil && s.reader.err != nil {
		return Region{}, s.reader.err
	}
	return r, nil
}

// scratch is the working memory of a walk. It is reused, because for a walk of two
// hops making it would take longer than walking.
type scratch struct {
	seen   set
	queue  []int
	levels []int
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func (sc *scratch) release() {
	const most = 1 << 16
	if len(sc.seen.slots) > most {
		return // a rare large walk does not keep its memory
	}
	clear(sc.seen.slots)
	sc.seen.used, sc.queue, sc.levels = 0, sc.queue[:0], sc.levels[:0]
	scratches.Put(sc)
}

// set is a set of small numbers: an open-addressed table, which for the few hundred
// members of a usual walk is several times faster than a map.
type set struct {
	slots []int32 // number + 1; a power of two of them
	used  int
}

func (s *set) add(n int) bool {
	if 2*s.used >= len(s.slots) {
		old := s.slots
		s.slots = make([]int32, max(256, 4*len(old)))
		for _, v := range old {
			if v != 0 {
				s.put(v)
			}
		}
	}
	if !s.put(int32(n) + 1) {
		return false
	}
	s.used++
	return true
}

func (s *set) put(v int32) bool {
	mask := uint32(len(s.slots) - 1)
	for i := (uint32(v) * 0x9e3779b1) >> 7 & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case v:
			return false
		case 0:
			s.slots[i] = v
			return true
		}
	}
}

// Propagation says along which relations a fault spreads: Forward from the relation's
// near end to its far end, Backward the other way.
type Propagation struct{ Forward, Backward bool }

// propagation is the table behind Propagates. What relates knowledge, or alarms to
// resources, carries no fault.
var propagation = map[graph.RelationType]Propagation{
	graph.Contains:     {Forward: true},                 // a whole that fails takes its parts along
	graph.Connects:     {Forward: true, Backward: true}, // a broken link is seen at its ends, a dead end breaks the link
	graph.Powers:       {Forward: true},                 // source to load
	graph.Hosts:        {Forward: true},                 // host to guest
	graph.Carries:      {Forward: true},                 // server layer to client layer
	graph.Serves:       {Forward: true},                 // provider to served
	graph.Synchronises: {Forward: true},                 // clock source to sink
	graph.DependsOn:    {Backward: true},                // from what is needed to the dependent
	graph.Protects:     {Backward: true},                // a failed member makes its protection group switch
	graph.LaidIn:       {Backward: true},                // a dug-up trench cuts its cables
}

// Propagates returns how faults spread along a type of relation.
func Propagates(t graph.RelationType) Propagation { return propagation[t] }

// Downstream returns what a fault of start can reach; see Propagates. The start must
// exist, or the error is graph.ErrNotFound.
func Downstream(ctx context.Context, g graph.Reader, start graph.ID, at graph.AsOf, b Bounds) (Region, error) {
	return closure(ctx, g, start, at, b, true)
}

// Upstream returns where a fault that reaches start can come from.
func Upstream(ctx context.Context, g graph.Reader, start graph.ID, at graph.AsOf, b Bounds) (Region, error) {
	return closure(ctx, g, start, at, b, false)
}

func closure(ctx context.Context, g graph.Reader, start graph.ID, at graph.AsOf, b Bounds, down bool) (Region, error) {
	r, err := spread(ctx, g, start, at, b, spreading{dir: graph.Both, passes: func(t graph.RelationType, forward bool) bool {
		p := propagation[t]
		return forward == down && p.Forward || forward != down && p.Backward
	}})
	if err != nil {
		return Region{}, fmt.Errorf("closure of %s: %w", start, err)
	}
	return r, nil
}

// Hop is one step of a Trail.
type Hop struct {
	Type    graph.RelationType
	Forward bool // along the relation's direction
	To      graph.ID
}

// Trail is one way from an entity to another that visits no entity twice.
type Trail struct {
	From graph.ID
	Hops []Hop
}

// String writes the trail as "a -TYPE-> b <-TYPE- c".
func (t Trail) String() string {
	var b strings.Builder
	b.WriteString(string(t.From))
	for _, h := range t.Hops {
		if h.Forward {
			fmt.Fprintf(&b, " -%s-> %s", h.Type, h.To)
		} else {
			fmt.Fprintf(&b, " <-%s- %s", h.Type, h.To)
		}
	}
	return b.String()
}

// errEnough ends the search of Paths.
var errEnough = errors.New("enough")

// Paths returns up to maxPaths ways from one entity to another in at most maxHops hops,
// in either direction of any relation: shortest first, then by the relations on the
// way, those that leave before those that enter, each by (type, far end). Relations
// that differ only in their qualifier are one way. Both ends must exist, or the error
// is graph.ErrNotFound.
func Paths(ctx context.Context, g graph.Reader, from, to graph.ID, at graph.AsOf, maxHops, maxPaths int) ([]Trail, error) {
	trails, err := paths(ctx, g, from, to, at, maxHops, maxPaths)
	if err != nil {
		return nil, fmt.Errorf("paths from %s to %s: %w", from, to, err)
	}
	return trails, nil
}

func paths(ctx context.Context, g graph.Reader, from, to graph.ID, at graph.AsOf, maxHops, maxPaths int) ([]Trail, error) {
	if maxHops < 0 || maxPaths < 1 {
		return nil, fmt.Errorf("maxHops %d, maxPaths %d: out of range: %w", maxHops, maxPaths, graph.ErrInvalid)
	}
	s, err := open(ctx, g, at)
	if err != nil {
		return nil, err
	}
	var ends [2]int
	for i, id := range []graph.ID{from, to} {
		n, ok, err := s.start(id)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("entity %s: %w", id, graph.ErrNotFound)
		}
		ends[i] = n
	}
	if from == to {
		return []Trail{{From: from}}, nil
	}
	left, err := distances(s, ends[1], maxHops)
	if err != nil {
		return nil, err
	}
	first, ok := left[ends[0]]
	if !ok {
		return nil, nil
	}

	// Deepening by one hop at a time gives the shortest first; the distances cut every
	// branch that cannot arrive in the hops that remain.
	var trails []Trail
	var hops []Hop
	on := map[int]bool{}
	var visit func(n, remain int) error
	visit = func(n, remain int) error {
		if remain == 0 {
			trails = append(trails, Trail{from, slices.Clone(hops)})
			if len(trails) == maxPaths {
				return errEnough
			}
			return nil
		}
		if err := s.failed(); err != nil {
			return err
		}
		on[n] = true
		defer delete(on, n)
		var fail error
		last := Hop{}
		each(s.View, n, func(far int, t graph.RelationType, forward bool) bool {
			d, near := left[far]
			if !near || d > remain-1 || d == 0 && remain > 1 || on[far] {
				return true
			}
			h, ok := s.Head(far)
			if next := (Hop{t, forward, h.ID}); ok && next != last {
				last = next
				hops = append(hops, next)
				fail = visit(far, remain-1)
				hops = hops[:len(hops)-1]
			}
			return fail == nil
		})
		return fail
	}
	for length := first; length <= maxHops && err == nil; length++ {
		err = visit(ends[0], length)
	}
	if err == nil && s.reader != nil {
		err = s.reader.err
	}
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return trails, nil
}

// distances returns the hops from every entity within limit to an end.
func distances(s *state, end, limit int) (map[int]int, error) {
	left := map[int]int{end: 0}
	queue := []int{end}
	for i := 0; i < len(queue) && left[queue[i]] < limit; i++ {
		if err := s.failed(); err != nil {
			return nil, err
		}
		each(s.View, queue[i], func(far int, _ graph.RelationType, _ bool) bool {
			if _, ok := left[far]; !ok {
				left[far] = left[queue[i]] + 1
				queue = append(queue, far)
			}
			return true
		})
	}
	if s.reader != nil {
		return left, s.reader.err
	}
	return left, nil
}
