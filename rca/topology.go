package rca

import (
	"context"
	"time"

	"faultline/graph"
)

// Topology answers how resources stand to each other at one moment. Steps that
// ground knowledge take it; graph/walk provides it over any graph.Reader.
type Topology interface {
	// Entity returns a resource, or graph.ErrNotFound.
	Entity(ctx context.Context, id graph.ID) (graph.Entity, error)
	// Follow returns the resources at the end of a path from start, sorted and
	// without start itself when the path has hops; none when start does not match.
	// The caller must not change the slice.
	Follow(ctx context.Context, start graph.ID, p *graph.Path) ([]graph.ID, error)
}

// Maintenance is a window of planned work.
type Maintenance struct {
	ID        string     `json:"id"` // ticket or window id
	Name      string     `json:"name"`
	Resources []graph.ID `json:"resources"` // what is worked on; its parts are meant too
	From      time.Time  `json:"from"`
	To        time.Time  `json:"to"`
}

// Covers reports whether the window is open at t, with the given slack around it.
func (m Maintenance) Covers(t time.Time, slack time.Duration) bool {
	return !t.Before(m.From.Add(-slack)) && !t.After(m.To.Add(slack))
}
