package core

import (
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// This file counts how long things take, for metrics. It is here and not in the driver because
// only the state machine knows when a task came.

// A Histogram counts times by how long they are. The zero value is empty.
type Histogram struct {
	Counts [len(bounds) + 1]uint64 // of those not longer than the bound, and longer than the one before; the last is of all others
	Sum    time.Duration
}

// bounds go from what a function call takes to what a long command does: three a decade
// at first, where most is.
var bounds = [...]time.Duration{
	100 * time.Microsecond, 200 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 5 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// Bounds are those of Histogram.Counts, without the last.
func Bounds() []time.Duration { return bounds[:] }

func (h *Histogram) observe(d time.Duration, n uint64) {
	d = max(d, 0)
	k, _ := slices.BinarySearch(bounds[:], d)
	h.Counts[k] += n
	h.Sum += d * time.Duration(n)
}

// Add adds another one.
func (h *Histogram) Add(o *Histogram) {
	for k, n := range o.Counts {
		h.Counts[k] += n
	}
	h.Sum += o.Sum
}

// Count is how many there were.
func (h *Histogram) Count() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// KindTimes are those of tasks of one kind that this process started, for whomever; guests' tasks, which
// it lent a core, are among them.
type KindTimes struct {
	Waits Histogram // from when a task came to this process until it started here
	Runs  Histogram // how long each ran; what was stopped does not count
}

// maxKindTimes bounds the kinds that are told apart, which are a job's word.
const maxKindTimes = 16

func (c *Core) timesOf(k task.Kind) *KindTimes {
	if t := c.times[k]; t != nil {
		return t
	}
	if len(c.times) >= maxKindTimes {
		k = "other"
	}
	t := c.times[k]
	if t == nil {
		t = new(KindTimes)
		c.times[k] = t
	}
	return t
}

// Times tells how long tasks waited and ran, by kind. The result is a copy.
func (c *Core) Times() map[task.Kind]KindTimes {
	all := make(map[task.Kind]KindTimes, len(c.times))
	for k, t := range c.times {
		all[k] = *t
	}
	return all
}

// Asks tells how long peers took to answer when they were asked for work, by how far they are: until
// the grant or the refusal is here, the time to connect included. Who did not answer is not among them.
func (c *Core) Asks() map[uint8]Histogram { return maps.Clone(c.asks) }

// Handed tells how many tasks were handed to peers, by how far those are. The result is a copy.
func (c *Core) Handed() map[uint8]uint64 { return maps.Clone(c.handed) }

func (c *Core) asked(p PeerID) {
	l := c.near.level(p)
	h := c.asks[l]
	h.observe(c.now-c.thief.askedAt, 1)
	c.asks[l] = h
}

// arrivals are when the tasks of a job came. Tasks come singly or by the million, so they are
// kept as batches: what comes shortly after a batch began counts as of it, shortly being a millisecond or
// a hundredth of how long the oldest batch has waited. So there are some thousand at most, however
// long the queue is.
type arrivals struct{ batches []batch }

type batch struct {
	lo uint64
	at time.Duration
}

const (
	sameBatch   = time.Millisecond
	batchShare  = 100
	manyBatches = 64 // when it is looked whether some are not needed any more
)

// add says that tasks from lo on have come. oldest is the first that has not started.
func (a *arrivals) add(now time.Duration, lo, oldest uint64) {
	if n := len(a.batches); n > 0 {
		if now-a.batches[n-1].at < max(sameBatch, (now-a.batches[0].at)/batchShare) {
			return
		}
		if n >= manyBatches {
			a.batches = slices.Delete(a.batches, 0, max(0, a.find(oldest)))
		}
	}
	a.batches = append(a.batches, batch{lo, now})
}

// find is the batch that a task is in; -1 if it came before all that is known.
func (a *arrivals) find(i uint64) int {
	return sort.Search(len(a.batches), func(k int) bool { return a.batches[k].lo > i }) - 1
}

// arrived is when a task of a job of ours came, or a bit earlier.
func (j *job) arrived(i uint64) time.Duration {
	if k := j.arrivals.find(i); k >= 0 {
		return j.arrivals.batches[k].at
	}
	return j.since
}
