package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// expand brings in the points and habits of the devices' profiles, before
// anything is judged: what is judged then has no trace of how it was written,
// but for the file in its place.
func (j *judge) expand() {
	dirs := j.top.given("profiles")
	for _, e := range entriesIn(dirs) {
		if j.look {
			j.dirs = append(j.dirs, j.path(e.text))
		}
	}
	for _, d := range j.top.entries("devices") {
		v := d.given("profile")
		switch {
		case v != nil:
			if !j.bring(d, v) {
				j.unsure = append(j.unsure, d.id("devices"))
			}
		case d.has("profile"):
			j.unsure = append(j.unsure, d.id("devices"))
		case d.has("points"):
			j.keyf(d, "points", "chooses among the points of a profile; want profile beside it")
		}
	}
}

// maybe says that a point could be one of a profile that is wrong itself.
func (j *judge) maybe(id string) bool {
	return slices.ContainsFunc(j.unsure, func(d string) bool { return strings.HasPrefix(id, d+".") })
}

// bring brings in one device's profile.
func (j *judge) bring(d *object, v *value) bool {
	p := j.profile(v)
	if p == nil {
		for _, e := range d.params {
			if w := j.near(e.name, sectionNames(d)); w != "" {
				j.errorf(e.place, "unknown key; did you mean %q?", w)
			}
		}
		return false
	}
	s := j.parameters(d, p)
	if s == nil {
		return false
	}
	if !p.head.bool("tried") && !p.warned {
		p.warned = true
		j.warnf(v.place, "profile %s was not yet tried on hardware (tried: no); its map is from %s; compare each value with the device's own display",
			p.name, p.head.text("source"))
	}
	before := len(j.list)
	j.in = p.file
	s.count("")
	j.habits(d, s, p)
	j.bringPoints(d, s, p)
	j.in = ""
	good := len(j.list) == before
	j.once(before)
	return good
}

// once drops what is wrong with a profile and was told for another device already.
func (j *judge) once(from int) {
	old := j.list[:from:from]
	j.list = append(old, slices.DeleteFunc(slices.Clone(j.list[from:]), func(p Problem) bool {
		return p.File != j.file && slices.ContainsFunc(old, func(q Problem) bool {
			return p.File == q.File && p.Line == q.Line && p.Col == q.Col && p.Text == q.Text
		})
	})...)
}

// habits are what the profile says of the device itself.
func (j *judge) habits(d *object, s *stand, p *profile) {
	if p.defaults == nil {
		return
	}
	at := j.at(p.defaults, d.path)
	v := j.read(s.node(p.defaults), sect("habits"), at, at)
	if v == nil {
		return
	}
	for _, k := range v.obj.keys {
		if !d.has(k) {
			d.vals[k], d.at[k] = v.obj.vals[k], v.obj.at[k]
			d.keys = append(d.keys, k)
		}
	}
}

// draft is one point of a profile as a device has it.
type draft struct {
	name, key string // without the device, and with it
	n         string // what $n stands for; empty: it is not one of several
	at        place
	node      *yaml.Node // as in the profile
}

// bringPoints puts the points of a device's profile among those of the file.
func (j *judge) bringPoints(d *object, s *stand, p *profile) {
	m := j.pointsOfFile()
	if m == nil {
		return // it was told
	}
	for _, t := range j.chosen(d, p, j.drafts(s, p)) {
		s.count(t.n)
		before := len(j.list)
		n := s.node(t.node)
		if len(j.list) > before {
			continue
		}
		v := j.read(n, sect("point"), j.at(n, t.at.path), t.at)
		if v == nil {
			continue
		}
		for _, k := range []string{"device", "gpio", "probe", "alarms"} {
			if v.obj.has(k) {
				j.keyf(v.obj, k, "is the site file's to say; leave it out of a profile")
			}
		}
		v.obj.vals["device"] = &value{place: d.where("profile"), key: d.where("profile"), text: s.device}
		own := m.vals[t.key]
		if computed := v.obj.has("value"); computed && (own == nil || own.obj == nil || !slices.ContainsFunc(registers, own.obj.has)) {
			delete(v.obj.vals, "device")
		}
		switch {
		case own != nil && own.obj != nil:
			override(own.obj, v.obj)
		case m.has(t.key):
		default:
			m.keys = append(m.keys, t.key)
			m.vals[t.key], m.at[t.key] = v, t.at
			j.brought[t.key] = d.where("profile").line
		}
	}
}

