package uplink

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
)

// each stores a reading of one point a second, from m on.
func (b *bench) each(point string, from, seconds int64) {
	batch := record.Batch{Boot: boot, Clock: record.Synced, Offset: wall}
	for i := range seconds {
		batch.Readings = append(batch.Readings, record.Reading{Point: point, M: from + i*1000, Value: drivers.NumberValue(float64(i))})
	}
	b.batch(batch)
}

func (b *bench) alarmAt(point string, m int64) {
	b.t.Helper()
	n := b.log.Lane("events").Next()
	payload := fmt.Sprintf(`{"v":1,"n":%d,"boot":%d,"m":%d,"kind":"alarm","id":"%s/red","point":%q,"level":"red","sig":"x"}`, n, boot, m, point, point)
	if err := b.log.Lane("events").Append([]byte(payload), 1); err != nil {
		b.t.Fatal(err)
	}
}

// drain is what a lane gives, message by message.
func drain(t *testing.T, l *batches) (es []envelope, payloads []string) {
	t.Helper()
	for {
		m, ok, err := l.next(time.Now(), true)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return es, payloads
		}
		es, payloads = append(es, parse(t, m.payload)), append(payloads, string(m.payload))
	}
}

func TestThinKeepsWhatIsAroundAnAlarm(t *testing.T) {
	b := newBench(t, 1<<20)
	b.setNow(10_000_000, record.Synced)
	b.each("gas.ch4", 0, 300)
	b.alarmAt("gas.ch4", 150_000)
	b.alarmAt("pond.level", 50_000) // of another point
	c := uplinkConfig()
	c.Thin, c.Batch = 60*time.Second, 1000
	l := b.uplink(c).readings(0)
	defer l.close()
	es, payloads := drain(t, l)
	var at []int64
	for _, e := range es {
		for _, r := range e.Readings {
			at = append(at, (*r.T-wall)/1000)
		}
	}
	want := []int64{0, 60, 120}
	for s := int64(140); s <= 160; s++ {
		want = append(want, s)
	}
	want = append(want, 220, 280)
	if fmt.Sprint(at) != fmt.Sprint(want) {
		t.Errorf("kept %v, want %v", at, want)
	}
	left := uint64(0)
	for _, e := range es {
		if e.Thinned != nil {
			left += e.Thinned.Count
		}
	}
	if es[len(es)-1].Last != 300 || left != uint64(300-len(want)) {
		t.Errorf("covered to %d, %d are said to be left out: %s", es[len(es)-1].Last, left, payloads)
	}
}

// The newest part of the events may hold none yet.
func TestThinKnowsAlarmsFromBeforeAStart(t *testing.T) {
	b := newBench(t, 1<<20)
	b.setNow(10_000_000, record.Synced)
	b.each("gas.ch4", 0, 300)
	b.alarmAt("gas.ch4", 150_000)
	if err := b.log.Close(); err != nil {
		t.Fatal(err)
	}
	b.open(b.dir, 1<<20)
	if err := b.log.Lane("events").AppendKey([]byte("what came before")); err != nil {
		t.Fatal(err)
	}
	c := uplinkConfig()
	c.Thin, c.Batch = 60*time.Second, 1000
	l := b.uplink(c).readings(0)
	defer l.close()
	es, _ := drain(t, l)
	if n := len(es[0].Readings); n != 26 {
		t.Errorf("%d readings of 300, want 5 and the 21 around the alarm", n)
	}
}

// Who asks for numbers wants what was left out, too, and does not wait for
// alarms around it.
func TestAResendGivesWhatThinLeftOut(t *testing.T) {
	b := newBench(t, 1<<20)
	b.setNow(60_000, record.Synced)
	b.each("gas.ch4", 0, 60)
	c := uplinkConfig()
	c.Thin, c.Batch = time.Minute, 25
	r := b.uplink(c).newResending(resend{"again", 11, 60})
	defer r.close()
	var got []uint64
	for range 3 {
		m, ok, err := r.next(time.Now(), true)
		if !ok || err != nil {
			break
		}
		e := parse(t, m.payload)
		got = append(got, e.Prev, e.Last, uint64(len(e.Readings)))
	}
	if fmt.Sprint(got) != "[10 35 25 35 60 25]" {
		t.Errorf("prev, last and count of its messages: %v", got)
	}
}

// What has just happened waits until the alarms around it are known.
func TestThinWaitsForWhatMayComeYet(t *testing.T) {
	b := newBench(t, 1<<20)
	b.setNow(20_000, record.Synced)
	b.each("gas.ch4", 0, 20)
	c := uplinkConfig()
	c.Thin = time.Minute
	l := b.uplink(c).readings(0)
	defer l.close()
	if es, _ := drain(t, l); len(es) != 1 || es[0].Last != 11 {
		t.Errorf("%+v", es)
	}
	b.alarmAt("gas.ch4", 18_000)
	b.setNow(40_000, record.Synced)
	if es, _ := drain(t, l); len(es) != 1 || len(es[0].Readings) != 9 || es[0].Last != 20 {
		t.Errorf("%+v", es)
	}
}

