package sim

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	flagSeeds = flag.Int("seeds", 600, "how many seeds TestSimulation runs")
	flagFrom  = flag.Uint64("from", 1, "the first of them")
	flagTheme = flag.String("theme", "", "the theme of -seed; empty for any trouble")
	flagSeed  = flag.Uint64("seed", 0, "run this one only, and print everything that happens")
)

// TestSimulation breaks clusters by seed and holds them to their promises.
func TestSimulation(t *testing.T) {
	if *flagSeed != 0 {
		w := newWorld(*flagSeed, true, themes[*flagTheme]...)
		why := w.play()
		fmt.Println(strings.Join(w.trace, "\n"))
		if why != "" {
			t.Fatalf("seed %d: %s\n%s", *flagSeed, why, w.story())
		}
		return
	}
	through(t, "", *flagSeeds)
}

// TestThemes runs a third as many worlds of each theme.
func TestThemes(t *testing.T) {
	for _, theme := range slices.Sorted(maps.Keys(themes)) {
		t.Run(theme, func(t *testing.T) { through(t, theme, *flagSeeds/3) })
	}
}

func through(t *testing.T, theme string, seeds int) {
	begin := time.Now()
	for seed := *flagFrom; seed < *flagFrom+uint64(seeds); seed++ {
		w := newWorld(seed, false, themes[theme]...)
		if why := w.play(); why != "" {
			t.Fatalf("seed %d (the %dth): %s\nagain: go test ./testbed/sim -run TestSimulation -seed %d -theme %q\n%s", seed, seed-*flagFrom+1, why, seed, theme, w.story())
		}
	}
	t.Logf("%d seeds in %v", seeds, time.Since(begin).Round(time.Millisecond))
}

// story is what the home of the task that went wrong tells about it.
func (w *world) story() string {
	f := w.check.jobs[w.check.about]
	if f == nil {
		return ""
	}
	if !f.home.alive {
		return "its home is down"
	}
	return fmt.Sprintf("the story of task %d of %v, by its home %s at %v of its clock:\n  %s", w.check.index, f.id, f.home.name, f.home.clock(),
		strings.Join(f.home.core.Explain(f.id, w.check.index), "\n  "))
}
