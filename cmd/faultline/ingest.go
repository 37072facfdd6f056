package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"faultline/cmd/internal/app"
	"faultline/ingest"
)

// fileFlags say how to read files.
type fileFlags struct{ format, mapping, severity, source string }

func (f *fileFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.format, "format", "", "format of the files, one of "+strings.Join(app.Formats(), ", ")+"; recognised by content when not given")
	c.Flags().StringVar(&f.mapping, "map", "", "columns of a CSV alarm file, for example time=start,resource=device,type=alarm; the rest is guessed and told")
	c.Flags().StringVar(&f.severity, "severity", "", "severity of alarms that state none")
	c.Flags().StringVar(&f.source, "source", "", "name under which the content can be dropped again; the path when not given")
}

func (p *program) ingestCommand() *cobra.Command {
	var flags fileFlags
	var rejects string
	c := &cobra.Command{
		Use: "ingest PATH...", Short: "Read files and folders into the data folder", Args: cobra.MinimumNArgs(1),
		Long: "Read alarms, inventory, work orders and manuals, then analyse the incidents that changed.\n" +
			"A row that cannot be read goes to a reject file and costs no other row.",
		RunE: func(c *cobra.Command, paths []string) (err error) {
			o, err := app.NewFileOptions(flags.format, flags.mapping, flags.severity, flags.source)
			if err != nil {
				return usageError{err}
			}
			a, err := p.open(c.Context())
			if err != nil {
				return err
			}
			defer closing(a, &err)
			if rejects == "" {
				rejects = filepath.Join(p.data, rejectName(flags.source, paths[0]))
			}
			return p.ingest(c.Context(), a, paths, o, rejects)
		},
	}
	flags.add(c)
	c.Flags().StringVar(&rejects, "rejects", "", "file for rows that cannot be read; rejects-SOURCE.csv in the data folder when not given")
	c.Flags().BoolVar(&p.json, "json", false, "print one JSON object")
	return c
}

// rejectName is the file name for what a source has rejected.
func rejectName(source, path string) string {
	if source == "" {
		source = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	return "rejects-" + strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) {
			return '_'
		}
		return r
	}, source) + ".csv"
}

// lazyFile is made with the first byte that is written to it.
type lazyFile struct {
	path string
	f    *os.File
}

func (l *lazyFile) Write(b []byte) (int, error) {
	if l.f == nil {
		var err error
		if l.f, err = os.Create(l.path); err != nil {
			return 0, err
		}
	}
	return l.f.Write(b)
}

func (l *lazyFile) Close() error {
	if l.f == nil {
		return nil
	}
	return l.f.Close()
}

// ingested is what an ingest came to.
type ingested struct {
	Files    []app.FileReport `json:"files"`
	Rejects  string           `json:"rejects,omitempty"` // file of the rejected rows
	Analysed int              `json:"analysed"`          // incidents
}

func (p *program) ingest(ctx context.Context, a *app.App, paths []string, o app.FileOptions, rejects string) error {
	file := &lazyFile{path: rejects}
	bad := ingest.NewRejectWriter(file)
	o.Reject = bad.Write
	done := ingested{}
	reports, err := p.readFiles(ctx, a, paths, o)
	err = errors.Join(err, bad.Close(), file.Close())
	if err != nil {
		if bad.Count() > 0 {
			p.screen.say("%d rejects are in %s", bad.Count(), rejects)
		}
		return err
	}
	done.Files = reports
	if bad.Count() > 0 {
		done.Rejects = rejects
	}
	if done.Analysed, err = p.analyse(ctx, a); err != nil {
		return err
	}
	if p.json {
		return p.screen.jsonOut(done)
	}
	return p.told(done)
}

// readFiles ingests with a bar per file.
func (p *program) readFiles(ctx context.Context, a *app.App, paths []string, o app.FileOptions) ([]app.FileReport, error) {
	var t *task
	now := ""
	end := func() {
		if t != nil {
			t.end()
		}
		t = nil
	}
	o.Progress = func(file string, done, total int64) {
		if file != now {
			end()
			t, now = p.screen.begin("reading "+filepath.Base(file), total), file
		}
		if t != nil {
			t.at(done)
		}
	}
	defer end()
	return a.IngestFiles(ctx, paths, o)
}

// analyse analyses what changed and returns how many incidents that were.
func (p *program) analyse(ctx context.Context, a *app.App) (int, error) {
	pending, err := a.Pending(ctx)
	if err != nil {
		return 0, err
	}
	var ready atomic.Int64
	t := p.screen.begin("analysing incidents", int64(pending))
	stop := a.Watch(func(e app.Event) {
		if e.Kind == app.CaseReady {
			t.at(ready.Add(1))
		}
	})
	cases, err := a.Process(ctx, time.Time{}, 0)
	stop()
	t.end()
	return len(cases), err
}

func (p *program) told(d ingested) error {
	rows := [][]string{{"FILE", "FORMAT", "RECORDS", "TAKEN", "REJECTED", "IGNORED"}}
	for _, f := range d.Files {
		var ignored []string
		for _, k := range slices.Sorted(maps.Keys(f.Ignored)) {
			ignored = append(ignored, fmt.Sprintf("%s %d", k, f.Ignored[k]))
		}
		rows = append(rows, []string{f.File, string(f.Format), fmt.Sprint(f.Records), fmt.Sprint(f.Emitted), fmt.Sprint(f.Rejected), strings.Join(ignored, ", ")})
	}
	if err := p.screen.table(rows); err != nil {
		return err
	}
	for _, f := range d.Files {
		if f.Mapping != "" {
			fmt.Fprintf(p.screen, "columns of %s: %s\n", f.File, f.Mapping)
		}
	}
	if d.Rejects != "" {
		fmt.Fprintf(p.screen, "what was rejected, and why: %s\n", d.Rejects)
	}
	_, err := fmt.Fprintf(p.screen, "%d incidents analysed\n", d.Analysed)
	return err
}
