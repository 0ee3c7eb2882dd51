package agent

import (
	"context"
	"testing"
	"time"

	"pithead/drivers"
)

// steady answers every step with the same readings, and allocates nothing.
type steady struct{ rs []drivers.Reading }

func (s *steady) Step(_ context.Context, room func() []drivers.Reading) drivers.Step {
	return drivers.Step{Readings: append(room(), s.rs...)}
}
func (s *steady) Read(context.Context) ([]drivers.Reading, error) {
	return s.rs, nil
}

// A cycle of steady values allocates nothing on its way from the driver to the
// judge and through it; of the driver's part drivers/modbus has the test.
func TestACycleOfSteadyValuesAllocatesNothing(t *testing.T) {
	d := &steady{}
	var ids []string
	for _, id := range []string{"a", "b", "c", "d"} {
		ids = append(ids, id)
		d.rs = append(d.rs, drivers.Reading{Point: id, Value: drivers.NumberValue(1)})
	}
	bus := &fakeBus{units: []drivers.Unit{{ID: "u", Polls: []drivers.Poll{{Every: time.Nanosecond, Points: ids, Driver: d}}}}}
	b := newBusLoop("b", bus, func(string) time.Duration { return pauseMost })
	a := &agent{judge: &judge{in: make(chan []drivers.Reading, 1), free: make(chan []drivers.Reading, 1)}}
	b.memory, b.hand = a.memory, func(ctx context.Context, rs []drivers.Reading) {
		a.hand(ctx, rs)
		a.judge.release(<-a.judge.in)
	}
	ctx := t.Context()
	turn := func() {
		now := time.Now()
		b.answer(ctx)
		b.turn(ctx, now)
	}
	turn()
	b.publish(time.Now()) // once a second, it may allocate
	if n := testing.AllocsPerRun(1000, turn); n != 0 {
		t.Errorf("%v allocations a poll", n)
	}
}
