package parallel

import "strings"

// A word of a template that needs no shell.
type word struct {
	parts []part
	// fixed says that the word is there even if nothing is left of it: it has text, or
	// empty quotes. A word of nothing but {7} is gone in rows of six columns.
	fixed bool
}

// splitWords splits a template as a shell would, or returns nil if only a
// shell can tell what it means. It knows blanks, quotes around plain text, and
// backslashes before plain characters; everything else, and every replacement
// string inside quotes, is left to the shell.
func splitWords(parts []part) []word {
	s := splitter{}
	for _, p := range parts {
		if p.field != nil {
			s.field(p.field)
		} else if !s.text(p.text) {
			return nil
		}
	}
	s.endWord()
	if len(s.words) == 0 || !plainCommand(s.words[0]) {
		return nil
	}
	return s.words
}

// A splitter collects words.
type splitter struct {
	words []word
	cur   word
	buf   []byte // text of cur that is not a part yet
}

func (s *splitter) field(f *field) {
	s.endText()
	s.cur.parts = append(s.cur.parts, part{field: f})
}

func (s *splitter) endText() {
	if len(s.buf) > 0 {
		s.cur.parts = append(s.cur.parts, part{text: string(s.buf)})
		s.cur.fixed = true
		s.buf = s.buf[:0]
	}
}

func (s *splitter) endWord() {
	s.endText()
	if len(s.cur.parts) > 0 || s.cur.fixed {
		s.words = append(s.words, s.cur)
	}
	s.cur = word{}
}

// text takes text between two replacement strings; false if it takes a
// shell. Quotes must open and close within it.
func (s *splitter) text(t string) bool {
	for i := 0; i < len(t); i++ {
		switch c := t[i]; {
		case c == ' ' || c == '\t':
			s.endWord()
		case c == '\'' || c == '"':
			n := strings.IndexByte(t[i+1:], c)
			if n < 0 {
				return false
			}
			quoted := t[i+1 : i+1+n]
			if c == '"' && strings.ContainsAny(quoted, "$`\\!") {
				return false
			}
			s.buf = append(s.buf, quoted...)
			s.cur.fixed = true
			i += n + 1
		case c == '\\':
			i++
			if i == len(t) || t[i] == '\n' {
				return false
			}
			s.buf = append(s.buf, t[i])
		case plainByte[c] || c >= 0x80:
			s.buf = append(s.buf, c)
		default:
			return false
		}
	}
	return true
}

// plainByte holds the bytes that mean nothing to a shell outside quotes,
// wherever they stand in a word that is not the first.
var plainByte = bytesOf("-+./_,:@%=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

// plainCommand reports whether w names a program and nothing else: not an
// assignment, not a word of the shell's own.
func plainCommand(w word) bool {
	if len(w.parts) != 1 || w.parts[0].field != nil {
		return false
	}
	name := w.parts[0].text
	return !strings.Contains(name, "=") && !shellWords[name]
}

// shellWords are the names that a shell answers itself and that no program of that
// name can stand for: its grammar, what changes the shell, and what prints
// what only the shell knows. Names like test or printf, which are programs
// too, are not here.
var shellWords = func() map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(`
		! { } [[ case coproc do done elif else esac fi for function if in select then time until while
		. : break continue eval exec exit export readonly return set shift source times trap unset
		alias bg bind builtin caller cd command compgen complete compopt declare dirs disown enable fc fg
		getopts hash help history jobs kill let local logout mapfile popd pushd pwd read readarray shopt
		suspend type typeset ulimit umask unalias wait`) {
		set[w] = true
	}
	return set
}()

// sameInShell reports whether the program argv[0] does what the shell's own command
// of that name would do. GNU's echo, true and false know two options, when they are the
// only argument, that the shell's do not.
func sameInShell(argv []string) bool {
	if len(argv) != 2 || argv[1] != "--help" && argv[1] != "--version" {
		return true
	}
	return argv[0] != "echo" && argv[0] != "true" && argv[0] != "false"
}

// argv substitutes a row into the words.
func (t *Template) argv(r Row) []string {
	argv := make([]string, 0, len(t.words)+len(r.Columns))
	for i := range t.words {
		argv = t.words[i].appendTo(argv, r)
	}
	return argv
}

// appendTo appends the arguments that w becomes for a row: mostly one; more when
// a {} stands for several columns, none when nothing is there.
func (w *word) appendTo(argv []string, r Row) []string {
	if len(w.parts) == 1 {
		p := w.parts[0]
		if p.field == nil {
			return append(argv, p.text)
		}
		values := p.field.values(r)
		for _, v := range values {
			argv = append(argv, p.field.form.of(v))
		}
		if len(values) == 0 && w.fixed {
			argv = append(argv, "")
		}
		return argv
	}
	var buf []byte
	present := w.fixed
	for _, p := range w.parts {
		if p.field == nil {
			buf = append(buf, p.text...)
			continue
		}
		for i, v := range p.field.values(r) {
			if i > 0 {
				argv = append(argv, string(buf))
				buf = buf[:0]
			}
			buf = append(buf, p.field.form.of(v)...)
			present = true
		}
	}
	if present {
		argv = append(argv, string(buf))
	}
	return argv
}
