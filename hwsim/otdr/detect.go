package otdr

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Event is something that was found on a trace.
type Event struct {
	AtM           float64
	Kind          Kind // Splice, Gainer, Connector, or End; whether a splice is a bend shows at two wavelengths
	LossDB        float64
	ReflectanceDB float64 // 0 for none
	SlopeDBKm     float64 // attenuation of the fibre before it
}

// Thresholds say what counts as an event.
type Thresholds struct {
	LossDB  float64 // least loss, or gain, of an event without reflection
	SpikeDB float64 // least height of a reflection
	EndDB   float64 // a loss of more than this is the end; larger than any splitter on the way
	Sigma   float64 // least significance, in standard deviations of the noise
}

// DefaultThresholds are 0.05, 0.2, and 3 dB, and 6 sigma.
func DefaultThresholds() Thresholds {
	return Thresholds{LossDB: 0.05, SpikeDB: 0.2, EndDB: 3, Sigma: 6}
}

// Findings is what a trace tells.
type Findings struct {
	Events   []Event // by distance; the end of the fibre, if seen, is the last
	EndSeen  bool    // false when the light fades into noise before any end
	ReachM   float64 // how far the trace can be read
	NoiseDB  float64 // rms of the noise, as a level
	TotalDB  float64 // loss from the first readable fibre to the end
	LengthM  float64 // place of the end
	Sampling float64 // m between samples
}

// Detect finds the events of a trace. Reflections are rises of the trace; losses are
// steps between straight pieces, split off one after another while the split explains
// more than noise would; the end is where the light drops into noise for good. Losses
// are told by extrapolating the straight pieces on both sides to the event, as an
// instrument's least-squares method does.
func Detect(t *Trace, th Thresholds) (*Findings, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	if !(th.LossDB > 0 && th.SpikeDB > 0 && th.EndDB > 0 && th.Sigma > 0) {
		return nil, fmt.Errorf("thresholds: LossDB %g, SpikeDB %g, EndDB %g, Sigma %g: want more than 0", th.LossDB, th.SpikeDB, th.EndDB, th.Sigma)
	}
	d := newDetector(t, th)
	end, seen := d.end()
	f := &Findings{EndSeen: seen, ReachM: t.At(d.reach), NoiseDB: 5 * math.Log10(max(d.sigma, 1e-12)), Sampling: t.SpacingM}
	stop := d.reach
	if seen {
		stop = int(end)
	}
	spikes := d.spikes(stop)
	bounds := d.split(spikes, stop)
	f.Events = d.measure(spikes, bounds, stop)
	if seen {
		before := d.piece(bounds, len(bounds), stop)
		f.Events = append(f.Events, d.last(end, before))
		f.LengthM = d.StartM + end*d.SpacingM
		if first := d.piece(bounds, 0, stop); first.w > 0 && before.w > 0 {
			f.TotalDB = first.at(float64(d.from)) - before.at(end)
		}
	}
	return f, nil
}

// BreakOf judges the end that was found against the length that the fibre should have:
// it is a break when it lies more than a pulse and a sample before, or when no end is
// expected there. It is false when no end was seen.
func (f *Findings) BreakOf(lengthM, pulseM float64) (Event, bool) {
	if !f.EndSeen || f.LengthM >= lengthM-pulseM-f.Sampling {
		return Event{}, false
	}
	e := f.Events[len(f.Events)-1]
	e.Kind = Break
	return e, true
}

// NearestJoint names the event of a healthy trace that lies nearest to a place, the end
// left out, and how far it is away; false when there is none. It tells at which joint a
// fibre broke.
func NearestJoint(healthy []Event, atM float64) (Event, float64, bool) {
	var best Event
	apart, found := math.Inf(1), false
	for _, e := range healthy {
		if d := math.Abs(e.AtM - atM); e.Kind != End && d < apart {
			best, apart, found = e, d, true
		}
	}
	return best, apart, found
}

