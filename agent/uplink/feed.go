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
	epoch  string // of the frame
	until  uint64 // there is nothing behind it; 0: no end
}

// A codec takes the frames of one lane apart.
type codec interface {
	key(payload []byte) error
	// frame reads the next frame and says how many records it holds.
	frame(epoch string, payload []byte) (count int, err error)
	// item makes it record i of that frame, whose number is n; false where the uplink
	// leaves its point out. Its JSON is good until the next one. After an error there
	// is nothing more to be had of that frame.
	item(i int, n uint64, it *item) (bool, error)
	// ready says whether record i may go yet. Records are asked for in order.
	ready(i int) bool
}

// An item is one reading or statistic.
type item struct {
	n     uint64
	era   *era  // shared by those of its frame; nobody changes it
	m     int64 // when it was taken
	dated bool  // m counts: it is a reading
	left  bool  // it is the uplink's, and is not sent: it has no JSON
	json  []byte
}

// first is when it was taken.
func (it *item) first() mark {
	if !it.dated {
		return mark{}
	}
	return it.era.mark(it.m)
}

func (u *Uplink) feed(lane string, from uint64, c codec) *feed {
	return &feed{u: u, lane: lane, reader: u.Log.Lane(lane).Reader(from), codec: c, at: from}
}

// next makes it the next item; io.EOF at the present end, after which it may be
// called again; errMore; a *buffer.Lost where there is something that nobody
// can have any more; any other error is the disk's, and worth another try.
func (f *feed) next(it *item) error {
	for range mostFrames {
		if f.until > 0 && f.at > f.until {
			return io.EOF
		}
		for f.i < f.count {
			i, n := f.i, f.n
			f.i, f.n = i+1, n+1
			if n < f.at {
				continue // read because what follows leans on it; the platform has it
			}
			if n >= f.at && !f.codec.ready(i) {
				f.i, f.n = i, n
				return io.EOF // as if it were not stored yet
			}
			if f.until > 0 && n > f.until {
				f.at = n + 1
				return io.EOF
			}
			ok, err := f.codec.item(i, n, it)
			if err != nil {
				last := n + uint64(f.count-i) - 1
				f.i = f.count
				return f.undecoded(f.epoch, n, last, err)
			}
			if f.at = n + 1; ok {
				return nil
			}
		}
		if err := f.frame(); err != nil {
			return err
		}
	}
	return errMore
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
		return f.undecoded(fr.Epoch, fr.First, fr.First+uint64(fr.Count)-1, err)
	}
	f.n, f.count, f.epoch = fr.First, count, fr.Epoch
	return nil
}

// undecoded passes over a range that nobody can decode.
func (f *feed) undecoded(epoch string, from, to uint64, err error) error {
	f.u.log.Warn("the buffer holds what can't be decoded", "from", from, "records", to-from+1, "error", err)
	return f.missing(epoch, from, to)
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
