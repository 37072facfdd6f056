package operator

import "math"

// region is an aggregation ring with its hub, the first area.
type region struct {
	id              string
	areas           []*area
	ring            *otnRing
	position        int // on the ring
	primary, second *centre
	otn             *otnNode
	routers         [2]*router
	bras            *chassis
	handoff         [2]string           // links from the hub's aggregation nodes to its edge routers
	brasLink        [2]string           // links from the hub's aggregation nodes to the BRAS
	channels        map[string][]string // by slice
	ranVRFs         []string
	content         string // path from the BRAS to the content sources
}

// area is a central office with the access rings around it.
type area struct {
	no       int // over the operator, from 1
	office   *site
	street   *site       // first site of the first ring
	spn      [2]*chassis // aggregation nodes A and B
	rung     string      // link between the two
	grids    []string
	channels map[string][2]string // by slice: the channels along the A and the B chain
	gnbs     []gnb
	vendor   string // of radio equipment
}

// slicesWithChannels are the slices that have channels of their own.
var slicesWithChannels = []string{"EMBB", "B2B"}

// columns is the side of the square of regions that makes up the map.
func (p plan) columns() int { return int(math.Ceil(math.Sqrt(float64(p.regions)))) }

// region places the areas of a region and joins them; fillRegion adds what hangs on
// them.
func (b *builder) region(no int) {
	r := &region{id: "R" + pad(no+1, 2), channels: map[string][]string{}}
	d := b.draw(r.id)
	columns := b.columns()
	centre := place{(float64(no%columns) + 0.5) * b.regionKM, (float64(no/columns) + 0.5) * b.regionKM}
	for k := range b.areas {
		at := centre
		if k > 0 {
			at = centre.towards(2*math.Pi*float64(k)/float64(max(2, b.areas-1)), b.regionKM*d.between(0.28, 0.36))
		}
		r.areas = append(r.areas, b.area(no*b.areas+k+1, at))
	}
	b.aggregation(r, d)
	b.hub(r, d)
	b.zones = append(b.zones, r)
}

// area adds the central office of an area with its aggregation nodes.
func (b *builder) area(n int, at place) *area {
	a := &area{no: n, channels: map[string][2]string{}}
	no := b.areaNo(a.no)
	district := "D" + no
	for g := range b.grids {
		a.grids = append(a.grids, b.add("PowerSystem:district", power, "GRID-"+no+"-"+itoa(g+1), "District feed "+itoa(g+1)+" of district "+no, kv{"district": district}))
	}
	a.office = b.site(centralOffice, "CO"+no, at, district, a.grids[0])
	d := a.office.d
	a.vendor = pick(d, radioVendors)
	for i, side := range []string{"A", "B"} {
		id := a.office.id + "-SPN" + side
		a.spn[i] = b.element(a.office, "spn", transport, id, a.office.name+" aggregation "+side, 8, kv{
			"vendor": pick(d, transportVendors), "model": "SPN 9008", "software": pick(d, []string{"7.2", "7.4"})})
	}
	a.rung = b.ethernet(a.office.id+"-RUNG1", b.ethPort(a.spn[0], 100000), b.ethPort(a.spn[1], 100000), 100000)
	return a
}

// ethPort adds a port for Ethernet with its maintenance end point.
func (b *builder) ethPort(c *chassis, mbps int) string {
	p := c.port("eth", mbps)
	if !b.lean {
		b.part(p, "MEP", transport, p+"-MEP1", "Maintenance end point of "+p, kv{"ccm_ms": "3.33"})
	}
	return p
}

// aggregation joins the areas of a region by two chains of FlexE groups, A and B, and
// lays channels from every area to the hub along both.
func (b *builder) aggregation(r *region, d draw) {
	groups := [2][]string{}
	for k := range len(r.areas) - 1 {
		near, far := r.areas[k], r.areas[k+1]
		for side, name := range []string{"A", "B"} {
			id := r.id + "-AGG" + name + itoa(k+1)
			group := b.add("FlexEGroup", transport, id+"-FLEXE", "FlexE group "+id, kv{"capacity_mbps": "200000"})
			length := d.routeM(near.office.at, far.office.at)
			for phy := 1; phy <= 2; phy++ {
				p, q := b.ethPort(near.spn[side], 100000), b.ethPort(far.spn[side], 100000)
				link := b.ethernet(id+"-L"+itoa(phy), p, q, 100000)
				b.relate(group, dependsOn, p, q)
				// Both fibres of a chain lie in one trench; the chains take different roads.
				b.fibre("aggregation", transport, link+"-F1", length, []string{id + "-ROAD"}, link)
			}
			groups[side] = append(groups[side], group)
		}
		for _, slice := range slicesWithChannels {
			b.channel(r, far, slice, groups)
		}
	}
}

