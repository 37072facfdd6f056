package operator

import "strings"

// router is a router with what its neighbours need.
type router struct {
	*chassis
	access string   // port towards the aggregation network
	bgp    []string // sessions that its VRFs learn routes from
}

func (b *builder) router(s *site, id, model string, d draw) *router {
	return &router{chassis: b.element(s, "router", ip, id, s.name+" router "+id, 6, kv{
		"vendor": pick(d, ipVendors), "model": model, "software": pick(d, []string{"12.1", "12.3"}), "routes_limit": "2000000"})}
}

// hub equips the central office of a region's first area: edge routers, BRAS and
// optical node.
func (b *builder) hub(r *region, d draw) {
	office, spn := r.areas[0].office, r.areas[0].spn
	r.otn = b.otn(office, d)
	r.bras = b.element(office, "bras", fixed, office.id+"-BRAS1", office.name+" broadband gateway", 6, kv{
		"vendor": pick(d, ipVendors), "model": "BNG 60", "software": "8.2", "users": itoa(b.areas * b.cards * b.pons * b.onus), "capacity_mbps": "200000"})
	for i := range r.routers {
		er := b.router(office, office.id+"-ER"+itoa(i+1), "ER 800", d)
		r.routers[i] = er
		er.access = er.port("ip", 100000)
		r.handoff[i] = b.ethernet(er.id+"-HO1", b.ethPort(spn[i], 100000), er.access, 100000)
		r.brasLink[i] = b.ethernet(r.bras.id+"-HO"+itoa(i+1), b.ethPort(spn[i], 100000), r.bras.port("ip", 100000), 100000)
	}
	b.protect("vrrp", ip, office.id+"-VRRP1", r.routers[0].id, r.routers[1].id)
}

// ipLink is an IP link with the ends' ports and sessions.
type ipLink struct {
	ends     [2]*router
	members  []string
	ports    [2][]string
	bfd, igp [2]string
}

// ipLink joins two routers by one link, or by several in a LAG, and sets up BFD, the
// IGP and LDP over it; with te also a traffic-engineered LSP.
func (b *builder) ipLink(x, y *router, members int, igp string, mbps int, te bool) *ipLink {
	l := &ipLink{ends: [2]*router{x, y}}
	id := "IPL-" + x.id + "-" + y.id
	for m := range members {
		p, q := x.port("ip", mbps), y.port("ip", mbps)
		link := b.add("Link:ip", ip, id+"-"+itoa(m+1), "IP link "+x.id+" to "+y.id, kv{"capacity_mbps": itoa(mbps)})
		b.relate(link, connects, p, q)
		l.members = append(l.members, link)
		l.ports[0], l.ports[1] = append(l.ports[0], p), append(l.ports[1], q)
	}
	for e, own := range l.ends {
		peer := l.ends[1-e].id
		if members > 1 {
			lag := b.part(own.id, "LAG:ip", ip, own.id+"-LAG-"+peer, "Bundle of "+own.id+" to "+peer, kv{"capacity_mbps": itoa(members * mbps)})
			b.relate(lag, dependsOn, l.ports[e]...)
		}
		l.bfd[e] = b.session(own, "bfd", peer, l.ports[e]...)
		l.igp[e] = b.session(own, igp, peer, append([]string{l.bfd[e]}, l.ports[e]...)...)
		ldp := b.session(own, "ldp", peer, l.igp[e])
		if te {
			b.session(own, "te", peer, append([]string{ldp}, l.ports[e]...)...)
		}
	}
	return l
}

// session adds a router's end of a protocol session.
func (b *builder) session(own *router, protocol, peer string, needs ...string) string {
	id := b.part(own.id, "Session:"+protocol, ip, own.id+"-"+strings.ToUpper(protocol)+"-"+peer, strings.ToUpper(protocol)+" session of "+own.id+" to "+peer, nil)
	b.relate(id, dependsOn, needs...)
	return id
}

// bgp sets up BGP over a link. Each end's VRFs learn routes from it when learn says
// so for that end.
func (b *builder) bgp(l *ipLink, learn ...bool) {
	for e, own := range l.ends {
		id := b.session(own, "bgp", l.ends[1-e].id, append([]string{l.bfd[e], l.igp[e]}, l.ports[e]...)...)
		if learn[e] {
			own.bgp = append(own.bgp, id)
		}
	}
}

