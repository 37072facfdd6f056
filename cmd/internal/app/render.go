package app

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"faultline/rca"
)

// Limits of the text form; JSON has everything.
const (
	showHypotheses = 3
	showPath       = 12
	showEvidence   = 4
)

// RenderCase writes an analysis for people. describe names an alarm type, for
// example by its catalogue name; it may return its argument.
func RenderCase(w io.Writer, c rca.Case, describe func(alarmType string) string) error {
	p := &printer{w: w, describe: describe}
	inc, d := c.Incident, c.Decision
	p.f("%s  %s\n", inc.ID, inc.Name)
	p.f("  %s  %s to %s  %d alarms  domains: %s\n", inc.Severity, stamp(inc.First), stamp(inc.Last), len(inc.Alarms), cmp.Or(strings.Join(inc.Domains, ", "), "unknown"))
	if inc.Planned {
		p.f("  every alarm lies in announced work\n")
	}
	p.f("  %s\n", d.Reason)
	if len(d.Causes) > 1 {
		p.f("\n  Independent root causes\n")
		for i, x := range d.Causes {
			p.f("   %d. %s at %s (%.0f %%)\n", i+1, x.Mode, x.Resource, 100*x.Confidence)
		}
	}
	p.f("\n  Root causes\n")
	for i, h := range d.Hypotheses[:min(showHypotheses, len(d.Hypotheses))] {
		where := string(h.Resource)
		if h.Mode == rca.UnknownMode {
			where = "-"
		}
		p.f("   %d. %5.1f %%  %s  %s  [%s]  explains %d of %d\n", i+1, 100*h.Confidence, h.Name, where, h.Mode, h.Explains, h.Of)
	}
	if len(d.Hypotheses) > 0 && d.Hypotheses[0].Mode != rca.UnknownMode {
		h := d.Hypotheses[0]
		p.path(h)
		p.evidence("Evidence for", h.For)
		p.evidence("Evidence against", h.Against)
		p.evidence("From manuals, tickets and past cases", c.Evidence)
	}
	if d.Next != "" {
		p.f("\n  Best next check\n   %s\n", d.Next)
	}
	if a := d.Action; a != nil {
		p.f("\n  Action  %s on %s  (risk %s, procedure %s)\n", a.Kind, a.Resource, a.Risk, a.Procedure)
		for i, s := range a.Steps {
			p.f("   %d. %s\n", i+1, s.Text)
			if s.Check != "" {
				p.f("      check: %s\n", s.Check)
			}
		}
	}
	if r := c.Prediction; r != nil {
		p.f("\n  Rehearsed in the twin: %d alarms clear, %d stay, %d resources restored, %d disturbed, risk %s\n",
			len(r.Cleared), len(r.Remaining), len(r.Restored), len(r.Disturbed), r.Risk)
		if r.Rollback != "" {
			p.f("   rollback: %s\n", r.Rollback)
		}
		if r.Note != "" {
			p.f("   %s\n", r.Note)
		}
	}
	if v := c.Verdict; v != nil {
		p.f("\n  Verdict: %s (precision %.2f, recall %.2f)\n", v.Reason, v.Precision, v.Recall)
	}
	p.f("\n")
	return p.err
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

type printer struct {
	w        io.Writer
	describe func(string) string
	err      error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) path(h rca.Hypothesis) {
	if len(h.Path) == 0 {
		return
	}
	p.f("\n  Propagation\n")
	children := map[string][]rca.PathEdge{}
	for _, e := range h.Path {
		children[e.From.String()] = append(children[e.From.String()], e)
	}
	shown, seen := 0, map[string]bool{}
	var walk func(from string, depth int)
	walk = func(from string, depth int) {
		for _, e := range children[from] {
			to := e.To.String()
			if seen[to] || shown >= showPath {
				continue
			}
			seen[to] = true
			shown++
			p.f("   %s-> %s %s on %s  (%s, grade %s%s)\n", strings.Repeat("  ", depth), e.To.Type, p.describe(e.To.Type), e.To.Resource, e.Edge, e.Grade, lag(e))
			walk(to, depth+1)
		}
	}
	root := rca.AlarmKey{Type: h.Mode, Resource: h.Resource}.String()
	p.f("   %s on %s\n", h.Name, h.Resource)
	walk(root, 0)
	if n := len(h.Path) - shown; n > 0 {
		p.f("   ... and %d more\n", n)
	}
}

func lag(e rca.PathEdge) string {
	if strings.HasPrefix(e.From.Type, "FM-") {
		return ""
	}
	return ", after " + e.Lag.Round(time.Second).String()
}

func (p *printer) evidence(title string, list []rca.Evidence) {
	if len(list) == 0 {
		return
	}
	p.f("\n  %s\n", title)
	for i, e := range list {
		if i == showEvidence {
			p.f("   ... and %d more\n", len(list)-i)
			break
		}
		weight := fmt.Sprintf("%+.1f", e.Weight) // of a log-likelihood
		switch e.Kind {
		case rca.EvidenceDocument, rca.EvidenceWorkOrder, rca.EvidenceCase:
			weight = fmt.Sprintf("score %.3f", e.Weight)
		}
		p.f("   [%s] %s  %s\n", e.ID, weight, OneLine(once(e.Text), 110))
		p.f("        %s\n", strings.TrimSuffix(strings.Join([]string{e.Source, OneLine(e.Why, 90)}, "; "), "; "))
	}
}

// once drops the title that a text begins with again: found texts are "title: text".
func once(text string) string {
	for i := 0; ; i += 2 {
		j := strings.Index(text[i:], ": ")
		if j < 0 {
			return text
		}
		i += j
		title, rest := text[:i], text[i+2:]
		if again, ok := strings.CutPrefix(rest, title); ok {
			return title + ": " + strings.TrimSpace(again)
		}
		if way, again, ok := strings.Cut(rest, "> "+title); ok && !strings.Contains(way, "\n") { // a passage begins with the way to it
			return title + ": " + strings.TrimSpace(again)
		}
	}
}

// OneLine folds white space and cuts text longer than n characters.
func OneLine(s string, n int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}
