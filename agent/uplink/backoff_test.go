package uplink

import (
	"testing"
	"time"
)

func TestWaitsSpreadAndDouble(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		name   string
		urgent bool
		r      float64
		want   []time.Duration
	}{
		{"the luckiest", false, 0, []time.Duration{0, 10 * s, 20 * s, 40 * s, 80 * s, 150 * s, 150 * s}},
		{"the middle", false, 0.5, []time.Duration{5 * s, 15 * s, 30 * s, 60 * s, 120 * s, 225 * s, 225 * s}},
		{"nearly the last", false, 0.99999, []time.Duration{10 * s, 20 * s, 40 * s, 80 * s, 160 * s, 300 * s, 300 * s}},
		{"a red event waits", true, 0.5, []time.Duration{1500 * time.Millisecond, 4500 * time.Millisecond, 9 * s}},
	} {
		var b backoff
		for i, want := range c.want {
			if got := b.wait(c.urgent, c.r).Round(10 * time.Millisecond); got != want {
				t.Errorf("%s: wait %d is %v, want %v", c.name, i, got, want)
			}
		}
	}
}

func TestWaitsNeverPassFiveMinutes(t *testing.T) {
	var b backoff
	for range 100 {
		if d := b.wait(false, 0.9999); d < 0 || d > longest {
			t.Fatalf("try %d waits %v", b.tries, d)
		}
	}
}

func TestWaitsBeginAnewOnlyAfterAConnectionThatHeld(t *testing.T) {
	b := backoff{tries: 4}
	b.lost(9 * time.Second)
	if b.tries != 4 {
		t.Errorf("after a connection of 9 s the next wait is number %d", b.tries)
	}
	b.lost(10 * time.Second)
	if b.tries != 0 {
		t.Errorf("after a connection of 10 s the next wait is number %d", b.tries)
	}
}

func TestThreeQuickEndsInARowAreAFault(t *testing.T) {
	short, long := time.Second, time.Minute
	for _, c := range []struct {
		name   string
		lasted []time.Duration
		want   bool
	}{
		{"twice", []time.Duration{short, short}, false},
		{"three times", []time.Duration{short, short, short}, true},
		{"with one that held between", []time.Duration{short, short, long, short}, false},
		{"it goes on", []time.Duration{short, short, short, short}, true},
	} {
		var b backoff
		got := false
		for _, d := range c.lasted {
			got = b.lost(d)
		}
		if got != c.want {
			t.Errorf("%s: fault %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAnUrgentEventCutsTheWait(t *testing.T) {
	b := backoff{tries: 8}
	if d := b.hurry(0.99); d >= urgentTry {
		t.Errorf("it waits %v", d)
	}
	if d := b.wait(true, 0); d != urgentTry {
		t.Errorf("the try after that comes after %v, want the waits to double from 3 s", d)
	}
}
