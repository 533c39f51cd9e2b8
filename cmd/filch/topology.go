package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/filchsched/filch/topology"
	"github.com/spf13/cobra"
)

// newTopologyCmd is `filch topology`.
func newTopologyCmd() *cobra.Command {
	var (
		root   string
		output outputFormat
	)
	cmd := &cobra.Command{
		Use:   "topology",
		Short: "Show the machine: packages, NUMA nodes, caches, cores, and how far apart its CPUs are",
		Long: `Show the machine as filch sees it: what its CPUs share, how far apart they
are, and how many of them this process may use.

With --root DIR, show the machine whose /sys and /proc were copied to DIR (or
packed into DIR.tar, .tar.gz or .tar.bz2) instead of this one.`,
		Example: `  filch topology
  filch topology --root dumps/server
  filch topology -o json | jq '.cpus[] | select(.thread == 0).cpu'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := readTopology(root)
			if t == nil {
				return err
			}
			if err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "filch: this machine cannot be read in full: %v\n", err)
			}
			return writeTopology(cmd.OutOrStdout(), t, output)
		},
	}
	cmd.Flags().StringVar(&root, "root", "", "read the machine whose root directory was copied to `DIR`")
	output.register(cmd)
	return cmd
}

// readTopology reads this machine, or the one copied to root. Of this machine
// it always returns something, beside an error that says what is missing.
func readTopology(root string) (*topology.Topology, error) {
	if root == "" {
		return topology.Read()
	}
	return topology.ReadRoot(root)
}

// writeTopology prints t for people or for programs.
func writeTopology(w io.Writer, t *topology.Topology, format outputFormat) error {
	if format != outputJSON {
		return t.Draw(w, 0)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(t); err != nil {
		return fmt.Errorf("write topology: %w", err)
	}
	return nil
}
