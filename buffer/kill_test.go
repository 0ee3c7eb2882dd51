package buffer

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kill -9: what was written is in the page cache, synced or not, and the next
// run reads it there. make test-large kills ten thousand times in memory and a
// thousand times for real.
var (
	kills     = flag.Int("kills", 300, "kills in memory")
	realKills = flag.Int("real-kills", 15, "kills of a process")
)

// One folder, one model, killed again and again, also while opening, also while
// some operations fail; now and then the power goes, too.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	fs, m := newMemFS(), newModel()
	rng := rand.New(rand.NewPCG(11, 12))
	opening, cuts := 0, 0
	for n := range *kills {
		fs.trace = nil
		begin := fs.op
		at := begin + 1 + rng.IntN(60)
		if n%3 == 0 { // while it opens
			at = begin + 1 + rng.IntN(15)
		}
		bad := -1
		if rng.IntN(4) == 0 {
			bad = begin + 1 + rng.IntN(60)
		}
		fs.fail = func(op int) error {
			if op > at {
				return errOff
			}
			if what := fs.trace[len(fs.trace)-1].what; op == bad && (what == "write" || what == "sync" || what == "rename") {
				return errInjected
			}
			return nil
		}
		l, _, err := openLog(fs, testConfig())
		if err != nil {
			opening++
		} else if len(m.next)+len(m.kept) == 0 { // before that an epoch is nothing but a name
			m.epoch = l.Epoch()
		}
		if err == nil && fs.op <= at {
			if err := m.positions(l); err != nil {
				t.Fatalf("kill %d: %v", n, err)
			}
		}
		for err == nil && fs.op <= at {
			m.act(l, rng)
		}
		fs.fail = nil
		if rng.IntN(20) == 0 {
			fs, cuts = fs.powerCut(true, shuffled(rng)), cuts+1
			m.torn = true
		}
		l, report, err := openLog(fs, testConfig())
		if err == nil {
			err = m.opened(l, report)
		}
		if err != nil {
			t.Fatalf("kill %d, at operation %d: %v\nlast operations: %s", n, at-begin, err, fs.last(80))
		}
		m.forget(l)
	}
	if opening < *kills/20 {
		t.Errorf("killed only %d times while opening", opening)
	}
	t.Logf("killed %d times, %d of them while opening, %d with the power; %d events", *kills, opening, cuts, m.next["events"]-1)
}

// forget lets go of what was dropped for space, so that ten thousand rounds fit.
func (m *model) forget(l *Log) {
	for _, lane := range l.lanes {
		first := lane.First()
		for n := range m.tried[lane.name] {
			if n < first {
				delete(m.tried[lane.name], n)
				delete(m.acked[lane.name], n)
				delete(m.count[lane.name], n)
			}
		}
	}
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("BUFFER_TO_BE_KILLED"); dir != "" {
		toBeKilled(dir)
	}
	os.Exit(m.Run())
}

func killConfig(dir string) Config {
	return Config{Dir: dir, Lanes: []LaneConfig{
		{Name: "events", Size: 8 << 20, Key: func() []byte { return []byte("key") }}, {Name: "data", Size: 256 << 10}}}
}

// toBeKilled says when it begins to open, and then each number that it was told
// is on disk.
func toBeKilled(dir string) {
	fmt.Println("opens")
	l, report, err := Open(killConfig(dir))
	if err != nil {
		fmt.Println("failed", err, report.Why)
		os.Exit(1)
	}
	for i := uint64(0); ; i++ {
		lane := l.lanes[i%2]
		n := lane.Next()
		if err := lane.Append(fmt.Appendf(nil, "%s %d %s", lane.name, n, strings.Repeat("x", int(n*37%6000))), 1); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		l.SetPosition("events/county", l.lanes[0].Next()-1)
		fmt.Println(lane.name, n, l.Epoch())
	}
}

func TestAProcessIsKilledAgainAndAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "buffer")
	acked := map[string]uint64{}
	var epoch string
	rng := rand.New(rand.NewPCG(21, 22))
	opening := 0
	for n := range *realKills {
		words, after := rng.IntN(8), time.Duration(rng.IntN(3_000))*time.Microsecond
		if n%3 == 0 { // while it opens, as a rule
			words, after = 0, after/40
		}
		said := killAfter(t, dir, words, after)
		if len(said) == 0 {
			opening++
		}
		for _, line := range said {
			var lane, in string
			var number uint64
			if _, err := fmt.Sscan(line, &lane, &number, &in); err != nil || epoch != "" && in != epoch {
				t.Fatalf("kill %d: it said %q, %v; the epoch was %s", n, line, err, epoch)
			}
			acked[lane], epoch = number, in
		}
		verifyKilled(t, dir, acked, n)
	}
	if opening == 0 && *realKills >= 100 { // of few it may be none, on a fast disk
		t.Error("it was never killed while it opened")
	}
	t.Logf("killed %d times, %d of them while opening; %d events, %d data on disk", *realKills, opening, acked["events"], acked["data"])
}

// killAfter runs the process on dir, and kills it so long after it began to
// open, or after it said so many words. It returns what it had said.
func killAfter(t *testing.T, dir string, words int, after time.Duration) (said []string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "BUFFER_TO_BE_KILLED="+dir)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "opens" {
		t.Fatalf("it said %q", lines.Text())
	}
	kill := func() { time.AfterFunc(after, func() { _ = c.Process.Kill() }) }
	if words == 0 {
		kill()
	}
	for lines.Scan() {
		if said = append(said, lines.Text()); len(said) == words {
			kill()
		}
	}
	_ = c.Wait()
	if n := len(said); n > 0 && len(strings.Fields(said[n-1])) < 3 {
		if strings.HasPrefix(said[n-1], "failed") {
			t.Fatal(said[n-1])
		}
		said = said[:n-1] // cut in the middle of a word: that was not heard
	}
	return said
}

// verifyKilled checks that all that was acknowledged is there, in order, once.
func verifyKilled(t *testing.T, dir string, acked map[string]uint64, kill int) {
	t.Helper()
	l, report, err := Open(killConfig(dir))
	if err != nil || kill > 0 && len(acked) > 0 && report.Fresh || len(report.Faults) > 0 {
		t.Fatalf("kill %d: %v, %+v", kill, err, report)
	}
	defer l.Close()
	for _, lane := range l.lanes {
		if lane.Next() <= acked[lane.name] {
			t.Fatalf("kill %d: %s ends at %d, acknowledged was %d", kill, lane.name, lane.Next()-1, acked[lane.name])
		}
		if lane.name == "events" && lane.First() != 1 && lane.Next() < 500 { // of 8 MB, in blocks of 4 or 8 kB
			t.Fatalf("kill %d: events begin at %d", kill, lane.First())
		}
		n := lane.First()
		r := lane.Reader(n)
		for {
			f, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("kill %d: %s: %v", kill, lane.name, err)
			}
			if f.Key {
				continue
			}
			if want := fmt.Sprintf("%s %d ", lane.name, n); f.First != n || !strings.HasPrefix(string(f.Payload), want) {
				t.Fatalf("kill %d: got %d %.20q, want %q", kill, f.First, f.Payload, want)
			}
			n++
		}
		r.Close()
		if n != lane.Next() {
			t.Fatalf("kill %d: %s was read up to %d of %d", kill, lane.name, n-1, lane.Next()-1)
		}
	}
}