func TestABudgetLeavesOutReadingsFirst(t *testing.T) {
	b := newBench(t, 1<<20)
	b.site.UTCOffset = 8 * time.Hour
	c := uplinkConfig()
	c.Budget, c.Batch = 10_000, 10
	u := b.uplink(c)
	b.readings(400)
	l := u.readings(0)
	defer l.close()
	sent, left := 0, uint64(0)
	for {
		m, ok, err := l.next(time.Now(), true)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		u.spent.add(m)
		e := parse(t, m.payload)
		sent += len(e.Readings)
		if e.Thinned != nil {
			left += e.Thinned.Count
		}
	}
	if sent == 0 || sent > 200 || uint64(sent)+left != 400 {
		t.Errorf("%d sent, %d left out", sent, left)
	}
	if !u.spent.over("data") || u.spent.over("stats") || u.spent.over("snapshot") {
		t.Errorf("spent %d", u.spent.bytes)
	}
	if again := New(c, b.env()); !again.spent.over("data") {
		t.Error("a restart begins the day anew")
	}
	b.setNow(b.stamp().M+dayMS, record.Synced)
	if u.spent.over("data") {
		t.Error("the next day has no budget")
	}
}

func TestLevelsLeaveOutOtherEvents(t *testing.T) {
	b := newBench(t, 1<<20)
	for _, level := range []string{"red", "yellow", "", "orange", "red"} {
		b.happen(level, 0)
	}
	c := uplinkConfig()
	c.Levels = []string{"red", "orange"}
	e := b.uplink(c).events(0)
	defer e.close()
	var got []string
	for {
		m, ok, err := e.next(time.Now(), false)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		got = append(got, fmt.Sprint(m.last))
	}
	if strings.Join(got, " ") != "1 4 5" {
		t.Errorf("got %v", got)
	}
}

func TestABacklogFollowsAtItsRate(t *testing.T) {
	for _, c := range []struct {
		rate, live int
		want       time.Duration
	}{{100, 0, 50 * time.Second}, {0, 0, 0}, {-1, 0, 25 * time.Second}, {-1, 100, 12500 * time.Millisecond}} {
		b := newBench(t, 1<<20)
		cfg := uplinkConfig()
		cfg.Rate = c.rate
		u := b.uplink(cfg)
		u.live.perSecond = float64(c.live)
		var p pace
		now := time.Unix(0, 0)
		for range 10 {
			p.took(now, 500, u.rate())
		}
		if got := max(0, p.free.Sub(now)); p.free.IsZero() && c.want != 0 || !p.free.IsZero() && got != c.want {
			t.Errorf("%+v: 5000 readings take %v", c, got)
		}
	}
}

func TestWhatAnUplinkIsToCarryADay(t *testing.T) {
	s := &config.Site{Points: []config.Point{{ID: "gas.ch4", Common: &config.Common{Every: time.Second}, Own: &config.Own{}}, {ID: "door", Common: &config.Common{OnChange: true, AtLeast: 5 * time.Minute}}, {ID: "pond.level", Common: &config.Common{Every: time.Second}}}}
	c := config.Uplink{Data: true, Batch: 500, Within: time.Second, Points: []string{"gas.*", "door"}}
	l := Daily(s, c)
	if l.Readings != 86_400+288 {
		t.Errorf("%d readings", l.Readings)
	}
	if l.Bytes < 25e6 || l.Bytes > 32e6 { // one reading of some 70 bytes and its envelope each second
		t.Errorf("%d bytes", l.Bytes)
	}
	c.Thin = 20 * time.Second
	if thin := Daily(s, c); thin.Readings != 4320+288 || thin.Bytes > l.Bytes/10 {
		t.Errorf("thinned: %+v", thin)
	}
}

// A message of readings is on its way for a second or so, however slow the link.
func TestMessagesAreShortWhereTheLinkIsSlow(t *testing.T) {
	const most = 256_000
	for _, c := range []struct {
		name  string
		speed int // bytes a second
		want  int // bytes of a message, in the end
	}{{"a fast link", 10_000_000, most}, {"64 kbit/s", 8000, 8000}, {"next to nothing", 100, leastOnAWay}} {
		h := heft{limit: most}
		now := time.Unix(0, 0)
		sum := 0
		for i := range 40 {
			h.put(now, h.limit)
			now = now.Add(time.Duration(h.limit) * time.Second / time.Duration(c.speed))
			if h.out(now, most); i >= 20 {
				sum += h.limit
			}
		}
		if mean := sum / 20; mean < c.want*2/3 || mean > c.want*2 {
			t.Errorf("%s: messages of %d bytes, want about %d", c.name, mean, c.want)
		}
	}
}
