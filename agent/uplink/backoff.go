package uplink

import (
	"fmt"
	"time"
)

const (
	firstTry  = 10 * time.Second // a loss is followed by the first try within this
	urgentTry = 3 * time.Second  // the same while an orange or red event waits
	longest   = 5 * time.Minute  // between two tries
	presses   = 120              // with such an event so many waits don't double, for four or five minutes: a link that is there for ten seconds of each minute is met
	quick     = 10 * time.Second // a connection that ends sooner was taken away
)

// sameID is the fault after three quick ends: brokers throw the older of two
// clients with one id out, so that two gateways would do nothing but that.
const sameID = "another client uses this id"

// A backoff says when to try to connect next. It asks no clock and rolls no
// dice: both come in.
type backoff struct {
	tries  int    // since the last connection that held
	quicks int    // connections in a row that ended within quick
	begun  bool   // the first connection of a run comes at once
	at     string // the topic at which the newest of those ended; empty: at none
	alike  int    // of those in a row, how many ended there
}

// wait is how long to wait before the next try; r is uniform in [0, 1). The
// first wait is spread from nothing, so that a thousand gateways that lost one
// broker don't come back in the same second; later ones double.
func (b *backoff) wait(urgent bool, r float64) time.Duration {
	base := firstTry
	if urgent {
		base = urgentTry
	}
	try := b.tries
	b.tries++
	if try == 0 {
		return time.Duration(r * float64(base))
	}
	if urgent {
		try = max(0, try-presses)
	}
	d := longest
	if try < 10 { // 3 s doubled ten times is beyond longest
		d = min(base<<try, longest)
	}
	return time.Duration((0.5 + r/2) * float64(d))
}

// lost takes note of a connection that ended after it had lasted so long, and
// returns what a person must see to, if that is three quick ends in a row. One
// who takes over the id does so at any time; where it is at the same topic each
// time, it is that which the broker does not take.
func (b *backoff) lost(lasted time.Duration, at string) (fault string) {
	if lasted >= quick {
		b.tries, b.quicks = 0, 0
		return ""
	}
	if at != b.at || b.quicks == 0 {
		b.at, b.alike = at, 0
	}
	b.alike++
	b.quicks++
	switch {
	case b.quicks < 3:
		return ""
	case b.alike >= 3 && at != "":
		return fmt.Sprintf("the broker ends the connection at each message on %s: it gives no right to publish there, or can't take the message; or %s", at, sameID)
	}
	return sameID
}

// hurry is how long to wait instead, once an orange or red event has happened;
// if that try fails too, the waits go on as from the beginning.
func (b *backoff) hurry(r float64) time.Duration {
	b.tries = 1
	return time.Duration(r * float64(urgentTry))
}
