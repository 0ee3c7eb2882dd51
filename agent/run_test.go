package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/buffer"
	"pithead/config"
	"pithead/drivers"
)

// simSite is a whole site without hardware, in one file.
func simSite(t *testing.T, dir, text string) *config.Site {
	t.Helper()
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	site, problems := config.Parse("site.yaml", []byte(text+"\nbuffer: {dir: "+dir+", size: 16MB}\n"))
	if site == nil {
		t.Fatal(problems)
	}
	site.Web.Listen = "" // a real socket does not know virtual time
	return site
}

const pondSite = `
version: 1
site: pond
gateway: g1
buses:
  pit:
    sim:
      signals:
        pond.level: {steps: [[0s, 4], [10s, 6], [30s, 4]], repeat: 60s}
        pond.rain: {value: 2}
        door: {steps: [[0s, 1], [7s, 0], [9s, 1]], repeat: 60s}
devices:
  level1: {bus: pit, unit: 3, every: 1s}
points:
  pond.level: {unit: m, device: level1, holding: 0, type: f32, alarms: [{level: red, above: 5, clear: 4.5, for: 3s, do: [siren]}]}
  pond.free: {unit: m, value: "10 - pond.level"}
  pond.rain: {unit: mm, gpio: pit/4, counts: 0.2}
  door: {gpio: pit/5}
outputs:
  siren: {gpio: pit/6}
stats: 1m
`

// runFor runs the site in the bubble for a time, then stops it in order, or
// (crash) looks at what it left without its last word.
func runFor(t *testing.T, site *config.Site, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	was := common(site)
	if _, err := Run(ctx, site, Options{Version: "test", Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if is := common(site); is != was {
		t.Errorf("the run has changed what points share:\n%s\nwas\n%s", is, was)
	}
}

// eventsOf is all events in a buffer, as NDJSON.
func eventsOf(t *testing.T, dir string) []byte {
	t.Helper()
	v, err := buffer.OpenView(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := v.Reader(laneEvents, 1)
	defer r.Close()
	var b bytes.Buffer
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return b.Bytes()
		}
		if lost := (*buffer.Lost)(nil); errors.As(err, &lost) {
			continue // which verified sees
		}
		if err != nil {
			t.Fatal(err)
		}
		if !f.Key && f.Count > 0 {
			b.Write(append(f.Payload, '\n'))
		}
	}
}

func readingsOf(t *testing.T, dir string) (all []record.Reading) {
	t.Helper()
	v, err := buffer.OpenView(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := v.Reader(laneData, 1)
	defer r.Close()
	d := &record.Decoder{}
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.Key {
			if err := d.Key(f.Payload); err != nil {
				t.Fatal(err)
			}
			continue
		}
		b, err := d.Frame(f.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if f.First != uint64(len(all)+1) || f.Count != len(b.Readings) {
			t.Fatalf("a frame of %d readings from %d, after %d", f.Count, f.First, len(all))
		}
		all = append(all, b.Readings...)
	}
}

// told is the alarm and output events in order, a word each.
func told(t *testing.T, events []byte) string {
	t.Helper()
	var words []string
	for line := range bytes.Lines(events) {
		p, err := event.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if p.Kind == "alarm" || p.Kind == "output" {
			words = append(words, p.ID+"="+p.State)
		}
	}
	return strings.Join(words, " ")
}

func verified(t *testing.T, dir string, events []byte) {
	t.Helper()
	key, err := event.LoadKey(filepath.Join(dir, config.IdentityFile))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := event.Verify(bytes.NewReader(events), event.Options{Key: key.PublicKey()})
	if err != nil || !rep.Whole() {
		t.Fatalf("%v %+v\n%s", err, rep, events)
	}
}

func TestAReadingWalksFromTheBusToTheDisk(t *testing.T) {
	dir := t.TempDir()
	site := simSite(t, dir, pondSite)
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 50*time.Second) })
	events := eventsOf(t, dir)
	verified(t, dir, events)
	if got, want := told(t, events), "pond.level/red=active output:siren=on pond.level/red=normal output:siren=off"; got != want {
		t.Errorf("told %q, want %q\n%s", got, want, events)
	}
	by, rain := map[string]int{}, 0.0
	for _, r := range readingsOf(t, dir) {
		by[r.Point]++
		if r.Point == "pond.rain" {
			rain = r.Value.Float()
		}
		if r.Point == "pond.free" && r.Value.Float() != 6 && r.Value.Float() != 4 {
			t.Errorf("free is %v", r)
		}
	}
	if by["pond.level"] < 50 || by["pond.free"] < 50 {
		t.Errorf("stored %v", by)
	}
	if by["door"] != 3 {
		t.Errorf("the door moved twice, and %d readings of it are stored", by["door"])
	}
	if rain < 18 || rain > 20 { // two tips of 0.2 mm a second
		t.Errorf("%v mm of rain", rain)
	}
}

