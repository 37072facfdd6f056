package embedded

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"faultline/graph"
)

// load reads the living graph into memory. It decodes no attributes.
func (s *Store) load(ctx context.Context) error {
	v := &view{
		ids: &numbering[graph.ID, int32]{m: map[graph.ID]int32{}}, dict: &numbering[string, uint32]{m: map[string]uint32{}},
		words: []string{""}, kinds: map[uint32]order{},
	}
	if err := each(ctx, s.readers, "SELECT n, s FROM word ORDER BY n", func(rows *sql.Rows) error {
		var n int
		var w string
		if err := rows.Scan(&n, &w); err != nil {
			return err
		}
		if n != len(v.words) {
			return fmt.Errorf("word %d follows %d", n, len(v.words)-1)
		}
		v.words = append(v.words, w)
		v.dict.m[w] = uint32(n)
		return nil
	}); err != nil {
		return fmt.Errorf("read words: %w", err)
	}

	// Two cores: one reads edges while the other reads nodes and sorts them.
	var edges edit[edge]
	read := make(chan error, 1)
	edgeTally := map[uint32]int{}
	go func() { read <- s.loadEdges(ctx, v.words, &edges, edgeTally) }()
	nodes, ranked, err := s.loadNodes(ctx, v)
	if edgeErr := <-read; edgeErr != nil {
		return fmt.Errorf("read edges: %w", edgeErr)
	}
	if err != nil {
		return fmt.Errorf("read nodes: %w", err)
	}
	for w, n := range edgeTally {
		t := s.counts[w]
		t.relations = n
		s.counts[w] = t
	}
	v.nodes, v.edges = nodes, edges.paged
	for e := range int32(v.edges.n) {
		if x := v.edges.at(e); x.live != "" && (int(max(x.from, x.to)) >= v.nodes.n || v.idOf(x.from) == "" || v.idOf(x.to) == "" || int(x.typ) >= len(v.words)) {
			return fmt.Errorf("edge %d: end or type that is not there: %w", e, errCorrupt)
		}
	}
	link(v, ranked)
	v.arrange(ranked)
	s.current.Store(v)
	return nil
}

func (s *Store) loadNodes(ctx context.Context, v *view) (paged[node], []int32, error) {
	var nodes edit[node]
	var ranked []int32
	err := each(ctx, s.readers, "SELECT n, id, live FROM node ORDER BY n", func(rows *sql.Rows) error {
		var n int32
		var id graph.ID
		var live sql.RawBytes
		if err := rows.Scan(&n, &id, &live); err != nil {
			return err
		}
		for ; nodes.n < int(n); nodes.n++ {
			s.free.nodes = append(s.free.nodes, int32(nodes.n))
		}
		if _, twice := v.ids.m[id]; twice || id == "" {
			return fmt.Errorf("row %d: id %q is there twice or empty: %w", n, id, errCorrupt)
		}
		nodes.grow(n)
		x := nodes.change(n)
		x.id, x.live, x.flags = id, string(live), filed
		if err := checked(x.live, true, len(v.words)); err != nil {
			return fmt.Errorf("row %d: entity %s: %w", n, id, err)
		}
		x.summarise(v.words, func(w string) uint32 { return v.dict.m[w] })
		for raw, rest := "", x.live; rest != ""; {
			raw, rest = next(rest)
			t := s.counts[sourceOf(raw)]
			t.entities++
			s.counts[sourceOf(raw)] = t
		}
		v.ids.m[id] = n
		ranked = append(ranked, n)
		return nil
	})
	slices.SortFunc(ranked, func(a, b int32) int { return strings.Compare(string(nodes.at(a).id), string(nodes.at(b).id)) })
	return nodes.paged, ranked, err
}

