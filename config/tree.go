package config

import (
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"pithead/drivers/modbus"
)

// A value is one value of the file, read as its shape says.
type value struct {
	place
	key   place // of its key; in a list the value's own
	shape shape
	text  string // of a scalar, as written
	plain bool   // without quotes
	num   float64
	n     int64 // a whole number, 0 or 1, bytes, nanoseconds, a protocol address
	bits  uint64
	hex   bool
	table modbus.Table // of a register
	url   string       // of a broker, with its port
	list  []*value
	obj   *object // of a section or a mapping
}

func (v *value) dur() time.Duration { return time.Duration(v.n) }

// An object is a section or a mapping of the file. A key that is there but
// whose value is wrong has the value nil: what depends on it is not judged, so
// that one mistake is told once.
type object struct {
	place   // of its key
	section *section
	vals    map[string]*value
	defs    map[string]*value // shared by all objects of the section
	keys    []string          // as in the file
	at      map[string]place
	strange bool // has keys that are not in the table
}

// has says whether a key is there, right or wrong.
func (o *object) has(k string) bool { _, ok := o.vals[k]; return ok }

// broken says whether a key is there but wrong.
func (o *object) broken(ks ...string) bool {
	for _, k := range ks {
		if v, ok := o.vals[k]; ok && v == nil {
			return true
		}
	}
	return false
}

// get is the value of a key, else its default, else nil.
func (o *object) get(k string) *value {
	if v, ok := o.vals[k]; ok && v != nil {
		return v
	}
	return o.defs[k]
}

// given is the value of a key that is there and right, or nil.
func (o *object) given(k string) *value { return o.vals[k] }

// where is the place of a key's value, else of the object.
func (o *object) where(k string) place {
	if v := o.vals[k]; v != nil {
		return v.place
	}
	if at, ok := o.at[k]; ok {
		return at
	}
	return o.place
}

func (o *object) text(k string) string {
	if v := o.get(k); v != nil {
		return v.text
	}
	return ""
}

func (o *object) int(k string) int {
	if v := o.get(k); v != nil {
		return int(v.n)
	}
	return 0
}

func (o *object) num(k string) float64 {
	if v := o.get(k); v != nil {
		return v.num
	}
	return 0
}

func (o *object) dur(k string) time.Duration {
	if v := o.get(k); v != nil {
		return v.dur()
	}
	return 0
}

func (o *object) bool(k string) bool { return o.int(k) != 0 }

// sub is the section under a key: an empty one with all defaults where it is
// not there, nil where it is broken.
func (o *object) sub(k string) *object {
	if v, ok := o.vals[k]; ok {
		if v == nil {
			return nil
		}
		return v.obj
	}
	if d := o.defs[k]; d != nil {
		return d.obj
	}
	return nil
}

// texts are the entries of a list; nil where there is none.
func (o *object) texts(k string) []string {
	v := o.get(k)
	if v == nil {
		return nil
	}
	out := make([]string, 0, len(v.list))
	for _, e := range v.list {
		out = append(out, e.text)
	}
	return out
}

// entries are the sections of a mapping, in the file's order; those that are
// wrong as a whole are left out.
func (o *object) entries(k string) []*object {
	var out []*object
	if m := o.sub(k); m != nil {
		for _, id := range m.keys {
			if v := m.vals[id]; v != nil && v.obj != nil {
				out = append(out, v.obj)
			}
		}
	}
	return out
}

// id is the last part of the object's path: its own key.
func (o *object) id(parent string) string { return strings.TrimPrefix(o.path, parent+".") }

// reader turns YAML nodes into values by the table.
type reader struct {
	*problems
	sections  map[string]*section
	byDefault map[string]map[string]*value // by section and key
	later     []notYet                     // words that this version does not act on
	files     []*value
	muted     bool // inside a word that is later as a whole
}

