package neo4j

import (
	"context"
	"errors"
	"fmt"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"faultline/graph"
)

// applyLarge makes a batch in several transactions. One of them does nothing but lock the
// tenant, and ends when the others have: its commit is that of the batch. Until then
// nobody sees the batch, since its number is not published.
//
// When the writer dies before, the server gives the lock back, and the next writer finds
// the draft and undoes it. A writer that has lost its lock and does not know it yet is
// fenced off by the draft's claim, which every one of its transactions looks at.
func (s *Store) applyLarge(ctx context.Context, changes []graph.Change) (seq int64, err error) {
	whole := context.WithoutCancel(ctx)
	session := s.driver.NewSession(whole, driver.SessionConfig{
		DatabaseName: s.database, AccessMode: driver.AccessModeWrite, BookmarkManager: s.driver.ExecuteQueryBookmarkManager(),
	})
	defer func() { err = errors.Join(err, session.Close(whole)) }()
	var lock driver.ExplicitTransaction
	var b batch
	for try := 0; ; try++ { // a connection may have gone stale since it was last used
		if lock, err = session.BeginTransaction(ctx); err == nil {
			b, err = (&work{ctx, lock, s.tenant, s.large}).begin(len(changes))
		}
		if err == nil || ctx.Err() != nil || !driver.IsRetryable(err) || try == 5 {
			break
		}
	}
	if err == nil {
		err = s.draft(ctx, &work{ctx, lock, s.tenant, s.large}, b, changes)
	}
	if err != nil {
		if lock != nil {
			_ = lock.Close(whole) // rolls back, if the connection is still there
		}
		return 0, s.explain(ctx, err)
	}
	err = lock.Commit(whole)
	if answer := (*driver.Neo4jError)(nil); err != nil && !errors.As(err, &answer) {
		err = fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	return b.seq, err
}

// draft writes a large batch while lock holds the tenant.
func (s *Store) draft(ctx context.Context, lock *work, b batch, changes []graph.Change) error {
	var claim int64
	if err := s.transaction(ctx, func(w *work) error {
		got, err := w.run(fenceDraft, nil)
		if err == nil {
			claim, err = got.number("claim")
		}
		return err
	}); err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	if b.unfinished != 0 {
		if err := s.undo(ctx, b.unfinished); err != nil {
			return fmt.Errorf("undo an unfinished batch: %w", err)
		}
	}
	p, err := lock.plan(b, changes)
	if err != nil {
		return err
	}
	held := func(f func(w *work) error) error {
		return s.transaction(ctx, func(w *work) error {
			got, err := w.run(holdDraft, map[string]any{"claim": claim})
			if err != nil {
				return err
			}
			if len(got) == 0 {
				return errors.New("another writer took over")
			}
			return f(w)
		})
	}
	if err := held(func(w *work) error {
		_, err := w.run(openDraft, map[string]any{"seq": b.seq})
		return err
	}); err != nil {
		return err
	}
	if err := p.steps(func(st step) error {
		for more := true; more; {
			if err := held(func(w *work) error {
				n, err := w.do(st, b.seq)
				more = n == s.large
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	_, err = lock.run(closeDraft, nil)
	return err
}

// undo takes back what was written of a batch that no transaction made whole. Nobody sees
// it meanwhile; stopped half way it is done again.
func (s *Store) undo(ctx context.Context, seq int64) error {
	whole := context.WithoutCancel(ctx)
	session := s.driver.NewSession(whole, driver.SessionConfig{
		DatabaseName: s.database, AccessMode: driver.AccessModeWrite, BookmarkManager: s.driver.ExecuteQueryBookmarkManager(),
	})
	for _, text := range []cypher{undoRelations, undoStatements, undoChanges, undoEnds, undoEndsOfRelations} {
		res, err := session.Run(ctx, string(text), map[string]any{"tenant": s.tenant, "seq": seq})
		if err == nil {
			_, err = res.Consume(ctx)
		}
		if err != nil {
			return errors.Join(err, session.Close(whole))
		}
	}
	return session.Close(whole)
}
