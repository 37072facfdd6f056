// Package neo4j is a graph.Store and graph.Journal on a Neo4j server, for graphs that
// outgrow one machine or that several processes write.
//
// What sources said is only ever added to: a statement on an entity is a node, one on a
// relation is a relationship between entities, and retracting one notes in which batch
// it ended. Batches are numbered, and a reader sees the statements of one number, so
// that it never sees part of a batch although the server's isolation is read committed.
// A batch is one transaction, or several when it is large; one more publishes its number
// once the server has applied it as a whole.
//
// Writers of one tenant take turns, whatever process they are in. Change ids make a
// batch safe to apply again, which is what to do after ErrUncertain.
//
// Texts must be valid UTF-8, and those that are keys at most MaxKey bytes long. Recorded
// times must lie between the years 1678 and 2262. A relation from an entity to itself is
// yielded once by direction Both, as one that leaves it. Reading an entity costs time in
// proportion to all that was ever said of it and of its relations.
package neo4j

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/config"
	"github.com/neo4j/neo4j-go-driver/v5/neo4j/notifications"

	"faultline/graph"
)

// ErrUncertain is what Apply, Append and Drop return when the server was lost while it
// committed: all was done or nothing was. Doing it again, with the same change ids,
// settles it.
var ErrUncertain = errors.New("outcome unknown, do it again")

// MaxKey is how many bytes an id, kind, source, stream or tenant may have: the server
// cannot index longer keys.
const MaxKey = 2000

var (
	_ graph.Store    = (*Store)(nil)
	_ graph.Journal  = (*Store)(nil)
	_ graph.Surveyor = (*Store)(nil)
	_ graph.Archive  = (*Store)(nil)
)

// Options of Open. URL and Migrations are required.
type Options struct {
	URL        string        // bolt://host:7687 or neo4j://host:7687; +s or +ssc after the scheme for TLS
	User       string        // with Password; neither when the server asks for no login
	Password   string        //
	Database   string        // "neo4j" when empty
	Tenant     string        // whose graph; "main" when empty. Tenants of one database do not see each other
	Migrations fs.FS         // the schema: migrations.Neo4j
	RetryFor   time.Duration // how long a call tries again when the server is lost or transactions meet; 15 s when 0
}

func (o *Options) validate() error {
	bad := func(field, why string) error { return fmt.Errorf("options: %s: %s: %w", field, why, graph.ErrInvalid) }
	if o.URL == "" {
		return bad("URL", "missing")
	}
	switch u, err := url.Parse(o.URL); {
	case err != nil || u.Host == "":
		return bad("URL", "not of the form bolt://host:port")
	case u.User != nil:
		return bad("URL", "holds a login; User and Password are for that")
	}
	switch {
	case (o.User == "") != (o.Password == ""):
		return bad("User", "needs Password, and the other way round")
	case o.Migrations == nil:
		return bad("Migrations", "missing")
	case o.RetryFor < 0:
		return bad("RetryFor", "negative")
	case len(o.Tenant) > MaxKey || !utf8.ValidString(o.Tenant):
		return bad("Tenant", fmt.Sprintf("not UTF-8 of at most %d bytes", MaxKey))
	}
	if o.Database == "" {
		o.Database = "neo4j"
	}
	if o.Tenant == "" {
		o.Tenant = "main"
	}
	if o.RetryFor == 0 {
		o.RetryFor = 15 * time.Second
	}
	return nil
}

// Store is the graph of one tenant. It is safe for concurrent use.
type Store struct {
	driver   driver.DriverWithContext
	database string
	tenant   string
	closed   atomic.Bool
	large    int
	turn     chan struct{} // holds one token: who has it may write
}

