package neo4j_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/graph/graphtest"
	"faultline/graph/neo4j"
	"faultline/migrations"
)

// TestRealLostServer kills a server of its own, 20 times, and starts it again on the same
// folder. FAULTLINE_NEO4J_LOCAL names a script with "start --dir D --port N", which
// returns when the server answers at that port, and "stop --dir D --kill".
func TestRealLostServer(t *testing.T) {
	script := os.Getenv("FAULTLINE_NEO4J_LOCAL")
	if script == "" {
		t.Skip("FAULTLINE_NEO4J_LOCAL names no script that can start and kill a server")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	l.Close()
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(script, append(args, "--dir", dir)...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	start := func(t *testing.T) {
		t.Helper()
		if run("start", "--port", port); t.Failed() {
			t.FailNow()
		}
	}
	start(t)
	defer run("stop")
	open := func(t *testing.T, tenant string) graph.Store {
		s, err := neo4j.Open(t.Context(), neo4j.Options{
			URL: "bolt://127.0.0.1:" + port, Tenant: tenant, Migrations: migrations.Neo4j, RetryFor: 300 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.SplitBatches(60) // about half of the batches take several transactions
		return s
	}
	graphtest.TestLostServer(t, open, 20, func(*testing.T) { run("stop", "--kill") }, start)
}
