//go:build site

package site

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// While no broker is there the buffer fills; the oldest readings go first, and
// the platform is told which and how many. Events stay.
func TestAFullBufferSaysWhatWentAway(t *testing.T) {
	t.Parallel()
	const bound = 16_000_000
	b := newBroker(t)
	b.start(t)
	w := watch(t, b)
	g := install(t, pithead, filling(1000)+b.uplink())
	g.start(t)
	eventually(t, 20*time.Second, "the first readings", func() bool { return w.point("p.n000").N != 0 })
	b.stop(t)

	var most int64
	drops := 0 // seconds in which readings went that nobody had
	eventually(t, 15*time.Minute, "the buffer is full for a while", func() bool {
		for range 5 {
			most = max(most, size(g.dir+"/buffer/log"))
			time.Sleep(200 * time.Millisecond)
		}
		if oldest, acked := g.backlog(t); oldest > acked+1 {
			drops++
		}
		return drops == 20
	})
	g.stop(t) // a new start tries the broker at once
	b.start(t)
	g.start(t)
	eventually(t, 60*time.Second, "a word of what was lost, and data after it", func() bool {
		lost := w.lost()
		return lost > 0 && w.reached() > lost
	})
	g.stop(t)
	g.sound(t)
	l := w.ledger()
	if len(l.lost) == 0 {
		t.Error("the book has no word of what was lost")
	}

	if most > bound+bound/16 {
		t.Errorf("the buffer took %d bytes of %d", most, bound)
	}
	for _, wrong := range l.wrong {
		t.Error(wrong)
	}
	figure(t, "full: %.1f MB of 16; lost %+v, up to %d covered", float64(most)/1e6, l.lost, l.last)
}

// filling is a site that makes ten thousand readings a second, as long as they
// get: random doubles.
func filling(points int) string {
	var signals, text strings.Builder
	for i := range points {
		fmt.Fprintf(&signals, "        p.n%03d: {value: 0, noise: 1}\n", i)
		fmt.Fprintf(&text, "  p.n%03d: {device: d, holding: %d}\n", i, i)
	}
	return "\nbuses:\n  pit:\n    sim:\n      seed: 3\n      signals:\n" + signals.String() +
		"devices: {d: {bus: pit, unit: 1, every: 100ms}}\nstats: 0s\nbuffer: {dir: DIR/buffer, size: 16MB}\npoints:\n" + text.String()
}
