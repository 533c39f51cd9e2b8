package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/filchsched/filch/testbed/uts"
)

// searchVerb as first argument makes this program a child that searches: it
// says "ready", and then for each line it reads searches the tree once and
// prints "NANOSECONDS NODES LEAVES DEPTH". The tree is made before "ready", so
// that a lap is nothing but the search.
const searchVerb = "search-child"

// searchMain is the child. It ends when its input does.
func searchMain(flags string, in io.Reader, out io.Writer) error {
	tree, err := uts.Parse(flags)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		start := time.Now()
		count := tree.Search()
		elapsed := time.Since(start)
		if _, err := fmt.Fprintln(out, elapsed.Nanoseconds(), count.Nodes, count.Leaves, count.Depth); err != nil {
			return err
		}
	}
	return lines.Err()
}

// A child is a running search process, as its parent sees it.
type child struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// startChild starts a search process and waits until it is ready. It dies with ctx.
func startChild(ctx context.Context, flags string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, self, searchVerb, flags)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("search process: %w", err)
	}
	c := &child{command, in, bufio.NewReader(out)}
	if line, err := c.out.ReadString('\n'); line != "ready\n" {
		return nil, errors.Join(fmt.Errorf("search process said %q, not ready: %w", line, err), c.stop())
	}
	return c, nil
}

func (c *child) begin() error {
	_, err := io.WriteString(c.in, "go\n")
	return err
}

// result waits for the search that begin started.
func (c *child) result() (elapsed time.Duration, count uts.Count, err error) {
	_, err = fmt.Fscanln(c.out, &elapsed, &count.Nodes, &count.Leaves, &count.Depth)
	if err != nil {
		err = fmt.Errorf("result of a search process: %w", err)
	}
	return elapsed, count, err
}

// stop ends the input, which ends the process, and reaps it.
func (c *child) stop() error {
	c.in.Close()
	return c.command.Wait()
}

// searchSideBySide runs one search per worker, each in a process of its own, all begun
// together. A lap is the slowest process's own measure: what pipes cost
// is in nobody's time, which makes the ceiling as high as it can be.
func searchSideBySide(ctx context.Context, c *clock, set settings, want uts.Count) (err error) {
	var children []*child
	defer func() {
		for _, child := range children {
			err = errors.Join(err, child.stop())
		}
	}()
	for range set.Workers {
		child, err := startChild(ctx, set.Tree)
		if err != nil {
			return err
		}
		children = append(children, child)
	}
	for c.more() {
		for _, child := range children {
			if err := child.begin(); err != nil {
				return err
			}
		}
		var slowest time.Duration
		for _, child := range children {
			elapsed, count, err := child.result()
			if err != nil {
				return err
			}
			if err := checkCount(count, want); err != nil {
				return err
			}
			slowest = max(slowest, elapsed)
		}
		c.record(slowest)
	}
	return nil
}
