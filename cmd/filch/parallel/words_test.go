package parallel

import (
	"bytes"
	"os/exec"
	"reflect"
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	row := Row{Seq: 7, Slot: 2, Columns: []string{"a b", "c/d.e"}}
	for _, c := range []struct {
		template string
		want     []string // nil: only a shell can tell
	}{
		{"echo {}", []string{"echo", "a b", "c/d.e"}},
		{"echo x{}y", []string{"echo", "xa b", "c/d.ey"}},
		{"echo {1}{2}", []string{"echo", "a bc/d.e"}},
		{"echo {2.}-{2/} {#}/{%}", []string{"echo", "c/d-d.e", "7/2"}},
		{"echo {3} x{3} {3}{4} '' {3}''", []string{"echo", "x", "", ""}},
		{`grep "a b" 'c"d'e {1}`, []string{"grep", "a b", `c"de`, "a b"}},
		{`echo \$5 a\ b \\ {1}`, []string{"echo", "$5", "a b", `\`, "a b"}},
		{"echo a=b é {1}", []string{"echo", "a=b", "é", "a b"}},
		{" \techo\t  {1} ", []string{"echo", "a b"}},
		{`echo \`, []string{"echo", " a b", "c/d.e"}}, // " {}" comes after it
		{"/bin/x {1}", []string{"/bin/x", "a b"}},
		{"X={1} cd", []string{"X=a b", "cd"}}, // words they are, whatever they mean
		{"'' {1}", []string{"", "a b"}},

		{"echo {} | cat", nil},
		{"echo {} > x", nil},
		{"echo $HOME {}", nil},
		{"echo `id` {}", nil},
		{`echo "$HOME" {}`, nil},
		{`echo "a\b" {}`, nil},
		{"echo '{}'", nil},
		{`echo "{}"`, nil},
		{`echo \{}`, nil},
		{"echo ~ {}", nil},
		{"echo * {}", nil},
		{"echo # {}", nil},
		{"echo {}; x", nil},
		{"echo {} &", nil},
		{"echo {}\ncat", nil},
		{"echo {a,b} {}", nil},
		{"! x {}", nil},
		{"{} x", nil},
		{"echo 'unbalanced {}", nil},
	} {
		template, err := ParseTemplate([]string{c.template}, Style{})
		if err != nil {
			t.Fatal(err)
		}
		if got := template.Words(row); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.template, got, c.want)
		}
	}
}

func TestProgram(t *testing.T) {
	for template, want := range map[string]string{
		"f {}": "f", "cd {}": "cd", "f {} | g": "", "X={} f": "", "'' {}": "", "{} x": "", "'a b' {}": "a b",
	} {
		parsed, err := ParseTemplate([]string{template}, Style{})
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.Program(); got != want {
			t.Errorf("%q: got %q, want %q", template, got, want)
		}
	}
}

func TestPerlIsRefused(t *testing.T) {
	if _, err := ParseTemplate([]string{"echo", "{= s/a/b/ =}"}, Style{}); err != ErrPerl {
		t.Errorf("got %v", err)
	}
}

// FuzzTemplate: what is executed without a shell is what a shell would have
// made of the line.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"echo {}", "echo x{}y {1}{2} {3}", `grep "a b" 'c"d'\ e {1.}`, "a {//}/{/.} {%}{#}", "e {-1} ''", "{", "{{}}", "{1", "{-", "é {}=\\é"} {
		f.Add(s, "a b", "it's/ x.y")
	}
	f.Add("echo {}", "$x", "\xff`*\n")
	f.Fuzz(func(t *testing.T, template, a, b string) {
		parsed, err := ParseTemplate([]string{template}, Style{})
		if err != nil {
			return
		}
		row := Row{Seq: 3, Slot: 1, Columns: []string{a, b}}
		argv := parsed.Words(row)
		if argv == nil {
			return
		}
		all := strings.Join(argv, "\x00") + "\x00"
		line := parsed.Line(row)
		if strings.Count(all, "\x00") != len(argv) || strings.Contains(line, "\x00") {
			return // no command can be given that
		}
		if len(line) > 1<<16 {
			return
		}
		got, err := exec.Command("sh", "-c", `printf '%s\0' `+line).CombinedOutput()
		if err != nil || !bytes.Equal(got, []byte(all)) {
			t.Errorf("template %q, values %q: the shell makes %q of %q (%v), we %q", template, row.Columns, got, line, err, argv)
		}
	})
}

// FuzzQuote: a shell takes off exactly what AppendQuoted put on.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a", "a b", "'", "''", "a'b", "-n", "\n", "\xff", "\\", "!"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\x00") || len(s) > 1<<16 {
			return
		}
		got, err := exec.Command("sh", "-c", "printf %s "+string(AppendQuoted(nil, s))).CombinedOutput()
		if err != nil || string(got) != s {
			t.Errorf("%q came back as %q, %v", s, got, err)
		}
	})
}
