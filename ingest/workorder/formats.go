package workorder

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
)

type tmfTicket struct {
	ID             json.RawMessage     `json:"id"`
	Name           string              `json:"name"`
	Description    string              `json:"description"`
	Status         string              `json:"status"`
	Type           string              `json:"ticketType"`
	Kind           string              `json:"kind"`
	Severity       string              `json:"severity"`
	Priority       json.RawMessage     `json:"priority"`
	Created        string              `json:"creationDate"`
	Resolved       string              `json:"resolutionDate"`
	Note           []tmfNote           `json:"note"`
	Related        []tmfRelated        `json:"relatedEntity"`
	Characteristic []tmfCharacteristic `json:"troubleTicketCharacteristic"`
	External       []struct {
		ID    string `json:"id"`
		Owner string `json:"owner"`
	} `json:"externalIdentifier"`
}

type tmfNote struct {
	Author string `json:"author"`
	Date   string `json:"date"`
	Text   string `json:"text"`
}

type tmfRelated struct {
	Role   string          `json:"role"`
	Entity tmfEntity       `json:"entity"`
	ID     json.RawMessage `json:"id"` // v4 has no inner entity
	Type   string          `json:"@referredType"`
}

type tmfEntity struct {
	ID   json.RawMessage `json:"id"`
	Type string          `json:"@referredType"`
}

type tmfCharacteristic struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// ReadTMF621 reads TMF621 v4 or v5 trouble tickets, as an array or as JSON Lines, and
// emits batches of whole tickets. TMF621 has no fields for causes and planned windows:
// they are characteristics, by these names in any spelling of case and separators:
// rootCause or rootCauseCode, resolution or resolutionCode, closureCode,
// plannedStart and plannedEnd (or scheduledStart..., start..., with or without
// Date), affectedResources, affectedCircuits and faultLocation (several separated by
// commas or semicolons).
func ReadTMF621(ctx context.Context, in io.Reader, o Options, emit func([]graph.Change) error, reject func(ingest.Reject)) (ingest.Counts, error) {
	r, err := newReader(o, emit, reject)
	if err != nil {
		return ingest.Counts{}, err
	}
	src, err := ingest.NewInput(ctx, in, r.o.Options)
	if err != nil {
		return r.n, err
	}
	err = each(r, ingest.NewObjects(src).Next, func(obj ingest.Object) error {
		row := string(obj.Text[:min(len(obj.Text), 2000)])
		var t tmfTicket
		if err := json.Unmarshal(obj.Text, &t); err != nil {
			r.n.Rejected++
			r.reject(ingest.Reject{File: r.o.File, Line: obj.Line, Field: ingest.JSONField(err), Reason: err.Error(), Row: row})
			return nil
		}
		return r.take(t.ticket(), obj.Line, row)
	})
	return r.n, err
}

func (t tmfTicket) ticket() ticket {
	out := ticket{
		id: text(t.ID), name: t.Name, description: t.Description, status: t.Status, kind: cmp.Or(t.Type, t.Kind), severity: t.Severity, priority: text(t.Priority),
		created: t.Created, resolved: t.Resolved, more: map[string]string{},
	}
	for _, n := range t.Note {
		out.notes = append(out.notes, note{n.Date, n.Author, n.Text})
	}
	for _, r := range t.Related {
		id := cmp.Or(text(r.Entity.ID), text(r.ID))
		switch strings.ToLower(cmp.Or(r.Entity.Type, r.Type)) {
		case "party", "individual", "organization", "customer", "product", "troubleticket", "alarm":
			if id != "" {
				key := "related." + cmp.Or(r.Role, "entity")
				out.more[key] = strings.TrimSpace(out.more[key] + " " + id)
			}
		default:
			if id != "" {
				out.resources = append(out.resources, id)
			}
		}
	}
	for _, x := range t.External {
		out.more[cmp.Or("external."+x.Owner, "external")] = x.ID
	}
	for _, c := range t.Characteristic {
		if !out.set(ingest.FoldColumn(c.Name), text(c.Value)) && c.Name != "" {
			out.more[c.Name] = text(c.Value)
		}
	}
	return out
}

