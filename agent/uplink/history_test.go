package uplink

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pithead/agent/record"
	"pithead/buffer"
	"pithead/config"
	"pithead/drivers"
)

// A history is some of one gateway's life in virtual time: what it stores, what
// becomes of its two uplinks' links and of itself, all drawn from one seed.
// What the two platforms see is judged by them (far_test.go, platform_test.go).
type history struct {
	*bench
	r     *rand.Rand
	size  int64
	sides []*side

	boot   uint32
	booted time.Time
	clock  record.Clock
	steady bool             // its days are those of one clock
	calm   bool             // no link is lost
	since  map[uint32]int64 // when each boot began, Unix ms
	woken  map[string]bool  // by uplink and kind: a crash may have put its position back

	// Under bench.mu, since brokers compare with it:
	crashes int
	truth   map[uint64]truth
	events  []string
	alarms  []truth
	first   error // what was wrong
}

// A truth is what was stored under a number.
type truth struct {
	point string
	boot  uint32
	m     int64
	clock record.Clock
	value string
}

func newHistory(t *testing.T, seed uint64) *history {
	r := rand.New(rand.NewPCG(seed, 7))
	h := &history{
		bench: &bench{t: t, dir: inMemory(t), offsets: map[uint32]int64{}, site: &config.Site{Site: "shidian-tsf", Gateway: "gw-01"}},
		r:     r, size: buffer.MinSize << r.IntN(3), boot: boot, clock: record.Synced,
		steady: r.IntN(2) == 0, calm: r.IntN(5) == 0, truth: map[uint64]truth{}, woken: map[string]bool{},
	}
	h.booted = time.Now().Add(-time.Minute)
	h.since = map[uint32]int64{h.boot: h.booted.UnixMilli()}
	h.open(h.dir, h.size)
	if !h.steady {
		h.tick()
	}
	for range r.IntN(40) {
		h.store()
	}
	for _, id := range []string{"county", "province"} {
		h.sides = append(h.sides, h.newSide(id, rand.New(rand.NewPCG(seed, uint64(len(id))))))
	}
	return h
}

// newSide draws an uplink.
func (h *history) newSide(id string, r *rand.Rand) *side {
	c := uplinkConfig("tcp://far:1883")
	c.ID, c.ClientID, c.Keepalive = id, id, 20*time.Second
	c.Points = [][]string{nil, {"pond.*"}, {"fan.run"}}[r.IntN(3)]
	c.Thin = []time.Duration{0, 0, time.Second, 15 * time.Second}[r.IntN(4)]
	c.Budget = []int64{0, 0, 20_000, 60_000}[r.IntN(4)]
	c.Batch, c.Within, c.Window = 1+r.IntN(60), time.Duration(r.IntN(3000))*time.Millisecond, 1+r.IntN(8)
	c.Max, c.Oldest, c.Receipts, c.Rate = 400+r.IntN(8000), r.IntN(2) == 0, r.IntN(3) == 0, []int{-1, 0, 50}[r.IntN(3)]
	s := &side{h: h, cfg: c, r: r, begun: map[string]bool{}, asked: map[string]*resent{}, day: h.day()}
	var behind [3]uint64
	if !c.Oldest {
		for i, lane := range []string{"data", "stats", "events"} {
			behind[i] = h.log.Lane(lane).Next() - 1
		}
	}
	s.data = newPlatform(behind[0], func(n uint64) bool { return config.Matches(s.cfg.Points, h.truthOf(n).point) })
	s.stats = newPlatform(behind[1], func(n uint64) bool { return config.Matches(s.cfg.Points, points[n%4]) })
	s.event = int(behind[2])
	for kind := range map[string]bool{"data": true, "stats": true, "events": true} {
		s.begun[kind] = c.Oldest
	}
	return s
}

func (h *history) truthOf(n uint64) truth {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.truth[n]
}

func (h *history) wrong(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.first == nil {
		h.first = err
	}
}

