package main

import (
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

// turnMain is the child process. It ends with its parent, even one that was
// killed: the parent holds the other end of its standard input.
func turnMain(ctx context.Context, in io.Reader, out io.Writer) error {
	var order turnOrder
	if err := json.NewDecoder(in).Decode(&order); err != nil {
		return fmt.Errorf("order of a turn: %w", err)
	}
	go func() {
		io.Copy(io.Discard, in)
		os.Exit(exitFailed)
	}()
	runtime.GOMAXPROCS(order.Settings.Workers)
	c, err := makeContest(order.Contest, order.Settings)
	if err != nil {
		return err
	}
	var result turnResult
	result.Laps, err = runTurnOf(ctx, c, order)
	if err != nil {
		result.Error, result.Wrong = err.Error(), errors.Is(err, errWrong)
	}
	result.Peak = peakMemory()
	return json.NewEncoder(out).Encode(result)
}

func runTurnOf(ctx context.Context, c contest, order turnOrder) ([]lap, error) {
	for _, con := range c.contenders {
		if con.name == order.Contender && con.missing == "" {
			return runTurn(ctx, con, order.Rehearsal)
		}
	}
	return nil, fmt.Errorf("%s has no contender %q", order.Contest, order.Contender)
}

// turnInChild runs a turn in a process of its own, for Settings.Limit at most.
func turnInChild(ctx context.Context, order turnOrder) (result turnResult, err error) {
	self, err := os.Executable()
	if err != nil {
		return result, err
	}
	limited, cancel := context.WithTimeout(ctx, order.Settings.Limit)
	defer cancel()
	command := exec.CommandContext(limited, self, turnVerb)
	command.Stderr = os.Stderr
	command.WaitDelay = 5 * time.Second // then it is killed
	command.Cancel = func() error {
		if ctx.Err() != nil {
			return command.Process.Signal(syscall.SIGTERM)
		}
		return command.Process.Signal(syscall.SIGQUIT) // it hangs: let it print its goroutines
	}
	out, err := outputOf(command, order)
	if limited.Err() != nil && ctx.Err() == nil {
		return result, fmt.Errorf("its turn was not over after %v (-limit); standard error tells where it hung", order.Settings.Limit)
	}
	if err != nil {
		return result, fmt.Errorf("process of its turn: %w", err)
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return result, fmt.Errorf("process of its turn printed %q: %w", out, err)
	}
	return result, result.err()
}

// outputOf runs a command that reads an order and holds its input open until it has ended.
func outputOf(command *exec.Cmd, order turnOrder) ([]byte, error) {
	in, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	defer hold.Close()
	// An order is far smaller than a pipe's buffer, so this does not block.
	if err := json.NewEncoder(hold).Encode(order); err != nil {
		return nil, err
	}
	command.Stdin = in
	return command.Output()
}
