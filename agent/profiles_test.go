package agent

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"testing"
	"time"

	mb "github.com/simonvetter/modbus"

	"pithead/config"
)

// device is what one unit of a Modbus server that others wrote holds. Registers
// that it does not have are refused, as real ones refuse them.
type device struct {
	holding, input map[uint16]uint16
	bits           map[uint16]bool // coils, and discretes from 1000
	most           int             // registers a request; 0: any
}

type devices map[uint8]*device

func (d devices) bits(unit uint8, at, n uint16) (out []bool, err error) {
	for i := range n {
		b, ok := d[unit].bits[at+i]
		if !ok {
			return nil, mb.ErrIllegalDataAddress
		}
		out = append(out, b)
	}
	return out, nil
}

func (d devices) registers(m map[uint16]uint16, unit uint8, at, n uint16) (out []uint16, err error) {
	if most := d[unit].most; most > 0 && int(n) > most {
		return nil, mb.ErrIllegalDataValue
	}
	for i := range n {
		r, ok := m[at+i]
		if !ok {
			return nil, mb.ErrIllegalDataAddress
		}
		out = append(out, r)
	}
	return out, nil
}

func (d devices) HandleCoils(r *mb.CoilsRequest) ([]bool, error) {
	return d.bits(r.UnitId, r.Addr, r.Quantity)
}

func (d devices) HandleDiscreteInputs(r *mb.DiscreteInputsRequest) ([]bool, error) {
	return d.bits(r.UnitId, 1000+r.Addr, r.Quantity)
}

func (d devices) HandleHoldingRegisters(r *mb.HoldingRegistersRequest) ([]uint16, error) {
	return d.registers(d[r.UnitId].holding, r.UnitId, r.Addr, r.Quantity)
}

func (d devices) HandleInputRegisters(r *mb.InputRegistersRequest) ([]uint16, error) {
	return d.registers(d[r.UnitId].input, r.UnitId, r.Addr, r.Quantity)
}

func (d devices) serve(t *testing.T) string {
	t.Helper()
	for range 5 { // someone else may take the port between the two listens
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		s, err := mb.NewServer(&mb.ServerConfiguration{URL: "tcp://" + address, Timeout: 10 * time.Minute, MaxClients: 5, Logger: log.New(io.Discard, "", 0)}, d)
		if err != nil {
			t.Fatal(err)
		}
		if s.Start() == nil {
			t.Cleanup(func() { s.Stop() })
			return address
		}
	}
	t.Fatal("no port for the server")
	return ""
}

type registers = map[uint16]uint16

func run(from uint16, values ...uint16) registers {
	m := registers{}
	for i, v := range values {
		m[from+uint16(i)] = v
	}
	return m
}

func both(a, b registers) registers {
	for k, v := range b {
		a[k] = v
	}
	return a
}

func bitRun(from uint16, values ...bool) map[uint16]bool {
	m := map[uint16]bool{}
	for i, v := range values {
		m[from+uint16(i)] = v
	}
	return m
}

