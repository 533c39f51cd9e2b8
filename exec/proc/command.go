package proc

import "os"

// A Command says what to execute and in which surroundings. The zero value of
// each field is the usual case; a Command is a plain value and may be copied.
type Command struct {
	Argv  []string // executed directly when Shell is ""
	Shell string   // a script for `sh -c` when not ""
	Dir   string   // working directory; "" is the caller's
	Env   []string // nil: the caller's as New found it; else the whole environment, "NAME=value"
	Stdin *os.File // nil: /dev/null. The caller keeps ownership

	// line is what Parse made Argv from. Run falls back to the shell with it
	// when only the shell can know what the first word means.
	line string
}
