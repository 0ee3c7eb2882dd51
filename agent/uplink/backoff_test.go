package uplink

import (
	"strings"
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
		{"a red event waits", true, 0.5, []time.Duration{1500 * time.Millisecond, 2250 * time.Millisecond, 2250 * time.Millisecond}},
	} {
		var b backoff
		for i, want := range c.want {
			if got := b.wait(c.urgent, c.r).Round(10 * time.Millisecond); got != want {
				t.Errorf("%s: wait %d is %v, want %v", c.name, i, got, want)
			}
		}
	}
}

// A link that comes and goes is met while it is there, by who has an alarm to
// bring; a dead one is not called every few seconds for days.
func TestPausesStayShortForAWhileWhereAnAlarmWaits(t *testing.T) {
	var b backoff
	var sum time.Duration
	for try := range presses + 7 {
		d := b.wait(true, 0.5)
		sum += d
		if short := d <= urgentTry; short != (try <= presses) {
			t.Errorf("try %d waits %v", try, d)
		}
		if try == presses && (sum < 3*time.Minute || sum > 6*time.Minute) {
			t.Errorf("short waits for %v", sum)
		}
	}
	if d := b.wait(true, 0.5); d < 3*time.Minute {
		t.Errorf("in the end it waits %v", d)
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
	b.lost(9*time.Second, "")
	if b.tries != 4 {
		t.Errorf("after a connection of 9 s the next wait is number %d", b.tries)
	}
	b.lost(10*time.Second, "")
	if b.tries != 0 {
		t.Errorf("after a connection of 10 s the next wait is number %d", b.tries)
	}
}

func TestThreeQuickEndsInARowAreAFault(t *testing.T) {
	type end struct {
		lasted time.Duration
		at     string
	}
	short, long := time.Second, time.Minute
	const data = "p/data"
	for _, c := range []struct {
		name string
		ends []end
		want string
	}{
		{"twice", []end{{short, ""}, {short, ""}}, ""},
		{"three times", []end{{short, ""}, {short, ""}, {short, ""}}, sameID},
		{"with one that held between", []end{{short, ""}, {short, ""}, {long, ""}, {short, ""}}, ""},
		{"it goes on", []end{{short, ""}, {short, ""}, {short, ""}, {short, ""}}, sameID},
		{"at another topic each time", []end{{short, data}, {short, "p/health"}, {short, data}}, sameID},
		{"at one topic", []end{{short, data}, {short, data}, {short, data}}, "each message on p/data"},
		{"at one topic in the end", []end{{short, ""}, {short, data}, {short, data}, {short, data}}, "each message on p/data"},
		{"at one topic, with one that held between", []end{{short, data}, {short, data}, {long, data}, {short, data}}, ""},
	} {
		var b backoff
		got := ""
		for _, e := range c.ends {
			got = b.lost(e.lasted, e.at)
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: fault %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAnUrgentEventCutsTheWait(t *testing.T) {
	b := backoff{tries: 8}
	if d := b.hurry(0.99); d >= urgentTry {
		t.Errorf("it waits %v", d)
	}
	if d := b.wait(true, 0); d != urgentTry/2 {
		t.Errorf("the try after that comes after %v", d)
	}
}
