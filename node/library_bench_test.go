package node

import (
	"context"
	"testing"
)

var (
	benchSame = Define("bench/same", func(_ context.Context, x int) (int, error) { return x, nil })
	// benchSpawns spawns and waits for so many children.
	benchSpawns = Define("bench/spawns", func(ctx context.Context, n int) (int, error) {
		sum := 0
		for i := range n {
			v, err := benchSame.Go(ctx, nil, i).Wait(ctx)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
)

// alone starts a node of one core without a network.
func alone(b *testing.B, workers int) *Node {
	b.Helper()
	n, err := Start(b.Context(), Config{Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { n.Drain(context.Background()) })
	return n
}

// BenchmarkChild is Go and Wait of a child that stays: the target is 250 ns and 2 allocations.
func BenchmarkChild(b *testing.B) {
	n := alone(b, 1)
	b.ReportAllocs()
	if _, err := benchSpawns.Call(b.Context(), n, b.N); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMapSlice is a trivial call of a million at once.
func BenchmarkMapSlice(b *testing.B) {
	n := alone(b, 2)
	in := make([]int, 1<<20)
	b.ReportAllocs()
	for done := 0; done < b.N; done += len(in) {
		if _, err := benchSame.MapSlice(b.Context(), n, in[:min(len(in), b.N-done)]); err != nil {
			b.Fatal(err)
		}
	}
}