// IsBend says whether a loss seen at two wavelengths is a bend: at the longer one (1550
// or 1625 nm) it is at least twice that at 1310 nm, and 0.1 dB more. A splice loses about
// the same at both.
func IsBend(shortDB, longDB float64) bool { return longDB >= 2*shortDB && longDB-shortDB >= 0.1 }

// detector holds a trace with its noise.
type detector struct {
	*Trace
	th       Thresholds
	pulse    int       // samples
	from     int       // first sample behind the panel's dead zone
	power    []float64 // linear
	sigma    float64   // of the noise, linear
	floor    float64   // smoothed power below which there is only noise
	reach    int       // first sample of the noise
	smooth   []float64 // power, averaged over a pulse ahead
	sigmaDB  []float64 // noise of a sample as a level
	fits     *sums     // weighted by sigmaDB
	plain    *sums     // unweighted
	variance []float64 // prefix sums of sigmaDB^2
}

// dbPerRelative converts a small relative change of power to a level.
const dbPerRelative = 5 / math.Ln10

func newDetector(t *Trace, th Thresholds) *detector {
	n := len(t.Levels)
	d := &detector{Trace: t, th: th, pulse: max(2, int(math.Ceil(t.PulseM()/t.SpacingM))), power: make([]float64, n)}
	for i, l := range t.Levels {
		d.power[i] = math.Pow(10, l/5)
	}
	d.smooth = make([]float64, n)
	sum := 0.0
	for i := n - 1; i >= 0; i-- {
		sum += d.power[i]
		if i+d.pulse < n {
			sum -= d.power[i+d.pulse]
		}
		d.smooth[i] = sum / float64(min(d.pulse, n-i))
	}
	d.noise()
	d.from = d.launch()
	d.weigh()
	return d
}

// noise reads the floor from the far part of the trace, where it is rough, and finds
// where the light comes down to it.
func (d *detector) noise() {
	n := len(d.power)
	d.reach = n
	tail := n - max(n/20, min(n/2, 8*d.pulse))
	rough := make([]float64, 0, n-tail)
	var squares, top float64
	for i := tail; i < n-1; i++ {
		rough = append(rough, math.Abs(d.Levels[i+1]-d.Levels[i]))
		squares += d.power[i] * d.power[i]
	}
	// The logarithm hides noise below zero, which is half of it.
	d.sigma = math.Sqrt(2 * squares / float64(n-1-tail))
	if median(rough) < 0.02 && !d.clipped(tail) {
		// The far part is fibre: the trace ends before the light does.
		d.sigma = median(rough) / dbPerRelative / math.Sqrt2 * d.smooth[tail] / 0.67
		return
	}
	for i := tail; i < n-d.pulse; i++ {
		top = max(top, d.smooth[i])
	}
	d.floor = 1.5 * max(top, d.sigma/math.Sqrt(2*math.Pi))
	still := 0 // samples without light in a row
	for i := range d.smooth {
		if d.smooth[i] >= d.floor {
			still = 0
		} else if still++; still > 8*d.pulse && i > 16*d.pulse {
			d.reach = i - still + 1
			return
		}
	}
}

// clipped says whether a part of the trace lies on the instrument's lowest level.
func (d *detector) clipped(from int) bool {
	low := slices.Min(d.Levels)
	at := 0
	for _, l := range d.Levels[from:] {
		if l <= low+1e-9 {
			at++
		}
	}
	return at*20 > len(d.Levels)-from
}

// launch is the first sample that can be read behind the front panel: one pulse of dead
// zone, and the tail of its reflection.
func (d *detector) launch() int {
	first := max(0, int(math.Ceil(-d.StartM/d.SpacingM)))
	i := min(first+d.pulse+1, len(d.Levels)-1)
	for last := min(first+12*d.pulse, d.reach-2*d.pulse); i < last; i++ {
		if a, b := d.smooth[i], d.smooth[i+d.pulse]; math.Abs(math.Log(a/b)) < 0.02 && math.Abs(math.Log(a/d.power[i])) < 0.1 {
			break
		}
	}
	return i
}

