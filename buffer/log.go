package buffer

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

// Config says where a log is and how much it may take.
type Config struct {
	Dir   string       // made if it is not there; what else lies in it is left alone
	Lanes []LaneConfig // where the file system is full a lane takes the space of those behind it
}

// LaneConfig is one lane of a log.
type LaneConfig struct {
	Name string // lower-case letters and digits, at most 32
	Size int64  // bytes on disk that it never passes, everything included; at least MinSize
	// Key, if not nil, makes the key frame that begins each segment. It is called
	// on the appending goroutine, in the middle of an Append, with the payload
	// already made: what it returns must be the state before that payload. If it
	// returns nil, there is no key.
	Key func() []byte
}

// MinSize is the least size of a lane.
const MinSize = 64 << 10

// Report is what Open found.
type Report struct {
	Fresh  bool    // a new epoch begins
	Why    string  // it does
	Former string  // the epoch before it, if one could be read
	Kept   string  // where what was there is kept, if the new epoch does not go on in the same folder
	Faults []Fault // what of the newest segments can't be read; older ones tell their readers (Lost)
}

// Log is a log that is open for writing. One goroutine appends, and calls Flush
// and Close; everything else may be called by any.
type Log struct {
	fs      fsys
	parent  string // Config's
	dir     string // of the segments
	lineage atomic.Pointer[lineage]
	lanes   []*Lane
	unlock  *os.File
	removed bool // files were, and the log could not begin anew yet

	positions *positions
	commit    uint64 // of the last write
	buf       []byte // the write that is being made
	closed    bool
	failed    uint64
	failure   error
}

// Open opens the log in c.Dir, or begins one. It is ErrLocked while another
// process has it open for writing.
func Open(c Config) (*Log, Report, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, Report{}, err
	}
	unlock, err := lock(c.Dir)
	if err != nil {
		return nil, Report{}, err
	}
	l, report, err := openLog(disk{}, c)
	if err != nil {
		unlock.Close()
		return nil, report, err
	}
	l.unlock = unlock
	return l, report, nil
}

func openLog(fs fsys, c Config) (*Log, Report, error) {
	if err := c.check(); err != nil {
		return nil, Report{}, err
	}
	dir := filepath.Join(c.Dir, "log")
	d, report, err := settle(fs, c, dir)
	if err != nil {
		return nil, report, err
	}
	d.findOld(fs, c.Dir)
	l := &Log{fs: fs, parent: c.Dir, dir: dir, positions: newPositions(d.positions), commit: d.commit}
	l.lineage.Store(&d.lineage)
	for _, lc := range c.Lanes {
		lane := newLane(l, lc)
		if f := d.lanes[lc.Name]; f != nil {
			report.Faults = append(report.Faults, lane.adopt(f)...)
		}
		l.lanes = append(l.lanes, lane)
	}
	return l, report, nil
}

func (c Config) check() error {
	seen := map[string]bool{}
	for _, l := range c.Lanes {
		name, _, _, ok := parseName(segment{seq: 1, first: 1}.name(l.Name))
		switch {
		case !ok || name != l.Name:
			return fmt.Errorf("lane %q: want 1 to 32 lower-case letters and digits", l.Name)
		case seen[l.Name]:
			return fmt.Errorf("lane %s is there twice", l.Name)
		case l.Size < MinSize:
			return fmt.Errorf("lane %s: %d bytes are too few, want at least %d", l.Name, l.Size, MinSize)
		}
		seen[l.Name] = true
	}
	if len(c.Lanes) == 0 {
		return errors.New("a log needs a lane")
	}
	return nil
}

