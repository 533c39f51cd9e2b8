package cost

import (
	"math"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// A Peer is what is known of a member from outside of this package: what it announces, how near it is, how busy
// it says it is.
type Peer struct {
	ID        string
	Self      bool   // it is this node
	Away      string // why nothing can be placed there, such as "it does not answer"; empty: it may
	Machine   Machine
	Cores     int           // 0: not known
	Memory    int64         // bytes; 0: not known
	Kinds     []task.Kind   // that it runs for others; not asked of this node
	Labels    []string      // "key=value"
	Zone      string        // where data would be that is sent to it; empty: it does not say
	Knows     bool          // the functions of this node, all of them
	Functions []uint32      // hashes of others that it is known to know
	RTT       time.Duration // 0: not measured
	Pace      Pace
	Load      Load
}

// A Load is what a member has said of how busy it is. It ages.
type Load struct {
	Heard  bool
	Free   int           // cores that no task holds
	Queued time.Duration // core time of what waits
	At     time.Duration // when it said so, in this node's time
}

// A peer is a member with what was learnt about it.
type peer struct {
	Peer
	slot int32
	born uint32 // owners of the slot before it, so that their tracks are not taken for its own

	announced float64 // logarithm of the speed it announced
	by        int     // how well that is known
	pull      pull
	logSpeed  float64 // announced and pull, when the choice began
	slower    float64 // e^−logSpeed
	doubt     float64 // of logSpeed
	perByte   float64 // nanoseconds
	waits     waits
	placed    float64       // nanoseconds of core time that was placed there since it said how busy it is
	placedAt  time.Duration // as of then
}

// become takes in what is known of the peer now.
func (p *peer) become(from Peer) {
	if from.Load.Heard && from.Load.At > p.Load.At {
		p.waits.hear(from.Load, from.Cores)
		if from.Load.At > p.placedAt {
			p.placed = 0 // it is in what the peer says
		}
	} else if p.Load.Heard {
		from.Load = p.Load
	}
	p.Peer = from
	speed, by := from.Machine.speed()
	p.announced, p.by, p.doubt = math.Log(speed), by, speedDoubt[by]
	p.settle()
	p.perByte = from.Pace.perByte()
}

// settle brings what follows from what was learnt up to date.
func (p *peer) settle() {
	p.logSpeed = p.announced + p.pull.of()
	p.slower = math.Exp(-p.logSpeed)
}

// to and back are the two ways, as Way has them.
func (p *peer) way(bytes float64) Dist {
	if p.Self {
		return Dist{}
	}
	rtt, sure := p.RTT, rttSpread
	if rtt <= 0 {
		rtt, sure = RTTGuess, rttGuessed
	}
	half := about(float64(rtt)/2, sure)
	sure = paceGuessed
	if p.Pace.Known() {
		sure = paceSpread
	}
	return half.Add(about(bytes*p.perByte, sure))
}

// How much times on the line vary, as a share of them.
const (
	rttSpread   = 0.3
	rttGuessed  = 1.0
	paceSpread  = 0.3
	paceGuessed = 0.8
)
