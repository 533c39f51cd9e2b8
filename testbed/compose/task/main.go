// Command task is a command for testbed/compose: it notes when it began and ended, and whether another copy of it
// held its lock meanwhile, and prints a result that follows from its number.
//
//	task DIR "NUMBER MILLISECONDS"
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/filchsched/filch/testbed/nodes"
)

func main() {
	if err := work(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "task:", err)
		os.Exit(1)
	}
}

func work(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want DIR and an input, not %q", args)
	}
	number, takes, _ := strings.Cut(args[1], " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	ms, err := strconv.Atoi(takes)
	if err != nil {
		return err
	}
	alone, err := lock(filepath.Join(args[0], "lock."+number))
	if err != nil {
		return err
	}
	if !alone {
		if err := note(args[0], "second", n); err != nil {
			return err
		}
	}
	if err := note(args[0], "began", n); err != nil {
		return err
	}
	time.Sleep(time.Duration(ms) * time.Millisecond)
	fmt.Println("result of", n, "is", nodes.Sum(n))
	return note(args[0], "ended", n)
}

// note appends a line; those of several processes do not mix. All containers have one clock.
func note(dir, what string, task int) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "history"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, task, what, host, time.Now().UnixNano())
	return err
}
