package manual_test

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
	"slices"
	"strings"
	"testing"
	"time"

	"faultline/graph"
	"faultline/ingest"
	"faultline/ingest/manual"
	"faultline/rca"
	"faultline/rca/ontology"
)

var (
	update = flag.Bool("update", false, "rewrite golden files")
	at     = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	ctx    = context.Background()
)

type readFunc func(context.Context, io.Reader, manual.Options, func([]graph.Change) error, func(ingest.Reject)) (manual.Summary, error)

func options(source string) manual.Options {
	return manual.Options{
		Options: ingest.Options{Source: source}, At: at,
		AlarmTypes: ingest.NewGazetteer([]ingest.Term{
			{Name: "Fan Stalled", ID: "PE24"}, {Name: "PE24", ID: "PE24"}, {Name: "Cabinet Temperature", ID: "XX"}, {Name: "Cabinet Temperature Unacceptable", ID: "PE22"},
			{Name: "ETH_LOS", ID: "TN21"},
		}),
	}
}

func read(t testing.TB, f readFunc, in string, o manual.Options) (manual.Summary, []graph.Change, []ingest.Reject) {
	t.Helper()
	var cs []graph.Change
	var rejects []ingest.Reject
	sum, err := f(ctx, strings.NewReader(in), o, func(b []graph.Change) error { cs = append(cs, b...); return nil }, func(r ingest.Reject) { rejects = append(rejects, r) })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cs {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	return sum, cs, rejects
}

func show(cs []graph.Change) string {
	var b strings.Builder
	for _, c := range cs {
		switch {
		case c.Entity != nil:
			fmt.Fprintf(&b, "%s %s %s %q\n", c.Op, c.Entity.ID, c.Entity.Kind, c.Entity.Name)
			for _, k := range slices.Sorted(maps.Keys(c.Entity.Attrs)) {
				fmt.Fprintf(&b, "    %s: %q\n", k, c.Entity.Attrs[k])
			}
		case c.Relation != nil:
			fmt.Fprintf(&b, "%s %s\n", c.Op, c.Relation.Key())
		default:
			fmt.Fprintf(&b, "%s %s\n", c.Op, c.By.Source)
		}
	}
	return b.String()
}

const markdown = `---
title: "Cabinet manual"
vendor: Acme
---
Read this *first*. <b onclick="x()">Bold</b> text.

# Cabinets

## Fan stalled (PE24) {#fan}

The fan does not turn &lt; 1 \* rpm, and ` + "`cabinet temperature unacceptable`" + ` follows.
It is not a fan stall.

### Repair

1. Unplug the tray.
   Wait.
2. Replace it:
   - old out
   - new in

| Code | Meaning |
|------|---------|
| ETH_LOS | link down |

<script>alert("ETH_LOS")</script>

### Repair

    show fan

## Other
`

func TestMarkdown(t *testing.T) {
	sum, cs, _ := read(t, manual.ReadMarkdown, markdown, options("cabinet.md"))
	golden(t, "markdown.txt", []byte(show(cs)))
	if sum.Title != "Cabinet manual" || sum.Passages != 5 || sum.Defines != 3 || sum.Mentions != 2 {
		t.Errorf("summary %+v", sum)
	}
}

const page = `<!DOCTYPE html><html><head><title>Page title</title><style>p{}</style></head><body>
<nav><a href="/">Home PE24</a></nav>
<!-- PE24 -->
<div id="intro"><h1>Cabinet_manual &amp; more</h1><p>Intro with {braces} and 5 * 3 * 2.</p></div>
<h2 id="fan-1">Fan stalled</h2><p>The <b>fan</b> <a href="javascript:alert(1)">does not turn</a>.</p><script>evil("PE24")</script>
<ul><li>check A</li><li>check B</li></ul>
<h2><a name="temp"></a>Temperature</h2><table><tr><th>Code</th><th>Text</th></tr><tr><td>PE22</td><td>Cabinet Temperature Unacceptable</td></tr></table>
</body></html>`

func TestHTML(t *testing.T) {
	sum, cs, _ := read(t, manual.ReadHTML, page, options("cabinet.html"))
	golden(t, "html.txt", []byte(show(cs)))
	if sum.Title != "Cabinet_manual & more" || sum.Defines != 1 || sum.Mentions != 1 {
		t.Errorf("summary %+v", sum)
	}
}

const events = `---
100.101:
    Type: Alarm
    Description: |-
        Platform CPU threshold exceeded; threshold x%, actual y% .
             CRITICAL @ 95%
    Entity_Instance_ID: host=<hostname>
    Severity: [critical, major]
    Proposed_Repair_Action: "Monitor and if condition persists, contact next level of support."
    Maintenance_Action:
        critical: degrade
        major: degrade
    Inhibit_Alarms:
    Alarm_Type: operational-violation
    Probable_Cause: threshold-crossed
    Service_Affecting: False
    Suppression: True
    Management_Affecting_Severity: major
    Degrade_Affecting_Severity: critical
    Context: starlingx
100.110:
    Type: Alarm
    Description:
        critical: limit reached, see alarm 100.101.
        major: limit near
    Entity_Instance_ID: ["a=<x>", "b=<y>"]
    Severity: [major, critical]
    Proposed_Repair_Action:
        critical: |-
            Free the
            resource.
            Then call support.
        major: "Watch it"
    Alarm_Type: [qos, qos]
    Probable_Cause: [congestion]
    Service_Affecting:
        critical: True
        major: False
100.11:
    Type: Log
    Description: User logged in
    Severity: warning
    Alarm_Type: other
    Probable_Cause: unspecified-reason
100.12:
    Type: Note
100.13: nothing
100.14:
    Type: Alarm
    Description: x
    Severity: awful
100.15:
    Type: Alarm
    Description: [[x]]
    Severity: major
`

func TestStarlingX(t *testing.T) {
	sum, cs, rejects := read(t, manual.ReadStarlingX, events, options("events.yaml"))
	golden(t, "starlingx.txt", []byte(show(cs)))
	var out bytes.Buffer
	w := ingest.NewRejectWriter(&out)
	for _, r := range rejects {
		w.Write(r)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "rejects.csv", out.Bytes())
	if sum.AlarmTypes != 2 || sum.Passages != 3 || sum.Records != 7 {
		t.Errorf("summary %+v", sum)
	}
}

// reader is a graph of the changes it is given, as far as KnowledgeFromGraph asks.
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

func TestAlarmTypesOfAManualJoinTheKnowledge(t *testing.T) {
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}
	_, cs, _ := read(t, manual.ReadStarlingX, events, options("events.yaml"))
	all, err := rca.KnowledgeFromGraph(ctx, reader{append(cs, k.Changes(ontology.Source, ontology.Version, at)...)}, graph.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	id, ok := all.ResolveAlarmType("100.110")
	typ, _ := all.AlarmType(id)
	if !ok || typ.Severity != rca.SeverityCritical || typ.ProbableCause != 202 || typ.RaisedOn != nil || !strings.HasPrefix(typ.Text, "critical: limit reached") {
		t.Errorf("got %q %+v", id, typ)
	}
	p, ok := all.Procedure("STX-100.110")
	if !ok || len(p.Steps) != 3 || p.Steps[0].Text != "At critical: Free the resource." {
		t.Errorf("procedure %+v", p)
	}
}

func TestThePublishedManual(t *testing.T) {
	data := os.Getenv("FAULTLINE_DATA")
	if data == "" {
		t.Skip("FAULTLINE_DATA is not set: the StarlingX manual is not at hand")
	}
	src, err := os.ReadFile(filepath.Join(data, "starlingx-alarms", "events.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := ontology.Load()
	if err != nil {
		t.Fatal(err)
	}
	o := options("events.yaml")
	o.AlarmTypes = ingest.NewGazetteer(ingest.AlarmTypeTerms(k))
	sum, cs, rejects := read(t, manual.ReadStarlingX, string(src), o)
	if sum.AlarmTypes != 135 || sum.Passages != 331 || sum.Defines != 135 || len(rejects) != 0 {
		t.Errorf("%+v, rejects %v", sum, rejects)
	}
	procedures := 0
	for _, c := range cs {
		if c.Entity == nil {
			continue
		}
		if c.Entity.Kind == graph.KindProcedure {
			procedures++
		}
		if c.Entity.Kind == graph.KindAlarmType && (c.Entity.Attrs["probable_cause"] == "" || c.Entity.Attrs["severity"] == "" || c.Entity.Attrs["service_affecting"] == "") {
			t.Errorf("%s: %v", c.Entity.ID, c.Entity.Attrs)
		}
	}
	if procedures != 134 { // one repair action is blank
		t.Errorf("%d procedures", procedures)
	}
	all, err := rca.KnowledgeFromGraph(ctx, reader{append(cs, k.Changes(ontology.Source, ontology.Version, at)...)}, graph.AsOf{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(all.AlarmTypes()); n != 135+215 {
		t.Errorf("%d alarm types", n)
	}
}

func TestPassageIdsStayWhenAnotherSectionChanges(t *testing.T) {
	ids := func(in string) (out []string) {
		_, cs, _ := read(t, manual.ReadMarkdown, in, options("m.md"))
		if cs[0].Op != graph.OpDropSource || cs[0].By.Source != "m.md" {
			t.Fatal("the batch does not begin by dropping the source")
		}
		for _, c := range cs {
			if c.Entity != nil && c.Entity.Kind == graph.KindPassage {
				out = append(out, string(c.Entity.ID))
			}
		}
		return out
	}
	before := ids("# M\n\n## A\n\n### Repair\n\nx\n\n## B\n\n### Repair\n\ny\n")
	after := ids("# M\n\nnew\n\n## A0\n\n### Repair\n\nz\n\n## A\n\n### Repair\n\nx changed\n\n## B\n\n### Repair\n\ny\n")
	for _, id := range before {
		if !slices.Contains(after, id) {
			t.Errorf("%s is gone: %v", id, after)
		}
	}
}

func TestLongSectionsAreSplitBetweenBlocks(t *testing.T) {
	o := options("m.md")
	o.MaxPassage = 40
	_, cs, _ := read(t, manual.ReadMarkdown, "# T\n\n"+strings.Repeat("word ", 5)+"\n\n"+strings.Repeat("other ", 5)+"\n\n"+strings.Repeat("long ", 20), o)
	var texts []string
	for _, c := range cs {
		if c.Entity != nil && c.Entity.Kind == graph.KindPassage {
			texts = append(texts, string(c.Entity.ID)+" "+c.Entity.Attrs["text"])
			if len(c.Entity.Attrs["text"]) > 40 {
				t.Errorf("passage of %d bytes", len(c.Entity.Attrs["text"]))
			}
		}
	}
	if len(texts) != 5 || texts[0] != "passage/m.md#t word word word word word" || !strings.HasPrefix(texts[1], "passage/m.md#t~2 other") {
		t.Errorf("got %q", texts)
	}
}

func TestADocumentThatIsTooLongIsRefused(t *testing.T) {
	o := options("m.md")
	o.MaxRecord = 10
	_, err := manual.ReadMarkdown(ctx, strings.NewReader("# more than ten bytes"), o, func([]graph.Change) error { t.Error("emitted"); return nil }, nil)
	if !errors.Is(err, rca.ErrInvalid) {
		t.Errorf("got %v", err)
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

func FuzzReadMarkdown(f *testing.F) {
	f.Add(markdown)
	f.Fuzz(func(t *testing.T, in string) { fuzz(t, manual.ReadMarkdown, in) })
}

func FuzzReadHTML(f *testing.F) {
	f.Add(page)
	f.Fuzz(func(t *testing.T, in string) { fuzz(t, manual.ReadHTML, in) })
}

func FuzzReadStarlingX(f *testing.F) {
	f.Add(events)
	f.Fuzz(func(t *testing.T, in string) { fuzz(t, manual.ReadStarlingX, in) })
}

// fuzz holds that changes are valid, and that no two passages have one id.
func fuzz(t *testing.T, read readFunc, in string) {
	if strings.HasPrefix(in, "\x1f\x8b") {
		return
	}
	o := options("s")
	o.MaxPassage = 200
	seen := map[graph.ID]bool{}
	_, err := read(ctx, strings.NewReader(in), o, func(cs []graph.Change) error {
		for _, c := range cs {
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
			if c.Entity != nil {
				if seen[c.Entity.ID] {
					t.Fatalf("%s twice", c.Entity.ID)
				}
				seen[c.Entity.ID] = true
			}
		}
		return nil
	}, func(ingest.Reject) {})
	if err != nil && !errors.Is(err, rca.ErrInvalid) {
		t.Fatal(err)
	}
}
