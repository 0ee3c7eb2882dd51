package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
)

// connect tries the uplink's brokers in turn, and returns the link to the first
// that lets it in, with its address.
func (u *Uplink) connect(ctx context.Context) (*link, string, error) {
	u.readForms()
	offline, ok := u.form(u.status("offline"))
	if !ok {
		offline = message{} // and no will
	}
	t := terms{will{offline.topic, offline.payload}, u.patience(), u.topics(), u.hear, u.TLS, u.timing.dial}
	u.readFiles()
	var wrong []string // one line, whatever the number of brokers
	var person mistake
	lasting := false
	for _, address := range u.cfg.URLs {
		one, cancel := context.WithTimeout(ctx, u.timing.connect)
		l, err := connect(one, u.cfg, address, t)
		cancel()
		if err == nil {
			return l, address, nil
		}
		wrong = append(wrong, address+": "+err.Error())
		lasting = lasting || errors.As(err, &person)
	}
	err := errors.New(strings.Join(wrong, "; "))
	if lasting {
		return nil, "", mistake{err}
	}
	return nil, "", err
}

// patience is how long a connection may be silent, or owe an answer.
func (u *Uplink) patience() time.Duration { return 2 * keepalive(u.cfg) }

// pause waits until it is time for the next try; false: ctx has ended. An
// orange or red event that happens meanwhile cuts the wait short, once a minute
// at most, so that a storm of them doesn't hammer a dead link.
func (u *Uplink) pause(ctx context.Context, b *backoff) bool {
	if !b.begun { // the first try comes at once, before any event is read
		b.begun = true
		return ctx.Err() == nil
	}
	if u.alert == nil {
		u.alert = &alert{events: u.events(u.at[eventLane])}
	}
	u.alert.scan(ctx)
	left := u.timing.pause(b.wait(u.alert.waits, rand.Float64()))
	end, t := time.Now().Add(left), time.NewTimer(left)
	defer t.Stop()
	look := time.NewTicker(lookEach)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-look.C:
			if u.files.seen != "" && looks(u.cfg) != u.files.seen { // what was wrong with them may be right now
				return true
			}
		case <-t.C:
			return ctx.Err() == nil
		case <-u.wake:
			if u.alert.scan(ctx) && time.Since(u.alert.hurried) > time.Minute {
				u.alert.hurried = time.Now()
				t.Reset(min(time.Until(end), u.timing.pause(b.hurry(rand.Float64()))))
			}
		}
	}
}

// An alert watches the events that wait for a connection, from its loss on.
type alert struct {
	*events
	waits   bool      // an orange or red one is among them
	hurried time.Time // when one last cut a wait short
}

// scan reads on, and says whether an orange or red event was among what is new.
func (a *alert) scan(ctx context.Context) (urgent bool) {
	for a.u.cfg.Events && ctx.Err() == nil {
		payload, err := a.read()
		if err != nil {
			break
		}
		var e told
		if json.Unmarshal(payload, &e) == nil && (e.Level == "orange" || e.Level == "red") {
			urgent, a.waits = true, true
		}
	}
	return urgent
}

// calm ends the alert: there is a connection.
func (u *Uplink) calm() {
	if u.alert != nil {
		u.alert.close()
		u.alert = nil
	}
}
