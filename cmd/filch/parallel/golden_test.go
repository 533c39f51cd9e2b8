package parallel

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// golden holds command lines of GNU parallel and what its --dry-run prints for
// them. TestOracle asks the program itself.
var golden = []struct {
	args  string // separated by '|'
	stdin string
	null  bool
	want  string
}{
	// Sources.
	{args: "echo|:::|a|b", want: "echo a\necho b\n"},
	{args: "echo|{}|:::|a|b", want: "echo a\necho b\n"},
	{args: "echo|:::|a|b|:::|c|d", want: "echo a c\necho a d\necho b c\necho b d\n"},
	{args: "echo|:::|a|b|:::+|c|d|e|:::|f|g", want: "echo a c f\necho a c g\necho b d f\necho b d g\n"},
	{args: "echo|:::|1|2|:::|x|y|:::+|p|q|:::|m|n", want: "echo 1 x p m\necho 1 x p n\necho 1 y q m\necho 1 y q n\n" +
		"echo 2 x p m\necho 2 x p n\necho 2 y q m\necho 2 y q n\n"},
	{args: "echo|:::|a|b|c|:::+|c", want: "echo a c\n"},
	{args: "echo|:::|a|b|c|:::+|1|2|:::+|x|y|z", want: "echo a 1 x\necho b 2 y\n"},
	{args: "echo|:::+|a|b|:::+|c|d", want: "echo a c\necho b d\n"},
	{args: "echo|:::", want: ""},
	{args: "echo|:::|:::", want: ""},
	{args: "echo|:::|:::|a", want: "echo '' a\n"},
	{args: "echo|:::|a|:::", want: "echo a ''\n"},
	{args: "echo|:::|a|:::+", want: "echo a ''\n"},
	{args: "echo|:::|a|:::+|:::|b", want: "echo a '' b\n"},
	{args: "echo|::::|A|B", want: "echo a 1\necho a 2\necho b 1\necho b 2\n"},
	{args: "echo|::::|A|::::+|B", want: "echo a 1\necho b 2\n"},
	{args: "echo|:::|x|y|::::|A", want: "echo x a\necho x b\necho y a\necho y b\n"},
	{args: "echo|:::|x|y|::::+|A|B", want: "echo x a 1\necho y b 2\n"},
	{args: "echo|:::|x|y|:::+|A|B|::::|B", want: "echo x A 1\necho x A 2\necho y B 1\necho y B 2\n"},
	{args: "echo|::::|A|B|:::+|p|q", want: "echo a 1 p\necho a 2 q\necho b 1 p\necho b 2 q\n"},
	{args: "echo|:::|a|b|::::|empty", want: "echo a ''\necho b ''\n"},
	{args: "echo|:::|a|b|::::+|empty", want: "echo a ''\n"},
	{args: "echo|::::|empty|:::|a|b", want: "echo '' a\necho '' b\n"},
	{args: "echo|::::|empty|empty", want: ""},
	{args: "echo|:::|a|::::", want: "echo a\n"},
	{args: "echo|::::|crlf", want: "echo 'c\r'\necho 'd\r'\n"},
	{args: "echo|:::|a|--|-k", want: "echo a\necho --\necho -k\n"},
	{args: "echo", stdin: "a\nb\n", want: "echo a\necho b\n"},
	{args: "echo", stdin: "a\nb", want: "echo a\necho b\n"},
	{args: "echo", stdin: "\n\nx\n\n", want: "echo ''\necho ''\necho x\necho ''\n"},
	{args: "echo", stdin: "", want: ""},
	{args: "echo|:::|x|::::|-", stdin: "a\nb\n", want: "echo x a\necho x b\n"},
	{args: "echo|::::|-|A", stdin: "1\n2", want: "echo 1 a\necho 1 b\necho 2 a\necho 2 b\n"},
	{args: "echo|::::|-|-", stdin: "a\nb\n", want: "echo a b\n"},
	{args: "echo", stdin: "a\nb\x00c\x00\x00d", null: true, want: "echo 'a\nb'\necho c\necho ''\necho d\n"},

	// Replacement strings.
	{args: "echo|{}|{.}|{/}|{//}|{/.}|{#}|:::|a/b.c|d/e/|/x.y/z|.bashrc|a.b/c|x/.y|a b.c d|/||//|a//|a.tar.gz", want: "" +
		"echo a/b.c a/b b.c a b 1\n" +
		"echo d/e/ d/e/ '' d '' 2\n" +
		"echo /x.y/z /x.y/z z /x.y z 3\n" +
		"echo .bashrc '' .bashrc . '' 4\n" +
		"echo a.b/c a.b/c c a.b c 5\n" +
		"echo x/.y x/ .y x '' 6\n" +
		"echo 'a b.c d' 'a b' 'a b.c d' . 'a b' 7\n" +
		"echo / / '' / '' 8\n" +
		"echo '' '' '' . '' 9\n" +
		"echo // // '' / '' 10\n" +
		"echo a// a// '' . '' 11\n" +
		"echo a.tar.gz a.tar a.tar.gz . a.tar 12\n"},
	{args: "x|{}|{.}|{/}|{//}|{/.}|:::|a.|.|..|a/..|x/y.|//a|///a/b|x//y|a/b//|a/b//c|./a|//x//y//", want: "" +
		"x a. a a. . a\n" +
		"x . '' . . ''\n" +
		"x .. . .. . .\n" +
		"x a/.. a/. .. a .\n" +
		"x x/y. x/y y. x y\n" +
		"x //a //a a / a\n" +
		"x ///a/b ///a/b b ///a b\n" +
		"x x//y x//y y x y\n" +
		"x a/b// a/b// '' a ''\n" +
		"x a/b//c a/b//c c a/b c\n" +
		"x ./a ./a a . a\n" +
		"x //x//y// //x//y// '' //x ''\n"},
	{args: "echo|{1}|{2.}|{1/}|{1//}|{1/.}|{-1}|{-2}|x{3}|{0}|:::|a/b.c|:::|d/e.f", want: "echo a/b.c d/e b.c a b d/e.f a/b.c x a/b.c d/e.f\n"},
	{args: "echo|{01}|{1.}|{1..}|{..}|{...}|{}|{ }|{a}|{-1.}|{-1/}|{-1//}|{-1/.}|{2}|{+}|{##}|:::|a.b.c|:::|x.y.z", want: "" +
		"echo a.b.c a.b {1..} {..} {...} a.b.c x.y.z { } {a} x.y x.y.z . x.y x.y.z {+} {##}\n"},
	{args: "echo|{#}|:::|a|b", want: "echo 1\necho 2\n"},
	{args: "echo {} x {}|:::|a|b|:::|c", want: "echo a c x a c\necho b c x b c\n"},
	{args: "echo {.}|:::|a.x|b|:::|c.y", want: "echo a c\necho b c\n"},
	{args: "echo x{}y|:::|a|b|:::|c", want: "echo xa cy\necho xb cy\n"},
	{args: "echo {}{.}|:::|a.x|:::|c.z", want: "echo a.x c.za c\n"},
	{args: "echo {{}}|:::|a", want: "echo {a}\n"},
	{args: "echo {{} {|:::|a", want: "echo {a {\n"},
	{args: "echo {1}{1}|:::|a|b|:::|c", want: "echo aa\necho bb\n"},

	// Commands.
	{args: "echo|a  b|c'd|$HOME|:::|x", want: "echo a  b c'd $HOME x\n"},
	{args: "echo a   b\tc {}|:::|a b", want: "echo a   b\tc 'a b'\n"},
	{args: "{} a|:::|echo", want: "echo a\n"},
	{args: "  |:::|echo", want: "   echo\n"},
	{args: "|:::|echo", want: " echo\n"},
	{args: "echo|-k|:::|a", want: "echo -k a\n"},
	{args: "echo|--|a|:::|b", want: "echo -- a b\n"},
	{args: ":::|echo a|echo  b  \"c  d\"", want: "echo a\necho  b  \"c  d\"\n"},
	{args: ":::|echo|printf|:::|a|$b", want: "echo a\necho $b\nprintf a\nprintf $b\n"},
	{args: ":::|echo {}", want: "echo {}\n"},

	// A line that starts with a replacement string quotes nothing.
	{args: "{}|:::|echo a|echo $HOME", want: "echo a\necho $HOME\n"},
	{args: "{} x {}|:::|a b|a'b||\\$c", want: "a b x a b\na'b x a'b\n x \n\\$c x \\$c\n"},
	{args: "{1}x|{2};|{/}|:::|echo a|:::|$b c", want: "echo ax $b c; echo a $b c\n"},
	{args: "x{}|{}|:::|a b", want: "xa b a b\n"},
	{args: "./{} {}|:::|a b", want: "./a b a b\n"},
	{args: "x;{} {}|:::|a b", want: "x;a b a b\n"},
	{args: "\"{}\" {}|:::|a b", want: "\"a b\" a b\n"},
	{args: "{#}x {}|:::|a b", want: "1x a b\n"},
	{args: ">{} x|:::|a b", want: ">a b x\n"},
	{args: "X={} x {}|:::|a b", want: "X='a b' x 'a b'\n"},
	{args: "x\t{} y{}|:::|a b", want: "x\t'a b' y'a b'\n"},
	{args: "x\n{}|:::|a b", want: "x\n'a b'\n"},
	{args: "(x {})|:::|a b", want: "(x 'a b')\n"},
	{args: " {}|:::|a b", want: " 'a b'\n"},

	// Quoting.
	{args: "echo|:::|a'b|it's 'x' y|'|''|a\"b|é|-n|~|a~|a=b|a,b|a:b@c%d+e|a-b_c/d.e|{}|{a,b}|#|a#b|!|a!b|^|\\|$x|`x`|*|?|[a]|(|)|;|&|<>", want: "" +
		"echo 'a'\"'\"'b'\necho 'it'\"'\"'s '\"'\"'x'\"'\"' y'\necho \"'\"\necho \"'\"''\"'\"\necho 'a\"b'\necho 'é'\necho -n\n" +
		"echo '~'\necho 'a~'\necho 'a=b'\necho 'a,b'\necho 'a:b@c%d+e'\necho a-b_c/d.e\necho '{}'\necho '{a,b}'\necho '#'\n" +
		"echo 'a#b'\necho '!'\necho 'a!b'\necho '^'\necho '\\'\necho '$x'\necho '`x`'\necho '*'\necho '?'\necho '[a]'\n" +
		"echo '('\necho ')'\necho ';'\necho '&'\necho '<>'\n"},
	{args: "echo|:::|\xff\xfe|\t|\x01", want: "echo '\xff\xfe'\necho '\t'\necho '\x01'\n"},
	{args: "echo \"{}\" '{}'|:::|a b|c", want: "echo \"'a b'\" ''a b''\necho \"c\" 'c'\n"},
}

