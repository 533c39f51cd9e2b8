package compose

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
)

// A Plan says what a testbed consists of. [Plan.Check] must have found nothing before it is used.
type Plan struct {
	Project  string  // compose's project: the image is called so, and what containers are called begins with it
	Racks    int     // networks of nodes
	PerRack  int     // nodes in each
	CPUs     float64 // limit of each node, in cores
	SlowCPUs float64 // limit of the one slow node, the last one; 0: there is none
	Subnet   netip.Prefix
	User     string   // UID:GID, whom the nodes run as; the shared directory is theirs
	Program  []string // in place of "filch up": what a node runs, with the flags -name, -data-dir, -listen, -label
}

// Bounds of a plan. An address of the backbone has one byte for the node, and more nodes than this are a matter
// for the simulator.
const (
	MaxRacks = 50
	MaxNodes = 200
)

// RacksPerZone is how many racks are in one zone: with three racks there are nodes at every level.
const RacksPerZone = 2

// Defaults of a plan.
const (
	DefaultProject = "filch"
	DefaultRacks   = 3
	DefaultPerRack = 3
	DefaultCPUs    = 1
	DefaultSlow    = 0.25
	DefaultSubnet  = "10.77.0.0/16"
)

// Ports within the testbed.
const (
	nodePort    = 7447
	controlPort = 7414
)

// leastCPUs is the least limit that the engine takes, in cores.
const leastCPUs = 0.01

var (
	projectName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,40}$`)
	userAndID   = regexp.MustCompile(`^[0-9]+:[0-9]+$`)
)

// Check says what is wrong with a plan; nil if nothing is.
func (p *Plan) Check() error {
	switch {
	case !projectName.MatchString(p.Project):
		return fmt.Errorf("project %q: lower-case letters, digits, - and _, at most 41, and none of the signs first", p.Project)
	case p.Racks < 1 || p.Racks > MaxRacks:
		return fmt.Errorf("%d racks: there can be 1 to %d", p.Racks, MaxRacks)
	case p.PerRack < 1 || p.PerRack > MaxNodes || p.Racks*p.PerRack > MaxNodes:
		return fmt.Errorf("%d nodes in each of %d racks: there can be 1 in each, and %d in all", p.PerRack, p.Racks, MaxNodes)
	case !(p.CPUs >= leastCPUs):
		return fmt.Errorf("%g CPUs per node: give at least %g; below one the engine stops a node for a part of every tenth of a second", p.CPUs, leastCPUs)
	case p.SlowCPUs != 0 && !(p.SlowCPUs >= leastCPUs):
		return fmt.Errorf("%g CPUs for the slow node: give at least %g, or 0 for no slow node", p.SlowCPUs, leastCPUs)
	case !p.Subnet.IsValid() || !p.Subnet.Addr().Is4() || p.Subnet.Bits() != 16 || p.Subnet.Masked() != p.Subnet:
		return fmt.Errorf("subnet %v: give a network of IPv4 with 16 bits that nothing else here uses, such as %s", p.Subnet, DefaultSubnet)
	case !userAndID.MatchString(p.User):
		return fmt.Errorf("user %q: give numbers, UID:GID", p.User)
	}
	return nil
}

// A Node is one of a plan's nodes.
type Node struct {
	Name           string // also the service and the host
	Container      string
	Rack           int // counted from 1
	RackAddr       netip.Addr
	BackboneAddr   netip.Addr
	CPUs           float64
	RackNet, Spine string // the engine's names of its two networks
	RackName, Zone string // labels
	rackNetInFile  string
	number         int // among all, counted from 1
}

// backbone is the compose file's name of the network that joins the racks.
const backbone = "backbone"

// Nodes are the plan's, rack by rack.
func (p *Plan) Nodes() (all []Node) {
	for r := 1; r <= p.Racks; r++ {
		for i := 1; i <= p.PerRack; i++ {
			n := Node{Name: fmt.Sprintf("r%dn%d", r, i), Rack: r, CPUs: p.CPUs, number: len(all) + 1}
			n.Container = p.Project + "-" + n.Name
			n.rackNetInFile = fmt.Sprint("rack", r)
			n.RackNet, n.Spine = p.Project+"_"+n.rackNetInFile, p.Project+"_"+backbone
			n.RackName, n.Zone = fmt.Sprint("r", r), fmt.Sprint("z", (r+RacksPerZone-1)/RacksPerZone)
			n.RackAddr = p.addr(r, firstHost+i)
			n.BackboneAddr = p.addr(backboneByte, firstHost+n.number)
			all = append(all, n)
		}
	}
	if last := len(all) - 1; p.SlowCPUs != 0 {
		all[last].CPUs = p.SlowCPUs
	}
	return all
}

// An address's third byte is the rack, or backboneByte; the engine takes the lowest hosts for itself and for
// containers without an address of their own.
const (
	backboneByte = 255
	firstHost    = 10
)

func (p *Plan) addr(third, host int) netip.Addr {
	a := p.Subnet.Addr().As4()
	a[2], a[3] = byte(third), byte(host)
	return netip.AddrFrom4(a)
}

// network is the subnet of a rack, or of the backbone.
func (p *Plan) network(third int) netip.Prefix { return netip.PrefixFrom(p.addr(third, 0), 24) }

// cores is how a limit is written.
func cores(c float64) string { return strconv.FormatFloat(c, 'f', -1, 64) }
