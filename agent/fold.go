package agent

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"pithead/agent/alarm"
	"pithead/agent/event"
	"pithead/buffer"
)

// A fold is what all events so far come to: where each alarm and output
// stands, which boot it is, how the chain ends. It is never stored beside the
// events but made from them, so the two can't differ: the key frame at the
// beginning of each segment holds the fold of all that came before, and a
// start adds the events behind the newest key.
//
// It belongs to the recorder; a start reads it once before that.
type fold struct {
	Last    []byte                `json:"last,omitempty"` // payload of the newest event
	Boot    uint32                `json:"boot"`
	BootID  string                `json:"boot-id"`
	Board   string                `json:"board,omitempty"` // its serial number
	Newest  int64                 `json:"t,omitempty"`     // newest wall time that was known, unix ms
	Offsets map[uint32]int64      `json:"offsets,omitempty"`
	Alarms  map[string]remembered `json:"alarms,omitempty"` // those that are not normal
	Outputs map[string]switchedTo `json:"outputs,omitempty"`
	Seals   map[string]sealedAs   `json:"seals,omitempty"`
	// Counters is how the totals of registers that count up began, by point.
	Counters map[string]counted `json:"counters,omitempty"`
	asides
	Config  string   `json:"config,omitempty"` // hash of the site file that ran last
	Stopped bool     `json:"stopped"`          // the newest run ended in order
	Epochs  []string `json:"epochs,omitempty"` // that are known, oldest first

	read string // the epoch of the newest event that was read, whether it could be taken or not
}

// remembered is an alarm that was not normal.
type remembered struct {
	State string   `json:"state"`
	Acked bool     `json:"acked,omitempty"`
	Limit *float64 `json:"limit,omitempty"`
	Level string   `json:"level,omitempty"`
	Do    []string `json:"do,omitempty"`
	Latch bool     `json:"latch,omitempty"`
	Boot  uint32   `json:"boot"`
	M     int64    `json:"m"`
	T     int64    `json:"t,omitempty"`
	N     uint64   `json:"n"`
	Up    moment   `json:"up"`   // when it was raised
	UpN   uint64   `json:"up-n"` // the number of that event
}

// counted is how a register's total began; see drivers.CounterStart.
type counted struct {
	Form  string `json:"form"`
	Ahead uint64 `json:"ahead"`
}

// switchedTo is what an output was told last.
type switchedTo struct {
	On    bool   `json:"on"`
	Stuck string `json:"stuck,omitempty"` // see output.stuck
	// Hand is until when a person has switched it on.
	Hand *moment `json:"hand,omitempty"`
}

// boots is how many boots' offsets are remembered.
const boots = 64

func newFold() *fold {
	return &fold{Offsets: map[uint32]int64{}, Alarms: map[string]remembered{}, Outputs: map[string]switchedTo{}, Counters: map[string]counted{}, Seals: map[string]sealedAs{}}
}

// key is the fold as a key frame: JSON, deflated, since a bus that is gone can
// leave an alarm for each of ten thousand points.
func (f *fold) key() []byte {
	j, err := json.Marshal(f)
	if err != nil { // nothing in a fold can't be written
		panic(err)
	}
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, flate.BestSpeed) // the level is a valid one
	_, _ = z.Write(j)                            // neither fails in memory
	_ = z.Close()
	return b.Bytes()
}

// readKey is the inverse of key.
func readKey(b []byte) (*fold, error) {
	j, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), mostKey))
	if err != nil {
		return nil, err
	}
	f := newFold()
	return f, json.Unmarshal(j, f)
}

// mostKey bounds what a key may unfold to.
const mostKey = 64 << 20

// mostEpochs is how many are remembered.
const mostEpochs = 16

// epochs notes an epoch that is known.
func (f *fold) epochs(name string) {
	if slices.Contains(f.Epochs, name) || name == "" {
		return
	}
	if f.Epochs = append(f.Epochs, name); len(f.Epochs) > mostEpochs {
		f.Epochs = slices.Delete(f.Epochs, 0, 1)
	}
}

