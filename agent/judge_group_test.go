package agent

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/command"
	"pithead/config"
	"pithead/drivers"
)

// dam has five holes whose phreatic level warns alone and together, and a group
// of that group. Hole e trips a valve by the group alone.
func dam(t *testing.T, more string) *config.Site {
	var b strings.Builder
	b.WriteString(`
version: 1
site: dam
gateway: g1
buses:
  rs1: {serial: /dev/ttyS1}
devices:
  d: {bus: rs1, unit: 1, every: 1h}
points:
`)
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		fmt.Fprintf(&b, `
  hole.%s:
    device: d
    holding: %d
    alarms:
      - {level: blue, above: 1, when: "mode == 'running'"}
      - {level: yellow, above: 2}
      - {level: orange, above: 3}
      - {level: red, above: 4}
`, id, i)
	}
	b.WriteString(`
groups:
  dam: {of: [phreatic]}
  phreatic: {name: 浸润线, of: ["hole.*"], ladder: {blue: 4, yellow: 3, orange: 2}` + more + `}
outputs:
  lamp: {device: d, coil: 0}
  siren: {device: d, coil: 1}
  valve: {kind: trip, device: d, coil: 2, on-start: off, first-line: x}
`)
	return parsed(t, b.String())
}

// GB 39496-2020, 5.5.4: four at blue make yellow, three at yellow orange, two at
// orange red; one level up, and no further by the same members.
func TestTheLadderOfAGroup(t *testing.T) {
	for _, c := range []struct {
		levels string // of the five, 0 to 4
		want   alarm.Level
	}{
		{"00000", alarm.NoLevel}, {"10000", alarm.Blue}, {"11100", alarm.Blue}, {"11110", alarm.Yellow}, {"11111", alarm.Yellow},
		{"20000", alarm.Yellow}, {"22000", alarm.Yellow}, {"22200", alarm.Orange}, {"22220", alarm.Orange}, {"21110", alarm.Yellow},
		{"22100", alarm.Yellow}, {"22110", alarm.Yellow}, {"30000", alarm.Orange}, {"32000", alarm.Orange}, {"32200", alarm.Orange},
		{"33000", alarm.Red}, {"31110", alarm.Orange}, {"40000", alarm.Red}, {"43000", alarm.Red}, {"11112", alarm.Yellow},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, dam(t, ""), newFold(), nil)
			for i, l := range c.levels {
				b.good("hole."+string(rune('a'+i)), float64(l-'0'))
			}
			for _, id := range []string{"group:phreatic", "group:dam"} {
				s := b.alarm(id)
				if s.Level() != c.want || s.up() != (c.want > 0) {
					t.Errorf("%s: %s is %v %v, want %v", c.levels, id, s.State(), s.Level(), c.want)
				}
			}
		})
	}
}

