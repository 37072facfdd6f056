package embedded_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

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

func TestKill(t *testing.T) { graphtest.TestKill(t, open) }

func TestOpenRefusesASecondOpener(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	o := embedded.Options{Path: filepath.Join(dir, "graph.db"), Migrations: migrations.SQLite}
	if _, err := embedded.Open(t.Context(), o); !errors.Is(err, embedded.ErrInUse) {
		t.Errorf("second open: got %v, want %v", err, embedded.ErrInUse)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestOpenFromAnotherProcess$")
	cmd.Env = append(os.Environ(), "EMBEDDED_SECOND="+o.Path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("second process: %v\n%s", err, out)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOpenFromAnotherProcess is the other half of TestOpenRefusesASecondOpener.
func TestOpenFromAnotherProcess(t *testing.T) {
	path := os.Getenv("EMBEDDED_SECOND")
	if path == "" {
		t.Skip("runs as the second process of TestOpenRefusesASecondOpener")
	}
	if _, err := embedded.Open(t.Context(), embedded.Options{Path: path, Migrations: migrations.SQLite}); !errors.Is(err, embedded.ErrInUse) {
		t.Errorf("got %v, want %v", err, embedded.ErrInUse)
	}
}

func TestOpenNamesTheMissingOption(t *testing.T) {
	for field, o := range map[string]embedded.Options{"Path": {Migrations: migrations.SQLite}, "Migrations": {Path: "x"}} {
		if _, err := embedded.Open(t.Context(), o); !errors.Is(err, graph.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("without %s: got %v", field, err)
		}
	}
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	dir := t.TempDir()
	newer := fstest.MapFS{"00002_later.sql": {Data: []byte("-- +goose Up\nCREATE TABLE later (n INTEGER);\n")}}
	files, err := fs.ReadDir(migrations.SQLite, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := fs.ReadFile(migrations.SQLite, f.Name())
		if err != nil {
			t.Fatal(err)
		}
		newer[f.Name()] = &fstest.MapFile{Data: data}
	}
	s, err := embedded.Open(t.Context(), embedded.Options{Path: filepath.Join(dir, "graph.db"), Migrations: newer})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(t.Context(), embedded.Options{Path: filepath.Join(dir, "graph.db"), Migrations: migrations.SQLite}); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v, want an error that says the file is newer", err)
	}
}

// TestOpenRefusesADamagedFile flips what the file says behind the store's back.
func TestOpenRefusesADamagedFile(t *testing.T) {
	for _, damage := range []string{
		"UPDATE node SET live = x'05' WHERE n = 0", "UPDATE node SET live = x'ffffffffffffffffffff' WHERE n = 0",
		"DELETE FROM node WHERE n = 1", "UPDATE node SET id = 'b' WHERE n = 0", "UPDATE edge SET type = 99", "UPDATE edge SET live = x'00'",
		"DELETE FROM word WHERE n = 2",
	} {
		dir := t.TempDir()
		s := open(t, dir)
		by := graph.Provenance{Source: "s"}
		if err := s.Apply(t.Context(), []graph.Change{
			{Op: graph.OpPut, At: graphtest.Epoch, By: by, Entity: &graph.Entity{ID: "a", Kind: "NE", Attrs: map[string]string{"k": "v"}}},
			{Op: graph.OpPut, At: graphtest.Epoch, By: by, Entity: &graph.Entity{ID: "b", Kind: "NE"}},
			{Op: graph.OpPut, At: graphtest.Epoch, By: by, Relation: &graph.Relation{From: "a", Type: "T", To: "b"}},
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "graph.db")
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), damage); err != nil {
			t.Fatalf("%s: %v", damage, err)
		}
		db.Close()
		if s, err := embedded.Open(t.Context(), embedded.Options{Path: path, Migrations: migrations.SQLite}); err == nil {
			s.Close()
			t.Errorf("%s: opened all the same", damage)
		}
	}
}

// expiring is a context that ends when it has been asked a number of times.
type expiring struct {
	context.Context
	left int
}

func (e *expiring) Err() error {
	if e.left--; e.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestApplyGivesUpWhole cancels a large batch at every place where Apply looks.
func TestApplyGivesUpWhole(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	changes := graphtest.Inventory(1000, 1000)
	for n := 0; ; n++ {
		ctx := &expiring{t.Context(), n}
		err := s.Apply(ctx, changes)
		sources, err2 := s.Sources(t.Context())
		if err2 != nil {
			t.Fatal(err2)
		}
		if err == nil {
			if n < 10 || len(sources) != 1 || sources[0].Entities != 1000 || sources[0].Relations != 1000 {
				t.Errorf("after %d looks at the context: %v", n, sources)
			}
			return
		}
		if !errors.Is(err, context.Canceled) || len(sources) != 0 {
			t.Fatalf("cancelled at look %d: %v, and %v is there", n, err, sources)
		}
	}
}
