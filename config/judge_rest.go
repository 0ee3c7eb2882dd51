package config

import (
	"os"
	"slices"

	"pithead/drivers"
)

// judgeSeal judges what this version does not act on yet.
func (j *judge) judgeSeal(o *object) {
	lists := []string{"closed", "tamper", "run", "still", "seen"}
	any := o.has("idle") || o.strange
	for _, k := range lists {
		any = any || o.has(k)
		for _, e := range entriesIn(o.given(k)) {
			p, ok := find(j, e, &j.points, "points", "point")
			if ok && k == "still" && p.kind == drivers.Bool {
				j.errorf(e.place, "%q is 0 or 1; want a point that counts", p.id)
			}
			if ok && k != "still" && p.kind == drivers.Number {
				j.errorf(e.place, "%q is a number; want a point that is 0 or 1", p.id)
			}
		}
	}
	for _, e := range entriesIn(o.given("idle")) {
		if e.obj == nil {
			find(j, e, &j.points, "points", "point")
			continue
		}
		if p, ok := find(j, e.obj.given("point"), &j.points, "points", "point"); ok && p.kind == drivers.Bool {
			j.errorf(e.obj.where("above"), "belongs to numbers; %s is 0 or 1", p.id)
		}
	}
	if !any {
		j.errorf(o.place, "watches nothing; want closed, tamper, idle, run, still or seen")
	}
	j.judgeDo(o.given("do"))
}

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
		s.Web.Listen = w.text("listen")
		j.secret(w, "password")
	}
	if i := t.sub("identity"); i != nil {
		s.Identity = j.path(i.text("key"))
	}
	s.Clock = t.text("clock")
	if l := t.sub("log"); l != nil {
		s.LogLevel = l.text("level")
	}
	if a := t.sub("alive"); a != nil {
		j.lineOn(a.given("gpio"))
	}
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
	for _, d := range j.devices.all {
		s.Devices = append(s.Devices, d.site)
	}
	for _, p := range j.points.all {
		if p.dormant {
			j.warnf(p.place, "this version can't read this point, and so judges none of its alarms")
			continue
		}
		s.Points = append(s.Points, p.site)
	}
	for _, o := range j.outputs.all {
		s.Outputs = append(s.Outputs, o.site)
	}
	slices.SortStableFunc(j.later, func(a, b notYet) int { return comparePlaces(a.place, b.place) })
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
		out.Modbus = &b.modbus
	}
	return out
}
