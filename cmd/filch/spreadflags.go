package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// spreadOptions are the flags of run that say where commands may run.
type spreadOptions struct {
	node      localNode
	local     bool
	anywhere  bool
	env       []string
	require   []string
	avoid, on []string
	maxLevel  string
	maxRun    int

	idempotent bool
	cutOff     string
	crashLimit int
	join       []string
	joinFile   string
}

// Values of --max-level and --cut-off.
const (
	levelHost, levelRack, levelZone, levelRemote = "host", "rack", "zone", "remote"
	cutOffStop, cutOffKeep                       = "stop", "keep"
)

func (o *spreadOptions) register(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&o.local, "local", false, "run on this machine only, and ask no node")
	f.BoolVar(&o.anywhere, "anywhere", false, "run wherever there is room: in an empty directory, with what --env declares")
	f.StringArrayVar(&o.env, "env", nil, "with --anywhere: pass on this `NAME`, or set NAME=VALUE; may be repeated")
	f.StringArrayVar(&o.require, "require", nil, "run only on nodes with this `LABEL=VALUE`; may be repeated")
	f.StringArrayVar(&o.on, "on", nil, "run only on this `NODE`, by name or ID; may be repeated")
	f.StringArrayVar(&o.avoid, "avoid", nil, "do not run on this `NODE`; may be repeated")
	f.StringVar(&o.maxLevel, "max-level", levelRemote, "how far commands may go: host, rack, zone or remote")
	f.IntVar(&o.maxRun, "max-running", 0, "run at most `N` commands at a time, on all machines together")
	f.BoolVar(&o.idempotent, "idempotent", false, "two copies of a command do no harm: it may be started again before the first is known to be dead")
	f.StringVar(&o.cutOff, "cut-off", cutOffStop, "what a node does with commands when it is cut off from here: stop or keep")
	f.IntVar(&o.crashLimit, "crash-limit", 0, "give a command up after `N` nodes were lost while it ran (default 5)")
	f.StringArrayVar(&o.join, "join", nil, "without a node here: join the cluster of a join `STRING` for the length of the run; may be repeated. Visible to all users of the machine: prefer --join-file or FILCH_JOIN")
	f.StringVar(&o.joinFile, "join-file", "", "the same with join strings from `FILE`, one per line")
	o.node.register(c)
}

// check refuses what cannot be meant.
func (o *spreadOptions) check(given func(string) bool) error {
	switch {
	case o.maxRun < 0 || o.maxRun == 0 && given("max-running"):
		return fmt.Errorf("--max-running: %d: give how many may run at a time, at least 1", o.maxRun)
	case o.crashLimit < 0 || o.crashLimit > math.MaxUint8 || o.crashLimit == 0 && given("crash-limit"):
		return fmt.Errorf("--crash-limit: %d is not between 1 and %d", o.crashLimit, math.MaxUint8)
	case !slices.Contains([]string{"", levelHost, levelRack, levelZone, levelRemote}, o.maxLevel):
		return fmt.Errorf("--max-level: %q is none: give host, rack, zone or remote", o.maxLevel)
	case !slices.Contains([]string{"", cutOffStop, cutOffKeep}, o.cutOff):
		return fmt.Errorf("--cut-off: %q is neither stop nor keep", o.cutOff)
	case len(o.env) > 0 && !o.anywhere:
		return errors.New("--env declares what a command gets with --anywhere; without that it has the whole environment")
	case o.joins() && (given("socket") || given("data-dir")):
		return errors.New("--socket and --data-dir name a node to run over, and --join is for where there is none: give one of them")
	case o.local && (o.spreads(given) || o.joins() || o.anywhere || given("socket") || given("data-dir")):
		return errors.New("--local keeps commands here: leave it out, or what says where else they may run")
	}
	for _, l := range o.require {
		if key, _, ok := strings.Cut(l, "="); !ok || key == "" {
			return fmt.Errorf("--require: %q is not LABEL=VALUE", l)
		}
	}
	for _, kv := range o.env {
		if name, _, _ := strings.Cut(kv, "="); name == "" || strings.IndexByte(kv, 0) >= 0 {
			return fmt.Errorf("--env: %q is neither NAME nor NAME=VALUE", kv)
		}
	}
	return nil
}

// spreads tells whether flags make sense only with a node.
func (o *spreadOptions) spreads(given func(string) bool) bool {
	return len(o.require)+len(o.on)+len(o.avoid) > 0 || given("max-level") && o.maxLevel != levelHost
}

// declared is the environment of commands that run anywhere.
func (o *spreadOptions) declared() (env []string) {
	for _, kv := range o.env {
		if strings.Contains(kv, "=") {
			env = append(env, kv)
		} else if value, ok := os.LookupEnv(kv); ok {
			env = append(env, kv+"="+value)
		}
	}
	return env
}

// homebound says what of the command line needs this machine, as the flag that says so; "" is
// nothing.
func (p *runPlan) homebound(t *parallel.Template) string {
	switch {
	case p.lineBuffer:
		return "--line-buffer"
	case p.ungroup:
		return "--ungroup"
	case p.delay > 0:
		return "--delay"
	case t.UsesSlot():
		return "{%}"
	case p.retries == 0:
		return "--retries 0"
	case p.retries > math.MaxUint8:
		return fmt.Sprintf("--retries above %d", math.MaxUint8)
	}
	return ""
}
