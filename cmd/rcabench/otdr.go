package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"text/tabwriter"

	"faultline/hwsim/otdr"
)

// runOTDR measures the reflectometer: on random plants, whether breaks are located; on
// a folder of .sor files with events.json, whether the files are read to their events.
func runOTDR(ctx context.Context, args []string, out io.Writer) error {
	fl := flag.NewFlagSet("rcabench otdr", flag.ContinueOnError)
	fl.SetOutput(out)
	seed := fl.Uint64("seed", 1, "seed of the random plants")
	n := fl.Int("n", 500, "number of random plants")
	dir := fl.String("data", "", "folder with .sor files and events.json; without it random plants are measured")
	asJSON := fl.Bool("json", false, "end with one line of JSON")
	if err := fl.Parse(args); err != nil {
		return err
	}
	var card interface{ print(io.Writer) error }
	var err error
	switch {
	case *dir != "":
		card, err = scoreTraces(ctx, os.DirFS(*dir))
	case *n < 1:
		return fmt.Errorf("rcabench otdr: -n %d: want 1 or more", *n)
	default:
		card, err = scoreBreaks(ctx, *seed, *n)
	}
	if err != nil {
		return fmt.Errorf("rcabench otdr: %w", err)
	}
	if err := card.print(out); err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(out).Encode(card)
	}
	return nil
}

// breakCard is the result on random plants.
type breakCard struct {
	Located float64 `json:"located"` // share of breaks told within half a pulse and a sample
	Seen    float64 `json:"seen"`    // share of breaks told at all
	RMS     float64 `json:"rms_pulses"`
	Joints  float64 `json:"joints_found"` // share of losses of 0.1 dB and more before the break told within a pulse
	LossRMS float64 `json:"loss_rms_db"`  // of those
	False   float64 `json:"false_events"` // for each plant
	Plants  int     `json:"plants"`
}

func scoreBreaks(ctx context.Context, seed uint64, n int) (breakCard, error) {
	random := rand.New(rand.NewPCG(seed, 0x07D2))
	c := breakCard{Plants: n}
	var seen, located, off, joints, found, lossOff, wrong float64
	for range n {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		fibre, setup := otdr.Draw(random)
		trace, err := otdr.Measure(fibre, setup, random)
		if err != nil {
			return c, err
		}
		told, err := otdr.Detect(trace, otdr.DefaultThresholds())
		if err != nil {
			return c, err
		}
		pulse := trace.PulseM()
		last := len(fibre.Features) - 1
		if e := told.LengthM - fibre.Features[last].AtM; told.EndSeen {
			seen++
			off += (e / pulse) * (e / pulse)
			if math.Abs(e) <= pulse/2+trace.SpacingM {
				located++
			}
		}
		events := told.Events
		if told.EndSeen {
			events = events[:len(events)-1]
		}
		wrong += float64(len(events))
		for _, f := range fibre.Features[:last] {
			at := slices.IndexFunc(events, func(e otdr.Event) bool { return math.Abs(e.AtM-f.AtM) <= pulse+trace.SpacingM })
			if at >= 0 {
				wrong--
			}
			if math.Abs(f.LossDB) < 0.1 {
				continue
			}
			joints++
			if at >= 0 {
				found++
				lossOff += (events[at].LossDB - f.LossDB) * (events[at].LossDB - f.LossDB)
			}
		}
	}
	c.Located, c.Seen, c.RMS = located/float64(n), seen/float64(n), math.Sqrt(off/max(seen, 1))
	c.Joints, c.LossRMS, c.False = found/max(joints, 1), math.Sqrt(lossOff/max(found, 1)), wrong/float64(n)
	return c, nil
}

func (c breakCard) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "random plants\t%d\t\n", c.Plants)
	fmt.Fprintf(w, "breaks located\t%.3f\twithin half a pulse and a sample\n", c.Located)
	fmt.Fprintf(w, "breaks seen\t%.3f\trms error %.3f pulses\n", c.Seen, c.RMS)
	fmt.Fprintf(w, "joints of 0.1 dB found\t%.3f\trms loss error %.3f dB\n", c.Joints, c.LossRMS)
	fmt.Fprintf(w, "false events\t%.3f\tfor each plant\n", c.False)
	return w.Flush()
}

// traceCard is the result on files.
type traceCard struct {
	Matched      int      `json:"events_matched"`
	Expected     int      `json:"events_expected"`
	Files        int      `json:"files"`
	EndsLocated  int      `json:"ends_located"` // from the trace alone, within two samples or half a pulse of the end event
	EndsExpected int      `json:"ends_expected"`
	Checksum     []string `json:"checksum_faults"` // files whose bytes are not those that were written; their events count all the same
	Faults       []string `json:"faults"`          // what else could not be read

	rows []traceRow
}

