package operator_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"faultline/hwsim/operator"
)

func TestTMF639HoldsTheNetwork(t *testing.T) {
	o := generate(t, "small", 1)
	var b bytes.Buffer
	if err := o.WriteTMF639(&b); err != nil {
		t.Fatal(err)
	}
	var got []struct {
		ID, Name, Category string
		Type               string                         `json:"@type"`
		Characteristics    []struct{ Name, Value string } `json:"resourceCharacteristic"`
		Relationships      []struct {
			RelationshipType string
			Resource         struct{ ID string }
		} `json:"resourceRelationship"`
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(o.Network.Resources()) {
		t.Fatalf("%d resources, want %d", len(got), len(o.Network.Resources()))
	}
	relations := 0
	for i, r := range o.Network.Resources() {
		g := got[i]
		chars := map[string]string{}
		for _, c := range g.Characteristics {
			chars[c.Name] = c.Value
		}
		want := map[string]string{"domain": r.Domain}
		if r.Role != "" {
			want["role"] = r.Role
		}
		for k, v := range r.Attrs {
			want[k] = v
		}
		if g.ID != r.ID || g.Name != r.Name || g.Category != r.Kind || !reflect.DeepEqual(chars, want) {
			t.Fatalf("got %+v, want %+v", g, r)
		}
		if want := map[string]string{"RRU": "PhysicalResource", "Cell": "LogicalResource"}[r.Kind]; want != "" && g.Type != want {
			t.Errorf("%s: @type %s, want %s", r.ID, g.Type, want)
		}
		relations += len(g.Relationships)
	}
	if relations != len(o.Network.Relations()) {
		t.Errorf("%d relationships, want %d", relations, len(o.Network.Relations()))
	}
}

func TestCSVHoldsTheNetwork(t *testing.T) {
	o := generate(t, "small", 1)
	var res, rel bytes.Buffer
	if err := o.WriteCSV(&res, &rel); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&res).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(strings.Join(rows[0], ","), "id,kind,role,name,domain,at_m,") || len(rows) != len(o.Network.Resources())+1 {
		t.Errorf("header %v, %d rows", rows[0], len(rows))
	}
	for _, row := range rows[1:] {
		r, ok := o.Network.Resource(row[0])
		if !ok || r.Kind != row[1] || r.Role != row[2] || r.Name != row[3] || r.Domain != row[4] {
			t.Fatalf("row %v, want %v", row, r)
		}
		for i, name := range rows[0][5:] {
			if row[5+i] != r.Attrs[name] {
				t.Fatalf("%s: %s = %q, want %q", r.ID, name, row[5+i], r.Attrs[name])
			}
		}
	}
	rows, err = csv.NewReader(&rel).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(o.Network.Relations())+1 || strings.Join(rows[0], ",") != "from,type,to" {
		t.Errorf("header %v, %d rows of relations", rows[0], len(rows))
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestExportReportsAFailedWrite(t *testing.T) {
	o := generate(t, "small", 1)
	if err := o.WriteTMF639(full{}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("TMF639: %v", err)
	}
	if err := o.WriteCSV(full{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "resources") {
		t.Errorf("CSV: %v", err)
	}
	if err := o.WriteCSV(&bytes.Buffer{}, full{}); err == nil || !strings.Contains(err.Error(), "relations") {
		t.Errorf("CSV: %v", err)
	}
}

func TestPlannedWork(t *testing.T) {
	o := generate(t, "metro", 1)
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	plan := func(from, to time.Time) []operator.Window {
		w, err := o.PlannedWork(9, from, to)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	month := plan(from, from.AddDate(0, 1, 0))
	if len(month) < 500 || len(month) > 800 {
		t.Errorf("%d windows in a month, want about 21 a day", len(month))
	}
	ids := map[string]bool{}
	for i, w := range month {
		if ids[w.ID] || w.Name == "" || !w.To.After(w.From) || len(w.Resources) == 0 || i > 0 && w.From.Before(month[i-1].From) {
			t.Errorf("window %d: %+v", i, w)
		}
		ids[w.ID] = true
		for _, id := range w.Resources {
			r, ok := o.Network.Resource(id)
			if !ok {
				t.Errorf("%s: unknown resource %s", w.ID, id)
			}
			if h := w.From.Hour(); r.Role == "spn" && h > 5 {
				t.Errorf("%s works on %s at %02d:00, by day", w.ID, id, h)
			}
		}
	}
	// The same windows come out whatever span is asked for.
	at := from.AddDate(0, 0, 9).Add(90 * time.Minute)
	var want []operator.Window
	for _, w := range month {
		if w.From.Before(at.Add(time.Hour)) && w.To.After(at) {
			want = append(want, w)
		}
	}
	if got := plan(at, at.Add(time.Hour)); len(want) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("one hour = %v, want %v", got, want)
	}
	if _, err := o.PlannedWork(9, from, from); err == nil {
		t.Error("an empty span gives no error")
	}
}
