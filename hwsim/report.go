package hwsim

import (
	"cmp"
	"container/heap"
	"maps"
	"slices"
	"strings"
	"time"
)

// reporting is the plant's alarm side: what stands, what was said about it, and
// what is still on its way to the management system.
type reporting struct {
	occurrences []occurrence
	standing    map[key]*standing
	backlog     map[int32][]queued // by element: what it could not say
	waking      map[int32]bool
	outbox      outbox
	said        uint64
}

// occurrence is one alarm from raise to clear.
type occurrence struct {
	key             key
	node            int32 // -1 for background
	raised, cleared int64 // cleared is -1 while it stands
	reported        bool
}

// standing is the present state of an alarm: who holds it up, and what the
// management system was told.
type standing struct {
	law, noise bool
	told       bool
	queued     int // notifications that wait for the element
	occ        int32
}

func (s *standing) up() bool { return s.law || s.noise }

// queued is a notification that waits for its element; missed ones were never
// spoken, and the element compares when it is back.
type queued struct {
	key    key
	raise  bool
	at     int64
	missed bool
}

func newReporting() reporting {
	return reporting{standing: map[key]*standing{}, backlog: map[int32][]queued{}, waking: map[int32]bool{}}
}

func (r *reporting) clone() reporting {
	c := *r
	c.occurrences = slices.Clone(r.occurrences)
	c.standing = make(map[key]*standing, len(r.standing))
	for k, s := range r.standing {
		d := *s
		c.standing[k] = &d
	}
	c.backlog, c.waking, c.outbox = cloneLists(r.backlog), maps.Clone(r.waking), slices.Clone(r.outbox)
	return c
}

type outbox []Notification

func (o outbox) Len() int { return len(o) }
func (o outbox) Less(i, j int) bool {
	return cmp.Or(o[i].Arrived.Compare(o[j].Arrived), cmp.Compare(o[i].Seq, o[j].Seq)) < 0
}
func (o outbox) Swap(i, j int) { o[i], o[j] = o[j], o[i] }
func (o *outbox) Push(x any)   { *o = append(*o, x.(Notification)) }
func (o *outbox) Pop() any     { old := *o; x := old[len(old)-1]; *o = old[:len(old)-1]; return x }

func (p *Plant) deliver(to time.Time) []Notification {
	var out []Notification
	for len(p.outbox) > 0 && !p.outbox[0].Arrived.After(to) {
		out = append(out, heap.Pop(&p.outbox).(Notification))
	}
	return out
}

// element is the resource whose agent speaks about res.
func (p *Plant) element(res int32) int32 {
	path := p.topo.reporters[p.topo.class[res]]
	if path == nil {
		return res
	}
	var ends []int32
	ends, p.tmp = p.topo.follow(res, path, nil, p.tmp)
	if len(ends) == 0 {
		return res
	}
	return ends[0]
}

// canSpeak tells whether an element has power, and whether it can be reached.
func (p *Plant) canSpeak(el int32) (alive, reachable bool) {
	live, _ := p.value(el, p.tb.live)
	reach, _ := p.value(el, p.tb.reach)
	return live >= 0.5, live >= 0.5 && reach >= 0.5
}

// alarm follows a detector's variable.
func (p *Plant) alarm(k key, l *law, on bool, node int32) {
	s := p.standing[k]
	if s == nil {
		s = &standing{}
		p.standing[k] = s
	}
	was := s.up()
	s.law = on
	p.turn(k, l, s, was, node)
	if !on && !p.o.Ideal && p.hidden(k.res, "flap") < 0.06 { // a contact that bounces on recovery
		at := p.now + int64((6+30*p.hidden(k.res, "bounce"))*float64(time.Second))
		p.schedule(at, evNoiseOn, k, 0)
		p.schedule(at+int64(9*time.Second), evNoiseOff, k, 0)
	}
}

// noise follows the background, which holds alarms up without a cause in the plant.
func (p *Plant) noise(k key, on bool) {
	l := p.detector(k.res, int(k.v))
	s := p.standing[k]
	if s == nil {
		if !on {
			return
		}
		s = &standing{}
		p.standing[k] = s
	}
	was := s.up()
	s.noise = on
	p.turn(k, l, s, was, -1)
}

// turn reports the alarm when it has begun or ended to stand.
func (p *Plant) turn(k key, l *law, s *standing, was bool, node int32) {
	switch {
	case s.up() == was:
	case s.up():
		s.occ = int32(len(p.occurrences))
		p.occurrences = append(p.occurrences, occurrence{k, node, p.now, -1, false})
		if l.alarm.seen > 0 && p.draw(k, 1) >= l.alarm.seen {
			return // the last gasp of a capacitor is not always long enough
		}
		p.report(k, l, s, true)
	default:
		p.occurrences[s.occ].cleared = p.now
		p.report(k, l, s, false)
	}
	p.tidy(k, s)
}

// tidy forgets an alarm of which nothing remains to be said.
func (p *Plant) tidy(k key, s *standing) {
	if !s.up() && !s.told && s.queued == 0 {
		delete(p.standing, k)
	}
}