// channel adds the two channels of a slice from an area to the hub and protects one
// with the other.
func (b *builder) channel(r *region, a *area, slice string, groups [2][]string) {
	var both [2]string
	for side, name := range []string{"A", "B"} {
		id := a.office.id + "-CH-" + slice + "-" + name
		both[side] = b.add("Channel", transport, id, slice+" channel "+name+" of "+a.office.name, kv{"capacity_mbps": "50000"})
		for _, g := range groups[side] {
			b.relate(g, carries, id)
		}
		r.channels[slice] = append(r.channels[slice], id)
	}
	a.channels[slice] = both
	b.protect("channel", transport, a.office.id+"-CHAPS-"+slice, both[:]...)
}

// fillRegion adds what hangs on the region: access rings with base stations, fixed
// access, sessions to the core, customers.
func (b *builder) fillRegion(r *region) {
	for side := range 2 {
		for k := range len(r.areas) - 1 {
			b.relate(r.areas[k].spn[side].id, synchronises, r.areas[k+1].spn[side].id)
		}
	}
	for _, a := range r.areas {
		b.access(r, a)
		// The last area of a region has its OLT out in the street.
		b.olt(r, a, a == r.areas[len(r.areas)-1])
	}
	b.slicesOf(r)
}

// access adds the rings of an area, the base stations on them and those at the
// central office.
func (b *builder) access(r *region, a *area) {
	tunnels := b.tunnels(r, a, a.office.id, [2][]string{nil, {a.rung}}, "EMBB", false)
	for n := 1; n <= b.gnbs; n++ {
		g := b.baseStation(a.office, n, true, a.vendor, "")
		b.join(r, a, g, a.spn[0], tunnels)
	}
	for ring := range b.rings {
		b.ring(r, a, ring)
	}
	b.mobileCustomers(a)
}

// join gives a base station its backhaul, clock, pseudo-wire and sessions, and
// returns the backhaul link.
func (b *builder) join(r *region, a *area, g gnb, node *chassis, tunnels []string) string {
	link := b.ethernet(g.id+"-BH1", b.ethPort(node, 10000), g.backhaul, 10000)
	b.relate(node.id, synchronises, g.id)
	a.gnbs = append(a.gnbs, g)
	pw := b.pseudoWire(g.id, g.id+"-PW1", tunnels)
	if !b.lean {
		er := r.routers[len(a.gnbs)%2]
		bfd := b.part(er.id, "Session:bfd", ip, er.id+"-BFD-"+g.id, "BFD session of "+er.id+" to "+g.id, kv{"interval_ms": "100", "multiplier": "3"})
		b.relate(bfd, dependsOn, er.access)
		b.relate(pw, carries, bfd)
	}
	for _, vrf := range r.ranVRFs {
		b.relate(vrf, servesTo, g.id)
	}
	b.sessions(r, g, len(a.gnbs)+a.no)
	return link
}

// pseudoWire adds the pseudo-wire that serves an element.
func (b *builder) pseudoWire(served, id string, tunnels []string) string {
	b.add("PW", transport, id, "Pseudo-wire of "+served, nil)
	for _, t := range tunnels {
		b.relate(t, carries, id)
	}
	b.relate(id, servesTo, served)
	return id
}

