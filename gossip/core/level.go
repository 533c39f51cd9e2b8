package core

import "time"

// A Level says how far apart two members are. The numbers are those of
// topology.Level, which reads the machine and therefore cannot be imported by a
// pure package; TestLevelsAreThoseOfTopology keeps them equal. A smaller Level is
// nearer.
type Level uint8

// The levels at which members can be to each other, nearest first.
const (
	LevelSelf   Level = 0 // the member itself
	LevelHost   Level = 5 // on one machine
	LevelRack   Level = 6 // machines in one rack
	LevelZone   Level = 7 // machines in one zone
	LevelRemote Level = 8 // nothing known to be shared
)

// String returns the level's lower-case name.
func (l Level) String() string {
	switch l {
	case LevelSelf:
		return "self"
	case LevelHost:
		return "host"
	case LevelRack:
		return "rack"
	case LevelZone:
		return "zone"
	case LevelRemote:
		return "remote"
	}
	return "unknown"
}

// A LevelReason says what a level was concluded from.
type LevelReason uint8

// The reasons for a level, the more certain first.
const (
	BySelf    LevelReason = iota + 1 // it is this node
	ByBoot                           // one boot ID: one running kernel
	ByMachine                        // one machine ID, and a boot ID is missing
	ByLabels                         // host, rack and zone labels
	ByRTT                            // measured round trip
	ByNothing                        // neither labels nor a measurement
)

// String returns the reason in a word or two, for people.
func (r LevelReason) String() string {
	switch r {
	case BySelf:
		return "self"
	case ByBoot:
		return "boot id"
	case ByMachine:
		return "machine id"
	case ByLabels:
		return "labels"
	case ByRTT:
		return "rtt"
	case ByNothing:
		return "unmeasured"
	}
	return "unknown"
}

// The labels that levels are read from.
const (
	LabelHost = "host"
	LabelRack = "rack"
	LabelZone = "zone"
)

// Where labels do not say, the round trip does. A switch costs 50 to 300 µs
// between user processes, so RackRTT is above what one rack shows and below what
// two buildings do; ZoneRTT is what clouds promise between zones of one region.
// A level once concluded is kept until the round trip is off the threshold by
// more than RTTSlackPercent, so that a peer near a threshold does not flap.
const (
	RackRTT         = 500 * time.Microsecond
	ZoneRTT         = 3 * time.Millisecond
	RTTSlackPercent = 25
)

// LevelBetween concludes how far apart two members are from their records, which
// may be nil for unknown, and the round trip between them, 0 for unmeasured. was
// is the level concluded last time and 0 the first time; it matters only where
// the round trip decides.
func LevelBetween(a, b *Record, rtt time.Duration, was Level) (Level, LevelReason) {
	nearest, farthest := LevelRack, LevelRemote
	if a != nil && b != nil {
		if reason, same := sameHost(a, b); same {
			return LevelHost, reason
		}
		nearest, farthest = byLabels(a.Labels, b.Labels)
	}
	if nearest == farthest {
		return nearest, ByLabels
	}
	if rtt <= 0 {
		return farthest, ByNothing
	}
	return min(max(byRTT(rtt, was), nearest), farthest), ByRTT
}

// sameHost: a boot ID names one running kernel, and containers share it while
// their machine IDs may differ. Cloned disks share a machine ID and never a boot
// ID, so the machine ID counts only where a boot ID is missing. Labels of the two owners
// go over all of that: containers that stand for machines of their own say so by them.
func sameHost(a, b *Record) (LevelReason, bool) {
	none := [HostIDLen]byte{}
	hostA, hostB := a.Labels[LabelHost], b.Labels[LabelHost]
	switch {
	case hostA != "" && hostB != "":
		return ByLabels, hostA == hostB
	case a.Host.Boot != none && b.Host.Boot != none:
		return ByBoot, a.Host.Boot == b.Host.Boot
	default:
		return ByMachine, a.Host.Machine != none && a.Host.Machine == b.Host.Machine
	}
}

// byLabels returns the range of levels that the labels leave open. A rack's name
// means something only within its zone, if both zones are known.
func byLabels(a, b map[string]string) (nearest, farthest Level) {
	zoneA, zoneB := a[LabelZone], b[LabelZone]
	rackA, rackB := a[LabelRack], b[LabelRack]
	zones, racks := zoneA != "" && zoneB != "", rackA != "" && rackB != ""
	switch {
	case zones && zoneA != zoneB:
		return LevelRemote, LevelRemote
	case racks && rackA == rackB:
		return LevelRack, LevelRack
	case zones && racks:
		return LevelZone, LevelZone
	case zones:
		return LevelRack, LevelZone
	case racks:
		return LevelZone, LevelRemote
	}
	return LevelRack, LevelRemote
}

func byRTT(rtt time.Duration, was Level) Level {
	level := LevelRemote
	switch {
	case rtt <= threshold(RackRTT, was != 0 && was <= LevelRack, was > LevelRack):
		level = LevelRack
	case rtt <= threshold(ZoneRTT, was != 0 && was <= LevelZone, was > LevelZone):
		level = LevelZone
	}
	return level
}

// threshold is where a level ends: further out for who is inside, further in for
// who is outside.
func threshold(at time.Duration, inside, outside bool) time.Duration {
	switch {
	case inside:
		return at * (100 + RTTSlackPercent) / 100
	case outside:
		return at * (100 - RTTSlackPercent) / 100
	}
	return at
}
