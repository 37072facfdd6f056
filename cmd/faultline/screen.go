package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// screen is where a command shows itself: results on out, what is going on on err, as
// a bar on a terminal and as plain lines elsewhere. It is safe for concurrent use.
type screen struct {
	out, err io.Writer
	terminal bool // err is one
	above    bool // out is on the same terminal, so that results go above the bar
	now      func() time.Time

	mu   sync.Mutex
	task *task // that is being shown
}

func newScreen(out, errs io.Writer, now func() time.Time) *screen {
	s := &screen{out: out, err: errs, terminal: isTerminal(errs), now: now}
	s.above = s.terminal && isTerminal(out)
	return s
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Write writes results.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.above && s.task != nil {
		return s.task.bars.Write(b)
	}
	return s.out.Write(b)
}

// say tells people what is going on.
func (s *screen) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.err
	if s.terminal && s.task != nil {
		w = s.task.bars
	}
	fmt.Fprintf(w, format+"\n", args...)
}

// sayEvery is how often a task shows itself where there is no terminal.
const sayEvery = 10 * time.Second

// task is work with progress. Its methods are safe for concurrent use.
type task struct {
	s     *screen
	name  string
	total int64
	bars  *mpb.Progress // nil without a terminal
	bar   *mpb.Bar
	began time.Time
	said  time.Time // guarded by s.mu
}

// begin shows a task of total steps; 0 when their number is not known. One task is
// shown at a time, until its end.
func (s *screen) begin(name string, total int64) *task {
	t := &task{s: s, name: name, total: total, began: s.now()}
	t.said = t.began
	if s.terminal {
		t.bars = mpb.New(mpb.WithOutput(s.err), mpb.WithWidth(40))
		t.bar = t.bars.AddBar(total, mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Name(name+" ")), mpb.AppendDecorators(decor.Percentage()))
	}
	s.mu.Lock()
	s.task = t
	s.mu.Unlock()
	return t
}

// at tells that done of the steps are done.
func (t *task) at(done int64) {
	if t.bar != nil {
		t.bar.SetCurrent(min(done, t.total-1)) // the last step is that of end
		return
	}
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if now := t.s.now(); now.Sub(t.said) >= sayEvery {
		t.said = now
		if t.total > 0 {
			fmt.Fprintf(t.s.err, "%s: %d %%\n", t.name, 100*done/t.total)
		} else {
			fmt.Fprintf(t.s.err, "%s: %d\n", t.name, done)
		}
	}
}

// end takes the task off the screen and returns how long it took. Ending twice is no
// harm.
func (t *task) end() time.Duration {
	if t.bars != nil {
		t.bar.Abort(true)
		t.bars.Wait()
	}
	t.s.mu.Lock()
	t.s.task = nil
	t.s.mu.Unlock()
	return t.s.now().Sub(t.began)
}

// jsonOut prints one value for programs.
func (s *screen) jsonOut(v any) error {
	e := json.NewEncoder(s)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table prints rows in columns; the first row is the head.
func (s *screen) table(rows [][]string) error {
	w := tabwriter.NewWriter(s, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		for i, cell := range r {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}
