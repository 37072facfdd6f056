package neo4j

import (
	"context"
	"io/fs"
)

// MigrateAs is migrate for a schema of the tests' own.
func (s *Store) MigrateAs(ctx context.Context, files fs.FS, name string) error {
	return s.migrate(ctx, files, name)
}

// SplitBatches makes every batch of more than n changes take several transactions.
func (s *Store) SplitBatches(n int) { s.large = n }
