package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/simonvetter/modbus"
)

// In the first minute the level crosses both limits and comes back.
func TestThePondGivesAnAlarmAndEndsIt(t *testing.T) {
	var over, back time.Duration
	for at := time.Duration(0); at < time.Minute; at += 100 * time.Millisecond {
		switch l := level(at); {
		case l >= 1249.5 && over == 0:
			over = at
		case l < 1249.2 && over != 0 && back == 0:
			back = at
		}
	}
	if over < 5*time.Second || back < over+4*time.Second || back > 40*time.Second {
		t.Errorf("over from %v, back at %v; a person would not see it come and go", over, back)
	}
}

func TestMethaneTripsOnceAMinuteAndFallsBack(t *testing.T) {
	var most float64
	for at := time.Duration(0); at < time.Minute; at += 100 * time.Millisecond {
		most = max(most, methane(at))
		if m := methane(at); m < 0 || m > 4 {
			t.Fatalf("%v: %v %% is not on the transmitter's scale", at, m)
		}
	}
	if most < 1.55 || methane(42*time.Second) > 0.9 {
		t.Errorf("most %v %%, after it %v %%", most, methane(42*time.Second))
	}
}

// The relay, the contactor and the level, as a Modbus master sees them.
func TestTheServersSpeakModbus(t *testing.T) {
	s, addr, err := serve(plant{newWorld()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	c, err := modbus.NewClient(&modbus.ClientConfiguration{URL: "tcp://" + addr, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(); err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	c.SetUnitId(unitLevel)
	c.SetEncoding(modbus.BIG_ENDIAN, modbus.LOW_WORD_FIRST)
	if l, err := c.ReadFloat32(0, modbus.HOLDING_REGISTER); err != nil || l < 1247.8 || l > 1250 {
		t.Errorf("level %v, %v", l, err)
	}
	c.SetUnitId(unitGas)
	if raw, err := c.ReadRegister(2, modbus.INPUT_REGISTER); err != nil || raw < 4000 || raw > 20000 {
		t.Errorf("methane %v, %v", raw, err)
	}
	c.SetUnitId(unitRelays)
	if fed, err := c.ReadDiscreteInput(4); err != nil || !fed {
		t.Errorf("at first the face is fed: got %v, %v", fed, err)
	}
	if err := c.WriteCoil(3, false); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for fed := true; fed; time.Sleep(20 * time.Millisecond) {
		if fed, err = c.ReadDiscreteInput(4); err != nil || time.Now().After(deadline) {
			t.Fatalf("the feed does not follow the relay: %v", err)
		}
	}
	c.SetUnitId(9)
	if _, err := c.ReadRegister(2, modbus.INPUT_REGISTER); err == nil {
		t.Error("a unit that is not there answers")
	}
}

func TestEveryAddressStandsInTheSiteFileOnce(t *testing.T) {
	got, err := fill(siteFile, addresses{pond: "P:1", shaft: "S:2", broker: "B:3", page: "W:4"}, "/d")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"P:1"`, `"S:2"`, "tcp://B:3", "W:4", "/d/buffer"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in the filled file", want)
		}
	}
	if _, err := fill(strings.ReplaceAll(siteFile, "15021", "15099"), addresses{}, "/d"); err == nil {
		t.Error("a file without the pond's address was filled")
	}
}

func TestWhatASubscriberReceivesAsLines(t *testing.T) {
	var out bytes.Buffer
	p := newPrinter(&out, false)
	const top = "pithead/v1/demo-tsf/gw-01/"
	for _, m := range [][2]string{
		{"meta", `{"points":[{"id":"pond.level","unit":"m"},{"id":"door.main","states":{"false":"开","true":"关"}}],"outputs":[{"id":"siren"}]}`},
		{"data", `{"readings":[{"p":"pond.level","n":1,"t":1763779200123,"v":1247.83},{"p":"pond.level","n":2,"t":1763779201123,"q":"comm"},{"p":"door.main","n":3,"t":1763779201123,"v":true}]}`},
		{"events", `{"t":1763779202000,"kind":"alarm","id":"pond.level/red","state":"active","level":"red","value":1249.6,"limit":1249.5}`},
		{"events", `{"t":1763779202000,"kind":"output","id":"output:siren","state":"on"}`},
		{"events", `{"t":1763779202000,"kind":"start","id":"agent"}`},
		{"events/late", `{"t":1763779203000,"kind":"alarm","id":"pond.level/red","state":"normal","level":"red","value":1249.1,"limit":1249.5}`},
		{"snapshot", `{"t":1763779203000,"points":[{},{}],"alarms":[{}]}`},
		{"status", `{"t":1763779204000,"state":"stopped","version":"1.2.0"}`},
		{"data", `{"readings":`},
	} {
		p.message(top+m[0], []byte(m[1]))
	}
	for _, want := range []string{
		"  pond.level      1247.83 m\n",
		"  pond.level      -  (comm)\n",
		"  door.main       关\n",
		"▲ pond.level/red active 1249.6 ≥ 1249.5\n",
		"▽ pond.level/red normal 1249.1 < 1249.5\n",
		"◆ output:siren on\n",
		"◆ start agent\n",
		"snapshot: 2 points, 1 alarms standing\n",
		"● status stopped  version 1.2.0\n",
		"! not JSON",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	select {
	case <-p.stopped:
	default:
		t.Error("the stopped status was not noticed")
	}
}

// An agent that can't start must not leave the demo hanging, and must be heard.
func TestAnAgentThatFailsIsShown(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "pithead")
	if err := os.WriteFile(bad, []byte("#!/bin/sh\necho site.yaml:3:1: no such word >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := demo(context.Background(), bad, new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "no such word") || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("got %v", err)
	}
}
