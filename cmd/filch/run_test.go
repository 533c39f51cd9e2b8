package main

import (
	"errors"
	"io"
	"reflect"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

func TestNearest(t *testing.T) {
	names := []string{"keep-order", "jobs", "tag", "dry-run"}
	for word, want := range map[string]string{
		"keep": "keep-order", "keep-oder": "keep-order", "dryrunn": "dry-run", "job": "jobs", "tga": "", "zzz": "", "": "keep-order",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"ab", "ba", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// A flag is either here or to come, under each of its names.
func TestNoFlagIsBoth(t *testing.T) {
	flags := newRunCmd().Flags()
	for _, name := range strings.Fields(notYetFlags) {
		if len(name) == 1 && flags.ShorthandLookup(name) != nil || flags.Lookup(name) != nil {
			t.Errorf("%s is supported and not supported yet", name)
		}
	}
	for alias, name := range flagAliases {
		if flags.Lookup(name) == nil {
			t.Errorf("%s stands for %s, which there is not", alias, name)
		}
	}
}

func TestOutcome(t *testing.T) {
	failed := errors.New("failed")
	for _, c := range []struct {
		abandon, stop, finish, err error
		want                       error
	}{
		{want: nil},
		{err: exitCode(3), want: exitCode(3)},
		{err: failed, want: failed},
		{stop: signalled{syscall.SIGINT}, err: failed, want: exitCode(130)},
		{finish: signalled{syscall.SIGINT}, want: exitCode(130)},
		{finish: signalled{syscall.SIGINT}, stop: signalled{syscall.SIGTERM}, want: exitCode(143)},
		{finish: exitCode(7), err: failed, want: exitCode(7)},
		{finish: exitCode(1), stop: exitCode(2), abandon: signalled{syscall.SIGTERM}, want: exitCode(143)},
		{stop: &parallel.WriteError{Stream: "standard output", Err: syscall.EPIPE}, want: exitCode(141)},
	} {
		s := newStopper(t.Context())
		if c.finish != nil {
			s.finish(c.finish)
		}
		if c.stop != nil {
			s.stop(c.stop)
		}
		if c.abandon != nil {
			s.abandon(c.abandon)
		}
		if got := s.outcome(c.err); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
		s.abandon(nil)
	}
	if code := report(failed, io.Discard); code != 255 {
		t.Errorf("exit code %d", code)
	}
}

func TestChooseShell(t *testing.T) {
	for _, c := range []struct {
		environ string
		program string
		want    shellChoice
	}{
		{"A=b", "f", shellChoice{}},
		{"PARALLEL_SHELL=/bin/zsh", "f", shellChoice{name: "/bin/zsh"}},
		{"BASH_FUNC_f%%=() { :; }", "f", shellChoice{name: "bash", always: true}},
		{"BASH_FUNC_f%%=() { :; }", "g", shellChoice{name: "bash"}},
		{"BASH_FUNC_f%%=() { :; }|PARALLEL_SHELL=/x/bash", "f", shellChoice{name: "/x/bash", always: true}},
	} {
		if got := chooseShell(strings.Split(c.environ, "|"), c.program); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.environ, got, c.want)
		}
	}
	for line, want := range map[string]string{"-x": " -x", "+x": " +x", "x": "x", "": ""} {
		if got := (shellChoice{name: "s"}).command(line).Argv; !reflect.DeepEqual(got, []string{"s", "-c", want}) {
			t.Errorf("%q: got %q", line, got)
		}
	}
}

func TestVersionOf(t *testing.T) {
	v := versionOf(&debug.BuildInfo{
		Main: debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2020-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
		},
	})
	var b strings.Builder
	if err := v.print(&b); err != nil {
		t.Fatal(err)
	}
	if want := "filch v1.2.3\nrevision abc (modified) of 2020-01-02T03:04:05Z\n"; !strings.HasPrefix(b.String(), want) {
		t.Errorf("got %q", b.String())
	}
	if got := versionOf(nil); got.Version != "unknown" || got.Go == "" || got.Platform == "" {
		t.Errorf("got %+v", got)
	}
}
