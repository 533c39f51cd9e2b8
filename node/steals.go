package node

import (
	"cmp"
	"context"
	"slices"

	"github.com/filchsched/filch/exec/task"
	gossipcore "github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
	"github.com/filchsched/filch/steal/guest"
)

// A protocolCount is what the state machine counted.
type protocolCount struct {
	stats  core.Stats
	given  []core.GivenCount
	times  map[task.Kind]core.KindTimes
	asks   map[uint8]core.Histogram
	handed map[uint8]uint64
}

// protocol asks the state machine for its counts.
func (n *Node) protocol(ctx context.Context) (p protocolCount, err error) {
	if err = n.work.driver.Ask(ctx, func(c *core.Core) {
		p = protocolCount{c.Stats(), c.Given(), c.Times(), c.Asks(), c.Handed()}
	}); err != nil {
		err = wrong(err)
	}
	return p, err
}

// Steals tells what this node took from others and others from it, since it started. What was lent on counts
// for both: as taken where it ran, and as given where it was lent on.
func (n *Node) Steals(ctx context.Context) (control.Steals, error) {
	if err := (api{n}).up(); err != nil {
		return control.Steals{Steals: []control.Steal{}}, err
	}
	p, err := n.protocol(ctx)
	return n.steals(&p), err
}

// Steals implements control.Backend.
func (a api) Steals(ctx context.Context) (control.Steals, error) { return a.node.Steals(ctx) }

func (n *Node) steals(p *protocolCount) control.Steals {
	s := control.Steals{Steals: []control.Steal{}}
	members := make(map[string]Member)
	for _, m := range n.Members() {
		members[m.ID] = m
	}
	self := n.self.identity.ID().String()
	name := func(id core.PeerID) string {
		if id == "" {
			return "(others, earlier)"
		}
		return cmp.Or(members[string(id)].Name, string(id))
	}
	// A run is called by its node, where that is known: its own name and command stand beside that.
	home := func(x *control.Steal, id, node core.PeerID) {
		x.HomeID, x.Home = string(id), name(id)
		if guest.Is(id) && node != "" {
			x.Home = name(node)
		}
	}
	taken := n.work.exec.stolen()
	for k, t := range taken {
		x := control.Steal{
			Thief: n.config.Name, ThiefID: self, Victim: name(k.from), FromID: string(k.from), Level: cmp.Or(members[string(k.from)].Level, "-"),
			Job: t.job, Runs: t.runs, Tasks: t.tasks, Failed: t.failed, Seconds: t.ran.Seconds(),
		}
		node := k.from
		if !t.near {
			node = ""
		}
		home(&x, k.home, node)
		s.Steals = append(s.Steals, x)
	}
	for _, g := range p.given {
		x := control.Steal{
			Thief: name(g.To), ThiefID: string(g.To), Victim: n.config.Name, FromID: self, Level: cmp.Or(members[string(g.To)].Level, "-"),
			Tasks: g.Tasks, Failed: g.Failed, Seconds: g.Ran.Seconds(),
		}
		node := core.PeerID("")
		if k, known := n.work.runs.get(g.Home); known {
			x.Job, x.Runs, node = k.Name, k.Runs, core.PeerID(self)
		}
		home(&x, g.Home, node)
		s.Steals = append(s.Steals, x)
	}
	slices.SortFunc(s.Steals, func(a, b control.Steal) int {
		return cmp.Or(levelOrder(a.Level)-levelOrder(b.Level), cmp.Compare(b.Tasks, a.Tasks), cmp.Compare(a.ThiefID, b.ThiefID), cmp.Compare(a.HomeID, b.HomeID))
	})
	c := &p.stats
	s.Totals = map[string]uint64{
		"granted": c.Granted, "stolen": c.Stolen, "handed_back": c.HandedBack, "leases_expired": c.LeasesExpired,
		"duplicate_outcomes": c.DuplicateOutcomes, "forged_outcomes": c.ForgedOutcomes, "frozen_steps": c.FrozenSteps,
	}
	return s
}

// levels are those at which another node can be, the near ones first.
var levels = []string{gossipcore.LevelHost.String(), gossipcore.LevelRack.String(), gossipcore.LevelZone.String(), gossipcore.LevelRemote.String()}

// levelOrder is the near ones first.
func levelOrder(level string) int { return 1 + slices.Index(levels, level) }

// levelName is the level of a peer as the state machine has it. One that is not known counts as far there.
func levelName(level uint8) string {
	if name := gossipcore.Level(level).String(); slices.Contains(levels, name) {
		return name
	}
	return levels[len(levels)-1]
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
		m.counter("executed_tasks_total", "Attempts at tasks that ended on this node, whosever they are, by kind and state.", count, []string{"kind", "state"}, string(k.kind), k.endState())
	}
	m.gauge("busy_cores", "Cores that tasks hold.", float64(w.exec.busy()), nil)
	ctx, cancel := context.WithTimeout(context.Background(), scrapePatience)
	defer cancel()
	if p, err := n.protocol(ctx); err == nil {
		n.collectSteals(m, &p)
		collectTimes(m, &p, w.decider.decided())
	}
	w.decider.collect(m)
	w.collectDriver(m, w.driver.Stats())
}

// collectSteals tells who stole, as far as there is no peer to be named.
func (n *Node) collectSteals(m measures, p *protocolCount) {
	all := n.steals(p)
	stolen := make(map[[2]string]uint64)
	for _, level := range levels {
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
		m.counter("steals_total", "Tasks that this node ran for others (ran, failed), or gave to others (given), by how far away they are.", count, []string{"level", "result"}, k[0], k[1])
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

// collectTimes tells how long things took, and where tasks went.
func collectTimes(m measures, p *protocolCount, decided map[string]uint64) {
	for _, k := range []task.Kind{task.KindFunc, task.KindProc} { // there before their first task
		if _, ok := p.times[k]; !ok {
			p.times[k] = core.KindTimes{}
		}
	}
	started := uint64(0)
	for k, t := range p.times {
		m.histogram("queue_wait_seconds", "How long tasks that started on this node had been with it, by kind.", &t.Waits, []string{"kind"}, string(k))
		m.histogram("task_duration_seconds", "How long tasks ran on this node, whosever they are, by kind; those that were stopped do not count.", &t.Runs, []string{"kind"}, string(k))
		started += t.Waits.Count()
	}
	asks, handed := make(map[string]core.Histogram), make(map[string]uint64)
	for _, l := range levels {
		asks[l], handed[l] = core.Histogram{}, 0
	}
	for l, h := range p.asks {
		sum := asks[levelName(l)]
		sum.Add(&h)
		asks[levelName(l)] = sum
	}
	for l, h := range asks {
		m.histogram("steal_rtt_seconds", "How long nodes that were asked for work took to answer, by how far away they are.", &h, []string{"level"}, l)
	}
	for l, n := range p.handed {
		handed[levelName(l)] += n
	}
	const help = "Decisions of this node by where a task goes: here, or to a node so far away; by stealing, and by Decide."
	started += decided["here"]
	m.counter("decisions_total", help, started, []string{"where"}, "here")
	for l, n := range handed {
		m.counter("decisions_total", help, n+decided[l], []string{"where"}, l)
	}
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
