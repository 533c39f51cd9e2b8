//go:build stepper

package park

import "github.com/filchsched/filch/exec/stepper"

// Places is small in builds for the stepper: each word of a Presence that a
// worker looks at is a step.
const Places = 64

// Word is the stepper's bit set.
type Word = stepper.Uint64

// Name gives the presence the name that traces show.
func (p *Presence) Name(name string) { stepper.Name(&p.words[0], "%s", name) }
