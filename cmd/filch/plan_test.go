package main

import (
	"testing"
	"time"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

func TestParseBytes(t *testing.T) {
	for s, want := range map[string]int64{
		"1": 1, "500M": 500 << 20, "1.5G": 3 << 29, "2k": 2048, "1KiB": 1024, "1MB": 1 << 20, "1T": 1 << 40, "10b": 10,
	} {
		if got, err := parseBytes(s); got != want || err != nil {
			t.Errorf("%q: got %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "0", "-1", "x", "M", "1X", "1e9", "50%", "9999999E", "NaN", "inf", "1 G", "1MM", "0x10", "0.1"} {
		if got, err := parseBytes(s); err == nil {
			t.Errorf("%q is %d", s, got)
		}
	}
}

func FuzzParseBytes(f *testing.F) {
	f.Add("1.5GiB")
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := parseBytes(s); err == nil && n < 1 {
			t.Errorf("%q is %d", s, n)
		}
	})
}

// A limit that becomes known, or shrinks, holds for attempts that run already.
func TestTimekeeper(t *testing.T) {
	k := newTimekeeper(parallel.Timeout{Percent: 100})
	slow, endSlow := k.begin(t.Context())
	defer endSlow(false)
	for range 3 {
		_, end := k.begin(t.Context())
		end(true)
	}
	<-slow.Done() // of a median of next to nothing
	if k.running == nil || len(k.running) != 1 {
		t.Errorf("%d run", len(k.running))
	}
	unlimited, end := newTimekeeper(parallel.Timeout{}).begin(t.Context())
	end(true)
	if unlimited != t.Context() {
		t.Error("a context without a limit was made another")
	}
}

// Starts are kept apart, and whoever waits is let go when the run ends.
func TestPace(t *testing.T) {
	p := pace{every: time.Hour}
	s := newStopper(t.Context())
	if !p.wait(s.feed) {
		t.Error("the first one waits for nothing")
	}
	waited := make(chan bool)
	go func() { waited <- p.wait(s.feed) }()
	s.finish(nil)
	if <-waited {
		t.Error("it started although the run was over")
	}
}
