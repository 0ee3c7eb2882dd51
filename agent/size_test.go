package agent

import (
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/record"
	"pithead/buffer"
	"pithead/drivers"
)

// What a reading takes on the disk, keys and all, with a thousand points in
// hundredths that wander: each second all of them, in devices of ten, or as many
// of any of them at any time. And what one bad bit costs.
func TestStoredBytesOfAReading(t *testing.T) {
	for _, c := range []struct {
		story          string
		polled         bool
		stored, device float64
	}{{"polled", true, 1.5, 4.5}, {"by exception", false, 6.5, 9}} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			d.queue = newQueue(mostQueued)
			l, _, err := buffer.Open(buffer.Config{Dir: t.TempDir(), Lanes: []buffer.LaneConfig{
				{Name: laneData, Size: 64 << 20, Key: func() []byte { return d.dataKey() }}}})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			d.data = l.Lane(laneData)
			rng := rand.New(rand.NewPCG(1, 2))
			ids, value := make([]string, 1000), make([]float64, 1000)
			for i := range ids {
				ids[i], value[i] = "device"+string(rune('a'+i/100))+string(rune('a'+i/10%10))+".p"+string(rune('0'+i%10)), rng.Float64()*1000
			}
			d.encoder, _ = record.NewEncoder(ids, nil)
			for range 300 {
				rs := make([]record.Reading, 1000)
				for k := range rs {
					i, m, by := k, d.clock.Now().M+int64(k/10*3), 0.15
					if !c.polled {
						i, m, by = rng.IntN(1000), d.clock.Now().M+int64(k), 5
					}
					value[i] += rng.NormFloat64() * by
					rs[k] = record.Reading{Point: ids[i], M: m, Value: drivers.NumberValue(math.Round(value[i]*100) / 100)}
				}
				d.queue.addReadings(rs)
				d.store()
				time.Sleep(time.Second)
			}
			stored, device, since, most := 0, 0, 0, 0
			r := d.data.Reader(d.data.First())
			defer r.Close()
			for {
				f, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				stored += len(f.Payload)
				device += block * blocks(len(f.Payload)+64)
				if since++; f.Key {
					most, since = max(most, since), 0
				}
			}
			n := float64(d.data.Next() - d.data.First())
			t.Logf("%s: %.2f bytes stored, %.2f written a reading; a bad bit costs at most %d frames", c.story, float64(stored)/n, float64(device)/n, most)
			if float64(stored)/n > c.stored || float64(device)/n > c.device || most > 45 {
				t.Errorf("want at most %.1f and %.1f bytes, and 45 frames", c.stored, c.device)
			}
		})
	}
}
