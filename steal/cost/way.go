package cost

import "time"

// A Way is the line between two nodes. This is the one place where it is said how long
// things take over it: Decide and stealing ask here.
type Way struct {
	RTT  time.Duration
	Pace Pace
}

// To is how long it takes until something that is handed over can start there: half a round trip, and
// what travels along.
func (w Way) To(bytes int64) time.Duration { return w.RTT/2 + w.Pace.Of(bytes) }

// Back is how long an outcome travels, by the same reckoning. The two ways together are one round trip.
func (w Way) Back(bytes int64) time.Duration { return w.RTT/2 + w.Pace.Of(bytes) }

// Ahead is how long a task of a usual length waits for the next of several cores when all of them are at
// work and nothing else waits: half of such a task.
func Ahead(each time.Duration) time.Duration { return each / 2 }

// RTTGuess is a round trip that nobody has measured: that of a local network.
const RTTGuess = time.Millisecond
