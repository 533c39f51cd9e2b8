package parallel

import "strings"

// AppendQuoted appends s as one word of a POSIX shell, exactly as GNU parallel
// does: unchanged where every byte is harmless, else the pieces between single
// quotes in single quotes, and each single quote in double ones.
func AppendQuoted(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "''"...)
	}
	if harmless(s) {
		return append(dst, s...)
	}
	for first := true; ; first = false {
		piece, rest, more := strings.Cut(s, "'")
		if piece != "" || !first && more {
			dst = append(dst, '\'')
			dst = append(dst, piece...)
			dst = append(dst, '\'')
		}
		if !more {
			return dst
		}
		dst = append(dst, `"'"`...)
		s = rest
	}
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
