package proc

import (
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, line := range []string{ // these need no shell
		"gzip -9k a.log",
		"true",
		"echo hello, world",
		" \tls \t -l\t/tmp ",
		"convert in.png -resize 50% out.png",
		"dd if=/dev/zero of=/dev/null bs=1k",
		"./tool --level=3 user@host:22 +x",
		"/usr/bin/test -f x", // not the shell's test
		"../bin/x .",
		"wc -l ./größe/файл/名前",
		"7z x a.7z",
	} {
		c, err := Parse(line)
		if err != nil || c.Shell != "" || !slices.Equal(c.Argv, strings.Fields(line)) {
			t.Errorf("Parse(%q) = %+v, %v; want it direct", line, c, err)
		}
	}
	for _, line := range []string{ // these do
		"a | b", "a && b", "a; b", "a &", "a > f", "a < f", "a 2>&1", "(a)", "{ a; }", "a $b", "a `b`",
		"a 'b'", `a "b"`, `a\ b`, "a *", "a ?", "a [b]", "a {b,c}", "~/a", "a ~", "a ~b", "a b~", "a #b", "a#b", "! a", "a^b",
		"a\nb", "a\r", "a\vb", "a\x01", "a\x7f", "a\xff", "a\u00a0b", "a\u2028b", "a\u3000b", "a\u0085b", "a\ufffd",
		"A=1 b", "A=1", "./a=b c", "a =b", "%1", "-x", "+x", ":", ".", "..", ". f", ": x", "[ a", "@a", "a: b", "~",
		"cd /", "export A", "ulimit -n", "exit 3", "exec a", "eval a", "test -f x", "printf x", "pwd", "kill 1",
		"if a", "then", "while true", "time a", "function f", "command a", "umask 0", "read x", "wait", "type a", "nohup a",
		"echo -n x", "echo --help", "true --version",
	} {
		if c, err := Parse(line); err != nil || c.Argv != nil || c.Shell != line {
			t.Errorf("Parse(%q) = %+v, %v; want it left to the shell", line, c, err)
		}
	}
	for _, line := range []string{"", " ", "\t"} { // these do nothing
		if c, err := Parse(line); err != nil || c.Argv != nil || strings.Trim(c.Shell, " \t:") != "" || c.Shell == "" {
			t.Errorf("Parse(%q) = %+v, %v", line, c, err)
		}
	}
	if _, err := Parse("a\x00b"); err != errNUL {
		t.Errorf("a NUL byte: %v", err)
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		argv   []string
		direct bool
	}{
		{[]string{"gzip", "a b", "$c", ""}, true},
		{[]string{"echo", "a  b"}, true},
		{[]string{"echo", `a\tb`}, false}, // dash prints a tab
		{[]string{"echo", "-n"}, false},
		{[]string{"cd", "/"}, false},
		{[]string{"a=b"}, false},
		{[]string{""}, false},
		{nil, false},
	} {
		got := Words(c.argv, "the line")
		if direct := got.Shell == ""; direct != c.direct || direct && !slices.Equal(got.Argv, c.argv) || !direct && got.Shell != "the line" {
			t.Errorf("Words(%q) = %+v", c.argv, got)
		}
	}
}

// FuzzParse looks at the answer only. FuzzParseAgainstShell asks a shell.
func FuzzParse(f *testing.F) {
	f.Add("gzip -9k a.log")
	f.Add("a 'b'")
	f.Add("\xff\x00 é = %")
	f.Fuzz(func(t *testing.T, line string) {
		c, err := Parse(line)
		switch {
		case err != nil:
			if !strings.Contains(line, "\x00") {
				t.Errorf("Parse(%q): %v", line, err)
			}
		case c.Shell != "":
			if c.Shell != line && line != "" {
				t.Errorf("Parse(%q) changed the script to %q", line, c.Shell)
			}
		case !slices.Equal(c.Argv, strings.Fields(line)):
			t.Errorf("Parse(%q) = %q", line, c.Argv)
		case strings.ContainsAny(line, "|&;<>()$`\\\"'\n*?[]#~!{}^"):
			t.Errorf("Parse(%q) overlooked something", line)
		}
	})
}
