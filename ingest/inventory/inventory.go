// Package inventory reads network inventory, TMF639 resources or CSV tables, into
// graph changes of one source. Everything is held to the resource model: a kind that
// it does not know, or a relation that does not fit, is rejected with the reason and
// the closest that would fit. A relation may come before its ends; it is kept until
// they are met, and rejected at the end when they never are.
package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
)

// Options of New.
type Options struct {
	ingest.Options               // Source is what the changes belong to
	At             time.Time     // recorded time of the changes; required
	Version        string        // of the source
	Schema         *graph.Schema // default graph.ResourceSchema
	Batch          int           // changes per batch; default 5,000
	Replace        bool          // the first batch drops what the source stated before
	// Known says kind and role of a resource that the graph holds from elsewhere, so
	// that a relation may lead there. Optional.
	Known func(graph.ID) (graph.Kind, string, bool)
}

// Import collects one inventory, possibly from several files. Call any of its Read
// methods, then Finish. It belongs to one goroutine.
type Import struct {
	o       Options
	schema  graph.Schema
	seen    map[graph.ID]place
	refused map[graph.ID]bool // ids of rejected rows
	held    []relation        // an end is not met yet
	batch   []graph.Change
	fits    map[fitKey]bool
	counts  ingest.Counts
	emit    func([]graph.Change) error
	reject  func(ingest.Reject)
}

type place struct {
	kind graph.Kind
	role string
	line int32
}

type relation struct {
	r    graph.Relation
	file string
	line int
	row  string
}

type fitKey struct {
	fromKind graph.Kind
	fromRole string
	rel      graph.RelationType
	toKind   graph.Kind
	toRole   string
}

// New checks the options. emit receives batches in reading order; a store applies
// each as one.
func New(o Options, emit func([]graph.Change) error, reject func(ingest.Reject)) (*Import, error) {
	if err := o.Options.Validate(); err != nil {
		return nil, err
	}
	switch {
	case o.At.IsZero():
		return nil, fmt.Errorf("inventory options: At missing: %w", rca.ErrInvalid)
	case o.Batch < 0:
		return nil, fmt.Errorf("inventory options: Batch is negative: %w", rca.ErrInvalid)
	case emit == nil || reject == nil:
		return nil, fmt.Errorf("inventory options: emit and reject are required: %w", rca.ErrInvalid)
	}
	o.Batch = cmp.Or(o.Batch, 5000)
	im := &Import{o: o, seen: map[graph.ID]place{}, refused: map[graph.ID]bool{}, fits: map[fitKey]bool{}, emit: emit, reject: reject}
	if o.Schema != nil {
		im.schema = *o.Schema
	} else {
		im.schema = graph.ResourceSchema()
	}
	if o.Replace {
		im.batch = append(im.batch, graph.Change{Op: graph.OpDropSource, At: o.At, By: im.by(0)})
	}
	return im, nil
}

// Finish decides the relations whose ends were not met, sends the last batch and
// returns the counts of all reads.
func (im *Import) Finish() (ingest.Counts, error) {
	held := im.held
	im.held = nil
	for _, h := range held {
		if err := im.decide(h); err != nil {
			return im.counts, err
		}
	}
	err := im.flush()
	return im.counts, err
}

func (im *Import) flush() error {
	if len(im.batch) == 0 {
		return nil
	}
	b := im.batch
	im.batch = nil
	if err := im.emit(b); err != nil {
		return fmt.Errorf("hand on %d changes: %w", len(b), err)
	}
	im.counts.Emitted += len(b)
	return nil
}

func (im *Import) by(line int) graph.Provenance {
	p := graph.Provenance{Source: im.o.Source, Version: im.o.Version, Rule: "inventory"}
	if line > 0 {
		p.Span = fmt.Sprintf("line %d", line)
	}
	return p
}

func (im *Import) add(c graph.Change) error {
	if im.batch == nil {
		im.batch = make([]graph.Change, 0, im.o.Batch)
	}
	if im.batch = append(im.batch, c); len(im.batch) >= im.o.Batch {
		return im.flush()
	}
	return nil
}

// at says where a record came from.
type at struct {
	file string
	line int
	row  string
}

func (im *Import) refuse(w at, field, reason string) {
	im.counts.Rejected++
	im.reject(ingest.Reject{File: w.file, Line: w.line, Field: field, Reason: reason, Row: w.row})
}

// resource takes one resource. ok is false when it was rejected.
func (im *Import) resource(e graph.Entity, kindField string, w at) (ok bool, err error) {
	switch old, twice := im.seen[e.ID]; {
	case e.ID == "":
		im.refuse(w, "id", "missing")
		return false, nil
	case twice:
		im.refuse(w, "id", fmt.Sprintf("%s is there already, in line %d", e.ID, old.line))
		return false, nil
	case e.Kind == "":
		im.refuse(w, kindField, "missing")
	case !im.schema.KnowsKind(e.Kind):
		im.refuse(w, kindField, fmt.Sprintf("%s is not in the resource model; the closest is %s", e.Kind, im.closestKind(e.Kind)))
	default:
		im.seen[e.ID] = place{e.Kind, e.Role, int32(w.line)}
		return true, im.add(graph.Change{Op: graph.OpPut, At: im.o.At, By: im.by(w.line), Entity: &e})
	}
	im.refused[e.ID] = true
	return false, nil
}

