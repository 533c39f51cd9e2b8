// Package fit decides whether anybody in a cluster could take a job's commands, or a call of a function, and if nobody
// could, counts why. A job that fits nobody would wait for ever, and a wrong flag is the usual reason; who submits it hears so
// at once. Slurm refuses such jobs, too; Kubernetes and Nomad keep them and tell the counts when asked, for clusters
// that grow by themselves.
//
// What is judged is what members announce. Whether one has room now, or has the directory, is another question: such
// a job waits. A member whose announcement has not arrived may be able, and so may whoever a node has not met that
// has not joined yet; nobody is refused for their sake.
//
// The scheduler (steal/core, where.go) judges again for itself when it hands tasks over, by the same words.
package fit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal/core"
)

// What members announce that run commands for others, and functions.
const (
	kindExec = "exec"
	kindFunc = "func"
)

// A Reason is why a member cannot take a job. They are in the order in which a user can do something about them.
type Reason uint8

// The reasons.
const (
	Kind     Reason = iota + 1 // it accepts no commands, or runs no functions
	Function                   // it does not know the function
	Label                      // it lacks one that the job requires
	Memory                     // it has too little
	Cores                      // it has too few
	Down                       // it does not answer
	Gone                       // it has left, and is named
	Avoid                      // the job says so
	On                         // the job names others
	Away                       // the job stays where it is
)

// A Count is how many members cannot take a job for one reason.
type Count struct {
	Reason Reason
	Of     string // the label
	N      int
	Name   string // of the first of them
}

// A Verdict is what is known about who could take a job.
type Verdict struct {
	Able    int     // members that could
	Unknown int     // that might
	Counts  []Count // of those that could not, the most frequent reason first
}

// Check judges members for a job of commands that is submitted where the member that is Self is: that one
// runs it whatever it accepts from others.
func Check(t *core.Terms, members []control.Member) (v Verdict) { return CheckKnowing(t, members, nil) }

// CheckKnowing is Check for a call of a function too, where knows tells whether a member knows it, and whether that is known.
func CheckKnowing(t *core.Terms, members []control.Member, knows func(*control.Member) (yes, known bool)) (v Verdict) {
	for k := range members {
		m := &members[k]
		if m.State == control.StateLeft && !slices.Contains(t.Where.On, core.PeerID(m.ID)) {
			continue // it is no member
		}
		switch why, of := judge(t, m); {
		case why != 0:
			v.count(why, of, m)
		case m.Cores == 0 && !m.Self:
			v.Unknown++
		case knows != nil:
			switch yes, known := knows(m); {
			case yes:
				v.Able++
			case known:
				v.count(Function, t.Name, m)
			default:
				v.Unknown++
			}
		default:
			v.Able++
		}
	}
	slices.SortStableFunc(v.Counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Of, b.Of))
	})
	return v
}

// judge tells why a member cannot take a job; 0 if it may.
func judge(t *core.Terms, m *control.Member) (why Reason, of string) {
	w, id := &t.Where, core.PeerID(m.ID)
	known := m.Self || m.Cores > 0 // what it has
	switch {
	case len(w.On) > 0 && !slices.Contains(w.On, id):
		return On, ""
	case slices.Contains(w.Avoid, id):
		return Avoid, ""
	case w.Local && !m.Self:
		return Away, ""
	case m.State == control.StateFailed:
		return Down, ""
	case m.State == control.StateLeft:
		return Gone, ""
	case !known:
		return 0, ""
	case !m.Self && !slices.Contains(m.Kinds, kindOf(t)):
		return Kind, kindOf(t)
	}
	for _, l := range w.Require {
		if key, value, _ := strings.Cut(l, "="); !has(m.Labels, key, value) {
			return Label, l
		}
	}
	switch {
	case m.MemoryBytes > 0 && t.Needs.Memory > m.MemoryBytes:
		return Memory, fmt.Sprintf("%d MiB", (t.Needs.Memory+1<<20-1)>>20)
	case m.Cores > 0 && t.Needs.CoresOrOne() > m.Cores:
		return Cores, fmt.Sprint(t.Needs.CoresOrOne())
	}
	return 0, ""
}

func kindOf(t *core.Terms) string {
	if t.Kind == task.KindFunc {
		return kindFunc
	}
	return kindExec
}

func has(labels map[string]string, key, value string) bool {
	v, ok := labels[key]
	return ok && v == value
}

func (v *Verdict) count(why Reason, of string, m *control.Member) {
	i := slices.IndexFunc(v.Counts, func(c Count) bool { return c.Reason == why && c.Of == of })
	if i < 0 {
		v.Counts = append(v.Counts, Count{Reason: why, Of: of, Name: cmp.Or(m.Name, m.ID)})
		i = len(v.Counts) - 1
	}
	v.Counts[i].N++
}

// Err is a *Refusal if nobody could take the job.
func (v Verdict) Err() error {
	if v.Able+v.Unknown > 0 {
		return nil
	}
	return &Refusal{v.Counts}
}

// A Refusal says that no node can take a job, and why.
type Refusal struct{ Counts []Count }

// Error tells the counts and what to do.
func (r *Refusal) Error() string {
	if len(r.Counts) == 0 {
		return r.Message()
	}
	return r.Message() + ": " + r.Hint()
}

// maxCounts bounds what a message says.
const maxCounts = 6

// Message tells the counts.
func (r *Refusal) Message() string {
	var parts []string
	for k, c := range r.Counts {
		if k == maxCounts {
			parts = append(parts, fmt.Sprintf("and %d more reasons", len(r.Counts)-k))
			break
		}
		parts = append(parts, c.String())
	}
	if len(parts) == 0 {
		return "no node can take this job: none is known"
	}
	return "no node can take this job: " + strings.Join(parts, ", ")
}

// Hint says what to do about the reason that most can be done about.
func (r *Refusal) Hint() string {
	if len(r.Counts) == 0 {
		return ""
	}
	c := slices.MinFunc(r.Counts, func(a, b Count) int { return cmp.Compare(a.Reason, b.Reason) })
	switch c.Reason {
	case Kind:
		if c.Of == kindFunc {
			return "start a program there that defines the function"
		}
		return "have one accept them with filch up --accept exec"
	case Function:
		return "run the same program there, or one that defines it in this version"
	case Label:
		return "start a node with --label " + c.Of + ", or require what there is (filch nodes)"
	case Memory, Cores:
		return "ask for less, or join a machine that has more"
	case Down, Gone:
		return "start it again, or name others (filch nodes)"
	}
	return "name others (filch nodes)"
}

// String is such as "3 do not accept commands", or "n1 does not accept commands" of a single one.
func (c Count) String() string {
	who, one := fmt.Sprint(c.N), c.N == 1
	if one {
		who = c.Name
	}
	is := func(singular, plural string) string {
		if one {
			return who + " " + singular
		}
		return who + " " + plural
	}
	switch c.Reason {
	case Kind:
		if c.Of == kindFunc {
			return is("runs no functions", "run no functions")
		}
		return is("does not accept commands", "do not accept commands")
	case Function:
		return is("does not know", "do not know") + " the function " + c.Of
	case Label:
		return is("lacks", "lack") + " the label " + c.Of
	case Memory:
		return is("has", "have") + " less memory than " + c.Of
	case Cores:
		return is("has", "have") + " fewer cores than " + c.Of
	case Down:
		return is("does not answer", "do not answer")
	case Gone:
		return is("has left", "have left")
	case Avoid:
		return is("is avoided", "are avoided")
	case On:
		return is("is", "are") + " not among those that are named"
	}
	return is("is", "are") + " elsewhere and the job stays here"
}