// ring adds one access ring: it leaves the central office at aggregation node A and
// comes back at B. The last site of the last ring is a spur: it has no packet node
// and its base stations reach the neighbour's over a fibre of their own.
func (b *builder) ring(r *region, a *area, ring int) {
	id := a.office.id + "-RING" + itoa(ring+1)
	d := b.draw(id)
	grid := a.grids[ring*len(a.grids)/b.rings]
	first := (a.no-1)*b.rings*b.ringSites + ring*b.ringSites + 1
	var sites []*site
	var nodes []*chassis
	for i, at := range around(d, a.office.at, ring, b.rings, b.ringSites, b.regionKM/10) {
		s := b.site(cellSite, b.siteID(first+i), at, "D"+b.areaNo(a.no), grid)
		sites = append(sites, s)
		if ring < b.rings-1 || i < b.ringSites-1 {
			nodes = append(nodes, b.element(s, "spn", transport, s.id+"-SPN1", s.name+" packet node", 8, kv{"model": "SPN 2004"}))
		}
	}
	if ring == 0 {
		a.street = sites[0]
	}
	links := b.ringLinks(d, a, id, ring, sites, nodes)
	b.ringClock(a, nodes)
	for i, s := range sites {
		at := min(i, len(nodes)-1)
		ways := [2][]string{links[:at+1], links[at+1:]}
		tunnels := b.tunnels(r, a, s.id, ways, "EMBB", s.d.chance(0.2))
		for n := 1; n <= b.gnbs; n++ {
			g := b.baseStation(s, n, false, a.vendor, id+"-ROAD"+itoa(at+1))
			link := b.join(r, a, g, nodes[at], tunnels)
			if i > at {
				b.fibre("access", transport, link+"-F1", d.routeM(sites[at].at, s.at), []string{id + "-SPUR1"}, link)
			}
		}
	}
}

// ringClock passes the clock along a ring, the first half from aggregation node A,
// the second half from B.
func (b *builder) ringClock(a *area, nodes []*chassis) {
	half := (len(nodes) + 1) / 2
	from := a.spn[0]
	for _, n := range nodes[:half] {
		b.relate(from.id, synchronises, n.id)
		from = n
	}
	from = a.spn[1]
	for i := len(nodes) - 1; i >= half; i-- {
		b.relate(from.id, synchronises, nodes[i].id)
		from = nodes[i]
	}
}

// ringLinks adds the links of a ring with their fibres. Neighbouring rings share the
// ducts out of the central office; in every fourth area both ends of the first ring
// leave through one duct, as happens in the field.
func (b *builder) ringLinks(d draw, a *area, id string, ring int, sites []*site, nodes []*chassis) []string {
	var links []string
	from, at := a.spn[0], a.office.at
	for i := range len(nodes) + 1 {
		to, next := a.spn[1], a.office.at
		if i < len(nodes) {
			to, next = nodes[i], sites[i].at
		}
		link := b.ethernet(id+"-L"+itoa(i+1), b.ethPort(from, 25000), b.ethPort(to, 25000), 25000)
		length := d.routeM(at, next)
		road := id + "-ROAD" + itoa(i+1)
		duct := 0
		switch {
		case i == 0 || i == len(nodes) && ring == 0 && a.no%4 == 3:
			duct = ring + 1
		case i == len(nodes):
			duct = (ring+1)%b.rings + 1
		}
		way := []string{road}
		if duct > 0 {
			way = append(way, a.office.id+"-DUCT"+itoa(duct))
			length += d.whole(120, 600)
		}
		b.fibre("access", transport, link+"-F1", length, way, link)
		links = append(links, link)
		from, at = to, next
	}
	return links
}

// tunnels adds the tunnel of a site or base station and, unless it stays without,
// the tunnel that protects it. ways are the ring links towards the aggregation nodes
// A and B; the working tunnel takes the shorter way.
func (b *builder) tunnels(r *region, a *area, id string, ways [2][]string, slice string, alone bool) []string {
	order := []int{0, 1}
	if len(ways[1]) < len(ways[0]) {
		order = []int{1, 0}
	}
	end := r.handoff
	if slice == "B2B" {
		end = r.brasLink
	}
	var out []string
	for n, side := range order {
		if n == 1 && alone {
			break
		}
		role := []string{"working", "protection"}[n]
		t := b.add("Tunnel:"+role, transport, id+"-TUN"+itoa(n+1), "Tunnel "+itoa(n+1)+" of "+id, kv{"capacity_mbps": "10000"})
		for _, link := range ways[side] {
			b.relate(link, carries, t)
		}
		if c, ok := a.channels[slice]; ok {
			b.relate(c[side], carries, t)
		}
		b.relate(end[side], carries, t)
		out = append(out, t)
	}
	if len(out) == 2 {
		b.protect("tunnel", transport, id+"-APS1", out...)
	}
	return out
}
