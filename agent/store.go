package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"pithead/agent/event"
	"pithead/agent/record"
	"pithead/buffer"
	"pithead/config"
)

// The lanes of the buffer.
const (
	laneEvents = "events"
	laneStats  = "stats"
	laneData   = "data"
)

// volatileSize is the buffer where the disk can't hold one at all.
const volatileSize = 32 << 20

// openBuffer opens the log on disk, or, where the disk can't hold one, a small
// one that does not outlive the machine: the agent comes up judging whatever
// the disk does. It returns what is to be told of that. What a small one knows
// is over once the disk holds the log again, and no later one goes on with it:
// who was out of service then is not today.
func (a *agent) openBuffer() (faults []string, err error) {
	if err = errHung; !a.Hung {
		faults, err = a.openAt(a.site.Buffer)
	}
	if err == nil {
		for _, dir := range a.smallDirs() {
			mark, err := os.OpenFile(filepath.Join(dir, over), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err == nil { // mostly there is no such folder; who else made it can't lead elsewhere
				_ = mark.Close()
			}
		}
		if err := config.KeepGood(a.site); a.Degraded == "" && err != nil {
			faults = append(faults, err.Error())
		}
		return faults, nil
	}
	if errors.Is(err, buffer.ErrLocked) {
		return nil, err
	}
	a.volatile = fmt.Sprintf("the buffer can't be opened: %v; what is stored now is lost with the power", err)
	a.Log.Error(a.volatile)
	small := a.site.Buffer
	small.Size, small.Events, small.Stats = volatileSize, volatileSize/8, volatileSize/8
	for _, small.Dir = range a.smallDirs() {
		if _, err := os.Stat(filepath.Join(small.Dir, over)); err == nil {
			_ = os.RemoveAll(small.Dir)
		}
		var more []string
		if more, err = a.openAt(small); err == nil {
			faults = append(faults, more...)
			break
		}
	}
	if err == nil && !a.Hung {
		faults = append(faults, a.recall(a.site.Buffer.Dir)...)
	}
	return faults, err
}

// over stands in a small buffer that is over.
const over = "over"

// smallDirs are where a small buffer may be: a card that dies takes its /tmp along,
// what is in memory stays.
func (a *agent) smallDirs() (dirs []string) {
	for _, dir := range []string{os.TempDir(), filepath.Dir(a.Socket), "/dev/shm"} {
		dirs = append(dirs, filepath.Join(dir, "pithead-"+a.site.Site+"-"+a.site.Gateway))
	}
	return dirs
}

// renew puts there again what the agent keeps beside the log.
func (a *agent) renew() error {
	_, err := os.Lstat(a.keyFile)
	if errors.Is(err, os.ErrNotExist) {
		err = a.key.Save(a.keyFile)
	}
	if a.volatile == "" {
		err = errors.Join(err, config.KeepGood(a.site))
	}
	return err
}

// recall takes alarms, outputs and latest readings from a log that can be read
// but not written, as a card has it that is dying: no trip and no latch is
// forgotten over that. Where the log in hand knows of a later time it stands.
func (a *agent) recall(dir string) []string {
	v, err := buffer.OpenView(dir)
	if err != nil {
		return nil // that it can't be opened is told already
	}
	r := a.rec
	f, faults := readFold(kept(v, laneEvents))
	if r.fold.Last != nil && r.fold.Newest >= f.Newest {
		return nil
	}
	r.fold.Alarms, r.fold.Outputs, r.fold.Seals, r.fold.Config, r.fold.Newest = f.Alarms, f.Outputs, f.Seals, f.Config, f.Newest
	r.fold.forgetBoots()
	tail, more := decodeTail(kept(v, laneData))
	a.tail = tail
	return append(faults, more...)
}

// openAt opens the log in one folder and learns from it, or from the one that
// had to be set aside, where the last run ended.
func (a *agent) openAt(b config.Buffer) (faults []string, err error) {
	r := a.rec
	report, err := a.openLog(b)
	if err != nil {
		return nil, err
	}
	if faults, err = a.identify(b.Dir); err != nil {
		return faults, errors.Join(err, a.buf.Close())
	}
	a.found = append(a.found, report.Faults...)
	kept, stored := setAside(b.Dir), []record.Last(nil)
	if kept != "" {
		a.former = "a buffer that could not be gone on with is kept until its space is needed: " + kept
	}
	if report.Kept != "" {
		faults = append(faults, fmt.Sprintf("a fresh buffer was begun: %s; the former one is kept in %s", report.Why, report.Kept))
	}
	if report.Kept != "" || kept != "" && report.Fresh && report.Former == "" { // or nothing was stored since
		faults = append(faults, a.follow(kept)...)
	} else {
		faults = append(faults, a.learn(laneOf(r.events), laneOf(r.data))...)
		faults = append(faults, a.goOn(report)...)
		stored = a.tail.Last()
	}
	a.boot = nextBoot(r.fold, a.machine().boot, stored)
	r.shareOffsets()
	return faults, nil
}

// goOn makes the chain go on where the events end. Where that can't be read a
// new epoch begins behind all that is there, and its first event names the last
// one that can. (The power may have gone before that event: then it is the first
// one now.)
func (a *agent) goOn(report buffer.Report) (faults []string) {
	r := a.rec
	lost := a.another()
	switch {
	case lost != "":
		a.buf.NewEpoch()
	case report.Fresh && report.Former != "":
		lost = report.Why
	case r.fold.epoch() == a.buf.Epoch() || r.fold.Last == nil:
		if err := r.resume(); err != nil {
			lost = err.Error()
			a.buf.NewEpoch()
		}
	}
	if lost != "" {
		faults = append(faults, "a new epoch begins: "+lost)
	}
	if p, err := event.Parse(r.fold.Last); err == nil && p.Epoch != a.buf.Epoch() || lost != "" {
		r.chain = event.NewChain(a.key, a.buf.Epoch())
		r.chain.Follow(event.Head{Epoch: p.Epoch, N: p.N, Hash: p.Hash()}, r.events.Next())
	}
	return faults
}

// setAside is the newest log that was set aside in a folder, empty if none was.
// A power cut may come between that and the first event of the new epoch, which
// would have told where everything stands.
func setAside(dir string) (newest string) {
	for n := 1; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("log.old-%d", n))
		if _, err := os.Stat(path); err != nil {
			return newest
		}
		newest = path
	}
}

