package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"faultline/graph"
	"faultline/rca"
)

// verdictRecord is the data of a record in VerdictStream.
type verdictRecord struct {
	Case     string       `json:"case"`
	Feedback rca.Feedback `json:"feedback"`
}

// judgement is one statement about the truth of an incident.
type judgement struct {
	mode     string
	resource graph.ID
	right    bool
}

// RecordVerdict keeps a person's verdict on a case and returns it as kept. A zero
// Version means the present one; an empty Mode means the case's own answer, which
// is known of the present version alone. One person has one verdict per version: a
// later one replaces it. Errors: graph.ErrNotFound, rca.ErrInvalid naming the field.
func (m *Memory) RecordVerdict(ctx context.Context, caseID string, f rca.Feedback) (rca.Feedback, error) {
	m.writing.Lock()
	defer m.writing.Unlock()
	e := m.entry(caseID)
	if e == nil {
		return f, fmt.Errorf("judge case %s: %w", caseID, graph.ErrNotFound)
	}
	if f.Version == 0 {
		f.Version = e.version
	}
	if f.Version > e.version {
		return f, fmt.Errorf("judge case %s: version: %d is not there yet, the latest is %d: %w", caseID, f.Version, e.version, rca.ErrInvalid)
	}
	if f.Mode == "" && f.Version == e.version {
		f.Mode, f.Resource = e.top.Mode, e.top.Resource
	}
	if err := f.Validate(); err != nil {
		return f, fmt.Errorf("judge case %s: %w", caseID, err)
	}
	data, err := json.Marshal(verdictRecord{caseID, f})
	if err != nil {
		return f, fmt.Errorf("judge case %s: %w", caseID, err)
	}
	id := fmt.Sprintf("%q/%d/%q", caseID, f.Version, f.By) // quoted, since ids and names may hold slashes
	if err := m.o.Journal.Append(ctx, []graph.Record{{Stream: VerdictStream, ID: id, Source: Source, At: f.At, Data: data}}); err != nil {
		return f, fmt.Errorf("judge case %s: %w", caseID, err)
	}
	next := *e
	next.feedback = withFeedback(e.feedback, f)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(&next)
	return f, nil
}

// withFeedback returns a new list with f in its place.
func withFeedback(list []rca.Feedback, f rca.Feedback) []rca.Feedback {
	order := func(a, b rca.Feedback) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.By, b.By))
	}
	out := slices.Clone(list)
	i, there := slices.BinarySearchFunc(out, f, order)
	if there {
		out[i] = f
		return out
	}
	return slices.Insert(out, i, f)
}

// plantJudgement reads the plant's verdict as a statement about the cause that the
// action was for. An action that cleared nothing and left nothing standing says nothing.
func plantJudgement(c rca.Case) *judgement {
	v, a := c.Verdict, c.Decision.Action
	if v == nil || a == nil || !v.Confirmed && len(v.Wrong) == 0 {
		return nil
	}
	return &judgement{a.Mode, a.Resource, v.Confirmed}
}

// judgements are the statements that count, by (mode, resource): of what people
// said of one cause the latest, whichever version they looked at, since they name
// the cause; then the plant's.
func (e *entry) judgements() []judgement {
	said := slices.Clone(e.feedback)
	slices.SortStableFunc(said, func(a, b rca.Feedback) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.By, b.By)) })
	var out []judgement
	add := func(j judgement) {
		if !slices.ContainsFunc(out, func(o judgement) bool { return o.mode == j.mode && o.resource == j.resource }) {
			out = append(out, j)
		}
	}
	for _, f := range said {
		add(judgement{f.Mode, f.Resource, f.Right})
	}
	if e.plant != nil {
		add(*e.plant)
	}
	slices.SortFunc(out, func(a, b judgement) int {
		return cmp.Or(cmp.Compare(a.mode, b.mode), cmp.Compare(a.resource, b.resource))
	})
	return out
}

// Bounds of Bias.
const (
	maxBias = 3.0 // no amount of past cases moves a prior further than this factor, up or down
	minLike = 0.2 // cases less similar than this say nothing
)

// Bias says what judged past cases suggest about an incident: per fault mode and
// resource a factor on its prior, by (mode, resource). With s the similarity of a
// case and n the sum of +s where the cause was confirmed and -s where it was
// refuted, the factor is 3^(n/(1+|n|)): 1.7 after one confirmed twin, 2.1 after
// two, never above 3 or below 1/3. Cases without a verdict, and the incident's own
// case, do not count.
func (m *Memory) Bias(ctx context.Context, inc rca.Incident) ([]rca.Suspect, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	type sum struct {
		net      float64
		yes, no  []string
		mode     string
		resource graph.ID
	}
	kinds := m.kinds(inc)
	sums := map[judgement]*sum{}
	m.mu.RLock()
	var judged []*entry
	for _, e := range m.entries {
		if e.incident != inc.ID && (len(e.feedback) > 0 || e.plant != nil) {
			judged = append(judged, e)
		}
	}
	// In a fixed order, so that sums of floats come out the same each time.
	slices.SortFunc(judged, func(a, b *entry) int { return cmp.Compare(a.id, b.id) })
	like := m.index.scorer(namesOf(inc, kinds), len(m.entries))
	for _, e := range judged {
		s := like(e.feats)
		if s < minLike {
			continue
		}
		for _, j := range e.judgements() {
			if j.mode == rca.UnknownMode {
				continue
			}
			key := judgement{mode: j.mode, resource: j.resource}
			if sums[key] == nil {
				sums[key] = &sum{mode: j.mode, resource: j.resource}
			}
			if x := sums[key]; j.right {
				x.net += s
				x.yes = append(x.yes, e.id)
			} else {
				x.net -= s
				x.no = append(x.no, e.id)
			}
		}
	}
	m.mu.RUnlock()
	out := make([]rca.Suspect, 0, len(sums))
	for _, x := range sums {
		var why []string
		if len(x.yes) > 0 {
			why = append(why, "confirmed in "+some(x.yes))
		}
		if len(x.no) > 0 {
			why = append(why, "refuted in "+some(x.no))
		}
		out = append(out, rca.Suspect{Mode: x.mode, Resource: x.resource, Prior: math.Pow(maxBias, x.net/(1+math.Abs(x.net))), Reason: strings.Join(why, "; ")})
	}
	slices.SortFunc(out, func(a, b rca.Suspect) int {
		return cmp.Or(cmp.Compare(a.Mode, b.Mode), cmp.Compare(a.Resource, b.Resource))
	})
	return out, nil
}

// some names up to three ids.
func some(ids []string) string {
	const show = 3
	if len(ids) > show {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:show], ", "), len(ids)-show)
	}
	return strings.Join(ids, ", ")
}
