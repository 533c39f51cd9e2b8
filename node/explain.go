package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/node/fit"
	"github.com/filchsched/filch/node/story"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// Limits of it. An account has at most some thousand lines.
const (
	explainedAtOnce   = 8           // that this node answers; more are told to ask again
	maxExplainedPeers = 32          // in an answer
	maxAccounts       = 16          // of others that had a task
	heldPatience      = time.Second // for those: one that is gone is no reason to wait for long
	maxSearched       = 256         // members that are asked whose a run is
	searchedAtOnce    = 16
)

// A taskName is what people call a task: of a job, or of a run that this node or another one knows.
type taskName struct {
	job   core.JobID
	run   string      // ID, the beginning of one, or name; "": it is of a job
	node  core.PeerID // where the run is; "": not said
	index uint64
}

// withoutChildren is the name of the task whose child s names, INDEX.CHILD…: what became of a child is part of its parent's account,
// since it is of the parent's attempt, and where it did not leave the parent's node nobody else knows of it.
func withoutChildren(s string) string {
	head, last := "", s
	if k := strings.LastIndexByte(s, '/'); k >= 0 {
		head, last = s[:k+1], s[k+1:]
	}
	index, children, ok := strings.Cut(last, ".")
	if !ok || head == "" || index == "" || strings.Trim(index+children, "0123456789.") != "" {
		return s
	}
	return head + index
}

// parseTask reads JOB/INDEX (see parseJob), RUN/INDEX or NODE/RUN/INDEX.
func (n *Node) parseTask(s string) (t taskName, err error) {
	s = withoutChildren(s)
	parts := strings.Split(s, "/")
	last := len(parts) - 1
	index, bad := strconv.ParseUint(parts[last], 10, 64)
	if bad != nil || last == 0 || slices.Contains(parts, "") {
		_, _, err = n.parseJob(s, true)
		if err == nil {
			err = errNoJobID
		}
		return t, err
	}
	t.index = index
	parts = parts[:last]
	numbered := isJobNumber(parts[last-1])
	if numbered && strings.HasPrefix(parts[0], "run-") && len(parts) > 1 { // as logs call it
		parts, numbered = parts[:len(parts)-1], false
	}
	switch {
	case numbered || len(parts) > 2:
		t.job, t.index, err = n.parseJob(s, true)
	case len(parts) == 2:
		t.run = parts[1]
		t.node, err = n.peerCalled(parts[0])
	default:
		t.run = parts[0]
	}
	return t, err
}