// What a device with each profile shows, by what its registers hold.
var profileCases = []struct {
	story, profile string // with what the site file says beside it
	device         device
	want           string // point=value or point=quality
}{
	{"level and ullage", "radar-level", device{holding: both(run(0, 123, 1234, 456, 4567), run(0x10, 0, 20)), most: 1},
		"ullage=1.234 level=4.567 state=0 span=20"},
	{"a distance under its mounting", "radar-distance, height: 12.5", device{holding: run(1, 2500, 0, 9900, 0, 1240)},
		"distance=2.5 level=10 own_level=9.9 mounted=12.4"},
	{"an echo", "ultrasonic-level, address: 256, height: 6", device{holding: run(256, 1500)}, "distance=1.5 level=4.5 why=1500"},
	{"no object is not 65 m", "ultrasonic-level, address: 256, height: 6", device{holding: run(256, 0xFFFD)}, "distance=sensor level=input why=65533"},
	{"interference is not 65 m", "ultrasonic-level, address: 256, height: 6, table: input", device{input: run(256, 0xFFFE)}, "distance=sensor level=input why=65534"},
	{"methane with two decimals", `gas-module, gas: ch4, in: "%CH4", unit_code: 3`,
		device{holding: run(0, 0x3200, 123, 100, 150, 400, 0x0001, 0, 750, 11<<8|7, 455)}, "gas=1.23 state=1 as_set=true temperature=25 humidity=45.5"},
	{"the module counts without decimals", `gas-module, gas: co, in: ppm, unit_code: 0`,
		device{holding: run(0, 0x0000, 24, 24, 50, 1000, 0x0106, 0, 700, 5<<8, 455)}, "gas=24 state=6 temperature=20"},
	{"warming up is not 0 ppm", `gas-module, gas: co, in: ppm, unit_code: 0`,
		device{holding: run(0, 0x0000, 0, 24, 50, 1000, 0x0000, 0, 700, 5<<8, 455)}, "gas=input state=0 as_set=true"},
	{"a sensor that has failed", `gas-module, gas: co, in: ppm, unit_code: 0`,
		device{holding: run(0, 0x0000, 0, 24, 50, 1000, 0x0003, 0, 700, 5<<8, 455)}, "gas=input state=3"},
	{"a module set to another unit", `gas-module, gas: ch4, in: "%CH4", unit_code: 3`,
		device{holding: run(0, 0x2200, 123, 100, 150, 400, 1, 0, 750, 11<<8, 455)}, "gas=input as_set=false"},
	{"a module of another gas", `gas-module, gas: ch4, in: "%CH4", unit_code: 3`,
		device{holding: run(0, 0x3200, 123, 100, 150, 400, 1, 0, 750, 5<<8, 455)}, "gas=input as_set=false"},
	{"channels that are there", "vw-collector, points: [ch1, ch3], timeout: 60s", device{holding: run(100, 21034, 0x270F, 0x270F)}, "ch1=2103.4 ch3=sensor"},
	{"an absent channel", "vw-collector, channels: 2, timeout: 60s", device{holding: run(100, 0, 9000)}, "ch1=sensor ch2=900"},
	{"beyond what a wire can do", "vw-collector, channels: 1, timeout: 60s", device{holding: run(100, 4000)}, "ch1=under"},
	{"flow without a total", "vortex-flow, points: [flow, alarmed], flow_at: 4, alarm_at: 40, order: CDAB",
		device{holding: both(run(4, 0x0000, 0x4148), run(40, 0x0010))}, "flow=12.5 alarmed=true"},
	{"a total in two registers", "vortex-flow, points: [total], total_at: 8", device{holding: run(8, 123, 45)}, "total=12345"},
	{"a total that was not carried over", "vortex-flow, points: [total], total_at: 8", device{holding: run(8, 123, 100)}, "total=sensor"},
	{"rain, as the register counts it", "rain-counter, each: 0.2", device{holding: run(0, 5)}, "rain=1"},
	{"pulses of 32 bits", "pulse-exm3112, address: 16, counters: 2, table: holding", device{holding: run(16, 0, 7, 1, 0)}, "total1=7 total2=65536"},
	{"relays and inputs", "relay-di-8", device{bits: func() map[uint16]bool {
		m := bitRun(0, true, false, false, false, false, false, false, true)
		for k, v := range bitRun(1000, false, true, false, false, false, false, false, false) {
			m[k] = v
		}
		return m
	}()}, "relay1=true relay2=false relay8=true di1=false di2=true"},
	{"4-20 mA as set", "analogue-8, range: 4-20ma, channels: 2", device{input: run(0, 12000, 3600), holding: run(4096, 3, 3)},
		"ch1=12 ch2=input mode1=3"},
	{"a channel set otherwise", "analogue-8, range: 4-20ma, points: [ch2]", device{input: run(0, 0, 5000), holding: run(4096, 3, 2)}, "ch2=input mode2=2 raw2=5"},
	{"one volt to five", "analogue-8, range: 1-5v, points: [ch1]", device{input: run(0, 3000), holding: run(4096, 1)}, "ch1=3"},
	{"Delta runs", "vfd-delta, current_scale: 0.1", device{holding: run(0x2100, 0, 3, 5000, 4998, 123), most: 1},
		"fault=0 turning=true set=50 output=49.98 current=12.3"},
	{"Schneider runs", "vfd-schneider", device{holding: both(run(3201, 0x0027, 500), run(3204, 123))}, "running=true fault=false output=50 current=12.3"},
	{"Schneider waits", "vfd-schneider", device{holding: both(run(3201, 0x0023, 0), run(3204, 0))}, "running=false fault=false output=0"},
	{"Schneider turns backwards and fails", "vfd-schneider", device{holding: both(run(3201, 0x002F, 0xFFF6), run(3204, 0))}, "running=false fault=true output=-1"},
	{"Danfoss counts registers from 1", "vfd-danfoss", device{holding: both(run(50199, 0x0800), run(16129, 495))}, "running=true output=49.5"},
	{"half way", "4-20ma, address: 2, code: 1ua, low: 0, high: 10, in: m", device{input: run(2, 12000)}, "value=5 current=12 saturated=false"},
	{"a broken wire", "4-20ma, address: 2, code: 1ua, low: 0, high: 10, in: m", device{input: run(2, 3600)}, "value=sensor current=3.6 saturated=true"},
	{"just not broken", "4-20ma, address: 2, code: 1ua, low: 0, high: 16, in: m", device{input: run(2, 3601)}, "value=-0.399 saturated=true"},
	{"a short", "4-20ma, address: 2, code: 1ua, low: 0, high: 10, in: m", device{input: run(2, 21000)}, "value=over current=21"},
	{"just not a short", "4-20ma, address: 2, code: 10ua, low: 0, high: 16, in: m", device{input: run(2, 2099)}, "value=16.99 saturated=true"},
	{"12 bits end at 20 mA", "4-20ma, address: 2, code: 12bit, low: 0, high: 16, in: m, table: holding", device{holding: run(2, 4095)}, "value=over"},
	{"12 bits, 3.6 mA", "4-20ma, address: 2, code: 12bit, low: 0, high: 16, in: m, table: holding", device{holding: run(2, 737)}, "value=sensor"},
	{"16 bits, 12 mA", "4-20ma, address: 2, code: 16bit, low: 0, high: 16, in: m", device{input: run(2, 39321)}, "value=8"},
	{"a code beyond the end", "4-20ma, address: 2, code: 15bit, low: 0, high: 16, in: m", device{input: run(2, 0x8001)}, "value=over"},
}