// settle is what the folder holds. Where its head is lost a new epoch begins in
// it, behind all that is there; where nothing in it can be gone on with, it is
// moved out of the way in one step.
func settle(fs fsys, c Config, dir string) (*found, Report, error) {
	var report Report
	d, err := look(fs, dir)
	if d != nil {
		report.Faults = d.faults
		if d.epoch != ([16]byte{}) {
			report.Former = d.lineage.String()
		}
	}
	switch {
	case err == nil:
		ahead := d.ahead(c.Lanes)
		report.Why = cmp.Or(d.lost, ahead)
		if report.Fresh = report.Why != ""; report.Fresh {
			d.lineage = d.begin()
		} else {
			report.Former = ""
		}
		return d, report, nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, errNothing):
		report.Why = errNothing.Error()
	default:
		why := err.Error()
		if report.Kept, err = moveAside(fs, c.Dir, dir); err != nil {
			return nil, report, fmt.Errorf("%s; and it can't be moved out of the way: %w", why, err)
		}
		report.Why, d = why, nil
	}
	report.Fresh = true
	if d == nil {
		d = &found{lanes: map[string]*foundLane{}}
	}
	if err := makeFolder(fs, c.Dir, dir); err != nil {
		return nil, report, err
	}
	d.lineage = lineage{}.begin()
	return d, report, nil
}

// makeFolder makes dir in parent, and sees to it that both are on disk.
func makeFolder(fs fsys, parent, dir string) error {
	if err := fs.mkdir(dir); err != nil {
		return err
	}
	if err := fs.syncDir(parent); err != nil {
		return err
	}
	if err := fs.syncDir(filepath.Dir(parent)); !errors.Is(err, os.ErrPermission) { // that one is not ours
		return err
	}
	return nil
}

// Epoch is the log's own random name, 32 hex digits: numbers mean something
// only within it.
func (l *Log) Epoch() string { return l.line().String() }

func (l *Log) line() lineage { return *l.lineage.Load() }

// NewEpoch begins a new epoch behind all that is there, for a caller that can't
// go on from what its records say. It is on disk with the next frame. Only the
// appending goroutine may call it.
func (l *Log) NewEpoch() (former string) {
	line := l.line()
	next := line.begin()
	l.lineage.Store(&next)
	for _, lane := range l.lanes {
		lane.letGo()
	}
	return line.String()
}

// settleLanes makes segments say where numbers go on, for lanes that have lost
// their head, but for the one that is about to begin its own: without that the
// next Open would find them lost again. It comes before the frame, since a head
// that can be read again would else stand against the new epoch, and win. What
// can't be written now is tried again with the next frame.
func (l *Log) settleLanes(but *Lane) {
	for _, lane := range l.lanes {
		if lane.unsaid && lane != but {
			f := frame{kind: positionsOnly, first: lane.next}
			if err := lane.begin(f, false); full(err) {
				_ = lane.begin(f, true)
			}
		}
	}
}

// Lane is the lane of that name, nil if there is none.
func (l *Log) Lane(name string) *Lane {
	for _, lane := range l.lanes {
		if lane.name == name {
			return lane
		}
	}
	return nil
}

// Position is what was last set under that name.
func (l *Log) Position(name string) (uint64, bool) { return l.positions.get(name) }

// Positions are all that were set, by name.
func (l *Log) Positions() map[string]uint64 { return l.positions.list() }

// SetPosition remembers n, the last number that a reader is done with. A name
// is "lane/reader": if the part before the slash is a lane, a position that is
// ahead of it tells the next Open that the lane's head was lost. It is on disk
// with the next frame, or Flush.
func (l *Log) SetPosition(name string, n uint64) { l.positions.set(name, position{n: n}) }

// DropPosition forgets a position.
func (l *Log) DropPosition(name string) { l.positions.set(name, position{dropped: true}) }

// Flush puts positions on disk that no frame has taken along, and sees to it that
// lanes which are young can go on where the file system is full. It writes nothing
// if there is neither.
func (l *Log) Flush() error {
	for _, lane := range l.lanes {
		lane.reserve()
	}
	if !l.positions.dirty() {
		return nil
	}
	largest := l.lanes[0]
	for _, lane := range l.lanes[1:] {
		if lane.budget > largest.budget {
			largest = lane
		}
	}
	return largest.write(frame{kind: positionsOnly})
}

// Close flushes, and lets another process in. Readers may go on.
func (l *Log) Close() error {
	if l.closed {
		return nil
	}
	err := l.Flush()
	l.closed = true
	for _, lane := range l.lanes {
		lane.letGo()
	}
	if l.unlock != nil {
		err = errors.Join(err, l.unlock.Close())
	}
	return err
}
