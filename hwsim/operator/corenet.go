package operator

import "strings"

// roles are the network functions in the order in which they are set up.
var roles = []string{"NRF", "DNS", "UDM", "AUSF", "PCF", "CHF", "SCP", "AMF", "SMF", "UPF", "IMS"}

// needs says which functions a function depends on.
var needs = map[string][]string{
	"SCP": {"UDM", "AUSF", "PCF", "CHF", "DNS"}, "AUSF": {"UDM"}, "AMF": {"SCP", "AUSF"}, "SMF": {"SCP"}, "IMS": {"AMF", "SMF", "UPF"},
}

// functions adds the network functions of a data centre on virtual machines and
// pods, and the sessions between them. The first data centre still runs AMF and NRF
// on virtual machines.
func (b *builder) functions(c *centre, n int) {
	for _, role := range roles {
		onVM := role == "UPF" || role == "UDM" || role == "IMS" || n == 0 && (role == "AMF" || role == "NRF")
		for i := 1; i <= b.nfs[role]; i++ {
			b.function(c, role, i, onVM)
		}
	}
	for _, role := range []string{"AMF", "SMF", "UPF"} {
		pool := b.add("Pool", core, c.id+"-POOL-"+role, role+" pool of "+c.id, nil)
		b.relate(c.id, hosts, pool)
		b.relate(pool, hosts, c.nfs[role]...)
	}
	for _, nf := range append(c.nfs["IMS"][:len(c.nfs["IMS"]):len(c.nfs["IMS"])], c.nfs["DNS"]...) {
		b.relate(voice, dependsOn, nf)
	}
	for _, role := range []string{"AMF", "SMF", "UPF"} {
		b.relate(mobileData, dependsOn, c.nfs[role]...)
	}
}

func (b *builder) function(c *centre, role string, i int, onVM bool) {
	no := pad(i, 2)
	d := b.draw(c.id + role + no)
	id := b.add("NF:"+role, core, c.id+"-"+role+no, role+" "+itoa(i)+" of "+c.id, kv{
		"vendor": pick(d, cloudVendors), "software": pick(d, []string{"5.0", "5.1"}), "requests_per_s": itoa(d.whole(2, 9) * 1000)})
	var home *rack
	var guest string
	if onVM {
		guest, home = b.machine(c, c.id+"-VM-"+role+no)
		b.relate(guest, hosts, id)
	} else {
		guest, home = b.pod(c, c.id+"-POD-"+role+no+"-A")
		b.relate(guest, hosts, id)
		if role == "SMF" || role == "SCP" { // these run as two pods
			guest, _ = b.pod(c, c.id+"-POD-"+role+no+"-B")
			b.relate(guest, hosts, id)
		}
	}
	if role == "UDM" || role == "CHF" {
		vol := b.part(home.storage, "Volume", cloud, c.id+"-VOL-"+role+no, "Data of "+id, kv{"capacity_gb": "500"})
		b.relate(id, dependsOn, vol)
	}
	if role != "NRF" {
		b.relate(id, dependsOn, one(c.nfs["NRF"], i))
	}
	for _, need := range needs[role] {
		b.relate(id, dependsOn, one(c.nfs[need], i))
	}
	c.nfs[role] = append(c.nfs[role], id)
}

// one spreads users over instances.
func one(instances []string, user int) string { return instances[user%len(instances)] }

// coreSessions adds N4 between every SMF and UPF of a data centre and Diameter from
// AUSF and SMF to the subscriber data.
func (b *builder) coreSessions(c *centre) {
	for _, smf := range c.nfs["SMF"] {
		for _, upf := range c.nfs["UPF"] {
			b.coreSession(c, "n4", smf+"-N4-"+upf, smf, upf)
		}
	}
	for _, role := range []string{"AUSF", "SMF"} {
		for i, nf := range c.nfs[role] {
			udm := one(c.nfs["UDM"], i+1)
			b.coreSession(c, "diameter", nf+"-DIA-"+udm, nf, udm)
		}
	}
}

func (b *builder) coreSession(c *centre, role, id string, ends ...string) {
	b.add("Session:"+role, core, id, strings.ToUpper(role)+" session "+ends[0]+" to "+ends[1], nil)
	b.relate(id, dependsOn, ends...)
	for _, vrf := range c.vrfs {
		b.relate(vrf, servesTo, id)
	}
}

// sessions adds a base station's associations: to an AMF and a UPF of its region's
// primary data centre, and to those of the other one unless the model is lean.
func (b *builder) sessions(r *region, g gnb, user int) {
	for i, c := range []*centre{r.primary, r.second} {
		if i == 1 && b.lean {
			break
		}
		b.coreSession(c, "sctp", g.id+"-SCTP"+itoa(i+1), g.id, one(c.nfs["AMF"], user))
		b.coreSession(c, "gtpu", g.id+"-GTPU"+itoa(i+1), g.id, one(c.nfs["UPF"], user))
	}
}
