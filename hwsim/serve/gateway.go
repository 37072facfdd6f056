// Package serve is the plant as a management system sees it: one Gateway owns a
// hwsim.Plant and its simulated clock, keeps the alarm list and the configuration,
// hands out alarm events and telemetry and takes commands. Its children are faces of
// it, one protocol each.
//
// Time passes only in Advance, at whatever speed the caller likes; timers of the
// faces (samples, confirmed commits) run on that clock, inside Advance and in order
// of their time, so that the same advances give the same streams. The Gateway starts
// no goroutine.
package serve

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"faultline/hwsim"
)

// Errors that faces translate into the words of their protocol.
var (
	ErrUnreachable = errors.New("the element cannot be reached")
	ErrLocked      = errors.New("the configuration is locked by another session")
	ErrUnknownPath = errors.New("no such path")
	ErrLagged      = errors.New("the reader is too slow")
)

// Options of New.
type Options struct {
	Plant *hwsim.Plant // owned by the Gateway from now on
	Keep  int          // cleared alarms that stay in the list; 0 means 1000
	Queue int          // alarm events that a slow reader may fall behind; 0 means 100000
	// Apply, when set, is asked before every command that changes something. An error
	// refuses the command. It is the place for laws that the plant does not have.
	Apply func(hwsim.Command) error
}

// Gateway is safe for concurrent use.
type Gateway struct {
	o Options

	mu       sync.Mutex
	plant    *hwsim.Plant
	settings map[Setting]string
	lock     string // owner, empty when nobody holds it
	alarms   alarmList
	feeds    map[*Feed]struct{}
	timers   timerQueue
	timerSeq uint64
	hooks    map[*Hook]struct{}
	hookSeq  uint64
	counters map[string]*counter
	otdr     map[string]Measurement
	commands uint64 // that were carried out
}

// New takes over a plant. The settings that the inventory knows are its first
// configuration.
func New(o Options) (*Gateway, error) {
	switch {
	case o.Plant == nil:
		return nil, fmt.Errorf("gateway options: Plant missing")
	case o.Keep < 0:
		return nil, fmt.Errorf("gateway options: Keep %d is negative", o.Keep)
	case o.Queue < 0:
		return nil, fmt.Errorf("gateway options: Queue %d is negative", o.Queue)
	}
	o.Keep, o.Queue = cmp.Or(o.Keep, 1000), cmp.Or(o.Queue, 100000)
	g := &Gateway{
		o: o, plant: o.Plant, settings: map[Setting]string{}, alarms: newAlarmList(o.Keep),
		feeds: map[*Feed]struct{}{}, hooks: map[*Hook]struct{}{}, counters: map[string]*counter{}, otdr: map[string]Measurement{},
	}
	for _, r := range o.Plant.Network().Resources() {
		for _, s := range hwsim.Commands() {
			if v, known := s.First(r); known && s.Fits(r) {
				g.settings[Setting{r.ID, s.Kind}] = v
			}
		}
	}
	return g, nil
}

// Run advances the clock by what arrives on ticks until ctx ends or ticks is closed.
func (g *Gateway) Run(ctx context.Context, ticks <-chan time.Duration) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case d, ok := <-ticks:
			if !ok {
				return nil
			}
			g.Advance(d)
		}
	}
}

// Advance lets simulated time pass and serves what is due on the way: alarm events,
// then timers, each in order of its time.
func (g *Gateway) Advance(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	end := g.plant.Now().Add(d)
	for {
		to, due := end, false
		if len(g.timers) > 0 && !g.timers[0].at.After(end) {
			to, due = g.timers[0].at, true
		}
		if ns := g.plant.Advance(to); len(ns) > 0 {
			for _, n := range ns {
				g.note(n)
			}
			g.changed()
		}
		if !due {
			break
		}
		t := heap.Pop(&g.timers).(*Timer)
		t.index = -1
		t.f(View{g})
	}
	g.changed()
}

// note takes a notification into the alarm list and gives it to all feeds.
func (g *Gateway) note(n hwsim.Notification) {
	ev := Event{Notification: n, Alarm: g.alarms.add(n)}
	for f := range g.feeds {
		f.put(ev)
	}
}

// changed calls the hooks, in the order in which they were set.
func (g *Gateway) changed() {
	hooks := make([]*Hook, 0, len(g.hooks))
	for h := range g.hooks {
		hooks = append(hooks, h)
	}
	slices.SortFunc(hooks, func(a, b *Hook) int { return cmp.Compare(a.seq, b.seq) })
	for _, h := range hooks {
		h.f(View{g})
	}
}

// Look runs f with a view of one moment. f must not keep the view and must not call
// the Gateway.
func (g *Gateway) Look(f func(View)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(View{g})
}

// Now is the simulated time.
func (g *Gateway) Now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.plant.Now()
}

// Network is what stands in the field.
func (g *Gateway) Network() *hwsim.Network { return g.o.Plant.Network() }

