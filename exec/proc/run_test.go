//go:build unix

package proc

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/filchsched/filch/exec/task"
)

// eachStarter runs a test with every starter of this system.
func eachStarter(t *testing.T, f func(t *testing.T, r *Runner)) {
	for _, s := range starters() {
		t.Run(s.name, func(t *testing.T) {
			r := newRunner(t, Config{SpillDir: t.TempDir()})
			r.starter = s.starter
			f(t, r)
		})
	}
}

// text reads a capture and closes it.
func text(t testing.TB, c *Capture) string {
	t.Helper()
	var b bytes.Buffer
	n, err := c.WriteTo(&b)
	if err != nil || n != c.Len() || int64(b.Len()) != n {
		t.Errorf("WriteTo wrote %d of %d bytes, said %d: %v", b.Len(), c.Len(), n, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	return b.String()
}

// run runs a line and returns its result and output.
func run(t testing.TB, r *Runner, c Command) (Result, string, string) {
	t.Helper()
	res := r.Run(context.Background(), c)
	return res, text(t, res.Stdout), text(t, res.Stderr)
}

func TestCommandRunsAndTells(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		dir := t.TempDir()
		for _, c := range []struct {
			cmd          Command
			exit, signal int
			out, err     string
		}{
			{cmd: Command{Argv: []string{"echo", "a  b", "$c"}}, out: "a  b $c\n"},
			{cmd: Command{Shell: "echo out; echo err >&2"}, out: "out\n", err: "err\n"},
			{cmd: Command{Shell: "exit 3"}, exit: 3},
			{cmd: Command{Argv: []string{"false"}}, exit: 1},
			{cmd: Command{Shell: "echo last words; kill -9 $$"}, signal: 9, out: "last words\n"},
			{cmd: Command{Shell: "kill -SEGV $$"}, signal: 11},
			{cmd: Command{Argv: []string{"cat"}}}, // standard input is empty
			{cmd: Command{Argv: []string{"pwd"}, Dir: dir}, out: dir + "\n"},
			{cmd: Command{Shell: "echo $PWD", Dir: dir}, out: dir + "\n"},
			{cmd: Command{Argv: []string{"/usr/bin/env"}, Env: []string{"A=1", "B=2 3"}}, out: "A=1\nB=2 3\n"},
			{cmd: Command{Argv: []string{"/usr/bin/env"}, Env: []string{}}},
			{cmd: Command{Shell: "-nope 2>/dev/null"}, exit: 127},
			{cmd: Command{Shell: "echo to the name >/dev/stdout; echo more"}, out: "to the name\nmore\n"},
		} {
			res, out, errs := run(t, r, c.cmd)
			if res.Exit != c.exit || res.Signal != c.signal || out != c.out || errs != c.err {
				t.Errorf("%+v: exit %d signal %d out %q err %q, want %+v", c.cmd, res.Exit, res.Signal, out, errs, c)
			}
			if want := c.exit == 0 && c.signal == 0; (res.State == task.Done) != want || (res.Err == nil) != want {
				t.Errorf("%+v: state %v, error %v", c.cmd, res.State, res.Err)
			}
			if res.Wall <= 0 || res.Start.IsZero() {
				t.Errorf("%+v: wall %v, start %v", c.cmd, res.Wall, res.Start)
			}
		}
	})
}

func TestStandardInputIsPassed(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		path := filepath.Join(t.TempDir(), "in")
		if err := os.WriteFile(path, []byte("a line\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, out, _ := run(t, r, Command{Argv: []string{"cat"}, Stdin: f}); out != "a line\n" {
			t.Errorf("cat printed %q", out)
		}
	})
}

func TestBinaryOutputIsKept(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		for _, size := range []int{1, 4096, scratchSize - 1, scratchSize, scratchSize + 1, 3*scratchSize + 17} {
			data := make([]byte, size)
			rand.Read(data)
			path := filepath.Join(t.TempDir(), "data")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, out, errs := run(t, r, Command{Argv: []string{"sh", "-c", "cat $0; cat $0 >&2", path}})
			if out != string(data) || errs != string(data) {
				t.Errorf("%d bytes came back as %d and %d, or changed", size, len(out), len(errs))
			}
		}
	})
}

