package transfer_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"faultline/graph"
	"faultline/graph/embedded"
	"faultline/graph/neo4j"
	"faultline/graph/transfer"
	"faultline/migrations"
)

var epoch = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func newStore(t testing.TB) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), embedded.Options{Path: filepath.Join(t.TempDir(), "graph.db"), Migrations: migrations.SQLite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// fill writes a history in which sources meet, replace, withdraw and come back, with
// times that run backwards now and then, and a journal.
func fill(t testing.TB, s graph.Store) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	id := func() graph.ID { return graph.ID(fmt.Sprintf("n%d-\U0001F600<é>", r.IntN(9))) }
	at := func() time.Time { return epoch.Add(time.Duration(r.IntN(40)) * 1_000_000_007) }
	for i := range 150 {
		var batch []graph.Change
		for k := range 1 + r.IntN(7) {
			by := graph.Provenance{Source: fmt.Sprintf("s%d", r.IntN(4)), Version: "v1", Span: fmt.Sprintf("row %d", k)}
			if r.IntN(3) == 0 {
				by.Rule, by.Confidence = "rule", r.Float64()
			}
			c := graph.Change{ID: fmt.Sprintf("%d/%d", i, k), Op: graph.OpPut, At: at(), By: by}
			if r.IntN(4) == 0 {
				c.ID = ""
			}
			attrs := map[string]string{"k\x00": fmt.Sprintf("%d \u2028 \\ufffd \uFFFD", r.IntN(9)), "": ""}
			valid := graph.Interval{}
			if r.IntN(3) == 0 {
				valid = graph.Interval{From: at(), To: time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)}
			}
			if r.IntN(2) == 0 {
				c.Entity = &graph.Entity{ID: id(), Kind: graph.Kind(fmt.Sprintf("K%d", r.IntN(3))), Role: "r", Name: "Öst", Domain: "ip", Attrs: attrs, Valid: valid}
			} else {
				c.Relation = &graph.Relation{From: id(), Type: "T", To: id(), Attrs: attrs, Valid: valid}
				if r.IntN(2) == 0 {
					c.Relation.Qualifier = "q"
				}
			}
			switch r.IntN(10) {
			case 0, 1:
				c.Op = graph.OpRetract
			case 2:
				c.Op, c.Entity, c.Relation = graph.OpDropSource, nil, nil
			}
			batch = append(batch, c)
		}
		if err := s.Apply(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		if err := s.(graph.Journal).Append(t.Context(), []graph.Record{
			{Stream: fmt.Sprintf("stream-%d", i%3), ID: fmt.Sprint(i), Source: "f", At: at(), Data: []byte{byte(i), 0, 255}},
			{Stream: "stream-0", ID: "empty", At: at()},
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func export(t testing.TB, s graph.Store) string {
	t.Helper()
	var b bytes.Buffer
	n, err := transfer.Export(t.Context(), s, &b)
	if err != nil {
		t.Fatal(err)
	}
	if n.Contributions < 300 || n.Changes < 300 || n.Records != 41 {
		t.Fatalf("exported only %+v", n)
	}
	return b.String()
}

func roundTrip(t *testing.T, from, over, to graph.Store) {
	t.Helper()
	fill(t, from)
	want := export(t, from)
	text := want
	for _, s := range []graph.Store{over, to} {
		if _, err := transfer.Import(t.Context(), s, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if text = export(t, s); text != want {
			a, b := strings.Split(want, "\n"), strings.Split(text, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("%T: line %d of %d and %d:\n got %s\nwant %s", s, i+1, len(b), len(a), b[i], a[i])
				}
			}
			t.Fatalf("%T: %d lines, want %d", s, len(b), len(a))
		}
	}
	// What was applied before the copy is not applied again after it.
	c := graph.Change{ID: "1/0", Op: graph.OpPut, At: epoch, By: graph.Provenance{Source: "again"}, Entity: &graph.Entity{ID: "again", Kind: "K"}}
	if err := to.Apply(t.Context(), []graph.Change{c}); err != nil {
		t.Fatal(err)
	}
	if export(t, to) != want {
		t.Error("a change that was applied before the copy was applied again")
	}
}

func TestCopyIsTheSameByteForByte(t *testing.T) { roundTrip(t, newStore(t), newStore(t), newStore(t)) }

// TestRealCopyOverNeo4j copies from a file to a server and back.
func TestRealCopyOverNeo4j(t *testing.T) {
	o := neo4j.Options{
		URL: os.Getenv("FAULTLINE_NEO4J_URL"), User: os.Getenv("FAULTLINE_NEO4J_USER"), Password: os.Getenv("FAULTLINE_NEO4J_PASSWORD"),
		Tenant: t.TempDir(), Migrations: migrations.Neo4j,
	}
	if o.URL == "" {
		t.Skip("FAULTLINE_NEO4J_URL names no server")
	}
	if o.Password == "" {
		o.User = ""
	}
	s, err := neo4j.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer clearTenant(t, o)
	roundTrip(t, newStore(t), s, newStore(t))
}

func clearTenant(t *testing.T, o neo4j.Options) {
	auth := driver.NoAuth()
	if o.User != "" {
		auth = driver.BasicAuth(o.User, o.Password, "")
	}
	d, err := driver.NewDriverWithContext(o.URL, auth)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close(t.Context())
	if _, err := driver.ExecuteQuery(t.Context(), d, "MATCH (n) WHERE n.tenant = $tenant OR n:Tenant AND n.name = $tenant DETACH DELETE n",
		map[string]any{"tenant": o.Tenant}, driver.EagerResultTransformer, driver.ExecuteQueryWithDatabase("neo4j")); err != nil {
		t.Error(err)
	}
}

const small = `{"format":"faultline-graph","version":1}
{"change":"c1"}
{"contribution":{"source":"s","recorded":"2026-03-01T08:00:00Z","entity":{"id":"a","kind":"NE"}}}
{"contribution":{"source":"s","recorded":"2026-03-01T08:00:00Z","retracted":"2026-03-01T09:00:00Z","relation":{"from":"a","type":"T","to":"b"}}}
{"record":{"stream":"e","id":"1","at":"2026-03-01T08:00:00Z","data":"AQ=="}}
{"end":{"changes":1,"contributions":2,"records":1}}
`

func TestImportNamesTheBadLine(t *testing.T) {
	lines := strings.SplitAfter(small, "\n")
	with := func(i int, text string) string {
		l := append([]string(nil), lines...)
		l[i] = text
		return strings.Join(l, "")
	}
	for _, c := range []struct{ file, want string }{
		{"", "cut off"},
		{strings.Join(lines[:5], ""), "cut off"},
		{"{}\n", "line 1: header"},
		{with(0, `{"format":"faultline-graph","version":2}`+"\n"), "line 1: header"},
		{with(1, `{"change":""}`+"\n"), "line 2: change"},
		{with(1, `{"chance":"x"}`+"\n"), "line 2"},
		{with(1, `{"change":"x"} {}`+"\n"), "line 2: more than one value"},
		{with(1, "{}\n"), "line 2: 0 of"},
		{with(2, lines[2]+lines[2]), "two living statements"},
		{with(2, `{"contribution":{"source":"s","recorded":"2026-03-01T08:00:00Z"}}`+"\n"), "line 3: change \"\": element"},
		{with(2, `{"contribution":{"recorded":"2026-03-01T08:00:00Z","entity":{"id":"a","kind":"NE"}}}`+"\n"), "line 3: change \"\": source"},
		{with(4, `{"record":{"stream":"e","at":"2026-03-01T08:00:00Z"}}`+"\n"), "line 5"},
		{with(4, ""), "end: the file holds"},
		{small + lines[1], "line 7: there is more"},
	} {
		_, err := transfer.Import(t.Context(), newStore(t), strings.NewReader(c.file))
		if !errors.Is(err, graph.ErrInvalid) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	s := newStore(t)
	if _, err := transfer.Import(t.Context(), s, strings.NewReader(small)); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Import(t.Context(), s, strings.NewReader(small)); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("import into a full store: %v", err)
	}
}

func TestExportRefusesWhatItWouldChange(t *testing.T) {
	s := newStore(t)
	e := graph.Entity{ID: "a", Kind: "NE", Attrs: map[string]string{"k": "\xff"}}
	if err := s.Apply(t.Context(), []graph.Change{{Op: graph.OpPut, At: epoch, By: graph.Provenance{Source: "s"}, Entity: &e}}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := transfer.Export(t.Context(), s, &b); !errors.Is(err, graph.ErrInvalid) || !strings.Contains(err.Error(), "said of a") {
		t.Errorf("got %v, want an error that names the entity", err)
	}
}

// shelf keeps what an import says and no more: a file-backed store is too slow to fuzz.
type shelf struct {
	graph.Store
	graph.Journal
	ids     map[string]bool
	said    map[string][]graph.Contribution
	records map[string]graph.Record
}

func newShelf() *shelf {
	return &shelf{ids: map[string]bool{}, said: map[string][]graph.Contribution{}, records: map[string]graph.Record{}}
}

func (s *shelf) Apply(_ context.Context, changes []graph.Change) error {
	for _, c := range changes {
		if c.ID != "" {
			s.ids[c.ID] = true
		}
		key := "" // sorts as the archive wants it, while no text holds a zero byte
		if c.Entity != nil {
			key = string(c.Entity.ID)
		} else {
			key = fmt.Sprintf("%s\x00%s\x00%s\x00%s", c.Relation.From, c.Relation.Type, c.Relation.To, c.Relation.Qualifier)
		}
		for i := range s.said[key] {
			if old := &s.said[key][i]; old.Source == c.By.Source && old.Retracted.IsZero() {
				old.Retracted = c.At
			}
		}
		if c.Op == graph.OpPut {
			s.said[key] = append(s.said[key], graph.Contribution{Provenance: c.By, Recorded: c.At, Entity: c.Entity, Relation: c.Relation})
		}
	}
	return nil
}

func (s *shelf) Append(_ context.Context, records []graph.Record) error {
	for _, r := range records {
		s.records[fmt.Sprintf("%s\x00%s", r.Stream, r.ID)] = r
	}
	return nil
}

func (s *shelf) Contributions(context.Context) iter.Seq2[graph.Contribution, error] {
	return func(yield func(graph.Contribution, error) bool) {
		for _, k := range slices.Sorted(maps.Keys(s.said)) {
			cs := slices.Clone(s.said[k])
			slices.SortStableFunc(cs, func(a, b graph.Contribution) int {
				return cmp.Or(a.Recorded.Compare(b.Recorded), cmp.Compare(a.Source, b.Source))
			})
			for _, c := range cs {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}

func (s *shelf) ChangeIDs(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(s.ids)) {
			if !yield(id, nil) {
				return
			}
		}
	}
}

func (s *shelf) Streams(context.Context) ([]string, error) {
	streams := map[string]bool{}
	for _, r := range s.records {
		streams[r.Stream] = true
	}
	return slices.Sorted(maps.Keys(streams)), nil
}

func (s *shelf) Records(_ context.Context, stream string, _ graph.Interval) iter.Seq2[graph.Record, error] {
	return func(yield func(graph.Record, error) bool) {
		for _, k := range slices.Sorted(maps.Keys(s.records)) {
			if r := s.records[k]; r.Stream == stream && !yield(r, nil) {
				return
			}
		}
	}
}

// FuzzImport holds that a file that is accepted comes out as it would go in again.
func FuzzImport(f *testing.F) {
	f.Add(small)
	f.Add(strings.ReplaceAll(small, `"T"`, `"\ufffd\u2028"`))
	f.Fuzz(func(t *testing.T, file string) {
		s := newShelf()
		if _, err := transfer.Import(t.Context(), s, strings.NewReader(file)); err != nil {
			return
		}
		var first, second bytes.Buffer
		if _, err := transfer.Export(t.Context(), s, &first); err != nil {
			t.Fatal(err)
		}
		again := newShelf()
		if _, err := transfer.Import(t.Context(), again, bytes.NewReader(first.Bytes())); err != nil {
			t.Fatal(err)
		}
		if _, err := transfer.Export(t.Context(), again, &second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%v\n got %s\nwant %s", err, second.String(), first.String())
		}
	})
}
