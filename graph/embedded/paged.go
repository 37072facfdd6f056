package embedded

import "slices"

const pageSize = 128

// paged is an array of which many versions exist at once: versions share the pages
// that do not differ.
type paged[T any] struct {
	pages []*[pageSize]T
	n     int
}

func (p *paged[T]) at(i int32) *T { return &p.pages[i/pageSize][i%pageSize] }

// edit makes the next version of an array. Only the one writer does this.
type edit[T any] struct {
	paged[T]
	owned []bool // pages that are ours to change; nil until the first change
}

// grow makes room for number i.
func (e *edit[T]) grow(i int32) {
	e.n = max(e.n, int(i)+1)
}

// change returns element i, ready to be changed.
func (e *edit[T]) change(i int32) *T {
	if e.owned == nil {
		e.pages = slices.Clone(e.pages)
		e.owned = make([]bool, len(e.pages))
	}
	p := int(i / pageSize)
	for p >= len(e.pages) {
		e.pages = append(e.pages, new([pageSize]T))
		e.owned = append(e.owned, true)
	}
	if !e.owned[p] {
		page := *e.pages[p]
		e.pages[p], e.owned[p] = &page, true
	}
	return &e.pages[p][i%pageSize]
}