func TestARestartRaisesNothingTwiceAndCountsOn(t *testing.T) {
	dir := t.TempDir()
	site := simSite(t, dir, pondSite)
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 20*time.Second) }) // level is high
	before := readingsOf(t, dir)
	high := strings.Replace(pondSite, "[[0s, 4], [10s, 6], [30s, 4]], repeat: 60s", "[[0s, 6], [20s, 4]]", 1)
	synctest.Test(t, func(t *testing.T) { runFor(t, simSite(t, dir, high), 40*time.Second) })
	events := eventsOf(t, dir)
	verified(t, dir, events)
	if got, want := told(t, events), "pond.level/red=active output:siren=on pond.level/red=normal output:siren=off"; got != want {
		t.Errorf("told %q, want %q\n%s", got, want, events)
	}
	if !bytes.Contains(events, []byte(`"kind":"config"`)) {
		t.Error("the site file changed, and no event says so")
	}
	total := 0.0
	for _, r := range readingsOf(t, dir) {
		if r.Point == "pond.rain" {
			if v := r.Value.Float(); v < total {
				t.Fatalf("the rain total fell from %v to %v", total, v)
			} else {
				total = v
			}
		}
	}
	if len(before) == 0 || total < 20 {
		t.Errorf("total %v", total)
	}
}

// The last stored sample before a restart and the first after it both violate:
// the delay counts as run through.
func TestADelayThatARestartCutCountsAsRunThrough(t *testing.T) {
	dir := t.TempDir()
	slow := strings.Replace(pondSite, "for: 3s", "for: 1h", 1)
	slow = strings.Replace(slow, "[[0s, 4], [10s, 6], [30s, 4]], repeat: 60s", "[[0s, 6]]", 1)
	site := simSite(t, dir, slow)
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 10*time.Second) })
	if got := told(t, eventsOf(t, dir)); got != "" {
		t.Fatalf("told %q before the delay was over", got)
	}
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 10*time.Second) })
	if got := told(t, eventsOf(t, dir)); got != "pond.level/red=active output:siren=on" {
		t.Errorf("told %q", got)
	}
}

func TestADelayGoesOnOverAReload(t *testing.T) {
	dir := t.TempDir()
	slow := strings.Replace(pondSite, "for: 3s", "for: 20s", 1)
	slow = strings.Replace(slow, "[[0s, 4], [10s, 6], [30s, 4]], repeat: 60s", "[[0s, 6]]", 1)
	site := simSite(t, dir, slow)
	synctest.Test(t, func(t *testing.T) {
		o := Options{Version: "test", Log: slog.New(slog.DiscardHandler)}
		for i, d := range []time.Duration{10 * time.Second, 9 * time.Second, 2 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			left, err := Run(ctx, site, o)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			o.Before = left
			want := ""
			if i == 2 {
				want = "pond.level/red=active output:siren=on"
			}
			if got := told(t, eventsOf(t, dir)); got != want {
				t.Errorf("after run %d told %q, want %q", i, got, want)
			}
		}
	})
}

// A reload that brings another buffer takes the alarms along: a start that finds
// only that one forgets no latch, and releases no trip that hangs on it.
func TestAMovedBufferKnowsWhatStands(t *testing.T) {
	old, dir := t.TempDir(), t.TempDir()
	site := simSite(t, old, strings.Replace(pondSite, "for: 3s", "latch: true", 1))
	moved := *site
	moved.Buffer.Dir = dir
	synctest.Test(t, func(t *testing.T) {
		o := Options{Version: "test", Log: slog.New(slog.DiscardHandler)}
		for i, run := range []struct {
			site *config.Site
			d    time.Duration
			told string
		}{
			{site, 32 * time.Second, "pond.level/red=active output:siren=on pond.level/red=cleared"},
			{&moved, time.Second, "pond.level/red=cleared output:siren=on"},
			{site, time.Second, "pond.level/red=active output:siren=on pond.level/red=cleared"},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), run.d)
			left, err := Run(ctx, run.site, o)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			o.Before = left
			if got := told(t, eventsOf(t, run.site.Buffer.Dir)); got != run.told {
				t.Errorf("after run %d told %q, want %q", i, got, run.told)
			}
		}
	})
}

