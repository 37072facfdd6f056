package ingest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"faultline/graph"
	"faultline/rca"
)

// Keys of AlarmEvent.Original that the Normalizer writes, beside
// rca.OriginalSeverity.
const (
	OriginalResource = "resource"       // the reported name, when an alias was resolved
	OriginalCause    = "probable_cause" // the reported probable cause, when it is not a bare number
	OriginalEvent    = "event_type"     // the reported event type, when its spelling differs
	OriginalProblem  = "specific_problem"
)

// NormalizerOptions of NewNormalizer.
type NormalizerOptions struct {
	// AlarmType resolves a name to an alarm type id, for example
	// rca.Knowledge.ResolveAlarmType. Optional: without it names stay as they are.
	AlarmType func(name string) (id string, ok bool)
	// Resource resolves a reported name, alias or identifier to a resource.
	// Optional: without it names are identifiers.
	Resource func(name string) (graph.ID, bool)
	// Severity of a record that states none; default major.
	Severity rca.Severity
}

// Normalizer turns raw records into alarm events. It is immutable and safe for
// concurrent use when its functions are.
type Normalizer struct{ o NormalizerOptions }

// NewNormalizer checks the options.
func NewNormalizer(o NormalizerOptions) (*Normalizer, error) {
	o.Severity = cmp.Or(o.Severity, rca.SeverityMajor)
	if o.Severity <= rca.SeverityCleared || o.Severity > rca.SeverityCritical {
		return nil, fmt.Errorf("normalizer options: Severity %v cannot be a default: %w", o.Severity, rca.ErrInvalid)
	}
	return &Normalizer{o}, nil
}

// Normalize maps one record. An alarm type or resource that nobody knows is kept as
// reported; only a record without resource, type or time, or with a severity that
// its scale forbids, is refused, with a Reject that names the field.
func (n *Normalizer) Normalize(r Raw) (rca.AlarmEvent, error) {
	fail := func(field, reason string) (rca.AlarmEvent, error) {
		return rca.AlarmEvent{}, Reject{File: r.Source, Line: r.Line, Field: field, Reason: reason, Row: cut(r.Row)}
	}
	e := rca.AlarmEvent{ID: r.ID, Source: r.Source, Time: r.Time.UTC(), Text: r.Text, Original: maps.Clone(r.Original)}
	keep := func(key, value string) {
		if value == "" {
			return
		}
		if e.Original == nil {
			e.Original = map[string]string{}
		}
		e.Original[key] = value
	}
	if r.Source == "" {
		return fail("source", "missing")
	}
	if r.Time.IsZero() {
		return fail("time", "missing")
	}

	var reported string
	e.Type, reported = n.alarmType(r)
	if e.Type == "" {
		return fail("type", "missing")
	}
	e.RawType = reported
	if r.SpecificProblem != reported {
		keep(OriginalProblem, r.SpecificProblem)
	}

	e.Qualifier = r.Qualifier
	resource, byPart := n.resource(r)
	if resource == "" {
		return fail("resource", "missing")
	}
	e.Resource = resource
	if !byPart && r.Part != "" && e.Qualifier == "" {
		e.Qualifier = r.Part // tells alarms of the parts of one element apart
	}
	if name := joinPart(r.Resource, r.Part); string(resource) != name {
		keep(OriginalResource, name)
	}

	scale := cmp.Or(r.Scale, rca.ScaleAny)
	keep(rca.OriginalSeverity, r.Severity)
	switch sev, err := scale.Parse(r.Severity); {
	case r.Cleared:
		e.Severity = rca.SeverityCleared
	case strings.TrimSpace(r.Severity) == "":
		e.Severity = n.o.Severity
	case err != nil:
		return fail("severity", strings.TrimSuffix(err.Error(), ": "+rca.ErrInvalid.Error()))
	default:
		e.Severity = sev
	}

	if c, ok := rca.ParseProbableCause(r.ProbableCause); ok {
		e.ProbableCause = c
		if fmt.Sprint(c) != strings.TrimSpace(r.ProbableCause) {
			keep(OriginalCause, r.ProbableCause)
		}
	} else {
		keep(OriginalCause, r.ProbableCause)
	}
	e.EventType = r.EventType
	if t, ok := rca.ParseEventType(r.EventType); ok && t != r.EventType {
		keep(OriginalEvent, r.EventType)
		e.EventType = t
	}
	if e.ID == "" {
		e.ID = contentID(e)
	}
	if err := e.Validate(); err != nil {
		return fail("", err.Error())
	}
	return e, nil
}

// Into adapts the normalizer to the function that readers emit raw records to.
func (n *Normalizer) Into(emit func(rca.AlarmEvent) error, reject func(Reject)) func(Raw) error {
	return func(r Raw) error {
		e, err := n.Normalize(r)
		var bad Reject
		if errors.As(err, &bad) {
			reject(bad)
			return nil
		}
		if err != nil {
			return err
		}
		return emit(e)
	}
}

// alarmType tries the most specific name first. It returns the id and the name that
// the reporter used.
func (n *Normalizer) alarmType(r Raw) (id, reported string) {
	names := []string{r.SpecificProblem, r.Type, r.RawType}
	if n.o.AlarmType != nil {
		for _, name := range names {
			if name = bareType(name); name == "" {
				continue
			}
			if id, ok := n.o.AlarmType(name); ok {
				return id, name
			}
		}
	}
	// The type is the shorter and steadier name; a specific problem may be prose.
	name := bareType(cmp.Or(strings.TrimSpace(r.Type), strings.TrimSpace(r.RawType), strings.TrimSpace(r.SpecificProblem)))
	return name, name
}

// bareType strips the prefix that alarm types carry as entities of the graph.
func bareType(name string) string {
	return strings.TrimPrefix(strings.TrimSpace(name), rca.AlarmTypePrefix)
}

// resource resolves the part within the resource, then the resource. byPart says
// that the part is in the returned identifier.
func (n *Normalizer) resource(r Raw) (id graph.ID, byPart bool) {
	name := strings.TrimSpace(r.Resource)
	if name == "" {
		return "", false
	}
	full := joinPart(name, strings.TrimSpace(r.Part))
	if n.o.Resource != nil {
		if id, ok := n.o.Resource(full); ok {
			return id, true
		}
		if id, ok := n.o.Resource(name); ok {
			return id, false
		}
	}
	return graph.ID(full), true
}

func joinPart(resource, part string) string {
	if part == "" {
		return resource
	}
	return resource + "/" + part
}

// contentID names an event that came without an id by what it says, so that the
// same event read twice is one.
func contentID(e rca.AlarmEvent) string {
	h := sha256.New()
	for _, s := range []string{string(e.Resource), e.Type, e.Qualifier, e.Time.Format(time.RFC3339Nano), e.Severity.String()} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return "h-" + hex.EncodeToString(h.Sum(nil)[:12])
}
