//go:build linux

package netns

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/testbed/spaces"
)

// A process is a real "filch up" in a namespace. Its data directory outlives it.
type process struct {
	name, space, listen string
	cmd                 *exec.Cmd
	said                *spaces.Log
	watched             chan struct{} // closed when nobody watches it any more
}

func (p *process) dir() string    { return "/run/filch/" + p.name }
func (p *process) socket() string { return filepath.Join(p.dir(), control.SocketName) }

// start runs the node and has it watched. It returns the join string.
func (p *process) start(t *testing.T, w *watchers, program, join string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(p.dir()), 0o700); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command("ip", "netns", "exec", p.space, program, "up", "--no-mdns",
		"--name", p.name, "--data-dir", p.dir(), "--listen", p.listen)
	p.cmd.Env = append(os.Environ(), "FILCH_JOIN="+join)
	p.said = new(spaces.Log)
	p.cmd.Stderr = p.said
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if word, rest, _ := strings.Cut(lines.Text(), " "); word == "join" {
			p.watched = w.watch(t, p)
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("%s did not start: %s", p.name, p.said)
	return ""
}

// kill ends the process as a power failure would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
	<-p.watched
}

// members is what "filch nodes --output json" prints.
func (p *process) members(t *testing.T, program string) (all []control.Member) {
	t.Helper()
	out, err := exec.Command(program, "nodes", "--output", "json", "--socket", p.socket()).Output()
	if err == nil {
		err = json.Unmarshal(out, &all)
	}
	if err != nil {
		t.Fatalf("%s: nodes: %v\n%s", p.name, err, out)
	}
	return all
}

// A usage is what a process has used since it started.
type usage struct {
	cpu time.Duration
	rss int64 // bytes, now
}

// tick is the unit of CPU times in /proc.
const tick = 10 * time.Millisecond

func (p *process) usage(t *testing.T) (u usage) {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	stat, err := os.ReadFile(proc + "stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		u.cpu += time.Duration(n) * tick
	}
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			u.rss = kib << 10
		}
	}
	return u
}

// cost has the nodes alone for a while and prints what they used meanwhile.
func cost(t *testing.T, nodes []*process, d time.Duration) {
	t.Helper()
	before := make([]usage, len(nodes))
	for i, p := range nodes {
		before[i] = p.usage(t)
	}
	begun := time.Now()
	<-time.After(d) // what is measured is this time
	took := time.Since(begun)
	var cpu []float64
	var rss []float64
	for i, p := range nodes {
		now := p.usage(t)
		cpu = append(cpu, float64(now.cpu-before[i].cpu)/float64(took)*100)
		rss = append(rss, float64(now.rss)/(1<<20))
	}
	t.Logf("cost over %v, %d nodes, each watched: CPU %s %% of a core, RSS %s MiB", took.Round(time.Second), len(nodes), spread(cpu), spread(rss))
	if most := slices.Max(rss); most > 60 {
		t.Errorf("a node has %.1f MiB; 60 are the most", most)
	}
}

// spread is mean, least and most.
func spread(x []float64) string {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", sum/float64(len(x)), slices.Min(x), slices.Max(x))
}