func TestUsageIsReported(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		// dd's buffer is resident, and larger than this process ever was.
		var own syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
			t.Fatal(err)
		}
		buffer := int64(own.Maxrss)*maxrssUnit() + 32<<20
		res, _, errs := run(t, r, Command{Shell: fmt.Sprintf("dd if=/dev/zero of=/dev/null bs=%d count=2; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done", buffer)})
		if res.State != task.Done {
			t.Fatal(res.Err, errs)
		}
		if u := res.Usage; u.User <= 0 || u.System <= 0 || u.MaxMemory < buffer || u.MaxMemory > buffer+64<<20 {
			t.Errorf("usage %+v with a buffer of %d", u, buffer)
		}
		// What a small command reports is its own, or nothing: never our size.
		if res, _, _ := run(t, r, Command{Argv: []string{"true"}}); res.Usage.MaxMemory > 8<<20 {
			t.Errorf("true took %d bytes", res.Usage.MaxMemory)
		}
	})
}

// files makes the files that TestCommandsThatCannotStart tries to run.
func files(t *testing.T) (dir string) {
	dir = t.TempDir()
	for name, f := range map[string]struct {
		mode os.FileMode
		text string
	}{
		"plain":     {0o644, "#!/bin/sh\necho no\n"},
		"script":    {0o755, "echo \"no shebang: $0 $*\"\nexit 4\n"},
		"empty":     {0o755, ""},
		"foreign":   {0o755, "\x7fELF\x02\x01\x01\x00 of another machine\n"},
		"orphan":    {0o755, "#!/no/such/interpreter\n"},
		"hello":     {0o755, "#!/bin/sh\necho hello from \"$PWD\"\n"},
		"-e":        {0o755, "echo dash\n"},
		"notadir/x": {0o755, "#!/bin/sh\n"},
	} {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(f.text), f.mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCommandsThatCannotStart(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		dir := files(t)
		path := []string{"PATH=" + dir + ":/usr/bin:/bin"}
		for _, c := range []struct {
			name string
			cmd  Command
			exit int
			says string
		}{
			{"not found", Command{Argv: []string{"no-such-command-here"}}, 127, `"no-such-command-here": command not found`},
			{"no such path", Command{Argv: []string{"./no/such"}}, 127, "check the path"},
			{"not executable", Command{Argv: []string{"./plain"}, Dir: dir}, 126, "chmod +x"},
			{"not executable, in PATH", Command{Argv: []string{"plain"}, Env: path}, 126, "not executable"},
			{"directory", Command{Argv: []string{dir}}, 126, "directory"},
			{"directory in PATH", Command{Argv: []string{"notadir"}, Env: path}, 126, "not executable"},
			{"below a file", Command{Argv: []string{dir + "/plain/x"}}, 127, "check the path"},
			{"no command", Command{}, 127, "empty"},
			{"empty name", Command{Argv: []string{""}}, 127, "empty"},
			{"NUL", Command{Argv: []string{"echo", "a\x00b"}}, 126, "NUL"},
			{"NUL in the script", Command{Shell: "echo a\x00b"}, 126, "NUL"},
			{"NUL in the name", Command{Argv: []string{"ec\x00ho"}}, 127, "not found"},
			{"NUL in the environment", Command{Argv: []string{"/bin/echo"}, Env: []string{"A=\x00"}}, 126, "NUL"},
			{"foreign executable", Command{Argv: []string{dir + "/foreign"}}, 126, "not a program for this machine"},
			{"missing interpreter", Command{Argv: []string{dir + "/orphan"}}, 127, "interpreter"},
			{"missing directory", Command{Argv: []string{"true"}, Dir: dir + "/gone"}, 126, "working directory"},
			{"directory is a file", Command{Argv: []string{"true"}, Dir: dir + "/plain"}, 126, "working directory"},
			{"one long argument", Command{Argv: []string{"true", strings.Repeat("x", 1<<20)}}, 126, "has 1048576 bytes"},
			{"long script", Command{Shell: "true " + strings.Repeat("x", 1<<20)}, 126, "argument list too long"},
			{"many arguments", Command{Argv: append([]string{"true"}, strings.Fields(strings.Repeat("0123456789 ", 1<<20))...)}, 126, "environment take"},
		} {
			res, out, errs := run(t, r, c.cmd)
			var start *StartError
			if !errors.As(res.Err, &start) || res.State != task.Failed || res.Exit != c.exit || start.Exit != c.exit {
				t.Errorf("%s: state %v exit %d error %#v", c.name, res.State, res.Exit, res.Err)
			} else if !strings.Contains(res.Err.Error(), c.says) || len(res.Err.Error()) > 400 {
				t.Errorf("%s: %v", c.name, res.Err)
			}
			if out != "" || errs != "" {
				t.Errorf("%s: printed %q, %q", c.name, out, errs)
			}
		}
	})
}

