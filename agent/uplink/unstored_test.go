package uplink

import (
	"fmt"
	"testing"
)

// What the disk did not take goes out all the same, also what waited for a
// connection; of too many the oldest go, and whoever tells is not held up.
func TestAnUnstoredEventGoesOutWithoutAPosition(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 4<<20)
	u := b.uplink(uplinkConfig("tcp://" + br.addr))
	for i := range mostUnstored + 3 {
		u.Tell(fmt.Appendf(nil, `{"v":1,"stored":false,"id":"%d"}`, i))
	}
	b.start(u)
	eventually(t, "they arrive", func() bool { return len(br.of("events")) == mostUnstored })
	u.Tell([]byte(`{"v":1,"stored":false,"id":"now"}`))
	eventually(t, "one more arrives", func() bool { return len(br.of("events")) == mostUnstored+1 })
	es := br.of("events")
	if es[0].payload != `{"v":1,"stored":false,"id":"3"}` || es[mostUnstored].payload != `{"v":1,"stored":false,"id":"now"}` {
		t.Errorf("first %s, last %s", es[0].payload, es[mostUnstored].payload)
	}
	if b.position("events") != 0 {
		t.Error("a position moved for what has no number")
	}
	if ks := br.kinds(); ks[0] != "status" {
		t.Errorf("the connection begins with %s", ks[0])
	}
}
