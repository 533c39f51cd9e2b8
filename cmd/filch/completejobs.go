package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
)

// completionPatience is how long a completion waits for the node: nobody wants to wait for a
// word.
const completionPatience = time.Second

// completeJobs completes jobs of the local node, at most so many; 0 is any number.
func (l *localNode) completeJobs(most int) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(contextOf(c), completionPatience)
		defer cancel()
		client, err := l.find(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		jobs, _ := client.Jobs(ctx) // without an answer there is nothing to offer
		var words []string
		for _, j := range jobs {
			words = append(words, shortJob(j.ID)+"\t"+plain(j.Name)+" "+j.State)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeNodes completes names of nodes.
func (l *localNode) completeNodes(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(contextOf(c), completionPatience)
	defer cancel()
	client, err := l.find(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	members, _ := client.Members(ctx) // without an answer there is nothing to offer
	var words []string
	for _, m := range members {
		words = append(words, plain(m.Name)+"\t"+m.State)
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
