package app

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"faultline/graph"
	"faultline/ingest"
	"faultline/ingest/alarmfile"
	"faultline/ingest/inventory"
	"faultline/ingest/manual"
	"faultline/ingest/ves"
	"faultline/ingest/workorder"
	"faultline/rca"
)

// FileOptions say how to read files.
type FileOptions struct {
	Format   ingest.Format     // of all files; empty: each is recognised by its content
	Mapping  alarmfile.Mapping // of CSV alarm columns; empty fields are guessed
	Severity string            // of alarms that state none; default major
	Source   string            // name in the ledger; default: the path as given
	Reject   func(ingest.Reject)
	Progress func(file string, done, total int64) // optional
}

// formats are all that IngestFiles reads.
var formats = []ingest.Format{
	ingest.FormatAlarmsJSONL, ingest.FormatAlarmsCSV, ingest.FormatVES, ingest.FormatInventoryTMF639, ingest.FormatInventoryCSV, ingest.FormatRelationsCSV,
	ingest.FormatWorkOrdersTMF621, ingest.FormatWorkOrdersCSV, ingest.FormatManualMD, ingest.FormatManualHTML, ingest.FormatManualStarlingX,
}

// Formats names the formats that IngestFiles reads.
func Formats() []string {
	out := make([]string, len(formats))
	for i, f := range formats {
		out[i] = string(f)
	}
	return out
}

// NewFileOptions makes options of words as a person writes them: a format of Formats,
// a mapping of columns as alarmfile.ParseMapping reads it, a severity, a source. Each
// may be empty. The error names the faulty one.
func NewFileOptions(format, mapping, severity, source string) (FileOptions, error) {
	o := FileOptions{Format: ingest.Format(format), Severity: severity, Source: source}
	if format != "" && !slices.Contains(formats, o.Format) {
		return o, fmt.Errorf("format %q is none of %s: %w", format, strings.Join(Formats(), ", "), rca.ErrInvalid)
	}
	if severity != "" {
		var s rca.Severity
		if err := s.UnmarshalText([]byte(strings.ToLower(severity))); err != nil {
			return o, err
		}
	}
	var err error
	o.Mapping, err = alarmfile.ParseMapping(mapping)
	return o, err
}

// FileReport says what a file gave.
type FileReport struct {
	File    string        `json:"file"` // all files of an inventory, which is read as one
	Source  string        `json:"source"`
	Format  ingest.Format `json:"format"`
	Mapping string        `json:"mapping,omitempty"` // of a CSV alarm file, guesses included
	ingest.Counts
}

// headSize is how much of a file its format is recognised by.
const headSize = 64 << 10

// IngestFiles reads files and folders into the data directory: inventory first, then
// manuals and work orders, which refer to it, then alarms. A bad row goes to
// o.Reject and costs nothing else. What a report tells is durable.
func (a *App) IngestFiles(ctx context.Context, paths []string, o FileOptions) ([]FileReport, error) {
	files, err := a.collect(paths, o)
	if err != nil {
		return nil, err
	}
	reports, err := a.ingestInventory(ctx, files, o)
	if err != nil {
		return reports, err
	}
	if len(reports) > 0 {
		if err := a.refresh(ctx); err != nil {
			return reports, err
		}
	}
	changed := false
	for _, class := range []func(ingest.Format) bool{isManual, isWorkOrder, isAlarms} {
		if changed && class(ingest.FormatAlarmsJSONL) { // alarms meet what was read before
			if err := a.refresh(ctx); err != nil {
				return reports, err
			}
			changed = false
		}
		for _, f := range files {
			if !class(f.format) {
				continue
			}
			r, err := a.ingestFile(ctx, f, o)
			if err != nil {
				return reports, fmt.Errorf("ingest %s: %w", f.path, err)
			}
			reports = append(reports, r)
			changed = changed || !isAlarms(f.format)
		}
	}
	if changed {
		if err := a.refresh(ctx); err != nil {
			return reports, err
		}
	}
	return reports, nil
}

func isManual(f ingest.Format) bool {
	return f == ingest.FormatManualMD || f == ingest.FormatManualHTML || f == ingest.FormatManualStarlingX
}

