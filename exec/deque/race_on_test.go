//go:build race && !stepper

package deque

const underRace = true
