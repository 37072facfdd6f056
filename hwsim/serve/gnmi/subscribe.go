package gnmi

import (
	"errors"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"faultline/hwsim/serve"
)

// Subscribe serves one subscription list: ONCE, POLL or STREAM.
func (s *Server) Subscribe(stream gpb.GNMI_SubscribeServer) error {
	first, err := stream.Recv()
	if err != nil {
		return nil // the client went away before it asked
	}
	list := first.GetSubscribe()
	if list == nil {
		return status.Error(codes.InvalidArgument, "the first message must be a subscription list")
	}
	if err := supported(list.GetEncoding(), list.GetUseModels()); err != nil {
		return err
	}
	if len(list.GetSubscription()) == 0 {
		return status.Error(codes.InvalidArgument, "subscription missing")
	}
	c := &client{list: list, max: s.o.Queue, ready: make(chan struct{}, 1)}
	for _, sub := range list.GetSubscription() {
		q, err := s.query(list.GetPrefix(), sub.GetPath())
		if err != nil {
			return err
		}
		w := &watch{c: c, o: s.o, q: q, sub: sub, interval: time.Duration(sub.GetSampleInterval())}
		if sub.GetSampleInterval() > math.MaxInt64/2 || w.interval != 0 && w.interval < s.o.Min {
			return status.Errorf(codes.InvalidArgument, "sample_interval %v is not supported; the shortest is %v", w.interval, s.o.Min)
		}
		c.watches = append(c.watches, w)
	}
	switch list.GetMode() {
	case gpb.SubscriptionList_ONCE:
		s.g.Look(c.all)
		return c.flush(stream)
	case gpb.SubscriptionList_POLL:
		if !list.GetUpdatesOnly() {
			s.g.Look(c.all)
		}
		for {
			if err := c.flush(stream); err != nil {
				return err
			}
			req, err := stream.Recv()
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			case req.GetPoll() == nil:
				return status.Error(codes.InvalidArgument, "only poll may follow")
			}
			s.g.Look(c.all)
		}
	}
	s.g.Look(c.begin)
	defer s.g.Look(c.end)
	for {
		if err := c.flush(stream); err != nil {
			return err
		}
		select {
		case <-stream.Context().Done():
			return nil
		case <-c.ready:
		}
	}
}

// client is one subscription list and what waits to be sent to it.
type client struct {
	list     *gpb.SubscriptionList
	watches  []*watch
	hook     *serve.Hook
	tick     *serve.Timer
	max      int
	revision uint64 // of the last look
	ready    chan struct{}

	mu   sync.Mutex
	out  []*gpb.SubscribeResponse
	full bool
	err  error
}

func (c *client) put(r *gpb.SubscribeResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) >= c.max {
		c.full = true
	} else {
		c.out = append(c.out, r)
	}
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

func (c *client) sync() {
	c.put(&gpb.SubscribeResponse{Response: &gpb.SubscribeResponse_SyncResponse{SyncResponse: true}})
}

// flush sends what waits. A subscriber that fell too far behind loses its stream
// rather than single updates.
func (c *client) flush(stream gpb.GNMI_SubscribeServer) error {
	c.mu.Lock()
	out, full, failed := c.out, c.full, c.err
	c.out = nil
	c.mu.Unlock()
	if failed != nil {
		return fail(failed)
	}
	for _, r := range out {
		if err := stream.Send(r); err != nil {
			return err
		}
	}
	if full {
		return status.Error(codes.ResourceExhausted, "the subscriber is too slow")
	}
	return nil
}

// all answers ONCE and POLL.
func (c *client) all(v serve.View) {
	for _, w := range c.watches {
		w.send(v, w.read(v), nil)
	}
	c.sync()
}

// begin starts a stream: what is there, sync, then what changes and what is due.
func (c *client) begin(v serve.View) {
	looks := false
	for _, w := range c.watches {
		w.last = w.read(v)
		if !c.list.GetUpdatesOnly() {
			w.send(v, w.last, nil)
		}
	}
	c.sync()
	for _, w := range c.watches {
		looks = w.begin(v) || looks
	}
	c.revision = v.Revision()
	if looks {
		c.hook = v.OnChange(c.look)
		c.tick = v.At(v.Now().Add(c.watches[0].o.Detect), c.again)
	}
}

func (c *client) again(v serve.View) {
	c.look(v)
	c.tick = v.At(v.Now().Add(c.watches[0].o.Detect), c.again)
}

// look compares, unless nothing has happened since it last did. Values that drift are
// seen with the next thing that happens.
func (c *client) look(v serve.View) {
	if v.Revision() == c.revision {
		return
	}
	c.revision = v.Revision()
	for _, w := range c.watches {
		w.look(v)
	}
}

func (c *client) end(v serve.View) {
	if c.hook != nil {
		v.Unhook(c.hook)
	}
	v.Stop(c.tick)
	for _, w := range c.watches {
		v.Stop(w.sample)
		v.Stop(w.beat)
	}
}

// watch is one subscription of a stream.
type watch struct {
	c        *client
	o        Options
	q        serve.Query
	sub      *gpb.Subscription
	interval time.Duration
	sample   *serve.Timer
	beat     *serve.Timer
	last     []serve.Leaf // as the subscriber knows it
	excited  time.Time    // of the last trigger
	fast     bool
}

