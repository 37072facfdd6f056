// Package graphtest holds what every graph.Store must do, as tests: TestStore for the
// graph, TestJournal for stores that keep records, TestKill for what must survive a
// killed process, TestLostServer for what must survive a killed server. A store that cannot pass one case does not fit
// the contract; there are no options to leave cases out.
package graphtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline/graph"
)

// Open opens the store that is kept in a folder, which may be new and empty. It fails
// the test when it cannot. The suite closes the store.
type Open func(t *testing.T, dir string) graph.Store

// Epoch is the recorded time from which the suite counts.
var Epoch = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func at(sec int) time.Time { return Epoch.Add(time.Duration(sec) * time.Second) }

var now graph.AsOf

// TestStore runs the suite of graph.Store.
func TestStore(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s graph.Store)
	}{
		{"not found", testNotFound},
		{"put and retract", testPutRetract},
		{"replace", testReplace},
		{"merge of sources", testMerge},
		{"drop source", testDropSource},
		{"change ids", testChangeIDs},
		{"all or none", testAllOrNone},
		{"invalid changes", testInvalid},
		{"values are copies", testCopies},
		{"times", testTimes},
		{"order of relations", testRelationOrder},
		{"filters of relations", testRelationFilters},
		{"find", testFind},
		{"paging", testPaging},
		{"stopping early", testStop},
		{"dangling relations", testDangling},
		{"valid time", testValidTime},
		{"recorded time", testRecordedTime},
		{"recorded time of relations", testRecordedRelations},
		{"random histories", testHistories},
		{"concurrent use", testConcurrent},
		{"cancelled context", testCancelled},
		{"ledger", testLedger},
		{"view", testView},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, t.TempDir())
			t.Cleanup(func() { s.Close() })
			c.run(t, s)
		})
	}
	t.Run("reopen", func(t *testing.T) { testReopen(t, open) })
	t.Run("closed", func(t *testing.T) { testClosed(t, open) })
}

// Short forms for writing histories.

func entity(id graph.ID, kind graph.Kind) graph.Entity { return graph.Entity{ID: id, Kind: kind} }

func put(sec int, source string, e graph.Entity) graph.Change {
	return graph.Change{Op: graph.OpPut, At: at(sec), By: graph.Provenance{Source: source}, Entity: &e}
}

func link(sec int, source string, from graph.ID, t graph.RelationType, to graph.ID) graph.Change {
	return putRelation(sec, source, graph.Relation{From: from, Type: t, To: to})
}

func putRelation(sec int, source string, r graph.Relation) graph.Change {
	return graph.Change{Op: graph.OpPut, At: at(sec), By: graph.Provenance{Source: source}, Relation: &r}
}

func retract(c graph.Change, sec int) graph.Change {
	c.Op, c.At, c.ID = graph.OpRetract, at(sec), ""
	return c
}

func drop(sec int, source string) graph.Change {
	return graph.Change{Op: graph.OpDropSource, At: at(sec), By: graph.Provenance{Source: source}}
}

func apply(t *testing.T, s graph.Writer, changes ...graph.Change) {
	t.Helper()
	if err := s.Apply(t.Context(), changes); err != nil {
		t.Fatalf("apply: %v", err)
	}
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		if err != nil {
			t.Fatalf("sequence: %v", err)
		}
		out = append(out, v)
	}
	return out
}

func firstError[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// relations writes relations as "from -TYPE-> to [qualifier]; ...".
func relations(t *testing.T, s graph.Reader, id graph.ID, f graph.Filter) string {
	t.Helper()
	var keys []string
	for _, r := range collect(t, s.Relations(t.Context(), id, f)) {
		keys = append(keys, r.Key().String())
	}
	return strings.Join(keys, "; ")
}

func found(t *testing.T, s graph.Reader, q graph.Query) string {
	t.Helper()
	var ids []string
	for _, e := range collect(t, s.Find(t.Context(), q)) {
		ids = append(ids, string(e.ID))
	}
	return strings.Join(ids, " ")
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func missing(t *testing.T, s graph.Reader, id graph.ID, at graph.AsOf) {
	t.Helper()
	_, err := s.Entity(t.Context(), id, at)
	wantError(t, fmt.Sprintf("entity %s", id), err, graph.ErrNotFound)
}

func get(t *testing.T, s graph.Reader, id graph.ID, at graph.AsOf) graph.Entity {
	t.Helper()
	e, err := s.Entity(t.Context(), id, at)
	if err != nil {
		t.Errorf("entity %s: %v", id, err)
	}
	return e
}

// dump writes all that a reader sees at a time, one line per element.
func dump(ctx context.Context, s graph.Reader, at graph.AsOf) (string, error) {
	var b strings.Builder
	for e, err := range s.Find(ctx, graph.Query{AsOf: at}) {
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%+v\n", e)
		one, err := s.Entity(ctx, e.ID, at)
		if err != nil || !reflect.DeepEqual(one, e) {
			return "", fmt.Errorf("list yields %+v, Entity %+v (%w)", e, one, err)
		}
		for r, err := range s.Relations(ctx, e.ID, graph.Filter{AsOf: at}) {
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "  %+v\n", r)
			into := slices.ContainsFunc(slices.Collect(values(s.Relations(ctx, r.To, graph.Filter{Dir: graph.In, AsOf: at}))),
				func(x graph.Relation) bool { return reflect.DeepEqual(x, r) })
			if !into {
				return "", fmt.Errorf("%s leaves %s but does not enter %s", r.Key(), r.From, r.To)
			}
		}
	}
	return b.String(), nil
}

func values[T any](seq iter.Seq2[T, error]) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v, err := range seq {
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

func mustDump(t *testing.T, s graph.Reader, at graph.AsOf) string {
	t.Helper()
	text, err := dump(t.Context(), s, at)
	if err != nil {
		t.Fatalf("dump: %v", err)
	}
	return text
}

func sources(t *testing.T, s graph.Ledger) []graph.SourceCount {
	t.Helper()
	list, err := s.Sources(t.Context())
	if err != nil {
		t.Fatalf("sources: %v", err)
	}
	return list
}