func newReader(p *problems) *reader {
	r := &reader{problems: p, sections: map[string]*section{}, byDefault: map[string]map[string]*value{}}
	for i := range table {
		r.sections[table[i].name] = &table[i]
	}
	return r
}

// notYet is a word that this version judges but does not act on.
type notYet struct {
	place
	text string // path: word
}

func join2(path, word string) string {
	if path == "" {
		return word
	}
	return path + ": " + word
}

func join(path, k string) string {
	if path == "" {
		return k
	}
	return path + "." + k
}

// read is the value of a node, or nil where it is wrong, which it has told.
// Key is the place of its key, where a person looks for what is missing in it.
func (r *reader) read(n *yaml.Node, s shape, at, key place) *value {
	if !r.sound(n, at) {
		return nil
	}
	if s.form == formEither {
		s = pick(n, s.of)
	}
	v := &value{place: at, key: key, shape: s}
	switch s.form {
	case formSection:
		return r.section(n, s, v)
	case formMap:
		return r.mapping(n, s, v)
	case formList:
		return r.sequence(n, s, v)
	}
	return r.scalar(n, s, v)
}

// sound refuses what YAML has beyond plain data.
func (r *reader) sound(n *yaml.Node, at place) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		r.errorf(at, "*%s is an alias; write out what it stands for, or quote a text that begins with *", n.Value)
	case n.Anchor != "":
		r.errorf(at, "&%s is an anchor; leave it out, or quote a text that begins with &", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		r.errorf(at, "%s is a tag; leave it out, or quote a text that begins with !", n.Tag)
	default:
		return true
	}
	return false
}

// pick is the alternative that fits the node's kind, else the first.
func pick(n *yaml.Node, of []shape) shape {
	for _, s := range of {
		switch {
		case s.form == formList && n.Kind == yaml.SequenceNode,
			(s.form == formMap || s.form == formSection) && n.Kind == yaml.MappingNode,
			s.form < formList && n.Kind == yaml.ScalarNode:
			return s
		}
	}
	return of[0]
}

func (r *reader) scalar(n *yaml.Node, s shape, v *value) *value {
	if n.Kind != yaml.ScalarNode {
		r.errorf(v.place, "is %s; want %s", kindOf(n), s.wanted())
		return nil
	}
	v.text, v.plain = n.Value, n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
	if v.plain && (v.text == "" || v.text == "~" || v.text == "null") {
		r.errorf(v.place, "is empty; want %s", s.wanted())
		return nil
	}
	if v.plain && strings.HasPrefix(v.text, "“") {
		r.errorf(v.place, "has full-width quotes; want \"…\"")
		return nil
	}
	if problem := s.scan(v); problem != "" {
		r.errorf(v.place, "%s", problem)
		return nil
	}
	if s.form == formFile {
		r.files = append(r.files, v)
	}
	return v
}

func (r *reader) sequence(n *yaml.Node, s shape, v *value) *value {
	if n.Kind != yaml.SequenceNode {
		r.errorf(v.place, "is %s; want %s", kindOf(n), s.wanted())
		return nil
	}
	good := true
	for i, c := range n.Content {
		at := place{c.Line, c.Column, v.path + "[" + strconv.Itoa(i) + "]"}
		e := r.read(c, s.of[0], at, at)
		good = good && e != nil
		if e != nil {
			v.list = append(v.list, e)
		}
	}
	if l := float64(len(n.Content)); l < s.lo || l > s.hi {
		r.errorf(v.place, "has %s; want %s", entriesOf(int(l)), s.wanted())
		return nil
	}
	if !good && s.of[0].form != formSection {
		return nil // a list of half its entries would be judged wrongly
	}
	return v
}

func entriesOf(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return strconv.Itoa(n) + " entries"
}

