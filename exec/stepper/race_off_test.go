//go:build !race

package stepper

const underRace = false
