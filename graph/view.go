package graph

// Head is what a walk needs to know of an entity.
type Head struct {
	ID     ID
	Kind   Kind
	Role   string
	Domain string
}

// View is one unchanging state of a graph, held in memory and addressed by number,
// so that walks neither hash identifiers nor copy attributes. Numbers mean nothing
// outside their view. It is safe for concurrent use.
type View interface {
	// Len bounds the numbers: each is in [0, Len). Not every one need be in use.
	Len() int
	// Number returns the number of a visible entity.
	Number(id ID) (n int, ok bool)
	// Head returns the head of the entity with a number, and whether it is visible.
	Head(n int) (Head, bool)
	// Entity returns the whole entity of a number that Number or Neighbours gave.
	Entity(n int) Entity
	// Neighbours calls yield with the far end of each visible relation of n, by
	// (type, far end, qualifier), until yield returns false. dir is Out or In; an
	// empty t means all types.
	Neighbours(n int, dir Direction, t RelationType, yield func(far int, t RelationType) bool)
}

// Viewer is an ability that a Reader may have beside its methods.
type Viewer interface {
	// View returns the state at, or nil when that state is not in memory.
	View(at AsOf) View
}
