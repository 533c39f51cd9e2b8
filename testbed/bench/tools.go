package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The programs that contests run.
const (
	toolFilch    = "filch"
	toolPeers    = "peers" // nodes with functions; see the package of that name
	toolXargs    = "xargs"
	toolParallel = "parallel"
	toolDask     = "dask"
)

// A tool is a program, or the reason why it is not there.
type tool struct {
	Path    string
	Version string
	Missing string // why not, and how to get it
}

// tools are the programs by name. They are looked for once, before the first round.
type tools map[string]tool

// find returns a program's path, or why it is missing.
func (t tools) find(name string) (path, missing string) {
	p, ok := t[name]
	if !ok {
		return "", "it was not looked for"
	}
	return p.Path, p.Missing
}

// findTools builds what is ours into dir and looks for what is not.
func findTools(ctx context.Context, dir string) (tools, error) {
	t := make(tools)
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/filchsched/filch").Output()
	if err != nil {
		return nil, fmt.Errorf("where filch is: %w; run this in testbed/bench", err)
	}
	top := strings.TrimSpace(string(root))
	for name, from := range map[string][2]string{toolFilch: {top, "./cmd/filch"}, toolPeers: {filepath.Join(top, "testbed", "bench"), "./peers"}} {
		path := filepath.Join(dir, name)
		build := exec.CommandContext(ctx, "go", "build", "-C", from[0], "-trimpath", "-o", path, from[1])
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building %s: %w: %s", from[1], err, out)
		}
		t[name] = tool{Path: path, Version: "this tree"}
	}
	t[toolXargs] = look(ctx, "xargs", "xargs (GNU findutils)", "install findutils")
	t[toolParallel] = look(ctx, "parallel", "GNU parallel", "install parallel (moreutils has another program of that name)")
	t[toolDask] = lookForDask(ctx)
	return t, nil
}

// look finds a program whose --version begins as it should.
func look(ctx context.Context, name, begins, howTo string) tool {
	path, err := exec.LookPath(name)
	if err != nil {
		return tool{Missing: "it is not installed: " + howTo}
	}
	out, _ := exec.CommandContext(ctx, path, "--version").Output()
	version := firstLine(string(out))
	if !strings.HasPrefix(version, begins) {
		return tool{Missing: fmt.Sprintf("%s is another program: %s", path, howTo)}
	}
	return tool{Path: path, Version: version}
}

// lookForDask finds a Python that has dask.distributed. PYTHON names another one.
func lookForDask(ctx context.Context) tool {
	for _, python := range []string{os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		if python == "" {
			continue
		}
		out, err := exec.CommandContext(ctx, python, "-c",
			"import sys, dask, distributed; print('dask.distributed', distributed.__version__ + ', Python', sys.version.split()[0])").Output()
		if err == nil {
			return tool{Path: python, Version: strings.TrimSpace(string(out))}
		}
	}
	return tool{Missing: "no Python with dask.distributed: install python3-distributed, or set PYTHON"}
}
