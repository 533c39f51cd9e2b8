// Command filch runs many commands at once, on one machine or on several.
// Each verb has a file of its own: flags in, text out. What it does lives in
// the packages that it imports.
package main

import "os"

func main() {
	os.Exit(runCommandLine(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
