package parallel

import (
	"math"
	"strings"
)

// A field is one replacement string: which column, and what of it.
type field struct {
	form   form
	column int // from 1; negative from the end; 0 is all columns
}

// A form is what a replacement string takes of a value.
type form uint8

const (
	formValue form = iota // {}   the value itself
	formNoExt             // {.}  without its extension
	formBase              // {/}  the part after the last slash
	formDir               // {//} the directory
	formStem              // {/.} base name without its extension
	formSeq               // {#}  the sequence number of the row
	formSlot              // {%}  the slot that the command runs in
)

// forms maps what stands between the braces, after the column, to its form.
var forms = map[string]form{
	"": formValue, ".": formNoExt, "/": formBase, "//": formDir, "/.": formStem,
}

// maxFieldLength bounds the search for the closing brace: "{-", the digits of the
// largest column that makes sense, "//}".
const maxFieldLength = 16

// parseField reads the replacement string at the start of s, which starts
// with '{', and returns its length. ok is false if there is none: then the
// brace is text.
func parseField(s string) (f field, length int, ok bool) {
	end := strings.IndexByte(s[:min(len(s), maxFieldLength)], '}')
	if end < 0 {
		return field{}, 0, false
	}
	body := s[1:end]
	switch body {
	case "#":
		return field{form: formSeq}, end + 1, true
	case "%":
		return field{form: formSlot}, end + 1, true
	}
	column, rest := parseColumn(body)
	form, ok := forms[rest]
	return field{form, column}, end + 1, ok
}

// parseColumn reads an optional column number off the front of s.
func parseColumn(s string) (column int, rest string) {
	digits := strings.TrimPrefix(s, "-")
	n := 0
	for n < len(digits) && digits[n] >= '0' && digits[n] <= '9' {
		column = min(column*10+int(digits[n]-'0'), math.MaxInt32)
		n++
	}
	if n == 0 {
		return 0, s
	}
	if len(digits) < len(s) {
		column = -column
	}
	return column, digits[n:]
}

// index returns which of n columns f names, or -1 if there is no such column.
// f must not name all of them.
func (f field) index(n int) int {
	i := f.column - 1
	if f.column < 0 {
		i = n + f.column
	}
	if i < 0 || i >= n {
		return -1
	}
	return i
}

// of applies f's form to a value.
func (f form) of(v string) string {
	switch f {
	case formNoExt:
		return withoutExtension(v)
	case formBase:
		return v[strings.LastIndexByte(v, '/')+1:]
	case formDir:
		return directory(v)
	case formStem:
		return withoutExtension(v[strings.LastIndexByte(v, '/')+1:])
	}
	return v
}

// withoutExtension cuts v at its last dot, if no slash follows that. A
// leading dot counts: nothing is left of ".bashrc".
func withoutExtension(v string) string {
	if i := strings.LastIndexAny(v, "./"); i >= 0 && v[i] == '.' {
		return v[:i]
	}
	return v
}

// directory is what Perl's File::Basename calls dirname: trailing slashes do not
// count as a name ("a/b/" is in "a"), and a root of several slashes stays one.
func directory(v string) string {
	dir, base := splitPath(v)
	if base == "" {
		dir, _ = splitPath(dir)
	}
	return dir
}

// splitPath cuts v after its last slash and takes the slashes off the first half, except
// for a slash at the very start.
func splitPath(v string) (dir, base string) {
	i := strings.LastIndexByte(v, '/')
	if i < 0 {
		return ".", v
	}
	dir, base = strings.TrimRight(v[:i+1], "/"), v[i+1:]
	if dir == "" {
		dir = "/"
	}
	return dir, base
}
