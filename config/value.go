package config

import (
	"strings"
	"time"

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
	strange bool    // has keys that are not in the table
	params  []param // of a device with a profile: keys that are not in the table
}

// A param is a key of a device that belongs to its profile.
type param struct {
	place
	name  string
	value *value // nil where it is wrong
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
