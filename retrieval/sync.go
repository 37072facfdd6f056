package retrieval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"faultline/graph"
)

// Sync keeps an index equal to a graph. Passages, work orders, cases and documents
// become items, and so does the knowledge that they speak of; resources do not, yet
// links to them do.
type Sync struct {
	g   graph.Reader
	idx Index
}

// NewSync returns a Sync from g to idx.
func NewSync(g graph.Reader, idx Index) *Sync { return &Sync{g, idx} }

var indexedKinds = []struct {
	graph graph.Kind
	item  Kind
}{
	{graph.KindPassage, KindPassage}, {graph.KindWorkOrder, KindWorkOrder}, {graph.KindCase, KindCase}, {graph.KindAlarmType, KindEntity},
	{graph.KindFaultMode, KindEntity}, {graph.KindProcedure, KindEntity}, {graph.KindDocument, KindEntity},
}

// linkTypes are the relations that the walk uses.
var linkTypes = []graph.RelationType{
	graph.Defines, graph.Mentions, graph.PartOf, graph.Causes, graph.Indicates, graph.RepairedBy, graph.RaisedOn, graph.Affects, graph.ResolvedBy,
}

// loadBatch is how many items go into the index at once.
const loadBatch = 1000

// Load makes the index equal to the graph: it puts every item of the graph and deletes
// what the graph no longer has.
func (s *Sync) Load(ctx context.Context) error {
	have := map[graph.ID]bool{}
	var batch []Item
	flush := func() error {
		err := s.idx.Put(ctx, batch)
		batch = batch[:0]
		return err
	}
	for _, k := range indexedKinds {
		for e, err := range s.g.Find(ctx, graph.Query{Kind: k.graph}) {
			if err != nil {
				return fmt.Errorf("load %s: %w", k.graph, err)
			}
			it, err := s.item(ctx, e, k.item)
			if err != nil {
				return fmt.Errorf("load %s: %w", e.ID, err)
			}
			have[it.ID] = true
			if batch = append(batch, it); len(batch) == loadBatch {
				if err := flush(); err != nil {
					return fmt.Errorf("load %s: %w", k.graph, err)
				}
			}
		}
	}
	if err := flush(); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	var gone []graph.ID
	for id, err := range s.idx.IDs(ctx) {
		if err != nil {
			return fmt.Errorf("list index: %w", err)
		}
		if !have[id] {
			gone = append(gone, id)
		}
	}
	if err := s.idx.Delete(ctx, gone); err != nil {
		return fmt.Errorf("delete %d stale items: %w", len(gone), err)
	}
	return nil
}

// Apply brings the index up to date with changes that the graph has applied already.
// A dropped source does not say what it held, so it takes a full Load.
func (s *Sync) Apply(ctx context.Context, changes []graph.Change) error {
	var ids []graph.ID
	for _, c := range changes {
		switch {
		case c.Op == graph.OpDropSource:
			return s.Load(ctx)
		case c.Entity != nil:
			ids = append(ids, c.Entity.ID)
		case c.Relation != nil:
			ids = append(ids, c.Relation.From)
		}
	}
	return s.Touch(ctx, ids)
}

