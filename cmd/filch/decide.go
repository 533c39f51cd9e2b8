package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/cmd/filch/parallel"
	"github.com/filchsched/filch/node/control"
)

// exitNotPlaceable is what decide exits with when no node may run the command.
const exitNotPlaceable = 1

const decideLong = `Tell where a command should run, on this node or on which other, and why: a sentence, and a
line for each node with what is expected of it there, each time as P50/P90: what half of such
runs do not exceed, and nine of ten. TOTAL is from now to the outcome: waiting for a core
(QUEUE), getting there with its input (TRANSFER), what a first time takes more (COLD), the run,
and the way back. SAMPLES is how many runs of the program there that rests on, old ones counting
less; NEWS how old the news of the node's load are.

Nothing is started. The node learns from whatever runs: the more, the better it knows.
docs/decide.md tells how it decides.

The exit code is 0 if some node may run the command, 1 if none may, and 255 after an error.`

// decideOptions are the flags of decide.
type decideOptions struct {
	local  localNode
	output outputFormat

	function, in, out, mem, deadline, takes string
	zones, require, on, avoid               []string
	cores                                   int
	energy                                  float64
	here                                    bool
}

// newDecideCmd is `filch decide`.
func newDecideCmd() *cobra.Command {
	var o decideOptions
	c := &cobra.Command{
		Use:   "decide [flags] [--] command [argument…]",
		Short: "Tell where a command should run, and why",
		Long:  decideLong,
		Example: `  filch decide -- convert photo.jpg photo.png
  filch decide --in 20M --deadline 2s --zone eu -- ./filter
  filch decide -o json --function resize@v3 --in 300k | jq -r .node`,
		ValidArgsFunction: completeCommand,
		RunE: func(c *cobra.Command, args []string) error {
			return o.decide(contextOf(c), c, args)
		},
	}
	o.register(c)
	return c
}

func (o *decideOptions) register(c *cobra.Command) {
	f := c.Flags()
	f.SetInterspersed(false)
	f.SortFlags = false
	f.StringVar(&o.function, "function", "", "instead of a command: the registered function `NAME`")
	f.StringVar(&o.in, "in", "", "`SIZE` of what has to travel to the command, such as 20M")
	f.StringVar(&o.out, "out", "", "`SIZE` of what comes back; without it, what usually does")
	f.StringVar(&o.deadline, "deadline", "", "how soon the outcome is needed: `TIME` such as 2s, 1m30s")
	f.StringVar(&o.takes, "takes", "", "what you think it takes on a usual core: `TIME`; what was seen goes over it")
	f.StringArrayVar(&o.zones, "zone", nil, "the data must not leave the zone `NAME`; may be repeated")
	f.Float64Var(&o.energy, "energy", 0, "seconds of waiting `N` that a second of this machine's core at work is worth")
	f.IntVar(&o.cores, "cores", 1, "cores that it holds")
	f.StringVar(&o.mem, "mem", "", "memory that it needs, such as `500M`")
	f.StringArrayVar(&o.require, "require", nil, "only on nodes with the label `KEY=VALUE`; may be repeated")
	f.StringArrayVar(&o.on, "on", nil, "only on `NODE`, by name or ID; may be repeated")
	f.StringArrayVar(&o.avoid, "avoid", nil, "not on `NODE`; may be repeated")
	f.BoolVar(&o.here, "local", false, "only on the local node")
	o.local.register(c)
	o.output.register(c)
	for _, name := range []string{"function", "in", "out", "deadline", "takes", "zone", "energy", "cores", "mem", "require"} {
		if err := c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions); err != nil {
			panic(err) // a bug: there is no such flag
		}
	}
	for _, name := range []string{"on", "avoid"} {
		if err := c.RegisterFlagCompletionFunc(name, o.local.completeNodes); err != nil {
			panic(err)
		}
	}
	c.SetFlagErrorFunc(explainFlagError)
}

// decide asks the local node and prints what it says.
func (o *decideOptions) decide(ctx context.Context, c *cobra.Command, args []string) error {
	q, err := o.question(args)
	if err != nil {
		return err
	}
	client, err := o.local.find(ctx)
	if err != nil {
		return err
	}
	d, err := client.Decide(ctx, q)
	if err != nil {
		return err
	}
	if o.output == outputJSON {
		err = writeJSON(c.OutOrStdout(), d)
	} else {
		_, err = io.WriteString(c.OutOrStdout(), d.Text())
	}
	if err == nil && !d.Placeable {
		err = exitCode(exitNotPlaceable)
	}
	return err
}

// question is what the command line asks.
func (o *decideOptions) question(args []string) (q control.Deciding, err error) {
	q = control.Deciding{
		Function: o.function, Zones: o.zones, Energy: o.energy, Cores: o.cores, Require: o.require, On: o.on, Avoid: o.avoid, Local: o.here,
	}
	switch {
	case o.function == "" && len(args) == 0:
		return q, errors.New("decide: give a command, or a --function (see filch decide --help)")
	case o.function != "" && len(args) > 0:
		return q, errors.New("decide: a command or a --function, not both")
	case o.cores < 1:
		return q, fmt.Errorf("--cores: a command needs at least one core, not %d", o.cores)
	}
	if len(args) > 0 {
		q.Command = &control.Command{Argv: args}
	}
	for flag, size := range map[string]struct {
		text string
		to   func(int64)
	}{
		"in": {o.in, func(n int64) { q.InBytes = n }}, "out": {o.out, func(n int64) { q.OutBytes = &n }}, "mem": {o.mem, func(n int64) { q.MemoryBytes = n }},
	} {
		if size.text == "" {
			continue
		}
		n, err := parseBytes(size.text)
		if err != nil {
			return q, fmt.Errorf("--%s: %w", flag, err)
		}
		size.to(n)
	}
	for flag, t := range map[string]struct {
		text string
		to   *float64
	}{"deadline": {o.deadline, &q.DeadlineSeconds}, "takes": {o.takes, &q.TakesSeconds}} {
		if t.text == "" {
			continue
		}
		d, err := parallel.ParseDuration(t.text)
		if err != nil {
			return q, fmt.Errorf("--%s: %w", flag, err)
		}
		*t.to = d.Seconds()
	}
	return q, nil
}
