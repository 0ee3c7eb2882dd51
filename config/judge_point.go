package config

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"pithead/drivers"
	"pithead/drivers/gpio"
	"pithead/drivers/modbus"
	"pithead/drivers/probe"
	"pithead/drivers/sim"
)

// sources of a point, in the order in which they are named to people.
var sources = []string{"device", "gpio", "value", "probe"}

// pointOnly says which sources know a key; keys that are not here are known to all.
var pointOnly = map[string][]string{
	"holding": {"device"}, "input": {"device"}, "coil": {"device"}, "discrete": {"device"}, "register": {"device"},
	"type": {"device"}, "order": {"device"}, "bit": {"device"}, "length": {"device"}, "hi": {"device"}, "counter": {"device"},
	"map": {"device", "gpio"}, "scale": {"device", "gpio"}, "offset": {"device", "gpio"}, "curve": {"device", "gpio"},
	"valid": {"device", "gpio"}, "void": {"device"}, "warm-up": {"device"}, "bands": {"device"},
	"active": {"device", "gpio"},
	"pull":   {"gpio"}, "debounce": {"gpio"}, "counts": {"gpio"}, "frequency": {"gpio"}, "at-most": {"gpio"},
}

var sourceNames = map[string]string{"device": "a register", "gpio": "a GPIO line", "value": "a computed point", "probe": "a probe"}

var pulls = map[string]gpio.Pull{"none": gpio.PullNone, "up": gpio.PullUp, "down": gpio.PullDown}

// judgePoint finds out where a point comes from, and hands it to its bus.
func (j *judge) judgePoint(p *point) {
	p.site = Point{ID: p.id, Name: p.text("name"), Line: p.line, Own: &Own{}, Common: &Common{
		Unit: p.text("unit"), Class: p.text("class"), Every: j.everyOf(p.object),
		Deadband: p.num("deadband"), AtLeast: p.dur("at-least"), Stats: p.bool("stats"), Decimals: -1,
		Prove: p.dur("prove"),
	}}
	if p.hoursOf != nil {
		j.hoursPoint(p)
		return
	}
	src, sure := j.only(p.object, sources, "source")
	switch {
	case !sure:
		return
	case src == "":
		j.sourceless(p)
		return
	}
	p.source = src
	j.misplaced(p.object, pointOnly, src, sourceNames[src])
	switch src {
	case "device":
		j.registerPoint(p)
	case "gpio":
		j.linePoint(p)
	case "value":
		p.site.Type, p.site.Every = "computed", p.dur("every")
	case "probe":
		j.probePoint(p)
	}
	j.judgeScale(p)
}

// sourceless is a point that says not where it comes from, which only a
// device's profile can make good.
func (j *judge) sourceless(p *point) {
	for _, d := range j.devices.all {
		if d.has("profile") && strings.HasPrefix(p.id, d.id+".") && !j.maybe(p.id) {
			j.errorf(p.place, "profile %s of device %q has no point %q, or the device's points leave it out", d.text("profile"), d.id, strings.TrimPrefix(p.id, d.id+"."))
			return
		}
	}
	if !p.strange && !j.maybe(p.id) {
		j.errorf(p.place, "has no source; want device and a register, gpio, value or probe")
	}
}

// linePoint is a GPIO line.
func (j *judge) linePoint(p *point) {
	counts, pulses := p.has("counts"), p.has("frequency")
	p.kind, p.site.Type, p.site.OnChange = drivers.Bool, "bool", true
	if counts || pulses {
		p.kind, p.site.Type = drivers.Number, "counter"
		p.site.OnChange = p.site.Deadband == 0
	}
	if pulses {
		p.site.Type, p.site.OnChange = "frequency", false
	}
	if counts && pulses {
		j.keyf(p.object, "frequency", "either counts or measures; want one of counts and frequency")
	}
	if p.has("at-most") && !counts {
		j.keyf(p.object, "at-most", "bounds pulses that are counted; want counts beside it")
	}
	if v := p.given("at-most"); v != nil && p.least() == 0 {
		j.strictf(v.place, "%s bounds nothing; want more than 0, as 10/s", v.text)
	}
	in := gpio.InputConfig{
		ID: p.id, Low: p.text("active") == "low", Pull: pulls[p.text("pull")], Debounce: p.dur("debounce"),
		Counts: p.num("counts"), Least: p.least(), Rate: p.dur("frequency"), Every: p.site.Every, Line: p.line,
	}
	if !p.has("debounce") && p.kind == drivers.Bool {
		in.Debounce = 5 * msec
	}
	b, pin := j.lineOn(p.given("gpio"))
	if b == nil {
		return
	}
	p.bus, p.site.Bus, in.Pin = b, b.id, pin
	if b.kind == "gpio" && !p.dormant {
		b.gpio.Inputs = append(b.gpio.Inputs, in)
	}
}

