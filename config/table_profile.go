package config

// profileTable holds every word of a device profile, as table does of a site
// file. Its points are those of a site file, its defaults a device's.
var profileTable = []section{profileKeys, parameterKeys, habitKeys}

var profileKeys = section{"profile", "a profile", []key{
	{"device", text, "", must, "what it is, for people"},
	{"maker", text, "", must, "who makes it"},
	{"source", text, "", must, "the manual or page that the map was taken from"},
	{"tried", boolean, "", must, "on, once somebody has compared each value with the device's own display"},
	{"line", text, "", 0, "how its line is set when it leaves the factory"},
	{"notes", text, "", 0, "what whoever uses it must know"},
	{"parameters", keyed(ident, sect("parameter")), "", 0, "what the site file has to say of each such device; in the profile $name is what it says"},
	{"count", scalar, "1", 0, "a point whose name has $n is there so many times, n from 1; a number, or a parameter that is one"},
	{"defaults", sect("habits"), "", 0, "what the device has where the site file says nothing else"},
	{"points", things("point"), "", must, "its points; they are called DEVICE.POINT"},
}}

var parameterKeys = section{"parameter", "a parameter", []key{
	{"what", text, "", must, "what it is, for people"},
	{"number", interval, "", 0, "a number from the first to the second"},
	{"whole", interval, "", 0, "a whole number from the first to the second"},
	{"choices", keyed(scalar, keyed(ident, scalar)), "", 0, "one of these words, with what each stands for: $name.key"},
	{"default", scalar, "", 0, "what stands where the site file says nothing; left out, it has to"},
}}

// habits are the keys of a device that a profile may say.
var habits = []string{"every", "timeout", "pause", "turnaround", "retries", "join", "max", "late", "setup"}

var habitKeys = section{"habits", "a profile's defaults", keysOf(&deviceKeys, habits)}

// keysOf are some keys of a section, without their defaults.
func keysOf(s *section, names []string) []key {
	var out []key
	for _, n := range names {
		k := *s.key(n)
		k.def = ""
		out = append(out, k)
	}
	return out
}
