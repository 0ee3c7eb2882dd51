package agent

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/agent/seal"
	"pithead/config"
	"pithead/drivers"
)

// shaft is a closed shaft: a door, a bolt, a box, a hoist by contact and by
// current, a fan, people who are counted, a camera, and a siren.
func shaft() *config.Site {
	five := 5.0
	s := &config.Site{Site: "shaft", Gateway: "g1", Outputs: []config.Output{{ID: "siren", Bus: "board"}}}
	for _, id := range []string{"door", "bolt", "lid", "hoist", "amps", "fan", "in", "out", "cam"} {
		s.Points = append(s.Points, config.Point{ID: id, Common: &config.Common{Bus: "board", Decimals: -1, OnChange: id != "amps", AtLeast: 5 * time.Minute, Every: 5 * time.Second}, Own: &config.Own{}})
	}
	s.Seals = []seal.Def{{ID: "s", Confirm: 3 * time.Second, Do: []string{"siren"}, Watches: []seal.Watch{
		{Role: seal.Closed, Point: "door"}, {Role: seal.Closed, Point: "bolt"}, {Role: seal.Tamper, Point: "lid"},
		{Role: seal.Idle, Point: "hoist"}, {Role: seal.Idle, Point: "amps", Above: &five, For: 10 * time.Second},
		{Role: seal.Run, Point: "fan"}, {Role: seal.Still, Point: "in"}, {Role: seal.Seen, Point: "cam"},
		{Role: seal.In, Point: "in"}, {Role: seal.Out, Point: "out"},
	}}}
	return s
}

// teller plays a story of a seal, over any number of runs.
type teller struct {
	t     *testing.T
	site  *config.Site
	clock *Clock
	boot  uint32
	fold  *fold
	last  map[string]record.Last
	chain *event.Chain
	now   map[string]string // the points, read again after a restart
	b     *bench
}

func newTeller(t *testing.T) *teller {
	key, err := event.NewKey(t.TempDir() + "/key")
	if err != nil {
		t.Fatal(err)
	}
	s := &teller{t: t, site: shaft(), clock: NewClock(0, false), boot: 1, fold: newFold(), last: map[string]record.Last{}, chain: event.NewChain(key, "e"),
		now: map[string]string{"door": "1", "bolt": "1", "lid": "1", "hoist": "0", "amps": "0", "fan": "1", "in": "0", "out": "0", "cam": "1"}}
	s.begin()
	return s
}

func (s *teller) begin() {
	s.b = &bench{t: s.t, same: s.clock, boot: s.boot}
	startBench(s.t, s.b, s.site, s.fold, s.last)
	for _, p := range s.site.Points {
		s.give(p.ID)
	}
}

// end is a stop without a word: the fold is what the disk has.
func (s *teller) end() {
	s.b.settled()
	s.b.stop()
	s.keep()
}

// keep takes in what was stored.
func (s *teller) keep() {
	for _, q := range s.b.queued {
		q.stamp.Boot = s.boot
		payload := s.chain.Next(q.event, q.stamp)
		p, err := event.Parse(payload)
		if err != nil {
			s.t.Fatal(err)
		}
		s.chain.Commit()
		s.fold.add(p)
		s.fold.Last = append([]byte(nil), payload...)
	}
	s.b.queued = nil
	for _, r := range s.b.stored {
		l := s.last[r.Point]
		good := l.Good
		if r.Quality == drivers.Good {
			good = r.Value
		}
		at := s.clock.At(time.Duration(r.M) * time.Millisecond)
		s.last[r.Point] = record.Last{Reading: r, Good: good, Boot: s.boot, Clock: at.Clock, Offset: at.T - at.M}
	}
	s.b.stored = nil
}

func (s *teller) give(point string) {
	v, err := strconv.ParseFloat(s.now[point], 64)
	if err != nil {
		q, ok := drivers.ParseQuality(s.now[point])
		if !ok {
			s.b.give(drivers.Reading{Point: point, At: time.Now(), Value: drivers.TextValue(s.now[point])})
			return
		}
		s.b.bad(point, q)
		return
	}
	s.b.good(point, v)
}

