package config

import (
	"regexp"
	"strings"
)

// An Example is a kind of site to start from: examples/<kind>.yaml, and its buses
// as simulated ones with a story in their signals, examples/<kind>.sim.
type Example struct {
	Kind     string
	Zh, En   string // what it is
	Text     []byte // the site file
	Scenario []byte // its buses, simulated; nil where there is none
}

// ExampleKinds are all of them, by name.
func ExampleKinds() []Example {
	var all []Example
	for _, f := range builtins("examples") {
		kind, is := strings.CutSuffix(f, ".yaml")
		if !is {
			continue
		}
		e := Example{Kind: kind}
		e.Text, _ = builtin("examples/" + f)
		e.Scenario, _ = builtin("examples/" + kind + ".sim")
		lines := strings.SplitN(string(e.Text), "\n", 3)
		e.Zh, e.En = strings.TrimPrefix(lines[0], "# "), strings.TrimPrefix(lines[1], "# ")
		all = append(all, e)
	}
	return all
}

var busesBlock = regexp.MustCompile(`(?m)^buses:.*\n(?:(?:[ \t#].*)?\n)*`)

// Simulated is the site file with the scenario's buses in the place of its own:
// everything else is what the site will have.
func (e Example) Simulated() []byte {
	block := busesBlock.Find(e.Scenario)
	if block == nil {
		return nil
	}
	at := busesBlock.FindIndex(e.Text)
	if at == nil {
		return nil
	}
	head := e.Scenario[:busesBlock.FindIndex(e.Scenario)[0]]
	out := append([]byte{}, e.Text[:at[0]]...)
	out = append(out, head...)
	out = append(out, block...)
	if !strings.HasSuffix(string(out), "\n\n") {
		out = append(out, '\n')
	}
	return append(out, e.Text[at[1]:]...)
}