// packetCore joins the routers: pairs at one place, hubs to their data centres over
// wavelengths and dark fibre, data centres to each other over two protected sections.
func (b *builder) packetCore() {
	for _, c := range b.centres {
		b.bgp(b.ipLink(c.routers[0], c.routers[1], 2, "isis", 100000, false), true, true)
		b.protect("vrrp", ip, c.id+"-VRRP1", c.routers[0].id, c.routers[1].id)
	}
	for i, x := range b.centres {
		for _, y := range b.centres[i+1:] {
			pair := "OTN-" + x.id + "-" + y.id
			mesh := []span{b.span(pair+"-OTS01", x.otn, y.otn), b.span(pair+"-OTS02", x.otn, y.otn)}
			b.protect("ots", transport, pair+"-OLP", mesh[0].ots, mesh[1].ots)
			for n := range x.routers {
				l := b.ipLink(x.routers[n], y.routers[n], 1, "isis", 100000, false)
				b.bgp(l, true, true)
				w := b.wavelength("OCH-"+x.id+"-"+y.id+"-"+itoa(n+1), x.otn, y.otn, mesh)
				b.ride(l.members[0], [2]string{l.ports[0][0], l.ports[1][0]}, x.otn, y.otn, w)
			}
		}
	}
	for _, r := range b.zones {
		b.uplinks(r)
	}
	for _, c := range b.centres {
		for _, cr := range c.routers {
			vrf := b.part(cr.id, "VRF", ip, cr.id+"-VRF-SIG", "Signalling VPN on "+cr.id, kv{"priority": "1"})
			b.relate(vrf, dependsOn, cr.bgp...)
			c.vrfs = append(c.vrfs, vrf)
		}
		b.coreSessions(c)
	}
}

// uplinks joins the hub of a region to the core. The first edge router goes to the
// primary data centre over a protected wavelength, the second to the other one over
// an unprotected one; the aggregation nodes go along, for leased lines and the clock.
// Dark fibre leads to the next node of the optical ring.
func (b *builder) uplinks(r *region) {
	ring, at := r.ring, r.position
	pair := b.ipLink(r.routers[0], r.routers[1], 2, "ospf", 100000, false)
	b.bgp(pair, true, true)
	var up [2]*ipLink
	for n, dc := range []*centre{r.primary, r.second} {
		up[n] = b.ipLink(r.routers[n], dc.routers[n], 1, "ospf", 100000, true)
		b.bgp(up[n], true, false)
		to := ring.at(dc.otn)
		short, long := ring.way(at, to, true), ring.way(at, to, false)
		if len(long) < len(short) {
			short, long = long, short
		}
		id := "OCH-" + r.id + "-" + dc.id + "-"
		waves := []wave{b.wavelength(id+"1", r.otn, dc.otn, short)}
		if n == 0 {
			waves = append(waves, b.wavelength(id+"2", r.otn, dc.otn, long))
		}
		b.ride(up[n].members[0], [2]string{up[n].ports[0][0], up[n].ports[1][0]}, r.otn, dc.otn, waves...)
		p, q := b.ethPort(r.areas[0].spn[n], 100000), b.ethPort(dc.spn, 100000)
		link := b.ethernet("ETH-"+r.id+"-"+dc.id, p, q, 100000)
		b.ride(link, [2]string{p, q}, r.otn, dc.otn, b.wavelength(id+"3", r.otn, dc.otn, short))
		b.relate(dc.spn.id, synchronises, r.areas[0].spn[n].id)
	}
	next := ring.routers[(at+1)%len(ring.routers)][0]
	dark := b.ipLink(r.routers[1], next, 1, "ospf", 10000, false)
	b.fibre("dark", ip, dark.members[0]+"-F1", ring.spans[at].length, ring.spans[at].trenches, dark.members[0])
	for _, er := range r.routers {
		vrf := b.part(er.id, "VRF", ip, er.id+"-VRF-RAN", "Base station VPN on "+er.id, kv{"priority": "1"})
		b.relate(vrf, dependsOn, er.bgp...)
		r.ranVRFs = append(r.ranVRFs, vrf)
	}
	b.broadband(r, up)
}

// broadband joins the BRAS to the edge routers and adds the path to the content.
func (b *builder) broadband(r *region, up [2]*ipLink) {
	r.content = b.add("Path:content", ip, r.id+"-PATH-CONTENT", "Way of region "+r.id+" to the content sources", nil)
	for n, er := range r.routers {
		p, q := r.bras.port("ip", 100000), er.port("ip", 100000)
		link := b.add("Link:ip", ip, "IPL-"+r.bras.id+"-"+er.id+"-1", "IP link "+r.bras.id+" to "+er.id, kv{"capacity_mbps": "100000"})
		b.relate(link, connects, p, q)
		if n == 0 {
			b.relate(link, carries, r.content)
			b.relate(up[0].members[0], carries, r.content)
			vrf := b.part(er.id, "VRF", ip, er.id+"-VRF-HSI", "Internet VPN on "+er.id, kv{"priority": "2"})
			b.relate(vrf, dependsOn, er.bgp...)
			b.relate(vrf, servesTo, r.content)
		}
	}
}
