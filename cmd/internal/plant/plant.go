// Package plant runs the demo operator: it builds the network, breaks it by script,
// and writes what an operator's systems would hand over: inventory, manuals, work
// orders and alarms, as files. What really broke stays in a Run, which only the
// evaluation keeps.
package plant

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"faultline/hwsim"
	"faultline/hwsim/backoffice"
	"faultline/hwsim/fault"
	"faultline/hwsim/operator"
)

// Options of New.
type Options struct {
	Size string // small, metro or city
	Seed uint64
}

// Company is a demo operator with its network.
type Company struct {
	o  Options
	op *operator.Operator
}

// New builds the operator.
func New(o Options) (*Company, error) {
	op, err := operator.Generate(operator.Options{Size: o.Size, Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	return &Company{o, op}, nil
}

// Network is what stands in the field.
func (c *Company) Network() *hwsim.Network { return c.op.Network }

// Summary describes the network for people.
func (c *Company) Summary() string { return c.op.Summary() }

// Run is a stretch of the network's life: what was announced, what was reported and,
// for evaluation only, what really happened.
type Run struct {
	Works         []fault.Work
	Script        fault.Script
	Notifications []hwsim.Notification
	Trace         hwsim.Trace
}

// drain is how long after the end of a run late notifications are waited for.
const drain = 10 * time.Minute

// Day runs one day in which every reference chain has its hour.
func (c *Company) Day(day time.Time) (*Run, error) {
	return c.run(day, day.Add(24*time.Hour), 1, func(works []fault.Work) (fault.Script, error) {
		return fault.DemoDay(c.op.Network, c.o.Seed, day, works...)
	})
}

// Mix runs n faults, drawn by the seed, between two times.
func (c *Company) Mix(n int, from, to time.Time, noise float64) (*Run, error) {
	return c.run(from, to, noise, func(works []fault.Work) (fault.Script, error) {
		return fault.Plan(fault.Options{Network: c.op.Network, Seed: c.o.Seed, From: from, To: to, N: n, Chains: n >= 60, Works: works})
	})
}

func (c *Company) run(from, to time.Time, noise float64, plan func([]fault.Work) (fault.Script, error)) (*Run, error) {
	windows, err := c.op.PlannedWork(c.o.Seed, from, to)
	if err != nil {
		return nil, fmt.Errorf("plan work: %w", err)
	}
	r := &Run{}
	for _, w := range windows {
		if w.From.Before(from) {
			continue // its beginning is not part of the record
		}
		r.Works = append(r.Works, fault.Work{ID: w.ID, Name: w.Name, Resources: w.Resources, From: w.From, To: w.To})
	}
	if r.Script, err = plan(r.Works); err != nil {
		return nil, err
	}
	p, err := hwsim.NewPlant(hwsim.PlantOptions{Network: c.op.Network, Seed: c.o.Seed, Start: from, Noise: noise})
	if err != nil {
		return nil, err
	}
	if err := r.Script.Apply(p); err != nil {
		return nil, err
	}
	end := to
	for _, e := range r.Script.Entries {
		if e.Until.After(end) {
			end = e.Until
		}
	}
	r.Notifications = p.Advance(end.Add(drain))
	r.Trace = p.Trace()
	return r, nil
}

// WriteInventory writes the network as a TMF639 inventory.
func (c *Company) WriteInventory(w io.Writer) error { return c.op.WriteTMF639(w) }

// workOrders are the tickets of a run, and of all announced work.
func (c *Company) workOrders(r *Run, works []fault.Work) []backoffice.WorkOrder {
	entries := map[string]fault.Entry{}
	for _, e := range r.Script.Entries {
		entries[e.ID] = e
	}
	o := backoffice.Options{Seed: c.o.Seed, Network: c.op.Network}
	severity := map[string]string{}
	for _, a := range hwsim.Alarms() {
		severity[a.Slug] = a.Severity
	}
	for _, t := range r.Trace.Faults {
		e := entries[t.Fault.ID]
		if e.Work != "" {
			continue // the window below stands for it
		}
		h := backoffice.FaultHistory{ID: t.Fault.ID, Mode: t.Fault.Mode, Resource: t.Fault.Resource, Domain: e.Domain, Start: t.Fault.At, End: t.Repaired}
		for _, a := range t.Alarms {
			if a.Reported {
				h.Alarms = append(h.Alarms, backoffice.Alarm{Object: a.Object, Name: a.Alarm, Severity: severity[a.Alarm], Raised: a.Raised})
			}
		}
		o.Faults = append(o.Faults, h)
	}
	for _, w := range slices.Concat(r.Works, works) {
		for i, res := range w.Resources {
			o.Faults = append(o.Faults, backoffice.FaultHistory{ID: fmt.Sprintf("%s/%d", w.ID, i), Mode: "planned-work", Resource: res, Start: w.From, End: w.To, Planned: true})
		}
	}
	return backoffice.WorkOrders(o)
}

// alarmLine is an alarm notification as Faultline's JSON Lines form has it.
type alarmLine struct {
	ID            string    `json:"id"`
	Time          time.Time `json:"time"`
	Resource      string    `json:"resource"`
	Type          string    `json:"type"`
	Qualifier     string    `json:"qualifier,omitempty"`
	Severity      string    `json:"severity"`
	ProbableCause int       `json:"probableCause,omitempty"`
	Text          string    `json:"text,omitempty"`
	Element       string    `json:"element,omitempty"`
}

// WriteAlarms writes notifications as JSON Lines, in the order of their arrival.
func WriteAlarms(w io.Writer, ns []hwsim.Notification) error {
	b := bufio.NewWriter(w)
	enc := json.NewEncoder(b)
	for _, n := range ns {
		err := enc.Encode(alarmLine{
			ID: fmt.Sprintf("N%06d", n.Seq), Time: n.Time, Resource: n.Object, Type: n.Alarm, Qualifier: n.Qualifier, Severity: n.Severity,
			ProbableCause: n.ProbableCause, Text: n.Text, Element: n.Element,
		})
		if err != nil {
			return fmt.Errorf("write alarm %d: %w", n.Seq, err)
		}
	}
	return b.Flush()
}

// Names of the files that WriteFiles makes.
const (
	InventoryFile = "inventory.json"
	ManualsDir    = "manuals"
	TicketsFile   = "workorders.json"
	AlarmsFile    = "alarms.jsonl"
)

// WriteFiles fills a folder with what WriteOperator writes, and with the alarms of
// the run.
func (c *Company) WriteFiles(dir string, history, run *Run) error {
	if err := c.WriteOperator(dir, history, run.Works); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, AlarmsFile), func(w io.Writer) error { return WriteAlarms(w, run.Notifications) })
}

