package otdr

import (
	"math"
	"slices"
)

// end finds where the fibre ends, in samples: the first place behind which the trace
// stays so far below the last straight fibre as no joint would take it. From that fibre on
// it looks for the place where the trace leaves its line: on a quiet trace the first
// sample that does, on a noisy one the place where the shape of an end fits best. It is
// false when the light fades out, or the trace ends, without such a drop.
func (d *detector) end() (float64, bool) {
	c, low := d.drop()
	if c < 0 {
		return 0, false
	}
	d.reach = low
	l, rms := d.approach(c)
	if rms < 0.03 {
		if x, ok := d.onset(c, l, rms); ok {
			return x, true
		}
	}
	return d.template(c, l), true
}

// drop returns where the last straight fibre ends, and the first sample behind it from
// which on the trace stays below.
func (d *detector) drop() (last, low int) {
	ahead := 6 * d.pulse
	peak := make([]float64, len(d.smooth)) // largest smoothed power ahead
	var queue []int
	for i := len(d.smooth) - 1; i >= 0; i-- {
		for len(queue) > 0 && d.smooth[queue[len(queue)-1]] <= d.smooth[i] {
			queue = queue[:len(queue)-1]
		}
		queue = append(queue, i)
		if queue[0] >= i+ahead {
			queue = queue[1:]
		}
		peak[i] = d.smooth[queue[0]]
	}
	factor := math.Pow(10, -d.th.EndDB/5)
	last = -1
	level := 0.0
	runs := [3]int{max(6, 4*d.pulse), max(6, 2*d.pulse), max(6, d.pulse*3/2)}
	for i := d.from + runs[2]; i < len(d.smooth)-d.pulse; i++ {
		for _, n := range runs {
			if i-n < d.from {
				continue
			}
			if l, ok := d.straight(i-n, i); ok {
				last, level = i, math.Pow(10, l.at(float64(i-1))/5)
				break
			}
		}
		if last >= 0 && peak[i] < level*factor {
			return last, i
		}
	}
	return -1, 0
}

// approach is the line of the fibre up to a pulse before a sample, and the rms of the
// trace about it. It takes no more fibre than it needs to know the line to 0.003 dB, for
// no fibre is straight for long, and stops at what is not straight.
func (d *detector) approach(c int) (line, float64) {
	hi := max(c-d.pulse, d.from+2)
	lo := max(d.from, hi-max(6, d.pulse))
	best, _ := d.straight(lo, hi)
	for n := 2 * d.pulse; n <= 64*d.pulse && hi-n >= d.from; n = n*5/4 + 1 {
		l, ok := d.straight(hi-n, hi)
		if !ok {
			break
		}
		best, lo = l, hi-n
		if v := l.squares / float64(n); n >= 4*d.pulse && 4*v/float64(n) < 0.003*0.003 {
			break
		}
	}
	return best, math.Sqrt(best.squares / float64(max(1, hi-lo)))
}

// onset is the first sample that leaves the line on the way to the drop. Losses count
// from 0.012 dB, rises from 0.05 dB: small rises are common in filtered traces.
func (d *detector) onset(c int, l line, rms float64) (float64, bool) {
	down, up := max(4*rms, 0.012), max(4*rms, 0.05)
	off := func(i int) bool {
		x := d.Levels[i] - l.at(float64(i))
		return x < -down || x > up
	}
	sure := -1
	for i := max(d.from, c-d.pulse); i < len(d.Levels); i++ {
		if x := math.Abs(d.Levels[i] - l.at(float64(i))); x > 10*down && x > 0.3 {
			sure = i
			break
		}
	}
	if sure < 0 {
		return 0, false
	}
	first := sure
	for i, calm := sure-1, 0; i > d.from && calm <= d.pulse/2; i-- {
		if off(i) {
			first, calm = i, 0
		} else {
			calm++
		}
	}
	return float64(first) - 0.5, true
}

// template fits the end of a fibre in power: fibre, then over one pulse the backscatter
// that runs out with perhaps a reflection on top, then nothing. Residuals are bounded, so
// that an instrument's tails do not pull. Steps are half a sample.
func (d *detector) template(c int, l line) float64 {
	pulse := d.PulseM() / d.SpacingM
	near := min(d.reach, c+16*d.pulse) // no end is longer
	lo, hi := max(d.from, c-4*d.pulse), min(len(d.power), near+2*d.pulse)
	fibre := func(x float64) float64 { return math.Pow(10, l.at(x)/5) }
	bound := max(4*d.sigma, 0.2*fibre(float64(c)))
	noiseMean := d.sigma / math.Sqrt(2*math.Pi) // of noise without its negative half
	best, at := math.Inf(1), float64(c)
	for x := float64(max(lo, c-3*d.pulse)); x <= float64(min(hi, near+d.pulse)); x += 0.5 {
		base := fibre(x)
		model := func(i int) float64 {
			z := float64(i)
			switch {
			case z <= x:
				return fibre(z)
			case z < x+pulse:
				return base * (1 - (z-x)/pulse)
			}
			return noiseMean
		}
		height, n := 0.0, 0
		for i := int(math.Ceil(x)); float64(i) < x+pulse && i < hi; i++ {
			height += d.power[i] - model(i)
			n++
		}
		if height = height / float64(max(n, 1)); height < 4*d.sigma/math.Sqrt(float64(max(n, 1))) {
			height = 0
		}
		cost := 0.0
		for i := lo; i < hi; i++ {
			r := d.power[i] - model(i)
			if z := float64(i); z >= x && z < x+pulse {
				r -= height
			}
			cost += min(r*r, bound*bound)
		}
		if cost < best {
			best, at = cost, x
		}
	}
	return at
}

// last is the event at the end, behind a last piece of fibre.
func (d *detector) last(end float64, before line) Event {
	c := min(int(end), len(d.Levels)-1)
	l, _ := d.approach(c + d.pulse)
	e := Event{AtM: d.StartM + end*d.SpacingM, Kind: End, SlopeDBKm: -before.slope / d.SpacingM * 1000}
	level := l.at(end)
	e.LossDB = level - 5*math.Log10(max(d.sigma, 1e-12))
	top := slices.Max(d.Levels[c:min(len(d.Levels), c+2*d.pulse)])
	if height := top - level; height > max(d.th.SpikeDB, d.th.Sigma*d.sigmaDB[max(0, c-d.pulse)]) {
		e.ReflectanceDB = ReflectanceDB(height, d.BackscatterDB, d.PulseNS)
	}
	return e
}
