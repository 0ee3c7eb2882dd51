package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"pithead/agent/command"
	"pithead/agent/event"
	"pithead/agent/uplink"
	"pithead/config"
)

// obey does what came over an uplink, and returns the reply, signed.
func (a *agent) obey(ctx context.Context, id string, payload []byte) (reply []byte, then func()) {
	c, result, then, err := a.signed(ctx, id, payload)
	return a.reply(id, c.ID, result, err), then
}

// reply is the answer to a command as it goes out, signed as events are.
func (a *agent) reply(up, id string, result any, err error) []byte {
	text, wrong := json.Marshal(result)
	if result == nil {
		text = []byte("{}")
	}
	if limit := a.uplinkConfig(up).Max - len(`{"v":1,"id":"","ok":true,"result":}`) - len(id) - 200; err == nil && wrong == nil && len(text) > limit {
		wrong = fmt.Errorf("the answer is %d bytes, and a message of this uplink at most %d", len(text), limit)
	}
	if err = errors.Join(err, wrong); err != nil {
		why, _ := json.Marshal(err.Error()) // a string can be written
		return a.key.Seal(append(append(opened(id), `,"ok":false,"error":`...), why...))
	}
	return a.key.Seal(append(append(opened(id), `,"ok":true,"result":`...), text...))
}

// opened is how a reply begins.
func opened(id string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(id) // a string can be written
	return append([]byte(`{"v":1,"id":`), bytes.TrimSpace(b.Bytes())...)
}

func (a *agent) uplinkConfig(id string) config.Uplink {
	for _, u := range a.site.Uplinks {
		if u.ID == id {
			return u
		}
	}
	return config.Uplink{}
}

// over is the uplink that a command came over, on which it is to be answered.
func (a *agent) over(c command.Command) (*uplink.Uplink, error) {
	for i := range a.uplinks {
		if a.site.Uplinks[i].ID == c.Uplink {
			return a.uplinks[i], nil
		}
	}
	return nil, fmt.Errorf("%s is answered on the uplink that brings it, and none did", c.Op)
}

// readCommand reads points now; over an uplink only those that it is to get.
func readCommand(ctx context.Context, a *agent, c command.Command) (any, error) {
	mine := func(string) bool { return true }
	if c.Uplink != "" {
		patterns := a.uplinkConfig(c.Uplink).Points
		mine = func(id string) bool { return config.Matches(patterns, id) }
	}
	points := c.Args.Points
	for _, id := range points {
		if a.judge.find(id) == nil || !mine(id) {
			return nil, fmt.Errorf("there is no point %q here", id)
		}
	}
	for i := range a.site.Points {
		if id := a.site.Points[i].ID; len(c.Args.Points) == 0 && mine(id) {
			points = append(points, id)
		}
	}
	if len(points) == 0 {
		return map[string]any{"readings": []LocalRead{}}, nil
	}
	rs, err := a.readNow(ctx, points)
	return map[string]any{"readings": rs}, err
}

func snapshotCommand(_ context.Context, a *agent, c command.Command) (any, error) {
	u, err := a.over(c)
	if err == nil {
		u.SnapshotNow()
	}
	return nil, err
}

func resendCommand(_ context.Context, a *agent, c command.Command) (any, error) {
	u, err := a.over(c)
	if err != nil {
		return nil, err
	}
	if err := u.Resend(c.ID, c.Args.From, c.Args.To); err != nil {
		return nil, err
	}
	l := a.rec.data
	return map[string]uint64{"from": c.Args.From, "to": min(c.Args.To, l.Next()-1), "oldest": l.First()}, nil
}

// mostText is how much of a site file goes into one reply.
const mostText = 64_000

// configCommand gives a site file by its hash, the one that runs without, from a
// byte on as far as a reply takes.
func configCommand(_ context.Context, a *agent, c command.Command) (any, error) {
	hash, text := a.site.Hash, a.site.Source.Bytes()
	if c.Args.Hash != "" && c.Args.Hash != hash {
		hash = c.Args.Hash
		var err error
		if text, err = config.Kept(a.site.Buffer.Dir, hash); err != nil {
			return nil, err
		}
	}
	from := min(c.Args.From, uint64(len(text)))
	most := mostText
	if u := a.uplinkConfig(c.Uplink); u.Max > 0 {
		most = min(most, u.Max/3) // JSON may double it
	}
	part := text[from:]
	if len(part) > most {
		part = part[:most]
		if i := bytes.LastIndexByte(part, '\n'); i > 0 {
			part = part[:i+1] // never within a character
		}
	}
	return map[string]any{"hash": hash, "size": len(text), "from": from, "text": string(part)}, nil
}

// reloadCommand refuses what a reload would refuse.
func reloadCommand(_ context.Context, a *agent, _ command.Command) (any, error) {
	if a.Reload.Check == nil {
		return nil, errors.New("this agent was started by something that can't reload it")
	}
	return nil, a.Reload.Check()
}

func (a *agent) reload() { a.Reload.Do() }

// timeCommand sets the clock of a site without any.
func (j *judge) timeCommand(c command.Command) (any, error) {
	if err := j.clock.Tell(time.UnixMilli(c.Args.T)); err != nil {
		return nil, err
	}
	j.timeFrom = "command"
	j.checkClock()
	return map[string]string{"clock": j.clock.Now().Clock.String()}, nil
}

// refusals are commands that were not done: told at once, and then one event a
// minute, with how many, so that they can't flood the record.
type refusals struct {
	count int
	why   string
	up    string
	timer timer
}

const refusalsEach = time.Minute

// refuse counts a command that was not done.
func (a *agent) refuse(ctx context.Context, uplink string, why error) {
	_ = a.judge.ask(ctx, func() { a.judge.refused(uplink, why.Error()) })
}

func (j *judge) refused(up, why string) {
	r := &j.refusals
	r.count++
	r.why, r.up = why, up
	if r.timer.fire == nil {
		r.timer.fire = func(at time.Duration) { j.tellRefused(at) }
	}
	if r.timer.place == 0 {
		j.tellRefused(j.now())
	}
}

// tellRefused tells what was refused since it was called last, and comes again
// as long as there is something.
func (j *judge) tellRefused(at time.Duration) {
	r := &j.refusals
	if r.count == 0 {
		return
	}
	e := event.Event{Kind: "command", ID: "agent", State: "refused", Why: r.why,
		More: []event.Field{{Name: "count", Value: r.count}}}
	if r.up != "" {
		e.More = append(e.More, event.Field{Name: "uplink", Value: r.up})
	}
	j.log.Warn("command refused", "uplink", r.up, "why", r.why, "count", strconv.Itoa(r.count))
	j.tell(e, at)
	r.count = 0
	j.timers.set(&r.timer, at+refusalsEach, true)
}

// heard is a time that a platform vouches for by a signed receipt.
func (a *agent) heard(t int64) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = a.judge.ask(ctx, func() {
		at := time.UnixMilli(t)
		if a.clock.Heard(at); a.site.Clock == "platform" && a.clock.Tell(at) == nil {
			a.judge.timeFrom = "receipt"
			a.judge.checkClock()
		}
	})
}