// step does one step: "door=0", "3s", "close", "crash 30s", "power 2m", "clockless 1s".
func (s *teller) step(step string) string {
	word, arg, _ := strings.Cut(step, " ")
	long, err := time.ParseDuration(arg)
	if point, value, is := strings.Cut(step, "="); is {
		s.now[point] = value
		s.give(point)
		return s.words("")
	}
	switch word {
	case "open", "close", "reset":
		yes := command.Command{Op: "seal." + word, Args: command.Args{Seal: "s", For: command.Duration(long)}, By: "王工", Why: "检修"}
		err := s.b.do(func() error { _, err := s.b.sealCommand(yes); return err })
		if err != nil {
			return s.words("no: " + err.Error())
		}
		return s.words("")
	case "crash", "power", "clockless":
		if err != nil {
			s.t.Fatal(err)
		}
		before := s.words("")
		s.end()
		time.Sleep(long)
		if word != "crash" {
			s.boot++
			s.clock = NewClock(0, false)
		}
		if word == "clockless" {
			s.clock = NewClock(time.Now().Add(time.Hour).UnixMilli(), false)
		}
		s.begin()
		return strings.TrimSpace(before + " " + s.words(""))
	}
	long, err = time.ParseDuration(step)
	if err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(long)
	return s.words("")
}

// words is what was told since, in short.
func (s *teller) words(first string) string {
	s.b.settled()
	out := []string{}
	if first != "" {
		out = append(out, first)
	}
	for _, e := range s.b.events {
		switch e.Kind {
		case "seal":
			what := ""
			for _, f := range e.More {
				if f.Name == "what" {
					what = fmt.Sprint(f.Value)
				}
			}
			if e.Point != "" {
				what += "(" + e.Point + ")"
			}
			out = append(out, what+"="+e.State)
		case "alarm":
			out = append(out, "alarm="+e.State+"/"+e.Level)
		case "output":
			out = append(out, "siren="+e.State)
		case "input":
			out = append(out, "changed("+e.Point+")")
		}
	}
	s.b.events = nil
	s.keep()
	return strings.Join(out, " ")
}

