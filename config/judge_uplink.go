package config

import (
	"cmp"
	"crypto/ed25519"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// judgeUplink reads one platform.
func (j *judge) judgeUplink(o *object) {
	id := o.id("uplinks")
	u := Uplink{
		ID: id, URLs: brokers(o.given("mqtt")), ClientID: o.text("client-id"), Username: o.text("username"),
		Password: j.secret(o, "password"), CA: j.path(o.text("ca")), Cert: j.path(o.text("cert")), Key: j.path(o.text("key")),
		Keepalive: o.dur("keepalive"), Prefix: o.text("prefix"), Points: o.texts("points"),
		Snapshot: o.dur("snapshot"), Oldest: o.text("start") == "oldest",
		Window: o.int("window"), Max: o.int("max-message"), Rate: -1, Levels: o.texts("levels"), Thin: o.dur("thin"), Receipts: o.text("confirm") == "platform", Compress: o.text("compress") == "zstd",
		File: cmp.Or(o.file, j.file), Line: o.line,
	}
	if v := o.given("snapshot"); v != nil && v.n != 0 && v.dur() < sec {
		j.strictf(v.place, "%s is too short; want 0s, or 1s and more", v.text)
	}
	if o.given("rate") != nil {
		u.Rate = o.int("rate")
	}
	if v := o.given("budget"); v != nil {
		u.Budget = budgetOf(v.text)
	}
	if u.ClientID == "" {
		u.ClientID = j.top.text("site") + "-" + j.top.text("gateway") + "-" + id
	}
	if b := o.sub("batch"); b != nil {
		u.Batch, u.Within = b.int("readings"), b.dur("within")
	}
	send := o.texts("send")
	u.Data, u.Stats = has(send, "data"), has(send, "stats")
	u.Events, u.Health = has(send, "events"), has(send, "health")
	j.judgeBrokers(o.given("mqtt"))
	j.judgeTLS(o, u.URLs)
	j.judgePrefix(o)
	for _, e := range entriesIn(o.given("points")) {
		j.judgePattern(e)
	}
	if v := o.given("password"); v != nil && !o.has("username") {
		j.keyf(o, "password", "has no username beside it; want both")
	}
	u.Template = j.judgeTemplate(o)
	u.Commands = j.judgeCommanders(o)
	if u.Receipts && u.Commands == nil {
		j.keyWarnf(o, "confirm", "no key of commands could sign a receipt: whoever may publish to this uplink's topics can say that everything arrived; want commands with the platform's key")
	}
	j.sameClient(o, u)
	j.site.Uplinks = append(j.site.Uplinks, u)
}

// formed are the kinds of message that can have a form.
var formed = []string{"status", "meta", "data", "stats", "events", "snapshot", "health"}

// judgeTemplate reads the forms of a platform; what stands in them is judged
// where they are run.
func (j *judge) judgeTemplate(o *object) *Template {
	s := o.sub("template")
	switch is := o.text("format") == "template"; {
	case is && o.given("template") == nil && !o.broken("template"):
		j.keyf(o, "format", "says template, and there is none; want template with a file for each kind of message")
		return nil
	case !is && o.given("template") != nil:
		j.keyWarnf(o, "template", "is not used without format: template")
		return nil
	case !is || s == nil:
		return nil
	}
	t := &Template{Topic: s.text("topic"), Table: j.path(s.text("table")), Files: map[string]string{}}
	for _, kind := range formed {
		if s.has(kind) {
			t.Files[kind] = j.path(s.text(kind))
		}
	}
	if len(t.Files) == 0 && !s.strange {
		j.keyf(o, "template", "names no file; want one for each kind of message that is to be sent")
	}
	return t
}

// judgeCommanders reads who may command what; each key is there once, so that
// nobody has to guess which of two lists counts.
func (j *judge) judgeCommanders(o *object) []Commander {
	var out []Commander
	for _, e := range entriesIn(o.given("commands")) {
		c := e.obj
		if c == nil {
			continue
		}
		k := Commander{ID: c.text("id"), Allow: c.texts("allow")}
		if v := c.given("key"); v != nil {
			raw, err := base64.StdEncoding.Strict().DecodeString(v.text)
			if k.Key = raw; err != nil || len(raw) != ed25519.PublicKeySize {
				j.errorf(v.place, "%q is not an Ed25519 public key; want 32 bytes in base64, as pithead key prints it", v.text)
			}
		}
		for _, w := range out {
			if w.ID == k.ID && k.ID != "" {
				j.errorf(c.where("id"), "%q commands here already; want one entry for each", k.ID)
			} else if w.Key.Equal(k.Key) {
				j.errorf(c.where("key"), "this is the key of %q already", w.ID)
			}
		}
		out = append(out, k)
	}
	return out
}

// has says whether a kind of message is asked for; no list asks for all.
func has(send []string, kind string) bool { return send == nil || slices.Contains(send, kind) }

func entriesIn(v *value) []*value {
	if v == nil {
		return nil
	}
	return v.list
}

func brokers(v *value) []string {
	if v == nil {
		return nil
	}
	if v.list == nil {
		return []string{v.url}
	}
	var out []string
	for _, e := range v.list {
		out = append(out, e.url)
	}
	return out
}

// judgeTLS holds certificates against each other and the addresses.
func (j *judge) judgeTLS(o *object, urls []string) {
	j.pair(o, "cert", "key")
	for _, s := range urls {
		if u, err := url.Parse(s); err != nil || u.Scheme == "tls" || u.Scheme == "wss" {
			return
		}
	}
	for _, k := range []string{"ca", "cert"} {
		if o.has(k) && urls != nil {
			j.keyWarnf(o, k, "no address of this uplink uses TLS; want tls:// or wss://, or leave it out")
			return
		}
	}
}

// pair refuses one of two keys that go together.
func (j *judge) pair(o *object, a, b string) {
	if o.has(a) == o.has(b) || o.strange {
		return
	}
	if o.has(b) {
		a, b = b, a
	}
	j.keyf(o, a, "has no %s beside it; want both", b)
}

func (j *judge) judgePrefix(o *object) {
	v := o.given("prefix")
	if v != nil && (strings.ContainsAny(v.text, "+#$ ") || strings.HasPrefix(v.text, "/") || strings.HasSuffix(v.text, "/") || strings.Contains(v.text, "//")) {
		j.errorf(v.place, "%q can't begin a topic; want words with / between, without + # $", v.text)
	}
}

// sameClient refuses two uplinks that would throw each other out.
func (j *judge) sameClient(o *object, u Uplink) {
	for _, w := range j.site.Uplinks {
		if w.ClientID == u.ClientID && slices.ContainsFunc(w.URLs, func(s string) bool { return slices.Contains(u.URLs, s) }) {
			j.errorf(o.where("client-id"), "uplink %q has the same client id %q at the same broker; want another", w.ID, u.ClientID)
		}
	}
}

// judgePattern warns of a pattern that no point has.
func (j *judge) judgePattern(v *value) {
	if j.top.broken("points") {
		return
	}
	for _, id := range j.points.ids {
		if matches(v.text, id) {
			return
		}
	}
	if w := j.near(v.text, j.points.ids); w != "" && !strings.Contains(v.text, "*") {
		j.warnf(v.place, "%q matches no point; did you mean %q?", v.text, w)
		return
	}
	j.warnf(v.place, "%q matches no point", v.text)
}

// secret is a file or an environment variable.
func (j *judge) secret(o *object, k string) *Secret {
	s := o.sub(k)
	if o.given(k) == nil || s == nil {
		return nil
	}
	which, sure := j.only(s, []string{"file", "env"}, "place")
	if which == "" && sure && !s.strange {
		j.errorf(s.place, "says not where the secret is; want file or env")
	}
	if v := s.given("env"); v != nil {
		j.envs = append(j.envs, v)
	}
	return &Secret{File: j.path(s.text("file")), Env: s.text("env")}
}
