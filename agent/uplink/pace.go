package uplink

import "time"

const (
	leastRate = 200 // readings a second, while catching up, whatever the live rate
	timesLive = 4
	rateEach  = 10 * time.Second // between two looks at how fast readings come
)

// pace spreads a backlog, so that it does not take the link from what is new.
// While an uplink is less than a minute behind there is none.
type pace struct {
	free time.Time // when the next message of readings may go
}

// took notes that readings went out.
func (p *pace) took(now time.Time, readings, rate int) {
	if rate <= 0 {
		return
	}
	if p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(readings) * time.Second / time.Duration(rate))
}

// rate is how many readings a second may go while the uplink is behind; 0: any.
func (u *Uplink) rate() int {
	if u.cfg.Rate >= 0 {
		return u.cfg.Rate
	}
	return max(leastRate, int(timesLive*u.live.perSecond))
}

// A heft bounds messages of readings by how fast the link takes them, since an
// alarm waits behind the one that is on its way: on a link of 64 kbit/s five
// hundred readings are four seconds.
type heft struct {
	limit int // bytes of a message, before it is packed
	bytes int // of the one on its way
	since time.Time
}

const (
	briefly     = time.Second // for one message to be on its way
	leastOnAWay = 2 << 10     // bytes: with less, envelopes would be most of it
)

// put notes that a message is on its way.
func (h *heft) put(now time.Time, bytes int) { h.since, h.bytes = now, bytes }

// out notes that it is out: the next ones are to take as long as they should.
func (h *heft) out(now time.Time, most int) {
	took := now.Sub(h.since)
	if took > briefly {
		h.limit = int(float64(h.bytes) * float64(briefly) / float64(took))
	} else {
		h.limit *= 2
	}
	h.limit = min(max(h.limit, leastOnAWay), most)
}

// live measures how fast readings are stored.
type live struct {
	at        time.Time
	next      uint64
	perSecond float64
}

// look takes the present in. A burst counts at once, quiet only by and by.
func (l *live) look(now time.Time, next uint64) {
	if l.at.IsZero() {
		l.at, l.next = now, next
		return
	}
	if d := now.Sub(l.at); d >= rateEach {
		rate := float64(next-l.next) / d.Seconds()
		l.perSecond = max(rate, (l.perSecond+rate)/2)
		l.at, l.next = now, next
	}
}
