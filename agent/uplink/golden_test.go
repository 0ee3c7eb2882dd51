package uplink

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
)

// steady makes the log's epoch, which is random, the same in every run.
func steady(u *Uplink, b []byte) []byte {
	return bytes.ReplaceAll(b, []byte(u.Log.Epoch()), []byte("9f2c0000000000000000000000000000"))
}

// all is every message that a lane has for now.
func all(t *testing.T, l lane) (ms []message) {
	t.Helper()
	for {
		m, ok, err := l.next(time.Now(), true)
		if errors.Is(err, errMore) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return ms
		}
		m.payload = bytes.Clone(m.payload) // which is good until the next only
		ms = append(ms, m)
	}
}

func goldenLane(t *testing.T, name string, u *Uplink, l lane) {
	t.Helper()
	var lines [][]byte
	for _, m := range all(t, l) {
		lines = append(lines, append([]byte(m.topic+" "), m.payload...))
	}
	golden(t, name, steady(u, bytes.Join(lines, []byte("\n"))))
}

func TestDataOnTheWire(t *testing.T) {
	b := newBench(t, 1<<20)
	at := func(i int, m int64, v drivers.Value) record.Reading {
		return record.Reading{Point: points[i], M: m, Value: v}
	}
	bad := func(i int, m int64, q drivers.Quality, code uint8) record.Reading {
		return record.Reading{Point: points[i], M: m, Quality: q, Code: code}
	}
	tested := at(2, 540, drivers.NumberValue(2.5))
	tested.Quality = drivers.Test
	b.batch(record.Batch{Boot: 11, Clock: record.Unknown, Readings: []record.Reading{at(0, 7, drivers.NumberValue(1247.3))}})
	b.batch(record.Batch{Boot: boot, Clock: record.Unknown, Readings: []record.Reading{at(0, 100, drivers.NumberValue(1247.31)), bad(2, 110, drivers.Comm, 0)}})
	b.batch(record.Batch{Boot: boot, Clock: record.Free, Offset: wall, Readings: []record.Reading{at(3, 300, drivers.BoolValue(true))}})
	b.batch(record.Batch{Boot: boot, Clock: record.Synced, Offset: wall + 1, Readings: []record.Reading{
		at(0, 500, drivers.NumberValue(1247.315)), bad(1, 510, drivers.Exception, 2), at(1, 520, drivers.UintValue(1<<63)),
		at(3, 530, drivers.TextValue("开 <on>")), tested, at(2, 550, drivers.NumberValue(1e-7))}})
	b.offsets[boot] = wall
	u := b.uplink(uplinkConfig())
	goldenLane(t, "data.txt", u, u.readings(0))
}

func TestStatsOnTheWire(t *testing.T) {
	b := newBench(t, 1<<20)
	b.stats(record.Stat{Point: "pond.level", From: wall, To: wall + 300_000, Max: 1247.4, TMax: wall + 9, Min: 1247.1, TMin: wall + 3, Mean: 1247.25, Good: 300},
		record.Stat{Point: "gas.ch4", From: wall, To: wall + 300_000, Bad: 150, Partial: true})
	u := b.uplink(uplinkConfig())
	goldenLane(t, "stats.txt", u, u.statistics(0))
}

func TestEventsGoOutAsTheyWereSigned(t *testing.T) {
	b := newBench(t, 1<<20)
	want := b.happen("red", time.Second)
	old := b.happen("blue", 61*time.Second)
	u := b.uplink(uplinkConfig())
	ms := all(t, u.events(0))
	if len(ms) != 2 || string(ms[0].payload) != want || string(ms[1].payload) != old {
		t.Fatalf("%+v", ms)
	}
	for i, topic := range []string{"events", "events/late"} {
		if ms[i].topic != "pithead/v1/shidian-tsf/gw-01/"+topic || ms[i].retained || ms[i].last != uint64(i+1) {
			t.Errorf("event %d: topic %s, retained %v, last %d", i+1, ms[i].topic, ms[i].retained, ms[i].last)
		}
	}
}

