package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/command"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/guest"
)

// A spread is a run over this machine and peers. The run is home of its commands and a
// guest of the local node, which is their one holder: it lends cores for those that run
// here, and passes others on. Rows become errands (errands.go), errands are committed one by
// one (settle.go), and what runs here is executed here (lendhere.go).
//
// If the node goes, the run goes on alone, with its own state machine's idea of cores.
type spread struct {
	*execution
	cluster *localCluster
	link    *guest.Link
	driver  *steal.Driver
	own     *command.Executor
	terms   core.Terms
	header  []byte
	shared  *command.Header // the same; with --anywhere also for what runs here
	proof   *proof
	host    core.PeerID // this run's name
	runner  *proc.Runner
	memory  room

	here    bool                   // this machine may run commands of this run
	nobody  atomic.Pointer[string] // why nobody can take a command; nil: somebody can
	extra   int                    // cores that --jobs has beyond those of the node
	job     core.JobID
	told    chan core.Effect // Stopped or Unconfirmed
	settled chan struct{}    // closed when outcomes are closed and all have been told
	errands errands
	outcome outcomes
	names   names
}

// maxAhead is how many rows are read ahead of those that have ended: enough for peers to take many
// at once, and each is a few hundred bytes.
const maxAhead = 4096

// newSpread makes this run a guest of the local node, or of one of its own that joins a cluster. It is
// nil when there is neither, or the command line needs this machine.
func newSpread(ctx context.Context, x *execution, runner *proc.Runner) (*spread, error) {
	o := &x.plan.spreadOptions
	if o.local {
		return nil, nil
	}
	home, away := x.plan.homebound(x.template), o.spreads(x.plan.given) || o.anywhere || o.joins()
	if home != "" && away {
		return nil, fmt.Errorf("%s needs commands that run here: leave it out, or what says where else they may run", home)
	}
	s := &spread{execution: x, runner: runner, host: guest.NewID(), told: make(chan core.Effect, 1), settled: make(chan struct{})}
	var err error
	if s.cluster, err = s.enter(ctx, home); err != nil {
		return nil, err
	}
	switch {
	case s.cluster == nil && away:
		return nil, errNoNode
	case s.cluster == nil:
		return nil, nil
	case home != "":
		if othersExecute(s.cluster.members) && !x.plan.quiet {
			fmt.Fprintf(x.streams.err, "filch: with %s commands run on this machine only\n", home)
		}
		return nil, nil
	}
	if s.terms, err = s.makeTerms(); err == nil {
		err = s.makeHeader()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.extra = s.beyond()
	if err := s.takers(); err != nil {
		s.close()
		return nil, err
	}
	if s.link, err = becomeGuest(ctx, s.cluster.client, s.host, max(1, s.jobs-s.extra), s.about()); err != nil {
		s.close()
		if away {
			return nil, err
		}
		if !x.plan.quiet {
			fmt.Fprintf(x.streams.err, "filch: commands run on this machine only: %v\n", err)
		}
		return nil, nil
	}
	s.memory.free = usableMemory()
	s.names.init(s.cluster)
	s.outcome.init()
	return s, nil
}

// enter finds the cluster that the run spreads over: that of this machine's node, else the one that the run is
// told to join; nil is none. home is what needs this machine, if anything does.
func (s *spread) enter(ctx context.Context, home string) (*localCluster, error) {
	o := &s.plan.spreadOptions
	environment := node.EnvironmentSettings(os.LookupEnv)
	var invited invitation
	if home == "" && o.node.path() == "" {
		var err error
		if invited, err = o.invitation(&environment); err != nil {
			return nil, err
		}
	}
	cluster, err := o.findCluster(ctx)
	if err != nil {
		return nil, err
	}
	if cluster != nil {
		if err := invited.beside(cluster.node); err != nil {
			return nil, err
		}
	}
	if !s.plan.quiet {
		invited.announce(s.streams.err, cluster)
	}
	if cluster != nil || len(invited.strings) == 0 {
		return cluster, nil
	}
	own, err := invited.joinAs(ctx, s.engineConfig().Workers, &environment)
	if err != nil {
		return nil, err
	}
	if cluster, err = newLocalCluster(ctx, own); err != nil {
		own.close()
		return nil, err
	}
	cluster.own = own
	return cluster, nil
}

// about is what this run is called by people.
func (s *spread) about() guest.About {
	return guest.About{Job: s.plan.jobName, Runs: strings.Join(s.given, " ")}
}

// beyond is how many commands --jobs allows at a time that the node has no cores for: whoever asks for
// more than there are wants them, for commands that mostly wait.
func (s *spread) beyond() int {
	w := &s.terms.Where
	self := core.PeerID(s.cluster.node.ID)
	if !s.plan.given("jobs") && !s.plan.given("max-procs") || s.elsewhere(self) || w.MaxRunning > 0 {
		return 0
	}
	return max(0, s.engineConfig().Workers-s.cluster.node.Workers)
}

// elsewhere tells whether commands are to run on others than this machine.
func (s *spread) elsewhere(self core.PeerID) bool {
	w := &s.terms.Where
	return len(w.On) > 0 && !slices.Contains(w.On, self) || slices.Contains(w.Avoid, self)
}

// makeTerms says on what terms commands may be had.
func (s *spread) makeTerms() (core.Terms, error) {
	o := &s.plan.spreadOptions
	where, err := o.where(s.cluster.node, s.cluster.members)
	if err != nil {
		return core.Terms{}, err
	}
	t := core.Terms{
		Name: "exec " + s.program(), Kind: task.KindProc, Idempotent: o.idempotent, Keep: o.cutOff == cutOffKeep,
		Retries: uint8(s.plan.retries - 1), CrashLimit: uint8(o.crashLimit), Needs: s.plan.needs, Nice: int8(s.plan.nice), Where: where,
	}
	if o.anywhere || where.Local {
		return t, nil
	}
	if s.cluster.node.Cluster == "" { // a node on its own: nobody to prove anything
		t.Where.Local = true
		return t, nil
	}
	if s.proof, err = newProof(s.directory()); err != nil {
		t.Where.Local = true
		if !s.plan.quiet {
			fmt.Fprintf(s.streams.err, "filch: commands run on this machine only, because peers cannot prove that they have this directory: %v (--anywhere does without)\n", err)
		}
		return t, nil
	}
	t.Where.Dir = &s.proof.dir
	return t, nil
}

// program is what estimates are kept by: the first word of the command, even if a shell runs it.
func (s *spread) program() string {
	if p := s.template.Program(); p != "" {
		return filepath.Base(p)
	}
	if words := strings.Fields(strings.Join(s.given, " ")); len(words) > 0 {
		return filepath.Base(words[0])
	}
	return "sh"
}

// directory is where commands run.
func (s *spread) directory() string {
	dir, err := filepath.Abs(s.plan.dir)
	if err != nil {
		return s.plan.dir
	}
	return dir
}

// makeHeader encodes what all commands have in common.
func (s *spread) makeHeader() (err error) {
	h := &command.Header{Umask: ownUmask(), Cores: s.plan.needs.Cores, Memory: s.plan.needs.Memory, Job: s.plan.jobName}
	if s.plan.anywhere {
		h.Anywhere, h.Env = true, s.plan.declared()
	} else {
		h.Dir = s.directory()
		for _, kv := range os.Environ() {
			if name, _, _ := strings.Cut(kv, "="); name != "" && name != "PWD" {
				h.Env = append(h.Env, kv)
			}
		}
		h.Env = append(h.Env, "PWD="+h.Dir)
	}
	s.shared = h
	s.header, err = h.Append(nil)
	return err
}

// close ends the link, removes the proof, and leaves a cluster that the run joined. A nil *spread is none.
func (s *spread) close() {
	if s == nil {
		return
	}
	if s.link != nil {
		s.link.Close()
	}
	s.proof.remove()
	s.cluster.own.close()
}

// run feeds every row, waits until each has its outcome or the run is cut short, and returns with
// nothing of it left running.
func (s *spread) run() error {
	ctx, cancel := context.WithCancel(context.Background())
	s.own = command.NewOwn(s.execute)
	var parts sync.WaitGroup
	defer parts.Wait()
	defer cancel()
	defer s.link.Close()
	if err := s.drive(ctx, &parts); err != nil {
		return err
	}
	// In this order: nothing more is lent, what runs here ends, and then those who were told of it.
	defer s.own.Close()
	working, enough := context.WithCancel(ctx)
	defer enough()
	var err error
	if s.job, err = s.driver.Submit(ctx, s.terms, 0); err != nil {
		return err
	}
	s.errands.init(s.ahead())
	s.tellStory(ctx)
	defer s.sayGoodbye()
	parts.Go(func() { s.settleAll() })
	defer s.outcome.close()
	parts.Go(func() { s.work(working) })
	parts.Go(func() { s.watchTakers(working) })

	fed := make(chan error, 1)
	go func() { fed <- s.feedAll() }() // may wait for input that never comes, and is left behind then
	select {
	case err = <-fed:
	case <-s.feed.Done():
	}
	s.errands.close()
	select {
	case <-s.errands.done:
		return err
	case <-s.feed.Done():
	}
	return errors.Join(err, s.windUp(ctx))
}

// drive starts the driver.
func (s *spread) drive(ctx context.Context, parts *sync.WaitGroup) (err error) {
	c := core.Config{
		ID: s.host, Incarnation: 1, Cores: s.extra, Host: s.link.Node(), Kinds: []task.Kind{task.KindProc},
		Labels: s.cluster.labels(), Memory: s.memory.free, Story: storyLines,
	}
	rand.Read(c.Key[:])
	var seed [8]byte
	rand.Read(seed[:])
	c.Seed = binary.NativeEndian.Uint64(seed[:])
	s.driver, err = steal.New(steal.Config{
		Core: c, Network: s.link, Executor: s.link.Executor(s.own), Home: (*spreadHome)(s), Clock: proc.Clock,
	})
	if err == nil {
		parts.Go(func() { s.driver.Run(ctx) })
	}
	return err
}

// work runs what the node lends cores for, until it is gone; then what there is on our own account.
func (s *spread) work(ctx context.Context) {
	err := s.link.Work(ctx, s.own, s.driver.Tell)
	if ctx.Err() != nil {
		return
	}
	why := ""
	if err != nil {
		why = ": " + err.Error()
	}
	if !s.here || len(s.terms.Where.On) > 0 || s.elsewhere(core.PeerID(s.cluster.node.ID)) {
		s.stop(fmt.Errorf("the node of this machine, through which others are reached, does not answer any more%s", why))
		return
	}
	s.notice("the node of this machine does not answer any more: going on alone%s", why)
	s.driver.Tell(core.Resize{Cores: s.engineConfig().Workers})
}

// ahead is how many rows may be under way.
func (s *spread) ahead() int {
	if s.plan.wantsTotal() {
		return manyQueued
	}
	return maxAhead
}

// feedAll makes an errand of every row.
func (s *spread) feedAll() error {
	n := int64(0)
	for ; s.feed.Err() == nil; n++ {
		row, err := s.rows.Next()
		if err == io.EOF {
			s.status.total(n)
			s.haltIf(func(h *parallel.Halter) bool { return h.Total(n) })
			return nil
		}
		if err != nil {
			return err
		}
		line := s.template.Line(row)
		if s.log.has(row.Seq, line) {
			s.status.skipped()
			s.pass(row)
			continue
		}
		if _, err := s.command(row, line); err != nil { // no node could run it, nor be told why
			if err := s.failUnmade(finished{row: row, line: line}, err); err != nil {
				return err
			}
			continue
		}
		if !s.errands.add(s.feed, &errand{row: row, line: line}) {
			break
		}
		if err := s.driver.Tell(core.Extend{Job: s.job, N: 1}); err != nil {
			return err
		}
	}
	return context.Cause(s.feed)
}

const (
	// lookEvery is how often it is looked whether what runs has ended, when nothing new is started.
	lookEvery = 20 * time.Millisecond
	// stopWithin is how long a run that is stopped waits for peers to confirm that. What they had is
	// stopped all the same when the node sees that we are gone.
	stopWithin = 5 * time.Second
)

// windUp ends a run that is cut short: what runs may end by itself, unless the run is stopped, too.
func (s *spread) windUp(ctx context.Context) error {
	if s.stopper.run.Err() == nil {
		s.driver.Tell(core.PauseJob{Job: s.job, On: true})
		s.untilIdle(ctx)
	}
	if err := s.driver.Tell(core.CancelJob{Job: s.job}); err != nil {
		return err
	}
	late := time.NewTimer(stopWithin)
	defer late.Stop()
	select {
	case e := <-s.told:
		if u, ok := e.(core.Unconfirmed); ok {
			s.notice("it is not confirmed that all commands have ended on %s", s.names.list(u.Peers))
		}
	case <-late.C:
		s.notice("not all nodes have confirmed within %v that their commands have ended", stopWithin)
	}
	s.outcome.close()
	<-s.settled
	s.errands.drain(s.pass)
	return context.Cause(s.feed)
}

// untilIdle waits until nothing of a paused job is anywhere, or the run is stopped.
func (s *spread) untilIdle(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		held := uint64(0)
		err := s.driver.Ask(ctx, func(c *core.Core) { _, held, _ = c.Counts(s.job) })
		if err != nil || held == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-s.stopper.run.Done():
			return
		}
	}
}
