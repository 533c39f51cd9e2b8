package core

import (
	"hash"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/filchsched/filch/exec/fair"
	"github.com/filchsched/filch/exec/task"
)

// Config is what a Core is told at its start and never changes.
type Config struct {
	ID          PeerID
	Incarnation uint64   // counted by the driver, on disk before a port is open; from 1
	Key         [32]byte // signs warrants; kept on disk with the identity
	Seed        uint64   // of everything random
	Cores       int
	Host        PeerID      // the node of this machine that this process is a guest of (see Guest); empty: none
	Kinds       []task.Kind // that this process runs for others
	PeersNice   int         // −20..19: of all work for peers together, beside the owner's own
	Labels      []string
	Memory      int64                               // bytes for tasks; 0 means unlimited
	Crowd       int                                 // members from which on thieves ask by way of near ones; 0 means 64
	GiveUp      time.Duration                       // how long work outlives a silent home; 0 means 10 min
	Restored    []Restored                          // durable jobs, from the journal
	Story       int                                 // lines remembered of a job of ours, if more than a thousand
	Loose       bool                                // outcomes go on the data stream
	Check       bool                                // assert all invariants after every step: costs time in the number of spans
	Log         func(at time.Duration, line string) // for people; may be nil
}

// Restored is a durable job as the journal knows it after a restart.
type Restored struct {
	Job       JobID
	Terms     Terms
	N         uint64
	Committed []Span
	Cancelled bool
}

// Core is the part of a node that decides about tasks between nodes: as home, as
// grantor, as holder, as thief and as victim. It is a state machine: whoever owns
// it calls Step with what happened and carries the effects out. It is not safe
// for concurrent use.
type Core struct {
	cfg Config
	now time.Duration
	due time.Duration // when Step wants to be called with Tick; never if negative
	rng *rand.Rand
	out []Effect
	mac hash.Hash // of sign: keyed once

	jobs                map[JobID]*job
	jobOrder            []*job
	queued              []*job // those with something in the queue, and some that had lately
	jobCount            uint64
	ups                 map[PeerID]*uplink // where we hold
	upOrder             []*uplink
	downs               map[PeerID]*downlink // where we grant
	downList            []*downlink          // those that are not asleep; upOrder, too
	touchedDowns        []*downlink          // that have something to send at the end of the step
	touchedUps          []*uplink
	local               *downlink // what we granted to our own cores
	grace               *downlink // what earlier incarnations may have granted to anybody
	graceEnd            time.Duration
	expireAt, limboEnds time.Duration // before then no lease of a holder and no limbo ends

	runs      map[Piece]*running // what was handed to the engine and has not ended
	busy      int                // cores of runs
	slack     int                // of these, in use by nobody
	memory    int64              // that runs have declared
	children  []*job             // of ours, that runs may wait for
	functions []uint32           // FunctionHash of those that this process knows; empty: any
	above     stamp              // of what was forgotten of uplinks: new ones begin above
	forgetAt  time.Duration      // when links are looked at for those to forget
	serveAt   time.Duration      // when offers that wait here are worth another look; never
	cores     int
	draining  bool
	lanes     uint32
	leashes   uint64
	events    uint64 // News sent

	tenants tenants
	paying  *tenant // whose task dispatch starts

	steals     steals
	given      given
	passing    passing
	hedgeAt    time.Duration // when tasks that take long are looked for; never
	inviter    inviter
	thief      thief
	near       near
	wanted     bool          // the owner knows that peers wait for work
	appetiteAt time.Duration // when that is looked at next
	offering   []*downlink   // that have offers here
	est        estimates
	stats      Stats
	times      map[task.Kind]*KindTimes
	asks       map[uint8]Histogram // by level
	handed     map[uint8]uint64    // tasks, by level
}

// Stats counts what happened, for metrics. The names are those of the metrics.
type Stats struct {
	DuplicateOutcomes, ForgedOutcomes, LeasesExpired, FrozenSteps, SuspectedSelf uint64
	Granted, Stolen, HandedBack                                                  uint64
}

// Stats returns the counts so far.
func (c *Core) Stats() Stats { return c.stats }

// never is a time that does not come.
const never = time.Duration(1<<63 - 1)