// mine is a site with one of everything that meta tells.
func mine(site *config.Site) {
	site.Points = []config.Point{
		{ID: "pond.level", Name: "库水位", Common: &config.Common{Unit: "m", Type: "f32", Class: "steady", Range: &[2]float64{1200, 1260}}, Own: &config.Own{Alarms: []alarm.Def{
			{ID: "pond.level/yellow", Level: alarm.Yellow, Condition: alarm.Above, Limit: [2]float64{1248}, Clear: [2]float64{1247.8}, For: 30 * time.Second},
			{ID: "pond.level/red", Level: alarm.Red, Condition: alarm.Above, Limit: [2]float64{1249.5}, Clear: [2]float64{1249.2}, For: 30 * time.Second, Latch: true, Do: []string{"siren", "horn"}},
			{ID: "pond.level/fault", Level: alarm.Blue, Condition: alarm.Fault, For: time.Minute}}}},
		{ID: "gas.ch4", Common: &config.Common{Unit: "%CH4", Type: "u16"}, Own: &config.Own{Alarms: []alarm.Def{
			{ID: "gas.ch4/band", Level: alarm.Orange, Condition: alarm.Outside, Limit: [2]float64{0.1, 1}, Clear: [2]float64{0.2, 0.9}, ClearFor: time.Second},
			{ID: "gas.ch4/rise", Level: alarm.Orange, Condition: alarm.Rise, Limit: [2]float64{0.5}, Within: time.Hour}}}},
		{ID: "feed.face", Common: &config.Common{Type: "bool"}, Own: &config.Own{States: []config.State{{Value: drivers.BoolValue(false), Label: "无电"}, {Value: drivers.BoolValue(true), Label: "有电"}}, Alarms: []alarm.Def{{ID: "feed.face/blue", Level: alarm.Blue, Condition: alarm.Equals, Equal: drivers.BoolValue(false)}}}},
	}
	site.Outputs = []config.Output{{ID: "siren", Where: "board/22"}, {ID: "cutoff", Trip: true, Where: "relays coil 3", FirstLine: "工作面甲烷断电仪"}}
}

func TestMetaOnTheWire(t *testing.T) {
	b := newBench(t, 1<<20)
	mine(b.site)
	c := uplinkConfig()
	whole := Meta(b.site, c, "9f2c")
	c.Max = 700
	cut := Meta(b.site, c, "9f2c")
	c.Points, c.Max = []string{"gas.*"}, 256_000
	golden(t, "meta.txt", bytes.Join(append(append(whole, cut...), Meta(b.site, c, "9f2c")...), []byte("\n")))
}

func TestSnapshotOnTheWire(t *testing.T) {
	b := newBench(t, 1<<20)
	c := uplinkConfig()
	c.Snapshot, c.Points = 10*time.Minute, []string{"pond.*", "gas.*"}
	u := b.uplink(c)
	known := func(t int64) event.Stamp { return event.Stamp{Boot: boot, M: t - wall, T: t, Known: true} }
	limit := 1249.5
	yes := Snapshot{
		Mode: "running",
		Points: []PointNow{
			{Point: "pond.level", At: known(wall + 5), Value: drivers.NumberValue(1249.61)},
			{Point: "gas.ch4", At: event.Stamp{Boot: boot, M: 77}, Quality: drivers.Exception, Code: 4},
			{Point: "fan.run", At: known(wall + 5), Value: drivers.BoolValue(true)}, // none of the uplink's
		},
		Alarms: []AlarmNow{
			{ID: "pond.level/red", Name: "库水位", Point: "pond.level", State: "active", Level: "red", Since: known(wall - 9), Value: drivers.NumberValue(1249.61), Limit: &limit},
			{ID: "bus:rs1/fault", State: "acked", Level: "blue", Since: event.Stamp{Boot: 11, M: 1234}, Quality: drivers.Comm},
		},
		Outputs: []OutputNow{{ID: "siren", On: true, Why: []string{"pond.level/red"}}, {ID: "horn", Fault: "no answer"}},
	}
	got := append(u.snapshotMessages(yes), u.snapshotMessages(Snapshot{Mode: "running"})...)
	golden(t, "snapshot.txt", steady(u, bytes.Join(got, []byte("\n"))))
}

func TestHealthOnTheWire(t *testing.T) {
	b := newBench(t, 1<<20)
	e := b.env()
	share, load, days, free, life := 0.995, 0.25, 12.5, uint64(1<<30), 40
	e.Health = func() Health {
		return Health{
			Units:   []UnitHealth{{ID: "level1", Online: true, Answered: &share}, {ID: "gas1"}},
			Uplinks: []UplinkHealth{HealthOf("county", State{Connected: true, Data: 7, Behind: 2 * time.Second, Oldest: wall}, time.UnixMilli(wall))},
			Buffer: BufferHealth{Bytes: 4096, Days: &days, Waiting: 40, Room: 60_000, Error: "full",
				Disk: DiskHealth{Free: &free, Slowest: 12, Life: &life, Worn: "warning"}},
			Clock: "synced", Memory: 20 << 20, Load: &load, Uptime: 5000,
		}
	}
	u := New(uplinkConfig(), e)
	golden(t, "health.txt", steady(u, u.healthMessage()))
}

func TestStatusOnTheWire(t *testing.T) {
	b := newBench(t, 1<<20)
	b.happen("red", 0)
	u := b.uplink(uplinkConfig())
	var got [][]byte
	for _, c := range []record.Clock{record.Synced, record.Unknown} {
		b.setNow(1_000_000, c)
		m := u.status("online")
		if !m.retained || m.topic != "pithead/v1/shidian-tsf/gw-01/status" {
			t.Errorf("status goes to %s, retained %v", m.topic, m.retained)
		}
		got = append(got, steady(u, m.payload))
	}
	golden(t, "status.txt", bytes.Join(got, []byte("\n")))
}