func (w *watch) read(v serve.View) []serve.Leaf { return slices.Collect(v.Leaves(w.q)) }

// begin sets the timers and reports whether the watch wants to see changes.
func (w *watch) begin(v serve.View) bool {
	if b := time.Duration(w.sub.GetHeartbeatInterval()); b > 0 {
		var beat func(serve.View)
		beat = func(v serve.View) {
			w.last = w.read(v)
			w.send(v, w.last, nil)
			w.beat = v.At(v.Now().Add(b), beat)
		}
		w.beat = v.At(v.Now().Add(b), beat)
	}
	switch w.sub.GetMode() {
	case gpb.SubscriptionMode_SAMPLE:
		if w.interval == 0 {
			w.interval = w.o.Min
		}
	case gpb.SubscriptionMode_TARGET_DEFINED:
		if w.interval == 0 {
			w.interval = w.o.Slow
		}
	default:
		return true
	}
	w.sample = v.At(v.Now().Add(w.interval), w.take)
	return w.sub.GetMode() == gpb.SubscriptionMode_TARGET_DEFINED
}

// take sends a sample and sets the timer of the next.
func (w *watch) take(v serve.View) {
	now := w.read(v)
	var gone []serve.Leaf
	changed := now
	if w.sub.GetSuppressRedundant() {
		changed, gone = difference(w.last, now)
	} else {
		_, gone = difference(w.last, now)
	}
	w.last = now
	w.send(v, changed, gone)
	next := w.interval
	if w.fast {
		if v.Now().Sub(w.excited) >= w.o.Calm {
			w.fast = false
		} else {
			next = min(w.o.Fast, next)
		}
	}
	w.sample = v.At(v.Now().Add(next), w.take)
}

// look sends changes (ON_CHANGE), or excites adaptive sampling (TARGET_DEFINED).
func (w *watch) look(v serve.View) {
	switch w.sub.GetMode() {
	case gpb.SubscriptionMode_ON_CHANGE:
		now := w.read(v)
		changed, gone := difference(w.last, now)
		w.last = now
		w.send(v, changed, gone)
	case gpb.SubscriptionMode_TARGET_DEFINED:
		if !triggers(w.last, w.read(v)) {
			return
		}
		w.excited, w.fast = v.Now(), true
		v.Stop(w.sample)
		w.take(v) // at once, so that the last known values are new
	}
}

// triggers reports whether something moved that is worth a closer look: a state, or
// a measured value by more than 0.5 of its unit or a tenth, a share by more than 0.1.
// Counters always move.
func triggers(before, now []serve.Leaf) bool {
	changed, gone := difference(before, now)
	was := make(map[string]any, len(before))
	for _, l := range before {
		was[l.Path.String()] = l.Value
	}
	for _, l := range changed {
		old, known := was[l.Path.String()]
		switch x := l.Value.(type) {
		case uint64:
		case float64:
			y, _ := old.(float64)
			d := math.Abs(x - y)
			if !known || d > max(0.1*math.Abs(y), 0.5) || math.Abs(x) <= 1 && math.Abs(y) <= 1 && d > 0.1 {
				return true
			}
		default:
			return true
		}
	}
	return len(gone) > 0
}

// difference compares two readings of one query: new or changed leaves, and those
// that are gone.
func difference(before, now []serve.Leaf) (changed, gone []serve.Leaf) {
	was := make(map[string]any, len(before))
	for _, l := range before {
		was[l.Path.String()] = l.Value
	}
	for _, l := range now {
		k := l.Path.String()
		if old, ok := was[k]; !ok || old != l.Value {
			changed = append(changed, l)
		}
		delete(was, k)
	}
	for _, l := range before {
		if _, ok := was[l.Path.String()]; ok {
			gone = append(gone, l)
		}
	}
	return changed, gone
}

// chunk bounds the updates of one message, well below the 4 MiB that gRPC clients
// take.
const chunk = 2000

// send queues updates and deletions, with the time of the view.
func (w *watch) send(v serve.View, leaves, gone []serve.Leaf) {
	for len(leaves) > 0 || len(gone) > 0 {
		n := &gpb.Notification{Timestamp: v.Epoch(), Prefix: answering(w.c.list.GetPrefix())}
		for _, l := range gone[:min(chunk, len(gone))] {
			n.Delete = append(n.Delete, wire(l.Path))
		}
		gone = gone[min(chunk, len(gone)):]
		for _, l := range leaves[:min(chunk, len(leaves))] {
			val, err := encode(l.Value, w.c.list.GetEncoding())
			if err != nil {
				w.c.mu.Lock()
				w.c.err = errors.Join(w.c.err, err)
				w.c.mu.Unlock()
				return
			}
			n.Update = append(n.Update, &gpb.Update{Path: wire(l.Path), Val: val})
		}
		leaves = leaves[min(chunk, len(leaves)):]
		w.c.put(&gpb.SubscribeResponse{Response: &gpb.SubscribeResponse_Update{Update: n}})
	}
}
