// Package operator generates the demo operator: one consistent telecom network with
// all seven domains, at three sizes. Structure and identifiers follow from the size
// alone but for a few choices of equipment (generators, second bands, protection),
// which, like every position, length, load and name, follow from the seed. The same
// options give the same bytes. Kinds, roles and relations are those of the resource
// model; what is generated is what an inventory knows, never what is broken.
//
// Redundancy reads as follows: of several feeds of one load, any one is enough; of
// several carriers of one client all are needed, unless one ProtectionGroup protects
// them.
package operator

import (
	"fmt"

	"faultline/hwsim"
)

// Options chooses an operator.
type Options struct {
	Size string // "small": 30 sites; "metro": 800 base stations; "city": 30,000 base stations
	Seed uint64
}

// Operator is one generated operator.
type Operator struct {
	Size    string
	Seed    uint64
	Name    string // for people
	Network *hwsim.Network
}

// plan is what a size means.
type plan struct {
	regions, areas        int // regions, and areas in each; an area has one central office
	rings, ringSites      int // access rings of an area, cell sites on each
	gnbs                  int // base stations at each site
	grids                 int // district feeds of an area
	cards, pons, onus     int // of an OLT: line cards, PON trees of a card, ONUs of a tree
	dcs                   int
	racks, hosts          int // of a data centre, hosts in each rack
	regionKM              float64
	areaDigits, siteWidth int            // width of numbers in identifiers
	nfs                   map[string]int // network functions of a data centre
	lean                  bool           // leaves out parts that a model of a whole city can miss
}

var plans = map[string]plan{
	"small": {
		regions: 2, areas: 2, rings: 2, ringSites: 3, gnbs: 1, grids: 1, cards: 1, pons: 4, onus: 8,
		dcs: 2, racks: 2, hosts: 6, regionKM: 30, areaDigits: 2, siteWidth: 3,
		nfs: map[string]int{"AMF": 1, "SMF": 1, "UPF": 1, "NRF": 1, "SCP": 1, "UDM": 1, "AUSF": 1, "PCF": 1, "CHF": 1, "IMS": 1, "DNS": 1},
	},
	"metro": {
		regions: 8, areas: 4, rings: 4, ringSites: 6, gnbs: 1, grids: 2, cards: 2, pons: 4, onus: 16,
		dcs: 3, racks: 4, hosts: 10, regionKM: 22, areaDigits: 2, siteWidth: 3,
		nfs: map[string]int{"AMF": 2, "SMF": 2, "UPF": 3, "NRF": 1, "SCP": 2, "UDM": 2, "AUSF": 1, "PCF": 1, "CHF": 1, "IMS": 2, "DNS": 2},
	},
	"city": {
		regions: 75, areas: 8, rings: 4, ringSites: 6, gnbs: 2, grids: 2, cards: 1, pons: 2, onus: 8,
		dcs: 3, racks: 12, hosts: 12, regionKM: 16, areaDigits: 3, siteWidth: 5, lean: true,
		nfs: map[string]int{"AMF": 8, "SMF": 8, "UPF": 16, "NRF": 2, "SCP": 4, "UDM": 6, "AUSF": 4, "PCF": 4, "CHF": 2, "IMS": 6, "DNS": 4},
	},
}

// Generate builds the operator that the options describe.
func Generate(o Options) (*Operator, error) {
	p, ok := plans[o.Size]
	if !ok {
		return nil, fmt.Errorf("generate operator: size %q: want small, metro or city", o.Size)
	}
	b := &builder{plan: p, seed: o.Seed, trenches: map[string]bool{}}
	b.services()
	for i := range p.dcs {
		b.dataCentre(i)
	}
	for i := range p.regions {
		b.region(i)
	}
	b.optical()
	b.packetCore()
	for _, r := range b.zones {
		b.fillRegion(r)
	}
	n, err := hwsim.NewNetwork(b.resources, b.relations)
	if err != nil {
		return nil, fmt.Errorf("generate operator: %w", err)
	}
	return &Operator{Size: o.Size, Seed: o.Seed, Name: operatorName(b.draw("operator")), Network: n}, nil
}