// Each profile against a Modbus server that others wrote, over TCP.
func TestProfilesOnTheWire(t *testing.T) {
	tried := map[string]bool{}
	all := devices{}
	site := "version: 1\nsite: s\ngateway: g\nbuses: {b: {tcp: %q, timeout: 60s}}\ndevices:\n"
	for i, c := range profileCases {
		name, _, _ := strings.Cut(c.profile, ",")
		tried[name] = true
		all[uint8(i+1)] = &c.device
		site += fmt.Sprintf("  d%d: {bus: b, unit: %d, pause: 0s, profile: %s}\n", i+1, i+1, c.profile)
	}
	s, problems := config.Parse("site.yaml", fmt.Appendf(nil, site, all.serve(t)))
	if s == nil {
		t.Fatal(problems)
	}
	reads, _, err := ReadOnce(context.Background(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range reads {
		got[r.Point] = r.Value.String()
		if r.Quality != "good" {
			got[r.Point] = r.Quality
		}
	}
	for i, c := range profileCases {
		t.Run(c.story, func(t *testing.T) {
			for _, w := range strings.Fields(c.want) {
				point, want, _ := strings.Cut(w, "=")
				if is := got[fmt.Sprintf("d%d.%s", i+1, point)]; is != want {
					t.Errorf("%s: got %s, want %s", point, is, want)
				}
			}
		})
	}
	for _, p := range config.Profiles() {
		if !tried[p.Name] {
			t.Errorf("profile %s has no case", p.Name)
		}
	}
}
