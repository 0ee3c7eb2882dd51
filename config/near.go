package config

import "strings"

// synonyms are words of other programs for words of ours.
var synonyms = map[string]string{
	"slave": "unit", "slave_id": "unit", "slave-id": "unit", "station": "unit", "unit-id": "unit", "unit_id": "unit",
	"baudrate": "baud", "baud-rate": "baud", "baud_rate": "baud", "databits": "data", "stopbits": "stop", "stop-bits": "stop",
	"interval": "every", "period": "every", "cycle": "every", "poll": "every", "polling": "every", "scan": "every",
	"datatype": "type", "data-type": "type", "byte-order": "order", "byteorder": "order", "endian": "order",
	"factor": "scale", "multiplier": "scale", "gain": "scale", "addend": "offset",
	"delay": "for", "on-delay": "for", "off-delay": "clear-for", "hysteresis": "clear", "actions": "do", "outputs": "do",
	"high": "above", "hi": "above", "low": "below", "lo": "below", "limit": "above", "severity": "level", "priority": "level",
	"url": "mqtt", "broker": "mqtt", "server": "mqtt", "host": "tcp", "expression": "value", "expr": "value", "formula": "value",
	"description": "name", "label": "name", "title": "name", "units": "unit",
}

// near is the word of those that was probably meant, or nothing.
func near(w string, of []string) string {
	w = strings.ToLower(strings.ReplaceAll(w, "_", "-"))
	if s, ok := synonyms[w]; ok {
		for _, o := range of {
			if o == s {
				return s
			}
		}
	}
	if len(w) > 80 {
		return ""
	}
	best, least := "", min(1+len(w)/3, len(w)-1)
	for _, o := range of {
		if d := distance(w, strings.ToLower(strings.ReplaceAll(o, "_", "-")), least); d <= least && o != "" {
			if d < least || best == "" {
				best, least = o, d
			}
		}
	}
	return best
}

// distance is how many letters must be added, dropped, changed or swapped with
// their neighbour to make a of b; anything over most if it is over most.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// orList joins words as a person would: "a", "b" or "c".
func orList(w []string) string {
	if len(w) == 0 {
		return "nothing"
	}
	if len(w) == 1 {
		return w[0]
	}
	return strings.Join(w[:len(w)-1], ", ") + " or " + w[len(w)-1]
}
