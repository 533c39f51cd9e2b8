package core

import (
	"iter"
	"slices"

	"github.com/filchsched/filch/exec/task"
)

// FunctionHash is a function's name in offers: FNV-1a.
func FunctionHash(name string) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return h
}

// knows tells whether a process that knows these functions can run a job. An empty
// list is of one that does not say.
func knows(functions []uint32, t *Terms) bool {
	return len(functions) == 0 || t.Kind != task.KindFunc || slices.Contains(functions, FunctionHash(t.Name))
}

// learnFunctions changes what this process announces. An offer that lies somewhere
// speaks of the old list: it is taken back, and laid anew.
func (c *Core) learnFunctions(hashes []uint32) {
	if slices.Equal(hashes, c.functions) {
		return
	}
	c.functions = slices.Clone(hashes)
	c.thief.withdraw(c)
	c.thief.nextAsk = c.now
}

// Known yields who has told which functions it knows, as FunctionHash. The lists are the Core's.
func (c *Core) Known() iter.Seq2[PeerID, []uint32] {
	return func(yield func(PeerID, []uint32) bool) {
		for _, d := range c.downList {
			if len(d.last.Functions) > 0 && !yield(d.peer, d.last.Functions) {
				return
			}
		}
	}
}
