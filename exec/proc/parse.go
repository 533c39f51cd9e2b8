package proc

import (
	"errors"
	"strings"
)

// Parse turns a line into the Command that does what `sh -c line` does,
// without the shell where that makes no difference.
func Parse(line string) (Command, error) {
	if strings.IndexByte(line, 0) >= 0 {
		return Command{}, errors.New("the command line contains a NUL byte, which no command can receive: remove it, or use -0 if the input is NUL-separated")
	}
	if line == "" {
		return Command{Shell: ":"}, nil
	}
	return Command{Shell: line}, nil
}
