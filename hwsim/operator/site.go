package operator

import "strings"

// site is a place with housing and power that elements are put into.
type site struct {
	id, name string
	at       place
	grids    []string // district feeds
	cabinets []string
	mounted  int
	power    string
	buses    []string // DC distributions; two for sites with A and B feeds
	fuses    []int    // fuses used on each
	d        draw
}

// siteRole says how a role of site is equipped.
type siteRole struct {
	kind                         string
	cabinets, aircons, batteries int
	rectifiers                   int // at most; cell sites have one to this many
	buses                        []string
	loadA                        [2]float64
	generator                    float64 // share of sites that have one
	capacityAh                   []int
	priority                     string
}

var (
	cellSite = siteRole{kind: "cell", cabinets: 1, aircons: 1, batteries: 1, rectifiers: 3, buses: []string{"A"},
		loadA: [2]float64{28, 70}, generator: 0.15, capacityAh: []int{100, 150, 200, 300}, priority: "3"}
	centralOffice = siteRole{kind: "co", cabinets: 3, aircons: 2, batteries: 2, rectifiers: 3, buses: []string{"A", "B"},
		loadA: [2]float64{180, 320}, generator: 1, capacityAh: []int{1000, 1500, 2000}, priority: "2"}
	dcSite = siteRole{kind: "dc", cabinets: 4, aircons: 4, batteries: 2, rectifiers: 3, buses: []string{"A", "B"},
		loadA: [2]float64{500, 900}, generator: 1, capacityAh: []int{3000, 4000}, priority: "1"}
)

// site adds a site with its housing, power and cooling.
func (b *builder) site(role siteRole, id string, at place, district string, grids ...string) *site {
	d := b.draw(id)
	s := &site{id: id, name: placeName(d), at: at, grids: grids, d: d}
	lat, lon := at.attrs()
	b.add("Site:"+role.kind, power, id, s.name, kv{"lat": lat, "lon": lon, "district": district, "priority": role.priority})
	shelter := b.part(id, "Shelter", power, id+"-SH1", "Shelter at "+s.name, nil)
	for i := range role.cabinets {
		c := b.part(shelter, "Cabinet", power, id+"-CAB"+itoa(i+1), "Cabinet "+itoa(i+1)+" at "+s.name, nil)
		s.cabinets = append(s.cabinets, c)
		if !b.lean || role.kind != "cell" {
			b.part(c, "FanTray", power, c+"-FAN1", "Fan tray of "+c, nil)
		}
	}
	for i := range role.aircons {
		b.part(shelter, "AirConditioner", power, id+"-AC"+itoa(i+1), "Air conditioner "+itoa(i+1)+" at "+s.name, kv{"cooling_kw": itoa(d.whole(3, 8))})
	}
	b.supply(s, role)
	if !b.lean || role.kind != "cell" {
		b.part(shelter, "PMU", power, id+"-PMU1", "Power monitoring at "+s.name, nil)
		b.part(s.power, "SPD", power, s.power+"-SPD1", "Surge protection at "+s.name, nil)
	}
	return s
}

// supply adds the power system of a site: rectifiers, batteries, distributions.
func (b *builder) supply(s *site, role siteRole) {
	kind := "PowerSystem:site"
	if role.kind == "dc" {
		kind = "PowerSystem:dc"
	}
	load := s.d.between(role.loadA[0], role.loadA[1])
	s.power = b.part(s.id, kind, power, s.id+"-PS1", "Power system at "+s.name, kv{"load_a": ftoa(load, 1), "voltage_v": "54", "vendor": pick(s.d, powerVendors)})
	for _, g := range s.grids {
		b.relate(g, powers, s.power)
	}
	rectifiers := role.rectifiers
	if role.kind == "cell" {
		rectifiers = s.d.whole(1, role.rectifiers)
		if b.lean {
			rectifiers = 1
		}
	}
	for i := range rectifiers {
		// Modules share the load with one in reserve where there is more than one.
		rating := max(50, int(load/float64(max(1, rectifiers-1))/50+1)*50)
		b.part(s.power, "Rectifier", power, s.power+"-RM"+itoa(i+1), "Rectifier "+itoa(i+1)+" at "+s.name, kv{"rating_a": itoa(rating)})
	}
	capacity := pick(s.d, role.capacityAh)
	for i := range role.batteries {
		b.part(s.power, "Battery", power, s.power+"-BAT"+itoa(i+1), "Battery string "+itoa(i+1)+" at "+s.name, kv{
			"capacity_ah": itoa(capacity), "load_a": ftoa(load/float64(role.batteries), 1), "installed": itoa(s.d.whole(2016, 2025))})
	}
	for _, bus := range role.buses {
		s.buses = append(s.buses, b.part(s.power, "DCDistribution", power, s.id+"-DC"+bus, "DC distribution "+bus+" at "+s.name, nil))
	}
	s.fuses = make([]int, len(s.buses))
	if s.d.chance(role.generator) {
		b.part(s.power, "Generator", power, s.power+"-GEN1", "Diesel generator at "+s.name, kv{"tank_l": itoa(s.d.whole(2, 10) * 100), "litres_per_h": ftoa(load*54/1000/3, 1)})
	}
}

// feed puts a fuse for the loads on every bus of the site.
func (b *builder) feed(s *site, ratingA int, loads ...string) {
	for i, bus := range s.buses {
		s.fuses[i]++
		f := b.part(bus, "Fuse", power, bus+"-F"+pad(s.fuses[i], 2), "Fuse "+itoa(s.fuses[i])+" of "+bus, kv{"rating_a": itoa(ratingA)})
		b.relate(f, powers, loads...)
	}
}

// cabinet returns the cabinet for the next element; they fill up in turn.
func (s *site) cabinet() string {
	s.mounted++
	return s.cabinets[(s.mounted-1)%len(s.cabinets)]
}

// Names for people are invented.
var (
	powerVendors     = []string{"Voltarra", "Helmstrom Power", "Ostrava DC"}
	radioVendors     = []string{"Aurelis", "Norrland Radio", "Kestrel Wireless"}
	transportVendors = []string{"Corvane", "Lumentis"}
	accessVendors    = []string{"Fibrelane", "Opalnet"}
	ipVendors        = []string{"Meridian Routing", "Trellis Networks"}
	cloudVendors     = []string{"Stackholm", "Basaltic"}

	nameFirst = strings.Fields("Alder Amber Ash Barrow Birch Black Bram Brook Cedar Clay Cold Copper Crane Dun East Elm Fair Fallow Fern Flint Fox Glen Gold Grey Harrow Hazel High Holm Iron Kings Lark Linden Long Marl Mill North Oak Otter Quarry Raven Red Rowan Sand Silver South Stone Summer Thorn West White Willow Winter Wren")
	nameLast  = strings.Fields("bank beck bourne bridge brook burn bury cliff combe cote cross dale den field ford gate grove ham haven heath hill holt hurst lea ley mere mill moor mouth port ridge shaw side stead stoke ton vale wade well wick wold wood worth")
	nameKind  = []string{"", "", "", " Market", " Junction", " Park", " Docks", " Heights", " Common", " Green", " Works", " Cross"}
)

func placeName(d draw) string {
	return pick(d, nameFirst) + pick(d, nameLast) + pick(d, nameKind)
}

func operatorName(d draw) string {
	return pick(d, []string{"Norvia", "Telamar", "Oceline", "Veridian", "Solbridge", "Halden"}) + " " + pick(d, []string{"Telecom", "Networks", "Communications"})
}
