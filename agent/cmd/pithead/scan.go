package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"pithead/agent"
	"pithead/config"
	"pithead/drivers/modbus"
)

// scanWait is how long a unit has to begin its answer. Some slaves (all that
// are made with libmodbus) take the next frame after a request to another unit
// for that one's answer, and ignore it, unless it comes half a second later.
const scanWait = 510 * time.Millisecond

// Usual speeds, the most usual first, and parities.
var (
	usualSpeeds = []int{9600, 4800, 19200, 38400, 115200, 57600, 2400, 1200}
	parityNames = []string{"none", "even", "odd"}
	parityOf    = map[string]byte{"none": 'N', "even": 'E', "odd": 'O'}
)

// A scan is what is looked for, and what was found.
type scan struct {
	streams
	units  []byte
	wait   time.Duration
	asJSON bool
	bar    bool // a person looks on
	found  []scanned
	noisy  []string      // settings at which something unreadable came
	rest   time.Duration // that the other speeds take at most
}

// scanned is one unit as --json tells it.
type scanned struct {
	Line string `json:"line,omitempty"` // as 9600 8N1
	modbus.Found
	Took   float64 `json:"took-ms,omitempty"`
	Device string  `json:"device,omitempty"`
	Life   string  `json:"life,omitempty"`
}

