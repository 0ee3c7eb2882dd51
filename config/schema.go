package config

import (
	"encoding/json"
	"strings"
)

// Schema is the JSON Schema (draft 2020-12) of a site file, for editors. It is
// made from the table; what the table can't say, as that a bus exists, only
// check finds.
func Schema() []byte {
	defs := map[string]any{}
	for i := range table {
		defs[table[i].name] = table[i].schema()
	}
	root := defs["site"].(map[string]any)
	delete(defs, "site")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "pithead site file"
	root["$defs"] = defs
	// Points are the site file's own, come with the profile of a device, or are
	// in another file.
	root["anyOf"] = []any{required("points"), required("devices"), required("include")}
	defs["device"].(map[string]any)["allOf"] = parameterSchemas()
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps of strings and numbers always marshal
	}
	return append(b, '\n')
}

func required(key string) map[string]any { return map[string]any{"required": []string{key}} }

// parameterSchemas say which keys go with which profile.
func parameterSchemas() []any {
	var out []any
	for _, p := range Profiles() {
		props := map[string]any{}
		var required []string
		for _, o := range p.parameters {
			s, need := parameterSchema(o)
			name := o.id("parameters")
			props[name] = s
			if need {
				required = append(required, name)
			}
		}
		then := map[string]any{"properties": props}
		if len(required) > 0 {
			then["required"] = required
		}
		is := map[string]any{"properties": map[string]any{"profile": map[string]any{"const": p.Name}}, "required": []string{"profile"}}
		out = append(out, map[string]any{"if": is, "then": then})
	}
	return out
}

// parameterSchema is one parameter's, and whether it has to be there.
func parameterSchema(o *object) (s map[string]any, must bool) {
	switch {
	case o.given("choices") != nil:
		s = words(o.sub("choices").keys...).wordSchema()
	case o.given("whole") != nil:
		b := o.given("whole").list
		s = ints(b[0].num, b[1].num).numberSchema("integer")
	case o.given("number") != nil:
		b := o.given("number").list
		s = shape{form: formNumber, lo: b[0].num, hi: b[1].num}.numberSchema("number")
	default:
		s = text.schema()
	}
	s["description"] = o.text("what")
	if v := o.given("default"); v != nil {
		s["default"] = v.text
		return s, false
	}
	return s, true
}

func (s *section) schema() map[string]any {
	props, required := map[string]any{}, []string{}
	for i := range s.keys {
		k := &s.keys[i]
		p := k.shape.schema()
		p["description"] = k.describe()
		if d, ok := k.literal(); ok {
			p["default"] = d
		}
		props[k.name] = p
		if k.flags&must != 0 {
			required = append(required, k.name)
		}
	}
	out := map[string]any{"type": "object", "properties": props, "additionalProperties": s.name == "device"}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func (k *key) describe() string {
	d := k.doc
	if strings.HasPrefix(k.def, "(") {
		d += "; default: " + strings.Trim(k.def, "()")
	}
	if k.flags&later != 0 {
		d += " (this version judges it but does not act on it)"
	}
	return d
}

// literal is the default, if it does not depend on anything else.
func (k *key) literal() (any, bool) {
	if k.def == "" || strings.HasPrefix(k.def, "(") {
		return nil, false
	}
	v := &value{text: k.def}
	switch k.shape.form {
	case formBool:
		return scanBool(v) == "" && v.n == 1, true
	case formInt, formNumber:
		if k.shape.scan(v) == "" {
			return v.num, true
		}
	}
	return k.def, true
}

// schema of a shape. Scalars are read from their text, so that a number may
// stand in quotes too: a schema can only say which YAML kinds may be right.
func (s shape) schema() map[string]any {
	switch s.form {
	case formBool:
		return map[string]any{"enum": []any{true, false, "on", "off", "yes", "no", "true", "false"}}
	case formWord:
		return s.wordSchema()
	case formInt:
		return s.numberSchema("integer")
	case formNumber:
		return s.numberSchema("number")
	case formDuration:
		return map[string]any{"type": "string", "pattern": durationForm.String()}
	case formSize:
		return map[string]any{"type": "string", "pattern": sizeForm.String()}
	case formRegister, formScalar:
		return map[string]any{"type": []string{"integer", "number", "string", "boolean"}}
	case formText, formFile, formExpr:
		if s.hi > 0 {
			return map[string]any{"type": []string{"string", "number"}, "maxLength": s.hi}
		}
		return map[string]any{"type": []string{"string", "number"}}
	case formList:
		return s.listSchema()
	case formSection:
		return map[string]any{"$ref": "#/$defs/" + s.section}
	case formMap:
		return s.mapSchema()
	case formEither:
		var of []any
		for _, o := range s.of {
			of = append(of, o.schema())
		}
		return map[string]any{"anyOf": of}
	}
	out := map[string]any{"type": "string"}
	if p, ok := patterns[s.form]; ok {
		out["pattern"] = p.re.String()
	}
	return out
}

// wordSchema has words that are digits as numbers too: version: 1.
func (s shape) wordSchema() map[string]any {
	var out []any
	for _, w := range append(append([]string{}, s.words...), s.after...) {
		out = append(out, w)
		if len(w) == 1 && w[0] >= '0' && w[0] <= '9' {
			out = append(out, int(w[0]-'0'))
		}
		if n, ok := truths[w]; ok {
			out = append(out, n == 1)
		}
	}
	return map[string]any{"enum": out}
}

func (s shape) numberSchema(typ string) map[string]any {
	n := map[string]any{"type": typ}
	if s.lo != 0 || s.hi != 0 {
		n["minimum"], n["maximum"] = s.lo, s.hi
	}
	return map[string]any{"anyOf": []any{n, map[string]any{"type": "string", "pattern": "^(0[xX][0-9A-Fa-f]+|-?[0-9].*)$"}}}
}

func (s shape) listSchema() map[string]any {
	out := map[string]any{"type": "array", "items": s.of[0].schema()}
	if s.lo > 0 {
		out["minItems"] = s.lo
	}
	if s.hi < many {
		out["maxItems"] = s.hi
	}
	return out
}

func (s shape) mapSchema() map[string]any {
	out := map[string]any{"type": "object", "additionalProperties": s.of[0].schema()}
	switch {
	case len(s.words) > 0:
		out["propertyNames"] = map[string]any{"enum": s.words}
	case s.key == nil:
		out["propertyNames"] = map[string]any{"pattern": patterns[formID].re.String(), "maxLength": 64}
	}
	return out
}
