package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/command"
	"github.com/filchsched/filch/node/fit"
	"github.com/filchsched/filch/node/home"
	"github.com/filchsched/filch/steal/core"
)

// A Job is a set of tasks that was submitted to a node. See its methods for waiting,
// cancelling and outcomes.
type Job = home.Job

// A TaskOutcome is what one task of a job ended in.
type TaskOutcome = home.Outcome

// JobCounts is how many tasks of a job are in which state.
type JobCounts = home.JobCounts

// Cancelled is what is known about a job's cancel.
type Cancelled = home.Cancelled

// A JobError says that a job has ended and not all of its tasks are done.
type JobError = home.JobError

// A TaskError is how a task failed, with all its retries.
type TaskError = home.TaskError

// ErrCancelled is the error of a task whose job was cancelled before it had an outcome.
var ErrCancelled = home.ErrCancelled

// ErrTooMany is wrapped by errors for what is beyond a bound.
var ErrTooMany = home.ErrTooMany

// MaxTasks is how many tasks a job may have.
const MaxTasks = home.MaxTasks

// Where bounds where tasks may run. The zero value is: anywhere.
type Where struct {
	Require    []string // labels that a node must have, "key=value" each
	On         []string // only these nodes, by name or peer ID
	Avoid      []string // not these
	Local      bool     // only the node that the job is submitted to
	MaxRunning int      // tasks at once, everywhere together; 0: no bound
}

// Common is what jobs of all kinds can ask for.
type Common struct {
	Title      string // for people
	Nice       int    // -20 to 19: its weight among the jobs of this node
	Retries    int    // failures of a task that are tried again, 0 to 255
	Cores      int    // that each task holds; 0: one
	Memory     int64  // bytes that each task may use; 0: not said
	Idempotent bool   // two copies of a task may run at the same time
	Where      Where
}

// A Command is one task of a CommandJob. Argv is executed as it is. If Line is there, too, the shell
// gets that instead where the two would not do the same; without Argv it always does.
type Command struct {
	Argv []string
	Line string
}

// A CommandJob is a job of operating-system commands.
type CommandJob struct {
	Common
	Commands []Command
	Dir      string        // where they run, an absolute path; they leave for nodes that prove they have it
	Anywhere bool          // in a scratch directory instead, on any node that runs commands
	Env      []string      // "NAME=value"; the whole environment, or with Anywhere what is declared
	Umask    int           // negative: that of the node that runs them
	Timeout  time.Duration // for one command; 0: none
	Keep     bool          // a node that is cut off goes on with what it runs
}

// A CallJob is a job of calls of one registered function, one for each of Args.
type CallJob struct {
	Common
	Function string
	Args     [][]byte // belong to the node afterwards
}

// terms are what a job of this node leases its tasks by.
func (n *Node) terms(c *Common) (core.Terms, error) {
	var t core.Terms
	switch {
	case !n.isReady():
		return t, errNotReady
	case c.Nice < -20 || c.Nice > 19:
		return t, fmt.Errorf("nice: %d is not between -20 and 19", c.Nice)
	case c.Retries < 0 || c.Retries > 255:
		return t, fmt.Errorf("retries: %d is not between 0 and 255", c.Retries)
	case c.Cores < 0 || c.Cores > maxWorkers:
		return t, fmt.Errorf("cores: %d is not between 0 (one) and %d", c.Cores, maxWorkers)
	case c.Memory < 0:
		return t, fmt.Errorf("memory: %d bytes are less than nothing", c.Memory)
	case c.Where.MaxRunning < 0:
		return t, fmt.Errorf("max running: %d is less than nothing", c.Where.MaxRunning)
	case len(c.Title) > maxTitle || strings.ContainsFunc(c.Title, unprintable):
		return t, fmt.Errorf("name of the job: at most %d bytes and no control characters", maxTitle)
	}
	t.Nice, t.Retries, t.Idempotent = int8(c.Nice), uint8(c.Retries), c.Idempotent
	t.Needs = task.Resources{Cores: c.Cores, Memory: c.Memory}
	return t, n.where(&t, &c.Where)
}

