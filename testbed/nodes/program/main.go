// Command program is a node that knows the function nodes.Work; package nodes starts it.
//
//	program -name NAME -data-dir DIR -listen HOST:PORT [-workers N] [-mdns] [-label KEY=VALUE]...
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/filchsched/filch/exec/proc"
	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/control"
	"github.com/filchsched/filch/testbed/nodes"
)

func main() {
	proc.Supervise()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "program:", err)
		os.Exit(1)
	}
}

// run is the life of the node: its join string first, then a reply to each request. It ends with its standard input.
func run(ctx context.Context) error {
	c := node.Config{Accept: []string{node.KindExec}, Labels: make(map[string]string), Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	flag.StringVar(&c.Name, "name", "", "the node's `name`")
	flag.StringVar(&c.DataDir, "data-dir", "", "its data `directory`")
	listen := flag.String("listen", "", "`HOST:PORT`")
	flag.BoolVar(&c.MDNS, "mdns", false, "find others on the local networks")
	flag.IntVar(&c.Workers, "workers", 2, "cores")
	flag.Func("label", "`KEY=VALUE`", func(s string) error {
		k, v, ok := strings.Cut(s, "=")
		c.Labels[k] = v
		if !ok {
			return errors.New("not KEY=VALUE")
		}
		return nil
	})
	flag.Parse()
	join, err := joinString()
	if err != nil {
		return err
	}
	if join != "" {
		c.Join = []string{join}
	}
	c.Listen, c.Socket = []string{*listen}, filepath.Join(c.DataDir, control.SocketName)
	w := worker{name: c.Name}
	c.Functions = map[string]node.Function{nodes.Work: w.work}
	n, err := node.Start(ctx, c)
	if err != nil {
		return err
	}
	defer n.Drain(context.Background())
	runtime.GOMAXPROCS(c.Workers + 1) // as filch up does
	if join, err = n.JoinString(ctx); err != nil {
		return err
	}
	fmt.Println("join", join)
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := replies{to: json.NewEncoder(os.Stdout)}
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	for {
		var q nodes.Request
		if err := in.Decode(&q); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		all.Go(func() { out.write(serve(ctx, n, &q)) })
	}
}

// joinString is that of the environment, or of the file that it names.
func joinString() (string, error) {
	file := os.Getenv("FILCH_JOIN_FILE")
	if file == "" {
		return os.Getenv("FILCH_JOIN"), nil
	}
	text, err := os.ReadFile(file)
	return strings.TrimSpace(string(text)), err
}

// replies go out whole.
type replies struct {
	mu sync.Mutex
	to *json.Encoder
}

func (r *replies) write(one nodes.Reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.to.Encode(one); err != nil {
		fmt.Fprintln(os.Stderr, "program: nobody reads:", err)
	}
}
