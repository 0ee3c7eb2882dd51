package gpio

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/warthog618/go-gpiocdev"
	periph "periph.io/x/conn/v3/gpio"
)

// device is a chip of the kernel.
type device struct {
	*gpiocdev.Chip
	file  *os.File // the same device once more: go-gpiocdev keeps its own to itself
	names []string
}

// dial opens a chip by its name, its label or the path of its device.
func dial(name string) (chip, error) {
	path := name
	if !strings.HasPrefix(name, "/") {
		path = "/dev/" + name
	}
	// On a Raspberry Pi a second name of a chip is a link, which go-gpiocdev refuses.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return dialPath(real)
	} else if strings.HasPrefix(name, "/") {
		return nil, err
	}
	found := ""
	for _, have := range gpiocdev.Chips() {
		label, err := labelOf(have)
		if err != nil || label != name {
			continue
		}
		if found != "" {
			return nil, fmt.Errorf("%s and %s both have this label; give one of these names", found, have)
		}
		found = have
	}
	if found == "" {
		return nil, os.ErrNotExist
	}
	return dialPath("/dev/" + found)
}

func labelOf(name string) (string, error) {
	c, err := gpiocdev.NewChip(name)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.Label, nil
}

func dialPath(path string) (chip, error) {
	c, err := gpiocdev.NewChip(path, gpiocdev.WithConsumer("pithead"))
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		c.Close()
		return nil, err
	}
	d := &device{Chip: c, file: f}
	for i := range c.Lines() {
		// A line whose name can't be asked for can still be had by its offset.
		info, _ := c.LineInfo(i)
		d.names = append(d.names, info.Name)
	}
	return d, nil
}

func (d *device) label() string          { return d.Label }
func (d *device) lines() int             { return d.Lines() }
func (d *device) name(offset int) string { return d.names[offset] }

func (d *device) close() error {
	d.file.Close()
	return d.Close()
}

func (d *device) output(offset int) outPin { return &lineOut{line: d.line(offset)} }

func (d *device) input(offset int, o inputOptions) inPin {
	if d.UapiAbiVersion() == 1 {
		return &oldIn{line: d.line(offset), options: o}
	}
	return &lineIn{line: d.line(offset), options: o}
}

// line is what all pins of a device have in common. Of what a periph pin may
// offer, a line of the kernel has no more than its kind adds: for the rest it
// is periph's invalid pin, which refuses.
type line struct {
	periph.PinIO
	device *device
	offset int
}

func (d *device) line(offset int) line {
	return line{PinIO: periph.INVALID, device: d, offset: offset}
}

func (l *line) Number() int    { return l.offset }
func (l *line) Name() string   { return l.device.names[l.offset] }
func (l *line) String() string { return fmt.Sprintf("%s/%d", l.device.Name, l.offset) }

// lineOut is an output line.
type lineOut struct {
	line
	held *gpiocdev.Line
}

// Out drives the line; the first time the kernel is asked for it with this level.
func (l *lineOut) Out(level periph.Level) error {
	value := 0
	if level == periph.High {
		value = 1
	}
	if l.held != nil {
		return l.held.SetValue(value)
	}
	held, err := l.device.RequestLine(l.offset, gpiocdev.AsOutput(value))
	if err != nil {
		return err
	}
	l.held = held
	return nil
}

func (l *lineOut) Value() (periph.Level, error) { return valueOf(l.held) }
func (l *lineOut) Read() periph.Level           { v, _ := l.Value(); return v }

func (l *lineOut) Halt() error {
	if l.held == nil {
		return nil
	}
	return l.held.Close()
}

func valueOf(l *gpiocdev.Line) (periph.Level, error) {
	if l == nil {
		return periph.Low, os.ErrClosed
	}
	v, err := l.Value()
	return v == 1, err
}
