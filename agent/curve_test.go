package agent

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"pithead/config"
	"pithead/drivers"
)

// drawn shows a curve: a digit is a value, a dot a gap.
func drawn(c *curve, minute int64) string {
	b := make([]byte, 0, curveMinutes)
	for _, v := range c.last(minute) {
		if v == nil {
			b = append(b, '.')
		} else {
			b = append(b, '0'+byte(*v))
		}
	}
	return string(b)
}

func TestACurveShowsTheLastHourWithItsGaps(t *testing.T) {
	c := newCurve()
	at := func(minute int64) time.Duration { return time.Duration(minute)*time.Minute + time.Second }
	for m := int64(1000); m < 1005; m++ {
		c.put(at(m), float64(m-1000), true)
	}
	c.put(at(1004), 9, true)  // the last of a minute counts
	c.put(at(1006), 0, false) // was not measured
	c.put(at(1007), 7, true)
	gap := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = '.'
		}
		return string(b)
	}
	for _, step := range []struct {
		minute int64
		want   string
	}{
		{1007, gap(52) + "01239..7"},
		{1010, gap(49) + "01239..7..."},
		{1063, "9..7" + gap(56)},
		{1066, "7" + gap(59)},
		{1067, gap(60)},
		{5000, gap(60)},
	} {
		if got := drawn(c, step.minute); got != step.want {
			t.Errorf("at %d: %s", step.minute, got)
		}
	}
}

func TestThePageDrawsTheFirstPointsOnly(t *testing.T) {
	site := &config.Site{Web: config.Web{Listen: "127.0.0.1:0"}}
	for i := range mostCurves + 1 {
		site.Points = append(site.Points, config.Point{ID: fmt.Sprint("p", i), Common: &config.Common{Device: "d"}, Own: &config.Own{}})
	}
	j := newJudge(site, NewClock(0, false), newQueue(10), slog.New(slog.DiscardHandler))
	for _, p := range j.points {
		j.sample(p, drivers.Reading{Point: p.cfg.ID, At: time.Now(), Value: drivers.NumberValue(1)})
	}
	for i, p := range j.points {
		if (p.curve != nil) != (i < mostCurves) {
			t.Fatalf("point %d: %v", i, p.curve)
		}
	}
}
