package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"faultline/rca"
)

// truth is one injected fault as the plant recorded it. Only this file and the
// code that feeds it handle truth; no analysis ever sees one.
type truth struct {
	id       string
	mode     string
	resource string
	domain   string
	alarms   []seen      // alarms that it caused
	edges    [][2]string // alarm key to alarm key; the first is mode@resource for the root
}

// seen is one occurrence of an alarm in the plant's own time.
type seen struct {
	key string
	at  time.Time
}

// clockSlack is how far an element's clock and the plant's may be apart.
const clockSlack = 2 * time.Minute

// lateness is how long an element may keep an alarm to itself.
const lateness = 12 * time.Hour

// outcome is how one fault was answered.
type outcome struct {
	truth
	incident   string
	rank       int // of (mode, resource); 0 absent
	rankPlace  int // of the resource alone
	domainHit  bool
	abstained  bool
	confidence float64 // of the first hypothesis
	correct    bool    // the first hypothesis is right
	// Path edges: told, and right among them; real, and found among those; pairs exactly alike.
	told, right, real, found, exact int
	grade                           string // weakest grade on the told path
	latency                         time.Duration
	baseline                        map[string]bool // rule -> mode and resource are right
}

// gradeCount counts told path edges of one grade.
type gradeCount struct{ right, wrong int }

// pairCount counts path edges between two types of alarms.
type pairCount struct{ right, wrong, missed int }

// scorecard is the result of an evaluation.
type scorecard struct {
	outcomes []outcome
	grades   map[string]gradeCount
	pairs    map[[2]string]pairCount
	cases    int
	p50, p99 time.Duration
}

// baselines are the plain rules beside which every figure stands. Each picks an
// alarm; its answer is the most frequent fault mode that brings that alarm directly,
// where it can stand. They are scored like the analysis: mode and resource must be right.
var baselines = []string{"first alarm", "highest severity", "most downstream alarms"}

// analysed is a case with the time that its analysis took and the places that the
// baselines chose.
type analysed struct {
	rca.Case
	took     time.Duration
	baseline map[string]string
}

// score matches faults with incidents and judges the answers. A fault belongs to
// the incident that holds most of its alarms.
func score(truths []truth, cases []analysed) scorecard {
	type held struct {
		from, to time.Time
		in       int // case
	}
	holds := map[string][]held{} // by alarm key
	for i, c := range cases {
		for _, a := range c.Incident.Alarms {
			k := a.AlarmKey.String()
			holds[k] = append(holds[k], held{a.Raised.Add(-clockSlack), cmp.Or(a.Cleared, a.Raised).Add(clockSlack), i})
		}
	}
	card := scorecard{grades: map[string]gradeCount{}, pairs: map[[2]string]pairCount{}, cases: len(cases)}
	owned := map[int][]int{} // case -> faults
	home := make([]int, len(truths))
	for t, tr := range truths {
		votes := map[int]int{}
		for _, x := range tr.alarms {
			late := -1
			for i, h := range holds[x.key] {
				switch {
				case !x.at.Before(h.from) && !x.at.After(h.to):
					votes[h.in]++
					late = -2
				case late != -2 && h.from.After(x.at) && h.from.Sub(x.at) < lateness && (late < 0 || h.from.Before(holds[x.key][late].from)):
					late = i // an element that could not be reached tells later
				}
			}
			if late >= 0 {
				votes[holds[x.key][late].in]++
			}
		}
		home[t] = -1
		for c := range cases {
			if votes[c] > 0 && (home[t] < 0 || votes[c] > votes[home[t]]) {
				home[t] = c
			}
		}
		if home[t] >= 0 {
			owned[home[t]] = append(owned[home[t]], t)
		}
	}
	for t, tr := range truths {
		o := outcome{truth: tr, baseline: map[string]bool{}}
		if home[t] < 0 {
			o.abstained = true
			o.real = len(tr.edges)
			card.outcomes = append(card.outcomes, o)
			continue
		}
		c := cases[home[t]]
		o.incident, o.latency = c.Incident.ID, c.took
		judge(&o, c, len(owned[home[t]]))
		if owned[home[t]][0] == t { // path edges of a shared incident are judged once, against all its faults
			var edges [][2]string
			for _, i := range owned[home[t]] {
				edges = append(edges, truths[i].edges...)
			}
			judgePath(&o, c, edges, card)
		}
		for _, b := range baselines {
			o.baseline[b] = c.baseline[b] == tr.mode+"@"+tr.resource
		}
		card.outcomes = append(card.outcomes, o)
	}
	var took []time.Duration
	for _, c := range cases {
		took = append(took, c.took)
	}
	slices.Sort(took)
	card.p50, card.p99 = quantile(took, 0.5), quantile(took, 0.99)
	return card
}

