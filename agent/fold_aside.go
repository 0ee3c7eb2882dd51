package agent

import (
	"encoding/json"

	"pithead/agent/command"
	"pithead/agent/event"
)

// asides is what people have set beside the alarms, and the site's mode.
type asides struct {
	Aside  map[string]map[string]heldAside `json:"aside,omitempty"` // by op, by alarm or point
	Mode   string                          `json:"mode,omitempty"`
	Flood  bool                            `json:"flood,omitempty"`
	Spent  spells                          `json:"spent,omitempty"`
	Proved map[string]moment               `json:"proved,omitempty"` // by point, or output:x: when it was shown last
}

// flood is true between the two events of one.
func (f *fold) flood(p event.Parsed) { f.Flood = p.State == "active" }

// heldAside is an aside as its event told it.
type heldAside struct {
	moment
	For      command.Duration `json:"for,omitempty"`
	By       string           `json:"by,omitempty"`
	Why      string           `json:"why,omitempty"`
	Unsigned bool             `json:"unsigned,omitempty"`
}

// command takes in what people asked for.
func (f *fold) command(p event.Parsed) {
	op := p.Text("op")
	for of, end := range ends {
		if op != end || p.State != isOver {
			continue
		}
		if was, ok := f.Aside[of][p.ID]; ok && of == "test" && was.Unsigned {
			f.Spent = f.Spent.add(was.took(p))
		}
		delete(f.Aside[of], p.ID)
		f.proof(p)
		return
	}
	switch op {
	case "mode":
		f.Mode = p.State
	case "shelve", "out", "test":
		a := heldAside{moment: moment{p.Boot, p.M, p.T}, By: p.By, Why: p.Why, Unsigned: p.Member("command") == nil}
		_ = json.Unmarshal(p.Member("for"), &a.For) // a member of another form is none
		if f.Aside == nil {
			f.Aside = map[string]map[string]heldAside{}
		}
		if f.Aside[op] == nil {
			f.Aside[op] = map[string]heldAside{}
		}
		f.Aside[op][p.ID] = a
	}
}

// proof notes what an event proves.
func (f *fold) proof(p event.Parsed) {
	by := map[string]string{"command": "proved", "output": "verified"}[p.Kind]
	if by == "" || p.Member(by) == nil {
		return
	}
	if f.Proved == nil {
		f.Proved = map[string]moment{}
	}
	f.Proved[p.ID] = moment{p.Boot, p.M, p.T}
}

// took is how long a test took; one that a boot ended, all of its time.
func (a heldAside) took(end event.Parsed) spell {
	if end.Boot == a.Boot {
		return spell{a.moment, end.M - a.M}
	}
	return spell{a.moment, (int64(a.For) + 999_999) / 1_000_000}
}
