package stepper

import "testing"

// BenchmarkStep measures what a step costs, with all that the search does for it.
func BenchmarkStep(b *testing.B) {
	program := func(s *Scene) {
		var x, y, z Int64
		for range 3 {
			s.Go("adder", func() { x.Add(1); y.Add(1); z.Add(1) })
		}
	}
	for _, full := range []bool{false, true} {
		name := "reduced"
		if full {
			name = "full"
		}
		b.Run(name, func(b *testing.B) {
			steps := int64(0)
			for b.Loop() {
				stats, err := Explore(Options{Full: full}, program)
				if err != nil {
					b.Fatal(err)
				}
				steps += stats.Steps
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(steps), "ns/step")
		})
	}
}
