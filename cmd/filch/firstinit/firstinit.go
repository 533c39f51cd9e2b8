// Package firstinit turns this process into the supervisor of commands if that is what it was
// started for (see package proc), before it initialises what only a node needs.
//
// filch starts itself once more for every run, and what libp2p, Serf and others set up in
// their init functions would delay the first command by some milliseconds. Go initialises packages
// in the order of their import paths, as far as their own imports let it: so this must be a
// package of its own, and import nothing but proc.
package firstinit

import "github.com/filchsched/filch/exec/proc"

func init() { proc.Supervise() }
