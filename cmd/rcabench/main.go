// Command rcabench measures Faultline: it is the only program that may see ground
// truth, and it keeps it from every analysis.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

// benchmark is one subcommand.
type benchmark struct {
	name, doc string
	run       func(ctx context.Context, args []string, out io.Writer) error
}

var benchmarks = []benchmark{
	{"incidents", "root causes of faults injected into the demo operator's plant", runIncidents},

	{"causal", "causal edges mined from a folder of real alarms, against expert graphs", runCausal},
	{"otdr", "breaks located on simulated traces, and events of SOR files", runOTDR},
	{"retrieval", "ranking of passages on published question sets", runRetrieval},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	default:
		fmt.Fprintln(os.Stderr, "rcabench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 {
		for _, b := range benchmarks {
			if b.name == args[0] {
				return b.run(ctx, args[1:], out)
			}
		}
	}
	var names []string
	for _, b := range benchmarks {
		names = append(names, fmt.Sprintf("  %-10s %s", b.name, b.doc))
	}
	return fmt.Errorf("want a benchmark, each with -h for its flags:\n%s", strings.Join(names, "\n"))
}