// isJobNumber tells START.NUMBER from the name of a run.
func isJobNumber(s string) bool {
	start, number, ok := strings.Cut(s, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return ok && digits(start) && digits(number)
}

// Explain tells what happened to a task, JOB/INDEX, and why, wherever it was submitted.
func (n *Node) Explain(ctx context.Context, which string) (control.Explanation, error) {
	if err := (api{n}).up(); err != nil {
		return control.Explanation{}, err
	}
	t, err := n.parseTask(which)
	if err != nil {
		return control.Explanation{}, wrong(err)
	}
	self := core.PeerID(n.self.identity.ID().String())
	switch {
	case t.run == "" && t.job.Home == self:
		return n.explainOwn(ctx, t.job, t.index)
	case t.run == "":
		return n.askHome(ctx, t.job.Home, fmt.Sprintf("%v/%d", t.job, t.index))
	case t.node != "" && t.node != self:
		return n.askHome(ctx, t.node, fmt.Sprintf("%s/%d", t.run, t.index))
	}
	if k, known := n.work.runs.called(t.run); known {
		return n.explainRun(ctx, &k, t.index)
	}
	if t.node == self {
		return control.Explanation{}, noRun(t.run, "here")
	}
	return n.searchRun(ctx, t)
}

// noRunCalled begins the answer of a node that knows no run of a name.
const noRunCalled = "no run is called"

func noRun(name, where string) error {
	return &control.Error{
		Status: http.StatusNotFound, Message: fmt.Sprintf(noRunCalled+" %q %s", clip(name), where), Reason: control.ReasonNotFound,
		Hint: "\"filch jobs --runs\" lists those of a node; a job is called NODE/START.NUMBER",
	}
}

// Explain implements control.Backend.
func (a api) Explain(ctx context.Context, which string) (control.Explanation, error) {
	return a.node.Explain(ctx, which)
}

// explainOwn is the story of a task of this node's.
func (n *Node) explainOwn(ctx context.Context, id core.JobID, index uint64) (control.Explanation, error) {
	e := control.Explanation{Task: fmt.Sprintf("%v/%d", id, index), Home: n.config.Name, State: control.TaskWaiting}
	name, kind, ok := n.work.table.Owns(id)
	if !ok {
		return e, &control.Error{Status: http.StatusNotFound, Message: "there is no job " + id.String() + " at its home " + n.config.Name, Reason: control.ReasonNotFound, Hint: "jobs that ended are forgotten when there are many, and with the node"}
	}
	e.Runs, e.Kind = name, string(kind)
	if j := n.work.table.Job(id); j != nil {
		o, err := j.Outcome(int(min(index, 1<<31)))
		if err != nil {
			return e, &control.Error{Status: http.StatusNotFound, Message: err.Error(), Reason: control.ReasonNotFound}
		}
		v, t := viewJob(j), n.viewTask(j, o)
		e.Job, e.State, e.Runs = &v, t.State, t.Runs
		if o.State != 0 {
			e.Ended = &t
		}
	}
	return e, n.complete(ctx, &e, id, index)
}

// account is what this node's state machine knows of a task, whosever it is.
func (n *Node) account(ctx context.Context, id core.JobID, index uint64) (control.Account, error) {
	var s core.Story
	var c story.Clock
	var terms core.Terms
	if err := n.work.driver.Ask(ctx, func(x *core.Core) {
		terms, _ = x.Terms(id)
		s, c = x.ExplainTask(id, index), story.Clock{Now: proc.Clock(), Wall: time.Now()}
	}); err != nil {
		return control.Account{}, wrong(err)
	}
	if s.Home && len(s.Waits) > 0 && terms.Kind == task.KindProc {
		if err := fit.Check(&terms, n.Members()).Err(); err != nil {
			s.Waits = append(s.Waits, err.Error())
		}
	}
	return story.Of(core.PeerID(n.self.identity.ID().String()), &s, c), nil
}

// complete adds the accounts of this node and of those that had the task from it, and puts all into words
// for people: names of nodes, and what is known of these.
func (n *Node) complete(ctx context.Context, e *control.Explanation, id core.JobID, index uint64) error {
	own, err := n.account(ctx, id, index)
	if err != nil {
		return err
	}
	if !story.Empty(&own) {
		e.Accounts = append(e.Accounts, own)
	}
	n.askHolders(ctx, e, fmt.Sprintf("%v/%d", id, index))
	if e.Accounts == nil {
		e.Accounts = []control.Account{}
	}
	all := n.Members()
	story.Name(e.Accounts, func(peer string) string {
		if e.Run != nil && peer == e.Run.ID {
			return "the run"
		}
		return nameAmong(all, peer)
	})
	e.Peers = []control.Peer{}
	for _, m := range all {
		if len(e.Peers) < maxExplainedPeers && slices.ContainsFunc(e.Accounts, func(a control.Account) bool { return speaksOf(&a, m.ID) }) {
			e.Peers = append(e.Peers, control.Peer{
				Name: m.Name, ID: m.ID, State: m.State, Level: m.Level, LevelReason: m.LevelReason,
				RTTSeconds: m.RTTSeconds, FreeCores: m.FreeCores, AgeSeconds: m.AgeSeconds,
			})
		}
	}
	if e.Story = story.Lines(e.Accounts); e.Story == nil {
		e.Story = []string{}
	}
	return nil
}

func speaksOf(a *control.Account, id string) bool {
	return a.ByID == id ||
		slices.ContainsFunc(a.Events, func(x control.Incident) bool { return x.NodeID == id }) ||
		slices.ContainsFunc(a.Holders, func(x control.Holder) bool { return x.NodeID == id }) ||
		slices.ContainsFunc(a.Refusals, func(x control.Refusal) bool { return x.NodeID == id })
}

// askHolders asks those who had the task for their accounts, and those who had it from them. Who does not
// answer in time is left out: the rest is worth telling.
func (n *Node) askHolders(ctx context.Context, e *control.Explanation, task string) {
	if n.network == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, heldPatience)
	defer cancel()
	asked := map[string]bool{n.self.identity.ID().String(): true, "": true}
	if e.Run != nil {
		asked[e.Run.ID] = true
	}
	for from := 0; from < len(e.Accounts) && len(e.Accounts) < maxAccounts; {
		var next []string
		for ; from < len(e.Accounts); from++ {
			for _, id := range story.Peers(&e.Accounts[from]) {
				if !asked[id] && len(asked) < maxAccounts {
					asked[id] = true
					next = append(next, id)
				}
			}
		}
		answers := make([]*control.Account, len(next))
		var wait sync.WaitGroup
		for k, id := range next {
			wait.Go(func() {
				if a, err := n.askPeer(ctx, core.PeerID(id), control.Explaining{Task: task, Held: true}); err == nil {
					answers[k] = a.Account
				}
			})
		}
		wait.Wait()
		for k, a := range answers {
			if a != nil && !story.Empty(a) {
				a.ByID, a.Home = next[k], false // whatever it says it is
				e.Accounts = append(e.Accounts, *a)
			}
		}
	}
}

// askPeer asks a member.
func (n *Node) askPeer(ctx context.Context, to core.PeerID, q control.Explaining) (a control.Explained, err error) {
	s, err := peerStreams{n.network.wire}.Open(ctx, to, story.Protocol)
	if err != nil {
		return a, err
	}
	return story.Ask(ctx, s, q)
}

