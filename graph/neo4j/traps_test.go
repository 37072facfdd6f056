package neo4j_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"faultline/graph"
	"faultline/graph/graphtest"
	"faultline/graph/neo4j"
)

func put(id, source string, e graph.Entity) graph.Change {
	return graph.Change{ID: id, Op: graph.OpPut, At: graphtest.Epoch, By: graph.Provenance{Source: source}, Entity: &e}
}

func link(source string, from graph.ID, t graph.RelationType, to graph.ID) graph.Change {
	return graph.Change{Op: graph.OpPut, At: graphtest.Epoch, By: graph.Provenance{Source: source}, Relation: &graph.Relation{From: from, Type: t, To: to}}
}

func apply(t testing.TB, s graph.Writer, changes ...graph.Change) {
	t.Helper()
	if err := s.Apply(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
}

func ids(t testing.TB, s graph.Reader, q graph.Query) []graph.ID {
	t.Helper()
	var out []graph.ID
	for e, err := range s.Find(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.ID)
	}
	return out
}

func count(t testing.TB, o neo4j.Options, text, tenant string) int64 {
	t.Helper()
	n, _, err := driver.GetRecordValue[int64](raw(t, o, text, map[string]any{"tenant": tenant})[0], "n")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRealWritersOfManyProcesses lets stores that know nothing of each other write the
// same elements and the same change ids: without the constraints MERGE would double
// entities, without turns batches would be lost.
func TestRealWritersOfManyProcesses(t *testing.T) {
	o, tenant := server(t), t.TempDir()
	const writers, batches = 6, 8
	var running sync.WaitGroup
	stores := make([]*neo4j.Store, writers)
	for w := range stores {
		stores[w] = openTenant(t, o, tenant)
		defer stores[w].Close()
	}
	for w, s := range stores {
		running.Go(func() {
			for b := range batches {
				changes := []graph.Change{put(fmt.Sprintf("once-%d", b), "shared", graph.Entity{ID: "shared", Kind: "NE", Name: fmt.Sprint(w)})}
				for i := range 20 {
					to := graph.ID(fmt.Sprint("e", (i+w)%20)) // each in its own order
					changes = append(changes, put("", fmt.Sprint("s", w), graph.Entity{ID: to, Kind: "NE"}), link(fmt.Sprint("s", w), "shared", "T", to))
				}
				if err := s.Apply(t.Context(), changes); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				if got := len(ids(t, stores[(w+1)%writers], graph.Query{})); got != 21 { // another process sees it at once
					t.Errorf("%d entities, want 21", got)
				}
			}
		})
	}
	running.Wait()
	if n := count(t, o, "MATCH (e:Entity {tenant: $tenant}) RETURN count(*) AS n", tenant); n != 21 {
		t.Errorf("%d nodes for 21 entities", n)
	}
	cs, err := stores[0].EntityContributions(t.Context(), "shared")
	if err != nil || len(cs) != batches {
		t.Errorf("the shared entity was stated %d times (%v), want once for each change id: %d", len(cs), err, batches)
	}
	sources, err := stores[0].Sources(t.Context())
	if err != nil || len(sources) != writers+1 || sources[0] != (graph.SourceCount{Source: "s0", Entities: 20, Relations: 20}) {
		t.Errorf("sources: %v (%v)", sources, err)
	}
	if n := count(t, o, "MATCH (t:Tenant {name: $tenant}), (p:Published {tenant: $tenant}) RETURN t.seq * 1000 + p.seq AS n", tenant); n != 1001*writers*batches {
		t.Errorf("last batch and published batch are %d and %d, want %d", n/1000, n%1000, writers*batches)
	}
}

// TestRealDeadlocksAreRetried appends the same records in opposite orders at once: the
// server breaks the deadlocks, and nobody sees an error.
func TestRealDeadlocksAreRetried(t *testing.T) {
	o, tenant := server(t), t.TempDir()
	var running sync.WaitGroup
	for w := range 4 {
		s := openTenant(t, o, tenant)
		defer s.Close()
		running.Go(func() {
			for round := range 6 {
				var records []graph.Record
				for i := range 200 {
					if w%2 == 1 {
						i = 199 - i
					}
					records = append(records, graph.Record{Stream: "s", ID: fmt.Sprint(i), Source: fmt.Sprint(w), At: graphtest.Epoch, Data: []byte{byte(round)}})
				}
				if err := s.Append(t.Context(), records); err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	running.Wait()
	if n := count(t, o, "MATCH (r:Record {tenant: $tenant}) RETURN count(*) + count(DISTINCT r.source) AS n", tenant); n != 201 {
		t.Errorf("%d records and writers, want 200 records of the one who came last", n)
	}
}

// TestRealReaderSeesWholeBatches reads over one store while another replaces everything
// in each batch. The server's own isolation shows batches in part.
func TestRealReaderSeesWholeBatches(t *testing.T) {
	o, tenant := server(t), t.TempDir()
	w, r := openTenant(t, o, tenant), openTenant(t, o, tenant)
	defer w.Close()
	defer r.Close()
	batch := func(b int) []graph.Change {
		changes := []graph.Change{{Op: graph.OpDropSource, At: graphtest.Epoch.Add(time.Duration(b)), By: graph.Provenance{Source: "s"}}}
		for i := range 600 { // more than a page
			changes = append(changes, put("", "s", graph.Entity{ID: graph.ID(fmt.Sprintf("%03d-%d", i, b)), Kind: "NE", Name: fmt.Sprint(b)}))
		}
		return changes
	}
	apply(t, w, batch(0)...)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := 1; b <= 15; b++ {
			if err := w.Apply(t.Context(), batch(b)); err != nil {
				t.Errorf("apply: %v", err)
			}
		}
	}()
	for reads := 0; ; reads++ {
		names := map[string]int{}
		for e, err := range r.Find(t.Context(), graph.Query{Kind: "NE"}) {
			if err != nil {
				t.Fatal(err)
			}
			names[e.Name]++
		}
		if len(names) != 1 || names[keyOf(names)] != 600 {
			t.Fatalf("read %d shows parts of batches: %v", reads, names)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func keyOf(m map[string]int) string {
	for k := range m {
		return k
	}
	return ""
}

// TestRealUnpublishedBatch is what a writer leaves that dies between its transactions:
// nobody sees the batch until the store is opened again or written to.
func TestRealUnpublishedBatch(t *testing.T) {
	o, tenant := server(t), t.TempDir()
	s := openTenant(t, o, tenant)
	defer s.Close()
	unpublish := func() {
		raw(t, o, "MATCH (p:Published {tenant: $tenant}) SET p.seq = p.seq - 1", map[string]any{"tenant": tenant})
	}
	expect := func(what string, want ...graph.ID) {
		t.Helper()
		if got := ids(t, s, graph.Query{}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	apply(t, s, put("c1", "s", graph.Entity{ID: "a", Kind: "NE"}))
	apply(t, s, put("c2", "s", graph.Entity{ID: "b", Kind: "NE"}), link("s", "a", "T", "b"))
	unpublish()
	expect("unpublished", "a")
	openTenant(t, o, tenant).Close()
	expect("after another open", "a", "b")
	apply(t, s, graph.Change{Op: graph.OpDropSource, At: graphtest.Epoch, By: graph.Provenance{Source: "s"}})
	unpublish()
	expect("unpublished drop", "a", "b")
	apply(t, s, put("c2", "s", graph.Entity{ID: "b", Kind: "NE"})) // the id is known: nothing but publishing
	expect("after an idle batch")
}

// TestRealContext cancels calls that wait for the tenant's lock, which somebody else
// holds: the caller's own error comes back, nothing was done, and the store goes on.
func TestRealContext(t *testing.T) {
	o, tenant := server(t), t.TempDir()
	s := openTenant(t, o, tenant)
	defer s.Close()
	auth := driver.NoAuth()
	if o.User != "" {
		auth = driver.BasicAuth(o.User, o.Password, "")
	}
	d, err := driver.NewDriverWithContext(o.URL, auth)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(t.Context())
	session := d.NewSession(t.Context(), driver.SessionConfig{DatabaseName: "neo4j"})
	defer session.Close(t.Context())
	lock, err := session.BeginTransaction(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Run(t.Context(), "MATCH (t:Tenant {name: $tenant}) SET t.locked = true", map[string]any{"tenant": tenant}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	c := put("c", "s", graph.Entity{ID: "a", Kind: "NE"})
	if err := s.Apply(ctx, []graph.Change{c}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, neo4j.ErrUncertain) {
		t.Errorf("apply: got %v, want the deadline", err)
	}
	o.Tenant = tenant
	if _, err := neo4j.Open(ctx, o); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("open: got %v, want the deadline", err)
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, s, graph.Query{}); len(got) != 0 {
		t.Errorf("something was applied: %v", got)
	}
	apply(t, s, c)
	if got := ids(t, s, graph.Query{}); len(got) != 1 {
		t.Errorf("the store does not go on: %v", got)
	}
}

// TestRealKeys puts what a server could change, mix up or refuse.
func TestRealKeys(t *testing.T) {
	long := strings.Repeat("é", neo4j.MaxKey/2)
	o := server(t)
	s := openTenant(t, o, long[:neo4j.MaxKey-80]+strings.ReplaceAll(t.TempDir(), "/", "_"))
	defer s.Close()
	local := graphtest.Epoch.In(time.Local)
	want := []graph.ID{
		" x", "A", "\x00", "a\x00b", "a'b\"c`d$e{f}", "cell-101", "cell-102", "e\u0301", "\u00e9", "\uFFFD", "\U0001F600", graph.ID(long),
	}
	var changes []graph.Change
	for _, id := range want {
		c := put("change "+string(id[:min(len(id), 1000)]), long, graph.Entity{ID: id, Kind: graph.Kind(long), Attrs: map[string]string{string(id): string(id)}, Valid: graph.Interval{From: local}})
		c.At = local // the driver refuses the zone "Local"
		changes = append(changes, c, link(long, "A", graph.RelationType(id), id))
	}
	apply(t, s, changes...)
	sorted := slices.Sorted(slices.Values(want))
	if got := ids(t, s, graph.Query{Kind: graph.Kind(long)}); !reflect.DeepEqual(got, sorted) {
		t.Errorf("found\n %q\nwant\n %q", got, sorted)
	}
	for _, id := range want {
		e, err := s.Entity(t.Context(), id, graph.AsOf{})
		if err != nil || e.Attrs[string(id)] != string(id) || !e.Valid.From.Equal(local) {
			t.Errorf("%q: %v (%v)", id, e, err)
		}
		n := 0
		for r, err := range s.Relations(t.Context(), "A", graph.Filter{Types: []graph.RelationType{graph.RelationType(id)}}) {
			if n++; err != nil || r.To != id {
				t.Errorf("relation of type %q: %v (%v)", id, r.Key(), err)
			}
		}
		if n != 1 {
			t.Errorf("%d relations of type %q", n, id)
		}
	}
	if err := s.Append(t.Context(), []graph.Record{{Stream: long, ID: long, Source: long, At: local, Data: make([]byte, 1<<20)}}); err != nil {
		t.Error(err)
	}
	for _, r := range []graph.Record{{Stream: long + "x", ID: "i", At: local}, {Stream: "s", ID: "\xff", At: local}} {
		if err := s.Append(t.Context(), []graph.Record{r}); !errors.Is(err, graph.ErrInvalid) {
			t.Errorf("a record that cannot be kept: %v", err)
		}
	}
}

// TestRealMigrations follows a schema of the test's own from one version to the next.
func TestRealMigrations(t *testing.T) {
	o, name := server(t), t.TempDir()
	s := openTenant(t, o, t.TempDir())
	defer s.Close()
	defer raw(t, o, "MATCH (v:SchemaVersion {name: $name}) DELETE v", map[string]any{"name": name})
	indexes := func() string {
		var names []string
		for _, r := range raw(t, o, "SHOW INDEXES YIELD name, state WHERE name STARTS WITH 'test_' RETURN name + ' ' + state AS n ORDER BY n", nil) {
			names = append(names, fmt.Sprint(r.Values[0]))
		}
		return strings.Join(names, ", ")
	}
	defer raw(t, o, "DROP INDEX test_b IF EXISTS", nil)
	for _, c := range []struct {
		files fstest.MapFS
		want  string
	}{{files(1), "test_a ONLINE"}, {files(1), "test_a ONLINE"}, {files(2), "test_b ONLINE"}, {files(2), "test_b ONLINE"}} {
		if err := s.MigrateAs(t.Context(), c.files, name); err != nil {
			t.Fatal(err)
		}
		if got := indexes(); got != c.want {
			t.Errorf("indexes: %s, want %s", got, c.want)
		}
	}
	if err := s.MigrateAs(t.Context(), files(1), name); !errors.Is(err, graph.ErrInvalid) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("an older program: got %v", err)
	}
	if got := indexes(); got != "test_b ONLINE" {
		t.Errorf("an older program changed the indexes: %s", got)
	}
	bad := files(2)
	bad["00003_c.cypher"] = &fstest.MapFile{Data: []byte("CREATE INDEX test_c IF NOT EXISTS FOR (n:MigrationTest) ON (n.c);\nCREATE NONSENSE;\n")}
	if err := s.MigrateAs(t.Context(), bad, name); err == nil || !strings.Contains(err.Error(), "00003_c.cypher: statement 2") {
		t.Errorf("bad statement: got %v", err)
	}
	raw(t, o, "DROP INDEX test_c IF EXISTS", nil)
	bad["00005_e.cypher"] = bad["00003_c.cypher"]
	if err := s.MigrateAs(t.Context(), bad, name); !errors.Is(err, graph.ErrInvalid) || !strings.Contains(err.Error(), "00005_e.cypher") {
		t.Errorf("a number is missing: got %v", err)
	}
	if n := count(t, o, "SHOW CONSTRAINTS YIELD name WHERE name IN ['tenant_name', 'published_tenant', 'entity_id', 'change_id', 'record_id', 'schema_version'] RETURN count(*) AS n", ""); n != 6 {
		t.Errorf("%d of the 6 constraints that MERGE stands on", n)
	}
}

// TestRealTenants holds that graphs of one database do not see each other.
func TestRealTenants(t *testing.T) {
	o := server(t)
	a, b := openTenant(t, o, t.TempDir()), openTenant(t, o, t.TempDir())
	defer a.Close()
	defer b.Close()
	apply(t, a, put("c", "s", graph.Entity{ID: "x", Kind: "NE"}), put("", "s", graph.Entity{ID: "y", Kind: "NE"}), link("s", "x", "T", "y"))
	apply(t, b, put("c", "s", graph.Entity{ID: "x", Kind: "Host"}))
	apply(t, a, graph.Change{Op: graph.OpDropSource, At: graphtest.Epoch, By: graph.Provenance{Source: "s"}})
	if got := ids(t, b, graph.Query{}); !reflect.DeepEqual(got, []graph.ID{"x"}) {
		t.Errorf("the other graph has %v", got)
	}
}

// TestRealLoginIsKeptSecret opens with a wrong password.
func TestRealLoginIsKeptSecret(t *testing.T) {
	o := server(t)
	if o.User == "" {
		t.Skip("the server asks for no login")
	}
	o.Password = "wrong-password"
	if _, err := neo4j.Open(t.Context(), o); err == nil || strings.Contains(err.Error(), o.Password) {
		t.Errorf("got %v", err)
	}
}

// TestRealLargeBatchLeftUnfinished stops a batch of several transactions half way, by the
// caller's context and by another writer who took over. Nobody sees a part of it, and the
// next writer clears away what is left.
func TestRealLargeBatchLeftUnfinished(t *testing.T) {
	for name, stop := range map[string]func(t *testing.T, o neo4j.Options, tenant string, cancel func()){
		"cancelled": func(_ *testing.T, _ neo4j.Options, _ string, cancel func()) { cancel() },
		"taken over": func(t *testing.T, o neo4j.Options, tenant string, _ func()) {
			raw(t, o, "MATCH (d:Draft {tenant: $tenant}) SET d.claim = d.claim + 1", map[string]any{"tenant": tenant})
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, tenant := server(t), t.TempDir()
			s := openTenant(t, o, tenant)
			defer s.Close()
			apply(t, s, put("", "old", graph.Entity{ID: "old-a", Kind: "NE"}), put("", "old", graph.Entity{ID: "old-b", Kind: "NE"}), link("old", "old-a", "T", "old-b"))
			s.SplitBatches(20)
			changes := []graph.Change{{Op: graph.OpDropSource, At: graphtest.Epoch, By: graph.Provenance{Source: "old"}}}
			for i := range 12_000 { // six rounds of statements
				changes = append(changes, put(fmt.Sprint("c", i), "new", graph.Entity{ID: graph.ID(fmt.Sprint("new-", i)), Kind: "NE"}))
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			failed := make(chan error, 1)
			go func() { failed <- s.Apply(ctx, changes) }()
			const written = "MATCH (x:Statement {tenant: $tenant}) WHERE x.id STARTS WITH 'new' RETURN count(*) AS n"
			for count(t, o, written, tenant) == 0 {
				if len(failed) > 0 {
					t.Fatalf("ended before anything was written: %v", <-failed)
				}
			}
			stop(t, o, tenant, cancel)
			if err := <-failed; err == nil || name == "cancelled" && !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v", err)
			}
			check := func(what string) {
				t.Helper()
				if got := ids(t, s, graph.Query{}); !reflect.DeepEqual(got, []graph.ID{"old-a", "old-b"}) {
					t.Errorf("%s: %d entities", what, len(got))
				}
				sources, err := s.Sources(t.Context())
				if err != nil || !reflect.DeepEqual(sources, []graph.SourceCount{{Source: "old", Entities: 2, Relations: 1}}) {
					t.Errorf("%s: sources %v (%v)", what, sources, err)
				}
				for id, err := range s.ChangeIDs(t.Context()) {
					t.Fatalf("%s: change %s is remembered (%v)", what, id, err)
				}
				n := 0
				for c, err := range s.Contributions(t.Context()) {
					if n++; err != nil || !c.Retracted.IsZero() {
						t.Errorf("%s: %v (%v)", what, c, err)
					}
				}
				if n != 3 {
					t.Errorf("%s: %d contributions, want 3", what, n)
				}
			}
			check("unfinished")
			other := openTenant(t, o, tenant)
			defer other.Close()
			apply(t, other, graph.Change{Op: graph.OpRetract, At: graphtest.Epoch, By: graph.Provenance{Source: "x"}, Entity: &graph.Entity{ID: "nothing"}})
			check("undone")
			if n := count(t, o, written, tenant); n != 0 {
				t.Errorf("%d statements are left", n)
			}
			apply(t, s, changes...)
			if got := ids(t, s, graph.Query{}); len(got) != 12_000 || !strings.HasPrefix(string(got[0]), "new-") {
				t.Errorf("applied again: %d entities", len(got))
			}
		})
	}
}
