package agent

import (
	"errors"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/buffer"
	"pithead/drivers/lent"
)

// lost counts what was dropped from memory.
type lost struct{ readings, events, stats int }

// storeReadings makes readings durable: all that wait, or as many as fill frames.
func (r *recorder) storeReadings(all bool) {
	for r.fetchReadings(all); len(r.readings) > 0 && r.ready(ofReadings); r.fetchReadings(all) {
		if err := r.storeFrames(); err != nil {
			return
		}
	}
}

// fetchReadings takes over as many readings as the next frame holds. While the
// disk does not take them all come over, so that the oldest are dropped first.
func (r *recorder) fetchReadings(all bool) {
	least, most := mostInFrame, mostInFrame
	if all {
		least = 1
	}
	if len(r.readings) > 0 {
		least, most = 1, r.queue.most
	}
	var dropped int
	r.readings, dropped = r.queue.moveReadings(r.readings, least, most)
	if over := len(r.readings) - r.queue.most; over > 0 {
		dropped += over
		r.readings = append(r.readings[:0], r.readings[over:]...)
	}
	r.drop(dropped)
	r.waiting.Store(int64(len(r.readings)))
}

// storeFrames stores the readings that were taken over.
func (r *recorder) storeFrames() error {
	for most := mostInFrame; len(r.readings) > 0; {
		n := min(len(r.readings), most)
		err := r.storeBatch(r.readings[:n])
		if errors.Is(err, buffer.ErrTooLong) && n > 1 { // the lane is small
			most = n / 2
			continue
		}
		if r.note(ofReadings, err); err != nil {
			return err
		}
		r.readings = append(r.readings[:0], r.readings[n:]...)
		r.waiting.Store(int64(len(r.readings)))
	}
	return nil
}

// mostInFrame bounds a frame to far less than the buffer takes, and with it what
// is kept to undo and to read it.
const mostInFrame = enough

func (r *recorder) storeBatch(rs []record.Reading) error {
	now := r.clock.Now()
	b := record.Batch{Boot: r.boot, Clock: now.Clock, Readings: rs}
	if now.Known() {
		b.Offset = now.T - now.M
	}
	if err := r.keyIfDue(); err != nil {
		return err
	}
	if lent.On {
		r.frame = lent.Again(r.frame)
	}
	frame, err := r.encoder.Append(r.frame[:0], b)
	if err != nil {
		r.log.Error("readings can't be encoded", "err", err)
		r.drop(len(rs))
		return nil
	}
	r.frame = frame
	if err := r.pace.took(func() error { return r.data.Append(frame, len(rs)) }); err != nil {
		return err
	}
	r.encoder.Commit()
	r.sinceKey += blocks(len(frame))
	return nil
}

// keyIfDue writes a key frame when enough has come since the last: what follows
// a damaged frame can't be decoded before the next key, and a start reads from
// the newest one on. Keys take a twentieth of the lane: of up to some 500 points
// that is one in 20 frames, of 1,000 one in 40.
func (r *recorder) keyIfDue() error {
	if r.sinceKey < keyShare*blocks(r.keySize) {
		return nil
	}
	return r.pace.took(func() error { return r.data.AppendKey(r.dataKey()) })
}

func blocks(bytes int) int { return bytes/block + 1 }

// dataKey is what the buffer asks for when a segment begins; nothing while a
// start has not yet learnt where the points stand.
func (r *recorder) dataKey() []byte {
	if r.encoder == nil {
		return nil
	}
	key := r.encoder.Key()
	r.sinceKey, r.keySize = 0, len(key)
	return key
}

func (r *recorder) storeStats() {
	ss, dropped := r.queue.takeStats()
	if len(r.stat) == 0 {
		r.stat = ss
	} else {
		r.stat = append(r.stat, ss...)
	}
	if over := len(r.stat) - mostStats; over > 0 {
		dropped += over
		r.stat = append(r.stat[:0], r.stat[over:]...)
	}
	r.untold.stats += dropped
	var frame []byte
	b := record.StatBatch{Boot: r.boot, Stats: make([]record.Stat, 0, min(len(r.stat), statsInFrame))}
	for len(r.stat) > 0 && r.ready(ofStats) {
		b.Clock, b.Stats = r.stat[0].clock, b.Stats[:0]
		for _, s := range r.stat[:min(len(r.stat), statsInFrame)] {
			if s.clock != b.Clock {
				break
			}
			b.Stats = append(b.Stats, s.Stat)
		}
		n := len(b.Stats)
		frame = record.AppendStats(frame[:0], b)
		err := r.pace.took(func() error { return r.stats.Append(frame, n) })
		r.note(ofStats, err)
		if err == nil {
			if r.stat = r.stat[n:]; len(r.stat) == 0 {
				r.stat = nil // a period is long: what held them is not kept for the next
			}
		}
	}
}

// statsInFrame fit what the buffer keeps to write a frame with: of ten thousand
// points each period larger frames would throw away megabytes.
const statsInFrame = 256

// left is what was not stored at the end: events that wait, and how much else
// goes with this run. It is for after run.
func (r *recorder) left() ([]queued, lost) {
	l := r.untold
	l.readings += len(r.readings)
	l.stats += len(r.stat)
	return r.pending, l
}

// drop counts readings that no platform will ever see.
func (r *recorder) drop(readings int) {
	r.lost.Add(uint64(readings))
	r.untold.readings += readings
}

// tellFailed tells of writes that failed and went well in another place: a disk
// that begins to die, while nothing is lost yet.
func (r *recorder) tellFailed() {
	n, err := r.buf.Failed()
	if n == r.refused {
		return
	}
	s := r.clock.Now()
	r.queue.addEvent(event.Event{Kind: "fault", ID: agentBuffer, Why: "a write to the disk failed: " + err.Error(),
		More: []event.Field{{Name: "count", Value: n - r.refused}}}, event.Stamp{M: s.M, T: s.T, Known: s.Known()})
	r.refused = n
}

// tellCramped tells that the file system is full for a reason that is not the
// buffer's, and when it is no more.
func (r *recorder) tellCramped() {
	if r.buf.Cramped() == r.cramped {
		return
	}
	r.cramped = !r.cramped
	e := event.Event{Kind: "fault", ID: agentBuffer, State: "normal", Why: "the buffer has its space again"}
	if r.cramped {
		e.State, e.Why = "active", fullDisk
	}
	s := r.clock.Now()
	r.queue.addEvent(e, event.Stamp{M: s.M, T: s.T, Known: s.Known()})
}

const fullDisk = "the file system is full: the buffer keeps less than it should"

// tellLost tells what was dropped, all at once when the disk has caught up: an
// event each second of a dead disk would in the end drop alarms from memory.
func (r *recorder) tellLost() {
	if r.untold == (lost{}) {
		return
	}
	e := event.Event{Kind: "lost", ID: agentBuffer, Why: "the disk did not take them in time"}
	for _, l := range []struct {
		name  string
		count int
	}{{"count", r.untold.readings}, {"events", r.untold.events}, {"stats", r.untold.stats}} {
		if l.count > 0 {
			e.More = append(e.More, event.Field{Name: l.name, Value: l.count})
		}
	}
	r.untold = lost{}
	s := r.clock.Now()
	r.queue.addEvent(e, event.Stamp{M: s.M, T: s.T, Known: s.Known()})
}
