package agent

import (
	"slices"

	"pithead/config"
)

// safely is a site with no more than what guards: drivers, alarms, outputs and
// events, for a program that keeps crashing. Readings are stored as ever, since
// counters, seals and trips go on from them after a restart; platforms get the
// rest once it is over, from where they were.
func safely(s *config.Site) *config.Site {
	safe := *s
	safe.Web, safe.Stats = config.Web{}, 0
	safe.Uplinks = slices.Clone(s.Uplinks)
	for i := range safe.Uplinks {
		u := &safe.Uplinks[i]
		u.Data, u.Stats, u.Health, u.Snapshot = false, false, false, 0
	}
	return &safe
}
