package main

import (
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"pithead/config"
	"pithead/drivers"
)

const replaySite = `
version: 1
site: pit
gateway: g1
buses: {rs1: {serial: /dev/ttyS1}}
devices: {d: {bus: rs1, unit: 1, every: 10s}}
points:
  level: {name: 库水位, unit: m, device: d, holding: 0, type: f32, alarms: [{level: yellow, above: 8, clear: 7.5, for: 30s}]}
  door: {device: d, coil: 1, states: {0: 开, 1: 关}, alarms: [{level: red, equals: 开}]}
  free: {unit: m, value: "10 - level", alarms: [{level: red, below: 1}]}
`

const replayCSV = `time,point,value,quality
2026-03-01T08:00:00+08:00,level,7.0,
2026-03-01T08:00:10+08:00,level,8.2,
2026-03-01T08:00:10+08:00,door,关,
2026-03-01T08:00:20+08:00,level,,comm
2026-03-01T08:01:00+08:00,level,9.1,
2026-03-01T08:01:10+08:00,level,7.4,good
2026-03-01T08:01:20+08:00,door,0,
2026-03-01T08:01:20+08:00,nobody,1,
`

func TestReplay(t *testing.T) {
	dir := t.TempDir()
	site, other := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "other.yaml")
	write(t, site, replaySite)
	write(t, other, strings.Replace(replaySite, "for: 30s", "for: 2m", 1))
	deadband := filepath.Join(dir, "deadband.yaml")
	write(t, deadband, strings.Replace(replaySite, "type: f32", "type: f32, deadband: 0.05", 1))
	csv, ndjson, sorted := filepath.Join(dir, "r.csv"), filepath.Join(dir, "r.ndjson"), filepath.Join(dir, "by-point.csv")
	write(t, csv, "\ufeff"+strings.ReplaceAll(replayCSV, "\n", "\r\n"))
	write(t, ndjson, `{"n":1,"t":1772323200000,"p":"level","v":7}
{"p":"level","n":2,"t":1772323210000,"v":8.2}
{"p": "door", "n": 3, "t": 1772323210000, "v": true}
{"p":"level","n":4,"t":1772323220000,"q":"comm"}
{"p":"level","n":5,"t":1772323260000,"v":9.1}
{"p":"level","n":6,"m":5,"v":7.4}
{"p":"level","n":7,"t":1772323270000,"v":7.4}
{"p":"door","n":8,"t":1772323280000,"v":false}
{"p":"nobody","n":9,"t":1772323280000,"v":1}
`)
	lines := strings.Split(strings.TrimSpace(replayCSV), "\n")
	write(t, sorted, strings.Join([]string{lines[0], lines[3], lines[7], lines[8], lines[1], lines[2], lines[4], lines[5], lines[6]}, "\n"))
	// The delay ends by itself, while the gauge says nothing.
	const story = `  2026-03-01 08:00:40.000  alarm    level/yellow                 active    yellow   comm (limit 8)  库水位
  2026-03-01 08:01:00.000  alarm    free/red                     active    red      0.9 (limit 1)
  2026-03-01 08:01:10.000  alarm    level/yellow                 normal    yellow   7.4 (limit 8)  库水位
  2026-03-01 08:01:10.000  alarm    free/red                     normal    red      2.6 (limit 1)
  2026-03-01 08:01:20.000  alarm    door/red                     active    red      false

`
	for _, c := range []struct {
		name   string
		args   []string
		status int
		out    []string
		err    string
	}{
		{"a table", []string{site, csv}, done, []string{story, "level/yellow  yellow  1       30s", "door/red      red     1       0s      0s       0           stands", "8 readings, to 2026-03-01 08:01:20", "1 of them are of points that " + site + " does not have"}, ""},
		{"an export", []string{site, ndjson}, done, []string{story, "1 more were left out: the clock was not known"}, ""},
		{"the site file by its flag", []string{csv, "--site", site}, done, []string{story}, ""},
		{"a table by point is put in order", []string{site, sorted}, done, []string{story}, ""},
		{"with a deadband it is approximate", []string{deadband, csv}, done, []string{"Approximate:", "level (deadband 0.05)"}, ""},
		{"another limit", []string{site, csv, "--compare", other}, done, []string{"- 2026-03-01 08:00:40.000  alarm    level/yellow", "- 2026-03-01 08:01:10.000  alarm    level/yellow", "1 > 0", "30s > 0s"}, ""},
		{"the same file twice", []string{site, csv, "--compare", site}, done, []string{"Both files tell the same events."}, ""},
		{"for scripts", []string{site, csv, "--json"}, done, []string{`{"t":1772323240000,"kind":"alarm","id":"level/yellow","name":"库水位","state":"active"`, `"alarms":[{"id":"level/yellow","level":"yellow","raised":1,"seconds":30,"longest":30,"chattering":0}`}, ""},
		{"a comparison for scripts", []string{site, csv, "--json", "--compare", other}, done, []string{`"in":"first"`, `"other":[`}, ""},
		{"nothing to read", []string{"--site", site}, usage, nil, "want pithead replay [FILE] READINGS"},
		{"no such file", []string{site, "gone.csv"}, wrong, nil, "gone.csv"},
		{"a site file as readings", []string{site, site}, wrong, nil, "line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, err := try(t, append([]string{"replay"}, c.args...)...)
			if status != c.status || !strings.Contains(err, c.err) {
				t.Fatalf("exit %d, %s\n%s", status, err, out)
			}
			for _, want := range c.out {
				if !strings.Contains(out, want) {
					t.Errorf("out:\n%s\nwant\n%s", out, want)
				}
			}
		})
	}
}

