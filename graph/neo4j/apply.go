package neo4j

import (
	"context"
	"fmt"
	"slices"

	"faultline/graph"
)

// chunk is how many rows go into one statement.
const chunk = 2000

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
	err := s.transaction(ctx, func(w *work) (err error) {
		seq, err = w.apply(changes)
		return err
	})
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

// apply makes one batch and returns its number.
func (w *work) apply(changes []graph.Change) (seq int64, err error) {
	got, err := w.run(beginBatch, map[string]any{"n": len(changes)})
	if err != nil {
		return 0, err
	}
	seq, err = got.number("seq")
	if err != nil {
		return 0, err
	}
	first, err := got.number("first")
	if err != nil {
		return 0, err
	}
	fresh, ids, err := w.fresh(changes)
	if err != nil {
		return 0, err
	}
	p := plan(w.tenant, fresh, first, seq)
	for _, step := range []struct {
		text cypher
		rows []any
	}{
		{keepChanges, ids}, {endOfEntities, p.endEntities}, {endOfRelations, p.endRelations}, {dropEntities, p.drops}, {dropRelations, p.drops},
		{sayOfEntities, p.sayEntities}, {sayOfRelations, p.sayRelations},
	} {
		for part := range slices.Chunk(step.rows, chunk) {
			if _, err := w.run(step.text, map[string]any{"rows": part, "seq": seq}); err != nil {
				return 0, err
			}
		}
	}
	return seq, nil
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
	endEntities, endRelations []any
	drops                     []any
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
