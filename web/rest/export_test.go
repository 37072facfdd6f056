package rest

// RoutePatterns lists "METHOD pattern" of every route.
func RoutePatterns(s *Service) []string {
	var out []string
	for _, r := range s.routes() {
		out = append(out, r.method+" "+r.pattern)
	}
	return out
}

// ParseIncidentQuery parses a raw query as GET /incidents does and returns the page
// size and the fault.
func ParseIncidentQuery(raw string) (limit int, f IncidentFilter, err error) {
	p := parse(raw)
	f = incidentFilter(p, p.time("now"))
	p.after()
	return p.limit(50, 500), f, p.done()
}

// ToLines frames a body of alarms; ok is false when a part of it was not readable.
func ToLines(body []byte) (lines []byte, ok bool) {
	lines, broken := toLines(body)
	return lines, broken == nil
}
