package transport

import (
	"log/slog"
	"sync"
	"time"
)

// refusalInterval is how often one reason is logged: anybody can send garbage, and must
// not be able to fill a log.
const refusalInterval = time.Minute

// refusals counts and logs what was refused, by reason. Reasons are constants of this
// package, so there are few. It may be used concurrently.
type refusals struct {
	log *slog.Logger

	mu     sync.Mutex
	reason map[string]*refusal
}

type refusal struct {
	count  uint64
	logged uint64    // count when it was last logged
	at     time.Time // when that was
}

// refused counts a refusal and logs it, unless that was done lately. err may be nil.
func (r *refusals) refused(reason, from string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason == nil {
		r.reason = make(map[string]*refusal)
	}
	x := r.reason[reason]
	if x == nil {
		x = &refusal{}
		r.reason[reason] = x
	}
	x.count++
	now := time.Now()
	if !x.at.IsZero() && now.Sub(x.at) < refusalInterval {
		return
	}
	args := []any{"reason", reason, "from", from, "times", x.count - x.logged}
	if err != nil {
		args = append(args, "error", err)
	}
	x.at, x.logged = now, x.count
	r.log.Warn("gossip refused", args...)
}

func (r *refusals) counts() map[string]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(map[string]uint64, len(r.reason))
	for reason, x := range r.reason {
		c[reason] = x.count
	}
	return c
}
