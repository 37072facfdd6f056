// Package mining learns which alarm types cause which from alarm history: raise
// and clear times per device, the links between devices when they are known, and
// what experts already said. Its contract: truth about the causes cannot be passed
// in, the decision which edges hold is made by a penalised likelihood and not by a
// tuned threshold, and the same history in any order gives the same result.
//
// Every type's alarms on every device are a Hawkes process, a self- and mutually
// exciting point process. docs/mining.md gives the method with its formulas, what
// it reaches on labelled data, and its limits.
package mining

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"faultline/rca"
)

// Occurrence is one alarm: a type, raised on a device and perhaps cleared.
type Occurrence struct {
	Type    string
	Device  string
	Raised  time.Time
	Cleared time.Time // zero, or before Raised, means not known
}

// FromAlarms takes the occurrences out of alarms. A planned alarm is none: it tells
// what people did, not what the network does.
func FromAlarms(alarms []rca.Alarm) []Occurrence {
	out := make([]Occurrence, 0, len(alarms))
	for _, a := range alarms {
		if !a.Planned {
			out = append(out, Occurrence{a.Type, string(a.Resource), a.Raised, a.Cleared})
		}
	}
	return out
}

// Pair is an ordered pair of alarm types.
type Pair struct{ Cause, Effect string }

// Snapshot is an operator's rule: when these types stand together, Roots are the
// root causes among them.
type Snapshot struct{ Types, Roots []string }

// Input is what is mined. Only Occurrences is required.
type Input struct {
	Occurrences []Occurrence
	Links       [][2]string // pairs of linked devices, in any order; unknown devices are ignored
	Known       []Pair      // edges that hold
	Excluded    []Pair      // edges that do not hold
	Snapshots   []Snapshot
}

// Options are the settings of Mine. Start from DefaultOptions.
type Options struct {
	Kernels     []time.Duration // mean lags of the exponential kernels, whose mixture is an edge's lag distribution
	Hops        int             // how far in links a cause reaches, 0 to 3; one more over inferred links
	Penalty     float64         // factor on the BIC penalty; larger gives fewer edges. Weights cannot be negative, so chance alone leaves half of them at zero: 0.5 counts the other half
	Leak        float64         // share of a pair's unconditional evidence that is put down to imperfect modelling, 0 to 1
	Shrink      float64         // pseudo-events that pull a device's base rate to the mean of all devices
	Rounds      int             // EM rounds per fit
	AllowCycles bool            // do not assume that causes form an acyclic graph
	InferLinks  bool            // when Links is empty, take devices that often raise alarms together as linked
	LinkScore   float64         // standard deviations above chance for an inferred link
}

// DefaultOptions returns the settings that all published figures are measured with.
func DefaultOptions() Options {
	return Options{
		Kernels: []time.Duration{10 * time.Second, time.Minute},
		Hops:    1, Penalty: 0.5, Leak: 0.1, Shrink: 1, Rounds: 8, InferLinks: true, LinkScore: 5,
	}
}

func (o Options) validate() error {
	bad := func(field string, v any) error {
		return fmt.Errorf("mining options: %s: %v out of range: %w", field, v, rca.ErrInvalid)
	}
	if len(o.Kernels) == 0 {
		return bad("kernels", o.Kernels)
	}
	for _, k := range o.Kernels {
		if k <= 0 {
			return bad("kernels", k)
		}
	}
	switch {
	case o.Hops < 0 || o.Hops > 3:
		return bad("hops", o.Hops)
	case !(o.Penalty > 0):
		return bad("penalty", o.Penalty)
	case !(o.Leak >= 0 && o.Leak < 1):
		return bad("leak", o.Leak)
	case !(o.Shrink >= 0):
		return bad("shrink", o.Shrink)
	case o.Rounds < 1:
		return bad("rounds", o.Rounds)
	case o.InferLinks && !(o.LinkScore > 0):
		return bad("link score", o.LinkScore)
	}
	return nil
}

// Edge is a mined cause.
type Edge struct {
	Cause, Effect string
	Known         bool          // given as a prior, whatever the data say
	Gain          float64       // penalised log-likelihood that is lost without the edge, nats
	Confidence    float64       // 0..1, of the edge with its direction
	P             float64       // probability that one cause brings at least one effect
	LagP50        time.Duration // median and 90 % lag from cause to effect
	LagP90        time.Duration
	Support       float64 // effects that the fit explains by the cause
	Causes        int     // occurrences of the cause
	Effects       int     // occurrences of the effect
	Standing      float64 // share of the support that was raised while the cause still stood
	Linked        float64 // share of the support that was raised on another device
}

// Candidate is an ordered pair with the score that ranks it.
type Candidate struct {
	Pair
	Score float64
}

// Result is what was mined.
type Result struct {
	Types    []string    // all alarm types, numbers by value
	Edges    []Edge      // by (cause, effect), in the order of Types
	Ranked   []Candidate // every ordered pair, most credible first
	Links    int         // device links that were used
	Inferred bool        // the links were inferred from the alarms
}

// Mine learns the causal edges between alarm types. It returns an error wrapping
// rca.ErrInvalid that names the field when the input or the options are at fault.
func Mine(ctx context.Context, in Input, opt Options) (*Result, error) {
	if err := opt.validate(); err != nil {
		return nil, err
	}
	s, err := newSeries(in)
	if err != nil {
		return nil, err
	}
	pri, err := newPriors(in, s, opt.AllowCycles)
	if err != nil {
		return nil, err
	}
	res := &Result{Types: s.types}
	links := s.links(in.Links)
	if len(in.Links) == 0 && opt.InferLinks && opt.Hops > 0 {
		links, res.Inferred = s.inferLinks(slices.Max(opt.Kernels).Seconds(), opt.LinkScore), true
		opt.Hops++ // inferred triangles lack their weakest side, which is two hops then
	}
	if res.Links = len(links); res.Links == 0 {
		opt.Hops, res.Inferred = 0, false
	}
	s.near = neighbours(links, len(s.devices), opt.Hops)
	nodes := newNodes(s, opt)
	found, err := search(ctx, nodes, pri, opt)
	if err != nil {
		return nil, fmt.Errorf("search causes: %w", err)
	}
	res.Edges = describe(s, nodes, found, pri, opt)
	for i, cause := range s.types {
		for j, effect := range s.types {
			if i != j {
				res.Ranked = append(res.Ranked, Candidate{Pair{cause, effect}, found.rank(i, j)})
			}
		}
	}
	slices.SortStableFunc(res.Ranked, func(a, b Candidate) int { return cmp.Compare(b.Score, a.Score) })
	return res, nil
}
