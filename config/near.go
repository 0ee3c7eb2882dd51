package config

import (
	"strings"

	"pithead/config/expr"
)

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
	letters := len([]rune(w))
	best, least := "", min(1+letters/3, letters-1)
	for _, o := range of {
		if d := expr.Distance(w, strings.ReplaceAll(o, "_", "-"), least); d <= least && o != "" {
			if d < least || best == "" {
				best, least = o, d
			}
		}
	}
	return best
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
