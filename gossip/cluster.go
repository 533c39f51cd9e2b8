package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hashicorp/serf/serf"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/gossip/transport"
)

// Config says what a Cluster starts from. Network, Identity and Secret are needed, and
// Incarnation where a node may start twice with one identity.
type Config struct {
	// Network is where the peers are. Its ID is Identity's.
	Network  Network
	Identity identity.Identity
	Secret   identity.Secret
	// Record is what this node announces. ID, incarnation and sequence are filled in, and
	// a certificate if there is none.
	Record core.Record
	// Incarnation is higher than that of any start before, and on disk.
	Incarnation uint64
	// RaiseIncarnation is called when members remember a higher incarnation of this node,
	// which must have lost its disk. It makes one above the given durable and returns it.
	// Without it the next number is taken and not remembered.
	RaiseIncarnation func(above uint64) (uint64, error)
	// Seeds are peers to dial when nobody is left. More may be told by Learn.
	Seeds []peer.AddrInfo
	// LeaveWithin bounds how long Leave takes; 0 is 5 s. A node that is there for moments only
	// passes on what it has to say more often.
	LeaveWithin time.Duration
	// Logger gets what is worth knowing of the cluster, and at Debug what Serf and
	// memberlist say. nil is slog.Default.
	Logger *slog.Logger
	// Seed makes choices repeatable, as far as this package makes them; memberlist has its
	// own dice. 0 is a random one.
	Seed uint64
}

// Cluster is a node's membership. Make one with New, and Run it; every other method may
// be called concurrently, before, during and after.
type Cluster struct {
	cfg     Config
	id      peer.ID
	log     *slog.Logger
	started time.Time // what times of the machine count from
	seal    *transport.Seal
	tags    *tags
	records recordServer

	running chan struct{} // closed when serf is there, or stopped will be closed
	stopped chan struct{} // closed when Run has returned
	once    sync.Once     // Run is called once

	// Written by Run before running is closed.
	serf  *serf.Serf
	trans *transport.Transport
	err   error           // why there is no serf
	ctx   context.Context // of what goroutines do for Run

	announce chan announcement // the newest tag that Serf does not have yet
	wake     chan struct{}     // NextWake is earlier than it was
	broken   chan error        // why Run cannot go on
	joining  chan struct{}     // has a value while Serf joins
	work     sync.WaitGroup    // goroutines that Run waits for

	mu       sync.Mutex
	machine  *core.Machine
	watchers map[*watcher]bool
	vitals   vitals
	trips    map[peer.ID]*trips // of members that are present, and were measured
	over     bool               // no goroutine may be started any more
	next     time.Duration
	counts   counts
	raised   raises
}

// ErrStopped says that a Cluster does not run, or no longer.
var ErrStopped = errors.New("the cluster is not running")

// New checks cfg and makes a Cluster. Nothing happens before Run.
func New(cfg Config) (*Cluster, error) {
	if cfg.Network == nil {
		return nil, errors.New("gossip: a cluster needs a network")
	}
	id := cfg.Identity.ID()
	if cfg.Network.ID() != id {
		return nil, fmt.Errorf("gossip: the network is %s's, the identity %s's", cfg.Network.ID(), id)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64()
	}
	seal, err := transport.NewSeal(cfg.Secret.NewsKey(), "filch news")
	if err != nil {
		return nil, fmt.Errorf("gossip: %w", err)
	}
	cfg.Record = cfg.Record.Clone()
	cfg.Record.ID = core.ID(id)
	if len(cfg.Record.Certificate) == 0 {
		now := time.Now()
		cfg.Record.Certificate = cfg.Secret.Issue(id, now, now.Add(certificateLife)).Marshal()
	}
	machine, err := core.New(0, core.Config{
		Record: cfg.Record, Incarnation: cfg.Incarnation,
		Rand: rand.New(rand.NewPCG(cfg.Seed, 0x676f73736970)),
	})
	if err != nil {
		return nil, fmt.Errorf("gossip: this node's record: %w", err)
	}
	c := &Cluster{
		cfg: cfg, id: id, log: cfg.Logger, started: time.Now(), seal: seal,
		tags:     newTags(cfg.Logger, id),
		broken:   make(chan error, 1),
		running:  make(chan struct{}),
		stopped:  make(chan struct{}),
		announce: make(chan announcement, 1),
		wake:     make(chan struct{}, 1),
		joining:  make(chan struct{}, 1),
		machine:  machine,
		watchers: make(map[*watcher]bool),
		vitals:   newVitals(),
		trips:    make(map[peer.ID]*trips),
		next:     core.Never,
	}
	for _, s := range cfg.Seeds {
		c.Learn(s)
	}
	return c, nil
}