// told says whether a message's readings are what was stored.
func (h *history) told(e envelope) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range e.Readings {
		x := h.truth[r.N]
		at, off := r.T, h.since[x.boot]
		if x.clock == record.Unknown {
			at, off = r.M, 0
		}
		if r.P != x.point || at == nil || *at != x.m+off || string(r.V) != x.value || e.Boot != x.boot {
			return fmt.Errorf("reading %d is told as %s %s in boot %d, and was %+v", r.N, r.P, r.V, e.Boot, x)
		}
	}
	if e.Clock == "corrected" && e.Offset != h.since[e.Boot] {
		return fmt.Errorf("its offset is %d, and boot %d began at %d", e.Offset, e.Boot, h.since[e.Boot])
	}
	return nil
}

func (h *history) m() int64 { return time.Since(h.booted).Milliseconds() }

func (h *history) stamp() Stamp {
	s := Stamp{M: h.m(), Clock: h.clock}
	if h.clock != record.Unknown {
		s.T, s.Known = time.Now().UnixMilli(), true
	}
	return s
}

func (h *history) day() int64 { return time.Now().UnixMilli() / dayMS }

// tick changes the clock's state, as a start or a synchronisation does.
func (h *history) tick() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = []record.Clock{record.Unknown, record.Free, record.Synced}[h.r.IntN(3)]
	if h.clock != record.Unknown {
		h.offsets[h.boot] = h.booted.UnixMilli()
	}
}

// store stores a batch of readings.
func (h *history) store() {
	b := record.Batch{Boot: h.boot, Clock: h.clock}
	if h.clock != record.Unknown {
		b.Offset = h.booted.UnixMilli()
	}
	n, m := h.log.Lane("data").Next(), h.m()
	h.mu.Lock()
	for i := range 1 + h.r.IntN(30) {
		v := float64(h.r.IntN(1_000_000)) / 100
		r := record.Reading{Point: points[h.r.IntN(len(points))], M: m + int64(i), Value: drivers.NumberValue(v)}
		b.Readings = append(b.Readings, r)
		h.truth[n+uint64(i)] = truth{r.Point, h.boot, r.M, h.clock, string(appendValue([]byte("{"), "v", r.Value, r.Quality, 0)[len(`{"v":`):])}
	}
	h.mu.Unlock()
	h.batch(b)
	time.Sleep(time.Duration(len(b.Readings)) * time.Millisecond)
}

// happen stores an alarm's change.
func (h *history) happen() {
	x := truth{point: points[h.r.IntN(len(points))], boot: h.boot, m: h.m()}
	h.mu.Lock()
	n := len(h.events) + 1
	payload := fmt.Sprintf(`{"v":1,"n":%d,"boot":%d,"m":%d,"kind":"alarm","id":"%s/red","point":%q,"level":%q,"sig":"x"}`, n, x.boot, x.m, x.point, x.point, []string{"red", "blue"}[h.r.IntN(2)])
	h.events, h.alarms = append(h.events, payload), append(h.alarms, x)
	h.mu.Unlock()
	if err := h.log.Lane("events").Append([]byte(payload), 1); err != nil {
		h.t.Fatal(err)
	}
}

func (h *history) start() {
	for _, s := range h.sides {
		e := h.env()
		e.Boot = h.boot
		e.Now = func() Stamp { h.mu.Lock(); defer h.mu.Unlock(); return h.stamp() }
		e.TLS = time.Now
		e.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
		s.u = New(s.cfg, e)
		s.u.timing.dial = s.dial
		s.stop = h.bench.start(s.u)
	}
	synctest.Wait() // an uplink that begins now begins now
}

// restart is a clean one; the next run may cut its messages otherwise.
func (h *history) restart() {
	for _, s := range h.sides {
		s.stop()
	}
	if err := h.log.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.again()
	h.start()
}

// crash leaves what is on disk at this moment, and nothing else. What the
// platforms have by then they have.
func (h *history) crash() {
	h.mu.Lock()
	h.crashes++
	h.mu.Unlock()
	for _, s := range h.sides {
		s.become(absent)
	}
	left := filepath.Join(filepath.Dir(h.dir), fmt.Sprintf("%s-%d", filepath.Base(h.dir), h.crashes))
	if err := os.CopyFS(left, os.DirFS(h.dir)); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { os.RemoveAll(left) })
	for _, s := range h.sides {
		s.stop()
		h.woken[s.cfg.ID+"data"], h.woken[s.cfg.ID+"stats"] = true, true
	}
	h.log.Close()
	h.dir = left
	h.again()
	h.start()
	for _, s := range h.sides {
		s.become(sound)
	}
}

