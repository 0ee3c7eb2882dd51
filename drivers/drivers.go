package drivers

import (
	"context"
	"errors"
	"time"
)

// A Bus is one line or board with what is on it, as its kind opened it from
// the site file. Opening touches no hardware: the first Read does. One
// goroutine owns a Bus; nothing of it may be called by two at once, except
// that a Watcher's Watch runs beside the rest. What every kind promises is
// numbered, and tested, in drivers/conform.
type Bus interface {
	Units() []Unit
	// Output is the output of that id, or nil if it is not on this bus.
	Output(id string) Output
	// Close lets go of the hardware; outputs stay as they are.
	Close() error
}

// A Unit is what is online or offline as one: a Modbus unit, or a whole board.
type Unit struct {
	ID    string        // the device in the site file; of a board the bus
	Pause time.Duration // least time between two requests to it
	Polls []Poll
	// Setup is what is to be written before anything is read, when the unit is
	// first heard and each time it comes back; one request each.
	Setup []func(context.Context) error
	// Probe asks the least that shows whether the unit lives; nil: read the first poll.
	Probe func(context.Context) error
}

// A Poll is one request: points of one unit that are read together.
type Poll struct {
	Every  time.Duration
	Points []string
	Driver Driver
}

// A Driver reads. It returns one Reading for each of its points, good or bad,
// whatever happened; the error says that the unit gave no sound answer at all
// (a *Fault), so that the loop above can tell a dead unit from a bad register.
// An error that is no *Fault counts as Comm.
type Driver interface {
	Read(ctx context.Context) ([]Reading, error)
}

// A Stepper is a Driver whose Read may take several requests. Step makes the
// next one, so that the loop above may do what is more urgent in between; Read
// is Step until there is no more. What it reads it appends to what room gives it, for
// which it asks when the answer has come: who waits holds no memory.
type Stepper interface {
	Step(ctx context.Context, room func() []Reading) Step
}

// A Step is what came of one request.
type Step struct {
	Readings []Reading     // so far untold
	More     bool          // the poll is not through
	Wait     time.Duration // the unit wants to be left alone for so long before the next request
	Err      error         // of the whole poll, as Read's, once there is no more
}

// An Inspector is a Driver that can also show what the wire held of one of its
// points, after the Step that read it and before the next: registers in protocol order, nil where there
// are none, and the time from the request's first byte to the answer's last.
type Inspector interface {
	Raw(point string) (raw []uint16, took time.Duration)
}

// An Inspection is a reading with what it was made from.
type Inspection struct {
	Reading
	Raw  []uint16      // registers in protocol order; nil where there are none
	Took time.Duration // from the request's first byte to the answer's last
	Why  string        // of a bad one, for people; may be empty
}

// A Watcher is a Bus that sees edges by itself. Watch hands on readings as they
// come until ctx ends (nil) or the hardware fails (an error); it waits for its
// own goroutines before it returns.
type Watcher interface {
	Watch(ctx context.Context, emit func([]Reading)) error
}

// Totals is a Bus that counts pulses. A counting point's value is the total of
// all it counted; it goes on from the last total that was stored, which the
// agent gives before the first Read. Without it a total begins at 0. A point
// that does not count, or is not on this bus, is passed over.
type Totals interface {
	SetTotal(point string, total float64)
}

// Counters is a Bus with registers that count up by themselves, whose totals go
// on over a restart of the device and, with what was counted meanwhile, over one
// of the agent: what Began says is kept, and given back with Resume, before
// SetTotal, by the next run.
type Counters interface {
	Began() (CounterStart, bool) // one that is not told yet
	Resume(CounterStart)
}

// A CounterStart is how the total of a register that counts up began, or went
// on when its device had restarted.
type CounterStart struct {
	Point string
	Form  string // the register and its pulses; of another form it means nothing
	Ahead uint64 // pulses that the total has more than the register, modulo its wrap
	Again bool   // the device had restarted
}

// Losses is a Bus that notices when edges were lost. Lost is how many are known
// to be missing at a point since the bus was opened; once it is not 0, a total
// of that point is a lower bound. It may be called while Watch runs.
type Losses interface {
	Lost(point string) uint64
}

// Bounds is a Bus that counts no pulses that come faster than they can. Refused
// is how many those were since the bus was opened. It may be called while Watch
// runs.
type Bounds interface {
	Refused(point string) uint64
}

// Reasons is a Bus that can say more of a bad point than its quality: a line
// that another program holds, a name that is not on the chip. Why is nil while
// the point's last Read was sound.
type Reasons interface {
	Why(point string) error
}

// An Output is one thing that can be on or off; on means that what it drives
// (siren, cut-off) acts, whatever the level on the wire.
type Output interface {
	Set(ctx context.Context, on bool) error
	// Get reads back; errors.ErrUnsupported where the hardware can't.
	Get(ctx context.Context) (on bool, err error)
}

// A Fault is why a request got no sound answer.
type Fault struct {
	Quality Quality   // Comm, Protocol or Exception
	Code    uint8     // of an exception
	Again   bool      // repeating it may help: bad checksum, busy
	Down    bool      // the line itself is not there
	Until   time.Time // not zero: nothing was sent, since an owed answer could be mistaken until then
	Err     error
}

func (f *Fault) Error() string { return f.Quality.String() + ": " + f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// FaultOf is the Fault in err; any other error is Comm.
func FaultOf(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Quality: Comm, Err: err}
}
