package backoffice

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The field names are those of TMF621 v5, schema TroubleTicket. The standard has no
// field for cause, resolution or a work window: they are characteristics named
// resolution, closureCode, faultLocation, assignedTeam, plannedStart, plannedEnd.
type ticket struct {
	ID             string         `json:"id"`
	Href           string         `json:"href"`
	Type           string         `json:"@type"`
	Name           string         `json:"name"`
	Description    string         `json:"description"`
	TicketType     string         `json:"ticketType"`
	Severity       string         `json:"severity"`
	Priority       string         `json:"priority"`
	Status         string         `json:"status"`
	StatusDate     time.Time      `json:"statusChangeDate"`
	StatusReason   string         `json:"statusChangeReason"`
	Created        time.Time      `json:"creationDate"`
	Resolved       *time.Time     `json:"resolutionDate,omitempty"`
	LastUpdate     time.Time      `json:"lastUpdate"`
	RelatedEntity  []related      `json:"relatedEntity,omitempty"`
	Note           []note         `json:"note,omitempty"`
	History        []status       `json:"statusChangeHistory"`
	Relationship   []relationship `json:"troubleTicketRelationship,omitempty"`
	Characteristic []attribute    `json:"troubleTicketCharacteristic,omitempty"`
}

type related struct {
	Type   string `json:"@type"`
	Role   string `json:"role"`
	Entity entity `json:"entity"`
}

type entity struct {
	Type     string `json:"@type"`
	Referred string `json:"@referredType"`
	ID       string `json:"id"`
}

type note struct {
	Type   string    `json:"@type"`
	ID     string    `json:"id"`
	Author string    `json:"author"`
	Date   time.Time `json:"date"`
	Text   string    `json:"text"`
}

type status struct {
	Type   string    `json:"@type"`
	Status string    `json:"status"`
	Reason string    `json:"statusChangeReason"`
	Date   time.Time `json:"statusChangeDate"`
}

type relationship struct {
	Type     string `json:"@type"`
	ID       string `json:"id"`
	Relation string `json:"relationshipType"`
}

type attribute struct {
	Type      string `json:"@type"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	ValueType string `json:"valueType"`
	Value     string `json:"value"`
}

func tmf621(w WorkOrder) ticket {
	last := w.History[len(w.History)-1]
	t := ticket{
		ID: w.ID, Href: "/tmf-api/troubleTicket/v5/troubleTicket/" + w.ID, Type: "TroubleTicket", Name: w.Name, Description: w.Description,
		TicketType: w.Type, Severity: w.Severity, Priority: w.Priority, Status: last.Status, StatusDate: last.Time, StatusReason: last.Reason,
		Created: w.Created(), LastUpdate: last.Time,
	}
	if r := w.Resolved(); !r.IsZero() {
		t.Resolved = &r
	}
	for _, e := range [][2]string{{"reportedResource", w.Reported}, {"faultyResource", w.Located}} {
		if e[1] != "" {
			t.RelatedEntity = append(t.RelatedEntity, related{"RelatedEntity", e[0], entity{"EntityRef", "Resource", e[1]}})
		}
	}
	for i, n := range w.Notes {
		t.Note = append(t.Note, note{"Note", strconv.Itoa(i + 1), n.Author, n.Time, n.Text})
		if n.Time.After(t.LastUpdate) {
			t.LastUpdate = n.Time
		}
	}
	for _, s := range w.History {
		t.History = append(t.History, status{"StatusChange", s.Status, s.Reason, s.Time})
	}
	if w.DuplicateOf != "" {
		t.Relationship = []relationship{{"TroubleTicketRelationship", w.DuplicateOf, "duplicate"}}
	}
	for _, a := range [][2]string{
		{"assignedTeam", w.Team}, {"resolution", w.Resolution}, {"closureCode", w.ClosureCode}, {"faultLocation", w.Located},
		{"plannedStart", stamp(w.PlannedStart)}, {"plannedEnd", stamp(w.PlannedEnd)},
	} {
		if a[1] != "" {
			t.Characteristic = append(t.Characteristic, attribute{"StringCharacteristic", strconv.Itoa(len(t.Characteristic) + 1), a[0], "string", a[1]})
		}
	}
	return t
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// WriteTMF621 writes the work orders as a JSON array of TMF621 v5 trouble tickets,
// one ticket a line.
func WriteTMF621(w io.Writer, orders []WorkOrder) error {
	b := bufio.NewWriter(w)
	b.WriteString("[")
	var one bytes.Buffer
	enc := json.NewEncoder(&one)
	enc.SetEscapeHTML(false)
	for i, o := range orders {
		one.Reset()
		if err := enc.Encode(tmf621(o)); err != nil {
			return fmt.Errorf("write work order %s: %w", o.ID, err)
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n")
		b.Write(bytes.TrimRight(one.Bytes(), "\n"))
	}
	b.WriteString("\n]\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write work orders: %w", err)
	}
	return nil
}

var columns = []string{
	"id", "type", "status", "severity", "priority", "created", "resolved", "team", "resource", "name", "description", "notes",
	"fault_location", "resolution", "closure_code", "duplicate_of", "planned_start", "planned_end",
}

// WriteCSV writes the work orders as CSV with a header, in the form of an export
// from a ticket system: one line per ticket, the notes joined in one cell as
// "time author: text", a blank line between two.
func WriteCSV(w io.Writer, orders []WorkOrder) error {
	c := csv.NewWriter(w)
	if err := c.Write(columns); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	for _, o := range orders {
		notes := make([]string, len(o.Notes))
		for i, n := range o.Notes {
			notes[i] = stamp(n.Time) + " " + n.Author + ": " + n.Text
		}
		if err := c.Write([]string{
			o.ID, o.Type, o.Status(), o.Severity, o.Priority, stamp(o.Created()), stamp(o.Resolved()), o.Team, o.Reported, o.Name, o.Description,
			strings.Join(notes, "\n\n"), o.Located, o.Resolution, o.ClosureCode, o.DuplicateOf, stamp(o.PlannedStart), stamp(o.PlannedEnd),
		}); err != nil {
			return fmt.Errorf("write work order %s: %w", o.ID, err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("write work orders: %w", err)
	}
	return nil
}
