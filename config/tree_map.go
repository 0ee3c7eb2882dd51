package config

import "go.yaml.in/yaml/v3"

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
		o.vals[k.Value] = r.read(c, s.of[0], r.at(c, join(v.path, k.Value)), o.at[k.Value])
		if r.in == "" {
			n.Content[i+1] = nil // of ten thousand points the nodes take more than all else
		}
	}
	return v
}

// mapKey judges a key of a mapping. An id of wrong letters is told and then
// used all the same, since what refers to it is not wrong besides.
func (r *reader) mapKey(k *yaml.Node, s shape, o *object) bool {
	at := r.at(k, join(o.path, k.Value))
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
	at := r.at(k, join(o.path, k.Value))
	if k.Kind != yaml.ScalarNode {
		r.errorf(r.at(k, o.path), "a key is %s; want a word", kindOf(k))
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
