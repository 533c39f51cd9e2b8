package parallel

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// joinedGolden are command lines with -n, and what GNU parallel's --dry-run says.
var joinedGolden = []struct {
	n           int
	args, stdin string
	want        string
}{
	{2, "echo", "1\n2\n3\n", "echo 1 2\necho 3\n"},
	{2, "echo {2}-{1}", "1\n2\n3\n", "echo 2-1\necho -3\n"},
	{2, "echo x{}y", "1\n2\n3\n", "echo x1 2y\necho x3y\n"},
	{2, "echo {1} {2} {3} {-1}", "1\n2\n3\n", "echo 1 2  2\necho 3   3\n"},
	{2, "echo {.} {#}", "a.x\nb.x\nc.x\n", "echo a b 1\necho c 2\n"},
	{2, "echo|:::|1|2|3|:::|a|b", "", "echo 1 a 1 b\necho 2 a 2 b\necho 3 a 3 b\n"},
	{3, "echo|:::|1|2|:::|a|b", "", "echo 1 a 1 b 2 a\necho 2 b\n"},
	{5, "echo|:::|1|2", "", "echo 1 2\n"},
	{2, "echo", "", ""},
	{0, "echo hi {#}|:::|1|2", "", "echo hi 1\necho hi 2\n"},
	{0, "echo hi|:::|1|2", "", "echo hi \necho hi \n"},
	{0, "echo {#} {}.|:::|1|2", "", "echo 1 .\necho 2 .\n"},
}

func TestJoinedRows(t *testing.T) {
	for _, g := range joinedGolden {
		got := linesOf(t, strings.Split(g.args, "|"), Style{}, Options{MaxArgs: g.n, NoArgs: g.n == 0, Stdin: strings.NewReader(g.stdin)})
		if got != g.want {
			t.Errorf("-n%d %s: got %q, want %q", g.n, g.args, got, g.want)
		}
	}
}

// Many are as many as fit, and none is lost.
func TestJoinedRowsFit(t *testing.T) {
	var in strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&in, "%d\n", i)
	}
	got := linesOf(t, []string{"x"}, Style{}, Options{MaxArgs: 1 << 30, Stdin: strings.NewReader(in.String())})
	rows := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	all := ""
	for _, r := range rows {
		if len(r) > maxJoined+len("x ") {
			t.Errorf("a row of %d bytes", len(r))
		}
		all += strings.ReplaceAll(strings.TrimPrefix(r, "x "), " ", "\n") + "\n"
	}
	if all != in.String() || len(rows) != 3 {
		t.Errorf("%d rows, %d bytes of %d", len(rows), len(all), in.Len())
	}
}

// quotedGolden are command lines with -q.
var quotedGolden = []struct{ args, want string }{
	{"echo|a  b|$HOME|{}|\"{}\"|a{}b|:::|x y", "echo 'a  b' '$HOME' 'x y' '\"x y\"' 'ax yb'\n"},
	{"echo|:::|x y", "echo 'x y'\n"},
	{"echo a|:::|b", "'echo a' b\n"},
	{":::|echo a", "'echo a'\n"},
	{"{}|a|:::|echo a", "'echo a' a\n"},
	{"echo||:::|x", "echo '' x\n"},
	{"awk|{print $1}|{.}|:::|a.b", "awk '{print $1}' a\n"},
}

func TestQuoted(t *testing.T) {
	for _, g := range quotedGolden {
		if got := linesOf(t, strings.Split(g.args, "|"), Style{Quote: true}, Options{}); got != g.want {
			t.Errorf("-q %s: got %q, want %q", g.args, got, g.want)
		}
	}
}

func TestJoinedAndQuotedOracle(t *testing.T) {
	program, err := exec.LookPath("parallel")
	if err != nil || testing.Short() {
		t.Skip("GNU parallel is not installed, or -short")
	}
	ask := func(flag, args, stdin, want string) {
		c := exec.Command(program, append([]string{"--will-cite", "--dry-run", "-k", "-j1", flag}, strings.Split(args, "|")...)...)
		c.Env = append(os.Environ(), "SHELL=/bin/sh", "PARALLEL_SHELL=/bin/sh", "LC_ALL=C")
		c.Stdin = strings.NewReader(stdin)
		if got, err := c.Output(); string(got) != want {
			t.Errorf("parallel %s %s says %q (%v), want %q", flag, args, got, err, want)
		}
	}
	for _, g := range joinedGolden {
		ask(fmt.Sprintf("-n%d", g.n), g.args, g.stdin, g.want)
	}
	for _, g := range quotedGolden {
		ask("-q", g.args, "", g.want)
	}
}