// add takes one event in.
func (f *fold) add(p event.Parsed) {
	f.Boot = max(f.Boot, p.Boot)
	f.epochs(p.Epoch)
	if p.Known {
		f.Newest = max(f.Newest, p.T)
	}
	switch p.Kind {
	case "alarm", "group":
		f.alarm(p)
	case "output":
		f.output(p)
		f.proof(p)
	case "input":
		if form := p.Text("counter"); form != "" {
			c := counted{Form: form}
			if json.Unmarshal(p.Member("ahead"), &c.Ahead) == nil {
				f.Counters[p.Point] = c
			}
		}
	case "command":
		f.command(p)
	case "seal":
		f.seal(p)
	case "flood":
		f.flood(p)
	case "start":
		f.BootID, f.Config, f.Stopped = p.Text("boot-id"), p.Text("config"), false
		if board := p.Text("board"); board != "" {
			f.Board = board
		}
	case "stop":
		f.Stopped = true
	case "clock":
		f.offset(p)
	}
}

func (f *fold) alarm(p event.Parsed) {
	if s, _ := alarm.ParseState(p.State); s == alarm.Normal {
		delete(f.Alarms, p.ID)
		return
	}
	r := remembered{State: p.State, Acked: p.State == alarm.Acked.String(), Limit: p.Limit, Level: p.Level,
		Boot: p.Boot, M: p.M, T: p.T, N: p.N}
	if raw := p.Member("acked"); raw != nil {
		_ = json.Unmarshal(raw, &r.Acked) // a member of another form is none
	}
	if raw := p.Member("do"); raw != nil {
		_ = json.Unmarshal(raw, &r.Do)
	}
	r.Latch = string(p.Member("latch")) == "true"
	was, known := f.Alarms[p.ID]
	if r.Up, r.UpN = was.Up, was.UpN; !known || p.State == alarm.Active.String() && p.Text("was") != p.State {
		r.Up, r.UpN = moment{p.Boot, p.M, p.T}, p.N
	}
	f.Alarms[p.ID] = r
}

func (f *fold) offset(p event.Parsed) {
	if !p.Known {
		return
	}
	f.Offsets[p.Boot] = p.T - p.M
	for len(f.Offsets) > boots {
		oldest := p.Boot
		for b := range maps.Keys(f.Offsets) {
			oldest = min(oldest, b)
		}
		delete(f.Offsets, oldest)
	}
}

func outputID(id string) string {
	const prefix = "output:"
	if len(id) > len(prefix) && id[:len(prefix)] == prefix {
		return id[len(prefix):]
	}
	return id
}

// memory is what the alarm package needs of it. What a latch held that has left
// the site file ends with a good sample: nobody could reset it.
func (r remembered) memory(d *alarm.Def) alarm.Memory {
	s, _ := alarm.ParseState(r.State)
	if s == alarm.Cleared && !d.Latch {
		if s = alarm.Active; r.Acked {
			s = alarm.Acked
		}
	}
	m := alarm.Memory{State: s, Acked: r.Acked}
	m.Level, _ = alarm.ParseLevel(r.Level)
	if r.Limit != nil {
		m.Limit, m.HasLimit = *r.Limit, true
	}
	return m
}

// epoch is that of the newest event; empty if nothing is known of it.
func (f *fold) epoch() string {
	if f.read != "" {
		return f.read
	}
	p, err := event.Parse(f.Last)
	if err != nil {
		return ""
	}
	return p.Epoch
}

// readFold reads the events lane from its newest key on. What can't be read is
// told and left out.
func readFold(l lane) (*fold, []string) {
	f := newFold()
	faults := fromKey(l, "events", func() { *f = *newFold() }, f.take)
	return f, faults
}

func (f *fold) take(fr buffer.Frame) error {
	if fr.Key {
		k, err := readKey(fr.Payload)
		if err != nil {
			return fmt.Errorf("the key before event %d: %w", fr.First, err)
		}
		*f = *k
		return nil
	}
	f.read = fr.Epoch
	p, err := event.Parse(fr.Payload)
	if err != nil {
		return fmt.Errorf("event %d: %w", fr.First, err)
	}
	f.add(p)
	f.Last = append([]byte(nil), fr.Payload...)
	return nil
}
