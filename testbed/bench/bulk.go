package main

import "fmt"

// Bulk: the same tasks, but all arguments are known at once. filch takes them in
// one call; a rival that has no such call gets its best loop.

func bulkContest(set settings) contest {
	args := arguments(set.Tasks)
	return contest{
		key:        "bulk",
		title:      fmt.Sprintf("%d tasks known at once, %d workers", set.Tasks, set.Workers),
		unit:       "task",
		operations: set.Tasks,
		contenders: []contender{
			filchSlice(set).entering(args),
			filchRange(set).entering(args),
			channelOfArguments(set).entering(args),
			pondBounded(set).entering(args),
			pondGroup(set).entering(args),
			antsMulti(set).entering(args),
			goroutinePerTask().entering(args),
			channelOfChunks(set).entering(args),
			goroutinePerShare(set).entering(args),
		},
		goals: submitGoals,
	}
}