// weigh gives each sample its noise: what the floor makes of its level, and what the
// trace shows of slow wander that the instrument's filters leave. Wander is read from
// means over a pulse, by their second differences.
func (d *detector) weigh() {
	n := len(d.Levels)
	var bends []float64
	mean := func(i int) float64 {
		s := 0.0
		for _, l := range d.Levels[i : i+d.pulse] {
			s += l
		}
		return s / float64(d.pulse)
	}
	for i := d.from; i+3*d.pulse <= d.reach; i += d.pulse {
		a, b, c := mean(i), mean(i+d.pulse), mean(i+2*d.pulse)
		bends = append(bends, math.Abs(a-2*b+c))
		if len(bends) > 400 {
			break
		}
	}
	wander := max(0.001, median(bends)/0.67/math.Sqrt(6)*math.Sqrt(float64(d.pulse)))
	d.sigmaDB = make([]float64, n)
	weights, ones := make([]float64, n), make([]float64, n)
	d.variance = make([]float64, n+1)
	for i := range d.sigmaDB {
		level := max(d.smooth[max(0, i-d.pulse/2)], d.sigma/4, 1e-300)
		s := math.Hypot(wander, dbPerRelative*d.sigma/level)
		d.sigmaDB[i], weights[i], ones[i] = s, 1/(s*s), 1
		d.variance[i+1] = d.variance[i] + s*s
	}
	d.fits, d.plain = newSums(d.Levels, weights), newSums(d.Levels, ones)
}

// straight says whether a run of samples is fibre: a straight line within the noise, of
// a slope that fibre can have.
func (d *detector) straight(lo, hi int) (line, bool) {
	l := d.plain.over(lo, hi).fit()
	n := float64(hi - lo)
	v := (d.variance[hi] - d.variance[lo]) / n
	if l.squares/n > 4*v+4e-4 {
		return l, false
	}
	const steepest = 2.0 // dB/km; more is a tail of the instrument
	return l, math.Abs(l.slope) <= steepest*d.SpacingM/1000+4*math.Sqrt(v/l.sxx)
}

// spike is a reflection: samples lo to hi rise above the fibre before.
type spike struct {
	lo, hi int
	height float64 // dB
}

// spikes finds reflections before a sample.
func (d *detector) spikes(stop int) []spike {
	var out []spike
	for i := d.from; i+d.pulse < stop; i++ {
		before := d.mean(max(d.from, i-d.pulse), i+1)
		s := d.sigmaDB[i]
		rise := d.mean(i+1, i+1+d.pulse) - before
		need := max(d.th.SpikeDB, d.th.Sigma*s*math.Sqrt(2/float64(d.pulse)))
		if rise < need/2 || d.Levels[i+1]-d.Levels[i] < max(d.th.SpikeDB/4, 2*s) {
			continue
		}
		height := slices.Max(d.Levels[i+1:min(i+2+d.pulse, stop)]) - before
		if height < max(d.th.SpikeDB, d.th.Sigma*s) {
			continue
		}
		hi := i + 1 + d.pulse
		for hi+d.pulse < stop && hi < i+12*d.pulse {
			if _, ok := d.straight(hi, hi+d.pulse); ok && d.Levels[hi] < before+height/4 {
				break
			}
			hi++
		}
		out = append(out, spike{i, hi, height})
		i = hi
	}
	return out
}

func (d *detector) mean(lo, hi int) float64 {
	m := d.plain.over(lo, hi)
	return m.y / m.w
}

// bound is a split between two pieces: the left ends at lo, the right begins at hi.
type bound struct{ lo, hi int }

// split cuts the fibre at the reflections, and then at steps.
func (d *detector) split(spikes []spike, stop int) []bound {
	var bounds []bound
	lo := d.from
	for _, s := range spikes {
		bounds = append(d.cut(lo, s.lo, bounds), bound{s.lo, s.hi})
		lo = s.hi
	}
	bounds = d.cut(lo, stop, bounds)
	slices.SortFunc(bounds, func(a, b bound) int { return cmp.Compare(a.lo, b.lo) })
	// What lies within a few pulses is one event: a receiver takes as long to settle.
	var merged []bound
	for _, b := range bounds {
		if k := len(merged) - 1; k >= 0 && b.lo-merged[k].hi < 2*d.pulse {
			merged[k].hi = max(merged[k].hi, b.hi)
			continue
		}
		merged = append(merged, b)
	}
	return merged
}

