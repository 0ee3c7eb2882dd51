package config

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// reader turns YAML nodes into values by the table.
type reader struct {
	*problems
	sections  map[string]*section
	byDefault map[string]map[string]*value // by section and key
	later     []notYet                     // words that this version does not act on
	files     []*value
	muted     bool   // inside a word that is later as a whole
	in        string // the file that is being read; empty: the site file
}

func newReader(p *problems) *reader {
	r := &reader{problems: p, sections: map[string]*section{}, byDefault: map[string]map[string]*value{}}
	for i := range table {
		r.sections[table[i].name] = &table[i]
	}
	r.sections[includedKeys.name] = &includedKeys
	for i := range profileTable {
		r.sections[profileTable[i].name] = &profileTable[i]
	}
	for i := range standardTable {
		r.sections[standardTable[i].name] = &standardTable[i]
	}
	return r
}

// at is where a node stands in the file that is being read.
func (r *reader) at(n *yaml.Node, path string) place {
	return place{line: n.Line, col: n.Column, path: path, file: r.in}
}

// notYet is a word that this version judges but does not act on.
type notYet struct {
	place
	text string // path: word
}

func worded(path, word string) string {
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
	if v.plain && (strings.HasPrefix(v.text, "“") || strings.HasPrefix(v.text, "‘")) {
		r.errorf(v.place, "has full-width quotes; want \"…\"")
		return nil
	}
	if problem := s.scan(v); problem != "" {
		r.errorf(v.place, "%s", problem)
		return nil
	}
	if n := utf8.RuneCountInString(v.text); s.form == formText && s.hi > 0 && n > int(s.hi) {
		r.strictf(v.place, "a text of %d characters; want at most %s", n, plain(s.hi))
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
		at := r.at(c, v.path+"["+strconv.Itoa(i)+"]")
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
			r.unknown(o, sec, n, k, c)
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
	at := r.at(c, join(o.path, k.Value))
	mute := r.muted
	if row.flags&later != 0 && !mute {
		r.later = append(r.later, notYet{o.at[k.Value], worded(o.path, row.name)})
		r.muted = true
	}
	v := r.read(c, row.shape, at, o.at[k.Value])
	r.muted = mute
	if v != nil && row.shape.form == formWord && !mute {
		for _, w := range row.shape.after {
			if w == v.text {
				r.later = append(r.later, notYet{o.at[k.Value], worded(o.path, row.name+": "+w)})
			}
		}
	}
	return v
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
	if strings.ContainsAny(n.Value, "｛｝［］【】") {
		return "a text with a full-width bracket"
	}
	if decimalForm.MatchString(n.Value) {
		return "a number"
	}
	return "a text"
}
