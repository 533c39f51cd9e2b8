// Package nodes runs real nodes for tests, each a process in a network namespace of its own, and
// tells them what to do. A node is a "filch up", or the program in program/: the same composition with a
// registered function, Work, which reports where and in which order it ran. It reads a Request per
// line of its standard input and writes a Reply for each when it is over.
package nodes