// section reads keys that the table knows.
func (r *reader) section(n *yaml.Node, s shape, v *value) *value {
	sec := r.sections[s.section]
	o := r.pairs(n, v)
	if o == nil {
		return nil
	}
	v.obj, o.section = o, sec
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, c := n.Content[i], n.Content[i+1]
		if !r.first(o, k) {
			continue
		}
		row := sec.key(k.Value)
		if row == nil {
			r.unknown(o, sec, n, k)
			continue
		}
		o.keys = append(o.keys, k.Value)
		o.vals[k.Value] = r.row(row, c, o, k)
	}
	r.complete(o, sec)
	return v
}

// row reads the value of one key, and notes whether this version acts on it.
func (r *reader) row(row *key, c *yaml.Node, o *object, k *yaml.Node) *value {
	at := place{c.Line, c.Column, join(o.path, k.Value)}
	mute := r.muted
	if row.flags&later != 0 && !mute {
		r.later = append(r.later, notYet{o.at[k.Value], join2(o.path, row.name)})
		r.muted = true
	}
	v := r.read(c, row.shape, at, o.at[k.Value])
	r.muted = mute
	if v != nil && row.shape.form == formWord && !mute {
		for _, w := range row.shape.after {
			if w == v.text {
				r.later = append(r.later, notYet{o.at[k.Value], join2(o.path, row.name+": "+w)})
			}
		}
	}
	return v
}

// mapping reads keys of the technician's choice.
func (r *reader) mapping(n *yaml.Node, s shape, v *value) *value {
	o := r.pairs(n, v)
	if o == nil {
		return nil
	}
	v.obj = o
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, c := n.Content[i], n.Content[i+1]
		if !r.first(o, k) || !r.mapKey(k, s, o) {
			continue
		}
		o.keys = append(o.keys, k.Value)
		o.vals[k.Value] = r.read(c, s.of[0], place{c.Line, c.Column, join(v.path, k.Value)}, o.at[k.Value])
	}
	return v
}

// mapKey judges a key of a mapping. An id of wrong letters is told and then
// used all the same, since what refers to it is not wrong besides.
func (r *reader) mapKey(k *yaml.Node, s shape, o *object) bool {
	at := place{k.Line, k.Column, join(o.path, k.Value)}
	if len(s.words) > 0 {
		kv := &value{text: k.Value}
		if problem := (shape{form: formWord, words: s.words}).scan(kv); problem != "" {
			r.errorf(at, "%s", problem)
			return false
		}
		return true
	}
	ks := ident
	if s.key != nil {
		ks = *s.key
	}
	if problem := ks.scan(&value{text: k.Value}); problem != "" {
		r.errorf(at, "%s", problem)
	}
	return true
}

// pairs makes the object of a mapping node.
func (r *reader) pairs(n *yaml.Node, v *value) *object {
	if n.Kind != yaml.MappingNode {
		r.errorf(v.place, "is %s; want %s", kindOf(n), v.shape.wanted())
		return nil
	}
	return &object{place: v.key, vals: map[string]*value{}, at: map[string]place{}}
}

// first judges a key as such, and says whether it is there for the first time.
func (r *reader) first(o *object, k *yaml.Node) bool {
	at := place{k.Line, k.Column, join(o.path, k.Value)}
	if k.Kind != yaml.ScalarNode {
		r.errorf(place{k.Line, k.Column, o.path}, "a key is %s; want a word", kindOf(k))
		return false
	}
	if k.Value == "<<" && k.Tag == "!!merge" {
		r.errorf(at, "merging with << is not known here; write out what it stands for")
		return false
	}
	if !r.sound(k, at) {
		return false
	}
	if was, ok := o.at[k.Value]; ok {
		r.errorf(at, "given twice; the first is in line %d", was.line)
		return false
	}
	o.at[k.Value] = at
	return true
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if n.Value == "" || n.Value == "null" || n.Value == "~" {
		return "empty"
	}
	if strings.ContainsAny(n.Value, "：，") {
		return "a text with a full-width colon or comma"
	}
	return "a text"
}
