//go:build !unix

package main

import (
	"context"
	"io"
	"os"
)

// watchReader returns out: where there is no poll, the next write tells.
func watchReader(out *os.File, _ context.CancelCauseFunc) io.Writer { return out }
