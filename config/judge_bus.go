package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"pithead/drivers/gpio"
	"pithead/drivers/modbus"
	"pithead/drivers/sim"
)

var transports = map[string]modbus.Transport{"serial": modbus.RTU, "tcp": modbus.TCP, "rtu-over-tcp": modbus.RTUOverTCP}

var parities = map[string]byte{"none": 'N', "even": 'E', "odd": 'O'}

// judgeBus finds out what kind a bus is, and what it may say then.
func (j *judge) judgeBus(b *bus) {
	kind, sure := j.only(b.object, busKinds, "kind of bus")
	if kind == "" {
		if sure && !b.strange {
			j.errorf(b.place, "has no kind; want %s", orList(busKinds))
		}
		return
	}
	b.kind = kind
	b.untimed = b.broken("baud", "parity", "stop", "gap", "data", "framing") || j.top.broken("defaults")
	for _, k := range b.keys {
		if k != kind && !slices.Contains(kindsOf(k), kind) {
			j.keyf(b.object, k, "a %s bus has none; it belongs to %s", kind, orList(kindsOf(k)))
			b.vals[k] = nil
		}
	}
	j.judgeLine(b)
	j.sameHardware(b)
	if v := b.given("dead-share"); v != nil {
		b.share, _ = strconv.ParseFloat(strings.TrimSuffix(v.text, "%"), 64)
		if b.share < 1 {
			j.errorf(v.place, "%s leaves no time to see an offline device again; want 1%% to 100%%", v.text)
		}
	}
	switch kind {
	case "gpio":
		b.gpio = gpio.Config{ID: b.id, Chip: b.text(kind)}
	case "sim":
		b.sim = sim.Config{ID: b.id, Signals: map[string]sim.Signal{}}
		if o := b.sub("sim"); o != nil {
			b.sim.Seed = int64(o.int("seed"))
		}
	default:
		b.modbus = j.lineOf(b)
	}
}

// kindsOf says which kinds of bus know a key that is not a kind itself.
func kindsOf(k string) []string {
	if only, ok := busOnly[k]; ok {
		return only
	}
	return busKinds[:3]
}

func (j *judge) lineOf(b *bus) modbus.Config {
	c := modbus.Config{
		ID: b.id, Transport: transports[b.kind], Address: b.text(b.kind),
		Baud: b.int("baud"), Parity: parities[b.text("parity")], DataBits: digit(b.text("data")), StopBits: digit(b.text("stop")),
		ASCII: b.text("framing") == "ascii", RS485: b.bool("rs485"),
		Timeout: b.dur("timeout"), Gap: b.dur("gap"),
	}
	if c.Timeout == 0 {
		c.Timeout = time.Second
		if b.kind == "serial" {
			c.Timeout = 500 * time.Millisecond
		}
	}
	if v := b.given("data"); v != nil && v.text == "7" && b.text("framing") != "ascii" && !b.broken("framing") {
		j.errorf(v.place, "RTU frames need 8 data bits; want 8, or framing: ascii")
	}
	return c
}

func digit(s string) int {
	if len(s) != 1 {
		return 0
	}
	return int(s[0] - '0')
}

// speeds are those that devices can be set to.
var speeds = []int{300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 28800, 38400, 56000, 57600, 76800, 115200, 128000, 187500,
	230400, 250000, 256000, 375000, 460800, 500000, 512000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000}

// judgeLine holds a serial line's path and speed against what there is: where
// one letter is wrong every device on it is silent.
func (j *judge) judgeLine(b *bus) {
	if v := b.given("serial"); v != nil && b.kind == "serial" && !strings.HasPrefix(v.text, "/") {
		want := "its path, as /dev/ttyS1"
		if strings.HasPrefix(v.text, "tty") {
			want = "/dev/" + v.text
		}
		j.strictf(v.place, "%q is not the path of a serial line; want %s", v.text, want)
	}
	if v := b.given(b.kind); v != nil && (b.kind == "tcp" || b.kind == "rtu-over-tcp") {
		j.judgeHost(v.place, v.text)
	}
	if v := b.given("baud"); v != nil {
		nearest := 0
		for _, s := range speeds {
			if max(s-int(v.n), int(v.n)-s) <= max(nearest-int(v.n), int(v.n)-nearest) {
				nearest = s
			}
		}
		if nearest != int(v.n) {
			j.warnf(v.place, "%s is no usual speed; was %d meant?", v.text, nearest)
		}
	}
}

