package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/node/doctor"
)

// newDoctorCmd is `filch doctor`.
func newDoctorCmd() *cobra.Command {
	var (
		local  localNode
		output outputFormat
		listen []string
	)
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong with this machine's node, and what to do",
		Long: `Look at ports, UDP, the clock, cgroups, multicast for mDNS, quotas and permissions,
and say what is wrong and what to do. It works with and without a running node, and changes
nothing. The exit code is 1 if something is wrong; warnings are about what could be better.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := doctor.Patient{DataDir: local.dataDir, Listen: listen}
			if p.DataDir == "" {
				p.DataDir = os.Getenv("FILCH_DATA_DIR")
			}
			var err error
			if p.DataDir == "" {
				if p.DataDir, err = control.DefaultDataDir(os.Getenv); err != nil {
					return err
				}
			}
			ctx := contextOf(cmd)
			p.Socket = filepath.Join(p.DataDir, control.SocketName)
			if p.Client, err = local.find(ctx); err == nil {
				p.Socket = p.Client.Socket()
				if n, err := p.Client.Node(ctx); err == nil && local.dataDir == "" && n.DataDir != "" {
					p.DataDir = n.DataDir
				}
			} else if path := local.path(); path != "" {
				p.Socket = path
			}
			if len(p.Listen) == 0 {
				if p.Listen, err = node.PrivateListen(node.DefaultPort); err != nil {
					return err
				}
			}
			findings := doctor.Examine(ctx, p)
			if err := writeFindings(cmd.OutOrStdout(), findings, output); err != nil {
				return err
			}
			if !doctor.Healthy(findings) {
				return exitCode(1)
			}
			return nil
		},
	}
	local.register(cmd)
	output.register(cmd)
	cmd.Flags().StringArrayVar(&listen, "listen", nil, "where a node would listen, if none runs: `HOST:PORT`; may be repeated")
	return cmd
}

// writeFindings prints what was found for people or for programs.
func writeFindings(w io.Writer, findings []doctor.Finding, format outputFormat) error {
	if format == outputJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(findings)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range findings {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Status, f.Check, plain(f.Found))
		if f.Do != "" {
			fmt.Fprintf(t, "\t\t→ %s\n", f.Do)
		}
	}
	return t.Flush()
}