// Touch re-reads entities by id: those of the graph are put, the others deleted. A
// document brings its passages with it, because they take vendor and release from it.
// An item whose link leads to something deleted keeps the link until it is touched
// itself or Load runs; a store hides such a relation and does not say whose it was.
func (s *Sync) Touch(ctx context.Context, ids []graph.ID) error {
	ids = slices.Clone(ids)
	for _, id := range slices.Clone(ids) {
		for r, err := range s.g.Relations(ctx, id, graph.Filter{Dir: graph.In, Types: []graph.RelationType{graph.PartOf}}) {
			if err != nil {
				return fmt.Errorf("read parts of %s: %w", id, err)
			}
			ids = append(ids, r.From)
		}
	}
	slices.Sort(ids)
	var put []Item
	var gone []graph.ID
	for _, id := range slices.Compact(ids) {
		e, err := s.g.Entity(ctx, id, graph.AsOf{})
		if errors.Is(err, graph.ErrNotFound) {
			gone = append(gone, id)
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		for _, k := range indexedKinds {
			if k.graph == e.Kind {
				it, err := s.item(ctx, e, k.item)
				if err != nil {
					return fmt.Errorf("read %s: %w", id, err)
				}
				put = append(put, it)
			}
		}
	}
	if err := s.idx.Delete(ctx, gone); err != nil {
		return fmt.Errorf("delete %d items: %w", len(gone), err)
	}
	if err := s.idx.Put(ctx, put); err != nil {
		return fmt.Errorf("put %d items: %w", len(put), err)
	}
	return nil
}

// item reads one entity with its links.
func (s *Sync) item(ctx context.Context, e graph.Entity, k Kind) (Item, error) {
	a := e.Attrs
	it := Item{
		ID: e.ID, Kind: k, Title: cmp.Or(e.Name, a["title"]), Domain: e.Domain, Vendor: a["vendor"], Release: a["release"],
		Source: a["source"], Anchor: a["anchor"],
	}
	switch e.Kind {
	case graph.KindPassage:
		it.Title = cmp.Or(a["title"], e.Name, a["section"])
		if sec := a["section"]; sec != "" && sec != it.Title {
			it.Text = sec + "\n"
		}
		it.Text += a["text"]
	case graph.KindWorkOrder, graph.KindCase:
		it.Source = cmp.Or(it.Source, string(e.ID))
		it.Text = joinAttrs(a, "description", "symptom", "root_cause", "cause", "resolution", "closure_code", "notes", "text")
		it.Time = known(e)
	default:
		it.Text = a["text"]
		tail := string(e.ID)
		if i := strings.LastIndexByte(tail, '/'); i >= 0 {
			tail = tail[i+1:]
		}
		if strings.ContainsAny(tail, "-_.0123456789") { // a bare word is no name that texts would use
			it.Aliases = append(it.Aliases, tail)
		}
		if a["slug"] != "" {
			it.Aliases = append(it.Aliases, a["slug"])
		}
		for alias := range strings.SplitSeq(a["aliases"], "|") {
			if alias != "" {
				it.Aliases = append(it.Aliases, alias)
			}
		}
		for i := 1; a[fmt.Sprintf("step.%02d", i)] != ""; i++ {
			it.Text += "\n" + a[fmt.Sprintf("step.%02d", i)]
		}
	}
	for r, err := range s.g.Relations(ctx, e.ID, graph.Filter{Dir: graph.Out, Types: linkTypes}) {
		if err != nil {
			return it, fmt.Errorf("read relations: %w", err)
		}
		it.Links = append(it.Links, Link{r.Type, r.To})
		if r.Type == graph.PartOf && e.Kind == graph.KindPassage && it.Document == "" {
			doc, err := s.g.Entity(ctx, r.To, graph.AsOf{})
			if err != nil {
				return it, fmt.Errorf("read document %s: %w", r.To, err)
			}
			if doc.Kind == graph.KindWorkOrder || doc.Kind == graph.KindCase {
				it.Time = known(doc)
			}
			it.Document, it.Source = r.To, cmp.Or(it.Source, doc.Attrs["source"], string(r.To))
			it.Domain, it.Vendor, it.Release = cmp.Or(it.Domain, doc.Domain), cmp.Or(it.Vendor, doc.Attrs["vendor"]), cmp.Or(it.Release, doc.Attrs["release"])
		}
	}
	slices.SortFunc(it.Links, func(a, b Link) int { return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.To, b.To)) })
	it.Links = slices.Compact(it.Links)
	return it, nil
}

// known is when a ticket or case said all that it says: when it was resolved, or else
// the latest time that it states.
func known(e graph.Entity) time.Time {
	for _, key := range []string{"resolved", "closed", "created"} {
		if t, err := time.Parse(time.RFC3339, e.Attrs[key]); err == nil {
			return t
		}
	}
	if !e.Valid.To.IsZero() {
		return e.Valid.To
	}
	return e.Valid.From
}

func joinAttrs(a map[string]string, keys ...string) string {
	var parts []string
	for _, k := range keys {
		if a[k] != "" {
			parts = append(parts, a[k])
		}
	}
	return strings.Join(parts, "\n")
}