// pointsOfFile is the mapping that all points are in; nil where it is broken.
func (j *judge) pointsOfFile() *object {
	if !j.top.has("points") {
		o := &object{place: place{path: "points"}, vals: map[string]*value{}, at: map[string]place{}}
		j.top.vals["points"] = &value{place: o.place, obj: o}
	}
	return j.top.sub("points")
}

// drafts are all points of a profile, those of $n one by one.
func (j *judge) drafts(s *stand, p *profile) []draft {
	var out []draft
	for i := 0; i+1 < len(p.points.Content); i += 2 {
		k, c := p.points.Content[i], p.points.Content[i+1]
		if !strings.Contains(k.Value, "$n") {
			out = append(out, draft{name: k.Value, at: j.at(k, ""), node: c})
			continue
		}
		for n := 1; n <= j.times(s, p); n++ {
			at := strconv.Itoa(n)
			out = append(out, draft{name: strings.ReplaceAll(k.Value, "$n", at), n: at, at: j.at(k, ""), node: c})
		}
	}
	for i := range out {
		out[i].key = s.device + "." + out[i].name
		out[i].at.path = "points." + out[i].key
		if problem := ident.scan(&value{text: out[i].key}); problem != "" {
			j.errorf(out[i].at, "%s", problem)
		}
	}
	return out
}

// times is how often $n counts.
func (j *judge) times(s *stand, p *profile) int {
	v := *p.head.get("count")
	if name, is := strings.CutPrefix(v.text, "$"); is {
		v.text = s.says[name]
	}
	if problem := ints(1, 256).scan(&v); problem != "" {
		j.errorf(v.place, "%s", problem)
		return 0
	}
	return int(v.n)
}

// count sets what $n stands for.
func (s *stand) count(n string) {
	delete(s.says, "n")
	if n != "" {
		s.says["n"] = n
	}
}

var ofDevice = regexp.MustCompile(`\$device\.([a-z][a-z0-9_.]*)`)

// chosen are the points that the device has: those that the site file chose,
// and what these are computed from.
func (j *judge) chosen(d *object, p *profile, all []draft) []draft {
	v := d.given("points")
	if v == nil {
		return all
	}
	want := map[string]bool{}
	var names []string
	for _, t := range all {
		names = append(names, t.name)
	}
	for _, e := range v.list {
		found := false
		for _, t := range all {
			if matches(e.text, t.name) {
				found = true
				choose(t, all, want)
			}
		}
		if w := j.near(e.text, names); !found && w != "" {
			j.errorf(e.place, "profile %s has no point %q; did you mean %q?", p.name, e.text, w)
		} else if !found {
			j.errorf(e.place, "profile %s has no point %q; want %s", p.name, e.text, orList(names))
		}
	}
	return slices.DeleteFunc(all, func(t draft) bool { return !want[t.name] })
}

// choose wants a point, and what it is computed from.
func choose(t draft, all []draft, want map[string]bool) {
	if want[t.name] {
		return
	}
	want[t.name] = true
	for i := 0; i+1 < len(t.node.Content); i += 2 {
		if t.node.Content[i].Value != "value" {
			continue
		}
		text := strings.ReplaceAll(t.node.Content[i+1].Value, "$n", t.n)
		for _, m := range ofDevice.FindAllStringSubmatch(text, -1) {
			if k := slices.IndexFunc(all, func(u draft) bool { return u.name == m[1] }); k >= 0 {
				choose(all[k], all, want)
			}
		}
	}
}

// alternatives are keys of a point that exclude each other: one of the site
// file takes the place of all that the profile has of them.
var alternatives = [][]string{registers, {"scale", "offset", "map", "curve", "counter"}}

// override completes what the site file says of a point by its profile.
func override(own, from *object) {
	skip := map[string]bool{}
	for _, group := range alternatives {
		if slices.ContainsFunc(group, own.has) {
			for _, k := range group {
				skip[k] = true
			}
		}
	}
	source := "device"
	for _, k := range sources[1:] {
		if own.has(k) {
			source = k
		}
	}
	if source != "device" {
		skip["device"], skip["value"] = true, true
		for k, of := range pointOnly {
			skip[k] = skip[k] || !slices.Contains(of, source)
		}
	} else if slices.ContainsFunc(registers, own.has) {
		skip["value"] = true // of a point that the profile computes
	}
	for _, k := range append([]string{"device"}, from.keys...) {
		if v := from.vals[k]; !own.has(k) && !skip[k] && v != nil {
			own.vals[k] = v
			own.keys = append(own.keys, k)
		}
	}
}