// Bounds of what a job may say of itself.
const (
	maxTitle = 256 // bytes
	maxNamed = 64  // labels or nodes in one list
)

func (n *Node) where(t *core.Terms, w *Where) (err error) {
	for what, list := range map[string][]string{"require": w.Require, "on": w.On, "avoid": w.Avoid} {
		if len(list) > maxNamed {
			return fmt.Errorf("%s: %d are more than %d", what, len(list), maxNamed)
		}
	}
	for _, l := range w.Require {
		key, value, ok := strings.Cut(l, "=")
		if !ok {
			return fmt.Errorf("require: %q is not KEY=VALUE, like rack=r1", clip(l))
		}
		if err := checkLabel(key, value); err != nil {
			return fmt.Errorf("require: %w", err)
		}
	}
	t.Where.Require, t.Where.Local, t.Where.MaxRunning = slices.Clone(w.Require), w.Local, uint32(min(w.MaxRunning, 1<<30))
	if t.Where.On, err = n.peersCalled(w.On); err != nil {
		return fmt.Errorf("on: %w", err)
	}
	if t.Where.Avoid, err = n.peersCalled(w.Avoid); err != nil {
		return fmt.Errorf("avoid: %w", err)
	}
	return nil
}

// SubmitCommands leaves a job of commands with this node, which is its home: the job lives
// as long as the node does. The job itself is ended by Job.Cancel, not by ctx. A job that no known
// member could take is refused, with the reasons counted.
func (n *Node) SubmitCommands(ctx context.Context, c CommandJob) (*Job, error) {
	t, err := n.terms(&c.Common)
	if err != nil {
		return nil, err
	}
	if len(c.Commands) == 0 {
		return nil, errors.New("a job needs at least one command")
	}
	t.Kind, t.Keep, t.Name = task.KindProc, c.Keep, program(c.Commands[0])
	header := command.Header{
		Dir: c.Dir, Anywhere: c.Anywhere, Env: c.Env, Umask: c.Umask, Timeout: c.Timeout,
		Cores: c.Cores, Memory: c.Memory, Job: c.Title,
	}
	if c.Anywhere {
		header.Dir = ""
	}
	s := home.Submission{Title: c.Title, Show: showCommand, Open: openResult}
	if s.Header, err = header.Append(nil); err != nil {
		return nil, err
	}
	for i, one := range c.Commands {
		body := command.Body{Argv: one.Argv, Line: one.Line, Seq: uint64(i + 1), Attempt: 1}
		b, err := body.Append(nil)
		if err != nil {
			return nil, fmt.Errorf("command %d: %w", i+1, err)
		}
		s.Bodies = append(s.Bodies, b)
	}
	var proof *proofFile
	if !c.Anywhere && !t.Where.Local && n.network != nil {
		if proof, err = newProofFile(c.Dir); err != nil {
			// Nobody can prove what cannot be written: the commands stay here.
			n.log.Info("a job's commands stay on this node: its directory cannot be proved to others", "dir", c.Dir, "err", err)
			t.Where.Local = true
		} else {
			t.Where.Dir = &proof.dir
		}
	}
	s.Terms = t
	if n.Joined() { // else those who could may still come
		err = fit.Check(&t, n.Members()).Err()
	}
	if err != nil {
		proof.remove()
		return nil, err
	}
	j, err := n.work.table.Submit(ctx, s)
	if err != nil {
		proof.remove()
		return nil, err
	}
	if proof != nil {
		n.work.watch(func() { <-j.Done(); proof.remove() })
	}
	return j, nil
}

// program is what estimates of a command are kept by: its first word.
func program(c Command) string {
	const most = 128
	name := "sh"
	if len(c.Argv) > 0 {
		name = filepath.Base(c.Argv[0])
	} else if words := strings.Fields(c.Line); len(words) > 0 {
		name = filepath.Base(words[0])
	}
	return name[:min(len(name), most)]
}

