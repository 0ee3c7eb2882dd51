package modbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/goburrow/modbus"

	"pithead/drivers"
)

// An output is a coil or a holding register that is switched.
type output struct {
	unit   *unit
	config OutputConfig
}

// coilOn is what switches a coil on; a register is switched on with 1.
const coilOn = 0xFF00

// Set writes, and believes an answer only that repeats what was written.
func (o *output) Set(ctx context.Context, on bool) error {
	function, value := byte(modbus.FuncCodeWriteSingleCoil), uint16(coilOn)
	if o.config.Table == Holding {
		function, value = modbus.FuncCodeWriteSingleRegister, 1
	}
	if on == o.config.Low {
		value = 0
	}
	_, err := o.unit.bus.send(ctx, o.unit, function, o.config.Address, value)
	return err
}

// Get reads back. A register that holds neither 0 nor 1 is an error: somebody
// else writes it.
func (o *output) Get(ctx context.Context) (on bool, err error) {
	data, err := o.unit.bus.send(ctx, o.unit, o.config.Table.function(), o.config.Address, 1)
	if f := drivers.FaultOf(err); err != nil && f.Quality == drivers.Exception && f.Code == modbus.ExceptionCodeIllegalFunction {
		return false, fmt.Errorf("%w: the device can be written only", errors.ErrUnsupported)
	}
	if err != nil {
		return false, err
	}
	if o.config.Table == Coil {
		return data[0]&1 != 0 != o.config.Low, nil
	}
	value := int(data[0])<<8 | int(data[1])
	if value > 1 {
		return false, protocol("register %d holds %d: neither on nor off", o.config.Address, value)
	}
	return value == 1 != o.config.Low, nil
}