// Open connects to the server, brings its schema up to date and makes the tenant when it
// is new. It waits for writers of the tenant that are at work.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("open graph store: %w", err)
	}
	auth := driver.NoAuth()
	if o.User != "" {
		auth = driver.BasicAuth(o.User, o.Password, "")
	}
	d, err := driver.NewDriverWithContext(o.URL, auth, func(c *config.Config) {
		c.MaxTransactionRetryTime = o.RetryFor
		c.ConnectionAcquisitionTimeout = o.RetryFor
		c.SocketConnectTimeout = min(5*time.Second, o.RetryFor)
		c.NotificationsMinSeverity = notifications.DisabledLevel
	})
	if err != nil {
		return nil, fmt.Errorf("open graph store: options: URL: %w: %w", err, graph.ErrInvalid)
	}
	s := &Store{driver: d, database: o.Database, tenant: o.Tenant, large: large, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	if err := s.open(ctx, o.Migrations); err != nil {
		return nil, fmt.Errorf("open graph store %s: %w", o.URL, errors.Join(s.explain(ctx, err), d.Close(ctx)))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, files fs.FS) error {
	if err := s.driver.VerifyConnectivity(ctx); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if err := s.migrate(ctx, files, schemaName); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	var seq int64
	err := s.transaction(ctx, func(w *work) error {
		got, err := w.run(makeTenant, nil)
		if err == nil {
			seq, err = got.number("seq")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("make tenant: %w", err)
	}
	return s.publish(ctx, seq) // what a writer that died left unpublished
}

// Close waits for a running Apply, Append or Drop and closes the connections.
func (s *Store) Close() error {
	<-s.turn
	defer s.yield()
	if s.closed.Swap(true) {
		return graph.ErrClosed
	}
	if err := s.driver.Close(context.Background()); err != nil {
		return fmt.Errorf("close graph store: %w", err)
	}
	return nil
}

func (s *Store) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed.Load() {
		return graph.ErrClosed
	}
	return nil
}

// await waits for the writer's turn, which the caller gives back with yield.
func (s *Store) await(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	select {
	case <-s.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.ready(ctx); err != nil {
		s.yield()
		return err
	}
	return nil
}

func (s *Store) yield() { s.turn <- struct{}{} }

// explain turns the driver's error into the cause that the caller knows. A context that
// ended shows as a lost connection.
func (s *Store) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case s.closed.Load():
		return graph.ErrClosed
	}
	return err
}

// rows are the records of one statement, by column.
type rows []map[string]any

func table(records []*driver.Record) rows {
	out := make(rows, len(records))
	for i, r := range records {
		out[i] = r.AsMap()
	}
	return out
}

// read runs one reading statement; when the server is lost it runs again.
func (s *Store) read(ctx context.Context, text cypher, params map[string]any) (rows, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	params["tenant"] = s.tenant
	res, err := driver.ExecuteQuery(ctx, s.driver, string(text), params, driver.EagerResultTransformer,
		driver.ExecuteQueryWithDatabase(s.database), driver.ExecuteQueryWithReadersRouting())
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	return table(res.Records), nil
}

// work is one attempt of a writing transaction.
type work struct {
	ctx context.Context
	tx  interface {
		Run(ctx context.Context, text string, params map[string]any) (driver.ResultWithContext, error)
	}
	tenant string
	large  int
}

// run returns the driver's errors as they are: wrapped they would not be tried again.
func (w *work) run(text cypher, params map[string]any) (rows, error) {
	if params == nil {
		params = map[string]any{}
	}
	params["tenant"] = w.tenant
	res, err := w.tx.Run(w.ctx, string(text), params)
	if err != nil {
		return nil, err
	}
	records, err := res.Collect(w.ctx)
	return table(records), err
}

// transaction runs f in a transaction, again when it can be repeated. The context ends
// everything but a commit, so that its error means that nothing was done.
func (s *Store) transaction(ctx context.Context, f func(*work) error) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var mu sync.Mutex
	committing := false
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !committing {
			cancel()
		}
	})
	defer stop()
	commit := func(is bool) error {
		mu.Lock()
		defer mu.Unlock()
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped: %w", err) // bare it would pass for a lost connection and be tried again
		}
		committing = is
		return nil
	}
	session := s.driver.NewSession(inner, driver.SessionConfig{
		DatabaseName: s.database, AccessMode: driver.AccessModeWrite, BookmarkManager: s.driver.ExecuteQueryBookmarkManager(),
	})
	_, err := session.ExecuteWrite(inner, func(tx driver.ManagedTransaction) (any, error) {
		err := commit(false)
		if err == nil {
			err = f(&work{inner, tx, s.tenant, s.large})
		}
		if e := commit(err == nil); e != nil {
			err = e
		}
		return nil, err
	})
	if lost := (*driver.ConnectivityError)(nil); errors.As(err, &lost) && !driver.IsRetryable(err) {
		err = fmt.Errorf("%w: %w", ErrUncertain, err)
	} else {
		err = s.explain(ctx, err)
	}
	return errors.Join(err, session.Close(context.WithoutCancel(ctx)))
}

func (s *Store) publish(ctx context.Context, seq int64) error {
	err := s.transaction(context.WithoutCancel(ctx), func(w *work) error {
		_, err := w.run(publishBatch, map[string]any{"seq": seq})
		return err
	})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}
