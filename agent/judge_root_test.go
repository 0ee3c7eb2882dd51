package agent

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/config"
	"pithead/drivers"
)

// line is a bus with two devices of twenty points; one point of each trips.
func lineSite(t *testing.T) *config.Site {
	var b strings.Builder
	b.WriteString(`
version: 1
site: pit
gateway: g1
buses:
  rs1: {serial: /dev/ttyS1}
devices:
  one: {bus: rs1, unit: 1, every: 1h}
  two: {bus: rs1, unit: 2, every: 1h}
  out: {bus: rs1, unit: 3, every: 1h}
outputs:
  cutoff: {kind: trip, device: out, coil: 0, on-start: off, first-line: x}
points:
`)
	for _, d := range []string{"one", "two"} {
		for i := range 20 {
			fmt.Fprintf(&b, "  %s.p%d: {device: %s, holding: %d, alarms: [{level: red, above: 5", d, i, d, i)
			if i == 0 {
				b.WriteString(", do: [cutoff]}, {fault: 30s, level: red")
			}
			b.WriteString("}]}\n")
		}
	}
	return parsed(t, b.String())
}

// answers gives all points of a device, or some, a good or a bad reading.
func (b *bench) answers(device string, from, to int, q drivers.Quality) {
	var rs []drivers.Reading
	for i := from; i < to; i++ {
		r := drivers.Reading{Point: fmt.Sprintf("%s.p%d", device, i), At: time.Now(), Quality: q}
		if q == drivers.Good {
			r.Value = drivers.NumberValue(1)
		}
		rs = append(rs, r)
	}
	b.give(rs...)
}

// called is what was told and calls somebody.
func (b *bench) called() string {
	b.settled()
	var words []string
	for _, e := range b.events {
		covered := false
		for _, f := range e.More {
			covered = covered || f.Name == "covered"
		}
		if !covered && e.Kind == "alarm" {
			words = append(words, e.ID+"="+e.State)
		}
	}
	b.events = nil
	return strings.Join(words, " ")
}

func TestADeviceThatIsGoneIsOneAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, lineSite(t), newFold(), nil)
		b.answers("one", 0, 20, drivers.Good)
		b.answers("two", 0, 20, drivers.Good)
		b.answers("one", 0, 10, drivers.Comm)
		b.sleep(10 * time.Second)
		b.answers("one", 10, 20, drivers.Comm)
		b.sleep(25 * time.Second)
		b.settled()
		if len(b.events) == 0 || b.events[0].ID != "device:one/fault" || b.events[0].Level != "red" || len(b.events[0].More) < 3 {
			t.Fatalf("first %+v", b.events)
		}
		if !b.on("cutoff") {
			t.Error("the trip that a point's fault asks for is not on")
		}
		b.sleep(time.Minute)
		if got := b.called(); got != "device:one/fault=active" {
			t.Errorf("called by %q", got)
		}
		if h := b.health(); h.Day != 1 || h.Standing != 1 {
			t.Errorf("%+v", h)
		}
		b.answers("one", 0, 20, drivers.Good)
		if got := b.called(); !strings.HasSuffix(got, "device:one/fault=normal") || b.on("cutoff") {
			t.Errorf("back: %q, cutoff %v", got, b.on("cutoff"))
		}
		for s := range b.all {
			if s.up() {
				t.Errorf("%s still stands", s.Def().ID)
			}
		}
	})
}

func TestABusThatIsGoneCoversItsDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, lineSite(t), newFold(), nil)
		for _, d := range []string{"one", "two"} {
			b.answers(d, 0, 20, drivers.Good)
		}
		for _, d := range []string{"one", "two"} {
			b.answers(d, 0, 20, drivers.Comm)
		}
		b.sleep(2 * time.Minute)
		if got := b.called(); got != "bus:rs1/fault=active" {
			t.Errorf("called by %q", got)
		}
		b.answers("two", 0, 20, drivers.Good) // one is still away
		b.sleep(time.Minute)
		if got := b.called(); !strings.Contains(got, "bus:rs1/fault=normal") || b.alarm("device:one/fault").State() != alarm.Active {
			t.Errorf("%q, device one %v", got, b.alarm("device:one/fault").State())
		}
		b.answers("one", 0, 20, drivers.Good)
		for s := range b.all {
			if s.up() {
				t.Errorf("%s still stands", s.Def().ID)
			}
		}
	})
}

func TestWhatIsBackInPartStaysCoveredForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, lineSite(t), newFold(), nil)
		b.answers("two", 0, 20, drivers.Good)
		b.answers("one", 0, 20, drivers.Comm)
		b.sleep(2 * time.Minute)
		b.called()
		b.answers("one", 0, 10, drivers.Good)
		b.sleep(partly / 2)
		if got := b.called(); got != "" {
			t.Errorf("called by %q", got)
		}
		b.answers("one", 10, 20, drivers.Good)
		if got := b.called(); !strings.Contains(got, "device:one/fault=normal") {
			t.Errorf("called by %q", got)
		}
		b.answers("one", 0, 20, drivers.Comm)
		b.sleep(2 * time.Minute)
		b.answers("one", 0, 19, drivers.Good)
		b.called()
		b.sleep(partly + time.Second)
		if got := b.called(); got != "device:one/fault=normal" || b.alarm("one.p19/fault").coveredBy() != nil {
			t.Errorf("%q: what is still missing is missing by itself", got)
		}
	})
}

func TestAShortOutageIsNoAlarmOfTheDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, lineSite(t), newFold(), nil)
		b.answers("one", 0, 20, drivers.Comm)
		b.sleep(20 * time.Second)
		b.answers("one", 0, 20, drivers.Good)
		b.sleep(time.Minute)
		b.want("")
	})
}

func TestARootOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &orderer{fold: newFold()}
		o.bench = newBench(t, lineSite(t), o.fold, nil)
		o.answers("one", 0, 20, drivers.Comm)
		o.sleep(2 * time.Minute)
		o.restart(1, nil)
		o.called()
		o.answers("one", 0, 20, drivers.Comm)
		o.sleep(2 * time.Minute)
		if got := o.called(); got != "" {
			t.Errorf("called by %q", got)
		}
		o.answers("one", 0, 20, drivers.Good)
		if got := o.called(); !strings.HasPrefix(got, "device:one/fault=normal") {
			t.Errorf("called by %q", got)
		}
	})
}
