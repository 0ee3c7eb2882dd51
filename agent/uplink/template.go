package uplink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"pithead/agent/uplink/form"
	"pithead/config"
)

// forms are a platform's own forms, read at each connection.
type forms struct {
	site  *config.Site
	cfg   config.Uplink
	topic *form.Form // nil: as ever
	of    map[string]*form.Form
	codes config.Codes
	kind  string // of the message in hand
	late  bool
}

// noToken is of what was not sent: its form is empty.
type noToken struct{}

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (noToken) Wait() bool                     { return true }
func (noToken) WaitTimeout(time.Duration) bool { return true }
func (noToken) Done() <-chan struct{}          { return closed }
func (noToken) Error() error                   { return nil }

var _ mqtt.Token = noToken{}

// CheckForms is what is wrong with the forms of an uplink.
func CheckForms(site *config.Site, c config.Uplink) []error {
	if c.Template == nil {
		return nil
	}
	_, wrong := loadForms(site, c)
	return wrong
}

// loadForms reads the forms of an uplink; every mistake is its own error.
func loadForms(site *config.Site, c config.Uplink) (*forms, []error) {
	f := &forms{site: site, cfg: c, of: map[string]*form.Form{}}
	var wrong []error
	var err error
	if c.Template.Table != "" {
		if f.codes, err = config.LoadCodes(c.Template.Table); err != nil {
			wrong = append(wrong, err)
		}
	}
	if c.Template.Topic != "" {
		if f.topic, err = form.Parse(c.Template.Topic, f.funcs()); err != nil {
			wrong = append(wrong, fmt.Errorf("topic: %w", err))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(c.Template.Files)) {
		text, err := config.ReadForm(c.Template.Files[kind])
		if err == nil {
			f.of[kind], err = form.Parse(strings.TrimSuffix(string(text), "\n"), f.funcs())
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", c.Template.Files[kind], err))
		}
	}
	return f, wrong
}

// readForms reads them anew. Where that fails what was read before stays, and if
// there is nothing, nothing of that kind is sent.
func (u *Uplink) readForms() {
	if u.cfg.Template == nil {
		return
	}
	f, wrong := loadForms(u.Site, u.cfg)
	if len(wrong) == 0 || u.forms == nil {
		u.forms = f
	}
	for _, err := range wrong {
		u.log.Error("a form can't be used", "error", err)
		u.note(func(s *State) { s.Fault = "a form can't be used: " + err.Error() })
	}
}

// form puts a message into the platform's form; false: it is not to be sent.
// A message that its form can't write is left out, and told: a single one must
// not stand in the way of all alarms behind it. It stays in the buffer.
func (u *Uplink) form(m message) (message, bool) {
	f := u.forms
	if u.cfg.Template == nil || m.kind == "reply" || f == nil {
		return m, u.cfg.Template == nil || m.kind == "reply"
	}
	kind, _, _ := strings.Cut(m.kind, "/")
	form := f.of[kind]
	if form == nil || len(m.payload) == 0 {
		return m, false
	}
	topic, payload, err := f.write(m, form, u.cfg.Max)
	if err != nil {
		u.log.Error("a form fails, and its message is not sent", "kind", m.kind, "error", err)
		u.note(func(s *State) { s.Fault = "the form of " + m.kind + " fails: " + err.Error() })
		return m, false
	}
	if m.payload = payload; f.topic != nil {
		m.topic = topic
	}
	return m, len(bytes.TrimSpace(payload)) > 0
}

func (f *forms) write(m message, form *form.Form, most int) (topic string, payload []byte, err error) {
	d := json.NewDecoder(bytes.NewReader(m.payload))
	d.UseNumber()
	var dot map[string]any
	if err := d.Decode(&dot); err != nil {
		return "", nil, err
	}
	date(dot)
	f.kind, _, _ = strings.Cut(m.kind, "/")
	f.late = strings.HasSuffix(m.kind, "/late")
	if f.topic != nil {
		t, err := f.topic.Run(dot, 1024)
		if err != nil {
			return "", nil, fmt.Errorf("topic: %w", err)
		}
		if topic = string(t); topic == "" || strings.ContainsAny(topic, "+#\x00") {
			return "", nil, fmt.Errorf("topic %.40q is none", topic)
		}
	}
	payload, err = form.Run(dot, most)
	return topic, payload, err
}

// date gives readings a t that were taken before the clock was known and whose
// boot's offset is known now.
func date(dot map[string]any) {
	off, ok := dot["offset"].(json.Number)
	offset, err := off.Int64()
	rs, _ := dot["readings"].([]any)
	if !ok || err != nil {
		return
	}
	for _, r := range rs {
		if r, ok := r.(map[string]any); ok && r["t"] == nil {
			if n, ok := r["m"].(json.Number); ok {
				if m, err := n.Int64(); err == nil {
					r["t"] = json.Number(fmt.Sprint(m + offset))
				}
			}
		}
	}
}

// funcs are what forms know beside the builtin functions.
func (f *forms) funcs() form.Funcs {
	word := func(v func() any) func([]any) (any, error) {
		return func([]any) (any, error) { return v(), nil }
	}
	return form.Funcs{
		"site":    word(func() any { return f.site.Site }),
		"gateway": word(func() any { return f.site.Gateway }),
		"title":   word(func() any { return f.site.Name }),
		"kind":    word(func() any { return f.kind }),
		"late":    word(func() any { return f.late }),
		"time":    f.time,
		"seconds": seconds,
		"code":    f.code,
		"point":   f.point,
	}
}

// time LAYOUT t is a time in ms by the site's clock, in a layout of Go's; nothing
// where there is none.
func (f *forms) time(a []any) (any, error) {
	if len(a) != 2 {
		return nil, errors.New("want a layout and a time")
	}
	if a[1] == nil {
		return "", nil
	}
	n, ok := a[1].(json.Number)
	layout, text := a[0].(string)
	ms, err := n.Int64()
	if !ok || !text || err != nil {
		return nil, errors.New("want a layout and a time in ms")
	}
	zone := time.FixedZone("", int(f.site.UTCOffset/time.Second))
	return time.UnixMilli(ms).In(zone).Format(layout), nil
}

// seconds t is a time in ms as whole seconds.
func seconds(a []any) (any, error) {
	if len(a) != 1 || a[0] == nil {
		return nil, nil
	}
	n, _ := a[0].(json.Number)
	ms, err := n.Int64()
	if err != nil {
		return nil, errors.New("want a time in ms")
	}
	return json.Number(fmt.Sprint(ms / 1000)), nil
}

// code TABLE word is what a code table has for it, or for *; else it is an error:
// a code that nobody chose must not go out.
func (f *forms) code(a []any) (any, error) {
	if len(a) != 2 {
		return nil, errors.New("want the name of a table and a word")
	}
	name, _ := a[0].(string)
	table, ok := f.codes[name]
	if !ok {
		return nil, fmt.Errorf("there is no table %q", name)
	}
	word := ""
	switch v := a[1].(type) {
	case string:
		word = v
	case json.Number:
		word = string(v)
	case bool:
		word = fmt.Sprint(v)
	}
	if to, ok := table[word]; ok {
		return to, nil
	}
	if to, ok := table["*"]; ok {
		return to, nil
	}
	return nil, fmt.Errorf("table %s has nothing for %.40q, and no *", name, word)
}

// point ID is what the site file says of a point: id, name, unit, type, class,
// device, and the labels of its states by value.
func (f *forms) point(a []any) (any, error) {
	if len(a) != 1 {
		return nil, errors.New("want the id of a point")
	}
	id, _ := a[0].(string)
	for i := range f.site.Points {
		p := &f.site.Points[i]
		if p.ID != id {
			continue
		}
		states := map[string]any{}
		for _, s := range p.States {
			states[s.Value.String()] = s.Label
		}
		return map[string]any{"id": p.ID, "name": p.Name, "unit": p.Unit, "type": p.Type, "class": p.Class,
			"device": p.Device, "states": states}, nil
	}
	return map[string]any{}, nil
}
