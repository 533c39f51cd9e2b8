package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildVersion is what the binary knows about itself.
type buildVersion struct {
	Version  string `json:"version"`            // of the module; "(devel)" when built from a checkout without a tag
	Revision string `json:"revision,omitempty"` // of version control
	Time     string `json:"time,omitempty"`     // of the revision, RFC 3339
	Modified bool   `json:"modified"`           // the checkout had changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCmd() *cobra.Command {
	var output outputFormat
	c := &cobra.Command{
		Use:   "version",
		Short: "Tell which filch this is",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			v := versionOf(info)
			if output == outputJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(v)
			}
			return v.print(c.OutOrStdout())
		},
	}
	output.register(c)
	return c
}

// versionOf reads build information, which may be nil.
func versionOf(info *debug.BuildInfo) buildVersion {
	v := buildVersion{
		Version:  "unknown",
		Go:       runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if info == nil {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// print writes v for people.
func (v buildVersion) print(w io.Writer) error {
	revision := v.Revision
	if revision == "" {
		revision = "unknown"
	}
	if v.Modified {
		revision += " (modified)"
	}
	if v.Time != "" {
		revision += " of " + v.Time
	}
	_, err := fmt.Fprintf(w, "filch %s\nrevision %s\n%s %s\n", v.Version, revision, v.Go, v.Platform)
	return err
}
