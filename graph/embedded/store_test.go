package embedded_test

import (
	"path/filepath"
	"testing"

	"faultline/graph"
	"faultline/graph/embedded"
	"faultline/graph/graphtest"
	"faultline/migrations"
)

func open(t *testing.T, dir string) graph.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), embedded.Options{Path: filepath.Join(dir, "graph.db"), Migrations: migrations.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T)   { graphtest.TestStore(t, open) }
func TestJournal(t *testing.T) { graphtest.TestJournal(t, open) }
