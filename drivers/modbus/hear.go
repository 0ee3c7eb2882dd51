package modbus

import (
	"fmt"
	"time"
)

// A hearing is the wait for one answer on an RTU line.
type hearing struct {
	ask    ask
	answer []byte
	broken bool      // the answer came, but its checksum is wrong
	odd    error     // what came that was neither the answer nor owed
	noisy  bool      // something could be no frame: where the next one begins is a guess
	since  time.Time // when what may become the answer began
	got    int       // bytes, of whatever kind
}

// headed is how many bytes tell the answer from anything else: unit, function
// and length.
const headed = 3

// receive waits for the answer to a. Frames of other units, late ones and noise
// are dropped; what was odd is told when no answer came.
func (l *rtuLine) receive(a ask) ([]byte, error) {
	h := hearing{ask: a}
	l.in = l.in[:0]
	first := l.busy.Add(l.call.timeout)
	deadline := first
	for {
		n, err := read(l.wire, l.in[len(l.in):cap(l.in)], deadline)
		l.in = l.in[:len(l.in)+n]
		if n > 0 {
			h.got += n
			l.busy, l.silent = time.Now(), 0
		}
		if err != nil && !expired(err) {
			return nil, l.lost(a, err)
		}
		if err != nil && !h.since.IsZero() && len(l.framing.front(l.in)) >= headed {
			return nil, protocol("the answer of unit %d breaks off after %d bytes", a.unit(), len(l.in))
		}
		if l.sift(&h, err != nil) {
			return l.verdict(&h)
		}
		if err != nil {
			return nil, l.unanswered(&h)
		}
		deadline = l.patience(&h, first)
	}
}

// patience is how long to go on listening: until the answer must have begun,
// and from its beginning on for as long as its characters take.
func (l *rtuLine) patience(h *hearing, first time.Time) time.Time {
	front := l.framing.front(l.in)
	if h.noisy || len(front) == 0 || !h.ask.begins(front) {
		h.since = time.Time{}
		return first
	}
	if h.since.IsZero() {
		h.since = earlier(l.busy, first) // what begins later is dropped at its end, and so might the next be
	}
	whole := h.since.Add(l.pace.wire(l.framing.chars(h.ask.length())) + l.slack)
	if len(front) < headed {
		return later(first, whole)
	}
	return whole
}

// sift takes frames and noise off the front of what came in, and says whether
// the hearing is over. With last set nothing more will come.
func (l *rtuLine) sift(h *hearing, last bool) bool {
	for {
		what, n, frame := l.framing.look(h.ask, l.in, last)
		switch {
		case what == more:
			return false
		case what == answer && l.latecomer(frame):
			l.hear(h, frame)
		case what == answer:
			h.answer = frame
			l.hear(h, frame)
			return true
		case what == broken && !h.noisy:
			h.broken = true
			return true
		case what == stray:
			l.hear(h, frame)
			l.stray(h, frame)
		default:
			h.noise(frame[0])
			n = 1
		}
		l.in = l.in[:copy(l.in, l.in[n:])]
	}
}

// latecomer says that an exception may be the answer to an older request of the
// same function. It carries no value, so that nothing is lost by dropping it.
func (l *rtuLine) latecomer(frame []byte) bool {
	return frame[1] > exceptionBit && l.doubt.owes(frame, time.Now())
}

// hear notes a sign of life, unless a gateway gave it in the unit's place.
func (l *rtuLine) hear(h *hearing, frame []byte) {
	byGateway := frame[1] > exceptionBit && absent(frame[2])
	if frame[0] == h.ask.unit() && !byGateway {
		l.trace.heard = true
	}
}

// stray drops a whole frame that is no answer to what was asked.
func (l *rtuLine) stray(h *hearing, frame []byte) {
	if !l.doubt.owes(frame, time.Now()) {
		h.odd = fmt.Errorf("asked unit %d, function %d; got unit %d, function %d, %d bytes",
			h.ask.unit(), h.ask.function(), frame[0], frame[1], len(frame))
	}
}

func (h *hearing) noise(b byte) {
	if idle(b) && !h.noisy {
		return
	}
	h.noisy = true
	if h.odd == nil {
		h.odd = errNoise
	}
}

// verdict is the answer, or that its checksum is wrong. With that the unit has
// answered, unless somebody on the line owes an answer: one that came late, and
// lost a bit of its address, would look the same, and the true one is to come.
func (l *rtuLine) verdict(h *hearing) ([]byte, error) {
	if !h.broken {
		l.doubt.answered(h.ask)
		return h.answer, nil
	}
	if l.doubt.any(time.Now()) {
		l.owe(h.ask)
	}
	f := protocol("unit %d: %w", h.ask.unit(), errChecksum)
	f.Again = true
	return nil, f
}

// unanswered is what to make of a request that got no answer in time.
func (l *rtuLine) unanswered(h *hearing) error {
	l.owe(h.ask)
	if h.got == 0 {
		l.silent++
	}
	if l.network && (h.noisy || l.silent >= silentLimit) {
		l.Close()
	}
	if h.odd != nil {
		return protocol("no answer from unit %d, but this: %w", h.ask.unit(), h.odd)
	}
	return comm("no answer from unit %d within %v", h.ask.unit(), l.call.timeout)
}

// lost is what to make of a line that went away between request and answer. A
// serial server may hand the answer to whoever connects next.
func (l *rtuLine) lost(a ask, err error) error {
	l.Close()
	l.owe(a)
	return comm("the line went away before unit %d answered: %w", a.unit(), err)
}

func (l *rtuLine) owe(a ask) {
	l.doubt.owe(a, time.Now().Add(l.call.late))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
