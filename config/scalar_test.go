package config

import (
	"testing"
	"time"

	"pithead/drivers/modbus"
)

// Each form, what it reads and what it says of what it does not read.
func TestScalars(t *testing.T) {
	unit := ints(1, 247)
	for _, c := range []struct {
		shape shape
		text  string
		n     int64
		num   float64
		wrong string
	}{
		{boolean, "on", 1, 0, ""}, {boolean, "No", 0, 0, ""}, {boolean, "TRUE", 1, 0, ""},
		{boolean, "1", 0, 0, `"1" is neither on nor off; want on or off`},
		{unit, "10", 10, 10, ""}, {unit, "0x0A", 10, 10, ""},
		{unit, "010", 0, 0, "010 begins with 0, which could be meant as octal; want 10"},
		{unit, "00", 0, 0, "00 begins with 0, which could be meant as octal; want 0"},
		{unit, "0AH", 0, 0, `"0AH" is not a number; hexadecimal is written 0x0A`},
		{unit, "1.5", 0, 0, "1.5 is not whole; want a whole number from 1 to 247"},
		{unit, "1e2", 0, 0, "1e2 is not written as a whole number; want 100"},
		{unit, "300", 0, 0, "300 is out of bounds; want a number from 1 to 247"},
		{unit, "３", 0, 0, `"３" has full-width digits; want the half-width ones`},
		{number, "-0.5", 0, -0.5, ""}, {number, "1e3", 0, 1000, ""}, {number, "0xFFFE", 65534, 65534, ""},
		{number, ".5", 0, 0, ".5 has no digit before the point; want 0.5"},
		{number, "-.5", 0, 0, "-.5 has no digit before the point; want -0.5"},
		{number, "-01.5", 0, 0, "-01.5 begins with 0, which could be meant as octal; want -1.5"},
		{number, "1,000", 0, 0, `"1,000" is not a number; want a point before decimals and nothing between thousands`},
		{number, "+3", 0, 0, "+3 has a sign; want 3"}, {number, "1e999", 0, 0, "1e999 is too large for a number"},
		{number, ".inf", 0, 0, `".inf" is not a number; want a number such as 12`}, {number, "NaN", 0, 0, `"NaN" is not a number; want a number such as 12`},
		{positive, "0", 0, 0, "0 is out of bounds; want a number above 0"},
		{span(0, day), "500ms", int64(500 * time.Millisecond), 0.5, ""}, {span(0, 7*day), "7d", int64(7 * day), 604800, ""},
		{span(0, day), "1.5m", int64(90 * time.Second), 90, ""},
		{span(0, day), "5", 0, 0, "5 has no unit; want 5s, or ms, m, h, d"},
		{span(10*msec, 60*sec), "500", 0, 0, "500 has no unit; want 500ms, or s, m, h, d"},
		{listen, "8080", 0, 0, "8080 is only a port; want host:port, as 127.0.0.1:8080, or :8080 for whoever reaches the gateway"},
		{span(0, day), "5min", 0, 0, `"5min" is not a duration; did you mean 5m?`}, {span(0, day), "5 s", 0, 0, `"5 s" is not a duration; did you mean 5s?`},
		{span(0, day), "-5s", 0, 0, `"-5s" is not a duration; want a number and ms, s, m, h or d, as 5s`},
		{span(0, day), "2d", 0, 0, "2d is out of bounds; want 0s to 1d"}, {span(0, year), "999999999d", 0, 0, "999999999d is out of bounds; want 0s to 365d"},
		{size(1000, tera), "64MB", 64e6, 64e6, ""}, {size(1000, tera), "64MiB", 64 << 20, 64 << 20, ""},
		{size(1000, tera), "1.5kB", 1500, 1500, ""},
		{size(1000, tera), "2G", 0, 0, `"2G" is not a size; want 2GB (powers of 1000) or 2GiB`}, {size(1000, tera), "1B", 0, 0, "1B is out of bounds; want 1kB to 1TB"},
		{percent, "10%", 0, 0, ""}, {percent, "101%", 0, 0, `"101%" is not a share; want 0% to 100%`},
		{ident, "a.b_1.c", 0, 0, ""}, {ident, "a..b", 0, 0, `"a..b" is not an id; want ` + idWant}, {ident, "mode", 0, 0, `"mode" is a word of expressions; want another id`},
		{pin, "board/GPIO18", 0, 0, ""}, {pin, "17", 0, 0, `"17" is not a line; want the bus and the line on it, as board/17`},
		{hostport, "[::1]:502", 0, 0, ""}, {hostport, "plc:0", 0, 0, `"0" is not a port; want 1 to 65535`},
		{hostport, "a b:1", 0, 0, `"a b" is not a host; want a name or an IP address`},
		{broker, "tcp://x/y", 0, 0, `"tcp://x/y" has more than scheme, host and port; want tcp://x`},
		{broker, "mqtt.example:8883", 0, 0, `"mqtt.example:8883" is not a broker's address; want tcp, tls, ws or wss and the host, as tls://mqtt.example:8883`},
		{words("now", "oldest"), "oldst", 0, 0, `"oldst" is unknown; did you mean "oldest"?`},
		{offset, "+08:00", 0, 0, ""}, {offset, "8", 0, 0, `"8" is not an offset from UTC; want hours and minutes, as "+08:00"`},
	} {
		v := &value{text: c.text}
		if got := c.shape.scan(v); got != c.wrong || got == "" && (v.n != c.n || v.num != c.num) {
			t.Errorf("%q: got %q, %d, %v; want %q, %d, %v", c.text, got, v.n, v.num, c.wrong, c.n, c.num)
		}
	}
}

func TestRegisterNumbers(t *testing.T) {
	for _, c := range []struct {
		text  string
		table modbus.Table
		n     int64
	}{
		{"00017", modbus.Coil, 16}, {"10001", modbus.Discrete, 0}, {"30010", modbus.Input, 9}, {"40001", modbus.Holding, 0},
		{"49999", modbus.Holding, 9998}, {"400001", modbus.Holding, 0}, {"465536", modbus.Holding, 65535}, {"000001", modbus.Coil, 0},
		{"17", 0, 0}, {"40000", 0, 0}, {"465537", 0, 0}, {"20001", 0, 0}, {"4000001", 0, 0}, {"0x9C41", 0, 0},
	} {
		v := &value{text: c.text}
		problem := scanRegister(v)
		if (problem == "") != (c.table != 0) || v.table != c.table || v.n != c.n {
			t.Errorf("%s: got table %d, address %d, %q", c.text, v.table, v.n, problem)
		}
	}
}

func TestBrokerPorts(t *testing.T) {
	for text, want := range map[string]string{
		"tcp://x": "tcp://x:1883", "tls://x": "tls://x:8883", "ws://x/mqtt": "ws://x:80/mqtt", "wss://x:1": "wss://x:1", "tcp://[::1]": "tcp://[::1]:1883",
	} {
		v := &value{text: text}
		if problem := scanBroker(v); problem != "" || v.url != want {
			t.Errorf("%s: got %s, %s; want %s", text, v.url, problem, want)
		}
	}
}

func TestNear(t *testing.T) {
	of := []string{"device", "deadband", "every", "unit", "above", "do"}
	for w, want := range map[string]string{
		"devcie": "device", "dead_band": "deadband", "Every": "every", "slave": "unit", "interval": "every", "x": "", "ab": "", "abve": "above", "zzzzz": "",
	} {
		if got := near(w, of); got != want {
			t.Errorf("%s: got %q, want %q", w, got, want)
		}
	}
}