func TestSealStories(t *testing.T) {
	const sounds = " alarm=active/red siren=on"
	for _, c := range []struct {
		story string
		steps [][2]string // what is done, and what is told
	}{
		{"a new seal is open until it is closed first", [][2]string{
			{"1h", ""}, {"door=0", ""}, {"1m", ""}, {"door=1", ""}, {"close", "closed=sealed"}, {"close", "no: it is closed already; it is sealed"}}},
		{"a door that is opened without leave", [][2]string{
			{"close", "closed=sealed"}, {"door=0", ""}, {"2900ms", ""}, {"100ms", "departed(door)=breached" + sounds},
			{"reset", "no: door is 0, and must not be (closed)"}, {"door=1", ""}, {"1h", ""},
			{"reset", "reset=sealed alarm=normal/red siren=off"}}},
		{"bumped three times in an hour", [][2]string{
			{"close", "closed=sealed"}, {"door=0", ""}, {"1s", ""}, {"door=1", "brief(door)=sealed"}, {"20m", ""},
			{"bolt=0", ""}, {"2s", ""}, {"bolt=1", "brief(bolt)=sealed"}, {"20m", ""},
			{"door=0", ""}, {"1s", ""}, {"door=1", "brief(door)=sealed too-often(door)=breached" + sounds}}},
		{"bumped three times in a day", [][2]string{
			{"close", "closed=sealed"}, {"door=0", ""}, {"door=1", "brief(door)=sealed"}, {"40m", ""},
			{"door=0", ""}, {"door=1", "brief(door)=sealed"}, {"40m", ""}, {"door=0", ""}, {"door=1", "brief(door)=sealed"}}},
		{"two bumps before a crash and one after", [][2]string{
			{"close", "closed=sealed"}, {"door=0", ""}, {"door=1", "brief(door)=sealed"}, {"door=0", ""}, {"door=1", "brief(door)=sealed"},
			{"crash 10s", ""}, {"door=0", ""}, {"door=1", "brief(door)=sealed too-often(door)=breached" + sounds}}},
		{"the box is opened while there is leave", [][2]string{
			{"close", "closed=sealed"}, {"open 10m", "opened=open"}, {"lid=0", "tampered(lid)=tampered" + sounds},
			{"reset", "no: lid is 0, and must not be (tamper)"}, {"lid=1", ""}, {"reset", "reset=open alarm=normal/red siren=off"}}},
		{"opened with leave, closed in time", [][2]string{
			{"close", "closed=sealed"}, {"open 10m", "opened=open"}, {"door=0", ""}, {"5m", ""}, {"door=1", ""}, {"close", "closed=sealed"}, {"1h", ""}}},
		{"opened with leave, closed too late", [][2]string{
			{"close", "closed=sealed"}, {"open 10m", "opened=open"}, {"door=0", ""},
			{"10m", "ended=breached departed(door)=breached" + sounds}, {"door=1", ""}, {"reset", "reset=sealed alarm=normal/red siren=off"}}},
		{"leave without an end, or for too long", [][2]string{
			{"open 0s", "no: it says not for how long; want for, at most 72h"}, {"open 73h", "no: 73h0m0s is too long; want at most 72h"}, {"open 72h", "opened=open"}}},
		{"the camera is lost for a little", [][2]string{
			{"close", "closed=sealed"}, {"cam=0", ""}, {"3s", "blind(cam)=blind alarm=active/orange siren=on"},
			{"50s", ""}, {"cam=1", "seen=sealed alarm=normal/orange siren=off"}}},
		{"the camera is lost for too long", [][2]string{
			{"close", "closed=sealed"}, {"cam=comm", ""}, {"3s", "blind(cam)=blind alarm=active/orange siren=on"},
			{"58s", "unwatched(cam)=unwatched"}, {"cam=1", "seen=unwatched"}, {"1h", ""}, {"reset", "reset=sealed alarm=normal/orange siren=off"}}},
		{"the cable of the door is cut", [][2]string{
			{"close", "closed=sealed"}, {"door=comm", ""}, {"3s", "blind(door)=blind alarm=active/orange siren=on"},
			{"reset", "no: there is nothing to reset; it is blind"}, {"58s", "unwatched(door)=unwatched"}, {"reset", "no: door is bad (comm), so nobody knows what it is"},
			{"door=1", "seen=unwatched"}, {"reset", "reset=sealed alarm=normal/orange siren=off"}}},
		{"a bad sample ends no departure", [][2]string{
			{"close", "closed=sealed"}, {"door=0", ""}, {"1s", ""}, {"door=comm", ""}, {"2s", "departed(door)=breached" + sounds}}},
		{"opened while nobody saw it", [][2]string{
			{"close", "closed=sealed"}, {"bolt=comm", ""}, {"1s", ""}, {"bolt=0", "changed(bolt)"}, {"3s", "departed(bolt)=breached" + sounds}}},
		{"the wire of a supervised door is cut", [][2]string{
			{"door=closed", ""}, {"close", "closed=sealed"}, {"door=cut", ""}, {"3s", "departed(door)=breached" + sounds}}},
		{"the wire of a supervised box is cut, not opened", [][2]string{
			{"lid=closed", ""}, {"close", "closed=sealed"}, {"lid=open", ""}, {"1m", ""}, {"lid=cut", "tampered(lid)=tampered" + sounds}}},
		{"the hoist runs by its current, not at a spike", [][2]string{
			{"close", "closed=sealed"}, {"amps=40", ""}, {"9s", ""}, {"amps=0", ""}, {"1m", ""}, {"amps=40", ""}, {"12900ms", ""},
			{"100ms", "departed(amps)=breached" + sounds}}},
		{"the hoist runs by its contact", [][2]string{{"close", "closed=sealed"}, {"hoist=1", ""}, {"3s", "departed(hoist)=breached" + sounds}}},
		{"the main fan stops", [][2]string{{"close", "closed=sealed"}, {"fan=0", ""}, {"3s", "departed(fan)=breached" + sounds}}},
		{"somebody goes in", [][2]string{{"close", "closed=sealed"}, {"in=1", ""}, {"3s", "departed(in)=breached" + sounds},
			{"out=1", ""}, {"reset", "reset=sealed alarm=normal/red siren=off"}, {"in=2", ""}, {"3s", "departed(in)=breached" + sounds}}},
		{"nobody may be shut in", [][2]string{
			{"in=2", ""}, {"out=1", ""}, {"close", "no: 1 more went in than came out"}, {"out=2", ""}, {"close", "closed=sealed"}}},
		{"somebody is in when the leave ends", [][2]string{
			{"close", "closed=sealed"}, {"open 1m", "opened=open"}, {"in=1", ""}, {"1m", "ended=breached balance(in)=breached" + sounds}}},
		{"a count that is not known", [][2]string{{"out=comm", ""}, {"close", "no: out is bad (comm), so nobody knows what it is"}}},
		{"a crash, and back at once", [][2]string{{"close", "closed=sealed"}, {"crash 10s", ""}, {"1h", ""}}},
		{"a crash over a minute", [][2]string{{"close", "closed=sealed"}, {"crash 90s", "unwatched(door)=unwatched alarm=active/orange siren=on seen=unwatched"}}},
		{"a power cut, and back at once", [][2]string{{"close", "closed=sealed"}, {"power 10s", ""}, {"1h", ""}}},
		{"a power cut over a minute", [][2]string{{"close", "closed=sealed"}, {"power 90s", "unwatched(door)=unwatched alarm=active/orange siren=on seen=unwatched"},
			{"reset", "reset=sealed alarm=normal/orange siren=off"}}},
		{"a power cut on a board without a clock", [][2]string{{"close", "closed=sealed"}, {"clockless 1s", "unwatched(door)=unwatched alarm=active/orange siren=on seen=unwatched"}}},
		{"the door is opened while the gateway is off", [][2]string{
			{"close", "closed=sealed"}, {"off door=0", ""}, {"power 10s", "changed(door)"}, {"3s", "departed(door)=breached" + sounds}}},
		{"the door is opened, and the power goes before it is confirmed", [][2]string{
			{"close", "closed=sealed"}, {"door=0", ""}, {"1s", ""}, {"power 10s", "departed(door)=breached" + sounds}}},
		{"somebody goes in, and the power goes before it is confirmed", [][2]string{
			{"close", "closed=sealed"}, {"in=1", ""}, {"1s", ""}, {"power 10s", "departed(in)=breached" + sounds}}},
		{"breached, power cut and back: it is so, and is not told again", [][2]string{
			{"close", "closed=sealed"}, {"door=0", ""}, {"3s", "departed(door)=breached" + sounds}, {"power 10s", ""}, {"1h", ""},
			{"door=1", ""}, {"power 10s", ""}, {"reset", "reset=sealed alarm=normal/red siren=off"}}},
		{"tampered, power cut and back", [][2]string{
			{"lid=0", "tampered(lid)=tampered" + sounds}, {"power 10s", ""}, {"1m", ""}, {"lid=1", ""}, {"reset", "reset=open alarm=normal/red siren=off"}}},
		{"an opening goes on over a power cut", [][2]string{
			{"close", "closed=sealed"}, {"open 10m", "opened=open"}, {"door=0", ""}, {"power 4m", ""}, {"5m", ""}, {"1m", "ended=breached departed(door)=breached" + sounds}}},
		{"an opening ends over a power cut", [][2]string{
			{"close", "closed=sealed"}, {"open 10m", "opened=open"}, {"power 11m", "ended=sealed"}, {"1h", ""}}},
		{"an opening ends where nobody knows how long the power was off", [][2]string{
			{"close", "closed=sealed"}, {"open 10m", "opened=open"}, {"door=0", ""}, {"clockless 1s", "ended=sealed departed(door)=breached" + sounds}}},
	} {
		t.Run(c.story, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTeller(t)
				s.words("")
				for i, step := range c.steps {
					do, off := strings.CutPrefix(step[0], "off ")
					if off { // it becomes so while nobody reads it
						point, value, _ := strings.Cut(do, "=")
						s.now[point] = value
						continue
					}
					if got := s.step(do); got != step[1] {
						t.Fatalf("step %d, %s: told %q, want %q", i+1, do, got, step[1])
					}
				}
			})
		})
	}
}

