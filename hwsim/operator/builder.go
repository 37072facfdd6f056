package operator

import (
	"cmp"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"faultline/hwsim"
)

// Domains and relation types of the resource model.
const (
	power, wireless, transport, fixed, ip, cloud, core = "power_env", "wireless", "transport", "home_broadband", "ip", "cloud", "core"

	contains, connects, powers, hosts, carries          = "CONTAINS", "CONNECTS", "POWERS", "HOSTS", "CARRIES"
	dependsOn, protects, synchronises, laidIn, servesTo = "DEPENDS_ON", "PROTECTS", "SYNCHRONISES", "LAID_IN", "SERVES"
)

type kv = map[string]string

// builder collects the network while it is laid out.
type builder struct {
	plan
	seed      uint64
	resources []hwsim.Resource
	relations []hwsim.Relation
	trenches  map[string]bool

	centres []*centre
	zones   []*region
}

// add puts a resource into the network and returns its id. The kind is "Kind" or
// "Kind:role".
func (b *builder) add(kind, domain, id, name string, attrs kv) string {
	k, role, _ := strings.Cut(kind, ":")
	b.resources = append(b.resources, hwsim.Resource{ID: id, Kind: k, Role: role, Name: name, Domain: domain, Attrs: attrs})
	return id
}

// part adds a resource that a whole contains.
func (b *builder) part(whole, kind, domain, id, name string, attrs kv) string {
	b.relate(whole, contains, b.add(kind, domain, id, name, attrs))
	return id
}

func (b *builder) relate(from, relation string, to ...string) {
	for _, t := range to {
		b.relations = append(b.relations, hwsim.Relation{From: from, Type: relation, To: t})
	}
}

// draw returns the random numbers of one thing. Each thing has its own stream, so a
// change to one leaves all others as they are.
func (b *builder) draw(id string) draw { return newDraw(b.seed, id) }

type draw struct{ *rand.Rand }

func newDraw(seed uint64, id string) draw {
	h := fnv.New64a()
	h.Write([]byte(id))
	return draw{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

func (d draw) between(lo, hi float64) float64 { return lo + (hi-lo)*d.Float64() }
func (d draw) whole(lo, hi int) int           { return lo + d.IntN(hi-lo+1) }
func (d draw) chance(p float64) bool          { return d.Float64() < p }
func pick[T any](d draw, of []T) T            { return of[d.IntN(len(of))] }
func itoa(n int) string                       { return strconv.Itoa(n) }
func ftoa(f float64, decimals int) string     { return strconv.FormatFloat(f, 'f', decimals, 64) }
func distanceKM(a, b place) float64           { return math.Hypot(a.x-b.x, a.y-b.y) }
func (p place) towards(angle, km float64) place {
	return place{p.x + km*math.Cos(angle), p.y + km*math.Sin(angle)}
}
func (b *builder) siteID(n int) string { return "S" + pad(n, b.siteWidth) }
func (b *builder) areaNo(n int) string { return pad(n, b.areaDigits) }
func pad(n, width int) string {
	s := itoa(n)
	return strings.Repeat("0", max(0, width-len(s))) + s
}

// place is a position in km east and north of the corner of the map.
type place struct{ x, y float64 }

// latitude and longitude of the corner of the map: open ocean, so that nobody's
// network stands there. A degree of latitude is 111.2 km.
const (
	originLat, originLon = 46.5, -32.0
	kmPerDegree          = 111.2
)

func (p place) attrs() (lat, lon string) {
	return ftoa(originLat+p.y/kmPerDegree, 5), ftoa(originLon+p.x/(kmPerDegree*math.Cos(originLat*math.Pi/180)), 5)
}

// routeM is the length of a cable between two places in metres: roads are a fifth to
// a half longer than the straight line.
func (d draw) routeM(a, b place) int {
	return max(60, int(distanceKM(a, b)*1000*d.between(1.2, 1.5)))
}

// fibre adds a fibre section, laid in one trench after the other, that carries the
// given links or trees.
// Loss: 0.35 dB/km at 1310 nm, 0.21 at 1550 nm for spans of the optical network,
// 0.05 dB a splice, 0.3 dB a connector (typical values of single-mode plant). Cable
// comes in drums of 2 km, for spans of 4 km, so that is how far splices are apart.
func (b *builder) fibre(role, domain, id string, lengthM int, trenches []string, carried ...string) string {
	perKM, drum := 0.35, 2000
	if role == "span" {
		perKM, drum = 0.21, 4000
	}
	splices := lengthM / drum
	loss := perKM*float64(lengthM)/1000 + 0.05*float64(splices) + 2*0.3
	b.add("FibreSection:"+role, domain, id, "Fibre "+id, kv{"length_m": itoa(lengthM), "loss_db": ftoa(loss, 2)})
	for _, t := range trenches {
		b.trench(t)
		b.relate(id, laidIn, t)
	}
	b.relate(id, carries, carried...)
	if !b.lean {
		for i := range splices {
			s := id + "-SP" + pad(i+1, 2)
			b.part(id, "Splice", domain, s, "Joint "+s, kv{"at_m": itoa((i + 1) * drum), "loss_db": "0.05"})
		}
	}
	return id
}

// trench adds a trench, duct or mast riser once.
func (b *builder) trench(id string) {
	if !b.trenches[id] {
		b.trenches[id] = true
		b.add("Trench", transport, id, "Trench "+id, nil)
	}
}

// chassis is an element whose boards are added as its ports are.
type chassis struct {
	b          *builder
	id, domain string
	size       int // ports of a board
	boards     int
	board      string
	used       int
	slot       string // what board identifiers start with; S unless set
}

// element adds an element to a site's cabinet and feeds it.
func (b *builder) element(s *site, role, domain, id, name string, size int, attrs kv) *chassis {
	b.add("NE:"+role, domain, id, name, attrs)
	b.relate(s.cabinet(), contains, id)
	b.feed(s, 25, id)
	return &chassis{b: b, id: id, domain: domain, size: size}
}

// port adds a port on the next free place.
func (c *chassis) port(role string, mbps int) string {
	if c.board == "" || c.used == c.size {
		c.boards++
		c.used = 0
		c.board = c.b.part(c.id, "Board:line", c.domain, c.id+"-"+cmp.Or(c.slot, "S")+pad(c.boards, 2), "Line board "+itoa(c.boards)+" of "+c.id, nil)
	}
	c.used++
	var attrs kv
	if mbps > 0 {
		attrs = kv{"capacity_mbps": itoa(mbps)}
	}
	return c.b.part(c.board, "Port:"+role, c.domain, c.board+"-P"+pad(c.used, 2), "Port "+itoa(c.used)+" of "+c.board, attrs)
}

// ethernet adds an Ethernet link between two ports.
func (b *builder) ethernet(id, a, z string, mbps int) string {
	b.add("Link:eth", transport, id, "Ethernet link "+id, kv{"capacity_mbps": itoa(mbps)})
	b.relate(id, connects, a, z)
	return id
}

// protect adds a protection group over its members.
func (b *builder) protect(role, domain, id string, members ...string) {
	b.add("ProtectionGroup:"+role, domain, id, "Protection "+id, kv{"wtr_s": "300"})
	b.relate(id, protects, members...)
}
