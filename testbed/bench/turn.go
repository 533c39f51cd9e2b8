package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// A turn is one contender's part in one round. It runs in a process of its own,
// this program started with turnVerb: a Go runtime remembers what it went through. One
// contender that piles up a million goroutines leaves as many descriptors for every
// later collection to walk, and its neighbours would pay.

// turnVerb as only argument makes this program run one turn.
const turnVerb = "turn-child"

// warmupShare is the part of the tasks that warm a turn up in the rounds that
// are measured.
const warmupShare = 10

// A turnOrder says what to run; it travels as JSON on standard input.
type turnOrder struct {
	Contest   string
	Contender string
	Settings  settings
	Rehearsal bool // the round that is dropped: warm up and verify in full, measure nothing
}

// A turnResult is what came out; it travels as JSON on standard output.
type turnResult struct {
	Laps  []lap
	Error string // "" if all went well
	Wrong bool   // the error is a wrong result
	Peak  int64  // resident memory of the process at its highest, bytes; 0 if unknown
}

func (r turnResult) err() error {
	switch {
	case r.Error == "":
		return nil
	case r.Wrong:
		return fmt.Errorf("%w: %s", errWrong, r.Error)
	}
	return errors.New(r.Error)
}

// runTurn runs a turn in this process: a warm-up whose results are checked,
// then, unless it is the rehearsal, the laps.
func runTurn(ctx context.Context, c contender, rehearsal bool) ([]lap, error) {
	warmup := &clock{verifying: true, share: warmupShare}
	if rehearsal {
		warmup.share = 1
	}
	if err := c.run(ctx, warmup); err != nil {
		return nil, fmt.Errorf("warm-up: %w", err)
	}
	if rehearsal {
		return nil, nil
	}
	measured := new(clock)
	if err := c.run(ctx, measured); err != nil {
		return nil, err
	}
	if len(measured.laps) == 0 {
		return nil, errors.New("measured nothing")
	}
	return measured.laps, nil
}

// turnMain is the child process.
func turnMain(ctx context.Context, in io.Reader, out io.Writer) error {
	var order turnOrder
	if err := json.NewDecoder(in).Decode(&order); err != nil {
		return fmt.Errorf("order of a turn: %w", err)
	}
	runtime.GOMAXPROCS(order.Settings.Workers)
	c, err := makeContest(order.Contest, order.Settings)
	if err != nil {
		return err
	}
	var result turnResult
	found := false
	for _, con := range c.contenders {
		if con.name == order.Contender {
			found = true
			result.Laps, err = runTurn(ctx, con, order.Rehearsal)
		}
	}
	if !found {
		err = fmt.Errorf("%s has no contender %q", order.Contest, order.Contender)
	}
	if err != nil {
		result.Error, result.Wrong = err.Error(), errors.Is(err, errWrong)
	}
	return json.NewEncoder(out).Encode(result)
}

// turnInChild runs a turn in a process of its own.
func turnInChild(ctx context.Context, order turnOrder) (turnResult, error) {
	self, err := os.Executable()
	if err != nil {
		return turnResult{}, err
	}
	input, err := json.Marshal(order)
	if err != nil {
		return turnResult{}, err
	}
	command := exec.CommandContext(ctx, self, turnVerb)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second // then it is killed
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	out, err := command.Output()
	if err != nil {
		return turnResult{}, fmt.Errorf("process of its turn: %w", err)
	}
	var result turnResult
	if err := json.Unmarshal(out, &result); err != nil {
		return turnResult{}, fmt.Errorf("process of its turn printed %q: %w", out, err)
	}
	result.Peak = peakMemory(command.ProcessState)
	return result, result.err()
}
