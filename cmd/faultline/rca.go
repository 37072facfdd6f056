package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"faultline/cmd/internal/app"
	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
)

func (p *program) rcaCommand() *cobra.Command {
	var flags fileFlags
	c := &cobra.Command{
		Use: "rca [INCIDENT | FILE]", Short: "Show root causes: of all incidents, of one, or of an alarm file", Args: cobra.MaximumNArgs(1),
		Long: "Without an argument, list the incidents. With one, show its analysis, made now when there is none.\n" +
			"With a file of alarms, analyse it on the stored inventory; nothing of it is kept.",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.listIncidents(c.Context())
			}
			if _, err := os.Stat(args[0]); err == nil {
				return p.examine(c.Context(), args[0], flags)
			}
			return p.showCase(c.Context(), args[0])
		},
	}
	flags.add(c)
	c.Flags().BoolVar(&p.json, "json", false, "print JSON")
	return c
}

func (p *program) listIncidents(ctx context.Context) (err error) {
	lib, err := p.library(ctx)
	if err != nil {
		return err
	}
	defer closing(lib, &err)
	list, err := lib.Incidents(ctx)
	if err != nil {
		return err
	}
	if p.json {
		return p.screen.jsonOut(full(list))
	}
	return p.incidentTable(list)
}

// full makes a nil list an empty one, which JSON writes as [].
func full[T any](list []T) []T { return append([]T{}, list...) }

func (p *program) incidentTable(list []incident) error {
	rows := [][]string{{"INCIDENT", "TIME", "SEVERITY", "ALARMS", "CAUSE", "AT", "CONFIDENCE"}}
	for _, i := range list {
		row := []string{i.ID, i.First.Format("2006-01-02 15:04:05"), i.Severity.String(), fmt.Sprint(i.Alarms)}
		switch a := i.Analysis; {
		case a == nil:
			row = append(row, "not analysed yet", "", "")
		case !a.Determined:
			row = append(row, "not determined", "", "")
		default:
			name := a.Name
			if a.Causes > 1 {
				name += fmt.Sprintf(" and %d more", a.Causes-1)
			}
			row = append(row, name, string(a.Resource), fmt.Sprintf("%.0f %%", 100*a.Confidence))
		}
		if i.Planned {
			row[2] += ", planned"
		}
		rows = append(rows, row)
	}
	return p.screen.table(rows)
}

func (p *program) showCase(ctx context.Context, id string) (err error) {
	lib, err := p.library(ctx)
	if err != nil {
		return err
	}
	defer closing(lib, &err)
	k, err := lib.Case(ctx, id)
	if errors.Is(err, graph.ErrNotFound) {
		return fmt.Errorf("%s is no incident of %s and no file; `faultline rca` lists the incidents: %w", id, p.data, graph.ErrNotFound)
	}
	if err != nil {
		return err
	}
	if p.json {
		return p.screen.jsonOut(k)
	}
	return app.RenderCase(p.screen, k.Case, describe(ctx, lib))
}

// describe names alarm types by the graph.
func describe(ctx context.Context, g graph.Reader) func(string) string {
	names := map[string]string{}
	return func(alarmType string) string {
		name, ok := names[alarmType]
		if !ok {
			name = alarmType
			if e, err := g.Entity(ctx, graph.ID(rca.AlarmTypePrefix+alarmType), graph.AsOf{}); err == nil && e.Name != "" {
				name = e.Name
			}
			names[alarmType] = name
		}
		return name
	}
}

// shownRejects is how many rejects are told one by one.
const shownRejects = 5

func (p *program) examine(ctx context.Context, path string, flags fileFlags) (err error) {
	o, err := app.NewFileOptions(flags.format, flags.mapping, flags.severity, flags.source)
	if err != nil {
		return usageError{err}
	}
	a, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	rejected := 0
	o.Reject = func(r ingest.Reject) {
		if rejected++; rejected <= shownRejects {
			p.screen.say("rejected: %v", r)
		}
	}
	t := p.screen.begin("analysing "+path, 0)
	cases, err := a.ExamineFile(ctx, path, o)
	t.end()
	if err != nil {
		return err
	}
	if rejected > shownRejects {
		p.screen.say("%d rows were rejected; `faultline ingest` writes them all to a file", rejected)
	}
	if p.json {
		return p.screen.jsonOut(full(cases))
	}
	for _, c := range cases {
		if err := app.RenderCase(p.screen, c, a.Describe); err != nil {
			return err
		}
	}
	if len(cases) == 0 {
		fmt.Fprintf(p.screen, "%s holds no alarm that was raised\n", path)
	}
	return nil
}
