package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/filchsched/filch/cmd/filch/compose"
)

// What is done to each file, and to how many: enough for some ten seconds.
const (
	oneFile  = `gzip -9c {} | gunzip -c | sha256sum`
	maxFiles = 1500
	sample   = 20 // every so many-th file is done alone, to know what all of them cost
)

// commands has the nodes compress and check a tree of files, and compares with what is right.
func (s *stage) commands(ctx context.Context) error {
	list, want, err := s.copyFiles()
	if err != nil {
		return err
	}
	// All of it in a row, on one core, of which a sample is done.
	var few []string
	for i := 0; i < len(list); i += sample {
		few = append(few, list[i])
	}
	was, err := s.cpu(ctx, s.nodes[0])
	if err != nil {
		return err
	}
	if _, err := s.filch(ctx, few, "run", "--local", "-k", "-j1", oneFile); err != nil {
		return err
	}
	is, err := s.cpu(ctx, s.nodes[0])
	if err != nil {
		return err
	}
	inARow := (is - was) * time.Duration(len(list)) / time.Duration(len(few))
	before, err := s.counts(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	got, err := s.filch(ctx, list, "run", "-k", "--joblog", "log", "--job", "files", oneFile)
	took := time.Since(begun)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errors.New("the checksums are wrong")
	}
	after, err := s.counts(ctx)
	if err != nil {
		return err
	}
	log, err := readLog(filepath.Join(s.dir, "files", "log"))
	if err != nil {
		return err
	}
	for i := range log {
		if log[i].node == ":" { // that is how the machine of the run is called in a job log
			log[i].node = s.nodes[0].Name
		}
	}
	if len(log) != len(list) {
		return fmt.Errorf("the log has %d tasks, and there were %d", len(log), len(list))
	}
	s.report.line("\ncommands: %s for each of %d files (-files says which), all %d checksums right", oneFile, len(list), len(list))
	s.report.share(took, inARow, after.since(before), s.cores())
	s.report.levels(after.since(before))
	s.report.places(log, s.nodes)
	return s.draw(log, filepath.Join(s.out, "commands.png"))
}

// filch runs a verb in the first node's container, with inputs.
func (s *stage) filch(ctx context.Context, inputs []string, args ...string) ([]byte, error) {
	c := s.engine.Exec(ctx, s.nodes[0].Container, append([]string{"filch"}, args...)...)
	c.Stdin = strings.NewReader(strings.Join(inputs, "\n"))
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, &said)
	}
	return out.Bytes(), nil
}

// copyFiles copies files to where all nodes see them. want is what oneFile prints for them.
func (s *stage) copyFiles() (list []string, want []byte, err error) {
	err = filepath.WalkDir(s.files, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || len(list) == maxFiles {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%03d-%s", len(list), strings.Map(plain, d.Name()))
		list = append(list, name)
		want = fmt.Appendf(want, "%x  -\n", sha256.Sum256(text))
		return os.WriteFile(filepath.Join(s.dir, "files", name), text, 0o644)
	})
	if err == nil && len(list) < sample {
		err = fmt.Errorf("%s has only %d files", s.files, len(list))
	}
	return list, want, err
}

func plain(r rune) rune {
	if strings.ContainsRune("\n\r\x00", r) {
		return '_'
	}
	return r
}

// A ran is a line of the job log.
type ran struct {
	node       string
	begin, end float64 // in seconds since 1970
}

func readLog(path string) (all []ran, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := csv.NewReader(f)
	lines.Comma, lines.LazyQuotes, lines.FieldsPerRecord = '\t', true, -1
	for first := true; ; first = false {
		fields, err := lines.Read()
		switch {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, err
		case first || len(fields) < 4:
			continue
		}
		begin, err := strconv.ParseFloat(strings.TrimSpace(fields[2]), 64)
		if err != nil {
			return nil, err
		}
		took, err := strconv.ParseFloat(strings.TrimSpace(fields[3]), 64)
		if err != nil {
			return nil, err
		}
		all = append(all, ran{fields[1], begin, begin + took})
	}
}

// cores is how many there are to use: the nodes' limits, or the machine's.
func (s *stage) cores() float64 {
	sum := 0.0
	for _, n := range s.nodes {
		sum += n.CPUs
	}
	return min(sum, float64(s.engine.CPUs))
}

// A count is what nodes have counted so far.
type count struct {
	byLevel map[string]uint64 // tasks that somebody took from somebody else
	cpu     time.Duration     // of all containers
}

func (c count) since(before count) count {
	d := count{byLevel: make(map[string]uint64), cpu: c.cpu - before.cpu}
	for level, n := range c.byLevel {
		d.byLevel[level] = n - before.byLevel[level]
	}
	return d
}

// counts asks all nodes. A steal counts where the thief tells it.
func (s *stage) counts(ctx context.Context) (c count, err error) {
	c.byLevel = make(map[string]uint64)
	for _, n := range s.nodes {
		steals, err := s.steals(ctx, n)
		if err != nil {
			return c, err
		}
		for _, x := range steals.Steals {
			if x.Thief == n.Name {
				c.byLevel[x.Level] += x.Tasks
			}
		}
		cpu, err := s.cpu(ctx, n)
		if err != nil {
			return c, err
		}
		c.cpu += cpu
	}
	return c, nil
}

// cpu is what a container has used, of either version of cgroups.
func (s *stage) cpu(ctx context.Context, n compose.Node) (time.Duration, error) {
	out, err := s.engine.Docker(ctx, "exec", n.Container, "sh", "-c",
		"cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || awk '/usage_usec/{print $2*1000}' /sys/fs/cgroup/cpu.stat")
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return time.Duration(ns), err
}
