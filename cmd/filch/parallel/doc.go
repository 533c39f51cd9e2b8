// Package parallel is GNU parallel's command-line language as a library:
// command templates with replacement strings, input sources and how they
// combine, the -j argument, job slots, and the order in which output appears.
// It starts nothing and knows no engine; package main puts the two together.
//
// A run is a stream of rows. Input describes where values come from (the
// command line after :::, files after ::::, standard input); Rows reads them one
// row at a time. A Template turns a row into a command. A Sequencer takes what
// the commands printed, in whatever order they ended, and writes it out whole
// command by whole command, in order if asked.
//
// # The same as parallel
//
// The tables in the tests are golden answers of GNU parallel 20221122; where it is
// installed, oracle_test.go asks it again. What is copied on purpose, although
// one may be surprised:
//
//   - Replacement strings are replaced before a shell sees the line, wherever
//     they stand. Inside quotes, as in '"{}"', a value that needs quoting
//     brings its own quotes along, and the command sees them.
//   - If one stands in the first word of the command, the values are taken to be
//     commands and none of them is quoted, not even in later words.
//   - {} with several sources is all of the columns, as separate words: x{}y
//     becomes the two words "xa by".
//   - An empty source beside others counts as one empty value.
//   - Only the first source is streamed. The others are remembered, because
//     each of their values is needed for every value of the first.
//
// What differs: {/} is the text after the last slash even when the value contains a
// newline (parallel's regular expression stops at line ends and returns a name
// that is not the base name), and a directory given as a file of arguments is an
// error, not an empty source.
//
// # With or without a shell
//
// parallel starts a shell for every command. That is most of what a short task
// costs, and for most templates the shell does nothing but split words.
// So ParseTemplate decides once: if the text around the replacement strings
// has no meaning to a shell beyond blanks and plain quotes, the template is
// split into words there and then, and a row is substituted into them without any
// quoting: each value is literally one argument or a part of one. Otherwise
// the values are quoted and a shell gets the line. Both give the same words; words.go
// holds the rules and errs towards the shell. Whether the first word is a
// program or something that a shell does itself (cd, X=1) is not known here:
// proc.Words has the list.
//
// Rejected: to parse the finished line of each row, as has to be done where the values
// are commands themselves (Template.Verbatim). It costs a scan per task, and worse, it lets a value decide how
// the command is run.
//
// # Memory
//
// Nothing grows with the number of rows, except what Sequencer holds back for
// the sake of order; order.go says how that is bounded.
package parallel
