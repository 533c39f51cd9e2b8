// Package doctor finds out why a node does not do what it should: ports, UDP, clock,
// cgroups, multicast, quotas, permissions. Each check says what it saw and, where that is
// wrong, what to do. Nothing is changed, and nothing is sent beyond this machine but one
// multicast packet to its own local network.
//
// Looking and judging are apart: functions that read the machine return facts, and what
// is made of them is decided by functions of those facts, which tests call with others.
package doctor

import (
	"context"

	"github.com/filchsched/filch/node/control"
)

// A Status is how bad a finding is.
type Status string

// The statuses, from good to bad; Skipped is a check that could not be made.
const (
	OK      Status = "ok"
	Skipped Status = "skipped"
	Warning Status = "warning" // works, and could be better
	Wrong   Status = "wrong"   // does not work
)

// A Finding is what one check found.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Found  string `json:"found"`        // what was seen
	Do     string `json:"do,omitempty"` // what to do about it
}

// A Patient is what is looked at.
type Patient struct {
	DataDir string
	Socket  string          // where the node's control socket should be
	Client  *control.Client // of the node; nil if none runs
	Listen  []string        // where a node would listen, for when none runs
}

// Examine makes all checks, in a fixed order. It takes a few seconds at most.
func Examine(ctx context.Context, p Patient) []Finding {
	node, running := askNode(ctx, p)
	all := running
	all = append(all, checkDataDir(p.DataDir)...)
	all = append(all, checkSocket(p.Socket))
	if node != nil {
		all = append(all, checkHeld(node.Listen))
		all = append(all, judgePeers(askMembers(ctx, p))...)
	} else {
		all = append(all, checkPorts(p.Listen))
	}
	return append(all,
		checkUDP(),
		checkMulticast(),
		checkClock(),
		checkCgroups(),
		checkQuota(),
		checkDisk(p.DataDir),
		checkFiles(),
		checkBuffers(),
	)
}

// Healthy tells whether nothing is wrong; warnings are not.
func Healthy(all []Finding) bool {
	for _, f := range all {
		if f.Status == Wrong {
			return false
		}
	}
	return true
}
