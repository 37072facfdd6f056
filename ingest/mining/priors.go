package mining

import (
	"fmt"
	"slices"

	"faultline/rca"
)

// priors say of every ordered pair of types whether it must or must not be an edge.
type priors struct{ known, excluded [][]bool }

func newPriors(in Input, s *series, cycles bool) (*priors, error) {
	n := len(s.types)
	p := &priors{grid(n), grid(n)}
	at := make(map[string]int, n)
	for i, t := range s.types {
		at[t] = i
	}
	for _, k := range in.Known {
		if k.Cause == k.Effect {
			return nil, fmt.Errorf("mine: known: %s causes itself: %w", k.Cause, rca.ErrInvalid)
		}
		p.known[at[k.Cause]][at[k.Effect]] = true
	}
	for _, k := range in.Excluded {
		p.excluded[at[k.Cause]][at[k.Effect]] = true
	}
	for i, snap := range in.Snapshots {
		if len(snap.Roots) == 0 {
			return nil, fmt.Errorf("mine: snapshot %d: roots: none: %w", i, rca.ErrInvalid)
		}
		for _, r := range snap.Roots {
			if !slices.Contains(snap.Types, r) {
				return nil, fmt.Errorf("mine: snapshot %d: root %s is not among its types: %w", i, r, rca.ErrInvalid)
			}
			for _, t := range snap.Types {
				a, ok1 := at[r]
				b, ok2 := at[t]
				if !ok1 || !ok2 || slices.Contains(snap.Roots, t) {
					continue // a type that was never seen has nothing to mine
				}
				p.excluded[b][a] = true
				if len(snap.Types) == 2 {
					p.known[a][b] = true
				}
			}
		}
	}
	below := descendants(p.known)
	for i := range n {
		for j := range n {
			if p.known[i][j] && p.excluded[i][j] {
				return nil, fmt.Errorf("mine: priors: %s -> %s is both known and excluded: %w", s.types[i], s.types[j], rca.ErrInvalid)
			}
			if p.known[i][j] && !cycles && below[j][i] {
				return nil, fmt.Errorf("mine: known: %s -> %s closes a cycle: %w", s.types[i], s.types[j], rca.ErrInvalid)
			}
		}
	}
	return p, nil
}

func grid(n int) [][]bool {
	g := make([][]bool, n)
	for i := range g {
		g[i] = make([]bool, n)
	}
	return g
}

// descendants says of every pair whether a directed path leads from the first to
// the second.
func descendants(g [][]bool) [][]bool {
	below := grid(len(g))
	var walk func(from, at int)
	walk = func(from, at int) {
		for w, edge := range g[at] {
			if edge && !below[from][w] {
				below[from][w] = true
				walk(from, w)
			}
		}
	}
	for i := range g {
		walk(i, i)
	}
	return below
}

// detour reports whether a path other than the edge itself leads from i to j.
func detour(g, below [][]bool, i, j int) bool {
	for w, edge := range g[i] {
		if edge && w != j && below[w][j] {
			return true
		}
	}
	return false
}
