package story

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// A Farewell is all that a run remembers of its job when it ends.
type Farewell struct {
	Tasks    uint64            `json:"tasks"`
	Older    uint64            `json:"older"`
	Events   []Told            `json:"events"`
	Refusals []control.Refusal `json:"refusals"`
}

// Told is an incident of some tasks.
type Told struct {
	Lo uint64 `json:"lo"`
	Hi uint64 `json:"hi"`
	control.Incident
}

// maxTold bounds the incidents of a farewell, which holds up the end of a run: the newest ones are told, at
// some 200 bytes each.
const maxTold = 2048

// maxWhy bounds a reason, in bytes: some are what a command wrote.
const maxWhy = 200

// FarewellOf is what is left of a job.
func FarewellOf(s *core.JobStory, c Clock) *Farewell {
	f := &Farewell{Tasks: s.Tasks, Older: s.Older, Refusals: refusals(s.Refusals)}
	if over := len(s.Lines) - maxTold; over > 0 {
		f.Older += uint64(over)
		s.Lines = s.Lines[over:]
	}
	for k := range s.Lines {
		l := &s.Lines[k]
		e := incident(l, c)
		e.Why = strings.ToValidUTF8(e.Why[:min(len(e.Why), maxWhy)], "")
		f.Events = append(f.Events, Told{l.Span.Lo, l.Span.Hi, e})
	}
	return f
}

// Leave tells the node, and returns when it has it.
func Leave(ctx context.Context, s steal.Stream, f *Farewell) error {
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	defer s.Reset()
	err := write(s, f, MaxFarewell)
	for errors.Is(err, errTooLong) && len(f.Events) > 0 { // nothing was written
		gone := (len(f.Events) + 1) / 2
		f.Events, f.Older = f.Events[gone:], f.Older+uint64(gone)
		err = write(s, f, MaxFarewell)
	}
	if err != nil {
		return err
	}
	_, err = io.ReadFull(s, make([]byte, 1))
	return err
}

// Receive takes a farewell.
func Receive(ctx context.Context, s steal.Stream) (*Farewell, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	f := new(Farewell)
	if err := read(s, f, MaxFarewell); err != nil {
		s.Reset()
		return nil, err
	}
	_, _ = s.Write([]byte{1}) // who does not wait for it needs it not
	s.Close()
	return f, nil
}

// Account is the home's of one task.
func (f *Farewell) Account(by core.PeerID, index uint64) control.Account {
	a := control.Account{
		ByID: string(by), Home: true, State: "committed", Older: f.Older, Events: []control.Incident{}, Holders: []control.Holder{},
		Refusals: append([]control.Refusal{}, f.Refusals...), Waits: []string{},
	}
	for k := range f.Events {
		if e := &f.Events[k]; e.Lo <= index && index < e.Hi {
			a.Events = append(a.Events, e.Incident)
		}
	}
	return a
}
