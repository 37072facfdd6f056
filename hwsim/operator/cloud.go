package operator

// centre is a data centre.
type centre struct {
	id               string
	site             *site
	spn              *chassis // holds the grandmaster clock
	otn              *otnNode
	routers          [2]*router
	racks            []*rack
	nfs              map[string][]string // by role
	k8s, etcd        string
	vms, pods        int // placed so far
	vmHosts, workers []spot
	vrfs             []string
}

// rack is a rack with the network and storage that its guests use.
type rack struct {
	id, storage string
	networks    []string
}

// spot is a place for guests: a host for virtual machines, or a Kubernetes worker.
type spot struct {
	id   string
	rack *rack
}

// dataCentre adds a data centre: site, network, racks, clusters and network functions.
func (b *builder) dataCentre(n int) {
	id := "DC" + itoa(n+1)
	side := float64(b.columns()) * b.regionKM
	at := place{side * []float64{0.2, 0.8, 0.8}[n], side * []float64{0.25, 0.7, 0.2}[n]}
	district := "D-" + id
	var grids []string
	for g := 1; g <= 2; g++ {
		grids = append(grids, b.add("PowerSystem:district", power, "GRID-"+id+"-"+itoa(g), "District feed "+itoa(g)+" of "+id, kv{"district": district}))
	}
	c := &centre{id: id, site: b.site(dcSite, id, at, district, grids...), nfs: map[string][]string{}}
	d := c.site.d
	c.spn = b.element(c.site, "spn", transport, id+"-SPN1", id+" packet node", 8, kv{"vendor": pick(d, transportVendors), "model": "SPN 9008", "software": "7.4", "clock": "PRTC"})
	c.otn = b.otn(c.site, d)
	for i := range c.routers {
		c.routers[i] = b.router(c.site, id+"-CR"+itoa(i+1), "CR 9000", d)
	}
	b.relate(leased, dependsOn, c.spn.id)
	for _, s := range content {
		b.relate(s, dependsOn, c.routers[0].id)
	}
	var ups []string
	for i := 1; i <= 2; i++ {
		ups = append(ups, b.part(id, "UPS", power, id+"-UPS"+itoa(i), "UPS "+itoa(i)+" of "+id, kv{"capacity_kva": itoa(d.whole(4, 10) * 100), "autonomy_min": "15"}))
		b.relate(ups[i-1], powers, id)
	}
	control := b.add("CloudControl", cloud, id+"-CLOUD1", "Cloud control of "+id, kv{"vendor": pick(d, cloudVendors), "software": "Yoga 3"})
	c.k8s = b.part(control, "Cluster:k8s", cloud, id+"-K8S1", "Kubernetes cluster of "+id, kv{"software": "1.31"})
	c.etcd = b.add("Cluster:etcd", cloud, id+"-ETCD1", "etcd of "+c.k8s, kv{"members": "3"})
	b.relate(c.k8s, dependsOn, c.etcd)
	for i := range b.racks {
		b.rack(c, i+1, ups)
	}
	b.relate(c.etcd, dependsOn, c.racks[0].storage)
	b.centres = append(b.centres, c)
	b.functions(c, n)
}

// rack adds two switches and the hosts of a rack. The first two hosts hold the
// storage; the others take virtual machines and Kubernetes workers in turn.
func (b *builder) rack(c *centre, n int, ups []string) {
	r := &rack{id: c.id + "-R" + pad(n, 2)}
	d := b.draw(r.id)
	var switches []string
	for i := 1; i <= 2; i++ {
		tor := b.part(c.id, "NE:dcswitch", cloud, r.id+"-TOR"+itoa(i), "Switch "+itoa(i)+" of rack "+r.id, kv{"vendor": pick(d, ipVendors), "model": "DS 48", "capacity_mbps": "3200000"})
		b.feed(c.site, 16, tor)
		switches = append(switches, tor)
	}
	r.storage = b.add("Storage", cloud, r.id+"-STO1", "Storage pool of rack "+r.id, kv{"capacity_tb": itoa(d.whole(40, 120))})
	for _, use := range []string{"SIG", "USER"} {
		r.networks = append(r.networks, b.add("VirtualNetwork", cloud, r.id+"-VNET-"+use, "Virtual network "+use+" of rack "+r.id, nil))
	}
	for h := 1; h <= b.hosts; h++ {
		b.host(c, r, h, switches, ups)
	}
	c.racks = append(c.racks, r)
}

// host adds a host with two ports in a bond, and what it holds.
func (b *builder) host(c *centre, r *rack, n int, switches, ups []string) {
	id := b.part(c.id, "Host", cloud, r.id+"-H"+pad(n, 2), "Host "+pad(n, 2)+" of rack "+r.id, kv{"cores": "64", "memory_gb": "512", "vendor": "Basaltic", "model": "BX 2"})
	bond := b.part(id, "LAG:bond", cloud, id+"-BOND1", "Bond of "+id, kv{"capacity_mbps": "50000"})
	for i, tor := range switches {
		p := b.part(id, "Port:host", cloud, id+"-NIC"+itoa(i+1), "Interface "+itoa(i+1)+" of "+id, kv{"capacity_mbps": "25000"})
		b.relate(bond, dependsOn, p)
		b.relate(tor, connects, id, p)
	}
	for _, u := range ups {
		b.relate(u, powers, id)
	}
	b.relate(c.routers[0].id, synchronises, id)
	switch {
	case n <= 2:
		b.relate(id, hosts, r.storage)
	case n%2 == 1:
		vs := b.add("VSwitch", cloud, id+"-VSW1", "Virtual switch of "+id, nil)
		b.relate(id, hosts, vs)
		for _, net := range r.networks {
			b.relate(net, dependsOn, bond, vs)
		}
		c.vmHosts = append(c.vmHosts, spot{id, r})
	default:
		worker := b.add("KubeNode", cloud, id+"-K8S", "Kubernetes worker on "+id, kv{"software": "1.31"})
		b.relate(id, hosts, worker)
		b.relate(c.k8s, contains, worker)
		pod := b.add("Pod", cloud, worker+"-PROXY", "Service proxy on "+id, nil)
		b.relate(worker, hosts, pod)
		c.workers = append(c.workers, spot{worker, r})
	}
}

// machine puts a virtual machine on the next host and returns it.
func (b *builder) machine(c *centre, id string) (string, *rack) {
	on := c.vmHosts[c.vms%len(c.vmHosts)]
	c.vms++
	b.add("VM", cloud, id, "Virtual machine "+id, kv{"cores": "16", "memory_gb": "64"})
	b.relate(on.id, hosts, id)
	b.relate(id, dependsOn, on.rack.storage)
	b.relate(id, dependsOn, on.rack.networks...)
	return id, on.rack
}

// pod puts a pod on the next worker and returns it.
func (b *builder) pod(c *centre, id string) (string, *rack) {
	on := c.workers[c.pods%len(c.workers)]
	c.pods++
	b.add("Pod", cloud, id, "Pod "+id, kv{"cores": "8", "memory_gb": "32"})
	b.relate(on.id, hosts, id)
	return id, on.rack
}
