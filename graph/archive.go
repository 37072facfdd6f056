package graph

import (
	"context"
	"iter"
)

// Archive is an ability of a Store that can show everything it keeps, for a copy
// without loss.
type Archive interface {
	// Contributions yields the whole ledger as it is now, retracted ones included: by
	// entity id, what was said of the entity, then of the relations that leave it, by
	// (type, far end, qualifier). Within one element they come by (recorded, source),
	// and by the order in which they were said.
	Contributions(ctx context.Context) iter.Seq2[Contribution, error]
	// ChangeIDs yields the identifiers of all changes that were applied, in order.
	ChangeIDs(ctx context.Context) iter.Seq2[string, error]
	// Streams returns the streams of the Journal beside the graph, in order; none when
	// there is no Journal.
	Streams(ctx context.Context) ([]string, error)
}
