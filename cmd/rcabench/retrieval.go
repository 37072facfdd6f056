package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"faultline/graph"
	"faultline/retrieval"
	"faultline/retrieval/embedded"
)

// retrievalFigures are the measures of one set. Recall is the mean over questions of
// the share of gold within the first k; nDCG, MRR and recall go by passage, or by
// document where a set's gold is documents. Document recall goes by what passages are
// part of, a passage without a document standing for itself.
type retrievalFigures struct {
	Set          string  `json:"set"`
	Items        int     `json:"items"`
	Questions    int     `json:"questions"`
	Recall2      float64 `json:"recall2"`
	Recall5      float64 `json:"recall5"`
	Recall10     float64 `json:"recall10"`
	NDCG10       float64 `json:"ndcg10"`
	MRR          float64 `json:"mrr"` // within the first 10
	AllGold5     float64 `json:"all_gold5"`
	DocRecall1   float64 `json:"doc_recall1"`
	DocRecall5   float64 `json:"doc_recall5"`
	WordsRecall2 float64 `json:"words_recall2"` // of the word arm alone
	WordsRecall5 float64 `json:"words_recall5"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	IndexSeconds float64 `json:"index_seconds"`
	RSS          float64 `json:"rss_mb"`
}

// runRetrieval measures retrieval on every set below a folder, or on the folder itself
// when it is one, all with the same configuration.
func runRetrieval(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("rcabench retrieval", flag.ContinueOnError)
	fs.SetOutput(out)
	data := fs.String("data", "", "folder of a set, or of sets: 2wiki-dev, musique-100, hotpotqa-100, netoperatorqa-dev, or BEIR")
	asJSON := fs.Bool("json", false, "print one JSON object per set")
	misses := fs.Bool("misses", false, "list the questions whose gold is not all in the first five")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *data == "" {
		return fmt.Errorf("retrieval: -data: missing folder")
	}
	dirs := []string{*data}
	if !isRetrievalSet(*data) {
		dirs = nil
		entries, err := os.ReadDir(*data)
		if err != nil {
			return fmt.Errorf("retrieval: %w", err)
		}
		for _, e := range entries {
			if dir := filepath.Join(*data, e.Name()); isRetrievalSet(dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	if len(dirs) == 0 {
		return fmt.Errorf("retrieval: no set that can be read in %s", *data)
	}
	var all []retrievalFigures
	for _, dir := range dirs {
		set, err := readRetrievalSet(dir)
		if err != nil {
			return fmt.Errorf("read %s: %w", filepath.Base(dir), err)
		}
		var miss io.Writer = io.Discard
		if *misses {
			miss = out
		}
		f, err := measureRetrieval(ctx, set, miss)
		if err != nil {
			return fmt.Errorf("measure %s: %w", set.name, err)
		}
		all = append(all, f)
	}
	if *asJSON {
		enc := json.NewEncoder(out)
		for _, f := range all {
			if err := enc.Encode(f); err != nil {
				return fmt.Errorf("write figures: %w", err)
			}
		}
		return nil
	}
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "set\titems\tquestions\tR@2\tR@5\tR@10\tall@5\tnDCG@10\tMRR\tdoc R@1\tdoc R@5\twords R@2\twords R@5\tp50 ms\tp99 ms\tindex s\tRSS MB")
	for _, f := range all {
		fmt.Fprintf(tw, "%s\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.1f\t%.1f\t%.2f\t%.0f\n", f.Set, f.Items, f.Questions,
			f.Recall2, f.Recall5, f.Recall10, f.AllGold5, f.NDCG10, f.MRR, f.DocRecall1, f.DocRecall5, f.WordsRecall2, f.WordsRecall5, f.P50, f.P99, f.IndexSeconds, f.RSS)
	}
	return tw.Flush()
}

// measureRetrieval indexes a set and asks its questions.
func measureRetrieval(ctx context.Context, set *retrievalSet, miss io.Writer) (retrievalFigures, error) {
	f := retrievalFigures{Set: set.name, Items: len(set.items), Questions: len(set.questions)}
	idx, err := embedded.New(embedded.Options{})
	if err != nil {
		return f, err
	}
	begin := time.Now()
	if err := idx.Put(ctx, set.items); err != nil {
		return f, err
	}
	f.IndexSeconds = time.Since(begin).Seconds()
	debug.FreeOSMemory()
	f.RSS = residentMB()
	document := map[graph.ID]graph.ID{}
	for _, it := range set.items {
		document[it.ID] = cmp.Or(it.Document, it.ID)
	}
	var took []time.Duration
	n := float64(len(set.questions))
	for _, q := range set.questions {
		limit := 10
		if set.byDocument {
			limit = 50 // the first ten documents lie within far fewer
		}
		ask := retrieval.Query{Text: q.text, Kinds: []retrieval.Kind{retrieval.KindPassage}, Limit: limit}
		begin := time.Now()
		hits, err := idx.Search(ctx, ask)
		took = append(took, time.Since(begin))
		if err != nil {
			return f, fmt.Errorf("question %s: %w", q.id, err)
		}
		goldDocs := map[graph.ID]float64{}
		for id, grade := range q.gold {
			goldDocs[cmp.Or(document[id], id)] = grade
		}
		docs := ranked(hits, func(h retrieval.Hit) graph.ID { return document[h.ID] })
		list, gold := ranked(hits, func(h retrieval.Hit) graph.ID { return h.ID }), q.gold
		if set.byDocument {
			list, gold = docs, goldDocs
		}
		f.Recall2 += recallAt(list, gold, 2) / n
		f.Recall5 += recallAt(list, gold, 5) / n
		f.Recall10 += recallAt(list, gold, 10) / n
		f.NDCG10 += ndcgAt(list, gold, 10) / n
		f.MRR += reciprocalRank(list, gold, 10) / n
		f.DocRecall1 += recallAt(docs, goldDocs, 1) / n
		f.DocRecall5 += recallAt(docs, goldDocs, 5) / n
		if recallAt(list, gold, 5) == 1 {
			f.AllGold5 += 1 / n
		} else {
			fmt.Fprintf(miss, "%s %s\n  gold %v\n", q.id, q.text, gold)
			for i, h := range hits[:min(len(hits), 10)] {
				fmt.Fprintf(miss, "  %2d %.4f %.2f %s %q %v\n", i+1, h.Score, h.Lexical, h.ID, h.Title, h.Why)
			}
		}
		ask.Limit = 100 // the first items of the word arm are seeds of the walk, so they are within
		if hits, err = idx.Search(ctx, ask); err != nil {
			return f, fmt.Errorf("question %s: %w", q.id, err)
		}
		slices.SortStableFunc(hits, func(a, b retrieval.Hit) int {
			return cmp.Or(cmp.Compare(b.Lexical, a.Lexical), cmp.Compare(a.ID, b.ID))
		})
		words := ranked(hits, func(h retrieval.Hit) graph.ID {
			if set.byDocument {
				return document[h.ID]
			}
			return h.ID
		})
		f.WordsRecall2 += recallAt(words, gold, 2) / n
		f.WordsRecall5 += recallAt(words, gold, 5) / n
	}
	slices.Sort(took)
	at := func(p float64) float64 { return float64(took[int(p*float64(len(took)-1)+0.5)].Microseconds()) / 1000 }
	f.P50, f.P99 = at(0.5), at(0.99)
	return f, nil
}

// ranked lists what hits stand for, each once.
func ranked(hits []retrieval.Hit, of func(retrieval.Hit) graph.ID) []graph.ID {
	var out []graph.ID
	seen := map[graph.ID]bool{}
	for _, h := range hits {
		if id := of(h); !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

func recallAt(list []graph.ID, gold map[graph.ID]float64, k int) float64 {
	n := 0
	for _, id := range list[:min(k, len(list))] {
		if gold[id] > 0 {
			n++
		}
	}
	return float64(n) / float64(len(gold))
}

func reciprocalRank(list []graph.ID, gold map[graph.ID]float64, k int) float64 {
	for i, id := range list[:min(k, len(list))] {
		if gold[id] > 0 {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// ndcgAt is normalised discounted cumulative gain with linear gains, as in trec_eval.
func ndcgAt(list []graph.ID, gold map[graph.ID]float64, k int) float64 {
	var grades []float64
	for _, g := range gold {
		grades = append(grades, g)
	}
	slices.SortFunc(grades, func(a, b float64) int { return cmp.Compare(b, a) })
	got, best := 0.0, 0.0
	for i := range k {
		d := math.Log2(float64(i + 2))
		if i < len(list) {
			got += gold[list[i]] / d
		}
		if i < len(grades) {
			best += grades[i] / d
		}
	}
	return got / best
}

// residentMB is the resident memory of this process; 0 where the system does not say.
func residentMB() float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kb / 1024
		}
	}
	return 0
}
