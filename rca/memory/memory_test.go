package memory_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"faultline/graph"
	"faultline/rca"
	"faultline/rca/memory"
)

var t0 = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// journal is a graph.Journal in memory that can be told to fail.
type journal struct {
	mu      sync.Mutex
	records map[[2]string]graph.Record
	fail    error
}

func (j *journal) Append(_ context.Context, rs []graph.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail != nil {
		return j.fail
	}
	if j.records == nil {
		j.records = map[[2]string]graph.Record{}
	}
	for _, r := range rs {
		if err := r.Validate(); err != nil {
			return err
		}
		j.records[[2]string{r.Stream, r.ID}] = r
	}
	return nil
}

func (j *journal) Records(_ context.Context, stream string, span graph.Interval) iter.Seq2[graph.Record, error] {
	j.mu.Lock()
	all := slices.Collect(maps.Values(j.records))
	j.mu.Unlock()
	slices.SortFunc(all, func(a, b graph.Record) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return func(yield func(graph.Record, error) bool) {
		for _, r := range all {
			if r.Stream == stream && span.Contains(r.At) && !yield(r, nil) {
				return
			}
		}
	}
}

func (j *journal) Drop(_ context.Context, source string) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := len(j.records)
	maps.DeleteFunc(j.records, func(_ [2]string, r graph.Record) bool { return r.Source == source })
	return n - len(j.records), nil
}

