package operator

import "math"

// gnb is a base station as its neighbours in other layers need it.
type gnb struct {
	id, backhaul string
	cells        []string
}

var bands = []struct{ name, mhz, watts, mimo string }{
	{"n78", "100", "200", "64T64R"}, {"n28", "20", "80", "4T4R"},
}

const sectors = 3

// baseStation adds a base station of three sectors and one or two bands: boards,
// fronthaul, radio units, antennas and cells. An indoor one has its radio units in
// the cabinet; road is the trench that leads to a sector away from the mast.
func (b *builder) baseStation(s *site, n int, indoor bool, vendor, road string) gnb {
	id := s.id + "-GNB" + itoa(n)
	g := gnb{id: id}
	gnss := "no"
	if s.d.chance(0.4) {
		gnss = "yes"
	}
	b.add("NE:gnb", wireless, id, s.name+" base station "+itoa(n), kv{
		"vendor": vendor, "model": "gNB 5900", "software": pick(s.d, []string{"22.4", "23.1", "23.2"}), "gnss": gnss, "priority": itoa(s.d.whole(1, 3))})
	b.relate(s.cabinet(), contains, id)
	main := b.part(id, "Board:main", wireless, id+"-MPT1", "Main board of "+id, nil)
	g.backhaul = b.part(main, "Port:backhaul", wireless, main+"-P1", "Backhaul port of "+id, kv{"capacity_mbps": "10000"})
	if !b.lean {
		b.optic(g.backhaul, "10G LR")
	}
	count := 1
	if n == 2 {
		count = 0 // a second base station of a site has the second band alone
	} else if !b.lean && s.d.chance(0.6) {
		count = 2
	}
	units := []string{id}
	first, last := 1, count
	if n == 2 {
		first, last = 2, 2
	}
	azimuth := s.d.IntN(120)
	remote := ""
	if road != "" && !b.lean && s.d.chance(0.15) {
		remote = road
	}
	for band := first; band <= last; band++ {
		board := b.part(id, "Board:bbu", wireless, id+"-BBU"+itoa(band), "Baseband board "+itoa(band)+" of "+id, nil)
		if b.lean {
			units = append(units, board)
		} else {
			b.feed(s, 32, board)
		}
		b.band(s, &g, board, band, azimuth, indoor, remote)
	}
	b.feed(s, 40, units...)
	return g
}

// band adds the radio units and cells of one baseband board.
func (b *builder) band(s *site, g *gnb, board string, band, azimuth int, indoor bool, remote string) {
	var links, radios []string
	mast := s.id + "-MAST1"
	if indoor {
		mast = s.id + "-RISER1"
	}
	for sector := 1; sector <= sectors; sector++ {
		no := itoa(band) + itoa(sector)
		spec := bands[band-1]
		port := b.part(board, "Port:fronthaul", wireless, board+"-P"+itoa(sector), "Fronthaul port "+itoa(sector)+" of "+board, kv{"capacity_mbps": "25000"})
		b.optic(port, "25G LR")
		rru := b.add("RRU", wireless, g.id+"-RRU"+no, "Radio unit "+no+" of "+g.id, kv{"band": spec.name, "power_w": spec.watts, "mimo": spec.mimo})
		where := s.id
		if indoor {
			where = s.cabinets[0]
		}
		b.relate(where, contains, rru)
		radios = append(radios, rru)
		link := b.add("Link:fronthaul", wireless, g.id+"-FH"+no, "Fronthaul "+no+" of "+g.id, kv{"capacity_mbps": "25000"})
		b.relate(link, connects, port, rru)
		links = append(links, link)
		cell := b.add("Cell", wireless, g.id+"-C"+no, "Cell "+no+" of "+g.id, kv{
			"band": spec.name, "bandwidth_mhz": spec.mhz, "azimuth_deg": itoa((azimuth + (sector-1)*120) % 360), "pci": itoa(s.d.IntN(1008)), "users": itoa(s.d.whole(40, 600))})
		b.relate(board, hosts, cell)
		b.relate(rru, servesTo, cell)
		g.cells = append(g.cells, cell)
		if b.lean {
			continue // a city's radio units have their antennas built in
		}
		b.optic(rru, "25G LR")
		antenna := g.id + "-ANT" + itoa(sector)
		if band == 1 {
			b.add("Antenna", wireless, antenna, "Antenna "+itoa(sector)+" of "+g.id, kv{"height_m": itoa(s.d.whole(18, 45)), "tilt_deg": itoa(s.d.whole(2, 10)), "gain_dbi": "15"})
		}
		b.relate(rru, powers, antenna)
		b.relate(antenna, servesTo, cell)
		if sector == sectors && remote != "" {
			b.fibre("fronthaul", wireless, g.id+"-FO"+no, s.d.whole(300, 1500), []string{remote}, link)
		} else {
			b.fibre("fronthaul", wireless, g.id+"-FO"+no, s.d.whole(25, 90), []string{mast}, link)
		}
		b.feed(s, 32, rru)
	}
	if b.lean {
		b.fibre("fronthaul", wireless, g.id+"-FO"+itoa(band), s.d.whole(25, 90), nil, links...)
		b.feed(s, 63, radios...)
	}
}

func (b *builder) optic(in, model string) {
	b.part(in, "OpticalModule", wireless, in+"-SFP1", "Optical module of "+in, kv{"model": model, "wavelength_nm": "1310", "reach_km": "10"})
}

// around places n things on a loop that starts and ends at a centre: the way of an
// access ring through its sector of the area.
func around(d draw, centre place, ring, rings, n int, km float64) []place {
	out := make([]place, n)
	width := 2 * math.Pi / float64(rings)
	for i := range out {
		share := (float64(i) + 1) / float64(n+1)
		angle := width * (float64(ring) + 0.1 + 0.8*share)
		out[i] = centre.towards(angle, km*math.Sin(math.Pi*share)*d.between(0.8, 1.1)+0.4)
	}
	return out
}
