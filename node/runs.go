package node

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/node/story"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/guest"
)

// runs are the "filch run"s that are guests of this node, or were lately. It is safe for
// concurrent use.
type runs struct {
	mu    sync.Mutex
	by    map[core.PeerID]*knownRun
	order []*knownRun // as they came
	told  int         // of them have a farewell
}

// A knownRun is what is known of one. All but the farewell and the end is never changed.
type knownRun struct {
	control.Run
	left *story.Farewell // nil: it lives, or said none, or that is forgotten
}

const (
	maxRuns      = 1024 // that are remembered, the oldest that ended are forgotten first
	maxFarewells = 32   // each may have a mebibyte
	// runJob is the job of every run: the first one of a process without a past.
	runJob = 1<<32 | 1
)

func (r *runs) came(id core.PeerID, about guest.About, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = make(map[core.PeerID]*knownRun)
	}
	if old := r.by[id]; old != nil { // its link broke, and it is here again
		old.Ended = nil
		return
	}
	if len(r.order) >= maxRuns {
		if k := slices.IndexFunc(r.order, func(x *knownRun) bool { return x.Ended != nil }); k >= 0 {
			r.forgetStory(r.order[k])
			delete(r.by, core.PeerID(r.order[k].ID))
			r.order = slices.Delete(r.order, k, k+1)
		}
	}
	k := &knownRun{Run: control.Run{ID: string(id), Name: about.Job, Runs: about.Runs, Started: at}}
	r.by[id] = k
	r.order = append(r.order, k)
}

func (r *runs) went(id core.PeerID, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.by[id]; k != nil {
		k.Ended = &at
	}
}

// saidGoodbye keeps a farewell, and forgets the oldest one if there are too many.
func (r *runs) saidGoodbye(id core.PeerID, f *story.Farewell) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.by[id]
	if k == nil {
		return
	}
	if k.left == nil {
		r.told++
	}
	k.left = f
	for i := 0; r.told > maxFarewells && i < len(r.order); i++ {
		if r.order[i] != k {
			r.forgetStory(r.order[i])
		}
	}
}

// forgetStory forgets a farewell. r.mu is held.
func (r *runs) forgetStory(k *knownRun) {
	if k.left != nil {
		k.left = nil
		r.told--
	}
}

// list are copies, the oldest first.
func (r *runs) list() []knownRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []knownRun{}
	for _, k := range r.order {
		all = append(all, *k)
	}
	return all
}

// get returns a run by its ID.
func (r *runs) get(id core.PeerID) (knownRun, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.by[id]; k != nil {
		return *k, true
	}
	return knownRun{}, false
}

// minRunPrefix is how much of a run's ID names it.
const minRunPrefix = len("run-") + 4

// called finds a run by its ID, the beginning of one, or its name: the newest one of those that live, else of
// those that have ended.
func (r *runs) called(name string) (knownRun, bool) {
	all := r.list()
	slices.Reverse(all)
	for _, fits := range []func(*knownRun) bool{
		func(k *knownRun) bool { return k.ID == name },
		func(k *knownRun) bool { return len(name) >= minRunPrefix && strings.HasPrefix(k.ID, name) },
		func(k *knownRun) bool { return k.Name == name && k.Ended == nil },
		func(k *knownRun) bool { return k.Name == name },
	} {
		if i := slices.IndexFunc(all, func(k knownRun) bool { return fits(&k) }); i >= 0 {
			return all[i], true
		}
	}
	return knownRun{}, false
}

// Runs returns the runs of command lines ("filch run") that are, or lately were, guests of this node, the oldest first.
func (n *Node) Runs() []control.Run {
	all := []control.Run{}
	if !n.isReady() {
		return all
	}
	for _, k := range n.work.runs.list() {
		all = append(all, n.viewRun(&k))
	}
	return all
}

func (n *Node) viewRun(k *knownRun) control.Run {
	v := k.Run
	v.Node, v.NodeID = n.config.Name, n.self.identity.ID().String()
	return v
}

// Runs implements control.Backend.
func (a api) Runs(context.Context) ([]control.Run, error) { return a.node.Runs(), a.up() }

// takeFarewells takes the stories that runs leave when they end, until ctx is done.
func (n *Node) takeFarewells(ctx context.Context) error {
	n.work.guests.Handle(story.FarewellProtocol, func(from core.PeerID, s steal.Stream) {
		if _, known := n.work.runs.get(from); !known || !guest.Is(from) {
			s.Reset() // a peer has nothing to leave here
			return
		}
		if f, err := story.Receive(ctx, s); err == nil {
			n.work.runs.saidGoodbye(from, f)
		}
	})
	<-ctx.Done()
	n.work.guests.Handle(story.FarewellProtocol, nil)
	return nil
}

// explainRun is the story of a task of a run that this node knows.
func (n *Node) explainRun(ctx context.Context, k *knownRun, index uint64) (control.Explanation, error) {
	run := n.viewRun(k)
	e := control.Explanation{
		Task: fmt.Sprintf("%s/%d", k.ID, index), Home: n.config.Name, Run: &run, Runs: k.Runs, Kind: "proc", State: "unknown",
	}
	id := core.PeerID(k.ID)
	told := false
	if k.Ended == nil {
		a, err := n.askRun(ctx, id, index)
		switch {
		case err == nil && a.Error != nil:
			a.Error.Status = http.StatusNotFound
			return e, a.Error
		case err == nil && a.Explanation != nil && len(a.Explanation.Accounts) > 0:
			e.Runs, e.State, e.Accounts, told = a.Explanation.Runs, a.Explanation.State, a.Explanation.Accounts, true
		}
	}
	if now, known := n.work.runs.get(id); known && !told { // it may have ended just now
		k = &now
		*e.Run = n.viewRun(k)
	}
	if f := k.left; f != nil && !told {
		if index >= f.Tasks {
			return e, noTask(k.ID, f.Tasks, index)
		}
		e.Accounts = []control.Account{f.Account(id, index)}
		e.State = story.State(&e.Accounts[0])
	}
	err := n.complete(ctx, &e, core.JobID{Home: id, Seq: runJob}, index)
	if err == nil && len(e.Accounts) == 0 {
		return e, &control.Error{
			Status: http.StatusNotFound, Message: fmt.Sprintf("%s has ended, and nothing is remembered of its task %d here", k.ID, index),
			Reason: control.ReasonNotFound, Hint: "the stories of the last runs are remembered, but not of those that were killed",
		}
	}
	return e, err
}

func noTask(job string, tasks, index uint64) error {
	has := "no tasks"
	if tasks > 0 {
		has = fmt.Sprintf("tasks 0 to %d", tasks-1)
	}
	return &control.Error{Status: http.StatusNotFound, Message: fmt.Sprintf("%s has %s, and no %d", job, has, index), Reason: control.ReasonNotFound}
}

// askRun asks a run that lives.
func (n *Node) askRun(ctx context.Context, id core.PeerID, index uint64) (a control.Explained, err error) {
	ctx, cancel := context.WithTimeout(ctx, story.Patience)
	defer cancel()
	s, err := n.work.guests.Open(ctx, id, story.Protocol)
	if err != nil {
		return a, err
	}
	return story.Ask(ctx, s, control.Explaining{Task: fmt.Sprint(index)})
}
