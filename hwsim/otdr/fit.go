package otdr

import (
	"math"
	"slices"
)

// sums are prefix sums for weighted straight lines over runs of samples.
type sums struct{ w, x, xx, y, xy, yy []float64 }

func newSums(levels, weights []float64) *sums {
	n := len(levels) + 1
	s := &sums{make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)}
	for i, y := range levels {
		w, x := weights[i], float64(i)
		s.w[i+1], s.x[i+1], s.xx[i+1] = s.w[i]+w, s.x[i]+w*x, s.xx[i]+w*x*x
		s.y[i+1], s.xy[i+1], s.yy[i+1] = s.y[i]+w*y, s.xy[i]+w*x*y, s.yy[i]+w*y*y
	}
	return s
}

// moments are the weighted moments of a set of samples; they add.
type moments struct{ w, x, xx, y, xy, yy float64 }

func (s *sums) over(lo, hi int) moments {
	return moments{s.w[hi] - s.w[lo], s.x[hi] - s.x[lo], s.xx[hi] - s.xx[lo], s.y[hi] - s.y[lo], s.xy[hi] - s.xy[lo], s.yy[hi] - s.yy[lo]}
}

func (m moments) plus(o moments) moments {
	return moments{m.w + o.w, m.x + o.x, m.xx + o.xx, m.y + o.y, m.xy + o.xy, m.yy + o.yy}
}

// line is y = level + slope (x - x0), with what is left of the squares.
type line struct {
	x0, level, slope float64
	squares          float64 // weighted, of the residuals
	w, sxx           float64 // weight, and spread of x
}

func (m moments) fit() line {
	if m.w <= 0 {
		return line{}
	}
	l := line{x0: m.x / m.w, level: m.y / m.w, w: m.w}
	l.sxx = m.xx - m.x*l.x0
	sxy := m.xy - m.y*l.x0
	if l.sxx > 1e-9*m.w {
		l.slope = sxy / l.sxx
	}
	l.squares = max(0, m.yy-m.y*l.level-l.slope*sxy)
	return l
}

func (l line) at(x float64) float64 { return l.level + l.slope*(x-l.x0) }

// variance is that of the line at x, for weights that are inverse variances.
func (l line) variance(x float64) float64 {
	if l.w <= 0 {
		return math.Inf(1)
	}
	v := 1 / l.w
	if l.sxx > 0 {
		v += (x - l.x0) * (x - l.x0) / l.sxx
	}
	return v
}

// median reorders its argument.
func median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	slices.Sort(x)
	return x[len(x)/2]
}
