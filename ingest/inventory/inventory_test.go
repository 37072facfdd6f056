package inventory_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/ingest"
	"faultline/ingest/inventory"
	"faultline/rca"
)

var (
	update = flag.Bool("update", false, "rewrite golden files")
	at     = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	ctx    = context.Background()
)

type sink struct {
	changes []graph.Change
	rejects []ingest.Reject
}

func open(t testing.TB, o inventory.Options) (*inventory.Import, *sink) {
	t.Helper()
	s := &sink{}
	o.Source, o.At = "inv", at
	im, err := inventory.New(o, func(cs []graph.Change) error { s.changes = append(s.changes, cs...); return nil }, func(r ingest.Reject) { s.rejects = append(s.rejects, r) })
	if err != nil {
		t.Fatal(err)
	}
	return im, s
}

func (s *sink) String() string {
	var b strings.Builder
	for _, c := range s.changes {
		switch {
		case c.Entity != nil:
			fmt.Fprintf(&b, "%s %s %s:%s %q %s %v %s\n", c.Op, c.Entity.ID, c.Entity.Kind, c.Entity.Role, c.Entity.Name, c.Entity.Domain, c.Entity.Attrs, c.By.Span)
		case c.Relation != nil:
			fmt.Fprintf(&b, "%s %s %v %s\n", c.Op, c.Relation.Key(), c.Relation.Attrs, c.By.Span)
		default:
			fmt.Fprintf(&b, "%s %s\n", c.Op, c.By.Source)
		}
	}
	return b.String()
}

const resourcesCSV = `id,kind,role,name,domain,vendor,valid_from
gnb-1,NE,gnb,gNB 1,wireless,Acme,2020-01-01T00:00:00Z
bbu-1,Board,bbu,,wireless,Acme,
rru-1,RRU,,"RRU ""north""",wireless,Acme,
cell-1,Cell,,,wireless,,
x-1,Bord,,,,,
gnb-1,NE,gnb,again,wireless,,
,NE,,,,,
y-1,NE,gnb,,,,last spring
`

const relationsCSV = `from,type,to,qualifier
gnb-1,CONTAINS,bbu-1,
bbu-1,isContainedIn,gnb-1,
rru-1,SERVES,cell-1,a
cell-1,SERVES,rru-1,
gnb-1,CONTAINS,cell-1,
gnb-1,CONTAINS,x-1,
gnb-1,CONTAINS,nowhere,
gnb-1,CONTAINS,bbu-9,
gnb-1,,bbu-1,
`

