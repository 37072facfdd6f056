package workorder_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/ingest"
	"faultline/ingest/workorder"
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

func (s *sink) emit(cs []graph.Change) error { s.changes = append(s.changes, cs...); return nil }
func (s *sink) reject(r ingest.Reject)       { s.rejects = append(s.rejects, r) }

func options() workorder.Options {
	known := map[string]graph.ID{"cell-101": "cell-101", "rru-7": "rru-7", "Link/A-B": "link-1", "gnb-1": "gnb-1"}
	return workorder.Options{
		Options: ingest.Options{Source: "tickets"}, At: at,
		Resource:   func(tok string) (graph.ID, bool) { id, ok := known[tok]; return id, ok },
		AlarmTypes: ingest.NewGazetteer([]ingest.Term{{Name: "Cell Unavailable (Out of Service)", ID: "WL31"}, {Name: "fan-stalled", ID: "PE24"}, {Name: "Fan", ID: "NO"}}),
	}
}

func (s *sink) String() string {
	var b strings.Builder
	for _, c := range s.changes {
		switch {
		case c.Entity != nil:
			e := c.Entity
			fmt.Fprintf(&b, "%s %s %s %q\n", c.Op, e.ID, e.Kind, e.Name)
			if e.Valid != (graph.Interval{}) {
				fmt.Fprintf(&b, "    valid %s..%s\n", e.Valid.From.Format(time.RFC3339), e.Valid.To.Format(time.RFC3339))
			}
			for _, k := range slices.Sorted(maps.Keys(e.Attrs)) {
				fmt.Fprintf(&b, "    %s: %q\n", k, e.Attrs[k])
			}
		case c.Relation != nil:
			fmt.Fprintf(&b, "%s %s (%s)\n", c.Op, c.Relation.Key(), c.Relation.Attrs["found"])
		default:
			fmt.Fprintf(&b, "%s %s\n", c.Op, c.By.Source)
		}
	}
	return b.String()
}

const tickets = `[
 {"id":"TT-1","@type":"TroubleTicket","name":"Cell down","ticketType":"incident","severity":"major","status":"closed","description":"cell-101 shows CELL UNAVAILABLE (out of service). Also cell-101/2, cell-1010 and fan stall.",
  "creationDate":"2026-02-01T08:00:00Z","resolutionDate":"2026-02-01T11:30:00+01:00",
  "relatedEntity":[{"role":"affected","entity":{"id":"gnb-1","@referredType":"NE"}},{"role":"customer","entity":{"id":"c9","@referredType":"Customer"}},{"entity":{"id":"unheard-of"}}],
  "note":[{"date":"2026-02-01T09:00:00Z","author":"ann","text":"Found fan-stalled on rru-7.\nRoot cause: dust"},{"text":"Root cause: fan bearing worn\nFix: replaced fan tray"}],
  "externalIdentifier":[{"owner":"itsm","id":"INC0001"}],
  "troubleTicketCharacteristic":[{"name":"closureCode","value":"HW-REPLACED"},{"name":"faultLocation","value":"behind gnb-1, Link/A-B"},{"name":"crew","value":3}]},
 {"id":"CHG-7","name":"Fibre work","ticketType":"planned work","status":"acknowledged","description":"Splicing","relatedEntity":[{"id":"Link/A-B","@referredType":"Link"}],
  "troubleTicketCharacteristic":[{"name":"plannedStart","value":"2026-03-02 01:00:00"},{"name":"planned_end","value":"2026-03-02 05:00:00"}]},
 {"id":"CHG-8","ticketType":"change","status":"cancelled","description":"called off","troubleTicketCharacteristic":[{"name":"plannedStart","value":"2026-03-02T01:00:00Z"},{"name":"plannedEnd","value":"2026-03-02T05:00:00Z"}]},
 {"id":"CHG-9","ticketType":"maintenance","troubleTicketCharacteristic":[{"name":"plannedStart","value":"2026-03-02T01:00:00Z"},{"name":"plannedEnd","value":"2026-03-01T05:00:00Z"}]},
 {"id":"TT-1","description":"again"},
 {"description":"nameless"},
 {"id":"TT-2","creationDate":"long ago","description":{"a":1}},
 {"id":"TT-3","creationDate":"long ago","description":"kept"}
]`

