package app_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"faultline/cmd/internal/plant"
)

// The environment of the process that TestKillLosesNothing starts and kills.
const (
	killData   = "FAULTLINE_TEST_KILL_DATA"
	killAlarms = "FAULTLINE_TEST_KILL_ALARMS"
)

// TestKillLosesNothing kills a process that takes alarms in, again and again. What it
// had acknowledged must be there, and the incidents must be those of exactly the
// events that are there. The process is this test binary, running this test.
func TestKillLosesNothing(t *testing.T) {
	if os.Getenv(killData) != "" {
		acceptUntilKilled(t)
		return
	}
	o := theOperator(t)
	dir := o.folder(t)
	for round, acks := range []int{1, 4, 9, 17} {
		acked := killAfter(t, o, dir, acks)
		a := open(t, dir)
		sources, err := a.Sources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, s := range sources {
			kept += s.Events
		}
		if kept < acked {
			t.Fatalf("round %d: %d events were acknowledged, %d are there", round, acked, kept)
		}
		fresh := open(t, o.folder(t))
		if err := fresh.Accept(t.Context(), o.events(t, fresh, 0, 48*time.Hour)[:kept]); err != nil {
			t.Fatal(err)
		}
		if _, err := fresh.Pending(t.Context()); err != nil {
			t.Fatal(err)
		}
		if asJSON(t, a.Incidents()) != asJSON(t, fresh.Incidents()) {
			t.Errorf("round %d: incidents differ from those of the first %d events", round, kept)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// acceptUntilKilled sends all alarms, in batches of growing size, and says after each
// how many are acknowledged. What an earlier process took is taken again.
func acceptUntilKilled(t *testing.T) {
	t.Helper()
	a := open(t, os.Getenv(killData))
	events := operator{files: os.Getenv(killAlarms)}.events(t, a, 0, 48*time.Hour)
	for done, size := 0, 7; done < len(events); size += 11 {
		end := min(done+size, len(events))
		if err := a.Accept(t.Context(), events[done:end]); err != nil {
			t.Fatal(err)
		}
		done = end
		fmt.Printf("\nack %d\n", done) // not buffered
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // to be killed, not to end
}

func killAfter(t *testing.T, o operator, dir string, acks int) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), killData+"="+dir, killAlarms+"="+filepath.Dir(o.paths(plant.AlarmsFile)[0]))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked, n := 0, 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "ack "); ok {
			if acked, err = strconv.Atoi(text); err != nil {
				t.Errorf("the process said %q", text)
			}
			if n++; n == acks {
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
		}
	}
	_ = cmd.Wait() // killed: an error is what we want
	if n < acks {
		t.Fatalf("the process ended by itself after %d batches", n)
	}
	return acked
}
