package config

import (
	"cmp"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"pithead/agent/alarm"
	"pithead/drivers"
	"pithead/drivers/gpio"
	"pithead/drivers/modbus"
	"pithead/drivers/sim"
)

// judge holds the parts of a file against each other and makes the Site. What
// the reader found wrong is not judged a second time.
type judge struct {
	*reader
	dir   string              // of the site file
	look  bool                // for files and secrets
	envs  []*value            // secrets in the environment
	parts map[string][]byte   // included files that came with the text, by name
	lines map[string][]string // of the text, and of each included file
	top   *object
	site  *Site

	buses   catalog[*bus]
	devices catalog[*device]
	points  catalog[*point]
	outputs catalog[*output]
	groups  catalog[*group]
	taken   map[string]string // lines, coils, addresses: to what has them already
	stack   []*point          // computed points being compiled
	probes  []Bus
	scales  []*drivers.Scale // newest last, for points that have the same
	defs    []alarm.Def      // the memory of those that points have
	fault   *alarm.Def       // what points have that say nothing of it

	dirs     []string            // with profiles, before those that came with the agent
	profiles map[string]*profile // by name; nil where it is wrong
	unsure   []string            // devices whose profile is wrong, and so whose points are not known
	brought  map[string]int      // points that are only in a profile, to the line of the device's profile key
}

// catalog is things by id and in the file's order.
type catalog[T any] struct {
	by  map[string]T
	all []T
	ids []string
}

func (c *catalog[T]) add(id string, t T) {
	if c.by == nil {
		c.by = map[string]T{}
	}
	c.by[id] = t
	c.all, c.ids = append(c.all, t), append(c.ids, id)
}

type bus struct {
	*object
	id, kind string // kind is empty where it is wrong
	modbus   modbus.Config
	gpio     gpio.Config
	sim      sim.Config
	share    float64        // percent
	units    map[string]int // device, to its place in modbus.Units or sim.Units
	untimed  bool           // something that its timing depends on is wrong
}

type device struct {
	*object
	id   string
	bus  *bus // nil where it is wrong
	conf modbus.UnitConfig
	site Device
}

type point struct {
	*object
	id, source string
	line       int          // in the site file; of a profile's point that of its device's profile key
	kind       drivers.Kind // None where it is wrong or not yet known
	device     *device
	bus        *bus
	reg        modbus.PointConfig
	rare       modbus.Rare // its own, where it has any of it
	width      int         // registers
	site       Point
	hoursOf    *point // this one counts how long that one is 1
	dormant    bool   // this version can't read it
	state      compileState
	slowest    time.Duration // cycle among the inputs of a computed point; 0 = not known
	reach      *reach
}

type output struct {
	*object
	id   string
	trip bool
	bus  *bus
	site Output
}

func newJudge(r *reader, src []byte, top *object) *judge {
	return &judge{reader: r, dir: filepath.Dir(r.file), lines: map[string][]string{"": strings.Split(string(src), "\n")},
		top: top, taken: map[string]string{}, profiles: map[string]*profile{}, brought: map[string]int{}, site: &Site{File: r.file}}
}

// collect takes the ids first, so that everything may name everything.
func (j *judge) collect() {
	top := j.top
	for _, o := range top.entries("buses") {
		j.buses.add(o.id("buses"), &bus{object: o, id: o.id("buses"), units: map[string]int{}})
	}
	for _, o := range top.entries("devices") {
		j.devices.add(o.id("devices"), &device{object: o, id: o.id("devices")})
	}
	for _, o := range top.entries("points") {
		p := &point{object: o, id: o.id("points"), line: o.line, site: Point{Common: &Common{}, Own: &Own{}}}
		if at, only := j.brought[p.id]; only {
			p.line = at
		}
		j.points.add(p.id, p)
	}
	j.together()
	for _, o := range top.entries("outputs") {
		j.outputs.add(o.id("outputs"), &output{object: o, id: o.id("outputs")})
	}
	for _, o := range top.entries("groups") {
		j.groups.add(o.id("groups"), &group{object: o, id: o.id("groups")})
	}
}

