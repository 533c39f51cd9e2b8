package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/filchsched/filch/cmd/filch/compose"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/testbed/uts"
)

func (s *stage) steals(ctx context.Context, n compose.Node) (all control.Steals, err error) {
	out, err := s.engine.Docker(ctx, "exec", n.Container, "filch", "steals", "--output", "json")
	if err == nil {
		err = json.Unmarshal(out, &all)
	}
	return all, err
}

// tree is what uts searches.
const tree = "T1L"

// uts searches a tree whose size is known.
func (s *stage) uts(ctx context.Context) error {
	if !s.has["uts"] {
		s.report.line("\nuts: there is no such program in -bin")
		return nil
	}
	want, ok := uts.Published(tree)
	if !ok {
		return fmt.Errorf("there is no published tree %s", tree)
	}
	exact := fmt.Sprintf("nodes=%d depth=%d leaves=%d", want.Count.Nodes, want.Count.Depth, want.Count.Leaves)
	out, took, err := s.example(ctx, "uts", tree)
	if err != nil {
		return err
	}
	if !strings.Contains(out, exact) {
		return fmt.Errorf("uts: %s is %s, and it said:\n%s", tree, exact, out)
	}
	s.report.line("\nuts %s: %s, which is right, in %.1f s\n%s", tree, exact, took.Seconds(), out)
	return nil
}

// mandelbrot draws the picture.
func (s *stage) mandelbrot(ctx context.Context) error {
	if !s.has["mandelbrot"] {
		s.report.line("\nmandelbrot: there is no such program in -bin")
		return nil
	}
	out, took, err := s.example(ctx, "mandelbrot", "-o", compose.Shared+"/mandelbrot.png", "-size", "2048", "-steps", "4000")
	if err != nil {
		return err
	}
	var drew []string
	for line := range strings.Lines(out) {
		if !strings.Contains(line, " 0 tiles") { // the containers' filch, which does not know the function
			drew = append(drew, line)
		}
	}
	s.report.line("\nmandelbrot: mandelbrot.png in %.1f s\n%s", took.Seconds(), strings.Join(drew, ""))
	return os.Rename(filepath.Join(s.dir, "files", "mandelbrot.png"), filepath.Join(s.out, "mandelbrot.png"))
}

// example runs an example in all containers: all but the first serve. They are nodes of their own, in the same cluster and
// under the same limits as the container's filch, because functions run only in programs that know them.
func (s *stage) example(ctx context.Context, name string, args ...string) (string, time.Duration, error) {
	join, err := s.engine.Docker(ctx, "exec", s.nodes[0].Container, "filch", "join-string")
	if err != nil {
		return "", 0, err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "files", "join"), join, 0o600); err != nil {
		return "", 0, err
	}
	serving, over := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer over()
	common := []string{name, "-join", "@" + compose.Shared + "/join", "-workers", "1", "-listen", "0.0.0.0:0"}
	for _, n := range s.nodes[1:] {
		c := s.engine.Exec(serving, n.Container, append(common[:len(common):len(common)], "-serve")...)
		all.Go(func() { _ = c.Run() }) // ends with the container, or when the others have what they want
	}
	if err := s.serve(ctx, len(s.nodes)-1); err != nil {
		return "", 0, err
	}
	c := s.engine.Exec(ctx, s.nodes[0].Container, append(common[:len(common):len(common)], args...)...)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	begun := time.Now()
	if err := c.Run(); err != nil {
		return "", 0, fmt.Errorf("%s: %w: %s", name, err, &said)
	}
	took := time.Since(begun)
	_, err = s.engine.Docker(ctx, "exec", s.nodes[0].Container, "true")
	for _, n := range s.nodes[1:] { // the end of docker exec does not end what it started
		_, killed := s.engine.Docker(ctx, "exec", n.Container, "sh", "-c", `for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" = /bin/`+name+` ] && kill ${p#/proc/}; done; true`)
		err = errors.Join(err, killed)
	}
	return out.String(), took, err
}

// serve waits until so many nodes are there that the plan does not have.
func (s *stage) serve(ctx context.Context, more int) error {
	for {
		members, err := s.engine.Members(ctx, s.nodes[0].Container)
		if err != nil {
			return err
		}
		alive := 0
		for _, m := range members {
			if m.State == control.StateAlive && m.Cores > 0 {
				alive++
			}
		}
		if alive >= len(s.nodes)+more {
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond): // no event reaches this side of the containers
		case <-ctx.Done():
			return fmt.Errorf("%d of %d programs joined: %w", alive-len(s.nodes), more, context.Cause(ctx))
		}
	}
}