// cut appends the splits within a run, by halving it at the split that leaves least
// squares, while that is significant.
func (d *detector) cut(lo, hi int, out []bound) []bound {
	least := max(4, d.pulse)
	gap := d.pulse + 1
	best, at := 0.0, -1
	for i := lo + least; i+gap+least <= hi; i++ {
		a, b := d.fits.over(lo, i), d.fits.over(i+gap, hi)
		if gain := a.plus(b).fit().squares - a.fit().squares - b.fit().squares; gain > best {
			best, at = gain, i
		}
	}
	if at < 0 || best < d.th.Sigma*d.th.Sigma {
		return out
	}
	out = append(out, bound{at, at + gap})
	return d.cut(at+gap, hi, d.cut(lo, at, out))
}

// piece is the line of the fibre before bound k; k = len(bounds) is the last piece.
func (d *detector) piece(bounds []bound, k, stop int) line {
	lo, hi := d.from, stop
	if k > 0 {
		lo = bounds[k-1].hi
	}
	if k < len(bounds) {
		hi = bounds[k].lo
	}
	if hi-lo < 2 {
		return line{}
	}
	return d.fits.over(lo, hi).fit()
}

// measure turns bounds into events, and drops those that are too small.
func (d *detector) measure(spikes []spike, bounds []bound, stop int) []Event {
	var out []Event
	for k := 0; k < len(bounds); k++ {
		b := bounds[k]
		left, right := d.piece(bounds, k, stop), d.piece(bounds, k+1, stop)
		if left.w <= 0 || right.w <= 0 {
			continue
		}
		x := float64(b.lo)
		e := Event{AtM: d.At(b.lo), LossDB: left.at(x) - right.at(x), SlopeDBKm: -left.slope / d.SpacingM * 1000, Kind: Splice}
		j := slices.IndexFunc(spikes, func(s spike) bool { return s.lo == b.lo })
		sigma := math.Sqrt(left.variance(x) + right.variance(x))
		switch {
		case j >= 0:
			e.Kind = Connector
			height := spikes[j].height + d.mean(max(d.from, b.lo-d.pulse), b.lo+1) - left.at(x)
			e.ReflectanceDB = ReflectanceDB(height, d.BackscatterDB, d.PulseNS)
			e.AtM += d.SpacingM / 2
		case math.Abs(e.LossDB) < max(d.th.LossDB, d.th.Sigma*sigma):
			bounds = slices.Delete(slices.Clone(bounds), k, k+1) // one piece after all
			k--
			continue
		default:
			if e.LossDB < 0 {
				e.Kind = Gainer
			}
			x = d.step(b, left, right)
			e.AtM, e.LossDB = d.StartM+x*d.SpacingM, left.at(x)-right.at(x)
		}
		out = append(out, e)
	}
	return out
}

// step is where, between two lines, the trace goes from one to the other over a pulse.
func (d *detector) step(b bound, left, right line) float64 {
	pulse := d.PulseM() / d.SpacingM
	lo, hi := max(d.from, b.lo-2*d.pulse), min(d.reach, b.hi+d.pulse)
	best, at := math.Inf(1), float64(b.lo)
	for x := float64(max(lo, b.lo-d.pulse)); x <= float64(b.hi); x += 0.5 {
		cost := 0.0
		for i := lo; i < hi; i++ {
			z := float64(i)
			share := min(max((z-x)/pulse, 0), 1)
			r := d.Levels[i] - left.at(z)*(1-share) - right.at(z)*share
			cost += r * r
		}
		if cost < best {
			best, at = cost, x
		}
	}
	return at
}
