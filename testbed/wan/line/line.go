// Package line is one direction of a long line: what goes in comes out later, more slowly than
// it came, or not at all. It decides and does nothing else: packets are handed over with the time at which they came,
// and chance is the caller's. Package wan puts one on a pair of network devices.
//
// A packet first waits for those before it to be sent at the line's rate, then travels. The queue before the line is bounded
// as a router's is: what finds it full is dropped. Packets never overtake each other.
package line

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A Shape is what a line does to packets.
type Shape struct {
	Delay time.Duration // how long a packet travels
	Loss  float64       // which part of the packets is lost, of 1
	Rate  int64         // bits per second; 0: as fast as they come
	Queue int           // bytes that may wait to be sent where there is a rate; 0: DefaultQueue
}

const (
	// DefaultQueue is 100 packets of 1,400 bytes: about a tenth of a second at 10 Mbit/s, a home
	// router's.
	DefaultQueue = 140_000
	// maxTravelling bounds the bytes under way, where no rate does. It is a fifth of a second at 2.5 Gbit/s.
	maxTravelling = 64 << 20
)

// Check tells what is wrong with a shape.
func (s Shape) Check() error {
	switch {
	case s.Delay < 0 || s.Delay > time.Minute:
		return fmt.Errorf("a delay of %v: want 0 to 1m", s.Delay)
	case !(s.Loss >= 0 && s.Loss <= 1):
		return fmt.Errorf("a loss of %v: want 0 to 1", s.Loss)
	case s.Rate < 0:
		return fmt.Errorf("a rate of %d bit/s: want 0, for none, or more", s.Rate)
	case s.Queue < 0:
		return fmt.Errorf("a queue of %d bytes: want 0, for the default, or more", s.Queue)
	}
	return nil
}

// A Line is one direction. It is not safe for concurrent use; the times it is told must not go back.
type Line struct {
	shape Shape
	rng   *rand.Rand
	free  time.Duration // when what has come so far will have been sent
	under int           // bytes that wait or travel
	queue []packet      // by arrival; those before first are gone
	first int
	count Counts
}

type packet struct {
	at   time.Duration
	data []byte
}

// Counts are packets, and bytes of those that came through.
type Counts struct{ Passed, Bytes, Lost, Full int64 }

// New makes a line. The shape must be one that Check likes; rng decides what is lost and may be nil if nothing is.
func New(s Shape, rng *rand.Rand) *Line {
	if s.Queue == 0 {
		s.Queue = DefaultQueue
	}
	return &Line{shape: s, rng: rng}
}

// Put hands a packet over, which is the line's from then on; false: it is dropped.
func (l *Line) Put(now time.Duration, data []byte) bool {
	if l.shape.Loss > 0 && l.rng.Float64() < l.shape.Loss {
		l.count.Lost++
		return false
	}
	sent := now
	if l.shape.Rate > 0 {
		l.free = max(l.free, now)
		if l.waiting(now)+len(data) > l.shape.Queue {
			l.count.Full++
			return false
		}
		l.free += time.Duration(float64(len(data)) * 8 / float64(l.shape.Rate) * float64(time.Second))
		sent = l.free
	}
	if l.under+len(data) > maxTravelling {
		l.count.Full++
		return false
	}
	l.under += len(data)
	l.queue = append(l.queue, packet{sent + l.shape.Delay, data})
	return true
}

// waiting is how many bytes have not been sent yet.
func (l *Line) waiting(now time.Duration) int {
	return int((l.free - now).Seconds() * float64(l.shape.Rate) / 8)
}

// Take returns the next packet that has arrived; nil: none has.
func (l *Line) Take(now time.Duration) []byte {
	if l.first == len(l.queue) || l.queue[l.first].at > now {
		return nil
	}
	data := l.queue[l.first].data
	l.queue[l.first].data = nil
	l.under -= len(data)
	l.count.Passed++
	l.count.Bytes += int64(len(data))
	if l.first++; 2*l.first >= len(l.queue) { // each packet is moved once on average
		l.queue = l.queue[:copy(l.queue, l.queue[l.first:])]
		l.first = 0
	}
	return data
}

// Next tells when the next packet arrives; false: none is under way.
func (l *Line) Next() (at time.Duration, ok bool) {
	if l.first == len(l.queue) {
		return 0, false
	}
	return l.queue[l.first].at, true
}

// Counts tells what became of packets so far.
func (l *Line) Counts() Counts { return l.count }
