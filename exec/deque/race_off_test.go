//go:build !race

package deque

const underRace = false