func TestProgramsAreFoundAsTheShellFindsThem(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		dir := files(t)
		for _, c := range []struct {
			name string
			cmd  Command
			out  string
			exit int
		}{
			{"relative path", Command{Argv: []string{"./hello"}, Dir: dir}, "hello from " + dir + "\n", 0},
			{"relative PATH", Command{Argv: []string{"hello"}, Dir: dir, Env: []string{"PATH=/nowhere:."}}, "hello from " + dir + "\n", 0},
			{"empty element", Command{Argv: []string{"hello"}, Dir: dir, Env: []string{"PATH=/nowhere:"}}, "hello from " + dir + "\n", 0},
			{"past one that is not executable", Command{Argv: []string{"plain"}, Dir: dir, Env: []string{"PATH=.:notadir/.."}}, "", 126},
			{"no shebang", Command{Argv: []string{"./script", "a", "b"}, Dir: dir}, "no shebang: ./script a b\n", 4},
			{"no shebang, by PATH", Command{Argv: []string{"script"}, Env: []string{"PATH=" + dir}}, "no shebang: " + dir + "/script \n", 4},
			{"no shebang, looks like an option", Command{Argv: []string{"-e"}, Dir: dir, Env: []string{"PATH="}}, "", 127},
			{"empty file", Command{Argv: []string{"./empty"}, Dir: dir}, "", 0},
			{"no PATH", Command{Argv: []string{"echo", "found"}, Env: []string{}}, "found\n", 0},
		} {
			res, out, _ := run(t, r, c.cmd)
			if out != c.out || res.Exit != c.exit {
				t.Errorf("%s: exit %d, %q, %v", c.name, res.Exit, out, res.Err)
			}
		}
	})
}

// A newly installed program in an earlier directory is used at once, and one
// that is gone is not.
func TestLookupRemembersNothing(t *testing.T) {
	r := newRunner(t, Config{})
	first, second := t.TempDir(), t.TempDir()
	c := Command{Argv: []string{"tool"}, Env: []string{"PATH=" + first + ":" + second}}
	install := func(dir, says string) {
		if err := os.WriteFile(dir+"/tool", []byte("#!/bin/sh\necho "+says+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string) {
		t.Helper()
		if _, out, _ := run(t, r, c); strings.TrimSpace(out) != want {
			t.Errorf("printed %q, want %q", out, want)
		}
	}
	expect("")
	install(second, "second")
	expect("second")
	install(first, "first")
	expect("first")
	os.Remove(first + "/tool")
	expect("second")
}

func TestFilchsOwnFailuresAreTold(t *testing.T) {
	r := newRunner(t, Config{})
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.EAGAIN, syscall.ENOMEM} {
		r.starter = failingStarter{errno}
		res := r.Run(context.Background(), Command{Argv: []string{"true"}})
		var own *Failure
		if !errors.As(res.Err, &own) || !errors.Is(res.Err, errno) || res.Exit != 125 || res.State != task.Failed {
			t.Errorf("%v: exit %d, %v", errno, res.Exit, res.Err)
		}
	}
}

func TestClosedStandardInput(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		res := r.Run(context.Background(), Command{Argv: []string{"cat"}, Stdin: f})
		if res.State != task.Failed || !errors.Is(res.Err, os.ErrClosed) {
			t.Errorf("%+v", res.Outcome)
		}
	})
}

type failingStarter struct{ err error }

func (f failingStarter) start(*launch) (process, error) { return nil, f.err }

// TestManyAtOnce also sees to it that no descriptor and no goroutine is left.
func TestManyAtOnce(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		run(t, r, Command{Argv: []string{"true"}}) // what is opened once is open
		before := openFilesNow(t)
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				for i := range 12 {
					want := fmt.Sprintf("%d.%d\n", w, i)
					cmd := Command{Shell: "echo " + strings.TrimSpace(want) + "; exit 7"}
					if i%4 == 3 {
						cmd, want = Command{Argv: []string{"/no/such"}}, ""
					}
					res := r.Run(ctx, cmd)
					if out := text(t, res.Stdout); out != want || res.State != task.Failed {
						t.Errorf("%v printed %q: %v", cmd, out, res.Err)
					}
					res.Stderr.Close()
				}
			})
		}
		wg.Wait()
		if after := openFilesNow(t); after > before {
			t.Errorf("%d open files before, %d after", before, after)
		}
	})
}

// openFilesNow counts our descriptors, or returns 0 where the system does not tell.
func openFilesNow(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Log(err)
	}
	return len(list)
}
