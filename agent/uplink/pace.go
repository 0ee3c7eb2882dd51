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