func (h *history) again() {
	for _, s := range h.sides {
		s.mu.Lock()
		for _, r := range s.asked {
			r.gone = true
		}
		s.cfg.Batch, s.cfg.Max = 1+h.r.IntN(60), 400+h.r.IntN(8000)
		s.mu.Unlock()
	}
	h.mu.Lock()
	if h.r.IntN(2) == 0 {
		h.boot++
		h.booted = time.Now()
		h.since[h.boot] = h.booted.UnixMilli()
	}
	h.mu.Unlock()
	if !h.steady {
		h.tick()
	}
	for _, s := range h.sides {
		s.mu.Lock() // brokers look at the log
		defer s.mu.Unlock()
	}
	h.open(h.dir, h.size)
}

// crashed says whether the gateway was ever killed.
func (h *history) crashed() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.crashes > 0
}

// revived says, once, whether the gateway was killed since an uplink last sent of a kind.
func (h *history) revived(uplink, kind string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer delete(h.woken, uplink+kind)
	return h.woken[uplink+kind]
}

// step is whatever happens next.
func (h *history) step() {
	s := h.sides[h.r.IntN(2)]
	switch k := h.r.IntN(20); {
	case k < 9:
		h.store()
	case k < 11:
		h.happen()
	case k < 12:
		h.stat()
	case k < 14:
		time.Sleep(time.Duration(h.r.IntN(30_000)) * time.Millisecond)
	case k < 15:
		h.ask(s)
	case k < 16:
		s.mu.Lock()
		s.silent = h.r.IntN(2) == 0
		s.mu.Unlock()
	case k < 17 && !h.steady:
		h.tick()
	case k < 18 && h.r.IntN(3) == 0:
		if h.r.IntN(2) == 0 {
			h.restart()
		} else {
			h.crash()
		}
	case !h.calm:
		if m := mood(h.r.IntN(int(moods))); m != denies || s.cfg.Receipts {
			s.become(m)
		}
		if h.r.IntN(3) == 0 {
			s.cut()
		}
	}
	time.Sleep(time.Duration(h.r.IntN(2000)) * time.Millisecond)
}

func (h *history) stat() {
	var ss []record.Stat
	n := h.log.Lane("stats").Next()
	for i := range uint64(1 + h.r.IntN(5)) {
		ss = append(ss, record.Stat{Point: points[(n+i)%4], Good: 1})
	}
	h.stats(ss...)
}

// ask asks for some readings again.
func (h *history) ask(s *side) {
	next := h.log.Lane("data").Next()
	if next == 1 {
		return
	}
	from := 1 + h.r.Uint64N(next-1)
	r := &resent{from: from, to: from + h.r.Uint64N(next-from), end: from - 1}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprint("r", len(s.asked))
	if s.u.Resend(id, r.from, r.to) == nil {
		s.asked[id] = r
	}
}

// end lets everything work, waits until all is delivered, and judges the whole.
func (h *history) end() error {
	for _, s := range h.sides {
		s.become(sound)
		s.mu.Lock()
		s.silent = false
		s.mu.Unlock()
	}
	settled := func() bool {
		for _, s := range h.sides {
			s.mu.Lock()
			if s.cfg.Receipts && s.out != nil && s.r.IntN(2) == 0 {
				s.receipt(s.out)
			}
			s.mu.Unlock()
			st := s.u.State()
			s.u.mu.Lock()
			owed := len(s.u.resends)
			s.u.mu.Unlock()
			if st.Data+st.Stats+st.Events > 0 || owed > 0 {
				return false
			}
		}
		return true
	}
	for waited := time.Duration(0); !settled() && h.wrongYet() == nil; waited += 10 * time.Second {
		if waited > 3*time.Hour {
			return fmt.Errorf("after %v not all is delivered: %s; %s", waited, h.sides[0], h.sides[1])
		}
		time.Sleep(10 * time.Second)
	}
	for _, s := range h.sides {
		s.stop()
	}
	if err := h.wrongYet(); err != nil {
		return err
	}
	for _, s := range h.sides {
		if err := s.whole(); err != nil {
			return fmt.Errorf("%s: %w", s.cfg.ID, err)
		}
	}
	return nil
}

