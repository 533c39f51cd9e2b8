package core

import (
	"testing"
	"time"

	"github.com/filchsched/filch/topology"
)

func TestLevelsAreThoseOfTopology(t *testing.T) {
	for ours, theirs := range map[Level]topology.Level{
		LevelSelf: topology.LevelSelf, LevelHost: topology.LevelHost, LevelRack: topology.LevelRack,
		LevelZone: topology.LevelZone, LevelRemote: topology.LevelRemote,
	} {
		if int(ours) != int(theirs) || ours.String() != theirs.String() {
			t.Errorf("level %d %v is %d %v in topology", ours, ours, theirs, theirs)
		}
	}
}

func TestLevelBetween(t *testing.T) {
	const ms = time.Millisecond
	machine := func(m, b byte) HostID { return HostID{Machine: [16]byte{m}, Boot: [16]byte{b}} }
	labels := func(rack, zone string) map[string]string { return map[string]string{LabelRack: rack, LabelZone: zone} }
	on := func(host, rack string) map[string]string { return map[string]string{LabelHost: host, LabelRack: rack} }
	for _, test := range []struct {
		name         string
		hostA, hostB HostID
		a, b         map[string]string
		rtt          time.Duration
		level        Level
		reason       LevelReason
	}{
		{"containers of one host, each with a machine ID", machine(1, 9), machine(2, 9), nil, nil, 0, LevelHost, ByBoot},
		{"one host beats labels that say otherwise", machine(1, 9), machine(2, 9), labels("r1", "z1"), labels("r2", "z2"), 0, LevelHost, ByBoot},
		{"containers of one host that stand for two", machine(1, 9), machine(1, 9), on("a", "r1"), on("b", "r1"), 0, LevelRack, ByLabels},
		{"containers of one host that stand for two, in two racks", machine(1, 9), machine(1, 9), on("a", "r1"), on("b", "r2"), ms / 10, LevelZone, ByRTT},
		{"containers that stand for one host", machine(1, 8), machine(2, 9), on("a", "r1"), on("a", "r1"), 0, LevelHost, ByLabels},
		{"only one of two says what it stands for", machine(1, 9), machine(2, 9), on("a", ""), nil, 0, LevelHost, ByBoot},
		{"one machine", machine(1, 9), machine(1, 9), nil, nil, 0, LevelHost, ByBoot},
		{"cloned disks: one machine ID, two kernels", machine(1, 8), machine(1, 9), nil, nil, 0, LevelRemote, ByNothing},
		{"no boot ID on one side", machine(1, 0), machine(1, 9), nil, nil, 0, LevelHost, ByMachine},
		{"no boot IDs, two machines", machine(1, 0), machine(2, 0), nil, nil, 0, LevelRemote, ByNothing},
		{"nothing known of either host", HostID{}, HostID{}, nil, nil, 0, LevelRemote, ByNothing},

		{"one rack, one zone", HostID{}, HostID{}, labels("r1", "z1"), labels("r1", "z1"), 80 * ms, LevelRack, ByLabels},
		{"one rack, no zones", HostID{}, HostID{}, labels("r1", ""), labels("r1", ""), 0, LevelRack, ByLabels},
		{"racks of one name in two zones", HostID{}, HostID{}, labels("r1", "z1"), labels("r1", "z2"), 0, LevelRemote, ByLabels},
		{"two racks of a zone", HostID{}, HostID{}, labels("r1", "z1"), labels("r2", "z1"), 80 * ms, LevelZone, ByLabels},
		{"two zones, however near", HostID{}, HostID{}, labels("", "z1"), labels("", "z2"), ms / 10, LevelRemote, ByLabels},
		{"one zone, near", HostID{}, HostID{}, labels("", "z1"), labels("r1", "z1"), ms / 10, LevelRack, ByRTT},
		{"one zone, far by the clock", HostID{}, HostID{}, labels("", "z1"), labels("", "z1"), 80 * ms, LevelZone, ByRTT},
		{"one zone, unmeasured", HostID{}, HostID{}, labels("", "z1"), labels("", "z1"), 0, LevelZone, ByNothing},
		{"two racks, zones unknown, near", HostID{}, HostID{}, labels("r1", ""), labels("r2", ""), ms / 10, LevelZone, ByRTT},
		{"two racks, zones unknown, far", HostID{}, HostID{}, labels("r1", ""), labels("r2", ""), 80 * ms, LevelRemote, ByRTT},

		{"a rack by round trip", HostID{}, HostID{}, nil, nil, RackRTT, LevelRack, ByRTT},
		{"a zone by round trip", HostID{}, HostID{}, nil, nil, RackRTT + 1, LevelZone, ByRTT},
		{"the end of a zone", HostID{}, HostID{}, nil, nil, ZoneRTT, LevelZone, ByRTT},
		{"remote by round trip", HostID{}, HostID{}, nil, nil, ZoneRTT + 1, LevelRemote, ByRTT},
	} {
		a, b := &Record{Host: test.hostA, Labels: test.a}, &Record{Host: test.hostB, Labels: test.b}
		for _, pair := range [][2]*Record{{a, b}, {b, a}} {
			level, reason := LevelBetween(pair[0], pair[1], test.rtt, 0)
			if level != test.level || reason != test.reason {
				t.Errorf("level: %s: %v by %v, want %v by %v", test.name, level, reason, test.level, test.reason)
			}
		}
	}
	if level, reason := LevelBetween(&Record{}, nil, ms, 0); level != LevelZone || reason != ByRTT {
		t.Errorf("level: without a record: %v by %v", level, reason)
	}
}

// TestLevelsDoNotFlap: a round trip about a threshold keeps the level that there was.
func TestLevelsDoNotFlap(t *testing.T) {
	const us = time.Microsecond
	was := Level(0)
	for i, step := range []struct {
		rtt  time.Duration
		want Level
	}{
		{480 * us, LevelRack}, {510 * us, LevelRack}, {620 * us, LevelRack}, {630 * us, LevelZone},
		{510 * us, LevelZone}, {380 * us, LevelZone}, {370 * us, LevelRack},
		{2900 * us, LevelZone}, {3700 * us, LevelZone}, {3800 * us, LevelRemote},
		{2300 * us, LevelRemote}, {2200 * us, LevelZone}, {90 * time.Millisecond, LevelRemote}, {100 * us, LevelRack},
	} {
		was, _ = LevelBetween(nil, nil, step.rtt, was)
		if was != step.want {
			t.Errorf("hysteresis: step %d: at %v %v, want %v", i, step.rtt, was, step.want)
		}
	}
}

// TestNearPeersFollowTheirLevel: a level that changes is told, and counts when
// peers are picked.
func TestNearPeersFollowTheirLevel(t *testing.T) {
	m := acquainted(t, 1)
	for _, step := range []struct {
		rtt     time.Duration
		level   Level
		near    int
		changed int
	}{
		{0, LevelRemote, 0, 0}, {time.Millisecond, LevelZone, 0, 1}, {100 * time.Microsecond, LevelRack, 1, 1},
		{110 * time.Microsecond, LevelRack, 1, 0}, {time.Second, LevelRemote, 0, 1},
	} {
		got := effectsOf[Changed](m.Step(0, Measured{idOf(1), step.rtt}))
		if p, _ := m.Member(idOf(1)); p.Level != step.level || len(m.roster.near) != step.near || len(got) != step.changed {
			t.Errorf("at %v: %v, %d near, changes %v", step.rtt, p.Level, len(m.roster.near), got)
		}
		invariants(t, m)
	}
}
