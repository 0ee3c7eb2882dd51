// Command fleet restarts the broker of five hundred gateways, and compares when
// they knock again with what the wire format says: the first try within 10 s of
// the loss, uniformly, then after pauses that double. The gateways are uplinks
// of this process, each with a buffer of its own that gets twenty readings a
// second.
//
//	go run ./cross/fleet [-gateways 500] [-away 0s] [-nats nats-server]
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

const points = 20

func main() {
	gateways := flag.Int("gateways", 500, "how many")
	away := flag.Duration("away", 0, "how long the broker is away; 0s: as long as its restart takes")
	nats := flag.String("nats", "", "a nats-server, of which three make the broker; without it mosquitto")
	flag.Parse()
	if err := run(*gateways, *away, *nats); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(gateways int, away time.Duration, nats string) error {
	dir, err := os.MkdirTemp("/dev/shm", "pithead-fleet")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b, err := newBroker(dir, nats)
	if err != nil {
		return err
	}
	defer b.stop()
	ctx, cancel := context.WithCancel(context.Background())
	var r relay
	urls, err := r.before(b.ports)
	if err != nil {
		cancel()
		return err
	}
	f, err := newFleet(ctx, dir, urls, gateways)
	if err != nil {
		cancel()
		return err
	}
	defer f.close()
	defer cancel()
	if err := f.wait(3*time.Minute, "all are connected", f.connected); err != nil {
		return err
	}
	time.Sleep(12 * time.Second) // each connection has held
	if err := f.wait(time.Minute, "all have delivered", f.delivered); err != nil {
		return err
	}
	lost := time.Now()
	b.stop()
	time.Sleep(away)
	if err := b.start(); err != nil {
		return err
	}
	back := time.Now()
	fmt.Printf("%d gateways of %d points; their broker was away for %.1f s\n", gateways, points, back.Sub(lost).Seconds())
	if err := f.wait(10*time.Minute, "all are back", f.connected); err != nil {
		return err
	}
	var got []float64
	in := lost
	for _, at := range r.last() {
		got = append(got, at.Sub(lost).Seconds())
	}
	for _, g := range f.gateways {
		if s := g.State().Since; s.After(in) {
			in = s
		}
	}
	if len(got) != gateways {
		return fmt.Errorf("%d gateways of %d were seen to try", len(got), gateways)
	}
	fmt.Printf("the last of them was let in after %.1f s\n", in.Sub(lost).Seconds())
	if err := f.wait(3*time.Minute, "all have delivered what waited", f.delivered); err != nil {
		return err
	}
	return compare(got, back.Sub(lost).Seconds())
}

// rule is when one gateway is back, by the wire format: after a first try
// uniformly within 10 s of the loss, pauses that double up to five minutes, each
// with jitter from half of it on. What comes before the broker does not count.
func rule(away float64) float64 {
	at := 10 * rand.Float64()
	for pause := 20.0; at < away; pause = min(2*pause, 300) {
		at += pause * (0.5 + rand.Float64()/2)
	}
	return at
}

// compare prints both spreads, and is an error where they differ by more than
// chance would have it in one of a thousand runs (Kolmogorov and Smirnov).
func compare(got []float64, away float64) error {
	const draws = 200_000
	want := make([]float64, draws)
	for i := range want {
		want[i] = rule(away)
	}
	slices.Sort(got)
	slices.Sort(want)
	width := max(1, math.Ceil(want[draws-1]/25))
	fmt.Printf("\n%10s  %5s  %5s\n", "s", "knock", "rule")
	for from := 0.0; from < max(want[draws-1], got[len(got)-1]); from += width {
		n, m := within(got, from, from+width), within(want, from, from+width)*len(got)/draws
		if n+m > 0 {
			fmt.Printf("%4.0f - %3.0f  %5d  %5d  %s\n", from, from+width, n, m, strings.Repeat("#", n*60/max(1, len(got)/5)))
		}
	}
	worst := 0.0
	for i, at := range got {
		j, _ := slices.BinarySearch(want, at)
		worst = max(worst, math.Abs(float64(i)/float64(len(got))-float64(j)/draws))
	}
	// When exactly each noticed the loss is not known: a third of a second is allowed for.
	limit := 1.95/math.Sqrt(float64(len(got))) + 0.03
	fmt.Printf("\nthe try that led in came after %.1f s (p50), %.1f s (last); the rule says %.1f s, at most %.1f s; the spreads differ by %.3f, at most %.3f\n",
		got[len(got)/2], got[len(got)-1], want[draws/2], want[draws-1], worst, limit)
	if worst > limit {
		return fmt.Errorf("they do not come back as the rule says")
	}
	return nil
}

// within is how many of the sorted are in [from, to).
func within(sorted []float64, from, to float64) int {
	i, _ := slices.BinarySearch(sorted, from)
	j, _ := slices.BinarySearch(sorted, to)
	return j - i
}
