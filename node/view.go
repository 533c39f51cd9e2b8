package node

import (
	"cmp"
	"maps"
	"runtime"
	"slices"

	"github.com/filchsched/filch/gossip"
	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/node/control"
)

// Member is what a node knows of one member of its cluster. It is the form in which the
// control API tells it, too.
type Member = control.Member

// Members returns what the node knows of every member, itself included, by name and then
// ID. It is empty before the node is ready.
func (n *Node) Members() []Member {
	if !n.isReady() {
		return nil
	}
	if n.network == nil {
		return []Member{n.alone()}
	}
	all := []Member{}
	for _, m := range n.network.cluster.Members() {
		all = append(all, n.view(m))
	}
	slices.SortFunc(all, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// alone is how a node without a network sees itself.
func (n *Node) alone() Member {
	free, age := max(0, n.cores()-n.work.exec.busy()), 0.0
	return Member{
		Name: n.config.Name, ID: n.self.identity.ID().String(), Self: true, State: control.StateAlive,
		Addrs: []string{}, Labels: orEmpty(n.config.Labels), Level: "self", LevelReason: core.BySelf.String(),
		OS: runtime.GOOS, Arch: runtime.GOARCH, Version: version(),
		Cores: n.cores(), MemoryBytes: n.memory, Kinds: orNone(n.kinds()),
		FreeCores: &free, Load: &control.Load{}, AgeSeconds: &age,
	}
}

// view is a member as it is told.
func (n *Node) view(m gossip.Member) Member {
	v := Member{
		Name: m.Name, ID: m.ID.String(), Self: m.Self, State: m.State.String(),
		Addrs: orNone(m.Addrs), Labels: orEmpty(m.Labels),
		Kinds: []string{},
	}
	if m.Level != 0 || m.Self {
		v.Level, v.LevelReason = m.Level.String(), m.Reason.String()
	}
	if m.RTT > 0 {
		seconds := m.RTT.Seconds()
		v.RTTSeconds = &seconds
	}
	if r := m.Record; r != nil {
		v.OS, v.Arch, v.Version = r.OS, r.Arch, r.Version
		v.Cores, v.MemoryBytes, v.Kinds = r.Cores, r.Memory, orNone(r.Kinds)
	}
	if m.Heard {
		free, age := m.News.FreeCores, m.News.Age.Seconds()
		v.FreeCores, v.AgeSeconds = &free, &age
		v.Load = &control.Load{
			QueuedCoreSeconds: m.News.Queued.Seconds(),
			Surplus:           m.News.Standing&core.Surplus != 0,
			Starved:           m.News.Standing&core.Starved != 0,
		}
	}
	return v
}

// orNone copies a list; the copy is never nil, so that JSON has [] and not null.
func orNone(list []string) []string { return append([]string{}, list...) }

// orEmpty copies a map; the copy is never nil, so that JSON has {} and not null.
func orEmpty(m map[string]string) map[string]string {
	all := make(map[string]string, len(m))
	maps.Copy(all, m)
	return all
}
