package backoffice

import (
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
)

// pen is one writer's hand: a source of chance, and how carelessly it types.
type pen struct{ *rand.Rand }

func (p pen) chance(percent int) bool { return p.IntN(100) < percent }

func (p pen) one(of []string) string { return of[p.IntN(len(of))] }

// after returns a time between lo and hi later, to the second.
func (p pen) after(t time.Time, lo, hi time.Duration) time.Time {
	return t.Add(lo + time.Duration(p.Int64N(int64(hi-lo)+1))).Truncate(time.Second)
}

var short = map[string]string{
	"please": "pls", "customer": "cust", "customers": "cust", "because": "bcs", "without": "w/o", "equipment": "eqpt",
	"minutes": "min", "alarms": "alms", "checked": "chkd", "and": "&", "information": "info", "between": "betw",
}

// say types a template. Abbreviations and typing errors touch only the template's
// own words; what is filled in, identifiers and copied alarms, stays exact.
func (p pen) say(sloppy int, template string, fill ...string) string {
	words := strings.Split(template, " ")
	for i, w := range words {
		if !isWord(w) {
			continue
		}
		if s, ok := short[w]; ok && p.chance(4*sloppy) {
			words[i] = s
			continue
		}
		if len(w) >= 5 && p.chance(sloppy) {
			words[i] = p.mistype(w)
		}
	}
	text := strings.NewReplacer(fill...).Replace(strings.Join(words, " "))
	if p.chance(sloppy) {
		text = strings.TrimSuffix(text, ".")
	}
	return text
}

func isWord(w string) bool {
	for _, r := range w {
		if !unicode.IsLower(r) {
			return false
		}
	}
	return w != ""
}

// mistype swaps, drops or doubles one letter behind the first.
func (p pen) mistype(w string) string {
	b := []byte(w)
	i := 1 + p.IntN(len(b)-2)
	switch p.IntN(3) {
	case 0:
		b[i], b[i+1] = b[i+1], b[i]
	case 1:
		b = append(b[:i], b[i+1:]...)
	default:
		b = append(b[:i+1], b[i:]...)
	}
	return string(b)
}

