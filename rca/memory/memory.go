// Package memory keeps finished cases and what people and the plant said of them,
// and answers from them: which past cases resemble an incident, and which causes
// they make more or less likely.
//
// Cases live in a graph.Journal, one record each; only what comparisons need is
// held in memory. A verdict of a person is a record of its own, bound to the
// version of the case that was judged, so a new analysis never overwrites it. A
// Memory is safe for concurrent use. It must be the only writer of its streams.
package memory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"faultline/graph"
	"faultline/rca"
)

// Streams of the journal that a Memory owns, and the source that its records name.
const (
	CaseStream    = "cases"
	VerdictStream = "case-verdicts"
	Source        = "faultline/memory"
)

// Options are what a Memory needs.
type Options struct {
	Journal graph.Journal // required
	// Kind names the kind of a resource, or "". When nil, kinds take no part in
	// comparisons.
	Kind func(graph.ID) graph.Kind
}

// Memory is the store of cases.
type Memory struct {
	o       Options
	writing sync.Mutex // held over a write to the journal and to the index, so that both agree on the order

	mu         sync.RWMutex // guards the index below; never held while the journal is asked
	entries    map[string]*entry
	byIncident map[string]*entry
	index      features
}

// entry is what is held of one case. It is replaced, never changed.
type entry struct {
	id, incident string
	at           time.Time // of the record; fixed by the first analysis
	first        time.Time
	analysed     time.Time
	domains      []string
	version      int
	digest       [sha256.Size]byte
	top          rca.Cause // the answer
	brief        rca.Case  // who resembles it, and what came out; see briefOf
	plant        *judgement
	feedback     []rca.Feedback // by (version, by)
	feats        [fieldCount][]int32
}

// stored is the data of a record in CaseStream.
type stored struct {
	Version int          `json:"version"`
	Kinds   []graph.Kind `json:"kinds,omitempty"`
	Case    rca.Case     `json:"case"`
}

// Open reads what the journal holds.
func Open(ctx context.Context, o Options) (*Memory, error) {
	if o.Journal == nil {
		return nil, fmt.Errorf("memory options: Journal missing: %w", rca.ErrInvalid)
	}
	m := &Memory{o: o, entries: map[string]*entry{}, byIncident: map[string]*entry{}, index: newFeatures()}
	for r, err := range o.Journal.Records(ctx, CaseStream, graph.Interval{}) {
		if err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
		var s stored
		if err := json.Unmarshal(r.Data, &s); err != nil {
			return nil, fmt.Errorf("read case %s: %w", r.ID, err)
		}
		digest, err := digestOf(s.Case)
		if err != nil {
			return nil, fmt.Errorf("read case %s: %w", r.ID, err)
		}
		m.put(m.entryOf(s, r.At, digest))
	}
	for r, err := range o.Journal.Records(ctx, VerdictStream, graph.Interval{}) {
		if err != nil {
			return nil, fmt.Errorf("read verdicts: %w", err)
		}
		var v verdictRecord
		if err := json.Unmarshal(r.Data, &v); err != nil {
			return nil, fmt.Errorf("read verdict %s: %w", r.ID, err)
		}
		if e := m.entries[v.Case]; e != nil {
			e.feedback = withFeedback(e.feedback, v.Feedback)
		}
	}
	return m, nil
}

