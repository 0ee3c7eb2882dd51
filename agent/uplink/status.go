package uplink

import (
	"strconv"

	"pithead/agent/event"
	"pithead/config"
)

// status is the retained word on whether the gateway is there: online, stopped,
// or, as its will, offline.
func (u *Uplink) status(state string) message {
	now := u.Now()
	b := appendUint([]byte(`{`), "v", 1)
	b = appendText(b, "state", state)
	b = appendWhen(b, "t", event.Stamp{Boot: u.Boot, M: now.M, T: now.T, Known: now.Known}, u.Boot)
	b = appendText(b, "epoch", u.Log.Epoch())
	b = appendUint(b, "boot", uint64(u.Boot))
	b = appendText(b, "session", u.Session)
	b = appendUint(b, "event", u.Log.Lane(eventLane).Next()-1)
	b = appendText(b, "version", u.Version)
	b = appendText(b, "config", u.Site.Hash)
	b = appendText(b, "kid", u.Kid)
	b = append(appendText(b, "key", u.Key), '}')
	return message{topic: Topic(u.Site, u.cfg, "status"), kind: "status", retained: true, payload: b}
}

// snapshotMessages is the snapshot's payload, cut into parts where need be.
func (u *Uplink) snapshotMessages(s Snapshot) [][]byte {
	now := u.Now()
	b := appendText(u.opening(now), "clock", now.Clock.String())
	b = appendInt(b, "valid-for", (u.cfg.Snapshot + snapshotSlack).Milliseconds())
	b = appendText(b, "mode", s.Mode)
	points, alarms, outputs := section{name: "points"}, section{name: "alarms"}, section{name: "outputs"}
	for _, a := range s.Alarms {
		alarms.items = append(alarms.items, a.append(nil, u.Boot))
	}
	for _, o := range s.Outputs {
		outputs.items = append(outputs.items, o.append(nil))
	}
	for _, p := range s.Points {
		if config.Matches(u.cfg.Points, p.Point) {
			points.items = append(points.items, p.append(nil, u.Boot))
		}
	}
	sections := []section{alarms, outputs}
	for _, x := range []struct {
		name, what string
		of         []AsideNow
	}{{"shelved", "alarm", s.Shelved}, {"suppressed", "alarm", s.Suppressed}, {"out", "p", s.Out}, {"test", "p", s.Test}} {
		if len(x.of) == 0 {
			continue
		}
		sec := section{name: x.name}
		for _, a := range x.of {
			sec.items = append(sec.items, a.append(nil, x.what, u.Boot))
		}
		sections = append(sections, sec)
	}
	if len(s.Seals) > 0 {
		seals := section{name: "seals"}
		for _, x := range s.Seals {
			seals.items = append(seals.items, x.append(nil, u.Boot))
		}
		sections = append(sections, seals)
	}
	return parts(b, append(sections, points), u.cfg.Max)
}

// healthMessage is the health's payload.
func (u *Uplink) healthMessage() []byte {
	b := u.opening(u.Now())
	h := appendJSON(nil, u.Health())
	return append(append(b, ','), h[1:]...) // without its brace
}

func partTopic(topic string, i int) string { return topic + "/" + strconv.Itoa(i) }
