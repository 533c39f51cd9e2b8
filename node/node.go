package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/node/control"
)

// A Node is one node of a cluster, or a node on its own. Make one with New or Start. All
// methods may be called concurrently.
type Node struct {
	config  Config
	invite  invitation // what the join strings say
	workers int
	memory  int64
	log     *slog.Logger
	started time.Time

	once  sync.Once
	ready chan struct{} // closed when the node listens and answers
	asked chan struct{} // closed when the node is asked to end
	ended chan struct{} // closed when Run has returned
	ask   sync.Once     // closes asked

	// Written by Run before ready is closed, and not afterwards; read after it.
	self    self
	network *network // nil for a node that asks for no other
	work    *work

	functions  call.Registry
	plainCalls sync.Map // home.LiveCalls by the function's name, or childKey
	exporter   exporter
	resized    atomic.Int64 // cores for tasks since Resize; 0: as many as at the start

	joined   atomic.Bool   // a member has answered, or there was none to join
	met      chan struct{} // closed then
	meet     sync.Once     // closes met
	leaving  atomic.Bool
	goodbye  sync.Once // says it
	problems problems

	mu  sync.Mutex
	err error // guarded by mu: what Run returned, or the goodbye while it runs
}

// ErrEnded says that the node has ended, or was told to before it was ready.
var ErrEnded = errors.New("the node has ended")

// New checks the configuration and returns a node that has not started: Run it. The
// errors wrap ErrConfig.
func New(c Config) (*Node, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	invite, err := readInvitations(c.Join)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	n := &Node{
		config: c, invite: invite, log: c.Logger, started: time.Now(),
		ready: make(chan struct{}), asked: make(chan struct{}), ended: make(chan struct{}), met: make(chan struct{}),
	}
	n.workers, n.memory = capacity(c)
	n.exporter.init()
	if err := defined.into(&n.functions); err != nil {
		return nil, fmt.Errorf("%w: functions: %w", ErrConfig, err)
	}
	for name, f := range c.Functions {
		if err := n.functions.Register(name, f); err != nil {
			return nil, fmt.Errorf("%w: functions: %w", ErrConfig, err)
		}
	}
	return n, nil
}

// Start makes a node, runs it until ctx is done or Drain is called, and returns it when it
// is ready. If it cannot start, the error says why.
func Start(ctx context.Context, c Config) (*Node, error) {
	n, err := New(c)
	if err != nil {
		return nil, err
	}
	go n.Run(ctx)
	select {
	case <-n.ready:
		return n, nil
	case <-n.ended:
		if err := n.Err(); err != nil {
			return nil, err
		}
		return nil, ErrEnded
	}
}

// Run is the node's life: it returns when ctx is done, when Drain or Leave was asked for,
// each time after the goodbye, or with an error when the node cannot start or go on. It
// may be called once.
func (n *Node) Run(ctx context.Context) error {
	err := ErrEnded
	n.once.Do(func() {
		err = n.live(ctx)
		n.mu.Lock()
		n.err = err
		n.mu.Unlock()
		n.beginEnd() // also where a part broke
		close(n.ended)
	})
	return err
}

// Ready is closed when the node listens and its control socket answers. Whether it has
// joined is another question: see Joined. It never closes for a node that cannot start.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// Ending is closed when the node begins to end, whoever asked for it. The goodbye follows.
func (n *Node) Ending() <-chan struct{} { return n.asked }

// Done is closed when Run has returned.
func (n *Node) Done() <-chan struct{} { return n.ended }

// Err is what Run returned; nil until then.
func (n *Node) Err() error {
	select {
	case <-n.ended:
	default:
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.err
}

// Drain has the node say goodbye and end, and returns when it has, with what Run
// returned, or when ctx is done, with its error; the node goes on ending then.
func (n *Node) Drain(ctx context.Context) error {
	n.beginEnd()
	select {
	case <-n.ended:
		return n.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ID is the node's peer ID, the name under which its cluster knows it. It is "" before the
// node is ready.
func (n *Node) ID() string {
	if !n.isReady() {
		return ""
	}
	return n.self.identity.ID().String()
}

// Joined tells whether the node has reached a member of its cluster, or had none to reach.
func (n *Node) Joined() bool { return n.joined.Load() }

// WaitJoined returns when Joined is true; with why the node ended if it did before; or, when
// ctx is done, with why joining has failed so far.
func (n *Node) WaitJoined(ctx context.Context) error {
	select {
	case <-n.met:
		return nil
	case <-n.ended:
		return cmp.Or(n.Err(), ErrEnded)
	case <-ctx.Done():
	}
	if why := n.problems.about("join"); why != "" {
		return errors.New(why)
	}
	var at []string
	for _, p := range n.invite.peers {
		at = append(at, control.HostPorts(orNone(announced(p.Addrs)))...)
	}
	return fmt.Errorf("nobody has answered at %s: %w", listed(at), context.Cause(ctx))
}

func (n *Node) hasJoined() {
	n.joined.Store(true)
	n.meet.Do(func() { close(n.met) })
}

func (n *Node) beginEnd() { n.ask.Do(func() { close(n.asked) }) }

func (n *Node) isReady() bool {
	select {
	case <-n.ready:
		return true
	default:
		return false
	}
}

// live is Run.
func (n *Node) live(parent context.Context) (err error) {
	dir, err := n.remember()
	if err != nil {
		return err
	}
	if dir != nil {
		defer dir.Close()
	}
	// What runs goes on until the goodbye is said, whatever happens to parent.
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	var parts sync.WaitGroup
	defer func() {
		if n.work != nil {
			n.work.close()
		}
	}()
	defer parts.Wait()
	defer cancel(nil)
	begin := func(what string, run func(context.Context) error) {
		parts.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	if n.config.networked() {
		if n.network, err = n.connect(dir); err != nil {
			return err
		}
		defer n.network.close()
		begin("cluster", n.network.cluster.Run)
		begin("join", n.join)
		begin("addresses", n.followAddrs)
	} else {
		n.hasJoined()
	}
	if n.work, err = n.newWork(); err != nil {
		return err
	}
	n.work.begin(n, begin)
	if err := n.serve(dir, begin); err != nil {
		return err
	}
	close(n.ready)
	select {
	case <-parent.Done():
	case <-n.asked:
	case <-ctx.Done():
		return context.Cause(ctx) // a part broke
	}
	n.beginEnd()
	return n.sayGoodbye(context.WithTimeout(ctx, n.config.DrainTimeout))
}

// sayGoodbye tells the others that this node leaves, once; later calls wait for the first
// and return the same.
func (n *Node) sayGoodbye(ctx context.Context, done context.CancelFunc) error {
	defer done()
	n.goodbye.Do(func() {
		n.leaving.Store(true)
		n.drain(ctx)
		if n.network == nil {
			return
		}
		if err := n.network.cluster.Leave(ctx); err != nil {
			// The others will find out by themselves; the node ends all the same.
			n.log.Warn("the others may not have heard that this node leaves", "err", err)
		}
	})
	return nil
}

// drain ends the work, within three quarters of the time that there is for the goodbye.
func (n *Node) drain(ctx context.Context) {
	if at, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, at.Add(-time.Until(at)/4))
		defer cancel()
	}
	if err := n.work.drain(ctx); err != nil {
		n.log.Warn("the node ends before its work does", "err", err)
	}
	if jobs := n.work.unfinished(); jobs > 0 {
		n.log.Warn("jobs submitted to this node end with it: they are kept in memory", "jobs", jobs)
	}
}
