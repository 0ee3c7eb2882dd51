package alarm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pithead/drivers"
)

// A model is the alarm a second time, as plain as it can be: it keeps every
// sample of its run and finds each answer by looking through all of them.
// Values are whole numbers here, so that it needs no allowance.
type model struct {
	d        Def
	state    State
	level    Level
	raised   time.Duration
	idle     bool
	before   []Sample // stored in earlier runs
	acked    bool
	samples  []Sample
	said     []string      // of each sample, when it came
	since    int           // samples from here on were seen in this state, up or not up
	carried  bool          // the last sample before the restart was beyond
	unsure   bool          // restarted while it was up
	lastSaid string        // of the newest sample ever, at a restart
	told     []int         // the newest samples when a run of bad ones was raised
	woken    time.Duration // when set, one later than: its condition held when it was idle no more
	owed     bool          // the newest sample ended it, which is still to be told
}

func (m *model) is(s Sample, i int) string {
	good, v := s.Quality == drivers.Good, s.Value.Float()
	switch m.d.Condition {
	case Above:
		switch {
		case s.Quality == drivers.Over || good && v >= m.d.Limit[0]:
			return "beyond"
		case good && v < m.d.Clear[0]:
			return "safe"
		}
	case Below:
		switch {
		case s.Quality == drivers.Under || good && v <= m.d.Limit[0]:
			return "beyond"
		case good && v > m.d.Clear[0]:
			return "safe"
		}
	case Outside:
		switch {
		case s.Quality == drivers.Over || s.Quality == drivers.Under || good && (v < m.d.Limit[0] || v > m.d.Limit[1]):
			return "beyond"
		case good && v >= m.d.Clear[0] && v <= m.d.Clear[1]:
			return "safe"
		}
	case Equals:
		switch {
		case good && v == m.d.Equal.Float():
			return "beyond"
		case good:
			return "safe"
		}
	case Fault:
		switch {
		case s.Quality == drivers.Test:
			return "silent"
		case m.poor(i):
			return "poor"
		case good:
			return "safe"
		}
		return "beyond"
	case Rise, Fall, Flat:
		if good {
			return m.moved(s, i)
		}
	}
	if good {
		return "between"
	}
	return "silent"
}

// moved looks through all good samples ever for what the window of the i-th says.
func (m *model) moved(s Sample, i int) string {
	var all []Sample
	for _, o := range slices.Concat(m.before, m.samples[:i]) {
		if o.Quality == drivers.Good {
			all = append(all, o)
		}
	}
	lo, hi := s.Value.Float(), s.Value.Float()
	gap := len(all) > 0 && s.At-all[len(all)-1].At > m.d.Within
	for k, o := range all {
		if gap && k == len(all)-1 || !gap && s.At-o.At <= m.d.Within {
			lo, hi = min(lo, o.Value.Float()), max(hi, o.Value.Float())
		}
	}
	switch v := s.Value.Float(); {
	case m.d.Condition == Rise && v-lo >= m.d.Limit[0], m.d.Condition == Fall && hi-v >= m.d.Limit[0]:
		return "beyond"
	case len(all) == 0:
		return "between"
	case m.d.Condition == Flat && hi-lo > m.d.Limit[0], m.d.Condition != Flat && s.At-all[0].At >= m.d.Within:
		return "safe"
	case m.d.Condition != Flat:
		return "between"
	}
	// Flat, as far as it was seen: since the last move over a gap.
	seen := all[0].At
	for k := 1; k < len(all); k++ {
		a, b := all[k-1].Value.Float(), all[k].Value.Float()
		if all[k].At-all[k-1].At > m.d.Within && (max(a, b)-min(a, b) > m.d.Limit[0] || all[k].At-seen < m.d.Within) {
			seen = all[k].At
		}
	}
	if s.At-seen >= m.d.Within {
		return "beyond"
	}
	return "between"
}

// ended says whether the i-th sample is the good one after an outage: bad ones
// for so long, or ones that it was raised for.
func (m *model) ended(i int) bool {
	if m.samples[i].Quality != drivers.Good {
		return false
	}
	from := -1
	for j := i - 1; j >= 0 && m.samples[j].Quality != drivers.Good; j-- {
		if m.samples[j].Quality != drivers.Test {
			from = j
		}
	}
	told := slices.ContainsFunc(m.told, func(k int) bool { return from <= k && k < i })
	return from >= 0 && (told || m.samples[i].At-m.samples[from].At > m.d.For)
}

