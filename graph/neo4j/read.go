package neo4j

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"faultline/graph"
)

// number reads a column of the only row.
func (r rows) number(name string) (int64, error) {
	if len(r) != 1 {
		return 0, fmt.Errorf("%s: %d rows: %w", name, len(r), errMalformed)
	}
	f := &fields{m: r[0]}
	return field[int64](f, name, true), f.err
}

// moment is one state of the graph. Its first statement fixes the batch that is seen.
type moment struct {
	s   *Store
	ctx context.Context
	at  any // number of the batch; nil until it is fixed
	of  graph.AsOf
	all bool // what was ended, too
}

func (s *Store) moment(ctx context.Context, of graph.AsOf) *moment {
	return &moment{s: s, ctx: ctx, of: of}
}

// read runs a statement that yields statements, and gathers them by element.
func (m *moment) read(text cypher, params map[string]any) (map[graph.RelationKey][]said, error) {
	got, err := m.rows(text, params)
	if err != nil {
		return nil, err
	}
	out := map[graph.RelationKey][]said{}
	for _, r := range got {
		if err := m.gather(out, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rows runs a statement of this moment.
func (m *moment) rows(text cypher, params map[string]any) (rows, error) {
	params["at"], params["all"], params["recorded"] = m.at, m.all, nil
	if !m.of.Recorded.IsZero() {
		params["recorded"] = nanos(m.of.Recorded)
	}
	got, err := m.s.read(m.ctx, text, params)
	if err == nil && len(got) > 0 && m.at == nil {
		f := &fields{m: got[0]}
		m.at, err = field[int64](f, "at", true), f.err
	}
	return got, err
}

func (m *moment) gather(into map[graph.RelationKey][]said, r map[string]any) error {
	f := &fields{m: r}
	x := field[map[string]any](f, "x", true)
	k := graph.RelationKey{From: graph.ID(field[string](f, "origin", true))}
	if _, relation := r["target"]; relation {
		k.To = graph.ID(field[string](f, "target", true))
		p := &fields{m: x}
		k.Type, k.Qualifier = graph.RelationType(field[string](p, "type", true)), field[string](p, "qualifier", true)
		f.err = errors.Join(f.err, p.err)
	}
	if f.err != nil {
		return f.err
	}
	one, err := decode(k, x, m.at.(int64))
	if err == nil {
		into[k] = append(into[k], one)
	}
	return err
}

// entities returns those of some entities that can be seen.
func (m *moment) entities(ids []graph.ID) (map[graph.ID]graph.Entity, error) {
	out := map[graph.ID]graph.Entity{}
	for part := range slices.Chunk(ids, chunk) {
		got, err := m.read(readStatements, map[string]any{"ids": texts(part)})
		if err != nil {
			return nil, err
		}
		for k, all := range got {
			if e, ok := m.entity(all); ok {
				out[k.From] = e
			}
		}
	}
	return out, nil
}

func (m *moment) entity(all []said) (graph.Entity, bool) {
	e, _, ok := graph.Merge(ledger(all), m.of.Recorded)
	return e, ok && (m.of.Valid.IsZero() || e.Valid.Contains(m.of.Valid))
}

// relations merges what was said of relations, whether their ends can be seen or not.
func (m *moment) relations(got map[graph.RelationKey][]said) []graph.Relation {
	var out []graph.Relation
	for _, all := range got {
		_, r, ok := graph.Merge(ledger(all), m.of.Recorded)
		if ok && (m.of.Valid.IsZero() || r.Valid.Contains(m.of.Valid)) {
			out = append(out, r)
		}
	}
	return out
}

func texts[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

// Entity implements graph.Reader.
func (s *Store) Entity(ctx context.Context, id graph.ID, at graph.AsOf) (graph.Entity, error) {
	found, err := s.moment(ctx, at).entities([]graph.ID{id})
	if err != nil {
		return graph.Entity{}, fmt.Errorf("read entity %s: %w", id, err)
	}
	e, ok := found[id]
	if !ok {
		return graph.Entity{}, fmt.Errorf("entity %s: %w", id, graph.ErrNotFound)
	}
	return e, nil
}

// Relations implements graph.Reader. It reads them at once, in two round trips for each
// direction.
func (s *Store) Relations(ctx context.Context, id graph.ID, f graph.Filter) iter.Seq2[graph.Relation, error] {
	return func(yield func(graph.Relation, error) bool) {
		m := s.moment(ctx, f.AsOf)
		for _, dir := range []graph.Direction{graph.Out, graph.In} {
			if f.Dir != graph.Both && f.Dir != dir {
				continue
			}
			found, err := m.relationsOf(id, dir, f)
			if err != nil {
				yield(graph.Relation{}, fmt.Errorf("read relations of %s: %w", id, err))
				return
			}
			for _, r := range found {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

func (m *moment) relationsOf(id graph.ID, dir graph.Direction, f graph.Filter) ([]graph.Relation, error) {
	text := readLeaving
	if dir == graph.In {
		text = readEntering
	}
	got, err := m.read(text, map[string]any{"ids": []string{string(id)}, "types": typesOf(f.Types), "among": nil})
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(m.relations(got), func(r graph.Relation) bool {
		return f.Dir == graph.Both && dir == graph.In && r.From == r.To
	})
	ends := map[graph.ID]bool{id: true}
	for _, r := range found {
		ends[far(r, dir)] = true
	}
	if len(found) == 0 {
		return nil, nil
	}
	seen, err := m.entities(keys(ends))
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(r graph.Relation) bool { return !both(seen, r) })
	slices.SortFunc(found, func(a, b graph.Relation) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(far(a, dir), far(b, dir)), cmp.Compare(a.Qualifier, b.Qualifier))
	})
	return found, nil
}

func keys[K cmp.Ordered, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func far(r graph.Relation, dir graph.Direction) graph.ID {
	if dir == graph.Out {
		return r.To
	}
	return r.From
}

func both(seen map[graph.ID]graph.Entity, r graph.Relation) bool {
	_, from := seen[r.From]
	_, to := seen[r.To]
	return from && to
}

// page is how many entities, records or ids are read at a time.
const page = 500

// Find implements graph.Reader. It reads pages; all of them show the state of the first.
func (s *Store) Find(ctx context.Context, q graph.Query) iter.Seq2[graph.Entity, error] {
	return func(yield func(graph.Entity, error) bool) {
		if err := s.find(ctx, q, func(e graph.Entity) bool { return yield(e, nil) }); err != nil {
			yield(graph.Entity{}, fmt.Errorf("find entities: %w", err))
		}
	}
}

func (s *Store) find(ctx context.Context, q graph.Query, yield func(graph.Entity) bool) error {
	m := s.moment(ctx, q.AsOf)
	text := strings.ToLower(q.Text)
	size := page
	if q.Limit > 0 && q.Role == "" && q.Domain == "" && (q.Kind == "" || text == "") {
		size = min(page, q.Limit) // hardly any candidate will fall through
	}
	from, after, left := max(graph.ID(q.Prefix), q.After), q.After, q.Limit
	for {
		statement := findAny
		params := map[string]any{"from": string(from), "after": string(after), "page": size, "text": nil, "role": nil, "domain": nil}
		switch { // the part that chooses the candidates
		case q.Kind != "":
			statement, params["kind"] = findKind, string(q.Kind)
		case text != "":
			params["text"] = text
		case q.Role != "":
			params["role"] = q.Role
		case q.Domain != "":
			params["domain"] = q.Domain
		}
		got, err := m.read(statement, params)
		if err != nil {
			return err
		}
		found := map[graph.ID][]said{}
		for k, all := range got {
			found[k.From] = all
		}
		for _, id := range keys(found) {
			if !strings.HasPrefix(string(id), q.Prefix) {
				return nil // those with the prefix stand together
			}
			e, ok := m.entity(found[id])
			if !ok || q.Kind != "" && e.Kind != q.Kind || q.Role != "" && e.Role != q.Role || q.Domain != "" && e.Domain != q.Domain ||
				!strings.Contains(strings.ToLower(string(id)), text) && !strings.Contains(strings.ToLower(e.Name), text) {
				continue
			}
			if !yield(e) {
				return nil
			}
			if left--; left == 0 {
				return nil
			}
		}
		if len(found) < size {
			return nil
		}
		last := keys(found)[len(found)-1]
		from, after = last, last
	}
}

// EntityContributions implements graph.Ledger.
func (s *Store) EntityContributions(ctx context.Context, id graph.ID) ([]graph.Contribution, error) {
	return s.contributions(ctx, graph.RelationKey{From: id}, string(id), readStatements, map[string]any{"ids": []string{string(id)}})
}

// RelationContributions implements graph.Ledger.
func (s *Store) RelationContributions(ctx context.Context, k graph.RelationKey) ([]graph.Contribution, error) {
	return s.contributions(ctx, k, k.String(), readRelation,
		map[string]any{"origin": string(k.From), "type": string(k.Type), "target": string(k.To), "qualifier": k.Qualifier})
}

func (s *Store) contributions(ctx context.Context, k graph.RelationKey, name string, text cypher, params map[string]any) ([]graph.Contribution, error) {
	m := s.moment(ctx, graph.AsOf{})
	m.all = true
	got, err := m.read(text, params)
	if err != nil {
		return nil, fmt.Errorf("read contributions to %s: %w", name, err)
	}
	if len(got[k]) == 0 {
		return nil, fmt.Errorf("contributions to %s: %w", name, graph.ErrNotFound)
	}
	return ledger(got[k]), nil
}

// Sources implements graph.Ledger; the list is sorted by name. A count may miss what ends
// in the instant in which it is read.
func (s *Store) Sources(ctx context.Context) ([]graph.SourceCount, error) {
	got, err := s.moment(ctx, graph.AsOf{}).rows(readSources, map[string]any{})
	if err != nil {
		return nil, fmt.Errorf("read sources: %w", err)
	}
	out := make([]graph.SourceCount, len(got))
	for i, r := range got {
		f := &fields{m: r}
		out[i] = graph.SourceCount{
			Source: field[string](f, "source", true), Entities: int(field[int64](f, "entities", true)), Relations: int(field[int64](f, "relations", true)),
		}
		if f.err != nil {
			return nil, fmt.Errorf("read sources: %w", f.err)
		}
	}
	return out, nil
}
