package agent

import (
	"log/slog"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
	"pithead/drivers/lent"
)

// A Replay judges recorded readings: it is the judge itself, with a clock that
// the readings move, without buses and disk. Outputs do what they are told at
// once. It has no goroutine of its own.
//
// It promises the events that the agent told of the same samples. What it can't
// know: samples that a deadband kept from being stored, commands of people, and
// what buses and disks did beside the readings.
type Replay struct {
	judge *judge
	tell  func(Told)
	site  *config.Site
	known map[string]*heard

	begun   bool
	batch   []drivers.Reading
	batches int
	source  string    // of the batch in hand
	second  time.Time // when the judge's second is due
	written []switched
	spare   []record.Reading
}

// heard is a point that the site file measures.
type heard struct {
	source string // the unit or board that it is read on
	batch  int    // that it was in last
}

// Told is an event of a replay, and when it would have been.
type Told struct {
	Event event.Event
	At    time.Time
}

// NewReplay begins a replay; tell gets every event, in order.
func NewReplay(site *config.Site, tell func(Told)) *Replay {
	s := *site
	s.Stats = 0 // of statistics nobody asks here
	r := &Replay{site: &s, tell: tell, known: map[string]*heard{}, batches: 1}
	for _, p := range s.Points {
		if p.Value == nil {
			r.known[p.ID] = &heard{source: p.Bus + "/" + p.Device}
		}
	}
	return r
}

// Add judges a reading. They come in the order in which they were stored; time
// may go back by as much as buses overlap. It says whether the site file has the
// point, and measures it: what is computed is computed anew.
func (r *Replay) Add(x drivers.Reading) bool {
	p, ok := r.known[x.Point]
	if !ok {
		r.flush()
		return false
	}
	// What came together is judged together: one answer of one unit.
	if len(r.batch) > 0 && (p.source != r.source || p.batch == r.batches || !x.At.Equal(r.batch[0].At)) {
		r.flush()
	}
	r.source, p.batch = p.source, r.batches
	r.batch = append(r.batch, x)
	return true
}

// End judges what is left, and says how far the clock has come.
func (r *Replay) End() time.Time {
	r.flush()
	if !r.begun {
		return time.Time{}
	}
	r.judge.repay(true)
	r.settle()
	return r.judge.clock.Time()
}

func (r *Replay) flush() {
	if len(r.batch) == 0 {
		return
	}
	at := r.batch[0].At
	if !r.begun {
		r.begin(at)
	}
	r.until(at)
	r.judge.batch(r.batch)
	if lent.On {
		r.batch = lent.Again(r.batch)
	}
	r.batch, r.batches = r.batch[:0], r.batches+1
	r.settle()
}

func (r *Replay) begin(at time.Time) {
	r.begun, r.second = true, at.Add(tick)
	r.judge = newJudge(r.site, newStillClock(at), newQueue(mostQueued), slog.New(slog.DiscardHandler))
	r.judge.wants = func(_, output string, on bool) {
		r.written = append(r.written, switched{Output: output, On: on})
	}
	r.judge.restore(newFold(), 1, nil, nil)
	r.judge.begin()
	r.settle()
}

// until moves the clock to a time, and does on the way what time brings.
func (r *Replay) until(at time.Time) {
	j := r.judge
	for {
		next, timed := r.second, false
		if due, ok := j.timers.next(); ok {
			if t := j.clock.Of(due); t.Before(next) {
				next, timed = t, true
			}
		}
		if !next.Before(at) {
			break
		}
		r.move(next)
		if timed {
			j.timers.run(j.now())
		} else {
			r.second = r.second.Add(tick)
			j.second()
		}
		r.settle()
	}
	r.move(at)
}

func (r *Replay) move(to time.Time) {
	if c := r.judge.clock; to.After(*c.still) {
		*c.still = to
	}
}

// settle is the judge's, with outputs that obey at once, and hands on what it told.
func (r *Replay) settle() {
	j := r.judge
	j.settle()
	for len(r.written) > 0 {
		for _, w := range r.written {
			j.switched(w)
		}
		r.written = r.written[:0]
		j.settle()
	}
	r.spare, _ = j.queue.swapReadings(r.spare)
	if len(j.queue.wake) == 0 {
		return
	}
	<-j.queue.wake
	es, _ := j.queue.takeEvents()
	for _, e := range es {
		r.tell(Told{e.event, j.clock.Of(time.Duration(e.stamp.M) * time.Millisecond)})
	}
}
