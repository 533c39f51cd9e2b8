package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) == 5 && os.Args[1] == "child" {
		if err := child(ctx, os.Args[2], os.Args[3], os.Args[4]); err != nil {
			fmt.Fprintln(os.Stderr, "peers:", err)
			os.Exit(1)
		}
		return
	}
	only := flag.String("only", "calls,job,echo,spin,first,fork", "what to measure")
	rounds := flag.Int("rounds", 7, "rounds of each")
	delay := flag.Duration("delay", 0, "put a line between the nodes that delays packets so long each way (root)")
	flag.Parse()
	if err := measure(strings.Split(*only, ","), *rounds, *delay); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func measure(only []string, rounds int, delay time.Duration) error {
	var l *link
	if delay > 0 {
		var err error
		if l, err = newLink(delay); err != nil {
			return err
		}
		defer l.close()
		fmt.Printf("with %v of delay each way:\n", delay)
	}
	a, err := start("a", "", 0, l)
	if err != nil {
		return err
	}
	defer a.end()
	b, err := start("b", a.join, 1, l)
	if err != nil {
		return err
	}
	defer b.end()
	for _, p := range []*process{a, b} {
		if err := p.meets("a", "b"); err != nil {
			return err
		}
	}
	for _, m := range []struct {
		name string
		f    func(a, b *process, rounds int) error
	}{{"calls", measureCalls}, {"job", measureJob}, {"echo", measureEcho}, {"spin", measureSpin}, {"first", measureFirst}, {"fork", measureFork}} {
		if slices.Contains(only, m.name) {
			if err := m.f(a, b, rounds); err != nil {
				return err
			}
		}
	}
	return nil
}

// measureFirst: from work appearing to its start on an idle node whose offer waits.
func measureFirst(a, _ *process, rounds int) error {
	var times []float64
	for range rounds {
		r, err := a.ask(request{Do: "first", N: 5, Each: 300 * time.Millisecond, On: []string{"b"}})
		if err != nil {
			return err
		}
		times = append(times, us(r.P50))
	}
	fmt.Printf("first: from a call to its start on the other, idle node: %.0f µs %s\n", median(times), span(times, "%.0f"))
	return nil
}

// measureCalls: a million separate calls, all run by the other node.
func measureCalls(a, _ *process, rounds int) error {
	const n, inFlight = 1_000_000, 1024
	var rates []float64
	for range rounds {
		r, err := a.ask(request{Do: "calls", N: n, InFlight: inFlight, On: []string{"b"}})
		if err != nil {
			return err
		}
		rates = append(rates, n/r.Took.Seconds())
	}
	fmt.Printf("calls: %d separate calls, 16 B in, 8 B out, %d in flight, all on the other node: %.0f/s %s\n", n, inFlight, median(rates), span(rates, "%.0f"))
	return nil
}

// measureJob: a million calls submitted at once, which travel in ranges, all run by the other node.
func measureJob(a, _ *process, rounds int) error {
	const n = 1_000_000
	var rates []float64
	for range rounds {
		r, err := a.ask(request{Do: "job", N: n, On: []string{"b"}})
		if err != nil {
			return err
		}
		rates = append(rates, n/r.Took.Seconds())
	}
	fmt.Printf("job: %d calls submitted at once, in ranges, all on the other node: %.0f/s %s\n", n, median(rates), span(rates, "%.0f"))
	return nil
}

// measureEcho: one call at a time beside the round trip of as long frames over a stream between two hosts in the same
// processes, and of the bare bytes over TCP.
func measureEcho(a, b *process, rounds int) error {
	const n, size = 3000, 64
	// What a call of 64 B writes there and back, with a standing offer in place: Recorded of the call before, body and Grant;
	// Offer and Report.
	const there, back = 457, 315
	tcp, err := b.ask(request{Do: "rawserve", To: b.host})
	if err != nil {
		return err
	}
	echoes, err := b.ask(request{Do: "streamserve", Size: there, Back: back, To: b.host})
	if err != nil {
		return err
	}
	sides := []request{
		{Do: "echo", N: n, Size: size, On: []string{"b"}},
		{Do: "stream", N: n, Size: there, Back: back, To: echoes.Text},
		{Do: "raw", N: n, Size: size, To: tcp.Text},
	}
	p50 := make([][]float64, len(sides))
	ofStream, ofTCP := []float64{}, []float64{}
	for round := range rounds {
		var now [3]float64
		for k := range sides { // who goes first changes with the round
			k = (k + round) % len(sides)
			r, err := a.ask(sides[k])
			if err != nil {
				return err
			}
			now[k] = us(r.P50)
			p50[k] = append(p50[k], now[k])
		}
		ofStream = append(ofStream, now[0]/(1.5*now[1]+10))
		ofTCP = append(ofTCP, now[0]/(1.5*now[2]+10))
	}
	for k, name := range []string{
		fmt.Sprintf("call of %d B to the other node and back", size),
		fmt.Sprintf("%d B there and %d B back over a libp2p stream, as a call has", there, back),
		fmt.Sprintf("%d B there and back over bare TCP", size),
	} {
		fmt.Printf("echo: %s, p50: %.1f µs %s\n", name, median(p50[k]), span(p50[k], "%.1f"))
	}
	fmt.Printf("echo: the call, of 1.5 × the stream's + 10 µs: %.2f %s; of 1.5 × TCP's + 10 µs: %.2f %s\n",
		median(ofStream), span(ofStream, "%.2f"), median(ofTCP), span(ofTCP, "%.2f"))
	return nil
}

// measureSpin: tasks that all come to one node, stolen by the other, beside the same tasks dealt out before.
func measureSpin(a, b *process, rounds int) error {
	const n, each = 400, 10 * time.Millisecond
	var ratios []float64
	for range rounds {
		stolen, err := a.ask(request{Do: "spin", N: n, Each: each})
		if err != nil {
			return err
		}
		half := request{Do: "spin", N: n / 2, Each: each, Local: true}
		other := make(chan error, 1)
		var rb reply
		go func() {
			var err error
			rb, err = b.ask(half)
			other <- err
		}()
		ra, err := a.ask(half)
		if e := <-other; err == nil {
			err = e
		}
		if err != nil {
			return err
		}
		ratios = append(ratios, max(ra.Took, rb.Took).Seconds()/stolen.Took.Seconds())
	}
	fmt.Printf("spin: %d × %v, all submitted at one of two nodes, beside 200/200 dealt out and no stealing: %.3f %s\n", n, each, median(ratios), span(ratios, "%.3f"))
	return nil
}

func us(d time.Duration) float64 { return float64(d) / 1e3 }

func median(l []float64) float64 {
	s := slices.Sorted(slices.Values(l))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func span(l []float64, format string) string {
	return fmt.Sprintf("["+format+".."+format+"]", slices.Min(l), slices.Max(l))
}
