package node

import (
	"cmp"
	"context"
	"slices"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// Steals tells what this node ran for others and others for it, since it started.
func (n *Node) Steals(ctx context.Context) (control.Steals, error) {
	s := control.Steals{Steals: []control.Steal{}}
	if err := (api{n}).up(); err != nil {
		return s, err
	}
	members := make(map[string]Member)
	for _, m := range n.Members() {
		members[m.ID] = m
	}
	self := n.self.identity.ID().String()
	name := func(id string) string { return cmp.Or(members[id].Name, id, "(others, earlier)") }
	for p, t := range n.work.exec.homesTaken() {
		s.Steals = append(s.Steals, control.Steal{
			Thief: n.config.Name, ThiefID: self, Victim: name(string(p)), HomeID: string(p), Level: cmp.Or(members[string(p)].Level, "-"),
			Tasks: t.tasks, Failed: t.failed, Seconds: t.ran.Seconds(),
		})
	}
	for p, t := range n.work.table.RanBy() {
		if string(p) == self {
			continue
		}
		s.Steals = append(s.Steals, control.Steal{
			Thief: name(string(p)), ThiefID: string(p), Victim: n.config.Name, HomeID: self, Level: cmp.Or(members[string(p)].Level, "-"),
			Tasks: t.Tasks, Seconds: t.Ran.Seconds(),
		})
	}
	slices.SortFunc(s.Steals, func(a, b control.Steal) int {
		return cmp.Or(levelOrder(a.Level)-levelOrder(b.Level), cmp.Compare(b.Tasks, a.Tasks), cmp.Compare(a.ThiefID, b.ThiefID))
	})
	c, err := n.stealStats(ctx)
	s.Totals = map[string]uint64{
		"granted": c.Granted, "stolen": c.Stolen, "handed_back": c.HandedBack, "leases_expired": c.LeasesExpired,
		"duplicate_outcomes": c.DuplicateOutcomes, "forged_outcomes": c.ForgedOutcomes, "frozen_steps": c.FrozenSteps,
	}
	return s, err
}

// Steals implements control.Backend.
func (a api) Steals(ctx context.Context) (control.Steals, error) { return a.node.Steals(ctx) }

// stealStats is what the state machine counted.
func (n *Node) stealStats(ctx context.Context) (s core.Stats, err error) {
	if err = n.work.driver.Ask(ctx, func(c *core.Core) { s = c.Stats() }); err != nil {
		err = wrong(err)
	}
	return s, err
}

// levelOrder is the near ones first.
func levelOrder(level string) int {
	return 1 + slices.Index([]string{"host", "rack", "zone", "remote"}, level)
}

// collect tells what the work counted. There are no peers and no tasks among the labels.
func (w *work) collect(n *Node, m measures) {
	for _, c := range w.table.Counts() {
		m.counter("tasks_total", "Tasks submitted to this node that have their outcome, by kind and state.", c.N, []string{"kind", "state"}, string(c.Kind), c.State.String())
	}
	for kind, waiting := range w.table.Waiting() {
		m.gauge("queue_tasks", "Tasks submitted to this node without an outcome, wherever they are, by kind.", float64(waiting), []string{"kind"}, string(kind))
	}
	running, ended := w.exec.counts()
	for kind, count := range running {
		m.gauge("running_tasks", "Tasks that run on this node, whosever they are, by kind.", float64(count), []string{"kind"}, string(kind))
	}
	for k, count := range ended {
		m.counter("executed_tasks_total", "Attempts at tasks that ended on this node, whosever they are, by kind and state.", count, []string{"kind", "state"}, string(k.kind), k.state.String())
	}
	m.gauge("busy_cores", "Cores that tasks hold.", float64(w.exec.busy()), nil)
	ctx, cancel := context.WithTimeout(context.Background(), scrapePatience)
	defer cancel()
	if all, err := n.Steals(ctx); err == nil {
		stolen := make(map[[2]string]uint64)
		for _, level := range []string{"host", "rack", "zone", "remote"} {
			stolen[[2]string{level, "ran"}], stolen[[2]string{level, "failed"}], stolen[[2]string{level, "given"}] = 0, 0, 0
		}
		for _, s := range all.Steals {
			if s.ThiefID == n.self.identity.ID().String() {
				stolen[[2]string{s.Level, "ran"}] += s.Tasks - s.Failed
				stolen[[2]string{s.Level, "failed"}] += s.Failed
			} else {
				stolen[[2]string{s.Level, "given"}] += s.Tasks
			}
		}
		for k, count := range stolen {
			m.counter("steals_total", "Tasks that this node ran for others (ran, failed), or others for it (given), by how far away they are.", count, []string{"level", "result"}, k[0], k[1])
		}
		t := all.Totals
		m.counter("granted_tasks_total", "Tasks handed to others, their own sub-grants included.", t["granted"], nil)
		m.counter("stolen_tasks_total", "Tasks that others handed to this node.", t["stolen"], nil)
		m.counter("handed_back_tasks_total", "Tasks handed back before they started.", t["handed_back"], nil)
		m.counter("duplicate_outcomes_total", "Outcomes that came after the task had one.", t["duplicate_outcomes"], nil)
		m.counter("forged_outcomes_total", "Outcomes and claims without a warrant of this node's.", t["forged_outcomes"], nil)
		m.counter("leases_expired_total", "Leases of holders that fell silent.", t["leases_expired"], nil)
		m.counter("frozen_steps_total", "Times that this process was found to have been frozen.", t["frozen_steps"], nil)
	}
	w.collectDriver(m, w.driver.Stats())
}

// collectDriver tells what the driver counted.
func (w *work) collectDriver(m measures, s steal.Stats) {
	m.counter("transfer_bytes_total", "Bytes between nodes for tasks: grants, heartbeats, arguments, outputs; by direction.", s.ControlIn+s.DataIn, []string{"dir"}, "in")
	m.counter("transfer_bytes_total", "Bytes between nodes for tasks: grants, heartbeats, arguments, outputs; by direction.", s.ControlOut+s.DataOut, []string{"dir"}, "out")
	m.counter("steal_frames_total", "Frames between nodes for tasks, by direction.", s.FramesIn, []string{"dir"}, "in")
	m.counter("steal_frames_total", "Frames between nodes for tasks, by direction.", s.FramesOut, []string{"dir"}, "out")
	m.counter("steal_heartbeats_sent_total", "Of the frames sent, heartbeats and their answers.", s.BeatsOut, nil)
	m.counter("steal_offers_sent_total", "Of the frames sent, those by which work is looked for: offers, answers without work, registrations, news, invitations. An idle cluster sends none.", s.OffersOut, nil)
	m.counter("steal_steps_total", "Steps of the state machine that decides about tasks.", s.Steps, nil)
	m.counter("steal_late_steps_total", "Steps that came 100 ms or more after they were due.", s.LateSteps, nil)
}