func TestTMF621(t *testing.T) {
	s := &sink{}
	o := options()
	o.Replace = true
	n, err := workorder.ReadTMF621(ctx, strings.NewReader(tickets), o, s.emit, s.reject)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.changes {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	golden(t, "tmf621.txt", []byte(s.String()))
	var out bytes.Buffer
	w := ingest.NewRejectWriter(&out)
	for _, r := range s.rejects {
		r.Row = r.Row[:min(len(r.Row), 30)]
		w.Write(r)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "rejects.csv", out.Bytes())
	if n.Records != 8 || n.Emitted != len(s.changes) {
		t.Errorf("counts %+v", n)
	}
}

func TestTable(t *testing.T) {
	in := "Ticket ID;Title;Status;Type;Created;Resources;Root Cause;Notes;Planned Start;Planned End;Region\n" +
		"W1;Swap RRU;closed;repair;2026-02-01 08:00;rru-7,cell-101;water ingress;\"done by crew 4;\nFix: new unit\";;;north\n" +
		"W2;Upgrade;confirmed;Planned maintenance;;gnb-1;;;2026-03-02T01:00:00Z;2026-03-02T03:00:00Z;\n"
	s := &sink{}
	if _, err := workorder.ReadCSV(ctx, strings.NewReader(in), options(), s.emit, s.reject); err != nil || len(s.rejects) > 0 {
		t.Fatal(err, s.rejects)
	}
	golden(t, "table.txt", []byte(s.String()))
	_, err := workorder.ReadCSV(ctx, strings.NewReader("title;status\n"), options(), s.emit, s.reject)
	if !errors.Is(err, rca.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

// reader is a graph of the changes it is given, as far as Maintenance asks.
type reader struct{ changes []graph.Change }

func (r reader) Entity(context.Context, graph.ID, graph.AsOf) (graph.Entity, error) {
	return graph.Entity{}, graph.ErrNotFound
}

func (r reader) Find(_ context.Context, q graph.Query) iter.Seq2[graph.Entity, error] {
	return func(yield func(graph.Entity, error) bool) {
		for _, c := range r.changes {
			if c.Entity != nil && c.Entity.Kind == q.Kind && !yield(*c.Entity, nil) {
				return
			}
		}
	}
}

func (r reader) Relations(_ context.Context, id graph.ID, f graph.Filter) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		for _, c := range r.changes {
			if c.Relation != nil && c.Relation.From == id && slices.Contains(f.Types, c.Relation.Type) && !yield(*c.Relation, nil) {
				return
			}
		}
	}
}

func TestMaintenanceReadsBack(t *testing.T) {
	s := &sink{}
	if _, err := workorder.ReadTMF621(ctx, strings.NewReader(tickets), options(), s.emit, s.reject); err != nil {
		t.Fatal(err)
	}
	got, err := workorder.Maintenance(ctx, reader{s.changes}, graph.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	want := []rca.Maintenance{{
		ID: "CHG-7", Name: "Fibre work", Resources: []graph.ID{"link-1"},
		From: time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC),
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
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

func FuzzReadTMF621(f *testing.F) {
	f.Add(tickets)
	f.Fuzz(func(t *testing.T, in string) { fuzz(t, in, workorder.ReadTMF621) })
}

func FuzzReadCSV(f *testing.F) {
	f.Add("id,title,status,type,created,resources,notes,planned_start,planned_end\nW1,Swap RRU,closed,repair,2026-02-01 08:00,rru-7,\"Fix: new\nunit\",,\n")
	f.Fuzz(func(t *testing.T, in string) { fuzz(t, in, workorder.ReadCSV) })
}

func fuzz(t *testing.T, in string, read func(context.Context, io.Reader, workorder.Options, func([]graph.Change) error, func(ingest.Reject)) (ingest.Counts, error)) {
	if strings.HasPrefix(in, "\x1f\x8b") {
		return
	}
	s := &sink{}
	n, err := read(ctx, strings.NewReader(in), options(), s.emit, s.reject)
	if err != nil && !errors.Is(err, rca.ErrInvalid) {
		t.Fatal(err)
	}
	whole := 0
	for _, c := range s.changes {
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		if c.Entity != nil && c.Entity.Kind != graph.KindPassage {
			whole++
		}
	}
	if whole+len(s.rejects) < n.Records {
		t.Fatalf("%d records, %d tickets, %d rejects", n.Records, whole, len(s.rejects))
	}
}
