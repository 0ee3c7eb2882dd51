package main

import (
	"fmt"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/simonvetter/modbus"
)

// A mine is what the agent talks to: two Modbus servers and a broker.
type mine struct {
	pond, shaft *modbus.ModbusServer
	broker      *mqtt.Server
	addresses   addresses
}

// openMine starts all three on free ports, and finds one for the agent's local
// page; show gets every message published.
func openMine(show func(topic string, payload []byte)) (m *mine, err error) {
	m = &mine{}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	p := plant{newWorld()}
	if m.pond, m.addresses.pond, err = serve(p); err != nil {
		return m, fmt.Errorf("pond: %w", err)
	}
	if m.shaft, m.addresses.shaft, err = serve(p); err != nil {
		return m, fmt.Errorf("shaft: %w", err)
	}
	if m.broker, m.addresses.broker, err = startBroker(show); err != nil {
		return m, fmt.Errorf("broker: %w", err)
	}
	if m.addresses.page, err = freeAddress(); err != nil {
		return m, fmt.Errorf("local page: %w", err)
	}
	return m, nil
}

func (m *mine) close() {
	if m.pond != nil {
		m.pond.Stop()
	}
	if m.shaft != nil {
		m.shaft.Stop()
	}
	if m.broker != nil {
		m.broker.Close()
	}
}
