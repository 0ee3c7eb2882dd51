package config

// standardTable holds every word of a standard's file, as table does of a site
// file.
var standardTable = []section{standardKeys, presetKeys, numberKeys}

var standardKeys = section{"standard", "a standard", []key{
	{"standard", text, "", must, "its number and year"},
	{"title", text, "", must, "its name"},
	{"notes", text, "", 0, "what whoever uses it must know"},
	{"presets", keyed(slug, sect("preset")), "", must, "numbers that belong together, by name"},
}}

var presetKeys = section{"preset", "a preset", []key{
	{"name", text, "", must, "what it is of, for people"},
	{"unit", text, "", must, "of its numbers; a point in another unit is refused"},
	{"gas", words("ch4", "co", "co2", "o2", "no2", "so2", "h2s", "nh3", "cl2", "hcn"), "", 0, "by which ppm and mg/m³ can be converted"},
	{"clause", text, "", must, "where it stands"},
	{"source", text, "", must, "where the number was taken from; who accepts it should look there"},
	{"numbers", list(sect("number"), 1, 10), "", must, "its alarms"},
}}

var numberKeys = section{"number", "a number", []key{
	{"id", ident, "(its role)", 0, "of the alarm, under the point"},
	{"role", words("alarm", "cutoff"), "", must, "what it is for: do by role"},
	{"level", level, "", must, "of the alarm"},
	{"above", number, "", 0, "value at or above this"},
	{"below", number, "", 0, "value at or below this"},
	{"outside", interval, "", 0, "value under the first or over the second"},
	{"clear", number, "", 0, "the condition is over on the safe side of this; default: the threshold"},
	{"for", span(0, 7*day), "0s", 0, "how long it must last"},
	{"latch", boolean, "(of a cutoff: on)", 0, "stays until it is reset"},
	{"checked", boolean, "", must, "yes, once somebody has compared it with the printed standard"},
}}
