package config

import "strings"

// Matches says whether a point is one of those that patterns name; no pattern at
// all means every point. In a pattern * stands for any text, dots and nothing
// included.
func Matches(patterns []string, point string) bool {
	for _, p := range patterns {
		if matches(p, point) {
			return true
		}
	}
	return len(patterns) == 0
}

// matches says whether an id is of a pattern; * crosses dots.
func matches(pattern, id string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == id
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(id) < len(first)+len(last) || !strings.HasPrefix(id, first) || !strings.HasSuffix(id, last) {
		return false
	}
	id = id[len(first) : len(id)-len(last)]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(id, p)
		if i < 0 {
			return false
		}
		id = id[i+len(p):]
	}
	return true
}
