package steal

import (
	"sync"

	"github.com/filchsched/filch/steal/core"
)

// A mail is something for the loop: an event, or something to do.
type mail struct {
	ev core.Event
	do func(*loop)
	// extend: more tasks of a job, instead of ev. Consecutive ones are one mail.
	extend core.Extend
	// more, if not nil, tells how many tasks extend.Job gets, when it comes to that.
	more func() uint64
	// credit is given back when the mail was dealt with.
	credit *credit
	bytes  int
}

// A mailbox is what others have for the loop, in order. One lock for each mail, one for
// each batch that the loop takes.
type mailbox struct {
	mu    sync.Mutex
	list  []mail // written by all, taken by the loop
	ended bool
	wake  chan struct{} // has something in it when list may not be empty
	done  chan struct{} // closed when nobody reads any more
}

func newMailbox() *mailbox {
	return &mailbox{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// put appends mail; false when nobody reads it any more.
func (b *mailbox) put(more ...mail) bool {
	b.mu.Lock()
	if b.ended {
		b.mu.Unlock()
		return false
	}
	first := len(b.list) == 0
	for k := range more {
		if n := len(b.list); n > 0 && more[k].extend.N > 0 && b.list[n-1].extend.N > 0 && b.list[n-1].extend.Job == more[k].extend.Job {
			b.list[n-1].extend.N += more[k].extend.N
			continue
		}
		b.list = append(b.list, more[k])
	}
	b.mu.Unlock()
	if first {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
	return true
}

// some tells whether there is mail.
func (b *mailbox) some() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.list) > 0
}

// take swaps what has come against an empty list.
func (b *mailbox) take(empty []mail) []mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = empty
	return list
}

// end refuses mail from now on and returns what is left.
func (b *mailbox) end() []mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	close(b.done)
	return b.list
}

// A credit bounds what one stream has in the mailbox: its reader waits for the loop, never for a peer.
type credit struct {
	mu   sync.Mutex
	room sync.Cond
	used int
}

func newCredit() *credit {
	c := new(credit)
	c.room.L = &c.mu
	return c
}

func (c *credit) acquire(n int) {
	c.mu.Lock()
	for c.used > maxUndealt {
		c.room.Wait()
	}
	c.used += n
	c.mu.Unlock()
}

func (c *credit) release(n int) {
	c.mu.Lock()
	c.used -= n
	c.mu.Unlock()
	c.room.Signal()
}
