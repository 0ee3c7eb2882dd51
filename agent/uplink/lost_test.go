package uplink

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pithead/agent/record"
	"pithead/buffer"
	"pithead/drivers"
)

// filled is a buffer whose oldest readings were dropped for space.
func filled(t *testing.T) *bench {
	b := newBench(t, buffer.MinSize)
	r := rand.New(rand.NewPCG(3, 3))
	for b.log.Lane("data").First() == 1 {
		batch := record.Batch{Boot: 1, Clock: record.Synced, Offset: wall}
		for i := range 1 + r.IntN(150) {
			batch.Readings = append(batch.Readings, record.Reading{Point: points[i%4], M: int64(i), Value: drivers.NumberValue(r.Float64())})
		}
		b.batch(batch)
	}
	return b
}

func TestWhatWasDroppedIsTold(t *testing.T) {
	b := filled(t)
	first := b.log.Lane("data").First()
	u := b.uplink(uplinkConfig())
	e := parse(t, all(t, u.readings(0))[0].payload)
	if e.Prev != 0 || e.Lost == nil || e.Lost.From != 1 || e.Lost.To != first-1 || e.Lost.Count != first-1 || e.Readings[0].N != first {
		t.Errorf("prev %d, lost %+v, first reading %d; the oldest that is there is %d", e.Prev, e.Lost, e.Readings[0].N, first)
	}
}

// A range is told when it is noticed, though nothing behind it may be of this
// uplink's points.
func TestALossWithNothingBehindItIsToldAlone(t *testing.T) {
	b := filled(t)
	first := b.log.Lane("data").First()
	c := uplinkConfig()
	c.Points = []string{"no.such"}
	ms := all(t, b.uplink(c).readings(0))
	if len(ms) != 1 {
		t.Fatalf("%d messages", len(ms))
	}
	e := parse(t, ms[0].payload)
	if e.Prev != 0 || e.Last != first-1 || e.Lost == nil || len(e.Readings) != 0 || e.Boot != boot {
		t.Errorf("%s", ms[0].payload)
	}
}

func TestWhatCantBeDecodedIsTold(t *testing.T) {
	b := newBench(t, 1<<20)
	b.readings(10)
	if err := b.log.Lane("data").Append([]byte("nonsense"), 5); err != nil {
		t.Fatal(err)
	}
	b.readings(4)
	var told []uint64
	got := 0
	for _, m := range all(t, b.uplink(uplinkConfig()).readings(0)) {
		e := parse(t, m.payload)
		got += len(e.Readings)
		if e.Lost != nil {
			told = append(told, e.Lost.From, e.Lost.To)
		}
	}
	if got != 14 || len(told) != 2 || told[0] != 11 || told[1] != 15 {
		t.Errorf("%d readings, lost %v", got, told)
	}
}

// A frame under a right sum that ends too soon: what stands before its end is there,
// what does not is lost, and the next key is a new beginning.
func TestWhatOfAFrameCantBeDecodedIsTold(t *testing.T) {
	b := newBench(t, 1<<20)
	b.readings(10)
	frames := b.log.Lane("data").Reader(1)
	var sum []byte // of the frame before
	for range 2 {
		if f, err := frames.Next(); err == nil && !f.Key {
			sum = f.Payload[len(f.Payload)-4:]
		}
	}
	batch := record.Batch{Boot: boot, Clock: record.Synced, Offset: wall}
	for i := range 5 {
		batch.Readings = append(batch.Readings, record.Reading{Point: points[i%4], M: int64(i), Value: drivers.NumberValue(float64(i))})
	}
	whole, err := b.enc.Append(nil, batch)
	if err != nil || len(sum) == 0 {
		t.Fatal(err, sum)
	}
	body := whole[:len(whole)-4-2] // without the last two values
	damaged := binary.LittleEndian.AppendUint32(slices.Clip(body), crc32.Update(binary.LittleEndian.Uint32(sum), crc32.IEEETable, body))
	if err := b.log.Lane("data").Append(damaged, len(batch.Readings)); err != nil {
		t.Fatal(err)
	}
	if err := b.log.Lane("data").AppendKey(b.enc.Key()); err != nil {
		t.Fatal(err)
	}
	b.readings(4)
	var told, got []uint64
	for _, m := range all(t, b.uplink(uplinkConfig()).readings(0)) {
		e := parse(t, m.payload)
		for _, r := range e.Readings {
			got = append(got, r.N)
		}
		if e.Lost != nil {
			told = append(told, e.Lost.From, e.Lost.To)
		}
	}
	if want := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19}; !slices.Equal(got, want) || !slices.Equal(told, []uint64{14, 15}) {
		t.Errorf("readings %v, lost %v", got, told)
	}
}