// together puts the ids of all points into one text. What is kept of a file of ten
// thousand points must not lie scattered among the hundred times as much that isn't.
func (j *judge) together() {
	var b strings.Builder
	for _, p := range j.points.all {
		b.WriteString(p.id)
	}
	all := b.String()
	for _, p := range j.points.all {
		n := len(p.id)
		p.id, all = all[:n], all[n:]
	}
}

// run judges everything, in the order in which the parts need each other.
func (j *judge) run() {
	j.expand()
	j.collect()
	each(j.buses.all, j.judgeBus)
	each(j.devices.all, j.judgeDevice)
	j.withHours()
	each(j.points.all, j.judgePoint)
	each(j.outputs.all, j.judgeOutput)
	each(j.points.all, j.compile)
	each(j.points.all, j.judgeValues)
	each(j.points.all, j.judgeHours)
	each(j.outputs.all, j.judgeVerify)
	each(j.points.all, j.judgeAlarms)
	each(j.buses.all, j.judgeSignals)
	each(j.top.entries("uplinks"), j.judgeUplink)
	each(j.top.entries("seals"), j.judgeSeal)
	each(j.groups.all, j.judgeGroup)
	j.orderGroups()
	j.judgeRest()
	each(j.buses.all, j.judgeTiming)
	j.judgeFiles()
	j.assemble()
}

func each[T any](all []T, f func(T)) {
	for _, t := range all {
		f(t)
	}
}

// find is what a value names, or nothing, which is told unless the whole part
// of the file that would have it is broken.
func find[T any](j *judge, v *value, in *catalog[T], part, what string) (t T, ok bool) {
	if v == nil {
		return t, false
	}
	if t, ok = in.by[v.text]; !ok {
		j.noSuch(v, in.ids, part, what)
	}
	return t, ok
}

func (j *judge) noSuch(v *value, ids []string, part, what string) {
	m := j.top.sub(part)
	if j.top.broken(part) || m != nil && m.has(v.text) || part == "points" && j.maybe(v.text) {
		return
	}
	if w := j.near(v.text, ids); w != "" {
		j.errorf(v.place, "no %s %q; did you mean %q?", what, v.text, w)
		return
	}
	hint := ""
	if len(ids) > 0 && len(ids) <= 8 {
		hint = "; want " + orList(ids)
	} else if len(ids) == 0 {
		hint = "; " + part + ": has none"
	}
	j.errorf(v.place, "no %s %q%s", what, v.text, hint)
}

// only refuses a second of several keys that exclude each other, and returns
// the one that counts: none where there is none or a doubt.
func (j *judge) only(o *object, of []string, what string) (string, bool) {
	var got []string
	for _, k := range of {
		if o.has(k) {
			got = append(got, k)
		}
	}
	if len(got) > 1 {
		sort.SliceStable(got, func(i, j int) bool { return comparePlaces(o.where(got[i]), o.where(got[j])) < 0 })
		at := o.where(got[1])
		if p, ok := o.at[got[1]]; ok {
			at = p
		}
		j.errorf(at, "is a second %s beside %q; want one", what, got[0])
		return "", false
	}
	if len(got) == 1 {
		return got[0], true
	}
	return "", true
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.col, b.col))
}

// keyf tells what is wrong with a key's being there. Of a key that was only
// misspelt the misspelling is told, and no more.
func (j *judge) keyf(o *object, k, format string, args ...any) {
	if at, ok := o.at[k]; ok {
		j.errorf(at, format, args...)
	}
}

func (j *judge) keyWarnf(o *object, k, format string, args ...any) {
	if at, ok := o.at[k]; ok {
		j.warnf(at, format, args...)
	}
}

// misplaced refuses keys that have no meaning for this kind of thing.
func (j *judge) misplaced(o *object, keys map[string][]string, kind, what string) {
	for _, k := range o.keys {
		if of, ok := keys[k]; ok && !slices.Contains(of, kind) {
			j.keyf(o, k, "means nothing for %s; it belongs to %s", what, orList(of))
			o.vals[k] = nil
		}
	}
}

// take notes that who has a thing that only one can have, and returns who has
// it already.
func (j *judge) take(thing, who string) (other string, taken bool) {
	if other, taken = j.taken[thing]; !taken {
		j.taken[thing] = who
	}
	return other, taken
}

// path is a file name as written, taken from the site file's folder.
func (j *judge) path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(j.dir, name)
}
