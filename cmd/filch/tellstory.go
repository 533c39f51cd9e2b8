package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/node/story"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

const (
	// storyLines is how much a run remembers of what happened to its commands: the last eight thousand
	// or so, in some two megabytes.
	storyLines = 1 << 14
	// farewellPatience is how long the end of a run may wait for its node to take its story.
	farewellPatience = time.Second
)

// tellStory answers the node's questions about commands of this run, until the link is over.
func (s *spread) tellStory(ctx context.Context) {
	s.link.Handle(story.Protocol, func(_ core.PeerID, stream steal.Stream) {
		story.Answer(ctx, stream, s.explain)
	})
}

// explain tells what is known of a command: q.Task is its index.
func (s *spread) explain(ctx context.Context, q control.Explaining) (a control.Explained) {
	index, err := strconv.ParseUint(q.Task, 10, 64)
	if err != nil {
		a.Error = &control.Error{Status: http.StatusBadRequest, Message: "a task of a run is a number", Reason: control.ReasonBadRequest}
		return a
	}
	var told core.Story
	var tasks uint64
	var clock story.Clock
	err = s.driver.Ask(ctx, func(c *core.Core) {
		if tasks = c.Tasks(s.job); index < tasks {
			told = c.ExplainTask(s.job, index)
		}
		clock = story.Clock{Now: proc.Clock(), Wall: time.Now()}
	})
	if err != nil {
		return a // it has ended: the node has, or gets, its farewell
	}
	if index >= tasks {
		has := "no tasks yet"
		if tasks > 0 {
			has = fmt.Sprintf("tasks 0 to %d so far", tasks-1)
		}
		a.Error = &control.Error{Status: http.StatusNotFound, Message: fmt.Sprintf("%s has %s, and no %d", s.host, has, index), Reason: control.ReasonNotFound}
		return a
	}
	if why := s.nobody.Load(); why != nil && told.State != "committed" {
		told.Waits = append(told.Waits, *why)
	}
	account := story.Of(s.host, &told, clock)
	e := control.Explanation{Runs: s.about().Runs, State: story.State(&account), Accounts: []control.Account{account}}
	s.errands.get(index, func(at *errand) { e.Runs = at.line })
	a.Explanation = &e
	return a
}

// sayGoodbye leaves the story of this run with its node, as far as the node is there and quick. Whoever waits for the
// run has its outcomes by then.
func (s *spread) sayGoodbye() {
	ctx, cancel := context.WithTimeout(context.Background(), farewellPatience)
	defer cancel()
	var told core.JobStory
	var clock story.Clock
	known := false
	err := s.driver.Ask(ctx, func(c *core.Core) {
		told, known = c.ExplainJob(s.job)
		clock = story.Clock{Now: proc.Clock(), Wall: time.Now()}
	})
	if err != nil || !known {
		return
	}
	stream, err := s.link.Open(ctx, s.link.Node(), story.FarewellProtocol)
	if err != nil {
		return // the node is gone, and with it whom to tell
	}
	_ = story.Leave(ctx, stream, story.FarewellOf(&told, clock))
}
