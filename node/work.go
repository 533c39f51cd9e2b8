package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	gossipcore "github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/node/function"
	"github.com/filchsched/filch/node/home"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/guest"
)

// work is a node's part in running tasks: the jobs submitted to it, the driver that
// steals, and who executes what.
type work struct {
	driver  *steal.Driver
	table   *home.Table
	exec    *tally
	guests  *guest.Host
	runs    runs
	load    *load
	slack   slack
	decider *decider
	count   func() int // cores that are for tasks now

	engine   *exec.Engine       // nil without functions
	calls    *function.Executor // nil without functions
	commands *commands
	watchers sync.WaitGroup // for jobs to end
}

// watch runs f, which ends when a job does, or the table.
func (w *work) watch(f func()) { w.watchers.Go(f) }

func (w *work) cores() int { return w.count() }

// newWork composes it. The network is there already; nothing runs yet.
func (n *Node) newWork() (*work, error) {
	w := &work{load: newLoad(), count: n.cores}
	self := core.PeerID(n.self.identity.ID().String())
	w.table = home.New(w.load.stir)
	w.table.Wanted = func() { n.exporter.want(w.exec.busy() > 0) }
	w.slack.init(n.cores)
	w.decider = newDecider(n)
	w.commands = &commands{log: n.log, name: n.config.Name}
	kinds := map[task.Kind]steal.Executor{task.KindProc: w.commands}
	if n.knowsFunctions() {
		var err error
		if w.engine, err = exec.New(exec.Config{Workers: n.cores(), Log: n.log, Idle: w.slack.change}); err != nil {
			return nil, fmt.Errorf("tasks: %w", err)
		}
		w.calls = function.New(self, &n.functions, w.engine)
		w.calls.Owner = n
		w.calls.Own = func(p core.Piece) function.Local { return w.table.Local(p.Job) }
		kinds[task.KindFunc] = w.calls
	}
	var streams steal.Network = noStreams{}
	if n.network != nil {
		streams = peerStreams{n.network.wire}
	}
	tell := func(events ...core.Event) error { return w.driver.Tell(events...) }
	w.guests = guest.NewHost(streams, byKind(kinds), tell, n.log)
	w.guests.ID = self
	w.guests.Came = func(id core.PeerID, about guest.About) { w.runs.came(id, about, time.Now()) }
	w.guests.Went = func(id core.PeerID) { w.runs.went(id, time.Now()) }
	w.exec = newTally(self, w.guests, w.load.stir)
	w.slack.exec.Store(w.exec)
	var err error
	w.driver, err = steal.New(steal.Config{
		Core: n.coreConfig(self), Network: w.guests, Executor: w.exec, Home: learner{w.table, w.decider}, Clock: proc.Clock, Logger: n.log,
	})
	if err != nil {
		w.close()
		return nil, fmt.Errorf("tasks: %w", err)
	}
	w.table.Begin(w.driver)
	return w, nil
}

// coreConfig is what the state machine is told of this node.
func (n *Node) coreConfig(self core.PeerID) core.Config {
	c := core.Config{
		ID: self, Incarnation: n.self.incarnation, Key: n.self.taskKey, Seed: seed(),
		Cores: n.cores(), Memory: n.memory, Kinds: kindsOf(n.kinds()),
		Log: func(at time.Duration, line string) { n.log.Debug("tasks: "+line, "at", at) },
	}
	for k, v := range n.config.Labels {
		c.Labels = append(c.Labels, k+"="+v)
	}
	slices.Sort(c.Labels)
	return c
}

// seed is for choices that need not be secret, and shall not be those of others.
func seed() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:])
}

// nonce is a secret that nobody guesses.
func nonce() (n [32]byte) {
	rand.Read(n[:]) // never fails
	return n
}

// begin runs the parts.
func (w *work) begin(n *Node, begin func(string, func(context.Context) error)) {
	begin("tasks", w.driver.Run)
	begin("jobs", w.table.Run)
	begin("farewells of runs", n.takeFarewells)
	if w.engine != nil {
		begin("children for peers", func(ctx context.Context) error { return n.exporter.run(ctx, n) })
		begin("idle cores", func(ctx context.Context) error { return w.slack.run(ctx, w) })
	}
	if hashes := n.functionHashes(); len(hashes) > 0 {
		_ = w.driver.Tell(core.Functions{Hashes: hashes})
	}
	if n.network != nil {
		begin("members of stealing", n.followMembers)
		begin("explain", n.answerExplain)
		begin("load", func(ctx context.Context) error {
			return w.load.run(ctx, n.loadNow, func(l gossipcore.Load) { n.network.cluster.SetLoad(l) })
		})
	}
}

// drain hands back what has not started, and waits until nothing runs and nothing is owed to
// others, or ctx is done. Nothing is taken any more.
func (w *work) drain(ctx context.Context) error {
	w.table.Refuse()
	if err := w.driver.Tell(core.Drain{}); err != nil {
		return nil // it has ended
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		var held uint64
		if w.driver.Ask(ctx, func(c *core.Core) { held = c.Held() }) != nil {
			break
		}
		if held == 0 && w.exec.busy() == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d cores were still at work, and %d tasks of others still here", w.exec.busy(), held)
		case <-time.After(pause):
		}
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	return nil
}

// unfinished counts the jobs of this node that would be lost with it.
func (w *work) unfinished() (jobs int) {
	for _, j := range w.table.Jobs() {
		if j.Ended().IsZero() {
			jobs++
		}
	}
	return jobs
}

// close ends what executes, after the driver has ended: no command outlives the node.
func (w *work) close() {
	w.watchers.Wait()
	if w.calls != nil {
		w.calls.Close()
	}
	if w.engine != nil {
		w.engine.Close()
	}
	w.commands.Close()
}

// Guest implements control.Backend.
func (a api) Guest(ctx context.Context, conn net.Conn) error { return a.node.Guest(ctx, conn) }

// Guest takes a connection for that of a guest, such as a "filch run", and serves it until it
// ends or ctx is done. It is closed when Guest returns.
func (n *Node) Guest(ctx context.Context, conn net.Conn) error {
	if !n.isReady() {
		conn.Close()
		return errNotReady
	}
	return n.work.guests.Serve(ctx, conn)
}

// cores is how many cores are for tasks now.
func (n *Node) cores() int {
	if c := n.resized.Load(); c > 0 {
		return int(c)
	}
	return n.workers
}

// Resize changes how many cores are for tasks, from 1 on. What runs is not stopped.
func (n *Node) Resize(workers int) error {
	if workers < 1 || workers > maxWorkers {
		return fmt.Errorf("workers: %d is not between 1 and %d", workers, maxWorkers)
	}
	if !n.isReady() {
		return errNotReady
	}
	if n.work.engine != nil {
		if err := n.work.engine.Resize(workers); err != nil {
			return err
		}
	}
	n.resized.Store(int64(workers))
	if err := n.work.driver.Tell(core.Resize{Cores: workers}); err != nil {
		return ErrEnded
	}
	n.work.load.stir()
	if n.network == nil {
		return nil
	}
	return n.network.cluster.SetRecord(func(r *gossipcore.Record) { r.Cores = workers })
}

var errNotReady = errors.New("the node is not ready yet")
