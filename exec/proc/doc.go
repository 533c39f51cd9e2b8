// Package proc is the runtime for operating-system commands: it starts one,
// keeps what it prints, and tells what it ended in.
package proc
