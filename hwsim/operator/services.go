package operator

// Services that customers buy.
const (
	mobileData, voice, leased = "SVC-DATA", "SVC-VOICE", "SVC-LEASED"
)

var content = []string{"SVC-CONTENT-VIDEO", "SVC-CONTENT-WEB", "SVC-CONTENT-GAMES"}

// services adds the services; what they need is related as it is built.
func (b *builder) services() {
	b.add("Service:data", core, mobileData, "Mobile data", kv{"priority": "2"})
	b.add("Service:voice", core, voice, "Voice", kv{"priority": "1"})
	b.add("Service:leased", core, leased, "Leased lines", kv{"priority": "1"})
	for _, c := range content {
		b.add("Service:content", fixed, c, "Content source "+c, kv{"priority": "3"})
	}
}

// slicesOf adds the slices of a region over its channels, and its business customers.
// The low-latency slice rides the channels of mobile data.
func (b *builder) slicesOf(r *region) {
	for _, s := range []struct{ name, over, priority string }{{"EMBB", "EMBB", "2"}, {"URLLC", "EMBB", "1"}, {"B2B", "B2B", "1"}} {
		id := b.add("Slice", transport, "SLICE-"+s.name+"-"+r.id, s.name+" slice of region "+r.id, kv{"priority": s.priority})
		b.relate(id, dependsOn, r.channels[s.over]...)
	}
	for _, a := range r.areas {
		d := b.draw("BIZ-" + a.office.id)
		id := b.add("CustomerGroup:business", transport, "BIZ-"+a.office.id, d.company(), kv{"users": itoa(d.whole(20, 900)), "priority": "1"})
		b.relate(id, dependsOn, leased)
	}
}

func (d draw) company() string {
	return pick(d, nameFirst) + pick(d, nameLast) + " " + pick(d, []string{"Hospital", "Bank", "University", "Steel", "Logistics", "Energy", "Shipping", "Council"})
}

// mobileCustomers adds the groups of mobile customers of an area: one for each base
// station, or one for the area in a lean model.
func (b *builder) mobileCustomers(a *area) {
	group := func(id, name string, users int, cells []string) {
		b.add("CustomerGroup:mobile", wireless, id, name, kv{"users": itoa(users), "priority": "2"})
		for _, c := range cells {
			b.relate(c, servesTo, id)
		}
		b.relate(id, dependsOn, mobileData, voice)
	}
	d := b.draw("MOB-" + a.office.id)
	var all []string
	users := 0
	for _, g := range a.gnbs {
		n := d.whole(200, 2500)
		if b.lean {
			all, users = append(all, g.cells...), users+n
			continue
		}
		group("MOB-"+g.id, "Mobile customers around "+g.id, n, g.cells)
	}
	if b.lean {
		group("MOB-"+a.office.id, "Mobile customers of "+a.office.name, users, all)
	}
}