// A group's story, by the holes' values; mode, tests and what is shelved beside.
func TestWhoCountsInAGroup(t *testing.T) {
	for _, c := range []struct {
		story, more string
		do          func(*orderer)
		want        string // of the group and the outputs
	}{
		{"up and down with its members", "", func(o *orderer) {
			o.holes("11100")
			o.holes("11110")
			o.holes("22210")
			o.holes("00000")
		}, "blue yellow orange yellow blue normal"},
		{"a bad member keeps its last level", "", func(o *orderer) {
			o.holes("11110")
			o.bad("hole.a", drivers.Comm)
			o.holes("x1110")
		}, "blue yellow"},
		{"a fault counts for nothing", "", func(o *orderer) {
			o.holes("xxxxx")
			o.sleep(2 * time.Minute)
		}, ""},
		{"a suppressed one does not count", "", func(o *orderer) {
			o.holes("11110")
			o.may(true, "mode", command.Args{Mode: "closed"})
		}, "blue yellow normal"},
		{"one under test does not, one that is shelved does", "", func(o *orderer) {
			o.holes("11110")
			o.may(true, "shelve", command.Args{Alarm: "hole.a/blue", For: hours(1)})
			o.may(true, "test", command.Args{Point: "hole.b", For: hours(1)})
		}, "blue yellow blue"},
		{"nor one out of service", "", func(o *orderer) {
			o.holes("11110")
			o.may(true, "out", command.Args{Point: "hole.b"})
		}, "blue yellow blue"},
		{"it waits", ", for: 10s", func(o *orderer) {
			o.holes("11110")
			o.sleep(5 * time.Second)
			o.holes("22210")
			o.sleep(6 * time.Second)
			o.holes("22210")
			o.sleep(5 * time.Second)
		}, "yellow orange"},
		{"outputs by level, each from its own on", ", do: {yellow: [lamp], red: [siren]}", func(o *orderer) {
			o.holes("11110")
			o.holes("33000")
			o.holes("30000")
			o.holes("00000")
		}, "blue yellow lamp=on orange red siren=on orange siren=off normal lamp=off"},
		{"a latch holds the highest", ", latch: on, do: {orange: [siren]}", func(o *orderer) {
			o.holes("30000")
			o.holes("10000")
			o.mayNot("not over", false, "reset", command.Args{Alarm: "group:phreatic"})
			o.holes("00000")
			o.may(false, "reset", command.Args{Alarm: "group:phreatic"})
		}, "orange siren=on cleared normal siren=off"},
		{"no trip is released by what does not count", ", do: {yellow: [valve]}", func(o *orderer) {
			o.holes("11110")
			o.may(true, "mode", command.Args{Mode: "closed"})
			o.may(true, "test", command.Args{Point: "hole.b", For: hours(1)})
			o.may(true, "out", command.Args{Point: "hole.c"})
			o.holes("xxxxx")
			o.holes("1xxxx")
		}, "blue yellow valve=on"},
		{"it is released by good samples", ", do: {yellow: [valve]}", func(o *orderer) {
			o.holes("11110")
			o.holes("00000")
		}, "blue yellow valve=on blue valve=off normal"},
		{"acknowledged, and raised again by a higher level", "", func(o *orderer) {
			o.holes("10000")
			o.may(false, "ack", command.Args{Alarm: "group:phreatic"})
			o.holes("20000")
		}, "blue acked yellow"},
		{"a restart raises nothing twice", "", func(o *orderer) {
			o.holes("22200")
			o.restart(1, nil)
			o.holes("22200")
			o.holes("00000")
		}, "yellow orange yellow normal"},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &orderer{fold: newFold()}
				o.bench = newBench(t, dam(t, c.more), o.fold, nil)
				c.do(o)
				o.remember()
				var got []string
				for _, w := range o.words {
					id, what, _ := strings.Cut(w, "=")
					switch {
					case id == "group:phreatic":
						got = append(got, what)
					case strings.HasPrefix(id, "output:") && !strings.Contains(id, "fault"):
						got = append(got, strings.TrimPrefix(w, "output:"))
					}
				}
				if s := strings.Join(got, " "); s != c.want {
					t.Errorf("\n got %q\nwant %q", s, c.want)
				}
			})
		})
	}
}

func (o *orderer) holes(levels string) {
	var rs []drivers.Reading
	for i, l := range levels {
		r := drivers.Reading{Point: "hole." + string(rune('a'+i)), At: time.Now(), Quality: drivers.Comm}
		if l != 'x' {
			r.Quality, r.Value = drivers.Good, drivers.NumberValue(float64(l-'0'))
		}
		rs = append(rs, r)
	}
	for _, r := range rs {
		o.give(r)
	}
}

const ladderSite = `
version: 1
site: s
gateway: g1
buses:
  rs1: {serial: /dev/ttyS1}
devices:
  d: {bus: rs1, unit: 1, every: 1h}
points:
  p:
    device: d
    holding: 0
    type: i16
    alarms:
      - {level: yellow, above: 2, do: [horn, lamp]}
      - {level: red, above: 4, do: [horn]}
      - {id: low, level: red, below: -4}
outputs:
  horn: {device: d, coil: 0, until: ack}
  lamp: {device: d, coil: 1}
`

// Who shelves the higher one has not asked for silence of the lower.
func TestWhatIsQuietCoversNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &orderer{fold: newFold()}
		o.bench = newBench(t, parsed(t, ladderSite), o.fold, nil)
		o.good("p", 5)
		if o.alarm("p/yellow").coveredBy() != o.alarm("p/red") {
			t.Fatal("yellow is not covered")
		}
		o.may(true, "shelve", command.Args{Alarm: "p/red", For: hours(1)})
		if o.alarm("p/yellow").coveredBy() != nil || !o.on("horn") {
			t.Errorf("covered by what is shelved; horn %v", o.on("horn"))
		}
	})
}

func TestALadderCoversItsLowerRungs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := parsed(t, ladderSite)
		b := newBench(t, site, newFold(), nil)
		b.good("p", 5)
		b.settled()
		covered := map[string]any{}
		for _, e := range b.events {
			for _, f := range e.More {
				if f.Name == "covered" {
					covered[e.ID] = f.Value
				}
			}
		}
		if len(covered) != 1 || covered["p/yellow"] != "p/red" {
			t.Errorf("covered %v, want yellow by red alone", covered)
		}
		b.want("p/red=active p/yellow=active output:horn=on output:lamp=on")
		b.do(func() error { return b.ack("p/red", "me", "") })
		if b.settled(); b.on("horn") || !b.on("lamp") {
			t.Errorf("horn %v, lamp %v: the lower one calls although the higher is acknowledged, or its lamp went off", b.on("horn"), b.on("lamp"))
		}
		if h := b.health(); h.Day != 1 || h.Standing != 1 {
			t.Errorf("%+v: what is covered is not counted", h)
		}
		b.good("p", 3)
		if s := b.snap(); len(s.Alarms) != 1 || s.Alarms[0].Covered != "" || !b.on("horn") {
			t.Errorf("%+v horn %v: the lower one stands alone now", s.Alarms, b.on("horn"))
		}
	})
}