// A seal that leaves the site file and comes back guards on, and says that
// nobody watched meanwhile.
func TestASealThatLeftTheFileComesBackUnwatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTeller(t)
		s.step("close")
		whole := s.site
		s.site = shaft()
		s.site.Seals = nil
		if got := s.step("crash 1s"); got != "=removed" {
			t.Errorf("removed: told %q", got)
		}
		if got := s.step("crash 1s"); got != "" {
			t.Errorf("told again: %q", got)
		}
		s.site = whole
		if got := s.step("crash 1s"); got != "unwatched(door)=unwatched alarm=active/orange siren=on seen=unwatched" {
			t.Errorf("back: told %q", got)
		}
	})
}

// A reload is no restart: a departure goes on to be counted from its beginning,
// and nothing was unwatched.
func TestAReloadKeepsASealAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTeller(t)
		s.step("close")
		s.step("door=0")
		time.Sleep(2 * time.Second)
		left := s.b.sealsLeft()
		s.end()
		s.b = &bench{t: t, same: s.clock, seals0: left}
		startBench(t, s.b, s.site, s.fold, s.last)
		if got := s.step("900ms"); got != "" {
			t.Errorf("told %q", got)
		}
		if got := s.step("100ms"); got != "departed(door)=breached alarm=active/red siren=on" {
			t.Errorf("after three seconds in all: told %q", got)
		}
	})
}

func TestWhatAClosedSealWatchesIsGuarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTeller(t)
		guarded := func() (ok bool) {
			s.b.do(func() error { ok = s.b.guardedBy("door") != ""; return nil })
			return ok
		}
		if guarded() {
			t.Error("guarded while open")
		}
		s.step("close")
		s.step("door=comm")
		if !guarded() {
			t.Error("not guarded while closed")
		}
		for op, args := range map[string]command.Args{
			"test": {Point: "door", For: command.Duration(time.Minute)}, "out": {Point: "door"}} {
			c := command.Command{Op: op, Args: args, By: "me", Why: "x", Signed: true}
			if err := s.b.do(func() error { _, err := ops()[op].judge(s.b.judge, c); return err }); err == nil {
				t.Errorf("%s of a point that a closed seal watches", op)
			}
		}
	})
}

// A change of what a seal watches waits for no commit.
func TestWhatASealWatchesIsStoredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTeller(t)
		s.b.queue.hurried()
		s.b.in <- []drivers.Reading{{Point: "amps", At: time.Now(), Value: drivers.NumberValue(3)}}
		synctest.Wait()
		if s.b.queue.hurried() {
			t.Error("a current of 3 A hurries")
		}
		s.b.in <- []drivers.Reading{{Point: "door", At: time.Now(), Value: drivers.NumberValue(0)}}
		synctest.Wait()
		if !s.b.queue.hurried() {
			t.Error("a door does not")
		}
	})
}

// While a seal is closed something is stored every 20 s, so that a start knows
// since when nobody watched.
func TestAClosedSealLeavesAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTeller(t)
		stored := func() (n int) {
			s.b.stored = nil
			for range 24 {
				time.Sleep(5 * time.Second)
				s.b.good("door", 1)
			}
			return len(s.b.stored)
		}
		if n := stored(); n > 1 {
			t.Errorf("open: %d readings stored in 2 min", n)
		}
		s.step("close")
		if n := stored(); n < 5 || n > 7 {
			t.Errorf("closed: %d readings stored in 2 min, want one each 20 s", n)
		}
	})
}