// nextBoot is the number of the boot that has this kernel's id: the newest one's
// only if that is sure to be the same, since m begins anew with each. The event
// that told of the newest may be lost to damage while readings of it are there.
func nextBoot(f *fold, id string, stored []record.Last) uint32 {
	boot := f.Boot
	for _, l := range stored {
		boot = max(boot, l.Boot)
	}
	if id == "" || id != f.BootID || boot != f.Boot {
		boot++
	}
	return boot
}

func (a *agent) openLog(b config.Buffer) (buffer.Report, error) {
	r := a.rec
	data := b.Size - b.Events - b.Stats
	log, report, err := buffer.Open(buffer.Config{Dir: b.Dir, Lanes: []buffer.LaneConfig{
		{Name: laneEvents, Size: b.Events, Key: func() []byte { return r.fold.key() }},
		{Name: laneStats, Size: b.Stats},
		{Name: laneData, Size: data - besides(b.Dir, data), Key: r.dataKey},
	}})
	if err != nil {
		return report, err
	}
	a.buf, r.buf, a.dir = log, log, b.Dir
	r.events, r.stats, r.data = log.Lane(laneEvents), log.Lane(laneStats), log.Lane(laneData)
	return report, nil
}

// learn takes in what the events come to, and the latest reading of each point.
func (a *agent) learn(events, data lane) []string {
	var faults, more []string
	a.rec.fold, faults = readFold(events)
	faults = append(faults, a.inheritKey()...)
	a.rec.chain = event.NewChain(a.key, a.buf.Epoch())
	a.tail, more = decodeTail(data)
	return append(faults, more...)
}

