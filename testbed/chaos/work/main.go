//go:build unix

// Command work is a task for testbed/chaos: it leaves a trace of having started, holds a lock
// while it runs, and prints a result that follows from its arguments. Every third task spends its
// time in a child of its own.
//
//	work DIR "TASK MILLISECONDS"
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := work(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "work:", err)
		os.Exit(1)
	}
}

func work(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want DIR and an input, not %q", args)
	}
	dir := args[0]
	task, takes, _ := strings.Cut(args[1], " ")
	ms, err := strconv.Atoi(takes)
	if err != nil {
		return err
	}
	if task == nap {
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return nil
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock."+task), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if err := note(dir, "twice", task); err != nil {
			return err
		}
	}
	if err := note(dir, "started", task); err != nil {
		return err
	}
	if err := spend(dir, task, ms); err != nil {
		return err
	}
	fmt.Println("result of", task, "is", result(task))
	return nil
}

// nap is the task of a child.
const nap = "nap"

// spend lets the task's time pass.
func spend(dir, task string, ms int) error {
	if n, err := strconv.Atoi(task); err != nil || n%3 != 0 {
		time.Sleep(time.Duration(ms) * time.Millisecond)
		return nil
	}
	return exec.Command(os.Args[0], dir, fmt.Sprint(nap, " ", ms)).Run()
}

// result is what follows from a task's name.
func result(task string) uint32 {
	h := uint32(2166136261)
	for _, b := range []byte(task) {
		h = (h ^ uint32(b)) * 16777619
	}
	return h
}

// note appends a line to a file; lines of several processes do not mix.
func note(dir, file, line string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(line + "\n")
	return err
}
