//go:build nofilch

package main

import "github.com/filchsched/filch/testbed/uts"

// Built with -tags nofilch this program knows the rivals alone: to measure them
// while the engine does not build, or is what one suspects.

func filchFib(settings) contender { return absent() }

func filchSubmit(settings) pool { return pool{contender: absent()} }

func filchSlice(settings) pool { return pool{contender: absent()} }

func filchRange(settings) pool { return pool{contender: absent()} }

func absent() contender {
	return contender{name: "filch", filch: true, missing: "built with -tags nofilch"}
}

func filchUTS(settings, *uts.Tree, uts.Count) contender { return absent() }

func allocsContest(settings) contest {
	return contest{key: "allocs", title: "what filch allocates", unit: "task", operations: 1, contenders: []contender{absent()}}
}

func filchChild(settings) []contender { return []contender{absent()} }

func filchMap(settings) contender { return absent() }