// lineOn is the board and the line that a value like board/17 names, each of
// which may be named once.
func (j *judge) lineOn(v *value) (*bus, string) {
	if v == nil {
		return nil, ""
	}
	id, pin, _ := strings.Cut(v.text, "/")
	b, ok := find(j, &value{place: v.place, text: id}, &j.buses, "buses", "bus")
	if !ok || b.kind == "" {
		return nil, ""
	}
	if b.kind != "gpio" && b.kind != "sim" {
		j.errorf(v.place, "%q is a %s bus; want a gpio or sim bus", id, b.kind)
		return nil, ""
	}
	line := id + "/" + strings.TrimLeft(pin, "0")
	if by, used := j.take("line "+line, strings.TrimSuffix(v.path, ".gpio")); used {
		j.errorf(v.place, "line %s is used by %s already; want another line", v.text, by)
		return nil, ""
	}
	return b, pin
}

// attach hands a point, whose scale is known by now, to the bus it is on.
func (j *judge) attach(p *point, s drivers.Scale) {
	if p.bus == nil || p.dormant {
		return
	}
	simulated := sim.InputConfig{ID: p.id, Every: p.site.Every, Truth: p.kind == drivers.Bool, Text: p.kind == drivers.Text && s.Bands == nil,
		Counts: p.num("counts"), Least: p.least(), Scale: s}
	if c := p.rare.Counter; c != nil {
		p.site.Type, p.site.OnChange = "counter", p.site.Deadband == 0
		simulated.Counts, simulated.Scale.Range = c.Each, p.rare.Total
	}
	switch {
	case p.bus.kind == "":
	case p.source == "device" && p.bus.kind == "sim":
		u := simUnit(p.bus, p.device)
		u.Points = append(u.Points, simulated)
	case p.source == "device":
		p.reg.Scale = j.shared(s)
		if p.rare.Counter == nil {
			p.site.Range = p.reg.Scale.Range
		}
		u := modbusUnit(p.bus, p.device)
		if p.rare != (modbus.Rare{}) {
			own := p.rare // not the whole point with it
			p.reg.Rare = &own
		}
		u.Points = append(u.Points, p.reg)
	case p.bus.kind == "sim":
		p.bus.sim.Inputs = append(p.bus.sim.Inputs, simulated)
	default:
		ins := p.bus.gpio.Inputs
		ins[len(ins)-1].Scale = s // linePoint appended it just now
	}
}

func simUnit(b *bus, d *device) *sim.UnitConfig {
	i, ok := b.units[d.id]
	if !ok {
		i = len(b.sim.Units)
		b.units[d.id] = i
		b.sim.Units = append(b.sim.Units, sim.UnitConfig{ID: d.id, Every: d.conf.Every})
	}
	return &b.sim.Units[i]
}

func modbusUnit(b *bus, d *device) *modbus.UnitConfig {
	i, ok := b.units[d.id]
	if !ok {
		i = len(b.modbus.Units)
		b.units[d.id] = i
		b.modbus.Units = append(b.modbus.Units, d.conf)
	}
	return &b.modbus.Units[i]
}

// least is nine tenths of the time between two pulses at the rate of at-most,
// such as 10/s: what comes at that rate does not come like clockwork. 0 is none.
func (p *point) least() time.Duration {
	v := p.given("at-most")
	if v == nil {
		return 0
	}
	n, unit, _ := strings.Cut(v.text, "/")
	f, err := strconv.ParseFloat(n, 64)
	if err != nil || f <= 0 {
		return 0
	}
	each := map[string]time.Duration{"s": sec, "m": 60 * sec, "h": 3600 * sec}[unit]
	return time.Duration(0.9 * float64(each) / f)
}

// probePoint is 1 while an address answers; each has a loop of its own, since
// one that does not answer takes its time.
func (j *judge) probePoint(p *point) {
	p.site.Type, p.kind, p.site.OnChange = "bool", drivers.Bool, true
	v := p.given("probe")
	if v == nil {
		return
	}
	c := probe.Config{ID: "probe:" + p.id, Point: p.id, URL: v.text, Every: p.site.Every, Timeout: min(p.site.Every, 5*sec)}
	if _, err := probe.Open(c); err != nil || strings.HasPrefix(v.text, "tcp:") && !strings.Contains(strings.TrimPrefix(v.text, "tcp://"), ":") {
		j.errorf(v.place, "%q can't be probed; want a host, of tcp with its port, as tcp://192.168.1.64:80", v.text)
		return
	}
	if u, err := url.Parse(v.text); err == nil && u.Port() != "" {
		if problem := scanHost(u.Host); problem != "" {
			j.errorf(v.place, "%s", problem)
			return
		}
	}
	p.site.Bus = c.ID
	j.probes = append(j.probes, Bus{ID: c.ID, Line: p.line, Probe: &c})
}