// sameHardware refuses two buses on one line: each believes it is alone there.
func (j *judge) sameHardware(b *bus) {
	v := b.given(b.kind)
	if v == nil || v.text == "" {
		return
	}
	hardware := v.text
	if b.kind == "serial" {
		hardware = filepath.Clean(hardware)
	}
	other, taken := j.take(b.kind+" "+hardware, b.id)
	switch {
	case taken && b.kind == "tcp":
		j.warnf(v.place, "%s is bus %q already; two connections to one server may disturb each other", v.text, other)
	case taken:
		j.errorf(v.place, "%s is bus %q already; want everything on it under one bus", v.text, other)
	}
}

// judgeDevice holds a Modbus unit against its bus.
func (j *judge) judgeDevice(d *device) {
	d.conf = modbus.UnitConfig{
		ID: d.id, Unit: byte(d.int("unit")), Every: j.everyOf(d.object),
		Timeout: d.dur("timeout"), Pause: d.dur("pause"), Turnaround: d.dur("turnaround"),
		Retries: d.int("retries"), Join: d.int("join"), Max: d.int("max"), Late: d.dur("late"),
	}
	d.site = Device{ID: d.id, Name: d.text("name"), Unit: d.int("unit"), Every: d.conf.Every, Line: d.line}
	j.judgeSetup(d)
	b, ok := find(j, d.given("bus"), &j.buses, "buses", "bus")
	if !ok {
		return
	}
	d.site.Bus = b.id
	if b.kind == "gpio" {
		j.errorf(d.where("bus"), "%q is a GPIO board; want a serial, tcp, rtu-over-tcp or sim bus", b.id)
		return
	}
	d.bus = b
	b.untimed = b.untimed || d.broken("every", "join", "max", "turnaround", "pause")
	j.judgeUnit(d)
}

// judgeUnit refuses an address that nobody or somebody else answers to.
func (j *judge) judgeUnit(d *device) {
	v := d.given("unit")
	if v == nil || d.bus.kind == "" {
		return
	}
	switch {
	case d.bus.kind != "tcp" && v.n == 0:
		j.errorf(v.place, "0 is the broadcast, which nobody answers; want 1 to 247")
	case d.bus.kind != "tcp" && v.n > 247:
		j.warnf(v.place, "%d is reserved; units are 1 to 247", v.n)
	}
	if other, taken := j.take(fmt.Sprintf("unit %s/%d", d.bus.id, v.n), d.id); taken {
		j.errorf(v.place, "unit %d of %q is device %q already; want its points there", v.n, d.bus.id, other)
	}
}

func (j *judge) judgeSetup(d *device) {
	v := d.given("setup")
	if v == nil {
		return
	}
	for _, e := range v.list {
		k, sure := j.only(e.obj, []string{"holding", "coil"}, "place")
		if k == "" && sure && !e.obj.strange {
			j.errorf(e.place, "says not where to write; want holding or coil")
		}
		if w := e.obj.given("write"); k == "coil" && w != nil && w.n > 1 {
			j.errorf(w.place, "%s is no state of a coil; want 0 or 1", w.text)
		} else if at := e.obj.given(k); w != nil && at != nil {
			d.conf.Setup = append(d.conf.Setup, modbus.Write{Table: tables[k], Address: uint16(at.n), Value: uint16(w.n), Line: e.line})
			j.take(fmt.Sprintf("%s %s %d", d.id, k, at.n), e.path)
		}
	}
}

// everyOf is the cycle that a device or point says, else the one of defaults.
func (j *judge) everyOf(o *object) time.Duration {
	if v := o.given("every"); v != nil {
		return v.dur()
	}
	if d := j.top.sub("defaults"); d != nil {
		return d.dur("every")
	}
	return 5 * time.Second
}
