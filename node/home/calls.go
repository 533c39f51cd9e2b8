package home

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// Calls are the calls of one function under one set of terms. Make them with Table.Calls.
// Its methods may be called concurrently.
type Calls struct {
	ID    core.JobID
	name  string
	table *Table
	live  bool // its calls are Go values

	mu      sync.Mutex
	pages   []*page // of calls without an outcome; pages[0] is number first
	first   uint64
	next    uint64        // index of the next call
	known   uint64        // calls that the driver was told of
	telling bool          // the driver is going to ask for more
	more    func() uint64 // untold, made once
	over    bool          // the node has ended
}

// A page is a stretch of calls, so that what has returned leaves nothing behind.
type page struct {
	calls [pageLen]pending
	open  int // calls that have not returned, or are still to come
}

const pageLen = 256

// maxCalls bounds how many functions, or sets of terms, may be called.
const maxCalls = 4096

// A pending call has args until it returns, and somebody to return to.
type pending struct {
	args  []byte
	value Live                // instead of args, and told instead of to and done
	to    chan<- reply        // who waits; has room for it
	done  func([]byte, error) // or who is called back
	live  bool
}

type reply struct {
	value []byte
	err   error
}

// Calls returns the calls of a function under terms of which Name is the function's.
// Equal terms have the same Calls.
func (t *Table) Calls(ctx context.Context, terms core.Terms) (*Calls, error) {
	return t.callsOf(ctx, terms, false)
}

func (t *Table) callsOf(ctx context.Context, terms core.Terms, live bool) (*Calls, error) {
	terms.Kind = task.KindFunc
	if terms.Name == "" || len(terms.Name) > call.MaxName {
		return nil, fmt.Errorf("a function's name has 1 to %d bytes, not %d", call.MaxName, len(terms.Name))
	}
	key := fmt.Sprint(live, terms)
	t.mu.RLock()
	c, closed := t.calls[key], t.closed
	t.mu.RUnlock()
	if closed {
		return nil, ErrEnded
	}
	if c != nil {
		return c, nil
	}
	id, err := t.driver.Submit(ctx, terms, 0)
	if err != nil {
		return nil, ended(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if c = t.calls[key]; c != nil || t.closed {
		// Somebody was faster. The other job has no task and never will have one.
		if c == nil {
			return nil, ErrEnded
		}
		return c, nil
	}
	if len(t.calls) == maxCalls {
		return nil, tooMany("functions called, or terms of calls,", maxCalls+1, maxCalls)
	}
	c = &Calls{ID: id, name: terms.Name, table: t, live: live}
	c.more = c.untold
	t.calls[key], t.records[id] = c, c
	return c, nil
}

// Go calls the function with args, which must not be changed before it has returned, and
// returns once the call is counted in, which takes as long as MaxInFlight calls are under
// way. done is then called once, on a goroutine that all callbacks share: it must not
// block for long. An error of Go's own means that done is not called.
func (c *Calls) Go(ctx context.Context, args []byte, done func(result []byte, err error)) error {
	_, err := c.add(ctx, pending{args: args, done: done, live: true})
	return err
}

// replies are channels for calls that are waited for.
var replies = sync.Pool{New: func() any { return make(chan reply, 1) }}

// Call calls the function with args, which must not be changed before the function has
// returned, and returns what it returns: an error of the function's is a *TaskError. When ctx
// is done, Call returns its cause; the call itself goes on, and nobody hears of it.
func (c *Calls) Call(ctx context.Context, args []byte) ([]byte, error) {
	to := replies.Get().(chan reply)
	if _, err := c.add(ctx, pending{args: args, to: to, live: true}); err != nil {
		replies.Put(to)
		return nil, err
	}
	select {
	case r := <-to:
		replies.Put(to)
		return r.value, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx) // the channel is left to the reply that may come
	}
}

func (c *Calls) add(ctx context.Context, p pending) (index uint64, err error) {
	if len(p.args) > MaxBody {
		return 0, tooMany("bytes of arguments", len(p.args), MaxBody)
	}
	if err := c.table.flight.enter(ctx); err != nil {
		return 0, err
	}
	return c.put(p)
}

// put adds a call that is counted in.
func (c *Calls) put(p pending) (index uint64, err error) {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		c.table.flight.leave(1)
		return 0, ErrEnded
	}
	at := c.next
	c.next++
	if at/pageLen-c.first == uint64(len(c.pages)) {
		c.pages = append(c.pages, &page{open: pageLen})
	}
	c.pages[at/pageLen-c.first].calls[at%pageLen] = p
	first := !c.telling
	c.telling = true
	c.mu.Unlock()
	if first {
		c.table.stir()
		// An ended driver is noticed by who runs the table, which then ends all calls.
		_ = c.table.driver.ExtendBy(c.ID, c.more)
	}
	return at, nil
}