// poor counts, for each attempt up to the i-th, all that lie within its window
// and came after the last outage.
func (m *model) poor(i int) bool {
	width := m.d.For / 2
	if width == 0 {
		return false
	}
	slot := func(k int) int64 { return int64(m.samples[k].At / width) }
	poor, begin, before, unsure := m.unsure, -1, -1, m.unsure
	for k := 0; k <= i; k++ {
		if m.samples[k].Quality == drivers.Test {
			continue
		}
		if begin < 0 {
			begin = k
		} else if m.ended(k) || slot(k)-slot(before) > 20 {
			begin, poor, unsure = k, false, false
		}
		before = k
		good, all := 0, 0
		for j := begin; j <= k; j++ {
			if m.samples[j].Quality == drivers.Test || slot(j) < slot(k)-20 {
				continue
			}
			all++
			if m.samples[j].Quality == drivers.Good {
				good++
			}
		}
		seen := m.samples[k].At - m.samples[begin].At
		if good*5 >= all*3 && (!unsure || seen >= m.d.For) {
			poor, unsure = false, false
		} else if good*2 < all && seen >= 20*width && m.samples[k].Quality != drivers.Good {
			poor = true
		}
	}
	return poor
}

// dueAny is due, or when nobody will have acknowledged it for so long.
func (m *model) dueAny() (time.Duration, bool) {
	at, ok := m.due()
	up := m.raised + m.d.Escalate.After
	if m.d.Escalate.To > m.level && m.state != Normal && !m.acked && (!ok || up < at) {
		return up, true
	}
	return at, ok
}

// due finds the first sample beyond that no good one has spoken against.
func (m *model) due() (time.Duration, bool) {
	if m.owed {
		return m.samples[len(m.samples)-1].At, true
	}
	if m.state == Active || m.state == Acked || m.idle {
		return 0, false
	}
	var at time.Duration
	running := false
	if m.woken > 0 {
		at, running = m.woken-1+m.d.For, true
	}
	for i := m.since; i < len(m.samples); i++ {
		switch m.said[i] {
		case "beyond":
			if !running {
				at, running = m.samples[i].At+m.d.For, true
			}
		case "between", "safe":
			running = false
		}
	}
	return at, running
}

// step is what the newest sample makes of it.
func (m *model) step(s Sample) string {
	m.owed = false
	if due, ok := m.due(); ok && due < s.At {
		told := m.raise(due)
		m.samples = append(m.samples, s)
		m.said = append(m.said, m.is(s, len(m.samples)-1))
		m.owed = m.said[len(m.said)-1] == "safe" && m.d.ClearFor == 0
		return told
	}
	m.samples = append(m.samples, s)
	n := len(m.samples) - 1
	is := m.is(s, n)
	m.said = append(m.said, is)
	if m.state == Active || m.state == Acked {
		i := n
		for i >= m.since && m.said[i] == "safe" {
			i--
		}
		if is != "safe" || s.At-m.samples[i+1].At < m.d.ClearFor {
			return ""
		}
		return m.end(s.At)
	}
	if m.idle {
		m.since, m.carried = len(m.samples), false
		return ""
	}
	due, running := m.due()
	if is == "poor" || is == "beyond" && (m.carried || running && s.At >= due) {
		return m.raise(s.At)
	}
	if is == "safe" || is == "between" {
		m.carried, m.woken = false, 0
	}
	return ""
}

func (m *model) end(at time.Duration) string {
	if m.d.Latch {
		return m.become(Cleared, WasCleared, at)
	}
	return m.become(Normal, IsNormal, at)
}

func (m *model) raise(at time.Duration) string {
	m.carried, m.acked, m.raised, m.woken = false, false, at, 0
	if n := len(m.samples) - 1; m.said[n] != "poor" {
		m.told = append(m.told, n)
	}
	return m.become(Active, WasRaised, at)
}

func (m *model) become(to State, what string, at time.Duration) string {
	if what == WasAcked || to == Normal {
		m.level = m.d.Level
	}
	told := fmt.Sprint(what, " at ", at, " acked ", m.acked, " ", m.level)
	if to == Normal {
		m.acked = false
	}
	if what != WasAcked && what != WasEscalated {
		m.since = len(m.samples)
	}
	m.state = to
	return told
}

