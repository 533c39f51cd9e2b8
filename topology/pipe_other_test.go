//go:build !unix

package topology

import "testing"

func makePipe(*testing.T, string) {}
