//go:build unix

package exec

import (
	"testing"
	"time"
)

// BenchmarkIdle shows what an engine with nothing to do costs: the CPU time of
// the whole process per second, after it has worked.
func BenchmarkIdle(b *testing.B) {
	e := newEngine(b, Config{Workers: 8})
	j, _ := e.NewJob(JobConfig{})
	fib.Call(b.Context(), j, 25)
	time.Sleep(100 * time.Millisecond) // the watchdog's last look
	before, _, _ := processLoad()
	start := time.Now()
	for b.Loop() {
		time.Sleep(time.Second)
	}
	after, _, _ := processLoad()
	b.ReportMetric(float64((after-before).Microseconds())/time.Since(start).Seconds(), "cpu-µs/s")
}
