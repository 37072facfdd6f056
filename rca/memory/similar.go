package memory

import (
	"cmp"
	"context"
	"math"
	"slices"

	"faultline/graph"
	"faultline/rca"
)

// The fields by which incidents are compared, and their share of the score. Alarm
// types say what happened; where it happened says less about what will help.
const (
	byType = iota
	byResource
	byKind
	byDomain
	fieldCount
)

var fieldShare = [fieldCount]float64{byType: 0.6, byResource: 0.15, byKind: 0.15, byDomain: 0.1}

// Match is a past case and how much it resembles an incident, in (0, 1].
type Match struct {
	Case  rca.Case
	Score float64
}

// Matches returns the k past cases most like an incident, best first, then by id.
// The score is the mean, by fieldShare, of one weighted Jaccard index per field:
// alarm types, resources, kinds and domains, each member weighted by how rare it is
// among the cases, log(1 + N/(1+n)) for n of N cases. Fields that are empty on
// both sides are left out. The incident's own case is never returned. Cases come in
// brief: without alarms, paths and evidence; Get has the whole.
func (m *Memory) Matches(_ context.Context, inc rca.Incident, k int) ([]Match, error) {
	type scored struct {
		e *entry
		s float64
	}
	kinds := m.kinds(inc)
	var found []scored
	m.mu.RLock()
	like := m.index.scorer(namesOf(inc, kinds), len(m.entries))
	for _, e := range m.entries {
		if e.incident == inc.ID {
			continue
		}
		if s := like(e.feats); s > 0 {
			found = append(found, scored{e, s})
		}
	}
	m.mu.RUnlock()
	slices.SortFunc(found, func(a, b scored) int { return cmp.Or(cmp.Compare(b.s, a.s), cmp.Compare(a.e.id, b.e.id)) })
	out := make([]Match, 0, min(max(k, 0), len(found)))
	for _, f := range found {
		if len(out) == cap(out) {
			break
		}
		out = append(out, Match{f.e.brief, f.s})
	}
	return out, nil
}

// Similar is Matches without the scores.
func (m *Memory) Similar(ctx context.Context, inc rca.Incident, k int) ([]rca.Case, error) {
	found, err := m.Matches(ctx, inc, k)
	out := make([]rca.Case, 0, len(found))
	for _, f := range found {
		out = append(out, f.Case)
	}
	return out, err
}

// namesOf are an incident's members of every field.
func namesOf(inc rca.Incident, kinds []graph.Kind) [fieldCount][]string {
	var n [fieldCount][]string
	for _, a := range inc.Alarms {
		n[byType] = append(n[byType], a.Type)
		n[byResource] = append(n[byResource], string(a.Resource))
	}
	for _, k := range kinds {
		n[byKind] = append(n[byKind], string(k))
	}
	n[byDomain] = slices.Clone(inc.Domains)
	for i := range n {
		slices.Sort(n[i])
		n[i] = slices.Compact(n[i])
	}
	return n
}

// features numbers the members of each field and counts the cases that have them.
type features struct {
	ids [fieldCount]map[string]int32
	n   [fieldCount][]int32
}

func newFeatures() features {
	var f features
	for i := range f.ids {
		f.ids[i] = map[string]int32{}
	}
	return f
}

func (f *features) intern(names [fieldCount][]string) [fieldCount][]int32 {
	var out [fieldCount][]int32
	for i, list := range names {
		for _, name := range list {
			id, ok := f.ids[i][name]
			if !ok {
				id = int32(len(f.n[i]))
				f.ids[i][name] = id
				f.n[i] = append(f.n[i], 0)
			}
			out[i] = append(out[i], id)
		}
		slices.Sort(out[i])
	}
	return out
}

func (f *features) count(feats [fieldCount][]int32)  { f.add(feats, 1) }
func (f *features) forget(feats [fieldCount][]int32) { f.add(feats, -1) }

func (f *features) add(feats [fieldCount][]int32, by int32) {
	for i, list := range feats {
		for _, id := range list {
			f.n[i][id] += by
		}
	}
}

// scorer compares one incident with cases. Weights are integers, in millionths, so
// that sums do not depend on the order in which members were numbered.
func (f *features) scorer(names [fieldCount][]string, cases int) func([fieldCount][]int32) float64 {
	memo := make([]int64, cases+1)
	weight := func(n int32) int64 {
		if memo[n] == 0 {
			memo[n] = int64(math.Round(1e6 * math.Log(1+float64(cases)/float64(1+n))))
		}
		return memo[n]
	}
	var known [fieldCount][]int32
	var total [fieldCount]int64 // of the incident's members, those that no case has included
	for i, list := range names {
		for _, name := range list {
			if id, ok := f.ids[i][name]; ok {
				known[i] = append(known[i], id)
				total[i] += weight(f.n[i][id])
			} else {
				total[i] += weight(0)
			}
		}
		slices.Sort(known[i])
	}
	return func(feats [fieldCount][]int32) float64 {
		var score, shares float64
		for i, theirs := range feats {
			if len(theirs) == 0 && len(names[i]) == 0 {
				continue
			}
			var common int64
			union, mine := total[i], known[i]
			for _, id := range theirs {
				for len(mine) > 0 && mine[0] < id {
					mine = mine[1:]
				}
				if w := weight(f.n[i][id]); len(mine) > 0 && mine[0] == id {
					common += w
				} else {
					union += w
				}
			}
			shares += fieldShare[i]
			if union > 0 {
				score += fieldShare[i] * float64(common) / float64(union)
			}
		}
		if shares == 0 {
			return 0
		}
		return score / shares
	}
}
