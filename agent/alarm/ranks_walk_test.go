package alarm

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pithead/drivers"
)

// rankModel is a ranked alarm as plainly as can be: it keeps every value ever.
type rankModel struct {
	d      Def
	values []Sample
	state  State
	level  Level
	acked  bool
}

// lasted is the highest level that all values of so long have reached.
func (m *rankModel) lasted(at time.Duration) Level {
	for l := Red; l > NoLevel; l-- {
		from, held := at, false
		for i := len(m.values) - 1; i >= 0 && m.values[i].Value.Float() >= float64(l); i-- {
			from, held = m.values[i].At, true
		}
		if held && at-from >= m.d.For {
			return l
		}
	}
	return NoLevel
}

func (m *rankModel) turn(at time.Duration) string {
	now := Level(0)
	if n := len(m.values); n > 0 {
		now = Level(m.values[n-1].Value.Float())
	}
	lasted, up := m.lasted(at), m.state == Active || m.state == Acked
	switch {
	case lasted > NoLevel && (!up || lasted > m.level):
		m.state, m.acked, m.level = Active, false, max(m.level, lasted)
		return fmt.Sprint(WasRaised, " ", m.level)
	case up && now == NoLevel && m.d.Latch:
		m.state = Cleared
		return fmt.Sprint(WasCleared, " ", m.level)
	case up && now == NoLevel:
		was := m.level
		m.state, m.acked, m.level = Normal, false, NoLevel
		return fmt.Sprint(IsNormal, " ", was)
	case up && now < m.level && !m.d.Latch:
		m.level = max(lasted, now)
		return fmt.Sprint(WasLowered, " ", m.level)
	}
	return ""
}

// Promise 12, in 20,000 steps.
func TestRanksWalkAgainstModel(t *testing.T) {
	count := map[string]int{}
	for life := range uint64(200) {
		rnd := rand.New(rand.NewPCG(life, 3))
		d := Def{ID: "group:x", Condition: Ranked, For: []time.Duration{0, 0, second, 3 * second}[rnd.IntN(4)], Latch: rnd.IntN(2) == 0}
		a, m, at := New(&d), &rankModel{d: d}, time.Duration(0)
		var story []string
		said := func(c Change, ok bool) string {
			if !ok {
				return ""
			}
			return fmt.Sprint(c.What, " ", c.Level)
		}
		for range 100 {
			at += time.Duration(rnd.IntN(5)) * 250 * time.Millisecond
			var got, want, did string
			if due, ok := a.Due(); ok && due < at {
				at = due // a judge that is on time
			}
			switch n := rnd.IntN(10); {
			case n < 7:
				s := Sample{At: at, Value: drivers.NumberValue(float64(rnd.IntN(5)))}
				m.values = append(m.values, s)
				did, got, want = fmt.Sprint(at, " ", s.Value), said(a.Step(s)), m.turn(at)
			case n == 7:
				_, err := a.Ack(at)
				did, got, want = "ack", fmt.Sprint(err == nil), fmt.Sprint(m.state != Normal && !m.acked)
				if m.acked = m.acked || m.state != Normal; m.state == Active {
					m.state = Acked
				}
			case n == 8:
				_, err := a.Reset(at)
				did, got, want = "reset", fmt.Sprint(err == nil), fmt.Sprint(m.state == Cleared && m.values[len(m.values)-1].Value.Float() == 0)
				if err == nil {
					m.state, m.acked, m.level = Normal, false, NoLevel
				}
			default:
				did, got, want = fmt.Sprint(at, " tick"), said(a.Tick(at)), m.turn(at)
			}
			count[got]++
			story = append(story, did+" => "+got)
			if got != want || a.State() != m.state || a.Level() != m.level || a.Acknowledged() != m.acked {
				t.Fatalf("life %d, %+v\n%v\n got %q %v %v\nwant %q %v %v", life, d, story, got, a.State(), a.Level(), want, m.state, m.level)
			}
		}
	}
	if len(count) < 15 {
		t.Errorf("the walk is too tame: %v", count)
	}
}
