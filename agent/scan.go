package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"pithead/config"
	"pithead/drivers/modbus"
)

// ScanLine is one line of GET /scan: a unit that is there, how far it is, what
// is odd about the line, or why it ended.
type ScanLine struct {
	Found *modbus.Found `json:"found,omitempty"`
	Took  float64       `json:"took-ms,omitempty"`

	Device string `json:"device,omitempty"` // of a unit of the site file
	Life   string `json:"life,omitempty"`   // what the bus loop thinks of it

	Left  int           `json:"left,omitempty"` // units still to be asked
	For   time.Duration `json:"for,omitempty"`  // how long that takes at most
	Noise bool          `json:"noise,omitempty"`
	Error string        `json:"error,omitempty"`
}

// ScanFound is the line of a unit that is there.
func ScanFound(f *modbus.Found) ScanLine {
	return ScanLine{Found: f, Took: float64(f.Took.Microseconds()) / 1000}
}

// sweeper is a bus on which units can be looked for.
type sweeper interface {
	Sweep(ctx context.Context, w *modbus.Sweep) (f *modbus.Found, more bool, err error)
}

// a sweep looks for units between the polls of a bus. It belongs to the loop,
// but for lines, which has room for all that the loop may say.
type sweep struct {
	sweep *modbus.Sweep
	wait  time.Duration
	lines chan ScanLine
	last  time.Time // when something was asked
}

// mostSweepWait bounds one question: outputs and polls wait for it.
const mostSweepWait = time.Second

// sweepRest is how long a busy bus may keep a sweep waiting.
const sweepRest = time.Second

// sweepOne asks one question where the polls leave time for it, but at least
// one each sweepRest, and says when to go on.
func (b *busLoop) sweepOne(ctx context.Context, a *ask, now time.Time) (next time.Time) {
	w := a.sweep
	_, due := b.choose(now)
	if due.Before(now.Add(w.wait)) && now.Sub(w.last) < sweepRest {
		return later(due, now.Add(time.Millisecond))
	}
	f, more, err := b.bus.(sweeper).Sweep(ctx, w.sweep)
	w.last = time.Now()
	switch {
	case err != nil:
		w.lines <- ScanLine{Error: err.Error()}
		more = false
	case f != nil:
		l := ScanFound(f)
		for _, u := range b.units {
			if u.ID == b.addresses[f.Unit] {
				l.Device, l.Life = u.ID, u.life.String()
			}
		}
		w.lines <- l
	default:
		l := ScanLine{}
		l.Left, l.For = w.sweep.Left()
		select {
		case w.lines <- l:
		default: // whoever listens is slow; the next line says more anyway
		}
	}
	switch {
	case !more || a.ctx.Err() != nil:
		close(w.lines)
		b.asks = b.asks[1:]
	case len(b.asks) > 1: // somebody wants to read meanwhile
		b.asks = append(b.asks[1:], b.asks[0])
	}
	return now
}

// serveScan looks for units on a bus of this agent, and tells of each as it is found.
func (a *agent) serveScan(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var loop *busLoop
	for _, b := range a.loops {
		if b.id == q.Get("bus") {
			loop = b
		}
	}
	if loop == nil {
		http.Error(w, fmt.Sprintf("there is no bus %q", q.Get("bus")), http.StatusNotFound)
		return
	}
	if _, can := loop.bus.(sweeper); !can {
		http.Error(w, fmt.Sprintf("bus %s is no Modbus line", loop.id), http.StatusBadRequest)
		return
	}
	units, err := ParseUnits(q.Get("units"))
	wait, wrong := time.ParseDuration(q.Get("wait"))
	if wrong == nil && (wait <= 0 || wait > mostSweepWait) {
		wrong = fmt.Errorf("a unit may have at most %v to begin its answer while an agent polls the bus; stop it to wait longer", mostSweepWait)
	}
	if err = errors.Join(err, wrong); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	known := map[byte]bool{}
	for unit := range loop.addresses {
		known[unit] = true
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &sweep{sweep: modbus.NewSweep(units, wait, known), wait: wait, lines: make(chan ScanLine, 2*256+8)}
	loop.mail.ask(ask{ctx: ctx, sweep: s})
	out := json.NewEncoder(w)
	for {
		select {
		case l, more := <-s.lines:
			if !more {
				return
			}
			_ = out.Encode(l)
			_ = http.NewResponseController(w).Flush()
		case <-ctx.Done():
			return
		}
	}
}

// addressesOn are the units of a bus that the site file has.
func addressesOn(site *config.Site, bus string) map[byte]string {
	at := map[byte]string{}
	for _, d := range site.Devices {
		if d.Bus == bus {
			at[byte(d.Unit)] = d.ID
		}
	}
	return at
}

// ParseUnits reads 1-247, or 1,3,5-9.
func ParseUnits(text string) (units []byte, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 8)
		to, wrong := strconv.ParseUint(last, 10, 8)
		if err != nil || wrong != nil || to < from {
			return nil, fmt.Errorf("%q is no range of units; want 1-247, or 1,3,5-9", part)
		}
		for u := from; u <= to; u++ {
			if !slices.Contains(units, byte(u)) {
				units = append(units, byte(u))
			}
		}
	}
	return units, nil
}
