package fit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/node/fit"
	"github.com/filchsched/filch/steal/core"
)

// member is one that runs commands, has 4 cores and 8 GiB, and what the changes say.
func member(id string, changes ...func(*control.Member)) control.Member {
	m := control.Member{ID: "id-" + id, Name: id, State: control.StateAlive, Kinds: []string{"exec"}, Cores: 4, MemoryBytes: 8 << 30}
	for _, change := range changes {
		change(&m)
	}
	return m
}

func self(m *control.Member)    { m.Self = true }
func idle(m *control.Member)    { m.Kinds = []string{"func"} }
func failed(m *control.Member)  { m.State = control.StateFailed }
func suspect(m *control.Member) { m.State = control.StateSuspect }
func left(m *control.Member)    { m.State = control.StateLeft }
func silent(m *control.Member)  { m.Cores, m.MemoryBytes, m.Kinds, m.Name = 0, 0, nil, "" }
func gpu(m *control.Member)     { m.Labels = map[string]string{"gpu": "yes"} }

// A job that fits nobody is refused, with the reasons counted; anything less than that is none.
func TestAJobThatFitsNobodyIsRefusedWithCounts(t *testing.T) {
	for _, c := range []struct {
		name    string
		where   core.Where
		needs   task.Resources
		members []control.Member
		want    string // "" is no refusal
	}{
		{"anywhere", core.Where{}, task.Resources{}, []control.Member{member("a", self)}, ""},
		{"here, whatever it accepts", core.Where{}, task.Resources{}, []control.Member{member("a", self, idle)}, ""},
		{"on one that accepts none", core.Where{On: []core.PeerID{"id-b"}}, task.Resources{}, []control.Member{member("a", self), member("b", idle), member("c")},
			"2 are not among those that are named, b does not accept commands: have one accept them with filch up --accept exec"},
		{"several reasons", core.Where{Require: []string{"gpu=yes"}, Avoid: []core.PeerID{"id-a"}}, task.Resources{},
			[]control.Member{member("a", self, gpu), member("b", idle), member("c", idle), member("d", idle), member("e"), member("f"), member("g", left)},
			"3 do not accept commands, 2 lack the label gpu=yes, a is avoided: have one"},
		{"a label that one has", core.Where{Require: []string{"gpu=yes"}}, task.Resources{}, []control.Member{member("a", self), member("b", gpu)}, ""},
		{"a label that one has who is suspect", core.Where{Require: []string{"gpu=yes"}}, task.Resources{}, []control.Member{member("a", self), member("b", gpu, suspect)}, ""},
		{"a label that is empty", core.Where{Require: []string{"gpu="}}, task.Resources{}, []control.Member{member("a", self)}, "a lacks the label gpu=: start a node with --label gpu="},
		{"who may yet tell", core.Where{Require: []string{"gpu=yes"}}, task.Resources{}, []control.Member{member("a", self), member("b", silent)}, ""},
		{"who may yet tell, and is avoided", core.Where{Require: []string{"gpu=yes"}, Avoid: []core.PeerID{"id-b"}}, task.Resources{},
			[]control.Member{member("a", self), member("b", silent)}, "a lacks the label gpu=yes, id-b is avoided: start"},
		{"one that has failed", core.Where{On: []core.PeerID{"id-b"}}, task.Resources{}, []control.Member{member("a", self), member("b", failed)},
			"b does not answer, a is not among those that are named: start it again"},
		{"one that has left", core.Where{On: []core.PeerID{"id-b"}}, task.Resources{}, []control.Member{member("a", self), member("b", left), member("c", left)},
			"b has left, a is not among those that are named: start it again"},
		{"memory", core.Where{}, task.Resources{Memory: 9 << 30}, []control.Member{member("a", self), member("b")}, "2 have less memory than 9216 MiB: ask for less"},
		{"memory that is not known", core.Where{}, task.Resources{Memory: 9 << 30}, []control.Member{member("a", self, func(m *control.Member) { m.MemoryBytes = 0 })}, ""},
		{"cores", core.Where{}, task.Resources{Cores: 5}, []control.Member{member("a", self), member("b")}, "2 have fewer cores than 5: ask for less"},
		{"as many cores as there are", core.Where{}, task.Resources{Cores: 4}, []control.Member{member("a", self)}, ""},
		{"at home, which is avoided", core.Where{Local: true, Avoid: []core.PeerID{"id-a"}}, task.Resources{}, []control.Member{member("a", self), member("b"), member("c")},
			"2 are elsewhere and the job stays here, a is avoided: name others"},
		{"nobody", core.Where{}, task.Resources{}, nil, "none is known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := fit.Check(&core.Terms{Kind: task.KindProc, Where: c.where, Needs: c.needs}, c.members).Err()
			var refusal *fit.Refusal
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (!errors.As(err, &refusal) || !strings.HasPrefix(strings.TrimPrefix(err.Error(), "no node can take this job: "), c.want)):
				t.Errorf("%v\nwant …%s", err, c.want)
			}
		})
	}
}

// Ten thousand members with as many labels are told in a line.
func TestARefusalIsShort(t *testing.T) {
	w := core.Where{}
	var members []control.Member
	for i := range 30 {
		w.Require = append(w.Require, string(rune('a'+i%26))+string(rune('a'+i/26))+"=1")
	}
	for i := range 30 {
		labels := make(map[string]string)
		for _, l := range w.Require[:i] {
			labels[strings.TrimSuffix(l, "=1")] = "1"
		}
		members = append(members, member("m", func(m *control.Member) { m.Labels = labels }))
	}
	if err := fit.Check(&core.Terms{Where: w}, members).Err(); err == nil || len(err.Error()) > 500 || !strings.Contains(err.Error(), "and 24 more reasons") {
		t.Errorf("%v", err)
	}
}
