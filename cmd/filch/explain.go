package main

import (
	"io"

	"github.com/spf13/cobra"
)

// newExplainCmd is `filch explain`.
func newExplainCmd() *cobra.Command {
	var (
		local  localNode
		output outputFormat
	)
	c := &cobra.Command{
		Use:   "explain task",
		Short: "Tell where a task is or was, and why",
		Long: `Tell what happened to a task: every attempt, where it went and why, with what was expected
of that (queue, transfer, run, return, and how old the news of the node's load was), where it
is now or why it waits, how it ended, and which nodes refused it for which reasons. Any node can
be asked: the task's home is, by its node.

A task of a job is JOB/INDEX, counted from 0. JOB is what "filch submit" printed; at its own
node the end of that, such as 3.7, is enough, elsewhere NODE/3.7 with the home's name.

A task of a "filch run" is RUN/INDEX, counted from 0 in the order of its inputs, or
NODE/RUN/INDEX. RUN is its --job name, or its ID or the beginning of that, as "filch jobs
--runs" shows them; of several with one name the newest is meant. The stories of the last runs
are remembered by their node.`,
		Example: `  filch explain 3.7/0
  filch explain web1/3.7/12
  filch run --job sums -- 'md5sum {}' ::: *.iso & filch explain sums/3`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, args []string) error {
			ctx := contextOf(c)
			client, err := local.find(ctx)
			if err != nil {
				return err
			}
			e, err := client.Explain(ctx, args[0])
			if err != nil {
				return err
			}
			if output == outputJSON {
				return writeJSON(c.OutOrStdout(), e)
			}
			_, err = io.WriteString(c.OutOrStdout(), explanationText(e))
			return err
		},
	}
	local.register(c)
	output.register(c)
	return c
}

// newStealsCmd is `filch steals`.
func newStealsCmd() *cobra.Command {
	var (
		local  localNode
		output outputFormat
	)
	c := &cobra.Command{
		Use:   "steals",
		Short: "Tell who stole from whom, by how far they are from each other",
		Long: `Tell which tasks the local node took from other nodes and ran, and they from it, since it
started, the nearest first. LEVEL is how far the two are from each other: host, rack, zone or
remote. HOME is the node whose tasks they are: the victim, unless it had taken them from there
itself. JOB and RUNS are the name and the command of a "filch run".`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := contextOf(c)
			client, err := local.find(ctx)
			if err != nil {
				return err
			}
			s, err := client.Steals(ctx)
			if err != nil {
				return err
			}
			if output == outputJSON {
				return writeJSON(c.OutOrStdout(), s)
			}
			_, err = io.WriteString(c.OutOrStdout(), stealTable(s))
			return err
		},
	}
	local.register(c)
	output.register(c)
	return c
}