// Add keeps a case. It is durable when Add returns nil. The same case again does
// nothing; another analysis under the same id replaces the case and counts its
// version up.
func (m *Memory) Add(ctx context.Context, c rca.Case) error {
	for _, f := range []struct {
		name string
		bad  bool
	}{{"id", c.ID == ""}, {"incident.id", c.Incident.ID == ""}, {"analysed_at", c.AnalysedAt.IsZero()}} {
		if f.bad {
			return fmt.Errorf("keep case %q: %s: missing: %w", c.ID, f.name, rca.ErrInvalid)
		}
	}
	digest, err := digestOf(c)
	if err != nil {
		return fmt.Errorf("keep case %s: %w", c.ID, err)
	}
	m.writing.Lock()
	defer m.writing.Unlock()
	s, at := stored{Version: 1, Kinds: m.kinds(c.Incident), Case: c}, c.Incident.First
	if at.IsZero() {
		at = c.AnalysedAt
	}
	at = at.UTC().Truncate(step)
	old := m.entry(c.ID)
	if old != nil {
		if old.digest == digest {
			return nil
		}
		s.Version, at = old.version+1, old.at
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("keep case %s: %w", c.ID, err)
	}
	if err := m.o.Journal.Append(ctx, []graph.Record{{Stream: CaseStream, ID: c.ID, Source: Source, At: at, Data: data}}); err != nil {
		return fmt.Errorf("keep case %s: %w", c.ID, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entryOf(s, at, digest)
	if old != nil {
		e.feedback = old.feedback
	}
	m.put(e)
	return nil
}

// step is the grain of record times: a record is found again in [at, at+step).
const step = time.Millisecond

// Get returns a case, or graph.ErrNotFound.
func (m *Memory) Get(ctx context.Context, id string) (rca.KeptCase, error) {
	e := m.entry(id)
	if e == nil {
		return rca.KeptCase{}, fmt.Errorf("case %s: %w", id, graph.ErrNotFound)
	}
	return m.load(ctx, e)
}

// CaseOf returns the case of an incident, or graph.ErrNotFound.
func (m *Memory) CaseOf(ctx context.Context, incident string) (rca.KeptCase, error) {
	m.mu.RLock()
	e := m.byIncident[incident]
	m.mu.RUnlock()
	if e == nil {
		return rca.KeptCase{}, fmt.Errorf("case of incident %s: %w", incident, graph.ErrNotFound)
	}
	return m.load(ctx, e)
}

// Filter narrows List. Zero fields do not filter.
type Filter struct {
	From, To time.Time // the incident's first alarm lies in [From, To)
	Domain   string    // one of the incident's domains
	Judged   bool      // only cases that a person or the plant judged
	Limit    int       // 0 means no limit
}

// List returns cases, the latest analysis first, then by id.
func (m *Memory) List(ctx context.Context, f Filter) ([]rca.KeptCase, error) {
	span := graph.Interval{From: f.From, To: f.To}
	var found []*entry
	m.mu.RLock()
	for _, e := range m.entries {
		if span.Contains(e.first) && (f.Domain == "" || slices.Contains(e.domains, f.Domain)) && (!f.Judged || len(e.judgements()) > 0) {
			found = append(found, e)
		}
	}
	m.mu.RUnlock()
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Or(b.analysed.Compare(a.analysed), cmp.Compare(a.id, b.id)) })
	if f.Limit > 0 && len(found) > f.Limit {
		found = found[:f.Limit]
	}
	out := make([]rca.KeptCase, 0, len(found))
	for _, e := range found {
		k, err := m.load(ctx, e)
		if errors.Is(err, graph.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// Len is the number of cases.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.entries)
}

func (m *Memory) entry(id string) *entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.entries[id]
}

// load reads the case of an entry. A record that was dropped with its source is
// not found.
func (m *Memory) load(ctx context.Context, e *entry) (rca.KeptCase, error) {
	for r, err := range m.o.Journal.Records(ctx, CaseStream, graph.Interval{From: e.at, To: e.at.Add(step)}) {
		if err != nil {
			return rca.KeptCase{}, fmt.Errorf("read case %s: %w", e.id, err)
		}
		if r.ID != e.id {
			continue
		}
		var s stored
		if err := json.Unmarshal(r.Data, &s); err != nil {
			return rca.KeptCase{}, fmt.Errorf("read case %s: %w", e.id, err)
		}
		return rca.KeptCase{Case: s.Case, Version: s.Version, Feedback: slices.Clone(e.feedback)}, nil
	}
	return rca.KeptCase{}, fmt.Errorf("case %s: %w", e.id, graph.ErrNotFound)
}

// put makes e the entry of its id. The caller holds mu or is Open.
func (m *Memory) put(e *entry) {
	if old := m.entries[e.id]; old != nil {
		m.index.forget(old.feats)
		if m.byIncident[old.incident] == old {
			delete(m.byIncident, old.incident)
		}
	}
	m.index.count(e.feats)
	m.entries[e.id], m.byIncident[e.incident] = e, e
}

func (m *Memory) entryOf(s stored, at time.Time, digest [sha256.Size]byte) *entry {
	c := s.Case
	e := &entry{
		id: c.ID, incident: c.Incident.ID, at: at, first: c.Incident.First, analysed: c.AnalysedAt, domains: c.Incident.Domains,
		version: s.Version, digest: digest, feats: m.index.intern(namesOf(c.Incident, s.Kinds)),
	}
	if h := c.Decision.Hypotheses; len(h) > 0 {
		e.top = rca.Cause{Mode: h[0].Mode, Resource: h[0].Resource, Confidence: h[0].Confidence}
	}
	e.plant, e.brief = plantJudgement(c), briefOf(c)
	return e
}

// briefOf keeps of a case what an answer about another incident tells of it: names,
// times, the reason and the leading hypotheses, the verdict. Alarms, paths and
// evidence stay in the journal.
func briefOf(c rca.Case) rca.Case {
	b := rca.Case{ID: c.ID, Incident: c.Incident, AnalysedAt: c.AnalysedAt, Verdict: c.Verdict}
	b.Incident.Alarms, b.Incident.Links = nil, nil
	b.Decision = rca.Decision{Determined: c.Decision.Determined, Reason: c.Decision.Reason, Causes: c.Decision.Causes}
	for _, h := range c.Decision.Hypotheses[:min(3, len(c.Decision.Hypotheses))] {
		b.Decision.Hypotheses = append(b.Decision.Hypotheses, rca.Hypothesis{
			Mode: h.Mode, Name: h.Name, Resource: h.Resource, Domain: h.Domain, Score: h.Score, Confidence: h.Confidence, Explains: h.Explains, Of: h.Of,
		})
	}
	return b
}

func (m *Memory) kinds(inc rca.Incident) []graph.Kind {
	if m.o.Kind == nil {
		return nil
	}
	var out []graph.Kind
	for _, a := range inc.Alarms {
		if k := m.o.Kind(a.Resource); k != "" {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func digestOf(c rca.Case) ([sha256.Size]byte, error) {
	b, err := json.Marshal(c)
	return sha256.Sum256(b), err
}