func isWorkOrder(f ingest.Format) bool {
	return f == ingest.FormatWorkOrdersTMF621 || f == ingest.FormatWorkOrdersCSV
}

func isAlarms(f ingest.Format) bool {
	return f == ingest.FormatAlarmsJSONL || f == ingest.FormatAlarmsCSV || f == ingest.FormatVES
}

// input is one file to read.
type input struct {
	path   string
	source string
	size   int64
	format ingest.Format
}

// collect walks folders and recognises every file. A file that was named and is not
// recognised is an error; one that was met in a folder is passed over.
func (a *App) collect(paths []string, o FileOptions) ([]input, error) {
	var out []input
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			f := input{path: path, source: cmp.Or(o.Source, filepath.ToSlash(path)), format: o.Format}
			if o.Source != "" && (path != root || len(paths) > 1) { // each file is a source
				rel, err := filepath.Rel(root, path)
				if err != nil {
					return err
				}
				if len(paths) > 1 {
					rel = filepath.Join(filepath.Base(root), rel)
				}
				f.source = o.Source + "/" + filepath.ToSlash(rel)
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			f.size = info.Size()
			if f.format == "" {
				head, err := readHead(path)
				if err != nil {
					return err
				}
				f.format = ingest.Detect(strings.TrimSuffix(path, ".gz"), head)
			}
			if f.format == ingest.FormatUnknown {
				if path == root {
					return fmt.Errorf("%s: the content is none of the known formats; say which it is: %w", path, rca.ErrInvalid)
				}
				return nil
			}
			if i := slices.IndexFunc(out, func(g input) bool { return g.source == f.source }); i >= 0 {
				return fmt.Errorf("%s and %s would be one source, %s: %w", out[i].path, path, f.source, rca.ErrInvalid)
			}
			out = append(out, f)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", root, err)
		}
	}
	return out, nil
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, headSize); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b.Bytes(), nil
}

func (o FileOptions) reader(f input) ingest.Options {
	opt := ingest.Options{Source: f.source, File: f.path, Total: f.size}
	if o.Progress != nil {
		opt.Progress = func(done, total int64) { o.Progress(f.path, done, total) }
	}
	return opt
}

func (o FileOptions) reject(r ingest.Reject) {
	if o.Reject != nil {
		o.Reject(r)
	}
}

