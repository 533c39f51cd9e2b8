//go:build unix

package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

// victim runs scripts, each with the argument that follows it as $0, all at once, then one
// command after the other for every line of standard input, and says how each ended. It is filch
// as far as this package is concerned.
func victim(args []string) int {
	r, err := New(Config{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	memory, _ := strconv.ParseInt(os.Getenv(victimMemory), 10, 64)
	if memory > 0 {
		fmt.Println(r.Limits())
	}
	var leash *Leash
	if d, err := time.ParseDuration(os.Getenv(victimLeash)); err == nil {
		leash = NewLeash(Clock() + d)
	}
	tell := func(c Command) {
		c.Memory, c.Leash = memory, leash
		res := r.Run(context.Background(), c)
		fmt.Printf("%v exit %d signal %d lost %v\n", StateOf(res.Outcome), res.Exit, res.Signal, errors.Is(res.Err, ErrSupervisorLost))
		res.Stdout.Close()
		res.Stderr.Close()
	}
	var all sync.WaitGroup
	for ; len(args) > 1; args = args[2:] {
		c := Command{Argv: []string{"sh", "-c", args[0], args[1]}}
		all.Go(func() { tell(c) })
	}
	all.Wait()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		tell(Command{Shell: lines.Text()})
	}
	if err := r.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
