package node

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// explainProtocol is how a node asks a task's home for its story: a frame of JSON each way,
// four bytes of length before it.
const explainProtocol = "/filch/explain/1"

// Limits of it. A story has at most some thousand lines.
const (
	maxExplainAsk     = 4 << 10         // bytes
	maxExplainAnswer  = 1 << 20         // bytes
	explainPatience   = 5 * time.Second // for the answer
	explainedAtOnce   = 8               // more are told to ask again
	maxExplainedPeers = 32
)

// Explain tells what happened to a task, JOB/INDEX, and why, wherever it was submitted.
func (n *Node) Explain(ctx context.Context, which string) (control.Explanation, error) {
	if err := (api{n}).up(); err != nil {
		return control.Explanation{}, err
	}
	id, index, err := n.parseJob(which, true)
	if err != nil {
		return control.Explanation{}, wrong(err)
	}
	if id.Home == core.PeerID(n.self.identity.ID().String()) {
		return n.explainOwn(ctx, id, index)
	}
	return n.askHome(ctx, id, index)
}

// Explain implements control.Backend.
func (a api) Explain(ctx context.Context, which string) (control.Explanation, error) {
	return a.node.Explain(ctx, which)
}

// explainOwn is the story of a task of this node's.
func (n *Node) explainOwn(ctx context.Context, id core.JobID, index uint64) (control.Explanation, error) {
	e := control.Explanation{Task: fmt.Sprintf("%v/%d", id, index), Home: n.config.Name, State: control.TaskWaiting, Story: []string{}, Peers: []control.Peer{}}
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
	var lines []string
	var now time.Duration
	if err := n.work.driver.Ask(ctx, func(c *core.Core) { lines, now = c.Explain(id, index), proc.Clock() }); err != nil {
		return e, wrong(err)
	}
	n.tell(&e, lines, now)
	return e, nil
}

// storyTime is how a line of a story begins: seconds of the machine's clock.
var storyTime = regexp.MustCompile(`^ *([0-9]+\.[0-9]+)s `)

// tell puts a story into words for people: times of day, names of nodes, and what is
// known of these.
func (n *Node) tell(e *control.Explanation, lines []string, now time.Duration) {
	wall := time.Now()
	for i, line := range lines {
		if m := storyTime.FindStringSubmatch(line); m != nil {
			seconds, _ := strconv.ParseFloat(m[1], 64)
			at := wall.Add(time.Duration(seconds*float64(time.Second)) - now)
			lines[i] = at.Format("15:04:05.000 ") + line[len(m[0]):]
		}
	}
	text := strings.Join(lines, "\n")
	for _, m := range n.Members() {
		if !strings.Contains(text, m.ID) {
			continue
		}
		text = strings.ReplaceAll(text, m.ID, n.nameOf(m.ID))
		if len(e.Peers) < maxExplainedPeers {
			e.Peers = append(e.Peers, control.Peer{
				Name: m.Name, ID: m.ID, State: m.State, Level: m.Level, LevelReason: m.LevelReason,
				RTTSeconds: m.RTTSeconds, FreeCores: m.FreeCores, AgeSeconds: m.AgeSeconds,
			})
		}
	}
	if text != "" {
		e.Story = strings.Split(text, "\n")
	}
}

// askHome asks the task's home.
func (n *Node) askHome(ctx context.Context, id core.JobID, index uint64) (e control.Explanation, err error) {
	unreachable := func(err error) error {
		return &control.Error{
			Status: http.StatusBadGateway, Message: fmt.Sprintf("the task's home %s does not answer: %v", n.nameOf(string(id.Home)), err),
			Reason: control.ReasonUnreachable, Hint: "only the home knows a task's story",
		}
	}
	if n.network == nil {
		return e, unreachable(errAlone)
	}
	ctx, cancel := context.WithTimeout(ctx, explainPatience)
	defer cancel()
	s, err := peerStreams{n.network.wire}.Open(ctx, id.Home, explainProtocol)
	if err != nil {
		return e, unreachable(err)
	}
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	defer s.Reset()
	if err := writeJSON(s, control.Explaining{Task: fmt.Sprintf("%v/%d", id, index)}, maxExplainAsk); err != nil {
		return e, unreachable(err)
	}
	var a control.Explained
	if err := readJSON(s, &a, maxExplainAnswer); err != nil {
		return e, unreachable(err)
	}
	switch {
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

// answerExplain answers other members, a few at a time, until ctx is done.
func (n *Node) answerExplain(ctx context.Context) error {
	room := make(chan struct{}, explainedAtOnce)
	streams := peerStreams{n.network.wire}
	streams.Handle(explainProtocol, func(_ core.PeerID, s steal.Stream) {
		select {
		case room <- struct{}{}:
			n.answerOne(ctx, s)
			<-room
		default:
			s.Reset()
		}
	})
	<-ctx.Done()
	streams.Handle(explainProtocol, nil)
	for range explainedAtOnce {
		room <- struct{}{} // those under way have ended
	}
	return nil
}

func (n *Node) answerOne(ctx context.Context, s steal.Stream) {
	ctx, cancel := context.WithTimeout(ctx, explainPatience)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	var ask control.Explaining
	if readJSON(s, &ask, maxExplainAsk) != nil {
		s.Reset()
		return
	}
	var a control.Explained
	id, index, err := n.parseJob(ask.Task, true)
	if err == nil {
		var e control.Explanation
		if e, err = n.explainOwn(ctx, id, index); err == nil {
			a.Explanation = &e
		}
	}
	if err != nil {
		e := wrong(err).(*control.Error)
		a.Error, a.Status = e, e.Status
	}
	if writeJSON(s, a, maxExplainAnswer) != nil {
		s.Reset()
		return
	}
	s.Close()
}

var errTooLong = errors.New("it is too long")

func writeJSON(w io.Writer, v any, most int) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(b) > most {
		return errTooLong
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

// readJSON reads a frame whose length is judged before it is read.
func readJSON(r io.Reader, v any, most int) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if int64(n) > int64(most) {
		return errTooLong
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
