package agent

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/config"
	"pithead/config/expr"
	"pithead/drivers"
)

// gate is a door contact that must be closed, and a rain gauge, both on a board.
func gate() *config.Site {
	return &config.Site{Site: "gate", Gateway: "g1", Points: []config.Point{
		{ID: "door", Common: &config.Common{Bus: "board", OnChange: true, Decimals: -1, AtLeast: time.Hour}, Own: &config.Own{Alarms: []alarm.Def{
			{ID: "door/open", Point: "door", Level: alarm.Red, Condition: alarm.Equals, Equal: drivers.BoolValue(false)}}}},
		{ID: "rain", Common: &config.Common{Bus: "board", Type: "counter", OnChange: true, Decimals: -1, AtLeast: time.Hour}, Own: &config.Own{}},
	}}
}

func TestEdgesAndPollsThatCross(t *testing.T) {
	const o, c = false, true // open, closed
	type came struct {
		at     int // ms
		closed bool
	}
	for _, story := range []struct {
		name   string
		came   []came // in the order in which the judge gets them
		told   string
		stored []bool
	}{
		{"a poll that saw the door closed comes after the edge that opened it",
			[]came{{0, c}, {10, o}, {9, c}}, "door/open=active", []bool{c, o}},
		{"a poll that saw it open comes after it was closed again",
			[]came{{0, c}, {10, o}, {12, c}, {11, o}}, "door/open=active door/open=normal", []bool{c, o, c}},
		{"a poll comes before both edges that it is later than",
			[]came{{0, c}, {13, c}, {10, o}, {12, c}}, "door/open=active door/open=normal", []bool{c, o, c}},
		{"a poll has seen what the edge tells later",
			[]came{{0, c}, {12, o}, {10, o}}, "door/open=active", []bool{c, o}},
		{"edges in their order",
			[]came{{0, c}, {10, o}, {20, c}, {30, o}}, "door/open=active door/open=normal door/open=active", []bool{c, o, c, o}},
	} {
		t.Run(story.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, gate(), newFold(), nil)
				begin := time.Now()
				time.Sleep(time.Second)
				latest := story.came[0]
				for _, x := range story.came {
					b.give(drivers.Reading{Point: "door", At: begin.Add(time.Duration(x.at) * time.Millisecond), Value: drivers.BoolValue(x.closed)})
					if x.at > latest.at {
						latest = x
					}
				}
				b.want(story.told)
				if r := b.latest("door"); r.Value != drivers.BoolValue(latest.closed) {
					t.Errorf("the door is told as %v, and was last seen as %v", r.Value, latest.closed)
				}
				var stored []bool
				for _, r := range b.stored {
					stored = append(stored, r.Value == drivers.BoolValue(true))
				}
				if !slices.Equal(stored, story.stored) {
					t.Errorf("stored %v, want %v", stored, story.stored)
				}
			})
		})
	}
}

func TestATotalNeverGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, gate(), newFold(), nil)
		begin := time.Now()
		time.Sleep(time.Second)
		for _, x := range []struct{ at, total int }{{0, 5}, {10, 7}, {9, 6}, {20, 8}} {
			b.give(drivers.Reading{Point: "rain", At: begin.Add(time.Duration(x.at) * time.Millisecond), Value: drivers.NumberValue(float64(x.total))})
		}
		var got []float64
		for _, r := range b.stored {
			got = append(got, r.Value.Float())
		}
		if !slices.Equal(got, []float64{5, 7, 8}) {
			t.Errorf("stored %v", got)
		}
	})
}

func TestABouncingLineKeepsABoundedPast(t *testing.T) {
	var h past
	begin := time.Now()
	for i := range 1000 {
		if !h.put(drivers.Reading{At: begin.Add(time.Duration(i) * time.Millisecond), Value: drivers.BoolValue(i%2 == 0)}) {
			t.Fatal("an edge was passed over")
		}
	}
	if len(h) != mostPast {
		t.Errorf("it keeps %d", len(h))
	}
	if h.put(drivers.Reading{At: begin, Value: drivers.BoolValue(false)}) {
		t.Error("what is older than all that is known counts as news")
	}
}

// computed is a point that is computed from one other.
func computed(t *testing.T, id, text, from string) config.Point {
	t.Helper()
	e, err := expr.Parse(text, pointsOf{from: expr.Info{Kind: drivers.Number}})
	if err != nil {
		t.Fatal(err)
	}
	return config.Point{ID: id, Common: &config.Common{Decimals: -1, Value: e, AtLeast: time.Minute}, Own: &config.Own{}}
}

func TestAComputedValueIsJudgedByItsRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := pit()
		p := computed(t, "free", "20 - level", "level")
		p.Range = &[2]float64{0, 15}
		site.Points = append(site.Points, p)
		b := newBench(t, site, newFold(), nil)
		b.bad("level", drivers.Comm)
		if r := b.latest("free"); r.Quality != drivers.Input || r.Value.Kind() != drivers.None {
			t.Errorf("of a bad input: %v", r)
		}
		b.good("level", 3)
		if r := b.latest("free"); r.Quality != drivers.Over || r.Value.Kind() != drivers.None {
			t.Errorf("above its range: %v", r)
		}
		b.good("level", 25)
		if r := b.latest("free"); r.Quality != drivers.Under {
			t.Errorf("below its range: %v", r)
		}
		b.good("level", 10)
		if r := b.latest("free"); r.Quality != drivers.Good || r.Value.Float() != 10 {
			t.Errorf("within its range: %v", r)
		}
	})
}