// judge ranks the truth among the answers. Where several faults share an incident,
// each of the independent causes that the decision names counts as first.
func judge(o *outcome, c analysed, sharing int) {
	d := c.Decision
	type answer struct{ mode, resource, domain string }
	var list []answer
	add := func(a answer) {
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	domain := map[string]string{}
	for _, h := range d.Hypotheses {
		domain[h.Mode+"@"+string(h.Resource)] = h.Domain
	}
	for _, x := range d.Causes {
		add(answer{x.Mode, string(x.Resource), domain[x.Mode+"@"+string(x.Resource)]})
	}
	first := len(list)
	for _, h := range d.Hypotheses {
		if h.Mode != rca.UnknownMode {
			add(answer{h.Mode, string(h.Resource), h.Domain})
		}
	}
	if len(d.Hypotheses) > 0 {
		o.confidence = d.Hypotheses[0].Confidence
	}
	o.abstained = !d.Determined
	free := min(max(first, 1), sharing) // answers that count as first
	for i, a := range list {
		rank := max(1, i+1-(free-1))
		if a.mode == o.mode && a.resource == o.resource && o.rank == 0 {
			o.rank = rank
		}
		if a.resource == o.resource && o.rankPlace == 0 {
			o.rankPlace = rank
		}
		if i < free && a.domain == o.domain {
			o.domainHit = true
		}
	}
	o.correct = o.rank == 1
}

// judgePath compares the told propagation with the plant's record, as statements on
// what led to what. A told step is right when the plant knows a way of causes from
// its first alarm to its second, however many alarms lie between; a step of the
// record is found when the told steps lead from its first to its second. Counting
// ways instead of pairs keeps a step that passes over an alarm from being an error
// twice; exact counts the pairs themselves.
func judgePath(o *outcome, c analysed, edges [][2]string, card scorecard) {
	want := map[[2]string]bool{}
	for _, e := range edges {
		want[e] = true
	}
	got := map[[2]string]string{}
	roots := c.Decision.Causes
	for i, h := range c.Decision.Hypotheses {
		told := i == 0
		for _, r := range roots {
			told = told || (r.Mode == h.Mode && r.Resource == h.Resource)
		}
		if !told || h.Mode == rca.UnknownMode {
			continue
		}
		for _, e := range h.Path {
			got[[2]string{e.From.String(), e.To.String()}] = e.Grade
			o.grade = max(o.grade, e.Grade)
		}
	}
	truly, said := ways(slices.Collect(maps.Keys(want))), ways(slices.Collect(maps.Keys(got)))
	for e, g := range got {
		if twoViews(e) {
			continue
		}
		n, p := card.grades[g], card.pairs[typesOf(e)]
		if want[e] {
			o.exact++
		}
		if truly(e) {
			o.right++
			n.right++
			p.right++
		} else {
			n.wrong++
			p.wrong++
		}
		o.told++
		card.grades[g], card.pairs[typesOf(e)] = n, p
	}
	for e := range want {
		if twoViews(e) {
			continue
		}
		o.real++
		if said(e) {
			o.found++
			continue
		}
		p := card.pairs[typesOf(e)]
		p.missed++
		card.pairs[typesOf(e)] = p
	}
}

// ways answers whether edges lead from one alarm to another.
func ways(edges [][2]string) func([2]string) bool {
	next := map[string][]string{}
	for _, e := range edges {
		next[e[0]] = append(next[e[0]], e[1])
	}
	reach := map[string]map[string]bool{}
	return func(e [2]string) bool {
		r, ok := reach[e[0]]
		if !ok {
			r = map[string]bool{}
			todo := []string{e[0]}
			for len(todo) > 0 {
				for _, n := range next[todo[0]] {
					if !r[n] {
						r[n] = true
						todo = append(todo, n)
					}
				}
				todo = todo[1:]
			}
			reach[e[0]] = r
		}
		return r[e[1]]
	}
}

// twoViews reports whether an edge joins the two ends' alarms of one lost NG
// association. They are one event seen twice, so neither causes the other.
func twoViews(e [2]string) bool {
	t := typesOf(e)
	return t == [2]string{"WL28", "CN07"} || t == [2]string{"CN07", "WL28"}
}

// typesOf is an edge between alarm keys as an edge between their types.
func typesOf(e [2]string) [2]string {
	from, _, _ := strings.Cut(e[0], "@")
	to, _, _ := strings.Cut(e[1], "@")
	return [2]string{from, to}
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(math.Ceil(q*float64(len(sorted))))-1)]
}

