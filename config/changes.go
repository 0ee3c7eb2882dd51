package config

import (
	"bytes"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Change is one word of the site file that is another than it was.
type Change struct {
	Path string `json:"path"` // as points.pond.level.alarms.red.above
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
	Weak bool   `json:"weaker,omitempty"` // what guards, guards less than before
}

// Changes are what differs between two site files, by path. Alarms are known by
// their id or level and commanders by their id, whatever their place. Of a change
// of what a reading means (scale, range, register) nobody can say whether it
// guards less; of a limit, a delay, a member, a filter, the words themselves do.
func Changes(before, after []byte) []Change {
	was, is := flat(before), flat(after)
	var out []Change
	for path, old := range was {
		if now, there := is[path]; !there || now != old {
			out = append(out, Change{path, told(old), told(now), weaker(path, old, now, there)})
		}
	}
	for path, now := range is {
		if _, there := was[path]; !there {
			out = append(out, Change{path, "", told(now), addedWeakens[lastWord(path)] || strings.Contains(path, ".commands.")})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

// told is a text of a change as far as an event has room for forty of them.
func told(s string) string {
	const most = 2000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// flat is every scalar of a file, and of what it includes, by its path; a list
// of scalars counts as one.
func flat(src []byte) map[string]string {
	m := map[string]string{}
	d := yaml.NewDecoder(bytes.NewReader(src))
	for n := (yaml.Node{}); d.Decode(&n) == nil; n = (yaml.Node{}) {
		for _, c := range n.Content {
			flatten(c, "", m)
		}
	}
	return m
}

func flatten(n *yaml.Node, path string, m map[string]string) {
	switch {
	case n.Kind == yaml.ScalarNode:
		m[path] = n.Value
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			flatten(n.Content[i+1], join(path, n.Content[i].Value), m)
		}
	case n.Kind == yaml.SequenceNode && !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Kind == yaml.MappingNode }):
		m[path] = listed(n)
	case n.Kind == yaml.SequenceNode:
		for i, c := range n.Content {
			flatten(c, join(path, entryName(c, i)), m)
		}
	}
}

func listed(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	var words []string
	for _, c := range n.Content {
		words = append(words, listed(c))
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// entryName is what an entry of a list is known by.
func entryName(n *yaml.Node, i int) string {
	said := map[string]string{}
	for k := 0; k+1 < len(n.Content); k += 2 {
		said[n.Content[k].Value] = n.Content[k+1].Value
	}
	for _, key := range []string{"id", "level", "standard", "point"} {
		if said[key] == "" {
			continue
		}
		if key == "level" && said["fault"] != "" {
			return "fault"
		}
		return said[key]
	}
	return strconv.Itoa(i)
}

func lastWord(path string) string { return path[strings.LastIndex(path, ".")+1:] }

// more is weaker where it grows, less where it shrinks.
var (
	more         = map[string]bool{"above": true, "rise": true, "fall": true, "flat": true, "fault": true, "for": true, "after": true, "every": true, "at-least": true, "deadband": true, "thin": true, "confirm": true, "blue": true, "yellow": true, "orange": true, "snapshot": true, "warm-up": true, "debounce": true, "late": true}
	less         = map[string]bool{"below": true, "budget": true, "rate": true, "size": true}
	addedWeakens = map[string]bool{"for": true, "when": true, "thin": true, "budget": true, "levels": true, "deadband": true, "until": true, "send": true, "warm-up": true}
	levels       = []string{"blue", "yellow", "orange", "red"}
	// lists of which a member that goes is one that is not watched, told or sent any more
	members = map[string]bool{"do": true, "of": true, "closed": true, "tamper": true, "idle": true, "run": true, "still": true, "seen": true, "points": true, "send": true, "levels": true}
)

// weaker judges a word that changed, or (there is false) went.
func weaker(path, old, now string, there bool) bool {
	w := lastWord(path)
	if !there {
		// What bounds or delays, and goes, leaves more; all else of what guards is gone.
		return !addedWeakens[w] && w != "name" && w != "unit" && w != "clear-for" && !strings.Contains(path, ".commands.") && guards(path)
	}
	switch {
	case w == "level":
		return slices.Index(levels, now) < slices.Index(levels, old)
	case w == "latch", w == "remote":
		is, was := truths[now], truths[old]
		return w == "latch" && is < was || w == "remote" && is > was
	case w == "until", w == "when", w == "release":
		return true
	case w == "outside":
		a, b := pair(old), pair(now)
		return len(a) == 2 && len(b) == 2 && (b[0] < a[0] || b[1] > a[1])
	case members[w] && strings.HasPrefix(old, "["):
		is := strings.Split(strings.Trim(now, "[]"), ", ")
		return slices.ContainsFunc(strings.Split(strings.Trim(old, "[]"), ", "), func(m string) bool { return !slices.Contains(is, m) })
	case more[w] || less[w]:
		a, okA := amount(old)
		b, okB := amount(now)
		return okA && okB && (more[w] && b > a || less[w] && b < a)
	}
	return strings.Contains(path, ".commands.")
}

// guards says whether a path is of what measures, judges, switches or tells.
func guards(path string) bool {
	top, _, _ := strings.Cut(path, ".")
	return slices.Contains([]string{"points", "devices", "buses", "outputs", "seals", "groups", "uplinks", "defaults"}, top)
}

// amount is a number, a duration in seconds, or bytes.
func amount(s string) (float64, bool) {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f, true
	}
	i := strings.LastIndexAny(s, "0123456789") + 1
	f, err := strconv.ParseFloat(s[:i], 64)
	seconds := map[string]float64{"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
	if n, ok := seconds[s[i:]]; ok && err == nil {
		return f * n, true
	}
	if n, ok := sizeUnits[strings.TrimSuffix(s[i:], "/day")]; ok && err == nil {
		return f * n, true
	}
	return 0, false
}

func pair(s string) (fs []float64) {
	for _, w := range strings.Split(strings.Trim(s, "[]"), ", ") {
		if f, err := strconv.ParseFloat(w, 64); err == nil {
			fs = append(fs, f)
		}
	}
	return fs
}
