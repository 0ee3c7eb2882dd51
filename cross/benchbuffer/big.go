package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// event measures how long one event takes to be durable while readings are
// committed without a pause and a reader goes through the backlog.
func (b *bench) event(p *place) {
	b.title("%s: one event durable while commits go on and a backlog drains", p.name)
	dir := filepath.Join(p.dir, "event")
	b.must(os.MkdirAll(dir, 0o700))
	r, err := openRaw(dir, 8<<20)
	b.must(err)
	c, err := openPithead(dir, 200<<20)
	b.must(err)
	k := c.(*pithead)
	for range 500 {
		b.must(k.commit(b.thousand))
	}
	p.slow(true)
	var bare []time.Duration
	for range 60 {
		began := time.Now()
		b.must(r.commit(b.thousand[:1]))
		b.must(r.commit(b.thousand[:1]))
		bare = append(bare, time.Since(began))
	}
	stop := make(chan struct{})
	go drain(k, stop)
	asked, answer := make(chan struct{}), make(chan error)
	go func() { // the one that appends, as the agent's recorder does
		for {
			select {
			case <-asked:
				answer <- k.events.Append(b.thousand[0], 1)
			case <-stop:
				return
			default:
				b.must(k.commit(b.thousand[:1]))
			}
		}
	}()
	var took []time.Duration
	for i := range 100 {
		time.Sleep(time.Duration(i*37%11) * time.Millisecond)
		began := time.Now()
		asked <- struct{}{}
		b.must(<-answer)
		took = append(took, time.Since(began))
	}
	close(stop)
	p.slow(false)
	two, one := quantile(bare, 0.9), quantile(took, 0.9)
	b.say("  two raw commits p50 %v, p90 %v; an event p50 %v, p90 %v, most %v", quantile(bare, 0.5), two, quantile(took, 0.5), one, quantile(took, 1))
	b.goal(one <= two+two/20, "%s: an event is durable within two raw commits, both p90 (%v): %v", p.name, two, one)
	b.must(k.close())
	b.must(r.close())
	b.must(os.RemoveAll(dir))
}

// perSegment is how many commits of 1,000 records stand in one segment.
const perSegment = 20

var errStop = errors.New("stopped")

// drain reads a backlog again and again, as an uplink would whose platform
// acknowledges a thousand records within a millisecond: ten times what any does.
func drain(c contender, stop chan struct{}) {
	for n := 0; ; {
		err := c.read(func([]byte) error {
			if n++; n%1000 == 0 {
				time.Sleep(time.Millisecond)
			}
			select {
			case <-stop:
				return errStop
			default:
				return nil
			}
		})
		select {
		case <-stop:
			return
		default:
		}
		if err != nil && err != errStop {
			time.Sleep(10 * time.Millisecond) // it was dropped under the reader
		}
	}
}

func quantile(all []time.Duration, q float64) time.Duration {
	s := slices.Sorted(slices.Values(all))
	return s[min(int(q*float64(len(s))), len(s)-1)]
}

// bigLog measures opening, reading back and draining with a long backlog.
func (b *bench) bigLog(p *place) {
	small := 10_000
	b.title("%s: logs of %d and %d records", p.name, small, b.big)
	all := contenders[1:]
	if b.own {
		all = all[:1]
	}
	for _, c := range all {
		b.bigOf(p, c.name, c.open, small)
	}
}

// logs are one of a few records and one of many.
type logs struct {
	few, many string // folders
	size      int64  // of each at most
	open      func(string, int64) (contender, error)
}

func (b *bench) fill(p *place, open func(string, int64) (contender, error), small int) logs {
	l := logs{filepath.Join(p.dir, "few"), filepath.Join(p.dir, "many"), int64(b.big)*(recordSize+8) + 512<<20, open}
	// An Open reads the newest segment, of which both logs are to have as much.
	commits := b.big / 1000
	commits += (small/1000-commits)%perSegment + perSegment
	for dir, n := range map[string]int{l.few: small / 1000, l.many: commits} {
		b.must(os.MkdirAll(dir, 0o700))
		k, err := open(dir, l.size)
		b.must(err)
		for range n {
			b.must(k.commit(b.thousand))
		}
		b.must(k.close())
	}
	return l
}

