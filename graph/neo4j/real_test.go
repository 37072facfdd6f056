package neo4j_test

import (
	"context"
	"os"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"faultline/graph"
	"faultline/graph/graphtest"
	"faultline/graph/neo4j"
	"faultline/migrations"
)

// image is the server that is started when none is named and Docker is there.
const image = "neo4j:5.26-community"

// container is the one server of all tests, once it was started.
var container testcontainers.Container

// server says where a server is, or skips the test.
func server(t testing.TB) neo4j.Options {
	t.Helper()
	o := neo4j.Options{
		URL: os.Getenv("FAULTLINE_NEO4J_URL"), User: os.Getenv("FAULTLINE_NEO4J_USER"), Password: os.Getenv("FAULTLINE_NEO4J_PASSWORD"),
		Migrations: migrations.Neo4j, RetryFor: 5 * time.Second,
	}
	if o.Password == "" {
		o.User = "" // a server without login
	}
	if o.URL != "" {
		return o
	}
	tt, ok := t.(*testing.T)
	if !ok {
		t.Skip("FAULTLINE_NEO4J_URL names no server")
	}
	testcontainers.SkipIfProviderIsNotHealthy(tt)
	if container == nil {
		c, err := testcontainers.Run(context.Background(), image, testcontainers.WithExposedPorts("7687/tcp"),
			testcontainers.WithEnv(map[string]string{"NEO4J_AUTH": "neo4j/faultline-test"}),
			testcontainers.WithWaitStrategy(wait.ForLog("Started.").WithStartupTimeout(2*time.Minute)))
		if err != nil {
			t.Fatalf("start %s: %v", image, err)
		}
		container = c
	}
	url, err := container.PortEndpoint(t.Context(), "7687/tcp", "bolt")
	if err != nil {
		t.Fatal(err)
	}
	o.URL, o.User, o.Password = url, "neo4j", "faultline-test"
	return o
}

func TestMain(m *testing.M) {
	code := m.Run()
	if container != nil {
		_ = testcontainers.TerminateContainer(container) // what is left the reaper takes
	}
	os.Exit(code)
}

// raw runs a statement behind the store's back.
func raw(t testing.TB, o neo4j.Options, text string, params map[string]any) []*driver.Record {
	t.Helper()
	auth := driver.NoAuth()
	if o.User != "" {
		auth = driver.BasicAuth(o.User, o.Password, "")
	}
	d, err := driver.NewDriverWithContext(o.URL, auth)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background() // also after the test
	defer d.Close(ctx)
	session := d.NewSession(ctx, driver.SessionConfig{DatabaseName: "neo4j"})
	defer session.Close(ctx)
	res, err := session.Run(ctx, text, params)
	var got []*driver.Record
	if err == nil {
		got, err = res.Collect(ctx)
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return got
}

// openTenant opens a tenant and clears it when the test ends.
func openTenant(t testing.TB, o neo4j.Options, tenant string) *neo4j.Store {
	t.Helper()
	o.Tenant = tenant
	s, err := neo4j.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		raw(t, o, "MATCH (n) WHERE n.tenant = $tenant OR n:Tenant AND n.name = $tenant CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS",
			map[string]any{"tenant": tenant})
	})
	return s
}

// open opens the tenant that is named after a folder.
func open(t *testing.T, dir string) graph.Store { return openTenant(t, server(t), dir) }

func TestRealStore(t *testing.T) { server(t); graphtest.TestStore(t, open) }

// TestRealSplitStore runs the suite with batches that take several transactions.
func TestRealSplitStore(t *testing.T) {
	server(t)
	graphtest.TestStore(t, func(t *testing.T, dir string) graph.Store {
		s := openTenant(t, server(t), dir)
		s.SplitBatches(2)
		return s
	})
}

func TestRealJournal(t *testing.T) { server(t); graphtest.TestJournal(t, open) }
func TestRealKill(t *testing.T)    { server(t); graphtest.TestKill(t, open) }
