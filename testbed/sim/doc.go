// Package sim runs whole clusters of steal/core in virtual time, breaks them by
// seed, and checks at every step that what filch promises holds. (TigerBeetle's
// VOPR is the model.)
//
// There is no goroutine, no clock and no map order in it: a world is a heap of
// events, and a seed is all that there is to know about a run. A seed that fails
// fails again, with the same events; TestSimulation prints the command for that
// and the story of the task.
//
//   - world.go: events, nodes, time; each node has a clock of its own that drifts
//   - network.go: channels that are FIFO per epoch and stream, that stall, break
//     and duplicate; streams are unordered with each other
//   - engine.go: cores and run times; commands die at their leash even while
//     their node is frozen, functions do not
//   - faults.go: the fault injector
//   - check.go: what must hold; every complaint begins with the promise's name
//   - scenario.go: what a seed chooses
//
// Beside it stands a leaner world of thousands of nodes without faults, for how
// fast work spreads, how near, and at what cost (make scale):
//
//   - scale_world.go: nodes whose frames wait for links and for the peer's loop
//   - scale_queue.go: its events, without closures
//   - scale_costs.go: what everything costs, with the sources
//   - scale_gossip.go: load news; no node knows more than it would be told
//   - scale_load.go: bags and trees, and that each task is committed once
//   - scale_figures.go: what is counted
package sim