// New makes a Core. Its first step should be a Tick.
func New(cfg Config, now time.Duration) *Core {
	if cfg.GiveUp == 0 {
		cfg.GiveUp = giveUpAfter
	}
	c := &Core{
		cfg: cfg, now: now, due: now, cores: cfg.Cores,
		rng:  rand.New(rand.NewPCG(cfg.Seed, cfg.Incarnation)),
		jobs: make(map[JobID]*job), ups: make(map[PeerID]*uplink), downs: make(map[PeerID]*downlink),
		times: make(map[task.Kind]*KindTimes), asks: make(map[uint8]Histogram), handed: make(map[uint8]uint64),
		runs: make(map[Piece]*running), serveAt: never, hedgeAt: never, expireAt: never, limboEnds: never,
	}
	c.local = newDownlink(cfg.ID)
	c.grace = newDownlink("")
	c.thief.init()
	c.tenants.init(cfg.PeersNice)
	c.est.init()
	c.restore()
	return c
}

// Next is when Step wants a Tick, at the latest; ok is false when it waits for nothing.
func (c *Core) Next() (at time.Duration, ok bool) { return c.due, c.due != never }

// Step takes in one event and returns what is to be done about it, in order. The
// slice is good until the next Step. now must not go backwards; it counts while
// the machine is suspended.
func (c *Core) Step(now time.Duration, ev Event) []Effect {
	c.out = c.out[:0]
	c.awake(now)
	switch ev := ev.(type) {
	case Tick:
		c.tick()
	case Received:
		c.receive(ev)
	case Broken:
		c.broken(ev)
	case Finished:
		c.finished(ev)
	case Submit:
		c.submit(ev)
	case Extend:
		c.extend(ev)
	case CancelJob:
		c.cancel(ev.Job)
	case CancelTasks:
		c.cancelTasks(ev)
	case Slack:
		c.setSlack(ev.Cores)
	case RecallJob:
		c.recall(ev.Job, ev.Span)
	case HedgeTask:
		c.hedge(ev)
	case Forget:
		c.forget(ev.Job)
	case Candidates:
		c.thief.believe(c.now, ev.List)
	case Members:
		c.meet(ev.List)
	case Resize:
		c.cores = ev.Cores
	case Drain:
		c.drain()
	case Left:
		c.left(ev.Peer)
	case PauseJob:
		c.pause(ev)
	case Functions:
		c.learnFunctions(ev.Hashes)
	case Guest:
		c.guestHere(ev)
	case RanByHome:
		c.ranByHome(ev)
	case Lent:
		c.lent(ev.Piece)
	case Proved:
		c.proved(ev)
	case Moved:
		c.moved(ev)
	}
	c.dispatch()
	c.serve()
	for c.endReservation() { // a peer has it, or it cannot start since the last dispatch
		c.dispatch()
	}
	c.want()
	c.hunt()
	c.flush()
	if c.cfg.Check {
		c.mustHold()
	}
	return c.out
}

// awake notices that this step comes late: the process was frozen or suspended.
// Its holders may have been sending all the time, so what it keeps as grantor
// moves by the gap; what it keeps as holder does not, since its grantors went on.
func (c *Core) awake(now time.Duration) {
	if late := now - c.due; c.due != never && late > lateAfter {
		c.stats.FrozenSteps++
		c.shift(late)
		c.note("frozen: lease deadlines of holders moved by %v", late.Round(time.Millisecond))
	}
	c.now = max(c.now, now)
	if c.due < c.now {
		c.due = c.now // until the tick
	}
}

// alarm asks for a Tick at t or before; at once if t has passed. A time in the
// past would make the next step look late.
func (c *Core) alarm(t time.Duration) { c.due = min(c.due, max(t, c.now)) }

// tick does what time brings. Each part sets its own next alarm.
func (c *Core) tick() {
	c.due = never
	c.expireHolders()
	c.endLimbo()
	c.endGrace()
	for _, u := range slices.Clone(c.upOrder) {
		c.lapseDue(u)
		c.giveUpDue(u)
		c.linkDue(u)
	}
	c.upOrder = slices.DeleteFunc(c.upOrder, func(u *uplink) bool { u.listed = !u.asleep(); return !u.listed })
	c.thiefDue()
	c.serveDue()
	c.inviteDue()
	c.hedgeDue()
	for _, j := range c.jobOrder {
		c.stoppedDue(j)
	}
}