// relation takes one relation, now or when its ends are there.
func (im *Import) relation(r graph.Relation, w at) error {
	for _, end := range []struct {
		field string
		empty bool
	}{{"from", r.From == ""}, {"type", r.Type == ""}, {"to", r.To == ""}} {
		if end.empty {
			im.refuse(w, end.field, "missing")
			return nil
		}
	}
	h := relation{r, w.file, w.line, w.row}
	_, from := im.seen[r.From]
	_, to := im.seen[r.To]
	if !from || !to {
		im.held = append(im.held, h)
		return nil
	}
	return im.decide(h)
}

func (im *Import) decide(h relation) error {
	w := at{h.file, h.line, h.row}
	from, fault := im.end(h.r.From)
	if fault != "" {
		im.refuse(w, "from", fault)
		return nil
	}
	to, fault := im.end(h.r.To)
	if fault != "" {
		im.refuse(w, "to", fault)
		return nil
	}
	k := fitKey{from.kind, from.role, h.r.Type, to.kind, to.role}
	ok, known := im.fits[k]
	if !known {
		ok = im.schema.Allows(k.fromKind, k.fromRole, k.rel, k.toKind, k.toRole)
		im.fits[k] = ok
	}
	if !ok {
		im.refuse(w, "type", fmt.Sprintf("no %s -%s-> %s in the resource model; the closest is %s", selector(from), h.r.Type, selector(to), im.closestTriple(k)))
		return nil
	}
	r := h.r
	return im.add(graph.Change{Op: graph.OpPut, At: im.o.At, By: im.by(h.line), Relation: &r})
}

func (im *Import) end(id graph.ID) (place, string) {
	if p, ok := im.seen[id]; ok {
		return p, ""
	}
	if im.o.Known != nil {
		if kind, role, ok := im.o.Known(id); ok {
			return place{kind, role, 0}, ""
		}
	}
	if im.refused[id] {
		return place{}, fmt.Sprintf("the row of %s was rejected", id)
	}
	return place{}, fmt.Sprintf("no resource %s", id)
}

func selector(p place) string {
	if p.role == "" {
		return string(p.kind)
	}
	return string(p.kind) + ":" + p.role
}

// closestKind is the kind of the model with the smallest edit distance.
func (im *Import) closestKind(k graph.Kind) graph.Kind {
	best, dist := graph.Kind("none"), 1<<30
	for _, t := range im.schema.Triples() {
		for _, c := range []graph.Kind{t.From.Kind, t.To.Kind} {
			d := distance(strings.ToLower(string(k)), strings.ToLower(string(c)))
			if d < dist || d == dist && c < best {
				best, dist = c, d
			}
		}
	}
	return best
}

// closestTriple is the row of the model that has most in common with what was
// stated: the same two kinds first, whatever the direction, then type and one kind.
func (im *Import) closestTriple(k fitKey) string {
	best, score := "", 0
	for _, t := range im.schema.Triples() {
		s := 0
		if t.From.Kind == k.fromKind {
			s += 4
		}
		if t.To.Kind == k.toKind {
			s += 4
		}
		if t.From.Kind == k.toKind && t.To.Kind == k.fromKind {
			s = max(s, 7)
		}
		if t.Type == k.rel {
			s += 3
		}
		text := fmt.Sprintf("%s -%s-> %s", t.From, t.Type, t.To)
		if s > score || s == score && text < best {
			best, score = text, s
		}
	}
	if score < 4 {
		return "none"
	}
	return best
}

// distance is the Levenshtein distance in bytes. Both texts are short.
func distance(a, b string) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		diag := prev[0]
		prev[0] = i + 1
		for j := range len(b) {
			d := diag
			if a[i] != b[j] {
				d++
			}
			diag = prev[j+1]
			prev[j+1] = min(d, prev[j]+1, diag+1)
		}
	}
	return prev[len(b)]
}

// options are those of one file.
func (im *Import) options(file string, total int64) ingest.Options {
	o := im.o.Options
	o.File = cmp.Or(file, o.File)
	o.Total = cmp.Or(total, o.Total)
	return o
}

// each calls one for every record and counts it.
func each[T any](im *Import, next func() (T, error), one func(T) error) error {
	return ingest.Each(next, &im.counts, im.reject, func(rec T) error {
		im.counts.Records++
		return one(rec)
	})
}

var columnNames = map[string]string{"resourceid": "id", "resourcekind": "kind", "source": "from", "sourceid": "from", "fromid": "from", "target": "to", "targetid": "to", "toid": "to", "relation": "type", "relationtype": "type"}

// columns maps folded header names to positions and checks that the required ones
// are there.
func columns(file string, header []string, required ...string) (map[string]int, error) {
	at := map[string]int{}
	for i, h := range header {
		name := ingest.FoldColumn(h)
		if a, ok := columnNames[name]; ok && !slices.Contains(header, a) {
			name = a
		}
		if _, twice := at[name]; !twice {
			at[name] = i
		}
	}
	for _, r := range required {
		if _, ok := at[r]; !ok {
			return nil, fmt.Errorf("read header of %s: no column %q among %s: %w", file, r, strings.Join(header, ", "), rca.ErrInvalid)
		}
	}
	return at, nil
}
