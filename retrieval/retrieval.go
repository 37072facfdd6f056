// Package retrieval finds what is written about an incident: passages of manuals, past
// work orders and past cases. It owns retrieval's nouns (Item, Query, Hit), the
// contract of an Index, the Retriever that turns an incident into evidence, and the
// Sync that keeps an index equal to the graph.
//
// No words are needed to ask: alarm types and resources are seeds of a walk over the
// graph of texts and what they define and mention. Words help when there are some. A
// hit says how it was found: the score of each arm, the matched words, and the edges
// from a seed. The same index and query give the same hits in the same order.
package retrieval

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"faultline/graph"
)

// ErrInvalid marks input that the caller must mend.
var ErrInvalid = errors.New("invalid")

// Kind says what an item or hit is.
type Kind string

// Kinds of items and hits.
const (
	KindPassage   Kind = "passage"    // a piece of a document
	KindWorkOrder Kind = "work-order" // a ticket
	KindCase      Kind = "case"       // a past analysis
	KindEntity    Kind = "entity"     // what texts are about: alarm type, fault mode, procedure, document
)

func (k Kind) known() bool {
	switch k {
	case KindPassage, KindWorkOrder, KindCase, KindEntity:
		return true
	}
	return false
}

// Link is a relation from an item to something else, indexed or not.
type Link struct {
	Type graph.RelationType `json:"type"`
	To   graph.ID           `json:"to"`
}

// Item is one thing that can be found. Its ID is that of its entity in the graph.
type Item struct {
	ID      graph.ID `json:"id"`
	Kind    Kind     `json:"kind"`
	Title   string   `json:"title,omitempty"`
	Text    string   `json:"text,omitempty"`
	Aliases []string `json:"aliases,omitempty"` // further names that texts use for it
	Source  string   `json:"source,omitempty"`  // what it can be looked up in: file, ticket system
	Anchor  string   `json:"anchor,omitempty"`  // where in Source
	// What queries filter by. Document is the id of the document that it is part of.
	Domain   string   `json:"domain,omitempty"`
	Vendor   string   `json:"vendor,omitempty"`
	Release  string   `json:"release,omitempty"`
	Document graph.ID `json:"document,omitempty"`
	// Time is when what it says was known, for a ticket when it was resolved. Zero
	// means timeless; a timeless item passes every filter on time.
	Time  time.Time `json:"time,omitzero"`
	Links []Link    `json:"links,omitempty"`
}

// Validate names the first bad field, wrapped in ErrInvalid.
func (i Item) Validate() error {
	switch {
	case i.ID == "":
		return fmt.Errorf("item %q: id: missing: %w", i.Title, ErrInvalid)
	case !i.Kind.known():
		return fmt.Errorf("item %q: kind: unknown %q: %w", i.ID, i.Kind, ErrInvalid)
	}
	for n, l := range i.Links {
		if l.To == "" || l.Type == "" {
			return fmt.Errorf("item %q: links[%d]: type or end missing: %w", i.ID, n, ErrInvalid)
		}
	}
	return nil
}

// DefaultLimit is how many hits a Query without a limit returns.
const DefaultLimit = 10

// MaxLimit is the largest limit that a Query may ask for.
const MaxLimit = 1000

// Query asks an Index. Text or Seeds must be given. Empty filters do not filter.
type Query struct {
	// Text is words, "quoted phrases" and prefix* in any mix; nothing in it is
	// required to match.
	Text  string     `json:"text,omitempty"`
	Seeds []graph.ID `json:"seeds,omitempty"` // entities that the question is about, indexed or not

	Kinds    []Kind   `json:"kinds,omitempty"`
	Domain   string   `json:"domain,omitempty"`
	Vendor   string   `json:"vendor,omitempty"`
	Release  string   `json:"release,omitempty"`
	Document graph.ID `json:"document,omitempty"`
	Source   string   `json:"source,omitempty"`
	// Time keeps items that were known within it.
	Time  graph.Interval `json:"time,omitzero"`
	Limit int            `json:"limit,omitempty"` // 0 means DefaultLimit
}

// Validate names the first bad field, wrapped in ErrInvalid.
func (q Query) Validate() error {
	switch {
	case q.Text == "" && len(q.Seeds) == 0:
		return fmt.Errorf("query: text and seeds: both missing: %w", ErrInvalid)
	case q.Limit < 0 || q.Limit > MaxLimit:
		return fmt.Errorf("query: limit: %d is not in 0..%d: %w", q.Limit, MaxLimit, ErrInvalid)
	}
	for _, k := range q.Kinds {
		if !k.known() {
			return fmt.Errorf("query: kinds: unknown %q: %w", k, ErrInvalid)
		}
	}
	return nil
}

// Match reports whether the query's filters let an item through.
func (q Query) Match(i *Item) bool {
	if len(q.Kinds) > 0 {
		found := false
		for _, k := range q.Kinds {
			found = found || k == i.Kind
		}
		if !found {
			return false
		}
	}
	is := func(want, have string) bool { return want == "" || want == have }
	return is(q.Domain, i.Domain) && is(q.Vendor, i.Vendor) && is(q.Release, i.Release) && is(q.Source, i.Source) &&
		is(string(q.Document), string(i.Document)) && (i.Time.IsZero() || q.Time.Contains(i.Time))
}

// Hit is one answer, with how it was found.
type Hit struct {
	ID      graph.ID `json:"id"`
	Kind    Kind     `json:"kind"`
	Title   string   `json:"title,omitempty"`
	Text    string   `json:"text,omitempty"`
	Source  string   `json:"source,omitempty"`
	Anchor  string   `json:"anchor,omitempty"`
	Score   float64  `json:"score"`   // what hits are ordered by, then id
	Lexical float64  `json:"lexical"` // score of the word arm; 0 when no word matched
	Graph   float64  `json:"graph"`   // share of the walk that ended here; 0 when the walk did not come by
	// Why is for people: the matched words, then the edges back to a seed.
	Why   []string   `json:"why,omitempty"`
	About []graph.ID `json:"about,omitempty"` // far ends of the item's links, sorted
}

// Index keeps items and finds them. Implementations are safe for concurrent use.
type Index interface {
	// Put adds items, or replaces those of the same id, all or none. An item that is
	// there already, unchanged, costs nothing.
	Put(ctx context.Context, items []Item) error
	// Delete removes items; ids that are not there are ignored. The index is then as
	// if they had never been put.
	Delete(ctx context.Context, ids []graph.ID) error
	// Search returns at most Limit hits, best first, ties by id.
	Search(ctx context.Context, q Query) ([]Hit, error)
	// IDs yields the ids of all items, sorted.
	IDs(ctx context.Context) iter.Seq2[graph.ID, error]
}