func (c *Core) receive(ev Received) {
	if m, ok := ev.Frame.Msg.(Invite); ok {
		c.invited(ev.From, m.Surplus)
		return
	}
	if ev.Up {
		c.grantorGets(ev.From, &ev.Frame)
	} else {
		c.holderGets(ev.From, &ev.Frame)
	}
}

func (c *Core) emit(e Effect) { c.out = append(c.out, e) }

// jitter is d, more or less by up to a quarter.
func (c *Core) jitter(d time.Duration) time.Duration {
	return d*3/4 + time.Duration(c.rng.Int64N(int64(d/2)+1))
}

// running is a piece that the engine has.
type running struct {
	cores  int
	memory int64 // bytes
	halted bool
	guest  *guest    // for whom; nil: nobody
	turn   fair.Turn // paid ahead; of no job when dispatch did not start it
	since  time.Duration
	times  *KindTimes // of its kind
}

// run starts a piece that came at a time.
func (c *Core) run(e Run, came time.Duration) {
	n := min(e.Terms.Needs.CoresOrOne(), max(1, c.cores)) // who is wider than the machine has all of it
	r := &running{cores: n, memory: memoryOf(&e.Terms), since: c.now, times: c.timesOf(e.Terms.Kind)}
	r.times.Waits.observe(c.now-came, e.Piece.Len())
	c.pay(r, e.Piece, &e.Terms)
	c.runs[e.Piece] = r
	c.busy += n
	c.memory += r.memory
	c.emit(e)
}

// endRun takes a run away; false when it is over already, since the engine may tell twice. stopped: it did
// not come to its end.
func (c *Core) endRun(p Piece, ran time.Duration, stopped bool) bool {
	r := c.runs[p]
	if r == nil {
		return false
	}
	delete(c.runs, p)
	c.busy -= r.cores
	c.memory -= r.memory
	c.slack = min(c.slack, c.busy)
	if ran <= 0 {
		ran = c.now - r.since
	}
	if !stopped {
		r.times.Runs.observe(ran/time.Duration(p.Len()), p.Len())
	}
	c.settleTurn(r, ran)
	if r.guest != nil {
		r.guest.runs--
	}
	return true
}

func (c *Core) halt(p Piece) {
	if r := c.runs[p]; r != nil && !r.halted {
		r.halted = true
		c.emit(Halt{p})
	}
}

// finished takes the end of a run from the engine to whoever holds the piece.
func (c *Core) finished(ev Finished) {
	known, own := c.endRun(ev.Piece, ev.Ran, ev.State == task.Cancelled), ev.Piece.Job.Home == c.cfg.ID
	if !known && !own {
		return
	}
	o := Outcome{Piece: ev.Piece, Values: ev.Values, Exceptions: ev.Exceptions, Ran: ev.Ran, Host: c.cfg.ID}
	if ev.State == task.Failed {
		for i := ev.Piece.Lo; i < ev.Piece.Hi; i++ {
			if !slices.ContainsFunc(ev.Exceptions, func(x Exception) bool { return x.Index == i }) {
				o.Exceptions = append(o.Exceptions, Exception{Index: i, State: task.Failed, Exit: ev.Exit, Smell: ev.Smell, Reason: ev.Reason})
			}
		}
	}
	switch {
	case !known:
		c.endedByUs(ev, &o)
	case own:
		c.ranAtHome(ev, o)
	default:
		c.ranHere(ev, o)
	}
}

// flush sends what was collected during the step.
func (c *Core) flush() {
	for _, d := range c.touchedDowns {
		d.touched = false
		d.flush(c)
	}
	c.touchedDowns = c.touchedDowns[:0]
	gathering := c.touchedUps[:0]
	for _, u := range c.touchedUps {
		if c.gathers(u) {
			gathering = append(gathering, u)
			continue
		}
		u.touched = false
		u.flush(c)
	}
	c.touchedUps = gathering
}
