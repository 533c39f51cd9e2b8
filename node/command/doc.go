// Package command is what an operating-system command is between nodes: how it travels,
// how a node executes it for somebody else, and how its end travels back.
//
// # Words
//
// A Header is what all commands of a job have in common, a Body what one of them is, a
// Result what it ended in. All three are msgpack arrays whose fields have fixed places; a
// newer filch may add some at the end (codec.go). Every decoder first walks over the bytes
// without decoding them, so that no length in them can be too large, and bounds the
// counts; every decoder is fuzzed.
//
// # Where a command runs
//
// In the directory that the header names, with the environment that it holds and nothing
// else. The peer has proved by then that the directory is the same one; that is the business
// of whoever grants (core.Dir). With Header.Anywhere it runs in a scratch directory, made for it and
// removed afterwards, with the variables that were declared for it, the executing node's
// PATH, and HOME and PWD naming the directory (place.go).
//
// # Ends
//
// A command that ran has a Result, failed or not, and what it printed: within the Result up
// to MaxInline bytes together, else as the outputs Stdout and Stderr of package steal. An end that
// says more of the machine than of the command smells of the peer (smell): its
// directory or program is not there, filch itself failed. Home then tries it elsewhere.
//
// # Deadlines
//
// A command's leash is a proc.Leash: where there is a supervisor, which is on Linux, that
// process keeps the deadline, and a node that is frozen does not prolong the lives of its
// commands. Elsewhere the node's own timers do.
package command
