package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

const (
	// channelBuffer was the fastest of 2, 16, 128, 1024, 8192 and 65536.
	channelBuffer = 1024

	// handChunk is how many tasks a chunk made by hand holds: enough to make
	// the channel vanish from the figure, few enough to balance.
	handChunk = 512
)

// workersOn starts goroutines that take from a channel until it is closed.
func workersOn[T any](workers, buffer int, handle func(T)) (chan<- T, *sync.WaitGroup) {
	ch := make(chan T, buffer)
	wg := new(sync.WaitGroup)
	for range workers {
		wg.Go(func() {
			for item := range ch {
				handle(item)
			}
		})
	}
	return ch, wg
}

// channelOfArguments is the pool one writes by hand for a single function. It
// has no panic safety and knows no jobs; it is also the fastest Go has.
func channelOfArguments(set settings) pool {
	return pool{
		contender: contender{
			name:   "channel pool",
			config: fmt.Sprintf("%d goroutines on a chan int of %d; closing it and waiting for them ends the run; no recover", set.Workers, channelBuffer),
		},
		submit: func(_ context.Context, c *clock, args []int, do body) error {
			ch, wg := workersOn(set.Workers, channelBuffer, do)
			c.time(func() {
				for _, arg := range args {
					ch <- arg
				}
				close(ch)
				wg.Wait()
			})
			return nil
		},
	}
}

// channelOfClosures is the pool one writes by hand for any function.
func channelOfClosures(set settings) pool {
	return pool{
		contender: contender{
			name:   "channel pool of closures",
			config: fmt.Sprintf("%d goroutines on a chan func() of %d; no recover", set.Workers, channelBuffer),
		},
		submit: func(_ context.Context, c *clock, args []int, do body) error {
			ch, wg := workersOn(set.Workers, channelBuffer, func(f func()) { f() })
			c.time(func() {
				for _, arg := range args {
					ch <- func() { do(arg) }
				}
				close(ch)
				wg.Wait()
			})
			return nil
		},
	}
}

// channelOfChunks sends slices instead of arguments: what a Go programmer does
// when a channel per task is too slow.
func channelOfChunks(set settings) pool {
	return pool{
		contender: contender{
			name:   "by hand: chunks on a channel",
			aside:  true,
			config: fmt.Sprintf("%d goroutines on a chan []int, %d arguments a chunk", set.Workers, handChunk),
		},
		submit: func(_ context.Context, c *clock, args []int, do body) error {
			ch, wg := workersOn(set.Workers, channelBuffer, func(chunk []int) {
				for _, arg := range chunk {
					do(arg)
				}
			})
			c.time(func() {
				for chunk := range slices.Chunk(args, handChunk) {
					ch <- chunk
				}
				close(ch)
				wg.Wait()
			})
			return nil
		},
	}
}
