//go:build linux

package compose

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filchsched/filch/cmd/filch/compose"
	"github.com/filchsched/filch/testbed/nodes"
)

// A rig is the testbed.
type rig struct {
	engine *compose.Engine
	plan   compose.Plan
	nodes  []compose.Node
	dir    string
	said   bytes.Buffer // by compose

	caller  io.Writer // requests of the program that calls
	replies *json.Decoder

	mu     sync.Mutex
	sum    map[string]int // of what happened, over all rounds; guarded by mu while faults come
	report strings.Builder
}

func (r *rig) say(format string, args ...any) { fmt.Fprintf(&r.report, format+"\n", args...) }

// newRig starts the testbed, of programs that are built with an overlay if that is not "".
func newRig(t *testing.T, overlay string) *rig {
	t.Helper()
	engine, err := compose.Find(t.Context())
	var missing *compose.MissingError
	if errors.As(err, &missing) {
		t.Skip("no rounds over containers: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("no rounds over containers: the image needs a shell, and there is no busybox here (busybox-static)")
	}
	bin := t.TempDir()
	for _, p := range []string{"../../cmd/filch", "../nodes/program", "./task"} {
		build := exec.Command("go", "build", "-trimpath", "-overlay", overlay, "-o", filepath.Join(bin, filepath.Base(p)), p)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", p, err, out)
		}
	}
	r := &rig{engine: engine, dir: filepath.Join(t.TempDir(), "testbed"), sum: make(map[string]int), plan: compose.Plan{
		Project: "filchchaos", Racks: racks, PerRack: perRack, CPUs: 1, Subnet: netip.MustParsePrefix("10.81.0.0/16"),
		User: fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid()), Program: []string{"/bin/program", "--workers", "1", "--mdns"},
	}}
	if overlay != "" { // so that it can run beside rounds
		r.plan.Project, r.plan.Subnet = "filchplant", netip.MustParsePrefix("10.82.0.0/16")
	}
	r.nodes = r.plan.Nodes()
	parts := compose.Parts{Filch: filepath.Join(bin, "filch"), Busybox: busybox, Programs: []string{filepath.Join(bin, "program"), filepath.Join(bin, "task")}}
	if err := r.plan.Write(r.dir, parts, engine.Arch); err != nil {
		t.Fatal(err)
	}
	if err := engine.Build(t.Context(), r.dir, r.plan.Project); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			engine.Run(context.Background(), r.dir, &r.said, "logs", "--no-color", "--tail", "60")
			t.Logf("%s", &r.said)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for _, n := range r.nodes { // nobody has to say goodbye; one may be paused
			engine.Docker(ctx, "rm", "--force", n.Container)
		}
		if err := engine.Down(ctx, r.dir, &r.said); err != nil {
			t.Errorf("%v\n%s", err, &r.said)
		}
	})
	if err := engine.Run(t.Context(), r.dir, &r.said, "up", "--detach"); err != nil {
		t.Fatalf("%v\n%s", err, &r.said)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := engine.Assemble(ctx, &r.plan); err != nil {
		t.Fatal(err)
	}
	r.startCaller(t)
	return r
}

// startCaller starts the program that calls functions, in the first container: a node of its own.
func (r *rig) startCaller(t *testing.T) {
	t.Helper()
	c := r.engine.Exec(t.Context(), r.nodes[0].Container, "program", "-name", "caller", "-data-dir", "/tmp/caller", "-listen", "0.0.0.0:7500",
		"-workers", "1", "-mdns", "-label", "host=caller", "-label", "rack=r1", "-label", "zone=z1")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if first, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(first, "join ") {
		t.Fatalf("the caller says %q: %v", first, err)
	}
	r.caller, r.replies = in, json.NewDecoder(lines)
	t.Cleanup(func() { in.Close() }) // docker exec itself ends with the container
}

// newDir is the round's directory as the containers see it; r.here is the same from here.
func (r *rig) newDir(t *testing.T, p *plan) string {
	t.Helper()
	dir := compose.Shared + "/round" + strconv.FormatUint(p.seed, 10)
	os.RemoveAll(r.here(dir, ""))
	if err := os.Mkdir(r.here(dir, ""), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (r *rig) here(dir, file string) string {
	return filepath.Join(r.dir, "files", strings.TrimPrefix(dir, compose.Shared), file)
}

// commands runs the commands of a plan. What it returns lacks the events.
func (r *rig) commands(ctx context.Context, p *plan, dir string) (*History, error) {
	var input strings.Builder
	for i, d := range p.tasks {
		fmt.Fprintf(&input, "%d %d\n", i+1, d.Milliseconds())
	}
	c := r.engine.Exec(ctx, r.nodes[0].Container, "filch", "run", "-k", "--joblog", dir+"/log", "task "+dir+" {}")
	var out, said bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(input.String()), &out, &said
	if err := c.Run(); ctx.Err() != nil {
		return nil, fmt.Errorf("filch run: %w", context.Cause(ctx))
	} else if err != nil {
		return nil, fmt.Errorf("filch run: %w: %s", err, &said)
	}
	h := &History{Over: time.Now(), Results: strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")}
	log, err := os.ReadFile(r.here(dir, "log"))
	for i, line := range strings.Split(strings.TrimSuffix(string(log), "\n"), "\n") {
		number, _, _ := strings.Cut(line, "\t")
		if task, err := strconv.Atoi(number); err == nil && i > 0 {
			h.Logged = append(h.Logged, task)
		}
	}
	return h, err
}

// calls has the caller call the function, and tells what is wrong with the results.
func (r *rig) calls(ctx context.Context, p *plan, dir string) error {
	q := nodes.Request{ID: int(p.seed), Takes: p.calls, Dir: dir, OneByOne: p.seed%2 == 0}
	if err := json.NewEncoder(r.caller).Encode(q); err != nil {
		return fmt.Errorf("calls: %w", err)
	}
	type answer struct {
		reply nodes.Reply
		err   error
	}
	got := make(chan answer, 1)
	go func() { // ends with the caller at the latest
		var a answer
		a.err = r.replies.Decode(&a.reply)
		got <- a
	}()
	select {
	case a := <-got:
		if a.err != nil || a.reply.Error != "" {
			return fmt.Errorf("calls: %w %s", a.err, a.reply.Error)
		}
		return r.judge(p, dir, a.reply.Ends)
	case <-ctx.Done():
		return fmt.Errorf("calls: %w", context.Cause(ctx))
	}
}

// judge wants one right result for each call, and that it ran to its end somewhere.
func (r *rig) judge(p *plan, dir string, ends []nodes.End) (err error) {
	seen := make([]int, len(p.calls))
	for _, e := range ends {
		seen[e.Index]++
		if e.Error != "" || e.Value.Sum != nodes.Sum(e.Index) {
			err = errors.Join(err, fmt.Errorf("answer: call %d returned %+v", e.Index, e))
		}
	}
	returned, readErr := os.ReadFile(r.here(dir, "returned"))
	for i, n := range seen {
		if n != 1 {
			err = errors.Join(err, fmt.Errorf("once: call %d returned %d times", i, n))
		}
		if !strings.Contains("\n"+string(returned), fmt.Sprintf("\n%d ", i)) {
			err = errors.Join(err, fmt.Errorf("from nowhere: call %d has a result and never ran to its end", i))
		}
	}
	return errors.Join(err, readErr)
}

// events reads what commands noted.
func (r *rig) events(t *testing.T, dir string) []Event {
	t.Helper()
	text, err := os.ReadFile(r.here(dir, "history"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := ParseEvents(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