// Break lets a script injure or mend the plant. It is not for faces.
func (g *Gateway) Break(f func(*hwsim.Plant) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f(g.plant)
}

// View is the world at one moment. It is valid within the function it was given to.
type View struct{ g *Gateway }

// Now is the simulated time.
func (v View) Now() time.Time { return v.g.plant.Now() }

// Network is what stands in the field.
func (v View) Network() *hwsim.Network { return v.g.plant.Network() }

// Revision changes when something has happened: see hwsim.Plant.Revision.
func (v View) Revision() uint64 { return v.g.plant.Revision() + v.g.commands }

// Up reports the operational state of a resource.
func (v View) Up(resource string) bool { return v.g.plant.Up(resource) }

// Reachable reports whether the agent of a resource can be asked.
func (v View) Reachable(resource string) bool { return v.g.plant.Reachable(resource) }

// Agent is the element that speaks for a resource.
func (v View) Agent(resource string) string { return v.g.plant.Agent(resource) }

// Readings are what the agent of a resource measures; none while it cannot be
// reached.
func (v View) Readings(resource string) []hwsim.Reading {
	if !v.g.plant.Reachable(resource) {
		return nil
	}
	return v.g.plant.Readings(resource)
}

// Sensors is Readings for those who only want to know what can be measured: it gives
// values of elements that cannot be reached, too.
func (v View) Sensors(resource string) []hwsim.Reading { return v.g.plant.Readings(resource) }

// Measurement is what an OTDR saw.
type Measurement struct {
	Time   time.Time
	Events []hwsim.FibreEvent
}

// OTDR is the last measurement from a port; ok is false when none was commanded.
func (v View) OTDR(port string) (m Measurement, ok bool) {
	m, ok = v.g.otdr[port]
	return m, ok
}

// counter is the octets of a port. They are summed when someone reads them: the
// rate of one reading holds until the next.
type counter struct {
	at      time.Time
	in, out float64
	rate    float64 // octets per second
}

// Octets are the octets that a port received and sent since someone first read them,
// by its capacity (capacity_mbps of the inventory, 1000 when unknown) and load. A
// port sends 0.4 of what it receives.
func (v View) Octets(port string) (in, out uint64) {
	c := v.g.counters[port]
	if c == nil {
		c = &counter{at: v.Now()}
		v.g.counters[port] = c
	}
	d := v.Now().Sub(c.at).Seconds()
	c.in, c.out, c.at = c.in+c.rate*d, c.out+0.4*c.rate*d, v.Now()
	c.rate = 0
	for _, r := range v.g.plant.Readings(port) {
		if r.Name == "load" {
			c.rate = r.Value * v.Capacity(port) / 8
		}
	}
	return uint64(c.in), uint64(c.out)
}

// Capacity is what a port can carry, in bit/s.
func (v View) Capacity(port string) float64 {
	r, _ := v.Network().Resource(port)
	var mbps float64
	if _, err := fmt.Sscan(r.Attrs["capacity_mbps"], &mbps); err != nil || mbps <= 0 {
		mbps = 1000
	}
	return mbps * 1e6
}

// Timer is a function that waits for a time of the simulated clock.
type Timer struct {
	at    time.Time
	seq   uint64
	f     func(View)
	index int
}

// At runs f when the clock reaches t, at the earliest with the next Advance.
func (v View) At(t time.Time, f func(View)) *Timer {
	v.g.timerSeq++
	tm := &Timer{at: t, seq: v.g.timerSeq, f: f}
	heap.Push(&v.g.timers, tm)
	return tm
}

// Stop takes a timer back; one that ran or was stopped, or nil, is no matter.
func (v View) Stop(t *Timer) {
	if t != nil && t.index >= 0 {
		heap.Remove(&v.g.timers, t.index)
		t.index = -1
	}
}

// Hook is a function that is called when something may have changed.
type Hook struct {
	seq uint64
	f   func(View)
}

// OnChange calls f after alarm events, commands and advances until Unhook.
func (v View) OnChange(f func(View)) *Hook {
	v.g.hookSeq++
	h := &Hook{v.g.hookSeq, f}
	v.g.hooks[h] = struct{}{}
	return h
}

// Unhook ends OnChange.
func (v View) Unhook(h *Hook) { delete(v.g.hooks, h) }

type timerQueue []*Timer

func (q timerQueue) Len() int { return len(q) }
func (q timerQueue) Less(i, j int) bool {
	return cmp.Or(q[i].at.Compare(q[j].at), cmp.Compare(q[i].seq, q[j].seq)) < 0
}
func (q timerQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i]; q[i].index, q[j].index = i, j }
func (q *timerQueue) Push(x any)   { t := x.(*Timer); t.index = len(*q); *q = append(*q, t) }
func (q *timerQueue) Pop() any {
	old := *q
	t := old[len(old)-1]
	*q = old[:len(old)-1]
	return t
}
