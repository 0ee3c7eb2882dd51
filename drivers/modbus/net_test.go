package modbus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	peer "github.com/simonvetter/modbus"

	"pithead/drivers"
	"pithead/drivers/conform"
)

// memory is a server's: holding and input registers, coils and discretes.
type memory struct {
	mu        sync.Mutex
	registers map[uint16]uint16
	coils     map[uint16]bool
}

func (m *memory) HandleCoils(r *peer.CoilsRequest) (res []bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range r.Quantity {
		if r.IsWrite {
			m.coils[r.Addr+i] = r.Args[i]
		}
		res = append(res, m.coils[r.Addr+i])
	}
	return res, nil
}

func (m *memory) HandleDiscreteInputs(r *peer.DiscreteInputsRequest) ([]bool, error) {
	return m.HandleCoils(&peer.CoilsRequest{Addr: r.Addr, Quantity: r.Quantity})
}

func (m *memory) HandleHoldingRegisters(r *peer.HoldingRegistersRequest) (res []uint16, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range r.Quantity {
		if r.IsWrite {
			m.registers[r.Addr+i] = r.Args[i]
		}
		v, ok := m.registers[r.Addr+i]
		if !ok {
			return nil, peer.ErrIllegalDataAddress
		}
		res = append(res, v)
	}
	return res, nil
}

func (m *memory) HandleInputRegisters(r *peer.InputRegistersRequest) ([]uint16, error) {
	return m.HandleHoldingRegisters(&peer.HoldingRegistersRequest{Addr: r.Addr, Quantity: r.Quantity})
}

// ample is a timeout for what answers, on whatever machine.
const ample = time.Minute

