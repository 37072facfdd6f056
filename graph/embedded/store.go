// Package embedded is a graph.Store and graph.Journal on one SQLite file, with the
// current graph in memory.
//
// The file is the truth: Apply returns when its transaction is synced (WAL,
// synchronous=FULL), and a batch is there whole or not at all, whatever kills the
// process. One process has the file at a time; a second one gets ErrInUse.
//
// What is known now is answered from memory, at any valid time: an immutable view
// that the one writer replaces after each batch. Readers take no lock that is held
// while the writer works, and one sequence sees one state. A view shares all that did
// not change with the one before; relations are packed side by side when the file is
// opened and again when enough of them have moved. 100,000 entities with four
// attributes and 500,000 relations take about 90 MB. Reads of the recorded past, the
// ledger's retracted part and the journal come from the file.
//
// A relation from an entity to itself is yielded once by direction Both, as one that
// leaves it. Recorded times must lie between the years 1678 and 2262.
package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"faultline/graph"
)

// ErrInUse is what Open returns when another process, or this one, has the file open.
var ErrInUse = errors.New("in use by another process")

var (
	_ graph.Store   = (*Store)(nil)
	_ graph.Journal = (*Store)(nil)
	_ graph.Viewer  = (*Store)(nil)
	_ graph.Archive = (*Store)(nil)
)

// Options of Open. Both fields are required.
type Options struct {
	Path       string // of the data file; made with its folder when missing
	Migrations fs.FS  // the schema in goose's format: migrations.SQLite
}

func (o Options) validate() error {
	switch {
	case o.Path == "":
		return fmt.Errorf("options: Path: missing: %w", graph.ErrInvalid)
	case o.Migrations == nil:
		return fmt.Errorf("options: Migrations: missing: %w", graph.ErrInvalid)
	}
	return nil
}

// Store is a graph in a file. It is safe for concurrent use.
type Store struct {
	current atomic.Pointer[view] // nil once closed
	readers *sql.DB
	lock    *sql.DB

	// turn holds one token: who has it may write. It guards everything below but counts.
	turn chan struct{}
	file *writer
	dead map[int32]struct{} // node numbers out of use whose ids the numbering still holds
	free struct{ nodes, edges []int32 }
	// loose counts the halves left behind in memory by lists that were replaced.
	loose  int
	slack  int   // waste of either kind that is not worth a compaction
	broken error // a commit whose outcome is unknown

	// pin is held while a batch becomes visible in the file and in memory, so that who
	// reads both gets one state.
	pin sync.RWMutex

	countsMu sync.Mutex
	counts   map[uint32]tally
}

// tally is what one source states.
type tally struct{ entities, relations int }

// Open opens or makes a store, brings its schema up to date and loads the graph.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("open graph store: %w", err)
	}
	s := &Store{turn: make(chan struct{}, 1), slack: 1 << 15, dead: map[int32]struct{}{}, counts: map[uint32]tally{}}
	if err := s.open(ctx, o); err != nil {
		return nil, fmt.Errorf("open graph store %s: %w", o.Path, errors.Join(err, s.shut()))
	}
	s.turn <- struct{}{}
	return s, nil
}

func (s *Store) open(ctx context.Context, o Options) error {
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o755); err != nil {
		return err
	}
	var err error
	if s.lock, err = acquire(ctx, o.Path+".lock"); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(o.Path, "journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)",
		"cache_size(-65536)", "temp_store(MEMORY)", "journal_size_limit(67108864)"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	s.file = &writer{db: db}
	if err := migrate(ctx, db, o.Migrations); err != nil {
		return err
	}
	if s.readers, err = sql.Open("sqlite", dsn(o.Path, "query_only(1)", "busy_timeout(5000)")); err != nil {
		return err
	}
	s.readers.SetMaxOpenConns(4) // no call holds one while it waits for another
	if err := s.load(ctx); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return s.file.prepare(ctx)
}

func dsn(path string, pragmas ...string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + url.Values{"_pragma": pragmas}.Encode()
}

// acquire takes a lock that the operating system gives back when the process ends: an
// exclusive transaction on an empty database beside the data file. Locking the data
// file itself would keep our own readers out.
func acquire(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, "busy_timeout(0)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		const busy = 5
		if e := (*sqlite.Error)(nil); errors.As(err, &e) && e.Code()&0xff == busy {
			err = ErrInUse
		}
		return nil, errors.Join(fmt.Errorf("lock: %w", err), db.Close())
	}
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB, files fs.FS) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > want {
		return fmt.Errorf("schema version %d is newer than this program's %d: %w", have, want, graph.ErrInvalid)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Close waits for a running Apply or Append and closes the file. Sequences that are
// being read from memory may go on.
func (s *Store) Close() error {
	<-s.turn
	defer s.end()
	s.pin.Lock()
	defer s.pin.Unlock()
	if s.current.Swap(nil) == nil {
		return graph.ErrClosed
	}
	if err := s.shut(); err != nil {
		return fmt.Errorf("close graph store: %w", err)
	}
	return nil
}

func (s *Store) shut() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.file != nil {
		errs = append(errs, s.file.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close()) // last: until here nobody else may come in
	}
	return errors.Join(errs...)
}

// state returns the current view, or why there is none.
func (s *Store) state(ctx context.Context) (*view, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v := s.current.Load()
	if v == nil {
		return nil, graph.ErrClosed
	}
	return v, nil
}

// begin waits for the writer's turn. The caller gives it back with end.
func (s *Store) begin(ctx context.Context) (*view, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	v, err := s.state(ctx)
	if err == nil {
		err = s.broken
	}
	if err != nil {
		s.end()
		return nil, err
	}
	return v, nil
}

func (s *Store) end() { s.turn <- struct{}{} }
