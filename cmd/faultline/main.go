// Command faultline is the product: it takes alarms, inventory, work orders and
// manuals into a data folder, finds root causes, answers over REST, and brings a demo
// operator along. Flags become options of package app; the work is done there.
//
// Exit codes: 0 done, 1 failed, 2 used wrongly, 130 interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"faultline/cmd/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process. It prints an error once.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	p := &program{screen: newScreen(out, errs, time.Now), now: time.Now}
	root := p.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(errs, "faultline: interrupted; what was acknowledged is kept")
		return 130
	}
	fmt.Fprintf(errs, "faultline: %v\n", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

// usageError marks a command line that cannot be read.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// program is one run of the command line.
type program struct {
	screen *screen
	now    func() time.Time
	data   string // folder of all state
	json   bool   // machine-readable output
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "faultline",
		Short: "Root causes of telecom alarms, with evidence",
		Long:  "Alarms are on; what broke, where, how do we know, and what do we do about it?\nBegin with `faultline demo`, or read your own files with `faultline ingest`.",
		Args:  cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringVar(&p.data, "data", "data", "folder that holds all state")
	root.AddCommand(p.demoCommand(), p.ingestCommand(), p.rcaCommand(), p.kbCommand(), p.serveCommand(), p.versionCommand())
	misuse(root)
	return root
}

// misuse has every wrong use of a command end as a usageError that says where help is.
func misuse(c *cobra.Command) {
	wrap := func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
	}
	c.SetFlagErrorFunc(wrap)
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return wrap(c, err)
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		misuse(sub)
	}
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			revision := ""
			if b, ok := debug.ReadBuildInfo(); ok {
				for _, s := range b.Settings {
					if s.Key == "vcs.revision" {
						revision = " " + s.Value
					}
				}
				revision += " " + b.GoVersion
			}
			_, err := fmt.Fprintf(p.screen, "faultline %s%s\n", app.Version, revision)
			return err
		},
	}
}

func (p *program) serveCommand() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use: "serve", Short: "Answer over REST and analyse what comes in", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			a, err := p.open(c.Context())
			if err != nil {
				return err
			}
			defer closing(a, &err)
			return a.Serve(c.Context(), app.ServeOptions{Addr: listen, Ready: func(addr string) {
				fmt.Fprintf(p.screen, "serving %s on http://%s\n", p.data, addr)
			}})
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address to answer on; port 0 picks one")
	return c
}

// logger writes for people on a terminal and JSON elsewhere.
func (p *program) logger() zerolog.Logger {
	w := p.screen.err
	if p.screen.terminal {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(w).Level(zerolog.WarnLevel).With().Timestamp().Logger()
}

// closing closes c at the end of a function and keeps its error.
func closing(c io.Closer, err *error) { *err = errors.Join(*err, c.Close()) }
