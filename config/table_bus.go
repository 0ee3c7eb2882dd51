package config

// kinds of bus, in the order in which they are named to people.
var busKinds = []string{"serial", "tcp", "rtu-over-tcp", "gpio", "sim"}

var busKeys = section{"bus", "a bus", []key{
	{"serial", text, "", 0, "Modbus RTU, or ASCII, on this line, as /dev/ttyS1"},
	{"tcp", hostport, "", 0, "Modbus TCP at host:port"},
	{"rtu-over-tcp", hostport, "", 0, "the same frames through a serial server at host:port"},
	{"gpio", text, "", 0, "a GPIO character device, by name, label or /dev path"},
	{"sim", sect("sim"), "", 0, "no hardware: points follow signals"},
	{"baud", ints(300, 4_000_000), "9600", 0, "speed of the line; of rtu-over-tcp for timing only"},
	{"parity", words("none", "even", "odd"), "none", 0, "parity of the line"},
	{"stop", words("1", "2"), "1", 0, "stop bits"},
	{"data", words("7", "8"), "8", 0, "data bits; 7 with framing: ascii"},
	{"framing", words("rtu", "ascii"), "rtu", 0, "how frames look on the line"},
	{"rs485", boolean, "", 0, "let the kernel switch the line's direction"},
	{"timeout", span(10*msec, 60*sec), "(500ms; 1s where the network is between)", 0, "from the request's last byte to the answer's first"},
	{"gap", span(0, 10*sec), "0s", 0, "silence before a request, on top of 3.5 characters"},
	{"dead-share", percent, "10%", 0, "of the bus's time, at most, for units that are offline"},
}}

// busOnly says which kinds of bus know a key; keys that are not here are known
// to all Modbus lines.
var busOnly = map[string][]string{
	"baud":    {"serial", "rtu-over-tcp"},
	"parity":  {"serial", "rtu-over-tcp"},
	"stop":    {"serial", "rtu-over-tcp"},
	"data":    {"serial", "rtu-over-tcp"},
	"framing": {"serial", "rtu-over-tcp"},
	"rs485":   {"serial"},
}

var deviceKeys = section{"device", "a device", []key{
	{"name", label, "", 0, "for people"},
	{"bus", ident, "", must, "the bus it is on"},
	{"unit", ints(0, 255), "", must, "its address on the bus"},
	{"every", span(10*msec, day), "(of defaults)", 0, "cycle of its points"},
	{"timeout", span(10*msec, 60*sec), "(of the bus)", 0, "from the request's last byte to the answer's first"},
	{"pause", span(0, 10*60*sec), "0s", 0, "least time between two requests to it; others go on meanwhile"},
	{"turnaround", span(0, 10*sec), "20ms", 0, "what check assumes it takes to answer"},
	{"retries", ints(0, 5), "1", 0, "of what may be repeated at once; a timeout never is, on a serial line"},
	{"join", ints(0, 124), "0", 0, "unused registers that may be read along to make one request of two"},
	{"max", ints(1, 125), "125", 0, "registers a request"},
	{"late", span(0, 60*sec), "3s", 0, "how long after a timeout its answer may still come, on a serial line"},
	{"profile", text, "", 0, "the kind of device, with its points (pithead help profiles); keys that are not in this table are its parameters"},
	{"points", list(pattern, 1, many), "(all)", 0, "which of its profile's points it has; * crosses dots"},
	{"setup", list(sect("setup"), 1, 100), "", 0, "what is written each time it comes back"},
}}

var setupKeys = section{"setup", "a setup entry", []key{
	{"holding", address, "", 0, "register, from 0"},
	{"coil", address, "", 0, "coil, from 0"},
	{"write", ints(0, 65535), "", must, "what to write there"},
}}

var simKeys = section{"sim", "a simulated bus", []key{
	{"seed", ints(0, 1<<31), "1", 0, "of the noise"},
	{"signals", things("signal"), "", 0, "what each point of this bus shows, by the point's id"},
}}

var signalKeys = section{"signal", "a signal", []key{
	{"value", number, "", 0, "holds this value, in the unit of the point; of a counting point pulses a second"},
	{"wave", sect("wave"), "", 0, "a sine"},
	{"steps", list(list(scalar, 2, 2), 1, many), "", 0, "[[0s, 0.3], [20s, 1.6]]: a value from a time on"},
	{"repeat", span(msec, year), "", 0, "the steps begin again after this long; default: the last one stays"},
	{"follows", sect("follows"), "", 0, "shows what an output of this bus does"},
	{"noise", notLess0, "0", 0, "added, uniform within so much to either side"},
	{"drops", list(sect("drop"), 1, many), "", 0, "times without an answer"},
}}

var waveKeys = section{"wave", "a wave", []key{
	{"mean", number, "", must, "its middle"},
	{"swing", notLess0, "", must, "from the middle to the top"},
	{"period", span(msec, year), "", must, "from top to top"},
}}

var followsKeys = section{"follows", "a signal that follows", []key{
	{"output", ident, "", must, "an output of this bus"},
	{"on", number, "1", 0, "shown while it is on"},
	{"off", number, "0", 0, "shown while it is off"},
	{"delay", span(0, day), "0s", 0, "how much later"},
}}

var dropKeys = section{"drop", "a drop-out", []key{
	{"at", span(0, year), "", must, "when it begins, from the start"},
	{"for", span(msec, year), "", must, "how long it lasts"},
	{"every", span(msec, year), "", 0, "it comes again each so often; default: once"},
	{"quality", words("comm", "protocol", "exception", "sensor", "over", "under"), "comm", 0, "what the readings say meanwhile"},
}}
