//go:build unix

package proc

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A shell under test: a program that is /bin/sh somewhere.
type shell struct {
	name string
	path string
}

// shells returns the ones that this machine has.
func shells() (list []shell) {
	for _, s := range []shell{
		{name: "sh"}, {name: "dash"}, {name: "bash"}, {name: "ksh"}, {name: "mksh"}, {name: "yash"},
		{name: "zsh"}, {name: "busybox"},
	} {
		if path, err := exec.LookPath(s.name); err == nil {
			s.path = path
			list = append(list, s)
		}
	}
	return list
}

// command makes what `sh -c line` is with this shell in the place of sh.
func (s shell) command(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.path)
	cmd.Args = []string{"sh", "-c", line} // the name makes it one
	return cmd
}

// Whatever a shell says it knows itself must not be executed directly, except
// for the twins.
func TestShellWordsCoverTheShells(t *testing.T) {
	candidates := "break cd echo true [ [[ { } ! : . .. case coproc let source"
	for w := range shellWords {
		candidates += " " + w
	}
	if bash, err := exec.LookPath("bash"); err == nil {
		out, err := exec.Command(bash, "-c", "compgen -b; compgen -k").Output()
		if err != nil {
			t.Fatal(err)
		}
		candidates += " " + string(out)
	}
	for _, w := range strings.Fields(candidates) {
		for _, s := range shells() {
			// Without PATH the only commands are the shell's own.
			cmd := s.command(context.Background(), "command -v -- '"+w+"'")
			cmd.Env = []string{"PATH=/nowhere"}
			out, _ := cmd.Output()
			if len(out) == 0 {
				continue
			}
			if c := parse(t, w); c.Argv != nil && !twinWords[w] {
				t.Errorf("%s knows %q itself (%s), and Parse overlooks it", s.name, w, bytes.TrimSpace(out))
			}
		}
	}
}

// A playground is a directory where every plain word is a program that prints
// its arguments.
type playground struct {
	dir, printer string
	env          []string
}

func newPlayground(t testing.TB) *playground {
	dir := t.TempDir()
	p := &playground{dir: dir, printer: filepath.Join(dir, ".printer"), env: []string{"PATH=" + dir + "/bin", utf8Locale}}
	script := "#!/bin/sh\nprintf '<%s>' \"$0\" \"$@\"\nexit 5\n"
	if err := os.WriteFile(p.printer, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

// install makes name a program, if it is one inside the playground.
func (p *playground) install(name string) (remove func()) {
	path := filepath.Join(p.dir, "bin", name)
	if strings.Contains(name, "/") {
		path = filepath.Join(p.dir, name)
		if filepath.IsAbs(name) || !strings.HasPrefix(path, p.dir+"/") {
			return func() {}
		}
	}
	os.MkdirAll(filepath.Dir(path), 0o755)
	if os.Link(p.printer, path) != nil {
		return func() {}
	}
	return func() { os.Remove(path) }
}

// utf8Locale is for yash, which in another one refuses what is not ASCII.
const utf8Locale = "LC_ALL=C.UTF-8"

// alphabet is what FuzzParseAgainstShell writes lines with.
var alphabet = strings.Split("a|b|z9|é|ā|名| |\t|  |=|-|+|%|@|:|.|..|/|./|,|_|~|#|]|}|!|^|cd|echo|true|false|exit|pwd|A=|--|-n|-e|\u00a0|if|time|command|set|x", "|")

func spell(choices []byte) string {
	var b strings.Builder
	for _, c := range choices {
		b.WriteString(alphabet[int(c)%len(alphabet)])
	}
	return b.String()
}

// FuzzParseAgainstShell: for every line that Parse finds plain, Run and the
// shell print the same and end the same.
func FuzzParseAgainstShell(f *testing.F) {
	for i := range alphabet {
		f.Add([]byte{byte(i)})
		f.Add([]byte{byte(i), 6, 0, 6, byte(i), 0})
		f.Add([]byte{0, byte(i), 6, 1, byte(i)})
		f.Add([]byte{30, 6, byte(i), 0}) // echo
	}
	p := newPlayground(f)
	r := newRunner(f, Config{})
	list := shells()
	f.Fuzz(func(t *testing.T, choices []byte) {
		if len(choices) > 24 {
			return
		}
		line := spell(choices)
		c := parse(t, line)
		if c.Argv == nil {
			return
		}
		defer p.install(c.Argv[0])()
		c.Dir, c.Env = p.dir, p.env
		if twinWords[c.Argv[0]] {
			c.Env = []string{"PATH=/usr/bin:/bin", utf8Locale}
		}
		res := r.Run(context.Background(), c)
		got := text(t, res.Stdout)
		res.Stderr.Close()
		for _, s := range list {
			want, exit := s.run(t, line, c)
			if exit == ExitNotExecutable && res.Exit == ExitNotFound {
				exit = ExitNotFound // "a/": dash cannot find it, bash cannot execute it
			}
			if got != want || res.Exit != exit {
				t.Errorf("%q: exit %d, printed %q (%v); %s: exit %d, printed %q", line, res.Exit, got, res.Err, s.name, exit, want)
			}
		}
	})
}

// run runs a line with the directory and environment of c.
func (s shell) run(t *testing.T, line string, c Command) (out string, exit int) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := s.command(ctx, line)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	b, err := cmd.Output()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// What only the environment makes the shell's stays the shell's.
func TestTheEnvironmentCanMakeAWordTheShells(t *testing.T) {
	p := newPlayground(t)
	p.install("fun")
	p.install("echo")
	for _, c := range []struct {
		line  string
		env   []string
		shell bool
	}{
		{"fun a", p.env, false},
		{"fun a", append(p.env, "BASH_FUNC_fun%%=() { echo exported; }"), true},
		{"fun a", append(p.env, "BASH_FUNC_other%%=() { echo exported; }"), false},
		{"fun a", append(p.env, "SHELLOPTS=xtrace"), true},
		{"fun a", []string{}, true},
		{"echo a", p.env, true}, // that echo is not the system's
		{"echo a", []string{"PATH=/usr/bin:/bin"}, false},
		{"true", []string{"PATH=/nowhere"}, true},
	} {
		r := newRunner(t, Config{})
		l := prepared(t, r, c.line, c.env)
		if got := l.path == r.shell; got != c.shell {
			t.Errorf("%q with %q: path %s", c.line, c.env, l.path)
		}
	}
}

func prepared(t *testing.T, r *Runner, line string, env []string) *launch {
	c := parse(t, line)
	c.Env = env
	l, err := r.prepare(&c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
