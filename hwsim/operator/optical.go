package operator

// otnNode is an optical node: one board for each line, and boards of transponders.
type otnNode struct {
	at           place
	lines, tribs *chassis
}

// span is a hop of the optical network: its OTS and the trenches along it.
type span struct {
	ots      string
	trenches []string
	length   int // metres
}

// otnRing joins hubs and two data centres: spans[i] lies between nodes[i] and the
// next node.
type otnRing struct {
	id      string
	nodes   []*otnNode
	routers [][2]*router
	spans   []span
}

// otn adds an optical node to a site.
func (b *builder) otn(s *site, d draw) *otnNode {
	lines := b.element(s, "otn", transport, s.id+"-OTN1", s.name+" optical node", 1, kv{
		"vendor": pick(d, transportVendors), "model": "OTN 1800", "software": pick(d, []string{"4.1", "4.3"})})
	return &otnNode{at: s.at, lines: lines, tribs: &chassis{b: b, id: lines.id, domain: transport, size: 4, slot: "T"}}
}

// hubsOnRing is how many hubs share an optical ring.
const hubsOnRing = 8

// optical lays the optical rings through hubs and data centres, and the mesh of the
// data centres.
func (b *builder) optical() {
	for q := 0; q*hubsOnRing < len(b.zones); q++ {
		hubs := b.zones[q*hubsOnRing : min(len(b.zones), (q+1)*hubsOnRing)]
		one, two := b.centres[q%len(b.centres)], b.centres[(q+1)%len(b.centres)]
		ring := &otnRing{id: "OTN" + pad(q+1, 2)}
		ring.join(one.otn, one.routers)
		for i, r := range hubs {
			if i == (len(hubs)+1)/2 {
				ring.join(two.otn, two.routers)
			}
			r.ring, r.position = ring, len(ring.nodes)
			r.primary, r.second = one, two
			if i%2 == 1 {
				r.primary, r.second = two, one
			}
			ring.join(r.otn, r.routers)
		}
		if len(hubs) == 1 {
			ring.join(two.otn, two.routers)
		}
		for i, n := range ring.nodes {
			ring.spans = append(ring.spans, b.span(ring.id+"-OTS"+pad(i+1, 2), n, ring.nodes[(i+1)%len(ring.nodes)]))
		}
	}
}

func (r *otnRing) join(n *otnNode, routers [2]*router) {
	r.nodes, r.routers = append(r.nodes, n), append(r.routers, routers)
}

// at returns the place of a node on the ring.
func (r *otnRing) at(n *otnNode) int {
	for i, have := range r.nodes {
		if have == n {
			return i
		}
	}
	return -1
}

// way returns the spans from one node to another in one direction.
func (r *otnRing) way(from, to int, forward bool) []span {
	if !forward {
		return r.way(to, from, true)
	}
	var out []span
	for i := from; i != to; i = (i + 1) % len(r.spans) {
		out = append(out, r.spans[i])
	}
	return out
}

// span adds an OTS between two optical nodes; its cable lies along two roads.
func (b *builder) span(id string, x, y *otnNode) span {
	d := b.draw(id)
	s := span{ots: b.add("Link:ots", transport, id, "Optical section "+id, kv{"capacity_mbps": "9600000", "wavelengths": "96"})}
	b.relate(id, connects, b.linePort(x, d), b.linePort(y, d))
	s.length, s.trenches = d.routeM(x.at, y.at), []string{id + "-ROAD1", id + "-ROAD2"}
	b.fibre("span", transport, id+"-F1", s.length, s.trenches, id)
	return s
}

// linePort adds a line port with its amplifier: gain and noise figure as of the
// common erbium amplifier.
func (b *builder) linePort(n *otnNode, d draw) string {
	p := n.lines.port("otn-line", 0)
	b.resources[len(b.resources)-1].Attrs = kv{"gain_db": ftoa(d.between(14, 20), 1), "nf_db": ftoa(d.between(5, 6.6), 1), "launch_dbm": "0"}
	return p
}

// wave is an optical channel with its transponders.
type wave struct {
	id   string
	ends [2]string
}

// wavelength adds an optical channel between two nodes over spans.
func (b *builder) wavelength(id string, x, y *otnNode, over []span) wave {
	w := wave{id: b.add("Link:och", transport, id, "Wavelength "+id, kv{"capacity_mbps": "100000", "min_osnr_db": "14"})}
	for _, s := range over {
		b.relate(s.ots, carries, id)
	}
	w.ends = [2]string{x.tribs.port("transponder", 100000), y.tribs.port("transponder", 100000)}
	b.relate(id, connects, w.ends[:]...)
	return w
}

// ride lets a link between two ports run over wavelengths; two of them protect each
// other.
func (b *builder) ride(link string, ports [2]string, x, y *otnNode, waves ...wave) {
	for end, n := range []*otnNode{x, y} {
		client := n.tribs.port("client", 100000)
		b.relate(client, connects, ports[end])
		for _, w := range waves {
			b.relate(w.ends[end], carries, client)
		}
	}
	var ids []string
	for _, w := range waves {
		b.relate(w.id, carries, link)
		ids = append(ids, w.id)
	}
	if len(ids) > 1 {
		b.protect("och", transport, ids[0]+"-OLP", ids...)
	}
}
