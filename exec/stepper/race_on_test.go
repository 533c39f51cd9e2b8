//go:build race

package stepper

const underRace = true
