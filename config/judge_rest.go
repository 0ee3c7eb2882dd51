package config

import (
	"os"
	"slices"
	"sort"
	"strings"

	"pithead/drivers/gpio"
)

// judgeRest fills in what stands at the top of the file.
func (j *judge) judgeRest() {
	s, t := j.site, j.top
	s.Site, s.Gateway, s.Name = t.text("site"), t.text("gateway"), t.text("name")
	s.UTCOffset = utcOffset(t.text("utc-offset"))
	s.Stats, s.Memory = t.dur("stats"), int64(t.int("memory"))
	if v := t.given("stats"); v != nil && v.n != 0 && v.dur() < 10*sec {
		j.errorf(v.place, "%s is too short a period; want 0s, or 10s and more", v.text)
	}
	if !t.has("points") && len(j.unsure) == 0 {
		j.errorf(t.place, "\"points\" is missing; want keys and values")
	}
	if b := t.sub("buffer"); b != nil {
		j.judgeBuffer(b)
	}
	if w := t.sub("web"); w != nil {
		s.Web = Web{w.text("listen"), j.secret(w, "password"), j.path(w.text("cert")), j.path(w.text("key"))}
		j.pair(w, "cert", "key")
		j.judgeOpenPage(w)
	}
	if i := t.sub("identity"); i != nil {
		s.Identity = j.path(i.text("key"))
	}
	s.Clock = t.text("clock")
	if l := t.sub("log"); l != nil {
		s.LogLevel = l.text("level")
	}
	if a := t.sub("alive"); a != nil {
		j.judgeAlive(a)
	}
}

// judgeOpenPage warns of a password that crosses a network in the clear.
func (j *judge) judgeOpenPage(w *object) {
	host, _, _ := strings.Cut(w.text("listen"), ":")
	if w.has("password") && !w.has("cert") && host != "127.0.0.1" && host != "localhost" {
		j.keyWarnf(w, "password", "crosses the network in the clear; want cert and key beside it, or listen on 127.0.0.1")
	}
}

func (j *judge) judgeAlive(a *object) {
	b, pin := j.lineOn(a.given("gpio"))
	if b == nil {
		return
	}
	j.site.Alive = &Alive{Bus: b.id, Period: a.dur("period")}
	if b.kind == "sim" {
		b.sim.Outputs = append(b.sim.Outputs, AliveID)
		return
	}
	b.gpio.Outputs = append(b.gpio.Outputs, gpio.OutputConfig{ID: AliveID, Pin: pin, Line: a.line})
}

func (j *judge) judgeBuffer(b *object) {
	size := int64(b.int("size"))
	j.site.Buffer = Buffer{Dir: j.path(b.text("dir")), Size: size, Events: size / 8, Stats: size / 8, Commit: b.dur("commit")}
	v := b.given("events")
	if v == nil || b.broken("size") {
		return
	}
	j.site.Buffer.Events = v.n
	if v.n > size/2 {
		j.errorf(v.place, "%s is more than half of the buffer's %s; want less, or a larger buffer", v.text, b.text("size"))
	}
}

// judgeFiles warns of files and secrets that are not there.
func (j *judge) judgeFiles() {
	if !j.look {
		return
	}
	for _, v := range j.files {
		if _, err := os.Stat(j.path(v.text)); err != nil && !isPlatform(v.text) {
			j.warnf(v.place, "%s is not there", v.text)
		}
	}
	for _, v := range j.envs {
		if _, ok := os.LookupEnv(v.text); !ok {
			j.warnf(v.place, "the environment has no %s", v.text)
		}
	}
}

// assemble puts together what was judged, in the file's order.
func (j *judge) assemble() {
	s := j.site
	for _, b := range j.buses.all {
		s.Buses = append(s.Buses, b.build())
	}
	s.Buses = append(s.Buses, j.probes...)
	for _, d := range j.devices.all {
		s.Devices = append(s.Devices, d.site)
	}
	s.Points = make([]Point, 0, len(j.points.all))
	common, none := map[Common]*Common{}, new(Own)
	for _, p := range j.points.all {
		if p.dormant {
			j.warnf(p.place, "this version can't read this point, and so judges none of its alarms")
			continue
		}
		if c, ok := common[*p.site.Common]; ok {
			p.site.Common = c
		} else {
			common[*p.site.Common] = p.site.Common
		}
		if o := p.site.Own; o.States == nil && o.Alarms == nil && o.When == nil {
			p.site.Own = none
		}
		s.Points = append(s.Points, p.site)
	}
	for _, o := range j.outputs.all {
		s.Outputs = append(s.Outputs, o.site)
	}
	sort.SliceStable(j.later, func(a, b int) bool { return comparePlaces(j.later[a].place, j.later[b].place) < 0 })
	for _, l := range j.later {
		s.Later = append(s.Later, l.text)
	}
}

func (b *bus) build() Bus {
	out := Bus{ID: b.id, Line: b.line, DeadShare: b.share}
	switch b.kind {
	case "gpio":
		out.GPIO = &b.gpio
	case "sim":
		out.Sim = &b.sim
	default:
		for i := range b.modbus.Units {
			u := &b.modbus.Units[i]
			u.Points = slices.Clone(u.Points) // as many as there are
		}
		out.Modbus = &b.modbus
	}
	return out
}
