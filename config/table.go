package config

// table holds every word of a site file. The checks, the JSON Schema and the
// reference page are made from it, so that they can't differ.
var table = []section{
	siteKeys, busKeys, deviceKeys, setupKeys, pointKeys, counterKeys, alarmKeys, escalateKeys, acceptedKeys,
	outputKeys, verifyKeys, sealKeys, idleKeys, balanceKeys, groupKeys, uplinkKeys, secretKeys, batchKeys, templateKeys, commandKeys,
	simKeys, signalKeys, waveKeys, followsKeys, dropKeys,
	bufferKeys, webKeys, defaultsKeys, faultKeys, identityKeys, aliveKeys, logKeys,
}

var siteKeys = section{"site", "a site file", []key{
	{"version", words("1"), "", must, "of this form of file; 1"},
	{"site", slug, "", must, "the site, part of every topic"},
	{"gateway", slug, "", must, "the gateway, part of every topic"},
	{"name", label, "", 0, "for people"},
	{"buses", things("bus"), "", 0, "serial lines, Modbus servers, GPIO devices; exactly one kind each"},
	{"devices", things("device"), "", 0, "Modbus units"},
	{"points", things("point"), "", 0, "what is read or computed"},
	{"outputs", things("output"), "", 0, "sirens and cut-offs"},
	{"seals", things("seal"), "", 0, "electronic seals"},
	{"groups", things("group"), "", 0, "points that warn together"},
	{"uplinks", things("uplink"), "", 0, "platforms; the key is the identity, each has its own position in the buffer"},
	{"stats", span(0, day), "5m", 0, "period of the statistics; 0s = none"},
	{"buffer", whole("buffer"), "", 0, "the log on disk"},
	{"web", whole("web"), "", 0, "the local page"},
	{"defaults", whole("defaults"), "", 0, "what points have that do not say otherwise"},
	{"identity", sect("identity"), "", 0, "the key that signs events"},
	{"clock", words("ntp", "rtc", "platform"), "ntp", 0, "where the time comes from while the kernel's is not synced: nowhere but a time that can be (ntp), the board's own clock whatever it says (rtc), or a signed command or receipt only (platform)"},
	{"utc-offset", offset, "+08:00", 0, "of days, shifts and periods"},
	{"alive", sect("alive"), "", 0, "a line that toggles only while the bus loops and the judge move"},
	{"include", list(file, 1, many), "", 0, "more site files, judged as if they stood here; none of them may name again what another names"},
	{"profiles", list(file, 1, many), "", 0, "folders with more device profiles"},
	{"memory", size(16*mega, tera), "64MiB", 0, "GOMEMLIMIT"},
	{"log", whole("log"), "", 0, "the agent's own log"},
}}

var bufferKeys = section{"buffer", "the buffer", []key{
	{"dir", text, "/var/lib/pithead", 0, "folder"},
	{"size", size(mega, 100*tera), "2GB", 0, "that it never passes"},
	{"events", size(100_000, 100*tera), "(an eighth of size)", 0, "of size, for events"},
	{"commit", span(10*msec, 60*sec), "1s", 0, "a reading is durable after this long at most"},
}}

var webKeys = section{"web", "the local page", []key{
	{"listen", listen, "127.0.0.1:8080", 0, "address of the local page"},
	{"password", sect("secret"), "", 0, "for whatever changes anything; without one nothing can be changed there"},
	{"cert", file, "", 0, "certificate, for https"},
	{"key", file, "", 0, "its key"},
}}

var defaultsKeys = section{"defaults", "defaults", []key{
	{"every", span(10*msec, day), "5s", 0, "cycle of points and devices that do not say otherwise"},
	{"fault", whole("fault"), "", 0, "the alarm of each point for its own bad quality"},
}}

var faultKeys = section{"fault", "the default fault alarm", []key{
	{"for", span(sec, day), "1m", 0, "how long bad"},
	{"level", level, "blue", 0, "its level"},
}}

var identityKeys = section{"identity", "the identity", []key{
	{"key", file, "", must, "file with the Ed25519 key; default: in the buffer's folder"},
}}

var aliveKeys = section{"alive", "the alive line", []key{
	{"gpio", pin, "", must, "line, as board/24"},
	{"period", span(100*msec, 60*sec), "1s", 0, "of one toggle"},
}}

var logKeys = section{"log", "the log", []key{
	{"level", words("debug", "info", "warn", "error"), "info", 0, "what is logged"},
}}