func TestAnAlarmThatChatters(t *testing.T) {
	dir := t.TempDir()
	site, csv := filepath.Join(dir, "site.yaml"), filepath.Join(dir, "r.csv")
	write(t, site, strings.Replace(replaySite, ", for: 30s", "", 1))
	text := "time,point,value,quality\n"
	for i := range 12 { // up and down each 10 s: four raises within a minute, then on
		text += strconv.Itoa(1772323200000+10_000*i) + ",level," + []string{"7", "8.5"}[i%2] + ",\n"
	}
	write(t, csv, text)
	_, out, _ := try(t, "replay", site, csv)
	if want := "level/yellow  yellow  6       50s     10s      4           stands"; !strings.Contains(out, want) {
		t.Errorf("out:\n%s\nwant %q", out, want)
	}
}

func TestReadingsThatAreNone(t *testing.T) {
	for _, c := range []struct{ story, text, want string }{
		{"no time", "time,point,value\nyesterday,a,1\n", `line 2: "yesterday" is no time; want RFC 3339`},
		{"no point", "time,point,value\n1,,1\n", "line 2: column 2: no point"},
		{"no value and no reason", "1,a,\n", "line 1: no value"},
		{"a quality that is none", "1,a,1,perhaps\n", `line 1: "perhaps" is no quality; want good or empty`},
		{"a quote that never ends", "1,\"a,1\n", `line 1: there is no " at the end`},
		{"a text for a number", "1,level,high\n", `line 1: "high" is no value of level`},
		{"not a number", "1,level,NaN\n", `"NaN" is no value`},
		{"JSON that is cut off", `{"p":"a","t":1` + "\n", "line 1: is no reading"},
		{"JSON without a time", `{"p":"a","v":1}`, `it has no "t"`},
		{"JSON without a point", `{"t":1,"v":1}`, `it has no "p"`},
		{"JSON without a value", `{"p":"a","t":1}`, `it has neither "v" nor "q"`},
		{"JSON of another quality", `{"p":"a","t":1,"q":"so-so"}`, `"so-so" is no quality`},
		{"a line without an end", "1,a," + strings.Repeat("9", 2<<20), "line 1 is longer"},
	} {
		rec := newRecorded(strings.NewReader(c.text), &config.Site{Points: []config.Point{{ID: "level", Common: &config.Common{Type: "f32"}, Own: &config.Own{}}}})
		if _, err := rec.next(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.story, err, c.want)
		}
	}
}

