//go:build board && power

package board

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/simonvetter/modbus"
)

// A platform is a broker on the host's loopback with one that listens to it all
// and keeps the books: what each number was, and what is wrong.
type platform struct {
	port int

	mu          sync.Mutex
	readings    map[uint64]string // by number: the reading as it came
	events      map[uint64][]byte
	lastReading uint64
	lastEvent   uint64
	last        uint64 // covered so far
	repeats     int
	wrong       []string
}

type counts struct {
	readings, events, repeats int
	lastReading, lastEvent    uint64
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{readings: map[uint64]string{}, events: map[uint64][]byte{}}
	p.port = broker(t, p.take)
	return p
}

func (p *platform) take(topic string, payload []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case strings.HasSuffix(topic, "/data"):
		p.takeData(payload)
	case strings.HasSuffix(topic, "/events"), strings.HasSuffix(topic, "/events/late"):
		var e struct{ N uint64 }
		if json.Unmarshal(payload, &e) != nil || e.N == 0 {
			p.object("event %s", payload)
			return
		}
		if was, again := p.events[e.N]; again && !bytes.Equal(was, payload) {
			p.object("event %d was\n%s and is\n%s", e.N, was, payload)
		}
		p.events[e.N], p.lastEvent = bytes.Clone(payload), max(p.lastEvent, e.N)
	}
}

func (p *platform) takeData(payload []byte) {
	var d struct {
		Prev, Last uint64
		Lost       json.RawMessage
		Readings   []json.RawMessage
	}
	if err := json.Unmarshal(payload, &d); err != nil || d.Lost != nil {
		p.object("%v: %s", err, payload)
		return
	}
	if d.Prev > p.last {
		p.object("a hole: %d to %d", p.last+1, d.Prev)
	}
	p.last = max(p.last, d.Last)
	for _, r := range d.Readings {
		n := number(r)
		was, again := p.readings[n]
		if again {
			p.repeats++
		}
		if again && was != string(r) {
			p.object("number %d was %s and is %s", n, was, r)
		}
		p.readings[n], p.lastReading = string(r), max(p.lastReading, n)
	}
}

func number(r []byte) uint64 {
	var x struct{ N uint64 }
	_ = json.Unmarshal(r, &x) // 0 is none
	return x.N
}

func (p *platform) object(format string, args ...any) {
	if len(p.wrong) < 20 {
		p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
	}
}

func (p *platform) counts() counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return counts{len(p.readings), len(p.events), p.repeats, p.lastReading, p.lastEvent}
}

// held compares every reading that came with what the buffer has.
func (p *platform) held(t *testing.T, export string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.wrong {
		t.Error(w)
	}
	has, next := map[uint64]string{}, uint64(1)
	for line := range strings.Lines(export) {
		line = strings.TrimSpace(line)
		n := number([]byte(line))
		if n != next {
			t.Errorf("the export goes from %d to %d", next-1, n)
		}
		has[n], next = line, n+1
	}
	for n, was := range p.readings {
		if has[n] != was {
			t.Errorf("number %d was sent as %s, and the buffer has %q", n, was, has[n])
		}
	}
}

func (p *platform) heldEvents(t *testing.T, export string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	has := map[uint64]string{}
	for line := range strings.Lines(export) {
		line = strings.TrimSpace(line)
		has[number([]byte(line))] = line
	}
	for n, was := range p.events {
		if has[n] != string(was) {
			t.Errorf("event %d was sent as %s, and the buffer has %q", n, was, has[n])
		}
	}
}

// A plant is a Modbus slave whose registers are never twice the same.
type plant struct {
	mu    sync.Mutex
	reads uint16
}

func newSlave(t *testing.T) (port int) {
	t.Helper()
	for range 5 { // someone else may take the port between the two listens
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		s, err := modbus.NewServer(&modbus.ServerConfiguration{URL: fmt.Sprintf("tcp://127.0.0.1:%d", port),
			Timeout: time.Minute, MaxClients: 8, Logger: log.New(io.Discard, "", 0)}, &plant{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Start() == nil {
			t.Cleanup(func() { s.Stop() })
			return port
		}
	}
	t.Fatal("no port for the slave")
	return 0
}

func (p *plant) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reads++
	out := make([]uint16, r.Quantity)
	for i := range out {
		out[i] = p.reads + uint16(i)*1000
	}
	return out, nil
}

// The pump runs for ten reads, and stands for ten.
func (p *plant) HandleDiscreteInputs(r *modbus.DiscreteInputsRequest) ([]bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]bool, r.Quantity)
	for i := range out {
		out[i] = p.reads/10%2 == 1
	}
	return out, nil
}

func (p *plant) HandleCoils(*modbus.CoilsRequest) ([]bool, error) {
	return nil, modbus.ErrIllegalFunction
}

func (p *plant) HandleInputRegisters(*modbus.InputRegistersRequest) ([]uint16, error) {
	return nil, modbus.ErrIllegalFunction
}