// untold is how many calls came since the driver was told last.
func (c *Calls) untold() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.next - c.known
	c.known, c.telling = c.next, false
	return n
}

// at returns the call of an index, or nil. c.mu is held.
func (c *Calls) at(i uint64) *pending {
	n := i/pageLen - c.first
	if i/pageLen < c.first || n >= uint64(len(c.pages)) || c.pages[n] == nil {
		return nil
	}
	return &c.pages[n].calls[i%pageLen]
}

func (c *Calls) header() ([]byte, error) { return []byte(c.name), nil }

func (c *Calls) body(b []byte, i uint64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.at(i)
	if p == nil || !p.live {
		return b, fmt.Errorf("call %d of %s has returned", i, c.name)
	}
	if p.value != nil {
		return encoded(b, p.value.Encode)
	}
	return append(b, p.args...), nil
}

// take takes a call out that has its outcome. c.mu is held.
func (c *Calls) take(i uint64) pending {
	p := c.at(i)
	if p == nil || !p.live {
		return pending{}
	}
	was := *p
	*p = pending{}
	n := i/pageLen - c.first
	if c.pages[n].open--; c.pages[n].open == 0 {
		c.pages[n] = nil
		for len(c.pages) > 0 && c.pages[0] == nil {
			c.pages[0] = nil
			c.pages = c.pages[1:]
			c.first++
		}
	}
	return was
}

// returned is a call with what it is to be called back with.
type returned struct {
	done func([]byte, error)
	reply
}

func (c *Calls) committed(m core.Commit, outputs []steal.Output) func() {
	if len(outputs) > 0 {
		return func() { // outputs may have to be read from a disk
			if f := c.settle(m, outputs); f != nil {
				f()
			}
			closeAll(outputs)
		}
	}
	return c.settle(m, nil)
}

// settle answers who waits, and returns what calls back the others.
func (c *Calls) settle(m core.Commit, outputs []steal.Output) func() {
	var back []returned
	var settled []settledCall
	taken := 0
	c.mu.Lock()
	for i := m.Piece.Lo; i < m.Piece.Hi; i++ {
		p := c.take(i)
		if !p.live {
			continue
		}
		taken++
		var r reply
		switch {
		case m.State != task.Done:
			r.err = failure(c.name, &m)
		case m.Values != nil:
			r.value = m.Values[i-m.Piece.Lo]
		}
		if len(outputs) > 0 && r.err == nil && len(r.value) == 0 {
			r.value, r.err = readResult(outputs, i)
		}
		if p.value != nil {
			settled = append(settled, settledCall{p.value, Reply{Value: r.value, Err: r.err, Node: m.Host, Attempt: m.Piece.Attempt, Ran: m.Ran / time.Duration(m.Piece.Len())}})
		} else if p.to != nil {
			p.to <- r
		} else {
			back = append(back, returned{p.done, r})
		}
	}
	c.mu.Unlock()
	c.table.counts.add(task.KindFunc, m.State, uint64(taken))
	c.table.flight.leave(taken - len(back))
	for i := range settled { // without the lock: who is told may call
		settled[i].call.Settle(settled[i].reply)
	}
	if len(back) == 0 {
		return nil
	}
	return func() {
		defer c.table.flight.leave(len(back))
		for _, b := range back {
			b.done(b.value, b.err)
		}
	}
}

// told has nothing to do: the calls' job is never over.
func (c *Calls) told(core.Effect) {}

// end tells who waits that the node has ended.
func (c *Calls) end() {
	c.mu.Lock()
	c.over = true
	var all []pending
	for _, p := range c.pages {
		if p == nil {
			continue
		}
		for i := range p.calls {
			if p.calls[i].live {
				all = append(all, p.calls[i])
			}
		}
	}
	c.pages = nil
	c.mu.Unlock()
	for _, p := range all {
		if p.value != nil {
			p.value.Settle(Reply{Err: ErrEnded})
		} else if p.to != nil {
			p.to <- reply{err: ErrEnded}
		} else {
			p.done(nil, ErrEnded)
		}
	}
	c.table.flight.leave(len(all))
}
