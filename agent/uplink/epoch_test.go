package uplink

import (
	"errors"
	"testing"
	"time"
)

// A message never spans epochs, and says whose numbers it has; the first of an
// epoch covers from 0 on, where nothing of that epoch is before it.
func TestABacklogOfAFormerEpochGoesUnderItsOwnName(t *testing.T) {
	b := newBench(t, 4<<20)
	b.readings(3)
	former := b.log.NewEpoch()
	b.readings(2)
	c := uplinkConfig()
	c.Batch, c.Max = 100, 100_000
	u := b.uplink(c)
	l := u.readings(1)
	defer l.close()
	for _, want := range []struct {
		epoch      string
		prev, last uint64
		readings   int
	}{{former, 1, 3, 2}, {b.log.Epoch(), 0, 5, 2}} {
		m, ok, err := l.next(time.Now(), true)
		if err != nil || !ok {
			t.Fatalf("%v, %v", ok, err)
		}
		if got := parse(t, m.payload); got.Epoch != want.epoch || got.Prev != want.prev || got.Last != want.last || len(got.Readings) != want.readings || m.last != want.last {
			t.Errorf("got %s", m.payload)
		}
	}
	b.readings(1)
	if m, _, err := l.next(time.Now(), true); err != nil || parse(t, m.payload).Prev != 5 {
		t.Errorf("got %s, %v", m.payload, err)
	}
	if _, _, err := l.next(time.Now(), true); err != nil && !errors.Is(err, errMore) {
		t.Error(err)
	}
}
