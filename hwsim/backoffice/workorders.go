package backoffice

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WorkOrders writes the tickets about faults of the past, in order of their opening.
// A fault without an alarm gets none, for nobody noticed; announced work always has
// one. The same options give the same tickets, in whatever order the faults come.
//
// About three quarters of the incident tickets tell the cause; the others are
// duplicates, ended without a cause, found no fault, or are still open.
func WorkOrders(o Options) []WorkOrder {
	faults := slices.Clone(o.Faults)
	slices.SortFunc(faults, func(a, b FaultHistory) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	var all []*draft
	for _, f := range faults {
		all = append(all, desk{o, penFor(o.Seed, f.ID)}.handle(f)...)
	}
	slices.SortStableFunc(all, func(a, b *draft) int { return a.Created().Compare(b.Created()) })
	for i, d := range all {
		d.ID = fmt.Sprintf("TT-%06d", 100001+i)
	}
	orders := make([]WorkOrder, len(all))
	for i, d := range all {
		if d.repeats != nil {
			d.DuplicateOf = d.repeats.ID
			d.Resolution = "Duplicate of " + d.DuplicateOf + "."
			d.note(d.people[0], d.Resolved(), d.Resolution)
		}
		slices.SortStableFunc(d.Notes, func(a, b Note) int { return a.Time.Compare(b.Time) })
		orders[i] = d.WorkOrder
	}
	return orders
}

// penFor gives each fault its own chance, so that one fault more or less changes no
// other fault's text.
func penFor(seed uint64, id string) pen {
	h := fnv.New64a()
	h.Write([]byte(id))
	return pen{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// draft is a ticket whose number, and that of the ticket it repeats, is not known yet.
type draft struct {
	WorkOrder
	repeats *draft
	people  []string // first author, expert
}

func (d *draft) note(author string, at time.Time, text string) {
	d.Notes = append(d.Notes, Note{author, at, text})
}

func (d *draft) step(status, reason string, at time.Time) {
	d.History = append(d.History, StatusChange{status, reason, at})
}

// symptoms is all that the first line sees of a fault. It has no field for the
// cause, so that no opening text can tell it.
type symptoms struct {
	alarms []Alarm // raised so far, by time; none for a complaint
	head   Alarm   // the one that the ticket is opened for
	site   string
	domain string // of the head's object
}

type desk struct {
	o Options
	pen
}

func (k desk) handle(f FaultHistory) []*draft {
	f.Start, f.End = second(f.Start), second(f.End)
	alarms := slices.Clone(f.Alarms)
	for i := range alarms {
		alarms[i].Raised = second(alarms[i].Raised)
	}
	slices.SortFunc(alarms, func(a, b Alarm) int {
		return cmp.Or(a.Raised.Compare(b.Raised), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Name, b.Name))
	})
	if f.Planned {
		out := []*draft{k.planned(f)}
		if len(alarms) > 0 && k.chance(25) { // somebody did not read the calendar
			out = append(out, k.incident(f, alarms))
		}
		return out
	}
	if len(alarms) == 0 {
		return nil
	}
	first := k.incident(f, alarms)
	out := []*draft{first}
	if k.chance(12) {
		for range 1 + k.IntN(2) {
			out = append(out, k.duplicate(alarms, first))
		}
	}
	if k.chance(5) {
		out = append(out, k.complaint(f, alarms))
	}
	return out
}

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// opening returns when the first line opens a ticket: soon after the first alarm,
// or only after the first of the worst ones.
func (k desk) opening(alarms []Alarm) time.Time {
	first := alarms[0]
	if k.chance(35) {
		first = worst(alarms)
	}
	return k.after(first.Raised, 3*time.Minute, 25*time.Minute)
}

// see returns what the event list shows at a time, and the alarm that the first line
// takes for the ticket: mostly the worst or the first, sometimes just any.
func (k desk) see(alarms []Alarm, at time.Time) symptoms {
	n := slices.IndexFunc(alarms, func(a Alarm) bool { return a.Raised.After(at) })
	if n < 0 {
		n = len(alarms)
	}
	s := symptoms{alarms: alarms[:n], head: alarms[0]}
	switch i := k.IntN(100); {
	case i < 60:
		s.head = worst(s.alarms)
	case i >= 85:
		s.head = s.alarms[k.IntN(n)]
	}
	s.site, s.domain = k.place(s.head.Object)
	return s
}

func worst(alarms []Alarm) Alarm {
	return slices.MinFunc(alarms, func(a, b Alarm) int { return cmp.Compare(rank(a.Severity), rank(b.Severity)) })
}

// rank orders severities, the worst first.
func rank(severity string) int {
	if i := slices.Index([]string{"critical", "major", "minor"}, severity); i >= 0 {
		return i
	}
	return 3
}

// place returns where a resource stands, for people, and its domain.
func (k desk) place(id string) (site, domain string) {
	if k.o.Network == nil {
		return id, ""
	}
	r, ok := k.o.Network.Resource(id)
	if !ok {
		return id, ""
	}
	domain = r.Domain
	for range 8 {
		if r.Kind == "Site" {
			return cmp.Or(r.Name, r.ID), domain
		}
		up := k.o.Network.In(r.ID, "CONTAINS")
		if len(up) == 0 {
			break
		}
		r, _ = k.o.Network.Resource(up[0])
	}
	return id, domain
}

func words(alarm string) string { return strings.ReplaceAll(alarm, "-", " ") }

func clock(t time.Time) string { return t.Format("15:04") }

// fill is what a template about the symptoms may name.
func (k desk) fill(s symptoms) []string {
	return []string{
		"{alarm}", words(s.head.Name), "{obj}", s.head.Object, "{site}", s.site, "{time}", clock(s.head.Raised), "{n}", strconv.Itoa(len(s.alarms)),
		"{sev}", s.head.Severity, "{SEV}", strings.ToUpper(s.head.Severity), "{felt}", k.one(felt[known(s.domain)]), "{team}", team[known(s.domain)],
	}
}

// known gives work of an unknown domain to the transmission desk.
func known(domain string) string {
	if _, ok := team[domain]; ok {
		return domain
	}
	return "transport"
}

// open writes the part of a ticket that is known at opening.
func (k desk) open(s symptoms, at time.Time) *draft {
	d := &draft{people: []string{k.one(agents), expert[known(s.domain)]}}
	d.Type, d.Reported, d.Team = "incident", s.head.Object, team[known(s.domain)]
	level := 3
	if len(s.alarms) > 0 {
		level = rank(worst(s.alarms).Severity)
	}
	d.Severity = []string{"Critical", "Major", "Minor", "Minor"}[level]
	d.Priority = []string{"Critical", "High", "Medium", "Low"}[min(3, level+k.IntN(2))]
	fill := k.fill(s)
	d.Name = k.say(2, k.one(titles), fill...)
	if k.chance(20) {
		d.Description = k.say(0, boiler, fill...)
	} else {
		d.Description = k.say(6, k.one(openings), fill...)
	}
	if k.chance(12) {
		// The first guess goes to some other element.
		if i := slices.IndexFunc(s.alarms, func(a Alarm) bool { return a.Object != s.head.Object }); i >= 0 {
			d.Reported = s.alarms[i].Object
			d.Description += " " + k.say(6, k.one(wrong), "{obj}", d.Reported)
		}
	}
	if k.chance(60) {
		d.Description += "\n\n" + k.paste(s.alarms, at)
	}
	d.step("acknowledged", "ticket opened", at)
	return d
}

// paste copies lines of the event list, as it stood at a time.
func (k desk) paste(alarms []Alarm, at time.Time) string {
	var b strings.Builder
	limit, n, bar := 2+k.IntN(6), 0, k.chance(50)
	for _, a := range alarms {
		if a.Raised.After(at) {
			break
		}
		if n++; n > limit {
			continue
		}
		when := a.Raised.Format("2006-01-02 15:04:05")
		if bar {
			fmt.Fprintf(&b, "%s | %-8s | %s | %s\n", when, strings.ToUpper(a.Severity), a.Object, words(a.Name))
		} else {
			fmt.Fprintf(&b, "%s %s %s: %s\n", when, a.Object, a.Severity, words(a.Name))
		}
	}
	if n > limit {
		fmt.Fprintf(&b, "... %d more\n", n-limit)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (k desk) incident(f FaultHistory, alarms []Alarm) *draft {
	at := k.opening(alarms)
	s := k.see(alarms, at)
	d := k.open(s, at)
	fill := k.fill(s)
	at = k.after(at, 2*time.Minute, 20*time.Minute)
	d.step("inProgress", "assigned to "+d.Team, at)
	d.note(d.people[0], at, k.say(6, k.one(chatter), fill...))

	end := f.End
	if end.Before(at) && !end.IsZero() {
		end = at
	}
	if mine := team[known(f.Domain)]; mine != d.Team && (end.IsZero() || end.Sub(at) > 15*time.Minute) {
		at = k.after(at, 5*time.Minute, 15*time.Minute)
		fill = append([]string{"{team}", mine}, fill...) // the first of two fills wins
		d.note(d.people[1], at, k.say(4, k.one(bounced), fill...))
		d.Team, d.people[1] = mine, expert[known(f.Domain)]
	}
	for shift := at.Add(6 * time.Hour); !end.IsZero() && shift.Before(end) && len(d.Notes) < 8; shift = shift.Add(8 * time.Hour) {
		d.note(k.one(agents), k.after(shift, 0, time.Hour), k.say(6, k.one(handover), fill...))
	}
	if k.chance(35) {
		at = k.after(at, time.Minute, 10*time.Minute)
		d.note(k.one(agents), at, "event list now:\n"+k.paste(alarms, at))
	}
	if f.End.IsZero() {
		return d
	}
	if end.Sub(at) > 2*time.Hour && k.chance(30) {
		at = k.after(at, 10*time.Minute, 40*time.Minute)
		d.step("held", "waiting for access or spare part", at)
		at = k.after(at, 10*time.Minute, 40*time.Minute)
		d.step("inProgress", "work goes on", at)
	}
	k.resolve(d, f, end)
	return d
}

// resolve closes a ticket after the fault's end, with or without a cause.
func (k desk) resolve(d *draft, f FaultHistory, end time.Time) {
	done := k.after(end, 5*time.Minute, 90*time.Minute)
	if last := d.History[len(d.History)-1].Time; !done.After(last) {
		done = k.after(last, time.Minute, 10*time.Minute)
	}
	crew, there := k.one(crews), k.one(arrived)
	at := []string{"{at}", f.Resource, "{time}", clock(end)}
	switch n := k.IntN(1000); {
	case f.Planned || n < 920:
		if k.chance(30) {
			crew, there = d.people[1], "Worked remotely."
		}
		w, ok := findings[f.Mode]
		if !ok {
			w = byDomain[known(f.Domain)]
		}
		if f.Planned {
			w = findings["planned-work"]
		}
		i := k.IntN(len(w.found))
		found, did := k.say(3, w.found[i], at...), k.say(3, w.did[i], at...)
		if k.chance(90) {
			d.Located = f.Resource
		}
		d.ClosureCode = w.code
		if k.chance(8) {
			d.ClosureCode = codeOther
		}
		switch k.IntN(4) {
		case 0:
			d.Resolution = "Cause: " + found + " Action: " + did
		case 1:
			d.Resolution = did + " (" + strings.TrimSuffix(found, ".") + ")"
		case 2:
			d.Resolution = k.say(3, there, at...) + " " + found + " " + did
		default:
			d.Resolution = found + " " + did + " " + k.say(3, k.one(closings), at...)
		}
		if k.chance(50) {
			d.note(crew, k.after(end, 0, time.Minute), k.say(3, there, at...)+" "+found)
		}
		d.note(crew, done, d.Resolution)
	case n < 965:
		d.Resolution, d.ClosureCode = k.say(3, k.one(unknowns), at...), codeUnknown
		d.note(d.people[0], done, d.Resolution)
	default:
		at[1] = d.Reported
		d.Resolution, d.ClosureCode = k.say(3, k.one(nofaults), at...), codeNoFault
		d.note(crew, done, d.Resolution)
	}
	d.step("resolved", d.ClosureCode, done)
	d.step("closed", "confirmed by desk", k.after(done, 30*time.Minute, 20*time.Hour))
}

// duplicate is a second ticket for a fault, opened by somebody who did not look.
func (k desk) duplicate(alarms []Alarm, first *draft) *draft {
	from := alarms[k.IntN(len(alarms))].Raised
	if first.Created().After(from) {
		from = first.Created()
	}
	at := k.after(from, 4*time.Minute, 90*time.Minute)
	d := k.open(k.see(alarms, at), at)
	d.repeats, d.ClosureCode = first, codeDuplicate
	at = k.after(at, 5*time.Minute, 2*time.Hour)
	d.step("resolved", codeDuplicate, at)
	d.step("closed", "linked", k.after(at, time.Minute, time.Hour))
	return d
}

// complaint is a ticket that comes in the wake of a fault and has nothing to do
// with it: an element without any alarm, and nothing wrong with it.
func (k desk) complaint(f FaultHistory, alarms []Alarm) *draft {
	s := symptoms{head: Alarm{Object: alarms[0].Object, Name: "no alarm", Severity: "minor", Raised: k.after(f.Start, 2*time.Hour, 72*time.Hour)}}
	if k.o.Network != nil {
		quiet := k.o.Network.Resources()
		for range 20 {
			r := quiet[k.IntN(len(quiet))]
			if (r.Kind == "Cell" || r.Kind == "ONU") && !slices.ContainsFunc(alarms, func(a Alarm) bool { return a.Object == r.ID }) {
				s.head.Object = r.ID
				break
			}
		}
	}
	s.site, s.domain = k.place(s.head.Object)
	at := k.after(s.head.Raised, 10*time.Minute, time.Hour)
	d := k.open(s, at)
	fill := append([]string{"{felt}", k.one(moans)}, k.fill(s)...)
	d.Name, d.Description = k.say(2, "complaint, {site}, {felt}", fill...), k.say(6, k.one(complaints), fill...)
	done := k.after(at, 2*time.Hour, 30*time.Hour)
	d.Resolution, d.ClosureCode = k.say(3, k.one(nofaults), "{at}", d.Reported), codeNoFault
	d.step("inProgress", "assigned to "+d.Team, k.after(at, time.Minute, time.Hour))
	d.note(k.one(crews), done, d.Resolution)
	d.step("resolved", d.ClosureCode, done)
	d.step("closed", "confirmed by desk", k.after(done, time.Hour, 20*time.Hour))
	return d
}

// planned is the ticket that announces work, written days ahead.
func (k desk) planned(f FaultHistory) *draft {
	site, _ := k.place(f.Resource)
	domain := known(f.Domain)
	d := &draft{people: []string{expert[domain], expert[domain]}}
	d.Type, d.Severity, d.Priority, d.Reported, d.Team = "planned work", "Minor", "Low", f.Resource, team[domain]
	d.PlannedStart = f.Start.Add(-time.Duration(k.IntN(4)) * 15 * time.Minute).Truncate(15 * time.Minute)
	end := f.End
	if !end.After(f.Start) {
		end = f.Start.Add(4 * time.Hour)
	}
	d.PlannedEnd = end.Add(time.Duration(1+k.IntN(4)) * 15 * time.Minute).Truncate(15 * time.Minute)
	at := k.after(d.PlannedStart, -10*24*time.Hour, -3*24*time.Hour)
	what := k.one(works[domain])
	d.Name = what + " " + f.Resource
	const format = "2006-01-02 15:04"
	d.Description = k.say(2, "{what} on {obj} ({site}). Window {from} to {to} UTC. Expected impact: {impact}. Alarms from this element during the window can be ignored.",
		"{what}", what, "{obj}", f.Resource, "{site}", site, "{from}", d.PlannedStart.Format(format), "{to}", d.PlannedEnd.Format(format),
		"{impact}", k.one([]string{"service interruption up to 30 min", "reduced redundancy", "short hits", "none expected"}))
	d.step("acknowledged", "work requested", at)
	d.note(d.people[0], k.after(at, time.Hour, 24*time.Hour), k.say(3, "approved by change board, desk informed"))
	if f.End.IsZero() {
		return d
	}
	d.step("inProgress", "window open", d.PlannedStart)
	d.ClosureCode = codePlanned
	d.Resolution = k.say(2, k.one(findings["planned-work"].did))
	d.note(k.one(crews), f.End, d.Resolution)
	d.step("resolved", "work done", f.End)
	d.step("closed", "confirmed by desk", k.after(f.End, time.Hour, 20*time.Hour))
	return d
}
