package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"pithead/config"
	"pithead/drivers"
)

// parsed is a site from its text, without the parts of head.
func parsed(t *testing.T, text string) *config.Site {
	t.Helper()
	site, problems := config.Parse("site.yaml", []byte(text))
	if site == nil {
		t.Fatal(problems)
	}
	return site
}

const fanSite = `
version: 1
site: pit
gateway: g1
buses:
  rs1: {serial: /dev/ttyS1}
devices:
  fan: {bus: rs1, unit: 1, every: 1s}
points:
  flow:
    device: fan
    holding: 0
    alarms:
      - {level: red, below: 5, for: 2s, when: "run == 1 and mode == 'running'", do: [siren, cutoff]}
      - {fault: 60s, do: []}
  run: {device: fan, discrete: 0}
outputs:
  siren: {device: fan, coil: 0}
  cutoff: {kind: trip, device: fan, coil: 1, on-start: off, first-line: x}
`

func (b *bench) both(flow float64, run drivers.Quality, on bool) {
	r := drivers.Reading{Point: "run", At: time.Now(), Quality: run}
	if run == drivers.Good {
		r.Value = drivers.BoolValue(on)
	}
	// The alarm's own point comes first, as on the wire.
	b.give(drivers.Reading{Point: "flow", At: time.Now(), Value: drivers.NumberValue(flow)}, r)
}

func TestWhenSuppressesOnlyWhatItCanSee(t *testing.T) {
	for _, c := range []struct {
		story string
		do    func(*bench)
		want  string
	}{
		{"the fan stands, and so does the air", func(b *bench) {
			b.both(9, drivers.Good, true)
			b.both(0, drivers.Good, false)
			b.sleep(time.Minute)
		}, ""},
		{"it runs, and there is none", func(b *bench) {
			b.both(9, drivers.Good, true)
			b.both(0, drivers.Good, true)
			b.sleep(3 * time.Second)
		}, "flow/red=active output:siren=on output:cutoff=on"},
		{"whether it runs can't be told: judged as if it did", func(b *bench) {
			b.both(9, drivers.Good, false)
			b.both(0, drivers.Comm, false)
			b.sleep(3 * time.Second)
		}, "flow/red=active output:siren=on output:cutoff=on"},
		{"it was never read: judged as if it did", func(b *bench) {
			b.good("flow", 0)
			b.sleep(3 * time.Second)
		}, "flow/red=active output:siren=on output:cutoff=on"},
		{"it starts: the delay begins then", func(b *bench) {
			b.both(0, drivers.Good, false)
			b.sleep(time.Minute)
			b.both(0, drivers.Good, true)
			b.sleep(time.Second)
			b.want("")
			b.sleep(2 * time.Second)
		}, "flow/red=active output:siren=on output:cutoff=on"},
		{"it stops while the alarm stands: the siren is quiet, the trip stays", func(b *bench) {
			b.both(0, drivers.Good, true)
			b.sleep(3 * time.Second)
			b.want("flow/red=active output:siren=on output:cutoff=on")
			b.both(0, drivers.Good, false)
		}, "flow/red=active output:siren=off"},
		{"and ends on a good sample only", func(b *bench) {
			b.both(0, drivers.Good, true)
			b.sleep(3 * time.Second)
			b.both(0, drivers.Good, false)
			b.story()
			b.bad("flow", drivers.Comm)
			b.want("")
			b.both(9, drivers.Good, false)
		}, "flow/red=normal output:cutoff=off"},
		{"another mode", func(b *bench) {
			b.both(9, drivers.Good, true)
			b.do(func() error { b.mode = "maintenance"; return nil })
			b.both(0, drivers.Good, true)
			b.sleep(3 * time.Second)
			b.want("")
			b.do(func() error { b.mode = "running"; return nil })
			b.sleep(4 * time.Second)
		}, "flow/red=active output:siren=on output:cutoff=on"},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, parsed(t, fanSite), newFold(), nil)
				c.do(b)
				b.want(c.want)
			})
		})
	}
}
