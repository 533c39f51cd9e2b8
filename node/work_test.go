//go:build unix

package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/control"
)

// square is a function that tests call: it waits as long as told, and squares.
func square(ctx context.Context, args []byte) ([]byte, error) {
	n := binary.LittleEndian.Uint64(args)
	if wait := binary.LittleEndian.Uint64(args[8:]); wait > 0 {
		select {
		case <-time.After(time.Duration(wait)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if n%100 == 99 {
		return nil, fmt.Errorf("%d is a bad number", n)
	}
	return binary.LittleEndian.AppendUint64(nil, n*n), nil
}

func argument(n uint64, wait time.Duration) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, n), uint64(wait))
}

// cluster starts real nodes on loopback, which know each other when it returns.
func cluster(t *testing.T, configs ...Config) []*Node {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) }) // after they have ended
	var nodes []*Node
	for i, c := range configs {
		c.Name, c.Listen, c.DrainTimeout = fmt.Sprintf("n%d", i), []string{"127.0.0.1:0"}, 5*time.Second
		if i > 0 {
			join, err := nodes[0].JoinString(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c.Join = []string{join}
		}
		n, err := Start(context.WithoutCancel(t.Context()), c)
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, n)
		t.Cleanup(func() {
			if err := n.Drain(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	for _, n := range nodes {
		until(t, n, func() bool {
			known := 0
			for _, m := range n.Members() {
				if m.State == control.StateAlive && m.Cores > 0 {
					known++
				}
			}
			return known == len(nodes)
		})
	}
	return nodes
}

// until waits for the node's events until f is true.
func until(t *testing.T, n *Node, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if f() {
		return
	}
	for range n.Watch(ctx) {
		if f() {
			return
		}
	}
	t.Fatal("it did not come to that")
}

func withSquare(workers int) Config {
	return Config{Workers: workers, Functions: map[string]Function{"square": square}}
}

// checkSquares tells whether each of n tasks has its one outcome, and the right one.
func checkSquares(t *testing.T, j *Job, n int) (hosts map[string]int) {
	t.Helper()
	hosts = make(map[string]int)
	seen := make([]bool, n)
	for o := range j.Results(t.Context()) {
		if seen[o.Index] {
			t.Fatalf("task %d has two outcomes", o.Index)
		}
		seen[o.Index] = true
		hosts[o.Host]++
		switch {
		case o.Index%100 == 99:
			if o.State != task.Failed || !strings.Contains(o.Reason, "bad number") {
				t.Fatalf("%+v", o)
			}
		case o.State != task.Done || binary.LittleEndian.Uint64(o.Result) != uint64(o.Index*o.Index):
			t.Fatalf("%+v", o)
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Fatalf("task %d has no outcome", i)
	}
	return hosts
}

func squares(n int, wait time.Duration) CallJob {
	c := CallJob{Function: "square"}
	for i := range n {
		c.Args = append(c.Args, argument(uint64(i), wait))
	}
	return c
}

// TestAloneNodeRunsJobs of functions and of commands.
func TestAloneNodeRunsJobs(t *testing.T) {
	defer goleak.VerifyNone(t)
	n, err := Start(t.Context(), withSquare(2))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Drain(context.Background())
	j, err := n.SubmitCalls(t.Context(), squares(1000, 0))
	if err != nil {
		t.Fatal(err)
	}
	checkSquares(t, j, 1000)
	if v, err := n.Call(t.Context(), "square", argument(12, 0)); err != nil || binary.LittleEndian.Uint64(v) != 144 {
		t.Errorf("%v, %v", v, err)
	}
	var failed *TaskError
	if _, err := n.Call(t.Context(), "square", argument(99, 0)); !errors.As(err, &failed) || failed.Node != n.ID() {
		t.Errorf("%v", err)
	}
	if _, err := n.Call(t.Context(), "nobody", nil); err == nil || !strings.Contains(err.Error(), "register it first") {
		t.Errorf("an unknown function: %v", err)
	}
	dir := t.TempDir()
	c, err := n.SubmitCommands(t.Context(), CommandJob{Common: Common{Title: "few"}, Dir: dir, Umask: -1, Commands: []Command{
		{Argv: []string{"/bin/sh", "-c", "pwd; echo $FILCH_JOB_ID"}}, {Line: "echo oh >&2; exit 3"}, {Line: "kill -9 $$"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "2 of 3 tasks failed") {
		t.Errorf("%v", err)
	}
	for i, want := range []string{"done 0 " + dir + "\nfew\n||" + n.ID(), "failed 3 |oh\n|" + n.ID(), "failed 137 |||" + n.ID()} {
		o, err := c.Outcome(i)
		want = strings.Replace(want, "|||", "||", 1)
		if got := fmt.Sprintf("%v %d %s|%s|%s", o.State, o.Exit, o.Stdout, o.Stderr, o.Host); got != want || err != nil {
			t.Errorf("command %d: %q, want %q, %v", i, got, want, err)
		}
	}
}

// TestPeersTakeWork: a job submitted on one of three nodes is run by all, exactly; any of
// them can explain its tasks, and both sides count what was stolen.
func TestPeersTakeWork(t *testing.T) {
	nodes := cluster(t, withSquare(1), withSquare(1), withSquare(1))
	const tasks = 300
	j, err := nodes[0].SubmitCalls(t.Context(), squares(tasks, 5*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	hosts := checkSquares(t, j, tasks)
	for _, n := range nodes {
		if hosts[n.ID()] == 0 {
			t.Errorf("%s ran nothing: %v", n.config.Name, hosts)
		}
	}
	for _, n := range nodes {
		e, err := n.Explain(t.Context(), fmt.Sprintf("n0/%s/0", shortID(j)))
		if err != nil || e.State != control.TaskDone || e.Ended == nil || e.Home != "n0" || e.Runs != "square" || len(e.Story) < 2 || len(e.Peers) == 0 {
			t.Errorf("%s explains: %+v, %v", n.config.Name, e, err)
		}
		if story := strings.Join(e.Story, "\n"); !strings.Contains(story, "now committed") || strings.Contains(story, n.ID()) {
			t.Errorf("%s tells: %s", n.config.Name, story)
		}
	}
	var refusal *control.Error
	if _, err := nodes[1].Explain(t.Context(), j.ID.String()+"/300"); !errors.As(err, &refusal) || refusal.Status != 404 || !strings.Contains(err.Error(), "tasks 0 to 299") {
		t.Errorf("a task that there is not: %v", err)
	}
	for i, n := range nodes {
		s, err := n.Steals(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var here, there uint64
		for _, x := range s.Steals {
			if x.Level != "host" {
				t.Errorf("%s: level %s", n.config.Name, x.Level)
			}
			if x.Thief == n.config.Name {
				here += x.Tasks
			} else {
				there += x.Tasks
			}
		}
		if i == 0 && (here != 0 || there != tasks-uint64(hosts[n.ID()])) || i > 0 && here < uint64(hosts[n.ID()]) {
			t.Errorf("%s counts %+v, but ran %d of %d", n.config.Name, s.Steals, hosts[n.ID()], tasks)
		}
	}
}

func shortID(j *Job) string { _, id, _ := strings.Cut(j.ID.String(), "/"); return id }

// TestPeerLeavesMidway: what a peer had is run by others when it drains, and every task has
// its one outcome.
func TestPeerLeavesMidway(t *testing.T) {
	nodes := cluster(t, withSquare(1), withSquare(1))
	const tasks = 200
	j, err := nodes[0].SubmitCalls(t.Context(), squares(tasks, 10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := 0
	for o := range j.Results(t.Context()) {
		if o.Host == nodes[1].ID() {
			if elsewhere++; elsewhere == 5 {
				break
			}
		}
	}
	if err := nodes[1].Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if hosts := checkSquares(t, j, tasks); hosts[nodes[0].ID()] < tasks/4 {
		t.Errorf("%v", hosts)
	}
}

// TestCancelStopsPeers: when a job has stopped, nothing of it runs at a peer either.
func TestCancelStopsPeers(t *testing.T) {
	running := make(chan struct{}, 16)
	ended := make(chan struct{}, 16)
	c := Config{Workers: 1, Functions: map[string]Function{"wait": func(ctx context.Context, _ []byte) ([]byte, error) {
		running <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return nil, ctx.Err()
	}}}
	nodes := cluster(t, c, c)
	j, err := nodes[0].SubmitCalls(t.Context(), CallJob{Function: "wait", Args: make([][]byte, 10)})
	if err != nil {
		t.Fatal(err)
	}
	<-running
	<-running // one at each node
	got, err := j.Cancel(t.Context())
	if err != nil || !got.Accepted || !got.Stopped || len(ended) != 2 {
		t.Errorf("%+v, %v, %d ended", got, err, len(ended))
	}
	if c := j.Counts(); c.Cancelled != 10 {
		t.Errorf("%+v", c)
	}
}

// TestCommandsGoWhereTheyMay: with the home's directory to peers that prove it, and only to
// those that accept commands.
func TestCommandsGoWhereTheyMay(t *testing.T) {
	accepting := Config{Workers: 1, Accept: []string{KindExec}}
	nodes := cluster(t, Config{Workers: 1}, accepting, Config{Workers: 1})
	dir := t.TempDir()
	c := CommandJob{Dir: dir, Umask: -1}
	for range 12 {
		c.Commands = append(c.Commands, Command{Argv: []string{"/bin/sh", "-c", "sleep 0.2; pwd"}})
	}
	j, err := nodes[0].SubmitCommands(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	hosts := make(map[string]int)
	for o := range j.Results(t.Context()) {
		hosts[o.Host]++
		if o.State != task.Done || string(o.Stdout) != dir+"\n" {
			t.Errorf("%+v", o)
		}
	}
	if hosts[nodes[0].ID()] == 0 || hosts[nodes[1].ID()] == 0 || hosts[nodes[2].ID()] != 0 {
		t.Errorf("%v", hosts)
	}
	on := CommandJob{Common: Common{Where: Where{On: []string{"n1"}}}, Anywhere: true, Umask: -1, Env: []string{"A=b"}, Commands: []Command{{Line: "echo $A"}}}
	if j, err = nodes[2].SubmitCommands(t.Context(), on); err != nil {
		t.Fatal(err)
	}
	if err := j.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o, _ := j.Outcome(0); o.Host != nodes[1].ID() || string(o.Stdout) != "b\n" {
		t.Errorf("%+v", o)
	}
}

// TestIdleNodesAreStill: where nothing is submitted nobody looks at the load. (The state
// machine's own heartbeats, for standing offers, are package core's to bound.)
func TestIdleNodesAreStill(t *testing.T) {
	nodes := cluster(t, withSquare(1), withSquare(1))
	if v, err := nodes[0].Call(t.Context(), "square", argument(3, 0)); err != nil || binary.LittleEndian.Uint64(v) != 9 {
		t.Fatal(v, err)
	}
	looks := func() uint64 { return nodes[0].work.load.looks.Load() + nodes[1].work.load.looks.Load() }
	// It settles some seconds after the last task; how soon is not what is tested.
	ticks := time.NewTicker(2 * loadPeriod)
	defer ticks.Stop()
	for last, now := uint64(0), looks(); now != last; last, now = now, looks() {
		select {
		case <-ticks.C:
		case <-t.Context().Done():
			t.Fatal("it does not come to rest")
		}
	}
}

// TestManyCalls: calls come back right, whatever node runs them, and in no more events than
// the driver has time for.
func TestManyCalls(t *testing.T) {
	nodes := cluster(t, withSquare(1), withSquare(1))
	calls, err := nodes[0].Calls(t.Context(), CallOptions{Function: "square"})
	if err != nil {
		t.Fatal(err)
	}
	const many = 20_000
	var bad, all atomic.Int64
	done := make(chan struct{})
	for n := range uint64(many) {
		err := calls.Go(t.Context(), argument(n, 0), func(v []byte, err error) {
			if n%100 == 99 && err == nil || n%100 != 99 && (err != nil || binary.LittleEndian.Uint64(v) != n*n) {
				bad.Add(1)
			}
			if all.Add(1) == many {
				close(done)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	<-done
	if bad.Load() > 0 {
		t.Errorf("%d of %d calls returned what is wrong", bad.Load(), many)
	}
}
