package buffer

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

var batterings = flag.Uint64("batterings", 12, "histories of damage and crashes")

// battered is a model of a log whose files are damaged between its runs.
type battered struct {
	*model
	t    *testing.T
	hit  map[string]map[uint64]bool // frames, by lane and first number, that damage may have taken
	ever map[string]uint64          // every payload that was tried, and its number
	told []string                   // what happened, for whoever looks for a fault
	dark string                     // a file whose reads fail just now
	dim  map[string]map[uint64]bool // what it holds
}

func newBattered(t *testing.T) *battered {
	return &battered{newModel(), t, map[string]map[uint64]bool{"events": {}, "data": {}}, map[string]uint64{}, nil, "", nil}
}

// Damage, kills, power cuts and failing operations in any order, also while
// opening. After each: opening twice says the same twice (a first run that ends
// before it wrote anything hides nothing from the second), what was acknowledged
// and not hit is delivered, everything else is told, nothing is invented, and no
// number that was not hit is given again.
func TestBatteredInAnyOrder(t *testing.T) {
	t.Parallel()
	epochs := 0
	for seed := range *batterings {
		rng := rand.New(rand.NewPCG(seed, 21))
		c := roomy()
		if seed%2 == 1 { // the data lane drops its oldest
			c = testConfig()
		}
		fs, m := newMemFS(), newBattered(t)
		m.say("seed %d", seed)
		for range 25 {
			fs = fs.clone()
			m.darken(fs, rng)
			l, report := m.openTwice(fs, c)
			if report.Fresh && report.Former != "" {
				epochs++
			}
			fs.fail = m.failing(fs, someFail(fs, rng))
			var err error
			if rng.IntN(3) == 0 { // a run that fails from its opening on
				l, _, err = openLog(fs, c)
			}
			if err == nil {
				m.work(l, rng)
			}
			fs.fail = nil
			if rng.IntN(3) == 0 {
				m.say("power cut")
				fs = fs.powerCut(rng.IntN(2) == 0, shuffled(rng))
			}
			if rng.IntN(3) == 0 {
				fs = fs.clone()
				m.damage(fs, rng)
			}
		}
	}
	if epochs == 0 {
		t.Error("no head was ever lost")
	}
}

func (m *battered) openTwice(fs *memFS, c Config) (*Log, Report) {
	fs.fail = m.failing(fs, nothing)
	once, first := m.open(fs, c)
	if first.Fresh && first.Former == "" {
		m.beginsAgain(first)
		fs.fail = nil
	}
	l, report := m.open(fs, c)
	if report.Fresh != first.Fresh || report.Why != first.Why && first.Kept == "" {
		m.fatal("opened twice: %+v, and then %+v", first, report)
	}
	for i, lane := range l.lanes {
		if was, is := m.hear(once.lanes[i]), m.hear(lane); is != was {
			m.fatal("%s, opened twice: %s, and then %s", lane.name, was, is)
		}
	}
	return l, report
}

func (m *battered) open(fs *memFS, c Config) (*Log, Report) {
	l, report, err := openLog(fs, c)
	if err != nil {
		m.fatal("open: %v", err)
	}
	if report.Fresh { // whatever was given from there on is of the epoch before
		for _, lane := range l.lanes {
			for n := range m.acked[lane.name] {
				if n >= lane.Next() || m.dim[lane.name][n] {
					m.hit[lane.name][n] = true
				}
			}
		}
	}
	m.say("open: events go on at %d, data at %d: %+v", l.lanes[0].Next(), l.lanes[1].Next(), report)
	return l, report
}

// beginsAgain is for a log of which nothing is left, or can be read.
func (m *battered) beginsAgain(report Report) {
	for lane, all := range m.acked {
		for n := range all {
			if !m.hit[lane][n] && !m.dim[lane][n] {
				m.fatal("%s %d was not hit, and all is begun anew: %+v", lane, n, report)
			}
		}
	}
	m.model, m.hit = newModel(), newBattered(m.t).hit
	m.dark, m.dim = "", nil
}

// work is a run of the log.
func (m *battered) work(l *Log, rng *rand.Rand) {
	for range rng.IntN(6) {
		lane := l.lanes[rng.IntN(2)]
		n := lane.Next()
		if n > 1 && rng.IntN(4) == 0 {
			l.SetPosition(lane.name+"/county", n-1)
		}
		_, given := m.acked[lane.name][n]
		payload := fmt.Sprintf("%s %x %x", lane.name, rng.Uint64(), make([]byte, rng.IntN(9)*400))
		m.ever[payload] = n
		err := m.append(lane, payload, 1+rng.IntN(3))
		m.say("append %s %d: %v", lane.name, n, err)
		if err != nil {
			continue
		}
		if given && !m.hit[lane.name][n] {
			m.fatal("%s %d is given again", lane.name, n)
		}
		delete(m.hit[lane.name], n)
	}
	if rng.IntN(2) == 0 {
		_ = l.Close()
	}
}

// hear is what a reader of the whole lane gets.
func (m *battered) hear(lane *Lane) string {
	var heard strings.Builder
	r := lane.Reader(lane.First())
	defer r.Close()
	got := map[uint64]bool{}
	for n := lane.First(); ; {
		f, err := r.Next()
		var lost *Lost
		switch {
		case errors.Is(err, io.EOF) && (n == lane.Next() || m.dim[lane.name] != nil):
			for n := range m.acked[lane.name] {
				if !got[n] && !m.hit[lane.name][n] && !m.dim[lane.name][n] && n >= lane.First() {
					m.fatal("%s %d is not delivered: %s", lane.name, n, heard.String())
				}
			}
			return heard.String()
		case errors.As(err, &lost) && lost.From == n:
			n = lost.To + 1
			fmt.Fprintf(&heard, "(%d to %d) ", lost.From, lost.To)
		case err != nil:
			m.fatal("%s at %d of %d: %v", lane.name, n, lane.Next(), err)
		case f.Key:
		case f.First != n || m.ever[string(f.Payload)] != n:
			m.fatal("%s: got %d, %q, at %d", lane.name, f.First, f.Payload, n)
		default:
			if want, ok := m.acked[lane.name][n]; ok && want != string(f.Payload) && !m.hit[lane.name][n] {
				m.fatal("%s: %d is %q", lane.name, n, f.Payload)
			}
			got[n] = true
			n += uint64(f.Count)
			fmt.Fprintf(&heard, "%d ", f.First)
		}
	}
}

func (m *battered) say(format string, args ...any) {
	m.told = append(m.told, fmt.Sprintf(format, args...))
}

func (m *battered) fatal(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(m.told, "\n"))
}