// follow learns from a log that was set aside, as far as it can be read: alarms
// and outputs stand where they stood, totals go on, and the first event of the
// new epoch names the last one of the old. Numbers and boots begin anew.
func (a *agent) follow(dir string) []string {
	v, err := buffer.OpenView(dir)
	if err != nil {
		a.rec.fold, a.tail, a.rec.chain = newFold(), &record.Decoder{}, event.NewChain(a.key, a.buf.Epoch())
		return []string{err.Error()}
	}
	faults := a.learn(kept(v, laneEvents), kept(v, laneData))
	f := a.rec.fold
	if p, err := event.Parse(f.Last); err == nil {
		a.rec.chain.Follow(event.Head{Epoch: p.Epoch, N: p.N, Hash: p.Hash()}, 1)
	}
	f.Last, f.Boot, f.BootID, f.Offsets = nil, 0, "", map[uint32]int64{}
	f.forgetBoots()
	return faults
}

func (a *agent) lanes() []*buffer.Lane { return []*buffer.Lane{a.rec.events, a.rec.stats, a.rec.data} }

// decodeTail decodes the data lane from its newest key on: what a run begins from.
func decodeTail(l lane) (*record.Decoder, []string) {
	d := &record.Decoder{}
	faults := fromKey(l, "readings", func() { *d = record.Decoder{} }, func(fr buffer.Frame) error {
		if fr.Key {
			return d.Key(fr.Payload)
		}
		_, err := d.Frame(fr.Payload)
		return err
	})
	return d, faults
}

// lane is a lane of the log in hand, or of one that was set aside.
type lane struct {
	first, next uint64
	reader      func(from uint64) *buffer.Reader
}

func laneOf(l *buffer.Lane) lane { return lane{l.First(), l.Next(), l.Reader} }

// kept is a lane of a log that was set aside; it is empty where there is none.
func kept(v *buffer.View, name string) lane {
	for _, l := range v.Lanes {
		if l.Name == name {
			return lane{l.First, l.Next, func(from uint64) *buffer.Reader { return v.Reader(name, from) }}
		}
	}
	return lane{first: 1, next: 1, reader: func(uint64) *buffer.Reader { return nil }}
}

// fromKey gives every frame of a lane from its newest key on. Where the newest
// segment has lost its key it goes back to the one before; begin is called
// before each try. It returns what could not be read, or not be taken.
func fromKey(l lane, what string, begin func(), take func(buffer.Frame) error) []string {
	for from := l.next; ; {
		begin()
		at, keyed, faults := walk(l.reader(from), what, take)
		if at == 0 {
			at = from
		}
		if keyed || at <= l.first {
			return faults
		}
		from = at - 1
	}
}

// walk gives every frame that a reader has. It returns the number it began at (0
// where there was none), whether a key came before the first record, and what
// could not be read or not be taken, a line for each run of frames.
func walk(r *buffer.Reader, what string, take func(buffer.Frame) error) (at uint64, keyed bool, faults []string) {
	if r == nil {
		return 0, false, nil
	}
	defer r.Close()
	var bad struct { // the run of frames that can't be taken
		from, to uint64
		err      error
	}
	end := func() {
		if bad.err != nil {
			faults = append(faults, fmt.Sprintf("%s %d to %d: %v", what, bad.from, bad.to, bad.err))
			bad.err = nil
		}
	}
	defer end()
	for {
		fr, err := r.Next()
		var lost *buffer.Lost
		switch {
		case errors.Is(err, io.EOF):
			return at, keyed, faults
		case errors.As(err, &lost):
			faults = append(faults, fmt.Sprintf("%s %d to %d can't be read", what, lost.From, lost.To))
			continue
		case err != nil:
			return at, keyed, append(faults, err.Error())
		}
		if at == 0 {
			at, keyed = fr.First, fr.Key
		}
		if err := take(fr); err == nil {
			end()
			continue
		} else if bad.err == nil {
			bad.from, bad.err = fr.First, err
		}
		bad.to = max(fr.First, fr.First+uint64(fr.Count)-1)
	}
}
