package uplink

import (
	"errors"
	"fmt"
	"io"

	"pithead/buffer"
)

// A feed hands out what one lane holds for this uplink, item by item, from a
// number on. What can't be decoded is lost, like what isn't there.
type feed struct {
	u      *Uplink
	lane   string
	reader *buffer.Reader
	codec  codec
	at     uint64 // everything below was handed out, passed over, or is lost
	n      uint64 // number of the frame's next record
	i      int    // its index
	count  int    // records in the frame
	until  uint64 // there is nothing behind it; 0: no end
}

// A codec takes the frames of one lane apart.
type codec interface {
	key(payload []byte) error
	// frame reads the next frame and says how many records it holds.
	frame(epoch string, payload []byte) (count int, err error)
	// item is record i of that frame, whose number is n; false where the uplink
	// leaves its point out. Its JSON is good until the next one.
	item(i int, n uint64) (item, bool)
	// ready says whether record i may go yet.
	ready(i int) bool
}

// An item is one reading or statistic.
type item struct {
	n     uint64
	era   era
	first mark // when it was taken; only of readings
	json  []byte
	left  bool // it is the uplink's, and is not sent: it has no JSON
}

func (u *Uplink) feed(lane string, from uint64, c codec) *feed {
	return &feed{u: u, lane: lane, reader: u.Log.Lane(lane).Reader(from), codec: c, at: from}
}

// next is the next item; io.EOF at the present end, after which it may be
// called again; errMore; a *buffer.Lost where there is something that nobody
// can have any more; any other error is the disk's, and worth another try.
func (f *feed) next() (item, error) {
	for range mostFrames {
		if f.until > 0 && f.at > f.until {
			return item{}, io.EOF
		}
		for f.i < f.count {
			i, n := f.i, f.n
			f.i, f.n = i+1, n+1
			if n < f.at {
				continue // read because what follows leans on it; the platform has it
			}
			if n >= f.at && !f.codec.ready(i) {
				f.i, f.n = i, n
				return item{}, io.EOF // as if it were not stored yet
			}
			f.at = n + 1
			if f.until > 0 && n > f.until {
				return item{}, io.EOF
			}
			if it, ok := f.codec.item(i, n); ok {
				return it, nil
			}
		}
		if err := f.frame(); err != nil {
			return item{}, err
		}
	}
	return item{}, errMore
}

// frame goes on to the next frame of records.
func (f *feed) frame() error {
	f.i, f.count = 0, 0
	fr, err := f.reader.Next()
	var gone *buffer.Lost
	switch {
	case errors.As(err, &gone):
		if gone.Damage != nil {
			f.u.Gap(Gap{Uplink: f.u.cfg.ID, Lane: f.lane, Lost: *gone})
		}
		if gone.Damage == nil && gone.To >= gone.From {
			// What is left begins with a key, which only a reader that begins there
			// is sure to get.
			f.reader.Close()
			f.reader = f.u.Log.Lane(f.lane).Reader(gone.To + 1)
		}
		return f.missing(gone.Epoch, gone.From, gone.To)
	case err != nil:
		return err
	case fr.Key:
		// A key that can't be read shows in the frames behind it.
		_ = f.codec.key(fr.Payload)
		return nil
	}
	count, err := f.codec.frame(fr.Epoch, fr.Payload)
	if err == nil && count != fr.Count {
		err = fmt.Errorf("%d records under %d numbers", count, fr.Count)
	}
	if err != nil {
		f.u.log.Warn("the buffer holds what can't be decoded", "from", fr.First, "records", fr.Count, "error", err)
		return f.missing(fr.Epoch, fr.First, fr.First+uint64(fr.Count)-1)
	}
	f.n, f.count = fr.First, count
	return nil
}

// missing passes over a range, and returns what of it was still to come; nil if
// nothing was.
func (f *feed) missing(epoch string, from, to uint64) error {
	from = max(from, f.at)
	if f.until > 0 {
		to = min(to, f.until)
	}
	if to < from {
		return nil
	}
	f.at = to + 1
	return &buffer.Lost{From: from, To: to, Epoch: epoch}
}
