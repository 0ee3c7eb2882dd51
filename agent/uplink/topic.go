package uplink

import (
	"strings"

	"pithead/config"
)

// Topic is where messages of a kind go: <prefix>/<site>/<gateway>/<kind>.
func Topic(site *config.Site, c config.Uplink, kind string) string {
	return c.Prefix + "/" + site.Site + "/" + site.Gateway + "/" + kind
}

// matches says whether a point is one of an uplink's; no pattern at all means
// every point. In a pattern * stands for any text, dots and nothing included.
func matches(patterns []string, point string) bool {
	for _, p := range patterns {
		if like(p, point) {
			return true
		}
	}
	return len(patterns) == 0
}

func like(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		middle, after, star := strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(s, rest)
		}
		// The leftmost place leaves the most for what follows.
		i := strings.Index(s, middle)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(middle):], after
	}
}