// figures are the pooled measures of a set of outcomes.
type figures struct {
	n                                                       int
	ac1, ac3, mrr, place, domain, path, exact, abstain, ece float64
}

func pool(os []outcome) figures {
	f := figures{n: len(os)}
	if f.n == 0 {
		return f
	}
	var told, right, real, found, exact int
	for _, o := range os {
		if o.rank == 1 {
			f.ac1++
		}
		if o.rank >= 1 && o.rank <= 3 {
			f.ac3++
		}
		if o.rank > 0 {
			f.mrr += 1 / float64(o.rank)
		}
		if o.rankPlace == 1 {
			f.place++
		}
		if o.domainHit {
			f.domain++
		}
		if o.abstained {
			f.abstain++
		}
		told, right, real, found, exact = told+o.told, right+o.right, real+o.real, found+o.found, exact+o.exact
	}
	n := float64(f.n)
	f.ac1, f.ac3, f.mrr, f.place, f.domain, f.abstain = f.ac1/n, f.ac3/n, f.mrr/n, f.place/n, f.domain/n, f.abstain/n
	if right > 0 && found > 0 {
		p, r := float64(right)/float64(told), float64(found)/float64(real)
		f.path = 2 * p * r / (p + r)
		f.exact = 2 * float64(exact) / float64(told+real)
	}
	f.ece = calibration(os)
	return f
}

// calibration is the expected calibration error over ten equal bins of confidence.
func calibration(os []outcome) float64 {
	var conf, hit, n [10]float64
	total := 0.0
	for _, o := range os {
		if o.incident == "" {
			continue
		}
		b := min(9, int(o.confidence*10))
		conf[b] += o.confidence
		n[b]++
		total++
		if o.correct {
			hit[b]++
		}
	}
	e := 0.0
	for b := range n {
		if n[b] > 0 {
			e += math.Abs(conf[b]-hit[b]) / total
		}
	}
	return e
}

// interval is the 95 % bootstrap confidence interval of a measure over outcomes.
func interval(os []outcome, seed uint64, measure func(figures) float64) (lo, hi float64) {
	if len(os) == 0 {
		return 0, 0
	}
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	const rounds = 1000
	vals := make([]float64, rounds)
	sample := make([]outcome, len(os))
	for i := range vals {
		for j := range sample {
			sample[j] = os[r.IntN(len(os))]
		}
		vals[i] = measure(pool(sample))
	}
	slices.Sort(vals)
	return vals[rounds*25/1000], vals[rounds*975/1000]
}

