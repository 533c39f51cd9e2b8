package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/exec/task"
)

// A crowd is a job whose tasks are all the same command line. Its methods are safe for concurrent use.
type crowd struct {
	name  string
	job   *exec.Job
	bag   *exec.Bag[int]
	first chan struct{} // closed when the first command starts
	once  sync.Once
	ended atomic.Int64 // commands
	spent atomic.Int64 // nanoseconds of CPU of those that have ended
}

func newCrowd(e *exec.Engine, r *proc.Runner, name, line string) (*crowd, error) {
	job, err := e.NewJob(exec.JobConfig{Name: name, External: true})
	if err != nil {
		return nil, err
	}
	c := &crowd{name: name, job: job, first: make(chan struct{})}
	c.bag = exec.NewBag(job, func(x *exec.Ctx, i int) {
		c.once.Do(func() { close(c.first) })
		res := r.Run(x.Context(), proc.Command{Argv: []string{"sh", "-c", line}, Task: task.ID(i + 1), Job: name})
		res.Stdout.Close()
		res.Stderr.Close()
		c.spent.Add(int64(res.Usage.User + res.Usage.System))
		c.ended.Add(1)
	})
	return c, nil
}

func (c *crowd) submit(ctx context.Context, n int) error { return exec.SubmitRange(ctx, c.bag, 0, n) }

// used is the CPU time of all commands so far. One that ends while we look is missed, or counted once.
func (c *crowd) used() time.Duration { return time.Duration(c.spent.Load()) + c.running() }

// tick is the unit of times in /proc: USER_HZ, which Linux promises not to change.
const tick = time.Second / 100

// running is the CPU time of the processes that carry this job's name in their environment.
func (c *crowd) running() time.Duration {
	var sum time.Duration
	paths, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, p := range paths {
		environ, err := os.ReadFile(p)
		if err != nil || !bytes.Contains(append([]byte{0}, environ...), []byte("\x00FILCH_JOB_ID="+c.name+"\x00")) {
			continue
		}
		if t, err := cpuTime(filepath.Join(filepath.Dir(p), "stat")); err == nil {
			sum += t
		}
	}
	return sum
}

// cpuTime reads user and system time from a file /proc/PID/stat, with those of children that were waited for.
func cpuTime(stat string) (time.Duration, error) {
	text, err := os.ReadFile(stat)
	if err != nil {
		return 0, err
	}
	_, text, _ = bytes.Cut(text, []byte(") ")) // after the name; field 3 comes next
	fields := bytes.Fields(text)
	const utime, cstime = 14 - 3, 17 - 3
	if len(fields) <= cstime {
		return 0, fmt.Errorf("%s has %d fields", stat, len(fields))
	}
	var ticks int64
	for _, f := range fields[utime : cstime+1] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
