package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// A process is a child: a node of its own, on a CPU of its own.
type process struct {
	name string
	host string // address that it listens at
	join string
	cmd  *exec.Cmd
	in   *json.Encoder
	out  *json.Decoder
}

// start starts a node on a CPU, in a network namespace if there is a link, that joins others, or nobody.
func start(name, join string, cpu int, l *link) (*process, error) {
	listen := "127.0.0.1"
	if l != nil {
		listen = l.addrs[cpu]
	}
	args := []string{"taskset", "-c", fmt.Sprint(cpu), os.Args[0], "child", name, join, listen}
	if l != nil {
		args = append([]string{"ip", "netns", "exec", l.spaces[cpu]}, args...)
	}
	p := &process{name: name, host: listen, cmd: exec.Command(args[0], args[1:]...)}
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var r reply
	if err := p.out.Decode(&r); err != nil {
		return nil, fmt.Errorf("%s did not start: %w", name, err)
	}
	p.join = r.Text
	return p, nil
}

func (p *process) ask(q request) (reply, error) {
	var r reply
	if err := p.in.Encode(q); err != nil {
		return r, err
	}
	if err := p.out.Decode(&r); err != nil {
		return r, fmt.Errorf("%s: %w", p.name, err)
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s: %s", p.name, q.Do, r.Error)
	}
	return r, nil
}

// meets waits until a node knows all of these.
func (p *process) meets(names ...string) error {
	for late := time.Now().Add(30 * time.Second); time.Now().Before(late); time.Sleep(50 * time.Millisecond) {
		r, err := p.ask(request{Do: "members"})
		if err != nil {
			return err
		}
		all := true
		for _, n := range names {
			all = all && strings.Contains(r.Text, n)
		}
		if all {
			return nil
		}
	}
	return fmt.Errorf("%s does not meet %v", p.name, names)
}

func (p *process) end() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}
