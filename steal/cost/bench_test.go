package cost

import (
	"fmt"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
)

// crowd is a model that knows n peers of all sorts, of which every second one has run the function.
func crowd(n int) *Model {
	m := New()
	for i := range n {
		m.Update(Peer{
			ID: fmt.Sprintf("peer-%04d", i), Self: i == n/2, Kinds: []task.Kind{task.KindFunc}, Knows: true, Cores: 1 + i%16,
			Labels: []string{"gpu=no", "rack=r1", "zone=z1"}, Zone: "z1", Machine: Machine{MHz: 1500 + float64(i*37%3000)}, RTT: time.Duration(i*7%40) * time.Millisecond,
			Load: Load{Heard: true, Free: i % 3, Queued: time.Duration(i*13%50) * 10 * time.Millisecond, At: time.Second},
		})
		if i%2 == 0 {
			for k := range 3 {
				m.Learn(time.Second, "f", fmt.Sprintf("peer-%04d", i), Sample{In: int64(1000 << k), Out: 100, Ran: time.Duration(20+i*31%100) * time.Millisecond << k})
			}
		}
	}
	return m
}

// BenchmarkChoose is a choice among 1,000 peers: at most 50 µs, and nothing is allocated.
func BenchmarkChoose(b *testing.B) {
	for _, test := range []struct {
		name string
		ask  Ask
	}{
		{"plain", Ask{Function: "f", Kind: task.KindFunc, In: 3000, Out: -1}},
		{"constrained", Ask{Function: "f", Kind: task.KindFunc, In: 3000, Out: -1, Deadline: time.Minute, Zones: []string{"z0", "z1"}, Require: []string{"gpu=no"}, Avoid: []string{"peer-0001"}, Energy: 0.1}},
		{"unseen", Ask{Function: "g", Kind: task.KindFunc, In: 3000, Out: -1}},
	} {
		b.Run(test.name, func(b *testing.B) {
			m := crowd(1000)
			now := 2 * time.Second
			b.ReportAllocs()
			for b.Loop() {
				now += time.Millisecond
				m.Choose(now, &test.ask)
			}
		})
	}
}