// ingestInventory reads all inventory files as one import, so that a relation may
// stand in one file and its ends in another. Several files are one source, named
// after the folder that holds them.
func (a *App) ingestInventory(ctx context.Context, files []input, o FileOptions) ([]FileReport, error) {
	var inv []input
	for _, want := range []ingest.Format{ingest.FormatInventoryTMF639, ingest.FormatInventoryCSV, ingest.FormatRelationsCSV} {
		for _, f := range files {
			if f.format == want {
				inv = append(inv, f)
			}
		}
	}
	if len(inv) == 0 {
		return nil, nil
	}
	first := inv[0]
	if len(inv) > 1 {
		first.source = cmp.Or(o.Source, filepath.ToSlash(filepath.Dir(first.path)))
	}
	known := func(id graph.ID) (graph.Kind, string, bool) {
		e, err := a.store.Entity(ctx, id, graph.AsOf{})
		return e.Kind, e.Role, err == nil
	}
	im, err := inventory.New(inventory.Options{Options: o.reader(first), At: a.o.Now(), Replace: true, Known: known},
		func(cs []graph.Change) error { return a.store.Apply(ctx, cs) }, o.reject)
	if err != nil {
		return nil, err
	}
	for _, f := range inv {
		err := withFile(f.path, func(r io.Reader) error {
			switch f.format {
			case ingest.FormatInventoryTMF639:
				return im.ReadTMF639(ctx, r, f.path, f.size)
			case ingest.FormatInventoryCSV:
				return im.ReadResources(ctx, r, f.path, f.size)
			default:
				return im.ReadRelations(ctx, r, f.path, f.size)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("ingest %s: %w", f.path, err)
		}
	}
	counts, err := im.Finish()
	if err != nil {
		return nil, fmt.Errorf("ingest %s: %w", first.source, err)
	}
	paths := make([]string, len(inv))
	for i, f := range inv {
		paths[i] = f.path
	}
	return []FileReport{{File: strings.Join(paths, ", "), Source: first.source, Format: first.format, Counts: counts}}, nil
}

func withFile(path string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(read(f), f.Close())
}

func (a *App) ingestFile(ctx context.Context, f input, o FileOptions) (FileReport, error) {
	rep := FileReport{File: f.path, Source: f.source, Format: f.format}
	var err error
	switch {
	case isAlarms(f.format):
		keep := a.keeper(ctx)
		err = withFile(f.path, func(r io.Reader) error {
			var err error
			rep.Mapping, rep.Counts, err = a.readAlarms(ctx, r, f, o, keep.add)
			return errors.Join(err, keep.flush())
		})
	default:
		names := a.gazetteer()
		apply := func(cs []graph.Change) error { return a.apply(ctx, cs) }
		err = withFile(f.path, func(r io.Reader) error {
			var err error
			rep.Counts, err = a.readText(ctx, r, f, o, names, apply)
			return err
		})
	}
	return rep, err
}

// readText reads a manual or work orders.
func (a *App) readText(ctx context.Context, r io.Reader, f input, o FileOptions, names *ingest.Gazetteer, apply func([]graph.Change) error) (ingest.Counts, error) {
	m := manual.Options{Options: o.reader(f), At: a.o.Now(), AlarmTypes: names}
	w := workorder.Options{Options: o.reader(f), At: a.o.Now(), AlarmTypes: names, Replace: true, Resource: func(token string) (graph.ID, bool) {
		_, err := a.store.Entity(ctx, graph.ID(token), graph.AsOf{})
		return graph.ID(token), err == nil
	}}
	var sum manual.Summary
	var err error
	switch f.format {
	case ingest.FormatManualMD:
		sum, err = manual.ReadMarkdown(ctx, r, m, apply, o.reject)
	case ingest.FormatManualHTML:
		sum, err = manual.ReadHTML(ctx, r, m, apply, o.reject)
	case ingest.FormatManualStarlingX:
		sum, err = manual.ReadStarlingX(ctx, r, m, apply, o.reject)
	case ingest.FormatWorkOrdersTMF621:
		return workorder.ReadTMF621(ctx, r, w, apply, o.reject)
	default:
		return workorder.ReadCSV(ctx, r, w, apply, o.reject)
	}
	return sum.Counts, err
}

// readAlarms reads one alarm file of any form and hands on normalised events.
func (a *App) readAlarms(ctx context.Context, r io.Reader, f input, o FileOptions, emit func(rca.AlarmEvent) error) (mapping string, n ingest.Counts, err error) {
	norm, err := a.normalizer()
	if err != nil {
		return "", n, err
	}
	kept, refused := 0, 0
	reject := func(r ingest.Reject) { refused++; o.reject(r) }
	into := norm.Into(func(e rca.AlarmEvent) error { kept++; return emit(e) }, reject)
	defer func() { n.Emitted, n.Rejected = kept, refused }() // the readers count records, before they are normalised
	switch f.format {
	case ingest.FormatAlarmsCSV:
		var m alarmfile.Mapping
		m, n, err = alarmfile.ReadCSV(ctx, r, alarmfile.Options{Options: o.reader(f), Mapping: o.Mapping, Severity: o.Severity}, into, reject)
		return m.String(), n, err
	case ingest.FormatVES:
		d, err := ves.New(ves.Options{Options: o.reader(f)})
		if err != nil {
			return "", n, err
		}
		n, err = d.Read(ctx, r, into, reject)
		return "", n, err
	default:
		n, err = alarmfile.ReadJSONL(ctx, r, alarmfile.Options{Options: o.reader(f), Severity: o.Severity}, into, reject)
		return "", n, err
	}
}

// normalizer maps reported names by the present knowledge.
func (a *App) normalizer() (*ingest.Normalizer, error) {
	a.mu.Lock()
	k := a.eng.knowledge
	a.mu.Unlock()
	return ingest.NewNormalizer(ingest.NormalizerOptions{AlarmType: k.ResolveAlarmType})
}

// gazetteer lists the names of alarm types.
func (a *App) gazetteer() *ingest.Gazetteer {
	a.mu.Lock()
	k := a.eng.knowledge
	a.mu.Unlock()
	return ingest.NewGazetteer(ingest.AlarmTypeTerms(k))
}

// apply writes to the graph and keeps the text index in step.
func (a *App) apply(ctx context.Context, cs []graph.Change) error {
	if err := a.store.Apply(ctx, cs); err != nil {
		return err
	}
	if err := a.sync.Apply(ctx, cs); err != nil {
		return fmt.Errorf("index text: %w", err)
	}
	return nil
}

// keeper accepts events in batches.
type keeper struct {
	ctx   context.Context
	app   *App
	batch []rca.AlarmEvent
}

const keepBatch = 1000

func (a *App) keeper(ctx context.Context) *keeper { return &keeper{ctx: ctx, app: a} }

func (k *keeper) add(e rca.AlarmEvent) error {
	if k.batch = append(k.batch, e); len(k.batch) < keepBatch {
		return nil
	}
	return k.flush()
}

func (k *keeper) flush() error {
	if len(k.batch) == 0 {
		return nil
	}
	err := k.app.Accept(k.ctx, k.batch)
	k.batch = nil
	return err
}

// ReadAlarms hands on the alarm events of a file, or of all files of a folder, in
// their order there. Nothing is kept. A file that holds something else is an error.
func (a *App) ReadAlarms(ctx context.Context, path string, o FileOptions, emit func(rca.AlarmEvent) error) ([]FileReport, error) {
	files, err := a.collect([]string{path}, o)
	if err != nil {
		return nil, err
	}
	var reports []FileReport
	for _, f := range files {
		if !isAlarms(f.format) {
			return reports, fmt.Errorf("read alarms of %s: it holds %s: %w", f.path, f.format, rca.ErrInvalid)
		}
		rep := FileReport{File: f.path, Source: f.source, Format: f.format}
		err := withFile(f.path, func(r io.Reader) error {
			var err error
			rep.Mapping, rep.Counts, err = a.readAlarms(ctx, r, f, o, emit)
			return err
		})
		if err != nil {
			return reports, fmt.Errorf("read alarms of %s: %w", f.path, err)
		}
		reports = append(reports, rep)
	}
	return reports, nil
}

// ExamineFile analyses the alarms of a file on the stored inventory and knowledge.
// Nothing is kept.
func (a *App) ExamineFile(ctx context.Context, path string, o FileOptions) ([]rca.Case, error) {
	var events []rca.AlarmEvent
	if _, err := a.ReadAlarms(ctx, path, o, func(e rca.AlarmEvent) error { events = append(events, e); return nil }); err != nil {
		return nil, err
	}
	return a.Examine(ctx, events)
}

// Dropped says what went with a source.
type Dropped struct {
	Entities  int `json:"entities"`
	Relations int `json:"relations"`
	Records   int `json:"records"` // alarm events
}

// DropSource withdraws everything that a source stated, alarm events included. It
// returns graph.ErrNotFound when there is nothing of that name.
func (a *App) DropSource(ctx context.Context, source string) (Dropped, error) {
	var d Dropped
	sources, err := a.store.Sources(ctx)
	if err != nil {
		return d, fmt.Errorf("list sources: %w", err)
	}
	i := slices.IndexFunc(sources, func(s graph.SourceCount) bool { return s.Source == source })
	if i >= 0 {
		d.Entities, d.Relations = sources[i].Entities, sources[i].Relations
		if err := a.apply(ctx, []graph.Change{{Op: graph.OpDropSource, At: a.o.Now(), By: graph.Provenance{Source: source}}}); err != nil {
			return d, fmt.Errorf("drop source %s: %w", source, err)
		}
	}
	if d.Records, err = a.store.Drop(ctx, source); err != nil {
		return d, fmt.Errorf("drop records of %s: %w", source, err)
	}
	if i < 0 && d.Records == 0 {
		return d, fmt.Errorf("source %q: %w", source, graph.ErrNotFound)
	}
	return d, a.refresh(ctx)
}
