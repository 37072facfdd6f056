package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"faultline/ingest/mining"
)

// causalSet is a folder of alarm history in the format of the PCIC 2021 and CSL
// 2023 competitions. Truth is kept apart from what may be mined.
type causalSet struct {
	input  mining.Input // alarms and topology
	priors mining.Input // Known, Excluded and Snapshots only
	truth  *matrix      // nil when the folder has none
	faults []error      // rows that could not be read; the others were
}

// readCausal reads a folder. File names match in any case, plain or gzipped. Only
// the alarms are required.
func readCausal(dir fs.FS) (causalSet, error) {
	var s causalSet
	read := func(required bool, take func(name string, r io.Reader) error, names ...string) error {
		name, err := pickFile(dir, names)
		if err != nil {
			return err
		}
		if name == "" {
			if required {
				return fmt.Errorf("no %s in the folder", strings.Join(names, " or "))
			}
			return nil
		}
		if err := withFile(dir, name, func(r io.Reader) error { return take(name, r) }); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	table := func(then func(m matrix) error) func(string, io.Reader) error {
		return func(name string, r io.Reader) error {
			parse := readMatrixCSV
			if strings.Contains(strings.ToLower(name), ".npy") {
				parse = readNPY
			}
			m, err := parse(r)
			if err != nil {
				return err
			}
			if err := m.square(m.rows); err != nil {
				return err
			}
			return then(m)
		}
	}
	return s, errors.Join(
		read(true, func(_ string, r io.Reader) (err error) {
			s.input.Occurrences, s.faults, err = readAlarmCSV(r)
			return err
		}, "alarm.csv"),
		read(false, table(func(m matrix) error { s.truth = &m; return nil }), "dag.npy", "true_graph.npy", "true_graph.csv", "dag.csv"),
		read(false, table(func(m matrix) error {
			for i := range m.rows {
				for j := range m.cols {
					if i != j && m.at(i, j) != 0 {
						s.input.Links = append(s.input.Links, [2]string{strconv.Itoa(i), strconv.Itoa(j)})
					}
				}
			}
			return nil
		}), "topology.npy", "topology.csv"),
		read(false, table(func(m matrix) error {
			for i := range m.rows {
				for j := range m.cols {
					p := mining.Pair{Cause: strconv.Itoa(i), Effect: strconv.Itoa(j)}
					switch v := m.at(i, j); {
					case i == j || v == -1: // nothing is known
					case v == 1:
						s.priors.Known = append(s.priors.Known, p)
					case v == 0:
						s.priors.Excluded = append(s.priors.Excluded, p)
					default:
						return fmt.Errorf("row %d column %d: %v is not -1, 0 or 1", i+1, j+1, v)
					}
				}
			}
			return nil
		}), "causal_prior.npy", "causal_prior.csv"),
		read(false, func(_ string, r io.Reader) (err error) {
			s.priors.Snapshots, err = readSnapshots(r)
			return err
		}, "rca_prior.csv"),
	)
}

// pickFile returns the folder's file of the first name that it has, "" for none.
func pickFile(dir fs.FS, names []string) (string, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return "", err
	}
	for _, want := range names {
		for _, e := range entries {
			if n := strings.ToLower(e.Name()); n == want || n == want+".gz" {
				return e.Name(), nil
			}
		}
	}
	return "", nil
}

func withFile(dir fs.FS, name string, read func(io.Reader) error) error {
	f, err := dir.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // read only: nothing is lost
	var r io.Reader = f
	if strings.HasSuffix(strings.ToLower(name), ".gz") {
		if r, err = gzip.NewReader(bufio.NewReader(f)); err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
	}
	return read(r)
}

// readAlarmCSV reads alarm_id,device_id,start_timestamp,end_timestamp in any order
// of columns, times in seconds. A row at fault is reported and skipped; an end that
// is empty or before the start only means that the clear is not known.
func readAlarmCSV(r io.Reader) (occ []mining.Occurrence, faults []error, err error) {
	cr := csv.NewReader(r)
	cr.FieldsPerRecord = -1
	cr.TrimLeadingSpace = true
	head, err := cr.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("read header: %w", err)
	}
	at := map[string]int{}
	for i, h := range head {
		at[strings.ToLower(strings.Trim(h, "\ufeff \t"))] = i
	}
	columns := []string{"alarm_id", "device_id", "start_timestamp", "end_timestamp"}
	for _, c := range columns {
		if _, ok := at[c]; !ok {
			return nil, nil, fmt.Errorf("read header: no column %s", c)
		}
	}
	for row := 2; ; row++ {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return occ, faults, nil
		}
		if err != nil {
			if _, ok := errors.AsType[*csv.ParseError](err); !ok {
				return nil, nil, fmt.Errorf("read row %d: %w", row, err)
			}
			faults = append(faults, fmt.Errorf("read row %d: %w", row, err))
			continue
		}
		cell := func(c string) string {
			if at[c] < len(rec) {
				return strings.TrimSpace(rec[at[c]])
			}
			return ""
		}
		o := mining.Occurrence{Type: cell("alarm_id"), Device: cell("device_id")}
		fault := func(field string, err error) {
			faults = append(faults, fmt.Errorf("read row %d: %s: %w", row, field, err))
		}
		if o.Type == "" {
			fault("alarm_id", errMissing)
			continue
		}
		if o.Device == "" {
			fault("device_id", errMissing)
			continue
		}
		if o.Raised, err = seconds(cell("start_timestamp")); err != nil {
			fault("start_timestamp", err)
			continue
		}
		if end := cell("end_timestamp"); end != "" {
			if o.Cleared, err = seconds(end); err != nil {
				fault("end_timestamp", err) // the raise is good all the same
				o.Cleared = time.Time{}
			}
		}
		occ = append(occ, o)
	}
}

var errMissing = errors.New("missing")

// seconds reads a number of seconds since 1970, with or without a fraction.
func seconds(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, errMissing
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(v) > 1e11 || math.IsNaN(v) {
		return time.Time{}, fmt.Errorf("%q is not a time in seconds", s)
	}
	whole, part := math.Modf(v)
	return time.Unix(int64(whole), int64(math.Round(part*1e9))), nil
}

var digits = regexp.MustCompile(`\d+`)

// readSnapshots reads simplified_snapshot,simplified_root_cause, each a list of
// alarm types in brackets.
func readSnapshots(r io.Reader) ([]mining.Snapshot, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read snapshots: %w", err)
	}
	var out []mining.Snapshot
	for i, rec := range rows {
		if i == 0 {
			continue // header
		}
		if len(rec) != 2 {
			return nil, fmt.Errorf("read snapshots row %d: %d fields, want 2", i+1, len(rec))
		}
		s := mining.Snapshot{Types: digits.FindAllString(rec[0], -1), Roots: digits.FindAllString(rec[1], -1)}
		if len(s.Types) == 0 || len(s.Roots) == 0 {
			return nil, fmt.Errorf("read snapshots row %d: no alarm types in %q", i+1, rec)
		}
		out = append(out, s)
	}
	return out, nil
}
