package rca_test

import (
	"errors"
	"testing"

	"faultline/rca"
)

func TestSeverityGoesInAndOutUnchanged(t *testing.T) {
	for _, tc := range []struct {
		scale    rca.SeverityScale
		spelling string
		want     rca.Severity
		fresh    string // what the scale writes when nothing was received
	}{
		{rca.ScaleX733, "Major", rca.SeverityMajor, "major"},
		{rca.ScaleX733, "1", rca.SeverityCritical, "critical"},
		{rca.Scale3GPP, "INDETERMINATE", rca.SeverityIndeterminate, "INDETERMINATE"},
		{rca.Scale3GPP, "CLEARED", rca.SeverityCleared, "CLEARED"},
		{rca.ScaleTMF642, "Critical", rca.SeverityCritical, "critical"},
		{rca.ScaleTMF642, "catastrophic", rca.SeverityIndeterminate, "indeterminate"},
		{rca.ScaleVES, "NORMAL", rca.SeverityCleared, "NORMAL"},
		{rca.ScaleVES, "MINOR", rca.SeverityMinor, "MINOR"},
		{rca.ScaleRFC8632, "5", rca.SeverityMajor, "major"},
		{rca.ScaleRFC8632, "warning", rca.SeverityWarning, "warning"},
		{rca.ScaleAlertmanager, "high", rca.SeverityMajor, "major"},
		{rca.ScaleAlertmanager, "resolved", rca.SeverityCleared, "resolved"},
		{rca.ScaleAlertmanager, "P5-someday", rca.SeverityIndeterminate, "none"},
		{rca.ScaleSyslog, "1", rca.SeverityCritical, "1"},
		{rca.ScaleSyslog, "3", rca.SeverityMinor, "3"},
		{rca.ScaleSyslog, "debug", rca.SeverityIndeterminate, "5"},
		{rca.ScaleAny, "WARN", rca.SeverityWarning, "warning"},
	} {
		t.Run(string(tc.scale)+" "+tc.spelling, func(t *testing.T) {
			got, err := tc.scale.Parse(tc.spelling)
			if err != nil || got != tc.want {
				t.Fatalf("parsed to %v, %v; want %v", got, err, tc.want)
			}
			if out := tc.scale.Format(got, tc.spelling); out != tc.spelling {
				t.Errorf("went out as %q", out)
			}
			if out := tc.scale.Format(got, ""); out != tc.fresh {
				t.Errorf("a fresh one is written %q, want %q", out, tc.fresh)
			}
		})
	}
}

func TestEverySeverityOfAScaleSurvivesTheTrip(t *testing.T) {
	lost := map[rca.SeverityScale]rca.Severity{rca.ScaleVES: rca.SeverityIndeterminate, rca.ScaleSyslog: rca.SeverityCleared}
	for _, scale := range []rca.SeverityScale{rca.ScaleX733, rca.Scale3GPP, rca.ScaleTMF642, rca.ScaleVES, rca.ScaleRFC8632, rca.ScaleSyslog, rca.ScaleAny} {
		for sev := rca.SeverityCleared; sev <= rca.SeverityCritical; sev++ {
			got, err := scale.Parse(scale.Format(sev, ""))
			if (err != nil || got != sev) && lost[scale] != sev {
				t.Errorf("%s: %v came back as %v, %v", scale, sev, got, err)
			}
		}
	}
}

func TestUnknownSeverities(t *testing.T) {
	for scale, spelling := range map[rca.SeverityScale]string{
		rca.ScaleVES: "INDETERMINATE", rca.Scale3GPP: "1", rca.ScaleRFC8632: "7", rca.ScaleX733: "bad", rca.ScaleSyslog: "8", rca.ScaleAny: "3", "klingon": "major", rca.ScaleTMF642: " ",
	} {
		if sev, err := scale.Parse(spelling); !errors.Is(err, rca.ErrInvalid) {
			t.Errorf("%s %q gave %v, %v; want ErrInvalid", scale, spelling, sev, err)
		}
	}
	// A severity that changed since it was received is not sent with its old spelling.
	if got := rca.Scale3GPP.Format(rca.SeverityCritical, "MINOR"); got != "CRITICAL" {
		t.Errorf("got %q", got)
	}
}
