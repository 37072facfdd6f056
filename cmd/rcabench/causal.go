package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"faultline/ingest/mining"
)

// causalCard is the result of mining against an expert graph.
type causalCard struct {
	F1        float64 `json:"f1"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	G         float64 `json:"g_score"`            // max(0, right - wrong edges) / true edges
	AUPRC     float64 `json:"auprc"`              // average precision of the ranking of all ordered pairs
	Direction float64 `json:"direction_accuracy"` // of the true pairs found either way round, the share found the right way
	FloorF1   float64 `json:"floor_f1"`           // of predicting every ordered pair
	FloorAP   float64 `json:"floor_auprc"`        // density of the true graph
	Edges     int     `json:"edges"`
	Seconds   float64 `json:"seconds"` // of mining, without reading

	randomDAG, rareToFrequent float64 // F1 of complete acyclic graphs: mean over all orders, and by number of alarms
	trueEdges                 int
}

// runCausal mines a folder of alarm history and, where the folder holds the true
// graph, scores the result.
func runCausal(ctx context.Context, args []string, out io.Writer) error {
	fl := flag.NewFlagSet("rcabench causal", flag.ContinueOnError)
	fl.SetOutput(out)
	dir := fl.String("data", "", "folder with Alarm.csv and, if known, DAG.npy, Topology.npy, causal_prior.npy, rca_prior.csv")
	usePriors := fl.Bool("priors", false, "tell the miner what causal_prior and rca_prior say")
	noTopology := fl.Bool("no-topology", false, "keep the topology from the miner")
	list := fl.Bool("edges", false, "list the mined edges")
	perturb := fl.Bool("sensitivity", false, "mine again with every setting halved and doubled, and print the scores")
	asJSON := fl.Bool("json", false, "end with one line of JSON")
	if err := fl.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return fmt.Errorf("rcabench causal: -data is required")
	}
	set, err := readCausal(os.DirFS(*dir))
	if err != nil {
		return fmt.Errorf("read %s: %w", *dir, err)
	}
	in := set.input
	if *usePriors {
		in.Known, in.Excluded, in.Snapshots = set.priors.Known, set.priors.Excluded, set.priors.Snapshots
	}
	if *noTopology {
		in.Links = nil
	}
	start := time.Now()
	res, err := mining.Mine(ctx, in, mining.DefaultOptions())
	if err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	printMined(out, set, res, took, *list)
	card := causalCard{Edges: len(res.Edges)}
	if set.truth != nil {
		if card, err = scoreCausal(*set.truth, res, in.Occurrences); err != nil {
			return fmt.Errorf("score: %w", err)
		}
		card.print(out)
	}
	if *perturb && set.truth != nil {
		if err := sensitivity(ctx, out, *set.truth, in); err != nil {
			return err
		}
	}
	card.Seconds = took
	if *asJSON {
		return json.NewEncoder(out).Encode(card)
	}
	return nil
}

func printMined(out io.Writer, set causalSet, res *mining.Result, took float64, list bool) {
	how := "given"
	if res.Inferred {
		how = "inferred from the alarms"
	}
	fmt.Fprintf(out, "%d alarms, %d types, %d links (%s), mined in %.2f s\n", len(set.input.Occurrences), len(res.Types), res.Links, how, took)
	if n := len(set.faults); n > 0 {
		fmt.Fprintf(out, "%d flawed rows, the first: %v\n", n, set.faults[0])
	}
	if !list {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "cause\teffect\tp\tlag p50\tlag p90\tsupport\tgain\tconfidence\tother device\t")
	for _, e := range res.Edges {
		fmt.Fprintf(w, "%s\t%s\t%.2f\t%v\t%v\t%.1f\t%.1f\t%.2f\t%.2f\t\n", e.Cause, e.Effect, e.P,
			e.LagP50.Round(time.Second), e.LagP90.Round(time.Second), e.Support, e.Gain, e.Confidence, e.Linked)
	}
	w.Flush()
}

// sensitivity mines with each setting of the miner halved and doubled.
func sensitivity(ctx context.Context, out io.Writer, truth matrix, in mining.Input) error {
	kernels := func(first, last int) func(*mining.Options, float64) {
		return func(o *mining.Options, by float64) {
			for k := first; k <= last; k++ {
				o.Kernels[k] = time.Duration(float64(o.Kernels[k]) * by)
			}
		}
	}
	settings := []struct {
		name string
		set  func(o *mining.Options, by float64)
	}{
		{"all kernels", kernels(0, 1)},
		{"short kernel", kernels(0, 0)},
		{"long kernel", kernels(1, 1)},
		{"penalty", func(o *mining.Options, by float64) { o.Penalty *= by }},
		{"leak", func(o *mining.Options, by float64) { o.Leak *= by }},
		{"shrink", func(o *mining.Options, by float64) { o.Shrink *= by }},
		{"rounds", func(o *mining.Options, by float64) { o.Rounds = int(float64(o.Rounds) * by) }},
		{"hops", func(o *mining.Options, by float64) { o.Hops = int(float64(o.Hops) * by) }},
		{"link score", func(o *mining.Options, by float64) { o.LinkScore *= by }},
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "setting\tF1 halved\tF1 doubled\tg halved\tg doubled\tAUPRC halved\tAUPRC doubled\t")
	for _, s := range settings {
		var c [2]causalCard
		for k, by := range []float64{0.5, 2} {
			opt := mining.DefaultOptions()
			s.set(&opt, by)
			res, err := mining.Mine(ctx, in, opt)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if c[k], err = scoreCausal(truth, res, in.Occurrences); err != nil {
				return err
			}
		}
		fmt.Fprintf(w, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t\n", s.name, c[0].F1, c[1].F1, c[0].G, c[1].G, c[0].AUPRC, c[1].AUPRC)
	}
	return w.Flush()
}

// scoreCausal compares a result with the true graph, in which cell [i][j] not zero
// says that alarm type i causes j. The diagonal is not scored.
func scoreCausal(truth matrix, res *mining.Result, occ []mining.Occurrence) (causalCard, error) {
	n := truth.rows
	var c causalCard
	for i := range n {
		for j := range n {
			if i != j && truth.at(i, j) != 0 {
				c.trueEdges++
			}
		}
	}
	if c.trueEdges == 0 {
		return c, fmt.Errorf("the true graph has no edge")
	}
	index := func(t string) (int, error) {
		i, err := strconv.Atoi(t)
		if err != nil || i < 0 || i >= n {
			return 0, fmt.Errorf("alarm type %q is not a row of the true graph, which has %d", t, n)
		}
		return i, nil
	}
	for _, t := range res.Types {
		if _, err := index(t); err != nil {
			return c, err
		}
	}
	holds := func(p mining.Pair) bool {
		i, _ := index(p.Cause) // checked above
		j, _ := index(p.Effect)
		return truth.at(i, j) != 0
	}
	mined := map[mining.Pair]bool{}
	right, turned := 0, 0
	for _, e := range res.Edges {
		mined[mining.Pair{Cause: e.Cause, Effect: e.Effect}] = true
	}
	for p := range mined {
		back := mining.Pair{Cause: p.Effect, Effect: p.Cause}
		if holds(p) {
			right++
		} else if holds(back) && !mined[back] {
			turned++
		}
	}
	c.Edges = len(mined)
	pos, pairs := float64(c.trueEdges), float64(n*(n-1))
	c.Precision = ratio(float64(right), float64(c.Edges))
	c.Recall = float64(right) / pos
	c.F1 = f1(right, c.Edges, c.trueEdges)
	c.G = max(0, float64(2*right-c.Edges)) / pos
	c.Direction = ratio(float64(right), float64(right+turned))
	c.AUPRC = averagePrecision(res.Ranked, holds, c.trueEdges, int(pairs))
	c.FloorF1, c.FloorAP = f1(c.trueEdges, int(pairs), c.trueEdges), pos/pairs
	c.randomDAG = pos / (pairs/2 + pos) // every true edge lies in half of all orders
	count := make([]int, n)
	for _, o := range occ {
		if i, err := index(o.Type); err == nil {
			count[i]++
		}
	}
	hit := 0
	for i := range n {
		for j := range n {
			if truth.at(i, j) != 0 && (count[i] < count[j] || count[i] == count[j] && i < j) {
				hit++
			}
		}
	}
	c.rareToFrequent = f1(hit, int(pairs/2), c.trueEdges)
	return c, nil
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func f1(right, predicted, actual int) float64 {
	return ratio(2*float64(right), float64(predicted+actual))
}

// averagePrecision is the area under the precision-recall steps. Pairs of equal
// score are one step, so that their order cannot matter; pairs that were not ranked
// come last.
func averagePrecision(ranked []mining.Candidate, holds func(mining.Pair) bool, actual, pairs int) float64 {
	var area float64
	right, before := 0, 0
	for k, c := range ranked {
		if holds(c.Pair) {
			right++
		}
		if k+1 < len(ranked) && ranked[k+1].Score == c.Score {
			continue
		}
		area += float64(right-before) / float64(actual) * float64(right) / float64(k+1)
		before = right
	}
	return area + float64(actual-before)/float64(actual)*float64(actual)/float64(pairs)
}

func (c causalCard) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "edges\t%d\tof %d true\n", c.Edges, c.trueEdges)
	fmt.Fprintf(w, "precision\t%.3f\tall pairs %.3f\n", c.Precision, c.FloorAP)
	fmt.Fprintf(w, "recall\t%.3f\tall pairs 1\n", c.Recall)
	fmt.Fprintf(w, "F1\t%.3f\tall pairs %.3f, random-order complete DAG %.3f, rare-to-frequent %.3f\n", c.F1, c.FloorF1, c.randomDAG, c.rareToFrequent)
	fmt.Fprintf(w, "g-score\t%.3f\tall pairs 0\n", c.G)
	fmt.Fprintf(w, "AUPRC\t%.3f\tdensity %.3f\n", c.AUPRC, c.FloorAP)
	fmt.Fprintf(w, "direction\t%.3f\tcoin 0.5\n", c.Direction)
	w.Flush()
}