// serve starts a Modbus TCP server that others wrote, and says where it is.
func serve(t *testing.T, m *memory) string {
	t.Helper()
	for range 5 { // someone else may take the port between the two listens
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		s, err := peer.NewServer(&peer.ServerConfiguration{URL: "tcp://" + address, Timeout: 10 * time.Minute, MaxClients: 5, Logger: log.New(io.Discard, "", 0)}, m)
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

func everyType(t *testing.T) (Config, *memory, map[string]drivers.Value) {
	m := &memory{registers: map[uint16]uint16{}, coils: map[uint16]bool{3: true}}
	c := Config{ID: "plc", Transport: TCP, Timeout: ample}
	u := UnitConfig{ID: "u1", Unit: 1, Every: time.Second}
	want := map[string]drivers.Value{}
	next := uint16(100)
	for _, table := range []Table{Holding, Input} {
		for _, tc := range typed {
			for _, order := range []Order{ABCD, CDAB, BADC, DCBA} {
				if tc.want.Kind() == drivers.None {
					continue
				}
				p := at(fmt.Sprintf("%s.%d.%d", tc.name, table, order), table, next, tc.typ)
				p.Order = order
				b := inOrder(order, binary.BigEndian.AppendUint64(nil, tc.hex)[8-2*p.width():])
				for i := 0; i < len(b); i += 2 {
					m.registers[next] = binary.BigEndian.Uint16(b[i:])
					next++
				}
				u.Points = append(u.Points, p)
				want[p.ID] = tc.want
			}
		}
	}
	for _, address := range []uint16{2, 3} {
		p := at(fmt.Sprintf("coil.%d", address), Coil, address, Truth)
		d := at(fmt.Sprintf("discrete.%d", address), Discrete, address, Truth)
		u.Points = append(u.Points, p, d)
		want[p.ID], want[d.ID] = drivers.BoolValue(address == 3), drivers.BoolValue(address == 3)
	}
	c.Units = []UnitConfig{u}
	c.Outputs = []OutputConfig{
		{ID: "siren", Unit: 1, Device: "u1", Table: Coil, Address: 50},
		{ID: "cutoff", Unit: 1, Device: "u1", Table: Holding, Address: 10, Low: true},
	}
	c.Address = serve(t, m)
	return c, m, want
}

func TestEveryTypeFromAServer(t *testing.T) {
	c, _, want := everyType(t)
	b, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	got := 0
	for _, p := range b.Units()[0].Polls {
		rs, err := p.Driver.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			got++
			if r.Quality != drivers.Good || r.Value != want[r.Point] {
				t.Errorf("%s: %v %v, want %v", r.Point, r.Quality, r.Value, want[r.Point])
			}
		}
	}
	if got != len(want) {
		t.Errorf("%d readings of %d points", got, len(want))
	}
}

func TestConformance(t *testing.T) {
	conform.Check(t, conform.Subject{
		Open: func(t *testing.T) drivers.Bus {
			c, _, _ := everyType(t)
			return opened(t, c)
		},
		Dead: func(t *testing.T) drivers.Bus {
			c, _, _ := everyType(t)
			c.Address, c.Timeout = "127.0.0.1:1", 100*time.Millisecond
			return opened(t, c)
		},
		Outputs: []string{"siren", "cutoff"},
	})
}

func opened(t *testing.T, c Config) drivers.Bus {
	t.Helper()
	b, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// listen accepts connections and hands each to serve.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			all.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(all.Wait)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestServersThatDoNotServe(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"accepts and says nothing": func(net.Conn) {},
		"closes at once":           func(c net.Conn) { c.Close() },
		"resets": func(c net.Conn) {
			io.ReadFull(c, make([]byte, 12))
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		},
		"closes within the answer": func(c net.Conn) {
			r := make([]byte, 12)
			io.ReadFull(c, r)
			c.Write(registersTCP(r)[:9])
			c.Close()
		},
	} {
		for _, transport := range []Transport{TCP, RTUOverTCP} {
			t.Run(fmt.Sprintf("%s, transport %d", name, transport), func(t *testing.T) {
				c := overTCP(holding("a", 0))
				c.Transport, c.Address, c.Timeout = transport, listen(t, serve), 100*time.Millisecond
				b := opened(t, c)
				defer b.Close()
				for range 3 {
					start := time.Now()
					rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context())
					if rs[0].Quality != drivers.Comm && rs[0].Quality != drivers.Protocol || err == nil {
						t.Errorf("%v, %v", rs[0].Quality, err)
					}
					if took := time.Since(start); took > ample {
						t.Errorf("took %v", took)
					}
				}
			})
		}
	}
}

func TestNobodyListens(t *testing.T) {
	c := overTCP(holding("a", 0))
	c.Address = "127.0.0.1:1"
	b := opened(t, c)
	defer b.Close()
	rs, err := b.Units()[0].Polls[0].Driver.Read(t.Context())
	if rs[0].Quality != drivers.Comm || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, %v", rs[0].Quality, err)
	}
}

// A serial server: RTU frames on a connection, several units behind it.
func TestRTUOverTCP(t *testing.T) {
	c := line9600(holding("a", 7))
	c.Units = append(c.Units, UnitConfig{ID: "u4", Unit: 4, Every: time.Second, Points: []PointConfig{holding("b", 9)}})
	c.Transport, c.Timeout = RTUOverTCP, ample
	c.Address = listen(t, func(conn net.Conn) {
		r := make([]byte, 8)
		for {
			if _, err := io.ReadFull(conn, r); err != nil {
				return
			}
			answer := registers(r, uint16(r[0])<<8|uint16(r[3]))
			conn.Write(answer[:2])
			conn.Write(answer[2:])
		}
	})
	b := opened(t, c)
	defer b.Close()
	for range 5 {
		for i, want := range []float64{0x307, 0x409} {
			rs, err := b.Units()[i].Polls[0].Driver.Read(t.Context())
			if rs[0].Value != drivers.NumberValue(want) {
				t.Errorf("unit %d: %v %v, %v", i, rs[0].Quality, rs[0].Value, err)
			}
		}
	}
}
