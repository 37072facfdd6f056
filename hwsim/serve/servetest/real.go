package servetest

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Client is the third-party program that an environment variable names. Without it
// the test is skipped, or fails in a CI run that insists (CI=true and
// FAULTLINE_REQUIRE_REAL=1).
func Client(tb testing.TB, variable string) string {
	tb.Helper()
	path := os.Getenv(variable)
	if path == "" {
		if os.Getenv("CI") == "true" && os.Getenv("FAULTLINE_REQUIRE_REAL") == "1" {
			tb.Fatalf("%s is not set, and this run insists on real clients", variable)
		}
		tb.Skipf("%s names no program; .ci/real-clients installs it and prints the line that sets it", variable)
	}
	return path
}

// Output runs a program to its end and gives what it wrote; it must succeed.
func Output(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), name, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Process is a program that runs beside the test and ends with it.
type Process struct {
	t     testing.TB
	In    io.WriteCloser
	lines *bufio.Scanner
	log   *buffer
}

// buffer may be written while it is read.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Launch runs a program beside the test.
func Launch(tb testing.TB, name string, args ...string) *Process {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), name, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p := &Process{t: tb, In: in, lines: bufio.NewScanner(out), log: &buffer{}}
	p.lines.Buffer(nil, 4<<20)
	cmd.Stderr = p.log
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // and how does not matter any more
	})
	return p
}

// Until reads lines up to one that contains a text, and gives all of them.
func (p *Process) Until(text string) []string {
	p.t.Helper()
	var seen []string
	for p.lines.Scan() {
		seen = append(seen, p.lines.Text())
		if strings.Contains(p.lines.Text(), text) {
			return seen
		}
	}
	p.t.Fatalf("the program ended before it wrote %q:\n%s\n%s", text, strings.Join(seen, "\n"), p.log)
	return nil
}
