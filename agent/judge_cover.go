package agent

import (
	"cmp"
	"slices"

	"pithead/agent/alarm"
)

// ladder tells the alarms of one direction on one point which of them are
// higher, and puts the higher ones first: what one sample raises is told from
// the highest down, and the lower ones as covered.
func (p *point) ladder() {
	all := p.standing()
	slices.SortStableFunc(all, func(a, b *standing) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Def().Level, a.Def().Level))
	})
	for i, s := range all {
		for _, h := range all[:i] {
			if d := s.Def(); d.Condition != alarm.Fault && h.Def().Condition == d.Condition && h.Def().Level > d.Level {
				s.bond().higher = append(s.higher, h)
			}
		}
	}
}

// rank puts the fault behind the others, as the site file has it.
func rank(s *standing) int {
	if s.Def().Condition == alarm.Fault {
		return 1
	}
	return 0
}

// up says that its condition holds, as far as anybody knows.
func (s *standing) up() bool { return s.State() == alarm.Active || s.State() == alarm.Acked }

// coveredBy is the alarm that stands for this one, too: a higher one of its
// ladder, or that of the device or bus that is gone with it. What is quiet stands
// for nobody.
func (s *standing) coveredBy() *standing {
	for _, h := range s.higher {
		if h.up() && !h.quiet() {
			return h
		}
	}
	for _, r := range s.outer {
		if r.up() && !r.quiet() {
			return r
		}
	}
	if s.of == nil || s.Def().Condition != alarm.Fault {
		return nil
	}
	for _, r := range *s.of.roots {
		if r.up() && !r.quiet() {
			return r.standing
		}
	}
	return nil
}

// called says that somebody is to be called by it, now that it is raised: it is
// what floods and figures count.
func (s *standing) called() bool { return !s.quiet() && s.coveredBy() == nil }

// names says whether it asks for an output at its level.
func (s *standing) names(output string) bool { return s.namesAt(output, s.Level()) }

func (s *standing) namesAt(output string, level alarm.Level) bool {
	d := s.Def()
	if d.Condition != alarm.Ranked {
		return slices.Contains(d.Do, output)
	}
	for l := range level {
		if d.DoBy != nil && slices.Contains(d.DoBy[l+1], output) {
			return true
		}
	}
	return false
}
