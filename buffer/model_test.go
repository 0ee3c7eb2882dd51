package buffer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// model is what a log must hold: what was acknowledged, and what was only tried.
type model struct {
	acked map[string]map[uint64]string   // lane, first number of a frame: payload
	tried map[string]map[uint64][]string // lane, first number: every payload that might be there
	count map[string]map[uint64]int
	next  map[string]uint64 // above everything acknowledged
	asked map[string]uint64 // positions as they were last set
	kept  map[string]uint64 // and as they were when a Flush or Append said so
	epoch string
	gone  bool // the log was set aside
	torn  bool // of the last write some parts are there and others before them not
}

func newModel() *model {
	return &model{acked: map[string]map[uint64]string{}, tried: map[string]map[uint64][]string{},
		count: map[string]map[uint64]int{}, next: map[string]uint64{}, asked: map[string]uint64{}, kept: map[string]uint64{}}
}

func (m *model) append(l *Lane, payload string, count int) error {
	if m.acked[l.name] == nil {
		m.acked[l.name], m.tried[l.name], m.count[l.name] = map[uint64]string{}, map[uint64][]string{}, map[uint64]int{}
	}
	n := l.Next()
	m.tried[l.name][n] = append(m.tried[l.name][n], payload)
	if err := l.Append([]byte(payload), count); err != nil {
		return err
	}
	m.acked[l.name][n], m.count[l.name][n] = payload, count
	m.tried[l.name][n] = []string{payload}
	m.next[l.name] = n + uint64(count)
	m.store()
	return nil
}

func (m *model) store() {
	for name, n := range m.asked {
		m.kept[name] = n
	}
}

// adopt takes what a new run finds: records that were tried, but not
// acknowledged before a crash, may be there, and then they stay.
func (m *model) adopt(l *Lane, n uint64, payload string, count int) {
	m.acked[l.name][n], m.count[l.name][n] = payload, count
	m.next[l.name] = n + uint64(count)
}

// check reads a lane from its first number on. Promises 1, 2, 4 and 5.
func (m *model) check(l *Lane, allowLost bool) error {
	r := l.Reader(l.First())
	defer r.Close()
	n := l.First()
	for {
		f, err := r.Next()
		var lost *Lost
		switch {
		case errors.Is(err, io.EOF):
			if n != l.Next() {
				return fmt.Errorf("%s: ends at %d, and the next is %d", l.name, n, l.Next())
			}
			if n < m.next[l.name] {
				return fmt.Errorf("%s: ends at %d, acknowledged was up to %d", l.name, n, m.next[l.name]-1)
			}
			return nil
		case errors.As(err, &lost):
			if m.torn && lost.To == lost.From-1 {
				continue // the key of a write that was cut short; its records were never acknowledged
			}
			if !allowLost {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			if lost.From != n || lost.Damage == nil {
				return fmt.Errorf("%s: at %d: %w", l.name, n, lost)
			}
			n = lost.To + 1
			continue
		case err != nil:
			return err
		}
		if f.First != n {
			return fmt.Errorf("%s: got %d, want %d", l.name, f.First, n)
		}
		if f.Key {
			if want := keyOf(f.Payload); want == "" {
				return fmt.Errorf("%s: key %q", l.name, f.Payload)
			}
			continue
		}
		if err := m.frame(l, f); err != nil {
			return err
		}
		n += uint64(f.Count)
	}
}

func (m *model) frame(l *Lane, f Frame) error {
	want, ok := m.acked[l.name][f.First]
	if ok && (want != string(f.Payload) || m.count[l.name][f.First] != f.Count) {
		return fmt.Errorf("%s: %d is not what was acknowledged", l.name, f.First)
	}
	if ok {
		return nil
	}
	for _, p := range m.tried[l.name][f.First] {
		if p == string(f.Payload) {
			m.adopt(l, f.First, p, f.Count)
			return nil
		}
	}
	return fmt.Errorf("%s: %d was never appended", l.name, f.First)
}

// positions are those acknowledged, or a later one that was set. Promise 8.
func (m *model) positions(l *Log) error {
	for name, asked := range m.asked {
		at, _ := l.Position(name)
		if at < m.kept[name] || at > asked {
			return fmt.Errorf("position %s is %d, want %d to %d", name, at, m.kept[name], asked)
		}
		m.asked[name] = at
	}
	return nil
}

func keyOf(b []byte) string {
	if !bytes.HasPrefix(b, []byte("key ")) {
		return ""
	}
	return string(b)
}

func testConfig() Config {
	n := 0
	key := func() []byte { n++; return fmt.Appendf(nil, "key %d", n) }
	return Config{Dir: "/b", Lanes: []LaneConfig{{Name: "events", Size: 1 << 20, Key: key}, {Name: "data", Size: MinSize, Key: key}}}
}

// run is a few hundred operations on a log. It goes on after errors, as the
// agent does, and stops when the log can't be opened or stop says so.
func run(fs *memFS, m *model, seed uint64, opens, appends int) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	for range opens {
		l, report, err := openLog(fs, testConfig())
		if err != nil {
			return nil //nolint:nilerr // a later run has to find everything
		}
		if strings.Contains(report.Why, errInjected.Error()) {
			m.gone = true // the head could not be read for so long that it was given up
			return nil
		}
		if err := m.opened(l, report); err != nil && strings.Contains(err.Error(), errInjected.Error()) {
			return nil // it can't be read now
		} else if err != nil {
			return err
		}
		for range appends {
			m.act(l, rng)
		}
		if l.Close() == nil {
			m.store()
		}
	}
	return nil
}

// opened checks a log that was just opened.
func (m *model) opened(l *Log, report Report) error {
	if m.epoch != "" && l.Epoch() != m.epoch && len(m.next)+len(m.kept) > 0 {
		return fmt.Errorf("a new epoch: %s", report.Why)
	}
	m.epoch = l.Epoch()
	for _, lane := range l.lanes {
		if err := m.check(lane, false); err != nil {
			return err
		}
		if lane.Bytes() > lane.budget {
			return fmt.Errorf("%s takes %d bytes", lane.name, lane.Bytes())
		}
	}
	return m.positions(l)
}

func (m *model) act(l *Log, rng *rand.Rand) {
	lane := l.lanes[rng.IntN(2)]
	switch rng.IntN(8) {
	case 0:
		_ = lane.AppendKey([]byte("key between"))
	case 1:
		if n := lane.Next(); n > 1 {
			l.SetPosition(lane.name+"/county", n-1)
			m.asked[lane.name+"/county"] = n - 1
		}
	case 2:
		if l.Flush() == nil {
			m.store()
		}
	default:
		size := rng.IntN(300)
		if rng.IntN(8) == 0 {
			size = rng.IntN(9000)
		}
		_ = m.append(lane, fmt.Sprintf("%s %d %x", lane.name, rng.Uint64(), make([]byte, size/2)), 1+rng.IntN(3))
	}
}

func TestLogKeepsItsPromises(t *testing.T) {
	for seed := range uint64(8) {
		fs, m := newMemFS(), newModel()
		if err := run(fs, m, seed, 5, 100); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(m.acked["events"]) < 50 {
			t.Fatalf("only %d events", len(m.acked["events"]))
		}
	}
}
