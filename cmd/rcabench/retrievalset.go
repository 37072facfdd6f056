package main

import (
	"archive/tar"
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"faultline/graph"
	"faultline/retrieval"
)

// retrievalSet is a corpus with questions. Answers are never read: no type here has a
// field for one.
type retrievalSet struct {
	name       string
	items      []retrieval.Item
	questions  []retrievalQuestion
	byDocument bool // gold is documents, not passages
}

type retrievalQuestion struct {
	id, text string
	gold     map[graph.ID]float64 // grade, above 0
}

// corpusFiles are what tells a set's format.
var corpusFiles = []struct {
	file string
	read func(dir, file string) (*retrievalSet, error)
}{
	{"2wikimultihopqa_corpus.json.gz", readTitled},
	{"corpus.json.gz", readTitled},
	{"documents.tar.gz", readDocuments},
	{"corpus.jsonl", readBEIR},
	{"corpus.jsonl.gz", readBEIR},
}

func isRetrievalSet(dir string) bool {
	for _, f := range corpusFiles {
		if _, err := os.Stat(filepath.Join(dir, f.file)); err == nil {
			return true
		}
	}
	return false
}

func readRetrievalSet(dir string) (*retrievalSet, error) {
	for _, f := range corpusFiles {
		if _, err := os.Stat(filepath.Join(dir, f.file)); err != nil {
			continue
		}
		set, err := f.read(dir, f.file)
		if err != nil {
			return nil, err
		}
		set.name = filepath.Base(dir)
		// The order of a corpus may follow its questions; ids are all that is left of it.
		slices.SortFunc(set.items, func(a, b retrieval.Item) int { return cmp.Compare(a.ID, b.ID) })
		if len(set.items) == 0 || len(set.questions) == 0 {
			return nil, errors.New("no items or no questions")
		}
		return set, nil
	}
	return nil, errors.New("no corpus file")
}