func TestABufferThatCantBeOpenedDoesNotKeepItFromGuarding(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, []byte("not a folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	site := simSite(t, dir, pondSite)
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 20*time.Second) })
	events := eventsOf(t, filepath.Join(os.TempDir(), "pithead-pond-g1"))
	if got := told(t, events); !strings.Contains(got, "agent/buffer=active") || !strings.Contains(got, "output:siren=on") {
		t.Errorf("told %q", got)
	}
}

func TestTwoAgentsDoNotShareABuffer(t *testing.T) {
	dir := t.TempDir()
	site := simSite(t, dir, pondSite)
	l, _, err := buffer.Open(buffer.Config{Dir: dir, Lanes: []buffer.LaneConfig{{Name: "events", Size: 1 << 20}}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Run(t.Context(), site, Options{Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("a second agent ran on the same buffer")
	}
}

// A head that can't be gone on with begins a new epoch that names the old one;
// trips and totals are not forgotten over it.
func TestADamagedHeadBeginsANewEpochThatNamesTheOld(t *testing.T) {
	dir := t.TempDir()
	high := strings.Replace(pondSite, "[[0s, 4], [10s, 6], [30s, 4]], repeat: 60s", "[[0s, 6]]", 1)
	high = strings.Replace(high, "for: 3s", "for: 3s, latch: true", 1)
	site := simSite(t, dir, high)
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 20*time.Second) })
	before := eventsOf(t, dir)
	lines := bytes.Split(bytes.TrimSpace(before), []byte("\n"))
	last, err := event.Parse(lines[len(lines)-1])
	if err != nil {
		t.Fatal(err)
	}
	spoil(t, dir)
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 20*time.Second) })
	both := eventsOf(t, dir)
	after, ok := bytes.CutPrefix(both, append(before, "no event\n"...))
	if !ok {
		t.Fatalf("what was there before is not there any more\n%s", both)
	}
	verified(t, dir, append(before, after...))
	first, err := event.Parse(bytes.Split(after, []byte("\n"))[0])
	if err != nil {
		t.Fatal(err)
	}
	if first.Epoch == last.Epoch || first.N != last.N+2 {
		t.Fatalf("it went on as epoch %s, event %d", first.Epoch, first.N)
	}
	if got := told(t, after); got != "" {
		t.Errorf("told %q: the alarm stood before, and still does", got)
	}
	if !strings.Contains(string(first.Member("after")), last.Epoch) {
		t.Errorf("the first event of the new epoch follows %s\n%s", first.Member("after"), after)
	}
	rain := 0.0
	for _, r := range readingsOf(t, dir) {
		if r.Point == "pond.rain" && r.Quality == drivers.Good {
			if r.Value.Float() < rain {
				t.Fatalf("the rain total began again at %v", r.Value)
			}
			rain = r.Value.Float()
		}
	}
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 5*time.Second) })
	again := bytes.TrimPrefix(eventsOf(t, dir), both)
	verified(t, dir, append(after, again...))
	if bytes.Contains(again, []byte(`"after"`)) || !bytes.Contains(again, []byte(first.Epoch)) {
		t.Errorf("the new epoch does not go on\n%s", again)
	}
}

// The power goes between setting a log aside and the first event of the new one.
func TestAPowerCutAfterALogWasSetAsideForgetsNothing(t *testing.T) {
	dir := t.TempDir()
	high := strings.Replace(pondSite, "[[0s, 4], [10s, 6], [30s, 4]], repeat: 60s", "[[0s, 6]]", 1)
	high = strings.Replace(high, "for: 3s", "for: 3s, latch: true", 1)
	site := simSite(t, dir, high)
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 10*time.Second) })
	if err := os.Rename(filepath.Join(dir, "log"), filepath.Join(dir, "log.old-1")); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { runFor(t, site, 10*time.Second) })
	events := eventsOf(t, dir)
	verified(t, dir, events)
	if got := told(t, events); got != "agent/buffer=active" {
		t.Errorf("told %q: the alarm stood before, and still does; what is kept is to be told", got)
	}
	if !bytes.Contains(events, []byte(`"after":{"epoch"`)) {
		t.Errorf("the new epoch does not name the old\n%s", events)
	}
}

// spoil puts something at the end of the events that is none.
func spoil(t *testing.T, dir string) {
	t.Helper()
	var lanes []buffer.LaneConfig
	for _, name := range []string{laneEvents, laneStats, laneData} {
		lanes = append(lanes, buffer.LaneConfig{Name: name, Size: 2 << 20})
	}
	l, _, err := buffer.Open(buffer.Config{Dir: dir, Lanes: lanes})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Lane(laneEvents).Append([]byte("no event"), 1), l.Close()); err != nil {
		t.Fatal(err)
	}
}
