// Package config reads the site file: it parses, judges and explains it. What
// it returns has every default filled in and every reference resolved, so that
// nobody below has to know how a site file is written.
package config

import (
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"io"
	"slices"
	"time"

	"pithead/agent/alarm"
	"pithead/agent/seal"
	"pithead/config/expr"
	"pithead/drivers"
	"pithead/drivers/gpio"
	"pithead/drivers/modbus"
	"pithead/drivers/probe"
	"pithead/drivers/sim"
)

// A Site is one gateway's site file, judged. Slices are in the file's order.
type Site struct {
	File    string
	Source  Packed // the text it was read from, and behind it what it includes
	Hash    string // sha256:<hex> of Source
	Site    string
	Gateway string
	Name    string

	Buses   []Bus
	Devices []Device
	Points  []Point
	Outputs []Output
	Groups  []Group // inner ones before those that they are members of
	Seals   []seal.Def
	Uplinks []Uplink

	UTCOffset time.Duration // east of Greenwich; what days, shifts and periods follow
	Stats     time.Duration // period of statistics; 0 = none
	Buffer    Buffer
	Web       Web
	Alive     *Alive
	Identity  string // key file; empty = in the buffer's folder
	Memory    int64  // bytes, for GOMEMLIMIT
	Clock     string // where the time comes from: ntp, rtc, platform
	LogLevel  string // debug, info, warn, error

	// Profiles are the texts of the profiles in use that did not come with the
	// agent, by name.
	Profiles map[string][]byte

	// Later names the words in the file that this version judges but does not
	// act on yet, as "path: word", in the file's order.
	Later []string
}

// Packed is a text that seldom anybody asks for, deflated.
type Packed struct{ deflated []byte }

// Deflate packs a text.
func Deflate(text []byte) Packed {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, flate.BestSpeed) // the level is a valid one
	_, _ = z.Write(text)                         // neither fails in memory
	_ = z.Close()
	return Packed{bytes.Clone(b.Bytes())}
}

// Bytes is the text.
func (p Packed) Bytes() []byte {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(p.deflated)))
	if err != nil && p.deflated != nil { // we made it ourselves
		panic(err)
	}
	return text
}

// A Bus is one line or board. Exactly one of Modbus, GPIO, Sim and Probe is set.
type Bus struct {
	ID   string
	Line int
	// DeadShare is the percent of the bus's time that all units which are
	// offline may take together; 0 = the agent's own.
	DeadShare float64
	Modbus    *modbus.Config
	GPIO      *gpio.Config
	Sim       *sim.Config
	Probe     *probe.Config // of one point
}

// A Device is a Modbus unit, on a Modbus or a simulated bus.
type Device struct {
	ID, Name, Bus string
	Unit          int
	Every         time.Duration
	Line          int
}

// A Point is one value, measured or computed.
type Point struct {
	ID, Name string
	Line     int
	*Common
	*Own
}

// Own is what a point has for itself, as most have not: those without share one, which
// nobody changes.
type Own struct {
	States []State
	Alarms []alarm.Def           // but for its fault, where that is
	When   map[string]*expr.Expr // by an alarm's id: what suppresses it while false
}

// Common is what the points of a device mostly have in common: those that do share
// one, which nobody changes.
type Common struct {
	Unit        string
	Type        string // as meta tells it: the register type, bool, counter, computed
	Class       string // steady, dynamic, support, or empty
	Bus, Device string // Bus is empty for a computed point; Device also for GPIO
	Every       time.Duration
	Range       *[2]float64
	Decimals    int // -1 = all
	Deadband    float64
	HoursOf     string // it counts how long that point is 1; empty: it does not
	AtLeast     time.Duration
	OnChange    bool // stored on change and AtLeast: bool and GPIO points
	Stats       bool
	Value       *expr.Expr    // of a computed point
	Fault       *alarm.Def    // the site's default, shared, and so without id, point, name and line
	Prove       time.Duration // a bump test at least this often; 0 = never
}

