package parallel

import (
	"errors"
	"strconv"
	"strings"
)

// A Row is the input of one task.
type Row struct {
	Seq     uint64   // {#}, from 1
	Slot    int      // {%}, from 1
	Columns []string // one value per source, for each input of the row; not changed after the row was made
	Sources int      // how many columns an input has; 0: there is one input
}

// A Template is a command with replacement strings. It is immutable, so any
// number of goroutines may use it at once.
type Template struct {
	parts    []part // the whole line, for a shell
	words    []word // the line split into words; nil if that takes a shell
	verbatim bool   // values are put in without quoting
	quoted   bool   // the words are the user's own, and are quoted for a shell
}

// A Style is how the words of a command are understood.
type Style struct {
	Quote bool // each word is one word of the command, whatever it contains
}

// A part of a template is text, or a replacement string if field is not nil.
type part struct {
	text  string
	field *field
}

// ErrPerl refuses a template with a Perl expression.
var ErrPerl = errors.New("a Perl expression ({= … =}) is not supported: use the shell, for example $(printf %s {} | sed …)")

// ParseTemplate makes a template of the words of a command, which are joined by
// single spaces, as parallel does. Without any replacement string, " {}" is
// added. Without any word, each row is a command line of its own.
func ParseTemplate(command []string, s Style) (*Template, error) {
	if len(command) == 0 {
		command = []string{"{}"}
	}
	line := strings.Join(command, " ")
	if open := strings.Index(line, "{="); open >= 0 && strings.Contains(line[open+2:], "=}") {
		return nil, ErrPerl
	}
	if s.Quote {
		return parseQuoted(command), nil
	}
	parts, found := parseParts(line)
	if !found {
		parts, _ = parseParts(line + " {}")
	}
	if valueNamesCommand(parts) {
		return &Template{parts: parts, verbatim: true}, nil
	}
	return &Template{parts: parts, words: splitWords(parts)}, nil
}

// parseQuoted makes a template of words that stay what they are.
func parseQuoted(command []string) *Template {
	t := &Template{quoted: true}
	any := false
	for _, w := range command {
		parts, found := parseParts(w)
		any = any || found
		t.parts = append(t.parts, parts...)
		t.words = append(t.words, word{parts: parts, fixed: !found})
	}
	if !any {
		input := part{field: new(field)}
		t.parts = append(t.parts, input)
		t.words = append(t.words, word{parts: []part{input}})
	}
	return t
}

// parseParts cuts line at its replacement strings.
func parseParts(line string) (parts []part, found bool) {
	text := 0 // start of the text not yet in parts
	for i := 0; i < len(line); {
		if line[i] != '{' {
			i++
			continue
		}
		f, n, ok := parseField(line[i:])
		if !ok {
			i++
			continue
		}
		if text < i {
			parts = append(parts, part{text: line[text:i]})
		}
		parts = append(parts, part{field: &f})
		found = true
		i += n
		text = i
	}
	if text < len(line) {
		parts = append(parts, part{text: line[text:]})
	}
	return parts, found
}

// valueNamesCommand reports whether there is a replacement string in the name of the command:
// in the first word, before any white space or '='. parallel takes the values to be
// command lines then and quotes none of them, not even those of later words.
func valueNamesCommand(parts []part) bool {
	if parts[0].field != nil {
		return true
	}
	return len(parts) > 1 && !strings.ContainsAny(parts[0].text, " \t\n\r\f\v=")
}

// Verbatim reports that the values are part of the command line as they stand, so that
// only the finished line of a row tells whether it needs a shell.
func (t *Template) Verbatim() bool { return t.verbatim }

// Program returns the first word of the command, or "" if only a shell can tell it.
func (t *Template) Program() string {
	if len(t.words) == 0 || len(t.words[0].parts) != 1 {
		return ""
	}
	return t.words[0].parts[0].text // "" if it is a replacement string
}

// UsesSlot reports whether the slot of a row matters to its command.
func (t *Template) UsesSlot() bool {
	for _, p := range t.parts {
		if p.field != nil && p.field.form == formSlot {
			return true
		}
	}
	return false
}

// Words returns the words that a shell would find in Line(r), or nil if only a
// shell can tell. Whether the first one is a program or a command of
// the shell's own is for the caller to find out.
func (t *Template) Words(r Row) []string {
	if t.words == nil {
		return nil
	}
	return t.argv(r)
}

// Line returns the command of a row as a shell would have to be given it,
// values quoted unless they are verbatim. It is what --dry-run prints.
func (t *Template) Line(r Row) string {
	var dst []byte
	if t.quoted {
		for i, w := range t.argv(r) {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = AppendQuoted(dst, w)
		}
		return string(dst)
	}
	for _, p := range t.parts {
		if p.field == nil {
			dst = append(dst, p.text...)
			continue
		}
		for i, v := range p.field.values(r) {
			if i > 0 {
				dst = append(dst, ' ')
			}
			v = p.field.form.of(v)
			if t.verbatim {
				dst = append(dst, v...)
			} else {
				dst = AppendQuoted(dst, v)
			}
		}
	}
	return string(dst)
}

// values returns the values that f stands for, before its form is applied. There
// are none if the row has no such column.
func (f *field) values(r Row) []string {
	switch {
	case f.form == formSeq:
		return []string{strconv.FormatUint(r.Seq, 10)}
	case f.form == formSlot:
		return []string{strconv.Itoa(r.Slot)}
	case f.column == 0:
		return r.Columns
	}
	if i := f.index(len(r.Columns)); i >= 0 {
		return r.Columns[i : i+1]
	}
	return nil
}
