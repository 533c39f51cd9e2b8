package exec

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/filchsched/filch/exec/fair"
)

func TestBagRunsEveryTaskOnce(t *testing.T) {
	e := newEngine(t, Config{Workers: 3})
	j, _ := e.NewJob(JobConfig{})
	const n = 100_000
	seen := make([]atomic.Int32, n)
	bag := NewBag(j, func(c *Ctx, i int) { seen[i].Add(1) })
	ctx := context.Background()
	for i := range n / 2 {
		if err := bag.Submit(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := SubmitRange(ctx, bag, n/2, n); err != nil {
		t.Fatal(err)
	}
	j.Close()
	if err := j.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range seen {
		if seen[i].Load() != 1 {
			t.Fatalf("task %d ran %d times", i, seen[i].Load())
		}
	}
}

func BenchmarkBagSubmit(b *testing.B) {
	e := newEngine(b, Config{Workers: 2})
	j, _ := e.NewJob(JobConfig{})
	bag := NewBag(j, func(c *Ctx, i int) {})
	ctx := context.Background()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		bag.Submit(ctx, i)
		i++
	}
	j.Close()
	j.Wait(ctx)
}

func BenchmarkBagSlice(b *testing.B) {
	e := newEngine(b, Config{Workers: 2})
	ctx := context.Background()
	args := make([]int, 5_000_000)
	for b.Loop() {
		j, _ := e.NewJob(JobConfig{})
		bag := NewBag(j, func(c *Ctx, i int) {})
		bag.SubmitSlice(ctx, args)
		j.Close()
		j.Wait(ctx)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5e6, "ns/task")
}

// A piece that was put back may be the last in line and end before the chunk
// does: what is submitted next does not belong to it.
func TestSubmitAfterAPieceWasPutBack(t *testing.T) {
	e := &Engine{queue: fair.NewQueue(DefaultSlice)}
	j := &Job{e: e, fair: e.queue.Root().NewJob(1024, 0)}
	j.ctx, j.cancel = context.WithCancelCause(context.Background())
	j.in.init(1000)
	j.present.Mark(inboxPlace) // as if announced
	bag := NewBag(j, func(*Ctx, int) {})
	for i := range 100 {
		bag.Submit(t.Context(), i)
	}
	_, p := j.takeFrom(1, 100)
	j.putBack(piece{p.chunk, 50, 75}) // thieves have the rest
	bag.Submit(t.Context(), 100)
	var got []piece
	for j.in.pieces.len() > 0 {
		got = append(got, j.in.pieces.shift())
	}
	if len(got) != 2 || got[0].lo != 50 || got[0].hi != 75 || got[1].lo != 100 || got[1].hi != 101 {
		t.Errorf("each live task is in exactly one place: got %v", got)
	}
}