// showCommand tells people what a command is.
func showCommand(body []byte) string {
	b, err := command.DecodeBody(body)
	switch {
	case err != nil:
		return ""
	case b.Line != "":
		return b.Line
	}
	return strings.Join(b.Argv, " ")
}

// openResult takes a command's result apart.
func openResult(value []byte) (home.Printed, error) {
	r, err := command.DecodeResult(value)
	return home.Printed{Stdout: r.Stdout, Stderr: r.Stderr, Signal: r.Signal, Reason: r.Reason}, err
}

// SubmitCalls leaves a job of calls with this node. It need not know the function itself;
// then others run the calls.
func (n *Node) SubmitCalls(ctx context.Context, c CallJob) (*Job, error) {
	t, err := n.terms(&c.Common)
	if err != nil {
		return nil, err
	}
	if err := n.startsAt(c.Function, &t); err != nil {
		return nil, err
	}
	t.Kind, t.Name = task.KindFunc, c.Function
	return n.work.table.Submit(ctx, home.Submission{Title: c.Title, Terms: t, Header: []byte(c.Function), Bodies: c.Args})
}

// startsAt keeps calls away from this node if it does not know the function: its own tasks
// are tried here whatever it announces.
func (n *Node) startsAt(function string, t *core.Terms) error {
	if n.functions.Lookup(function) != nil {
		return nil
	}
	if n.network == nil || t.Where.Local {
		return fmt.Errorf("there is no function %q here; register it first", clip(function))
	}
	t.Where.Avoid = append(t.Where.Avoid, core.PeerID(n.self.identity.ID().String()))
	return nil
}

// CallOptions are the terms of calls.
type CallOptions struct {
	Common
	Function string
}

// Calls are the calls of one function under one set of options: Call waits, Go calls
// back. See Node.Calls.
type Calls = home.Calls

// Calls returns what calls a function, on this node or wherever a node takes the call
// from it. Keep it: looking it up costs more than a call.
func (n *Node) Calls(ctx context.Context, o CallOptions) (*Calls, error) {
	t, err := n.terms(&o.Common)
	if err != nil {
		return nil, err
	}
	if err := n.startsAt(o.Function, &t); err != nil {
		return nil, err
	}
	t.Name = o.Function
	if !o.plain() {
		if err := n.capable(&t); err != nil {
			return nil, err
		}
	}
	return n.work.table.Calls(ctx, t)
}

// Call calls a function once and returns what it returned. An error of the function's is a
// *TaskError. args must not be changed before the function has returned.
func (n *Node) Call(ctx context.Context, function string, args []byte) ([]byte, error) {
	c, err := n.Calls(ctx, CallOptions{Function: function})
	if err != nil {
		return nil, err
	}
	return c.Call(ctx, args)
}

// Jobs returns the jobs that were submitted to this node, the oldest first. Ended ones are
// forgotten when there are many.
func (n *Node) Jobs() []*Job {
	if !n.isReady() {
		return nil
	}
	return n.work.table.Jobs()
}

// A proofFile is a file in a job's directory, by which others prove that they have the
// same one.
type proofFile struct{ dir core.Dir }

func newProofFile(dir string) (*proofFile, error) {
	f, err := os.CreateTemp(dir, ".filch-proof-*") // mode 0600
	if err != nil {
		return nil, err
	}
	p := &proofFile{core.Dir{Path: dir, File: filepath.Base(f.Name()), Nonce: nonce()}}
	_, err = f.Write(p.dir.Nonce[:])
	if err = errors.Join(err, f.Close()); err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

// remove removes it; a nil one is none.
func (p *proofFile) remove() {
	if p != nil {
		_ = os.Remove(filepath.Join(p.dir.Path, p.dir.File)) // what is left is harmless
	}
}