func TestABatchWaitsForCompanyButNotForLong(t *testing.T) {
	b := newBench(t, 1<<20)
	c := uplinkConfig()
	c.Within, c.Batch = time.Second, 10
	l := b.uplink(c).readings(0)
	now := time.Now()
	ready := func(after time.Duration) int {
		m, ok, err := l.next(now.Add(after), false)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return 0
		}
		return len(parse(t, m.payload).Readings)
	}
	b.readings(3)
	if n := ready(0); n != 0 {
		t.Errorf("%d readings at once", n)
	}
	if due := l.due(); !due.Equal(now.Add(time.Second)) {
		t.Errorf("due after %v", due.Sub(now))
	}
	b.readings(4)
	if n := ready(999 * time.Millisecond); n != 0 {
		t.Errorf("%d readings before the time", n)
	}
	if n := ready(time.Second); n != 7 {
		t.Errorf("%d readings at the time, want 7", n)
	}
	b.readings(12)
	if n := ready(time.Second); n != 10 {
		t.Errorf("%d readings of a full batch, want 10 at once", n)
	}
	if n := ready(time.Second); n != 0 {
		t.Errorf("the rest of %d did not wait", n)
	}
}

func TestLateEvents(t *testing.T) {
	b := newBench(t, 1<<20)
	b.offsets[10] = wall - 86_400_000
	u := b.uplink(uplinkConfig())
	for _, c := range []struct {
		name, event string
		clock       record.Clock
		want        bool
	}{
		{"just now", `{"boot":12,"m":999000,"t":1763780199000}`, record.Synced, false},
		{"a minute ago", `{"boot":12,"m":940000,"t":1763780140000}`, record.Synced, false},
		{"over a minute ago", `{"boot":12,"m":939999,"t":1763780139999}`, record.Synced, true},
		{"this boot, the clock unknown", `{"boot":12,"m":939999}`, record.Unknown, true},
		{"this boot, by m and not by a clock that stepped", `{"boot":12,"m":999000,"t":1}`, record.Synced, false},
		{"another boot, both times known", `{"boot":11,"m":5,"t":1763780190000}`, record.Synced, false},
		{"another boot, long ago", `{"boot":11,"m":5,"t":1763780100000}`, record.Synced, true},
		{"another boot, time unknown", `{"boot":11,"m":999000}`, record.Synced, true},
		{"another boot, time unknown now", `{"boot":11,"m":5,"t":1763780190000}`, record.Unknown, true},
		{"another boot, corrected", `{"boot":10,"m":87400000}`, record.Synced, false},
		{"after the clock was set back", `{"boot":11,"m":5,"t":1763799999999}`, record.Synced, true},
		{"no event", `what`, record.Synced, false},
	} {
		b.setNow(1_000_000, c.clock)
		if got := u.late([]byte(c.event)); got != c.want {
			t.Errorf("%s: late %v, want %v", c.name, got, c.want)
		}
	}
}

// A model that finds nothing wrong with a mistake proves nothing.
func TestThePlatformsModelBites(t *testing.T) {
	b := newBench(t, 1<<20)
	b.setNow(1_000_000, record.Synced)
	b.readings(60)
	c := uplinkConfig()
	c.Batch, c.Thin = 5, 20*time.Millisecond
	l := b.uplink(c).readings(0)
	defer l.close()
	good, _ := drain(t, l)
	play := func(spoil func([]envelope) []envelope) error {
		p := newPlatform(0, func(uint64) bool { return true })
		es := make([]envelope, len(good))
		for i, e := range good {
			e.Readings = slices.Clone(e.Readings)
			es[i] = e
		}
		for _, e := range spoil(es) {
			if err := p.take(e, false); err != nil {
				return err
			}
		}
		return p.whole(60)
	}
	if err := play(func(es []envelope) []envelope { return es }); err != nil || len(good) < 3 {
		t.Fatalf("%d messages: %v", len(good), err)
	}
	for name, spoil := range map[string]func([]envelope) []envelope{
		"a message that is missing": func(es []envelope) []envelope { return slices.Delete(es, 1, 2) },
		"two that are swapped":      func(es []envelope) []envelope { es[0], es[1] = es[1], es[0]; return es },
		"one that comes twice":      func(es []envelope) []envelope { return slices.Insert(es, 1, es[0]) },
		"the tail cut":              func(es []envelope) []envelope { return es[:len(es)-1] },
		"a reading that is missing": func(es []envelope) []envelope { es[1].Readings = es[1].Readings[1:]; return es },
		"a reading that is doubled": func(es []envelope) []envelope {
			es[1].Readings = slices.Insert(es[1].Readings, 0, es[1].Readings[0])
			return es
		},
		"a prev that skips":            func(es []envelope) []envelope { es[1].Prev++; return es },
		"a count of what was left out": func(es []envelope) []envelope { x := *es[1].Thinned; x.Count--; es[1].Thinned = &x; return es },
		"nothing said of it":           func(es []envelope) []envelope { es[1].Thinned = nil; return es },
	} {
		if play(spoil) == nil {
			t.Errorf("%s is not noticed", name)
		}
	}
}
