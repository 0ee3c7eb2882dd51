package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"pithead/config/expr"
	"pithead/drivers"
)

// A stand is what the words of a profile stand for, of one device.
type stand struct {
	j       *judge
	device  string
	says    map[string]string  // by parameter, and parameter.key of a choice
	missing map[string]missing // parameters that have to be said, but only where they are used
}

// missing is a parameter that the site file does not say.
type missing struct {
	at   place
	text string
}

// parameters hold what the site file says of a device against what its profile
// wants to know.
func (j *judge) parameters(d *object, p *profile) *stand {
	s := &stand{j: j, device: d.id("devices"), says: map[string]string{}, missing: map[string]missing{}}
	before := len(j.list)
	all := p.head.sub("parameters")
	var names []string
	if all != nil {
		names = all.keys
	}
	for _, e := range d.params {
		if !slices.Contains(names, e.name) {
			j.strangeParameter(d, p, e, names)
		}
	}
	for _, name := range names {
		s.parameter(d, p, all.vals[name].obj, name)
	}
	if len(j.list) > before {
		return nil
	}
	return s
}

func (j *judge) strangeParameter(d *object, p *profile, e param, names []string) {
	of := append(slices.Clone(names), sectionNames(d)...)
	switch w := j.near(e.name, of); {
	case w != "":
		j.errorf(e.place, "unknown key; did you mean %q?", w)
	case len(names) == 0:
		j.errorf(e.place, "unknown key; profile %s has no parameters", p.name)
	default:
		j.errorf(e.place, "unknown key; the parameters of profile %s are %s", p.name, strings.Join(names, ", "))
	}
}

func sectionNames(o *object) []string { return names(o.section) }

// parameter reads one parameter of a device.
func (s *stand) parameter(d *object, p *profile, o *object, name string) {
	j := s.j
	v := &value{place: d.where("profile")}
	i := slices.IndexFunc(d.params, func(e param) bool { return e.name == name })
	switch def := o.given("default"); {
	case i >= 0 && d.params[i].value == nil:
		return // it was told
	case i >= 0:
		v = d.params[i].value
	case def != nil:
		v.text = def.text
	default:
		s.missing[name] = missing{d.where("profile"), fmt.Sprintf("needs %s (%s); want %s: and its value beside profile", name, o.text("what"), name)}
		return
	}
	problem := ""
	switch {
	case o.given("choices") != nil:
		problem = s.choose(o.sub("choices"), v)
	case o.given("whole") != nil:
		b := o.given("whole").list
		problem = ints(b[0].num, b[1].num).scan(v)
	case o.given("number") != nil:
		if problem = number.scan(v); problem == "" {
			problem = within(v, o.given("number").list)
		}
	}
	if problem != "" {
		j.errorf(v.place, "%s (%s)", problem, o.text("what"))
		return
	}
	s.says[name] = v.text
	if o.given("choices") != nil {
		c := o.sub("choices").vals[v.text].obj
		for _, k := range c.keys {
			s.says[name+"."+k] = c.vals[k].text
		}
	}
}

func within(v *value, b []*value) string {
	if v.num < b[0].num || v.num > b[1].num {
		return fmt.Sprintf("%s is out of bounds; want a number from %s to %s", v.text, b[0].text, b[1].text)
	}
	return ""
}

func (s *stand) choose(o *object, v *value) string {
	if o.given(v.text) != nil {
		return ""
	}
	return shape{form: formWord, words: o.keys}.scan(v)
}

var idInText = regexp.MustCompile(`[a-z][a-z0-9_]*`)

// word is $name, $name.key or $(expression), with at most two more brackets
// within each other.
var word = regexp.MustCompile(`\$(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)`)

// node is a copy of a node in which every word is what it stands for.
func (s *stand) node(n *yaml.Node) *yaml.Node {
	c := *n
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "$") {
		c.Value = word.ReplaceAllStringFunc(n.Value, func(w string) string { return s.word(n, w[1:]) })
		c.Tag = "" // what it looks like may have changed
	}
	c.Content = nil
	for _, e := range n.Content {
		c.Content = append(c.Content, s.node(e))
	}
	return &c
}

func (s *stand) word(n *yaml.Node, w string) string {
	if is, ok := s.says[w]; ok {
		return is
	}
	head, rest, _ := strings.Cut(w, ".")
	if m, ok := s.missing[head]; ok {
		s.tell(m)
		return "0"
	}
	switch is, ok := s.says[head]; {
	case w[0] == '(':
		return s.compute(n, w[1:len(w)-1])
	case head == "device" && rest == "":
		return s.device
	case head == "device":
		return s.device + "." + rest
	case ok:
		return is + "." + rest
	}
	s.j.errorf(s.j.at(n, ""), "$%s stands for nothing; want a parameter, device or n", w)
	return w
}

// tell says what is missing, once.
func (s *stand) tell(m missing) {
	if m.text != "" && !slices.ContainsFunc(s.j.list, func(p Problem) bool { return p.Line == m.at.line && p.Text == m.text }) {
		s.j.errorf(m.at, "%s", m.text)
	}
}

// compute is the number that an expression over parameters comes to.
func (s *stand) compute(n *yaml.Node, text string) string {
	for name, m := range s.missing {
		if slices.Contains(idInText.FindAllString(text, -1), name) {
			s.tell(m)
			return "0"
		}
	}
	e, err := expr.Parse(text, s)
	if err != nil {
		s.j.errorf(s.j.at(n, ""), "$(%s): %v", text, err)
		return text
	}
	v, q := e.Use().Eval(expr.Now{}, func(input int) expr.Sample {
		f, _ := strconv.ParseFloat(s.says[e.Inputs()[input]], 64) // Point has read it
		return expr.Sample{Value: drivers.NumberValue(f)}
	})
	if q != drivers.Good {
		s.j.errorf(s.j.at(n, ""), "$(%s) is no number", text)
		return text
	}
	return plain(drivers.Round(v.Float(), cleaning))
}

// Point and Points show the parameters that are numbers to an expression.
func (s *stand) Point(id string) (expr.Info, bool) {
	_, err := strconv.ParseFloat(s.says[id], 64)
	return expr.Info{Kind: drivers.Number}, err == nil
}

func (s *stand) Points() []string {
	var out []string
	for name := range s.says {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
