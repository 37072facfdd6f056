package graphtest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"faultline/graph"
)

// killFolder is set for the process that TestKill starts and kills; it names its folder.
const killFolder = "GRAPHTEST_KILL_FOLDER"

// TestKill kills a process that writes to a store, again and again, and checks that
// every batch whose Apply had returned is there and that none is there in part. The
// process is the test binary itself, running the test that called TestKill, so that
// test must do nothing else. It tests the loss of a process, not of power.
func TestKill(t *testing.T, open Open) {
	if dir := os.Getenv(killFolder); dir != "" {
		writeUntilKilled(t, open(t, dir))
		return
	}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(7, 8))
	last := -1
	for round := range 10 {
		acked := killedAfter(t, dir, 1+r.IntN(14))
		if acked <= last {
			t.Fatalf("round %d: the writer did not get beyond batch %d", round, last)
		}
		s := open(t, dir)
		last = checkBatches(t, s, acked)
		if err := s.Close(); err != nil {
			t.Fatalf("round %d: close: %v", round, err)
		}
		if t.Failed() {
			t.Fatalf("round %d failed: %d acknowledged, %d there", round, acked, last)
		}
	}
}

// TestLostServer does the same to the server of a store, in the middle of writes: kill
// ends it and start brings it back on the same data. A store that was open meanwhile must
// go on.
func TestLostServer(t *testing.T, open Open, rounds int, kill, start func(t *testing.T)) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(9, 10))
	s := open(t, dir)
	last := -1
	for round := range rounds {
		acks := make(chan int)
		failed := make(chan error, 1)
		go func() {
			defer close(acks)
			for i := last + 1; ; i++ {
				if err := s.Apply(t.Context(), killBatch(i)); err != nil {
					failed <- err
					return
				}
				acks <- i
			}
		}()
		acked, enough := last, last+1+r.IntN(8)
		var killed sync.WaitGroup
		for acked = range acks {
			if acked == enough {
				killed.Go(func() { kill(t) }) // while the writer goes on
			}
		}
		killed.Wait()
		start(t)
		if err := <-failed; acked < enough {
			t.Fatalf("round %d: the writer ended by itself after batch %d: %v", round, acked, err)
		}
		sources(t, s)
		other := open(t, dir)
		last = checkBatches(t, other, acked)
		t.Logf("round %d: %d batches acknowledged, %d there", round, acked+1, last+1)
		if err := other.Close(); err != nil {
			t.Fatalf("round %d: close: %v", round, err)
		}
		if t.Failed() {
			t.Fatalf("round %d failed: %d acknowledged, %d there", round, acked, last)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// batchSize makes batches of one to a hundred and twenty links.
func batchSize(i int) int { return 1 + i*i*37%120 }

func batchSource(i int) string { return "batch-" + strconv.Itoa(i) }

// killBatch is a chain of entities. Every third batch also drops the one before it.
func killBatch(i int) []graph.Change {
	var cs []graph.Change
	if i%3 == 2 {
		cs = append(cs, drop(i, batchSource(i-1)))
	}
	id := func(k int) graph.ID { return graph.ID(fmt.Sprintf("e%d-%d", i, k)) }
	for k := range batchSize(i) {
		e := entity(id(k), "Link")
		e.Attrs = map[string]string{"pad": strings.Repeat("x", 200)}
		cs = append(cs, put(i, batchSource(i), e), link(i, batchSource(i), id(k), "NEXT", id(k+1)))
	}
	cs = append(cs, put(i, batchSource(i), entity(id(batchSize(i)), "Link")))
	for k := range cs {
		cs[k].ID = fmt.Sprintf("%d/%d", i, k)
	}
	return cs
}

func writeUntilKilled(t *testing.T, s graph.Store) {
	i := checkBatches(t, s, -1) + 1
	for ; ; i++ {
		if err := s.Apply(t.Context(), killBatch(i)); err != nil {
			fmt.Printf("\nfailed %v\n", err)
			t.Fatal(err)
		}
		fmt.Printf("\nack %d\n", i) // stdout is not buffered
	}
}

// killedAfter starts a writer, kills it once it has acknowledged n batches, and returns
// the last batch that it acknowledged.
func killedAfter(t *testing.T, dir string, n int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), killFolder+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked, acks := -1, 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "failed "); ok {
			t.Errorf("writer: %s", text)
		}
		text, ok := strings.CutPrefix(lines.Text(), "ack ")
		if !ok {
			continue
		}
		if acked, err = strconv.Atoi(text); err != nil {
			t.Errorf("writer said %q", lines.Text())
		}
		if acks++; acks == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait() // killed: an error is what we want
	if acks < n {
		t.Fatalf("the writer ended by itself after %d batches", acks)
	}
	return acked
}

// checkBatches returns the last batch that is there, after checking that all up to
// acked are there and that every one is whole.
func checkBatches(t *testing.T, s graph.Store, acked int) int {
	t.Helper()
	here := map[string]graph.SourceCount{}
	last := -1
	for _, c := range sources(t, s) {
		here[c.Source] = c
		if i, err := strconv.Atoi(strings.TrimPrefix(c.Source, "batch-")); err == nil {
			last = max(last, i)
		}
	}
	if last < acked || acked >= 0 && last > acked+1 {
		t.Errorf("batches up to %d are there, %d were acknowledged", last, acked)
	}
	total := 0
	for i := range last + 1 {
		want := graph.SourceCount{Source: batchSource(i), Entities: batchSize(i) + 1, Relations: batchSize(i)}
		if i%3 == 1 && last > i {
			want = graph.SourceCount{}
		}
		equal(t, fmt.Sprintf("batch %d", i), here[batchSource(i)], want)
		total += want.Entities
	}
	n, ends := 0, 0
	for e, err := range s.Find(t.Context(), graph.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		if relations(t, s, e.ID, graph.Filter{}) == "" {
			ends++
		}
	}
	equal(t, "entities", n, total)
	equal(t, "chains", ends, len(here))
	if acked >= 0 && last >= 0 { // applying it again does nothing, if it is remembered as a whole
		before := sources(t, s)
		apply(t, s, killBatch(last)...)
		equal(t, "sources after the last batch came again", sources(t, s), before)
	}
	return last
}
