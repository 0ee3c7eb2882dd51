package config

var registerTypes = []string{"u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "bcd16", "bcd32", "bool", "string", "hi-lo"}

var pointKeys = section{"point", "a point", []key{
	{"name", label, "", 0, "for people"},
	{"unit", label, "", 0, "of the value"},
	{"device", ident, "", 0, "the device that has it"},
	{"holding", address, "", 0, "holding register: protocol address, from 0"},
	{"input", address, "", 0, "input register: protocol address, from 0"},
	{"coil", address, "", 0, "coil: protocol address, from 0"},
	{"discrete", address, "", 0, "discrete input: protocol address, from 0"},
	{"register", register, "", 0, "the manual's number instead: 40001 is holding 0, 30001 input 0, 10001 discrete 0, 00001 coil 0"},
	{"type", words(registerTypes...), "(u16; bool for coil, discrete and bit)", 0, "how registers are read"},
	{"order", words("ABCD", "CDAB", "BADC", "DCBA"), "ABCD", 0, "ABCD as on the wire; CDAB words reversed; BADC bytes swapped in each word; DCBA both"},
	{"bit", ints(0, 15), "", 0, "of a 16-bit register, 0 is the least significant"},
	{"length", ints(1, 125), "", 0, "registers of a string, two characters each"},
	{"hi", positive, "", 0, "what one of the high register of type hi-lo is worth"},
	{"counter", sect("counter"), "", 0, "the register counts up: the total goes on over a wrap and a restart of the device"},
	{"gpio", pin, "", 0, "a GPIO line, as board/17"},
	{"active", words("high", "low"), "high", 0, "which level is 1; also of coils, discretes and bits"},
	{"pull", words("none", "up", "down"), "none", 0, "bias of the line"},
	{"debounce", span(0, 10*sec), "(5ms; 0s where it counts)", 0, "how long a level must last"},
	{"counts", positive, "", 0, "each change to active adds this; the total survives"},
	{"frequency", span(100*msec, 60*sec), "", 0, "pulses a second, measured over this time"},
	{"at-most", rate, "", 0, "pulses that can be; more are bounce or tampering"},
	{"hours", boolean, "", 0, "count how long it is 1"},
	{"bands", named(list(number, 2, 2)), "", 0, "states of a supervised loop, by value"},
	{"probe", prober, "", 0, "1 while this address answers"},
	{"value", formula, "", 0, "an expression: the point is computed"},
	{"every", span(10*msec, day), "(of the device, else of defaults)", 0, "its cycle"},
	{"scale", number, "", 0, "value = raw * scale + offset"},
	{"offset", number, "", 0, "value = raw * scale + offset"},
	{"map", list(number, 4, 4), "", 0, "[4000, 20000, 0, 4]: raw 4000 to 20000 is 0 to 4"},
	{"curve", list(interval, 2, 1000), "", 0, "[[200, 0], [1000, 10]]: raw and value, straight between"},
	{"decimals", ints(0, 15), "(from scale or map, else all)", 0, "of the value"},
	{"valid", interval, "", 0, "raw outside, and beyond a curve's ends, is bad"},
	{"void", list(scalar, 1, 100), "", 0, "raw, bit for bit: the device says it has no value"},
	{"warm-up", span(0, day), "0s", 0, "bad for so long after the device comes back or the machine boots"},
	{"range", interval, "", 0, "value outside is bad"},
	{"states", keyed(scalar, label), "", 0, "names of values, as {0: off, 1: on}"},
	{"deadband", notLess0, "0", 0, "stored when it moved this far from the last stored value; 0 = every sample"},
	{"at-least", span(sec, 7*day), "5m", 0, "and stored at least this often"},
	{"alarms", list(sect("alarm"), 0, 100), "", 0, "its alarms"},
	{"prove", span(day, year), "", 0, "a bump test at least this often; overdue is a blue alarm"},
	{"class", words("steady", "dynamic", "support"), "", 0, "as regulators class signals"},
	{"stats", boolean, "on", 0, "off: no statistics"},
}}

var counterKeys = section{"counter", "a counter", []key{
	{"wraps", ints(2, 1<<53), "", 0, "where it begins again; default: by its type"},
	{"each", positive, "1", 0, "what one is worth"},
}}

// conditions of an alarm, in the order in which they are named to people.
var conditions = []string{"above", "below", "outside", "equals", "fault", "rise", "fall", "flat", "standard"}

var alarmKeys = section{"alarm", "an alarm", []key{
	{"id", ident, "", 0, "its name under the point; default: its level"},
	{"level", level, "", 0, "blue, yellow, orange or red"},
	{"above", number, "", 0, "value at or above this"},
	{"below", number, "", 0, "value at or below this"},
	{"outside", interval, "", 0, "value under the first or over the second"},
	{"equals", scalar, "", 0, "the label of a state, or the exact value"},
	{"fault", span(sec, day), "", 0, "bad quality for so long, or under half the attempts good over ten times that"},
	{"rise", positive, "", 0, "value rose by this within"},
	{"fall", positive, "", 0, "value fell by this within"},
	{"flat", span(sec, year), "", 0, "moved by no more than the deadband for so long"},
	{"standard", text, "", 0, "a preset by name, as aq1029.heading-return; pithead help standards lists them"},
	{"within", span(sec, 30*day), "", 0, "time of rise and fall"},
	{"clear", either(number, interval), "", 0, "the condition is over on the safe side of this; default: the threshold"},
	{"for", span(0, 7*day), "0s", 0, "how long it must last"},
	{"clear-for", span(0, 7*day), "0s", 0, "how long it must be over"},
	{"latch", boolean, "off", 0, "stays until it is reset"},
	{"do", either(list(ident, 0, 100), byWord(list(ident, 0, 100), "alarm", "cutoff")), "", 0, "outputs that it asks for"},
	{"when", formula, "", 0, "suppressed while this is false"},
	{"escalate", sect("escalate"), "", 0, "a higher level if nobody acknowledges"},
	{"accepted", sect("accepted"), "", 0, "who answers for the numbers of a preset"},
}}

var escalateKeys = section{"escalate", "an escalation", []key{
	{"after", span(sec, 7*day), "", must, "unacknowledged for so long"},
	{"to", level, "", must, "the level it gets"},
}}

var acceptedKeys = section{"accepted", "an acceptance", []key{
	{"by", text, "", must, "who"},
	{"date", text, "", must, "when, as 2026-03-01"},
}}

var outputKeys = section{"output", "an output", []key{
	{"name", label, "", 0, "for people"},
	{"gpio", pin, "", 0, "a GPIO line, as board/22"},
	{"device", ident, "", 0, "the device that has it"},
	{"coil", address, "", 0, "coil: protocol address, from 0"},
	{"holding", address, "", 0, "holding register: protocol address, from 0; 1 is on"},
	{"register", register, "", 0, "the manual's number instead"},
	{"active", words("high", "low"), "high", 0, "low: the line or coil is 0 while the output is on"},
	{"kind", words("notice", "trip"), "notice", 0, "notice: siren, horn, lamp; trip: cut-off, valve"},
	{"until", words("ack"), "", 0, "of a notice: quiet once acknowledged; default: as long as an alarm asks"},
	{"on-start", boolean, "", 0, "its state until the agent knows better; a trip must say"},
	{"on-exit", words("hold", "on", "off"), "hold", 0, "its state when the agent stops; of a trip hold"},
	{"verify", sect("verify"), "", 0, "how to see that it works"},
	{"prove", span(day, year), "", 0, "of a trip: switched on and verified at least this often; overdue is a blue alarm"},
	{"first-line", label, "", 0, "of a trip: what protects first; the agent is the second line"},
	{"release", formula, "", 0, "of a trip: released only while this is true and good"},
	{"pulse", span(10*msec, 60*60*sec), "", 0, "on for so long only"},
	{"min-on", span(0, day), "", 0, "on for so long at least"},
	{"min-off", span(0, day), "", 0, "off for so long at least"},
	{"remote", boolean, "", 0, "a platform may switch it"},
}}

var verifyKeys = section{"verify", "a verification", []key{
	{"point", ident, "", must, "the point that shows it"},
	{"is", scalar, "", must, "its value or state while the output is on"},
	{"within", span(10*msec, 60*60*sec), "5s", 0, "after being switched"},
	{"else", scalar, "", 0, "its value or state while the output is off"},
}}
