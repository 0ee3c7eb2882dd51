package agent

import (
	"testing"
	"testing/synctest"

	"pithead/agent/uplink"
	"pithead/buffer"
)

// A gap is met anew at each connection until something behind it has arrived.
// It is told once, and once more when it has grown: else what was dropped later
// would look like what somebody took away.
func TestAGapThatGrewIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, pit(), newFold(), nil)
		a := &agent{judge: b.judge, damage: damage{}}
		for _, to := range []uint64{70, 70, 98, 98} {
			a.tellGap(uplink.Gap{Uplink: "county", Lane: laneEvents, Lost: buffer.Lost{From: 19, To: to, Epoch: "e"}})
		}
		a.tellGap(uplink.Gap{Uplink: "city", Lane: laneEvents, Lost: buffer.Lost{From: 19, To: 98, Epoch: "e"}})
		b.settled()
		var told []any
		for _, e := range b.events {
			if e.Kind == "lost" {
				told = append(told, e.More[0].Value, e.More[4].Value)
			}
		}
		want := []any{"county", uint64(70), "county", uint64(98), "city", uint64(98)}
		if len(told) != len(want) {
			t.Fatalf("told %v, want %v", told, want)
		}
		for i := range want {
			if told[i] != want[i] {
				t.Errorf("told %v, want %v", told, want)
			}
		}
	})
}
