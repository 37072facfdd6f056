// Command hwsim is the demo operator as a program: it writes the files that an
// operator's systems would hand over, and the alarms of a day. What really broke is
// written only where it is asked for, for evaluation.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"faultline/cmd/internal/plant"
	"faultline/hwsim"
)

func main() {
	if err := root(os.Stdout).Execute(); err != nil {
		fmt.Fprintf(os.Stderr, "hwsim: %v\n", err)
		os.Exit(1)
	}
}

// which says which operator is meant, and when.
type which struct {
	plant.Options
	date string
}

func (w *which) add(c *cobra.Command) {
	c.Flags().StringVar(&w.Size, "size", "small", "size of the operator: small, metro, city")
	c.Flags().Uint64Var(&w.Seed, "seed", 1, "seed of the operator, of what is hidden in it, and of what breaks")
	c.Flags().StringVar(&w.date, "date", "2026-03-01", "day of the alarms; work orders are of the days before it")
}

func (w *which) build() (*plant.Company, time.Time, error) {
	day, err := time.Parse(time.DateOnly, w.date)
	if err != nil {
		return nil, day, fmt.Errorf("--date %q is no day like 2026-03-01", w.date)
	}
	c, err := plant.New(w.Options)
	return c, day, err
}

func root(out io.Writer) *cobra.Command {
	c := &cobra.Command{
		Use: "hwsim", Short: "The demo operator: its files and its alarms",
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.CompletionOptions.HiddenDefaultCmd = true
	c.SetOut(out)
	c.AddCommand(operatorCommand(out), dayCommand(out), modesCommand(out))
	return c
}

// historyDays is the time that the faults of a history spread over.
const historyDays = 30

func operatorCommand(out io.Writer) *cobra.Command {
	var w which
	var dir, truth string
	var history int
	c := &cobra.Command{
		Use: "operator", Short: "Write inventory, manuals, work orders and announced work into a folder", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, day, err := w.build()
			if err != nil {
				return err
			}
			past, err := c.Mix(history, day.AddDate(0, 0, -historyDays), day, 1)
			if err != nil {
				return fmt.Errorf("run the days before: %w", err)
			}
			today, err := c.Day(day)
			if err != nil {
				return fmt.Errorf("run the day: %w", err)
			}
			if err := c.WriteOperator(dir, past, today.Works); err != nil {
				return err
			}
			if err := writeTruth(truth, past); err != nil {
				return err
			}
			_, err = fmt.Fprint(out, c.Summary())
			return err
		},
	}
	w.add(c)
	c.Flags().StringVar(&dir, "out", "operator", "folder to write into")
	c.Flags().IntVar(&history, "history", 0, fmt.Sprintf("faults of the %d days before, whose work orders are written", historyDays))
	c.Flags().StringVar(&truth, "truth", "", "file for what broke in those days; for evaluation alone")
	return c
}

func dayCommand(out io.Writer) *cobra.Command {
	var w which
	var truth string
	c := &cobra.Command{
		Use: "day", Short: "Write the alarms of a day as JSON Lines", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			c, day, err := w.build()
			if err != nil {
				return err
			}
			run, err := c.Day(day)
			if err != nil {
				return err
			}
			if err := writeTruth(truth, run); err != nil {
				return err
			}
			return plant.WriteAlarms(out, run.Notifications)
		},
	}
	w.add(c)
	c.Flags().StringVar(&truth, "truth", "", "file for what broke that day; for evaluation alone")
	return c
}

func writeTruth(path string, r *plant.Run) error {
	if path == "" {
		return nil
	}
	return plant.WriteTruth(path, r)
}

func modesCommand(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use: "modes", Short: "List the ways in which equipment breaks", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "MODE\tON\tDOMAIN\tPER YEAR\tREPAIR H\tWHAT HAPPENS")
			for _, m := range hwsim.Modes() {
				fmt.Fprintf(w, "%s\t%s\t%s\t%g\t%g-%g\t%s\n", m.Name, m.On, m.Domain, m.Rate, m.RepairMin, m.RepairMax, strings.TrimSpace(m.Text))
			}
			return w.Flush()
		},
	}
}