// inGoldenDir makes the files that golden names and changes to where they are.
func inGoldenDir(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"A": "a\nb\n", "B": "1\n2", "empty": "", "crlf": "c\r\nd\r\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

// lines are the command lines for args and stdin, one per row.
func lines(t *testing.T, args []string, stdin string, o Options) string {
	t.Helper()
	o.Stdin = strings.NewReader(stdin)
	return linesOf(t, args, Style{}, o)
}

func linesOf(t *testing.T, args []string, s Style, o Options) string {
	t.Helper()
	command, sources := SplitArgs(args)
	template, err := ParseTemplate(command, s)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := OpenRows(sources, o)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var b strings.Builder
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(template.Line(row) + "\n")
	}
}

func TestGolden(t *testing.T) {
	inGoldenDir(t)
	for _, g := range golden {
		t.Run(g.args, func(t *testing.T) {
			if got := lines(t, strings.Split(g.args, "|"), g.stdin, Options{Null: g.null}); got != g.want {
				t.Errorf("got\n%swant\n%s", got, g.want)
			}
		})
	}
}

// TestOracle compares the golden answers with GNU parallel's own.
func TestOracle(t *testing.T) {
	program, err := exec.LookPath("parallel")
	if err != nil {
		t.Skip("GNU parallel is not installed")
	}
	if testing.Short() {
		t.Skip("slow: starts a Perl program for each case")
	}
	inGoldenDir(t)
	t.Setenv("SHELL", "/bin/sh")
	t.Setenv("PARALLEL_SHELL", "/bin/sh") // its quoting depends on the shell
	t.Setenv("LC_ALL", "C")
	for _, g := range golden {
		t.Run(g.args, func(t *testing.T) {
			t.Parallel()
			args := []string{"--will-cite", "--dry-run", "-k", "-j1"}
			if g.null {
				args = append(args, "-0")
			}
			c := exec.Command(program, append(args, strings.Split(g.args, "|")...)...)
			c.Stdin = strings.NewReader(g.stdin)
			out, err := c.Output()
			if err != nil {
				t.Fatal(err)
			}
			if string(out) != g.want {
				t.Errorf("parallel says\n%swant\n%s", out, g.want)
			}
		})
	}
}
