package parallel

import "strings"

// AppendQuoted appends s as one word of a POSIX shell, in the form that GNU
// parallel uses: unchanged where every byte is harmless, otherwise in single
// quotes, with runs of single quotes in double ones.
func AppendQuoted(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "''"...)
	}
	if harmless(s) {
		return append(dst, s...)
	}
	for s != "" {
		n := strings.IndexByte(s, '\'')
		switch {
		case n < 0:
			n = len(s)
			fallthrough
		case n > 0:
			dst = append(dst, '\'')
			dst = append(dst, s[:n]...)
			dst = append(dst, '\'')
		default:
			for n < len(s) && s[n] == '\'' {
				n++
			}
			dst = append(dst, '"')
			dst = append(dst, s[:n]...)
			dst = append(dst, '"')
		}
		s = s[n:]
	}
	return dst
}

// harmless reports whether no shell sees anything but text in s.
func harmless(s string) bool {
	for i := range len(s) {
		if !harmlessByte[s[i]] {
			return false
		}
	}
	return true
}

var harmlessByte = bytesOf("-+./_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

// bytesOf is the set of the bytes of s.
func bytesOf(s string) (set [256]bool) {
	for i := range len(s) {
		set[s[i]] = true
	}
	return set
}
