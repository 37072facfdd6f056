package ingest

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"faultline/rca"
)

var timeLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700",
	"2006-01-02 15:04:05.999999999 MST", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04",
	"2006/01/02 15:04:05.999999999", "2006-01-02",
}

// ParseTime reads RFC 3339, "2006-01-02 15:04:05" and its kin, and numbers of the
// Unix epoch, whose unit follows from the magnitude: below 1e11 seconds (until the
// year 5138), below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds. A
// time without a zone is taken in loc (nil: UTC). The result is UTC.
func ParseTime(s string, loc *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, fmt.Errorf("time is missing: %w", rca.ErrInvalid)
	}
	if strings.Trim(s, "-+.0123456789eE") == "" {
		if t, ok := parseEpoch(s); ok && t.Year() >= 1 {
			return t, nil
		}
	}
	if loc == nil {
		loc = time.UTC
	}
	for _, l := range timeLayouts {
		if t, err := time.ParseInLocation(l, s, loc); err == nil {
			if t.Year() < 1 {
				break
			}
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: %w", s, rca.ErrInvalid)
}

func parseEpoch(s string) (time.Time, bool) {
	unit := func(abs float64) time.Duration {
		switch {
		case abs < 1e11:
			return time.Second
		case abs < 1e14:
			return time.Millisecond
		case abs < 1e17:
			return time.Microsecond
		}
		return time.Nanosecond
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch unit(max(float64(n), -float64(n))) {
		case time.Second:
			return time.Unix(n, 0).UTC(), true
		case time.Millisecond:
			return time.UnixMilli(n).UTC(), true
		case time.Microsecond:
			return time.UnixMicro(n).UTC(), true
		}
		return time.Unix(0, n).UTC(), true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f > 9e18 || f < -9e18 || f != f {
		return time.Time{}, false
	}
	// Exact arithmetic: a float of seconds keeps no microseconds. An exponent is
	// written out first, so that no short text makes a huge number.
	if strings.ContainsAny(s, "eE") || len(s) > 64 {
		s = strconv.FormatFloat(f, 'f', -1, 64)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return time.Time{}, false
	}
	r.Mul(r, new(big.Rat).SetInt64(int64(unit(max(f, -f)))))
	ns := new(big.Int).Quo(r.Num(), r.Denom())
	if !ns.IsInt64() {
		return time.Time{}, false
	}
	return time.Unix(0, ns.Int64()).UTC(), true
}
