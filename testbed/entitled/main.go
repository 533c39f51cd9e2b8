// Command entitled shows the entitled-job rule with commands that burn CPU: long commands hold
// all cores, then a job of the same weight comes with short ones. Its first command must start
// within two seconds, and it must get its share of the CPU time, half, within a fifth of it.
//
// What the CPU time is divided by is the kernel, so this measures what no test in
// virtual time can: user and system time of all processes of each job, by procfs and by
// what wait4 told of those that have ended. The rule itself is held by
// TestEntitledJobStartsBesideCommandsOfOthers; this program depends on how quiet the machine is.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/filchsched/filch/exec"
	"github.com/filchsched/filch/exec/proc"
)

const (
	// startWithin is how long the job that comes later may wait for its first command.
	startWithin = 2 * time.Second
	// share is its part of the CPU time, and tolerance what it may be off by, as a part of it.
	share, tolerance = 0.5, 0.2
)

func main() {
	proc.Supervise()
	d := demonstration{}
	flag.IntVar(&d.cores, "cores", 2, "workers of the engine")
	flag.IntVar(&d.long, "long", 16, "commands of the first job, which burn CPU until the end")
	flag.IntVar(&d.short, "short", 40, "commands of the second job")
	flag.Parse()
	if err := d.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "entitled:", err)
		os.Exit(1)
	}
}

// burn is a command line that burns CPU for ever, burnSome one that does for about half a second alone.
const (
	burn     = "while :; do :; done"
	burnSome = "i=0; while test $i -lt 300000; do i=$((i+1)); done"
)

// A demonstration is one run of the program.
type demonstration struct{ cores, long, short int }

// settle is how long the long commands run before the other job comes.
const settle = 3 * time.Second

func (d demonstration) run(ctx context.Context) error {
	runner, err := proc.New(proc.Config{})
	if err != nil {
		return err
	}
	defer runner.Close()
	engine, err := exec.New(exec.Config{Workers: d.cores, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer engine.Close()
	long, err := newCrowd(engine, runner, "long", burn)
	if err != nil {
		return err
	}
	defer long.job.Cancel(nil)
	if err := long.submit(ctx, d.long); err != nil {
		return err
	}
	time.Sleep(settle)
	short, err := newCrowd(engine, runner, "short", burnSome)
	if err != nil {
		return err
	}
	defer short.job.Cancel(nil)
	before, came := long.used(), time.Now()
	if err := short.submit(ctx, d.short); err != nil {
		return err
	}
	<-short.first
	waited := time.Since(came)
	begun := long.used()
	for short.ended.Load() < int64(d.short-d.cores) { // from here on it has less to do than its share
		time.Sleep(10 * time.Millisecond)
	}
	mine, theirs := short.used(), long.used()
	fmt.Printf("%d long commands on %d cores; %v later a job of the same weight with %d commands\n", d.long, d.cores, settle, d.short)
	fmt.Printf("its first command started after %v (at most %v)\n", waited.Round(time.Millisecond), startWithin)
	fmt.Printf("CPU time from then on: %.2f s of it, %.2f s of the long ones: a share of %.3f (%.1f ± %.0f%%)\n",
		mine.Seconds(), (theirs - begun).Seconds(), part(mine, theirs-begun), share, tolerance*100)
	fmt.Printf("counted from its arrival: %.3f\n", part(mine, theirs-before))
	fmt.Printf("elapsed: %v\n", time.Since(came).Round(time.Millisecond))
	if got := part(mine, theirs-begun); waited > startWithin || got < share*(1-tolerance) || got > share*(1+tolerance) {
		return fmt.Errorf("the job waited %v and got %.3f of the CPU time", waited, got)
	}
	return nil
}

func part(a, b time.Duration) float64 { return float64(a) / float64(a+b) }