// readTitled reads a list of titled passages with gold by id or, without ids, by title.
func readTitled(dir, file string) (*retrievalSet, error) {
	set := &retrievalSet{}
	err := openPlain(filepath.Join(dir, file), func(r io.Reader) error {
		var rows []struct {
			ID    *int   `json:"id"`
			Title string `json:"title"`
			Text  string `json:"text"`
		}
		if err := json.NewDecoder(r).Decode(&rows); err != nil {
			return err
		}
		for _, row := range rows {
			id := graph.ID(row.Title)
			if row.ID != nil {
				id = graph.ID(strconv.Itoa(*row.ID))
			}
			set.items = append(set.items, retrieval.Item{ID: id, Kind: retrieval.KindPassage, Title: row.Title, Text: row.Text})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return set, readLines(filepath.Join(dir, "questions.jsonl"), func(line []byte) error {
		var row struct {
			ID       string   `json:"id"`
			Question string   `json:"question"`
			GoldIDs  []int    `json:"gold_ids"`
			Titles   []string `json:"gold_titles"`
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		q := retrievalQuestion{id: row.ID, text: row.Question, gold: map[graph.ID]float64{}}
		for _, id := range row.GoldIDs {
			q.gold[graph.ID(strconv.Itoa(id))] = 1
		}
		if len(row.GoldIDs) == 0 {
			for _, t := range row.Titles {
				q.gold[graph.ID(t)] = 1
			}
		}
		return set.ask(q)
	})
}

// readDocuments reads Markdown documents, cut into passages, with gold by document.
func readDocuments(dir, file string) (*retrievalSet, error) {
	set := &retrievalSet{byDocument: true}
	err := openPlain(filepath.Join(dir, file), func(r io.Reader) error {
		for tr := tar.NewReader(r); ; {
			h, err := tr.Next()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if path.Ext(h.Name) == ".md" {
				text, err := io.ReadAll(tr)
				if err != nil {
					return fmt.Errorf("%s: %w", h.Name, err)
				}
				set.items = append(set.items, cutMarkdown(path.Base(h.Name), string(text))...)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return set, readLines(filepath.Join(dir, "questions.jsonl"), func(line []byte) error {
		var row struct {
			ID        string   `json:"id"`
			Question  string   `json:"question"`
			Documents []string `json:"gold_documents"`
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		q := retrievalQuestion{id: row.ID, text: row.Question, gold: map[graph.ID]float64{}}
		for _, d := range row.Documents {
			q.gold[graph.ID(d)] = 1
		}
		return set.ask(q)
	})
}

// passageRunes is how long a passage of a document grows before it is cut.
const passageRunes = 500

// cutMarkdown cuts a document at headings and, within a section, at lines. A passage
// is titled by its document's first headings, which say what the document is, and its
// section's heading.
func cutMarkdown(name, text string) []retrieval.Item {
	doc := graph.ID(name)
	var items []retrieval.Item
	var body []rune
	docTitle, section := frontMatter(text), ""
	flush := func() {
		if s := strings.TrimSpace(string(body)); s != "" {
			title := docTitle
			if !strings.Contains(docTitle, section) {
				title += " " + section
			}
			items = append(items, retrieval.Item{
				ID: graph.ID(fmt.Sprintf("%s#%04d", name, len(items))), Kind: retrieval.KindPassage, Title: strings.TrimSpace(title), Text: s,
				Document: doc, Source: name, Links: []retrieval.Link{{Type: graph.PartOf, To: doc}},
			})
		}
		body = body[:0]
	}
	for line := range strings.Lines(text) {
		plain := strings.TrimSpace(strings.TrimLeft(line, "# "))
		if strings.HasPrefix(line, "#") {
			flush()
			section = plain
		}
		rest := []rune(line)
		for len(body)+len(rest) > passageRunes {
			if len(body) == 0 {
				body = append(body, rest[:passageRunes]...)
				rest = rest[passageRunes:]
			}
			flush()
		}
		body = append(body, rest...)
	}
	flush()
	return items
}

// frontMatter is the first three headings of a document, or its first line.
func frontMatter(text string) string {
	var heads []string
	first := ""
	for line := range strings.Lines(text) {
		plain := strings.TrimSpace(strings.TrimLeft(line, "# "))
		if plain == "" {
			continue
		}
		first = cmp.Or(first, plain)
		if strings.HasPrefix(line, "#") {
			if heads = append(heads, plain); len(heads) == 3 {
				break
			}
		}
	}
	title := []rune(cmp.Or(strings.Join(heads, " "), first))
	return string(title[:min(len(title), 120)])
}

// readBEIR reads the BEIR layout: corpus.jsonl, queries.jsonl, qrels/test.tsv (or dev).
func readBEIR(dir, file string) (*retrievalSet, error) {
	set := &retrievalSet{}
	type row struct {
		ID    string `json:"_id"`
		Title string `json:"title"`
		Text  string `json:"text"`
	}
	err := readLines(filepath.Join(dir, file), func(line []byte) error {
		var r row
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		set.items = append(set.items, retrieval.Item{ID: graph.ID(r.ID), Kind: retrieval.KindPassage, Title: r.Title, Text: r.Text})
		return nil
	})
	if err != nil {
		return nil, err
	}
	gold := map[string]map[graph.ID]float64{}
	qrels := filepath.Join(dir, "qrels", "test.tsv")
	if _, err := os.Stat(qrels); errors.Is(err, fs.ErrNotExist) {
		qrels = filepath.Join(dir, "qrels", "dev.tsv")
	}
	err = readLines(qrels, func(line []byte) error {
		f := strings.Split(string(line), "\t")
		if len(f) != 3 {
			return fmt.Errorf("%d columns, want 3", len(f))
		}
		grade, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			if f[2] == "score" {
				return nil // the header
			}
			return fmt.Errorf("score %q: %w", f[2], err)
		}
		if grade > 0 {
			if gold[f[0]] == nil {
				gold[f[0]] = map[graph.ID]float64{}
			}
			gold[f[0]][graph.ID(f[1])] = grade
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return set, readLines(filepath.Join(dir, "queries.jsonl"), func(line []byte) error {
		var r row
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if gold[r.ID] == nil {
			return nil // not of this split
		}
		return set.ask(retrievalQuestion{id: r.ID, text: r.Text, gold: gold[r.ID]})
	})
}

func (s *retrievalSet) ask(q retrievalQuestion) error {
	if q.text == "" || len(q.gold) == 0 {
		return fmt.Errorf("question %q: text or gold missing", q.id)
	}
	s.questions = append(s.questions, q)
	return nil
}

// openPlain opens a file, unpacked when its name ends in .gz.
func openPlain(name string, read func(io.Reader) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		r = z
	}
	if err := read(r); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return nil
}

// readLines hands out the lines of a file that are not empty.
func readLines(name string, each func([]byte) error) error {
	return openPlain(name, func(r io.Reader) error {
		sc := bufio.NewScanner(r)
		sc.Buffer(nil, 16<<20)
		for n := 1; sc.Scan(); n++ {
			if len(strings.TrimSpace(sc.Text())) == 0 {
				continue
			}
			if err := each(sc.Bytes()); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
		return sc.Err()
	})
}
