package main

import "sync/atomic"

// A body is what each task of a submission contest does with its own argument.
// All contenders call it through the same function value.
type body func(int)

// empty is the body that is measured.
//
//go:noinline
func empty(int) {}

// A tally is the body of the round that verifies: it counts the tasks that ran
// and adds up a hash of their arguments, so that one argument lost and another
// run twice does not cancel out.
type tally struct {
	count atomic.Int64
	sum   atomic.Uint64
}

func (t *tally) add(arg int) {
	t.count.Add(1)
	t.sum.Add(scramble(arg))
}

// check compares with what the tasks 0..n-1, each once, must give.
func (t *tally) check(n int) error {
	if got := t.count.Load(); got != int64(n) {
		return wrong("%d tasks ran, want %d", got, n)
	}
	var want uint64
	for i := range n {
		want += scramble(i)
	}
	if t.sum.Load() != want {
		return wrong("%d tasks ran, but not one with each argument", n)
	}
	return nil
}

// scramble is the finalizer of SplitMix64.
func scramble(arg int) uint64 {
	z := uint64(arg) + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
