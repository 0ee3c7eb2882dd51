package config

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Every row can be read, has a line of help, and names sections that are there.
func TestTable(t *testing.T) {
	r := newReader(&problems{})
	used := map[string]bool{"site": true, "profile": true, "standard": true, "included": true}
	var look func(where string, s shape)
	look = func(where string, s shape) {
		if s.form == formSection {
			used[s.section] = true
			if r.sections[s.section] == nil {
				t.Errorf("%s: there is no section %q", where, s.section)
			}
		}
		for _, o := range s.of {
			look(where, o)
		}
	}
	for _, s := range slices.Concat(table, profileTable, standardTable) {
		r.defaults(&s) // panics at a default that its own shape refuses
		var seen []string
		for _, k := range s.keys {
			where := s.name + "." + k.name
			look(where, k.shape)
			if k.doc == "" || slices.Contains(seen, k.name) {
				t.Errorf("%s: no help, or there twice", where)
			}
			seen = append(seen, k.name)
		}
	}
	for name := range r.sections {
		if !used[name] {
			t.Errorf("nothing uses section %q", name)
		}
	}
	for _, m := range []map[string][]string{pointOnly, alarmOnly, busOnly} {
		for k := range m {
			if pointKeys.key(k) == nil && alarmKeys.key(k) == nil && busKeys.key(k) == nil {
				t.Errorf("%q is bound to a kind but is no key", k)
			}
		}
	}
}

// The schema takes every example, and refuses what is not in the table.
func TestSchema(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	for _, k := range ExampleKinds() {
		var doc map[string]any
		if err := yaml.Unmarshal(k.Text, &doc); err != nil {
			t.Fatal(err)
		}
		for _, e := range fits(root, root, doc, k.Kind) {
			t.Error(e)
		}
	}
	for _, wrong := range []string{
		`{"version": 1, "site": "a", "gateway": "b"}`,
		`{"version": 1, "site": "a", "gateway": "b", "points": {}, "x": 1}`,
		`{"version": 1, "site": "A", "gateway": "b", "points": {}}`,
		`{"version": 1, "site": "a", "gateway": "b", "points": {"P": {}}}`,
		`{"version": 1, "site": "a", "gateway": "b", "points": {"p": {"every": "5"}}}`,
		`{"version": 1, "site": "a", "gateway": "b", "points": {"p": {"alarms": [{"level": "pink"}]}}}`,
		`{"version": 1, "site": "a", "gateway": "b", "points": {"p": {"map": [1, 2, 3]}}}`,
	} {
		var doc any
		if err := json.Unmarshal([]byte(wrong), &doc); err != nil {
			t.Fatal(err)
		}
		if len(fits(root, root, doc, "")) == 0 {
			t.Errorf("the schema takes %s", wrong)
		}
	}
}

// fits is as much of a validator as Schema needs.
func fits(root, s map[string]any, v any, at string) []string {
	var wrong []string
	bad := func(why string) { wrong = append(wrong, at+": "+why) }
	if ref, ok := s["$ref"].(string); ok {
		def, ok := root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		if !ok {
			return []string{at + ": no " + ref}
		}
		return fits(root, def, v, at)
	}
	if of, ok := s["anyOf"].([]any); ok && !slices.ContainsFunc(of, func(a any) bool {
		return len(fits(root, a.(map[string]any), v, at)) == 0
	}) {
		bad("none of anyOf")
	}
	if enum, ok := s["enum"].([]any); ok && !slices.ContainsFunc(enum, func(e any) bool { return asJSON(e) == asJSON(v) }) {
		bad("not in enum")
	}
	if typ, ok := s["type"]; ok && !slices.ContainsFunc(typesOf(typ), func(t string) bool { return t == typeOf(v) || t == "number" && typeOf(v) == "integer" }) {
		bad("is " + typeOf(v))
	}
	switch v := v.(type) {
	case string:
		if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			bad("does not match " + p)
		}
	case []any:
		if n, ok := s["minItems"].(float64); ok && len(v) < int(n) {
			bad("too short")
		}
		if items, ok := s["items"].(map[string]any); ok {
			for _, e := range v {
				wrong = append(wrong, fits(root, items, e, at+"[]")...)
			}
		}
	case map[string]any:
		wrong = append(wrong, fitsObject(root, s, v, at)...)
	}
	return wrong
}

func fitsObject(root, s, v map[string]any, at string) []string {
	var wrong []string
	props, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	for _, k := range required {
		if _, ok := v[k.(string)]; !ok {
			wrong = append(wrong, at+": no "+k.(string))
		}
	}
	for k, e := range v {
		if names, ok := s["propertyNames"].(map[string]any); ok {
			wrong = append(wrong, fits(root, names, k, at+"."+k)...)
		}
		if p, ok := props[k].(map[string]any); ok {
			wrong = append(wrong, fits(root, p, e, at+"."+k)...)
			continue
		}
		switch more := s["additionalProperties"].(type) {
		case bool:
			if !more {
				wrong = append(wrong, at+": unknown "+k)
			}
		case map[string]any:
			wrong = append(wrong, fits(root, more, e, at+"."+k)...)
		}
	}
	return wrong
}

func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func typesOf(t any) []string {
	if s, ok := t.(string); ok {
		return []string{s}
	}
	var out []string
	for _, e := range t.([]any) {
		out = append(out, e.(string))
	}
	return out
}

func typeOf(v any) string {
	switch v := v.(type) {
	case bool:
		return "boolean"
	case int:
		return "integer"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}