// String is how a side stands, for whoever looks for a mistake.
func (s *side) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%s: the platform has data (%d, %d], stats (%d, %d], event %d, said %d, dropped %v; the buffer ends with %d, %d, %d, its positions are %v; %+v",
		s.cfg.ID, s.data.begins, s.data.end, s.stats.begins, s.stats.end, s.event, s.said, s.dropped,
		s.h.log.Lane("data").Next()-1, s.h.log.Lane("stats").Next()-1, len(s.h.events), s.h.log.Positions(), s.u.State())
}

func (h *history) wrongYet() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.first
}

// whole judges a side at the end.
func (s *side) whole() error {
	if err := s.data.whole(s.h.log.Lane("data").Next() - 1); err != nil {
		return err
	}
	if err := s.stats.whole(s.h.log.Lane("stats").Next() - 1); err != nil {
		return fmt.Errorf("stats: %w", err)
	}
	if s.event != len(s.h.events) {
		return fmt.Errorf("event %d is the last that came, of %d", s.event, len(s.h.events))
	}
	for id, r := range s.asked {
		if !r.gone && r.end != r.to {
			return fmt.Errorf("%s was asked for from %d to %d, and came up to %d", id, r.from, r.to, r.end)
		}
	}
	for kind, p := range map[string]*platform{"data": s.data, "stats": s.stats} {
		if n, _ := s.h.log.Position(Position(kind, s.cfg.ID)); n > p.end || s.cfg.Receipts && kind == "data" && n > s.said {
			return fmt.Errorf("the position in %s is %d, the platform has %d, and said %d", kind, n, p.end, s.said)
		}
	}
	return s.thinnedWell()
}

// thinnedWell says whether what was left out may be: it is none of those around
// an alarm's change, and a reading of its point that is there is recent enough.
func (s *side) thinnedWell() error {
	if s.cfg.Thin == 0 || s.cfg.Budget > 0 {
		return nil
	}
	at := map[string][]int64{} // by point and boot: when readings are there
	for n := range s.data.have {
		x := s.h.truth[n]
		key := fmt.Sprint(x.point, x.boot)
		at[key] = append(at[key], x.m)
	}
	for n := range s.data.left {
		if s.data.have[n] {
			continue
		}
		x := s.h.truth[n]
		for _, a := range s.h.alarms {
			if a.point == x.point && a.boot == x.boot && time.Duration(a.m-x.m).Abs() < time.Duration(around.Milliseconds()) {
				return fmt.Errorf("reading %d (%+v) was left out, beside an alarm at %d", n, x, a.m)
			}
		}
		if !slices.ContainsFunc(at[fmt.Sprint(x.point, x.boot)], func(m int64) bool { return m <= x.m && x.m-m < s.cfg.Thin.Milliseconds() }) {
			return fmt.Errorf("reading %d (%+v) was left out, and none of the %v before it is there", n, x, s.cfg.Thin)
		}
	}
	return nil
}

// lived is the life of one gateway.
func lived(t *testing.T, seed uint64) (err error) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t, seed)
		h.start()
		for range 20 + h.r.IntN(40) {
			if h.step(); h.wrongYet() != nil {
				break
			}
		}
		if err = h.end(); err != nil {
			err = fmt.Errorf("%w\n%+v\n%+v", err, h.sides[0].cfg, h.sides[1].cfg)
		}
		h.log.Close()
	})
	return err
}

var (
	histories = flag.Int("histories", 40, "how many are tried; make model tries 10,000")
	firstSeed = flag.Uint64("first-history", 0, "the number of the first")
)

// Promises 1 to 3 and 5: whatever becomes of links, brokers, platforms and the
// gateway itself, however messages are cut, thinned and asked for again,
// neither platform sees a hole, a wrong order, a repeat where nothing was lost,
// or what was not stored.
func TestNoHistoryLeavesAHole(t *testing.T) {
	t.Parallel()
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			t.Parallel()
			for i := w; i < *histories; i += workers {
				if err := lived(t, *firstSeed+uint64(i)); err != nil {
					t.Fatalf("history %d: %v", *firstSeed+uint64(i), err)
				}
			}
		})
	}
}
