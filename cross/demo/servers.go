package main

import (
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"time"

	"github.com/simonvetter/modbus"
)

// A plant answers Modbus requests from the world. The same plant stands behind
// both servers: the units tell the devices apart.
type plant struct{ *world }

const (
	unitRelays = 1 // coil 3 feeds the face; discrete 4 is its feedback
	unitLevel  = 3 // holding 0 and 1: the level, f32, words reversed
	unitGas    = 4 // input 2: methane, 4-20 mA in microamperes
	unitWeir   = 5 // input 0: the weir's counts
)

func (p plant) HandleCoils(r *modbus.CoilsRequest) ([]bool, error) {
	if r.UnitId != unitRelays || r.Addr != 3 || r.Quantity != 1 {
		return nil, modbus.ErrIllegalDataAddress
	}
	if r.IsWrite {
		p.switchFeed(r.Args[0])
	}
	return []bool{p.relay()}, nil
}

func (p plant) HandleDiscreteInputs(r *modbus.DiscreteInputsRequest) ([]bool, error) {
	if r.UnitId != unitRelays || r.Addr != 4 || r.Quantity != 1 {
		return nil, modbus.ErrIllegalDataAddress
	}
	return []bool{p.fed()}, nil
}

func (p plant) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	if r.UnitId != unitLevel || r.IsWrite || r.Addr != 0 || r.Quantity != 2 {
		return nil, modbus.ErrIllegalDataAddress
	}
	bits := math.Float32bits(level(p.age()))
	return []uint16{uint16(bits), uint16(bits >> 16)}, nil
}

func (p plant) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	switch {
	case r.UnitId == unitGas && r.Addr == 2 && r.Quantity == 1:
		return []uint16{uint16(4000 + methane(p.age())*4000)}, nil
	case r.UnitId == unitWeir && r.Addr == 0 && r.Quantity == 1:
		if weirBroken(p.age()) {
			return nil, modbus.ErrServerDeviceFailure
		}
		return []uint16{weir(p.age())}, nil
	}
	return nil, modbus.ErrIllegalDataAddress
}

// serve starts a Modbus TCP server on a free port of the loopback.
func serve(p plant) (*modbus.ModbusServer, string, error) {
	var last error
	for range 5 { // someone else may take the port between the two listens
		addr, err := freeAddress()
		if err != nil {
			return nil, "", err
		}
		s, err := modbus.NewServer(&modbus.ServerConfiguration{
			URL: "tcp://" + addr, Timeout: time.Minute, MaxClients: 8, Logger: log.New(io.Discard, "", 0),
		}, p)
		if err != nil {
			return nil, "", err
		}
		if last = s.Start(); last == nil {
			return s, addr, nil
		}
	}
	return nil, "", fmt.Errorf("modbus server: %w", last)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
