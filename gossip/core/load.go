package core

import "time"

// A Load is how busy a node is, as its engine sees it.
type Load struct {
	FreeCores int           // workers without a task
	Waiting   int           // tasks that wait and that a thief could take
	Queued    time.Duration // core time that the waiting tasks are estimated to take
}

// Standing is what others need to know of a load: whom to rob, whom to feed.
type Standing uint8

// The parts of a Standing. A node may be neither; it is never both. The other bits are
// kept and passed on, so that a later version can use them.
const (
	Surplus Standing = 1 << iota // has tasks waiting that it cannot start soon
	Starved                      // has free cores and nothing waiting

	known = Surplus | Starved
)

// Work worth announcing: what waits should outlast a steal, which takes a few
// round trips. Below SurplusOff it is gone before anybody comes; the gap keeps a node
// at the edge from announcing at every task.
const (
	SurplusOn  = 100 * time.Millisecond // of core time per announcement
	SurplusOff = 20 * time.Millisecond
)

// Standing concludes what to announce, given what was announced last.
func (l Load) Standing(was Standing) Standing {
	enough := SurplusOn
	if was&Surplus != 0 {
		enough = SurplusOff
	}
	switch {
	case l.Waiting > 0 && l.FreeCores <= 0 && l.Queued >= enough:
		return Surplus
	case l.Waiting <= 0 && l.FreeCores > 0:
		return Starved
	}
	return 0
}
