package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// completeCommand completes the words of a command: the first one from the programs in PATH,
// unless it has a slash in it, the others as names of files.
func completeCommand(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 || strings.Contains(word, "/") || word == "" {
		return nil, cobra.ShellCompDirectiveDefault
	}
	names := programs(filepath.SplitList(os.Getenv("PATH")), word)
	if len(names) == 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// programs lists what can be executed in dirs and begins with prefix.
func programs(dirs []string, prefix string) []string {
	var names []string
	for _, d := range dirs {
		entries, _ := os.ReadDir(d) // those that cannot be read have nothing to run
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), prefix) {
				continue
			}
			const executable = 0o111
			if info, err := os.Stat(filepath.Join(d, e.Name())); err == nil && info.Mode().IsRegular() && info.Mode()&executable != 0 {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// completeRunFlags completes the values of run's flags.
func completeRunFlags(c *cobra.Command) {
	for flag, values := range map[string][]string{
		"halt":    {"never", "now,fail=1", "soon,fail=1", "now,success=1", "soon,fail=10%", "now,done=1"},
		"output":  {"text", "json"},
		"jobs":    {"100%\tas many as CPUs", "50%\thalf of the CPUs", "0\tas many as possible", "1\tone at a time", "+1\tone more than CPUs", "-1\tone fewer than CPUs"},
		"timeout": {"10", "1m", "200%\tof the median"},
		"mem":     {"500M", "1G", "2G", "4G"},
	} {
		if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // a bug: there is no such flag
		}
	}
	for _, flag := range []string{"workdir", "results"} {
		if err := c.MarkFlagDirname(flag); err != nil {
			panic(err)
		}
	}
	if err := c.MarkFlagFilename("join-file"); err != nil {
		panic(err)
	}
	for _, flag := range []string{"delay", "retries", "max-args", "nice", "cores", "job", "join"} {
		if err := c.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions); err != nil {
			panic(err)
		}
	}
}
