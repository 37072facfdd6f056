package physics

import (
	"math"
	"time"
)

// MM1Delay is the mean time in an M/M/1 queue, waiting and service, of mean service
// time s at utilisation rho: s/(1-rho) (Kleinrock, Queueing Systems I, 3.2). From rho 1
// it is the longest Duration.
func MM1Delay(s time.Duration, rho float64) time.Duration { return delay(s, 1/(1-rho), rho) }

// MD1Delay is the same for constant service times: s (1 + rho / (2 (1-rho)))
// (Pollaczek-Khinchine).
func MD1Delay(s time.Duration, rho float64) time.Duration {
	return delay(s, 1+rho/(2*(1-rho)), rho)
}

func delay(s time.Duration, factor, rho float64) time.Duration {
	d := float64(s) * factor
	if !(rho < 1) || d >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(d))
}

// MM1KLoss is the share of arrivals that find an M/M/1/K system full, K places with the
// one in service: (1-rho) rho^K / (1 - rho^(K+1)) (Kleinrock, Queueing Systems I, 3.6).
func MM1KLoss(rho float64, k int) float64 {
	if math.Abs(rho-1) < 1e-9 {
		return 1 / float64(k+1)
	}
	if rho > 1 { // the same, divided by rho^(K+1), so that it cannot overflow
		return (1 - 1/rho) / (1 - math.Pow(rho, -float64(k+1)))
	}
	return (1 - rho) * math.Pow(rho, float64(k)) / (1 - math.Pow(rho, float64(k+1)))
}

// ErlangB is the blocking probability of offered traffic in Erlang on servers without a
// queue, by the recursion B(n) = aB(n-1) / (n + aB(n-1)).
func ErlangB(erlang float64, servers int) float64 {
	b := 1.0
	for n := 1; n <= servers; n++ {
		b = erlang * b / (float64(n) + erlang*b)
	}
	return b
}

// ErlangC is the probability of waiting with an endless queue: B / (1 - rho (1 - B)). It
// is 1 when the servers cannot carry the traffic.
func ErlangC(erlang float64, servers int) float64 {
	rho := erlang / float64(servers)
	if !(rho < 1) {
		return 1
	}
	b := ErlangB(erlang, servers)
	return b / (1 - rho*(1-b))
}

// Ramp is a crowd of users that come back to a network function at an even pace, as
// after a switch-over of a data centre: a fluid queue.
type Ramp struct {
	Users      float64
	Procedures float64 // of each user
	Over       time.Duration
	Background float64 // procedures per second that are there anyway
	Capacity   float64 // procedures per second
}

// RampPeak is the worst of a ramp.
type RampPeak struct {
	Rho     float64       // offered load over capacity during the ramp; +Inf when all come at once
	Backlog float64       // procedures, at the end of the ramp
	Wait    time.Duration // of the last of the ramp
	Clear   time.Duration // from the start until the backlog is gone; the longest Duration if never
}

// Peak solves dq/dt = arrivals - capacity, q >= 0, for an empty queue at the start.
func (r Ramp) Peak() RampPeak {
	work := r.Users * r.Procedures
	over := r.Over.Seconds()
	arrive := r.Background + work/over
	if over <= 0 {
		arrive = math.Inf(1)
	}
	p := RampPeak{Rho: arrive / r.Capacity}
	p.Backlog = max(0, work+(r.Background-r.Capacity)*over)
	p.Wait = seconds(p.Backlog / r.Capacity)
	switch spare := r.Capacity - r.Background; {
	case p.Backlog == 0:
	case spare <= 0:
		p.Clear = math.MaxInt64
	default:
		p.Clear = seconds(max(over, 0) + p.Backlog/spare)
	}
	return p
}

// Shortest is the shortest time over which the users may come back with the load held
// at rho; the longest Duration when the background alone is too much.
func (r Ramp) Shortest(rho float64) time.Duration {
	spare := rho*r.Capacity - r.Background
	if spare <= 0 {
		return math.MaxInt64
	}
	return seconds(r.Users * r.Procedures / spare)
}

// seconds converts to a Duration, which it never overflows.
func seconds(s float64) time.Duration {
	if d := s * 1e9; d < math.MaxInt64 {
		return time.Duration(math.Round(d))
	}
	return math.MaxInt64
}
