package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A site file may be in several: what those under include: say is judged as if it
// stood in the site file, so a thing that two of them name is a mistake, and so
// is one that can't be read: half of the points would be no points.
//
// Kept, hashed and told to platforms they are one text: the site file, then each
// included one after a line that names it. No file of its own has such a line,
// since it begins another YAML document. That text is a site file, too: what it
// includes is taken from it.
const includedMark = "--- # included: "

// includedKeys are those of an included file: nothing has to be there.
var includedKeys = section{"included", "an included file", optional(siteKeys.keys)}

func optional(keys []key) []key {
	out := slices.Clone(keys)
	for i := range out {
		out[i].flags &^= must
	}
	return out
}

// unbundle takes a text apart; parts are the included files by name.
func unbundle(src []byte) (site []byte, parts map[string][]byte) {
	all := bytes.Split(src, []byte("\n"+includedMark))
	if len(all) == 1 {
		return src, nil
	}
	parts = map[string][]byte{}
	for i, p := range all {
		if i < len(all)-1 {
			all[i] = slices.Concat(p, []byte("\n")) // that the mark took
		}
	}
	for _, p := range all[1:] {
		name, text, _ := bytes.Cut(p, []byte("\n"))
		parts[string(name)] = text
	}
	return all[0], parts
}

// bundle puts an included file behind what there is.
func bundle(src []byte, name string, text []byte) []byte {
	return slices.Concat(bytes.TrimSuffix(src, []byte("\n")), []byte("\n"+includedMark+name+"\n"), text)
}

// include brings in what the site file includes, and what that includes. It
// says whether all of it could be read.
func (j *judge) include(src []byte) bool {
	good := true
	seen := map[string]bool{filepath.Clean(j.file): true}
	for todo := slices.Clone(entriesIn(j.top.given("include"))); len(todo) > 0; todo = todo[1:] {
		e := todo[0]
		j.files = slices.DeleteFunc(j.files, func(v *value) bool { return v == e })
		path := j.path(e.text)
		if seen[path] {
			j.errorf(e.place, "%s is included a second time; want once", e.text)
			good = false
			continue
		}
		seen[path] = true
		text, err := j.included(e.text)
		if err != nil {
			j.errorf(e.place, "%s: %v", e.text, err)
			good = false
			continue
		}
		src = bundle(src, e.text, text)
		more, read := j.merge(path, text)
		todo, good = append(todo, more...), good && read
	}
	sum := sha256.Sum256(src)
	j.site.Source, j.site.Hash = Deflate(src), "sha256:"+hex.EncodeToString(sum[:])
	return good && !j.top.broken("include")
}

// included is the text of an included file.
func (j *judge) included(name string) ([]byte, error) {
	if text, ok := j.parts[name]; ok {
		return text, nil
	}
	if !j.look {
		return nil, errors.New("can't be read here")
	}
	if strings.ContainsAny(name, "\r\n") {
		return nil, errors.New("has a line break in its name")
	}
	return readFile(j.path(name))
}

// merge puts what an included file says among what the site file says, and
// returns what it includes itself.
func (j *judge) merge(path string, text []byte) (more []*value, read bool) {
	own := &problems{file: path}
	n := own.document(text)
	j.list = append(j.list, own.list...)
	if n == nil {
		return nil, false
	}
	j.in = path
	defer func() { j.in = "" }()
	j.lines[path] = strings.Split(string(text), "\n")
	at := place{line: 1, col: 1, file: path}
	v := j.read(n, sect("included"), at, at)
	if v == nil {
		return nil, false
	}
	for _, k := range v.obj.keys {
		if k != "version" && k != "include" {
			j.put(k, v.obj)
		}
	}
	return entriesIn(v.obj.given("include")), !v.obj.broken("include")
}

// put is one key of an included file. Things are put among those that there are.
func (j *judge) put(k string, from *object) {
	is, was := from.vals[k], j.top.vals[k]
	switch {
	case !j.top.has(k):
		j.top.keys = append(j.top.keys, k)
		j.top.vals[k], j.top.at[k] = is, from.at[k]
	case is == nil || was == nil: // it was told
		j.top.vals[k] = nil
	case is.shape.form != formMap:
		j.errorf(from.at[k], "given twice; the first is in %s", j.said(j.top.at[k]))
	default:
		for _, id := range is.obj.keys {
			if was.obj.has(id) {
				j.errorf(is.obj.at[id], "given twice; the first is in %s", j.said(was.obj.at[id]))
				continue
			}
			was.obj.keys = append(was.obj.keys, id)
			was.obj.vals[id], was.obj.at[id] = is.obj.vals[id], is.obj.at[id]
		}
	}
}

func (j *judge) said(at place) string {
	if at.file == "" {
		return fmt.Sprintf("line %d of %s", at.line, j.file)
	}
	return fmt.Sprintf("line %d of %s", at.line, at.file)
}
