package gpio

import (
	"fmt"
	"strconv"
	"strings"

	"periph.io/x/conn/v3/pin"
	"periph.io/x/host/v3/rpi"
)

// resolve finds the line that a pin of the site file means: an offset on the
// chip, the kernel's name of a line, or, on a Raspberry Pi, a pin of its header
// (P1_11) or its processor's name of it (GPIO17).
func resolve(c chip, name string) (int, error) {
	if offset, err := strconv.Atoi(name); err == nil {
		if offset < 0 || offset >= c.lines() {
			return 0, fmt.Errorf("line %d: %s has lines 0 to %d", offset, c.label(), c.lines()-1)
		}
		return offset, nil
	}
	found := -1
	for i := range c.lines() {
		if name == "" || c.name(i) != name { // most lines have no name
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("lines %d and %d of %s are both called %s; give the offset", found, i, c.label(), name)
		}
		found = i
	}
	if found >= 0 {
		return found, nil
	}
	if offset, ok := raspberry(c.label(), name); ok && offset < c.lines() {
		return offset, nil
	}
	return 0, fmt.Errorf("%s has no line %s", c.label(), name)
}

// raspberry is the offset of a pin on the chip that serves a Raspberry Pi's
// header, where offsets are the processor's numbers. The wiring of the header
// is periph's knowledge; its drivers, which map memory and want root, are never
// started. All models since the Model B of late 2012 share the first 26 pins,
// and all with 40 pins the rest.
func raspberry(label, name string) (int, bool) {
	if !strings.HasPrefix(label, "pinctrl-bcm2") && label != "pinctrl-rp1" {
		return 0, false
	}
	header := []pin.Pin{
		rpi.P1_1, rpi.P1_2, rpi.P1_3, rpi.P1_4, rpi.P1_5, rpi.P1_6, rpi.P1_7, rpi.P1_8,
		rpi.P1_9, rpi.P1_10, rpi.P1_11, rpi.P1_12, rpi.P1_13, rpi.P1_14, rpi.P1_15, rpi.P1_16,
		rpi.P1_17, rpi.P1_18, rpi.P1_19, rpi.P1_20, rpi.P1_21, rpi.P1_22, rpi.P1_23, rpi.P1_24,
		rpi.P1_25, rpi.P1_26, rpi.P1_27, rpi.P1_28, rpi.P1_29, rpi.P1_30, rpi.P1_31, rpi.P1_32,
		rpi.P1_33, rpi.P1_34, rpi.P1_35, rpi.P1_36, rpi.P1_37, rpi.P1_38, rpi.P1_39, rpi.P1_40,
	}
	for i, p := range header {
		// Supply and ground pins have no number.
		if p.Number() >= 0 && (name == "P1_"+strconv.Itoa(i+1) || name == p.Name()) {
			return p.Number(), true
		}
	}
	return 0, false
}
