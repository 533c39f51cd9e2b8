package main

import "os"

var passedOn = []os.Signal{os.Interrupt}

// forCommand drops signals: the console has sent them to the command, too.
func forCommand(signals <-chan os.Signal, _ chan<- os.Signal) {
	for range signals {
	}
}
