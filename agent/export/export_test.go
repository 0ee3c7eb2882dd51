package export

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/buffer"
	"pithead/drivers"
)

func TestRows(t *testing.T) {
	b := newBench(t, 1<<20)
	b.store(record.Batch{Boot: 3, Clock: record.Synced, Offset: morning, Readings: []record.Reading{
		{Point: "pond.level", M: 0, Value: drivers.NumberValue(1247.315)},
		{Point: "gas.ch4", M: 40, Quality: drivers.Comm},
		{Point: "gas.ch4", M: 80, Quality: drivers.Exception, Code: 2},
		{Point: "pond.rain", M: 1000, Value: drivers.BoolValue(true)},
		{Point: "pond.rain", M: 1001, Value: drivers.TextValue(`a "b", c`)},
		{Point: "pond.level", M: 1002, Value: drivers.NumberValue(7), Quality: drivers.Test},
	}})
	b.store(record.Batch{Boot: 4, Readings: []record.Reading{{Point: "pond.level", M: 99, Value: drivers.NumberValue(1)}}})
	s := b.source(nil)

	got, r := b.export(s, parse(t, "", "", "", false))
	want := `{"p":"pond.level","n":1,"t":1772323200000,"v":1247.315}
{"p":"gas.ch4","n":2,"t":1772323200040,"q":"comm"}
{"p":"gas.ch4","n":3,"t":1772323200080,"q":"exception","x":2}
{"p":"pond.rain","n":4,"t":1772323201000,"v":true}
{"p":"pond.rain","n":5,"t":1772323201001,"v":"a \"b\", c"}
{"p":"pond.level","n":6,"t":1772323201002,"v":7,"q":"test"}
{"p":"pond.level","n":7,"boot":4,"m":99,"v":1}
`
	if got != want || r.Rows != 7 || r.Last != 7 {
		t.Errorf("%+v\n%s", r, got)
	}
	got, r = b.export(s, parse(t, "", "", "csv", false))
	want = `time,point,value,quality
2026-03-01T08:00:00.000+08:00,pond.level,1247.315,
2026-03-01T08:00:00.040+08:00,gas.ch4,,comm
2026-03-01T08:00:00.080+08:00,gas.ch4,,exception
2026-03-01T08:00:01.000+08:00,pond.rain,true,
2026-03-01T08:00:01.001+08:00,pond.rain,"a ""b"", c",
2026-03-01T08:00:01.002+08:00,pond.level,7,test
`
	if got != want || r.Undated != 1 {
		t.Errorf("%+v\n%s", r, got)
	}
	// The clock of boot 4 became known later.
	got, r = b.export(b.source(map[uint32]int64{4: morning}), parse(t, "n:7", "", "csv", false))
	if !strings.Contains(got, "08:00:00.099+08:00,pond.level,1,") || r.Undated != 0 {
		t.Errorf("%+v\n%s", r, got)
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	b := newBench(t, 1<<20)
	b.readings(60, 1, record.Synced, 0)     // 1-180, 08:00:00 to 08:00:59
	b.readings(60, 1, record.Unknown, 60e3) // 181-360, no wall time
	b.readings(60, 1, record.Synced, 120e3) // 361-540, 08:02:00 to 08:02:59
	s := b.source(nil)
	for _, c := range []struct {
		name, from, to string
		points         []string
		want           string
		undated        int
	}{
		{"all", "", "", nil, "1-540", 0},
		{"numbers", "10", "n:20", nil, "10-20", 0},
		{"a number that has not come yet", "530", "9000", nil, "530-540", 0},
		{"one minute by its name", "2026-03-01T08:00", "2026-03-01 08:00", nil, "1-180", 180},
		{"one second", "2026-03-01T08:00:05", "2026-03-01T08:00:05", nil, "16-18", 180},
		{"a day", "2026-03-01", "2026-03-01", nil, "1-180 361-540", 180},
		{"the day before", "2026-02-28", "2026-02-28", nil, "", 180},
		{"RFC 3339 elsewhere", "2026-03-01T00:02:59Z", "", nil, "538-540", 180},
		{"Unix ms", "", "1772323200000", nil, "1-3", 180},
		{"from a time to a number", "2026-03-01T08:00:59", "n:400", nil, "178-180 361-400", 180},
		{"one point", "1", "9", []string{"pond.rain"}, "3-3 6-6 9-9", 0},
		{"two patterns", "1", "6", []string{"gas.*, *.rain"}, "1-1 3-4 6-6", 0},
		{"no such point", "", "", []string{"shaft.*"}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, r := b.export(s, parse(t, c.from, c.to, "", false, c.points...))
			if numbers(t, got) != c.want || r.Undated != c.undated || len(r.Lost) > 0 {
				t.Errorf("%s, %+v; want %s and %d undated", numbers(t, got), r, c.want, c.undated)
			}
		})
	}
}

