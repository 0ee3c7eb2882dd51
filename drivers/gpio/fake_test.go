package gpio

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/warthog618/go-gpiocdev"
	"golang.org/x/sys/unix"
	periph "periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"pithead/drivers"
)

// fakeBoard is a machine with at most one chip. Tests play the kernel on it.
type fakeBoard struct {
	mu      sync.Mutex
	present bool
	opened  int // chips that are open
	dials   int
	tag     string
	named   map[int]string
	busy    map[int]bool // lines that another program holds
	plain   bool         // a kernel without debounce
	pins    map[int]*fakePin
}

func newBoard() *fakeBoard {
	return &fakeBoard{present: true, tag: "box", busy: map[int]bool{}, pins: map[int]*fakePin{}}
}

const fakeLines = 32

func (f *fakeBoard) dial(string) (chip, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials++
	if !f.present {
		return nil, os.ErrNotExist
	}
	f.opened++
	return f, nil
}

func (f *fakeBoard) label() string          { return f.tag }
func (f *fakeBoard) lines() int             { return fakeLines }
func (f *fakeBoard) name(offset int) string { return f.named[offset] }
func (f *fakeBoard) close() error           { f.mu.Lock(); f.opened--; f.mu.Unlock(); return nil }

// wire is what a line carries, whoever holds it.
func (f *fakeBoard) wire(offset int) *fakePin {
	if f.pins[offset] == nil {
		f.pins[offset] = &fakePin{board: f, Pin: &gpiotest.Pin{Num: offset, EdgesChan: make(chan periph.Level)}}
	}
	return f.pins[offset]
}

func (f *fakeBoard) input(offset int, o inputOptions) inPin {
	p := f.wire(offset)
	p.asked = o
	return p
}

func (f *fakeBoard) output(offset int) outPin { return f.wire(offset) }

// fakePin is a line: periph's own fake, and what the kernel adds to it.
type fakePin struct {
	*gpiotest.Pin
	board *fakeBoard
	asked inputOptions
	pull  periph.Pull
	held  bool
	edges func(edge)
	seq   uint32
	shown []periph.Level // what it was driven to
	sick  error          // of Value and Out
}

func (p *fakePin) refuse() error {
	switch {
	case !p.board.present:
		return unix.ENODEV
	case p.board.busy[p.Num]:
		return unix.EBUSY
	}
	return p.sick
}

func (p *fakePin) In(pull periph.Pull, e periph.Edge) error {
	if err := p.refuse(); err != nil {
		return err
	}
	if p.asked.debounce > 0 && p.board.plain {
		return gpiocdev.ErrUapiIncompatibility{Feature: "debounce", AbiVersion: 1}
	}
	p.held, p.edges, p.seq, p.pull = true, p.asked.edges, 0, pull
	level := p.L
	if err := p.Pin.In(pull, e); err != nil {
		return err
	}
	p.L = level
	return nil
}

func (p *fakePin) Out(l periph.Level) error {
	if err := p.refuse(); err != nil {
		return err
	}
	p.held = true
	p.shown = append(p.shown, l)
	return p.Pin.Out(l)
}

func (p *fakePin) Value() (periph.Level, error) {
	if err := p.refuse(); err != nil {
		return periph.Low, err
	}
	return p.Read(), nil
}

func (p *fakePin) Halt() error { p.held, p.edges = false, nil; return nil }

// flip changes the wire now; the kernel saw it so long ago.
func (p *fakePin) flip(l periph.Level, ago time.Duration) {
	p.L = l
	p.seq++
	if p.edges != nil {
		p.edges(edge{at: time.Now().Add(-ago), level: l, seq: p.seq})
	}
}

// drown loses edges as a kernel does whose buffer is full.
func (p *fakePin) drown(edges uint32) { p.seq += edges }

func (p *fakePin) pulses(n int) {
	for range n {
		p.flip(periph.Low, 0)
		p.flip(periph.High, 0)
	}
}

// siteBoard is the configuration that most tests use: a door that is 1 while its
// line is low, a lamp contact, a rain gauge, a siren and a cut-off that is on
// while its line is low.
func siteBoard() Config {
	return Config{
		ID: "board", Chip: "gpiochip0",
		Inputs: []InputConfig{
			{ID: "door", Pin: "18", Low: true, Pull: PullUp, Debounce: 20 * time.Millisecond, Every: 5 * time.Second},
			{ID: "lamp", Pin: "4", Every: 5 * time.Second},
			{ID: "rain", Pin: "17", Low: true, Counts: 0.2, Every: time.Minute},
		},
		Outputs: []OutputConfig{{ID: "siren", Pin: "22"}, {ID: "cutoff", Pin: "23", Low: true}},
	}
}

func openOn(t *testing.T, f *fakeBoard, c Config) *bus {
	t.Helper()
	b, err := open(c, f.dial)
	if err != nil {
		t.Fatal(err)
	}
	return b.(*bus)
}

// look reads everything and shows it, point by point.
func look(t *testing.T, b *bus) (string, error) {
	t.Helper()
	line, first := "", error(nil)
	for _, p := range b.Units()[0].Polls {
		rs, err := p.Driver.Read(t.Context())
		if first == nil {
			first = err
		}
		line += show(rs)
	}
	return line, first
}

func show(rs []drivers.Reading) (line string) {
	for _, r := range rs {
		line += r.Point + "="
		if r.Quality == drivers.Good {
			line += r.Value.String() + " "
		} else {
			line += r.Quality.String() + " "
		}
	}
	return line
}

func expectLook(t *testing.T, b *bus, want string) {
	t.Helper()
	if got, _ := look(t, b); got != want {
		t.Errorf("the board reads\n%s, want\n%s", got, want)
	}
}
