package modbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/goburrow/modbus"

	"pithead/drivers"
)

// A Bus is one line and the units on it. Like any drivers.Bus it has one
// owner, and is safe for no one else; so is Stats.
type Bus struct {
	link    link
	client  modbus.Client
	slave   *byte // whom the client's next request is for
	units   []*unit
	outputs map[string]*output
	line    tally
	frames  frames
	began   []drivers.CounterStart // not asked for yet
	closed  bool
	config  Config   // without units and outputs, for:
	scanner *Scanner // nil until somebody looks for units
}

// Open makes the bus of a line. It touches no hardware: the first request
// opens the line, and so does each one after the line has failed.
func Open(c Config) (drivers.Bus, error) {
	by := dialer(c.Address)
	if c.Transport == RTU {
		by = serialOpener(c)
	}
	return OpenOn(c, by)
}

// OpenOn is Open for a line that the caller makes: a test's, or one that only
// imitates its speed.
func OpenOn(c Config, by Opener) (drivers.Bus, error) {
	b, err := open(c, by)
	if err != nil {
		return nil, err
	}
	return b, nil
}

func open(c Config, by Opener) (*Bus, error) {
	if err := errors.Join(judge(c)...); err != nil {
		return nil, fmt.Errorf("modbus %s: %w", c.ID, err)
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	b := &Bus{outputs: map[string]*output{}, config: c}
	b.config.Units, b.config.Outputs = nil, nil
	by = tapped(by, &b.frames)
	if c.Transport == TCP {
		h := modbus.NewTCPClientHandler(c.Address)
		b.link, b.slave = newTCPLine(by), &h.SlaveId
		b.client = modbus.NewClient2(h, b.link)
	} else {
		h := modbus.NewRTUClientHandler(c.Address)
		b.link, b.slave = newRTULine(c, by), &h.SlaveId
		b.client = modbus.NewClient2(h, b.link)
	}
	for i := range c.Units {
		b.units = append(b.units, newUnit(b, c, c.Units[i]))
	}
	for _, o := range c.Outputs {
		b.outputs[o.ID] = &output{unit: b.owner(c, o), config: o}
	}
	return b, nil
}

// owner is the unit that an output belongs to; one without points is known to
// its outputs only.
func (b *Bus) owner(c Config, o OutputConfig) *unit {
	for _, u := range b.units {
		if u.addr == o.Unit && (u.id == o.Device || o.Device == "") {
			return u
		}
	}
	u := newUnit(b, c, UnitConfig{ID: o.Device, Unit: o.Unit})
	b.units = append(b.units, u)
	return u
}

// Units are the units that have points, each with one poll a planned request.
func (b *Bus) Units() []drivers.Unit {
	var units []drivers.Unit
	for _, u := range b.units {
		if len(u.polls) > 0 {
			units = append(units, u.describe())
		}
	}
	return units
}

// Output is the coil or register of that id, or nil.
func (b *Bus) Output(id string) drivers.Output {
	if o := b.outputs[id]; o != nil {
		return o
	}
	return nil
}

// Close lets go of the line for good.
func (b *Bus) Close() error {
	b.closed = true
	return b.link.Close()
}

// judge finds what would make no sense on the wire.
func judge(c Config) (mistakes []error) {
	bad := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	if c.Address == "" {
		bad("no address")
	}
	if c.Transport > TCP {
		bad("unknown transport %d", c.Transport)
	}
	if c.ASCII && c.Transport == TCP || c.RS485 && c.Transport != RTU {
		bad("framing and direction are for serial lines")
	}
	if c.Baud < 0 || c.Timeout < 0 || c.Gap < 0 {
		bad("baud, timeout and gap can't be negative")
	}
	for _, u := range c.Units {
		if c.Transport != TCP && (u.Unit < 1 || u.Unit > 247) {
			bad("unit %s: address %d is not in 1..247", u.ID, u.Unit)
		}
		for _, w := range u.Setup {
			if w.Table != Coil && w.Table != Holding {
				bad("setup of %s: only coils and holding registers can be written", u.ID)
			}
		}
		for _, p := range u.Points {
			if err := p.judge(); err != nil {
				bad("point %s: %w", p.ID, err)
			}
		}
	}
	for _, o := range c.Outputs {
		if o.Table != Coil && o.Table != Holding {
			bad("output %s: only coils and holding registers can be written", o.ID)
		}
	}
	return mistakes
}

func (p *PointConfig) judge() error {
	switch {
	case p.Table < Coil || p.Table > Input:
		return fmt.Errorf("unknown table %d", p.Table)
	case p.Type > Text:
		return fmt.Errorf("unknown type %d", p.Type)
	case p.Type == Text && (p.Length < 1 || p.Length > maxRegisters):
		return fmt.Errorf("a text of %d registers", p.Length)
	case int(p.Address)+p.width() > 1<<16:
		return fmt.Errorf("register %d and the %d after it go beyond 65535", p.Address, p.width()-1)
	case p.Table.bits() && p.Type != Truth:
		return errors.New("a coil or discrete is true or false, no number")
	case !p.Table.bits() && p.Type == Truth && (p.Bit < 0 || p.Bit > 15):
		return fmt.Errorf("bit %d of a register of 16", p.Bit)
	}
	return nil
}

// send makes one request of the unit with goburrow's client: the data of the
// answer, or a *drivers.Fault. Value is a quantity where the function reads.
func (b *Bus) send(ctx context.Context, u *unit, function byte, address, value uint16) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if b.closed {
		return nil, comm("the bus is closed")
	}
	*b.slave = u.addr
	b.link.prepare(call{ctx: ctx, timeout: u.timeout, late: u.late})
	data, err := b.ask(function, address, value)
	err = faultOf(err)
	b.line.count(b.link.last(), err)
	u.counts.count(b.link.last(), err)
	u.noteLife(err)
	return data, err
}

func (b *Bus) ask(function byte, address, value uint16) ([]byte, error) {
	switch function {
	case modbus.FuncCodeReadCoils:
		return b.client.ReadCoils(address, value)
	case modbus.FuncCodeReadDiscreteInputs:
		return b.client.ReadDiscreteInputs(address, value)
	case modbus.FuncCodeReadHoldingRegisters:
		return b.client.ReadHoldingRegisters(address, value)
	case modbus.FuncCodeReadInputRegisters:
		return b.client.ReadInputRegisters(address, value)
	case modbus.FuncCodeWriteSingleCoil:
		return b.client.WriteSingleCoil(address, value)
	}
	return b.client.WriteSingleRegister(address, value)
}

// faultOf puts what goburrow's client says into the words of drivers.
func faultOf(err error) error {
	if err == nil {
		return nil
	}
	var f *drivers.Fault
	if errors.As(err, &f) {
		return f
	}
	var e *modbus.ModbusError
	if errors.As(err, &e) {
		return &drivers.Fault{Quality: drivers.Exception, Code: e.ExceptionCode, Again: busy(e.ExceptionCode), Err: err}
	}
	return &drivers.Fault{Quality: drivers.Protocol, Err: err}
}

func busy(code uint8) bool {
	return code == modbus.ExceptionCodeAcknowledge || code == modbus.ExceptionCodeServerDeviceBusy
}

// absent says that a gateway answered in the place of the unit.
func absent(code uint8) bool {
	return code == modbus.ExceptionCodeGatewayPathUnavailable || code == modbus.ExceptionCodeGatewayTargetDeviceFailedToRespond
}
