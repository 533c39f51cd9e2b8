package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/filchsched/filch/node/control"
)

// An Engine is the Docker engine of this machine, reached by its command line. It is safe for
// concurrent use.
type Engine struct {
	compose []string // how compose is called
	Arch    string   // of the engine, as Go calls it
	CPUs    int      // that it has
}

// A MissingError says what is not here that a testbed needs.
type MissingError struct{ What, Do string }

func (e *MissingError) Error() string { return e.What + "; " + e.Do }

// Find finds the engine and compose. The error is a [MissingError] if one of them is not there or does
// not answer.
func Find(ctx context.Context) (*Engine, error) {
	if _, err := exec.LookPath("docker"); err != nil {
		return nil, &MissingError{"there is no docker here", "a testbed needs a Docker engine and its command line"}
	}
	out, err := output(ctx, "docker", "version", "--format", "{{json .Server}}")
	if err != nil {
		return nil, &MissingError{"no Docker engine answers: " + err.Error(), "start it, or see that this user may use it (docker ps)"}
	}
	var server struct{ Arch string }
	if err := json.Unmarshal(out, &server); err != nil {
		return nil, fmt.Errorf("docker version: %w", err)
	}
	e := &Engine{Arch: server.Arch}
	if out, err = output(ctx, "docker", "info", "--format", "{{.NCPU}}"); err == nil {
		_, err = fmt.Sscan(string(out), &e.CPUs)
	}
	if err != nil {
		return nil, fmt.Errorf("docker info: %w", err)
	}
	for _, c := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		if _, err := output(ctx, append(c, "version")...); err == nil {
			e.compose = c
			return e, nil
		}
	}
	return nil, &MissingError{"there is neither docker compose nor docker-compose here", "install one of them"}
}

// Compose is how compose is called, in one line.
func (e *Engine) Compose() string { return strings.Join(e.compose, " ") }

// patience is how long a program that was told to end has before it is killed.
const patience = 20 * time.Second

// command is a program that ends with ctx, as an interrupt would end it: compose then takes back
// what it is about. It is in a process group of its own, so that an interrupt of the terminal reaches it through ctx only.
func command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = patience
	c.SysProcAttr = ownGroup()
	return c
}

// output runs a program and returns what it printed. Its error has what the program said.
func output(ctx context.Context, args ...string) ([]byte, error) {
	var out, said bytes.Buffer
	c := command(ctx, args...)
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		return nil, failed(ctx, args, said.String(), err)
	}
	return out.Bytes(), nil
}

// failed says how a program ended: its last words, if it had some.
func failed(ctx context.Context, args []string, said string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if said = strings.TrimSpace(said); said != "" {
		return fmt.Errorf("%s: %s", strings.Join(args[:min(len(args), 3)], " "), said)
	}
	return fmt.Errorf("%s: %w", strings.Join(args[:min(len(args), 3)], " "), err)
}

// Docker runs a verb of docker and returns what it printed.
func (e *Engine) Docker(ctx context.Context, args ...string) ([]byte, error) {
	return output(ctx, append([]string{"docker"}, args...)...)
}

// Exec is a command in a container.
func (e *Engine) Exec(ctx context.Context, container string, args ...string) *exec.Cmd {
	return command(ctx, append([]string{"docker", "exec", "-i", container}, args...)...)
}

// Run runs a verb of compose on the testbed in dir. What it says goes to w.
func (e *Engine) Run(ctx context.Context, dir string, w io.Writer, args ...string) error {
	all := append(append([]string{}, e.compose...), args...)
	c := command(ctx, all...)
	c.Dir, c.Stdout, c.Stderr = dir, w, w
	if err := c.Run(); err != nil {
		return failed(ctx, all, "", err)
	}
	return nil
}

// Build builds the image of the testbed in dir.
func (e *Engine) Build(ctx context.Context, dir, project string) error {
	_, err := e.Docker(ctx, "build", "--quiet", "--tag", project, dir)
	return err
}

// Down stops the testbed in dir and removes its containers, networks and image. Nodes have time to leave.
func (e *Engine) Down(ctx context.Context, dir string, w io.Writer) error {
	name, err := projectIn(dir)
	if err != nil {
		return err
	}
	if err := e.Run(ctx, dir, w, "--profile", MetricsProfile, "down", "--volumes", "--remove-orphans"); err != nil {
		return err
	}
	if left, err := e.Docker(ctx, "images", "--quiet", name); err != nil || len(left) == 0 {
		return err
	}
	_, err = e.Docker(ctx, "image", "rm", name)
	return err
}

// projectIn is what the testbed in dir is called.
func projectIn(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, ".env"))
	_, name, _ := strings.Cut(strings.TrimSpace(string(text)), "COMPOSE_PROJECT_NAME=")
	return name, err
}

// Members asks a node whom it sees.
func (e *Engine) Members(ctx context.Context, container string) (all []control.Member, err error) {
	out, err := e.Docker(ctx, "exec", container, "filch", "nodes", "--output", "json")
	if err == nil {
		err = json.Unmarshal(out, &all)
	}
	return all, err
}

// lookAgain is how long it takes until a node is asked again; nothing tells when several agree.
const lookAgain = 200 * time.Millisecond

// Assemble waits until all nodes of a plan see all of them alive and know what they have. The error says what
// is missing when ctx ends.
func (e *Engine) Assemble(ctx context.Context, p *Plan) error {
	all := p.Nodes()
	missing := errors.New("nobody was asked")
	for _, n := range all {
		for {
			members, err := e.Members(ctx, n.Container)
			if ctx.Err() != nil {
				return fmt.Errorf("the nodes do not find each other: %w (%w)", missing, context.Cause(ctx))
			}
			if missing = err; err == nil {
				missing = lacks(n.Name, members, all)
			}
			if missing == nil {
				break
			}
			select {
			case <-time.After(lookAgain):
			case <-ctx.Done():
			}
		}
	}
	return nil
}

// lacks says whom a node does not see; nil if it sees all.
func lacks(name string, sees []control.Member, all []Node) error {
	alive := make(map[string]bool)
	for _, m := range sees {
		alive[m.Name] = alive[m.Name] || m.State == control.StateAlive && m.Cores > 0
	}
	for _, n := range all {
		if !alive[n.Name] {
			return fmt.Errorf("%s does not see %s", name, n.Name)
		}
	}
	return nil
}

// Running are the containers of nodes that run, of the testbed in dir: those with our image's entry point and a host's name.
func (e *Engine) Running(ctx context.Context, dir string) (containers []string, err error) {
	name, err := projectIn(dir)
	if err != nil {
		return nil, err
	}
	out, err := e.Docker(ctx, "ps", "--filter", "label=com.docker.compose.project="+name, "--filter", "ancestor="+name, "--format", "{{.Names}}")
	if err != nil {
		return nil, err
	}
	containers = strings.Fields(string(out))
	slices.Sort(containers)
	return containers, nil
}
