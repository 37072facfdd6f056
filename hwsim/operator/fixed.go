package operator

// olt adds the optical line terminal of an area with its trees and customers. It
// stands in the central office, or out at the first site of the first ring with its
// uplinks in the roads of that ring, one each way.
func (b *builder) olt(r *region, a *area, outside bool) {
	no := b.areaNo(a.no)
	id := "OLT-" + no
	d := b.draw(id)
	s := a.office
	if outside {
		s = a.street
	}
	node := b.element(s, "olt", fixed, id, s.name+" OLT", 2, kv{
		"vendor": pick(d, accessVendors), "model": "OLT 5800", "software": pick(d, []string{"3.1", "3.2"}), "pon_class": "GPON C+"})
	for side := range 2 {
		link := b.ethernet(id+"-UP"+itoa(side+1), b.ethPort(a.spn[side], 10000), node.port("uplink", 10000), 10000)
		if !outside {
			continue
		}
		first, last := 1, 1 // the second uplink goes the other way round
		if side == 1 {
			first, last = 2, b.ringSites+1
		}
		var roads []string
		length := 0
		for road := first; road <= last; road++ {
			roads = append(roads, a.office.id+"-RING1-ROAD"+itoa(road))
			length += d.whole(800, 2500)
		}
		b.fibre("access", transport, link+"-F1", length, roads, link)
	}
	tunnels := b.tunnels(r, a, id, [2][]string{}, "B2B", false)
	b.pseudoWire(id, id+"-PW1", tunnels)
	b.relate(id, dependsOn, r.bras.id)
	for card := 1; card <= b.cards; card++ {
		board := b.part(id, "Board:line", fixed, id+"-LC"+itoa(card), "Line card "+itoa(card)+" of "+id, nil)
		for pon := 1; pon <= b.pons; pon++ {
			b.pon(r, a, d, board, card, pon)
		}
	}
}

// perBuilding is how many ONUs of a tree serve one group of customers.
const perBuilding = 4

// pon adds one tree: feeder, splitter, drops, ONUs and the customers behind them.
// The feeder lies in the road of an access ring.
func (b *builder) pon(r *region, a *area, d draw, board string, card, pon int) {
	no := b.areaNo(a.no)
	spot := itoa(card) + "/" + itoa(pon)
	port := b.part(board, "Port:pon", fixed, board+"-P"+itoa(pon), "PON port "+spot+" of OLT "+no, kv{"capacity_mbps": "2500", "tx_dbm": ftoa(d.between(3.5, 5.5), 1)})
	tree := b.add("PON", fixed, "OLT-"+no+"-PON-"+spot, "PON "+spot+" of OLT "+no, kv{"split": "1:" + itoa(2*b.onus)})
	b.relate(port, carries, tree)
	ring := (card*b.pons + pon) % b.rings
	hop := 1 + pon%b.ringSites
	b.fibre("feeder", fixed, "OLT-"+no+"-FEED-"+spot, d.whole(400, 6000), []string{a.office.id + "-RING" + itoa(ring+1) + "-ROAD" + itoa(hop)}, tree)
	grid := a.grids[ring*len(a.grids)/b.rings]
	group := ""
	for n := 1; n <= b.onus; n++ {
		leaf := spot + "/" + pad(n, 2)
		if n%perBuilding == 1 {
			group = b.homes(r, no, spot, 1+n/perBuilding, d)
		}
		onu := b.add("ONU", fixed, "OLT-"+no+"-ONU-"+leaf, "ONU "+leaf+" of OLT "+no, kv{"vendor": pick(d, accessVendors), "model": pick(d, []string{"HG-240", "HG-260"}), "users": itoa(d.whole(1, 5))})
		b.relate(tree, servesTo, onu)
		b.relate(grid, powers, onu)
		b.relate(onu, servesTo, group)
		drop := b.fibre("drop", fixed, "OLT-"+no+"-DROP-"+leaf, d.whole(40, 500), []string{"OLT-" + no + "-STREET-" + spot})
		b.relate(drop, servesTo, onu)
	}
}

// homes adds a group of customers in one building.
func (b *builder) homes(r *region, no, spot string, n int, d draw) string {
	id := b.add("CustomerGroup:home", fixed, "HOME-"+no+"-"+spot+"-G"+itoa(n), placeName(d)+" House", kv{"users": itoa(d.whole(4, 16)), "priority": "3"})
	b.relate(id, dependsOn, "OLT-"+no, r.bras.id, r.content, content[n%len(content)])
	return id
}
