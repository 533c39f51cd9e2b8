package main

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The floors: what this machine charges, uncontended, for the steps that
// schedulers are made of. A figure of the contests is a handful of these; read
// it in their proportion. Run with
//
//	go test -run xxx -bench Floor
//
// sinks keep the compiler from dropping what is measured.
var (
	wordSink    atomic.Uint64
	closureSink func() int
	timeSink    time.Time
	intSink     int
)

func BenchmarkFloorCall(b *testing.B) {
	do := body(empty)
	for i := range b.N {
		do(i)
	}
}

func BenchmarkFloorAtomicLoad(b *testing.B) {
	sum := uint64(0)
	for range b.N {
		sum += wordSink.Load()
	}
	intSink = int(sum)
}

// BenchmarkFloorAtomicStore is an XCHG on amd64: every atomic store is
// sequentially consistent in Go.
func BenchmarkFloorAtomicStore(b *testing.B) {
	for i := range b.N {
		wordSink.Store(uint64(i))
	}
}

func BenchmarkFloorAtomicAdd(b *testing.B) {
	for range b.N {
		wordSink.Add(1)
	}
}

func BenchmarkFloorCompareAndSwap(b *testing.B) {
	wordSink.Store(0)
	for i := range b.N {
		wordSink.CompareAndSwap(uint64(i), uint64(i)+1)
	}
}

func BenchmarkFloorMutex(b *testing.B) {
	var mu sync.Mutex
	for range b.N {
		mu.Lock()
		intSink++
		mu.Unlock()
	}
}

func BenchmarkFloorClosureAllocation(b *testing.B) {
	b.ReportAllocs()
	for i := range b.N {
		closureSink = func() int { return i }
	}
}

func BenchmarkFloorClockRead(b *testing.B) {
	for range b.N {
		timeSink = time.Now()
	}
}

// BenchmarkFloorChannelBuffered sends and receives in one goroutine.
func BenchmarkFloorChannelBuffered(b *testing.B) {
	ch := make(chan int, 1)
	for i := range b.N {
		ch <- i
		intSink = <-ch
	}
}

// BenchmarkFloorChannelHandOff passes a value to a goroutine that waits for it;
// a round trip counts as two.
func BenchmarkFloorChannelHandOff(b *testing.B) {
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
		close(back)
	}()
	for i := 0; i < b.N; i += 2 {
		there <- i
		intSink = <-back
	}
	close(there)
	<-back
}

// BenchmarkFloorGoroutine starts a goroutine and waits for it.
func BenchmarkFloorGoroutine(b *testing.B) {
	b.ReportAllocs()
	var wg sync.WaitGroup
	for range b.N {
		wg.Add(1)
		go wg.Done()
		wg.Wait()
	}
}
