package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A profile is what is known of one kind of device: its points, and its habits
// on the line. It is read once, and its points once for each device, since
// $name in them stands for what the site file says of that device.
type profile struct {
	name     string
	file     string // as people are told
	src      []byte
	own      bool // from a folder of the site file
	warned   bool // that nobody has tried it
	head     *object
	defaults *yaml.Node
	points   *yaml.Node
}

// profileFile finds the text of a profile: in the folders first, so that a
// site can correct one that came with the agent.
func profileFile(name string, dirs []string) (p *profile, err error) {
	if !patterns[formSlug].re.MatchString(name) {
		return nil, fs.ErrNotExist
	}
	for _, d := range dirs {
		file := filepath.Join(d, name+".yaml")
		src, err := readFile(file)
		if err == nil {
			return &profile{name: name, file: file, src: src, own: true}, nil
		}
		if _, gone := os.Stat(file); gone == nil {
			return nil, errors.New(file + ": " + err.Error())
		}
	}
	src, err := builtin("profiles/" + name + ".yaml")
	if err != nil {
		return nil, fs.ErrNotExist
	}
	return &profile{name: name, file: "profiles/" + name + ".yaml", src: src}, nil
}

// profileNames are those that could be named, in order.
func profileNames(dirs []string) []string {
	var names []string
	add := func(file string) {
		if name, is := strings.CutSuffix(file, ".yaml"); is {
			names = append(names, name)
		}
	}
	for _, d := range dirs {
		entries, _ := os.ReadDir(d) // a folder that is not there is told elsewhere
		for _, e := range entries {
			add(e.Name())
		}
	}
	for _, file := range builtins("profiles") {
		add(file)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// profile is what a device names, or nil where that is wrong, which is told once.
func (j *judge) profile(v *value) *profile {
	if p, known := j.profiles[v.text]; known {
		return p
	}
	p, err := profileFile(v.text, j.dirs)
	switch {
	case err == nil:
		if !j.readProfile(p) {
			p = nil
		}
	case errors.Is(err, fs.ErrNotExist):
		if w := j.near(v.text, profileNames(j.dirs)); w != "" {
			j.errorf(v.place, "no profile %q; did you mean %q?", v.text, w)
		} else {
			j.errorf(v.place, "no profile %q; want one of pithead help profiles, or of a folder under profiles:", v.text)
		}
		return nil
	default:
		j.errorf(v.place, "%v", err)
	}
	j.profiles[v.text] = p
	return p
}

// readProfile judges what does not depend on the device.
func (j *judge) readProfile(p *profile) bool {
	before := len(j.list)
	own := &problems{file: p.file}
	n := own.document(p.src)
	j.list = append(j.list, own.list...)
	if n == nil {
		return false
	}
	head := *n
	if n.Kind == yaml.MappingNode {
		head.Content = nil
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, c := n.Content[i], n.Content[i+1]
			switch k.Value {
			case "defaults":
				p.defaults = c
			case "points":
				p.points = c
				// Only that it is there; its contents are read for each device.
				c = &yaml.Node{Kind: yaml.MappingNode, Line: c.Line, Column: c.Column}
				head.Content = append(head.Content, k, c)
			default:
				head.Content = append(head.Content, k, c)
			}
		}
	}
	j.in = p.file
	defer func() { j.in = "" }()
	at := place{line: 1, col: 1, file: p.file}
	v := j.read(&head, sect("profile"), at, at)
	if v == nil || len(j.list) > before {
		return false
	}
	p.head = v.obj
	if p.points.Kind != yaml.MappingNode {
		j.errorf(j.at(p.points, "points"), "is %s; want keys and values", kindOf(p.points))
		return false
	}
	for _, o := range p.head.entries("parameters") {
		if name := o.id("parameters"); deviceKeys.key(name) != nil || name == "n" || name == "device" {
			j.errorf(o.place, "is a key of every device; want another name")
		}
	}
	if len(j.list) > before {
		return false
	}
	if p.own {
		if j.site.Profiles == nil {
			j.site.Profiles = map[string][]byte{}
		}
		j.site.Profiles[p.name] = p.src
	}
	return true
}

// A ProfileInfo is what people are told of a profile.
type ProfileInfo struct {
	Name, Device, Maker, Source string
	Tried                       bool
	Text                        []byte
	parameters                  []*object
}

// Profiles are those that came with the agent.
func Profiles() []ProfileInfo {
	var out []ProfileInfo
	for _, name := range profileNames(nil) {
		p, err := profileFile(name, nil)
		if err != nil {
			continue // it was listed just now
		}
		j := &judge{reader: newReader(&problems{file: p.file}), site: &Site{}}
		if j.readProfile(p) { // a test reads every one
			h := p.head
			out = append(out, ProfileInfo{name, h.text("device"), h.text("maker"), h.text("source"), h.bool("tried"), p.src, h.entries("parameters")})
		}
	}
	return out
}