func runScan(ctx context.Context, args []string, s streams) int {
	f := newFlags("scan", s)
	file := f.String("site", defaultSite, "")
	units := f.String("units", "1-247", "")
	baud := f.String("baud", "", "")
	parity := f.String("parity", "", "")
	all := f.Bool("all-speeds", false, "")
	wait := f.Duration("timeout", scanWait, "")
	asJSON := f.Bool("json", false, "")
	rest, status, ok := f.parse(args, s, 1)
	if !ok {
		return status
	}
	if len(rest) != 1 {
		fmt.Fprintln(s.err, "pithead scan: which bus? See pithead help scan")
		return usage
	}
	c := &scan{streams: s, wait: *wait, asJSON: *asJSON, bar: isTerminal(s.err)}
	var err error
	if c.units, err = agent.ParseUnits(*units); err == nil && (*wait < 10*time.Millisecond || *wait > time.Minute) {
		err = fmt.Errorf("--timeout %v; want 10ms to 1m", *wait)
	}
	speeds, wrongSpeed := speedsOf(*baud, *parity, *all)
	if err = errors.Join(err, wrongSpeed); err != nil {
		fmt.Fprintln(s.err, "pithead scan:", err)
		return usage
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := c.look(ctx, rest[0], *file, speeds); err != nil && ctx.Err() == nil {
		c.clear()
		fmt.Fprintln(s.err, "pithead scan:", err)
		return wrong
	}
	return c.report(ctx.Err() != nil)
}

// A speed is one way to set a serial line; 0 stands for the bus's own.
type speed struct {
	baud   int
	parity byte
}

func speedsOf(baud, parity string, all bool) (out []speed, err error) {
	bauds, parities := []int{0}, []byte{0}
	if all {
		bauds, parities = usualSpeeds, nil
		for _, p := range parityNames {
			parities = append(parities, parityOf[p])
		}
	}
	if baud != "" {
		bauds = nil
		for t := range strings.SplitSeq(baud, ",") {
			n, err := strconv.Atoi(t)
			if err != nil || n < 300 || n > 4_000_000 {
				return nil, fmt.Errorf("--baud %q; want speeds such as 9600,19200", t)
			}
			bauds = append(bauds, n)
		}
	}
	if parity != "" {
		parities = nil
		for t := range strings.SplitSeq(parity, ",") {
			p, ok := parityOf[t]
			if !ok {
				return nil, fmt.Errorf("--parity %q; want none, even or odd", t)
			}
			parities = append(parities, p)
		}
	}
	for _, b := range bauds {
		for _, p := range parities {
			out = append(out, speed{b, p})
		}
	}
	return out, nil
}

// look scans a bus of the running agent, of the site file, or what BUS itself names.
func (c *scan) look(ctx context.Context, bus, file string, speeds []speed) error {
	if line, raw := rawLine(bus); raw {
		return c.lines(ctx, line, speeds)
	}
	set := len(speeds) > 1 || speeds[0] != speed{}
	err := c.byAgent(ctx, bus, set)
	if !errors.Is(err, errNoAgent) {
		return err
	}
	site, problems := config.Load(file)
	if site == nil {
		for _, p := range problems {
			fmt.Fprintln(c.err, p.String())
		}
		return fmt.Errorf("%w, and %s is bad", errNoAgent, file)
	}
	for _, b := range site.Buses {
		if b.ID == bus && b.Modbus != nil {
			line := *b.Modbus
			line.Units, line.Outputs = nil, nil
			return c.lines(ctx, line, speeds)
		}
		if b.ID == bus {
			return fmt.Errorf("bus %s is no Modbus line", bus)
		}
	}
	return fmt.Errorf("%s has no bus %q", file, bus)
}

// rawLine is a line that is named by what it is.
func rawLine(bus string) (c modbus.Config, is bool) {
	c = modbus.Config{ID: bus, Address: bus, Baud: 9600, Parity: 'N', DataBits: 8, StopBits: 1}
	address, server := strings.CutPrefix(bus, "rtu-over-tcp://")
	switch {
	case server:
		c.Transport, c.Address = modbus.RTUOverTCP, address
	case strings.Contains(bus, "/"):
		c.Transport = modbus.RTU
	case strings.Contains(bus, ":"):
		c.Transport = modbus.TCP
	default:
		return c, false
	}
	return c, true
}

// lines scans a line that is ours, at each speed.
func (c *scan) lines(ctx context.Context, line modbus.Config, speeds []speed) error {
	if line.Transport != modbus.RTU && (len(speeds) > 1 || speeds[0] != speed{}) {
		return errors.New("only a serial line of this machine has a speed that can be tried; want --baud, --parity and --all-speeds left out")
	}
	for i, sp := range speeds {
		at := line
		if sp.baud != 0 {
			at.Baud = sp.baud
		}
		if sp.parity != 0 {
			at.Parity = sp.parity
		}
		c.rest = time.Duration(len(speeds)-1-i) * time.Duration(len(c.units)) * c.wait
		if err := c.line(ctx, at); err != nil {
			return err
		}
	}
	return nil
}

// line scans a line at one speed.
func (c *scan) line(ctx context.Context, line modbus.Config) error {
	s := modbus.NewScanner(line)
	defer s.Close()
	name := ""
	if line.Transport == modbus.RTU {
		name = fmt.Sprintf("%d %d%c%d", line.Baud, line.DataBits, line.Parity, line.StopBits)
	}
	w := modbus.NewSweep(c.units, c.wait, nil)
	for more := true; more && ctx.Err() == nil; {
		var f *modbus.Found
		var err error
		left, most := w.Left()
		c.progress(name, left, most)
		if f, more, err = w.Step(ctx, s); err != nil {
			return err
		}
		if f != nil {
			c.add(name, agent.ScanFound(f))
		}
	}
	if s.Noise {
		c.noisy = append(c.noisy, name)
	}
	return nil
}

// byAgent has the running agent scan one of its buses.
func (c *scan) byAgent(ctx context.Context, bus string, set bool) error {
	var text []string
	for _, u := range c.units {
		text = append(text, strconv.Itoa(int(u)))
	}
	body, err := openAgent(ctx, http.MethodGet, "/scan", url.Values{"bus": {bus}, "units": {strings.Join(text, ",")}, "wait": {c.wait.String()}}, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if set {
		return errors.New("the running agent polls this bus at its own speed; stop it to try others")
	}
	for in := bufio.NewScanner(body); ; {
		if !in.Scan() {
			if err := in.Err(); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		}
		var l agent.ScanLine
		if err := json.Unmarshal(bytes.TrimSpace(in.Bytes()), &l); err != nil {
			return err
		}
		switch {
		case l.Error != "":
			return errors.New(l.Error)
		case l.Found != nil:
			c.add("", l)
		default:
			c.progress("", l.Left, l.For)
		}
	}
}

// add tells of a unit as it is found.
func (c *scan) add(line string, l agent.ScanLine) {
	found := scanned{line, *l.Found, l.Took, l.Device, l.Life}
	c.found = append(c.found, found)
	if c.asJSON {
		return
	}
	c.clear()
	fmt.Fprintln(c.out, found.String())
}

func (f scanned) String() string {
	var b strings.Builder
	if f.Line != "" {
		fmt.Fprintf(&b, "%s  ", f.Line)
	}
	fmt.Fprintf(&b, "unit %-3d ", f.Unit)
	switch {
	case f.Life != "":
		fmt.Fprintf(&b, " device %s of the site file, %s", f.Device, f.Life)
	case f.Exception != 0:
		fmt.Fprintf(&b, " answers with exception %d (%s), %.0f ms", f.Exception, agent.ExceptionName(f.Exception), f.Took)
	default:
		fmt.Fprintf(&b, " answers, %.0f ms", f.Took)
	}
	if id := strings.TrimSpace(f.Vendor + " " + f.Product + " " + f.Revision); id != "" {
		fmt.Fprintf(&b, "; says of itself (43/14): %s", id)
	}
	if f.Report != "" {
		fmt.Fprintf(&b, "; says of itself (17): %s", f.Report)
	}
	return b.String()
}

// progress draws the bar of who looks on.
func (c *scan) progress(line string, left int, most time.Duration) {
	if !c.bar {
		return
	}
	const width = 30
	asked := max(0, len(c.units)-left)
	full := width * asked / max(1, len(c.units))
	rest := (most + c.rest).Round(time.Second)
	fmt.Fprintf(c.err, "\r\x1b[K%s [%s%s] %d of %d, at most %v left", line, strings.Repeat("#", full), strings.Repeat("-", width-full), asked, len(c.units), rest)
}

func (c *scan) clear() {
	if c.bar {
		fmt.Fprint(c.err, "\r\x1b[K")
	}
}

// report ends a scan.
func (c *scan) report(stopped bool) int {
	c.clear()
	if c.asJSON {
		if c.found == nil {
			c.found = []scanned{}
		}
		_ = json.NewEncoder(c.out).Encode(c.found)
	}
	for _, line := range c.noisy {
		if line != "" {
			line = "at " + line + ": "
		}
		fmt.Fprintf(c.err, "%ssomething answered that could not be read: another speed or parity, two units with one address, or a bad line\n", line)
	}
	if stopped {
		fmt.Fprintf(c.err, "stopped; %d found so far\n", len(c.found))
		return wrong
	}
	if len(c.found) == 0 {
		fmt.Fprintln(c.err, "nobody answered; see that A and B are not swapped, then try --all-speeds")
		return wrong
	}
	return done
}