func bestBaseline(os []outcome) (string, float64) {
	name, best := baselines[0], -1.0
	for _, b := range baselines {
		if s := baselineAC1(os, b); s > best {
			name, best = b, s
		}
	}
	return name, best
}

func baselineAC1(os []outcome, b string) float64 {
	hit := 0.0
	for _, o := range os {
		if o.baseline[b] {
			hit++
		}
	}
	return hit / max(1, float64(len(os)))
}

// print writes the tables for people.
func (c scorecard) print(w io.Writer, seed uint64) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	f := pool(c.outcomes)
	fmt.Fprintf(tw, "faults\t%d\tincidents\t%d\n", f.n, c.cases)
	for _, row := range []struct {
		name string
		get  func(figures) float64
	}{
		{"AC@1 (resource and fault mode)", func(f figures) float64 { return f.ac1 }},
		{"AC@3", func(f figures) float64 { return f.ac3 }},
		{"MRR", func(f figures) float64 { return f.mrr }},
		{"AC@1 (resource alone)", func(f figures) float64 { return f.place }},
		{"domain accuracy", func(f figures) float64 { return f.domain }},
		{"path-edge F1", func(f figures) float64 { return f.path }},
		{"path-edge F1 (exact pairs)", func(f figures) float64 { return f.exact }},
		{"abstention rate", func(f figures) float64 { return f.abstain }},
		{"expected calibration error", func(f figures) float64 { return f.ece }},
	} {
		lo, hi := interval(c.outcomes, seed, row.get)
		fmt.Fprintf(tw, "%s\t%.3f\t95 %% interval\t%.3f to %.3f\n", row.name, row.get(f), lo, hi)
	}
	for _, b := range baselines {
		fmt.Fprintf(tw, "baseline: %s\t%.3f\n", b, baselineAC1(c.outcomes, b))
	}
	fmt.Fprintf(tw, "\ndomain\tfaults\tAC@1\tAC@3\tpath F1\tabstained\tbest baseline\n")
	for _, d := range groups(c.outcomes, func(o outcome) string { return o.domain }) {
		g := pool(d.os)
		_, b := bestBaseline(d.os)
		fmt.Fprintf(tw, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", d.name, g.n, g.ac1, g.ac3, g.path, g.abstain, b)
	}
	fmt.Fprintf(tw, "\nweakest grade on the path\tfaults\tAC@1\tpath edges told\tright\n")
	for _, d := range groups(c.outcomes, func(o outcome) string { return cmp.Or(o.grade, "-") }) {
		n := c.grades[d.name]
		fmt.Fprintf(tw, "%s\t%d\t%.3f\t%d\t%d\n", d.name, len(d.os), pool(d.os).ac1, n.right+n.wrong, n.right)
	}
	fmt.Fprintf(tw, "\nfault mode\tfaults\tAC@1\tAC@3\n")
	for _, d := range groups(c.outcomes, func(o outcome) string { return o.mode }) {
		g := pool(d.os)
		fmt.Fprintf(tw, "%s\t%d\t%.2f\t%.2f\n", d.name, g.n, g.ac1, g.ac3)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nlatency of one analysis: p50 %s, p99 %s\n", c.p50.Round(10*time.Microsecond), c.p99.Round(10*time.Microsecond))
	return nil
}

type group struct {
	name string
	os   []outcome
}

func groups(os []outcome, by func(outcome) string) []group {
	m := map[string][]outcome{}
	for _, o := range os {
		m[by(o)] = append(m[by(o)], o)
	}
	var out []group
	for k, v := range m {
		out = append(out, group{k, v})
	}
	slices.SortFunc(out, func(a, b group) int { return strings.Compare(a.name, b.name) })
	return out
}
