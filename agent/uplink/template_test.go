package uplink

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pithead/agent/record"
	"pithead/config"
	"pithead/drivers"
)

// sample is one message of each kind, as the gateway makes them.
func sample(t *testing.T, b *bench, u *Uplink) []message {
	t.Helper()
	b.batch(record.Batch{Boot: boot, Clock: record.Synced, Offset: wall, Readings: []record.Reading{
		{Point: "pond.level", M: 120, Value: drivers.NumberValue(1247.315)},
		{Point: "gas.ch4", M: 410, Quality: drivers.Comm},
		{Point: "gas.ch4", M: 900, Quality: drivers.Over},
		{Point: "gas.ch4", M: 1000, Value: drivers.NumberValue(1.25), Quality: drivers.Test},
		{Point: "pond.rain", M: 1100, Value: drivers.NumberValue(12.4)},
	}})
	b.stats(record.Stat{Point: "pond.level", From: wall, To: wall + 300_000, Max: 1249, Min: 1247, Mean: 1248, Good: 300})
	l := u.readings(0)
	defer l.close()
	data, ok, err := l.next(time.Now(), true)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	st := u.statistics(0)
	defer st.close()
	stats, ok, err := st.next(time.Now(), true)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	alarm := `{"v":1,"epoch":"9f2c","n":512,"boot":12,"m":86400123,"t":1763779200410,"kind":"alarm","id":"pond.level/red","name":"库水位","state":"active","level":"red","point":"pond.level","value":1249.61,"limit":1249.5,"chain":"","alg":"ed25519","kid":"x","sig":"y"}`
	return []message{u.status("online"), {kind: "meta", topic: "m", payload: Meta(u.Site, u.cfg, "9f2c")[0]}, data, stats,
		{kind: "events", topic: "e", payload: []byte(alarm)}, {kind: "events/late", topic: "e", payload: []byte(strings.Replace(alarm, "alarm", "start", 1))},
		{kind: "health", topic: "h", payload: []byte(`{"v":1}`)}, {kind: "reply", topic: "r", payload: []byte("as it is")}}
}

func TestFormsOfThePlatforms(t *testing.T) {
	topics := map[string]string{
		"thingsboard": `{{ if eq kind "meta" "status" }}v1/gateway/attributes{{ else }}v1/gateway/telemetry{{ end }}`,
		"geohazard":   "$dp", "province": "coal/{{ site }}/{{ kind }}",
	}
	for name, topic := range topics {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1<<20)
			mine(b.site)
			b.site.UTCOffset = 8 * time.Hour
			c := uplinkConfig()
			c.Template = &config.Template{Topic: topic, Files: map[string]string{}}
			for _, kind := range []string{"status", "meta", "data", "stats", "events"} {
				if _, err := os.Stat("../../config/platforms/" + name + "/" + kind + ".tmpl"); err == nil {
					c.Template.Files[kind] = "/nowhere/platforms/" + name + "/" + kind + ".tmpl"
				}
			}
			if name == "geohazard" { // a point without a code must not go out
				c.Points = []string{"pond.*"}
			}
			if name != "thingsboard" {
				c.Template.Table = "/nowhere/platforms/" + name + "/codes.yaml"
			}
			u := b.uplink(c)
			u.readForms()
			if f := u.State().Fault; f != "" {
				t.Fatal(f)
			}
			var out bytes.Buffer
			for _, m := range sample(t, b, u) {
				got, ok := u.form(m)
				if !ok {
					fmt.Fprintf(&out, "%s: nothing\n", m.kind)
					continue
				}
				fmt.Fprintf(&out, "%s: %s %q\n", m.kind, got.topic, got.payload)
			}
			if f := u.State().Fault; f != "" {
				t.Error(f)
			}
			golden(t, filepath.Join("platforms", name+".txt"), bytes.ReplaceAll(bytes.TrimSpace(out.Bytes()), []byte(b.log.Epoch()), []byte("EPOCH")))
		})
	}
}

// A form that fails, or writes nothing, holds up no message behind it.
func TestAFormThatFailsStandsInNoWay(t *testing.T) {
	t.Parallel()
	br, b := newBroker(t), newBench(t, 1<<20)
	b.readings(40)
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "data.tmpl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{{ if eq .last 20 }}{{ code "none" .v }}{{ else if eq .last 30 }}{{ else }}to {{ .last }}{{ end }}`)
	c := uplinkConfig("tcp://" + br.addr)
	c.Batch = 10
	c.Template = &config.Template{Topic: "pithead/v1/shidian-tsf/gw-01/{{ kind }}", Files: map[string]string{"data": filepath.Join(dir, "data.tmpl")}}
	u := b.uplink(c)
	b.start(u)
	eventually(t, "all is through", func() bool { return b.position("data") == 40 })
	var got []string
	for _, h := range br.of("data", "status", "meta") {
		got = append(got, h.payload)
	}
	if strings.Join(got, ", ") != "to 10, to 40" || !strings.Contains(u.State().Fault, `no table "none"`) {
		t.Errorf("sent %v; fault %q", got, u.State().Fault)
	}
}

func TestFormsThatCantBeReadAreNamed(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"data": "{{ if }}", "events": "{{ .a | nothing }}", "stats": "ok", "codes": "a: [b]"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	c := config.Uplink{Template: &config.Template{Topic: "{{", Table: at("codes"), Files: map[string]string{"data": at("data"), "events": at("events"), "stats": at("stats"), "meta": at("gone")}}}
	if errs := CheckForms(&config.Site{}, c); len(errs) != 5 {
		t.Errorf("%v", errs)
	}
}
