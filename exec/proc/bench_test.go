package proc

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// BenchmarkRun measures the spawn path with two callers. Compare it with
// `seq 2000 | xargs -P2 -n1 true` on the same machine, in alternating runs.
func BenchmarkRun(b *testing.B) {
	for _, line := range []string{"true", "echo hello", "echo 'hello'"} {
		for i, s := range starters() {
			b.Run(fmt.Sprintf("%s/%s", line, s.name), func(b *testing.B) {
				benchmarkLine(b, line, starters()[i].starter)
			})
		}
	}
}

func benchmarkLine(b *testing.B, line string, s starter) {
	r := newRunner(b, Config{})
	r.starter = s
	c := parse(b, line)
	b.ReportAllocs()
	next := make(chan struct{}, 64)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range next {
				res := r.Run(context.Background(), c)
				if res.Err != nil {
					b.Error(res.Err)
				}
				res.Stdout.Close()
				res.Stderr.Close()
			}
		})
	}
	for b.Loop() {
		next <- struct{}{}
	}
	close(next)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
}

// BenchmarkFind is what looking a program up costs: next to nothing beside
// starting it, which is why there is no cache.
func BenchmarkFind(b *testing.B) {
	r := newRunner(b, Config{})
	for b.Loop() {
		if _, err := r.env.find("true", ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		parse(b, "gzip -9k some/file/with/a/longer/name.log")
	}
}