type traceRow struct {
	name, checksum    string
	matched, expected int
	end, told         float64
}

// expectedFile is an entry of events.json.
type expectedFile struct {
	Events []expectedEvent `json:"events"`
}

type expectedEvent struct {
	DistanceM   float64  `json:"distance_m"`
	LossDB      float64  `json:"loss_db"`
	Reflectance *float64 `json:"reflectance_db"`
	Code        string   `json:"code"`
	End         bool     `json:"end"`
}

func scoreTraces(ctx context.Context, dir fs.FS) (traceCard, error) {
	c := traceCard{Checksum: []string{}, Faults: []string{}}
	raw, err := fs.ReadFile(dir, "events.json")
	if err != nil {
		return c, err
	}
	want := map[string]expectedFile{}
	if err := json.Unmarshal(raw, &want); err != nil {
		return c, fmt.Errorf("read events.json: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		c.add(dir, name, want[name].Events)
	}
	return c, nil
}

// add reads one file; a fault in it is a line of the result.
func (c *traceCard) add(dir fs.FS, name string, want []expectedEvent) {
	row := traceRow{name: name, checksum: "good", expected: len(want), end: math.NaN(), told: math.NaN()}
	c.Files++
	c.Expected += len(want)
	defer func() { c.rows = append(c.rows, row) }()
	data, err := fs.ReadFile(dir, name)
	if err != nil {
		row.checksum = "-"
		c.Faults = append(c.Faults, err.Error())
		return
	}
	f, err := otdr.Read(data)
	var sum *otdr.ChecksumError
	if errors.As(err, &sum) {
		row.checksum = "missing"
		if sum.Present {
			row.checksum = fmt.Sprintf("wrong: %04x, computed %04x", sum.Stored, sum.Computed)
		}
		c.Checksum = append(c.Checksum, name)
	}
	if err := otdr.IgnoreChecksum(err); err != nil {
		c.Faults = append(c.Faults, name+": "+err.Error())
	}
	if f == nil {
		return
	}
	spacing := 0.5 // m, should the file give none
	trace, err := f.Trace(0)
	if err == nil {
		spacing = trace.SpacingM
	}
	row.matched = matchEvents(f, want, spacing)
	c.Matched += row.matched
	i := slices.IndexFunc(want, func(e expectedEvent) bool { return e.End })
	if i < 0 || trace == nil {
		return
	}
	row.end = want[i].DistanceM
	c.EndsExpected++
	told, err := otdr.Detect(trace, otdr.DefaultThresholds())
	if err != nil {
		c.Faults = append(c.Faults, name+": "+err.Error())
		return
	}
	if told.EndSeen {
		row.told = told.LengthM
		if math.Abs(row.told-row.end) <= max(2*spacing, trace.PulseM()/2) {
			c.EndsLocated++
		}
	}
}

// matchEvents counts the expected events that the file has: the place within a sample,
// loss and reflectance to the rounding of the list, and the code.
func matchEvents(f *otdr.File, want []expectedEvent, spacing float64) int {
	used := make([]bool, len(f.Events.Events))
	n := 0
	for _, w := range want {
		for i, e := range f.Events.Events {
			if !used[i] && math.Abs(f.DistanceM(e)-w.DistanceM) <= spacing && math.Abs(e.LossDB()-w.LossDB) < 0.001 &&
				sameReflectance(e, w.Reflectance) && e.Code == w.Code {
				used[i] = true
				n++
				break
			}
		}
	}
	return n
}

// sameReflectance takes any number on an event that does not reflect for none: what
// instruments store there differs.
func sameReflectance(e otdr.KeyEvent, want *float64) bool {
	got, ok := e.ReflectanceDB()
	if want == nil {
		return !ok || !e.Reflective()
	}
	return math.Abs(got-*want) < 0.001
}

func (c traceCard) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "file\tevents\tmatched\tend m\tfrom the trace m\tchecksum\n")
	for _, r := range c.rows {
		fmt.Fprintf(w, "%s\t%d\t%d\t%.2f\t%.2f\t%s\n", r.name, r.expected, r.matched, r.end, r.told, r.checksum)
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d ends\t%d located\t%d faults\n", c.Expected, c.Matched, c.EndsExpected, c.EndsLocated, len(c.Checksum))
	if err := w.Flush(); err != nil {
		return err
	}
	for _, f := range c.Faults {
		fmt.Fprintf(out, "fault: %s\n", f)
	}
	return nil
}
