package drivers

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestTimesAreWithinATenth(t *testing.T) {
	var none Times
	if none.Of(0.5) != 0 {
		t.Error("of no answers there is no time")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, most := range []time.Duration{time.Millisecond, 50 * time.Millisecond, 3 * time.Second, time.Minute} {
		var ts Times
		var all []time.Duration
		for range timesTurn {
			d := time.Duration(rnd.Int64N(int64(most)))
			all = append(all, d)
			ts.Add(d)
		}
		slices.Sort(all)
		for _, share := range []float64{0.5, 0.99} {
			want, got := all[int(share*timesTurn+0.999)-1], ts.Of(share)
			if got < want || got > want*113/100+timesUnit {
				t.Errorf("up to %v: %v %% within %v, want %v", most, 100*share, got, want)
			}
		}
	}
}

// What was slow long ago does not count any more.
func TestOldTimesAreForgotten(t *testing.T) {
	var ts Times
	for range timesTurn {
		ts.Add(10 * time.Second)
	}
	for range 2 * timesTurn {
		ts.Add(10 * time.Millisecond)
	}
	if got := ts.Of(0.99); got > 12*time.Millisecond {
		t.Errorf("%v", got)
	}
	ts.Add(time.Hour)
	ts.Add(-time.Second)
}
