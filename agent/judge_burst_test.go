package agent

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/config"
)

func eventsOfKind(b *bench, kind string) (n int) {
	for _, e := range b.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// A contact that chatters fills no record, and the record ends with how it stands.
func TestAChatteringSourceIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		rnd := rand.New(rand.NewPCG(7, 7))
		for range 600 { // a minute, ten changes a second
			o.good("ch4", float64(rnd.IntN(2))*2)
			o.sleep(100 * time.Millisecond)
		}
		o.settled()
		alarms, bursts := 0, 0
		for _, e := range o.events {
			switch {
			case e.Kind == "burst":
				bursts++
				if e.ID != "ch4" || len(e.More) != 1 || e.More[0].Value.(int) < 1 {
					t.Errorf("%+v", e)
				}
			case e.ID == "ch4/cut":
				alarms++
			}
		}
		if alarms < 60 || alarms > 82 || bursts < 5 || bursts > 7 {
			t.Errorf("%d events and %d bursts in a minute", alarms, bursts)
		}
		o.sleep(3 * time.Second)
		o.remember()
		s := o.alarm("ch4/cut")
		if got := o.fold.Alarms["ch4/cut"]; got.State != s.State().String() || got.Acked != s.Acknowledged() || !got.Latch || got.Limit == nil {
			t.Errorf("the record says %+v, it is %v", got, s.State())
		}
	})
}

// Whatever was withheld, the record follows within seconds: at every moment of
// quiet the fold is how everything stands, raise and all.
func TestABurstMakesNoFoldWrong(t *testing.T) {
	for seed := range uint64(3) {
		synctest.Test(t, func(t *testing.T) {
			o := newOrderer(t)
			rnd := rand.New(rand.NewPCG(seed, 1))
			for range 10 {
				for range rnd.IntN(200) {
					switch rnd.IntN(8) {
					case 0:
						o.do(func() error { _ = o.ack("ch4/cut", "me", ""); return nil })
					case 1:
						o.do(func() error { _ = o.reset("ch4/cut", "me", ""); return nil })
					default:
						o.good("ch4", float64(rnd.IntN(3)))
					}
					o.sleep(time.Duration(rnd.IntN(200)) * time.Millisecond)
				}
				o.sleep(5 * time.Second)
				o.remember()
				for s := range o.judge.all {
					m, got := s.Memory(), o.fold.Alarms[s.Def().ID]
					if want := m.State.String(); m.State != alarm.Normal && (got.State != want || got.Acked != m.Acked) || m.State == alarm.Normal && got.State != "" {
						t.Fatalf("seed %d: the record says %+v of %s, it is %v", seed, got, s.Def().ID, m)
					}
				}
				for _, x := range o.outputs {
					if o.fold.Outputs[x.cfg.ID].On != x.on {
						t.Fatalf("seed %d: the record says %v of %s", seed, o.fold.Outputs[x.cfg.ID], x.cfg.ID)
					}
				}
			}
		})
	}
}

// What a burst withholds of lost edges adds up.
func TestABurstLosesNoLostEdges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		for range 100 {
			o.do(func() error {
				o.tell(event.Event{Kind: "fault", ID: "level", Point: "level", More: []event.Field{{Name: "lost", Value: uint64(3)}}}, o.judge.now())
				return nil
			})
		}
		o.sleep(30 * time.Second)
		o.settled()
		lost := uint64(0)
		for _, e := range o.events {
			if e.Kind == "fault" {
				lost += e.More[0].Value.(uint64)
			}
		}
		if lost != 300 {
			t.Errorf("%d lost edges are told, want 300", lost)
		}
	})
}

// A stop tells what was withheld.
func TestAStopWithholdsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOrderer(t)
		for i := range 50 {
			o.good("ch4", float64(i%2)*2)
		}
		o.do(func() error { o.judge.end(); return nil })
		o.remember()
		if got, is := o.fold.Alarms["ch4/cut"].State, o.alarm("ch4/cut").State().String(); got != is {
			t.Errorf("the record says %q, it is %q", got, is)
		}
	})
}

// IEC 62682: more than ten new ones in ten minutes begin a flood, fewer than five
// end it.
func TestAFloodBeginsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := &config.Site{Site: "s", Gateway: "g"}
		for i := range 20 {
			id := fmt.Sprintf("p%d", i)
			site.Points = append(site.Points, config.Point{ID: id, Common: &config.Common{Decimals: -1}, Own: &config.Own{Alarms: []alarm.Def{{
				ID: id + "/red", Point: id, Level: alarm.Red, Condition: alarm.Above, Limit: [2]float64{1}, Clear: [2]float64{1}}}}})
		}
		b := newBench(t, site, newFold(), nil)
		b.sleep(2*tenMinutes - b.now()%tenMinutes - 30*time.Second) // the eleventh lies in another ten minutes of the clock
		for i := range 10 {
			b.good(fmt.Sprintf("p%d", i), 2)
		}
		if b.settled(); eventsOfKind(b, "flood") != 0 {
			t.Error("ten are no flood")
		}
		b.sleep(time.Minute)
		b.good("p10", 2)
		if b.settled(); eventsOfKind(b, "flood") != 1 {
			t.Error("eleven are one")
		}
		h := b.health()
		if !h.Flooded || h.TenMinutes != 11 || h.Day != 11 || h.Hour != 11 || h.Flood == 0 || h.Levels["red"] != 11 || h.Standing != 11 {
			t.Errorf("%+v", h)
		}
		b.sleep(8 * time.Minute)
		if b.settled(); eventsOfKind(b, "flood") != 1 {
			t.Error("it ended early")
		}
		b.sleep(2 * time.Minute)
		b.settled()
		if last := b.events[len(b.events)-1]; eventsOfKind(b, "flood") != 2 || last.State != "normal" || last.More[0].Value != 11 {
			t.Errorf("%+v", last)
		}
		b.do(func() error { // a day later
			for s := range b.all {
				m := s.Memory()
				m.Raised -= 24 * time.Hour
				s.Restore(m, alarm.Sample{}, false)
			}
			for i := range b.figures.periods {
				b.figures.periods[i].number -= dayPeriods
			}
			return nil
		})
		if h := b.health(); h.Stale != 11 || h.Day != 0 {
			t.Errorf("%+v", h)
		}
		for range 3 {
			b.good("p11", 2)
			b.good("p11", 0)
			b.sleep(10 * time.Second)
		}
		if h := b.health(); h.Chattering != 1 {
			t.Errorf("%+v", h)
		}
	})
}
