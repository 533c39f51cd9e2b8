package transport

import (
	"encoding/binary"
	"testing"
)

// TestTimesOfSerf: a member may be said to leave, in a message or in a state, only at
// times that leave it room to refute; no clock may be made to run over.
func TestTimesOfSerf(t *testing.T) {
	at := func(time uint64) []byte { return binary.BigEndian.AppendUint64([]byte{0xcf}, time) }
	intent := func(typ byte, time uint64) error {
		return checkPacket(append([]byte{typeUser}, message(typ, field("LTime", at(time)), field("Node", "n"), field("Prune", []byte{0xc2}))...), &seen{})
	}
	exchange := func(clock, status uint64, left bool) error {
		gone := []byte{0x90}
		if left {
			gone = []byte{0x91, 0xa1, 'n'}
		}
		status1 := append([]byte{0x81, 0xa1, 'n'}, at(status)...)
		return checkFrame(state(0, nil, message(serfPushPull, field("LTime", at(clock)), field("LeftMembers", gone), field("StatusLTimes", status1))), &seen{})
	}
	for what, good := range map[string]error{
		"a leave":                    intent(serfLeave, MaxIntent),
		"its refutation":             intent(serfJoin, MaxIntent+1),
		"a state":                    exchange(7, 6, false),
		"a state with one that left": exchange(7, 6, true),
		"the last of those":          exchange(MaxIntent, MaxIntent-1, true),
		"a state after a refutation": exchange(MaxIntent+2, MaxIntent+1, false),
	} {
		if good != nil {
			t.Errorf("%s is refused: %v", what, good)
		}
	}
	for what, bad := range map[string]error{
		"a leave beyond refutation":            intent(serfLeave, MaxIntent+1),
		"a leave at the end":                   intent(serfLeave, 1<<64-1),
		"a join at the end":                    intent(serfJoin, 1<<64-1),
		"a clock at the end":                   exchange(1<<64-1, 6, false),
		"a time at the end":                    exchange(7, 1<<64-1, false),
		"one that left, beyond its refutation": exchange(7, MaxIntent, true),
	} {
		if bad == nil {
			t.Errorf("%s is let through", what)
		}
	}
}