// AllAlarms is every alarm of the point, its fault last.
func (p *Point) AllAlarms() []alarm.Def {
	if p.Fault == nil {
		return p.Alarms
	}
	d := *p.Fault
	d.ID, d.Point, d.Name, d.Line = p.ID+"/fault", p.ID, p.Name, p.Line
	return append(slices.Clip(p.Alarms), d)
}

// A State names a value of a point that has few.
type State struct {
	Value drivers.Value
	Label string
}

// A Group is points that warn together. Its members are points and groups.
type Group struct {
	ID, Name string
	Points   []string
	Groups   []string
	Ladder   [alarm.Red]int // by level: so many members at it or above make it one level higher; 0 = never
	For      time.Duration
	Latch    bool
	Do       [alarm.Red + 1][]string // outputs asked for from this level on
	Line     int
}

// Come is the level that members at these levels come to: the highest of theirs, or
// one more than a level which so many of them have reached. It is by their own
// levels alone, so that the same members raise it by one and no further.
func (g *Group) Come(members []alarm.Level) (l alarm.Level) {
	for _, m := range members {
		l = max(l, m)
	}
	for rung := alarm.Blue; rung < alarm.Red; rung++ {
		n := 0
		for _, m := range members {
			if m >= rung {
				n++
			}
		}
		if least := g.Ladder[rung]; least > 0 && n >= least {
			l = max(l, rung+1)
		}
	}
	return l
}

// An Output is a siren or a cut-off.
type Output struct {
	ID, Name  string
	Trip      bool // kind: trip
	UntilAck  bool // notices: on while unacknowledged
	OnStart   *bool
	OnExit    string // hold, on, off
	Verify    *Verify
	FirstLine string
	Release   *expr.Expr // of a trip: nil = no condition
	Pulse     time.Duration
	MinOn     time.Duration
	MinOff    time.Duration
	Remote    bool          // a platform may switch it
	Prove     time.Duration // of a trip: seen to act at least this often; 0 = never
	Bus       string
	Device    string // of one on a Modbus line
	Where     string // for people: "relays coil 3", "board/22"
	Line      int
}

// A Verify says what must be so while an output is on.
type Verify struct {
	Point  string
	Is     drivers.Value
	Else   *drivers.Value // while it is off; nil: whatever
	Within time.Duration
}

// Alive is a line that toggles while all loops move.
type Alive struct {
	Bus    string
	Period time.Duration
}

// AliveID is the line's name on its bus, which no output can have.
const AliveID = "alive:"

// An Uplink is one platform.
type Uplink struct {
	ID        string
	URLs      []string
	ClientID  string
	Username  string
	Password  *Secret
	CA        string
	Cert, Key string
	Keepalive time.Duration
	Prefix    string
	Points    []string // patterns; nil = all
	Data      bool
	Stats     bool
	Events    bool
	Health    bool
	Batch     int           // readings
	Within    time.Duration // how long a batch waits
	Snapshot  time.Duration // 0 = never
	Oldest    bool          // start: oldest
	Window    int           // unacknowledged messages
	Max       int           // bytes a message
	Rate      int           // readings a second while behind; 0 = no limit, -1 = by the live rate
	Levels    []string      // of events; nil = all, and those that have none
	Thin      time.Duration // one reading per point in this time; 0 = all
	Budget    int64         // bytes a day; 0 = no limit
	Receipts  bool          // confirm: platform
	Compress  bool          // by zstd
	Template  *Template     // nil: format json
	Commands  []Commander
	File      string // that names it
	Line      int
}

// A Template is a platform's own form of messages.
type Template struct {
	Topic string            // a form; empty = as ever
	Files map[string]string // by kind of message; what is not there is not sent
	Table string            // file of code tables
}

// A Commander is a key that may command the gateway, and what.
type Commander struct {
	ID    string
	Key   ed25519.PublicKey
	Allow []string // ops
}

// A Secret is a file or an environment variable, never text.
type Secret struct{ File, Env string }

// Buffer is the log on disk.
type Buffer struct {
	Dir    string
	Size   int64
	Events int64 // of Size
	Stats  int64 // of Size
	Commit time.Duration
}

// Web is the local page.
type Web struct {
	Listen    string
	Password  *Secret // for whatever changes anything; nil: nothing can be changed there
	Cert, Key string  // for https
}