func (m *model) tick(at time.Duration) string {
	due, ok := m.dueAny()
	switch {
	case !ok || due > at:
		return ""
	case m.d.Escalate.To > m.level && m.state != Normal && !m.acked && due == m.raised+m.d.Escalate.After:
		m.level = m.d.Escalate.To
		return m.become(m.state, WasEscalated, due)
	case m.owed:
		m.owed = false
		return m.end(due)
	}
	return m.raise(due)
}

func (m *model) ack(at time.Duration) string {
	if m.state == Normal || m.acked {
		return "refused"
	}
	m.acked = true
	if m.state == Active {
		return m.become(Acked, WasAcked, at)
	}
	return m.become(Cleared, WasAcked, at)
}

func (m *model) reset(at time.Duration) string {
	n := len(m.samples) - 1
	if m.state != Cleared || n < 0 || m.samples[n].Quality != drivers.Good {
		return "refused"
	}
	if is := m.said[n]; is == "beyond" || is == "poor" {
		return "refused"
	}
	return m.become(Normal, WasReset, at)
}

func (m *model) restart(last *Sample) {
	said, idle := m.said, m.idle
	if m.before = append(m.before, m.samples...); len(m.before) > 400 {
		m.before = m.before[len(m.before)-400:]
	}
	m.samples, m.said, m.told, m.since, m.carried, m.owed, m.woken, m.idle = nil, nil, nil, 0, false, false, 0, false
	m.unsure = m.state == Active || m.state == Acked
	defer m.rest(idle, 0)
	if c := m.d.Condition; c == Rise || c == Fall || c == Flat {
		if len(said) > 0 {
			m.lastSaid = said[len(said)-1]
		}
		m.carried = m.lastSaid == "beyond" && !m.unsure
	} else if last != nil && (m.state == Normal || m.state == Cleared) {
		m.samples = []Sample{*last}
		m.carried = m.is(*last, 0) == "beyond"
		m.samples = nil
	}
}

// rest is when turning false or true.
func (m *model) rest(idle bool, at time.Duration) {
	if idle == m.idle {
		return
	}
	m.idle, m.woken = idle, 0
	if m.state == Active || m.state == Acked {
		return
	}
	m.since = len(m.samples)
	if idle {
		m.carried = false
		return
	}
	if n := len(m.samples); n > 0 && (m.said[n-1] == "beyond" || m.said[n-1] == "poor") {
		m.woken = max(at, m.samples[n-1].At) + 1
	}
}

func line(c Change, told bool) string {
	if !told {
		return ""
	}
	return fmt.Sprint(c.What, " at ", c.At, " acked ", c.Acked, " ", c.Level)
}

func ask(c Change, err error) string {
	if err != nil {
		return "refused"
	}
	return line(c, true)
}

// A walker makes up what happens: values that wander about the limits, sensors
// that stay broken for a while, people, restarts.
type walker struct {
	rnd   *rand.Rand
	value float64
	at    time.Duration
	bad   drivers.Quality // while it lasts
	share int             // of 100 samples this many are bad by themselves
}

func (w *walker) def() Def {
	pick := func(d ...time.Duration) time.Duration { return d[w.rnd.IntN(len(d))] }
	d := Def{
		ID: "p/x", Point: "p", Level: Level(1 + w.rnd.IntN(4)),
		Condition: Condition(1 + w.rnd.IntN(int(Flat))), Equal: drivers.NumberValue(8),
		For: pick(0, 0, second, 3*second), ClearFor: pick(0, 0, second, 4*second), Latch: w.rnd.IntN(2) == 0,
	}
	if w.rnd.IntN(3) == 0 && d.Level < Red {
		d.Escalate = Escalation{After: pick(second, 5*second, 20*second), To: d.Level + 1}
	}
	switch d.Condition {
	case Above:
		d.Limit[0], d.Clear[0] = 10, pick2(w.rnd, 8, 10)
	case Below:
		d.Limit[0], d.Clear[0] = 8, pick2(w.rnd, 8, 10)
	case Outside:
		d.Limit, d.Clear = [2]float64{6, 10}, [2]float64{pick2(w.rnd, 6, 7), pick2(w.rnd, 9, 10)}
	case Rise, Fall, Flat:
		d.Within, d.Limit[0] = pick(second, 4*second, 10*second), float64(w.rnd.IntN(5)+1)
	case Fault:
		w.share = []int{0, 20, 45, 55, 80}[w.rnd.IntN(5)]
	}
	return d
}