// askHome asks the node where the task's job or run is.
func (n *Node) askHome(ctx context.Context, home core.PeerID, task string) (e control.Explanation, err error) {
	unreachable := func(err error) error {
		return &control.Error{
			Status: http.StatusBadGateway, Message: fmt.Sprintf("the task's home %s does not answer: %v", n.nameOf(string(home)), err),
			Reason: control.ReasonUnreachable, Hint: "only the home knows a task's story",
		}
	}
	if n.network == nil {
		return e, unreachable(errAlone)
	}
	ctx, cancel := context.WithTimeout(ctx, story.Patience)
	defer cancel()
	a, err := n.askPeer(ctx, home, control.Explaining{Task: task})
	switch {
	case err != nil:
		return e, unreachable(err)
	case a.Explanation != nil:
		return *a.Explanation, nil
	case a.Error != nil:
		a.Error.Status = a.Status
		if a.Status < 400 || a.Status > 599 {
			a.Error.Status = http.StatusBadGateway
		}
		return e, a.Error
	}
	return e, unreachable(errors.New("its answer is empty"))
}

// searchRun asks the members whose guest a run is.
func (n *Node) searchRun(ctx context.Context, t taskName) (control.Explanation, error) {
	none := noRun(t.run, "at any node that answers")
	if n.network == nil {
		return control.Explanation{}, none
	}
	ctx, cancel := context.WithTimeout(ctx, story.Patience)
	defer cancel()
	var (
		mu    sync.Mutex
		found []control.Explanation
		said  error // what was wrong with the index
		wait  sync.WaitGroup
		room  = make(chan struct{}, searchedAtOnce)
		asked int
	)
	for _, m := range n.Members() {
		if m.Self || m.State != control.StateAlive {
			continue
		}
		if asked++; asked > maxSearched {
			break
		}
		room <- struct{}{}
		wait.Go(func() {
			defer func() { <-room }()
			a, err := n.askPeer(ctx, core.PeerID(m.ID), control.Explaining{Task: fmt.Sprintf("%s/%d", t.run, t.index)})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
			case a.Explanation != nil:
				found = append(found, *a.Explanation)
			case a.Error != nil && !strings.HasPrefix(a.Error.Message, noRunCalled):
				a.Error.Status = http.StatusNotFound
				said = a.Error
			}
		})
	}
	wait.Wait()
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		var where []string
		for _, e := range found {
			where = append(where, e.Home)
		}
		slices.Sort(where)
		return control.Explanation{}, &control.Error{
			Status: http.StatusConflict, Message: fmt.Sprintf("several nodes have a run called %q: %s", clip(t.run), listed(where)),
			Reason: control.ReasonBadRequest, Hint: "say which: NODE/RUN/INDEX",
		}
	case said != nil:
		return control.Explanation{}, said
	}
	return control.Explanation{}, none
}

// answerExplain answers other members, a few at a time, until ctx is done.
func (n *Node) answerExplain(ctx context.Context) error {
	room := make(chan struct{}, explainedAtOnce)
	streams := peerStreams{n.network.wire}
	streams.Handle(story.Protocol, func(_ core.PeerID, s steal.Stream) {
		select {
		case room <- struct{}{}:
			story.Answer(ctx, s, n.answerOne)
			<-room
		default:
			s.Reset()
		}
	})
	<-ctx.Done()
	streams.Handle(story.Protocol, nil)
	for range explainedAtOnce {
		room <- struct{}{} // those under way have ended
	}
	return nil
}

// answerOne tells what is known here; nobody else is asked whose the task is, so that no question goes round.
func (n *Node) answerOne(ctx context.Context, q control.Explaining) (a control.Explained) {
	if q.Held {
		if id, index, ok := parseHeld(q.Task); ok {
			if own, err := n.account(ctx, id, index); err == nil {
				a.Account = &own
			}
		}
		return a
	}
	t, err := n.parseTask(q.Task)
	if err == nil {
		var e control.Explanation
		if t.run == "" {
			e, err = n.explainOwn(ctx, t.job, t.index)
		} else if k, known := n.work.runs.called(t.run); known {
			e, err = n.explainRun(ctx, &k, t.index)
		} else {
			err = noRun(t.run, "here")
		}
		if err == nil {
			a.Explanation = &e
		}
	}
	if err != nil {
		e := wrong(err).(*control.Error)
		a.Error, a.Status = e, e.Status
	}
	return a
}

// parseHeld reads HOME/START.NUMBER/INDEX, where HOME is an ID and nothing else.
func parseHeld(s string) (id core.JobID, index uint64, ok bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || !isJobNumber(parts[1]) {
		return id, 0, false
	}
	start, number, _ := strings.Cut(parts[1], ".")
	inc, bad1 := strconv.ParseUint(start, 10, 32)
	num, bad2 := strconv.ParseUint(number, 10, 32)
	index, bad3 := strconv.ParseUint(parts[2], 10, 64)
	return core.JobID{Home: core.PeerID(parts[0]), Seq: inc<<32 | num}, index, errors.Join(bad1, bad2, bad3) == nil
}
