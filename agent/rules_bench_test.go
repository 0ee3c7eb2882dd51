package agent

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pithead/agent/alarm"
	"pithead/config"
	"pithead/drivers"
)

const (
	rulePoints = 10_000
	ruleBatch  = 50 // points that one answer brings
)

// rules is a judge with ten thousand points, each with two alarms and its fault,
// on a hundred devices, and what a second brings it.
func rules(tb testing.TB, points int) (*judge, [][]drivers.Reading) {
	site := &config.Site{Site: "s", Gateway: "g", Stats: 5 * time.Minute, Buses: []config.Bus{{ID: "b"}},
		Outputs: []config.Output{{ID: "siren", Bus: "b"}}}
	var batches [][]drivers.Reading
	for i := range points {
		id, device := fmt.Sprintf("p%d", i), fmt.Sprintf("d%d", i/100)
		if i%100 == 0 {
			site.Devices = append(site.Devices, config.Device{ID: device, Bus: "b", Every: time.Second})
		}
		alarms := []alarm.Def{
			{ID: id + "/yellow", Point: id, Level: alarm.Yellow, Condition: alarm.Above, Limit: [2]float64{1}, Clear: [2]float64{0.9}, For: 10 * time.Second},
			{ID: id + "/red", Point: id, Level: alarm.Red, Condition: alarm.Above, Limit: [2]float64{1.5}, Clear: [2]float64{1}, Do: []string{"siren"}},
			{ID: id + "/fault", Point: id, Level: alarm.Blue, Condition: alarm.Fault, For: time.Minute},
		}
		switch i % 10 { // some of each kind
		case 0:
			alarms[0].Condition, alarms[0].Within = alarm.Rise, 10*time.Minute
		case 1:
			alarms[0].Condition, alarms[0].Within, alarms[0].Limit[0] = alarm.Flat, time.Hour, 0
		case 2:
			alarms[0].Condition, alarms[0].Limit, alarms[0].Clear = alarm.Outside, [2]float64{-1, 1}, [2]float64{-1, 1}
		}
		site.Points = append(site.Points, config.Point{ID: id, Common: &config.Common{Bus: "b", Device: device, Every: time.Second, Decimals: -1, Deadband: 0.5, AtLeast: 5 * time.Minute, Stats: true}, Own: &config.Own{Alarms: alarms}})
		if i%ruleBatch == 0 {
			batches = append(batches, nil)
		}
		last := &batches[len(batches)-1]
		*last = append(*last, drivers.Reading{Point: id})
	}
	j := newJudge(site, NewClock(0, false), newQueue(mostQueued), slog.New(slog.DiscardHandler))
	j.wants = func(_, output string, on bool) {}
	j.restore(newFold(), 1, nil, nil)
	j.begin()
	return j, batches
}

// second gives the judge one sample of each point, as a run does, and takes from
// the queue what a recorder would.
func second(j *judge, batches [][]drivers.Reading, n int) {
	for b, batch := range batches {
		now := time.Now()
		for i := range batch {
			batch[i].At = now
			batch[i].Value = drivers.NumberValue(0.5 + 0.1*float64((n+b+i)%4))
		}
		j.batch(batch)
		j.settle()
	}
	j.timers.run(j.now())
	j.tick()
	j.queue.takeEvents()
}

// make bench-rules: the share of one core that ten thousand points with two alarms
// each take, all of them sampled every second.
func BenchmarkRules(b *testing.B) {
	j, batches := rules(b, rulePoints)
	second(j, batches, 0)
	spare := j.queue.readings
	b.ReportAllocs()
	n, before := 0, spent()
	for b.Loop() {
		n++
		second(j, batches, n)
		spare, _ = j.queue.swapReadings(spare)
	}
	each := float64((spent() - before).Nanoseconds()) / float64(n) / rulePoints
	b.ReportMetric(each, "ns/sample")
	b.ReportMetric(each*rulePoints/1e9*100, "%core")
}

// spent is the processor's time that this process took: others share the machine.
func spent() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Judging a sample allocates nothing.
func TestASampleAllocatesNothing(t *testing.T) {
	const points = 1000
	j, batches := rules(t, points)
	for n := range 3 {
		second(j, batches, n)
	}
	spare, _ := j.queue.swapReadings(nil)
	n := 3
	got := testing.AllocsPerRun(5, func() {
		n++
		for b, batch := range batches {
			now := time.Now()
			for i := range batch {
				batch[i].At, batch[i].Value = now, drivers.NumberValue(0.5+0.1*float64((n+b+i)%4))
			}
			j.batch(batch)
			j.settle()
		}
		spare, _ = j.queue.swapReadings(spare)
	})
	if got/points > 0.001 {
		t.Errorf("%v allocations in %d samples", got, points)
	}
}
