package uplink

import "strconv"

// A section is a member that is a list, and may be spread over several parts.
type section struct {
	name  string
	items [][]byte // JSON each
}

// parts writes one object from its opening (`{"v":1,…`, not closed) and its
// sections. Where that would be longer than limit it becomes several, each with
// the opening, "part" and "of", and its share of the sections, in order; a
// section that has nothing in a part is absent there. Only an item that is
// longer than limit by itself makes a part longer than that.
func parts(opening []byte, sections []section, limit int) [][]byte {
	if whole := one(opening, sections); len(whole) <= limit {
		return [][]byte{whole}
	}
	room := limit - len(opening) - len(`,"part":00000,"of":00000}`)
	bodies := split(sections, room)
	msgs := make([][]byte, len(bodies))
	for i, body := range bodies {
		b := append([]byte(nil), opening...)
		b = strconv.AppendInt(append(b, `,"part":`...), int64(i), 10)
		b = strconv.AppendInt(append(b, `,"of":`...), int64(len(bodies)), 10)
		msgs[i] = append(append(b, body...), '}')
	}
	return msgs
}

func one(opening []byte, sections []section) []byte {
	b := append([]byte(nil), opening...)
	for _, s := range sections {
		b = append(b, `,"`+s.name+`":[`...)
		for i, item := range s.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, item...)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// split spreads the sections over bodies of at most room bytes.
func split(sections []section, room int) [][]byte {
	var bodies [][]byte
	var body []byte
	for _, s := range sections {
		open := false // body ends within this section
		for _, item := range s.items {
			need := len(item) + len(",]")
			if !open {
				need += len(s.name) + len(`,"":[`)
			}
			if len(body) > 0 && len(body)+need > room {
				if open {
					body = append(body, ']')
				}
				bodies, body, open = append(bodies, body), nil, false
			}
			if open {
				body = append(body, ',')
			} else {
				body = append(body, `,"`+s.name+`":[`...)
			}
			body, open = append(body, item...), true
		}
		if open {
			body = append(body, ']')
		}
	}
	if len(body) > 0 || len(bodies) == 0 {
		bodies = append(bodies, body)
	}
	return bodies
}
