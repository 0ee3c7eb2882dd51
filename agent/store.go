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
// the disk does. It returns what is to be told of that.
func (a *agent) openBuffer() (faults []string, err error) {
	faults, err = a.openAt(a.site.Buffer)
	if err == nil {
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
	small.Dir = filepath.Join(os.TempDir(), "pithead-"+a.site.Site+"-"+a.site.Gateway)
	small.Size, small.Events, small.Stats = volatileSize, volatileSize/8, volatileSize/8
	more, err := a.openAt(small)
	return append(faults, more...), err
}

// openAt opens the log in one folder and learns from it where the last run ended.
func (a *agent) openAt(b config.Buffer) (faults []string, err error) {
	r := a.rec
	lanes := []buffer.LaneConfig{
		{Name: laneEvents, Size: b.Events, Key: func() []byte { return r.fold.key() }},
		{Name: laneStats, Size: b.Stats},
		{Name: laneData, Size: b.Size - b.Events - b.Stats, Key: r.dataKey},
	}
	r.fold = newFold()
	log, report, err := buffer.Open(buffer.Config{Dir: b.Dir, Lanes: lanes})
	if err != nil {
		return nil, err
	}
	for _, f := range report.Faults {
		faults = append(faults, f.String())
	}
	a.buf, r.buf = log, log
	r.events, r.stats, r.data = log.Lane(laneEvents), log.Lane(laneStats), log.Lane(laneData)
	if a.key, err = identity(a.site, b.Dir); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	r.chain = event.NewChain(a.key, log.Epoch())
	if report.Kept != "" {
		faults = append(faults, fmt.Sprintf("a fresh buffer was begun: %s; the former one is kept in %s", report.Why, report.Kept))
		r.chain.Follow(headOf(report.Kept))
	}
	fold, more := readFold(r.events.Reader(r.events.Next()))
	r.fold = fold
	if err := r.resume(); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	a.boot = fold.Boot
	if id := bootID(); a.boot == 0 || id != fold.BootID {
		a.boot++
	}
	r.shareOffsets()
	return append(faults, more...), nil
}

func (a *agent) lanes() []*buffer.Lane { return []*buffer.Lane{a.rec.events, a.rec.stats, a.rec.data} }

// decodeTail decodes the data lane from its newest key on: what a run begins from.
func decodeTail(l *buffer.Lane) (*record.Decoder, []string) {
	d := &record.Decoder{}
	var faults []string
	r := l.Reader(l.Next())
	defer r.Close()
	for {
		fr, err := r.Next()
		var lost *buffer.Lost
		switch {
		case err == io.EOF:
			return d, faults
		case errors.As(err, &lost):
			faults = append(faults, fmt.Sprintf("readings %d to %d can't be read", lost.From, lost.To))
			continue
		case err != nil:
			return d, append(faults, err.Error())
		}
		if fr.Key {
			err = d.Key(fr.Payload)
		} else {
			_, err = d.Frame(fr.Payload)
		}
		if err != nil {
			faults = append(faults, fmt.Sprintf("readings from %d on: %v", fr.First, err))
		}
	}
}

// headOf is the last event of a log that was set aside, as far as it can be read.
func headOf(dir string) event.Head {
	v, err := buffer.OpenView(dir)
	if err != nil {
		return event.Head{}
	}
	var head event.Head
	for _, l := range v.Lanes {
		if l.Name != laneEvents {
			continue
		}
		f, _ := readFold(v.Reader(laneEvents, l.Next))
		if p, err := event.Parse(f.Last); err == nil {
			head = event.Head{Epoch: p.Epoch, N: p.N, Hash: p.Hash()}
		}
	}
	return head
}
