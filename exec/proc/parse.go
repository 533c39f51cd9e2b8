package proc

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// errNUL refuses what no command could ever receive.
var errNUL = errors.New("the command line has a NUL byte in it, which no command can receive (is the input NUL-separated? then use -0)")

// Parse turns a command line into the Command that does what `sh -c line`
// does, and leaves the shell out where that makes no difference: when the line
// is plain words, of which the first is not one the shell itself knows.
//
// It is a matter of whitelists. A byte that any shell might treat specially
// anywhere, a first word that any shell might know, and the line goes to the
// shell; so do lines that are merely unusual. The environment can still give
// the first word a meaning (a function exported by bash, no PATH), which is why
// the Command remembers its line and Run looks at that.
//
// The only error is a NUL byte in the line.
func Parse(line string) (Command, error) {
	if strings.IndexByte(line, 0) >= 0 {
		return Command{}, errNUL
	}
	if plainText(line) {
		if argv := strings.FieldsFunc(line, isBlank); len(argv) > 0 && plainWords(argv) {
			return Command{Argv: argv, line: line}, nil
		}
	}
	if line == "" {
		line = ":" // Command wants a script; this one does as much
	}
	return Command{Shell: line}, nil
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' }

// plainText reports whether line has only characters that mean themselves to
// every shell. Not among them, beside the obvious: "#" and "~" (special only
// before some words), "^" (a pipe to the Bourne shell), "!" and "{" (words),
// "]" and "}", line breaks, and what is not UTF-8 or might count as blank somewhere.
func plainText(line string) bool {
	for i := 0; i < len(line); {
		if c := line[i]; c < utf8.RuneSelf {
			if !plainASCII[c] {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(line[i:])
		if r == utf8.RuneError || !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return false
		}
		i += n
	}
	return true
}

var plainASCII = func() (t [utf8.RuneSelf]bool) {
	const plain = " \t%+,-./0123456789:=@_" +
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "abcdefghijklmnopqrstuvwxyz"
	for i := range len(plain) {
		t[plain[i]] = true
	}
	return t
}()

// Words is Parse for a caller that knows the words which a shell would find in
// line, because it made the line from them, with what quoting it takes. The
// Command executes them directly if the shell would not do anything else.
// It keeps argv.
func Words(argv []string, line string) Command {
	if len(argv) > 0 && plainWords(argv) {
		return Command{Argv: argv, line: line}
	}
	if line == "" {
		line = ":"
	}
	return Command{Shell: line}
}

// plainWords reports whether the shell would start the program argv[0] with the
// arguments argv, if these are its words. "=" is an assignment in the first
// word, and zsh's path of a command at the start of any; "%" at its start is a job, ":" at
// its end a label of old ksh, and a leading "-" or "+" may be taken for an option.
func plainWords(argv []string) bool {
	name := argv[0]
	if name == "" || strings.ContainsAny(name, "=%:") || strings.ContainsAny(name[:1], "-+@") || strings.Trim(name, ".") == "" {
		return false
	}
	twin := twinWords[name]
	if shellWords[name] && !twin {
		return false
	}
	for _, w := range argv[1:] {
		if strings.HasPrefix(w, "=") || twin && (strings.HasPrefix(w, "-") || strings.Contains(w, `\`)) {
			return false
		}
	}
	return true
}