// certificateLife is how long the certificate in a record is good for. Only admission
// looks at that, and it sees another certificate, which the host renews.
const certificateLife = 90 * 24 * time.Hour

// now is the machine's time.
func (c *Cluster) now() time.Duration { return time.Since(c.started) }

// ID is who this node is.
func (c *Cluster) ID() peer.ID { return c.id }

// Run takes part in the cluster until ctx is done, and returns nil then; it does not say
// goodbye, for that there is Leave. It may be called once. ErrTwice ends it where another
// node goes on with this one's identity.
func (c *Cluster) Run(ctx context.Context) error {
	err := ErrStopped
	c.once.Do(func() { err = c.run(ctx) })
	return err
}

func (c *Cluster) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer close(c.stopped)
	defer c.work.Wait()
	defer c.endBeginning()
	defer cancel()
	c.ctx = ctx
	events, err := c.startSerf()
	if err != nil {
		c.err = fmt.Errorf("gossip: %w", err)
		close(c.running)
		return c.err
	}
	defer c.stopSerf(events)
	c.cfg.Network.HandlePackets(newsPackets, c.newsArrived)
	defer c.cfg.Network.HandlePackets(newsPackets, nil)
	c.cfg.Network.HandleStreams(recordProtocol, c.serveRecords)
	defer c.cfg.Network.HandleStreams(recordProtocol, nil)
	close(c.running)

	c.step(core.Tick{})
	c.begin(func() { c.announcer(ctx) })
	c.begin(func() { c.measureLoop(ctx) })
	c.begin(func() { c.askLoop(ctx) })
	return c.loop(ctx, events)
}

// loop gives the machine Serf's events, and ticks when it asked for them. Its error is why
// the node cannot go on.
func (c *Cluster) loop(ctx context.Context, events <-chan serf.Event) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-c.broken:
			return fmt.Errorf("gossip: %w", err)
		case e := <-events:
			c.serfEvent(e)
		case tag := <-c.tags.own.later:
			c.step(core.MemberSeen{ID: core.ID(c.id), State: core.Alive, Tag: tag})
		case <-c.wake:
			timer.Reset(c.untilNext())
		case <-timer.C:
			c.step(core.Tick{})
			timer.Reset(c.untilNext())
		}
	}
}

// untilNext is how long until the machine wants a tick.
func (c *Cluster) untilNext() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = c.machine.NextWake()
	if c.next == core.Never {
		return time.Hour // any event sets it anew
	}
	return max(0, c.next-c.now())
}

// step gives the machine an event and begins what it wants done.
func (c *Cluster) step(e core.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, effect := range c.machine.Step(c.now(), e) {
		c.do(effect)
	}
	c.poke()
}

// poke has the loop look at its timer if the machine wants to be woken earlier. c.mu is
// held.
func (c *Cluster) poke() {
	if c.machine.NextWake() < c.next {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// begin runs f on a goroutine that Run waits for, unless Run is about to return.
func (c *Cluster) begin(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beginLocked(f)
}

// beginLocked is begin with c.mu held.
func (c *Cluster) beginLocked(f func()) {
	if !c.over {
		c.work.Go(f)
	}
}

// endBeginning has begin begin nothing any more.
func (c *Cluster) endBeginning() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

// ready waits until Serf runs.
func (c *Cluster) ready(ctx context.Context) error {
	select {
	case <-c.running:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if c.err != nil {
		return c.err
	}
	select {
	case <-c.stopped:
		return ErrStopped
	default:
		return nil
	}
}

// SetLoad says how busy this node is. It may be called as often as one likes.
func (c *Cluster) SetLoad(l core.Load) { c.step(core.LoadChanged{Load: l}) }

// SetRecord changes what this node announces; f gets the current record, in memory of its
// own. The change is announced to every member, so it should be rare; what comes fast is
// announced together.
func (c *Cluster) SetRecord(f func(*core.Record)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.cfg.Record.Clone()
	f(&r)
	r.ID = core.ID(c.id)
	if err := c.machine.CheckOwn(r); err != nil {
		return fmt.Errorf("gossip: this node's record: %w", err)
	}
	c.cfg.Record = r
	for _, effect := range c.machine.Step(c.now(), core.RecordChanged{Record: r.Clone()}) {
		c.do(effect)
	}
	c.poke()
	return nil
}

// Learn adds a peer to those that are dialled when nobody else is left.
func (c *Cluster) Learn(s peer.AddrInfo) {
	seed := core.Seed{ID: core.ID(s.ID)}
	for _, a := range s.Addrs {
		seed.Addrs = append(seed.Addrs, a.String())
	}
	c.step(core.SeedLearned{Seed: seed})
}