// What one form of a line says, the other says too, and the quick way through
// JSON says what the long one does.
func TestFormsOfAReadingAreOne(t *testing.T) {
	at := time.UnixMilli(1772323200123)
	num := drivers.NumberValue
	for _, c := range []struct {
		text string
		want drivers.Reading
	}{
		{`{"p":"a","n":1,"t":1772323200123,"v":1.5}`, drivers.Reading{Point: "a", Value: num(1.5)}},
		{`{"n":1,"t":1772323200123,"p":"a","v":-3}`, drivers.Reading{Point: "a", Value: num(-3)}},
		{` { "t":1772323200123, "p":"a", "v":"open \"it\"" } `, drivers.Reading{Point: "a", Value: drivers.TextValue(`open "it"`)}},
		{`{"p":"a","t":1772323200123,"q":"exception","x":2}`, drivers.Reading{Point: "a", Quality: drivers.Exception, Code: 2}},
		{`{"p":"a","t":1772323200123,"q":"test","v":7}`, drivers.Reading{Point: "a", Quality: drivers.Test, Value: num(7)}},
		{`{"p":"b","t":1772323200123,"v":1}`, drivers.Reading{Point: "b", Value: drivers.BoolValue(true)}},
		{`{"p":"a","t":1772323200123,"v":18446744073709551615}`, drivers.Reading{Point: "a", Value: drivers.UintValue(1<<64 - 1)}},
		{"1772323200123,a,1.5,", drivers.Reading{Point: "a", Value: num(1.5)}},
		{`"1772323200123","a","1.5"`, drivers.Reading{Point: "a", Value: num(1.5)}},
		{"2026-03-01T08:00:00.123+08:00,b,开", drivers.Reading{Point: "b", Value: drivers.BoolValue(false)}},
		{"1772323200123,b,true,good", drivers.Reading{Point: "b", Value: drivers.BoolValue(true)}},
		{"point;quality;time;value\na;;1772323200123;1.5", drivers.Reading{Point: "a", Value: num(1.5)}},
	} {
		rec := newRecorded(strings.NewReader(c.text), &config.Site{Points: []config.Point{
			{ID: "b", Common: &config.Common{Type: "bool"}, Own: &config.Own{States: []config.State{{Value: drivers.BoolValue(false), Label: "开"}}}}}})
		x, err := rec.next()
		if c.want.At = at; err != nil || !x.At.Equal(at) || x.Point != c.want.Point || x.Value != c.want.Value || x.Quality != c.want.Quality || x.Code != c.want.Code {
			t.Errorf("%s: %v %v, want %v", c.text, x, err, c.want)
		}
	}
}

func FuzzRecorded(f *testing.F) {
	f.Add(replayCSV)
	f.Add(`{"p":"a","n":1,"t":1772323200123,"v":1.5}` + "\n" + `{"p":"a","t":1,"q":"comm"}`)
	f.Add("time;point\n\"1\";\"b\"")
	f.Fuzz(func(t *testing.T, text string) {
		rec := newRecorded(strings.NewReader(text), &config.Site{Points: []config.Point{{ID: "b", Common: &config.Common{Type: "bool"}, Own: &config.Own{}}, {ID: "a", Common: &config.Common{Type: "f32"}, Own: &config.Own{}}}})
		for {
			x, err := rec.next()
			if errors.Is(err, io.EOF) || err != nil && err.Error() == "" {
				return
			}
			if err != nil {
				if !strings.HasPrefix(err.Error(), "line ") {
					t.Fatalf("an error without a line: %v", err)
				}
				return
			}
			if x.Point == "" || x.Quality == drivers.Good && x.Value.Kind() == drivers.None {
				t.Fatalf("a reading that says nothing: %v", x)
			}
			if f := x.Value.Float(); x.Value.Kind() == drivers.Number && f-f != 0 {
				t.Fatalf("no number: %v", x)
			}
		}
	})
}

// The reading goroutine is gone when the replay is, however that ends.
func TestChunksEnd(t *testing.T) {
	text := strings.Builder{}
	for i := range 100_000 {
		text.WriteString(strconv.Itoa(1+i) + ",a," + strconv.Itoa(rand.IntN(100)) + "\n")
	}
	rec := newRecorded(strings.NewReader(text.String()))
	c := rec.chunks()
	if x := <-c.full; len(x.readings) != chunkLength || x.lines[0] != 1 {
		t.Errorf("%d readings, the first on line %v", len(x.readings), x.lines[0])
	}
	c.close()
}