// WriteOperator fills a folder with the operator's inventory, its manuals, the
// tickets of history, and the announced works of its future.
func (c *Company) WriteOperator(dir string, history *Run, works []fault.Work) error {
	if err := os.MkdirAll(filepath.Join(dir, ManualsDir), 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	manuals := backoffice.Manuals()
	names, err := fs.Glob(manuals, "*.md")
	if err != nil {
		return fmt.Errorf("list manuals: %w", err)
	}
	for _, n := range names {
		text, err := fs.ReadFile(manuals, n)
		if err != nil {
			return fmt.Errorf("read manual: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, ManualsDir, n), text, 0o644); err != nil {
			return fmt.Errorf("write manual: %w", err)
		}
	}
	orders := c.workOrders(history, works)
	return errors.Join(
		writeFile(filepath.Join(dir, InventoryFile), c.WriteInventory),
		writeFile(filepath.Join(dir, TicketsFile), func(w io.Writer) error { return backoffice.WriteTMF621(w, orders) }),
	)
}

// truthLine is one fault as WriteTruth writes it.
type truthLine struct {
	ID       string    `json:"id"`
	Mode     string    `json:"mode"`
	Resource string    `json:"resource"`
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"`
	Domain   string    `json:"domain"`
	Chain    string    `json:"chain,omitempty"`
	Work     string    `json:"work,omitempty"`
}

// WriteTruth writes what broke in a run into a file, one JSON object a line. Nothing
// that analyses may read it.
func WriteTruth(path string, r *Run) error {
	return writeFile(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		for _, e := range r.Script.Entries {
			if err := enc.Encode(truthLine{e.ID, e.Mode, e.Resource, e.At.UTC(), e.Until.UTC(), e.Domain, e.Chain, e.Work}); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	b := bufio.NewWriter(f)
	if err := errors.Join(write(b), b.Flush(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
