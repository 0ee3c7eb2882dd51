//go:build board

package board

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

const gpioSite = `version: 1
site: board
gateway: gw
buses:
  box: {gpio: box}
  exp: {gpio: exp}
points:
  rain: {gpio: box/rain, counts: 1, every: 1s}
  bucket: {gpio: box/bucket, counts: 1, debounce: 20ms, every: 1s}
  gas: {gpio: box/gas, frequency: 1s, every: 1s}
  held: {gpio: box/held, every: 1s}
  bolt: {gpio: exp/bolt, every: 1s}
uplinks:
  county: {mqtt: "tcp://10.0.2.2:%d"}
buffer: {dir: /data/buffer, size: 32MB, commit: 1s}
`

const holderSite = `version: 1
site: other
gateway: gw
buses:
  box: {gpio: box}
points:
  held: {gpio: box/held}
web: {listen: 127.0.0.1:8099}
buffer: {dir: /tmp/other, size: 8MB}
`

// read is what a point reads now: its value, or its quality.
func read(t *testing.T, b *Board, point string) string {
	t.Helper()
	var reads []struct {
		Value   json.RawMessage
		Quality string
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		out, err := b.Run("pithead read " + point + " --json; true")
		if err != nil {
			t.Fatal(err)
		}
		if err = json.Unmarshal([]byte(strings.TrimSpace(out)), &reads); err == nil && len(reads) == 1 {
			break
		}
		if time.Now().After(end) { // the agent may be too busy to answer at once
			t.Fatalf("%q: %v", out, err)
		}
	}
	if reads[0].Quality != "good" {
		return reads[0].Quality
	}
	return string(reads[0].Value)
}

func expect(t *testing.T, b *Board, point, want string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if got = read(t, b, point); got == want {
			return
		}
	}
	t.Errorf("%s reads %s, want %s", point, got, want)
}

// settled is a total and what was told as lost, once that is right and stands, or as
// it is after patience.
func settled(t *testing.T, e *ear, b *Board, point string, right func(counted, lost, gaps int) bool) (counted, lost, gaps int) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(500 * time.Millisecond) {
		lost, gaps = e.lost(point)
		if counted = count(t, b, point); right(counted, lost, gaps) || time.Now().After(end) {
			break
		}
	}
	time.Sleep(3 * time.Second) // time for what is too much; what was lost is told with the next poll
	lost, gaps = e.lost(point)
	return count(t, b, point), lost, gaps
}

// count is a total.
func count(t *testing.T, b *Board, point string) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(read(t, b, point), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLines(t *testing.T) {
	for _, arch := range []string{"arm64", "armv7"} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			e := listen(t)
			disk := t.TempDir() + "/disk"
			if err := NewDisk(disk, 128<<20); err != nil {
				t.Fatal(err)
			}
			b, err := Boot(prepare(t, arch), Config{Disk: disk, Chips: []Chip{{Label: "box", Lines: []string{"rain", "bucket", "gas", "held"}}, {Label: "exp", Lines: []string{"bolt"}}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Cut)
			site := fmt.Sprintf(gpioSite, e.port)
			if err := b.Put("/etc/site.yaml", site); err != nil {
				t.Fatal(err)
			}
			pid, err := b.Start("pithead run /etc/site.yaml")
			if err != nil {
				t.Fatal(err)
			}
			session := e.renewed("")
			manyToggles(t, e, b)
			bounce(t, e, b)
			frequency(t, b)
			heldLine(t, b)
			chipGone(t, b)
			killedInATrain(t, e, b, pid, session)
		})
	}
}

// manyToggles changes a line 10,000 times as fast as the board can: each is
// counted, or the gap is reported.
func manyToggles(t *testing.T, e *ear, b *Board) {
	t.Helper()
	const toggles = 10_000
	took, err := b.Toggle("rain", toggles, 0)
	if err != nil {
		t.Fatal(err)
	}
	// Of an odd gap one more edge of the one kind may be missing than of the other.
	right := func(counted, lost, gaps int) bool {
		return (lost > 0 || counted == toggles/2) && math.Abs(float64(2*counted+lost-toggles)) <= float64(gaps)
	}
	counted, lost, gaps := settled(t, e, b, "rain", right)
	t.Logf("figure: %d changes in %v (%.0f a second): %d pulses counted, %d edges told as lost", toggles, took.Round(time.Millisecond), toggles/took.Seconds(), counted, lost)
	if !right(counted, lost, gaps) {
		t.Errorf("%d pulses counted and %d edges lost are not %d changes", counted, lost, toggles)
	}
}

