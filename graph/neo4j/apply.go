package neo4j

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"faultline/graph"
)

// chunk is how many rows go into one statement.
const chunk = 2000

// large is how many changes go into one transaction, and how many elements it drops: the
// server keeps about 12 kB of memory for each until it commits.
const large = 5000

// errLarge says that a batch does not go into one transaction, or that a large one was
// left unfinished and must be undone first.
var errLarge = errors.New("needs several transactions")

// Apply implements graph.Writer. When it returns the context's error nothing was
// applied; after ErrUncertain the same changes may be applied again.
func (s *Store) Apply(ctx context.Context, changes []graph.Change) error {
	for i := range changes {
		err := changes[i].Validate()
		if err == nil {
			err = check(&changes[i])
		}
		if err != nil {
			return fmt.Errorf("apply change %d of %d: %w", i+1, len(changes), err)
		}
	}
	if err := s.await(ctx); err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	defer s.yield()
	if len(changes) == 0 {
		return nil
	}
	var seq int64
	err := errLarge
	if len(changes) <= s.large {
		err = s.transaction(ctx, func(w *work) (err error) {
			seq, err = w.apply(changes)
			return err
		})
	}
	if errors.Is(err, errLarge) {
		seq, err = s.applyLarge(ctx, changes)
	}
	if err == nil {
		if err = s.publish(ctx, seq); err != nil {
			err = fmt.Errorf("%w: %w", ErrUncertain, err)
		}
	}
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	return nil
}

// apply makes a batch in one transaction and returns its number.
func (w *work) apply(changes []graph.Change) (int64, error) {
	b, err := w.begin(len(changes))
	if err == nil && b.unfinished != 0 {
		err = errLarge
	}
	if err != nil {
		return 0, err
	}
	p, err := w.plan(b, changes)
	if err != nil {
		return 0, err
	}
	return b.seq, p.steps(func(s step) error {
		n, err := w.do(s, b.seq)
		if err == nil && n == w.large {
			err = errLarge
		}
		return err
	})
}

// batch is what beginBatch returned.
type batch struct{ seq, first, unfinished int64 }

func (w *work) begin(n int) (b batch, err error) {
	got, err := w.run(beginBatch, map[string]any{"n": n})
	for name, v := range map[string]*int64{"seq": &b.seq, "first": &b.first, "unfinished": &b.unfinished} {
		if err == nil {
			*v, err = got.number(name)
		}
	}
	return b, err
}

func (w *work) plan(b batch, changes []graph.Change) (*planned, error) {
	fresh, ids, err := w.fresh(changes)
	if err != nil {
		return nil, err
	}
	p := plan(w.tenant, fresh, b.first, b.seq)
	p.ids = ids
	return p, nil
}

// step is a statement with its rows, or one that drops a source.
type step struct {
	text cypher
	rows []any
	drop map[string]any
}

