package backoffice_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"faultline/hwsim"
	"faultline/hwsim/backoffice"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var start = time.Date(2026, 2, 3, 4, 0, 0, 0, time.UTC)

func network(t *testing.T) *hwsim.Network {
	t.Helper()
	var resources []hwsim.Resource
	var relations []hwsim.Relation
	domains := []string{"power_env", "wireless", "transport", "home_broadband", "ip", "cloud", "core"}
	for s := range 20 {
		site := fmt.Sprintf("S%03d", s+1)
		resources = append(resources, hwsim.Resource{ID: site, Kind: "Site", Name: "Hillgate " + site})
		for i, d := range domains {
			ne := fmt.Sprintf("%s-E%02d", site, i)
			resources = append(resources,
				hwsim.Resource{ID: ne, Kind: "NE", Domain: d, Name: ne},
				hwsim.Resource{ID: ne + "-P1", Kind: "Port", Domain: d, Name: ne + " port 1"},
				hwsim.Resource{ID: fmt.Sprintf("%s-C%d", site, i), Kind: "Cell", Domain: "wireless"})
			relations = append(relations, hwsim.Relation{From: site, Type: "CONTAINS", To: ne}, hwsim.Relation{From: ne, Type: "CONTAINS", To: ne + "-P1"})
		}
	}
	n, err := hwsim.NewNetwork(resources, relations)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// history makes a year of faults: every mode, every domain, alarms on several
// elements, some of another domain than the fault's.
func history(t *testing.T, n int) []backoffice.FaultHistory {
	t.Helper()
	k := knowledge(t)
	modes, types := k.FaultModes(), k.AlarmTypes()
	severities := []string{"critical", "major", "minor", "warning"}
	var out []backoffice.FaultHistory
	for i := range n {
		m := modes[i%len(modes)]
		f := backoffice.FaultHistory{
			ID: fmt.Sprintf("F%05d", i), Mode: strings.TrimPrefix(m.ID, "FM-"), Domain: m.Domain, Planned: m.Planned,
			Resource: fmt.Sprintf("S%03d-E%02d-P1", i%20+1, i%7), Start: start.Add(time.Duration(i) * 4 * time.Hour),
		}
		f.End = f.Start.Add(time.Duration(i%11+1) * 97 * time.Minute)
		for a := range i % 9 {
			f.Alarms = append(f.Alarms, backoffice.Alarm{
				Object: fmt.Sprintf("S%03d-E%02d", (i+a/3)%20+1, (i+a)%7), Name: types[(i*7+a*13)%len(types)].Slug,
				Severity: severities[(i+a)%4], Raised: f.Start.Add(time.Duration(a*a) * 41 * time.Second),
			})
		}
		out = append(out, f)
	}
	return out
}

func texts(w backoffice.WorkOrder) []string {
	out := []string{w.Name, w.Description, w.Resolution, w.ClosureCode, w.Team, w.Type}
	for _, n := range w.Notes {
		out = append(out, n.Author, n.Text)
	}
	for _, s := range w.History {
		out = append(out, s.Reason)
	}
	return out
}

func TestWorkOrdersLeakNoAnswer(t *testing.T) {
	faults := history(t, 1500)
	orders := backoffice.WorkOrders(backoffice.Options{Seed: 1, Network: network(t), Faults: faults})
	var secrets []string
	for _, m := range knowledge(t).FaultModes() {
		secrets = append(secrets, strings.ToLower(strings.TrimPrefix(m.ID, "FM-")))
	}
	faultID := regexp.MustCompile(`\bF\d{5}\b`)
	for _, w := range orders {
		all := strings.Join(texts(w), "\n")
		for _, s := range secrets {
			if strings.Contains(strings.ToLower(all), s) {
				t.Errorf("%s: %q stands in %q", w.ID, s, all)
			}
		}
		if faultID.MatchString(all) || strings.ContainsAny(all, "{}") {
			t.Errorf("%s: a fault id or an unfilled blank in %q", w.ID, all)
		}
		if w.Resolution != "" && strings.Contains(w.Description, w.Resolution) {
			t.Errorf("%s: the description holds the resolution", w.ID)
		}
	}
}

// What is written at opening stays the same if something else broke elsewhere, or if
// nothing else had happened afterwards.
func TestOpeningKnowsSymptomsOnly(t *testing.T) {
	net := network(t)
	for _, f := range history(t, 300) {
		if f.Planned || len(f.Alarms) == 0 {
			continue
		}
		g := f
		g.Mode, g.Resource, g.Domain = "trench-cut", "S001-E02", "transport"
		g.Alarms = nil
		a := backoffice.WorkOrders(backoffice.Options{Seed: 3, Network: net, Faults: []backoffice.FaultHistory{f}})[0]
		for _, alarm := range f.Alarms {
			if !alarm.Raised.After(a.Created()) {
				g.Alarms = append(g.Alarms, alarm)
			}
		}
		b := backoffice.WorkOrders(backoffice.Options{Seed: 3, Network: net, Faults: []backoffice.FaultHistory{g}})[0]
		if a.Name != b.Name || a.Description != b.Description || a.Reported != b.Reported || a.Severity != b.Severity || !a.Created().Equal(b.Created()) {
			t.Fatalf("%s: the opening depends on the fault:\n%q\n%q", f.ID, a.Description, b.Description)
		}
	}
}

func TestWorkOrdersAreLikeAnOffice(t *testing.T) {
	orders := backoffice.WorkOrders(backoffice.Options{Seed: 1, Network: network(t), Faults: history(t, 3000)})
	ids, causes, incidents, planned := map[string]bool{}, 0, 0, 0
	codes, rerouted := map[string]int{}, 0
	for i, w := range orders {
		if ids[w.ID] {
			t.Errorf("two tickets %s", w.ID)
		}
		ids[w.ID] = true
		if i > 0 && w.Created().Before(orders[i-1].Created()) {
			t.Errorf("%s is out of order", w.ID)
		}
		for j := 1; j < len(w.History); j++ {
			if w.History[j].Time.Before(w.History[j-1].Time) {
				t.Errorf("%s: %s before %s", w.ID, w.History[j].Status, w.History[j-1].Status)
			}
		}
		for _, n := range w.Notes {
			if n.Time.Before(w.Created()) || n.Author == "" || n.Text == "" {
				t.Errorf("%s: note %+v", w.ID, n)
			}
		}
		codes[w.ClosureCode]++
		switch {
		case w.Type == "planned work":
			planned++
			if !w.PlannedEnd.After(w.PlannedStart) || w.Created().After(w.PlannedStart.Add(-48*time.Hour)) {
				t.Errorf("%s: work from %s to %s announced %s", w.ID, w.PlannedStart, w.PlannedEnd, w.Created())
			}
			continue
		case w.DuplicateOf != "" && (!ids[w.DuplicateOf] || w.HasCause()):
			t.Errorf("%s repeats %s, which does not stand before it", w.ID, w.DuplicateOf)
		}
		incidents++
		if w.HasCause() {
			causes++
		}
		for _, n := range w.Notes {
			if strings.Contains(n.Text, "Not ours") || strings.Contains(n.Text, "onsequence") {
				rerouted++
				break
			}
		}
	}
	if share := float64(causes) / float64(incidents); share < 0.72 || share > 0.78 {
		t.Errorf("%.1f%% of %d incidents tell a cause, want about 75%%", 100*share, incidents)
	}
	if planned == 0 || rerouted == 0 {
		t.Errorf("%d planned works, %d tickets that went to the wrong team first", planned, rerouted)
	}
	for _, c := range []string{"DUPLICATE", "NO FAULT FOUND", "CAUSE UNKNOWN", "OTHER", "PLANNED", "CABLE DAMAGE THIRD PARTY"} {
		if codes[c] == 0 {
			t.Errorf("no ticket was closed as %s", c)
		}
	}
	t.Logf("%d incidents, %d with cause, %d planned, codes %v", incidents, causes, planned, codes)
}

func TestWorkOrdersDependOnTheSeedAlone(t *testing.T) {
	faults := history(t, 400)
	write := func(seed uint64, faults []backoffice.FaultHistory) string {
		var b bytes.Buffer
		if err := backoffice.WriteTMF621(&b, backoffice.WorkOrders(backoffice.Options{Seed: seed, Network: network(t), Faults: faults})); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	turned := slices.Clone(faults)
	slices.Reverse(turned)
	for i := range turned {
		turned[i].Alarms = slices.Clone(turned[i].Alarms)
		slices.Reverse(turned[i].Alarms)
	}
	if write(5, faults) != write(5, turned) {
		t.Error("the order of faults or alarms shows in the tickets")
	}
	if write(5, faults) == write(6, faults) {
		t.Error("another seed writes the same tickets")
	}
}

func TestOpenFaultsHaveOpenTickets(t *testing.T) {
	f := trench()
	f.End = time.Time{}
	w := backoffice.WorkOrders(backoffice.Options{Seed: 1, Faults: []backoffice.FaultHistory{f}})[0]
	if w.Status() != "inProgress" || w.Resolution != "" || w.Located != "" || w.HasCause() || !w.Resolved().IsZero() {
		t.Errorf("ticket of a standing fault: %+v", w)
	}
	if got := backoffice.WorkOrders(backoffice.Options{Seed: 1, Faults: []backoffice.FaultHistory{{ID: "quiet", Mode: "trench-cut", Start: start, End: start.Add(time.Hour)}}}); len(got) != 0 {
		t.Errorf("nobody noticed the fault, yet there is %+v", got)
	}
}

func TestExportsAreWellFormed(t *testing.T) {
	orders := backoffice.WorkOrders(backoffice.Options{Seed: 2, Network: network(t), Faults: history(t, 500)})
	var j, c bytes.Buffer
	if err := backoffice.WriteTMF621(&j, orders); err != nil {
		t.Fatal(err)
	}
	if err := backoffice.WriteCSV(&c, orders); err != nil {
		t.Fatal(err)
	}
	var tickets []struct {
		ID, Name, Description, TicketType, Severity, Status string
		Type                                                string `json:"@type"`
		CreationDate                                        time.Time
		ResolutionDate                                      *time.Time
		Note                                                []struct{ Text, Author string }
		TroubleTicketCharacteristic                         []struct{ Name, Value string }
	}
	if err := json.Unmarshal(j.Bytes(), &tickets); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&c).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(tickets) != len(orders) || len(rows) != len(orders)+1 {
		t.Fatalf("%d orders, %d tickets, %d rows", len(orders), len(tickets), len(rows))
	}
	states := []string{"acknowledged", "rejected", "pending", "held", "inProgress", "cancelled", "closed", "resolved"}
	for i, w := range orders {
		k, r := tickets[i], rows[i+1]
		if k.ID != w.ID || k.Type != "TroubleTicket" || k.Description != w.Description || len(k.Note) != len(w.Notes) || !slices.Contains(states, k.Status) || k.TicketType == "" || k.Severity == "" {
			t.Errorf("ticket %+v is not %s", k, w.ID)
		}
		if r[0] != w.ID || r[10] != w.Description || r[13] != w.Resolution {
			t.Errorf("row %q is not %s", r, w.ID)
		}
	}
	j.Reset()
	if err := backoffice.WriteTMF621(&j, nil); err != nil || !json.Valid(j.Bytes()) {
		t.Errorf("no tickets give %q, %v", j.String(), err)
	}
}

func trench() backoffice.FaultHistory {
	f := backoffice.FaultHistory{ID: "F00001", Mode: "trench-cut", Resource: "TR-017", Domain: "transport", Start: start, End: start.Add(9 * time.Hour)}
	for i, name := range []string{"fronthaul-loss-of-signal", "rf-unit-maintenance-link-failure", "cell-unavailable-out-of-service"} {
		for s := range 3 {
			f.Alarms = append(f.Alarms, backoffice.Alarm{Object: fmt.Sprintf("S%03d-E01", 3*s+4), Name: name, Severity: "critical", Raised: start.Add(time.Duration(5*i+s) * time.Second)})
		}
	}
	return f
}

func TestGoldenTickets(t *testing.T) {
	faults := []backoffice.FaultHistory{
		trench(),
		{ID: "F00002", Mode: "mains-failure", Resource: "S009-E00", Domain: "power_env", Start: start.Add(30 * time.Hour), End: start.Add(41 * time.Hour), Alarms: []backoffice.Alarm{
			{Object: "S009-E00", Name: "mains-input-failure-ac-fail", Severity: "major", Raised: start.Add(30*time.Hour + 12*time.Second)},
			{Object: "S009-E00-P1", Name: "battery-on-discharge", Severity: "major", Raised: start.Add(30*time.Hour + 40*time.Second)},
			{Object: "S009-E01", Name: "rf-unit-dc-input-power-failure", Severity: "critical", Raised: start.Add(36 * time.Hour)},
		}},
		{ID: "F00003", Mode: "planned-work", Resource: "S012-E02", Domain: "transport", Start: start.Add(60 * time.Hour), End: start.Add(63 * time.Hour), Planned: true},
	}
	var lines, b bytes.Buffer
	if err := backoffice.WriteTMF621(&lines, backoffice.WorkOrders(backoffice.Options{Seed: 4, Network: network(t), Faults: faults})); err != nil {
		t.Fatal(err)
	}
	if err := json.Indent(&b, lines.Bytes(), "", "  "); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/tickets.golden.json"
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("tickets differ from %s; run with -update and read the difference\n%s", golden, b.String())
	}
}