// draw is the luck of one occasion, in [0, 1).
func (p *Plant) draw(k key, salt uint64) float64 {
	if p.o.Ideal {
		return 0.5
	}
	return unit(mix(p.o.Seed, p.topo.hash[k.res], uint64(k.v), uint64(p.now), salt))
}

func (p *Plant) report(k key, l *law, s *standing, raise bool) {
	if l.alarm.manager {
		p.say(k, l, s, raise, k.res, p.now)
		return
	}
	el := p.element(k.res)
	alive, reachable := p.canSpeak(el)
	if reachable {
		p.say(k, l, s, raise, el, p.now)
		return
	}
	s.queued++
	p.backlog[el] = append(p.backlog[el], queued{k, raise, p.now, !alive || p.o.DropUnreachable})
}

// wake lets an element speak some time after it has power and a way out again.
func (p *Plant) wake(el int32) {
	if len(p.backlog[el]) == 0 || p.waking[el] {
		return
	}
	if _, ok := p.canSpeak(el); ok {
		p.waking[el] = true
		wait := 5 + 40*p.draw(key{el, 0}, 2)
		// An element that has just started compares alarm lists when it is up.
		p.schedule(p.now+p.booting(el)+int64(wait*float64(time.Second)), evFlush, key{el, 0}, 0)
	}
}

// flush tells what an element kept, and mends what it missed.
func (p *Plant) flush(el int32) {
	delete(p.waking, el)
	if _, ok := p.canSpeak(el); !ok {
		return // gone again; the backlog stays
	}
	list := p.backlog[el]
	delete(p.backlog, el)
	for _, q := range list {
		s := p.standing[q.key]
		s.queued--
		if q.missed {
			continue
		}
		p.say(q.key, p.detector(q.key.res, int(q.key.v)), s, q.raise, el, q.at)
	}
	for _, q := range list {
		s := p.standing[q.key]
		if s == nil {
			continue // settled by an earlier entry
		}
		if s.up() != s.told {
			p.say(q.key, p.detector(q.key.res, int(q.key.v)), s, s.up(), el, p.now)
		}
		p.tidy(q.key, s)
	}
}

// say hands a notification to the management network.
func (p *Plant) say(k key, l *law, s *standing, raise bool, el int32, at int64) {
	if !raise && !s.told {
		return // nobody knows of it
	}
	s.told = raise
	p.said++
	n := Notification{
		Seq: p.said, Element: p.topo.res[el].ID, Object: p.topo.res[k.res].ID,
		Alarm: l.alarm.slug, Qualifier: l.alarm.qualifier, Severity: l.alarm.severity, ProbableCause: l.alarm.cause,
	}
	n.Text = strings.ReplaceAll(l.alarm.slug, "-", " ") + " on " + cmp.Or(p.topo.res[k.res].Name, n.Object)
	if !raise {
		n.Severity = "cleared"
	}
	if p.o.Ideal {
		n.Time = p.time(at)
		n.Arrived = p.time(p.now)
		p.mark(s, raise)
		heap.Push(&p.outbox, n)
		return
	}
	second := func(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }
	n.Time = p.time(at).Add(second(3 * (p.hidden(el, "clock") - 0.5))).Truncate(time.Millisecond)
	wait := second(0.3 + 5*p.draw(k, 3))
	switch luck := p.draw(k, 4); {
	case luck < 0.02+0.04*p.hidden(el, "lossy"):
		if raise {
			return
		}
		wait += second(900 + 2700*p.draw(k, 5)) // the manager's audit finds it gone
	case luck > 0.98:
		wait += second(30 + 270*p.draw(k, 5))
	}
	p.mark(s, raise)
	n.Arrived = p.time(p.now).Add(wait)
	heap.Push(&p.outbox, n)
	if p.draw(k, 6) < 0.015 {
		p.said++
		n.Seq, n.Arrived = p.said, n.Arrived.Add(second(1+15*p.draw(k, 7)))
		heap.Push(&p.outbox, n)
	}
}

func (p *Plant) mark(s *standing, raise bool) {
	if raise {
		p.occurrences[s.occ].reported = true
	}
}

// AlarmState is an alarm that stands, whether or not it could be reported.
type AlarmState struct {
	Object, Alarm, Qualifier string
	Since                    time.Time
	Reported                 bool
}

// Standing lists the alarms that stand now by (object, alarm, qualifier).
func (p *Plant) Standing() []AlarmState {
	var out []AlarmState
	for k, s := range p.standing {
		if !s.up() {
			continue
		}
		o := p.occurrences[s.occ]
		a := p.detector(k.res, int(k.v)).alarm
		out = append(out, AlarmState{p.topo.res[k.res].ID, a.slug, a.qualifier, p.time(o.raised), o.reported})
	}
	slices.SortFunc(out, func(a, b AlarmState) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Alarm, b.Alarm), cmp.Compare(a.Qualifier, b.Qualifier))
	})
	return out
}