func pick2(rnd *rand.Rand, a, b float64) float64 {
	if rnd.IntN(2) == 0 {
		return a
	}
	return b
}

func (w *walker) sample() Sample {
	w.value = min(max(w.value+float64(w.rnd.IntN(5)-2), 3), 13)
	if w.bad == drivers.Good && w.rnd.IntN(20) == 0 {
		w.bad = []drivers.Quality{drivers.Comm, drivers.Sensor, drivers.Over, drivers.Under, drivers.Stale, drivers.Test}[w.rnd.IntN(6)]
	} else if w.rnd.IntN(4) == 0 {
		w.bad = drivers.Good
	}
	switch {
	case w.bad == drivers.Test:
		return Sample{At: w.at, Quality: drivers.Test, Value: drivers.NumberValue(w.value)}
	case w.bad != drivers.Good:
		return Sample{At: w.at, Quality: w.bad}
	case w.rnd.IntN(100) < w.share:
		return Sample{At: w.at, Quality: drivers.Comm}
	}
	return Sample{At: w.at, Value: drivers.NumberValue(w.value)}
}

// Promises 1 to 4, 6 and 7, in 100,000 steps of random life.
func TestWalkAgainstModel(t *testing.T) {
	const lives, steps = 500, 200
	count := map[string]int{}
	for life := range lives {
		walk(t, uint64(life), steps, count)
		if t.Failed() {
			return
		}
	}
	for _, what := range []string{WasRaised, WasAcked, WasCleared, WasReset, IsNormal, WasEscalated, "refused"} {
		if count[what] < 300 {
			t.Errorf("the walk is too tame: %s only %d times", what, count[what])
		}
	}
}

func walk(t *testing.T, seed uint64, steps int, count map[string]int) {
	w := &walker{rnd: rand.New(rand.NewPCG(seed, 1)), value: 8}
	d := w.def()
	a, m := New(&d), &model{d: d, level: d.Level}
	var last *Sample
	var stored []Sample
	var story []string
	agree := func(did, got, want string) {
		if did = fmt.Sprint(w.at, " ", did); got != "" {
			count[strings.Fields(got)[0]]++
			did += " => " + got
		}
		story = append(story, did)
		if due, ok := a.Due(); got != want || a.State() != m.state || a.Acknowledged() != m.acked || a.Asks() != (m.state != Normal) || a.Level() != m.level {
			t.Fatalf("life %d, %+v:\n%s\n got %q, %v\nwant %q, %v", seed, d, strings.Join(story, "\n"), got, a.State(), want, m.state)
		} else if wantDue, wantOK := m.dueAny(); ok != wantOK || ok && due != wantDue {
			t.Fatalf("life %d, %+v:\n%s\n due %v %v\nwant %v %v", seed, d, strings.Join(story, "\n"), due, ok, wantDue, wantOK)
		}
	}
	for range steps {
		w.at += time.Duration(w.rnd.IntN(8)) * 250 * time.Millisecond
		switch {
		case w.rnd.IntN(300) == 0:
			w.at += time.Duration(w.rnd.IntN(60)) * second
		}
		// What is due comes before a later sample, but for the few times that a
		// busy judge is late.
		if due, ok := a.Due(); ok && due < w.at && w.rnd.IntN(4) > 0 {
			agree("tick", line(a.Tick(w.at)), m.tick(w.at))
		}
		switch n := w.rnd.IntN(100); {
		case n < 88:
			s := w.sample()
			last, stored = &s, append(stored, s)
			agree(fmt.Sprint(s.Value, " ", s.Quality), line(a.Step(s)), m.step(s))
		case n < 92:
			agree("ack", ask(a.Ack(w.at)), m.ack(w.at))
		case n < 96:
			agree("reset", ask(a.Reset(w.at)), m.reset(w.at))
		case n < 98:
			idle := w.rnd.IntN(2) == 0
			a.SetIdle(idle, w.at)
			m.rest(idle, w.at)
			agree(fmt.Sprint("idle ", idle), "", "")
		case n < 99:
			agree("tick", line(a.Tick(w.at)), m.tick(w.at))
		default:
			memory, idle := a.Memory(), a.Idle()
			a = New(&d)
			if last == nil {
				a.Restore(memory, Sample{}, false)
			} else {
				a.Restore(memory, *last, true)
			}
			for _, s := range stored {
				a.Fill(s, true)
			}
			a.SetIdle(idle, w.at)
			m.restart(last)
			agree("restart", "", "")
		}
	}
}
