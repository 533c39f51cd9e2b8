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
// shell can tell what the words are. What the first of them means to a shell is
// not decided here: that takes the list of every shell's own commands. It knows blanks, quotes around plain text, and
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

// plainByte holds the bytes that do not end, join or change words outside
// quotes, wherever they stand.
var plainByte = bytesOf("-+./_,:@%=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

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
