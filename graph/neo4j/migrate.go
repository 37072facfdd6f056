package neo4j

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"faultline/graph"
)

// migration is one file: statements, and the version that the schema then has.
type migration struct {
	name       string
	version    int64
	statements []string
}

// readMigrations reads the files, whose names begin with their numbers: 1, 2, 3 and so on.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "*.cypher")
	if err != nil {
		return nil, err
	}
	var out []migration
	for i, name := range names { // sorted
		number, _, _ := strings.Cut(name, "_")
		if n, err := strconv.Atoi(number); err != nil || n != i+1 {
			return nil, fmt.Errorf("file %s: its name does not begin with number %d: %w", name, i+1, graph.ErrInvalid)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		out = append(out, migration{name, int64(i + 1), statements(string(text))})
	}
	if out == nil {
		return nil, fmt.Errorf("options: Migrations: no files named *.cypher: %w", graph.ErrInvalid)
	}
	return out, nil
}

// statements cuts a file after each semicolon that ends a line. Lines that begin with
// // are comments.
func statements(text string) []string {
	var out []string
	var b strings.Builder
	flush := func() {
		if s := strings.TrimSpace(b.String()); s != "" {
			out = append(out, s)
		}
		b.Reset()
	}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "//") {
			continue
		}
		b.WriteString(strings.TrimRightFunc(line, func(r rune) bool { return r == ';' || unicode.IsSpace(r) }) + "\n")
		if strings.HasSuffix(line, ";") {
			flush()
		}
	}
	flush()
	return out
}

// schemaName is under which the database records the version of the schema.
const schemaName = "faultline-graph"

// migrate brings the schema up to date. Its statements do nothing when they ran before,
// so several processes may do it at once.
func (s *Store) migrate(ctx context.Context, files fs.FS, name string) error {
	all, err := readMigrations(files)
	if err != nil {
		return err
	}
	if err := s.schema(ctx, string(constrainVersion)); err != nil {
		return err
	}
	got, err := s.read(ctx, readVersion, map[string]any{"name": name})
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	var have int64
	if len(got) > 0 {
		if have, err = got.number("version"); err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
	}
	if want := all[len(all)-1].version; have > want {
		return fmt.Errorf("schema version %d is newer than this program's %d: %w", have, want, graph.ErrInvalid)
	}
	for _, m := range all {
		if m.version <= have {
			continue
		}
		for i, text := range m.statements {
			if err := s.schema(ctx, text); err != nil {
				return fmt.Errorf("%s: statement %d: %w", m.name, i+1, err)
			}
		}
		if err := s.transaction(ctx, func(w *work) error {
			_, err := w.run(writeVersion, map[string]any{"name": name, "version": m.version})
			return err
		}); err != nil {
			return fmt.Errorf("%s: record the version: %w", m.name, err)
		}
	}
	if _, err := s.read(ctx, awaitIndexes, map[string]any{}); err != nil {
		return fmt.Errorf("wait for indexes: %w", err)
	}
	return nil
}

// schema runs one statement of a migration in a transaction of its own: schema and data
// cannot share one.
func (s *Store) schema(ctx context.Context, text string) error {
	_, err := driver.ExecuteQuery(ctx, s.driver, text, nil, driver.EagerResultTransformer, driver.ExecuteQueryWithDatabase(s.database))
	return s.explain(ctx, err)
}