func TestTables(t *testing.T) {
	im, s := open(t, inventory.Options{Replace: true, Batch: 2, Known: func(id graph.ID) (graph.Kind, string, bool) { return "Board", "bbu", id == "bbu-9" }})
	// Relations may come before the resources.
	if err := im.ReadRelations(ctx, strings.NewReader(relationsCSV), "relations.csv", 0); err != nil {
		t.Fatal(err)
	}
	if err := im.ReadResources(ctx, strings.NewReader(resourcesCSV), "resources.csv", 0); err != nil {
		t.Fatal(err)
	}
	n, err := im.Finish()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.changes {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	golden(t, "changes.txt", []byte(s.String()))
	var out bytes.Buffer
	w := ingest.NewRejectWriter(&out)
	for _, r := range s.rejects {
		w.Write(r)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "rejects.csv", out.Bytes())
	if n.Records != 17 || n.Rejected != len(s.rejects) || n.Emitted != len(s.changes) {
		t.Errorf("counts %+v", n)
	}
}

const tmf = `[
  {"id":"gnb-1","@type":"PhysicalResource","category":"NE","name":"gNB 1","operationalState":"enable",
   "resourceCharacteristic":[{"name":"role","value":"gnb"},{"name":"domain","value":"wireless"},{"name":"floor","value":3},{"name":"tags","value":["a","b"]}],
   "place":[{"id":"site-7","role":"location"}],"validFor":{"startDateTime":"2020-01-01T00:00:00Z"},
   "resourceRelationship":[{"relationshipType":"bundled","resource":{"id":"bbu-1"}},{"relationshipType":"reliesOn","resource":{"id":"gone"}}]},
  {"id":12,"category":"Gold","resourceSpecification":{"id":"s","name":"Cell"}},
  {"id":"broken","category":["NE"]},
  {"id":"bbu-1","@type":"PhysicalResource","resourceSpecification":{"name":"Board"},"resourceCharacteristic":[{"name":"role","value":"bbu"}],
   "resourceRelationship":[{"relationshipType":"HOSTS","resource":{"id":"12"},"resourceRelationshipCharacteristic":[{"name":"qualifier","value":"tdd"},{"name":"weight","value":0.5}]}]}
]`

func TestTMF639(t *testing.T) {
	im, s := open(t, inventory.Options{})
	if err := im.ReadTMF639(ctx, strings.NewReader(tmf), "", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := im.Finish(); err != nil {
		t.Fatal(err)
	}
	golden(t, "tmf639.txt", []byte(s.String()))
	var where []string
	for _, r := range s.rejects {
		where = append(where, fmt.Sprintf("%d %s: %s", r.Line, r.Field, r.Reason))
	}
	want := "7 category: json: cannot unmarshal array into Go struct field tmfResource.category of type string\n2 to: no resource gone"
	if got := strings.Join(where, "\n"); got != want {
		t.Errorf("rejects\n%s", got)
	}
}

func TestTheSameInventoryAsTableAndAsTMF639(t *testing.T) {
	im, a := open(t, inventory.Options{})
	if err := im.ReadResources(ctx, strings.NewReader("id,kind,role,domain\ngnb-1,NE,gnb,wireless\nbbu-1,Board,bbu,\n"), "", 0); err != nil {
		t.Fatal(err)
	}
	if err := im.ReadRelations(ctx, strings.NewReader("from,type,to\ngnb-1,CONTAINS,bbu-1\n"), "", 0); err != nil {
		t.Fatal(err)
	}
	im2, b := open(t, inventory.Options{})
	if err := im2.ReadTMF639(ctx, strings.NewReader(`{"id":"gnb-1","category":"NE","resourceCharacteristic":[{"name":"role","value":"gnb"},{"name":"domain","value":"wireless"}],"resourceRelationship":[{"relationshipType":"contains","resource":{"id":"bbu-1"}}]}
{"id":"bbu-1","category":"Board","resourceCharacteristic":[{"name":"role","value":"bbu"}]}`), "", 0); err != nil {
		t.Fatal(err)
	}
	for _, i := range []*inventory.Import{im, im2} {
		if _, err := i.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	strip := func(s string) string {
		var out []string
		for l := range strings.Lines(s) {
			f, _, _ := strings.Cut(l, " line")
			out = append(out, strings.Replace(f, "map[] ", "", 1))
		}
		return strings.Join(out, "\n")
	}
	if x, y := strip(a.String()), strip(b.String()); x != y {
		t.Errorf("table\n%s\nTMF639\n%s", x, y)
	}
}

func TestOptionsNameTheField(t *testing.T) {
	_, err := inventory.New(inventory.Options{Options: ingest.Options{Source: "x"}}, nil, nil)
	if !errors.Is(err, rca.ErrInvalid) || !strings.Contains(err.Error(), "At") {
		t.Errorf("got %v", err)
	}
	im, _ := open(t, inventory.Options{})
	if err := im.ReadResources(ctx, strings.NewReader("name,kind\n"), "r.csv", 0); err == nil || err.Error() != `read header of r.csv: no column "id" among name, kind: invalid` {
		t.Errorf("got %v", err)
	}
}

// network writes n cells with two relations each.
func network(n int) (resources, relations, tmf639 []byte) {
	var a, b, c bytes.Buffer
	a.WriteString("id,kind,role,name,domain,vendor,model\n")
	b.WriteString("from,type,to\n")
	for i := range n {
		fmt.Fprintf(&a, "board-%d,Board,bbu,Board %d,wireless,Acme,B%d\n", i, i, i%7)
		fmt.Fprintf(&b, "ne-%d,CONTAINS,board-%d\nboard-%d,HOSTS,cell-%d\n", i/10, i, i, i)
		fmt.Fprintf(&c, `{"id":"board-%d","@type":"PhysicalResource","category":"Board","name":"Board %d","resourceCharacteristic":[{"name":"role","value":"bbu"},{"name":"domain","value":"wireless"},{"name":"vendor","value":"Acme"}],"resourceRelationship":[{"relationshipType":"HOSTS","resource":{"id":"cell-%d"}},{"relationshipType":"isContainedIn","resource":{"id":"ne-%d"}}]}`+"\n", i, i, i, i/10)
	}
	return a.Bytes(), b.Bytes(), c.Bytes()
}

// BenchmarkImport reads 100,000 resources and 200,000 relations.
func BenchmarkImport(b *testing.B) {
	res, rel, tmf := network(100_000)
	known := func(id graph.ID) (graph.Kind, string, bool) {
		if strings.HasPrefix(string(id), "ne-") {
			return "NE", "gnb", true
		}
		return "Cell", "", strings.HasPrefix(string(id), "cell-")
	}
	for _, f := range []string{"csv", "tmf639"} {
		b.Run(f, func(b *testing.B) {
			for b.Loop() {
				n := 0
				im, err := inventory.New(inventory.Options{Options: ingest.Options{Source: "x"}, At: at, Known: known},
					func(cs []graph.Change) error { n += len(cs); return nil }, func(r ingest.Reject) { b.Fatal(r) })
				if err == nil && f == "csv" {
					err = errors.Join(im.ReadResources(ctx, bytes.NewReader(res), "", 0), im.ReadRelations(ctx, bytes.NewReader(rel), "", 0))
				} else if err == nil {
					err = im.ReadTMF639(ctx, bytes.NewReader(tmf), "", 0)
				}
				if err != nil {
					b.Fatal(err)
				}
				if _, err := im.Finish(); err != nil || n != 300_000 {
					b.Fatal(err, n)
				}
			}
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs, -update rewrites it; got\n%s", file, got)
	}
}

func FuzzReadTMF639(f *testing.F) {
	f.Add(tmf)
	f.Fuzz(func(t *testing.T, in string) {
		im, s := open(t, inventory.Options{})
		err := im.ReadTMF639(ctx, strings.NewReader(in), "", 0)
		finish(t, im, s, in, err)
	})
}

func FuzzReadTables(f *testing.F) {
	f.Add(resourcesCSV, relationsCSV)
	f.Fuzz(func(t *testing.T, a, b string) {
		im, s := open(t, inventory.Options{})
		err := errors.Join(im.ReadResources(ctx, strings.NewReader(a), "", 0), im.ReadRelations(ctx, strings.NewReader(b), "", 0))
		finish(t, im, s, a, err)
	})
}

func finish(t *testing.T, im *inventory.Import, s *sink, in string, err error) {
	if err != nil && !errors.Is(err, rca.ErrInvalid) && !strings.Contains(err.Error(), "unpack") && !strings.Contains(err.Error(), "gzip") {
		t.Fatal(err)
	}
	if _, err := im.Finish(); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.changes {
		if err := c.Validate(); err != nil {
			t.Fatalf("%q: %v", in, err)
		}
	}
}