// opened is how long it takes from nothing to the first record on disk, the
// median, with few and with many records.
func (b *bench) opened(l logs) (few, many time.Duration) {
	took := map[string][]time.Duration{}
	for range 15 {
		for _, dir := range []string{l.few, l.many} {
			began := time.Now()
			k, err := l.open(dir, l.size)
			b.must(err)
			b.must(k.commit(b.thousand[:1]))
			took[dir] = append(took[dir], time.Since(began))
			b.must(k.close())
		}
	}
	return quantile(took[l.few], 0.5), quantile(took[l.many], 0.5)
}

func (l logs) remove() error { return errors.Join(os.RemoveAll(l.few), os.RemoveAll(l.many)) }

// openings measures opening on a card, which is where it counts.
func (b *bench) openings(p *place) {
	small := 10_000
	b.title("%s: open to first durable append", p.name)
	l := b.fill(p, openPithead, small)
	p.slow(true)
	few, many := b.opened(l)
	p.slow(false)
	b.say("  pithead      %v with %d records, %v with %d", few.Round(time.Microsecond), small, many.Round(time.Microsecond), b.big)
	b.goal(many <= few+few/5, "%s: open to first durable append with %d records at most 1.2 times that with %d: %.2f times", p.name, b.big, small, float64(many)/float64(few))
	b.must(l.remove())
}

func (b *bench) bigOf(p *place, name string, open func(string, int64) (contender, error), small int) {
	began := time.Now()
	l := b.fill(p, open, small)
	filled := time.Since(began)
	few, many := b.opened(l)
	k, err := open(l.many, l.size)
	b.must(err)
	began = time.Now()
	read := 0
	b.must(k.read(func([]byte) error { read++; return nil }))
	speed := float64(read) / time.Since(began).Seconds()
	alone, draining := b.paced(k)
	b.say("  %-12s filled in %v; open to first durable append %v and %v; %.1f M records/s read back; p99 of a commit %v, while a backlog drains %v",
		name, filled.Round(time.Second), few.Round(time.Microsecond), many.Round(time.Microsecond), speed/1e6, alone.Round(time.Microsecond), draining.Round(time.Microsecond))
	if name == "pithead" {
		b.goal(many <= 10*time.Millisecond, "%s: open to first durable append with %d records at most 10 ms: %v", p.name, b.big, many.Round(time.Microsecond))
		b.goal(many <= few+few/5, "%s: and at most 1.2 times that with %d: %.2f times", p.name, small, float64(many)/float64(few))
		b.goal(speed >= 2e6, "reading back, checked, at least 2 M records/s: %.1f M", speed/1e6)
		b.goal(draining <= alone+alone/2, "the writer's p99 at most 1.5 times while a backlog drains: %.2f times", float64(draining)/float64(alone))
		b.goal(read >= b.big, "%d records are read back", read)
	}
	b.must(k.close())
	b.must(l.remove())
}

// paced is the 99th percentile of single commits, 200 a second, without and with
// a reader that goes through the backlog; the two take turns.
func (b *bench) paced(k contender) (alone, draining time.Duration) {
	var took [2][]time.Duration
	for range 6 {
		for i := range 2 {
			stop, ended := make(chan struct{}), make(chan struct{})
			if i == 1 {
				go func() { drain(k, stop); close(ended) }()
			} else {
				close(ended)
			}
			for range 200 {
				time.Sleep(5 * time.Millisecond)
				began := time.Now()
				b.must(k.commit(b.thousand[:1]))
				took[i] = append(took[i], time.Since(began))
			}
			close(stop)
			<-ended
		}
	}
	return quantile(took[0], 0.99), quantile(took[1], 0.99)
}
