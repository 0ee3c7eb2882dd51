package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// unknown tells of a key that is not in the table, with the word that was
// probably meant. That word then counts as being there, so that nothing else
// complains that it is missing, and what stands under it is judged as well.
func (r *reader) unknown(o *object, sec *section, n, k, c *yaml.Node) {
	if sec.name == "device" && hasKey(n, "profile") {
		at := r.at(k, join(o.path, k.Value))
		o.params = append(o.params, param{at, k.Value, r.read(c, scalar, r.at(c, at.path), at)})
		return
	}
	at := r.at(k, join(o.path, k.Value))
	o.strange = true
	if w := r.near(k.Value, names(sec)); w != "" && !strings.ContainsAny(k.Value, "：，") {
		r.errorf(at, "unknown key; did you mean %q?", w)
		if !hasKey(n, w) {
			at.path = join(o.path, w)
			o.vals[w] = r.guessed(c, sec.key(w).shape, at)
		}
		return
	}
	r.errorf(at, "unknown key%s", r.elsewhere(k.Value, sec))
}

// guessed is the value under a key that was misspelt, if it is a large one.
func (r *reader) guessed(c *yaml.Node, s shape, key place) *value {
	if s.form == formEither {
		s = pick(c, s.of)
	}
	if (s.form == formMap || s.form == formSection) && c.Kind == yaml.MappingNode || s.form == formList && c.Kind == yaml.SequenceNode {
		return r.read(c, s, r.at(c, key.path), key)
	}
	return nil
}

func hasKey(n *yaml.Node, name string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return true
		}
	}
	return false
}

func names(sec *section) []string {
	out := make([]string, len(sec.keys))
	for i, k := range sec.keys {
		out[i] = k.name
	}
	return out
}

// elsewhere says where a key would be right, or which keys would be right here.
func (r *reader) elsewhere(name string, here *section) string {
	if strings.ContainsAny(name, "：，") {
		return "; it has a full-width colon or comma, want : or ,"
	}
	for i := range table {
		if table[i].key(name) != nil {
			return fmt.Sprintf("; %q belongs to %s", name, table[i].what)
		}
	}
	if len(here.keys) <= 12 {
		return "; want " + orList(names(here))
	}
	return fmt.Sprintf("; %s has none like it", here.what)
}

// near is the word that was probably meant. Who made hundreds of mistakes gets
// no more guesses: each costs time.
func (r *problems) near(w string, of []string) string {
	if len(r.list) > 500 {
		return ""
	}
	return near(w, of)
}

// complete tells of keys that are missing and brings in the defaults.
func (r *reader) complete(o *object, sec *section) {
	for i := range sec.keys {
		if k := &sec.keys[i]; k.flags&must != 0 && !o.has(k.name) {
			r.errorf(o.place, "%q is missing; want %s", k.name, k.shape.wanted())
			o.vals[k.name] = nil
		}
	}
	o.defs = r.defaults(sec)
}

// defaults are what stands for the keys of a section that are not there.
func (r *reader) defaults(sec *section) map[string]*value {
	if d, ok := r.byDefault[sec.name]; ok {
		return d
	}
	d := map[string]*value{}
	r.byDefault[sec.name] = d
	for i := range sec.keys {
		k := &sec.keys[i]
		v := &value{shape: k.shape, text: k.def}
		switch {
		case k.shape.always:
			v.obj = &object{section: r.sections[k.shape.section], defs: r.defaults(r.sections[k.shape.section])}
		case k.def == "" || k.def[0] == '(':
			continue
		default:
			if problem := k.shape.scan(v); problem != "" {
				panic("table: the default of " + k.name + ": " + problem) // a test reads every default
			}
		}
		d[k.name] = v
	}
	return d
}

// wanted says how a value is written, for "want ...".
func (s shape) wanted() string {
	switch s.form {
	case formWord:
		return orList(append(append([]string{}, s.words...), s.after...))
	case formBool:
		return "on or off"
	case formInt, formNumber:
		return "a number" + s.between()
	case formDuration:
		return "a duration, as 5s"
	case formSize:
		return "a size, as 64MB"
	case formID:
		return "an id"
	case formPin:
		return "a bus and its line, as board/17"
	case formHost, formListen:
		return "host:port"
	case formURL:
		return "a broker's address, as tls://mqtt.example:8883"
	case formRegister:
		return "a register number, as 40001"
	case formFile:
		return "a file"
	case formExpr:
		return "an expression in quotes"
	}
	return s.wantedMore()
}

func (s shape) wantedMore() string {
	switch s.form {
	case formSlug:
		return "lower-case letters, digits and -"
	case formList:
		return s.wantedList()
	case formSection:
		if s.section == "secret" {
			return "{file: PATH} or {env: NAME}; a secret is never text"
		}
		return "keys and values"
	case formMap:
		return "keys and values"
	case formEither:
		out := make([]string, len(s.of))
		for i, o := range s.of {
			out[i] = o.wanted()
		}
		return orList(out)
	}
	return "a value"
}

func (s shape) wantedList() string {
	if s.lo == s.hi && s.lo > 0 {
		return "a list of " + plain(s.lo) + ", as [0, 1, 2, 3"[:3*int(s.lo)+4] + "]"
	}
	if s.lo > 0 {
		return "a list with at least " + entriesOf(int(s.lo))
	}
	return "a list"
}
