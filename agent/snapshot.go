package agent

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/agent/uplink"
)

// snapshot is what is true now, asked of the judge.
func (a *agent) snapshot(ctx context.Context) (uplink.Snapshot, error) {
	var s uplink.Snapshot
	err := a.judge.ask(ctx, func() { s = a.judge.snapshot(a.boot) })
	return s, err
}

func (j *judge) snapshot(boot uint32) uplink.Snapshot {
	s := uplink.Snapshot{Mode: j.mode, Points: make([]uplink.PointNow, 0, len(j.points))}
	for _, p := range j.points {
		if p.seen {
			s.Points = append(s.Points, uplink.PointNow{Point: p.cfg.ID, At: j.stamp(p.at, boot),
				Value: p.last, Quality: p.mark.quality, Code: p.mark.code})
		}
	}
	for st := range j.all {
		if st.State() == alarm.Normal {
			continue
		}
		d := st.Def()
		since := j.stamp(st.since, boot)
		if st.t != 0 {
			since.T, since.Known = st.t, true
		}
		m := st.Memory()
		now := uplink.AlarmNow{ID: d.ID, Name: d.Name, Point: d.Point, State: st.State().String(),
			Level: st.Level().String(), Since: since, Value: st.value,
			Shelved: st.shelf != nil, Suppressed: st.suppressed(), Out: st.isOut()}
		if c := st.coveredBy(); c != nil {
			now.Covered = c.Def().ID
		}
		if m.HasLimit {
			now.Limit = &m.Limit
		}
		s.Alarms = append(s.Alarms, now)
	}
	for _, o := range j.outputs {
		s.Outputs = append(s.Outputs, o.now())
	}
	j.asidesNow(&s, boot)
	for _, g := range j.seals {
		s.Seals = append(s.Seals, j.sealNow(g, boot))
	}
	return s
}

// asidesNow is what is beside the states, whether it stands or not.
func (j *judge) asidesNow(s *uplink.Snapshot, boot uint32) {
	now := func(a *aside) uplink.AsideNow {
		n := uplink.AsideNow{ID: a.id, Since: j.stamp(a.since, boot), By: a.by, Why: a.why, Ends: a.until > 0}
		if n.Ends {
			n.Until = j.stamp(a.until, boot)
		}
		return n
	}
	for st := range j.all {
		if st.shelf != nil {
			s.Shelved = append(s.Shelved, now(st.shelf))
		}
		if st.suppressed() {
			s.Suppressed = append(s.Suppressed, uplink.AsideNow{ID: st.Def().ID})
		}
	}
	for _, p := range j.points {
		if p.out != nil {
			s.Out = append(s.Out, now(p.out))
		}
		if p.test != nil {
			s.Test = append(s.Test, now(p.test))
		}
	}
}

func (j *judge) stamp(at time.Duration, boot uint32) event.Stamp {
	s := j.clock.At(at)
	return event.Stamp{Boot: boot, M: s.M, T: s.T, Known: s.Known()}
}

func (o *output) now() uplink.OutputNow {
	n := uplink.OutputNow{ID: o.cfg.ID, Name: o.cfg.Name, On: o.on}
	for _, s := range o.askers {
		if o.wantedBy(s) {
			n.Why = append(n.Why, s.Def().ID)
		}
	}
	if o.held {
		n.Why = append(n.Why, "held")
	}
	if o.err != nil {
		n.Fault = o.err.Error()
	} else if o.fault.State() != alarm.Normal {
		n.Fault = "what must be so while it is on is not seen to be so"
	}
	return n
}

// health is how the gateway itself fares.
func (a *agent) health() uplink.Health {
	h := uplink.Health{Clock: a.clock.Now().Clock.String(), Uptime: time.Since(a.started).Milliseconds(),
		Memory: resident(), Load: load(), Celsius: celsius()}
	for _, b := range a.loops {
		if about := b.about.Load(); about != nil {
			bus, points := about.health()
			h.Buses, h.Points = append(h.Buses, bus), append(h.Points, points...)
		}
		if us := b.state.Load(); us != nil {
			for _, u := range *us {
				h.Units = append(h.Units, uplink.UnitHealth{ID: u.Unit, Online: u.Life != Offline, Answered: u.share(), Setup: u.Setup})
			}
		}
	}
	for i, u := range a.uplinks {
		h.Uplinks = append(h.Uplinks, uplink.HealthOf(a.site.Uplinks[i].ID, u.State(), a.clock.TLS()))
	}
	for _, l := range a.lanes() {
		h.Buffer.Bytes += uint64(l.Bytes())
	}
	h.Buffer.Lost = a.rec.lost.Load()
	h.Buffer.Waiting, _ = a.queue.waiting()
	h.Buffer.Waiting += int(a.rec.waiting.Load())
	h.Buffer.Room = a.queue.most
	if why := a.rec.why.Load(); why != nil {
		h.Buffer.Error = *why
	} else if a.buf.Cramped() {
		h.Buffer.Error = fullDisk
	}
	h.Buffer.Disk = diskOf(a.site.Buffer.Dir)
	h.Buffer.Disk.Slowest = a.rec.pace.slowest().Milliseconds()
	h.Buffer.Disk.Failed = a.rec.pace.failed.Load()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = a.judge.ask(ctx, func() { h.Alarms = a.judge.alarmHealth() })
	h.Buffer.Days = days(laneOf(a.rec.data), a.clock.Now())
	return h
}

// share is how many requests were answered, nil if none was made.
func (u UnitState) share() *float64 {
	if u.Asked == 0 {
		return nil
	}
	f := float64(u.Answered) / float64(u.Asked)
	return &f
}

// days is how far back the readings in the buffer go, nil where no clock tells.
func days(l lane, now Stamp) *float64 {
	if l.next == l.first || !now.Known() {
		return nil
	}
	r := l.reader(l.first)
	defer r.Close()
	var d record.Decoder
	for {
		fr, err := r.Next()
		if err != nil {
			return nil
		}
		if fr.Key {
			err = d.Key(fr.Payload)
		} else if b, e := d.Frame(fr.Payload); e == nil && len(b.Readings) > 0 && b.Clock != record.Unknown {
			back := float64(now.T-b.Readings[0].M-b.Offset) / (24 * time.Hour).Seconds() / 1000
			return &back
		}
		if err != nil {
			return nil
		}
	}
}

// resident is the process's memory in bytes, 0 if the kernel does not say.
func resident() uint64 {
	b, _ := os.ReadFile("/proc/self/statm")
	f := strings.Fields(string(b))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(f[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

// load is the machine's one-minute average, nil if the kernel does not say.
func load() *float64 {
	b, _ := os.ReadFile("/proc/loadavg")
	return number(strings.Fields(string(b) + " -")[0], 1)
}

// celsius is the board's own temperature, nil if it has no sensor.
func celsius() *float64 {
	b, _ := os.ReadFile("/sys/class/thermal/thermal_zone0/temp")
	return number(strings.TrimSpace(string(b)), 1000)
}

func number(s string, unit float64) *float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil
	}
	f /= unit
	return &f
}
