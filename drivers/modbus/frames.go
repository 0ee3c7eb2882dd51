package modbus

import (
	"context"
	"encoding/hex"
	"sync"
	"time"
)

// frames are the last bytes that were on a line, for somebody far away who is to
// see what is wrong with it. Written by who uses the line, read by anybody.
type frames struct {
	mu   sync.Mutex
	last [mostFrames]frame
	next int
}

// A frame is what went one way at a time; of a long one its beginning.
type frame struct {
	began time.Time
	ended time.Time
	out   bool
	size  int
	bytes [frameBytes]byte
}

const (
	mostFrames = 32
	frameBytes = 64
	frameGap   = 20 * time.Millisecond // what comes after that is another
)

// note takes down what was sent or received; what comes in pieces is one frame.
func (f *frames) note(out bool, b []byte) {
	if len(b) == 0 {
		return
	}
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	x := &f.last[(f.next+mostFrames-1)%mostFrames]
	if x.size == 0 || x.out != out || out || now.Sub(x.ended) > frameGap {
		x = &f.last[f.next]
		x.began, x.out, x.size = now, out, 0
		f.next = (f.next + 1) % mostFrames
	}
	if x.size < len(x.bytes) {
		copy(x.bytes[x.size:], b)
	}
	x.ended, x.size = now, x.size+len(b)
}

// lines are the frames, oldest first: time, out or in, bytes in hex.
func (f *frames) lines() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range mostFrames {
		x := &f.last[(f.next+i)%mostFrames]
		if x.size == 0 {
			continue
		}
		way, more := " in  ", ""
		if x.out {
			way = " out "
		}
		if x.size > len(x.bytes) {
			more = "…"
		}
		all = append(all, x.began.UTC().Format("2006-01-02T15:04:05.000Z")+way+hex.EncodeToString(x.bytes[:min(x.size, len(x.bytes))])+more)
	}
	return all
}

// Frames are the last on the line, as text. Any goroutine may ask.
func (b *Bus) Frames() []string { return b.frames.lines() }

// tapped is an opener whose wires are noted in f.
func tapped(by Opener, f *frames) Opener {
	return func(ctx context.Context, within time.Duration) (Wire, error) {
		w, err := by(ctx, within)
		if err != nil {
			return nil, err
		}
		if exact, ok := w.(exactWire); ok {
			return exactTap{tap{w, f}, exact}, nil
		}
		return tap{w, f}, nil
	}
}

type tap struct {
	Wire
	frames *frames
}

// An exactTap is a tap that hides nothing of what its wire can do.
type exactTap struct {
	tap
	exactWire
}

func (t tap) Read(b []byte) (int, error) {
	n, err := t.Wire.Read(b)
	t.frames.note(false, b[:max(n, 0)])
	return n, err
}

func (t tap) Write(b []byte) (int, error) {
	n, err := t.Wire.Write(b)
	t.frames.note(true, b[:max(n, 0)])
	return n, err
}
