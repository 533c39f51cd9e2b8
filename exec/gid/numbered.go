package gid

import (
	"bytes"
	"runtime"
	"strconv"
)

// numbered returns the goroutine's number, which its stack trace begins with:
// "goroutine 18 [running]:".
func numbered() uintptr {
	var head [64]byte // "goroutine " and a number of at most 20 digits
	rest, ok := bytes.CutPrefix(head[:runtime.Stack(head[:], false)], []byte("goroutine "))
	number, _, more := bytes.Cut(rest, []byte(" "))
	n, err := strconv.ParseUint(string(number), 10, 64)
	if !ok || !more || err != nil {
		panic("gid: a stack trace does not begin with the goroutine's number any more")
	}
	return uintptr(n)
}