// set puts a characteristic or column in its place, by its folded name. It does not
// overwrite.
func (t *ticket) set(name, value string) bool {
	var to *string
	switch name {
	case "id", "ticketid", "ticket", "workorder", "workorderid", "number", "incident":
		to = &t.id
	case "name", "title", "summary", "subject", "shortdescription":
		to = &t.name
	case "description", "details", "text":
		to = &t.description
	case "status", "state":
		to = &t.status
	case "type", "tickettype", "kind":
		to = &t.kind
	case "severity":
		to = &t.severity
	case "priority":
		to = &t.priority
	case "created", "creationdate", "createdat", "opened", "openedat":
		to = &t.created
	case "resolved", "resolutiondate", "resolvedat", "closedat":
		to = &t.resolved
	case "plannedstart", "plannedstartdate", "scheduledstart", "scheduledstartdate", "start", "startdate", "starttime", "windowstart":
		to = &t.start
	case "plannedend", "plannedenddate", "scheduledend", "scheduledenddate", "end", "enddate", "endtime", "windowend":
		to = &t.end
	case "rootcause", "rootcausecode", "cause", "rfo":
		to = &t.rootCause
	case "resolution", "resolutioncode", "fix", "solution":
		to = &t.resolution
	case "closurecode", "closecode":
		to = &t.closed
	case "resource", "resources", "affectedresource", "affectedresources", "affectedcircuits", "faultlocation", "element", "device":
		// A piece without spaces is an identifier; one with spaces is words about a place.
		for piece := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune(",;|\n", r) }) {
			switch piece = strings.TrimSpace(piece); {
			case piece == "":
			case strings.ContainsAny(piece, " \t"):
				t.places = append(t.places, piece)
			default:
				t.resources = append(t.resources, piece)
			}
		}
		return true
	case "note", "notes", "worklog", "comments", "comment":
		if value != "" {
			t.notes = append(t.notes, note{text: value})
		}
		return true
	default:
		return false
	}
	if *to == "" {
		*to = strings.TrimSpace(value)
	}
	return true
}

// ReadCSV reads a table of tickets and emits batches of whole
// rows. Columns are known by
// the names that ReadTMF621 lists, and id, name or title, description, status, type,
// severity, priority, created, resolved, resources and notes; others are kept as
// attributes. id is required.
func ReadCSV(ctx context.Context, in io.Reader, o Options, emit func([]graph.Change) error, reject func(ingest.Reject)) (ingest.Counts, error) {
	r, err := newReader(o, emit, reject)
	if err != nil {
		return ingest.Counts{}, err
	}
	src, err := ingest.NewInput(ctx, in, r.o.Options)
	if err != nil {
		return r.n, err
	}
	rows, err := ingest.NewRows(src)
	if err != nil {
		return r.n, err
	}
	var probe ticket
	names := make([]string, len(rows.Header()))
	for i, h := range rows.Header() {
		names[i] = ingest.FoldColumn(h)
		probe.set(names[i], "x")
	}
	if probe.id == "" {
		return r.n, fmt.Errorf("read header of %s: no column for the id among %s: %w", r.o.File, strings.Join(rows.Header(), ", "), rca.ErrInvalid)
	}
	err = each(r, rows.Next, func(row ingest.Row) error {
		t := ticket{more: map[string]string{}}
		for i, v := range row.Fields {
			if !t.set(names[i], v) && rows.Header()[i] != "" {
				t.more[rows.Header()[i]] = v
			}
		}
		return r.take(t, row.Line, row.Text)
	})
	return r.n, err
}

// text gives a JSON string without quotes and anything else as it stands.
func text(v json.RawMessage) string {
	v = bytes.TrimSpace(v)
	var s string
	switch {
	case len(v) == 0 || string(v) == "null":
		return ""
	case v[0] == '"' && json.Unmarshal(v, &s) == nil:
		return strings.TrimSpace(s)
	}
	return string(v)
}
