package neo4j_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"faultline/graph"
	"faultline/graph/neo4j"
	"faultline/migrations"
)

func TestOpenNamesTheBadOption(t *testing.T) {
	good := neo4j.Options{URL: "bolt://127.0.0.1:1", User: "u", Password: "p", Migrations: migrations.Neo4j}
	for _, c := range []struct {
		field string
		bad   func(o *neo4j.Options)
	}{
		{"URL", func(o *neo4j.Options) { o.URL = "" }},
		{"URL", func(o *neo4j.Options) { o.URL = "localhost:7687" }},
		{"URL", func(o *neo4j.Options) { o.URL = "http://127.0.0.1:7687" }},
		{"URL", func(o *neo4j.Options) { o.URL = "bolt://neo4j:secret@127.0.0.1:7687" }},
		{"User", func(o *neo4j.Options) { o.User = "" }},
		{"User", func(o *neo4j.Options) { o.Password = "" }},
		{"Migrations", func(o *neo4j.Options) { o.Migrations = nil }},
		{"RetryFor", func(o *neo4j.Options) { o.RetryFor = -1 }},
		{"Tenant", func(o *neo4j.Options) { o.Tenant = strings.Repeat("x", neo4j.MaxKey+1) }},
		{"Tenant", func(o *neo4j.Options) { o.Tenant = "\xff" }},
	} {
		o := good
		c.bad(&o)
		_, err := neo4j.Open(t.Context(), o)
		if !errors.Is(err, graph.ErrInvalid) || !strings.Contains(err.Error(), "options: "+c.field+":") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", c.field, err)
		}
	}
}

// TestOpenGivesUpOnASilentServer opens a port that accepts connections and never
// answers: the caller's deadline is the error, whatever the driver makes of it.
func TestOpenGivesUpOnASilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = neo4j.Open(ctx, neo4j.Options{URL: "bolt://" + l.Addr().String(), Migrations: migrations.Neo4j})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

// TestOpenSaysThatNobodyIsThere opens a port where nothing listens.
func TestOpenSaysThatNobodyIsThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, err = neo4j.Open(t.Context(), neo4j.Options{URL: "bolt://" + addr, Migrations: migrations.Neo4j, RetryFor: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "connect") {
		t.Errorf("got %v", err)
	}
}

// files is a schema of the tests' own, of n files.
func files(n int) fstest.MapFS {
	all := fstest.MapFS{
		"00001_a.cypher": {Data: []byte("CREATE INDEX test_a IF NOT EXISTS FOR (n:MigrationTest)\n// on what\nON (n.a);\n")},
		"00002_b.cypher": {Data: []byte("CREATE INDEX test_b IF NOT EXISTS FOR (n:MigrationTest) ON (n.b);\nDROP INDEX test_a IF EXISTS;")},
	}
	for name := range all {
		if name > "0000"+string(rune('1'+n)) {
			delete(all, name)
		}
	}
	return all
}
