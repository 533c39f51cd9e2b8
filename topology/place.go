package topology

// A Place is where something sits in a cluster: a CPU, or a whole machine, by
// the path zone / rack / host. The zero Place is "this machine, unlabelled".
// Places are plain values; they own nothing.
type Place struct {
	// Zone and Rack are the labels that the machine's owner gave it. An empty
	// label is unknown, and two unknown labels are not the same label.
	Zone, Rack string
	// Host identifies the machine (a peer ID, a machine ID). Names mean
	// something only within the rack and zone above them, as in a path, so a
	// host that was relabelled is another place.
	Host string
	// CPU is the CPU within the machine, from one Topology of that machine;
	// nil stands for the machine as a whole.
	CPU *CPU
}

// Distance is the level of two places: symmetric, LevelSelf only for one and
// the same place, and an ultrametric: Distance(a, c) is never above the
// greater of Distance(a, b) and Distance(b, c), so the places at one level of
// each other form groups that nest.
//
// A whole machine is at LevelHost from each of its CPUs.
func Distance(a, b Place) Level {
	sameZone := a.Zone == b.Zone
	sameRack := sameZone && a.Rack == b.Rack
	switch {
	case sameRack && a.Host == b.Host:
		return withinHost(a.CPU, b.CPU)
	case sameRack && a.Rack != "":
		return LevelRack
	case sameZone && a.Zone != "":
		return LevelZone
	default:
		return LevelRemote
	}
}

func withinHost(a, b *CPU) Level {
	switch {
	case a == nil && b == nil:
		return LevelSelf
	case a == nil || b == nil:
		return LevelHost
	default:
		return a.Distance(*b)
	}
}
