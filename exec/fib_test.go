package exec

import (
	"context"
	"testing"
)

var fib *Fn[int, int]

func init() { fib = Define(fibBody) }

func fibBody(c *Ctx, n int) int {
	if n < 2 {
		return n
	}
	t := fib.Spawn(c, n-1)
	b := fibBody(c, n-2)
	return t.Join(c) + b
}

func newEngine(t testing.TB, c Config) *Engine {
	t.Helper()
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestFib(t *testing.T) {
	for _, w := range []int{1, 2, 4} {
		e := newEngine(t, Config{Workers: w})
		j, err := e.NewJob(JobConfig{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := fib.Call(context.Background(), j, 25)
		if err != nil || r != 75025 {
			t.Fatalf("fib(25) on %d workers = %d, %v", w, r, err)
		}
		j.Close()
		if err := j.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkFib30(b *testing.B) {
	e := newEngine(b, Config{Workers: 2})
	j, _ := e.NewJob(JobConfig{})
	b.ReportAllocs()
	for b.Loop() {
		if r, err := fib.Call(context.Background(), j, 30); r != 832040 {
			b.Fatal(r, err)
		}
	}
}