// bounce is a contact that bounces: 11 edges in 10 ms are one change. Where the
// board was held up in the middle, the contact bounced for longer: once more.
func bounce(t *testing.T, e *ear, b *Board) {
	t.Helper()
	const debounce = 20 * time.Millisecond
	for try := 1; ; try++ {
		before := count(t, b, "bucket")
		took, err := b.Toggle("bucket", 11, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		n, _, _ := settled(t, e, b, "bucket", func(counted, _, _ int) bool { return counted > before })
		if n == before+1 {
			return
		}
		if took < debounce || try == 10 {
			t.Errorf("a contact that bounces for %v counts %d, want 1", took, n-before)
			return
		}
		if err := b.Pull("bucket", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
}

// frequency measures what was really given, by the board's own clock. An
// emulated board does not toggle evenly, and is held up now and then, so it is the
// mean of many windows, and one of five tries.
func frequency(t *testing.T, b *Board) {
	t.Helper()
	var got, want float64
	for range 5 {
		got, want = hertz(t, b)
		t.Logf("figure: %.1f Hz read %.1f, the mean of many windows", want, got)
		time.Sleep(3 * time.Second)
		expect(t, b, "gas", "0")
		if math.Abs(got-want) <= 0.15*want {
			return
		}
	}
	t.Errorf("reads %.1f Hz, was given %.1f", got, want)
}

// hertz is what was stored of the line while it toggled, and what it was given: the
// mean of the windows that lay wholly within, which follow each other.
func hertz(t *testing.T, b *Board) (got, want float64) {
	t.Helper()
	const toggles = 6000
	before := len(stored(t, b, "gas"))
	took, err := b.Toggle("gas", toggles, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	var all []float64
	for end := time.Now().Add(patience); ; time.Sleep(500 * time.Millisecond) {
		all = stored(t, b, "gas")
		all = all[min(before, len(all)):]
		moves := func(hertz float64) bool { return hertz > 0 }
		begins := slices.IndexFunc(all, moves)
		slices.Reverse(all) // a mean of them does not mind
		stands := slices.IndexFunc(all, moves)
		if stands >= 3 && len(all)-stands-begins >= 3 { // all of it is stored, and what follows
			all = all[stands+1 : len(all)-begins-1]
			break
		}
		if time.Now().After(end) {
			t.Fatalf("of a line that toggled for %v is stored %v", took, all)
		}
	}
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all)), toggles / 2 / took.Seconds()
}

// heldLine is a line that another program has.
func heldLine(t *testing.T, b *Board) {
	t.Helper()
	expect(t, b, "held", "false")
	if err := b.Put("/etc/holder.yaml", holderSite); err != nil {
		t.Fatal(err)
	}
	// Only one of the two can have it: the other sees that, and goes on with the rest.
	holder, err := b.Start("env PITHEAD_SOCKET=/tmp/other.sock pithead run /etc/holder.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for end := time.Now().Add(patience); !strings.Contains(out, "comm") && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		out, _ = b.Run("PITHEAD_SOCKET=/tmp/other.sock pithead read held 2>&1; true")
	}
	if !strings.Contains(out, "comm") || !strings.Contains(out, "busy") {
		t.Errorf("the second program reads the line that is held: %s", out)
	}
	expect(t, b, "held", "false")
	if _, err := b.Run(fmt.Sprintf("kill -9 %d", holder)); err != nil {
		t.Fatal(err)
	}
}

// chipGone takes an expander away and puts it back.
func chipGone(t *testing.T, b *Board) {
	t.Helper()
	if err := b.Pull("bolt", true); err != nil {
		t.Fatal(err)
	}
	expect(t, b, "bolt", "true")
	bucket := count(t, b, "bucket")
	if err := b.Plug("exp", false); err != nil {
		t.Fatal(err)
	}
	expect(t, b, "bolt", "comm")
	if n := count(t, b, "bucket"); n != bucket {
		t.Errorf("the other chip's counter reads %d, want %d", n, bucket)
	}
	if err := b.Plug("exp", true); err != nil {
		t.Fatal(err)
	}
	expect(t, b, "bolt", "false")
	if err := b.Pull("bolt", true); err != nil {
		t.Fatal(err)
	}
	expect(t, b, "bolt", "true")
}

// stored is what a point has read so far, as the buffer has it; what was bad is
// left out.
func stored(t *testing.T, b *Board, point string) (all []float64) {
	t.Helper()
	out, err := b.Run("pithead buffer export --points " + point + " 2>/dev/null; true")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		var r struct{ V *float64 }
		if json.Unmarshal([]byte(line), &r) == nil && r.V != nil {
			all = append(all, *r.V)
		}
	}
	return all
}

// lastOf is the newest of them; 0: there is none.
func lastOf(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1]
}

// killedInATrain kills the agent while pulses come, and starts it again: no
// pulse is counted twice, and what is missing is what came while it was away
// and had not been stored before.
func killedInATrain(t *testing.T, e *ear, b *Board, pid int, session string) {
	t.Helper()
	const gap = 2 * time.Millisecond
	before := count(t, b, "rain")
	done := make(chan error, 1)
	go func() {
		_, err := b.Toggle("rain", 1_000_000, gap)
		done <- err
	}()
	given := func() int {
		n, err := b.Toggled()
		if err != nil {
			t.Fatal(err)
		}
		return n / 2
	}
	time.Sleep(3 * time.Second)
	safe := given()
	lostOf := func(point string) int { lost, _ := e.lost(point); return lost }
	seen := func() bool { return count(t, b, "rain")+lostOf("rain") >= before+safe }
	for end := time.Now().Add(patience); !seen(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d pulses were given and are not counted", safe)
		}
	}
	counted := time.Now()
	for end := counted.Add(patience); lastOf(stored(t, b, "rain")) < float64(before+safe-lostOf("rain")); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d pulses were given and counted, and are not stored within %v", safe, patience)
		}
	}
	t.Logf("figure: what was counted was stored after %v, each 1s, commit 1s", time.Since(counted).Round(100*time.Millisecond))
	if _, err := b.Run(fmt.Sprintf("kill -9 %d", pid)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Start("pithead run /etc/site.yaml"); err != nil {
		t.Fatal(err)
	}
	e.renewed(session)
	back := given()
	e.wait(10*time.Second, "rain doubt  rain")
	time.Sleep(2 * time.Second)
	if err := b.Halt(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	pulses := given()
	least := func(lost int) int { return safe + pulses - back - lost - 1 } // one may lie across the start
	all, lost, _ := settled(t, e, b, "rain", func(counted, lost, _ int) bool { return counted-before >= least(lost) })
	all -= before
	t.Logf("figure: of %d pulses %d counted; %d were given and stored before the kill, %d until the agent was back", pulses, all, safe, back)
	if all > pulses || all < least(lost) {
		t.Errorf("%d pulses counted, want %d to %d", all, least(lost), pulses)
	}
}
