//go:build !unix

package main

import "os"

// terminalWidth is how many columns f has, as far as we know.
func terminalWidth(*os.File) int { return 80 }