func TestWhatCantBeAskedFor(t *testing.T) {
	for _, c := range []struct {
		from, to, format string
		events           bool
		points           []string
		want             string
	}{
		{"yesterday", "", "", false, nil, `from: "yesterday" is neither a time nor a number`},
		{"", "08:00", "", false, nil, `to: "08:00" is neither`},
		{"0", "", "", false, nil, `from: "0" is neither`},
		{"n:-5", "", "", false, nil, "neither"},
		{"", "", "xml", false, nil, "want ndjson or csv"},
		{"", "", "", true, []string{"a"}, "events go whole"},
	} {
		if _, err := Parse(c.from, c.to, c.points, c.events, c.format, east8); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Promise 3: also of some of the time, and over a clock that was set back.
func TestEventsCanBeVerified(t *testing.T) {
	b := newBench(t, 1<<20)
	for i, s := range []int64{0, 10, 20, -300, -290, 30, 40, 50} {
		b.event(event.Event{Kind: "alarm", ID: "pond.level/red", State: "active", Why: strings.Repeat("x", i)}, morning+s*1000)
	}
	s := b.source(nil)
	for _, c := range []struct{ from, to, want string }{
		{"", "", "1-8"},
		{"3", "5", "3-5"},
		{"2026-03-01T08:00:10", "2026-03-01T08:00:40", "2-7"}, // 4 and 5 say 07:55
		{"2026-03-01T09:00", "", ""},
	} {
		got, r := b.export(s, parse(t, c.from, c.to, "", true))
		if numbers(t, got) != c.want {
			t.Errorf("%s to %s: %s, want %s", c.from, c.to, numbers(t, got), c.want)
		}
		rep, err := event.Verify(strings.NewReader(got), event.Options{})
		if err != nil || r.Rows > 0 && !rep.Whole() {
			t.Errorf("%s to %s: %v %+v", c.from, c.to, err, rep)
		}
	}
	got, _ := b.export(s, parse(t, "1", "2", "csv", true))
	want := "n,time,kind,id,name,state,level,point,value,limit,by,why,rest\n" +
		"1,2026-03-01T08:00:00.000+08:00,alarm,pond.level/red,,active,,,,,,,\n" +
		"2,2026-03-01T08:00:10.000+08:00,alarm,pond.level/red,,active,,,,,,x,\n"
	if got != want {
		t.Error(got)
	}
}

// Promise 2: what is damaged is told, with the frames that mean nothing without it.
func TestDamageIsTold(t *testing.T) {
	b := newBench(t, 1<<20)
	b.readings(10, 1, record.Synced, 0) // frames of 3 from 1 on; the key before them
	b.event(event.Event{Kind: "start"}, morning)
	b.event(event.Event{Kind: "stop"}, morning)
	b.log.Close()
	name := b.damage(data, 0, 4096*4+60) // block 0 the header, 1 the key, 2 on the frames
	got, r := b.export(b.source(nil), parse(t, "", "", "", false))
	if numbers(t, got) != "1-6" || len(r.Lost) != 2 || !r.Damaged() {
		t.Fatalf("%s %+v", numbers(t, got), r)
	}
	if g := r.Lost[0]; g.Segment != name || g.Offset != 4096*4 || g.First != 7 || g.Last != 9 {
		t.Errorf("%+v", g)
	}
	if g := r.Lost[1]; g.First != 10 || g.Last != 30 {
		t.Errorf("%+v", g)
	}

	h, err := Check(t.Context(), b.dir, b.source(nil).View, nil)
	if err != nil || h.Sound() || len(h.Damage) != 2 || h.Damage[0].Segment != name {
		t.Fatalf("%v %+v", err, h)
	}
	if h.Lanes[0].Name != data || h.Lanes[0].Records != 6 || h.Lanes[1].Records != 2 {
		t.Errorf("%+v", h.Lanes)
	}
}

func TestASoundBufferIsSound(t *testing.T) {
	b := newBench(t, 1<<20)
	b.readings(5, 1, record.Synced, 0)
	b.event(event.Event{Kind: "start"}, morning)
	payload := record.AppendStats(nil, record.StatBatch{Boot: 1, Stats: []record.Stat{{Point: "pond.rain"}}})
	if err := b.log.Lane(stats).Append(payload, 1); err != nil {
		t.Fatal(err)
	}
	share := 0.0
	h, err := Check(t.Context(), b.dir, b.source(nil).View, func(x float64) {
		if x < share || x > 1 {
			t.Errorf("from %v to %v done", share, x)
		}
		share = x
	})
	if err != nil || !h.Sound() {
		t.Fatalf("%v %+v", err, h)
	}
}

// An event that was changed, with a right checksum, is found by its chain.
func TestAChangedEventIsFound(t *testing.T) {
	var l links
	b := newBench(t, 1<<20)
	for i, e := range []event.Event{{Kind: "start"}, {Kind: "alarm", ID: "a"}, {Kind: "stop"}} {
		payload := b.chain.Next(e, event.Stamp{Boot: 1})
		b.chain.Commit()
		err := l.judge(buffer.Frame{First: uint64(i + 1), Count: 1, Payload: bytes.Replace(payload, []byte(`"id":"a"`), []byte(`"id":"b"`), 1)})
		if (err != nil) != (i == 2) {
			t.Errorf("event %d: %v", i+1, err)
		}
	}
}

// Promises 1 and 4: while a writer writes, and its oldest segments go.
func TestALiveBuffer(t *testing.T) {
	b := newBench(t, 512<<10)
	b.readings(1, 1, record.Synced, 0)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for i := int64(1); ; i++ {
			select {
			case <-stop:
				return
			default:
				b.readings(1, 1, record.Synced, i*1000)
			}
		}
	}()
	defer func() { close(stop); <-ended }()
	for range 30 {
		s := b.source(nil)
		got, r := b.export(s, parse(t, "", "", "", false))
		if r.Damaged() {
			t.Fatalf("%+v", r)
		}
		if len(r.Lost) == 0 && strings.Contains(numbers(t, got), " ") {
			t.Fatalf("a hole that is not told: %s", numbers(t, got))
		}
		if h, err := Check(t.Context(), b.dir, s.View, nil); err != nil || !h.Sound() {
			t.Fatalf("%v %+v", err, h)
		}
	}
}

// Promise 1: told to stop, it ends with a whole row.
func TestStopped(t *testing.T) {
	b := newBench(t, 1<<20)
	b.readings(100, 1, record.Synced, 0)
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	frames := 0
	r, err := Export(ctx, b.source(nil), parse(t, "", "", "", false), &out, func(float64) {
		if frames++; frames == 20 {
			cancel()
		}
	})
	if err != nil || !r.Stopped || !strings.HasSuffix(out.String(), "}\n") || numbers(t, out.String()) != "1-57" || r.Last != 57 {
		t.Errorf("%v %+v %s", err, r, numbers(t, out.String()))
	}
	h, err := Check(ctx, b.dir, b.source(nil).View, nil)
	if err != nil || !h.Stopped || h.Sound() {
		t.Errorf("%v %+v", err, h)
	}
}

// Promise 4.
func TestNothingIsChanged(t *testing.T) {
	b := newBench(t, 1<<20)
	b.readings(50, 1, record.Synced, 0)
	b.log.Close()
	b.damage(data, 0, 4096*3+50)
	before := picture(t, b.dir)
	b.export(b.source(nil), parse(t, "", "", "", false))
	if _, err := Check(t.Context(), b.dir, b.source(nil).View, nil); err != nil {
		t.Fatal(err)
	}
	if after := picture(t, b.dir); after != before {
		t.Errorf("%s\n%s", before, after)
	}
}

// picture is every file of a folder: its name, bytes and times.
func picture(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		all.WriteString(path + " " + info.ModTime().String() + "\n")
		if !info.IsDir() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			all.Write(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
