// Command demo brings up a testbed of containers, has it do real work, and reports what ran where. "make testbed-demo"
// builds what it needs and runs it.
//
//	demo -bin DIR -out DIR [-racks N] [-nodes N] [-files DIR]
//
// The work: a command for each file of a real tree, on a directory that all nodes share, checked against checksums
// computed here; and, where -bin has them, the examples uts (a tree with a known count) and mandelbrot (a picture), as a process in each
// container that serves and one that begins. The report has, for each, where it ran, what crossed which level, and how much of the
// cores it used well; the commands' is also a picture. Everything is taken down at the end, also after an error and an interrupt.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/filchsched/filch/cmd/filch/compose"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		stop()
		os.Exit(1)
	}
}

// whole bounds a demonstration.
const whole = 10 * time.Minute

func run(ctx context.Context) (err error) {
	bin := flag.String("bin", "bin", "`DIR` with filch, and what else goes into the image")
	out := flag.String("out", "bin/demo", "write the report to `DIR`")
	files := flag.String("files", filepath.Join(runtime.GOROOT(), "src"), "the tree of files that commands work on: a `DIR`")
	racks := flag.Int("racks", compose.DefaultRacks, "racks")
	perRack := flag.Int("nodes", compose.DefaultPerRack, "nodes in each")
	flag.Parse()
	ctx, cancel := context.WithTimeoutCause(ctx, whole, errors.New("gave up after "+whole.String()))
	defer cancel()
	s := &stage{
		dir: filepath.Join(*out, "testbed"), out: *out, files: *files, begun: time.Now(),
		plan: compose.Plan{
			Project: "filchdemo", Racks: *racks, PerRack: *perRack, CPUs: compose.DefaultCPUs, SlowCPUs: compose.DefaultSlow,
			Subnet: netip.MustParsePrefix("10.79.0.0/16"), User: fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()),
		},
	}
	defer func() { err = errors.Join(err, s.down()) }()
	if err := s.up(ctx, *bin); err != nil {
		return err
	}
	if err := s.commands(ctx); err != nil {
		return fmt.Errorf("commands: %w", err)
	}
	for _, example := range []func(context.Context) error{s.uts, s.mandelbrot} {
		if err := example(ctx); err != nil {
			return err
		}
	}
	return s.report.write(filepath.Join(*out, "report.txt"))
}

// A stage is where the demonstration happens.
type stage struct {
	dir, out, files string
	plan            compose.Plan
	engine          *compose.Engine
	nodes           []compose.Node
	has             map[string]bool // examples in the image
	begun           time.Time
	written         bool
	report          report
}

func (s *stage) up(ctx context.Context, bin string) (err error) {
	if s.engine, err = compose.Find(ctx); err != nil {
		return err
	}
	parts := compose.Parts{Filch: filepath.Join(bin, "filch")}
	if parts.Busybox, err = exec.LookPath("busybox"); err != nil {
		return errors.New("the commands need a shell in the image, and there is no busybox here: apt-get install busybox-static, or your system's like")
	}
	s.has = make(map[string]bool)
	for _, name := range []string{"uts", "mandelbrot"} {
		if path := filepath.Join(bin, name); exists(path) {
			parts.Programs, s.has[name] = append(parts.Programs, path), true
		}
	}
	if err := s.plan.Write(s.dir, parts, s.engine.Arch); err != nil {
		return err
	}
	s.written = true
	if err := s.engine.Build(ctx, s.dir, s.plan.Project); err != nil {
		return err
	}
	built := time.Since(s.begun)
	if err := s.engine.Run(ctx, s.dir, os.Stderr, "up", "--detach", "--remove-orphans"); err != nil {
		return err
	}
	s.nodes = s.plan.Nodes()
	if err := s.engine.Assemble(ctx, &s.plan); err != nil {
		return err
	}
	s.report.line("%d racks of %d nodes, of %g cores each and one of %g, on a machine with %d",
		s.plan.Racks, s.plan.PerRack, s.plan.CPUs, s.plan.SlowCPUs, s.engine.CPUs)
	s.report.line("image after %.1f s, all nodes see all after %.1f s", built.Seconds(), time.Since(s.begun).Seconds())
	return nil
}

// down removes all of it. It has time of its own: an interrupt is why it is called.
func (s *stage) down() error {
	if !s.written {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := s.engine.Down(ctx, s.dir, os.Stderr)
	return errors.Join(err, os.RemoveAll(s.dir))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
