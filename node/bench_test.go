//go:build unix

package node

import (
	"context"
	"sync/atomic"
	"testing"
)

// BenchmarkCallsHere is what a call costs that a node alone runs itself, submitted one by one
// with at most 1024 in flight.
func BenchmarkCallsHere(b *testing.B) {
	n, err := Start(b.Context(), Config{Workers: 1, Functions: map[string]Function{"same": func(_ context.Context, a []byte) ([]byte, error) { return a[:8:8], nil }}})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Drain(context.Background())
	callFrom(b, n, CallOptions{Function: "same"})
}

// callFrom calls b.N times.
func callFrom(b *testing.B, n *Node, o CallOptions) {
	b.Helper()
	calls, err := n.Calls(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	room := make(chan struct{}, 1024)
	var failed atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		room <- struct{}{}
		err := calls.Go(b.Context(), make([]byte, 16), func(_ []byte, err error) {
			if err != nil {
				failed.Add(1)
			}
			<-room
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for range cap(room) {
		room <- struct{}{}
	}
	b.StopTimer()
	if failed.Load() > 0 {
		b.Fatalf("%d calls failed", failed.Load())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkCallsElsewhere is the same when another node runs all of them.
func BenchmarkCallsElsewhere(b *testing.B) {
	same := map[string]Function{"same": func(_ context.Context, a []byte) ([]byte, error) { return a[:8:8], nil }}
	first, err := Start(b.Context(), Config{Name: "first", Workers: 1, Functions: same, Listen: []string{"127.0.0.1:0"}})
	if err != nil {
		b.Fatal(err)
	}
	defer first.Drain(context.Background())
	join, err := first.JoinString(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	second, err := Start(b.Context(), Config{Name: "second", Workers: 1, Functions: same, Listen: []string{"127.0.0.1:0"}, Join: []string{join}})
	if err != nil {
		b.Fatal(err)
	}
	defer second.Drain(context.Background())
	for range first.Watch(b.Context()) {
		if m := first.Members(); len(m) == 2 && m[0].Cores > 0 && m[1].Cores > 0 {
			break
		}
	}
	callFrom(b, first, CallOptions{Function: "same", Common: Common{Where: Where{Avoid: []string{first.ID()}}}})
}
