package story

import (
	"fmt"
	"strings"
	"time"

	"github.com/filchsched/filch/exec/task"
	gossipcore "github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal/core"
)

// A Clock turns the time of a state machine into that of people.
type Clock struct {
	Now  time.Duration
	Wall time.Time // at the same moment
}

func (c Clock) at(t time.Duration) time.Time { return c.Wall.Add(t - c.Now) }

// Of is what a process knows of a task, in the control API's words, without names.
func Of(by core.PeerID, s *core.Story, c Clock) control.Account {
	a := control.Account{
		ByID: string(by), Home: s.Home, State: s.State, Older: s.Older, Events: []control.Incident{}, Holders: []control.Holder{},
		Refusals: refusals(s.Refusals), Waits: append([]string{}, s.Waits...),
		Failures: s.Failures, Losses: s.Losses, Blamed: s.Blamed, Suspect: s.Suspect,
	}
	for k := range s.Lines {
		a.Events = append(a.Events, incident(&s.Lines[k], c))
	}
	for _, l := range s.Attempts {
		a.Holders = append(a.Holders, control.Holder{NodeID: string(l.Peer), Attempt: l.Attempt.N, State: l.State, LentTo: string(l.To)})
	}
	return a
}

// Empty tells whether an account says nothing.
func Empty(a *control.Account) bool {
	return !a.Home && len(a.Events)+len(a.Holders)+len(a.Refusals)+len(a.Waits) == 0
}

func incident(l *core.Line, c Clock) control.Incident {
	e := control.Incident{Time: c.at(l.At), What: l.What, Tasks: l.Span.String(), Attempt: l.Attempt.N, NodeID: string(l.Peer), Why: l.Why}
	if x := l.Choice; x != (core.Choice{}) {
		e.Estimates = &control.Estimates{
			Level: gossipcore.Level(x.Level).String(), Here: x.Here.Seconds(), Queue: x.Queue.Seconds(), Transfer: x.Transfer.Seconds(),
			Run: x.Task.Seconds(), Return: x.Return.Seconds(), LoadAge: x.Age.Seconds(),
		}
	}
	return e
}

func refusals(list []core.RefusalCount) []control.Refusal {
	all := []control.Refusal{}
	for _, r := range list {
		all = append(all, control.Refusal{NodeID: string(r.Peer), Reason: r.Reason, Tasks: r.Tasks})
	}
	return all
}

// State is that of a task, as its home's account tells it.
func State(a *control.Account) string {
	if a.State != "committed" {
		return control.TaskWaiting
	}
	for k := len(a.Events) - 1; k >= 0; k-- {
		e := &a.Events[k]
		if !strings.HasPrefix(e.What, "committed") {
			continue
		}
		for _, s := range []task.State{task.Failed, task.Cancelled} {
			if strings.HasPrefix(e.Why, s.String()) {
				return map[task.State]string{task.Failed: control.TaskFailed, task.Cancelled: control.TaskCancelled}[s]
			}
		}
		return control.TaskDone
	}
	return "ended" // how, is among what was forgotten
}

// Name puts the names of nodes into accounts.
func Name(accounts []control.Account, name func(id string) string) {
	for k := range accounts {
		a := &accounts[k]
		a.By = name(a.ByID)
		for i := range a.Events {
			a.Events[i].Node = name(a.Events[i].NodeID)
		}
		for i := range a.Holders {
			h := &a.Holders[i]
			h.Node, h.LentTo = name(h.NodeID), name(h.LentTo)
		}
		for i := range a.Refusals {
			a.Refusals[i].Node = name(a.Refusals[i].NodeID)
		}
	}
}

// Peers are the IDs of all that an account speaks of and that had the task.
func Peers(a *control.Account) (ids []string) {
	for k := range a.Events {
		if w := a.Events[k].What; w == "granted to" || w == "lent on to" || w == "adopted from" {
			ids = append(ids, a.Events[k].NodeID)
		}
	}
	for k := range a.Holders {
		ids = append(ids, a.Holders[k].NodeID, a.Holders[k].LentTo)
	}
	return ids
}

// Lines are accounts, with their names, for people.
func Lines(accounts []control.Account) (lines []string) {
	for k := range accounts {
		a := &accounts[k]
		if k > 0 && !Empty(a) {
			lines = append(lines, "as "+a.By+" tells:")
		}
		lines = append(lines, linesOf(a)...)
	}
	return lines
}

func linesOf(a *control.Account) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if a.Older > 0 {
		say("%d older events of the job are forgotten", a.Older)
	}
	for k := range a.Events {
		lines = append(lines, line(&a.Events[k]))
	}
	if a.Home && a.State != "" {
		say("now %s", a.State)
	}
	if a.Failures+a.Losses+a.Blamed > 0 || a.Suspect {
		say("failures %d, charged losses %d, blamed on nodes %d, suspect %v", a.Failures, a.Losses, a.Blamed, a.Suspect)
	}
	for _, h := range a.Holders {
		text := fmt.Sprintf("held by %s as attempt %d: %s", orUnknown(h.Node), h.Attempt, h.State)
		if h.LentTo != "" {
			text += ", lent on to " + h.LentTo
		}
		lines = append(lines, text)
	}
	for _, w := range a.Waits {
		say("waits: %s", w)
	}
	for _, r := range a.Refusals {
		times := "times"
		if r.Tasks == 1 {
			times = "time"
		}
		say("%s: refused %d %s: %s", orUnknown(r.Node), r.Tasks, times, r.Reason)
	}
	return lines
}

func orUnknown(name string) string {
	if name == "" {
		return "others"
	}
	return name
}

func line(e *control.Incident) string {
	text := e.Time.Format("15:04:05.000 ")
	if e.Attempt > 0 {
		text += fmt.Sprintf("attempt %d ", e.Attempt)
	}
	text += e.What
	if e.Node != "" {
		text += " " + e.Node
	}
	if strings.Contains(e.Tasks, "-") {
		text += " with tasks " + e.Tasks
	}
	if e.Why != "" {
		text += ": " + e.Why
	}
	if x := e.Estimates; x != nil {
		text += "; " + estimates(x)
	}
	return text
}

func estimates(x *control.Estimates) string {
	d := func(seconds float64) string {
		v := time.Duration(seconds * float64(time.Second))
		switch {
		case v > 10*time.Second:
			return v.Round(100 * time.Millisecond).String()
		case v > 10*time.Millisecond:
			return v.Round(time.Millisecond).String()
		}
		return v.Round(time.Microsecond).String()
	}
	if x.Level == gossipcore.LevelSelf.String() {
		return "expected to run " + d(x.Run)
	}
	return fmt.Sprintf("expected: here in %s, there in %s (queue %s, transfer %s), run %s, return %s; level %s, load data %s old",
		d(x.Here), d(x.Queue+x.Transfer), d(x.Queue), d(x.Transfer), d(x.Run), d(x.Return), x.Level, d(x.LoadAge))
}
