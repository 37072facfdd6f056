package physics

import (
	"cmp"
	"fmt"
	"slices"
)

// Front returns the indices of the points that no other point dominates, in the order
// given; every aim is to be small. Equal points are all kept.
func Front(points [][]float64) []int {
	var front []int
	for i, p := range points {
		if !slices.ContainsFunc(points, func(q []float64) bool { return dominates(q, p) }) {
			front = append(front, i)
		}
	}
	return front
}

func dominates(a, b []float64) bool {
	less := false
	for k := range a {
		if !(a[k] <= b[k]) {
			return false
		}
		less = less || a[k] < b[k]
	}
	return less
}

// Hypervolume is the volume that the points dominate below a reference point (Zitzler
// and Thiele 1998), by slicing along the last aim (While et al. 2006); in two dimensions
// it takes n log n. Points that are not below the reference in every aim add nothing. It
// fails on a point of another dimension.
func Hypervolume(points [][]float64, reference []float64) (float64, error) {
	if len(reference) == 0 {
		return 0, fmt.Errorf("hypervolume: the reference has no dimension")
	}
	var in [][]float64
	for i, p := range points {
		if len(p) != len(reference) {
			return 0, fmt.Errorf("hypervolume: point %d has %d aims, the reference %d", i, len(p), len(reference))
		}
		below := true
		for k := range p {
			below = below && p[k] < reference[k]
		}
		if below {
			in = append(in, p)
		}
	}
	return volume(in, reference), nil
}

func volume(points [][]float64, reference []float64) float64 {
	last := len(reference) - 1
	points = slices.Clone(points)
	if last == 1 {
		slices.SortFunc(points, func(a, b []float64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
		v, low := 0.0, reference[1]
		for _, p := range points {
			if p[1] < low {
				v += (reference[0] - p[0]) * (low - p[1])
				low = p[1]
			}
		}
		return v
	}
	slices.SortFunc(points, func(a, b []float64) int { return cmp.Compare(a[last], b[last]) })
	if last == 0 {
		if len(points) == 0 {
			return 0
		}
		return reference[0] - points[0][0]
	}
	v := 0.0
	for i, p := range points {
		top := reference[last]
		if i+1 < len(points) {
			top = points[i+1][last]
		}
		if top > p[last] {
			v += (top - p[last]) * volume(points[:i+1], reference[:last])
		}
	}
	return v
}