// steps calls do with everything that a batch comes to.
func (p *planned) steps(do func(step) error) error {
	var all []step
	for _, s := range []step{{text: keepChanges, rows: p.ids}, {text: endOfEntities, rows: p.endEntities}, {text: endOfRelations, rows: p.endRelations}} {
		for part := range slices.Chunk(s.rows, chunk) {
			all = append(all, step{text: s.text, rows: part})
		}
	}
	for _, d := range p.drops {
		all = append(all, step{text: dropEntities, drop: d}, step{text: dropRelations, drop: d})
	}
	for _, s := range []step{{text: sayOfEntities, rows: p.sayEntities}, {text: sayOfRelations, rows: p.sayRelations}} {
		for part := range slices.Chunk(s.rows, chunk) {
			all = append(all, step{text: s.text, rows: part})
		}
	}
	for _, s := range all {
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}

// do takes one step. It returns how many elements it dropped: as many as one transaction
// may, when there are more.
func (w *work) do(s step, seq int64) (int, error) {
	if s.drop == nil {
		_, err := w.run(s.text, map[string]any{"rows": s.rows, "seq": seq})
		return 0, err
	}
	got, err := w.run(s.text, map[string]any{"source": s.drop["source"], "at": s.drop["at"], "page": w.large, "seq": seq})
	if err != nil {
		return 0, err
	}
	n, err := got.number("n")
	return int(n), err
}

// fresh returns the changes that were not applied before, and their ids.
func (w *work) fresh(changes []graph.Change) (fresh []*graph.Change, ids []any, err error) {
	known := map[string]bool{"": true}
	for i := range changes {
		if id := changes[i].ID; !known[id] {
			known[id] = true
			ids = append(ids, id)
		}
	}
	clear(known)
	for part := range slices.Chunk(ids, chunk) {
		got, err := w.run(knownChanges, map[string]any{"ids": part})
		if err != nil {
			return nil, nil, err
		}
		for _, r := range got {
			f := &fields{m: r}
			if known[field[string](f, "id", true)] = true; f.err != nil {
				return nil, nil, f.err
			}
		}
	}
	ids = ids[:0]
	for i := range changes {
		if id := changes[i].ID; id != "" {
			if known[id] {
				continue
			}
			known[id] = true
			ids = append(ids, id)
		}
		fresh = append(fresh, &changes[i])
	}
	return fresh, ids, nil
}

// planned is what a batch comes to, as rows of the writing statements: which statements
// of the server end, and what is said anew. The parts touch different statements, so
// that their order does not matter.
type planned struct {
	ids                       []any
	endEntities, endRelations []any
	drops                     []map[string]any
	sayEntities, sayRelations []any
}

// element is an entity, named by From alone, or a relation.
type element struct {
	graph.RelationKey
	source string
}

// plan follows the changes of a batch to its end. What the batch says and withdraws
// again is kept as ended at once.
func plan(tenant string, changes []*graph.Change, first, seq int64) *planned {
	p := &planned{}
	open := map[string]map[element]map[string]any{} // by source: each element that the batch touched, and what it says of it
	swept := map[string]bool{}                      // sources that the batch dropped
	end := func(said map[string]any, c *graph.Change) {
		if said != nil {
			delete(said, "living")
			said["until"], said["retracted"] = seq, c.At.UnixNano()
		}
	}
	for i, c := range changes {
		source := c.By.Source
		if open[source] == nil {
			open[source] = map[element]map[string]any{}
		}
		if c.Op == graph.OpDropSource {
			for k, said := range open[source] {
				end(said, c)
				open[source][k] = nil
			}
			if !swept[source] {
				swept[source] = true
				p.drops = append(p.drops, map[string]any{"source": source, "at": c.At.UnixNano()})
			}
			continue
		}
		k := element{source: source}
		row := map[string]any{"source": source, "at": c.At.UnixNano()}
		if c.Entity != nil {
			k.From = c.Entity.ID
			row["id"] = string(k.From)
		} else {
			k.RelationKey = c.Relation.Key()
			row["from"], row["type"], row["to"], row["qualifier"] = string(k.From), string(k.Type), string(k.To), k.Qualifier
		}
		said, touched := open[source][k]
		switch end(said, c); {
		case touched || swept[source]:
		case c.Entity != nil:
			p.endEntities = append(p.endEntities, row)
		default:
			p.endRelations = append(p.endRelations, row)
		}
		open[source][k] = nil
		if c.Op == graph.OpRetract {
			continue
		}
		said = encode(c)
		said["number"], said["living"], said["since"] = first+int64(i), source, seq
		said["tenant"] = tenant
		open[source][k] = said
		if c.Entity != nil {
			said["id"] = row["id"]
			p.sayEntities = append(p.sayEntities, map[string]any{"id": row["id"], "said": said})
		} else {
			p.sayRelations = append(p.sayRelations, map[string]any{"from": row["from"], "to": row["to"], "said": said})
		}
	}
	return p
}