// Who may shelve yellow at the gateway has not silenced the red that it becomes.
func TestWhatRisesIsNotShelvedWithoutASignature(t *testing.T) {
	for _, c := range []struct {
		story  string
		signed bool
		do     func(*orderer)
		want   bool // the group is shelved at the end
	}{
		{"a group at yellow", false, func(o *orderer) { o.holes("11111") }, true},
		{"that becomes orange", false, func(o *orderer) { o.holes("22211") }, false},
		{"that becomes red", false, func(o *orderer) { o.holes("33000") }, false},
		{"that ends, and is red the next time", false, func(o *orderer) { o.holes("00000"); o.holes("40000") }, false},
		{"shelved by a signature", true, func(o *orderer) { o.holes("33000") }, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := &orderer{fold: newFold()}
			o.bench = newBench(t, dam(t, ", do: {red: [siren]}"), o.fold, nil)
			o.holes("11110")
			o.may(c.signed, "shelve", command.Args{Alarm: "group:phreatic", For: hours(8)})
			c.do(o)
			red := o.alarm("group:phreatic").Level() == alarm.Red
			if got := o.isShelved("group:phreatic"); got != c.want || o.on("siren") != (red && !c.want) {
				t.Errorf("%s: shelved %v, want %v; siren %v", c.story, got, c.want, o.on("siren"))
			}
		})
	}
}

// A group's trip is not released by a site file that asks for it higher up only.
func TestATripThatIsAskedForHigherUpStaysOn(t *testing.T) {
	for _, c := range []struct {
		was, is string
		held    bool
	}{
		{"{orange: [valve]}", "{orange: [valve]}", false},
		{"{orange: [valve]}", "{yellow: [valve], red: [siren]}", false},
		{"{orange: [valve]}", "{red: [valve]}", true},
		{"{orange: [valve], red: [valve]}", "{orange: [siren], red: [valve]}", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			o := &orderer{fold: newFold()}
			o.bench = newBench(t, dam(t, ", do: "+c.was), o.fold, nil)
			o.holes("30000")
			if !o.on("valve") {
				t.Fatal("no trip")
			}
			o.remember()
			o.bench.stop()
			o.bench = startBench(t, &bench{t: t, boot: 1, same: o.clock}, dam(t, ", do: "+c.is), o.fold, nil)
			o.holes("30000")
			if !o.on("valve") {
				t.Errorf("%s, then %s: the valve is off while the group is orange", c.was, c.is)
			}
			o.holes("00000")
			if got := o.on("valve"); got != c.held {
				t.Errorf("%s, then %s: the valve is on: %v, want %v", c.was, c.is, got, c.held)
			}
		})
	}
}

// A group's trip is not released by a site file that has lost what made it.
func TestAMemberThatLeavesReleasesNoTrip(t *testing.T) {
	for _, c := range []struct {
		story string
		edit  func(*config.Site)
		held  bool
	}{
		{"the file is as it was", func(*config.Site) {}, false},
		{"the point has left", func(s *config.Site) {
			s.Points = s.Points[1:]
			s.Groups[0].Points = slices.DeleteFunc(slices.Clone(s.Groups[0].Points), func(p string) bool { return p == "hole.a" })
		}, true},
		{"its alarm has left", func(s *config.Site) {
			s.Points[0].Alarms = slices.DeleteFunc(slices.Clone(s.Points[0].Alarms), func(d alarm.Def) bool { return d.Level == alarm.Red })
		}, true},
		{"it has left the group", func(s *config.Site) {
			s.Groups[0].Points = slices.DeleteFunc(slices.Clone(s.Groups[0].Points), func(p string) bool { return p == "hole.a" })
		}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			more := ", do: {red: [valve]}"
			o := &orderer{fold: newFold()}
			o.bench = newBench(t, dam(t, more), o.fold, nil)
			o.holes("40000")
			if !o.on("valve") {
				t.Fatal("no trip")
			}
			o.remember()
			o.bench.stop()
			site := dam(t, more)
			c.edit(site)
			o.bench = startBench(t, &bench{t: t, boot: 1, same: o.clock}, site, o.fold, nil)
			for i := range site.Points {
				o.good(site.Points[i].ID, 0)
			}
			o.settled()
			if got := o.on("valve"); got != c.held {
				t.Errorf("%s: the valve is on: %v, want %v", c.story, got, c.held)
			}
			if err := o.do(func() error { return o.reset("valve", "me", "") }); (err == nil) != c.held || o.on("valve") {
				t.Errorf("%s: reset: %v", c.story, err)
			}
		})
	}
}
