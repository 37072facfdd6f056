package rca

import (
	"fmt"
	"strconv"
	"strings"
)

// SeverityScale is the way in which one standard spells perceived severities.
type SeverityScale string

// The scales that reporters and listeners use.
const (
	ScaleX733         SeverityScale = "x733"         // X.733 names, X.721 numbers 0..5
	Scale3GPP         SeverityScale = "3gpp"         // TS 28.532 PerceivedSeverity
	ScaleTMF642       SeverityScale = "tmf642"       // free text, X.733 names by convention
	ScaleVES          SeverityScale = "ves"          // VES 7 eventSeverity; NORMAL is the clear
	ScaleRFC8632      SeverityScale = "rfc8632"      // ietf-alarms names and enum values 1..6
	ScaleAlertmanager SeverityScale = "alertmanager" // label severity; status "resolved" is the clear
	ScaleSyslog       SeverityScale = "syslog"       // RFC 5424 numbers and keywords, mapped as in RFC 5674
	ScaleAny          SeverityScale = "any"          // the names of all of the above, no numbers; for files of unknown origin
)

// OriginalSeverity is the key of AlarmEvent.Original that holds the spelling of the
// severity as it was received.
const OriginalSeverity = "severity"

// scaleRule is one scale: what it reads, what it writes, and whether a spelling
// that it does not list is an error.
type scaleRule struct {
	read   map[string]Severity
	write  [SeverityCritical + 1]string
	closed bool
}

var x733Names = map[string]Severity{
	"cleared": SeverityCleared, "indeterminate": SeverityIndeterminate, "warning": SeverityWarning,
	"minor": SeverityMinor, "major": SeverityMajor, "critical": SeverityCritical,
}

// Spellings beyond the X.733 names. High, info and low are those of Prometheus and
// Keep users; syslog keywords and numbers follow RFC 5674 section 2, where an ITU
// critical is a syslog alert.
var (
	alertNames = map[string]Severity{
		"page": SeverityCritical, "high": SeverityMajor, "error": SeverityMajor, "medium": SeverityMinor,
		"low": SeverityWarning, "info": SeverityWarning, "none": SeverityWarning, "resolved": SeverityCleared,
	}
	syslogNames = map[string]Severity{
		"emerg": SeverityCritical, "panic": SeverityCritical, "alert": SeverityCritical, "crit": SeverityMajor, "err": SeverityMinor, "error": SeverityMinor,
		"warning": SeverityWarning, "warn": SeverityWarning, "notice": SeverityIndeterminate, "info": SeverityIndeterminate, "debug": SeverityIndeterminate,
		"0": SeverityCritical, "1": SeverityCritical, "2": SeverityMajor, "3": SeverityMinor, "4": SeverityWarning,
		"5": SeverityIndeterminate, "6": SeverityIndeterminate, "7": SeverityIndeterminate,
	}
	otherNames = map[string]Severity{
		"normal": SeverityCleared, "clear": SeverityCleared, "ok": SeverityCleared, "warn": SeverityWarning, "unknown": SeverityIndeterminate,
		"emerg": SeverityCritical, "emergency": SeverityCritical, "alert": SeverityCritical, "crit": SeverityMajor, "err": SeverityMinor, "notice": SeverityIndeterminate,
	}
)

var lower = [...]string{"", "cleared", "indeterminate", "warning", "minor", "major", "critical"}

var scaleRules = map[SeverityScale]scaleRule{
	ScaleX733: {
		read: joinNames(x733Names, map[string]Severity{
			"0": SeverityIndeterminate, "1": SeverityCritical, "2": SeverityMajor, "3": SeverityMinor, "4": SeverityWarning, "5": SeverityCleared,
		}),
		write: lower, closed: true,
	},
	Scale3GPP: {
		read:  x733Names,
		write: [...]string{"", "CLEARED", "INDETERMINATE", "WARNING", "MINOR", "MAJOR", "CRITICAL"}, closed: true,
	},
	ScaleTMF642: {read: x733Names, write: lower},
	ScaleVES: {
		read: map[string]Severity{
			"normal": SeverityCleared, "warning": SeverityWarning, "minor": SeverityMinor, "major": SeverityMajor, "critical": SeverityCritical,
		},
		write: [...]string{"", "NORMAL", "WARNING", "WARNING", "MINOR", "MAJOR", "CRITICAL"}, closed: true,
	},
	ScaleRFC8632: {
		read: joinNames(x733Names, map[string]Severity{
			"1": SeverityCleared, "2": SeverityIndeterminate, "3": SeverityWarning, "4": SeverityMinor, "5": SeverityMajor, "6": SeverityCritical,
		}),
		write: lower, closed: true,
	},
	ScaleAlertmanager: {
		read:  joinNames(x733Names, alertNames),
		write: [...]string{"", "resolved", "none", "warning", "minor", "major", "critical"},
	},
	ScaleSyslog: {read: syslogNames, write: [...]string{"", "5", "5", "4", "3", "2", "1"}, closed: true},
	ScaleAny:    {read: joinNames(otherNames, alertNames, x733Names), write: lower},
}

func joinNames(maps ...map[string]Severity) map[string]Severity {
	out := map[string]Severity{}
	for _, m := range maps {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// Parse maps a spelling, in any case, to a severity. What a closed scale does not
// list is an error wrapped in ErrInvalid. An open scale (TMF642, Alertmanager, any)
// gives indeterminate, and the caller keeps the spelling; a bare number has no
// meaning without its standard and is an error there.
func (s SeverityScale) Parse(spelling string) (Severity, error) {
	rule, ok := scaleRules[s]
	if !ok {
		return SeverityUnknown, fmt.Errorf("severity scale %q: unknown: %w", s, ErrInvalid)
	}
	name := strings.ToLower(strings.TrimSpace(spelling))
	if sev, ok := rule.read[name]; ok {
		return sev, nil
	}
	_, numErr := strconv.Atoi(name)
	switch {
	case name == "":
		return SeverityUnknown, fmt.Errorf("severity is missing: %w", ErrInvalid)
	case rule.closed:
		return SeverityUnknown, fmt.Errorf("severity %q is not one of %s: %w", spelling, s, ErrInvalid)
	case numErr == nil:
		return SeverityUnknown, fmt.Errorf("severity %q is a number without a standard: %w", spelling, ErrInvalid)
	}
	return SeverityIndeterminate, nil
}

// Format spells a severity. The original spelling goes out unchanged while the
// scale still reads it as this severity. VES has no indeterminate and writes
// WARNING; syslog has no clear and writes notice, as RFC 5674 does; for
// Alertmanager a clear is the word of its status field.
func (s SeverityScale) Format(sev Severity, original string) string {
	if original != "" {
		if got, err := s.Parse(original); err == nil && got == sev {
			return original
		}
	}
	rule, ok := scaleRules[s]
	if !ok || sev <= SeverityUnknown || sev > SeverityCritical {
		return sev.String()
	}
	return rule.write[sev]
}

// Known reports whether the scale exists.
func (s SeverityScale) Known() bool { _, ok := scaleRules[s]; return ok }
