package config

var ids = list(ident, 1, many)

var sealKeys = section{"seal", "a seal", []key{
	{"name", label, "", 0, "for people"},
	{"closed", ids, "", 0, "points that must be 1 while sealed"},
	{"tamper", ids, "", 0, "points that must be 1 always"},
	{"idle", list(either(ident, sect("idle")), 1, many), "", 0, "what must stand"},
	{"run", ids, "", 0, "what must run"},
	{"still", ids, "", 0, "what must not rise"},
	{"seen", ids, "", 0, "points that must be 1, or the seal is blind"},
	{"balance", sect("balance"), "", 0, "counts of what went in and out, the same before it is closed"},
	{"confirm", span(0, 60*60*sec), "3s", 0, "how long a departure must last; not of tamper"},
	{"do", list(ident, 0, 100), "", 0, "outputs that it asks for"},
}}

var idleKeys = section{"idle", "equipment that must stand", []key{
	{"point", ident, "", must, "the point that shows it"},
	{"above", number, "", must, "it runs at or above this"},
	{"for", span(0, day), "0s", 0, "for so long"},
}}

var balanceKeys = section{"balance", "a balance", []key{
	{"in", ident, "", must, "the point that counts in"},
	{"out", ident, "", must, "the point that counts out"},
}}

var groupKeys = section{"group", "a group", []key{
	{"name", label, "", 0, "for people"},
	{"of", list(pattern, 1, many), "", must, "its members; * crosses dots"},
	{"ladder", byWord(ints(1, 100_000), "blue", "yellow", "orange"), "", 0, "so many at this level or above make it one level higher"},
	{"for", span(0, 7*day), "0s", 0, "how long it must last"},
	{"latch", boolean, "off", 0, "stays until it is reset"},
	{"do", byWord(list(ident, 0, 100), "blue", "yellow", "orange", "red"), "", 0, "outputs that it asks for, by level"},
}}

var uplinkKeys = section{"uplink", "an uplink", []key{
	{"mqtt", either(broker, list(broker, 1, 16)), "", must, "address of the broker, as tls://host:8883 (tcp tls ws wss); a list is tried in turn"},
	{"client-id", text, "(<site>-<gateway>-<uplink>)", 0, "of the MQTT client"},
	{"username", text, "", 0, "at the broker"},
	{"password", sect("secret"), "", 0, "at the broker"},
	{"ca", file, "", 0, "certificates that the broker's is checked by; default: the system's"},
	{"cert", file, "", 0, "client certificate"},
	{"key", file, "", 0, "its key"},
	{"keepalive", span(5*sec, 65535*sec), "30s", 0, "of MQTT"},
	{"prefix", text, "pithead/v1", 0, "of every topic"},
	{"points", list(pattern, 1, many), "(all)", 0, "which points; * crosses dots"},
	{"send", list(words("data", "stats", "events", "health"), 1, 4), "(all)", 0, "which kinds of message"},
	{"batch", whole("batch"), "", 0, "how readings are put together"},
	{"snapshot", span(0, day), "10m", 0, "how often the latest reading of every point; 0s = never"},
	{"start", words("now", "oldest"), "now", 0, "where it begins if the buffer does not know it"},
	{"format", words("json", "template"), "json", 0, "of the messages"},
	{"template", sect("template"), "", 0, "a platform's own form, with format: template"},
	{"levels", list(level, 1, 4), "(all)", 0, "only events of these levels; what has no level is left out, too"},
	{"rate", ints(0, 1e6), "(the larger of 200 and four times the live rate)", 0, "readings a second while it is more than a minute behind; 0 = no limit"},
	{"thin", span(sec, day), "", 0, "one reading per point in this time, and those around an alarm's change"},
	{"budget", budget, "", 0, "bytes a day; what does not fit is left out in the order data, stats, snapshot, and stays in the buffer"},
	{"confirm", words("broker", "platform"), "broker", 0, "whose word counts as delivered: the broker's, or a receipt of the platform, signed by a key of commands"},
	{"commands", list(sect("command"), 1, 100), "", 0, "who may command what"},
	{"compress", words("none", "zstd"), "none", 0, "of the payloads of data, stats, meta, snapshot and health"},
	{"window", ints(1, 1000), "32", 0, "messages that may wait for their acknowledgement"},
	{"max-message", size(1000, 256*mega), "256kB", 0, "no message is longer"},
}}

var secretKeys = section{"secret", "a secret", []key{
	{"file", file, "", 0, "file that holds it"},
	{"env", text, "", 0, "environment variable that holds it"},
}}

var batchKeys = section{"batch", "a batch", []key{
	{"readings", ints(1, 100_000), "500", 0, "a message at most"},
	{"within", span(0, 60*60*sec), "1s", 0, "how long a reading waits for others"},
}}

var templateKeys = section{"template", "a template", []key{
	{"topic", text, "", 0, "topic of every message; itself a form"},
	{"status", file, "", 0, "form of status"},
	{"meta", file, "", 0, "form of meta"},
	{"data", file, "", 0, "form of data"},
	{"stats", file, "", 0, "form of stats"},
	{"events", file, "", 0, "form of events"},
	{"snapshot", file, "", 0, "form of snapshot"},
	{"health", file, "", 0, "form of health"},
	{"table", file, "", 0, "code tables"},
}}

var operations = []string{"ack", "reset", "shelve", "unshelve", "out", "in", "test", "mode", "seal.open", "seal.close", "seal.reset",
	"output", "read", "snapshot", "resend", "config.get", "reload", "time", "diag"}

var commandKeys = section{"command", "a commander", []key{
	{"id", ident, "", must, "who"},
	{"key", text, "", must, "Ed25519 public key, base64"},
	{"allow", list(words(operations...), 1, 100), "", must, "what"},
}}