func (s *Store) loadEdges(ctx context.Context, words []string, edges *edit[edge], tally map[uint32]int) error {
	return each(ctx, s.readers, "SELECT n, origin, type, target, qualifier, live FROM edge ORDER BY n", func(rows *sql.Rows) error {
		var n, from, to int32
		var typ uint32
		var qualifier, live sql.RawBytes
		if err := rows.Scan(&n, &from, &typ, &to, &qualifier, &live); err != nil {
			return err
		}
		for ; edges.n < int(n); edges.n++ {
			s.free.edges = append(s.free.edges, int32(edges.n))
		}
		edges.grow(n)
		x := edges.change(n)
		*x = edge{from: from, to: to, typ: typ, flags: filed, qualifier: string(qualifier), live: string(live)}
		if err := checked(x.live, false, len(words)); err != nil || x.live == "" || from < 0 || to < 0 {
			return fmt.Errorf("row %d: %w", n, errCorrupt)
		}
		x.summarise()
		for raw, rest := "", x.live; rest != ""; {
			raw, rest = next(rest)
			tally[sourceOf(raw)]++
		}
		return nil
	})
}

// each runs f on every row; values that f scans as raw bytes are good until it returns.
func each(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, query string, f func(*sql.Rows) error, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// link gives every node its halves, packed side by side in the order of ranked, which
// is every named node by id. It owns all pages of v.
func link(v *view, ranked []int32) {
	out, in := make([]int32, v.nodes.n), make([]int32, v.nodes.n)
	total := 0
	for e := range int32(v.edges.n) {
		if x := v.edges.at(e); x.live != "" {
			out[x.from]++
			in[x.to]++
			total++
		}
	}
	arena := make([]half, 2*total)
	carve := func(n int32) (list []half) {
		list, arena = arena[:0:n], arena[n:]
		return list
	}
	// Numbers compare faster than names: rank nodes and types once.
	rank := make([]int32, v.nodes.n)
	for i, n := range ranked {
		rank[n] = int32(i)
		x := v.nodes.at(n)
		x.out, x.in = carve(out[n]), carve(in[n])
	}
	typeRank := make([]int32, len(v.words))
	byName := make([]int32, len(v.words))
	for i := range byName {
		byName[i] = int32(i)
	}
	slices.SortFunc(byName, func(a, b int32) int { return strings.Compare(v.words[a], v.words[b]) })
	for i, w := range byName {
		typeRank[w] = int32(i)
	}
	for e := range int32(v.edges.n) {
		if x := v.edges.at(e); x.live != "" {
			from, to := v.nodes.at(x.from), v.nodes.at(x.to)
			from.out = append(from.out, half{x.to, x.typ, e})
			to.in = append(to.in, half{x.from, x.typ, e})
		}
	}
	compare := func(a, b half) int {
		if d := typeRank[a.typ] - typeRank[b.typ]; d != 0 {
			return int(d)
		}
		if d := rank[a.far] - rank[b.far]; d != 0 {
			return int(d)
		}
		return strings.Compare(v.edges.at(a.edge).qualifier, v.edges.at(b.edge).qualifier)
	}
	for _, n := range ranked {
		x := v.nodes.at(n)
		slices.SortFunc(x.out, compare)
		slices.SortFunc(x.in, compare)
	}
}

// arrange builds the orders from every named node by id.
func (v *view) arrange(ranked []int32) {
	byKind := map[uint32][]int32{}
	var living []int32
	for _, n := range ranked {
		if x := v.nodes.at(n); x.live != "" {
			living = append(living, n)
			byKind[x.kind] = append(byKind[x.kind], n)
		}
	}
	v.all = order{split(nil, living, nil, v.idOf)}
	for k, ns := range byKind {
		v.kinds[k] = order{split(nil, ns, nil, v.idOf)}
	}
}

// summarise sets what is kept of the merged entity beside its contributions.
func (x *node) summarise(words []string, number func(string) uint32) {
	x.flags &^= timed
	x.kind, x.role, x.domain = 0, 0, 0
	if x.live == "" {
		return
	}
	var valid graph.Interval
	if raw, rest := next(x.live); rest == "" {
		st := mustDecode(raw, true)
		x.kind, x.role, x.domain, valid = st.kind, st.role, st.domain, st.valid
	} else {
		e := mergedEntity(x.live, x.id, words)
		x.kind, x.role, x.domain, valid = number(string(e.Kind)), number(e.Role), number(e.Domain), e.Valid
	}
	if valid != (graph.Interval{}) {
		x.flags |= timed
	}
}

func (x *edge) summarise() {
	x.flags &^= timed
	for raw, rest := "", x.live; rest != ""; {
		raw, rest = next(rest)
		if st := mustDecode(raw, false); st.valid != (graph.Interval{}) {
			x.flags |= timed
		}
	}
}