func open(t testing.TB, j graph.Journal) *memory.Memory {
	t.Helper()
	m, err := memory.Open(t.Context(), memory.Options{Journal: j, Kind: func(id graph.ID) graph.Kind {
		kind, _, _ := strings.Cut(string(id), "-")
		return graph.Kind(kind)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// incident reads alarms written as "TYPE@resource".
func incident(id string, hour int, domain, alarms string) rca.Incident {
	inc := rca.Incident{ID: id, First: t0.Add(time.Duration(hour) * time.Hour), Domains: []string{domain}}
	for a := range strings.FieldsSeq(alarms) {
		typ, res, _ := strings.Cut(a, "@")
		inc.Alarms = append(inc.Alarms, rca.Alarm{AlarmKey: rca.AlarmKey{Type: typ, Resource: graph.ID(res)}, Raised: inc.First})
	}
	return inc
}

// caseOf answers an incident with "MODE@resource".
func caseOf(inc rca.Incident, cause string) rca.Case {
	mode, res, _ := strings.Cut(cause, "@")
	return rca.Case{
		ID: "CASE-" + inc.ID, Incident: inc, AnalysedAt: inc.First.Add(time.Minute),
		Decision: rca.Decision{
			Determined: true, Hypotheses: []rca.Hypothesis{{Mode: mode, Resource: graph.ID(res), Confidence: 0.9}},
			Action: &rca.Action{Kind: "repair", Mode: mode, Resource: graph.ID(res)},
		},
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func add(t testing.TB, m *memory.Memory, cs ...rca.Case) {
	t.Helper()
	for _, c := range cs {
		if err := m.Add(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

func ids(cs []rca.Case) string {
	var out []string
	for _, c := range cs {
		out = append(out, c.Incident.ID)
	}
	return strings.Join(out, " ")
}

func TestAddIsIdempotentAndCountsVersions(t *testing.T) {
	j := &journal{}
	m := open(t, j)
	c := caseOf(incident("I1", 0, "transport", "LOS@port-1"), "FM-cut@fibre-1")
	add(t, m, c, c)
	if k := must[rca.KeptCase](t)(m.Get(t.Context(), c.ID)); k.Version != 1 || m.Len() != 1 {
		t.Fatalf("the same case twice gave version %d of %d cases", k.Version, m.Len())
	}
	again := c
	again.AnalysedAt, again.Incident.First = c.AnalysedAt.Add(time.Hour), c.Incident.First.Add(-time.Hour)
	add(t, m, again)
	for _, m := range []*memory.Memory{m, open(t, j)} {
		k := must[rca.KeptCase](t)(m.CaseOf(t.Context(), "I1"))
		if k.Version != 2 || !k.Case.AnalysedAt.Equal(again.AnalysedAt) || len(j.records) != 1 {
			t.Errorf("re-analysis gave version %d of %s in %d records", k.Version, k.Case.AnalysedAt, len(j.records))
		}
	}
}

func TestAddFailsWithoutATrace(t *testing.T) {
	j := &journal{fail: errors.New("disk full")}
	m := open(t, j)
	c := caseOf(incident("I1", 0, "ip", "A@r"), "FM-x@r")
	if err := m.Add(t.Context(), c); err == nil || err.Error() != "keep case CASE-I1: disk full" {
		t.Errorf("got %v", err)
	}
	if _, err := m.Get(t.Context(), c.ID); !errors.Is(err, graph.ErrNotFound) || m.Len() != 0 {
		t.Errorf("a case that was not kept is there: %v", err)
	}
	for field, spoil := range map[string]func(*rca.Case){
		"id": func(c *rca.Case) { c.ID = "" }, "incident.id": func(c *rca.Case) { c.Incident.ID = "" }, "analysed_at": func(c *rca.Case) { c.AnalysedAt = time.Time{} },
	} {
		bad := c
		spoil(&bad)
		if err := m.Add(t.Context(), bad); !errors.Is(err, rca.ErrInvalid) || !strings.Contains(err.Error(), field+": missing") {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestOpenNamesTheBrokenRecord(t *testing.T) {
	j := &journal{}
	if err := j.Append(t.Context(), []graph.Record{{Stream: memory.CaseStream, ID: "CASE-9", At: t0, Data: []byte("{")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := memory.Open(t.Context(), memory.Options{Journal: j}); err == nil || !strings.Contains(err.Error(), "read case CASE-9") {
		t.Errorf("got %v", err)
	}
	if _, err := memory.Open(t.Context(), memory.Options{}); !errors.Is(err, rca.ErrInvalid) || !strings.Contains(err.Error(), "Journal") {
		t.Errorf("got %v", err)
	}
}

func TestListIsNewestFirstAndFilters(t *testing.T) {
	m := open(t, &journal{})
	for i, d := range []string{"ip", "transport", "ip", "ip"} {
		add(t, m, caseOf(incident(fmt.Sprint("I", i), i, d, "A@r"), "FM-x@r"))
	}
	must[rca.Feedback](t)(m.RecordVerdict(t.Context(), "CASE-I2", rca.Feedback{By: "ann", At: t0, Right: true}))
	for _, tc := range []struct {
		name string
		f    memory.Filter
		want string
	}{
		{"all", memory.Filter{}, "I3 I2 I1 I0"},
		{"domain", memory.Filter{Domain: "ip"}, "I3 I2 I0"},
		{"span is half open", memory.Filter{From: t0.Add(time.Hour), To: t0.Add(3 * time.Hour)}, "I2 I1"},
		{"judged", memory.Filter{Judged: true}, "I2"},
		{"limit", memory.Filter{Limit: 2}, "I3 I2"},
	} {
		var got []rca.Case
		for _, k := range must[[]rca.KeptCase](t)(m.List(t.Context(), tc.f)) {
			got = append(got, k.Case)
		}
		if ids(got) != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, ids(got), tc.want)
		}
	}
}

func TestVerdictIsBoundToAVersion(t *testing.T) {
	j := &journal{}
	m := open(t, j)
	c := caseOf(incident("I1", 0, "ip", "A@r"), "FM-x@r")
	add(t, m, c)
	f := must[rca.Feedback](t)(m.RecordVerdict(t.Context(), c.ID, rca.Feedback{By: "ann", At: t0, Right: false, Note: "no"}))
	if f.Version != 1 || f.Mode != "FM-x" || f.Resource != "r" {
		t.Errorf("an unnamed cause was kept as %+v", f)
	}
	must[rca.Feedback](t)(m.RecordVerdict(t.Context(), c.ID, rca.Feedback{By: "ann", At: t0.Add(1), Right: true})) // changed her mind
	c.AnalysedAt = c.AnalysedAt.Add(time.Hour)
	add(t, m, c)
	for _, m := range []*memory.Memory{m, open(t, j)} {
		k := must[rca.KeptCase](t)(m.Get(t.Context(), c.ID))
		if len(k.Feedback) != 1 || !k.Feedback[0].Right || k.Rated() {
			t.Errorf("version %d has feedback %+v, rated %v; want the old verdict kept and the new version unrated", k.Version, k.Feedback, k.Rated())
		}
	}
	must[rca.Feedback](t)(m.RecordVerdict(t.Context(), c.ID, rca.Feedback{By: "ann", At: t0, Right: true}))
	if k := must[rca.KeptCase](t)(m.Get(t.Context(), c.ID)); !k.Rated() || len(k.Feedback) != 2 {
		t.Errorf("got %+v", k.Feedback)
	}
	for _, tc := range []struct {
		f    rca.Feedback
		id   string
		want string
	}{
		{rca.Feedback{At: t0}, c.ID, "by: missing: invalid"},
		{rca.Feedback{By: "ann"}, c.ID, "at: missing: invalid"},
		{rca.Feedback{By: "ann", At: t0, Version: 7}, c.ID, "version: 7 is not there yet, the latest is 2: invalid"},
		{rca.Feedback{By: "ann", At: t0, Version: 1}, c.ID, "mode: missing: invalid"},
		{rca.Feedback{By: "ann", At: t0, Mode: "FM-y"}, c.ID, "resource: missing: invalid"},
		{rca.Feedback{By: "ann", At: t0}, "CASE-none", "not found"},
	} {
		if _, err := m.RecordVerdict(t.Context(), tc.id, tc.f); err == nil || !strings.HasSuffix(err.Error(), tc.want) {
			t.Errorf("%+v: got %v, want %s", tc.f, err, tc.want)
		}
	}
}

func TestSimilar(t *testing.T) {
	m := open(t, &journal{})
	add(t, m,
		caseOf(incident("cut", 0, "transport", "LOS@port-1 LOF@port-1 LINK@ne-1"), "FM-cut@fibre-1"),
		caseOf(incident("cut-elsewhere", 1, "transport", "LOS@port-7 LOF@port-7 LINK@ne-7"), "FM-cut@fibre-7"),
		caseOf(incident("power", 2, "power_env", "MAINS@site-1 LINK@ne-1"), "FM-mains@site-1"),
		caseOf(incident("other", 3, "core", "CPU@nf-1"), "FM-sw@nf-1"),
	)
	inc := incident("new", 9, "transport", "LOS@port-1 LOF@port-1 LINK@ne-2")
	for k, want := range map[int]string{-1: "", 0: "", 1: "cut", 3: "cut cut-elsewhere power", 9: "cut cut-elsewhere power"} {
		if got := ids(must[[]rca.Case](t)(m.Similar(t.Context(), inc, k))); got != want {
			t.Errorf("k=%d: got %q, want %q", k, got, want)
		}
	}
	self := incident("cut", 0, "transport", "LOS@port-1 LOF@port-1 LINK@ne-1")
	if got := ids(must[[]rca.Case](t)(m.Similar(t.Context(), self, 1))); got != "cut-elsewhere" {
		t.Errorf("an incident found %q, want never itself", got)
	}
	self.ID = "twin"
	if ms := must[[]memory.Match](t)(m.Matches(t.Context(), self, 1)); ms[0].Score != 1 {
		t.Errorf("equal incidents score %v, want 1", ms[0].Score)
	}
}

func TestRareAlarmsWeighMore(t *testing.T) {
	m := open(t, &journal{})
	for i := range 20 {
		add(t, m, caseOf(incident(fmt.Sprint("door", i), i, "power_env", "DOOR@site-x"), "FM-door@site-x"))
	}
	add(t, m, caseOf(incident("rare", 30, "power_env", "FIRE@site-y"), "FM-fire@site-y"))
	if got := ids(must[[]rca.Case](t)(m.Similar(t.Context(), incident("new", 40, "power_env", "DOOR@site-z FIRE@site-z"), 1))); got != "rare" {
		t.Errorf("got %q, want the case that shares the rare alarm", got)
	}
}

func TestScoresDoNotDependOnTheOrderOfCases(t *testing.T) {
	var cases []rca.Case
	for i := range 40 {
		cases = append(cases, caseOf(incident(fmt.Sprint("I", i), i, "ip", fmt.Sprintf("A%d@r-%d B%d@r-%d C@q-%d", i%3, i%5, i%7, i, i%2)), "FM-x@r"))
	}
	inc := incident("new", 99, "ip", "A1@r-1 B2@r-2 C@q-0 D@r-3")
	scores := func(order []rca.Case) string {
		j := &journal{}
		m := open(t, j)
		add(t, m, order...)
		for i := range 10 {
			must[rca.Feedback](t)(m.RecordVerdict(t.Context(), fmt.Sprintf("CASE-I%d", i), rca.Feedback{By: "ann", At: t0, Mode: "FM-x", Resource: "r", Right: i%3 > 0}))
		}
		s := ""
		for _, m := range []*memory.Memory{m, open(t, j)} {
			for _, x := range must[[]memory.Match](t)(m.Matches(t.Context(), inc, 40)) {
				s += fmt.Sprintf("%s %b\n", x.Case.ID, math.Float64bits(x.Score))
			}
			s += fmt.Sprintln(must[[]rca.Suspect](t)(m.Bias(t.Context(), inc)))
			s += "--\n"
		}
		return s
	}
	want := scores(cases)
	if a, b, _ := strings.Cut(want, "--\n"); strings.TrimSuffix(b, "--\n") != a {
		t.Error("scores changed when the memory was opened again")
	}
	slices.Reverse(cases)
	if scores(cases) != want {
		t.Error("scores depend on the order in which cases were added")
	}
}

func TestBias(t *testing.T) {
	cut := incident("a", 0, "transport", "LOS@port-1 LOF@port-1")
	verdict := func(right bool) func(*testing.T, *memory.Memory, rca.Case) {
		return func(t *testing.T, m *memory.Memory, c rca.Case) {
			must[rca.Feedback](t)(m.RecordVerdict(t.Context(), c.ID, rca.Feedback{By: "ann", At: t0, Right: right}))
		}
	}
	none := func(*testing.T, *memory.Memory, rca.Case) {}
	for _, tc := range []struct {
		name  string
		past  rca.Incident
		plant *rca.Verdict
		say   func(*testing.T, *memory.Memory, rca.Case)
		want  string
	}{
		{"nobody judged", cut, nil, none, ""},
		{"confirmed by a person", cut, nil, verdict(true), "FM-cut@fibre-1 1.73 confirmed in CASE-a"},
		{"refuted by a person", cut, nil, verdict(false), "FM-cut@fibre-1 0.58 refuted in CASE-a"},
		{"confirmed by the plant", cut, &rca.Verdict{Confirmed: true}, none, "FM-cut@fibre-1 1.73 confirmed in CASE-a"},
		{"refuted by the plant", cut, &rca.Verdict{Wrong: []rca.AlarmKey{{Type: "LOS"}}}, none, "FM-cut@fibre-1 0.58 refuted in CASE-a"},
		{"the plant saw nothing", cut, &rca.Verdict{}, none, ""},
		{"a person overrules the plant", cut, &rca.Verdict{Confirmed: true}, verdict(false), "FM-cut@fibre-1 0.58 refuted in CASE-a"},
		{"another kind of trouble", incident("a", 0, "core", "CPU@nf-1"), nil, verdict(true), ""},
		{"its own case", incident("new", 0, "transport", "LOS@port-1 LOF@port-1"), nil, verdict(true), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := open(t, &journal{})
			c := caseOf(tc.past, "FM-cut@fibre-1")
			c.Verdict = tc.plant
			add(t, m, c)
			tc.say(t, m, c)
			got := ""
			for _, s := range must[[]rca.Suspect](t)(m.Bias(t.Context(), incident("new", 9, "transport", "LOS@port-1 LOF@port-1"))) {
				got += fmt.Sprintf("%s@%s %.2f %s", s.Mode, s.Resource, s.Prior, s.Reason)
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestBiasIsBounded(t *testing.T) {
	m := open(t, &journal{})
	for i := range 200 {
		c := caseOf(incident(fmt.Sprintf("I%03d", i), i, "ip", "A@r"), "FM-x@r")
		add(t, m, c)
		must[rca.Feedback](t)(m.RecordVerdict(t.Context(), c.ID, rca.Feedback{By: "ann", At: t0, Right: true}))
	}
	b := must[[]rca.Suspect](t)(m.Bias(t.Context(), incident("new", 300, "ip", "A@r")))
	if len(b) != 1 || b[0].Prior < 2.9 || b[0].Prior > 3 || b[0].Reason != "confirmed in CASE-I000, CASE-I001, CASE-I002 and 197 more" {
		t.Errorf("got %+v", b)
	}
}

func TestDroppedRecordsAreGone(t *testing.T) {
	j := &journal{}
	m := open(t, j)
	c := caseOf(incident("I1", 0, "ip", "A@r"), "FM-x@r")
	add(t, m, c)
	if _, err := j.Drop(t.Context(), memory.Source); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Get(t.Context(), c.ID); !errors.Is(err, graph.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if l := must[[]rca.KeptCase](t)(m.List(t.Context(), memory.Filter{})); len(l) != 0 {
		t.Errorf("listed %d dropped cases", len(l))
	}
}

func TestConcurrentUse(t *testing.T) {
	m := open(t, &journal{})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 25 {
				inc := incident(fmt.Sprint("I", i), i, "ip", fmt.Sprintf("A@r-%d B@r-%d", i, w))
				c := caseOf(inc, "FM-x@r")
				c.AnalysedAt = c.AnalysedAt.Add(time.Duration(w) * time.Second)
				if err := m.Add(t.Context(), c); err != nil {
					t.Error(err)
				}
				_, err1 := m.RecordVerdict(t.Context(), c.ID, rca.Feedback{By: fmt.Sprint(w), At: t0, Right: true})
				_, err2 := m.Similar(t.Context(), inc, 3)
				_, err3 := m.Bias(t.Context(), inc)
				_, err4 := m.List(t.Context(), memory.Filter{Judged: true, Limit: 2})
				_, err5 := m.Get(t.Context(), c.ID)
				if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range 25 {
		k := must[rca.KeptCase](t)(m.Get(t.Context(), fmt.Sprint("CASE-I", i)))
		if k.Version != 4 || len(k.Feedback) != 4 {
			t.Errorf("case %d has version %d and %d verdicts, want 4 and 4", i, k.Version, len(k.Feedback))
		}
	}
}

func TestKeptCaseSurvivesJSON(t *testing.T) {
	m := open(t, &journal{})
	c := caseOf(incident("I1", 0, "ip", "A@r"), "FM-x@r")
	c.Incident.Links = []rca.Link{{A: rca.AlarmKey{Type: "A", Resource: "r"}, B: rca.AlarmKey{Type: "B", Resource: "q"}, Reason: "A->B"}}
	add(t, m, c)
	want := must[[]byte](t)(json.Marshal(c))
	if got := must[[]byte](t)(json.Marshal(must[rca.KeptCase](t)(m.Get(t.Context(), c.ID)).Case)); string(got) != string(want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func BenchmarkMatches(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		m := open(b, &journal{})
		for i := range n {
			alarms := ""
			for k := range 30 {
				alarms += fmt.Sprintf("T%d@port-%d ", (i+k*k)%200, i*7+k)
			}
			add(b, m, caseOf(incident(fmt.Sprint("I", i), i, "ip", alarms), "FM-x@r"))
		}
		inc := incident("new", 0, "ip", "T1@port-1 T2@port-2 T5@port-9")
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := m.Matches(b.Context(), inc, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