var (
	agents = []string{"A. Lindqvist", "T. Okafor", "M. Perrin", "J. Haas", "S. Wu", "N. Abidi", "R. Costa", "K. Jansen", "desk2", "noc-night"}
	crews  = []string{"P. Novak / van 12", "G. Ferrari / van 3", "Y. Tanaka", "crew north", "B. Olsen / van 7", "crew south 2", "L. Marek"}

	team = map[string]string{
		"power_env": "Site Power", "wireless": "Radio", "transport": "Transmission", "home_broadband": "Access",
		"ip": "IP Backbone", "cloud": "Cloud Platform", "core": "Mobile Core",
	}
	expert = map[string]string{
		"power_env": "D. Vogel", "wireless": "H. Nakata", "transport": "E. Roux", "home_broadband": "F. Adeyemi",
		"ip": "C. Bianchi", "cloud": "V. Singh", "core": "I. Petrov",
	}
	// felt is what the first line hears about trouble in a domain. It says nothing of causes.
	felt = map[string][]string{
		"power_env":      {"site still carries traffic", "no complaints so far", "radio on the site ok right now"},
		"wireless":       {"customers without coverage", "calls dropping in the area", "slow data around the site", "no complaints, night hours"},
		"transport":      {"several sites behind it affected", "leased line customer called", "protection unclear", "no complaints known"},
		"home_broadband": {"hotline reports customers offline", "customers with slow internet", "TV stalls in the evening"},
		"ip":             {"business customers ask", "delay between regions", "impact unclear"},
		"cloud":          {"some functions moved", "application owners ask", "dashboard red, users ok"},
		"core":           {"phones without service", "roamers complain", "data sessions fail for some", "KPI below target"},
	}

	titles = []string{"{alarm} on {obj}", "{site}: {n} alarms, first {alarm}", "{SEV} - {alarm} - {obj}", "FW: {obj} {alarm}", "Trouble at {site}, {felt}", "{obj} / {alarm} / pls check"}

	openings = []string{
		"Alarm {alarm} on {obj} since {time}. {n} alarms around {site}. {felt}, please check.",
		"{obj} came up with {alarm} at {time}. We see {n} alarms in total, {felt}. Do not know more.",
		"{felt}. Event list shows {alarm} at {obj} ({site}) from {time}, plus others, see below.",
		"Since {time} problems at {site}: {alarm}. Pinged {obj}, no clear result. Severity {sev}. Please have a look.",
		"Hi, {n} alarms came within some minutes, I took {obj} because it is on top of the list ({alarm}, {time}). {felt}.",
		"Opened from monitoring. Element: {obj}. Text: {alarm}. Start {time}. Customers affected: {felt}.",
	}
	boiler = "*** TEMPLATE NOC-07 rev 4 ***\nAffected element: {obj}\nLocation: {site}\nStart (UTC): {time}\nService impact: {felt}\nReference customer: n/a\nChecked with: event list only\nForward to: {team}\n*** end of template ***"
	wrong  = []string{"Looks to me as if {obj} is the faulty one.", "Probably {obj} hangs, maybe a restart helps?", "I think {obj} is broken because it was first on my screen."}

	handover = []string{
		"HO to next shift: {site} still open, {team} informed, waiting for call back.",
		"shift change. Nothing new at {site}. Please chase {team}.",
		"Handover: see description. {n} alarms active. Do not close before {team} answered.",
		"for the night shift: caller wants feedback every 2 hours, last given {time}.",
	}
	chatter = []string{
		"Called {team}, they look into it.", "Crew ETA 40 minutes.", "Gate key not in the box, waiting for landlord.", "Crew stuck in traffic.",
		"Spare part has to come from central store.", "Asked for status, no answer yet.", "customer called again, told him we are working on it.",
		"Management asks for an update at the full hour.", "Tried remote login, slow but possible.", "Priority discussed with duty manager, stays as it is.",
	}
	bounced = []string{
		"Checked on our side, nothing wrong here. To {team} please.", "Not ours. {obj} only shows what comes from elsewhere, forwarded to {team}.",
		"Why is this with us? {alarm} is a consequence here. Moved to {team}.",
	}
	arrived  = []string{"On site {time}.", "arrived {time}, access ok.", "Crew at {at}.", "Two men on site {time}."}
	closings = []string{"Alarms cleared {time}, watched 30 minutes, ok to close.", "all clear {time}.", "Cleared {time}. Customer informed.", "List empty since {time}, closing."}

	unknowns = []string{
		"Alarms cleared by themselves before anybody could look. Closed.", "No cause given by the crew, service is back.", "ok again", "Self healed. Closing after 24 h without repeat.",
		"Closed by mass action, no feedback from the field.",
	}
	nofaults = []string{
		"Measured everything at {at}, all values in range, no fault found.", "Could not reproduce, no fault found.", "Visited, nothing to see. Test calls fine.",
		"No fault found. Counters were clean for the whole day.",
	}
	complaints = []string{
		"Caller says service at {site} is bad since {time}, no alarm on the list for {obj}.", "Customer near {site} complains for the third time, {felt}. {obj} shows green.",
		"Shop reports {felt}. Nothing visible on {obj}, please verify.",
	}

	moans = []string{"slow data in the evening", "calls break off", "no internet some days", "video stalls", "bad reception indoors"}

	works = map[string][]string{
		"power_env": {"Battery test", "Rectifier firmware", "Switchboard inspection"}, "wireless": {"Software upgrade", "Antenna swap", "Carrier addition"},
		"transport": {"Fibre rearrangement", "Node upgrade", "Route maintenance"}, "home_broadband": {"OLT upgrade", "Splitter rebuild", "BRAS migration"},
		"ip": {"Router upgrade", "Line card insertion", "Route policy change"}, "cloud": {"Host patching", "Cluster upgrade", "Storage extension"},
		"core": {"Release upgrade", "Failover drill", "Interface migration"},
	}
)
