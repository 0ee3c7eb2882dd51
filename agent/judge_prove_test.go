package agent

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/command"
	"pithead/drivers"
)

const proveSite = `
version: 1
site: s
gateway: g
buses:
  rs1: {serial: /dev/ttyS1}
devices:
  d: {bus: rs1, unit: 1, every: 1h}
defaults: {fault: {for: 24h}}
points:
  ch4: {device: d, input: 0, prove: 15d, alarms: [{level: yellow, above: 0.5}, {level: red, above: 1, do: [cutoff]}, {fault: 24h, do: []}]}
  feed: {device: d, discrete: 0, at-least: 1h}
outputs:
  cutoff: {kind: trip, device: d, coil: 0, on-start: off, first-line: x, prove: 30d, verify: {point: feed, is: 0, within: 5s}}
`

func TestWhatIsNotProvedInTimeIsAnAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &orderer{fold: newFold()}
		o.bench = newBench(t, parsed(t, proveSite), o.fold, nil)
		feed := func(on bool) {
			o.give(drivers.Reading{Point: "feed", At: time.Now(), Value: drivers.BoolValue(on)})
		}
		feed(true)
		o.good("ch4", 0)
		o.sleep(2 * time.Second)
		if got := o.remember(); got != "ch4/prove=active output:cutoff/prove=active" {
			t.Errorf("never proved: %q", got)
		}
		bump := func(v float64) {
			o.may(false, "test", command.Args{Point: "ch4", For: hours(0.1)})
			o.good("ch4", v)
			o.may(false, "test", command.Args{Point: "ch4"})
			o.sleep(2 * time.Second)
		}
		bump(0.7) // not enough for the cut-off
		if got := o.remember(); strings.Contains(got, "prove") {
			t.Errorf("half a test: %q", got)
		}
		bump(1.2)
		if got := o.remember(); !strings.HasSuffix(got, "ch4/prove=normal") {
			t.Errorf("proved: %q", got)
		}
		// The trip: it acts too late, and then in time.
		trip := func(late time.Duration) {
			o.good("ch4", 1.2)
			o.sleep(late)
			feed(false)
			o.sleep(2 * time.Second)
			o.good("ch4", 0)
			feed(true)
		}
		trip(7 * time.Second)
		if got := o.remember(); strings.Contains(got, "prove") {
			t.Errorf("too late: %q", got)
		}
		trip(3 * time.Second)
		if got := o.remember(); !strings.Contains(got, "output:cutoff/prove=normal") {
			t.Errorf("in time: %q", got)
		}
		o.restart(1, nil)
		o.do(func() error { o.proofs[0].every = time.Hour; return nil })
		feed(true)
		o.sleep(50 * time.Minute)
		if got := o.remember(); strings.Contains(got, "prove") {
			t.Errorf("before it is due: %q", got)
		}
		o.sleep(12 * time.Minute)
		if got := o.remember(); !strings.HasPrefix(got, "ch4/prove=active") || strings.Contains(got, "cutoff/prove") {
			t.Errorf("overdue: %q", got)
		}
	})
}
