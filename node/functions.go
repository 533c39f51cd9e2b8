package node

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"

	gossipcore "github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/steal/core"
)

// A Function is a Go function over encoded values that tasks may call by name. It must not
// keep args after it has returned, and what it returns is the node's. It may run several times for
// one call, at different nodes, and is not stopped when its result is not wanted any more,
// except through ctx.
type Function = func(ctx context.Context, args []byte) ([]byte, error)

// Register makes a function known under a name, which all nodes that know it share. A node
// that had none when it started does not run calls, and refuses.
func (n *Node) Register(name string, f Function) error {
	if n.isReady() && n.work.calls == nil {
		return fmt.Errorf("function %q: this node was started without any function, so that it runs no calls: name at least one in Config.Functions, or before Run", clip(name))
	}
	if err := n.functions.Register(name, f); err != nil {
		return err
	}
	if !n.isReady() {
		return nil
	}
	if err := n.work.driver.Tell(core.Functions{Hashes: n.functionHashes()}); err != nil {
		return ErrEnded
	}
	if n.network == nil {
		return nil
	}
	return n.network.cluster.SetRecord(func(r *gossipcore.Record) { r.Functions = n.functionDigest() })
}

func (n *Node) knowsFunctions() bool { return len(n.functions.Names()) > 0 }

// functionHashes are the functions as offers name them, in order.
func (n *Node) functionHashes() (hashes []uint32) {
	for _, name := range n.functions.Names() {
		hashes = append(hashes, core.FunctionHash(name))
	}
	slices.Sort(hashes)
	return hashes
}

// functionDigest tells whether two nodes know the same functions; 0 is none.
func (n *Node) functionDigest() uint64 {
	names := n.functions.Names()
	if len(names) == 0 {
		return 0
	}
	h := fnv.New64a()
	for _, name := range names {
		fmt.Fprintf(h, "%d:%s", len(name), name)
	}
	return max(1, h.Sum64())
}

// kinds are what this node runs for others, as it announces them.
func (n *Node) kinds() []string {
	kinds := slices.Clone(n.config.Accept)
	if n.knowsFunctions() {
		kinds = append(kinds, kindFunc)
	}
	return kinds
}
