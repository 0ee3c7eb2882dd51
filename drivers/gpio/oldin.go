package gpio

import (
	"time"

	"github.com/warthog618/go-gpiocdev"
	periph "periph.io/x/conn/v3/gpio"
)

// oldIn is an input line of a kernel before 5.10: no debounce, no sequence
// numbers, 16 edges of buffer, and, before 5.5, no pulls. That edges were lost
// there can't be seen, and that the chip is gone is seen by the next Value.
type oldIn struct {
	line
	options inputOptions
	held    *gpiocdev.Line
	seq     uint32
}

func (l *oldIn) In(pull periph.Pull, _ periph.Edge) error {
	options := []gpiocdev.LineReqOption{
		gpiocdev.AsInput, gpiocdev.WithBothEdges, gpiocdev.WithEventHandler(l.event),
	}
	switch pull {
	case periph.PullUp:
		options = append(options, gpiocdev.WithPullUp)
	case periph.PullDown:
		options = append(options, gpiocdev.WithPullDown)
	}
	if l.options.debounce > 0 {
		options = append(options, gpiocdev.WithDebounce(l.options.debounce))
	}
	held, err := l.device.RequestLine(l.offset, options...)
	if err != nil {
		return err
	}
	l.held = held
	return nil
}

func (l *oldIn) event(e gpiocdev.LineEvent) {
	l.seq++
	l.options.edges(edge{
		at:    whenOld(e.Timestamp, monotonic(), time.Now()),
		level: e.Type == gpiocdev.LineEventRisingEdge,
		seq:   l.seq,
	})
}

func (l *oldIn) Value() (periph.Level, error) { return valueOf(l.held) }
func (l *oldIn) Read() periph.Level           { v, _ := l.Value(); return v }

func (l *oldIn) Halt() error {
	if l.held == nil {
		return nil
	}
	return l.held.Close()
}

// whenOld is the time of a stamp whose clock is not known: before 5.7 it was
// the wall's. An edge is read soon after it came, which tells the two apart.
func whenOld(stamp, mono time.Duration, now time.Time) time.Time {
	const soon = time.Minute
	for _, age := range []time.Duration{mono - stamp, time.Duration(now.UnixNano()) - stamp} {
		if age >= 0 && age < soon {
			return now.Add(-age)
		}
	}
	return now
}
