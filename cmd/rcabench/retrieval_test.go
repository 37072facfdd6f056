package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"faultline/graph"
)

func writeFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var smallSet = map[string]string{
	"small/corpus.jsonl": `{"_id":"d1","title":"Rectifier","text":"A rectifier turns AC into DC."}
{"_id":"d2","title":"Battery","text":"A battery carries the load when the rectifier fails."}
{"_id":"d3","title":"Antenna","text":"An antenna radiates."}
`,
	"small/queries.jsonl": `{"_id":"q1","text":"what turns AC into DC"}
{"_id":"q2","text":"unjudged"}
`,
	"small/qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td3\t0\n",
}

func TestRunRetrievalOnBEIR(t *testing.T) {
	var out bytes.Buffer
	if err := runRetrieval(t.Context(), []string{"-json", "-data", writeFiles(t, smallSet)}, &out); err != nil {
		t.Fatal(err)
	}
	var f map[string]any
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"recall2", "recall5", "recall10", "ndcg10", "mrr", "doc_recall1", "doc_recall5", "p50_ms", "p99_ms", "index_seconds", "rss_mb"} {
		if _, ok := f[key]; !ok {
			t.Errorf("no %s in %s", key, out.String())
		}
	}
	if f["set"] != "small" || f["questions"] != 1.0 || f["recall2"] != 1.0 || f["ndcg10"] != 1.0 || f["mrr"] != 1.0 {
		t.Error(out.String())
	}
}

func TestRunRetrievalNamesWhatIsWrong(t *testing.T) {
	broken := map[string]string{"corpus.jsonl": smallSet["small/corpus.jsonl"], "queries.jsonl": "{\n", "qrels/test.tsv": smallSet["small/qrels/test.tsv"]}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{nil, "-data: missing"},
		{[]string{"-data", t.TempDir()}, "no set that can be read"},
		{[]string{"-data", writeFiles(t, broken)}, "queries.jsonl: line 1"},
	} {
		err := runRetrieval(t.Context(), tc.args, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v: %v, want %q", tc.args, err, tc.want)
		}
	}
}

func TestMeasures(t *testing.T) {
	list := []graph.ID{"a", "b", "c"}
	gold := map[graph.ID]float64{"b": 2, "c": 1, "z": 1}
	// DCG = 2/log2(3) + 1/log2(4) = 1.761860; ideal = 2 + 1/log2(3) + 1/log2(4) = 3.130930.
	for name, v := range map[string][2]float64{
		"recall2": {recallAt(list, gold, 2), 1.0 / 3}, "recall10": {recallAt(list, gold, 10), 2.0 / 3},
		"mrr": {reciprocalRank(list, gold, 10), 0.5}, "ndcg10": {ndcgAt(list, gold, 10), 0.562727},
	} {
		if math.Abs(v[0]-v[1]) > 1e-6 {
			t.Errorf("%s %.6f, want %.6f", name, v[0], v[1])
		}
	}
}

func TestCutMarkdown(t *testing.T) {
	text := "# Annual report\n\n## 2022\n\n" + strings.Repeat("字", 1200) + "\n\n## Outlook\n\nGood.\n"
	items := cutMarkdown("r.md", text)
	body := ""
	for _, it := range items {
		if n := len([]rune(it.Text)); n > passageRunes {
			t.Errorf("passage of %d runes", n)
		}
		if !strings.HasPrefix(it.Title, "Annual report 2022 Outlook") || it.Document != "r.md" {
			t.Errorf("passage %s is titled %q, part of %q", it.ID, it.Title, it.Document)
		}
		body += it.Text
	}
	if strings.Count(body, "字") != 1200 || !strings.Contains(body, "Good.") {
		t.Error("text was lost")
	}
}

// TestPublishedSets holds the quality that docs/retrieval.md states, less a little.
func TestPublishedSets(t *testing.T) {
	data := os.Getenv("FAULTLINE_DATA")
	if data == "" {
		t.Skip("FAULTLINE_DATA names no folder of data sets")
	}
	floor := map[string]retrievalFigures{
		"2wiki-dev": {Recall2: 0.76, Recall5: 0.94}, "musique-100": {Recall5: 0.70}, "hotpotqa-100": {Recall5: 0.925}, "netoperatorqa-dev": {DocRecall1: 0.70, DocRecall5: 0.95},
	}
	var out bytes.Buffer
	if err := runRetrieval(t.Context(), []string{"-json", "-data", data}, &out); err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(&out); dec.More(); {
		var f retrievalFigures
		if err := dec.Decode(&f); err != nil {
			t.Fatal(err)
		}
		want := floor[f.Set]
		if f.Recall2 < want.Recall2 || f.Recall5 < want.Recall5 || f.DocRecall1 < want.DocRecall1 || f.DocRecall5 < want.DocRecall5 {
			t.Errorf("%+v falls below %+v", f, want)
		}
	}
}
